import { expect, test } from 'vitest';
import { answer } from '../answer.ts';
import { newestOf } from '../chart/results.ts';
import { prefetchOf } from '../fhir/prefetch.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { bundle, condition, type Json, order, prescription, request } from '../testing/request.ts';
import { compileExpression } from './expression.ts';
import type { Hook } from './schema.ts';

/** The work done for an answer, in a measure that does not depend on the machine. */
const work = { reads: 0 };

/** A value whose every field counts as read when it is accessed, however deep. */
function counted<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key, receiver) => {
      work.reads += 1;
      return counted(Reflect.get(target, key, receiver));
    },
  });
}

const drugs = ['methadone', 'oxycodone', 'oxazepam', 'pregabalin', 'zopiclone', 'morphine', 'buprenorphine'];
const problems = ['F11.2', 'F41.1', 'C50.9', 'F10.2', 'K72.9', 'G40.9', 'Z51.5', 'M54.5'];
const tests = ['3390-2', '1742-6', '3389-4'];
const list = (count: number, make: (at: number) => Json) => Array.from({ length: count }, (_, at) => make(at));
const day = (at: number) => new Date(Date.UTC(2026, 2, 1) - (at % 80) * 86_400_000).toISOString().slice(0, 10);

const medicines = (count: number) =>
  list(count, (at) =>
    prescription(`m${at}`, drugs[at % drugs.length] as string, {
      authoredOn: day(at),
      requester: { reference: `Practitioner/p${at}` },
      reasonReference: [{ reference: `Condition/c${at}` }],
    }),
  );
const drafts = (count: number) =>
  list(count, (at) =>
    order(`d${at}`, drugs[at % drugs.length] as string, { requester: { reference: 'Practitioner/q' } }),
  );
const pointing = (count: number) =>
  list(count, (at) =>
    prescription(`m${at}`, 'methadone', {
      medicationCodeableConcept: undefined,
      medicationReference: { reference: `Medication/of-nobody-${at}` },
    }),
  );
const conditions = (count: number) =>
  list(count, (at) => condition(`c${at}`, problems[at % problems.length] as string, { onsetDateTime: day(at) }));
const results = (count: number) =>
  bundle(
    list(count, (at) => ({
      resourceType: 'Observation',
      id: `o${at}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: tests[at % tests.length] }] },
      valueString: 'positive',
      effectiveDateTime: `${day(at)}T10:00:00Z`,
    })),
  );

/** The fields of the call that an answer reads. */
function readsFor(hook: Hook, parts: Parameters<typeof request>[1]): number {
  const body = request(hook, parts);
  const { call } = readRequest(body, hook);
  work.reads = 0;
  const { draftOrders, prefetch, selections } = call;
  const watched = {
    ...call,
    draftOrders: counted(draftOrders),
    prefetch: prefetchOf(counted(prefetch.values), call.patientId),
    selections,
  };
  answer({ call: watched, hookInstance: 'x', language: 'en', today: '2026-03-02' }, knowledge);
  return work.reads;
}

const records: [string, (count: number) => Parameters<typeof request>[1]][] = [
  ['medicines', (count) => ({ drafts: drafts(2), record: medicines(count) })],
  ['drafts, each selected', (count) => ({ drafts: drafts(count), record: medicines(2) })],
  ['problems', (count) => ({ drafts: drafts(2), record: medicines(2), conditions: conditions(count) })],
  ['results', (count) => ({ record: medicines(2), prefetch: { observations: results(count) } })],
  ['medicines without an order', (count) => ({ drafts: drafts(count), record: pointing(count) })],
  [
    'of everything',
    (count) => ({
      drafts: drafts(count),
      record: medicines(count),
      conditions: conditions(count),
      prefetch: { observations: results(count) },
    }),
  ],
];

test.each(records)('R10: with twice as many %s an answer reads at most twice as many fields', (_, parts) => {
  for (const hook of ['patient-view', 'order-select', 'order-sign'] as const) {
    const [short, middle, long] = [80, 160, 320].map((count) => readsFor(hook, parts(count))) as [
      number,
      number,
      number,
    ];
    expect(long - middle, hook).toBeLessThan(2.2 * (middle - short) + 50);
    expect(long).toBeGreaterThan(0);
  }
});

test('an unlisted medicine costs few reads, however long the record is', () => {
  const parts = (count: number) => ({
    drafts: [order('d1', examples.unrelated[0] as string)],
    record: list(count, (at) => prescription(`m${at}`, examples.unrelated[at % 2] as string)),
  });
  for (const hook of ['patient-view', 'order-select', 'order-sign'] as const)
    expect((readsFor(hook, parts(200)) - readsFor(hook, parts(20))) / 180, hook).toBeLessThan(70);
});

test('the cost of finding the newest results grows linearly', () => {
  const readsOf = (count: number) => {
    work.reads = 0;
    const all = list(count, (at) => ({
      ref: `o${at}`,
      lists: ['a', 'b'],
      at,
      date: '2026-03-01',
      outcome: 'negative',
    }));
    newestOf(all.map(counted) as never);
    return work.reads;
  };
  expect(readsOf(2000)).toBeLessThan(2.2 * readsOf(1000));
});

const REFUSED = 'would be searched once for each item';

test.each([
  ['%a.where(%b.where(x = 1).exists())', 'b'],
  ['%a.where(requester in %b.requester)', 'b'],
  ['%a.where(requester in %b)', 'b'],
  ['%a.where(lists.intersect(%b.lists).exists())', 'b'],
  ['%a.where((%b | %c).exists())', 'b'],
  ['%a.where(x.exclude(%b).exists())', 'b'],
  ['%a.where(x.combine(%b).exists())', 'b'],
  ['%a.where(x.union(%b).exists())', 'b'],
  ["%a.where(x.sharing('y', %b).exists())", 'b'],
  ['%a.exists(x in %b)', 'b'],
  ['%a.where(%b.exists(x = 1))', 'b'],
  ['%a.all(%b.memberOf(name))', 'b'],
  ['%a.select(reasons.where(%b.first().x = 1))', 'b'],
  ['%a.where(x = 1 and (%b.distinct().count() > 3))', 'b'],
])('a fact that searches one list for each item of another is refused: %s', (text, name) => {
  expect(() => compileExpression(text)).toThrow(`'%${name}' ${REFUSED}`);
});

test.each([
  '%a.where(%b.exists() and %c.empty() and %d.count() >= %e)',
  '%a.where(date.onOrAfter(%today.minusDays(%b)))',
  '%a.where(date.onOrAfter(%today.minusMonths(%b)))',
  '%a.where(date.onOrBefore(%today.plusMonths(%b)))',
  '%a.where(date.onOrBefore(%today.plusDays(%b)))',
  '%a.where(%b.not())',
  '(%a | %b).where(x > %c * 2)',
  '%a.where(reasons.where(x = 1).exists())',
  "%a.exclude(%a.sharing('requester', %b)).where(x = 1).y.distinct()",
])('a fact that only checks other facts is accepted: %s', (text) => {
  expect(() => compileExpression(text)).not.toThrow();
});
