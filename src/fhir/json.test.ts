import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayHaveExactNumbers, parseExactly } from './json.ts';

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

// Where it says no, plain parsing writes back what was sent.
test('JSON is read anew wherever a number would not come back as it was written', () => {
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
