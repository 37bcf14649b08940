import type { FastifyInstance } from 'fastify';

export type Health = {
  mode: 'sandbox' | 'production';
  fingerprint: string;
  clients: number;
  /** How the journal does; undefined where none is kept. */
  journal: () => 'starting' | 'up' | 'down' | undefined;
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Set when the process begins to stop: calls are still answered, and `/ready` asks for no more. */
    draining: { value: boolean };
  }
}

/**
 * `GET /health`: the process lives. `GET /ready`: it may be called. It may not while it stops, nor before its database was
 * reached for the first time. A database that goes away later takes nobody's warnings away: only feedback waits for it.
 */
export function healthRoutes(app: FastifyInstance, { mode, fingerprint, clients, journal }: Health): void {
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
  app.get('/ready', (_request, reply) => {
    const state = journal();
    const ready = !draining.value && state !== 'starting';
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, knowledge: fingerprint, clients, journal: state ?? 'none' });
  });
}
