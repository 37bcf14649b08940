import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { firstDay, type LocalDate, lastDay, localDate, yearsBetween } from '../dates.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, type JsonObject, object, objects, type Resource, string } from '../fhir/json.ts';
import { type Prefetched, readPrefetch } from '../fhir/prefetch.ts';
import { type FhirVersion, versionOf } from '../fhir/versions.ts';
import {
  type Chart,
  type Condition,
  type LeftOut,
  type Section,
  type SectionState,
  type Setting,
  sections,
} from './chart.ts';
import { isOrder, type MedicationContext, readMedication, subjectOf } from './medications.ts';

/** A CDS Hooks call, checked and normalised: bare ids, unknown fields dropped (see http/wire.ts). */
export type Call = {
  hook: string;
  patientId: string;
  encounterId: string | undefined;
  /** Absent for hooks without orders. */
  draftOrders: unknown;
  selections: string[];
  prefetch: unknown;
};

export type ChartOptions = {
  codes: Codes;
  today: LocalDate;
  timeZone: string;
  openEndedMonths: number;
  validityPeriodEndsTreatment: boolean;
};

/** A request whose FHIR cannot be read as R4 or R5. `seen` is for the answer: versions only, no data. */
export class UnusableFhir extends Error {
  readonly seen: string;
  constructor(seen: string) {
    super(seen);
    this.seen = seen;
  }
}

/** Statuses with which a draft is no longer an order to decide on (conformance H8). */
const SETTLED = ['cancelled', 'stopped', 'completed', 'entered-in-error', 'ended'];

/**
 * Reads a request's FHIR into the chart. Medicines of no code list are dropped while reading, so that everything after
 * works on a handful of entries. Throws `UnusableFhir` for versions that are not read, or mixed (conformance H14, V1).
 */
export function readChart(call: Call, options: ChartOptions): Chart {
  const prefetched = Object.fromEntries(
    sections.map((section) => [section, readPrefetch(call.prefetch, section)]),
  ) as Record<Section, Prefetched>;
  const drafts = call.draftOrders === undefined ? [] : readBundle(call.draftOrders).entries;
  checkVersions([
    ...drafts.map(({ resource }) => resource),
    ...sections.flatMap((section) => prefetched[section].resources),
  ]);

  const leftOut: LeftOut[] = [];
  const mine = (resource: Resource, what: LeftOut['what']): boolean => {
    const subject = subjectOf(resource);
    if (subject === undefined || subject === call.patientId) return true;
    leftOut.push({ what, why: 'other-patient', ref: refOf(resource) });
    return false;
  };

  const conditions = prefetched.conditions.resources.filter((resource) => mine(resource, 'condition'));
  const encounters = prefetched.encounter.resources.filter(
    (resource) => subjectOf(resource) === undefined || subjectOf(resource) === call.patientId,
  );
  const setting = encounterSetting(encounters, call.encounterId, options.codes);
  const context: MedicationContext = {
    ...options,
    resolve: resolver([prefetched.medications, ...sections.map((section) => prefetched[section])], drafts),
    conditionLists: (reference) => {
      const condition = conditions.find((candidate) => string(candidate['id']) === idOf(reference));
      return condition ? conceptListsOf(condition['code'], options.codes.conditions, options.codes) : [];
    },
    encounterSetting: setting,
  };

  const chart: Chart = {
    hook: call.hook,
    today: options.today,
    drafts: [],
    medications: [],
    conditions: conditions.flatMap((resource) => readCondition(resource, options)),
    sections: Object.fromEntries(sections.map((section) => [section, stateOf(prefetched[section])])) as Record<
      Section,
      SectionState
    >,
    leftOut,
    resources: new Map(),
    subject: { patient: call.patientId, ...(call.encounterId !== undefined && { encounter: call.encounterId }) },
  };
  if (setting !== undefined) chart.setting = setting;
  const age = readAge(
    prefetched.patient.resources.find((patient) => string(patient['id']) === call.patientId),
    options,
  );
  if (age !== undefined) chart.age = age;

  readDrafts(drafts, call, chart, context, mine);
  readRecord(prefetched.medications.resources, drafts, chart, context, mine);
  return chart;
}

function readDrafts(
  entries: { resource: Resource; fullUrl: string | undefined }[],
  call: Call,
  chart: Chart,
  context: MedicationContext,
  mine: (resource: Resource, what: 'order') => boolean,
): void {
  const orders = entries.filter(({ resource }) => resource.resourceType === 'MedicationRequest');
  const selected = orders.filter((entry) => call.selections.some((selection) => selects(selection, entry)));
  // Selections that lead nowhere must not silence the drafts: then every draft is looked at (conformance H5).
  const deciding = call.hook === 'order-select' && selected.length > 0 ? selected : orders;
  for (const entry of orders) {
    const { resource } = entry;
    if (SETTLED.includes(string(resource['status']) ?? '') || resource['doNotPerform'] === true) continue;
    const reading = readMedication(resource, { draft: true, ordered: deciding.includes(entry) }, context);
    if ('leftOut' in reading) chart.leftOut.push({ what: 'order', why: reading.leftOut, ref: refOf(resource) });
    else if (mine(resource, 'order')) {
      chart.drafts.push(reading.medication);
      chart.resources.set(reading.medication.ref, resource);
    }
  }
}

