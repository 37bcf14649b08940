import type { Resource } from '../fhir/json.ts';

/** What is read of a resource independently of the day. */
export type Reading = 'activity' | 'condition' | 'dosages' | 'medicine' | 'otherwise' | 'result';
/** Reads something of a resource; the same `reading` of the same resource gives the same result. */
export type Once = <T>(reading: Reading, resource: Resource, read: () => T) => T;

/** For a call, whose resources are read only once anyway. */
export const anew: Once = (_reading, _resource, read) => read();

/** For one record read on many days: what does not change from day to day is read once and cached. */
export function remembering(): Once {
  const known = new Map<Resource, Map<Reading, unknown>>();
  return <T>(reading: Reading, resource: Resource, read: () => T) => {
    let own = known.get(resource);
    if (own === undefined) {
      own = new Map();
      known.set(resource, own);
    }
    if (own.has(reading)) return own.get(reading) as T;
    const found = read();
    own.set(reading, found);
    return found;
  };
}
