import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Journal, openJournal } from '../journal/journal.ts';
import { JournalFailed } from '../journal/thread.ts';
import { knowledgeOf, root, startService } from '../testing/app.ts';
import { createClient, NOW as SECONDS } from '../testing/client.ts';
import { type Json, order, pair, prescription, request } from '../testing/request.ts';

const MORNING = Date.parse('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const QUIET = {
  days: { 'laro-sedative-current': 30, 'laro-sedative-ordered': 30, 'laro-relapse': 30 },
  accepted: ['agreed-with-specialist', 'taper-under-way'],
};
const knowledge = knowledgeOf(root, { quiet: QUIET });

let folder: string;
let journal: Journal;
let service: Awaited<ReturnType<typeof startService>>;
let now = MORNING;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-quiet-'));
  journal = await openJournal({
    place: { folder },
    clock: () => now,
    limits: () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 }),
    warn: () => {},
  });
  service = await startService({ journal, knowledge, clock: () => now, patientKeys: ['a key of this test'] });
});
afterAll(async () => {
  await service.close();
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

let patients = 0;
let patient = '';
beforeEach(() => {
  now = MORNING;
  patient = `kari-${patients++}`;
});

type Card = { uuid: string; source: { topic: { code: string } }; overrideReasons: Json[] };
type Reply = {
  body: { cards: Card[]; extension: Record<string, { trace: { rules: { rule: string; outcome: string }[] } }> };
};

/** A new call for this test's patient. */
function call(body: Json, by = service): Promise<Reply> {
  const text = JSON.stringify({ ...body, hookInstance: crypto.randomUUID() }).replaceAll('kari', patient);
  const extension = { 'org.nordic-opioid-cds': { explain: true }, ...(body['extension'] as object) };
  return by.call({ ...JSON.parse(text), extension }) as unknown as Promise<Reply>;
}
const rulesOf = ({ body }: Reply) => body.cards.map(({ source }) => source.topic.code);
const outcomeOf = ({ body }: Reply, rule: string) =>
  body.extension['org.nordic-opioid-cds']?.trace.rules.find((item) => item.rule === rule)?.outcome;

async function feedback(card: Card, item: Json, by = service) {
  const { body } = await by.http
    .post('/cds-services/nordic-opioid-order-sign/feedback')
    .send({ feedback: [{ card: card.uuid, outcomeTimestamp: new Date(now).toISOString(), ...item }] })
    .expect(200);
  expect(body.results).toEqual([{ status: 'stored' }]);
}
/** Overrides a card with one of its own reasons, by its words. */
async function override(card: Card, words: RegExp) {
  const reason = card.overrideReasons.find(({ display }) => words.test(display as string));
  expect(reason, String(words)).toBeDefined();
  await feedback(card, { outcome: 'overridden', overrideReason: { reason } });
}
const AGREED = /specialist/i;

const dose = (milligrams: number): Json => ({
  dosageInstruction: [
    {
      timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
      doseAndRate: [{ doseQuantity: { value: milligrams, unit: 'mg' } }],
    },
  ],
  dispenseRequest: { quantity: { value: milligrams * 100, unit: 'mg' } },
});
const text = (words: string): Json => ({ dosageInstruction: [{ text: words }] });

/** Methadone and a sedative are taken; with the chart open there is one card. */
const chart = (sedative: Json = dose(10), ...more: Json[]) =>
  request('patient-view', {
    record: [
      prescription('methadone-1', 'methadone', dose(60)),
      prescription('sedative-1', 'oxazepam', sedative),
      ...more,
    ],
  });
const CURRENT = 'laro-sedative-current';

/** The chart's card, accepted by an override. */
async function accepted(body: Json = chart()) {
  const reply = await call(body);
  expect(rulesOf(reply)).toEqual([CURRENT]);
  await override(reply.body.cards[0] as Card, AGREED);
}

describe('a card overridden as known and accepted', () => {
  test('is not shown again for the site’s number of days, and the trace, the log and the metrics say so', async () => {
    await accepted();
    now = MORNING + 29 * DAY;
    const later = await call(chart());
    expect(rulesOf(later)).toEqual([]);
    expect(outcomeOf(later, CURRENT)).toBe('quiet');
    const lines = service.log.map((line) => JSON.parse(line));
    expect(lines.filter(({ audit, silent }) => audit && silent?.includes(CURRENT))).toHaveLength(1);
    const { text: metrics } = await service.http.get('/metrics');
    expect(metrics).toMatch(/^cds_silenced_total\{rule="laro-sedative-current",why="quiet"\} 1$/m);
    now = MORNING + 31 * DAY;
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
  });

  test('is shown again for another patient', async () => {
    await accepted();
    patient = 'somebody-else';
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
  });

  test('is shown again with another drug', async () => {
    await accepted();
    const more = prescription('sedative-2', 'zopiclone', dose(7));
    expect(rulesOf(await call(chart(dose(10), more)))).toEqual([CURRENT]);
    // The same drugs as before are still quiet.
    expect(rulesOf(await call(chart()))).toEqual([]);
  });

  test.each([
    ['raised', dose(15), [CURRENT]],
    ['the same', dose(10), []],
    ['lowered', dose(5), []],
    ['unreadable', text('as agreed'), [CURRENT]],
  ])('with its dose %s', async (_name, sedative, rules) => {
    await accepted();
    expect(rulesOf(await call(chart(sedative)))).toEqual(rules);
  });

  test('is shown again with a second prescription that raises the sum', async () => {
    await accepted();
    expect(rulesOf(await call(chart(dose(10), prescription('sedative-2', 'oxazepam', dose(10)))))).toEqual([CURRENT]);
  });

  test.each([
    ['the same', '1 tablet at night', []],
    ['other', '2 tablets at night', [CURRENT]],
  ])('with a dose in words, %s words', async (_name, words, rules) => {
    await accepted(chart(text('1 tablet at night')));
    expect(rulesOf(await call(chart(text(words))))).toEqual(rules);
  });

  test('stays quiet when the prescription is renewed with another end', async () => {
    const until = (end: string) => {
      const [line] = dose(10)['dosageInstruction'] as [{ timing: { repeat: Json } }];
      const repeat = { ...line.timing.repeat, boundsPeriod: { start: '2026-02-02', end } };
      return chart({ dosageInstruction: [{ ...line, timing: { repeat } }] });
    };
    await accepted(until('2026-03-31'));
    expect(rulesOf(await call(until('2026-06-30')))).toEqual([]);
  });

  test('is shown again with a newer positive result, but not with the same one', async () => {
    const bundle = JSON.parse(
      readFileSync(join(root, 'test-bundles/laro-benzodiazepines/relapse-30-days-ago.request.json'), 'utf8'),
    );
    const id = bundle.context.patientId as string;
    const at = (date: string) => {
      const [entry] = bundle.prefetch.observations.entry;
      const newer = { resource: { ...entry.resource, id: `on-${date}`, effectiveDateTime: date } };
      const observations = { ...bundle.prefetch.observations, entry: [entry, newer] };
      const body = { ...bundle, prefetch: { ...bundle.prefetch, observations } };
      return JSON.parse(JSON.stringify(body).replaceAll(id, 'kari')) as Json;
    };
    const [day] = bundle.prefetch.observations.entry.map(
      ({ resource }: { resource: Json }) => resource['effectiveDateTime'],
    );
    const first = await call(at(day));
    expect(rulesOf(first)).toEqual(['laro-relapse']);
    await override(first.body.cards[0] as Card, AGREED);
    expect(rulesOf(await call(at(day)))).toEqual([]);
    expect(rulesOf(await call(at('2026-03-01')))).toEqual(['laro-relapse']);
  });

  test('still supersedes weaker cards about the same drugs', async () => {
    const body = pair('order-sign', { drafts: [order('draft-1', 'diazepam', dose(5))] });
    const first = await call(body);
    expect(rulesOf(first)).toEqual(['laro-sedative-ordered']);
    await override(first.body.cards[0] as Card, AGREED);
    const later = await call(body);
    expect([rulesOf(later), outcomeOf(later, 'benzodiazepine-stop-date')]).toEqual([[], 'superseded']);
  });
});

describe('what does not make a card quiet', () => {
  test.each([
    ['another reason', { outcome: 'overridden', overrideReason: { reason: { code: 'cds-not-applicable' } } }],
    ['no reason', { outcome: 'overridden' }],
    ['a comment', { outcome: 'overridden', overrideReason: { userComment: 'known and accepted' } }],
    [
      'the code of an accepted reason in another system',
      { outcome: 'overridden', overrideReason: { reason: { code: 'taper-under-way', system: 'urn:other' } } },
    ],
    ['an accepted suggestion', { outcome: 'accepted', acceptedSuggestions: [{ id: 'x' }] }],
  ])('%s', async (_name, item) => {
    const { body } = await call(chart());
    await feedback(body.cards[0] as Card, item);
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
  });

  test('ignoring it', async () => {
    await call(chart());
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
  });

  test('an override undone later by accepting a suggestion', async () => {
    const { body } = await call(chart());
    await override(body.cards[0] as Card, AGREED);
    now += 60_000;
    await feedback(body.cards[0] as Card, { outcome: 'accepted', acceptedSuggestions: [{ id: 'x' }] });
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
  });

  test('overriding a rule without a quiet period', async () => {
    const body = request('order-sign', {
      drafts: [order('draft-1', 'diazepam', dose(5))],
      record: [prescription('opioid-1', 'oxycodone', dose(10))],
    });
    const [first] = (await call(body)).body.cards as [Card];
    await feedback(first, { outcome: 'overridden', overrideReason: { reason: { code: 'expert-contradicts' } } });
    expect(rulesOf(await call(body))).toEqual(rulesOf(await call(body)));
    expect(rulesOf(await call(body))).toContain(first.source.topic.code);
  });

  test('if the journal does not answer, every card is shown and counted', async () => {
    await accepted();
    const failing: Journal = { ...journal, past: () => Promise.reject(new JournalFailed('timeout')) };
    const other = await startService({
      journal: failing,
      knowledge,
      clock: () => now,
      patientKeys: ['a key of this test'],
    });
    expect(rulesOf(await call(chart(), other))).toEqual([CURRENT]);
    expect((await other.http.get('/metrics')).text).toMatch(/^cds_silence_unknown_total 1$/m);
    await other.close();
  });

  test.each([
    ['invalid JSON', '{"version":1'],
    ['null', 'null'],
    ['another version', '{"version":2,"basis":{}}'],
    ['a basis of another shape', '{"version":1,"basis":{"indicator":"info","rules":7}}'],
    ['a row of an older version', '{"indicator":"info","rules":[],"facts":[],"products":{}}'],
  ])('a row of the journal with %s is skipped, and the card is shown', async (_name, basis) => {
    await accepted();
    const strange: Journal = {
      ...journal,
      past: async (...asked) => (await journal.past(...asked)).map((row) => ({ ...row, basis })),
    };
    const patientKeys = ['a key of this test'];
    const other = await startService({ journal: strange, knowledge, clock: () => now, patientKeys });
    expect(rulesOf(await call(chart(), other))).toEqual([CURRENT]);
    expect(other.log.some((line) => line.includes('"level":50'))).toBe(false);
    await other.close();
  });

  test('an unexpected journal failure costs no card, and is logged without data', async () => {
    const broken: Journal = {
      ...journal,
      past: async () => [undefined as never],
      issued: () => {
        throw new TypeError('Vidar');
      },
    };
    const patientKeys = ['a key of this test'];
    const other = await startService({ journal: broken, knowledge, clock: () => now, patientKeys });
    expect(rulesOf(await call(chart(), other))).toEqual([CURRENT]);
    const failed = other.log.map((line) => JSON.parse(line)).filter(({ level }) => level === 50);
    expect(failed.map(({ msg }) => msg)).toEqual([
      'reading the journal failed',
      'writing an answer to the journal failed',
    ]);
    expect(other.log.join('')).not.toContain('Vidar');
    await other.close();
  });

  test('feedback older than its card does not silence it', async () => {
    const reply = await call(chart());
    const [card] = reply.body.cards as [Card];
    now = MORNING - 2 * 60_000;
    await override(card, AGREED);
    now = MORNING;
    expect(rulesOf(await call(chart()))).toEqual([CURRENT]);
    await override(card, AGREED);
    expect(rulesOf(await call(chart()))).toEqual([]);
  });

  test('while a key is changed the old one still counts, and new entries use the new one', async () => {
    await accepted();
    const patientKeys = ['a new key of this test', 'a key of this test'];
    const other = await startService({ journal, knowledge, clock: () => now, patientKeys });
    expect(rulesOf(await call(chart(), other))).toEqual([]);
    patient = 'known-by-the-new-key';
    const [card] = (await call(chart(), other)).body.cards as [Card];
    await override(card, AGREED);
    await other.close();
    const later = await startService({ journal, knowledge, clock: () => now, patientKeys: patientKeys.slice(0, 1) });
    expect(rulesOf(await call(chart(), later))).toEqual([]);
    await later.close();
  });

  test('an override leaves an audit line that names the card, and the reason if it is one of ours', async () => {
    service.log.length = 0;
    const reply = await call(chart());
    const [card] = reply.body.cards as [Card];
    await override(card, AGREED);
    now += 1000;
    await feedback(card, { outcome: 'overridden', overrideReason: { reason: { code: 'Vidar-Hemmelig' } } });
    const lines = service.log.map((line) => JSON.parse(line)).filter(({ audit, outcome }) => audit && outcome);
    expect(lines).toEqual([
      expect.objectContaining({ client: 'sandbox', card: card.uuid, reason: 'expert-contradicts', accepted: true }),
      expect.objectContaining({ client: 'sandbox', card: card.uuid, outcome: 'overridden' }),
    ]);
    expect(lines[1]).not.toHaveProperty('reason');
    expect(service.log.join('')).not.toContain('Hemmelig');
  });

  test('after a full change of key nobody is known any more', async () => {
    await accepted();
    const other = await startService({
      journal,
      knowledge,
      clock: () => now,
      patientKeys: ['another key of this test'],
    });
    expect(rulesOf(await call(chart(), other))).toEqual([CURRENT]);
    await other.close();
  });
});

test('a critical card is never left out, and the site cannot ask for it', async () => {
  const body = request('order-sign', {
    drafts: [order('draft-1', 'naltrexone')],
    record: [prescription('methadone-1', 'methadone', dose(60))],
  });
  const repeat = { extension: { 'pddi-configuration-items': { 'filter-out-repeated-alerts': true } } };
  const select = {
    ...body,
    hook: 'order-select',
    context: { ...body.context, selections: ['MedicationRequest/draft-1'] },
  };
  const keep = { extension: { 'pddi-configuration-items': { 'cache-for-order-sign-filtering': true } } };
  const first = await call({ ...select, ...keep });
  expect((first.body.cards[0] as unknown as Json)['indicator']).toBe('critical');
  expect(rulesOf(await call({ ...body, ...repeat }))).toEqual(rulesOf(first));
  const days = { ...QUIET.days, 'naltrexone-with-opioid': 30 };
  expect(() => knowledgeOf(root, { quiet: { ...QUIET, days } })).toThrow(
    /quiet\.days\.naltrexone-with-opioid: a critical card is never left out/,
  );
});

test('two hospitals behind one client do not silence each other', async () => {
  const { client, token } = await createClient({ tenants: ['north', 'south'], explain: true });
  const production = await startService({
    mode: 'production',
    clients: [client],
    journal,
    knowledge,
    clock: () => SECONDS * 1000,
    patientKeys: ['a key of this test'],
  });
  const send = async (tenant: string, path: string, body: Json) =>
    production.http
      .post(path)
      .set('authorization', `Bearer ${await token(path, { tenant })}`)
      .send(body);
  const view = () =>
    JSON.parse(JSON.stringify({ ...chart(), hookInstance: crypto.randomUUID() }).replaceAll('kari', patient));
  const path = '/cds-services/nordic-opioid-patient-view';
  const first = (await send('north', path, view())) as unknown as Reply;
  const reason = first.body.cards[0]?.overrideReasons.find(({ display }) => AGREED.test(display as string));
  await send('north', `${path}/feedback`, {
    feedback: [
      {
        card: first.body.cards[0]?.uuid,
        outcome: 'overridden',
        outcomeTimestamp: '2026-03-02T09:00:00Z',
        overrideReason: { reason },
      },
    ],
  });
  expect(rulesOf((await send('north', path, view())) as unknown as Reply)).toEqual([]);
  expect(rulesOf((await send('south', path, view())) as unknown as Reply)).toEqual([CURRENT]);
  await production.close();
});

describe('E4: an order-select card that recurs at order-sign', () => {
  const items = (name: string) => ({ extension: { 'pddi-configuration-items': { [name]: true } } });
  const KEEP = items('cache-for-order-sign-filtering');
  const FILTER = items('filter-out-repeated-alerts');
  const signed = (draft: Json = dose(75)) =>
    pair('order-sign', { drafts: [order('pregabalin-1', 'pregabalin', draft)] });
  const selected = (draft: Json = dose(75)) =>
    pair('order-select', { drafts: [order('pregabalin-1', 'pregabalin', draft)] });
  const ORDERED = 'laro-sedative-ordered';

  test('is left out if the client asks for it at both', async () => {
    expect(rulesOf(await call({ ...selected(), ...KEEP }))).toEqual([ORDERED]);
    const reply = await call({ ...signed(), ...FILTER });
    expect([rulesOf(reply), outcomeOf(reply, ORDERED)]).toEqual([[], 'repeat']);
    // Again at order-select it is shown: only signing leaves it out.
    expect(rulesOf(await call({ ...selected(), ...FILTER }))).toEqual([ORDERED]);
  });

  test.each([
    ['the first call did not ask to keep it', selected(), { ...signed(), ...FILTER }],
    ['the second call does not ask to leave it out', { ...selected(), ...KEEP }, signed()],
    ['the dose was raised in between', { ...selected(), ...KEEP }, { ...signed(dose(150)), ...FILTER }],
  ])('is shown if %s', async (_name, first, second) => {
    await call(first);
    expect(rulesOf(await call(second))).toEqual([ORDERED]);
  });

  test('is shown on the next day', async () => {
    await call({ ...selected(), ...KEEP });
    now += DAY;
    expect(rulesOf(await call({ ...signed(), ...FILTER }))).toEqual([ORDERED]);
  });
});
