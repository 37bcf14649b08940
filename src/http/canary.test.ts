import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { readTestBundles } from '../cli/bundles.ts';
import { PUBLIC_URL, pathOf, root } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { placesOf } from '../testing/mutations.ts';
import { type Json, order, pair, request } from '../testing/request.ts';

/*
 * Nothing leaks. Unique words are planted in every string and key of requests, in headers, addresses, tokens and answers of
 * FHIR servers; then all output of the process, its metrics and all its refusals are searched for them.
 * Only the 200 for the request that brought a word may repeat it.
 */

const MARK = 'Kanarie7c1fFogel';
let planted = 0;
/** The next unique word. */
const word = () => `${MARK}${planted++}z`;
/** A key that begins with a unique word. */
const key = () => `${word()}${randomBytes(32).toString('base64url')}`;

/** The mark in every form: plain, in base64 at each offset, in hexadecimal, as a list of bytes, escaped. */
const forms = (() => {
  const bytes = [...Buffer.from(MARK)];
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), Buffer.from(MARK)]).toString('base64');
    return whole.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + MARK.length) * 4) / 3));
  });
  const hex = Buffer.from(MARK).toString('hex');
  const escaped = bytes.map((byte) => `\\u00${byte.toString(16)}`).join('');
  return [...base64, hex, hex.toUpperCase(), bytes.join(','), escaped];
})();

/** Where a text contains a planted word in any form, with its surroundings. */
function leaksIn(text: string): string[] {
  const lower = text.toLowerCase();
  const places = [lower.indexOf(MARK.toLowerCase()), ...forms.map((form) => text.indexOf(form))];
  return places.filter((at) => at >= 0).map((at) => text.slice(Math.max(0, at - 120), at + 60));
}

/** The numbers of the words in a text. */
const numbersIn = (text: string) => [...text.matchAll(new RegExp(`${MARK}(\\d+)z`, 'gi'))].map(([, at]) => Number(at));

/** Small, so that a call above it is sent at once. */
const BODY_LIMIT = 64 * 1024;

type Call = { method?: string; path: string; headers?: Record<string, string>; body?: string };
type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

async function ask(port: number, { method = 'POST', path, headers = {}, body = '' }: Call): Promise<Answer> {
  const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
}

/** The service as its own process on a free port, and everything it wrote to stdout and stderr. */
async function startProcess(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/server.ts')], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LOG_LEVEL: 'trace',
      BODY_LIMIT_MIB: String(BODY_LIMIT / 1024 / 1024),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        written += chunk;
        const found = /answers at http:\/\/[^\s:]+:(\d+)/.exec(written)?.[1];
        if (found) resolve(Number(found));
      });
    child.on('exit', (code) => reject(new Error(`exit ${code}: ${written}`)));
  });
  return {
    send: async (call: Call): Promise<Answer> => {
      // The connection of an oversized body is cut while it is being sent, which may overtake the answer.
      for (let tries = 1; ; tries++) {
        try {
          return await ask(port, call);
        } catch (error) {
          if (tries === 5) throw error;
        }
      }
    },
    /** Bytes that need not be HTTP, and the answer. */
    sendRaw: async (bytes: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).end(bytes);
      return textOf(socket).catch(() => '');
    },
    /** Stops the process as a platform does. */
    stop: async (): Promise<{ code: number; written: string }> => {
      // Not 'exit': its output may still be on the way then.
      const exit = once(child, 'close');
      child.kill('SIGTERM');
      const [code] = await exit;
      return { code, written };
    },
    kill: () => child.kill('SIGKILL'),
  };
}

type Process = Awaited<ReturnType<typeof startProcess>> & { journal: string };

/** A copy with words in place of all ids, beside all names and in unknown fields everywhere; the verdict may stay the same. */
function saturated(body: Json): Json {
  const ids = new Map<string, string>();
  for (const { holder, key } of placesOf(body)) {
    const value = holder[key];
    if (['id', 'patientId', 'encounterId'].includes(key) && typeof value === 'string' && !ids.has(value))
      ids.set(value, word());
  }
  const rewrite = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') {
      if (['text', 'display', 'unit', 'div', 'value'].includes(key)) return `${value} ${word()}`;
      const id = value.split('/').at(-1) as string;
      const renamed = ids.get(id);
      return renamed === undefined ? value : value.slice(0, value.length - id.length) + renamed;
    }
    if (Array.isArray(value)) return value.map((item) => rewrite(item, key));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, item]) => [name, rewrite(item, name)]);
    return { ...Object.fromEntries(entries), [word()]: word(), note: [{ text: word() }] };
  };
  return rewrite(body, '') as Json;
}

