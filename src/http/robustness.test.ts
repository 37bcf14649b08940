import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { pathOf, startService } from '../testing/app.ts';
import { actionsOf, cardsFor } from '../testing/cards.ts';
import { createClient } from '../testing/client.ts';
import { bundle, condition, type Json, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const post = (text: string) => service.http.post(pathOf(pair())).set('content-type', 'application/json').send(text);

test('H9, A10: of two drafts with one id neither overwrites the other', async () => {
  const drafts = [order('x', 'oxycodone'), order('x', 'morphine')];
  for (const card of await cardsFor(service, request('order-sign', { drafts }))) {
    for (const { resource } of actionsOf([card]).filter(({ type }) => type === 'update'))
      expect(drafts.map(({ medicationCodeableConcept: code }) => code)).toContainEqual(
        resource['medicationCodeableConcept'],
      );
    const ids = (card.suggestions ?? []).map(({ actions }) =>
      actions.map(({ resource }) => resource?.['medicationCodeableConcept']),
    );
    for (const codes of ids) expect(new Set(codes.map((code) => JSON.stringify(code))).size).toBe(codes.length);
  }
});

test('K1, A2, H9: a draft sent twice gets one suggestion', async () => {
  const drafts = [order('p', 'pregabalin'), order('p', 'pregabalin')];
  const [card] = await cardsFor(service, pair('order-sign', { drafts }));
  expect(card?.suggestions).toHaveLength(1);
});

test('K2, K4: the name of a medicine without one of ours stays text in every field', async () => {
  const code = { coding: [{ system: 'http://www.whocc.no/atc', code: 'N05CF99' }], text: '<img src=x onerror=a()>' };
  const epilepsy = [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'G40.9' }] }];
  const draft = order('z', 'pregabalin', { medicationCodeableConcept: code, reasonCode: epilepsy });
  // cardsFor proves that summary and detail contain no markup.
  const cards = await cardsFor(service, request('order-sign', { drafts: [draft, order('x', 'oxycodone')] }));
  for (const { label, actions } of cards.flatMap(({ suggestions = [] }) => suggestions))
    expect([label, ...actions.map(({ description }) => description)].join()).not.toMatch(/<img/);
});

test('R10: an id that cannot become a string is not a failure', async () => {
  const id = { toString: 'x' };
  const { status } = await service.call(pair('order-sign', { record: [prescription(id as never, 'methadone')] }));
  expect(status).toBe(200);
});

test('R10, T8: excessive nesting is refused, naming the limit', async () => {
  const draft = JSON.stringify(request('order-sign', { drafts: [order('x', 'oxycodone', { extension: 'DEEP' })] }));
  for (const [open, close, levels] of [
    ['[', ']', 200_000],
    ['{"resource":', '}', 200_000],
    ['[{"x":', '}]', 100],
  ] as const) {
    const deep = draft.replace('"DEEP"', `${open.repeat(levels)}1${close.repeat(levels)}`);
    const { status, body } = await post(deep);
    expect([status, body.issue]).toEqual([
      400,
      [expect.objectContaining({ code: 'structure', diagnostics: 'at most 200 levels' })],
    ]);
    // Brackets inside strings are not nesting.
    expect((await post(draft.replace('"DEEP"', JSON.stringify(`\\"${open.repeat(levels)}`)))).status).toBe(200);
  }
  expect((await post(draft.replace('"DEEP"', `${'['.repeat(150)}${']'.repeat(150)}`))).status).toBe(200);
});

/** One dosage line with this many single dates. */
const dates = (count: number): Json => ({
  dosageInstruction: [{ timing: { event: many(count, () => '2026-03-09') } }],
});

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));

