import { describe, expect, test } from 'vitest';
import type { Counts } from './figures.ts';
import { onTrial, shownRules, summarise } from './summary.ts';

const nothing: Counts = {
  shown: [],
  outcomes: [],
  withFeedback: [],
  reasons: [],
  accepted: [],
  tallies: [],
  silent: [],
  review: [],
  strays: 0,
};
const SIGN = 'order-sign';
const VIEW = 'patient-view';
const shown = (rule: string, cards: number, day = '2026-03-02', hook = SIGN) => ({ rule, hook, day, cards });
const outcome = (rule: string, kind: 'accepted' | 'overridden', cards: number, day = '2026-03-02', hook = SIGN) => ({
  ...shown(rule, cards, day, hook),
  outcome: kind,
});
type Kind = Counts['tallies'][number]['kind'];
const tally = (kind: Kind, count: number, rule = '', hook = SIGN) => ({ kind, count, rule, hook });
const of = (counts: Partial<Counts>, since = '2026-03-01', until = '2026-03-03', limit = 0.5, review = 0) =>
  summarise({ ...nothing, ...counts }, since, until, limit, review);
const rule = (counts: Partial<Counts>, name = 'a') => of(counts).rules.find((one) => one.rule === name);

test('calls are counted by hook, answered and refused', () => {
  const { calls } = of({
    shown: [shown('a', 1, '2026-03-02', 'order-select')],
    tallies: [tally('answered', 5), tally('refused', 2), tally('answered', 3, '', VIEW), tally('quiet', 9, 'a')],
  });
  expect(calls).toEqual([
    { hook: 'order-select', answered: 0, refused: 0 },
    { hook: SIGN, answered: 5, refused: 2 },
    { hook: VIEW, answered: 3, refused: 0 },
  ]);
});

test('the feedback on a rule’s cards is counted in total and by hook', () => {
  const found = rule({
    shown: [shown('a', 6), shown('a', 2, '2026-03-02', VIEW), shown('b', 50)],
    outcomes: [outcome('a', 'accepted', 1), outcome('a', 'overridden', 2), outcome('b', 'overridden', 9)],
    withFeedback: [
      { rule: 'a', hook: SIGN, cards: 4 },
      { rule: 'b', hook: SIGN, cards: 9 },
    ],
    silent: [{ rule: 'a', hook: VIEW, cards: 3 }],
    tallies: [
      tally('answered', 30),
      tally('refused', 10),
      tally('answered', 10, '', VIEW),
      tally('trial', 5, 'a', VIEW),
      tally('quiet', 2, 'a'),
      tally('repeat', 1, 'a'),
      tally('quiet', 8, 'b'),
      tally('answered', 1000, '', 'order-select'),
    ],
  });
  expect(found).toMatchObject({
    ...{
      shown: 8,
      accepted: 1,
      overridden: 2,
      withoutFeedback: 4,
      overrideRate: 0.5,
      trial: 5,
      silent: 3,
      quiet: 2,
      repeats: 1,
    },
    per100: 800 / 45,
    silentPer100: 60,
    aboveLimit: false,
  });
  expect(found?.hooks).toEqual([
    {
      ...{ hook: SIGN, shown: 6, accepted: 1, overridden: 2, withoutFeedback: 2, overrideRate: 0.5, per100: 15 },
      ...{ trial: 0, silent: 0, quiet: 2, repeats: 1 },
    },
    {
      ...{ hook: VIEW, shown: 2, accepted: 0, overridden: 0, withoutFeedback: 2, per100: 40 },
      ...{ trial: 5, silent: 3, silentPer100: 60, quiet: 0, repeats: 0 },
    },
  ]);
});

test('without calls outside a trial and without feedback there are no rates', () => {
  const found = rule({ silent: [], tallies: [tally('answered', 5), tally('trial', 5, 'a')] });
  expect(found).not.toHaveProperty('per100');
  expect(found).not.toHaveProperty('overrideRate');
  expect(found).toMatchObject({ trial: 5, silentPer100: 0 });
});

test('a rule overridden more often than the limit comes first, then the most shown', () => {
  const { rules } = of({
    shown: [shown('a', 1), shown('b', 9), shown('c', 5), shown('d', 5)],
    outcomes: [outcome('a', 'overridden', 6), outcome('b', 'overridden', 5)],
    withFeedback: ['a', 'b'].map((name) => ({ rule: name, hook: SIGN, cards: 10 })),
  });
  expect(rules.map(({ rule: name, aboveLimit }) => [name, aboveLimit])).toEqual([
    ['a', true],
    ['b', false],
    ['c', false],
    ['d', false],
  ]);
});

