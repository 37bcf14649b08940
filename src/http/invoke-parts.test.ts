import fastify, { type FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { FetchFailed } from '../fhir/fetch-json.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { Journal } from '../journal/journal.ts';
import { hashOfPatient } from '../journal/patient.ts';
import { JournalFailed } from '../journal/thread.ts';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { examples, type Json, vocabulary } from '../testing/examples.ts';
import { bundle, order, pair, prescription, request } from '../testing/request.ts';
import type { Client } from '../trust/clients.ts';
import { sandboxClient } from './auth.ts';
import { neededSections } from './discovery.ts';
import { type InvokeOptions, invokeRoute } from './invoke.ts';
import { answerProblems } from './problems.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const INSTANCE = '9a7b2c1e-0d5f-4a3b-8c6d-1e2f3a4b5c6d';
const RULE = 'laro-sedative-ordered';
const SERVER = 'https://fhir.example/r4';

/** Knowledge of a site with a quiet period. */
const quiet = knowledgeOf(root, { quiet: { days: { [RULE]: 30 }, accepted: ['epilepsy'] } });

type Options = Partial<InvokeOptions> & { client?: Partial<Client>; tenant?: string };

/** The route with stand-ins for all around it, which note what they are asked. */
async function invoker({ client = {}, tenant, ...options }: Options = {}) {
  const audits: unknown[] = [];
  const counted: Record<string, unknown[][]> = {};
  const turns: unknown[] = [];
  const lines: string[] = [];
  let ended = 0;
  let said: Json = {};
  const count =
    (name: string) =>
    (...values: unknown[]) => {
      counted[name] = [...(counted[name] ?? []), values];
    };
  const names = ['prefetch', 'fetched', 'answered', 'silencesUnknown'];
  const logger = pino({ level: 'warn', base: null }, { write: (line: string) => void lines.push(line) });
  const app = fastify({ loggerInstance: logger as FastifyBaseLogger });
  for (const name of ['client', 'tenant', 'logFields', 'sent']) app.decorateRequest(name);
  app.addHook('onRequest', async (call) => {
    call.client = { ...sandboxClient([SERVER]), ...client };
    call.tenant = tenant;
    said = call.logFields = {};
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (call, bytes, done) => {
    call.sent = { bytes: bytes as Buffer, json: JSON.parse(String(bytes).replace(/^\ufeff/, '')) };
    done(null, call.sent);
  });
  answerProblems(app);
  invokeRoute(app, {
    knowledge,
    clock: () => NOW,
    sandbox: true,
    fetchJson: () => Promise.reject(new FetchFailed('status', 403)),
    budgets: () => ({ take: () => true, takeResources: () => true, end: () => ended++ }) as never,
    origins: [],
    metrics: Object.fromEntries(names.map((name) => [name, count(name)])) as never,
    audit: { info: (...line: unknown[]) => audits.push(line) } as never,
    auditKey: undefined,
    journaling: undefined,
    advice: undefined,
    turn: async (holds) => void turns.push(holds),
    ...options,
  });
  await app.ready();
  const send = async (body: Json | string, headers: Record<string, string> = {}) => {
    const hook = typeof body === 'string' ? 'order-sign' : body['hook'];
    const answer = await app.inject({
      method: 'POST',
      url: `/cds-services/nordic-opioid-${hook}`,
      headers: { 'content-type': 'application/json', 'accept-language': 'en', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const json = answer.json() as { cards?: { source: { topic: { code: string } } }[]; [key: string]: unknown };
    const topics = json.cards?.map(({ source }) => source.topic.code);
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json, topics, said };
  };
  return { app, send, audits, counted, turns, lines, ended: () => ended };
}

describe('what an answer leaves behind', () => {
  const audited = {
    reqId: expect.any(String),
    hook: 'order-sign',
    hookInstance: INSTANCE,
    knowledge: knowledge.fingerprint,
  };
  const digits = knowledge.fingerprint.slice(0, 12);
  const named = { service: 'nordic-opioid-order-sign', hook: 'order-sign', hookInstance: INSTANCE };
  const KEY = 'an invented key of tests';
  const trial = { silent: [{ rules: [RULE] }] };

  test.each<[what: string, options: Options, body: Json, line: object, said: object]>([
    ['a card', {}, pair(), { client: 'sandbox', fired: [RULE] }, { fired: [RULE] }],
    [
      'none',
      {},
      request('order-sign', { drafts: [order('p', examples.unrelated[0] as string)] }),
      { client: 'sandbox', fired: [] },
      { fired: [], leftOut: { 'order:other-medicine': 1 } },
    ],
    [
      'a call of one hospital',
      { client: { name: 'ehr' }, tenant: 'north' },
      pair(),
      { client: 'ehr', tenant: 'north', fired: [RULE] },
      { fired: [RULE] },
    ],
    [
      'a patient, by a keyed hash',
      { auditKey: KEY, tenant: 'north' },
      pair(),
      {
        client: 'sandbox',
        tenant: 'north',
        fired: [RULE],
        patient: hashOfPatient(KEY, 'audit', { client: 'sandbox', tenant: 'north' }, 'kari'),
      },
      { fired: [RULE] },
    ],
    [
      'a refusal for want of data',
      {},
      pair('order-sign', { prefetch: { medications: undefined, conditions: undefined } }),
      { client: 'sandbox', missing: ['medications'] },
      { fired: [] },
    ],
    [
      'a card that nobody saw',
      { client: trial },
      pair(),
      { client: 'sandbox', fired: [], trial: [RULE] },
      { fired: [], trial: [RULE] },
    ],
    [
      'orders that were left out, by their number',
      {},
      pair('order-sign', {
        drafts: ['a', 'b']
          .map((id) => order(id, examples.gabapentinoid, { status: 'cancelled' }))
          .concat(order('c', examples.gabapentinoid)),
      }),
      { client: 'sandbox', fired: [RULE] },
      { fired: [RULE], leftOut: { 'order:status': 2 } },
    ],
  ])('%s', async (_, options, body, line, expected) => {
    const { send, audits } = await invoker(options);
    const { said } = await send(body);
    expect(audits).toEqual([[{ ...audited, ...line }, 'audit']]);
    expect(said).toEqual({ ...named, leftOut: {}, knowledge: digits, ...expected });
  });

  test('the metrics hear of every key that the hook needs, and of the answer', async () => {
    const { send, counted } = await invoker({ client: { name: 'ehr' } });
    await send(pair());
    const [[client, prefetch, sections]] = counted['prefetch'] as [[string, { values: unknown }, Section[]]];
    expect([client, prefetch.values, sections]).toEqual([
      'ehr',
      pair()['prefetch'],
      neededSections(knowledge, 'order-sign'),
    ]);
    expect(counted['answered']).toEqual([[expect.objectContaining({ cards: [expect.anything()] })]]);
    expect(counted).not.toHaveProperty('fetched');
    expect(counted).not.toHaveProperty('silencesUnknown');
  });

  test('a fault while it is written to the journal costs no answer', async () => {
    const journal = {
      past: async () => [],
      issued: () => {
        throw new TypeError('Kari');
      },
    } as unknown as Journal;
    const journaling = { journal, patientKeys: [], knowledge, clock: () => NOW };
    const { send, lines } = await invoker({ journaling });
    expect((await send(pair())).topics).toEqual([RULE]);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['writing an answer to the journal failed']);
  });

  test.each([
    [
      new JournalFailed('timeout'),
      40,
      'the journal did not say in time which cards to leave out',
      { reason: 'timeout' },
    ],
    [new TypeError('Kari'), 50, 'reading the journal failed', { err: expect.objectContaining({ type: 'TypeError' }) }],
  ])('where the journal rejects with %s every card is shown', async (error, level, msg, more) => {
    const journal = { past: () => Promise.reject(error), issued: () => undefined } as unknown as Journal;
    const journaling = { journal, patientKeys: ['k'], knowledge: quiet, clock: () => NOW };
    const { send, lines, counted } = await invoker({ journaling, knowledge: quiet });
    expect((await send(pair())).topics).toEqual([RULE]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level, msg, ...more })]);
    expect(counted['silencesUnknown']).toHaveLength(1);
  });

  test('a card that is left out is in the log and the audit line as such', async () => {
    const { code, system } = quiet.cards.shared.overrideReasons['epilepsy'] as { code: string; system: string };
    const issued: { basis: string }[] = [];
    const feedback = [{ outcome: 'overridden', at: NOW, code, system }];
    const journal = {
      past: async () =>
        issued.map(({ basis }) => ({ rule: RULE, hook: 'order-sign', issuedAt: NOW, basis, kept: false, feedback })),
      issued: (rows: { basis: string }[]) => void issued.push(...rows),
    } as unknown as Journal;
    const journaling = { journal, patientKeys: ['k'], knowledge: quiet, clock: () => NOW };
    const { send, audits } = await invoker({ journaling, knowledge: quiet });
    expect((await send(pair())).topics).toEqual([RULE]);
    const later = await send(pair());
    expect([later.topics, later.said]).toEqual([[], expect.objectContaining({ fired: [], silent: [RULE] })]);
    expect(audits[1]).toEqual([expect.objectContaining({ fired: [], silent: [RULE] }), 'audit']);
  });
});

