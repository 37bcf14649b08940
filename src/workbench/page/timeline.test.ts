import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dateOf, dayOf, overlapsOf, ticksOf, timelineOf } from './timeline.ts';
import type { Card, Medication, Trace } from './wire.ts';

const medication = (ref: string, substance: string, more: Partial<Medication> = {}): Medication => ({
  ref,
  substance,
  lists: [],
  identifiedBy: 'atc',
  draft: false,
  ordered: false,
  current: true,
  ...more,
});
const trace = (medications: Medication[], rules: Trace['rules'] = []): Trace => ({
  today: '2026-03-02',
  sections: {},
  medications,
  rules,
});
const spans = (medications: Medication[]) =>
  timelineOf(trace(medications), []).overlaps.map(({ from, to, names }) => [
    dateOf(from),
    to === undefined ? undefined : dateOf(to),
    names.join('+'),
  ]);

test('orders of one medicine share a row; what has no end known has none', () => {
  const { rows } = timelineOf(
    trace([
      medication('a/1', 'a', { start: '2026-01-01', stop: '2026-01-31', current: false }),
      medication('b/1', 'b', { start: '2026-02-01' }),
      medication('a/2', 'a', { start: '2026-02-01' }),
      medication('a/3', 'a'),
    ]),
    [],
  );
  expect(
    rows.map(({ name, bars, undated }) => [name, bars.map(({ ref, to }) => [ref, to && dateOf(to)]), undated]),
  ).toEqual([
    [
      'a',
      [
        ['a/1', '2026-01-31'],
        ['a/2', undefined],
      ],
      ['a/3'],
    ],
    ['b', [['b/1', undefined]], []],
  ]);
});

test('the days on which two medicines run are told, first and last counted', () => {
  const a = medication('a/1', 'a', { start: '2026-01-01', stop: '2026-01-31' });
  expect(spans([a, medication('b/1', 'b', { start: '2026-01-31' })])).toEqual([['2026-01-31', '2026-01-31', 'a+b']]);
  expect(spans([a, medication('b/1', 'b', { start: '2026-02-01' })])).toEqual([]);
  expect(spans([a, medication('a/2', 'a', { start: '2026-01-10' })])).toEqual([]);
  expect(
    spans([medication('a/1', 'a', { start: '2026-01-01' }), medication('b/1', 'b', { start: '2026-01-05' })]),
  ).toEqual([['2026-01-05', undefined, 'a+b']]);
});

test('an overlap holds on exactly the days on which at least two medicines run', () => {
  const bar = fc.record({ name: fc.constantFrom('a', 'b', 'c'), from: fc.nat(20), length: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(bar, { maxLength: 6 }), (bars) => {
      const rows = bars.map(({ name, from, length }) => ({
        name,
        lists: [],
        undated: [],
        proposed: [],
        bars: [{ ref: '', kind: 'current' as const, from, to: from + length, stopFrom: undefined }],
      }));
      const overlaps = overlapsOf(rows);
      for (let day = 0; day < 40; day++) {
        const running = new Set(
          bars.filter(({ from, length }) => from <= day && day <= from + length).map(({ name }) => name),
        );
        const told = overlaps.some(({ from, to }) => from <= day && day <= (to ?? Infinity));
        expect(told).toBe(running.size > 1);
      }
    }),
  );
});

test('each end that a card proposes stands once, the recommended one marked', () => {
  const update = (end: string, isRecommended: boolean) => ({
    label: end,
    uuid: end,
    isRecommended,
    actions: [
      {
        type: 'update' as const,
        description: '',
        resource: {
          resourceType: 'a',
          id: '1',
          dosageInstruction: [{ timing: { repeat: { boundsPeriod: { end } } } }],
        },
      },
    ],
  });
  const card = { suggestions: [update('2026-03-04', false), update('2026-03-06', true), update('2026-03-06', true)] };
  const { rows } = timelineOf(trace([medication('a/1', 'a', { draft: true, start: '2026-03-02' })]), [
    card as unknown as Card,
  ]);
  expect(rows[0]?.proposed.map(({ day, recommended }) => [dateOf(day), recommended])).toEqual([
    ['2026-03-04', false],
    ['2026-03-06', true],
  ]);
});

test('a date known by its month or year stands at its first day', () => {
  expect([dayOf('2026'), dayOf('2026-03'), dayOf('2026-03-02')].map(dateOf)).toEqual([
    '2026-01-01',
    '2026-03-01',
    '2026-03-02',
  ]);
});

test('the scale has some ticks within its days, and no more than fit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40_000 }),
      fc.integer({ min: 20, max: 20_000 }),
      fc.integer({ min: 2, max: 9 }),
      (from, length, most) => {
        const ticks = ticksOf(from, from + length, most);
        expect(ticks.length).toBeLessThanOrEqual(most + 1);
        expect(ticks.every(({ day }) => day >= from && day <= from + length)).toBe(true);
      },
    ),
  );
});
