import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { sayOneOf } from '../codes/words.ts';
import { dayOf, type LocalDate, OPEN } from '../dates.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, type Resource, string } from '../fhir/json.ts';
import {
  type ActivitySection,
  activitySections,
  type Prefetch,
  type Prefetched,
  type Section,
  sections,
} from '../fhir/prefetch.ts';
import { versionOf } from '../fhir/versions.ts';
import { limits } from '../limits.ts';
import { checkDosages, checkNumber, dosagesIn } from './bounds.ts';
import type { Activity, Chart, LeftOut, SectionState, Treatment, Unrecognised } from './chart.ts';
import { type BundleEntry, changedBy, type DraftsRead, draftOf, draftStart, readDrafts } from './drafts.ts';
import { countsForNothing, type Entry, type EntryContext, periodsOf, readEntry, readTiming, refOf } from './entries.ts';
import { type Identified, identifier } from './medicine.ts';
import { anew, type Once } from './once.ts';
import type { TreatmentParameters } from './parameters.ts';
import { degreeBetween } from './periods.ts';
import {
  daysOfProcedure,
  patientOf,
  readActivities,
  readAge,
  readCondition,
  readOtherwise,
  settingOfEncounter,
  subjectOf,
} from './record.ts';
import { explain, readResults } from './results.ts';
import {
  type Change,
  type Classify,
  type Otherwise,
  type Purposed,
  type TreatmentContext,
  treatmentsOf,
  withPurpose,
} from './treatments.ts';

/** A CDS Hooks call, checked and normalised: bare ids, unknown fields dropped (see http/wire.ts). */
export type Call = {
  hook: string;
  patientId: string;
  encounterId: string | undefined;
  /** Absent for hooks without orders. */
  draftOrders: unknown;
  selections: string[];
  prefetch: Prefetch;
  /** The draft orders with exact digits, needed only if one of them goes back changed. */
  exactDrafts?: () => unknown;
};

export type ChartOptions = {
  codes: Codes;
  today: LocalDate;
  timeZone: string;
  validityPeriodEndsTreatment: boolean;
  parameters: TreatmentParameters;
  /** How a treatment without a named medicine is recognised, and its class. */
  continues: Continues;
  /** Makes the function that gives each medicine its classes, once the conditions etc. are known. */
  classifier: (record: ClassRecord) => Classify;
  /** Where one record is read on many days. */
  once?: Once;
};

/** The part of the chart that classes may use. */
export type ClassRecord = Pick<
  Chart,
  'hook' | 'today' | 'age' | 'setting' | 'conditions' | 'results' | ActivitySection
> & {
  otherwise: { ref: string; lists: string[] }[];
};

/** `hooks/treatments.yaml`: the class that goes on between supplies, and how it is recognised without a medicine. */
export type Continues = {
  class: string;
  conditions: string;
  procedures: string;
  /** What a text must say, for names of medicines and for other texts. */
  says: { medicines: string[]; others: string[] };
  /** What the text of a procedure that removes an implant says. */
  removal: string[];
};

/**
 * Reads a request's FHIR into the chart and groups entries into treatments, before any rule. Linear in the entries.
 * Throws a `ServiceError` for a record beyond the limits.
 */
