import { isObject, object, objects, type Resource } from './json.ts';

type FhirVersion = 'DSTU2' | 'STU3' | 'R4' | 'R5';

/** A request whose FHIR cannot be read as R4 or R5. `seen` is for the answer: versions only, no data. */
export class UnusableFhir extends Error {
  readonly seen: string;
  constructor(seen: string) {
    super(seen);
    this.seen = seen;
  }
}

/**
 * The version that a request's resources are of, R4 where nothing tells. Throws `UnusableFhir` for DSTU2 and STU3, and
 * for R4 and R5 together (conformance H14, V1).
 */
export function checkVersions(resources: Resource[]): 'R4' | 'R5' {
  const seen = new Set(resources.map(versionOf).filter((version) => version !== undefined));
  if (seen.has('DSTU2') || seen.has('STU3') || seen.size > 1) throw new UnusableFhir([...seen].sort().join(', '));
  return seen.has('R5') ? 'R5' : 'R4';
}

/** The version that a resource can only be of, by its shape: nothing in CDS Hooks names it (conformance V1). */
function versionOf(resource: Resource): FhirVersion | undefined {
  switch (resource.resourceType) {
    case 'MedicationOrder':
      return 'DSTU2';
    case 'MedicationRequest':
      if (isObject(object(resource['requester'])['agent'])) return 'STU3';
      if (isR5Medication(resource)) return 'R5';
      return 'medicationCodeableConcept' in resource || 'medicationReference' in resource ? 'R4' : undefined;
    case 'MedicationStatement':
      if ('taken' in resource) return 'STU3';
      return isR5Medication(resource) ? 'R5' : undefined;
    case 'Condition':
      return typeof resource['clinicalStatus'] === 'string' ? 'STU3' : undefined;
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
