import { isObject, object, objects, type Resource } from './json.ts';

export type FhirVersion = 'DSTU2' | 'STU3' | 'R4' | 'R5';

/**
 * The FHIR version that a resource can only be of, seen by its shape: nothing in CDS Hooks names it (conformance V1).
 * Undefined where the shape fits R4, or several versions.
 */
export function versionOf(resource: Resource): FhirVersion | undefined {
  switch (resource.resourceType) {
    case 'MedicationOrder':
      return 'DSTU2';
    case 'MedicationRequest':
      if (isObject(object(resource['requester'])['agent'])) return 'STU3';
      if (isObject(object(resource['medication'])['concept']) || isObject(object(resource['medication'])['reference']))
        return 'R5';
      return 'medicationCodeableConcept' in resource || 'medicationReference' in resource ? 'R4' : undefined;
    case 'Condition':
      return typeof resource['clinicalStatus'] === 'string' ? 'STU3' : undefined;
    case 'MedicationStatement':
      return 'taken' in resource ? 'STU3' : undefined;
    case 'Encounter':
      return Array.isArray(resource['class']) && objects(resource['class']).some((item) => 'coding' in item)
        ? 'R5'
        : undefined;
    default:
      return undefined;
  }
}
