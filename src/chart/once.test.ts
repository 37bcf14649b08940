import { expect, test } from 'vitest';
import { anew, type Once, remembering } from './once.ts';

const one = { resourceType: 'Procedure', id: 'a' };
const same = { ...one };

/** How often a value is read if it is requested like this. */
function timesRead(once: Once, ...asked: [reading: Parameters<Once>[0], resource: typeof one][]): number {
  let times = 0;
  for (const [reading, resource] of asked) once(reading, resource, () => void times++);
  return times;
}

test('in a record read on many days, each resource is read once', () => {
  expect(timesRead(remembering(), ['condition', one], ['condition', one])).toBe(1);
  expect(timesRead(remembering(), ['condition', one], ['otherwise', one])).toBe(2);
  expect(timesRead(remembering(), ['condition', one], ['condition', same])).toBe(2);
  const once = remembering();
  expect([once('condition', one, () => 'first'), once('condition', one, () => 'second')]).toEqual(['first', 'first']);
});

test('in a call everything is read anew', () => {
  expect(timesRead(anew, ['condition', one], ['condition', one])).toBe(2);
  expect(anew('condition', one, () => 'read')).toBe('read');
});
