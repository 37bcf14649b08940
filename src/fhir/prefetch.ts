import { type Contents, type Entry, readBundle } from './bundle.ts';
import { object, type Resource, string } from './json.ts';
import { type Standing, standingOf } from './patient.ts';

/**
 * The parts of a record that a request may contain, by their prefetch keys. `type`: its resource type; other types under its
 * key can be looked up but do not count (P8). `query`: the template, with only context tokens and search parameters that
 * every client should know (conformance PT1–PT11); it includes ended orders, because rules ask what ended recently. `since`:
 * the elements for the day from which an entry was on record; the first one present counts. `activity`: it is read as things
 * done, planned or booked, and facts use it by its key.
 */
const parts = {
  patient: { type: 'Patient', query: 'Patient/{{context.patientId}}', since: [] },
  medications: {
    type: 'MedicationRequest',
    query: 'MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication',
    since: ['authoredOn'],
  },
  statements: {
    type: 'MedicationStatement',
    query: 'MedicationStatement?patient={{context.patientId}}&_include=MedicationStatement:medication',
    since: ['dateAsserted', 'effectivePeriod.start', 'effectiveDateTime'],
  },
  dispenses: {
    type: 'MedicationDispense',
    query: 'MedicationDispense?patient={{context.patientId}}&_include=MedicationDispense:medication',
    since: ['whenHandedOver', 'whenPrepared'],
  },
  administrations: {
    type: 'MedicationAdministration',
    query: 'MedicationAdministration?patient={{context.patientId}}&_include=MedicationAdministration:medication',
    since: ['effectiveDateTime', 'effectivePeriod.start', 'occurenceDateTime', 'occurencePeriod.start'],
  },
  conditions: {
    type: 'Condition',
    query: 'Condition?patient={{context.patientId}}',
    since: ['recordedDate', 'onsetDateTime', 'onsetPeriod.start'],
  },
  encounter: {
    type: 'Encounter',
    query: 'Encounter/{{context.encounterId}}',
    since: ['period.start', 'actualPeriod.start'],
  },
  observations: {
    type: 'Observation',
    query: 'Observation?patient={{context.patientId}}&category=laboratory,survey,social-history',
    since: ['issued', 'effectiveDateTime', 'effectiveInstant', 'effectivePeriod.end', 'effectivePeriod.start'],
  },
  procedures: {
    type: 'Procedure',
    query: 'Procedure?patient={{context.patientId}}',
    since: ['performedDateTime', 'performedPeriod.start', 'occurrenceDateTime', 'occurrencePeriod.start', 'recorded'],
    activity: true,
  },
  referrals: {
    type: 'ServiceRequest',
    query: 'ServiceRequest?patient={{context.patientId}}',
    since: ['authoredOn', 'occurrenceDateTime'],
    activity: true,
  },
  appointments: {
    type: 'Appointment',
    query: 'Appointment?patient={{context.patientId}}',
    since: ['created', 'start'],
    activity: true,
  },
  carePlans: {
    type: 'CarePlan',
    query: 'CarePlan?patient={{context.patientId}}',
    since: ['created', 'period.start'],
    activity: true,
  },
  familyHistory: {
    type: 'FamilyMemberHistory',
    query: 'FamilyMemberHistory?patient={{context.patientId}}',
    since: ['date'],
    activity: true,
  },
} as const satisfies Record<string, { type: string; query: string; since: readonly string[]; activity?: true }>;

export type Section = keyof typeof parts;
export type ActivitySection = {
  [key in Section]: (typeof parts)[key] extends { activity: true } ? key : never;
}[Section];

export const partOf: Record<Section, { type: string; query: string; since: readonly string[] }> = parts;
export const sections = Object.keys(parts) as Section[];
export const activitySections = sections.filter((section): section is ActivitySection => 'activity' in parts[section]);

/**
 * The state of a prefetch key. `absent`: the client did not search. `failed`: the client says that its search failed.
 * `partial`: there are more pages. `complete`: everything is here, possibly nothing.
 */
export type Prefetched = {
  state: 'absent' | 'failed' | 'partial' | 'complete';
  resources: Resource[];
  /** Resources by what a reference may name. Built on first use, because most requests need no look-up. */
  lookup: () => ReadonlyMap<string, Resource>;
};

/**
 * A call's `prefetch`. Each key is read once, on first use by metrics, fetching or the chart. The results are dropped
 * with the call; a WeakMap would keep them until the next full garbage collection.
 */
export type Prefetch = {
  values: unknown;
  /** What the Patient resource says about the record. */
  standing: Standing;
  section: (section: Section) => Prefetched;
};

/**
 * If the record is not this patient's, or was replaced, every part counts as incomplete: findings are reported, silence
 * is not.
 */
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

const EMPTY: ReadonlyMap<string, Resource> = new Map();
const nothing = { resources: [], lookup: () => EMPTY };

/** Reads one key of `prefetch` (conformance P3–P12). `null` means that the client searched and found nothing (P4). */
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
    ({ resource, include }) => !include && resource.resourceType === partOf[section].type,
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
  // An absolute reference may mean an entry without an address, but not one with another address.
  if (fullUrl !== undefined) keys.push([fullUrl, resource]);
  else if (id !== undefined) keys.push([`*/${resource.resourceType}/${id}`, resource]);
  return keys;
}