/** Copies with one word each, in place of every string and every key. */
function* withOneWord(body: Json): Generator<Json> {
  for (let at = 0; at < placesOf(body).length; at++) {
    for (const part of ['value', 'key']) {
      const copy = structuredClone(body);
      const { holder, key } = placesOf(copy)[at] as { holder: Json; key: string };
      if (part === 'value' && typeof holder[key] !== 'string') continue;
      if (part === 'key' && Array.isArray(holder)) continue;
      if (part === 'value') holder[key] = word();
      else {
        holder[word()] = holder[key];
        delete holder[key];
      }
      yield copy;
    }
  }
}

/** A copy in which every string is a word, and optionally every key. */
function ofWords(value: unknown, keys: boolean): unknown {
  if (typeof value === 'string') return word();
  if (Array.isArray(value)) return value.map((item) => ofWords(item, keys));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [keys ? word() : key, ofWords(item, keys)]));
}

const bundles = readTestBundles(join(root, 'test-bundles'), []);
/** One request of each folder for each of its hooks. */
const bodies = [
  ...new Map(bundles.map(({ name, hook, body }) => [`${name.split('/')[0]} ${hook}`, body as Json])).values(),
];

const blind = request('order-sign', { drafts: [order('z', 'pregabalin')], prefetch: { medications: undefined } });
const dstu2 = pair('order-sign', { drafts: [{ resourceType: 'MedicationOrder', id: 'x' }] });

/** Headers that identify someone or something, each with a word. */
const headersOfWords = (): Record<string, string> => ({
  'user-agent': word(),
  origin: `https://${word()}.example`,
  referer: `https://${word()}.example/${word()}?${word()}`,
  cookie: `${word()}=${word()}`,
  from: word(),
  'x-forwarded-for': word(),
  'x-forwarded-host': word(),
  'x-request-id': word(),
  'request-id': word(),
  traceparent: word(),
  'if-none-match': `"${word()}"`,
  'accept-language': `en-${word()}, ${word()};q=0.5`,
  accept: `application/${word()}`,
  [word()]: word(),
});

const JSON_TYPE = { 'content-type': 'application/json' };

/** Calls of every kind, with the expected status if it is certain. */
function* calls(path: string): Generator<Call> {
  const json = (body: unknown, more: Partial<Call> = {}): Call => ({
    path,
    headers: { ...JSON_TYPE, ...headersOfWords() },
    body: JSON.stringify(body),
    ...more,
  });
  for (const body of bodies) {
    yield json(saturated(body), { path: pathOf(body) });
    yield json(ofWords(body, false), { path: pathOf(body) });
    yield json(ofWords(body, true), { path: pathOf(body) });
  }
  const explained = { ...saturated(pair()), extension: { 'org.nordic-opioid-cds': { explain: true, now: word() } } };
  yield json(explained);
  for (const body of [pair('order-select'), ...bodies.filter((_, at) => at % 3 === 0)])
    for (const each of withOneWord(body)) yield json(each, { path: pathOf(body) });
  yield json(saturated(blind));
  yield json(saturated(dstu2));
  yield json(saturated(pair()), { path: `/cds-services/${word()}` });
  yield json(saturated(pair()), { path: `/${word()}/${word()}?${word()}=${word()}` });
  yield json(saturated(pair()), { path: `/cds-services/${word()}%zz` });
  yield json(saturated(pair()), { path: `${path}/feedback?${word()}` });
  const kept = { 'pddi-configuration-items': { 'cache-for-order-sign-filtering': true, [word()]: word() } };
  yield json({ ...saturated(pair('order-select')), extension: kept }, { path: pathOf(pair('order-select')) });
  for (const outcome of ['overridden', 'accepted', word()]) {
    const overrideReason = { reason: { code: word(), system: word(), display: word() }, userComment: word() };
    const acceptedSuggestions = [{ id: word(), [word()]: word() }];
    const item = {
      card: word(),
      outcome,
      outcomeTimestamp: new Date().toISOString(),
      overrideReason,
      acceptedSuggestions,
    };
    yield json(
      { feedback: [item, { ...item, card: `${word()} ${word()}` }], [word()]: word() },
      { path: `${path}/feedback` },
    );
  }
  yield json(saturated(pair()), { path: `${path}?${word()}=${word()}` });
  yield json(saturated(pair()), { path: `${path}/${word()}` });
  for (const method of ['PUT', 'DELETE', 'PATCH']) yield json(saturated(pair()), { method });
  for (const at of [path, '/health', '/ready', '/cds-services', '/nothing'])
    yield { method: 'GET', path: `${at}?${word()}=${word()}`, headers: headersOfWords() };
  for (const type of [`text/${word()}`, `application/json; charset=${word()}`, word(), 'text/plain'])
    yield json(saturated(pair()), { headers: { 'content-type': type, ...headersOfWords() } });
  const big = JSON.stringify({ ...saturated(pair()), note: 'x'.repeat(BODY_LIMIT) });
  yield { path, headers: { ...JSON_TYPE, ...headersOfWords() }, body: big };
  const text = JSON.stringify(saturated(pair()));
  for (const broken of [
    text.slice(0, -1),
    `${word()}${text}`,
    text.replace('"hook"', word()),
    `"${word()}"`,
    `[${text}]`,
  ])
    yield { path, headers: { ...JSON_TYPE, ...headersOfWords() }, body: broken };
  yield { path, headers: { ...JSON_TYPE, 'content-encoding': word() }, body: text };
  yield { method: 'OPTIONS', path, headers: { ...headersOfWords(), 'access-control-request-method': 'POST' } };
}

