import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import type { Resource } from '../fhir/json.ts';
import { limits } from '../limits.ts';
import type { Json } from '../testing/request.ts';
import { checkDosages, checkNumber, dosagesIn } from './bounds.ts';

const entry = (more: Json) => ({ resourceType: 'MedicationRequest', ...more }) as Resource;
const many = (length: number) => Array.from({ length }, () => ({ text: 'x' }));
/** The message of a refusal, or that nothing was refused. */
function refusal(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? [error.code, error.diagnostics] : error;
  }
}

test.each<[what: string, entry: Json, number: number]>([
  ['nothing', {}, 0],
  ['lines of an order', { dosageInstruction: many(3) }, 3],
  ['lines of a statement', { dosage: many(2) }, 2],
  ['times of two lines, and the lines', { dosageInstruction: [{ timing: { event: ['a', 'b'] } }, {}] }, 4],
  ['one line that is not a list', { dosageInstruction: { timing: { event: ['a'] } } }, 1],
  ['other lists', { note: many(5), category: [null, 'x', { coding: many(2) }] }, 0],
  ['lines of a contained resource', { contained: [{ dosageInstruction: many(2) }] }, 2],
  ['nothing instead of a value', { dosageInstruction: null, dispenseRequest: null }, 0],
])('dosage lines and dates are counted wherever they are: %s', (_, more, number) => {
  expect(dosagesIn(entry(more))).toBe(number);
});

test('a list inside an entry is limited in length', () => {
  const at = (length: number) => refusal(() => dosagesIn(entry({ note: [{ reason: many(length) }] })));
  expect(at(limits.listOfEntry)).toBeUndefined();
  expect(at(limits.listOfEntry + 1)).toEqual(['too-many', [`a list inside an entry: at most ${limits.listOfEntry}`]]);
});

test('dosage lines up to the limit are read, and one more is refused with the limit', () => {
  expect(refusal(() => checkDosages(limits.dosages))).toBeUndefined();
  expect(refusal(() => checkDosages(limits.dosages + 1))).toEqual([
    'too-many',
    [`dosage lines and dates in them: at most ${limits.dosages}`],
  ]);
  expect(refusal(() => checkNumber(3, 3, 'x'))).toBeUndefined();
  expect(refusal(() => checkNumber(4, 3, 'x'))).toEqual(['too-many', ['x: at most 3']]);
});
