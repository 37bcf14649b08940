import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addTally, emptyTally, finished, type Tally } from './tally.ts';

const tallyOf = (unrecognised: Record<string, number>): Tally => ({ ...emptyTally(), unrecognised });

test('when there are too many kinds of medicine, the same ones are kept however the parts are added', () => {
  const coded = Array.from({ length: 100 }, (_, at) => JSON.stringify([`coded ${at}`, 'urn:x', String(at)]));
  const texts = Array.from({ length: 45_000 }, (_, at) => JSON.stringify([`free text ${at}`, '', '']));
  // Coded kinds come last.
  const kinds = [...texts, ...coded];
  const sumOf = (parts: string[][]) => {
    const sum = emptyTally();
    for (const part of parts) addTally(sum, tallyOf(Object.fromEntries(part.map((kind) => [kind, 2]))));
    return finished(sum).unrecognised;
  };
  const whole = sumOf([kinds]);
  expect(Object.keys(whole)).toHaveLength(20_001);
  expect(Object.keys(whole)).toEqual(expect.arrayContaining(coded));
  expect(Object.values(whole).reduce((all, value) => all + value, 0)).toBe(2 * kinds.length);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 44_999 }), fc.boolean(), (cut, turned) => {
      const parts = [kinds.slice(0, cut), kinds.slice(cut)];
      expect(sumOf(turned ? parts.toReversed() : parts)).toEqual(whole);
    }),
    { numRuns: 3 },
  );
});
