import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createFetchJson } from '../fhir/fetch-json.ts';
import { knowledge, PUBLIC_URL, pathOf, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import {
  faults,
  json,
  type Reply,
  redirect,
  searchset,
  startFhirServer,
  startScriptedServer,
  status,
} from '../testing/fhir-server.ts';
import { bundle, encounter, type Json, order, prescription, request } from '../testing/request.ts';
import type { Client } from '../trust/clients.ts';

const TOKEN = 'very-secret-access-token';
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close();
});

const independent = await startFhirServer();
afterAll(() => independent.close());

type Limits = Partial<typeof knowledge.site.fetch>;

function knowledgeWith(fetch: Limits, site: Partial<typeof knowledge.site> = {}) {
  return { ...knowledge, site: { ...knowledge.site, ...site, fetch: { ...knowledge.site.fetch, ...fetch } } };
}

/** The production service and a client whose FHIR server is at `base`. */
async function production(base: string, given: { client?: Partial<Client>; limits?: Limits } = {}) {
  const { client, token } = await createClient({ fhirServers: [base], privateNetwork: true, ...given.client });
  const fetchJson = createFetchJson();
  const service = await startService({
    mode: 'production',
    clients: [client],
    knowledge: knowledgeWith(given.limits ?? {}),
    fetchJson,
  });
  cleanup.push(fetchJson.close, service.close);
  const call = async (body: Json) => {
    const authorization = `Bearer ${await token(pathOf(body))}`;
    return seen(await service.call(body, { authorization, 'accept-language': 'en' }));
  };
  return {
    ...service,
    call,
    /** A call that may use the FHIR server, and has no prefetch unless given. */
    ask: (body: Json, more: Json = {}) => call(withAccess(base, body, more)),
    metrics: async () => (await service.http.get('/metrics')).text,
    logged: () => service.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered'),
  };
}

function withAccess(base: string, body: Json, more: Json = {}): Json {
  return {
    ...body,
    prefetch: undefined,
    fhirServer: base,
    fhirAuthorization: authorization(),
    ...more,
  };
}

function authorization(more: Json = {}): Json {
  return {
    access_token: TOKEN,
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'patient/*.rs',
    subject: 'cds-service',
    patient: 'kari',
    ...more,
  };
}

/** An answer in the terms of the tests: the topics of its cards, or its status and the missing keys. */
function seen(response: { status: number; text: string; body: Json }) {
  const cards = (response.body['cards'] ?? []) as { source: { topic: { code: string } } }[];
  const issues = (response.body['issue'] ?? []) as { diagnostics?: string }[];
  return {
    text: response.text,
    status: response.status,
    topics: cards.map(({ source }) => source.topic.code),
    missing: issues.flatMap(({ diagnostics }) => diagnostics?.split(' ').slice(-1) ?? []),
  };
}