export function readChart(call: Call, options: ChartOptions): Chart {
  const { codes, timeZone, today: date, parameters, continues, once = anew } = options;
  const today = dayOf(date);
  const prefetched = bySection(call.prefetch.section);
  const drafted = readBundle(call.draftOrders).entries;
  const received = sections.flatMap((section) => prefetched[section].resources);
  checkNumber(drafted.length, limits.drafts, 'draft orders');
  checkNumber(drafted.length + received.length, limits.resources, 'resources');
  let dosages = 0;
  for (const { resource } of drafted) dosages += dosagesIn(resource);
  for (const resource of received) dosages += once('dosages', resource, () => dosagesIn(resource));
  checkDosages(dosages);
  const leftOut: LeftOut[] = [];
  const resolve = resolver(Object.values(prefetched), drafted);
  const isMine = ownership(call.patientId, resolve);
  const mine = (what: LeftOut['what']) => (resource: Resource) => {
    if (isMine(resource)) return true;
    leftOut.push({ what, why: 'other-patient', ref: refOf(resource) });
    return false;
  };
  const foreign = new Set<Section>();
  const readable = (what: LeftOut['what']) => (resource: Resource) => {
    if (versionOf(resource) !== 'other') return true;
    leftOut.push({ what, why: 'fhir-version', ref: refOf(resource) });
    return false;
  };
  const own = bySection((section) => {
    const what = MEDICINES.includes(section) ? 'medication' : 'record';
    const usable = prefetched[section].resources.filter(readable(what));
    if (usable.length < prefetched[section].resources.length) foreign.add(section);
    return usable.filter(mine(what));
  });
  const states = bySection((section): SectionState => {
    // A list with only other patients' entries is not this patient's list.
    if (own[section].length === 0 && prefetched[section].resources.length > 0 && !foreign.has(section))
      return 'missing';
    const state = stateOf(prefetched[section]);
    return state === 'complete' && foreign.has(section) ? 'partial' : state;
  });

  const setting = settingOfEncounter(own.encounter, call.encounterId, codes);
  const identify = identifier(resolve, codes);
  const context: EntryContext = {
    codes,
    timeZone,
    today,
    parameters,
    validityPeriodEndsTreatment: options.validityPeriodEndsTreatment,
    conditionLists: conditionListsIn(own.conditions, codes),
    encounterSetting: setting,
    dosages: new Map(),
  };
  const usableDrafts = drafted.filter(({ resource }) => readable('order')(resource));
  const read = readDrafts(usableDrafts, call, identify, mine('order'), context);
  const list = readEntries(
    MEDICINES.flatMap((section) => own[section]),
    { identify: (entry) => once('medicine', entry, () => identify(entry)), erased: read.erased, continues },
    context,
  );
  leftOut.push(...read.leftOut, ...list.leftOut);

  const age = readAge(
    own.patient.find(({ id }) => id === call.patientId),
    date,
    timeZone,
  );
  const draftedReferrals = usableDrafts
    .map(({ resource }) => resource)
    .filter(({ resourceType }) => resourceType === 'ServiceRequest')
    .filter(mine('record'));
  const activities = Object.fromEntries(
    activitySections.map((section) => {
      const drafts = section === 'referrals' ? draftedReferrals : [];
      return [section, readActivities([...own[section], ...drafts], { codes, timeZone, date, once })];
    }),
  ) as Record<ActivitySection, Activity[]>;
  const otherwise = [
    ...list.otherwise,
    ...readOtherwise(own, {
      codes,
      timeZone,
      today,
      lists: continues,
      says: [...continues.says.medicines, ...continues.says.others],
      possibleMonths: parameters.possibleMonths,
      once,
    }),
  ];
  const record = {
    hook: call.hook,
    today: date,
    ...(age !== undefined && { age }),
    ...(setting !== undefined && { setting }),
    conditions: own.conditions.flatMap((resource) =>
      once('condition', resource, () => readCondition(resource, codes, timeZone)),
    ),
    results: readResults(own.observations, { codes, timeZone, once }),
    ...activities,
  };
  const classify = options.classifier({
    ...record,
    otherwise: otherwise.map(({ ref }) => ({ ref, lists: [continues.class] })),
  });
  const { drafts, treatments, before } = relateAll(read, list.entries, otherwise, classify, {
    ...context,
    continues: continues.class,
    removals: (name) => daysOfProcedure(own.procedures, name, continues.removal, { codes, timeZone }),
  });
  const { conditions, results } = record;
  checkNumber(
    list.entries.length + conditions.length + results.length,
    limits.listed,
    'medicines, problems and results in code lists',
  );
  return {
    ...record,
    results: explain(record.results, before, codes),
    drafts,
    treatments,
    before,
    sections: states,
    leftOut,
    unread: {
      drafts: [...read.unread, ...unusable(drafted, usableDrafts)],
      treatments: list.unrecognised,
    },
    resources: read.resources,
    subject: { patient: call.patientId, ...(call.encounterId !== undefined && { encounter: call.encounterId }) },
    version: [...usableDrafts.map(({ resource }) => resource), ...own.medications].some(
      (resource) => versionOf(resource) === 'R5',
    )
      ? 'R5'
      : 'R4',
    unusable: isUnusable(drafted, usableDrafts, prefetched.medications, own.medications, leftOut),
  };
}

/** Gives drafts and treatments their purposes, and applies the changes of the drafts to the record. */
function relateAll(
  { drafts, ended, changed }: Pick<DraftsRead, 'drafts' | 'ended' | 'changed'>,
  entries: Entry[],
  otherwise: Otherwise[],
  classify: Classify,
  context: TreatmentContext,
): Pick<Chart, 'drafts' | 'treatments' | 'before'> {
  const { codes, today } = context;
  const purposed = withPurpose([...entries, ...drafts.map(({ entry }) => entry)], classify, codes);
  const listed = purposed.slice(0, entries.length);
  const byId = new Map<string, Purposed>();
  for (const item of listed)
    if (item.entry.id !== undefined && item.entry.kind === 'order') byId.set(item.entry.id, item);
  const taken = new Map<string, Change>();
  for (const { entry } of listed)
    if (entry.id !== undefined && entry.kind === 'order' && ended.has(entry.id))
      taken.set(entry.ref, { kind: 'ended', on: today });
  const changes = new Map(taken);
  for (const [id, day] of changed) {
    const copy = byId.get(id);
    if (copy) changes.set(copy.entry.ref, { kind: 'ended', on: day - 1 });
  }
  const read = drafts.map((draft, at) => {
    const own = purposed[entries.length + at] as Purposed;
    const copies = changedBy(draft.resource)
      .map((id) => byId.get(id))
      .filter((copy) => copy !== undefined);
    for (const copy of copies) {
      changes.set(
        copy.entry.ref,
        copy.key === own.key
          ? { kind: 'replaced', from: today }
          : { kind: 'ended', on: draftStart(draft.entry, today) - 1 },
      );
    }
    return draftOf(draft, own, copies.length > 0, context);
  });
  const before = treatmentsOf(listed, otherwise, taken, context);
  const treatments: Treatment[] =
    changes.size > taken.size ? treatmentsOf(listed, otherwise, changes, context) : before;
  return { drafts: read, treatments, before };
}

