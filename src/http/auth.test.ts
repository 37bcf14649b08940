import { request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { FetchFailed } from '../fhir/fetch-json.ts';
import { BODY_LIMIT, PUBLIC_URL, startService } from '../testing/app.ts';
import { type Card, topicsOf } from '../testing/cards.ts';
import { createClient, NOW, SIGN, verdictOn } from '../testing/client.ts';
import { type Json, order, pair, request } from '../testing/request.ts';
import { wireProblems } from '../testing/wire-conformance.ts';

const SELECT = '/cds-services/nordic-opioid-order-select';
const VIEW = '/cds-services/nordic-opioid-patient-view';
const json = 'application/json';

const named = (name: string, changes: Parameters<typeof createClient>[0] = {}) =>
  createClient({ name, iss: `https://${name}.example`, origins: [`https://${name}.example`], ...changes });
const ehr = await named('ehr');
const viewer = await named('viewer', { services: ['nordic-opioid-patient-view'] });
const region = await named('region', { tenants: ['north', 'south'] });
const remote = await named('remote', { jku: 'https://remote.example/jwks', keys: undefined });
const tester = await named('tester', { explain: true });

/** A production service for some clients; `signed` makes the headers of a call. */
async function production(...clients: (typeof ehr)[]) {
  const service = await startService({
    mode: 'production',
    clients: clients.map(({ client }) => client),
    fetchJson: () => Promise.reject(new FetchFailed('unreachable')),
  });
  afterAll(() => service.close());
  return service;
}
const signed = async ({ token }: typeof ehr, path = SIGN) => ({ authorization: `Bearer ${await token(path)}` });

const service = await production(ehr, viewer, region, remote, tester);
const { http } = service;

/** A refusal as the caller sees it, without the request's own id and time. */
function shown({ status, text, headers }: { status: number; text: string; headers: Record<string, string> }) {
  const { 'x-request-id': _id, date: _date, connection: _connection, 'keep-alive': _keep, ...rest } = headers;
  return { status, text, headers: rest };
}
const refused = shown(await http.post(SIGN).send(pair()));

test('J1, J15: without a token the answer is 401, which says only that one is needed', () => {
  expect(refused.status).toBe(401);
  expect(JSON.parse(refused.text)).toEqual({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'login', details: { text: 'A valid client token is required.' } }],
  });
  expect(refused.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' });
});

test.each([
  '',
  'Bearer',
  'Bearer ',
  'garbage',
  'Basic dXNlcjpwYXNz',
  'Token x',
  'DPoP x',
  'Bearer a b',
  'Bearer\tx',
  'Bearerx',
  'Bearer undefined',
  'Bearer , Bearer x',
])('J1, J2: Authorization %j is refused', async (authorization) => {
  expect(shown(await http.post(SIGN).set('authorization', authorization).send(pair()))).toEqual(refused);
});

test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('J2: the scheme may be written %s', async (scheme) => {
  const authorization = `${scheme} ${await ehr.token(SIGN)}`;
  expect((await http.post(SIGN).set({ authorization }).send(pair())).status).toBe(200);
});

test('J2: a token counts only in its header', async () => {
  const token = await ehr.token(SIGN);
  for (const call of [
    http.post(`${SIGN}?access_token=${token}`).send(pair()),
    http.post(SIGN).send({ ...pair(), access_token: token, authorization: `Bearer ${token}` }),
    http.post(SIGN).set('cookie', `authorization=${token}`).send(pair()),
    http.post(SIGN).set('proxy-authorization', `Bearer ${token}`).send(pair()),
  ])
    expect(shown(await call)).toEqual(refused);
});

test('J2: the operational routes and discovery need no token, and accept any', async () => {
  for (const path of ['/cds-services', '/cds-services/', '//cds-services', '/health', '/ready', '/metrics']) {
    expect((await http.get(path)).status, path).toBe(200);
    const { status, text } = await http.get(path).set(await signed(ehr, path));
    expect(status, path).toBe(200);
    expect((await http.get(path).set('authorization', 'Bearer old')).status, path).toBe(200);
    if (path.includes('cds')) expect(text).toBe((await http.get('/cds-services')).text);
    expect((await http.head(path)).status, path).toBe(200);
  }
  const { body } = await http.get('/health');
  expect(body).toMatchObject({ mode: 'production', authentication: 'client tokens' });
});

