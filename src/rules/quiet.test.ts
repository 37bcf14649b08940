import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assess } from '../answer.ts';
import { answerFile, readTestBundles } from '../cli/bundles.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge, root } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { dosageUntil, type Json, pair, prescription } from '../testing/request.ts';
import { type Basis, basesOf, leaveOut, saysNothingNew } from './quiet.ts';
import type { RuleResult } from './result.ts';

const word = fc.stringMatching(/^[a-z]{1,4}$/);
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 4 });
const product = fc.record(
  { dosages: fc.array(word, { minLength: 1, maxLength: 3 }).map((list) => list.sort()), dose: fc.nat(100) },
  { requiredKeys: ['dosages'] },
);
const basis = fc.record(
  {
    indicator: fc.constantFrom('info' as const, 'warning' as const),
    rules: words,
    facts: words,
    products: fc.dictionary(word, product, { minKeys: 1, maxKeys: 3 }),
    positive: fc.nat(1000),
  },
  { requiredKeys: ['indicator', 'rules', 'facts', 'products'] },
) as fc.Arbitrary<Basis>;

const more: ((now: Basis) => Basis)[] = [
  (now) => ({ ...now, rules: [...now.rules, 'new-rule'] }),
  (now) => ({ ...now, facts: [...now.facts, 'newFact'] }),
  (now) => ({ ...now, products: { ...now.products, 'new product': { dosages: ['x'], dose: 1 } } }),
  (now) => ({ ...now, positive: (now.positive ?? 0) + 1 }),
  (now) => ({ ...now, indicator: 'critical' }),
  (now) => {
    const [name, known] = Object.entries(now.products)[0] as [string, Basis['products'][string]];
    const raised =
      known.dose === undefined ? { dosages: [...known.dosages, 'new dosage'] } : { ...known, dose: known.dose + 1 };
    return { ...now, products: { ...now.products, [name]: raised } };
  },
];

test('a card with the same basis, or with less, says nothing new', () => {
  fc.assert(
    fc.property(basis, (now) => {
      expect(saysNothingNew(now, now)).toBe(true);
      expect(saysNothingNew({ ...now, facts: now.facts.slice(1) }, now)).toBe(true);
      expect(saysNothingNew({ ...now, indicator: 'info' }, now)).toBe(true);
    }),
  );
});

test('a single new element makes a card new, even if others are gone', () => {
  fc.assert(
    fc.property(basis, fc.constantFrom(...more), fc.boolean(), (before, grow, fewer) => {
      const now = fewer ? { ...before, facts: before.facts.slice(1) } : before;
      expect(saysNothingNew(grow(now), before)).toBe(false);
    }),
  );
});

test('a day stated in a card is not news: a renewal that adds a day does not repeat the card', () => {
  const bundles = readTestBundles(join(root, 'test-bundles'), []);
  const { body, hook } = bundles.find(({ name }) =>
    name.includes('switched-inside-the-class'),
  ) as (typeof bundles)[number];
  const { call } = readRequest(body, hook);
  const question = { call, hookInstance: '', language: 'en' as const, today: '2026-03-02' };
  const { chart, results } = assess(question, knowledge);
  expect(results.find(({ outcome }) => outcome === 'fires')?.finding('longSince').value).toHaveLength(1);
  expect([...basesOf(results, chart).values()][0]?.facts).toEqual(['asked', 'longUse']);
});

describe('the basis of a card about treatments', () => {
  const { agonist, gabapentinoid } = examples;
  const daily = (value: number) => ({
    dosageInstruction: [
      {
        timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } },
        doseAndRate: [{ doseQuantity: { value, unit: 'mg' } }],
      },
    ],
  });
  /** The basis of the first card for a gabapentinoid taken alongside the agonist. */
  const basisOf = (...record: Json[]) => {
    const body = pair('patient-view', { record: [prescription('agonist', agonist), ...record] });
    const { answer } = answerFile(body, knowledge, 'en', '2026-03-02');
    const found = [...basesOf(answer.results, answer.chart).values()][0];
    if (!found) throw new Error('no card');
    return found;
  };
  const running = (id: string, dose: number, more: Json = {}) =>
    prescription(id, gabapentinoid, { ...daily(dose), ...more });
  const before = basisOf(running('a', 75));

  test.each([
    ['a renewal under another id', [running('b', 75)], true],
    ['a lower dose', [running('b', 50)], true],
    ['a higher dose', [running('b', 150)], false],
    ['a second order alongside the first', [running('a', 75), running('b', 75)], false],
    [
      'a second order that is over',
      [running('a', 75), running('b', 75, { status: 'completed', authoredOn: '2025-01-01', ...over() })],
      true,
    ],
  ])('%s', (_, record, known) => {
    expect(saysNothingNew(basisOf(...record), before)).toBe(known);
  });

  test('the basis does not depend on the order of the record', () => {
    const [one, other] = [running('a', 75), running('b', 50)];
    expect(basisOf(other, one).products).toEqual(basisOf(one, other).products);
    expect(saysNothingNew(basisOf(other, one), basisOf(one, other))).toBe(true);
  });

  test('the basis contains no name and no id', () => {
    expect(JSON.stringify(before)).not.toMatch(new RegExp(`${gabapentinoid}|${agonist}|MedicationRequest|kari`, 'i'));
  });

  function over() {
    return { dosageInstruction: [dosageUntil('2025-02-01')] };
  }
});

describe('which cards are left out', () => {
  const result = (id: string, outcome: string, more: object = {}) =>
    ({ rule: { id }, outcome, indicator: 'warning', ...more }) as unknown as RuleResult;
  const outcomes = (...results: RuleResult[]) =>
    leaveOut(
      results,
      new Map([
        ['a', 'quiet'],
        ['b', 'repeat'],
      ]),
    ).map(({ outcome }) => outcome);
  test.each<[what: string, results: RuleResult[], outcomes: string[]]>([
    [
      'the silenced cards',
      [result('a', 'fires'), result('b', 'fires'), result('c', 'fires')],
      ['quiet', 'repeat', 'fires'],
    ],
    [
      'cards that join a silenced one, with it',
      [result('a', 'fires'), result('x', 'joins', { by: 'a' })],
      ['quiet', 'quiet'],
    ],
    ['no card that joins another', [result('c', 'fires'), result('a', 'joins', { by: 'c' })], ['fires', 'joins']],
    [
      'a card beside a critical one',
      [result('c', 'fires', { indicator: 'critical' }), result('a', 'fires')],
      ['fires', 'quiet'],
    ],
    ['never a critical card', [result('a', 'fires', { indicator: 'critical' })], ['fires']],
    [
      'no card that joins a critical one',
      [result('a', 'fires', { indicator: 'critical' }), result('x', 'joins', { by: 'a' })],
      ['fires', 'joins'],
    ],
    [
      'a critical rule that joins a silenced one, with it',
      [result('a', 'fires'), result('x', 'joins', { by: 'a', indicator: 'critical' })],
      ['quiet', 'quiet'],
    ],
    [
      'a rule without a card is unchanged',
      [result('a', 'does-not-hold'), result('b', 'not-known')],
      ['does-not-hold', 'not-known'],
    ],
  ])('%s', (_, results, expected) => {
    expect(outcomes(...results)).toEqual(expected);
  });
});
