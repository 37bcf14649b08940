import fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { PUBLIC_URL, startService } from '../testing/app.ts';
import { createClient, NOW, SIGN } from '../testing/client.ts';
import { requireTokens } from './auth.ts';

const { client, token } = await createClient({ services: ['nordic-opioid-order-sign'] });
const production = await startService({ mode: 'production', clients: [client] });
afterAll(() => production.close());

describe('J2: open routes need no token', () => {
  test.each<[method: 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'OPTIONS', url: string, open: boolean]>([
    ['GET', '/cds-services', true],
    ['GET', '/openapi.json', true],
    ['GET', '/health', true],
    ['GET', '/ready', true],
    ['GET', '/metrics', true],
    ['HEAD', '/health', true],
    ['GET', '/health?x', true],
    ['GET', '//health/', true],
    ['GET', '/advice', true],
    ['GET', '/advice/', true],
    ['GET', '/advice/laro-sedative-ordered', true],
    ['GET', '/advice/x/y', false],
    ['GET', '/x/advice', false],
    ['GET', '/advices', false],
    ['GET', '/healthy', false],
    ['GET', '/', false],
    ['POST', '/advice', false],
    ['POST', '/health', false],
    ['DELETE', '/ready', false],
    ['GET', SIGN, false],
  ])('%s %s: %s', async (method, url, open) => {
    const { statusCode } = await production.app.inject({ method, url });
    expect(statusCode === 401).toBe(!open);
  });
});

describe('J7, J16: a token is valid for the called address, and a client for its services', () => {
  const call = async (path: string, audience: string) => {
    const { status } = await production.http
      .post(path)
      .set('authorization', `Bearer ${await token(audience)}`)
      .send({ feedback: [] });
    return status;
  };
  const SELECT = '/cds-services/nordic-opioid-order-select';
  test.each<[path: string, audience: string, status: number]>([
    [`${SIGN}/feedback`, `${SIGN}/feedback`, 200],
    [`${SIGN}/feedback`, SIGN, 200],
    [`${SIGN}/feedback`, '/cds-services', 401],
    [`${SIGN}/feedback`, SELECT, 401],
    [SIGN, `${SIGN}/feedback`, 401],
    [`${SELECT}/feedback`, SELECT, 403],
    ['/cds-services/nope', '/cds-services/nope', 404],
    ['/cds-services/nope/feedback', '/cds-services/nope', 404],
    ['/nope', '/nope', 404],
  ])('%s with a token for %s: %s', async (path, audience, status) => {
    expect(await call(path, audience)).toBe(status);
  });
});

test('a fault during token verification is a service fault and not a refusal', async () => {
  const app = fastify();
  app.decorateRequest('logFields');
  app.addHook('onRequest', async (request) => {
    request.logFields = {};
  });
  const clients = {
    filter: () => {
      throw new TypeError('Kari');
    },
  };
  requireTokens(app, { clients, clock: () => NOW * 1000 } as never, PUBLIC_URL);
  app.setErrorHandler((error, _request, reply) => reply.code(500).send((error as Error).name));
  const headers = { authorization: `Bearer ${await token(SIGN)}` };
  const { body } = await app.inject({ method: 'POST', url: SIGN, headers });
  expect(body).toBe('TypeError');
  await app.close();
});

test('a reused token is logged if its client is only warned', async () => {
  const lenient = await createClient({ replay: 'warn' });
  const warned = await startService({ mode: 'production', clients: [lenient.client] });
  const authorization = `Bearer ${await lenient.token(SIGN)}`;
  const told = async () => {
    await warned.http.post(SIGN).set({ authorization }).send({});
    return JSON.parse(warned.log.findLast((line) => line.includes('answered')) ?? '').replayed;
  };
  expect([await told(), await told()]).toEqual([undefined, true]);
  await warned.close();
});

test('S7: feedback counts towards the calls per minute, and open routes do not', async () => {
  const eager = await createClient({ requestsPerMinute: 1 });
  const bounded = await startService({ mode: 'production', clients: [eager.client] });
  const send = async (path: string) =>
    bounded.http
      .post(path)
      .set('authorization', `Bearer ${await eager.token(path)}`)
      .send({ feedback: [] });
  const [first, second] = [await send(`${SIGN}/feedback`), await send(`${SIGN}/feedback`)];
  expect([first.status, first.headers['x-ratelimit-limit'], second.status]).toEqual([200, '1', 429]);
  expect((await bounded.http.get('/health')).headers).not.toHaveProperty('x-ratelimit-limit');
  await bounded.close();
});

test('J15: a refusal does not tell how many calls are left', async () => {
  const authorization = `Bearer ${await token(SIGN)}`;
  const send = () => production.http.post(SIGN).set({ authorization }).send({});
  expect((await send()).headers).toHaveProperty('x-ratelimit-remaining');
  const { status, headers } = await send();
  expect([status, Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))]).toEqual([401, []]);
});
