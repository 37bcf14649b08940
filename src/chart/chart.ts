import type { Day, LocalDate } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';
import type { ActivitySection, Section } from '../fhir/prefetch.ts';
import type { TreatmentParameters } from './parameters.ts';
import type { Degree, Span } from './periods.ts';

/** `partial`: some of it is here, and there is more. A positive finding counts; "nothing found" does not. */
export type SectionState = 'complete' | 'partial' | 'missing';

/** One reason of an order, as the code lists it belongs to. */
export type Reason = { lists: string[] };

export type Setting = 'inpatient' | 'outpatient' | 'virtual';

/** The days of a treatment or draft, for the functions that relate two of them. Not visible to facts. */
export type Timeline = {
  today: Day;
  /** Numbers of hooks/treatments.yaml. */
  parameters: TreatmentParameters;
  /** All days that count: entries, effects of depots, and days between supplies. */
  spans: Span[];
  /** The same without days between supplies, for rules about being opioid-free. */
  strict: Span[];
  /** Spans, or doses of a depot, after whose end the product still matters for `afterDays` days. */
  cleared: (Span & { afterDays: number })[];
  /** For an implant: the last day on which it certainly acts, and the last on which it may. */
  implant?: { certain: Day; perhaps: Day };
};

/** How the record writes product and dosage, as digests, to detect a changed order. */
export type Prescribed = {
  product: string;
  dosage: string;
  /** The highest daily dose allowed. */
  dailyDose?: number;
};

/** Common fields of treatments and drafts. Fields that could not be read are absent. */
type Medicine = {
  /** `MedicationRequest/x`, as received; for a treatment, its most informative entry. */
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
  /** What the texts of reason and dosage say, by the names in hooks/codes: `'taper' in says`. */
  says: string[];
  requester?: string | undefined;
  setting?: Setting | undefined;
  start?: LocalDate;
  stop?: LocalDate;
  degree?: Degree;
  fresh: boolean;
  /** The record does not say whether the product is a depot. */
  vague: boolean;
  /** Number of days after the last dose for which it still matters to its counterpart. */
  afterDays?: number;
  /** Known only from a diagnosis, procedure, care plan or heading; no medicine is named. */
  otherwise: boolean;
  onHold: boolean;
  /** A single administration, and nothing else on record. */
  once: boolean;
  /** The order itself; for a treatment, its orders and statements in force today. */
  prescribed: Prescribed[];
  /** The highest daily dose over all dosage lines. */
  dailyDose?: number;
  timeline: Timeline;
};

/** An unsigned order of this request. */
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
  /** The total quantity ordered, including repeats, in the unit of the daily dose; `pieces` if that unit counts pieces. */
  quantity?: number;
  pieces?: number;
  repeats: number;
  /** The product's smallest package, from the site's own drug codes. */
  smallestPackage?: number;
};

/** All entries of one substance and one purpose in this patient (recommendations.md, 1). */
export type Treatment = Medicine & {
  draft: false;
  ordered: false;
  /** Every entry has ended, or will end, on a known day. */
  endKnown: boolean;
  /** Last day on which it was signed, handed over, asserted or given. */
  lastSign?: LocalDate;
  /** For a depot or implant: the last known dose. */
  lastDose?: LocalDate;
  /** Known only from administrations. */
  administered: boolean;
  /** The entries of the record behind it. A function, because daily supplies come in thousands. */
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
  /** A draft of the call changes or ends it. */
  replaced?: true;
};
export type EntryKind = 'order' | 'statement' | 'dispense' | 'administration' | 'problem' | 'procedure' | 'plan';

export type Drug = Draft | Treatment;

/** How an end was found. */
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

/** Two medicines whose periods share a relevant day (recommendations.md, 1.5). */
export type Pair = {
  one: Drug;
  other: Drug;
  /** The lower of the two highest degrees on the shared days. */
  degree: Degree;
  /** They overlap only by washout or blockade. */
  washout: boolean;
  /** For an implant: whether it certainly still acts. */
  certain?: boolean;
  /** Number of days for which the ended one matters after its end. */
  afterDays?: number;
};

