import { ServiceError } from '../errors.ts';
import type { Resource } from '../fhir/json.ts';
import { limits } from '../limits.ts';

/** Where orders, statements and dispenses have their dosage lines, and these have single dates. */
const DOSAGES = ['dosageInstruction', 'dosage', 'event'];

/**
 * Bounds the lists of an entry of the record, and returns its number of dosage lines and dates, for `checkDosages`.
 * Each is read one by one, and long work delays all other calls. Throws a `ServiceError` that names the limit.
 */
export function dosagesIn(resource: Resource): number {
  return partsOf(resource, '');
}

function partsOf(value: object, key: string): number {
  let dosages = 0;
  if (!Array.isArray(value)) {
    for (const name in value) {
      const part = (value as Record<string, unknown>)[name];
      if (typeof part === 'object' && part !== null) dosages += partsOf(part, name);
    }
    return dosages;
  }
  if (value.length > limits.listOfEntry) refuse(`a list inside an entry: at most ${limits.listOfEntry}`);
  if (DOSAGES.includes(key)) dosages += value.length;
  for (const item of value) if (typeof item === 'object' && item !== null) dosages += partsOf(item, '');
  return dosages;
}

export function checkDosages(number: number): void {
  checkNumber(number, limits.dosages, 'dosage lines and dates in them');
}

/** A record is evaluated as a whole or not at all, because a part left out might matter. */
export function checkNumber(number: number, limit: number, what: string): void {
  if (number > limit) refuse(`${what}: at most ${limit}`);
}

function refuse(why: string): never {
  throw new ServiceError('too-many', [why]);
}
