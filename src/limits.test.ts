import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits } from './limits.ts';
import { root } from './testing/app.ts';

const UNITS: Record<string, number> = { '': 1, bytes: 1, KiB: 1024, MiB: 1024 ** 2, s: 1000, min: 60_000 };
/** Limits that are neither bytes nor milliseconds. */
const COUNTED_IN: Record<string, number> = { bodyMib: 1024 ** 2, tokenLife: 1000, clockSkew: 1000 };

const inCode = Object.entries(limits).flatMap(([name, value]): [string, number][] =>
  typeof value === 'number'
    ? [[name, value * (COUNTED_IN[name] ?? 1)]]
    : Object.entries(value).map(([part, number]) => [`${name}.${part}`, number]),
);

/** The names and values in the table of docs/hospital-it.md. */
const inTable = [
  ...readFileSync(join(root, 'docs/hospital-it.md'), 'utf8').matchAll(
    /^\| `([A-Za-z.]+)` \| (\d[\d .]*?) ?([A-Za-z]*) \| [^|]+ \| [^|]* \|$/gm,
  ),
].map(([, name = '', number = '', unit = '']): [string, number] => [
  name,
  Number(number.replaceAll(' ', '')) * (UNITS[unit] ?? Number.NaN),
]);

test('the table of limits in docs/hospital-it.md lists every limit of the code in order, with its value', () => {
  expect(inCode.length).toBeGreaterThan(30);
  expect(inTable).toEqual(inCode);
});