/** At least one token for each check that refuses one. */
async function wrong(): Promise<[reason: string, authorization: string | undefined][]> {
  const bearer = (token: string) => `Bearer ${token}`;
  // What must not appear in the log.
  const secret = { sub: 'Vidar-Hemmelig', fhirUser: 'Practitioner/Hemmelig', name: 'Hemmelig' };
  const by = async (changes: object, header: object = {}, { token } = ehr) =>
    bearer(await token(SIGN, { ...secret, ...changes }, header));
  const used = await by({});
  expect((await http.post(SIGN).set('authorization', used).send(pair())).status).toBe(200);
  return [
    ['no-token', undefined],
    ['no-token', 'Basic SGVtbWVsaWc='],
    ['malformed', 'Bearer Hemmelig.Hemmelig.Hemmelig'],
    ['type', await by({}, { typ: 'Hemmelig' })],
    ['key-id', await by({}, { kid: undefined })],
    ['claims', await by({ jti: undefined })],
    ['claims', await by({ iat: 'Hemmelig' })],
    ['issuer', await by({ iss: 'https://hemmelig.example/Hemmelig' })],
    ['jku', await by({}, { jku: 'https://hemmelig.example/Hemmelig' })],
    ['algorithm', await by({}, {}, await createClient({}, 'ES256'))],
    ['key', await by({}, { kid: 'Hemmelig' })],
    ['key-server', await by({ iss: remote.client.iss }, {}, remote)],
    ['signature', await by({}, {}, await createClient())],
    ['audience', await by({ aud: 'https://hemmelig.example/Hemmelig' })],
    ['expired', await by({ exp: NOW - 60 })],
    ['not-yet-valid', await by({ nbf: NOW + 61 })],
    ['lifetime', await by({ exp: NOW + 3601 })],
    ['tenant', await by({ tenant: 'Hemmelig' }, {}, region)],
    ['replay', used],
  ];
}

test('J4, J5, J15: every refusal is the same 401, and only the log has the reason, without the token', async () => {
  for (const [reason, authorization] of await wrong()) {
    const call = http.post(SIGN);
    if (authorization !== undefined) call.set('authorization', authorization);
    const response = await call.send(pair());
    expect(shown(response), reason).toEqual(refused);
    const told = service.log.map((line) => JSON.parse(line));
    expect(
      told.find(({ msg, reqId }) => msg === 'answered' && reqId === response.headers['x-request-id']),
    ).toMatchObject({ refused: reason, status: 401 });
    for (const word of [...(authorization ?? '').replace(/^\w+ /, '').split('.')].filter((part) => part.length > 20))
      expect(service.log.join('')).not.toContain(word);
  }
  expect(service.log.join('')).not.toMatch(/hemmelig/i);
});

test('J15: the log names the client, whether or not its token was accepted', async () => {
  const { headers } = await http
    .post(SIGN)
    .set(await signed(ehr, SELECT))
    .send(pair());
  const told = () => service.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  expect(told().find(({ reqId }) => reqId === headers['x-request-id'])).toMatchObject({
    client: 'ehr',
    refused: 'audience',
  });
  await http
    .post(SIGN)
    .set(await signed(ehr))
    .send(pair());
  expect(told().at(-1)).toMatchObject({ client: 'ehr', status: 200 });
  expect(told().at(-1)).not.toHaveProperty('refused');
});

const big = JSON.stringify({ ...pair(), filler: 'x'.repeat(BODY_LIMIT) });

