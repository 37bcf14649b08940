import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { isTooDeep } from './depth.ts';

test.each<[value: unknown, levels: number, tooDeep: boolean]>([
  [null, 0, false],
  ['a', 0, false],
  [undefined, 0, false],
  [{}, 0, true],
  [[], 0, true],
  [{}, 1, false],
  [[null, 1], 1, false],
  [[[]], 1, true],
  [{ a: {} }, 1, true],
  [{ a: [{ b: 1 }] }, 3, false],
  [{ a: [{ b: 1 }, { c: [] }] }, 3, true],
])('%j is nested deeper than %i levels: %s', (value, levels, tooDeep) => {
  expect(isTooDeep(value, levels)).toBe(tooDeep);
});

test('the default depth is the limit of a call', () => {
  const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  expect([isTooDeep(nested(limits.depth)), isTooDeep(nested(limits.depth + 1))]).toEqual([false, true]);
});
