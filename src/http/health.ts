import type { FastifyInstance } from 'fastify';

export type Health = { mode: 'sandbox' | 'production'; fingerprint: string; clients: number };

/** `GET /health`: the process lives. `GET /ready`: it may be called; it is not while it stops. */
export function healthRoutes(app: FastifyInstance, { mode, fingerprint, clients }: Health): void {
  let stopping = false;
  app.addHook('preClose', async () => {
    stopping = true;
  });
  const authentication = mode === 'sandbox' ? 'none: sandbox, this machine only' : 'client tokens';
  app.get('/health', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'ok', mode, authentication, knowledge: fingerprint }),
  );
  app.get('/ready', (_request, reply) =>
    reply
      .code(stopping ? 503 : 200)
      .header('cache-control', 'no-store')
      .send({ ready: !stopping, knowledge: fingerprint, clients }),
  );
}
