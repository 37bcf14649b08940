import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './testing/app.ts';

// The reader gate: if no row of the readers' tables and no test bundle holds an element of FHIR or a code that they name,
// it may be read wrongly and nobody would notice.

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name));
}

/** A file's code: without comments, and without what it imports. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replace(/^import [^;]*;$/gm, '');
}

const code = ['src/chart', 'src/fhir'].flatMap(filesIn).filter((file) => file.endsWith('.ts'));
const readers = code.filter((file) => !file.endsWith('.test.ts'));
const tables = code.filter((file) => file.endsWith('.test.ts'));

const WORD = "'([A-Za-z_][\\w-]*)'";
/** `x['name']`, `['code', 'code']`, `'name' in x`, `=== 'code'`, and the keys of a table of codes. */
const NAMED = [
  new RegExp(`(?<=\\[[^\\[\\]]*)${WORD}(?=[^\\[\\]]*\\])`, 'g'),
  new RegExp(`${WORD} in `, 'g'),
  new RegExp(`[!=]== ${WORD}`, 'g'),
  new RegExp(`case ${WORD}:`, 'g'),
  new RegExp(`^ {2}(?:${WORD}|([a-z]+)): '[a-z-]+',$`, 'gm'),
];

function named(file: string): string[] {
  const text = codeOf(file);
  return NAMED.flatMap((pattern) => [...text.matchAll(pattern)].map(([, quoted, plain]) => quoted ?? plain ?? ''));
}

/** Keys and whole strings of the tables. */
function rowsOf(file: string): string[] {
  return [...codeOf(file).matchAll(/(?<![\w-])(['"]?)([A-Za-z_][\w-]*)\1(?=\s*:)|(['"])([A-Za-z_][\w-]*)\3/g)].map(
    ([, , key, , text]) => key ?? text ?? '',
  );
}

function wordsOf(value: unknown, words: Set<string>): void {
  if (typeof value === 'string') words.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const [key, part] of Object.entries(value)) {
      words.add(key);
      wordsOf(part, words);
    }
}

/** Words of our own and of Node's that stand where FHIR codes do. */
const OURS: readonly string[] = [
  ...[
    'atc',
    'nlk',
    'effective-period',
    'fhir-version',
    'other-medicine',
    'computed',
    'stated',
    'procedure',
    'replaced',
  ],
  ...['find', 'leftOut', 'reading', 'limit', 'implant', 'boolean', 'rejected', 'AbortError', 'TimeoutError'],
  ...['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'carrierGradeNat', 'loopback', 'private', 'unicast', 'uniqueLocal'],
];

test('every element and code that a reader names appears in a table row or a test bundle', () => {
  const held = new Set(tables.flatMap(rowsOf));
  for (const file of filesIn('test-bundles').filter((name) => name.endsWith('.request.json')))
    wordsOf(JSON.parse(readFileSync(file, 'utf8')), held);
  const names = new Map(readers.flatMap((file) => named(file).map((name) => [name, file.slice(root.length)])));
  expect(names.size).toBeGreaterThan(200);
  const missing = [...names].filter(([name]) => !held.has(name) && !OURS.includes(name));
  expect(missing.map(([name, file]) => `${file}: ${name}`).sort()).toEqual([]);
});
