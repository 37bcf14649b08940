import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from './metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Fields of this call's log line besides route, status and time. Never patient data. */
    logFields: Record<string, unknown>;
  }
}

/** Writes one line per call: its route (never its address or query), status, milliseconds, and the fields set by the route. */
export function logCalls(app: FastifyInstance, metrics: Metrics): void {
  app.decorateRequest('logFields');
  app.decorateRequest('client');
  app.decorateRequest('tenant');
  app.decorateRequest('trusted');
  app.addHook('onRequest', async (request) => {
    request.logFields = {};
  });
  app.addHook('onResponse', async (request, reply) => logCall(request, reply, metrics));
}

export function logCall(request: FastifyRequest, reply: FastifyReply, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'none';
  const { method, logFields } = request;
  metrics.call(
    typeof logFields['service'] === 'string' ? logFields['service'] : route,
    reply.statusCode,
    reply.elapsedTime / 1000,
  );
  request.log.info(
    { method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime), ...logFields },
    'answered',
  );
}
