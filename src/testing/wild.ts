import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { FetchFailed, type FetchJson } from '../fhir/fetch-json.ts';
import { object, parseJson } from '../fhir/json.ts';
import { openJournal } from '../journal/journal.ts';
import { limits } from '../limits.ts';
import { knowledgeOf, pathOf, root, type Sent, startService } from './app.ts';
import { examples } from './examples.ts';
import { bundle, order, pair, prescription, request } from './request.ts';

/** How a FHIR server reacts to a request. */
type ServerAct = 'page' | 'circle' | 'outcome' | 'fail' | 'throw' | 'late' | 'junk';
/** A call of a kind known from attacks: what is sent, and what else happens. */
export type Wild = Sent & {
  kind: WildKind;
  /** How the call's FHIR server reacts, in turn. */
  server?: { acts: ServerAct[]; junk: unknown };
  /** Sent at the same time. */
  beside?: { url: string; body: string }[];
  /** Bytes for a separate connection whose answers are not read. */
  pipeline?: string;
};
export type WildKind = 'server' | 'feedback' | 'maximal' | 'together';

const JSON_HEADERS = { 'content-type': 'application/json' };
const FHIR = 'https://fhir.example/r4';
const FEEDBACK = '/cds-services/nordic-opioid-order-sign/feedback';
const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

// Ids and FHIR servers

const oddId = fc.oneof(
  fc.constantFrom(
    ...['\ud800', 'a\udfffb', '', ' ', '/', 'Patient/', '%zz', '../x', 'a b', '{{x}}', '#', '?x=1'],
    'x'.repeat(5000),
  ),
  fc.constantFrom('kari', 'Patient/kari', 'visit'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const server: fc.Arbitrary<Wild> = fc
  .record({
    hook: fc.constantFrom('patient-view', 'order-select', 'order-sign'),
    patientId: fc.oneof(fc.constant('kari'), oddId),
    encounterId: fc.oneof(fc.constant('visit'), oddId),
    draftId: oddId,
    reference: oddId,
    sent: fc.subarray(['medications', 'conditions', 'observations', 'encounter', 'patient']),
    acts: fc.array(fc.constantFrom<ServerAct>('page', 'circle', 'outcome', 'fail', 'throw', 'late', 'junk'), {
      minLength: 1,
      maxLength: 6,
    }),
    junk: fc.jsonValue(),
    fhirServer: fc.constantFrom(FHIR, FHIR, `${FHIR}/`, 'http://127.0.0.1:1/fhir', '\ud800', 'https://\ud800/', ''),
  })
  .map(({ hook, patientId, encounterId, draftId, reference, sent, acts, junk, fhirServer }) => {
    const pointing = { medicationCodeableConcept: undefined, medicationReference: { reference } };
    const drafts = [order(draftId, examples.opioid), order('pointing', examples.opioid, pointing)];
    const whole = request(hook, { drafts, context: { patientId, encounterId } });
    const prefetch = Object.fromEntries(sent.map((key) => [key, whole.prefetch[key]]));
    return {
      kind: 'server',
      method: 'POST',
      url: pathOf(whole),
      headers: JSON_HEADERS,
      body: JSON.stringify({ ...whole, prefetch, fhirServer }),
      server: { acts, junk },
    };
  });

/** A server that reacts as planned, and waits no longer than a test can. */
function serverOf(told: () => NonNullable<Wild['server']>): FetchJson {
  let at = 0;
  const page = (next?: string) => ({
    ...bundle([prescription('fetched', examples.agonist)], 'searchset'),
    ...(next !== undefined && { link: [{ relation: 'next', url: next }] }),
  });
  return (url) => {
    const { acts, junk } = told();
    const act = acts[at++ % acts.length] as ServerAct;
    const body = (value: unknown) => Promise.resolve({ body: value, maxAge: undefined });
    if (act === 'throw') throw new TypeError('a server that breaks what asks it');
    if (act === 'fail') return Promise.reject(new FetchFailed('unreachable'));
    if (act === 'late') return delay(60).then(() => Promise.reject(new FetchFailed('timeout')));
    if (act === 'outcome') return body({ resourceType: 'OperationOutcome', issue: [] });
    if (act === 'junk') return body(junk);
    return body(page(act === 'circle' ? url : undefined));
  };
}

// Feedback

const oddItem = fc.record(
  {
    card: fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 1 })),
    outcome: fc.constantFrom('accepted', 'overridden', 'Accepted ', 'ignored', 7, null),
    outcomeTimestamp: fc.constantFrom(
      '2026-03-02T09:05:00Z',
      '9999-12-31T23:59:59.999999999+14:00',
      '2026-03-02',
      '',
      null,
    ),
    acceptedSuggestions: fc.oneof(
      fc.array(fc.oneof(fc.uuid(), fc.record({ id: fc.uuid() }), fc.jsonValue({ maxDepth: 1 })), { maxLength: 5 }),
      fc.constantFrom<unknown>(
        null,
        'x',
        many(limits.feedbackSuggestions, (at) => `s${at}`),
        many(limits.feedbackSuggestions + 1, () => 'x'),
      ),
    ),
    overrideReason: fc.oneof(
      fc.record({
        reason: fc.record({ code: fc.string({ unit: 'binary' }), system: fc.string({ unit: 'binary' }) }),
        userComment: fc.string({ unit: 'binary', maxLength: 2000 }),
      }),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  },
  { requiredKeys: [] },
);
const feedback: fc.Arbitrary<Wild> = fc
  .oneof(
    fc.array(oddItem, { maxLength: 6 }).map((items) => ({ feedback: items })),
    oddItem,
    fc.jsonValue().map((value) => ({ feedback: value })),
    fc
      .constantFrom(limits.feedbackItems, limits.feedbackItems + 1)
      .map((count) => ({ feedback: many(count, (at) => ({ card: `c${at}` })) })),
  )
  .map((body) => ({
    kind: 'feedback',
    method: 'POST',
    url: FEEDBACK,
    headers: JSON_HEADERS,
    body: JSON.stringify(body),
  }));