test('rules shown equally often are sorted by name, whatever their order', () => {
  const named = (counts: Partial<Counts>) => of(counts).rules.map(({ rule: name }) => name);
  const counted = ['d', 'a', 'c', 'b'].map((name) => shown(name, name === 'b' ? 9 : 5));
  expect(named({ shown: counted })).toEqual(['b', 'a', 'c', 'd']);
  expect(
    named({
      shown: counted,
      outcomes: [outcome('d', 'overridden', 5)],
      withFeedback: [{ rule: 'd', hook: SIGN, cards: 5 }],
    }),
  ).toEqual(['d', 'b', 'a', 'c']);
});

test('a rule is above the limit only if it exceeds it', () => {
  const above = (overridden: number) =>
    rule({
      shown: [shown('a', 9)],
      outcomes: [outcome('a', 'overridden', overridden)],
      withFeedback: [{ rule: 'a', hook: SIGN, cards: 4 }],
    })?.aboveLimit;
  expect([above(2), above(3), rule({ shown: [shown('a', 9)] })?.aboveLimit]).toEqual([false, true, false]);
});

test('calls alone do not list a rule', () => {
  expect(of({ tallies: [tally('answered', 5), tally('refused', 1)] }).rules).toEqual([]);
});

test('a rule is listed only with the hooks at which it was shown or counted', () => {
  const found = rule({
    shown: [shown('a', 1), shown('b', 1, '2026-03-02', VIEW)],
    tallies: [tally('quiet', 1, 'a', 'order-select'), tally('answered', 9, '', VIEW)],
  });
  expect(found?.hooks.map(({ hook }) => hook)).toEqual(['order-select', SIGN]);
});

test('equally frequent reasons and offers are sorted by code, whatever their order', () => {
  const reason = (code: string | null, cards: number) => ({ rule: 'a', hook: SIGN, code, system: 's', cards });
  const reasons = [reason('y', 1), reason('z', 2), reason('x', 1), reason(null, 1), reason('w', 5)];
  expect(rule({ shown: [shown('a', 9)], reasons })?.reasons.map(({ code }) => code)).toEqual([
    'w',
    'z',
    null,
    'x',
    'y',
  ]);
  const accepted = ['1', '2', '2', '3'].map((suggestion) => ({
    ...{ rule: 'a', hook: SIGN, suggestion, offers: '{"1":"remove","2":"stop","3":"other"}' },
  }));
  expect(rule({ shown: [shown('a', 9)], accepted })?.offers.map(({ offer }) => offer)).toEqual([
    'stop',
    'remove',
    'other',
  ]);
});

test.each([['{'], ['[]'], ['{"1":5}'], ['null'], ['{"2":"x"}'], ['']])(
  'a row with the offers %s leaves the accepted offer unknown, and the rest of the report is complete',
  (offers) => {
    const accepted = [
      { rule: 'a', hook: SIGN, suggestion: '1', offers },
      { rule: 'a', hook: SIGN, suggestion: '1', offers: '{"1":"remove"}' },
    ];
    expect(rule({ shown: [shown('a', 9)], accepted })?.offers).toEqual([
      { offer: '?', times: 1 },
      { offer: 'remove', times: 1 },
    ]);
  },
);

test('reasons are counted over all hooks, most frequent first', () => {
  const reason = (code: string | null, cards: number, system: string | null = 's') => ({
    rule: 'a',
    hook: SIGN,
    code,
    system,
    cards,
  });
  const found = rule({
    shown: [shown('a', 9)],
    reasons: [
      reason('y', 2),
      reason(null, 3, null),
      reason('x', 2),
      { ...reason('y', 4), hook: VIEW },
      reason('x', 2, 't'),
      { ...reason('z', 9), rule: 'b' },
    ],
  });
  expect(found?.reasons).toEqual([
    { code: 'y', system: 's', cards: 6 },
    { code: null, system: null, cards: 3 },
    { code: 'x', system: 's', cards: 2 },
    { code: 'x', system: 't', cards: 2 },
  ]);
});

