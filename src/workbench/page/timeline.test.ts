import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dateOf, dayOf, highestOf, overlapsOf, type Row, ticksOf, timelineOf } from './timeline.ts';
import type { Card, Draft, Trace, Treatment } from './wire.ts';

const treatment = (substance: string, periods: Treatment['periods'], more: Partial<Treatment> = {}): Treatment => ({
  ref: `${substance}/1`,
  substance,
  lists: [],
  identifiedBy: 'atc',
  degree: 'taken',
  fresh: true,
  onHold: false,
  otherwise: false,
  entries: [],
  ...(periods[0] && { start: periods[0].from }),
  periods,
  ...more,
});
const taken = (from: string, to?: string) => ({ from, ...(to !== undefined && { to }), degree: 'taken' as const });
const possible = (from: string, to?: string) => ({ ...taken(from, to), degree: 'possible' as const });
const draft = (ref: string, substance: string, more: Partial<Draft> = {}): Draft => ({
  ref,
  substance,
  lists: [],
  identifiedBy: 'atc',
  ordered: true,
  changed: false,
  taper: false,
  ...more,
});
const trace = (treatments: Treatment[], drafts: Draft[] = [], rules: Trace['rules'] = []): Trace => ({
  today: '2026-03-02',
  sections: {},
  treatments,
  drafts,
  rules,
});
const dated = (day: number | undefined) => (day === undefined ? undefined : dateOf(day));
const spans = (treatments: Treatment[], drafts: Draft[] = []) =>
  timelineOf(trace(treatments, drafts), []).overlaps.map(({ from, to, names, perhaps }) => [
    dated(from),
    dated(to),
    names.join('+') + (perhaps ? '?' : ''),
  ]);

test('a treatment is a row with the drafts of its medicine, and a medicine that is only drafted gets its own row', () => {
  const { rows } = timelineOf(
    trace(
      [treatment('a', [taken('2026-01-01')])],
      [
        draft('draft/a', 'a', { start: '2026-03-02' }),
        draft('draft/b', 'b', { start: '2026-03-02', stop: '2026-03-08' }),
      ],
    ),
    [],
  );
  expect(
    rows.map(({ name, state, bars }) => [
      name,
      state,
      ...bars.map(({ ref, kind, from, to }) => [ref, kind, dated(from), dated(to)]),
    ]),
  ).toEqual([
    ['a', 'taken', ['a/1', 'taken', '2026-01-01', undefined], ['draft/a', 'draft', '2026-03-02', undefined]],
    ['b', undefined, ['draft/b', 'draft', '2026-03-02', '2026-03-08']],
  ]);
});

test('each day is drawn with its surest degree', () => {
  const periods = [taken('2026-01-10', '2026-01-20'), possible('2026-01-01', '2026-01-31')];
  const [row] = timelineOf(trace([treatment('a', periods, { start: '2026-01-01' })]), []).rows;
  expect(row?.bars.map(({ kind, from, to }) => [kind, dated(from), dated(to)])).toEqual([
    ['possible', '2026-01-01', '2026-01-09'],
    ['taken', '2026-01-10', '2026-01-20'],
    ['possible', '2026-01-21', '2026-01-31'],
  ]);
});

test.each([
  ['over', { degree: undefined }, 'over'],
  ['on hold', { degree: 'presumed', onHold: true }, 'presumed, on hold'],
  ['without a sign of life', { degree: 'presumed', fresh: false }, 'presumed, none recently'],
  ['known from a diagnosis', { degree: 'presumed', otherwise: true }, 'presumed, according to the record'],
])('the certainty of a treatment today is given in words: %s', (_, more, words) => {
  const [row] = timelineOf(trace([treatment('a', [taken('2026-01-01')], more as Partial<Treatment>)]), []).rows;
  expect(row?.state).toBe(words);
});

test('an unknown start is drawn without a first day', () => {
  const one = treatment('a', [taken('1970-01-01')]);
  delete one.start;
  const { rows, from } = timelineOf(trace([one]), []);
  expect(rows[0]?.bars[0]?.from).toBeUndefined();
  expect(dateOf(from) > '2026-01-01').toBe(true);
});

