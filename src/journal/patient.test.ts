import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashOfPatient } from './patient.ts';

const EHR = { client: 'ehr', tenant: undefined };
const usual = hashOfPatient('key', 'journal', EHR, 'kari');

test('a patient’s hash is stable and names its key', () => {
  expect(hashOfPatient('key', 'journal', EHR, 'kari')).toBe(usual);
  expect(usual).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{64}$/);
  const keyOf = (hash: string) => hash.split('.')[0];
  expect(keyOf(hashOfPatient('key', 'audit', { client: 'other', tenant: 'north' }, 'ola'))).toBe(keyOf(usual));
  expect(keyOf(hashOfPatient('other key', 'journal', EHR, 'kari'))).not.toBe(keyOf(usual));
});

test('the hash equals those in existing journals: by key, purpose, client, tenant and id', () => {
  const made = (...parts: string[]) => createHmac('sha256', 'key').update(parts.join('\0')).digest('hex');
  expect(usual.split('.')[1]).toBe(made('journal', 'ehr', 'kari'));
  expect(hashOfPatient('key', 'journal', { client: 'ehr', tenant: 'north' }, 'kari').split('.')[1]).toBe(
    made('journal', 'ehr', 'north', 'kari'),
  );
  expect(usual.split('.')[0]).toBe(createHash('sha256').update('key id\0key').digest('hex').slice(0, 8));
});

test.each<[what: string, other: string]>([
  ['key', hashOfPatient('other', 'journal', EHR, 'kari')],
  ['purpose', hashOfPatient('key', 'audit', EHR, 'kari')],
  ['client', hashOfPatient('key', 'journal', { client: 'other', tenant: undefined }, 'kari')],
  ['tenant', hashOfPatient('key', 'journal', { client: 'ehr', tenant: 'north' }, 'kari')],
  ['patient', hashOfPatient('key', 'journal', EHR, 'ola')],
  ['boundary between the parts', hashOfPatient('key', 'journal', { client: 'eh', tenant: undefined }, 'rkari')],
])('another %s gives another hash', (_, other) => {
  expect(other.split('.')[1]).not.toBe(usual.split('.')[1]);
});
