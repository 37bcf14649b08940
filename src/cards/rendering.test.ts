import { expect, test } from 'vitest';
import { renderingOf } from '../testing/rendering.ts';
import { patientOf, uuidOf } from './rendering.ts';

// Clients send these ids back with their feedback, also after an update: they must never change.
test.each<[parts: string[], uuid: string]>([
  [['kari'], '26cae1d9-b999-572b-8faf-e6a0aa970902'],
  [['call', 'kari', 'r'], '3e07290f-515a-5048-8938-dfcb42a9e1d0'],
])('the id of %j is %s', (parts, uuid) => {
  expect(uuidOf(...parts)).toBe(uuid);
});

test('every id is a UUID of version 5 in each variant, and differs for other parts', () => {
  const ids = Array.from({ length: 64 }, (_, at) => uuidOf('x', String(at)));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids.map((id) => id[19]))).toEqual(new Set(['8', '9', 'a', 'b']));
  expect(new Set([...ids, uuidOf('x'), uuidOf('', 'x'), uuidOf('x', ''), uuidOf('x0')]).size).toBe(68);
});

test('the patient of a card is that of the chart', () => {
  expect(patientOf(renderingOf({ subject: { patient: 'liv' } }))).toBe('liv');
});
