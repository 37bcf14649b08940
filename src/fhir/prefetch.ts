import { type Contents, type Entry, readBundle } from './bundle.ts';
import { object, type Resource, string } from './json.ts';
import { type Standing, standingOf } from './patient.ts';

/** The parts of a record that a request brings or lacks. */
export const sections = [
  'patient',
  'medications',
  'statements',
  'dispenses',
  'administrations',
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
  administrations:
    'MedicationAdministration?patient={{context.patientId}}&_include=MedicationAdministration:medication',
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
  administrations: 'MedicationAdministration',
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
  /** What a reference may be looked up by: made when first asked for, since most requests never do. */
  lookup: () => ReadonlyMap<string, Resource>;
};

/**
 * A call's `prefetch`, each key read once, when first asked for: metrics, fetching and chart all ask. The readings end
 * with the call; a WeakMap from values to readings would keep both alive until the collector's next full round.
 */
export type Prefetch = {
  values: unknown;
  /** What the Patient among them says of the record. */
  standing: Standing;
  section: (section: Section) => Prefetched;
};

/** Of a record that is not this patient's, or goes on elsewhere, no part is whole: what it shows is told, its silence is not. */
export function prefetchOf(values: unknown, patientId: string): Prefetch {
  const read = new Map<Section, Prefetched>();
  const standing = standingOf(object(values)['patient'], patientId);
  return {
    values,
    standing,
    section: (section) => {
      const known = read.get(section) ?? inPart(readPrefetch(values, section), standing);
      read.set(section, known);
      return known;
    },
  };
}

/** A record that is all here, as if each of its sections had been sent whole, with what it points to. */
export function wholeRecord(
  record: ReadonlyMap<Section, Resource[]>,
  included: Resource[],
  patientId: string,
): Prefetch {
  const read = new Map<Section, Prefetched>();
  const standing = standingOf(record.get('patient')?.[0], patientId);
  for (const [section, resources] of record) {
    const all = section === 'medications' ? [...resources, ...included] : resources;
    const lookup = lookupOf(all.map((resource) => ({ resource, fullUrl: undefined, include: false })));
    read.set(section, inPart({ state: 'complete', resources, lookup }, standing));
  }
  return { values: undefined, standing, section: (section) => read.get(section) ?? { state: 'absent', ...nothing } };
}

function inPart(prefetched: Prefetched, standing: Standing): Prefetched {
  if (standing === 'known' || prefetched.state !== 'complete') return prefetched;
  const state = standing === 'not-known' && prefetched.resources.length === 0 ? 'failed' : 'partial';
  return { ...prefetched, state };
}

const NOBODY: ReadonlyMap<string, Resource> = new Map();
const nothing = { resources: [], lookup: () => NOBODY };

/** Reads one key of `prefetch` (conformance P3–P12). `null` says that the client looked and found nothing (P4). */
export function readPrefetch(prefetch: unknown, section: Section): Prefetched {
  const values = object(prefetch);
  const value = Object.hasOwn(values, section) ? values[section] : undefined;
  if (value === undefined) return { state: 'absent', ...nothing };
  if (value === null) return { state: 'complete', ...nothing };
  return typeof value === 'object' ? readContents(readBundle(value), section) : { state: 'failed', ...nothing };
}

function readContents(contents: Contents, section: Section): Prefetched {
  if (contents.failed && contents.entries.length === 0) return { state: 'failed', ...nothing };
  const matches = contents.entries.filter(
    ({ resource, include }) => !include && resource.resourceType === sectionTypes[section],
  );
  const foreign =
    contents.entries.length > 0 && matches.length === 0 && !contents.entries.some(({ include }) => include);
  const state = contents.failed || contents.hasNextPage ? 'partial' : foreign ? 'failed' : 'complete';
  return {
    state,
    resources: matches.map(({ resource }) => resource),
    lookup: lookupOf(contents.entries),
  };
}

function lookupOf(entries: Entry[]): () => Map<string, Resource> {
  let made: Map<string, Resource> | undefined;
  return () => {
    made ??= new Map(entries.flatMap(keysOf));
    return made;
  };
}

function keysOf({ resource, fullUrl }: Entry): [string, Resource][] {
  const id = string(resource['id']);
  const keys: [string, Resource][] = id === undefined ? [] : [[`${resource.resourceType}/${id}`, resource]];
  // An entry without an address may be what an absolute reference means; one with another address is not.
  if (fullUrl !== undefined) keys.push([fullUrl, resource]);
  else if (id !== undefined) keys.push([`*/${resource.resourceType}/${id}`, resource]);
  return keys;
}
