import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printJson } from './print.ts';

test('JSON is printed as by JSON.stringify', () => {
  fc.assert(
    fc.property(fc.json().map(JSON.parse), (value) => {
      expect(printJson(value).lines.join('\n')).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

test('the lines of each resource are known, including contained and repeated ones', () => {
  const inner = { resourceType: 'Medication', id: 'm' };
  const value = { a: { resourceType: 'MedicationRequest', id: 'x', contained: [inner] }, b: [inner] };
  const { lines, ranges } = printJson(value);
  const text = (ref: string) =>
    ranges.get(ref)?.map(([first, last]) =>
      lines
        .slice(first, last + 1)
        .join('\n')
        .trim()
        .replace(/^"a": |,$/g, ''),
    );
  expect(text('Medication/m')?.map((json) => JSON.parse(json))).toEqual([inner, inner]);
  expect(text('MedicationRequest/x')?.map((json) => JSON.parse(json))).toEqual([value.a]);
});