/** Bytes that are not a call. */
const raw = (path: string) => [
  `${word()} / HTTP/1.1\r\n\r\n`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${word()}\r\n\r\n`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${word()}\r\n\r\n{}`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${word().repeat(2000)}\r\n\r\n`,
  `GET /${word().repeat(2000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${word()}\r\n`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"patient":"${word()}`,
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: ${word()}\r\ncontent-length: 2\r\n\r\n{}`,
  `GET ${path} HTTP/1.1\r\nhost: ${word()}\r\n\r\n`,
];

const processes: Process[] = [];
const started = async (environment: Record<string, string>) => {
  const DATA_DIR = join(folder, `journal-${processes.length}`);
  const process = { ...(await startProcess({ DATA_DIR, PATIENT_KEY: key(), ...environment })), journal: DATA_DIR };
  processes.push(process);
  return process;
};
const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
afterAll(() => {
  for (const each of processes) each.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends calls, a few at a time; reports where an answer repeats what it must not, and counts the statuses. */
async function sendAll(service: Process, all: Iterable<Call>, prepare: (call: Call) => Promise<Call> = async (c) => c) {
  const statuses = new Map<number, number>();
  const leaks: string[] = [];
  const queue = all[Symbol.iterator]();
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const call = await prepare(next.value);
      const answer = await service.send(call);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const about = `${answer.status} to ${call.method ?? 'POST'} ${call.path.slice(0, 60)}: `;
      leaks.push(...leaksIn(JSON.stringify(answer.headers)).map((leak) => about + leak));
      if (answer.status !== 200) leaks.push(...leaksIn(answer.text).map((leak) => about + leak));
      const own = new Set(numbersIn(`${call.path} ${JSON.stringify(call.headers)} ${call.body}`));
      leaks.push(
        ...numbersIn(answer.text)
          .filter((at) => !own.has(at))
          .map((at) => `${about}word ${at} of another call`),
      );
    }
  };
  await Promise.all(Array.from({ length: 6 }, work));
  for (const bytes of raw(pathOf(pair()))) leaks.push(...leaksIn(await service.sendRaw(bytes)));
  return { leaks, statuses };
}

/** The output of the process after it stopped; nothing in it may come from a call. */
async function expectSilence(service: Process, calls: number) {
  const metrics = await service.send({ method: 'GET', path: '/metrics' });
  expect(metrics.text).toContain('cds_requests_total');
  expect(leaksIn(metrics.text)).toEqual([]);
  const { code, written } = await service.stop();
  expect(code).toBe(0);
  expect(written.match(/"msg":"answered"/g)?.length).toBeGreaterThan(calls * 0.9);
  expect(leaksIn(written)).toEqual([]);
  expect(written).not.toMatch(/"level":[56]0/);
  expectSilentJournal(service.journal);
  return written;
}

/** The journal holds cards, their bases and tokens without a word; of feedback the fields, and no comment. */
function expectSilentJournal(folder: string) {
  const file = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
  const rows = (table: string) => file.prepare(`SELECT * FROM ${table}`).all();
  const cards = rows('cards');
  expect(cards.length).toBeGreaterThan(50);
  expect(cards.some(({ basis, patient }) => basis !== null && patient !== null)).toBe(true);
  expect(leaksIn(JSON.stringify([cards, rows('tallies'), rows('tokens')]))).toEqual([]);
  const feedback = rows('feedback');
  expect(feedback.length).toBeGreaterThan(0);
  expect(feedback.filter(({ comment }) => comment !== null)).toEqual([]);
  file.close();
}

/** A FHIR server that answers with words, in the way named by its base. */
async function startTalkativeServer() {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    asked.push(incoming.headers);
    const way = incoming.url?.split('/')[1];
    const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', diagnostics: word() }] };
    const patient = { reference: `Patient/${word()}` };
    const entry = [
      { resource: order(word(), 'methadone', { status: 'active', subject: patient, note: [{ text: word() }] }) },
    ];
    const link = [
      { relation: 'next', url: `/${way}/${word()}` },
      { relation: 'next', url: `https://${word()}.example/` },
    ];
    const bodies: Record<string, [number, string]> = {
      outcome: [200, JSON.stringify(outcome)],
      refusal: [401, JSON.stringify(outcome)],
      failure: [500, `<html>${word()}</html>`],
      text: [200, `${word()} {"resourceType": "${word()}`],
      away: [302, word()],
      pages: [200, JSON.stringify({ resourceType: 'Bundle', link, entry })],
      other: [200, JSON.stringify({ resourceType: word(), [word()]: word() })],
    };
    const [status, body] = bodies[way ?? ''] ?? [404, word()];
    const headers = { 'content-type': 'application/fhir+json', 'www-authenticate': word(), etag: word() };
    response
      .writeHead(status, { ...headers, location: `http://127.0.0.1:1/${word()}`, 'x-request-id': word() })
      .end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { base, asked, close: () => server.close() };
}

const WAYS = ['outcome', 'refusal', 'failure', 'text', 'away', 'pages', 'other'];

test('S5, F4: a sandbox writes, counts and refuses without repeating a word of what it was sent', async () => {
  const service = await started({ AUDIT_KEY: key() });
  const fhir = await startTalkativeServer();
  const authorization = () => ({
    access_token: word(),
    token_type: 'Bearer',
    expires_in: 300,
    scope: word(),
    subject: word(),
  });
  const asking = WAYS.flatMap((way) =>
    [blind, pair('patient-view'), pair('order-select')].map((body): Call => {
      const { prefetch: _prefetch, ...rest } = saturated(body);
      const asks = { ...rest, fhirServer: `${fhir.base}/${way}`, fhirAuthorization: authorization() };
      // A sandbox does not fetch for a page of another origin.
      const { origin: _, ...headers } = headersOfWords();
      return { path: pathOf(body), headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(asks) };
    }),
  );
  const elsewhere = [`https://${word()}.example/${word()}`, word(), `http://${word()}:${word()}@127.0.0.1:1/`].map(
    (fhirServer): Call => ({
      path: pathOf(pair()),
      headers: JSON_TYPE,
      body: JSON.stringify({ ...saturated(blind), fhirServer, fhirAuthorization: authorization() }),
    }),
  );
  const withBasic = (call: Call): Call => ({ ...call, headers: { authorization: `Basic ${word()}`, ...call.headers } });
  const all = [...calls(pathOf(pair())), ...asking, ...elsewhere].map(withBasic);
  const { leaks, statuses } = await sendAll(service, all);
  fhir.close();
  expect(leaks).toEqual([]);
  for (const status of [200, 400, 404, 405, 412, 413, 415, 422])
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
  expect(fhir.asked.filter((headers) => leaksIn(headers.authorization ?? '').length > 0).length).toBeGreaterThan(
    WAYS.length,
  );
  const written = await expectSilence(service, all.length);
  // It may repeat the UUID of the call, for correlation.
  expect(written).toContain(String(pair()['hookInstance']));
}, 120_000);

test('S5, F4, J15: in production it writes, counts and refuses without repeating a word of what it was sent, tokens included', async () => {
  const main = await createClient({ requestsPerMinute: 1_000_000, explain: true });
  const narrow = await createClient({
    name: 'narrow',
    iss: 'https://narrow.example',
    services: ['nordic-opioid-patient-view'],
    requestsPerMinute: 2,
  });
  const keyless = await createClient({
    name: 'keyless',
    iss: 'https://keyless.example',
    jku: 'https://127.0.0.1:1/jwks',
  });
  const { keys: _, ...byAddress } = keyless.client;
  writeFileSync(join(folder, 'clients.yaml'), JSON.stringify({ clients: [main.client, narrow.client, byAddress] }));
  const service = await started({
    MODE: 'production',
    HOST: '127.0.0.1',
    PUBLIC_URL,
    CLIENTS: join(folder, 'clients.yaml'),
    AUDIT_KEY: key(),
  });
  const now = Math.floor(Date.now() / 1000);
  const times = { iat: now, exp: now + 300 };
  // The id of an accepted token may be logged, and its claims must be as listed, so its words are in other claims.
  const signed = async (call: Call, client = main): Promise<Call> => {
    const path = (call.path.split('?')[0] as string).replace(/\/feedback$/, '');
    const token = await client.token(
      path,
      { ...times, jti: crypto.randomUUID(), sub: word(), [word()]: word() },
      { [word()]: word() },
    );
    return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
  };
  const asking = ['https://fhir.ehr.example/r4', `https://${word()}.example`].map((fhirServer): Call => {
    const fhirAuthorization = { access_token: word(), token_type: 'Bearer', scope: word(), patient: word() };
    const body = JSON.stringify({ ...saturated(blind), fhirServer, fhirAuthorization });
    return { path: pathOf(blind), headers: { ...JSON_TYPE, ...headersOfWords() }, body };
  });
  const all = [...calls(pathOf(pair())), ...asking];
  const { leaks, statuses } = await sendAll(service, all, signed);
  expect(leaks).toEqual([]);
  for (const status of [200, 400, 404, 405, 412, 413, 415, 422])
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);

  const path = pathOf(pair());
  const tokens = [
    ...[
      word(),
      `Bearer ${word()}`,
      `Bearer ${word()}.${word()}.${word()}`,
      `Basic ${word()}`,
      `bearer  ${word()} ${word()}`,
    ],
    ...(
      await Promise.all([
        main.token(path, { ...times, iss: word(), sub: word() }),
        main.token(path, { ...times, aud: `https://${word()}.example`, sub: word() }),
        main.token(path, { ...times, exp: 1, jti: word(), tenant: word() }),
        main.token(path, { ...times, exp: now + 99_999, jti: word(), tenant: word() }),
        main.token(path, { ...times, jti: word() }, { kid: word() }),
        main.token(path, { ...times, jti: word() }, { jku: `https://${word()}.example` }),
        main.token(path, { ...times, jti: word() }, { typ: word() }),
        main.token(path, { ...times, nbf: now + 9999, jti: word() }),
        narrow.token(path, { ...times, iss: main.client.iss, jti: word() }),
        keyless.token(path, { ...times, jti: word(), sub: word() }),
      ])
    ).map((token) => `Bearer ${token}`),
  ];
  const refused = await sendAll(
    service,
    tokens.map((authorization): Call => {
      const headers = { ...JSON_TYPE, ...headersOfWords(), authorization };
      return { path, headers, body: JSON.stringify(saturated(pair())) };
    }),
  );
  expect(refused.leaks).toEqual([]);
  expect([...refused.statuses.keys()]).toEqual([401]);
  const body = JSON.stringify(saturated(pair()));
  const views = Array.from({ length: 5 }, (): Call => {
    const view = saturated(pair('patient-view'));
    return { path: pathOf(view), headers: { ...JSON_TYPE, ...headersOfWords() }, body: JSON.stringify(view) };
  });
  const limited = await sendAll(service, [{ path, headers: JSON_TYPE, body }, ...views], (call) =>
    signed(call, narrow),
  );
  expect(limited.leaks).toEqual([]);
  for (const status of [200, 403, 429]) expect(limited.statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
  await expectSilence(service, all.length + tokens.length);
}, 120_000);

test('S5: bytes that are no call are refused like calls, and not written at any log level', async () => {
  const service = await started({});
  for (const bytes of raw(pathOf(pair()))) {
    const answer = await service.sendRaw(bytes);
    expect(leaksIn(answer)).toEqual([]);
    // A cut-off call has nobody to answer to, and one that Node answers itself has no body.
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    if (/^HTTP\/1.1 4(?!17)/.test(head)) expect(JSON.parse(body).resourceType, head).toBe('OperationOutcome');
  }
  const { written } = await service.stop();
  expect(leaksIn(written)).toEqual([]);
}, 30_000);

test('S5: the search itself finds a word in every form', () => {
  const told = word();
  const written = [
    told,
    told.toUpperCase(),
    ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}${told}`).toString('base64')),
    Buffer.from(told).toString('base64url'),
    Buffer.from(told).toString('hex'),
    JSON.stringify({ type: 'Buffer', data: [...Buffer.from(told)] }),
    encodeURIComponent(`<${told}>`),
    JSON.stringify(`"${told}"`),
  ];
  for (const text of written) expect(leaksIn(`before ${text} after`), text).not.toEqual([]);
  expect(leaksIn('nothing of the kind')).toEqual([]);
});
