import type { Day, LocalDate } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';
import type { ActivitySection, Section } from '../fhir/prefetch.ts';
import type { TreatmentParameters } from './parameters.ts';
import type { Degree, Span } from './periods.ts';

/** `partial`: some of it is here, more exists. A positive finding counts; "nothing found" does not. */
export type SectionState = 'complete' | 'partial' | 'missing';

/** One reason of an order: the code lists it belongs to. */
export type Reason = { lists: string[] };

export type Setting = 'inpatient' | 'outpatient' | 'virtual';

/** The days of a treatment or draft, for the functions that relate two of them. Facts do not see it. */
export type Timeline = {
  today: Day;
  /** Numbers of hooks/treatments.yaml. */
  parameters: TreatmentParameters;
  /** Everything that counts as taken: entries, effects of depots, and what goes on between supplies. */
  spans: Span[];
  /** The same without what only goes on between supplies: where it matters that somebody is opioid-free. */
  strict: Span[];
  /** Spans, or doses of a depot, after whose end the product matters for so many days more. */
  cleared: (Span & { afterDays: number })[];
  /** Of an implant: the last days on which it certainly, and perhaps, still acts. */
  implant?: { certain: Day; perhaps: Day };
};

/** How the record writes product and dosage, as digests: whether an order changed since it was last seen. */
export type Prescribed = {
  product: string;
  dosage: string;
  /** The highest dose of a day that it allows. */
  dailyDose?: number;
};

/** What treatments and drafts have in common. Fields that could not be read are absent. */
type Medicine = {
  /** `MedicationRequest/x`, as received; of a treatment, its entry that tells most. */
  ref: string;
  id: string | undefined;
  /** The medicine as the record writes it. */
  name: string | undefined;
  substance: string | undefined;
  /** Code lists and classes. */
  lists: string[];
  identifiedBy: 'atc' | 'code' | 'name';
  form: string[];
  asNeeded: boolean;
  reasons: Reason[];
  /** What the texts of reason and dosage say, by the names of hooks/codes: `'taper' in says`. */
  says: string[];
  requester?: string | undefined;
  setting?: Setting | undefined;
  start?: LocalDate;
  stop?: LocalDate;
  degree?: Degree;
  fresh: boolean;
  /** The record does not tell which product it is, a depot or not. */
  vague: boolean;
  /** Days after the last dose in which it still matters to its counterpart. */
  afterDays?: number;
  /** Known from a diagnosis, procedure, care plan or heading only: no medicine is named. */
  otherwise: boolean;
  onHold: boolean;
  /** Given once, and nothing else of it is on record. */
  once: boolean;
  /** The order itself; of a treatment, its orders and statements in force today. */
  prescribed: Prescribed[];
  /** The dose of a day over all dosage lines, the highest allowed. */
  dailyDose?: number;
  timeline: Timeline;
};

/** An order of this request that is not signed yet. */
export type Draft = Medicine & {
  draft: true;
  /** This call decides on it: any draft at order-sign, a selected one at order-select. */
  ordered: boolean;
  /** It changes an order of the record. */
  changed: boolean;
  /** Its dosage lines descend, or its text says so. */
  taper: boolean;
  /** One dose: a count of 1, one event, or one unit. */
  single: boolean;
  /** It has a dosage line. */
  dosed: boolean;
  stopFrom?: StopSource;
  /** Days of the course, first and last counted. */
  length?: number;
  /** What is ordered in all, repeats included, in the unit of the daily dose; `pieces` where that unit counts pieces. */
  quantity?: number;
  pieces?: number;
  repeats: number;
  /** Size of the product's smallest package, from the site's own drug codes. */
  smallestPackage?: number;
};

/** All entries of one substance and one purpose in this patient (recommendations.md, 1). */
export type Treatment = Medicine & {
  draft: false;
  ordered: false;
  /** Every entry ended, or is to end, on a known day. */
  endKnown: boolean;
  /** Last day on which something of it was signed, handed over, asserted or given. */
  lastSign?: LocalDate;
  /** Of a depot or an implant: the last dose that is known. */
  lastDose?: LocalDate;
  /** Only administrations tell of it. */
  administered: boolean;
  /** The entries of the record behind it: made when asked for, since of daily supplies there are thousands. */
  entries: () => TreatmentEntry[];
  /** Days of supply, for use over time: merged, oldest first. */
  supplies: { start: Day; end: Day }[];
};

/** An entry of the record behind a treatment, for the trace. */
export type TreatmentEntry = {
  ref: string;
  kind: EntryKind;
  degree?: Degree;
  start?: Day;
  stop?: Day;
  stopFrom?: StopSource;
  /** It stands in a call's draft too, which changes or ends it. */
  replaced?: true;
};
export type EntryKind = 'order' | 'statement' | 'dispense' | 'administration' | 'problem' | 'procedure' | 'plan';

export type Drug = Draft | Treatment;

/** Where an end was read. */
export type StopSource =
  | 'bounds'
  | 'count'
  | 'event'
  | 'effective-period'
  | 'status-changed'
  | 'days-supply'
  | 'validity-period'
  | 'quantity'
  | 'text';

/** Two medicines whose periods share a day that matters (recommendations.md, 1.5). */
export type Pair = {
  one: Drug;
  other: Drug;
  /** The lower of the highest degrees of both on the shared days. */
  degree: Degree;
  /** Only washout or blockade joins them. */
  washout: boolean;
  /** Of an implant: whether it certainly still acts, or perhaps. */
  certain?: boolean;
  /** Days for which the one that ended matters after its end. */
  afterDays?: number;
};

/** Consecutive supplies of one class of medicines, merged: `end` is the last day of supply. */
export type Course = { start: LocalDate; end: LocalDate; drugs: Treatment[] };

