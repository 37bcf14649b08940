import { isObject, object, objects, type Resource } from './json.ts';

/** The version that a resource can only be of, by its shape; `other` is none that is read. */
type FhirVersion = 'R4' | 'R5' | 'other';

/** A request whose FHIR cannot be read as R4 or R5. `seen` is for the answer: versions only, no data. */
export class UnusableFhir extends Error {
  readonly seen: string;
  constructor(seen: string) {
    super(seen);
    this.seen = seen;
  }
}

/**
 * The version that a resource can only be of: nothing in CDS Hooks names it (conformance V1). Undefined where its shape is
 * that of several. R4 and R5 may stand side by side.
 */
export function versionOf(resource: Resource): FhirVersion | undefined {
  switch (resource.resourceType) {
    case 'MedicationOrder':
      return 'other';
    case 'MedicationRequest':
      if (isObject(object(resource['requester'])['agent'])) return 'other';
      if (isR5Medication(resource)) return 'R5';
      return 'medicationCodeableConcept' in resource || 'medicationReference' in resource ? 'R4' : undefined;
    case 'MedicationStatement':
      if ('taken' in resource) return 'other';
      return isR5Medication(resource) ? 'R5' : undefined;
    case 'Condition':
      return typeof resource['clinicalStatus'] === 'string' ? 'other' : undefined;
    case 'Encounter':
      return Array.isArray(resource['class']) && objects(resource['class']).some((item) => 'coding' in item)
        ? 'R5'
        : undefined;
    default:
      return undefined;
  }
}

function isR5Medication(resource: Resource): boolean {
  const medication = object(resource['medication']);
  return isObject(medication['concept']) || isObject(medication['reference']);
}
