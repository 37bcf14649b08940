import { isObject, object, objects, type Resource } from './json.ts';

/** A FHIR version, as far as a resource's shape determines it. `other`: an unsupported version. */
type FhirVersion = 'R4' | 'R5' | 'other';

/** The request's FHIR cannot be read as R4 or R5. */
export class UnusableFhir extends Error {
  constructor() {
    super('the FHIR version is neither R4 nor R5');
  }
}

/**
 * The only version that a resource's shape allows; CDS Hooks does not state the version (conformance V1). Undefined if
 * the shape fits several. R4 and R5 may occur side by side.
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
