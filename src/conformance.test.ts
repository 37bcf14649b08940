import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './testing/app.ts';

/** How many requirements each section has; their ids run from 1. */
const sections = {
  ...{ T: 15, DI: 16, R: 10, H: 16, PT: 12, P: 16, F: 11, J: 21 },
  ...{ C: 4, S: 9, K: 19, A: 16, L: 5, FB: 12, E: 4, V: 7 },
  // What people who integrate have met.
  FS: 15,
};
const expected = Object.entries(sections).flatMap(([letters, count]) =>
  Array.from({ length: count }, (_, at) => `${letters}${at + 1}`),
);

const ID = `(?:${Object.keys(sections).join('|')})\\d+`;
const IDS = `${ID}(?:–${ID})?(?:, ${ID}(?:–${ID})?)*`;
/** A title that begins with ids, in `test('…'`, and in `])('…'` and `\`…\`)('…'` of test.each. */
const TITLE = new RegExp(`(?:\\btest(?:\\.\\w+)?\\(|\\)\\(|\\]\\()\\s*(['"\`])(${IDS}: (?:(?!\\1).)*)\\1,`, 'g');

/** The ids that a title begins with: `K1, A1–A3: …` is K1, A1, A2, A3. */
function idsOf(title: string): string[] {
  return (title.split(': ')[0] as string).split(', ').flatMap((part) => {
    const [first, last = first] = part.split('–') as [string, string?];
    const letters = first.replace(/\d+/, '');
    const [from, to] = [first, last].map((id) => Number(id.slice(letters.length))) as [number, number];
    return Array.from({ length: to - from + 1 }, (_, at) => `${letters}${from + at}`);
  });
}

function titlesOf(file: string): string[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(TITLE)].map(([, , title]) => title as string);
}

type Row = { id: string; words: string; status: string; why: string };
const rows: Row[] = [
  ...readFileSync(join(root, 'docs/conformance.md'), 'utf8').matchAll(
    new RegExp(`^\\| (${ID}) \\| (.+?) \\| (.+?) \\| (.+) \\|$`, 'gm'),
  ),
].map(([, id = '', words = '', status = '', why = '']) => ({ id, words, status, why }));

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((name) => `src/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.test.ts'));

test('docs/conformance.md has every requirement once, in order', () => {
  expect(rows.map(({ id }) => id)).toEqual(expected);
});

test('each is proven, does not apply or is not yet; without a proof the reason is reported', () => {
  const statuses = ['proven', 'not applicable', 'not yet'];
  expect(rows.filter(({ status }) => !statuses.includes(status))).toEqual([]);
  expect(rows.filter(({ status, why }) => status !== 'proven' && !/[a-z]{3}/.test(why))).toEqual([]);
});

test('what is proven names a test that begins with its id', () => {
  const unproven = rows
    .filter(({ status }) => status === 'proven')
    .filter(({ id, why }) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(why.replaceAll('\\|', '|')) ?? [];
      return !existsSync(join(root, file)) || !titlesOf(file).includes(title) || !idsOf(title).includes(id);
    });
  expect(unproven).toEqual([]);
});

test('what some test proves is not said to be unproven', () => {
  const proven = new Set(rows.filter(({ status }) => status === 'proven').map(({ id }) => id));
  const stray = files.flatMap((file) =>
    titlesOf(file).flatMap((title) =>
      idsOf(title)
        .filter((id) => !proven.has(id))
        .map((id) => `${id}: ${file}: ${title}`),
    ),
  );
  expect(stray).toEqual([]);
});

test('the counts in the text are those of the table', () => {
  const text = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  expect(text).toContain(`as ${rows.length} requirements`);
  expect(text).toContain(
    `${count('proven')} are proven, ${count('not applicable')} do not apply, ${count('not yet')} are not yet met or not yet tested`,
  );
});
