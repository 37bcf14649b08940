import { createHash, createHmac } from 'node:crypto';

/** The purpose of a hash: those in the log and in the journal must differ. */
type Purpose = 'audit' | 'journal';

/**
 * How the journal and audit lines identify a patient: by a keyed hash, because a plain hash could be found by trying
 * all ids. The same id elsewhere is another person, so the client and, if it has several hospitals, the tenant are
 * hashed too. The id of the key precedes the hash, so that old and new hashes can be told apart while a key is changed.
 */
export function hashOfPatient(
  key: string,
  purpose: Purpose,
  { client, tenant }: { client: string; tenant: string | undefined },
  patientId: string,
): string {
  const parts = [purpose, client, ...(tenant === undefined ? [] : [tenant]), patientId];
  return `${idOfKey(key)}.${createHmac('sha256', key).update(parts.join('\0')).digest('hex')}`;
}

/** The first eight digits of a hash of the key: they identify it without disclosing it. */
function idOfKey(key: string): string {
  return createHash('sha256').update(`key id\0${key}`).digest('hex').slice(0, 8);
}
