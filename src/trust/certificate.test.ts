import { expect, test } from 'vitest';
import { isCertified } from './certificate.ts';
import type { Client } from './clients.ts';

const PRINT = 'ab'.repeat(32);
const shown = { fingerprint: PRINT.toUpperCase().match(/../g)?.join(':') as string, names: ['ehr.example', 'a'] };
const OTHER = 'cd'.repeat(32);

test.each<[certificates: string[] | undefined, shown: boolean, fits: boolean]>([
  [undefined, false, true],
  [undefined, true, true],
  [[], true, false],
  [[PRINT], false, false],
  [[PRINT], true, true],
  [[PRINT.toUpperCase()], true, true],
  [[shown.fingerprint], true, true],
  [[OTHER], true, false],
  [[OTHER, PRINT], true, true],
  [['ehr.example'], true, true],
  [['EHR.example'], true, false],
  [['other.example', 'a'], true, true],
  [[PRINT.slice(2)], true, false],
  [[`${PRINT}ab`], true, false],
])('J19: of the certificates %j, and one shown: %s, it fits: %s', (certificates, isShown, fits) => {
  expect(isCertified({ certificates } as Client, isShown ? shown : undefined)).toBe(fits);
});