test.each<[string, Json, string]>([
  [
    'resources',
    { observations: bundle(many(50_001, () => ({ resourceType: 'Observation' }))) },
    'resources: at most 50000',
  ],
  [
    'problems on our lists',
    { conditions: bundle(many(10_001, (at) => condition(`c${at}`, 'F11.2'))) },
    'medicines, problems and results in code lists: at most 10000',
  ],
  [
    'results in one panel',
    {
      observations: bundle([
        {
          resourceType: 'Observation',
          status: 'final',
          effectiveDateTime: '2026-03-01',
          component: many(1001, () => ({ code: { coding: [{ system: 'http://loinc.org', code: '3390-2' }] } })),
        },
      ]),
    },
    'a list inside an entry: at most 1000',
  ],
  [
    'dates in one dosage line',
    { medications: bundle([prescription('m', 'methadone', dates(1001))]) },
    'a list inside an entry: at most 1000',
  ],
  [
    'dosage lines and dates in total',
    { medications: bundle(many(20, (at) => prescription(`m${at}`, 'methadone', dates(1000)))) },
    'dosage lines and dates in them: at most 20000',
  ],
  [
    'names for one large Medication',
    {
      medications: bundle([
        { resourceType: 'Medication', id: 'large', code: { text: 'x '.repeat(50_000) } },
        ...many(110, (at) =>
          prescription(`m${at}`, 'methadone', {
            medicationCodeableConcept: undefined,
            medicationReference: { reference: 'Medication/large', display: `${at}` },
          }),
        ),
      ]),
    },
    'Medications that orders reference by different names: too large',
  ],
])(
  'R10, T9: a record with more %s than any real one is refused as a whole, naming the limit',
  async (_, prefetch, limit) => {
    const { status, body } = await service.call(pair('order-sign', { prefetch }));
    expect([status, body.resourceType]).toEqual([413, 'OperationOutcome']);
    expect(body.issue).toEqual([
      {
        severity: 'error',
        code: 'too-costly',
        details: { text: 'The record is too large to be evaluated.' },
        diagnostics: limit,
      },
    ]);
  },
);

test.each<[string, Json, Json, string]>([
  [
    'drafts',
    request('order-sign', { drafts: many(500, (at) => order(`d${at}`, 'pregabalin')) }),
    request('order-sign', { drafts: many(501, (at) => order(`d${at}`, 'pregabalin')) }),
    'draft orders: at most 500',
  ],
  [
    'selections',
    pair('order-select', { selections: many(500, (at) => `MedicationRequest/${at}`) }),
    pair('order-select', { selections: many(501, (at) => `MedicationRequest/${at}`) }),
    'context.selections: at most 500',
  ],
  [
    'items of a list in an entry',
    pair('order-sign', { prefetch: { medications: bundle([prescription('m', 'methadone', dates(1000))]) } }),
    pair('order-sign', { prefetch: { medications: bundle([prescription('m', 'methadone', dates(1001))]) } }),
    'a list inside an entry: at most 1000',
  ],
  [
    'dosage lines and dates',
    pair('order-sign', {
      record: [
        ...many(19, (at) => prescription(`m${at}`, 'methadone', dates(1000))),
        prescription('n', 'methadone', dates(980)),
      ],
    }),
    pair('order-sign', {
      record: [
        ...many(19, (at) => prescription(`m${at}`, 'methadone', dates(1000))),
        prescription('n', 'methadone', dates(981)),
      ],
    }),
    'dosage lines and dates in them: at most 20000',
  ],
  [
    'resources',
    pair('order-sign', { prefetch: { observations: bundle(many(49_996, () => ({ resourceType: 'Observation' }))) } }),
    pair('order-sign', { prefetch: { observations: bundle(many(49_997, () => ({ resourceType: 'Observation' }))) } }),
    'resources: at most 50000',
  ],
])('R10, T9: %s up to the limit are read, and one more is refused and named', async (_, full, beyond, limit) => {
  expect((await service.call(full)).status).toBe(200);
  const { status, body } = await service.call(beyond);
  expect([status, body.issue?.[0].diagnostics]).toEqual([limit.startsWith('context') ? 400 : 413, limit]);
});

test('a record of the maximum length is evaluated as a whole', async () => {
  const record = many(9_990, (at) => prescription(`m${at}`, at === 9_989 ? 'methadone' : 'oxycodone'));
  const cards = await cardsFor(service, pair('order-sign', { record }));
  expect(cards.map(({ source }) => source.topic.code)).toContain('laro-sedative-ordered');
});

test('R3, S5: a hookInstance that is not a UUID is not copied into the log', async () => {
  await service.call({ ...pair(), hookInstance: `Vidar Hemmelig 010180 ${'x'.repeat(10_000)}` });
  expect(service.log.join('')).not.toContain('Hemmelig');
});

