import { once } from 'node:events';
import { request as ask, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { SIGN } from '../testing/client.ts';
import { examples } from '../testing/examples.ts';
import { order, pair } from '../testing/request.ts';
import { answerProblems } from './problems.ts';

const service = await startService();
afterAll(() => service.close());

test('an unknown expectation is answered, also over a connection', async () => {
  const { port } = service.app.server.address() as AddressInfo;
  const call = ask({ port, path: '/health', headers: { expect: 'x' } }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  expect([response.statusCode, JSON.parse(Buffer.concat(await response.toArray()).toString()).resourceType]).toEqual([
    417,
    'OperationOutcome',
  ]);
});

describe('T10: other methods and addresses', () => {
  test.each<[method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, status: number, allow: string | undefined]>([
    ['POST', '/', 404, undefined],
    ['PUT', SIGN, 405, 'POST'],
    ['PUT', `${SIGN}/`, 405, 'POST'],
    ['PUT', `//cds-services///x`, 405, 'POST'],
    ['PUT', `${SIGN}?x=/feedback`, 405, 'POST'],
    ['GET', `${SIGN}/feedback`, 405, 'POST'],
    ['GET', `${SIGN}/other`, 404, undefined],
    ['GET', `${SIGN}/feedback/x`, 404, undefined],
    ['GET', '/x/cds-services/y', 404, undefined],
    ['POST', '/cds-services', 405, 'GET'],
    ['POST', '/metrics', 405, 'GET'],
    ['DELETE', '/ready?x', 405, 'GET'],
  ])('%s %s: %s, allowed is %s', async (method, url, status, allow) => {
    const answer = await service.app.inject({ method, url });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([status, allow]);
  });

  test('every method of an address is named', async () => {
    const app = fastify();
    answerProblems(app);
    app.get('/both', async () => 'x').post('/both', async () => 'x');
    const { statusCode, headers } = await app.inject({ method: 'PUT', url: '/both' });
    expect([statusCode, headers['allow']]).toEqual([405, 'GET, POST']);
    await app.close();
  });

  test('an unknown address is refused before its body is read', async () => {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/nope',
      headers: { 'content-type': 'application/json' },
      payload: '{bad',
    });
    expect(answer.statusCode).toBe(404);
  });

  test('every refusal has an id, is not cached, and has no extension unless requested', async () => {
    const { headers, body } = await service.app.inject({ method: 'GET', url: '/nope' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-request-id': expect.stringMatching(/\S/),
      'content-type': 'application/json; charset=utf-8',
    });
    expect(Object.keys(JSON.parse(body))).toEqual(['resourceType', 'issue']);
  });
});

test('V1: orders in another FHIR version are refused with the supported versions', async () => {
  const drafts = [{ ...order('o', examples.opioid), resourceType: 'MedicationOrder' }];
  const { status, body } = await service.call(pair('order-sign', { drafts }));
  const text = 'The FHIR version is not supported: send FHIR R4 (R5 is also accepted).';
  expect([status, body.issue]).toEqual([422, [{ severity: 'error', code: 'not-supported', details: { text } }]]);
});

test('a malformed address is a 404, and the log does not repeat it', async () => {
  const { port } = service.app.server.address() as AddressInfo;
  const { status } = await fetch(`http://127.0.0.1:${port}/cds-services/%ff`);
  const line = service.log.map((text) => JSON.parse(text)).findLast(({ msg }) => msg === 'answered');
  expect([status, line]).toEqual([404, expect.objectContaining({ route: 'none', status: 404 })]);
  expect(line).not.toHaveProperty('refused');
});

test('a connection closes if the body of a refused call is still to come', async () => {
  const { port } = service.app.server.address() as AddressInfo;
  const headers = { 'content-type': 'application/json', 'content-length': 1000 };
  const call = ask({ port, path: '/nope', method: 'POST', headers }).on('error', () => undefined);
  call.write('{');
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  expect([response.statusCode, response.headers['connection']]).toEqual([404, 'close']);
  call.destroy();
});

test('a connection stays open after a refusal', async () => {
  const { port } = service.app.server.address() as AddressInfo;
  const { status, headers } = await fetch(`http://127.0.0.1:${port}/nope`);
  expect([status, headers.get('connection')]).toEqual([404, 'keep-alive']);
});

test.each<[expects: string | undefined, status: number]>([
  [undefined, 200],
  ['100-continue', 200],
  ['100-Continue', 200],
  ['x', 417],
  ['', 417],
])('an Expect header %j is answered by %s', async (expects, status) => {
  const headers = { 'content-type': 'application/json', ...(expects !== undefined && { expect: expects }) };
  const answer = await service.app.inject({ method: 'POST', url: SIGN, headers, payload: JSON.stringify(pair()) });
  expect(answer.statusCode).toBe(status);
});