/** A server with this list and nothing else about the patient. */
async function serverOf(list: Reply | Json[], more: Record<string, Reply> = {}) {
  const server = await startScriptedServer({
    MedicationRequest: typeof list === 'function' ? list : json(searchset(list)),
    'Patient/kari': json({ resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' }),
    'Encounter/visit': json(encounter('AMB')),
    ...more,
  });
  cleanup.push(server.close);
  return server;
}

const zopiclone = order('z', 'zopiclone', {
  dosageInstruction: [{ timing: { repeat: { boundsPeriod: { end: '2026-03-09' } } } }],
});
const methadone = prescription('m', 'methadone');
const atorvastatin = prescription('a', 'atorvastatin');
/** One sedative: whether there is something to say depends on the list. */
const single = request('order-sign', { drafts: [zopiclone] });
/** Two drafts that are dangerous together whatever the list says. */
const both = request('order-sign', { drafts: [zopiclone, order('m2', 'methadone')] });
const PAIR = 'laro-sedative-ordered';
/** What is said about the two drafts, whatever else is known. */
const DRAFTED = 'laro-sedative-ordered';
const WHOLE = [DRAFTED];
const REFUSED = { status: 412, topics: [], missing: ['medications'] };
/** A medicine on the list may be anything, and the card says so. */
const UNRECOGNISED = { status: 200, topics: ['not-checked'] };

describe('what is fetched', () => {
  test('P1, P3, F1, F7: what the prefetch lacks is fetched from an independent server', async () => {
    const record = [
      { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' },
      encounter('AMB'),
      methadone,
      prescription('other', 'morphine', { subject: { reference: 'Patient/ola' } }),
    ];
    await independent.add(TOKEN, record);
    const service = await production(independent.base);
    expect(await service.ask(single)).toMatchObject({ status: 200, topics: [PAIR] });
    await independent.add(TOKEN, [{ resourceType: 'Patient', id: 'kari' }]);
    expect(await service.ask(single)).toMatchObject({ status: 200, topics: [] });
  });

  test('F11: an independent server understands the posted searches', async () => {
    await independent.add(TOKEN, [{ resourceType: 'Patient', id: 'kari' }, methadone]);
    const before = independent.seen.length;
    const service = await production(independent.base, { limits: { post: true } });
    expect(await service.ask(single)).toMatchObject({ status: 200, topics: [PAIR] });
    const methods = independent.seen.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(methods).toContain('POST MedicationRequest/_search');
    expect(methods.filter((line) => line.startsWith('GET')).sort()).toEqual([
      'GET Encounter/visit',
      'GET Patient/kari',
    ]);
  });

  test('P1: each key of discovery is requested by exactly its template, and no other key', async () => {
    const server = await serverOf([]);
    const service = await production(server.base);
    const { services } = (await service.http.get('/cds-services')).body;
    for (const { hook, prefetch } of services as { hook: string; prefetch: Record<string, string> }[]) {
      server.seen.splice(0);
      await service.ask(request(hook, { drafts: [zopiclone] }));
      const expected = Object.values(prefetch).map((template) =>
        template.replace('{{context.patientId}}', 'kari').replace('{{context.encounterId}}', 'visit'),
      );
      // Only some results are requested: those of one year, and two kinds at any age.
      const plain = server.paths().map((path) => path.replace(/(&date=ge[\d-]+|&code=[\d,-]+)?(&_count=500)?$/, ''));
      expect(new Set(plain)).toEqual(new Set(expected));
      expect(server.seen).toHaveLength(expected.length + (prefetch['observations'] ? 1 : 0));
    }
  });

  test('P1: a key that was sent is not requested', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    const prefetch = { ...single.prefetch, medications: undefined };
    expect(await service.ask(single, { prefetch })).toMatchObject({ status: 200, topics: [PAIR] });
    expect(server.paths()).toEqual([expect.stringMatching(/^MedicationRequest\?patient=kari&/)]);
  });

  test('P4: null is an answer, so no call is made', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    const prefetch = Object.fromEntries(Object.keys(single.prefetch).map((key) => [key, null]));
    expect(await service.ask(single, { prefetch })).toMatchObject({ status: 200, topics: [] });
    expect(server.connections()).toBe(0);
  });

  test('P1: for a complete prefetch no call is made', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    expect(await service.ask(single, { prefetch: single.prefetch })).toMatchObject({ status: 200, topics: [] });
    expect(server.connections()).toBe(0);
  });

  test.each(['entered-in-error', 'cancelled'])(
    'P16: a fetched prescription that is %s does not count',
    async (state) => {
      const server = await serverOf([{ ...methadone, status: state }]);
      expect(await (await production(server.base)).ask(single)).toMatchObject({ status: 200, topics: [] });
    },
  );

  test('P13, P16: another patient’s methadone in this patient’s list is not a finding', async () => {
    const server = await serverOf([{ ...methadone, subject: { reference: 'Patient/ola' } }, atorvastatin]);
    expect((await (await production(server.base)).ask(single)).topics).not.toContain(PAIR);
  });

  test('V1: a server of another FHIR version is reported as such', async () => {
    const server = await serverOf([{ ...methadone, requester: { agent: { reference: 'Practitioner/x' } } }]);
    expect((await (await production(server.base)).ask(single)).status).toBe(422);
  });

  test('P1: with the chart open the same is fetched', async () => {
    const server = await serverOf([methadone, prescription('p', 'pregabalin')]);
    const answer = await (await production(server.base)).ask(request('patient-view'));
    expect(answer.topics).toContain('laro-sedative-current');
  });
});

describe('P7: pages', () => {
  const next = 'MedicationRequest?page=2';

  test('P7, F2: pages are followed, each with the token', async () => {
    const server: Awaited<ReturnType<typeof serverOf>> = await serverOf((response, asked) =>
      json(asked.path === next ? searchset([methadone]) : searchset([atorvastatin], `${server.base}/${next}`))(
        response,
        asked,
      ),
    );
    const service = await production(server.base);
    expect(await service.ask(single)).toMatchObject({ status: 200, topics: [PAIR] });
    expect(server.paths()).toContain(next);
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
  });

  test('P7, F2, F8: a page elsewhere is not fetched, and its server gets no token', async () => {
    const other = await serverOf([methadone]);
    const server = await serverOf(json(searchset([atorvastatin], `${other.base}/${next}`)));
    expect(await (await production(server.base)).ask(single)).toMatchObject(REFUSED);
    expect(other.connections()).toBe(0);
  });

  test('P7: of more pages than are read, findings are reported and the rest is not known', async () => {
    const endlessly = (resource: Json) => serverOf(json(searchset([resource], next)));
    const [found, none] = [await endlessly(methadone), await endlessly(atorvastatin)];
    const limits = { maxPages: 3 };
    expect((await (await production(found.base, { limits })).ask(single)).topics).toEqual([PAIR, 'not-checked']);
    expect(await (await production(none.base, { limits })).ask(single)).toMatchObject(REFUSED);
    const pages = found.paths().filter((path) => path.startsWith('MedicationRequest'));
    expect(pages).toEqual([expect.stringMatching(/_count=500$/), next, next]);
  });

  test('P7: without access the first page alone is not enough for silence', async () => {
    const server = await serverOf([]);
    const service = await production(server.base);
    const prefetch = { ...single.prefetch, medications: searchset([atorvastatin], `${server.base}/${next}`) };
    expect(await service.call({ ...single, prefetch })).toMatchObject(REFUSED);
    expect(await service.call({ ...single, prefetch, fhirServer: server.base })).toMatchObject(REFUSED);
    expect(server.connections()).toBe(0);
  });

  test('P7, P14: if the next page fails, findings on the first are reported, and without any the answer is 412', async () => {
    for (const fault of [status(404), status(500), faults.html, faults.outcome, faults.drop]) {
      const more = { [next]: fault };
      const found = await serverOf(json(searchset([methadone], next)), more);
      const none = await serverOf(json(searchset([atorvastatin], next)), more);
      expect((await (await production(found.base)).ask(single)).topics).toEqual([PAIR, 'not-checked']);
      expect(await (await production(none.base)).ask(single)).toMatchObject(REFUSED);
    }
  });
});

