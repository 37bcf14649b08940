import { expect, test } from 'vitest';
import { compare } from './changed.ts';

const text = (before: unknown, after: unknown) =>
  compare(before, after).map(
    ({ kind, text }) => `${{ same: ' ', added: '+', removed: '-', gap: '~' }[kind]}${text.trim()}`,
  );

test('a change is shown with its surrounding lines, and distant lines are counted', () => {
  const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 };
  expect(text(before, { ...before, g: 8 })).toEqual([
    '~5 lines unchanged',
    ' "e": 5,',
    ' "f": 6,',
    '-"g": 7',
    '+"g": 8',
    ' }',
  ]);
});

test('a new order is shown as all added, a removed one as all removed', () => {
  expect(text(undefined, { a: 1 })).toEqual(['+{', '+"a": 1', '+}']);
  expect(text({ a: 1 }, undefined)).toEqual(['-{', '-"a": 1', '-}']);
});
