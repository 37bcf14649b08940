import { createHash, createHmac } from 'node:crypto';

/** What a hash is for: one of the log must not be found in the journal. */
type Purpose = 'audit' | 'journal';

/**
 * How a patient is known to the journal and to audit lines: a keyed hash, since ids are few enough to try them all. The
 * same id elsewhere is another person, so it is hashed with whose it is: a client, and of several hospitals behind it which.
 * The id of the key stands before it, so that old and new hashes are told apart while a key is changed.
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

/** The first eight digits of a hash of the key: they name it and do not tell it. */
function idOfKey(key: string): string {
  return createHash('sha256').update(`key id\0${key}`).digest('hex').slice(0, 8);
}