describe('P2: a record of another patient, or incomplete', () => {
  const UNKNOWN = { status: 412, topics: [] };

  test.each([
    ['404', status(404)],
    ['410', status(410)],
    ['a Patient with another id', json({ resourceType: 'Patient', id: 'ola' })],
    ['a Patient who was merged', json({ resourceType: 'Patient', id: 'kari', link: [{ type: 'replaced-by' }] })],
    [
      'an inactive patient with a link',
      json({ resourceType: 'Patient', id: 'kari', active: false, link: [{ type: 'refer' }] }),
    ],
  ])(
    'FS2, FS3, P2, P14: if the patient is answered by %s, empty searches are no silence, and findings are reported',
    async (_, reply) => {
      const service = await production((await serverOf([], { 'Patient/kari': reply })).base);
      const nothing = await service.ask(single);
      expect(nothing).toMatchObject(UNKNOWN);
      expect(nothing.text).toContain('context.patientId');
      expect(service.logged().at(-1)).toMatchObject({ patientRecord: expect.stringMatching(/not-known|elsewhere/) });
      const found = await production((await serverOf([methadone], { 'Patient/kari': reply })).base);
      expect((await found.ask(single)).topics).toEqual([PAIR, 'not-checked']);
      expect((await found.ask(both)).topics).toContain('not-checked');
    },
  );

  test.each([
    ['not found', { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found' }] }],
    ['another patient', { resourceType: 'Patient', id: 'ola' }],
    ['a patient who was merged', { resourceType: 'Patient', id: 'kari', link: [{ type: 'replaced-by' }] }],
  ])('FS2, FS3, P6: the same holds for a prefetch: %s', async (_, patient) => {
    const service = await production('https://fhir.ehr.example/r4');
    expect(await service.call({ ...single, prefetch: { ...single.prefetch, patient } })).toMatchObject(UNKNOWN);
    expect((await service.call({ ...single, prefetch: { ...single.prefetch, patient: null } })).status).toBe(200);
  });
});

describe('a server that uses another name', () => {
  const next = 'http://inner.example:8080/fhir?_getpages=7&_getpagesoffset=500';
  const list: Reply = (response, asked) =>
    json(asked.path.includes('_getpages') ? searchset([methadone]) : searchset([atorvastatin], next))(response, asked);
  const server = () => startScriptedServer({ 'Patient/kari': json({ resourceType: 'Patient', id: 'kari' }) }, list);

  test('FS8, P7, F8: a page on an unlisted host gives 412, and the log names the host', async () => {
    const there = await server();
    cleanup.push(there.close);
    const service = await production(there.base);
    expect(await service.ask(single)).toMatchObject({ status: 412 });
    expect(service.logged().at(-1).fetched).toMatchObject({ medications: 'next-elsewhere inner.example:8080' });
  });

  test('FS8, P7: if the clients file lists it as an alias, the page is requested at the listed address', async () => {
    const there = await server();
    cleanup.push(there.close);
    const client = { fhirServerAliases: { [there.base]: ['http://inner.example:8080/fhir/'] } };
    const service = await production(there.base, { client });
    expect((await service.ask(single)).topics).toContain(PAIR);
    expect(there.seen.some(({ path }) => path.includes('_getpagesoffset=500'))).toBe(true);
  });
});

describe('one client and the others', () => {
  /** Two clients of one FHIR server, and their answers. */
  async function neighbours(server: Awaited<ReturnType<typeof serverOf>>) {
    const fetchJson = createFetchJson();
    const made = await Promise.all(
      ['first', 'second'].map((name) =>
        createClient({ name, iss: `https://${name}.example`, fhirServers: [server.base], privateNetwork: true }),
      ),
    );
    const clients = made.map(({ client }) => client);
    const limits = { softMs: 100, hardMs: 400 };
    const service = await startService({ mode: 'production', clients, knowledge: knowledgeWith(limits), fetchJson });
    cleanup.push(fetchJson.close, service.close);
    return made.map(({ token }) => async (more: Json = {}) => {
      const headers = { authorization: `Bearer ${await token(pathOf(single))}` };
      return seen(await service.call(withAccess(server.base, single, more), headers));
    }) as [(more?: Json) => Promise<ReturnType<typeof seen>>, (more?: Json) => Promise<ReturnType<typeof seen>>];
  }

  test('FS11, F9: failing pages named by one client close the server to no client', async () => {
    const server = await serverOf([methadone], { broken: status(500), hanging: faults.drop });
    const [first, second] = await neighbours(server);
    for (let call = 0; call < 8; call++) {
      const medications = searchset([atorvastatin], `${server.base}/${call % 2 ? 'broken' : 'hanging'}?page=${call}`);
      expect((await first({ prefetch: { ...single.prefetch, medications } })).status).toBe(412);
    }
    expect((await first()).topics).toEqual([PAIR]);
    expect((await second()).topics).toEqual([PAIR]);
  });

  test('FS11, F9: a server that fails one client’s calls is closed to that client only', async () => {
    const server = await serverOf((response, asked) =>
      asked.headers.authorization?.includes('bad')
        ? status(503)(response, asked)
        : json(searchset([methadone]))(response, asked),
    );
    const [first, second] = await neighbours(server);
    const bad = { fhirAuthorization: authorization({ access_token: 'bad' }) };
    for (let call = 0; call < 6; call++)
      await first({ ...bad, prefetch: { ...single.prefetch, medications: undefined } });
    const before = server.connections();
    expect((await first({ ...bad, prefetch: { ...single.prefetch, medications: undefined } })).status).toBe(412);
    expect(server.connections()).toBe(before);
    expect((await second()).topics).toEqual([PAIR]);
  });

  test('FS10, F9: pages of many megabytes end a call in time, and hold no more than a call may', async () => {
    const big = JSON.stringify(
      searchset(
        Array.from({ length: 2000 }, (_, at) =>
          prescription(`m${at}`, 'atorvastatin', { note: [{ text: 'x'.repeat(3000) }] }),
        ),
        'MedicationRequest?page=2',
      ),
    );
    let pages = 0;
    const server = await serverOf((response) => {
      pages += 1;
      response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(big);
    });
    const service = await production(server.base, { limits: { softMs: 100, hardMs: 4000, maxPages: 200 } });
    expect(await service.ask(single)).toMatchObject(REFUSED);
    // 16 MiB hold two of them; the others were already on their way when the limit was reached.
    expect(pages).toBeLessThanOrEqual(6);
  });
});

describe('a sandbox and pages of other origins', () => {
  async function sandbox(server: Awaited<ReturnType<typeof serverOf>>, origins: string[] = []) {
    const fetchJson = createFetchJson();
    const service = await startService({ fetchJson, origins });
    cleanup.push(fetchJson.close, service.close);
    const { port } = service.app.server.address() as { port: number };
    const call = async (headers: Record<string, string>) => {
      const body = withAccess(server.base, single, { fhirAuthorization: undefined });
      const { status, headers: told } = await service.call(body, headers);
      return { status, readable: told['access-control-allow-origin'] };
    };
    return { call, port, service };
  }

  test.each([
    ['a page elsewhere', { origin: 'https://elsewhere.example' }],
    ['a page elsewhere, by its site', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:9', 'sec-fetch-site': 'same-site' }],
    ['a page without an origin', { origin: 'null' }],
    ['the public sandbox', { origin: 'https://sandbox.cds-hooks.org', 'sec-fetch-site': 'cross-site' }],
  ])('FS12, F8: nothing is fetched for %s', async (_, headers) => {
    const server = await serverOf([methadone]);
    const { call, service } = await sandbox(server);
    expect((await call(headers)).status).toBe(412);
    expect(server.connections()).toBe(0);
    expect(JSON.parse(service.log.at(-1) ?? '')).toMatchObject({ fhirServer: 'foreign-page' });
  });

  test('F1: it fetches for its own page, for a program, and for a page listed by its operator', async () => {
    const server = await serverOf([methadone]);
    const { call, port } = await sandbox(server, ['https://ehr.example']);
    for (const headers of [
      {},
      { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' },
      { origin: 'https://ehr.example', 'sec-fetch-site': 'cross-site' },
    ])
      expect((await call(headers as Record<string, string>)).status).toBe(200);
  });

  test.each([
    ['https://elsewhere.example', undefined],
    ['http://127.0.0.1.elsewhere.example', undefined],
    ['null', undefined],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:5173', 'http://localhost:5173'],
    ['https://sandbox.cds-hooks.org', 'https://sandbox.cds-hooks.org'],
    ['https://ehr.example', 'https://ehr.example'],
  ])('C3: scripts of %s may read the answer: %s', async (origin, readable) => {
    const { call } = await sandbox(await serverOf([methadone]), ['https://ehr.example']);
    expect((await call({ origin })).readable).toBe(readable);
  });

  test.each(['rebound.example', 'rebound.example:3000', '127.0.0.1.rebound.example'])(
    'FS12, F8: called by the name "%s" it does not answer',
    async (host) => {
      const { service } = await sandbox(await serverOf([methadone]));
      for (const url of ['/cds-services', '/', '/metrics'])
        expect((await service.app.inject({ url, headers: { host } })).statusCode).toBe(421);
    },
  );

  test('F8: it answers by the names of this machine and of a listed page', async () => {
    const { service } = await sandbox(await serverOf([methadone]), ['https://tunnel.example']);
    for (const host of ['127.0.0.1:3000', 'localhost:3000', 'LOCALHOST', '[::1]:3000', 'tunnel.example'])
      expect((await service.app.inject({ url: '/cds-services', headers: { host } })).statusCode).toBe(200);
  });
});

describe('which server is asked', () => {
  test('F1, P2: in production a server without authorization is not asked', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    expect(await service.ask(single, { fhirAuthorization: undefined })).toMatchObject(REFUSED);
    expect(server.connections()).toBe(0);
    expect(service.logged()[0]).toMatchObject({ fhirServer: 'no-token' });
  });

  test('R7: authorization without a server is not a call', async () => {
    const service = await production('https://fhir.ehr.example/r4');
    expect((await service.ask(single, { fhirServer: undefined })).status).toBe(400);
  });

  test('F1: a sandbox asks an open server on this machine', async () => {
    const server = await serverOf([methadone]);
    const fetchJson = createFetchJson();
    const service = await startService({ fetchJson });
    cleanup.push(fetchJson.close, service.close);
    const answer = seen(await service.call(withAccess(server.base, single, { fhirAuthorization: undefined })));
    expect(answer.topics).toEqual([PAIR]);
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(new Set([undefined]));
    const elsewhere = withAccess('http://192.0.2.1/r4', single, { fhirAuthorization: undefined });
    expect(seen(await service.call(elsewhere))).toMatchObject(REFUSED);
  });

  test.each([
    ['no token', { access_token: undefined }],
    ['a token that is null', { access_token: null }],
    ['a token that is a number', { access_token: 7 }],
    ['a token that is an object', { access_token: {} }],
    ['an empty token', { access_token: '' }],
    ['a token that would be two headers', { access_token: 'x\r\nX-Evil: 1' }],
    ['a token with a space', { access_token: 'a b' }],
    ['a token with a non-ASCII letter', { access_token: 'tøken' }],
    ['no type', { token_type: undefined }],
    ['type Basic', { token_type: 'Basic' }],
    ['a type that is a list', { token_type: ['Bearer'] }],
    ['a lifetime of 0 seconds', { expires_in: 0 }],
    ['an expired lifetime', { expires_in: -1 }],
  ])('F3, F4: authorization with %s is not used', async (_, more) => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    expect(await service.ask(single, { fhirAuthorization: authorization(more) })).toMatchObject(REFUSED);
    expect(server.connections()).toBe(0);
  });

  test.each([[{}], [{ token: TOKEN }], [{ access_token: TOKEN }]])(
    'F3: an authorization with other fields is not used: %j',
    async (fhirAuthorization) => {
      const server = await serverOf([methadone]);
      expect(await (await production(server.base)).ask(single, { fhirAuthorization })).toMatchObject(REFUSED);
      expect(server.connections()).toBe(0);
    },
  );

  test('F3: an authorization that lacks only its lifetime is used', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    const answer = await service.ask(single, { fhirAuthorization: authorization({ expires_in: undefined }) });
    expect(answer.topics).toEqual([PAIR]);
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('F3: the type %s counts as Bearer', async (type) => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    const answer = await service.ask(single, { fhirAuthorization: authorization({ token_type: type }) });
    expect(answer.topics).toEqual([PAIR]);
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test.each(['ola', 'Patient/ola', 'kari-2', 'KARI'])(
    'F5: a token for patient %s is not used for kari, and that is logged',
    async (patient) => {
      const server = await serverOf([methadone]);
      const service = await production(server.base);
      expect(await service.ask(single, { fhirAuthorization: authorization({ patient }) })).toMatchObject(REFUSED);
      expect(server.connections()).toBe(0);
      expect(service.logged()[0]).toMatchObject({ fhirServer: 'other-patient' });
    },
  );

  test.each([undefined, 'kari', 'Patient/kari'])('F5: a token for patient %s is used for kari', async (patient) => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    const answer = await service.ask(single, { fhirAuthorization: authorization({ patient }) });
    expect(answer.topics).toEqual([PAIR]);
  });

  test.each([
    'user/Patient.read',
    'patient/*.*',
    '*.*',
    'user/Observation.rs',
    'patient/MedicationRequest.rs?category=x',
    'EPIC.FHIR.R4.Patient.Read',
    'openid',
    '',
    undefined,
  ])('F6: scopes are only advice: "%s"', async (scope) => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    expect((await service.ask(single, { fhirAuthorization: authorization({ scope }) })).topics).toEqual([PAIR]);
  });
});

describe('F8: servers that are not asked', () => {
  test.each([
    ['another path', (origin: string) => `${origin}/r5`],
    ['a path below', (origin: string) => `${origin}/r4/tenant`],
    ['a path with dots', (origin: string) => `${origin}/r4/../admin`],
    ['credentials', (origin: string) => `${origin.replace('//', '//user:password@')}/r4`],
    ['a query', (origin: string) => `${origin}/r4?x=`],
    ['a fragment', (origin: string) => `${origin}/r4#x`],
    ['another host of this machine', (origin: string) => `${origin.replace('127.0.0.1', 'localhost')}/r4`],
    ['IPv6', (origin: string) => `${origin.replace('127.0.0.1', '[::1]')}/r4`],
    ['IPv4 in IPv6', (origin: string) => `${origin.replace('127.0.0.1', '[::ffff:127.0.0.1]')}/r4`],
    ['https', (origin: string) => `${origin.replace('http:', 'https:')}/r4`],
    ['file', () => 'file:///r4'],
    ['metadata', () => 'http://169.254.169.254/'],
    ['no address', () => 'fhir'],
    ['an empty string', () => ''],
  ])('F8: %s is not the server on the list', async (_, change) => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    expect(await service.ask(single, { fhirServer: change(server.origin) })).toMatchObject(REFUSED);
    expect(server.connections()).toBe(0);
  });

  test('F8: an address is the same with a trailing slash, and in any spelling', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    for (const base of [`${server.base}/`, `${server.origin}/x/../r4`, server.base.replace('http', 'HTTP')])
      expect((await service.ask(single, { fhirServer: base })).topics, base).toEqual([PAIR]);
  });

  test('F8: another client’s server is not open to other clients', async () => {
    const server = await serverOf([methadone]);
    const other = await createClient({ name: 'other', iss: 'https://other.example', fhirServers: [server.base] });
    const { client, token } = await createClient({ privateNetwork: true });
    const fetchJson = createFetchJson();
    const service = await startService({ mode: 'production', clients: [client, other.client], fetchJson });
    cleanup.push(fetchJson.close, service.close);
    const headers = { authorization: `Bearer ${await token(pathOf(single))}` };
    expect(seen(await service.call(withAccess(server.base, single), headers))).toMatchObject(REFUSED);
    expect(server.connections()).toBe(0);
  });

  test('R7, F8: http instead of the listed https is another server', async () => {
    const service = await production('https://fhir.ehr.example/r4');
    const answer = await service.ask(single, { fhirServer: 'http://fhir.ehr.example/r4' });
    expect(answer).toMatchObject(REFUSED);
    expect(service.logged()[0]).toMatchObject({ fhirServer: 'not-listed' });
    const prefetch = bundle([methadone]);
    const sent = await service.ask(single, {
      fhirServer: 'http://fhir.ehr.example/r4',
      prefetch: { ...single.prefetch, medications: prefetch },
    });
    expect(sent.topics).toEqual([PAIR]);
  });

  test.each(['127.0.0.1', 'localhost', '[::ffff:7f00:1]', '2130706433', '0177.0.0.1'])(
    'F8: a listed server at %s is not connected to unless the client is inside the hospital’s network',
    async (host) => {
      const server = await serverOf([methadone]);
      const base = server.base.replace('127.0.0.1', host);
      const service = await production(base, { client: { privateNetwork: false } });
      expect(await service.ask(single)).toMatchObject(REFUSED);
      expect(server.connections()).toBe(0);
      expect(service.logged()[0]).toMatchObject({ fetched: { medications: 'refused-address' } });
    },
  );

  test.each(['http://169.254.169.254/latest', 'http://[::ffff:169.254.169.254]/r4', 'http://0.0.0.0/r4'])(
    'F8: %s is never connected to, even if a list has it',
    async (base) => {
      const service = await production(base);
      expect(await service.ask(single)).toMatchObject(REFUSED);
      expect(service.logged()[0]).toMatchObject({ fetched: { medications: 'refused-address' } });
    },
  );

  test('F8: a name of this machine is allowed for a client inside the hospital’s network', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base.replace('127.0.0.1', 'localhost'));
    expect((await service.ask(single)).topics).toEqual([PAIR]);
  });
});