type EntriesRead = { entries: Entry[]; otherwise: Otherwise[]; unrecognised: Unrecognised[]; leftOut: LeftOut[] };

/** The medication list: orders, statements, dispenses and administrations. Duplicates count once. */
function readEntries(
  resources: Resource[],
  {
    identify,
    erased,
    continues,
  }: { identify: (entry: Resource) => Identified; erased: Set<string>; continues: Continues },
  context: EntryContext,
): EntriesRead {
  const read: EntriesRead = { entries: [], otherwise: [], unrecognised: [], leftOut: [] };
  const seen = new Set<string>();
  for (const resource of resources) {
    const ref = refOf(resource);
    const id = string(resource['id']);
    const leave = (why: LeftOut['why']) => read.leftOut.push({ what: 'medication', why, ref });
    const nothing = countsForNothing(resource);
    if (nothing) {
      leave(nothing);
      continue;
    }
    if (id !== undefined && (seen.has(ref) || (resource.resourceType === 'MedicationRequest' && erased.has(id)))) {
      leave('twice');
      continue;
    }
    seen.add(ref);
    const medicine = identify(resource);
    if (!('leftOut' in medicine)) read.entries.push(readEntry(resource, medicine, context));
    else {
      leave(medicine.leftOut);
      if (medicine.leftOut !== 'other-medicine') readUnrecognised(resource, medicine.name, continues, context, read);
    }
  }
  return read;
}

/** An unrecognised medicine: perhaps a heading for a treatment; otherwise, while in force, it may be anything. */
function readUnrecognised(
  resource: Resource,
  name: string | undefined,
  continues: Continues,
  context: EntryContext,
  read: EntriesRead,
): void {
  const { codes, today } = context;
  const entry = readTiming(resource, context);
  const heading = name !== undefined && sayOneOf([name], continues.says.medicines, codes.reading.says);
  const { spans } = periodsOf(entry, undefined, heading, context);
  if (heading) {
    read.otherwise.push({ ref: entry.ref, kind: entry.kind, spans, name });
    return;
  }
  const degree = degreeBetween(spans, today, OPEN);
  if (degree === 'taken' || degree === 'presumed') read.unrecognised.push({ ref: entry.ref, name });
}

/** Drafts in another FHIR version, which could not be read. */
function unusable(all: BundleEntry[], usable: BundleEntry[]): Unrecognised[] {
  const read = new Set(usable);
  return all.filter((entry) => !read.has(entry)).map(({ resource }) => ({ ref: refOf(resource), name: undefined }));
}

/** Whether all drafts, or all entries of the list, are in an unsupported version: then only positive findings count. */
function isUnusable(
  drafted: BundleEntry[],
  usable: BundleEntry[],
  list: Prefetched,
  own: Resource[],
  leftOut: LeftOut[],
): boolean {
  const foreign = leftOut.some(({ why }) => why === 'fhir-version');
  return foreign && ((drafted.length > 0 && usable.length === 0) || (list.resources.length > 0 && own.length === 0));
}

/** Parts of the medication list: orders, and what adds to them. */
const MEDICINES: readonly Section[] = ['medications', 'statements', 'dispenses', 'administrations'];

function bySection<T>(value: (section: Section) => T): Record<Section, T> {
  return Object.fromEntries(sections.map((section) => [section, value(section)])) as Record<Section, T>;
}

function stateOf({ state }: Prefetched): SectionState {
  return state === 'complete' || state === 'partial' ? state : 'missing';
}

/** Whether a resource is this patient's. Resolves a subject that is the address of another entry. */
function ownership(
  patientId: string,
  resolve: (reference: string) => Resource | undefined,
): (resource: Resource) => boolean {
  const answers = new Map<string, boolean>();
  return (resource) => {
    const subject = subjectOf(resource);
    if (subject === undefined) return true;
    const before = answers.get(subject);
    if (before !== undefined) return before;
    const entry = patientOf(subject) === patientId ? undefined : resolve(subject);
    const mine = entry?.resourceType === 'Patient' ? entry['id'] === patientId : patientOf(subject) === patientId;
    if (answers.size < 1000) answers.set(subject, mine);
    return mine;
  };
}

/** The lists of each condition that an order may refer to as its reason. Each is read once. */
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

/** A map that keeps the first value of each key. */
function firstOf<T>(pairs: [string | undefined, T][]): Map<string, T> {
  const found = new Map<string, T>();
  for (const [key, value] of pairs) if (key !== undefined && !found.has(key)) found.set(key, value);
  return found;
}

/**
 * Resolves references, wherever the resource was sent: by full address, by relative `Type/id`, and for absolute
 * references also among entries without an address.
 */
function resolver(places: Prefetched[], drafts: BundleEntry[]): (reference: string) => Resource | undefined {
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
