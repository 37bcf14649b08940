import type { FastifyInstance } from 'fastify';

export type Health = { mode: 'sandbox' | 'production'; fingerprint: string; clients: number };

declare module 'fastify' {
  interface FastifyInstance {
    /** Set when the process begins to stop: calls are still answered, and `/ready` asks for no more. */
    draining: { value: boolean };
  }
}

/** `GET /health`: the process lives. `GET /ready`: it may be called; it is not while it stops. */
export function healthRoutes(app: FastifyInstance, { mode, fingerprint, clients }: Health): void {
  const draining = { value: false };
  app.decorate('draining', draining);
  // Connections that clients keep open would hold up the end.
  app.addHook('onSend', async (_request, reply) => {
    if (draining.value) reply.header('connection', 'close');
  });
  const authentication = mode === 'sandbox' ? 'none: sandbox, this machine only' : 'client tokens';
  app.get('/health', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok', mode, authentication, knowledge: fingerprint }),
  );
  app.get('/ready', (_request, reply) =>
    reply
      .code(draining.value ? 503 : 200)
      .header('cache-control', 'no-store')
      .send({ ready: !draining.value, knowledge: fingerprint, clients }),
  );
}