// Bodies at the limits

const shapes: Record<string, (size: number) => string> = {
  objects: (size) =>
    JSON.stringify({ ...pair(), extra: 'HERE' }).replace('"HERE"', `[${many(size * 8500, () => '{}').join()}]`),
  keys: (size) => `{${many(size * 4000, (at) => `"${at.toString(36)}":{}`).join()}}`,
  texts: (size) => JSON.stringify({ ...pair(), extra: many(size * 8000, (at) => at.toString(36)) }),
  depth: (size) => `${'['.repeat(size * 3)}${']'.repeat(size * 3)}`,
  dates: (size) =>
    JSON.stringify(
      pair('order-sign', {
        record: many(size, (at) =>
          prescription(`m${at}`, examples.agonist, {
            dosageInstruction: [{ timing: { event: many(size * 10, () => '2026-03-09') } }],
          }),
        ),
      }),
    ),
  drafts: (size) =>
    JSON.stringify(request('order-sign', { drafts: many(size * 5, (at) => order(`d${at}`, examples.opioid)) })),
  record: (size) =>
    JSON.stringify(pair('order-sign', { record: many(size * 20, (at) => prescription(`m${at}`, examples.opioid)) })),
  letters: (size) => JSON.stringify({ ...pair(), extra: '\u00e5'.repeat(size * 40_000) }),
};
const maximal: fc.Arbitrary<Wild> = fc
  .record({ shape: fc.constantFrom(...Object.keys(shapes)), size: fc.integer({ min: 1, max: 101 }) })
  .map(({ shape, size }) => ({
    kind: 'maximal',
    method: 'POST',
    url: pathOf(pair()),
    headers: JSON_HEADERS,
    body: (shapes[shape] as (size: number) => string)(size),
  }));

// At the same time

const together: fc.Arbitrary<Wild> = fc
  .record({
    first: fc.oneof(server, feedback),
    others: fc.array(fc.oneof(server, feedback), { minLength: 1, maxLength: 8 }),
    line: fc.constantFrom('GET /health', 'GET /openapi.json', 'GET /nope', 'POST /cds-services', 'QUERY /x', 'FOO /x'),
    times: fc.integer({ min: 1, max: 400 }),
  })
  .map(({ first, others, line, times }) => ({
    ...first,
    kind: 'together' as const,
    beside: others.map(({ url, body }) => ({ url, body })),
    pipeline: `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`.repeat(times),
  }));

export const wildCases: Record<WildKind, fc.Arbitrary<Wild>> = { server, feedback, maximal, together };

/** The allowed statuses. 503: put off, or the database cannot keep up. */
const documented = [200, 400, 404, 405, 412, 413, 422, 429, 503];

/** The service with a journal and a misbehaving FHIR server; reports what is wrong with its answers. */
export async function startWildFuzzing() {
  const folder = mkdtempSync(join(tmpdir(), 'cds-fuzz-'));
  const limitsOfDay = () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 });
  const journal = await openJournal({ place: { folder }, clock: Date.now, limits: limitsOfDay, warn: () => {} });
  let told: NonNullable<Wild['server']> = { acts: ['fail'], junk: null };
  const service = await startService({
    knowledge: knowledgeOf(root, { fetch: { softMs: 0, hardMs: 100, maxPages: 3, post: false } }),
    fhirServers: [FHIR],
    fetchJson: serverOf(() => told),
    journal,
  });
  const { port } = service.app.server.address() as AddressInfo;

  const send = async ({ method, url, headers, body: payload }: Sent) => {
    const answer = await service.app.inject({ method: method as 'POST', url, headers, payload });
    const { statusCode: status, body: text } = answer;
    const faults = documented.includes(status) ? [] : [`status ${status} is not documented for this`];
    const parsed = parseJson(text);
    if (parsed === undefined) faults.push('no JSON');
    else if (status >= 400 && object(parsed)['resourceType'] !== 'OperationOutcome') faults.push('no OperationOutcome');
    return { status, text, faults };
  };

  const neglect = async (pipeline: string): Promise<void> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.pause();
    socket.write(pipeline);
    await delay(5);
    socket.destroy();
  };

  return {
    judge: async (call: Wild): Promise<{ status: number; text: string; faults: string[] }> => {
      service.log.length = 0;
      told = call.server ?? told;
      const beside = (call.beside ?? []).map((other) => send({ ...call, ...other }));
      const [answer, ...others] = await Promise.all([
        send(call),
        ...beside,
        ...(call.pipeline === undefined ? [] : [neglect(call.pipeline)]),
      ]);
      const { status, text, faults } = answer as Awaited<ReturnType<typeof send>>;
      const health = call.kind === 'together' ? (await service.app.inject('/health')).statusCode : 200;
      return {
        status,
        text: text.slice(0, 2000),
        faults: [
          ...faults,
          ...others.flatMap((other) => (other ? other.faults : [])),
          ...(health === 200 ? [] : [`/health says ${health}`]),
          ...(/"level":[56]0/.test(service.log.join('')) ? ['the log tells a failure'] : []),
        ],
      };
    },
    close: async () => {
      await service.close();
      await journal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
