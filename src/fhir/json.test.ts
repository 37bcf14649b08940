import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  idOf,
  isId,
  isObject,
  isResource,
  keyPart,
  mayHaveExactNumbers,
  number,
  object,
  objects,
  parseExactly,
  reference,
  string,
  typeOf,
} from './json.ts';

test.each<[value: unknown, isObject: boolean]>([
  [{}, true],
  [[], false],
  [null, false],
  ['{}', false],
  [undefined, false],
])('%j is an object: %s', (value, expected) => {
  expect(isObject(value)).toBe(expected);
  expect(object(value)).toEqual({});
});

test.each<[value: unknown, isResource: boolean]>([
  [{ resourceType: 'Patient' }, true],
  [{ resourceType: '' }, false],
  [{ resourceType: 1 }, false],
  [{}, false],
  [[{ resourceType: 'Patient' }], false],
])('%j is a resource: %s', (value, expected) => {
  expect(isResource(value)).toBe(expected);
});

test.each<[value: unknown, objects: unknown[]]>([
  [undefined, []],
  [null, []],
  ['a', []],
  [{ a: 1 }, [{ a: 1 }]],
  [
    [{ a: 1 }, { b: 2 }],
    [{ a: 1 }, { b: 2 }],
  ],
  [[{ a: 1 }, 'b', null, [{ c: 3 }]], [{ a: 1 }]],
])('H10: the objects of %j', (value, expected) => {
  expect(objects(value)).toEqual(expected);
});

test.each<[value: unknown, string: string | undefined]>([
  ['a', 'a'],
  [' a ', ' a '],
  ['', undefined],
  [' \n', undefined],
  [1, undefined],
])('the text of %j', (value, expected) => {
  expect(string(value)).toBe(expected);
});

test.each<[value: unknown, number: number | undefined]>([
  [1.5, 1.5],
  [0, 0],
  ['1', undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [null, undefined],
])('the number of %j', (value, expected) => {
  expect(number(value)).toBe(expected);
});

describe('numbers with their digits', () => {
  test.each(['{"a":1.50}', '[1e2,100.0,1]', '{"a":"1.50","b":-0.10}'])('%s is written back unchanged', (text) => {
    expect(JSON.stringify(parseExactly(text))).toBe(text);
  });

  test('a number with its digits is read as a number', () => {
    const { value } = parseExactly('{"value":1.50}') as { value: unknown };
    expect([typeof value, number(value)]).toEqual(['object', 1.5]);
    expect(parseExactly('1.5')).toBe(1.5);
  });
});

test.each<[text: string, isId: boolean]>([
  ['a', true],
  ['A-1.b', true],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['', false],
  ['a_b', false],
  ['a/b', false],
  ['a b', false],
  [' a', false],
  ['a\n', false],
])('%j is a valid FHIR id: %s', (text, expected) => {
  expect(isId(text)).toBe(expected);
});

test.each<[ref: string, id: string, type: string | undefined]>([
  ['Patient/x', 'x', 'Patient'],
  ['https://fhir.example/r4/Patient/x', 'x', 'Patient'],
  ['Patient/x/_history/2', 'x', 'Patient'],
  ['https://fhir.example/Patient/x/_history/2', 'x', 'Patient'],
  ['urn:uuid:x', 'x', undefined],
  ['#x', 'x', undefined],
  ['x', 'x', undefined],
  ['/x', 'x', undefined],
  ['Patient2/x', 'x', undefined],
  ['a/_history/1/x', 'x', undefined],
])('%s names %s of type %s', (ref, id, type) => {
  expect([idOf(ref), typeOf(ref)]).toEqual([id, type]);
});

test.each<[value: unknown, reference: string | undefined]>([
  [{ reference: 'Patient/x' }, 'Patient/x'],
  [{ reference: '' }, undefined],
  [{ display: 'x' }, undefined],
  ['Patient/x', undefined],
])('the reference of %j', (value, expected) => {
  expect(reference(value)).toBe(expected);
});

test('values of different types are different keys', () => {
  const values = ['5', 5, true, 'true', null, 'null', undefined, 'undefined', { a: 1 }, '{"a":1}', [5], ''];
  expect(new Set(values.map(keyPart)).size).toBe(values.length);
  expect(keyPart({ toString: 'none' })).toBe('{"toString":"none"}');
});

const digits = (most: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: most }).map((all) => all.join(''));
const numeral = fc
  .tuple(fc.constantFrom('', '-'), digits(30), digits(40), fc.constantFrom('', 'e5', 'E-3', 'e+07'))
  .map(([sign, whole, decimals, exponent]) => {
    const front = whole.replace(/^0+(?=\d)/, '') || '0';
    return `${sign}${front}${decimals && `.${decimals}`}${exponent}`;
  });
const space = fc.constantFrom('', ' ', '\n', '\t');
const texts = fc.constantFrom(
  '1.2.752.129.2.1.5.1',
  'urn:oid:2.16.578.1.12.4.1.1',
  'T10:00:00.000Z',
  '0.50 mg',
  '',
  '1e5',
);

// If it says no, plain parsing writes back what was sent.
test('JSON is reparsed exactly if any number would be written back differently', () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(numeral, texts, space), { minLength: 1, maxLength: 4 }), (parts) => {
      const json = `{"list":[${parts.map(([number, text, gap]) => `${gap}${number}${gap},"${text}"`).join(',')}],"n":${parts[0]?.[0]}}`;
      if (mayHaveExactNumbers(json)) return;
      plain += 1;
      expect(JSON.stringify(JSON.parse(json))).toBe(JSON.stringify(parseExactly(json)));
    }),
    { numRuns: 3000 },
  );
  expect(plain).toBeGreaterThan(100);
});

test.each([
  ['1.50', true],
  ['100', false],
  ['0.5', false],
  ['1e3', true],
  ['-0', true],
  ['0.00000012', true],
  ['12345678901234567', true],
  ['"1.50"', false],
  ['"urn:oid:1.2.752.129.2.1.5.10"', false],
])('%s: %s', (number, exact) => {
  expect(mayHaveExactNumbers(`{"value":${number}}`)).toBe(exact);
});