test('J20: a caller without a token learns nothing about ids, methods, bodies or limits', async () => {
  const probes = {
    'an unknown id': http.post('/cds-services/nope').send(pair()),
    'an unknown address': http.post('/nope').send(pair()),
    'the root': http.get('/'),
    'an unknown address by GET': http.get('/admin'),
    feedback: http.post(`${SIGN}/feedback`).send({ feedback: [] }),
    'feedback of an unknown id': http.post('/cds-services/nope/feedback').send({ feedback: [] }),
    'GET of a service': http.get(SIGN),
    'PUT of a service': http.put(SIGN).send(pair()),
    'DELETE of a service': http.delete(SIGN),
    'PATCH of a service': http.patch(SIGN).send(pair()),
    'POST of discovery': http.post('/cds-services').send({}),
    'POST of the health route': http.post('/health').send({}),
    'invalid JSON': http.post(SIGN).set('content-type', json).send('{bad'),
    'an empty body': http.post(SIGN).set('content-type', json).send(''),
    'no body': http.post(SIGN),
    'another type': http.post(SIGN).set('content-type', 'text/plain').send('x'),
    XML: http.post(SIGN).set('content-type', 'application/xml').send('<x/>'),
    'another envelope': http.post(SIGN).send({ hook: 'patient-view' }),
    'another FHIR version': http
      .post(SIGN)
      .send({ ...pair(), prefetch: { patient: { resourceType: 'Patient', id: 7 } } }),
    'missing data': http.post(SIGN).send(pair('order-sign', { prefetch: { medications: undefined } })),
    'a query': http.post(`${SIGN}?x=${'y'.repeat(1000)}`).send(pair()),
    'an encoded id': http.post('/cds-services/nordic%2Dopioid-order-sign').send(pair()),
  };
  for (const [name, probe] of Object.entries(probes)) expect(shown(await probe), name).toEqual(refused);
  expect((await http.head(SIGN)).status).toBe(401);
});

test('J20: a body of any size is refused before it is read', async () => {
  expect(shown(await http.post(SIGN).set('content-type', json).send(big))).toEqual(refused);
});

test('J20: a caller with a token is told what is wrong, in order', async () => {
  const post = async (path: string, body: string, type = json) =>
    http
      .post(path)
      .set({ 'content-type': type, ...(await signed(ehr, path)) })
      .send(body);
  expect((await post('/cds-services/nope', '{}')).status).toBe(404);
  expect((await post('/nope', '{bad', 'text/plain')).status).toBe(404);
  const { status, headers } = await http.get(SIGN).set(await signed(ehr));
  expect([status, headers['allow']]).toEqual([405, 'POST']);
  expect((await post(SIGN, 'x', 'text/plain')).status).toBe(415);
  expect((await post(SIGN, big)).status).toBe(413);
  expect((await post(SIGN, '{bad')).status).toBe(400);
  expect((await post(SIGN, '{"hook": "order-sign"}')).status).toBe(400);
});

test('J16: an accepted client that may not call a service gets 403, and one that may gets an answer', async () => {
  const { status, body } = await http
    .post(SIGN)
    .set(await signed(viewer))
    .send(pair());
  expect(status).toBe(403);
  expect(body.issue).toEqual([
    { severity: 'error', code: 'forbidden', details: { text: 'This client may not call this service.' } },
  ]);
  expect(
    (
      await http
        .post(VIEW)
        .set(await signed(viewer, VIEW))
        .send(pair('patient-view'))
    ).status,
  ).toBe(200);
  expect(
    (
      await http
        .post(SIGN)
        .set(await signed(ehr))
        .send(pair())
    ).status,
  ).toBe(200);
  for (const path of [`${SIGN}/`, `/${SIGN}`, `${SIGN}?x`])
    expect(
      (
        await http
          .post(path)
          .set(await signed(viewer))
          .send(pair())
      ).status,
      path,
    ).toBe(403);
});

test('J16, J20: 403 comes before any check of the body, and 404 before it if no client may call the service', async () => {
  expect(
    (
      await http
        .post(SIGN)
        .set(await signed(viewer))
        .set('content-type', json)
        .send('{bad')
    ).status,
  ).toBe(403);
  const path = '/cds-services/nope';
  expect(
    (
      await http
        .post(path)
        .set(await signed(viewer, path))
        .send(pair())
    ).status,
  ).toBe(404);
});

