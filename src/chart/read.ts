import { conceptListsOf, interpreter } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import type { LocalDate } from '../dates.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, type Resource, string } from '../fhir/json.ts';
import { type Prefetch, type Prefetched, type Section, sections } from '../fhir/prefetch.ts';
import { checkVersions } from '../fhir/versions.ts';
import { limits } from '../limits.ts';
import { checkEntries, checkNumber } from './bounds.ts';
import type { Chart, LeftOut, SectionState } from './chart.ts';
import { type MedicationContext, subjectOf } from './medications.ts';
import { identifier } from './medicine.ts';
import { type Entry, readDrafts, readMedicationList, refOf } from './orders.ts';
import { readActivities, readAge, readCondition, settingOfEncounter } from './record.ts';
import { readResults } from './results.ts';

/** A CDS Hooks call, checked and normalised: bare ids, unknown fields dropped (see http/wire.ts). */
export type Call = {
  hook: string;
  patientId: string;
  encounterId: string | undefined;
  /** Absent for hooks without orders. */
  draftOrders: unknown;
  selections: string[];
  prefetch: Prefetch;
};

export type ChartOptions = {
  codes: Codes;
  today: LocalDate;
  timeZone: string;
  openEndedMonths: number;
  validityPeriodEndsTreatment: boolean;
};

/**
 * Reads a request's FHIR into the chart. Medicines of no code list are dropped while reading, so that everything after
 * works on a handful of entries. Throws `UnusableFhir` for versions that are not read, or mixed (conformance H14, V1), and
 * a `ServiceError` for a record that is larger than any person's.
 */
export function readChart(call: Call, options: ChartOptions): Chart {
  const { codes, timeZone, today } = options;
  const prefetched = bySection(call.prefetch.section);
  const drafts = call.draftOrders === undefined ? [] : readBundle(call.draftOrders).entries;
  const received = sections.flatMap((section) => prefetched[section].resources);
  checkNumber(drafts.length, limits.drafts, 'draft orders');
  checkNumber(drafts.length + received.length, limits.resources, 'resources');
  checkEntries([...drafts.map(({ resource }) => resource), ...received]);
  const version = checkVersions([...drafts.map(({ resource }) => resource), ...received]);

  const leftOut: LeftOut[] = [];
  const mine = (what: LeftOut['what']) => (resource: Resource) => {
    const subject = subjectOf(resource);
    if (subject === undefined || subject === call.patientId) return true;
    leftOut.push({ what, why: 'other-patient', ref: refOf(resource) });
    return false;
  };
  const own = bySection((section) =>
    prefetched[section].resources.filter(mine(MEDICINES.includes(section) ? 'medication' : 'record')),
  );
  // A list that holds only other patients' entries is not this patient's.
  const states = bySection((section) =>
    own[section].length === 0 && prefetched[section].resources.length > 0 ? 'missing' : stateOf(prefetched[section]),
  );

  const setting = settingOfEncounter(own.encounter, call.encounterId, codes);
  const context: MedicationContext = {
    ...options,
    identify: identifier(resolver(Object.values(prefetched), drafts), codes),
    conditionLists: conditionListsIn(own.conditions, codes),
    encounterSetting: setting,
  };
  const orders = readDrafts(drafts, call, context, mine('order'), leftOut);
  const list = readMedicationList(
    MEDICINES.flatMap((section) => own[section]),
    orders.settled,
    context,
    leftOut,
  );
  // A running order whose medicine cannot be found out may be anything: the list is not whole.
  if (list.unidentified && states.medications === 'complete') states.medications = 'partial';
  const age = readAge(
    own.patient.find(({ id }) => id === call.patientId),
    today,
    timeZone,
  );
  const activities = (resources: Resource[]) => readActivities(resources, codes, timeZone, today);
  const draftedReferrals = drafts
    .map(({ resource }) => resource)
    .filter(({ resourceType }) => resourceType === 'ServiceRequest')
    .filter(mine('record'));
  const interpret = interpreter(codes);
  const chart: Chart = {
    hook: call.hook,
    today,
    ...(age !== undefined && { age }),
    ...(setting !== undefined && { setting }),
    drafts: orders.medications,
    medications: list.medications,
    conditions: own.conditions.flatMap((resource) => readCondition(resource, codes, timeZone)),
    results: own.observations.flatMap((resource) => readResults(resource, { codes, timeZone, interpret })),
    procedures: activities(own.procedures),
    referrals: activities([...own.referrals, ...draftedReferrals]),
    appointments: activities(own.appointments),
    carePlans: activities(own.carePlans),
    familyHistory: activities(own.familyHistory),
    sections: states,
    leftOut,
    resources: orders.resources,
    subject: { patient: call.patientId, ...(call.encounterId !== undefined && { encounter: call.encounterId }) },
    version,
  };
  const { drafts: ordered, medications, conditions, results } = chart;
  checkNumber(
    ordered.length + medications.length + conditions.length + results.length,
    limits.listed,
    'medicines, problems and results that stand in code lists',
  );
  return chart;
}

/** Parts of the record that make up the medication list: orders, and what statements and dispenses add. */
const MEDICINES: readonly Section[] = ['medications', 'statements', 'dispenses'];

function bySection<T>(value: (section: Section) => T): Record<Section, T> {
  return Object.fromEntries(sections.map((section) => [section, value(section)])) as Record<Section, T>;
}

function stateOf({ state }: Prefetched): SectionState {
  return state === 'complete' || state === 'partial' ? state : 'missing';
}

/** The lists of each condition that an order may give as its reason; each is read once, however many orders name it. */
function conditionListsIn(conditions: Resource[], codes: Codes): (reference: string) => string[] {
  const byId = firstOf(conditions.map((condition) => [string(condition['id']), condition]));
  const known = new Map<string, string[]>();
  return (reference) => {
    const id = idOf(reference);
    const lists = known.get(id) ?? conceptListsOf(byId.get(id)?.['code'], codes.conditions, codes);
    known.set(id, lists);
    return lists;
  };
}

/** A map in which the first of several values of a key stands. */
function firstOf<T>(pairs: [string | undefined, T][]): Map<string, T> {
  const found = new Map<string, T>();
  for (const [key, value] of pairs) if (key !== undefined && !found.has(key)) found.set(key, value);
  return found;
}

/**
 * Finds what a reference points to, wherever it was sent: by its full address, by `Type/id` where it is relative, and
 * where it is absolute also among what came without an address of its own.
 */
function resolver(places: Prefetched[], drafts: Entry[]): (reference: string) => Resource | undefined {
  const drafted = firstOf(
    drafts.flatMap(({ resource, fullUrl }): [string | undefined, Resource][] => [
      [fullUrl, resource],
      [refOf(resource), resource],
    ]),
  );
  return (reference) => {
    const [, server, tail] = /^(.*\/)?([A-Za-z]+\/[^/]+)(?:\/_history\/[^/]*)?$/.exec(reference) ?? [];
    const local = tail === undefined ? [] : [server === undefined ? tail : `*/${tail}`];
    for (const { lookup } of places) {
      for (const key of [reference, ...local]) {
        const found = lookup().get(key);
        if (found) return found;
      }
    }
    return drafted.get(reference) ?? (tail === undefined ? undefined : drafted.get(tail));
  };
}
