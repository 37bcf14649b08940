// scripts/conformance.ts, a reporter of `npm test`, checks that the tests which prove the rows run and pass.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './testing/app.ts';

/** How many requirements each section has; their ids run from 1. */
const sections = {
  ...{ T: 15, DI: 16, R: 10, H: 16, PT: 12, P: 16, F: 11, J: 21 },
  ...{ C: 4, S: 9, K: 19, A: 16, L: 5, FB: 12, E: 4, V: 7 },
  // What integrators have met in practice.
  FS: 15,
};
const expected = Object.entries(sections).flatMap(([letters, count]) =>
  Array.from({ length: count }, (_, at) => `${letters}${at + 1}`),
);

const ID = `(?:${Object.keys(sections).join('|')})\\d+`;

type Row = { id: string; words: string; status: string; why: string };
const rows: Row[] = [
  ...readFileSync(join(root, 'docs/conformance.md'), 'utf8').matchAll(
    new RegExp(`^\\| (${ID}) \\| (.+?) \\| (.+?) \\| (.+) \\|$`, 'gm'),
  ),
].map(([, id = '', words = '', status = '', why = '']) => ({ id, words, status, why }));

test('docs/conformance.md has every requirement once, in order', () => {
  expect(rows.map(({ id }) => id)).toEqual(expected);
});

test('each requirement is proven, not applicable or not yet met, and one without a proof states the reason', () => {
  const statuses = ['proven', 'not applicable', 'not yet'];
  expect(rows.filter(({ status }) => !statuses.includes(status))).toEqual([]);
  expect(rows.filter(({ status, why }) => status !== 'proven' && !/[a-z]{3}/.test(why))).toEqual([]);
});

test('each proven row names a test file and a test that begins with its id', () => {
  const named = rows.filter(({ status }) => status === 'proven');
  expect(named.filter(({ why }) => !/^`src\/[\w/.-]+\.test\.ts`: [A-Z]+\d+.*: ./.test(why))).toEqual([]);
});

test('the counts in the text match the table', () => {
  const text = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  expect(text).toContain(`as ${rows.length} requirements`);
  expect(text).toContain(
    `${count('proven')} are proven, ${count('not applicable')} do not apply, ${count('not yet')} are not yet met or not yet tested`,
  );
});