test('J16: without a token the answer is 401, even where the client would get 403', async () => {
  expect(await verdictOn(service, await viewer.token(SELECT))).toBe('audience');
});

/** A call to an address exactly as written, which a client library would normalise. */
function raw(target: string, authorization?: string): Promise<{ status: number; text: string }> {
  const { port } = service.app.server.address() as AddressInfo;
  const headers = { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) };
  return new Promise((done, failed) => {
    const call = ask({ host: '127.0.0.1', port, path: target, method: 'POST', headers }, (response) => {
      let text = '';
      response
        .on('data', (part) => (text += part))
        .on('end', () => done({ status: response.statusCode as number, text }));
    });
    call.on('error', failed).end(JSON.stringify(pair()));
  });
}

test('J20: no spelling of the address bypasses the token', async () => {
  for (const target of [
    `http://cds.example${SIGN}`,
    `${SIGN}#/health`,
    `${SIGN};/health`,
    `/health/..${SIGN}`,
    `/health/%2e%2e${SIGN}`,
    `${SIGN}%20`,
    `${SIGN}%3f`,
    '/%63ds-services/nordic-opioid-order-sign',
  ])
    expect((await raw(target)).status, target).toBe(401);
});

const preflight = (at: typeof http, path: string, origin: string) =>
  at.options(path).set({
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  });

test.each(['/cds-services', SIGN, `${SIGN}/feedback`, '/cds-services/nope'])(
  'C1, C2: a preflight for %s is answered without a token',
  async (path) => {
    const { status, headers, text } = await preflight(http, path, 'https://ehr.example');
    expect([status, text]).toEqual([204, '']);
    expect(headers['access-control-allow-origin']).toBe('https://ehr.example');
    expect(headers['access-control-allow-methods']?.split(/, */)).toEqual(expect.arrayContaining(['GET', 'POST']));
    expect(headers['access-control-allow-headers']?.toLowerCase().split(/, */)).toEqual(
      expect.arrayContaining(['authorization', 'content-type']),
    );
  },
);

test('C3: each listed origin is allowed by its exact name, without credentials and with Vary', async () => {
  for (const origin of ['https://ehr.example', 'https://viewer.example']) {
    for (const { headers } of [await preflight(http, SIGN, origin), await http.get('/cds-services').set({ origin })]) {
      expect(headers['access-control-allow-origin']).toBe(origin);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers['vary']).toMatch(/\bOrigin\b/i);
    }
  }
});

test.each([
  'https://evil.example',
  'http://ehr.example',
  'https://ehr.example:8443',
  'https://ehr.example.evil.example',
  'https://sub.ehr.example',
  'https://ehr.example/',
  'null',
  '*',
])('C3: the origin %s is not allowed', async (origin) => {
  for (const response of [
    await preflight(http, SIGN, origin),
    await http.get('/cds-services').set({ origin }),
    await http.post(SIGN).set({ origin }).send(pair()),
    await http
      .post(SIGN)
      .set({ origin, ...(await signed(ehr)) })
      .send(pair()),
  ]) {
    expect(response.headers['access-control-allow-origin']).toBeUndefined();
    expect(response.headers['vary']).toMatch(/\bOrigin\b/i);
  }
});