describe('F9: time', () => {
  test('F9: a slow optional key does not delay the answer', async () => {
    const server = await serverOf([methadone], { Observation: faults.hang, Procedure: faults.hang });
    // Waiting for the hard limit would exceed the test's timeout.
    const service = await production(server.base, { limits: { softMs: 300, hardMs: 1_000_000 } });
    expect((await service.ask(single)).topics).toEqual([PAIR]);
  });

  test('F9: a slow required key is given up at the hard limit', async () => {
    const server = await serverOf(faults.hang);
    const service = await production(server.base, { limits: { softMs: 50, hardMs: 300 } });
    expect(await service.ask(single)).toMatchObject(REFUSED);
  });

  test('F9: with everything slow, findings among the drafts are reported', async () => {
    const server = await startScriptedServer({}, faults.hang);
    cleanup.push(server.close);
    const service = await production(server.base, { limits: { softMs: 50, hardMs: 300 } });
    expect((await service.ask(both)).topics).toEqual([DRAFTED, 'not-checked']);
  });

  test('F9: a server that failed five times is left alone by later calls too', async () => {
    const server = await startScriptedServer({}, faults.drop);
    cleanup.push(server.close);
    const service = await production(server.base);
    expect((await service.ask(single)).status).toBe(412);
    expect((await service.ask(single)).status).toBe(412);
    const before = server.connections();
    expect(await service.ask(single)).toMatchObject({ status: 412 });
    expect((await service.ask(both)).topics).toEqual([DRAFTED, 'not-checked']);
    expect(server.connections()).toBe(before);
    expect(service.logged().at(-1)).toMatchObject({ fetched: { medications: 'circuit-open' } });
  });
});

