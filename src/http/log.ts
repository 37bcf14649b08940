import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from './metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log line of this call says besides route, status and time. Never a patient's data. */
    told: Record<string, unknown>;
  }
}

/** One line for each call: its route (never its address or query), status, milliseconds, and what the route told. */
export function logCalls(app: FastifyInstance, metrics: Metrics): void {
  app.decorateRequest('told');
  app.decorateRequest('client');
  app.decorateRequest('tenant');
  app.decorateRequest('trusted');
  app.addHook('onRequest', async (request) => {
    request.told = {};
  });
  app.addHook('onResponse', async (request, reply) => logCall(request, reply, metrics));
}

export function logCall(request: FastifyRequest, reply: FastifyReply, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'none';
  const { method, told } = request;
  metrics.call(
    typeof told['service'] === 'string' ? told['service'] : route,
    reply.statusCode,
    reply.elapsedTime / 1000,
  );
  request.log.info({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime), ...told }, 'answered');
}