test('C3: without listed origins none is allowed', async () => {
  const closed = await production(await named('closed', { origins: [] }));
  const { headers } = await preflight(closed.http, SIGN, 'https://closed.example');
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test('C4: a browser can read 401, 403 and 429', async () => {
  const narrow = await named('narrow', { requestsPerMinute: 1, services: ['nordic-opioid-order-sign'] });
  const origin = 'https://narrow.example';
  const closed = await production(narrow);
  const responses = [
    await closed.http.post(SIGN).set({ origin }).send(pair()),
    await closed.http
      .post(SELECT)
      .set({ origin, ...(await signed(narrow, SELECT)) })
      .send(pair()),
    await closed.http
      .post(SIGN)
      .set({ origin, ...(await signed(narrow)) })
      .send(pair()),
    await closed.http
      .post(SIGN)
      .set({ origin, ...(await signed(narrow)) })
      .send(pair()),
  ];
  expect(responses.map(({ status }) => status)).toEqual([401, 403, 200, 429]);
  for (const { headers } of responses) expect(headers['access-control-allow-origin']).toBe(origin);
});

test('S7: a client that calls too often gets 429 with the time to wait on all services, and other clients do not', async () => {
  const eager = await named('eager', { requestsPerMinute: 3 });
  const calm = await named('calm', { requestsPerMinute: 3 });
  const busy = await production(eager, calm);
  const call = async (client: typeof ehr, path: string, body: Json) =>
    busy.http
      .post(path)
      .set(await signed(client, path))
      .send(body);
  // Refused calls count for no client, so knowing an issuer does not use up its calls.
  for (let count = 0; count < 5; count++) {
    expect((await busy.http.post(SIGN).send(pair())).status).toBe(401);
    expect(await verdictOn(busy, await eager.token(SELECT))).toBe('audience');
  }
  const answers = [
    await call(eager, SIGN, pair()),
    await call(eager, VIEW, pair('patient-view')),
    await call(eager, SELECT, pair('order-select')),
    await call(eager, SIGN, pair()),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  const { headers, body } = answers[3] as (typeof answers)[number];
  expect(headers['retry-after']).toMatch(/^([1-9]|[1-5]\d|60)$/);
  expect(body).toEqual({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'throttled', details: { text: 'Too many calls. Try again later.' } }],
  });
  expect((await call(calm, SIGN, pair())).status).toBe(200);
  expect((await busy.http.get('/cds-services')).status).toBe(200);
});

/** Two open-ended opioids: a card on which at most one choice applies, and each choice changes both orders. */
const twoOrders = request('order-sign', { drafts: [order('x', 'oxycodone'), order('m', 'morphine')] });
const oneOrder = request('order-sign', { drafts: [order('x', 'oxycodone')] });

/** The cards for a client with some profile. */
async function cardsWith(
  profile: Parameters<typeof createClient>[0],
  body: Json,
  other: string[] = [],
): Promise<Card[]> {
  const client = await named('shown', profile);
  const special = await production(client);
  const { text, body: answer } = await special.http
    .post(SIGN)
    .set(await signed(client))
    .send(body);
  expect(wireProblems(text, body).filter((said) => !other.some((end) => said.includes(end)))).toEqual([]);
  return answer.cards;
}
const plain = { suggestions: true, oneAction: false, deleteBy: 'resourceId' as const };
const stops = (cards: Card[]) => cards.find(({ source }) => source.topic.code === 'opioid-stop-date') as Card;

test('K12: a client that cannot show suggestions gets its cards without them, and otherwise complete', async () => {
  const bare = { profile: { ...plain, suggestions: false } };
  for (const body of [pair(), oneOrder, twoOrders]) {
    const usual = await cardsWith({}, body);
    expect(usual.some(({ suggestions }) => suggestions !== undefined)).toBe(true);
    expect(await cardsWith(bare, body)).toEqual(
      usual.map(({ suggestions: _, selectionBehavior: _behavior, ...rest }) => rest),
    );
  }
});

test('K12: a client that cannot show links gets its cards without them, and otherwise complete', async () => {
  const usual = await cardsWith({}, pair());
  expect(usual.every(({ links }) => links?.length === 1)).toBe(true);
  const bare = await cardsWith({ profile: { ...plain, links: false } }, pair());
  expect(bare).toEqual(usual.map(({ links: _, ...rest }) => rest));
});

test('K12: a client that applies one action gets no suggestion with two', async () => {
  const single = { profile: { ...plain, oneAction: true } };
  const usual = stops(await cardsWith({}, twoOrders));
  expect(usual.suggestions?.some(({ actions }) => actions.length > 1)).toBe(true);
  const cards = await cardsWith(single, twoOrders);
  expect(topicsOf(cards)).toContain('opioid-stop-date');
  for (const { suggestions = [] } of cards) for (const { actions } of suggestions) expect(actions).toHaveLength(1);
  expect(await cardsWith(single, oneOrder)).toEqual(await cardsWith({}, oneOrder));
});

test('K12: a client that knows one selectionBehavior gets no other', async () => {
  expect(stops(await cardsWith({}, oneOrder)).selectionBehavior).toBe('at-most-one');
  for (const selectionBehavior of ['any', 'at-most-one'] as const) {
    for (const body of [pair(), oneOrder, twoOrders]) {
      const cards = await cardsWith({ profile: { ...plain, selectionBehavior } }, body);
      const given = cards.filter(({ suggestions }) => suggestions);
      expect(given.length).toBeGreaterThan(0);
      expect(new Set(given.map((card) => card.selectionBehavior))).toEqual(new Set([selectionBehavior]));
    }
  }
});

describe('a client of CDS Hooks 1.0', () => {
  /** What the checker, which knows 2.0, reports about it. */
  const OF_1_0 = ['.resource: no field of ours'];
  const old = { profile: { ...plain, selectionBehavior: 'at-most-one' as const, deleteBy: 'resource' as const } };

  test('A11: finds what to remove under resource, and clients of 2.0 find it as before', async () => {
    const actionsOf = (cards: Card[]) =>
      cards.flatMap(({ suggestions = [] }) => suggestions.flatMap(({ actions }) => actions as unknown as Json[]));
    const usual = actionsOf(await cardsWith({}, pair()));
    const shown = actionsOf(await cardsWith(old, pair(), OF_1_0));
    const removing = usual.filter(({ type }) => type === 'delete');
    expect(removing.length).toBeGreaterThan(0);
    for (const action of removing) expect(action).not.toHaveProperty('resource');
    expect(shown).toEqual(
      usual.map((action) => (action['type'] === 'delete' ? { ...action, resource: action['resourceId'] } : action)),
    );
    // Created and changed resources are complete, as in 1.0.
    for (const { type, resource } of actionsOf(await cardsWith(old, oneOrder, OF_1_0)))
      expect([type, typeof resource]).toEqual([type, type === 'delete' ? 'string' : 'object']);
  });

  test('K11, K12: gets every required field of 1.0, no unknown selectionBehavior, and nothing empty', async () => {
    for (const body of [pair(), oneOrder, twoOrders]) {
      for (const card of (await cardsWith(old, body, OF_1_0)) as unknown as Json[]) {
        expect(Object.keys(card)).toEqual(expect.arrayContaining(['summary', 'indicator', 'source']));
        expect(String(card['summary']).trim().length).toBeLessThan(140);
        expect(['info', 'warning', 'critical']).toContain(card['indicator']);
        expect(String((card['source'] as Json)['label']).trim()).not.toBe('');
        expect([undefined, 'at-most-one']).toContain(card['selectionBehavior']);
        for (const suggestion of (card['suggestions'] ?? []) as Json[]) {
          expect(String(suggestion['label']).trim()).not.toBe('');
          for (const action of suggestion['actions'] as Json[])
            expect([action['type'], String(action['description']).trim()]).not.toContain('');
        }
      }
    }
  });

  test('H1, H4, R7: may send only what 1.0 requires', async () => {
    const client = await named('oldest', old);
    const special = await production(client);
    const { hook, hookInstance, context, prefetch } = pair() as Json & { context: Json };
    const { userId: _, encounterId: _encounter, ...rest } = context;
    // 1.0 leaves out a key whose query failed, and sends null for one that found nothing.
    const body = { hook, hookInstance, context: rest, prefetch: { ...(prefetch as Json), conditions: null } };
    const { status, body: answer } = await special.http
      .post(SIGN)
      .set(await signed(client))
      .send(body);
    expect([status, answer.cards.length]).toEqual([200, 1]);
  });
});

const wishing = (options: Json, body = pair()) => ({ ...body, extension: { 'org.nordic-opioid-cds': options } });

test('E1, J16: only clients whose record allows it get the trace, and only if they ask', async () => {
  const send = async (client: typeof ehr, body: Json) =>
    (
      await http
        .post(SIGN)
        .set(await signed(client))
        .send(body)
    ).body as Json;
  expect(await send(ehr, wishing({ explain: true }))).not.toHaveProperty('extension');
  expect(await send(tester, pair())).not.toHaveProperty('extension');
  expect(await send(tester, wishing({ explain: 'true' }))).not.toHaveProperty('extension');
  const { extension } = (await send(tester, wishing({ explain: true }))) as { extension: Record<string, Json> };
  expect(extension['org.nordic-opioid-cds']).toHaveProperty('trace');
});

test('no client can set the date in production', async () => {
  const undated = request('order-sign', { drafts: [order('x', 'oxycodone', { authoredOn: undefined })] });
  const wished = wishing({ now: '2031-01-01T09:00:00Z' }, undated);
  for (const client of [ehr, tester]) {
    const { body: usual } = await http
      .post(SIGN)
      .set(await signed(client))
      .send(undated);
    const { body } = await http
      .post(SIGN)
      .set(await signed(client))
      .send(wished);
    expect(body).toEqual(usual);
    expect(JSON.stringify(body)).toContain('2026-03');
  }
  // The same request to a sandbox.
  const open = await startService();
  const { text } = await open.call(wished);
  await open.close();
  expect(text).toContain('2031-01');
});

test('J1: a sandbox asks for no token and says so', async () => {
  const sandbox = await startService();
  expect((await sandbox.call(pair())).status).toBe(200);
  expect((await sandbox.call(pair(), { authorization: 'Bearer garbage' })).status).toBe(200);
  expect((await sandbox.http.get('/health')).body).toMatchObject({
    mode: 'sandbox',
    authentication: expect.stringContaining('none'),
  });
  await sandbox.close();
});

test.each([
  ['a hyphen encoded', '/cds-services/nordic%2Dopioid-order-sign', '/cds-services/nordic%2Dopioid-order-sign'],
  ['a letter encoded', '/cds-services/nordic-opioid-order-sig%6E', '/cds-services/nordic-opioid-order-sig%6E'],
  ['the route encoded', '/cds%2Dservices/nordic-opioid-order-sign', '/cds%2Dservices/nordic-opioid-order-sign'],
  ['a fragment', `${SIGN}#x`, SIGN],
  ['the absolute form', `http://x${SIGN}`, `http:/x${SIGN}`],
])('J16: a client that may not call a service cannot bypass that by %s', async (_, target, aud) => {
  const audience = `${PUBLIC_URL}${aud}`;
  const { status } = await raw(target, `Bearer ${await viewer.token('', { aud: audience })}`);
  expect([401, 403, 404]).toContain(status);
});

test.each(['/cds-services/%', '/cds-services/%ff', `/cds-services/${'x'.repeat(101)}`])(
  'J15, J20: without a token %s is the same 401 as everything else',
  async (target) => {
    const usual = await raw(SIGN);
    expect(await raw(target)).toEqual(usual);
  },
);

test('J20: 404 comes before the body is checked', async () => {
  const path = '/cds-services/nope';
  const send = async (type: string, body: string) =>
    service.http
      .post(path)
      .set({ authorization: `Bearer ${await ehr.token(path)}`, 'content-type': type })
      .send(body);
  expect((await send('application/json', '{bad')).status).toBe(404);
  expect((await send('text/plain', 'x')).status).toBe(404);
});

test('C3: a listed origin with a path, capitals or a port matches the origin that the browser sends', async () => {
  const odd = await named('odd', { origins: ['https://Odd.example:443/app'] });
  const { http } = await production(odd);
  const { headers } = await http.get('/cds-services').set('origin', 'https://odd.example');
  expect(headers['access-control-allow-origin']).toBe('https://odd.example');
});