describe('H15: medicines given only by reference', () => {
  const { medicationCodeableConcept: code, ...bare } = methadone;
  const pointing = (reference: string) => ({ ...bare, medicationReference: { reference } });
  const medication = json({ resourceType: 'Medication', id: 'mm', code });

  test.each([
    ['relative', () => 'Medication/mm'],
    ['absolute', (base: string) => `${base}/Medication/mm`],
    ['with a version', () => 'Medication/mm/_history/3'],
  ])('H15, F2: a prescription with a reference that is %s gives the same card', async (_, reference) => {
    const server: Awaited<ReturnType<typeof serverOf>> = await serverOf(
      (response, asked) => json(searchset([pointing(reference(server.base))]))(response, asked),
      { 'Medication/mm': medication },
    );
    const service = await production(server.base);
    expect((await service.ask(single)).topics).toEqual([PAIR]);
    const read = server.seen.find(({ path }) => path === 'Medication/mm');
    expect(read?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test('H15: a prescription that contains its medicine gives the same card without a call', async () => {
    const contained = { ...pointing('#mm'), contained: [{ resourceType: 'Medication', id: 'mm', code }] };
    const server = await serverOf([contained]);
    expect((await (await production(server.base)).ask(single)).topics).toEqual([PAIR]);
    expect(server.paths().filter((path) => path.startsWith('Medication/'))).toEqual([]);
  });

  test.each([401, 403, 404, 410, 500])(
    'H15, F10: a prescription whose medicine is answered with %i may be anything',
    async (answered) => {
      const server = await serverOf([pointing('Medication/mm')], { 'Medication/mm': status(answered) });
      expect(await (await production(server.base)).ask(single)).toMatchObject(UNRECOGNISED);
    },
  );

  test.each(['html', 'truncated', 'outcome', 'drop', 'empty'] as const)(
    'H15, F10: a prescription whose medicine is answered with the fault "%s" may be anything',
    async (fault) => {
      const server = await serverOf([pointing('Medication/mm')], { 'Medication/mm': faults[fault] });
      expect(await (await production(server.base)).ask(single)).toMatchObject(UNRECOGNISED);
    },
  );

  test('H15, F9: a medicine that never arrives may be anything', async () => {
    const server = await serverOf([pointing('Medication/mm')], { 'Medication/mm': faults.hang });
    const service = await production(server.base, { limits: { softMs: 50, hardMs: 500 } });
    expect(await service.ask(single)).toMatchObject(UNRECOGNISED);
  });

  test('H15: medicines beyond the look-up limit may be anything', async () => {
    const many = Array.from({ length: 60 }, (_, at) => ({ ...pointing(`Medication/m${at}`), id: `o${at}` }));
    const harmless: Reply = (response, asked) =>
      json({
        resourceType: 'Medication',
        id: asked.path.split('/')[1],
        code: atorvastatin['medicationCodeableConcept'],
      })(response, asked);
    const server = await serverOf(many, { Medication: harmless });
    expect(await (await production(server.base)).ask(single)).toMatchObject(UNRECOGNISED);
    expect(server.paths().filter((path) => path.startsWith('Medication/'))).toHaveLength(50);
  });

  test('H15: a draft’s medicine is looked up, and tells nothing about a missing list', async () => {
    const draft = { ...pointing('Medication/mm'), id: 'd', status: 'draft' };
    const server = await serverOf(status(403), { 'Medication/mm': medication });
    const service = await production(server.base);
    expect((await service.ask(request('order-sign', { drafts: [draft, zopiclone] }))).topics).toEqual([
      DRAFTED,
      'not-checked',
    ]);
    const harmless = json({ resourceType: 'Medication', id: 'z', code: zopiclone['medicationCodeableConcept'] });
    const alone = await serverOf(status(403), { 'Medication/z': harmless });
    const drafts = [
      { ...zopiclone, medicationCodeableConcept: undefined, medicationReference: { reference: 'Medication/z' } },
    ];
    expect(await (await production(alone.base)).ask(request('order-sign', { drafts }))).toMatchObject(REFUSED);
  });

  test('H15: a draft’s medicine is looked up even if the list was sent', async () => {
    const draft = { ...pointing('Medication/mm'), id: 'd', status: 'draft' };
    const server = await serverOf([], { 'Medication/mm': medication });
    const body = request('order-sign', { drafts: [draft, zopiclone] });
    const answer = await (await production(server.base)).ask(body, { prefetch: body.prefetch });
    expect(answer.topics).toEqual(WHOLE);
    expect(server.paths()).toEqual(['Medication/mm']);
  });
});

/** Ways in which a FHIR server fails; pages after the first are requested with `page=2`. */
const failing: [string, Reply][] = [
  ['slow', faults.hang],
  ['half-dead: it begins and stops', faults.stall],
  ['half-dead: a failure without an end', faults.stallAt500],
  ['dead: it breaks the connection', faults.drop],
  ['dead in the middle of an answer', faults.cutOff],
  ['400', status(400)],
  ['401', status(401)],
  ['403', status(403)],
  ['404', status(404)],
  ['410', status(410)],
  ['429', status(429)],
  ['500', status(500)],
  ['503', status(503)],
  ['200 without a body', faults.empty],
  ['HTML instead of JSON', faults.html],
  ['truncated JSON', faults.truncated],
  ['an endless body', faults.endless],
  ['OperationOutcome with 200', faults.outcome],
  ['a list of another type', json(searchset([encounter('AMB')]))],
  [
    'a list with an error in it',
    json(searchset([atorvastatin, { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }])),
  ],
  ['null', json(null)],
  ['an array', json([methadone])],
  ['a redirect to an inner address', redirect('http://169.254.169.254/latest/meta-data/')],
  ['the next page missing', (response, asked) => nextPage(status(404))(response, asked)],
  ['the next page slow', (response, asked) => nextPage(faults.hang)(response, asked)],
  ['the next page elsewhere', json(searchset([atorvastatin], 'https://elsewhere.example/r4/MedicationRequest?page=2'))],
  ['circular pages', json(searchset([atorvastatin], 'MedicationRequest?page=2'))],
];

function nextPage(fault: Reply): Reply {
  const first = json(searchset([atorvastatin], 'MedicationRequest?page=2'));
  return (response, asked) => (asked.path.includes('page=2') ? fault : first)(response, asked);
}

describe('F10, P2, P14: a failing server never gives the silence of a safe patient', () => {
  const limits = { softMs: 50, hardMs: 400, maxPages: 3 };

  test('F10: with a working server the same calls give silence and a card', async () => {
    const server = await serverOf([atorvastatin]);
    const service = await production(server.base);
    expect(await service.ask(single)).toMatchObject({ status: 200, topics: [] });
    expect((await service.ask(both)).topics).toEqual(WHOLE);
  });

  test.each(failing)('F10, F9, P2, P14: %s', async (_, reply) => {
    const whole = await startScriptedServer({}, reply);
    cleanup.push(whole.close);
    for (const server of [await serverOf(reply), whole]) {
      const service = await production(server.base, { limits });
      const [one, two] = await Promise.all([service.ask(single), service.ask(both)]);
      expect(one.status, one.text).toBe(412);
      expect(one.missing).toContain('medications');
      expect(two.status, two.text).toBe(200);
      expect(two.topics).toEqual([DRAFTED, 'not-checked']);
    }
  });

  test('F10, F9, P2, P14: the server does not listen', async () => {
    const server = await serverOf([]);
    await server.close();
    const service = await production(server.base, { limits });
    expect((await service.ask(single)).status).toBe(412);
    expect((await service.ask(both)).topics).toEqual([DRAFTED, 'not-checked']);
  });

  test('F10: a card is given instead of 412 if the site wants that', async () => {
    const { client, token } = await createClient({ privateNetwork: true });
    const fetchJson = createFetchJson();
    const server = await serverOf(status(500));
    const service = await startService({
      mode: 'production',
      clients: [{ ...client, fhirServers: [server.base] }],
      knowledge: knowledgeWith({}, { uncheckable: 'card' }),
      fetchJson,
    });
    cleanup.push(fetchJson.close, service.close);
    const headers = { authorization: `Bearer ${await token(pathOf(single))}` };
    const answer = seen(await service.call(withAccess(server.base, single), headers));
    expect(answer).toMatchObject({ status: 200, topics: ['not-checked'] });
  });
});

describe('how fetching is reported', () => {
  test('F10: metrics count fetches by key and outcome', async () => {
    const server = await serverOf([methadone], {
      Condition: status(403),
      Procedure: faults.html,
      Observation: faults.outcome,
      'Patient/kari': redirect('http://169.254.169.254/'),
      'Encounter/visit': faults.drop,
    });
    const service = await production(server.base);
    await service.ask(single);
    const metrics = await service.metrics();
    const count = (key: string, outcome: string) =>
      metrics.match(new RegExp(`^cds_fhir_fetch_total\\{key="${key}",outcome="${outcome}"\\} (\\d+)`, 'm'))?.[1];
    expect(count('medications', 'fetched')).toBe('1');
    expect(count('conditions', 'status')).toBe('1');
    expect(count('procedures', 'not-json')).toBe('1');
    expect(count('observations', 'no-fhir')).toBe('1');
    expect(count('patient', 'redirect')).toBe('1');
    expect(count('encounter', 'unreachable')).toBe('1');
    await service.ask(single);
    expect((await service.metrics()).match(/key="medications",outcome="fetched"\} (\d+)/)?.[1]).toBe('2');
  });

  test('FS9, F10: the log has the outcome of each requested key, and of no other', async () => {
    const server = await serverOf(status(500));
    const service = await production(server.base);
    await service.ask(single, { prefetch: { ...single.prefetch, medications: undefined } });
    await service.ask(single, { prefetch: single.prefetch });
    const [first, second] = service.logged();
    expect(first).toMatchObject({ status: 412, fetched: { medications: 'status 500' } });
    expect(Object.keys(first.fetched)).toEqual(['medications']);
    expect(second).not.toHaveProperty('fetched');
    expect(second).not.toHaveProperty('fhirServer');
  });

  test('F4, S5: the token, the server’s address and the patient are in no log, metric or answer', async () => {
    const server = await serverOf([methadone]);
    for (const reply of [json(searchset([methadone])), ...failing.map(([, fault]) => fault)]) {
      const echo: Reply = (response, asked) =>
        asked.path.startsWith('Condition')
          ? json({ said: asked.headers }, 401)(response, asked)
          : reply(response, asked);
      const faulty = await startScriptedServer({}, echo);
      cleanup.push(faulty.close);
      const service = await production(faulty.base, { limits: { softMs: 20, hardMs: 120 } });
      const answers = [
        await service.ask(single),
        await service.ask(single, { fhirAuthorization: authorization({ expires_in: 0 }) }),
        await service.ask(single, { fhirAuthorization: authorization({ patient: 'ola' }) }),
        await service.ask(single, { fhirAuthorization: authorization({ token_type: 'mac' }) }),
        await service.ask(single, { fhirServer: server.base }),
        await service.ask(single, { fhirServer: { base: faulty.base } }),
      ];
      const [listening, ...lines] = service.log;
      expect(listening).toContain('Server listening');
      for (const text of [...answers.map((answer) => answer.text), await service.metrics(), lines.join()]) {
        expect(text).not.toContain(TOKEN);
        expect(text).not.toContain(`:${faulty.port}`);
        expect(text).not.toMatch(/127\.0\.0\.1|kari|169\.254\.169/);
      }
    }
  });

  test('F4: a token is used only for its own call', async () => {
    const server = await serverOf([methadone]);
    const service = await production(server.base);
    await service.ask(single);
    const before = server.seen.length;
    await service.ask(single, { fhirAuthorization: authorization({ access_token: 'another' }) });
    expect(new Set(server.seen.slice(before).map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer another']),
    );
    const after = server.connections();
    expect(await service.ask(single, { fhirAuthorization: undefined })).toMatchObject(REFUSED);
    expect(server.connections()).toBe(after);
    expect(server.seen.length).toBe(before * 2);
  });

  test('F2: the FHIR server does not get the token by which the client called', async () => {
    const server = await serverOf([methadone]);
    await (await production(server.base)).ask(single);
    for (const { headers } of server.seen) expect(JSON.stringify(headers)).not.toContain(PUBLIC_URL);
    expect(new Set(server.seen.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${TOKEN}`]));
  });
});