/** `Type/id`, a bare id, an absolute URL or the entry's own address (conformance H4). */
function selects(
  selection: string,
  { resource, fullUrl }: { resource: Resource; fullUrl: string | undefined },
): boolean {
  const id = string(resource['id']);
  return selection === fullUrl || (id !== undefined && (selection === refOf(resource) || idOf(selection) === id));
}

function readRecord(
  orders: Resource[],
  drafts: { resource: Resource }[],
  chart: Chart,
  context: MedicationContext,
  mine: (resource: Resource, what: 'medication') => boolean,
): void {
  const drafted = new Set(drafts.map(({ resource }) => refOf(resource)));
  const seen = new Set<string>();
  for (const order of orders) {
    const ref = refOf(order);
    // A draft that renews a running order is sent in both places; the draft is the newer word. Nothing counts twice.
    if (string(order['id']) !== undefined && (drafted.has(ref) || seen.has(ref))) continue;
    seen.add(ref);
    if (!isOrder(order) || !mine(order, 'medication')) continue;
    const reading = readMedication(order, { draft: false, ordered: false }, context);
    if ('medication' in reading) chart.medications.push(reading.medication);
    else {
      chart.leftOut.push({ what: 'medication', why: reading.leftOut, ref });
      // A running order whose medicine cannot be found out may be anything: the list is not whole.
      if (
        reading.leftOut === 'no-medicine' &&
        order['status'] === 'active' &&
        chart.sections.medications === 'complete'
      ) {
        chart.sections.medications = 'partial';
      }
    }
  }
}

/** Clinical statuses with which a condition counts; without one it does too. */
const ACTIVE = ['active', 'recurrence', 'relapse'];
const NOT_TRUE = ['refuted', 'entered-in-error'];

function readCondition(resource: Resource, options: ChartOptions): Condition[] {
  if (codesOf(resource['verificationStatus']).some((code) => NOT_TRUE.includes(code))) return [];
  const lists = conceptListsOf(resource['code'], options.codes.conditions, options.codes);
  if (lists.length === 0) return [];
  const status = codesOf(resource['clinicalStatus']);
  const onset =
    localDate(resource['onsetDateTime'], options.timeZone) ??
    localDate(object(resource['onsetPeriod'])['start'], options.timeZone) ??
    localDate(resource['recordedDate'], options.timeZone);
  return [
    {
      ref: refOf(resource),
      lists,
      active: status.length === 0 || status.some((code) => ACTIVE.includes(code)),
      ...(onset !== undefined && { onset }),
    },
  ];
}

function codesOf(concept: unknown): string[] {
  return objects(concept)
    .flatMap((item) => objects(item['coding']))
    .map((coding) => string(coding['code']))
    .filter((code) => code !== undefined);
}

/** The class of the encounter that the call is about; without one, of an encounter that is going on. */
function encounterSetting(encounters: Resource[], encounterId: string | undefined, codes: Codes): Setting | undefined {
  const encounter = encounters.find((candidate) =>
    encounterId === undefined ? candidate['status'] === 'in-progress' : string(candidate['id']) === encounterId,
  );
  // R4 has one Coding, R5 a list of CodeableConcepts.
  const classes = objects(encounter?.['class']).flatMap((item): JsonObject[] =>
    'coding' in item ? objects(item['coding']) : [item],
  );
  return classes
    .map((coding) => codes.encounterClass.get(string(coding['code']) ?? ''))
    .find((found) => found !== undefined) as Setting | undefined;
}

/** Completed years. A birth date known only by its year gives an age only where both ends of the span agree. */
function readAge(patient: Resource | undefined, options: ChartOptions): number | undefined {
  const born = localDate(patient?.['birthDate'], options.timeZone);
  if (born === undefined || lastDay(born) > options.today) return undefined;
  const youngest = yearsBetween(lastDay(born), options.today);
  return youngest === yearsBetween(firstDay(born), options.today) ? youngest : undefined;
}

function stateOf(prefetched: Prefetched): SectionState {
  if (prefetched.state === 'complete' || prefetched.state === 'partial') return prefetched.state;
  return 'missing';
}

function resolver(places: Prefetched[], drafts: { resource: Resource; fullUrl: string | undefined }[]) {
  return (reference: string): Resource | undefined => {
    const tail = /([A-Za-z]+\/[^/]+)(?:\/_history\/[^/]*)?$/.exec(reference)?.[1];
    for (const { lookup } of places) {
      const found = lookup.get(reference) ?? (tail === undefined ? undefined : lookup.get(tail));
      if (found) return found;
    }
    return drafts.find(({ resource, fullUrl }) => fullUrl === reference || refOf(resource) === tail)?.resource;
  };
}

function checkVersions(resources: Resource[]): void {
  const seen = new Set<FhirVersion>();
  for (const resource of resources) {
    const version = versionOf(resource);
    if (version !== undefined) seen.add(version);
  }
  if (seen.has('DSTU2') || seen.has('STU3') || seen.size > 1) throw new UnusableFhir([...seen].sort().join(', '));
}

function refOf(resource: Resource): string {
  return `${resource.resourceType}/${string(resource['id']) ?? ''}`;
}
