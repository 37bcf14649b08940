import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { scratch } from '../testing/forecast.ts';
import { readState, writeState } from './state.ts';
import { emptyTally } from './tally.ts';

const files = scratch();
afterAll(files.remove);
const state = {
  sorted: false,
  chunks: 3,
  patients: 90,
  tallies: [emptyTally()],
  failures: { count: 0, named: [] },
};

test('a state can be read back only with its own key', () => {
  const path = files.path('a.state');
  writeState(path, 'mine', state);
  expect(readState(path, 'mine')).toMatchObject(state);
  expect(readState(path, 'another')).toBeUndefined();
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('a truncated or missing state is ignored', () => {
  const path = files.path('b.state');
  expect(readState(path, 'mine')).toBeUndefined();
  writeState(path, 'mine', state);
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 60));
  expect(readState(path, 'mine')).toBeUndefined();
});
