import { readBundle } from './bundle.ts';
import { type JsonObject, object, type Resource, string } from './json.ts';

/** The parts of a record that a request brings or lacks. */
export const sections = [
  'patient',
  'medications',
  'statements',
  'dispenses',
  'conditions',
  'encounter',
  'observations',
  'procedures',
  'referrals',
  'appointments',
  'carePlans',
  'familyHistory',
] as const;
export type Section = (typeof sections)[number];

/**
 * What the service asks for, a key for each part of the chart. Only plain context tokens and search parameters of the
 * subset that every client should know (conformance PT1–PT11); ended orders too, since rules ask what ended lately.
 */
export const prefetchTemplates: Record<Section, string> = {
  patient: 'Patient/{{context.patientId}}',
  medications: 'MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication',
  statements: 'MedicationStatement?patient={{context.patientId}}&_include=MedicationStatement:medication',
  dispenses: 'MedicationDispense?patient={{context.patientId}}&_include=MedicationDispense:medication',
  conditions: 'Condition?patient={{context.patientId}}',
  encounter: 'Encounter/{{context.encounterId}}',
  observations: 'Observation?patient={{context.patientId}}&category=laboratory,survey,social-history',
  procedures: 'Procedure?patient={{context.patientId}}',
  referrals: 'ServiceRequest?patient={{context.patientId}}',
  appointments: 'Appointment?patient={{context.patientId}}',
  carePlans: 'CarePlan?patient={{context.patientId}}',
  familyHistory: 'FamilyMemberHistory?patient={{context.patientId}}',
};

/** The resource type that carries each part. Other types under a key are looked up, never counted (P8). */
export const sectionTypes: Record<Section, string> = {
  patient: 'Patient',
  medications: 'MedicationRequest',
  statements: 'MedicationStatement',
  dispenses: 'MedicationDispense',
  conditions: 'Condition',
  encounter: 'Encounter',
  observations: 'Observation',
  procedures: 'Procedure',
  referrals: 'ServiceRequest',
  appointments: 'Appointment',
  carePlans: 'CarePlan',
  familyHistory: 'FamilyMemberHistory',
};

/**
 * What a prefetch key came to. `absent`: the client did not try or failed. `failed`: it says that it failed. `partial`:
 * more pages exist. `complete`: all of it is here, which may be nothing.
 */
export type Prefetched = {
  state: 'absent' | 'failed' | 'partial' | 'complete';
  resources: Resource[];
  lookup: Map<string, Resource>;
};

/** Reads one key of `prefetch` (conformance P3–P12). `null` says that the client looked and found nothing (P4). */
export function readPrefetch(prefetch: unknown, section: Section): Prefetched {
  const values = object(prefetch) as JsonObject;
  const nothing = { resources: [], lookup: new Map<string, Resource>() };
  if (!Object.hasOwn(values, section) || values[section] === undefined) return { state: 'absent', ...nothing };
  if (values[section] === null) return { state: 'complete', ...nothing };
  const contents = readBundle(values[section]);
  if (contents.failed && contents.entries.length === 0) return { state: 'failed', ...nothing };
  const lookup = new Map<string, Resource>();
  for (const { resource, fullUrl } of contents.entries) {
    const id = string(resource['id']);
    if (id !== undefined) lookup.set(`${resource.resourceType}/${id}`, resource);
    // An entry without an address may be what an absolute reference means; one with another address is not.
    if (fullUrl !== undefined) lookup.set(fullUrl, resource);
    else if (id !== undefined) lookup.set(`*/${resource.resourceType}/${id}`, resource);
  }
  const matches = contents.entries.filter(
    ({ resource, include }) => !include && resource.resourceType === sectionTypes[section],
  );
  const foreign =
    contents.entries.length > 0 && matches.length === 0 && !contents.entries.some(({ include }) => include);
  const state = contents.failed || contents.hasNextPage ? 'partial' : foreign ? 'failed' : 'complete';
  return { state, resources: matches.map(({ resource }) => resource), lookup };
}
