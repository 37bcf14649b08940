import { createHmac } from 'node:crypto';

/**
 * How a patient is known to the journal and to audit lines: a keyed hash, since ids are few enough to try them all. The
 * same id elsewhere is another person, so it is hashed with whose it is.
 */
export function hashOfPatient(key: string, organisation: string, patientId: string): string {
  return createHmac('sha256', key).update(`${organisation}\0${patientId}`).digest('hex');
}