test('a long period does not stretch the timeline, but a draft always fits', () => {
  const long = treatment('a', [taken('2025-12-02', '2026-03-10'), possible('2026-03-11', '2028-03-10')]);
  const { from, to } = timelineOf(trace([long]), []);
  expect([dateOf(from) < '2025-12-02', dateOf(to) > '2026-05-31', dateOf(to) < '2026-08-01']).toEqual([
    true,
    true,
    true,
  ]);
  const drafted = timelineOf(trace([long], [draft('draft/b', 'b', { start: '2026-03-02', stop: '2027-03-01' })]), []);
  expect(dateOf(drafted.to) > '2027-03-01').toBe(true);
});

test('an overlap of two medicines includes its first and last day', () => {
  const a = treatment('a', [taken('2026-01-01', '2026-01-31')]);
  expect(spans([a, treatment('b', [taken('2026-01-31')])])).toEqual([['2026-01-31', '2026-01-31', 'a+b']]);
  expect(spans([a, treatment('b', [taken('2026-02-01')])])).toEqual([]);
  expect(spans([a], [draft('draft/a', 'a', { start: '2026-01-10' })])).toEqual([]);
  expect(spans([treatment('a', [taken('2026-01-01')])], [draft('draft/b', 'b', { start: '2026-01-05' })])).toEqual([
    ['2026-01-05', undefined, 'a+b'],
  ]);
  expect(spans([a, treatment('b', [possible('2026-01-10', '2026-01-12')])])).toEqual([
    ['2026-01-10', '2026-01-12', 'a+b?'],
  ]);
});

test('an overlap covers exactly the days on which at least two medicines are taken', () => {
  const bar = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    from: fc.nat(20),
    length: fc.nat(8),
    sure: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(bar, { maxLength: 6 }), (bars) => {
      const rows = bars.map(({ name, from, length, sure }): Row => {
        const kind = sure ? 'taken' : 'possible';
        const body = { ref: '', kind, from, to: from + length, stopFrom: undefined } as const;
        return { name, state: undefined, proposed: [], entries: [], bars: [body] };
      });
      const overlaps = overlapsOf(rows);
      for (let day = 0; day < 40; day++) {
        const running = bars.filter(({ from, length }) => from <= day && day <= from + length);
        const count = (some: typeof running) => new Set(some.map(({ name }) => name)).size;
        const told = overlaps.find(({ from, to }) => (from ?? 0) <= day && day <= (to ?? Infinity));
        expect(told !== undefined).toBe(count(running) > 1);
        if (told) expect(told.perhaps).toBe(count(running.filter(({ sure }) => sure)) < 2);
      }
    }),
  );
});

test('a day has exactly the surest degree of the periods that cover it', () => {
  const period = fc.record({
    from: fc.nat(20),
    length: fc.nat(10),
    degree: fc.constantFrom('possible' as const, 'presumed' as const, 'taken' as const),
  });
  const sure = ['possible', 'presumed', 'taken'];
  fc.assert(
    fc.property(fc.array(period, { maxLength: 6 }), (periods) => {
      const found = highestOf(periods.map(({ from, length, degree }) => ({ from, to: from + length, degree })));
      for (let day = 0; day < 40; day++) {
        const covering = periods.filter(({ from, length }) => from <= day && day <= from + length);
        const most = covering.map(({ degree }) => sure.indexOf(degree)).sort((a, b) => b - a)[0];
        const drawn = found.filter(({ from, to }) => from <= day && day <= (to ?? Infinity));
        expect(drawn.map(({ degree }) => degree)).toEqual(most === undefined ? [] : [sure[most]]);
      }
    }),
  );
});

test('each proposed end is drawn once, with the recommended one marked', () => {
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
  const { rows } = timelineOf(trace([], [draft('a/1', 'a', { start: '2026-03-02' })]), [card as unknown as Card]);
  expect(rows[0]?.proposed.map(({ day, recommended }) => [dateOf(day), recommended])).toEqual([
    ['2026-03-04', false],
    ['2026-03-06', true],
  ]);
});

test('a partial date is drawn at its first day', () => {
  expect([dayOf('2026'), dayOf('2026-03'), dayOf('2026-03-02')].map(dateOf)).toEqual([
    '2026-01-01',
    '2026-03-01',
    '2026-03-02',
  ]);
});

test('the ticks of the scale lie within its days and do not exceed the maximum', () => {
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
