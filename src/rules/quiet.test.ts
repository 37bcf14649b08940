import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assess } from '../answer.ts';
import { readTestBundles } from '../cli/bundles.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge, root } from '../testing/app.ts';
import { type Basis, basesOf, saysNothingNew } from './quiet.ts';

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

test('a card says nothing new beside itself, nor with less', () => {
  fc.assert(
    fc.property(basis, (now) => {
      expect(saysNothingNew(now, now)).toBe(true);
      expect(saysNothingNew({ ...now, facts: now.facts.slice(1) }, now)).toBe(true);
      expect(saysNothingNew({ ...now, indicator: 'info' }, now)).toBe(true);
    }),
  );
});

test('whatever else has become less, one thing that is new makes it new', () => {
  fc.assert(
    fc.property(basis, fc.constantFrom(...more), fc.boolean(), (before, grow, fewer) => {
      const now = fewer ? { ...before, facts: before.facts.slice(1) } : before;
      expect(saysNothingNew(grow(now), before)).toBe(false);
    }),
  );
});

test('a day that a card tells is no news: a renewal that adds one to it does not bring it back', () => {
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