/** Consecutive supplies of one class of medicines, merged: `end` is the last day of supply. */
export type Course = { start: LocalDate; end: LocalDate; drugs: Treatment[] };

export type Condition = {
  ref: string;
  lists: string[];
  /** Active, recurrent, relapsed, or without a clinical status. */
  active: boolean;
  /** Not unconfirmed, provisional or differential. Only a confirmed diagnosis may silence. */
  confirmed: boolean;
  /** By the clinical status or the code. */
  remission: boolean;
  onset?: LocalDate;
};

/** A laboratory result, score or status. A panel gives one for each component in a code list. */
export type Result = {
  ref: string;
  lists: string[];
  /** The day that it is about, not the day on which it was reported. */
  date: LocalDate;
  /** The time that it is about, for ordering; milliseconds since 1970. */
  at: number;
  outcome?: 'positive' | 'negative';
  /** The single substance that it asks for, if the code or the text says so. */
  substance?: string;
  /** By a specific method instead of a screening. */
  confirmation: boolean;
  /** A preliminary result: it only raises a question. */
  preliminary: boolean;
  /** Contradicted by a later answer to the same question or by a confirmation of the same sample. */
  overruled: boolean;
  /** Contradicted by a confirmation of the same sample. */
  refuted: boolean;
  /** There is a later negative with another code. */
  laterNegative: boolean;
  /** A positive result is explained by what is prescribed on that day or was recently. */
  explained: boolean;
  value?: number;
  /** Unit in lower case, with u for micro: `umol/l`. */
  unit?: string;
  /** Value ÷ upper limit of its reference range. */
  timesUpperLimit?: number;
};

/** Something done, planned or booked, or a relative's illness, from the parts of the record with `activity`. */
export type Activity = { ref: string; lists: string[]; date?: LocalDate };

/** What was left out of the chart, and why, for the trace and the metrics. Never contains a name or an id. */
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

/** An unrecognised medicine or unreadable order, with its name for a card. */
export type Unrecognised = { ref: string; name: string | undefined };

/** The request's FHIR, read once. Plain data, and all that the rules see. */
export type Chart = Record<ActivitySection, Activity[]> & {
  hook: string;
  /** The evaluation date, a local date of the site. */
  today: LocalDate;
  /** Completed years; a birth date known by its year or month gives the minimum and maximum. */
  age?: { least: number; most: number };
  setting?: Setting;
  /** All drafts of the session that are in a code list. */
  drafts: Draft[];
  /** What the patient takes or took, including this call's orders: an order that a draft changes ends there. */
  treatments: Treatment[];
  /** The same as on record, without the changes of this call. */
  before: Treatment[];
  conditions: Condition[];
  results: Result[];
  sections: Record<Section, SectionState>;
  leftOut: LeftOut[];
  /** Drafts that could not be read, and unrecognised medicines in force. */
  unread: { drafts: Unrecognised[]; treatments: Unrecognised[] };
  /** The resources behind `drafts` as received, by `ref`; suggestions change copies of them. */
  resources: Map<string, Resource>;
  subject: { patient: string; encounter?: string };
  /** The request's FHIR version, which created resources use too. */
  version: 'R4' | 'R5';
  /** All drafts, or all entries of the list, are in an unsupported FHIR version. */
  unusable: boolean;
};

type Keys<T> = { [key in keyof Required<T>]: true };

// Written out because types do not exist at run time; the compiler checks that each list is complete.
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

/** Every field that a fact may use, so that a misspelt one is an error and not a silent "no". */
export const fieldNames: ReadonlySet<string> = new Set(
  [draft, treatment, pair, condition, reason, result, activity, course].flatMap((fields) => Object.keys(fields)),
);
