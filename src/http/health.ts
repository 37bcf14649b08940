import type { FastifyInstance } from 'fastify';

export type Health = {
  mode: 'sandbox' | 'production';
  fingerprint: string;
  clients: number;
  /** State of the journal; undefined if there is none. */
  journal: () => 'starting' | 'up' | 'down' | undefined;
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Set when the process begins to stop: calls are still answered, but `/ready` says no. */
    draining: { value: boolean };
  }
}

/**
 * `GET /health`: the process is alive. `GET /ready`: it may be called. It is not ready while it stops, nor before it
 * has first reached its database. If the database fails later it stays ready, because only feedback depends on it.
 */
export function healthRoutes(app: FastifyInstance, { mode, fingerprint, clients, journal }: Health): void {
  const draining = { value: false };
  app.decorate('draining', draining);
  // Connections kept open by clients would delay the shutdown.
  app.addHook('onSend', async (_request, reply) => {
    if (draining.value) reply.header('connection', 'close');
  });
  const authentication = mode === 'sandbox' ? 'none: sandbox, this machine only' : 'client tokens';
  app.get('/health', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok', mode, authentication, knowledge: fingerprint }),
  );
  app.get('/ready', (_request, reply) => {
    const state = journal();
    const ready = !draining.value && state !== 'starting';
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, knowledge: fingerprint, clients, journal: state ?? 'none' });
  });
}
