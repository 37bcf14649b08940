import { readBundle } from './bundle.ts';
import { isObject, type JsonObject, objects, type Resource, string } from './json.ts';

/**
 * Whether a record is that of the call's patient. `not-known`: the server does not know the patient. `elsewhere`:
 * another record has replaced it.
 */
export type Standing = 'known' | 'elsewhere' | 'not-known';

/** Codes of failures that do not say whether the patient exists (FHIR: IssueType). */
const OTHER_FAILURES = [
  ...['login', 'security', 'forbidden', 'expired', 'suppressed', 'unknown', 'transient', 'timeout', 'throttled'],
  ...['lock-error', 'no-store', 'exception', 'incomplete', 'too-costly', 'not-supported'],
];

/**
 * What the Patient resource of a call says about the record (CDS Hooks: Prefetch; FHIR: Patient.link). If the patient
 * was not found or has another id, the other searches were made for the wrong patient, and empty results mean nothing.
 * If no Patient was sent, the record counts as the patient's.
 */
export function standingOf(value: unknown, patientId: string): Standing {
  const patients = readBundle(value).entries.filter(
    ({ resource, include }) => resource.resourceType === 'Patient' && !include,
  );
  if (patients.length === 0) return saysNotFound(value) ? 'not-known' : 'known';
  const own = patients.find(({ resource }) => [undefined, patientId].includes(string(resource['id'])));
  if (!own) return 'not-known';
  return goesOnElsewhere(own.resource) ? 'elsewhere' : 'known';
}

/** The value of the key if its server answers 404 or 410. */
export const NOT_FOUND: JsonObject = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'not-found' }],
};

/**
 * Whether an OperationOutcome, alone or in a Bundle, means "not found". Servers do not agree on a code for it, so every
 * code counts except those of other failures.
 */
function saysNotFound(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (!('resourceType' in value) && isObject(value['resource'])) return saysNotFound(value['resource']);
  if (value['resourceType'] === 'Bundle')
    return objects(value['entry']).some(({ resource }) => saysNotFound(resource) && isOutcome(resource));
  return isOutcome(value) && !objects(value['issue']).some(({ code }) => OTHER_FAILURES.includes(string(code) ?? ''));
}

function isOutcome(value: unknown): boolean {
  return isObject(value) && value['resourceType'] === 'OperationOutcome';
}

function goesOnElsewhere(patient: Resource): boolean {
  const links = objects(patient['link']);
  return links.some(({ type }) => type === 'replaced-by') || (patient['active'] === false && links.length > 0);
}