describe('how an answer is written', () => {
  test('S8: for no cache, and by the language of its reader', async () => {
    const { send } = await invoker();
    const { headers } = await send(pair(), { 'accept-language': 'nn' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-language': 'nb',
      vary: 'Accept-Language, Origin',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  test('T10: there is no service of another name', async () => {
    const { send } = await invoker();
    expect((await send({ ...pair(), hook: 'order-dispatch' })).status).toBe(404);
  });

  const explained = (body: Json): Json => ({ ...body, extension: { 'org.nordic-opioid-cds': { explain: true } } });
  test.each<[sandbox: boolean, explain: boolean, asks: boolean, told: boolean]>([
    [true, false, true, true],
    [false, true, true, true],
    [false, false, true, false],
    [true, true, false, false],
  ])('E1: in a sandbox %s, a client that may ask %s, asked %s: a trace %s', async (sandbox, explain, asks, told) => {
    const { send } = await invoker({ sandbox, client: { explain } });
    const refused = pair('order-sign', { prefetch: { medications: undefined } });
    for (const body of [pair(), refused]) {
      const { json } = await send(asks ? explained(body) : body);
      expect('extension' in json).toBe(told);
    }
  });

  const orders = (start: string | undefined) =>
    request('order-sign', { drafts: [order('o', examples.opioid, { authoredOn: start })] });
  test.each<[what: string, sandbox: boolean, now: unknown, end: string]>([
    ['the day of the clock', true, undefined, '2026-03-06'],
    ['the day that a sandbox is asked for', true, '2026-05-10', '2026-05-14'],
    ['the moment that it is asked for, in the time of the site', true, '2026-05-09T23:30:00Z', '2026-05-14'],
    ['no month', true, '2026-05', '2026-03-06'],
    ['nothing that is no date', true, 'x', '2026-03-06'],
    ['in production the day of the clock', false, '2026-05-10', '2026-03-06'],
  ])('the day of an answer is %s', async (_, sandbox, now, end) => {
    const { send } = await invoker({ sandbox });
    const { text } = await send({ ...orders(undefined), extension: { 'org.nordic-opioid-cds': { now } } });
    expect(text).toContain(`"end":"${end}"`);
  });

  test.each([[''], ['\ufeff']])(
    'T14: numbers of an order that goes back have the digits that were sent, after %j',
    async (mark) => {
      const { send } = await invoker();
      const draft = order('o', examples.opioid, { extension: [{ url: 'urn:x', valueDecimal: 'HERE' }] });
      const text = JSON.stringify(request('order-sign', { drafts: [draft] })).replace('"HERE"', '1.50');
      expect((await send(mark + text)).text).toContain('"valueDecimal":1.50}');
    },
  );

  test('a link, where there are pages', async () => {
    const { send } = await invoker({ advice: 'https://cds.example/advice' });
    expect((await send(pair())).text).toContain(`https://cds.example/advice/${RULE}?lang=en`);
  });
});

describe('S7: an answer about a long record takes turns', () => {
  // Each problem is one, and so are the order and the treatment.
  const problems = (count: number, results = 0) =>
    pair('order-sign', {
      prefetch: {
        observations: bundle(
          Array.from({ length: results }, (_, at) => ({
            resourceType: 'Observation',
            id: `o${at}`,
            status: 'final',
            code: { coding: [{ system: vocabulary.tests[0]?.[0], code: vocabulary.tests[0]?.[1] }] },
            subject: { reference: 'Patient/kari' },
            effectiveDateTime: `2026-02-0${at + 1}`,
            valueString: 'NEG',
          })),
          'searchset',
        ),
      },
      conditions: Array.from({ length: count }, (_, at) => ({
        resourceType: 'Condition',
        id: `c${at}`,
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'F41.1' }] },
        subject: { reference: 'Patient/kari' },
      })),
    });
  test.each([
    [298, 0, false],
    [299, 0, true],
    [297, 2, true],
  ])('of an order, a treatment, %s problems and %s results: %s', async (count, results, takes) => {
    const { send, turns } = await invoker();
    await send(problems(count, results));
    expect([turns.length > 0, new Set(turns)]).toEqual([takes, new Set(takes ? ['body'] : [])]);
  });
});

describe('which server is asked for what is lacking', () => {
  const authorization = { access_token: 'x', token_type: 'Bearer', expires_in: 300, subject: 'cds' };
  const lacking = (more: Json = {}) => ({
    ...pair('order-sign', { prefetch: { observations: undefined } }),
    fhirServer: SERVER,
    fhirAuthorization: authorization,
    ...more,
  });

  test('F9: a key that is not answered is in the log with its status, and in the metrics', async () => {
    const { send, counted, ended } = await invoker();
    const { said, topics } = await send(lacking());
    expect([said['fetched'], topics]).toEqual([{ observations: 'status 403' }, [RULE]]);
    expect(said).not.toHaveProperty('fhirServer');
    expect(counted['fetched']).toEqual([[[{ key: 'observations', outcome: 'status', status: 403 }]]]);
    expect(ended()).toBe(1);
  });

  test('where nothing is lacking nothing is asked, and nothing said of it', async () => {
    const { send, counted, ended } = await invoker();
    const { said } = await send({ ...pair(), fhirServer: SERVER, fhirAuthorization: authorization });
    expect(said).not.toHaveProperty('fetched');
    expect([counted['fetched'], ended()]).toEqual([[[[]]], 1]);
  });

  test.each<[what: string, more: Json, options: Options, headers: Record<string, string>, why: string | undefined]>([
    ['none', { fhirServer: undefined, fhirAuthorization: undefined }, {}, {}, undefined],
    ['one that is not listed', { fhirServer: 'https://other.example' }, {}, {}, 'not-listed'],
    [
      'one of this machine, in production',
      { fhirServer: 'http://127.0.0.1:8080' },
      { sandbox: false },
      {},
      'not-listed',
    ],
    ['one without a token, in production', { fhirAuthorization: undefined }, { sandbox: false }, {}, 'no-token'],
    [
      'one with a token for another patient',
      { fhirAuthorization: { ...authorization, patient: 'ola' } },
      {},
      {},
      'other-patient',
    ],
    ['one that a page of others names', {}, {}, { 'sec-fetch-site': 'cross-site' }, 'foreign-page'],
  ])('%s is not asked', async (_, more, options, headers, why) => {
    const { send, ended } = await invoker(options);
    const { said, topics } = await send(lacking(more), headers);
    expect([said['fhirServer'], 'fetched' in said, ended(), topics]).toEqual([why, false, 0, [RULE]]);
  });

  test.each<[what: string, options: Options, headers: Record<string, string>]>([
    [
      'one that a listed page names',
      { origins: ['https://page.example'] },
      { origin: 'https://page.example', 'sec-fetch-site': 'cross-site' },
    ],
    ['in production one that any page names', { sandbox: false }, { 'sec-fetch-site': 'cross-site' }],
    ['one of this machine, in a sandbox', {}, {}],
  ])('%s is asked', async (what, options, headers) => {
    const { send } = await invoker(options);
    const more = what.startsWith('one of this machine')
      ? { fhirServer: 'http://127.0.0.1:8080', fhirAuthorization: undefined }
      : {};
    expect((await send(lacking(more), headers)).said).toHaveProperty('fetched');
  });

  test('what the server says of the patient is in the log, and what it has is used', async () => {
    const asked: string[] = [];
    const fetchJson: InvokeOptions['fetchJson'] = async (url) => {
      asked.push(url);
      const resources: Record<string, Json> = {
        Patient: { resourceType: 'Patient', id: 'ola' },
        MedicationRequest: bundle([prescription('m', examples.agonist)], 'searchset'),
      };
      const type = /r4\/(\w+)/.exec(url)?.[1] ?? '';
      return { body: resources[type] ?? bundle([], 'searchset'), maxAge: undefined };
    };
    const { send } = await invoker({ fetchJson });
    const body = { ...lacking(), prefetch: { ...(pair()['prefetch'] as Json), patient: undefined } };
    const { said } = await send(body);
    expect([said['fetched'], said['patientRecord']]).toEqual([{ patient: 'fetched' }, 'not-known']);
    const whole = await send({ ...lacking(), prefetch: { ...(pair()['prefetch'] as Json), medications: undefined } });
    expect([whole.topics, whole.said]).toEqual([
      [RULE],
      expect.objectContaining({ fetched: { medications: 'fetched' } }),
    ]);
    expect(whole.said).not.toHaveProperty('patientRecord');
    expect(asked.some((url) => url.startsWith(`${SERVER}/Patient/kari`))).toBe(true);
  });

  test('with the chart open there are no orders to look up', async () => {
    const { send } = await invoker();
    const open = { ...request('patient-view', { prefetch: { observations: undefined } }), fhirServer: SERVER };
    expect((await send({ ...open, fhirAuthorization: authorization })).status).toBe(200);
  });
});
