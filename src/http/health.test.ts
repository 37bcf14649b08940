import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { healthRoutes } from './health.ts';

describe('/health and /ready', () => {
  async function saysOf(options: Partial<Parameters<typeof healthRoutes>[1]> = {}, draining = false) {
    const app = fastify();
    healthRoutes(app, { mode: 'production', fingerprint: 'f', clients: 2, journal: () => 'up', ...options });
    app.draining.value = draining;
    const [health, ready] = [await app.inject('/health'), await app.inject('/ready')];
    await app.close();
    return { health, ready };
  }

  test.each<[state: 'starting' | 'up' | 'down' | undefined, draining: boolean, status: number]>([
    ['up', false, 200],
    ['down', false, 200],
    [undefined, false, 200],
    ['starting', false, 503],
    ['up', true, 503],
    ['starting', true, 503],
  ])('with a journal that is %s, while stopping %s: %s', async (state, draining, status) => {
    const { health, ready } = await saysOf({ journal: () => state }, draining);
    const says = { ready: status === 200, knowledge: 'f', clients: 2, journal: state ?? 'none' };
    expect([ready.statusCode, ready.json(), health.statusCode]).toEqual([status, says, 200]);
    for (const { headers } of [health, ready])
      expect([headers['cache-control'], headers['connection']]).toEqual([
        'no-store',
        draining ? 'close' : 'keep-alive',
      ]);
  });

  test('/health states the mode, the authentication and the knowledge', async () => {
    const says = { status: 'ok', mode: 'production', authentication: 'client tokens', knowledge: 'f' };
    expect((await saysOf()).health.json()).toEqual(says);
    const sandbox = { mode: 'sandbox', authentication: 'none: sandbox, this machine only' };
    expect((await saysOf({ mode: 'sandbox' })).health.json()).toEqual({ ...says, ...sandbox });
  });
});
