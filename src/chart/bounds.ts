import { ServiceError } from '../errors.ts';
import type { Resource } from '../fhir/json.ts';
import { limits } from '../limits.ts';

/** Where FHIR's orders, statements and dispenses have their dosage lines and, in these, single dates. */
const DOSAGES = ['dosageInstruction', 'dosage', 'event'];

/**
 * Bounds what entries of the record are made of: how long their lists are, and how many dosage lines and dates they have in all.
 * Each is read one by one, and while a call is answered all others wait. Throws a `ServiceError` that names the limit.
 */
export function checkEntries(resources: Resource[]): void {
  let dosages = 0;
  const check = (value: object, key: string): void => {
    if (!Array.isArray(value)) {
      for (const name in value) {
        const part = (value as Record<string, unknown>)[name];
        if (typeof part === 'object' && part !== null) check(part, name);
      }
      return;
    }
    if (value.length > limits.listOfEntry) refuse(`a list inside an entry: at most ${limits.listOfEntry}`);
    if (DOSAGES.includes(key)) dosages += value.length;
    if (dosages > limits.dosages) refuse(`dosage lines and dates in them: at most ${limits.dosages}`);
    for (const item of value) if (typeof item === 'object' && item !== null) check(item, '');
  };
  for (const resource of resources) check(resource, '');
}

/** A record is looked at as a whole or not at all: what were left out could be what matters. */
export function checkNumber(number: number, limit: number, what: string): void {
  if (number > limit) refuse(`${what}: at most ${limit}`);
}

function refuse(why: string): never {
  throw new ServiceError('too-many', [why]);
}
