import { expect, test } from 'vitest';
import { durationOf, lineOf, progressLine } from './progress.ts';

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 200, write: (text: string) => written.push(text) > 0 };
}

test('nothing is written without a terminal', () => {
  const stream = terminal(false);
  const line = progressLine(stream, { unit: 'patients', clock: () => 0 });
  line.update(5, 10);
  line.end();
  expect(stream.written).toEqual([]);
});

test('on a terminal the line shows share, rate and time left, and the rate excludes earlier runs', () => {
  const stream = terminal(true);
  let now = 0;
  const line = progressLine(stream, { unit: 'patients', clock: () => now });
  line.update(500, 1000);
  now = 10_000;
  line.update(600, 1000);
  expect(stream.written.at(-1)).toContain('60 %, 10 patients/s, 40 s left');
});

test('the line is not written more often than it can be read', () => {
  const stream = terminal(true);
  let now = 0;
  const line = progressLine(stream, { unit: 'patients', clock: () => now });
  for (now = 0; now < 1000; now++) line.update(now, 1000);
  expect(stream.written).toHaveLength(5);
});

test('a named line is written now and then, even without a terminal', () => {
  const stream = terminal(false);
  let now = 0;
  const line = progressLine(stream, { unit: 'patients', clock: () => now, name: 'Shard 3/7' });
  for (now = 0; now <= 20_000; now += 500) line.update(now / 10, 8000);
  line.end();
  expect(stream.written).toEqual([
    'Shard 3/7: 1,000 patients, 12 %, 1 min 10 s left\n',
    'Shard 3/7: 2,000 patients, 25 %, 1 min 00 s left\n',
  ]);
});

test('without a total there is no share', () => {
  expect(lineOf(1234, 1234, 2, undefined, 'patients')).toBe('1,234 patients, 617 patients/s');
});

test.each([
  [8.4, '8 s'],
  [200, '3 min 20 s'],
  [3900, '1 h 05 min'],
])('%d seconds are printed as %s', (seconds, text) => {
  expect(durationOf(seconds)).toBe(text);
});
