import { conceptListsOf, interpreter } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import type { LocalDate } from '../dates.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, type Resource, string } from '../fhir/json.ts';
import { type Prefetched, readPrefetch, type Section, sections } from '../fhir/prefetch.ts';
import { checkVersions } from '../fhir/versions.ts';
import type { Chart, LeftOut, SectionState } from './chart.ts';
import { type MedicationContext, subjectOf } from './medications.ts';
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
  prefetch: unknown;
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
 * works on a handful of entries. Throws `UnusableFhir` for versions that are not read, or mixed (conformance H14, V1).
 */
export function readChart(call: Call, options: ChartOptions): Chart {
  const { codes, timeZone, today } = options;
  const prefetched = bySection((section) => readPrefetch(call.prefetch, section));
  const drafts = call.draftOrders === undefined ? [] : readBundle(call.draftOrders).entries;
  const received = sections.flatMap((section) => prefetched[section].resources);
  const version = checkVersions([...drafts.map(({ resource }) => resource), ...received]);

  const leftOut: LeftOut[] = [];
  const mine = (what: LeftOut['what']) => (resource: Resource) => {
    const subject = subjectOf(resource);
    if (subject === undefined || subject === call.patientId) return true;
    leftOut.push({ what, why: 'other-patient', ref: refOf(resource) });
    return false;
  };
  const of = (section: Section) => prefetched[section].resources.filter(mine('record'));

  const conditions = of('conditions');
  const setting = settingOfEncounter(of('encounter'), call.encounterId, codes);
  const context: MedicationContext = {
    ...options,
    resolve: resolver(Object.values(prefetched), drafts),
    conditionLists: (reference) => {
      const condition = conditions.find((candidate) => string(candidate['id']) === idOf(reference));
      return condition ? conceptListsOf(condition['code'], codes.conditions, codes) : [];
    },
    encounterSetting: setting,
  };
  const orders = readDrafts(drafts, call, context, mine('order'), leftOut);
  const list = readMedicationList(prefetched, orders.settled, context, mine('medication'), leftOut);
  const states = bySection((section) => stateOf(prefetched[section]));
  // A running order whose medicine cannot be found out may be anything: the list is not whole.
  if (list.unidentified && states.medications === 'complete') states.medications = 'partial';
  const patient = prefetched.patient.resources.find(({ id }) => id === call.patientId);
  const age = readAge(patient, today, timeZone);
  const activities = (section: Section) => readActivities(of(section), codes, timeZone, today);
  const draftedReferrals = drafts
    .map(({ resource }) => resource)
    .filter(({ resourceType }) => resourceType === 'ServiceRequest')
    .filter(mine('record'));
  return {
    hook: call.hook,
    today,
    ...(age !== undefined && { age }),
    ...(setting !== undefined && { setting }),
    drafts: orders.medications,
    medications: list.medications,
    conditions: conditions.flatMap((resource) => readCondition(resource, codes, timeZone)),
    results: of('observations').flatMap((resource) =>
      readResults(resource, { codes, timeZone, interpret: interpreter(codes) }),
    ),
    procedures: activities('procedures'),
    referrals: [...activities('referrals'), ...readActivities(draftedReferrals, codes, timeZone, today)],
    // An appointment names its patient among the participants: the search asked for this patient's.
    appointments: activities('appointments'),
    carePlans: activities('carePlans'),
    familyHistory: activities('familyHistory'),
    sections: states,
    leftOut,
    resources: orders.resources,
    subject: { patient: call.patientId, ...(call.encounterId !== undefined && { encounter: call.encounterId }) },
    version,
  };
}

function bySection<T>(value: (section: Section) => T): Record<Section, T> {
  return Object.fromEntries(sections.map((section) => [section, value(section)])) as Record<Section, T>;
}

function stateOf({ state }: Prefetched): SectionState {
  return state === 'complete' || state === 'partial' ? state : 'missing';
}

/** Finds what a reference points to, wherever it was sent: by its full address, or by `Type/id`. */
function resolver(places: Prefetched[], drafts: Entry[]): (reference: string) => Resource | undefined {
  return (reference) => {
    const tail = /([A-Za-z]+\/[^/]+)(?:\/_history\/[^/]*)?$/.exec(reference)?.[1];
    for (const { lookup } of places) {
      const found = lookup.get(reference) ?? (tail === undefined ? undefined : lookup.get(tail));
      if (found) return found;
    }
    return drafts.find(({ resource, fullUrl }) => fullUrl === reference || refOf(resource) === tail)?.resource;
  };
}
