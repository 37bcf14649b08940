import { describe, expect, test } from 'vitest';
import { missingData } from './invoke.ts';

describe('P2: how missing data are reported', () => {
  const KEYS = ['prefetch key missing or incomplete: medications', 'prefetch key missing or incomplete: conditions'];
  test.each([
    [undefined, []],
    ['known', []],
    ['not-known', ['context.patientId: no patient was found with this id']],
    ['elsewhere', ['context.patientId: another record has replaced this one (Patient.link)']],
  ] as const)('for a patient who is %s', (standing, why) => {
    expect(missingData(['medications', 'conditions'], standing)).toEqual(['missing-data', [...KEYS, ...why]]);
  });
});
