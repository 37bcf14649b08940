import { describe, expect, test } from 'vitest';
import { OPEN } from '../dates.ts';
import {
  type Degree,
  degreeBetween,
  higher,
  isOpen,
  lastDayOf,
  lastPeriodOf,
  lower,
  merged,
  periodFrom,
  type Span,
  until,
} from './periods.ts';

// recommendations.md, 1.1. Days are numbers here: `taken 3..5`.
const spansOf = (text: string): Span[] =>
  text
    .split(', ')
    .filter((part) => part !== '')
    .map((part) => {
      const [degree, days = ''] = part.split(' ') as [Degree, string];
      const [start, end] = days.split('..').map(Number) as [number, number];
      return { start, end, degree };
    });
const written = (spans: Span[]) => spans.map(({ start, end, degree }) => `${degree} ${start}..${end}`).join(', ');

test.each<[Degree | undefined, Degree | undefined, Degree | undefined]>([
  ['taken', 'taken', 'taken'],
  ['taken', 'presumed', 'taken'],
  ['taken', 'possible', 'taken'],
  ['presumed', 'possible', 'presumed'],
  ['taken', undefined, 'taken'],
  ['possible', undefined, 'possible'],
  [undefined, undefined, undefined],
])('of %s and %s the higher is %s, in either order', (one, other, expected) => {
  expect([higher(one, other), higher(other, one)]).toEqual([expected, expected]);
});

test.each<[Degree, Degree, Degree]>([
  ['taken', 'presumed', 'presumed'],
  ['taken', 'possible', 'possible'],
  ['presumed', 'possible', 'possible'],
])('of %s and %s the lower is %s, in either order', (one, other, expected) => {
  expect([lower(one, other), lower(other, one)]).toEqual([expected, expected]);
});

describe('the highest degree between two days, inclusive', () => {
  test.each<[spans: string, from: number, to: number, degree: Degree | undefined]>([
    ['', 1, 9, undefined],
    ['taken 3..5', 1, 2, undefined],
    ['taken 3..5', 1, 3, 'taken'],
    ['taken 3..5', 5, 9, 'taken'],
    ['taken 3..5', 6, 9, undefined],
    ['taken 3..5', 4, 4, 'taken'],
    ['possible 1..9, presumed 4..5', 1, 9, 'presumed'],
    ['presumed 4..5, possible 1..9', 1, 9, 'presumed'],
    ['possible 1..9, taken 4..5', 6, 9, 'possible'],
  ])('%s from %d to %d: %s', (spans, from, to, degree) => {
    expect(degreeBetween(spansOf(spans), from, to)).toBe(degree);
  });
});

describe('spans of one degree that touch or overlap are merged', () => {
  test.each<[what: string, spans: string, expected: string]>([
    ['none', '', ''],
    ['they overlap', 'taken 1..5, taken 3..9', 'taken 1..9'],
    ['they touch', 'taken 1..5, taken 6..9', 'taken 1..9'],
    ['a day lies between', 'taken 1..5, taken 7..9', 'taken 1..5, taken 7..9'],
    ['one lies inside', 'taken 1..9, taken 3..5', 'taken 1..9'],
    ['they come in another order', 'taken 6..9, taken 1..5', 'taken 1..9'],
    ['each of three touches the next', 'taken 1..2, taken 3..4, taken 5..6', 'taken 1..6'],
    ['another degree between them', 'taken 1..5, presumed 5..6, taken 6..9', 'taken 1..9, presumed 5..6'],
    ['other degrees stay separate', 'presumed 4..9, taken 1..5', 'taken 1..5, presumed 4..9'],
  ])('%s', (_, spans, expected) => {
    expect(written(merged(spansOf(spans)))).toBe(expected);
  });

  test('the input is not changed', () => {
    const spans = spansOf('taken 6..9, taken 1..5');
    merged(spans);
    expect(written(spans)).toBe('taken 6..9, taken 1..5');
  });
});

test.each<[spans: string, day: number, expected: string]>([
  ['taken 1..5', 0, ''],
  ['taken 1..5', 1, 'taken 1..1'],
  ['taken 1..5', 4, 'taken 1..4'],
  ['taken 1..5', 9, 'taken 1..5'],
  ['taken 1..5, presumed 6..9', 5, 'taken 1..5'],
])('%s until %d: %s', (spans, day, expected) => {
  expect(written(until(spansOf(spans), day))).toBe(expected);
});

describe('the continuous period that contains a day, or the next one', () => {
  test.each<[spans: string, day: number, period: string | undefined]>([
    ['', 3, undefined],
    ['taken 1..5', 3, '1..5'],
    ['taken 1..5', 5, '1..5'],
    ['taken 1..5', 6, undefined],
    ['taken 4..5', 3, '4..5'],
    ['taken 1..5, presumed 6..9', 3, '1..9'],
    ['presumed 6..9, taken 1..5', 3, '1..9'],
    ['taken 1..5, presumed 7..9', 3, '1..5'],
    ['taken 1..5, presumed 7..9', 6, '7..9'],
    ['taken 1..2, taken 4..5, taken 7..9', 5, '4..5'],
    ['taken 1..9, possible 2..3', 3, '1..9'],
  ])('of %s, day %d: %s', (spans, day, expected) => {
    const period = periodFrom(spansOf(spans), day);
    expect(period && `${period.start}..${period.end}`).toBe(expected);
  });

  test('its input is not changed', () => {
    const spans = spansOf('taken 6..9, taken 1..5');
    periodFrom(spans, 3);
    expect(written(spans)).toBe('taken 6..9, taken 1..5');
  });
});

test.each<[spans: string, last: number | undefined, period: string | undefined]>([
  ['', undefined, undefined],
  ['taken 1..5', 5, '1..5'],
  ['taken 7..9, taken 1..5', 9, '7..9'],
  ['taken 1..5, possible 6..8', 8, '1..8'],
])('the last day of %s is %s, its last period %s', (spans, last, expected) => {
  const period = lastPeriodOf(spansOf(spans));
  expect([lastDayOf(spansOf(spans)), period && `${period.start}..${period.end}`]).toEqual([last, expected]);
});

test('a period is open from the first day that no date can reach', () => {
  expect([isOpen(OPEN - 1), isOpen(OPEN)]).toEqual([false, true]);
});
