import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { languages } from '../language.ts';
import { root } from '../testing/app.ts';
import { message, parse } from './message.ts';

/** Every text of cards/ with a placeholder. */
const texts = [
  ...new Set(
    readdirSync(join(root, 'cards'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml'))
      .flatMap((file) => textsIn(parseYaml(readFileSync(join(root, 'cards', file), 'utf8')))),
  ),
];

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('{') ? [value] : [];
  return Object.values(value ?? {}).flatMap(textsIn);
}

const forms = [
  '{a}',
  'no placeholder',
  "it''s {a}",
  '{a, select, x {one {b}} other {none}}',
  '{n, plural, =0 {none} one {# thing} other {# things}} of {a}',
  '{n, plural, offset:1 =0 {nobody} one {{a} and # other} other {{a} and # others}}',
  '{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}',
  '{n, plural, one {{a, select, x {#} other {-}}} other {{m, plural, one {#} other {#}}}}',
  '{n, plural, one {{m, number, percent}} other {# {a}}}',
  '{n, number} {m, number, percent} {n, number, ::.00}',
  '{d, date} {d, date, short} {d, date, medium} {d, date, long} {d, date, full} {d, date, ::yyyyMMdd}',
  '{d, time, short}',
  '{n, number, percent}',
];

/** Makes a text that was not compiled before in the process of the tests. */
const UNSEEN = ` ${crypto.randomUUID()}`;

const number = fc.oneof(fc.integer({ min: -3, max: 30 }), fc.double({ noNaN: true, min: -1e6, max: 1e9 }));
const word = fc.oneof(fc.constantFrom('x', 'one', '', 'toString', '__proto__', '{b}', "<b>'"), fc.string());
const date = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });

test.each(languages)('a compiled message gives the same result as the library, in %s', (language) => {
  expect(texts.length).toBeGreaterThan(100);
  fc.assert(
    fc.property(
      fc.constantFrom(...texts, ...forms),
      fc.infiniteStream(fc.tuple(number, word, date)),
      (form, stream) => {
        const text = form + UNSEEN;
        const written = parse(text, language);
        const compiled = message(text, language);
        const values = Object.fromEntries(
          [...compiled.placeholders].map((name) => {
            const [{ value }] = [stream.next()] as [{ value: [number, string, Date] }];
            return [name, valueFor(text, name, value)];
          }),
        );
        expect(compiled.format(values)).toBe(String(written.format(values)));
      },
    ),
    { numRuns: 1500 },
  );
});

/** A date for a date, a number for a plural or a number, and otherwise a word or a number. */
function valueFor(text: string, name: string, [number, word, date]: [number, string, Date]): string | number | Date {
  if (new RegExp(`\\{${name}, (date|time)`).test(text)) return date;
  if (new RegExp(`\\{${name}, (plural|selectordinal|number)`).test(text)) return number;
  return number % 2 === 0 ? number : word;
}

test.each<[text: string, placeholders: string[]]>([
  ['x', []],
  ["it''s '{a}'", []],
  ['{a} {b} {a}', ['a', 'b']],
  ['{n, number} {d, date, long}', ['n', 'd']],
  ['{a, select, x {one {b}} other {none}}', ['a', 'b']],
  ['{n, plural, one {# of {a}} other {{m, plural, other {# and {b}}}}}', ['n', 'a', 'm', 'b']],
])('the placeholders of %s are %j', (text, placeholders) => {
  expect([...message(text + UNSEEN, 'en').placeholders]).toEqual(placeholders);
});

test('a text is compiled once per language', () => {
  const text = '{n, number} {d, date, long}';
  expect(message(text, 'en')).toBe(message(text, 'en'));
  const values = { n: 1234.5, d: new Date('2026-03-02') };
  expect(message(text, 'en').format(values)).toBe('1,234.5 2 March 2026');
  expect(message(text, 'da').format(values)).toBe('1.234,5 2. marts 2026');
});

test('an invalid text is an error that names the mistake', () => {
  for (const text of ['{a', '{a, plural, one {x}}', '{}']) expect(() => message(text, 'en')).toThrow(/\w/);
  expect(message('<b>{a}</b>', 'en').format({ a: 'x' })).toBe('<b>x</b>');
});

test('a missing value is an error, as in the library', () => {
  for (const text of ['{a}', '{a, date, long}', '{a, plural, other {#}}', '{a, select, other {x}}']) {
    expect(() => message(text, 'en').format({})).toThrow('{a}');
    expect(() => parse(text, 'en').format({})).toThrow();
  }
});
