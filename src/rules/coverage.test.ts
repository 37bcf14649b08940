import { describe, expect, test } from 'vitest';
import { coverageGaps, decidingPairs, type Observed } from './coverage.ts';
import type { Rule, Rulebook } from './knowledge.ts';
import { proofOf } from './proof.ts';
import type { RuleOutcome, RuleResult } from './result.ts';

const rule = (more: Partial<Rule> = {}) =>
  ({
    ...{ id: 'a', hooks: ['order-sign'], when: ['w'], unless: [], without: [], said: [] },
    ...{ indicators: [{ indicator: 'info', facts: [] }] },
    ...more,
  }) as unknown as Rule;

/** A bundle in which a rule had this outcome; facts: `w` holds, `!w` does not, any other is not known. */
function seen(
  name: string,
  own: Rule,
  outcome: RuleOutcome,
  facts: string[],
  more: { hook?: string; indicator?: string } = {},
): Observed {
  const finding = (fact: string) => ({
    outcome: facts.includes(fact) ? 'holds' : facts.includes(`!${fact}`) ? 'does-not-hold' : 'not-known',
  });
  const result = { rule: own, outcome, finding, indicator: more.indicator ?? 'info' } as unknown as RuleResult;
  return { bundle: name, hook: more.hook ?? 'order-sign', results: [result] };
}
const gaps = (own: Rule, ...observed: Observed[]) =>
  coverageGaps({ rules: [own] } as Rulebook, observed).map(({ message }) => message);

describe('what the test bundles fail to prove', () => {
  test('nothing is missing if a pair shows that each fact decides', () => {
    const own = rule();
    expect(gaps(own, seen('x', own, 'fires', ['w']), seen('y', own, 'does-not-hold', ['!w']))).toEqual([]);
  });

  test.each<RuleOutcome>(['fires', 'joins', 'superseded', 'rides-only'])('a rule that %s counts as held', (outcome) => {
    const own = rule();
    expect(gaps(own, seen('x', own, outcome, ['w']), seen('y', own, 'does-not-hold', ['!w']))).toEqual([]);
  });

  test.each<RuleOutcome>(['does-not-hold', 'not-known', 'switched-off', 'quiet', 'repeat', 'silent'])(
    'a rule that is %s does not count as held',
    (outcome) => {
      const own = rule();
      expect(gaps(own, seen('x', own, outcome, ['w']), seen('y', own, 'does-not-hold', ['!w']))).toEqual([
        'no test bundle fires it at order-sign',
        "no pair of test bundles shows that 'w' decides",
      ]);
    },
  );

  test('a fact in when, unless or without is proved only if all other facts are equal', () => {
    const own = rule({ unless: ['u'], without: ['v'] });
    const fires = seen('x', own, 'fires', ['w', '!u', '!v']);
    const all = [
      fires,
      seen('1', own, 'does-not-hold', ['!w', '!u', '!v']),
      seen('2', own, 'does-not-hold', ['w', 'u', '!v']),
      seen('3', own, 'does-not-hold', ['w', '!u', 'v']),
    ];
    expect(gaps(own, ...all)).toEqual([]);
    expect(decidingPairs(own, all)).toEqual([
      { fact: 'w', speaks: 'x', silent: '1' },
      { fact: 'u', speaks: 'x', silent: '2' },
      { fact: 'v', speaks: 'x', silent: '3' },
    ]);
    expect(gaps(own, fires, seen('1', own, 'does-not-hold', ['!w', 'u', '!v']))).toEqual(
      ['w', 'u', 'v'].map((fact) => `no pair of test bundles shows that '${fact}' decides`),
    );
    expect(gaps(own, fires, seen('1', own, 'not-known', ['!u', '!v']))).toContain(
      "no pair of test bundles shows that 'w' decides",
    );
  });

  test('a rule must fire at each of its hooks', () => {
    const own = rule({ hooks: ['order-sign', 'patient-view'] });
    const silent = seen('y', own, 'does-not-hold', ['!w'], { hook: 'patient-view' });
    expect(gaps(own, seen('x', own, 'fires', ['w']), silent)).toEqual(['no test bundle fires it at patient-view']);
  });

  test('a fact that sets the indicator must be shown to do so', () => {
    const own = rule({
      indicators: [
        { indicator: 'warning', facts: ['i'] },
        { indicator: 'info', facts: [] },
      ],
    });
    const silent = seen('y', own, 'does-not-hold', ['!w']);
    const loud = seen('1', own, 'fires', ['w', 'i'], { indicator: 'warning' });
    expect(gaps(own, silent, loud, seen('2', own, 'fires', ['w', '!i']))).toEqual([]);
    expect(gaps(own, silent, loud, seen('2', own, 'fires', ['w', '!i'], { indicator: 'warning' }))).toEqual([
      "no pair of test bundles shows that 'i' sets the indicator",
    ]);
    expect(gaps(own, silent, loud, seen('2', own, 'does-not-hold', ['!w', '!i']))).toContain(
      "no pair of test bundles shows that 'i' sets the indicator",
    );
  });

  test('a fact used only in the card must be seen both holding and not holding', () => {
    const own = rule({ said: ['s', 'w'] });
    const silent = seen('y', own, 'does-not-hold', ['!w', '!s']);
    const message = "the card is never seen both with and without 's'";
    expect(gaps(own, silent, seen('1', own, 'fires', ['w', 's']), seen('2', own, 'fires', ['w', '!s']))).toEqual([]);
    expect(gaps(own, silent, seen('1', own, 'fires', ['w', 's']))).toEqual([message]);
    expect(gaps(own, silent, seen('1', own, 'fires', ['w', '!s']))).toEqual([message]);
  });
});

test('the proof for readers lists the patients and pairs of each rule', () => {
  const own = rule();
  const observed = [
    seen('x', own, 'fires', ['w']),
    seen('y', own, 'does-not-hold', ['!w']),
    seen('z', own, 'joins', ['w']),
    seen('s', own, 'superseded', ['w']),
  ];
  expect(proofOf({ rules: [own] } as Rulebook, observed, new Map([['x', 'a note']]))).toEqual({
    a: { patients: 2, pairs: [{ fact: 'w', speaks: { name: 'x', note: 'a note' }, silent: { name: 'y', note: '' } }] },
  });
});
