import { readBundle } from './bundle.ts';
import { isObject, type JsonObject, objects, type Resource, string } from './json.ts';

/** Whether a record is that of the call's patient: `not-known` to its server, or `elsewhere` where it goes on under another id. */
export type Standing = 'known' | 'elsewhere' | 'not-known';

/** What kept a client or a server from looking, and says nothing of whether the patient is known (FHIR: IssueType). */
const TROUBLE = [
  ...['login', 'security', 'forbidden', 'expired', 'suppressed', 'unknown', 'transient', 'timeout', 'throttled'],
  ...['lock-error', 'no-store', 'exception', 'incomplete', 'too-costly', 'not-supported'],
];

/**
 * What the Patient of a call says of the record (CDS Hooks: Prefetch; FHIR: Patient.link). A patient whom nobody found, or one
 * of another id: the searches beside it were made for nobody, and that they are empty means nothing. Where nothing was sent,
 * nothing speaks against it.
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

/** The value of the key where its server answers 404 or 410. */
export const NOT_FOUND: JsonObject = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'not-found' }],
};

/** An OperationOutcome, alone or in a Bundle. Servers do not agree on a code for it, so it is told by what it is not. */
function saysNotFound(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (!('resourceType' in value) && isObject(value['resource'])) return saysNotFound(value['resource']);
  if (value['resourceType'] === 'Bundle')
    return objects(value['entry']).some(({ resource }) => saysNotFound(resource) && isOutcome(resource));
  return isOutcome(value) && !objects(value['issue']).some(({ code }) => TROUBLE.includes(string(code) ?? ''));
}

function isOutcome(value: unknown): boolean {
  return isObject(value) && value['resourceType'] === 'OperationOutcome';
}

function goesOnElsewhere(patient: Resource): boolean {
  const links = objects(patient['link']);
  return links.some(({ type }) => type === 'replaced-by') || (patient['active'] === false && links.length > 0);
}