test('accepted suggestions are counted by kind', () => {
  const taken = (suggestion: string | null) => ({
    rule: 'a',
    hook: SIGN,
    suggestion,
    offers: '{"1":"remove","2":"stop/5","3":"stop/5"}',
  });
  const found = rule({ shown: [shown('a', 9)], accepted: ['1', '2', '3', 'x', null].map(taken) });
  expect(found?.offers).toEqual([
    { offer: 'stop/5', times: 2 },
    { offer: '?', times: 2 },
    { offer: 'remove', times: 1 },
  ]);
});

describe('figures over time', () => {
  const over = (since: string, until: string, ...days: string[]) => {
    const counts = { shown: days.map((day) => shown('a', 1, day)) };
    const { periods, rules } = of(counts, since, until);
    return { periods, shown: rules[0]?.over.shown };
  };
  test('are by day up to 45 days', () => {
    expect(over('2026-02-28', '2026-03-02', '2026-03-01', '2026-03-01')).toEqual({
      periods: ['2026-02-28', '2026-03-01', '2026-03-02'],
      shown: [0, 2, 0],
    });
    expect(over('2026-01-01', '2026-02-15').periods).toHaveLength(46);
  });

  test('are by week from there, labelled by Monday, and the first by the first day', () => {
    const { periods, shown: cards } = over(
      '2026-01-01',
      '2026-02-16',
      '2026-01-01',
      '2026-01-04',
      '2026-01-05',
      '2026-01-11',
      '2026-02-16',
    );
    expect(periods).toEqual([
      ...['2026-01-01', '2026-01-05', '2026-01-12', '2026-01-19', '2026-01-26', '2026-02-02', '2026-02-09'],
      '2026-02-16',
    ]);
    expect(cards).toEqual([2, 2, 0, 0, 0, 0, 0, 1]);
    expect(over('2025-01-01', '2026-02-05').periods[1]).toBe('2025-01-06');
  });

  test('are by month beyond 400 days', () => {
    const { periods, shown: cards } = over('2025-01-15', '2026-02-20', '2025-01-20', '2025-02-28', '2026-02-01');
    expect([periods.slice(0, 3), periods.at(-1), periods.length]).toEqual([
      ['2025-01-15', '2025-02-01', '2025-03-01'],
      '2026-02-01',
      14,
    ]);
    expect([cards?.slice(0, 3), cards?.at(-1)]).toEqual([[1, 1, 0], 1]);
  });

  test('separate accepted from overridden', () => {
    const found = rule({
      shown: [shown('a', 3)],
      outcomes: [outcome('a', 'accepted', 1, '2026-03-01'), outcome('a', 'overridden', 2, '2026-03-03')],
    });
    expect(found?.over).toEqual({ shown: [0, 3, 0], accepted: [1, 0, 0], overridden: [0, 0, 2] });
  });
});

describe('rules on trial', () => {
  const summary = of(
    {
      shown: [shown('b', 1), shown('n', 1)],
      silent: [
        { rule: 'a', hook: SIGN, cards: 3 },
        { rule: 'c', hook: SIGN, cards: 3 },
      ],
      tallies: ['z', 'y', 'c', 'b', 'a'].map((name) => tally('trial', 5, name)),
      review: ['a', 'a', 'a', 'c', 'x'].map((name, at) => ({ rule: name, day: '2026-03-01', patient: `p${at}` })),
    },
    '2026-03-01',
    '2026-03-03',
    0.5,
    2,
  );
  test('rules with a card come first, shown or not, then those without', () => {
    const { withCards, without } = onTrial(summary);
    expect(withCards.map(({ rule: name }) => name)).toEqual(['a', 'c', 'b']);
    expect(without).toEqual(['y', 'z']);
  });

  test('as many patients per rule are listed as requested', () => {
    expect(summary.review.map(({ patient }) => patient)).toEqual(['p0', 'p1', 'p3']);
    expect(of({ ...nothing, strays: 4 }).strays).toBe(4);
  });
});

test('rules that showed a card, or would have but for a quiet period or a repeat, are listed', () => {
  const summary = of({
    shown: [shown('a', 1)],
    tallies: [tally('quiet', 1, 'b'), tally('repeat', 1, 'c'), tally('trial', 1, 'd'), tally('answered', 1)],
  });
  expect(
    shownRules(summary)
      .map(({ rule: name }) => name)
      .sort(),
  ).toEqual(['a', 'b', 'c']);
});