export type Condition = {
  ref: string;
  lists: string[];
  /** Active, recurrent, relapsed, or without a clinical status. */
  active: boolean;
  /** Not unconfirmed, provisional or differential: only such a diagnosis may silence. */
  confirmed: boolean;
  /** The clinical status, or the code, says so. */
  remission: boolean;
  onset?: LocalDate;
};

/** A laboratory result, score or status. Panels give one for each component that stands in a code list. */
export type Result = {
  ref: string;
  lists: string[];
  /** The day it is about, never the day it was reported. */
  date: LocalDate;
  /** The moment it is about, to tell the newer of two; milliseconds since 1970. */
  at: number;
  outcome?: 'positive' | 'negative';
  /** The one substance that it asks for, where the code or the text tells. */
  substance?: string;
  /** A specific method, in place of a screening. */
  confirmation: boolean;
  /** A preliminary result: it counts for nothing but a question. */
  preliminary: boolean;
  /** A later answer to the same question, or a confirmation of the same sample, says otherwise. */
  overruled: boolean;
  /** A confirmation of the same sample says otherwise. */
  refuted: boolean;
  /** A later negative of another code is there. */
  laterNegative: boolean;
  /** What is prescribed on that day, or lately, explains a positive. */
  explained: boolean;
  value?: number;
  /** Unit in lower case, with u for micro: `umol/l`. */
  unit?: string;
  /** Value ÷ upper limit of its reference range. */
  timesUpperLimit?: number;
};

/** Something done, planned or booked, or a relative's illness: of the parts of the record that are read as activities. */
export type Activity = { ref: string; lists: string[]; date?: LocalDate };

/** What was left out of the chart, and why: for the trace and the metrics. Never holds a name or an id. */
export type LeftOut = {
  what: 'order' | 'medication' | 'record';
  why:
    | 'other-patient'
    | 'no-medicine'
    | 'unresolved'
    | 'unrecognised'
    | 'other-medicine'
    | 'status'
    | 'intent'
    | 'not-performed'
    | 'twice'
    | 'fhir-version'
    | 'not-read';
  ref: string;
};

/** A medicine that nobody recognises, or an order that could not be read: what a card calls it. */
export type Unrecognised = { ref: string; name: string | undefined };

/** The request's FHIR, read once. Plain data: the rules see nothing else. */
export type Chart = Record<ActivitySection, Activity[]> & {
  hook: string;
  /** The evaluation date, a local date of the site. */
  today: LocalDate;
  /** Completed years; a birth date known by its year or month gives the least and the most that they may be. */
  age?: { least: number; most: number };
  setting?: Setting;
  /** All drafts of this session that stand in a code list. */
  drafts: Draft[];
  /** What the patient takes or took, as it will be with this call's orders: an order that a draft changes ends with it. */
  treatments: Treatment[];
  /** The same as the record has it, whatever this call changes: what was there before. */
  before: Treatment[];
  conditions: Condition[];
  results: Result[];
  sections: Record<Section, SectionState>;
  leftOut: LeftOut[];
  /** Drafts that could not be judged, and medicines in force that nobody recognises. */
  unread: { drafts: Unrecognised[]; treatments: Unrecognised[] };
  /** The resources behind `drafts`, as received, by `ref`: a suggestion changes a copy. */
  resources: Map<string, Resource>;
  subject: { patient: string; encounter?: string };
  /** The request's FHIR version; what is created goes back in its shape. */
  version: 'R4' | 'R5';
  /** Not one draft, or not one entry of the list, is of a FHIR version that is read. */
  unusable: boolean;
};

type Keys<T> = { [key in keyof Required<T>]: true };

// Written out since types are gone at run time; the compiler holds each list complete.
const medicine = {
  ref: true,
  id: true,
  name: true,
  substance: true,
  lists: true,
  identifiedBy: true,
  draft: true,
  ordered: true,
  form: true,
  asNeeded: true,
  reasons: true,
  says: true,
  requester: true,
  setting: true,
  start: true,
  stop: true,
  degree: true,
  fresh: true,
  vague: true,
  afterDays: true,
  otherwise: true,
  onHold: true,
  once: true,
  dailyDose: true,
} as const;
const draft: Keys<Omit<Draft, 'prescribed' | 'timeline'>> = {
  ...medicine,
  changed: true,
  taper: true,
  single: true,
  dosed: true,
  stopFrom: true,
  length: true,
  quantity: true,
  pieces: true,
  repeats: true,
  smallestPackage: true,
};
const treatment: Keys<Omit<Treatment, 'prescribed' | 'timeline' | 'entries' | 'supplies'>> = {
  ...medicine,
  endKnown: true,
  administered: true,
  lastDose: true,
  lastSign: true,
};
const pair: Keys<Pair> = { one: true, other: true, degree: true, washout: true, certain: true, afterDays: true };
const condition: Keys<Condition> = {
  ref: true,
  lists: true,
  active: true,
  confirmed: true,
  remission: true,
  onset: true,
};
const result: Keys<Result> = {
  ref: true,
  lists: true,
  date: true,
  at: true,
  outcome: true,
  substance: true,
  confirmation: true,
  preliminary: true,
  overruled: true,
  refuted: true,
  laterNegative: true,
  explained: true,
  value: true,
  unit: true,
  timesUpperLimit: true,
};
const activity: Keys<Activity> = { ref: true, lists: true, date: true };
const course: Keys<Course> = { start: true, end: true, drugs: true };
const reason: Keys<Reason> = { lists: true };

/** Every field that a fact may name: a misspelt one is an error and not a silent "no". */
export const fieldNames: ReadonlySet<string> = new Set(
  [draft, treatment, pair, condition, reason, result, activity, course].flatMap((fields) => Object.keys(fields)),
);
