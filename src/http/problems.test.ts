import { once } from 'node:events';
import { request as ask, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { BODY_LIMIT, pathOf, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { bundle, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const path = pathOf(pair());
const json = 'application/json';
const post = (body: string, type = json) => service.http.post(path).set('content-type', type).send(body);

/** What must hold for every refusal. */
function expectProblem(response: { status: number; headers: Record<string, string>; text: string }, status: number) {
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  const outcome = JSON.parse(response.text);
  expect(outcome.resourceType).toBe('OperationOutcome');
  expect(outcome.issue.length).toBeGreaterThan(0);
  for (const issue of outcome.issue) {
    expect(issue.severity).toBe('error');
    expect(issue.code).toMatch(/^[a-z-]+$/);
    expect(issue.details.text).toMatch(/\S/);
  }
  expect(response.text).not.toMatch(/:(null|""|\{\}|\[\])|\bat .*\.ts:|node_modules/);
}

test.each([
  ['malformed', '{bad'],
  ['cut off', JSON.stringify(pair()).slice(0, -1)],
  ['commented', '{"hook": "order-sign" /* really */}'],
  ['empty', ''],
])('T7, S5: %s JSON is 400', async (_, body) => {
  expectProblem(await post(body), 400);
});

test.each(['[]', 'null', '"x"', '7', 'true', '{}'])('T7, T8, S5: %s is not a request and is 400', async (body) => {
  expectProblem(await post(body), 400);
});

test('T7: a body with a byte order mark is read or refused, but never fails', async () => {
  expect([200, 400]).toContain((await post(`\ufeff${JSON.stringify(pair())}`)).status);
});

test.each([json, 'application/json; charset=utf-8', 'application/fhir+json', 'Application/JSON'])(
  'T6: %s is read',
  async (type) => {
    expect((await post(JSON.stringify(pair()), type)).status).toBe(200);
  },
);

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'text/html', 'nonsense'])(
  'T6, S5: %s is 415',
  async (type) => {
    expectProblem(await post(JSON.stringify(pair()), type), 415);
  },
);

test('T6, S5: a body without media type is 415', async () => {
  const response = await service.app.inject({ method: 'POST', url: path, payload: Buffer.from('{}') });
  expectProblem({ ...response, status: response.statusCode, text: response.body } as never, 415);
});

test('T9: a prefetch of 3 MiB is read', async () => {
  const note = 'x'.repeat(1024);
  const record = Array.from({ length: 3072 }, (_, at) => prescription(`a-${at}`, 'atorvastatin', { note }));
  const body = pair('order-sign', { record: [...record, prescription('methadone-1', 'methadone')] });
  expect(JSON.stringify(body).length).toBeGreaterThan(3 * 1024 * 1024);
  const response = await service.call(body);
  expect(response.status).toBe(200);
  expect(response.body.cards).toHaveLength(1);
});

test('T9, S5: a body at the limit is read, and one byte more is 413', async () => {
  const body = JSON.stringify(pair());
  const padded = (length: number) => body + ' '.repeat(length - Buffer.byteLength(body));
  expect((await post(padded(BODY_LIMIT))).status).toBe(200);
  expectProblem(await post(padded(BODY_LIMIT + 1)), 413);
});

test('T10, S5: an unknown service or address is 404', async () => {
  expectProblem(await service.http.post('/cds-services/nope').send(pair()), 404);
  expectProblem(await service.http.post('/cds-services/nordic-opioid-order-dispatch').send(pair()), 404);
  expectProblem(await service.http.get('/nope'), 404);
  expectProblem(await service.http.get('/cds-services/a/b/c'), 404);
});

test.each(['constructor', '__proto__', 'toString', '%00', '..%2f..%2fetc'])('T10: service %s is 404', async (id) => {
  expectProblem(await service.http.post(`/cds-services/${id}`).send(pair()), 404);
});

test('T10: an id of 101 characters or 10 000 is 404 or 414', async () => {
  for (const length of [101, 10_000]) {
    const { status } = await service.http.post(`/cds-services/${'x'.repeat(length)}`).send(pair());
    expect([404, 414]).toContain(status);
  }
});

test('T10, S5: another method is 405 and names the allowed ones', async () => {
  for (const [method, at, allowed] of [
    ['get', path, 'POST'],
    ['put', path, 'POST'],
    ['delete', path, 'POST'],
    ['patch', path, 'POST'],
    ['post', '/cds-services', 'GET'],
    ['delete', '/cds-services/', 'GET'],
  ] as const) {
    const response = await service.http[method](at).send();
    expectProblem(response, 405);
    expect(response.headers['allow']).toContain(allowed);
  }
});

test('T15, C1–C4: a browser from a listed origin may send a preflight without a token, and read answers and refusals', async () => {
  const origin = 'https://ehr.example';
  const { client, token } = await createClient({ origins: [origin] });
  const production = await startService({ mode: 'production', clients: [client] });
  const preflight = await production.http.options(path).set({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers['access-control-allow-origin']).toBe(origin);
  expect(preflight.headers['access-control-allow-methods']).toMatch(/POST/);
  expect(preflight.headers['access-control-allow-headers']).toMatch(/authorization/i);
  expect(preflight.headers['access-control-allow-headers']).toMatch(/content-type/i);
  const blind = request('order-sign', { drafts: [order('z', 'pregabalin')], prefetch: { medications: undefined } });
  const signed = async (at: string) => ({ origin, authorization: `Bearer ${await token(at)}` });
  const responses = [
    await production.call(pair(), await signed(path)),
    await production.call(pair(), { origin }),
    await production.call(blind, await signed(path)),
    await production.http
      .post(path)
      .set(await signed(path))
      .set('content-type', json)
      .send('{bad'),
    await production.http
      .post('/cds-services/nope')
      .set(await signed('/cds-services/nope'))
      .send({}),
    await production.http.get(path).set(await signed(path)),
  ];
  const foreign = await production.call(pair(), { ...(await signed(path)), origin: 'https://evil.example' });
  const traced = await production.http.options(path).set({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'accept,authorization,baggage,content-type,traceparent,tracestate,x-request-id',
  });
  expect(traced.status).toBe(204);
  for (const name of ['accept', 'traceparent', 'tracestate', 'baggage', 'x-request-id', 'authorization'])
    expect(traced.headers['access-control-allow-headers']).toContain(name);
  const strange = await production.http.options(path).set({
    origin: 'https://evil.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'traceparent',
  });
  expect(strange.headers['access-control-allow-origin']).toBeUndefined();
  await production.close();
  expect(responses.map(({ status }) => status)).toEqual([200, 401, 412, 400, 404, 405]);
  for (const response of responses)
    expect(response.headers['access-control-allow-origin'], String(response.status)).toBe(origin);
  // What scripts may read besides the body, as in docs/integrator.md.
  for (const response of responses)
    expect(response.headers['access-control-expose-headers']?.toLowerCase().split(', ').sort()).toEqual([
      'retry-after',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'x-request-id',
    ]);
  expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
});

test('S3, S5, S6, P2: missing data give 412, and the keys are named', async () => {
  const draft = order('pregabalin-1', 'pregabalin');
  const response = await service.call(request('order-sign', { drafts: [draft], prefetch: { medications: undefined } }));
  expectProblem(response, 412);
  expect(response.body.issue.map((issue: { diagnostics: string }) => issue.diagnostics).join()).toContain(
    'medications',
  );
});

test('S5: a refusal repeats nothing that was sent', async () => {
  const secret = 'Vidar-Hemmelig-17';
  const sent = [
    { ...pair(), hook: secret },
    { ...pair(), hookInstance: { [secret]: secret } },
    pair('order-sign', { context: { patientId: { [secret]: secret } } }),
    pair('order-sign', { context: { draftOrders: secret } }),
    pair('order-select', { context: { selections: secret } }),
    pair('order-sign', { drafts: [{ resourceType: 'MedicationOrder', id: secret, [secret]: secret }] }),
    request('order-sign', {
      drafts: [order(secret, 'pregabalin')],
      prefetch: { medications: { resourceType: 'OperationOutcome', issue: [{ diagnostics: secret }] } },
    }),
    request('order-sign', {
      drafts: [order(secret, 'pregabalin')],
      prefetch: { medications: bundle([]), [secret]: 1 },
    }),
  ];
  const answers = await Promise.all(sent.map((body) => service.http.post(path).send(body)));
  answers.push(await post(`{"hook": "${secret}`), await service.http.get(`/${secret}?${secret}=${secret}`));
  expect(answers.filter(({ status }) => status !== 200).length).toBeGreaterThan(7);
  for (const { status, text } of answers) if (status !== 200) expect(text).not.toContain(secret);
  expect(service.log.join('')).not.toContain(secret);
});

test.each(['QUERY', 'TRACE', 'PROPFIND', 'LINK'])(
  'T10, S5: %s is 405 in words of its own, with Allow, and 404 at an unknown address',
  async (method) => {
    for (const [url, status, allow] of [
      [path, 405, 'POST'],
      ['/cds-services', 405, 'GET'],
      ['/health', 405, 'GET'],
      ['/nope', 404, undefined],
    ] as const) {
      const { port } = service.app.server.address() as AddressInfo;
      const call = ask({ port, path: url, method }).end();
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      const text = Buffer.concat(await response.toArray()).toString();
      expect([response.statusCode, response.headers['allow']]).toEqual([status, allow]);
      expectProblem({ status, headers: response.headers as Record<string, string>, text }, status);
      expect(text).not.toContain('CDS Hooks request');
    }
  },
);

test.each([
  ['SyntaxError', new SyntaxError('Unexpected token Vidar')],
  ['RangeError', new RangeError('Maximum call stack size exceeded Vidar')],
  ['error with a status', Object.assign(new Error('Vidar'), { statusCode: 422 })],
])('S5: a %s inside the service is a 500 logged without its message, and blames no caller', async (_, error) => {
  const broken = await startService({
    clock: () => {
      throw error;
    },
  });
  const response = await broken.http.post(path).send(pair());
  expectProblem(response, 500);
  const failed = broken.log.map((line) => JSON.parse(line)).filter(({ level }) => level === 50);
  expect(failed).toEqual([
    expect.objectContaining({ msg: 'failed', err: expect.objectContaining({ stack: expect.any(String) }) }),
  ]);
  expect(`${response.text}${broken.log.join('')}`).not.toContain('Vidar');
  await broken.close();
});