test('T3: the trace contains nothing empty', async () => {
  const { text } = await service.call({ ...pair(), extension: { 'org.nordic-opioid-cds': { explain: true } } });
  expect(text).not.toMatch(/:(\[\]|\{\}|null|"")/);
});

test('T10: an address outside /cds-services is 404', async () => {
  expect((await service.http.get('/services')).status).toBe(404);
});

/** Everything the log says about a call, and how often such calls are counted. */
async function traceOf(of: typeof service, id: unknown, counted: RegExp) {
  const lines = of.log.map((line) => JSON.parse(line)).filter(({ reqId }) => reqId === id);
  const { text } = await of.http.get('/metrics');
  return { lines, count: Number(counted.exec(text)?.[1] ?? 0) };
}

test('T10, S5: a path with a broken escape is an OperationOutcome that does not repeat it, and is logged and counted', async () => {
  const counted = /cds_requests_total\{service="none",status="404"\} (\d+)/;
  const { count: before } = await traceOf(service, undefined, counted);
  const { status, body, text, headers } = await service.http.post('/cds-services/Hemmelig%zz').send(pair());
  expect([status, body.resourceType]).toEqual([404, 'OperationOutcome']);
  expect(text).not.toContain('Hemmelig');
  const { lines, count } = await traceOf(service, headers['x-request-id'], counted);
  expect(lines).toEqual([expect.objectContaining({ msg: 'answered', method: 'POST', route: 'none', status: 404 })]);
  expect(count).toBe(before + 1);
  expect(service.log.join('')).not.toContain('Hemmelig');
});

test('J15, S5: in production a path with a broken escape is refused like any other call, and the log says why', async () => {
  const production = await startService({ mode: 'production', clients: [(await createClient()).client] });
  const { status, headers } = await production.http.post('/cds-services/Hemmelig%zz').send(pair());
  const counted = /cds_requests_total\{service="none",status="401"\} (\d+)/;
  const { lines, count } = await traceOf(production, headers['x-request-id'], counted);
  expect([status, count]).toEqual([401, 1]);
  expect(lines).toEqual([expect.objectContaining({ route: 'none', status: 401, refused: 'no-address' })]);
  expect(production.log.join('')).not.toContain('Hemmelig');
  await production.close();
});

test('T10, S5: an unsupported Expect is an OperationOutcome that does not repeat it, and 100-continue works', async () => {
  const ask = async (expectation: string) => {
    const { port } = service.app.server.address() as AddressInfo;
    const headers = { 'content-type': 'application/json', expect: expectation };
    const call = httpRequest({ port, path: pathOf(pair()), method: 'POST', headers });
    call.end(JSON.stringify(pair()));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode, headers: response.headers, text, body: JSON.parse(text) };
  };
  const { status, body, text, headers } = await ask('Hemmelig');
  expect([status, body.resourceType, body.issue?.[0].code]).toEqual([417, 'OperationOutcome', 'not-supported']);
  expect(text).not.toContain('Hemmelig');
  const { lines } = await traceOf(service, headers['x-request-id'], / /);
  expect(lines).toEqual([expect.objectContaining({ msg: 'answered', status: 417 })]);
  expect((await ask('100-continue')).status).toBe(200);
});

test('S8: a refusal is not cached either', async () => {
  const missing = request('order-sign', { drafts: [order('p', 'pregabalin')], prefetch: { medications: undefined } });
  expect((await service.call(missing)).headers['cache-control']).toBe('no-store');
  expect((await post('{bad')).headers['cache-control']).toBe('no-store');
});

// chart/stop.test.ts
test('a course of thousands of years is a typing error and has not ended', async () => {
  const timing = (value: number): Json => ({
    dosageInstruction: [{ timing: { repeat: { boundsDuration: { value, code: 'a' } } } }],
  });
  for (const years of [100, 8000, 9999, 36_525])
    expect(
      await cardsFor(service, pair('order-sign', { record: [prescription('m', 'methadone', timing(years))] })),
      String(years),
    ).toHaveLength(1);
});

test('A13: a stop date after the year 9999 is not written', async () => {
  const cards = await cardsFor(
    service,
    request('order-sign', { drafts: [order('x', 'oxycodone', { authoredOn: '9999-12-30' })] }),
  );
  expect(JSON.stringify(cards)).not.toMatch(/"end":"\+/);
});
