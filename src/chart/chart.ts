import type { LocalDate } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';
import type { Section } from '../fhir/prefetch.ts';

/** `partial`: some of it is here, more exists. A positive finding counts; "nothing found" does not. */
export type SectionState = 'complete' | 'partial' | 'missing';

/** One reason of an order: the code lists it belongs to. */
export type Reason = { lists: string[] };

export type Setting = 'inpatient' | 'outpatient' | 'virtual';

/**
 * One order, prescription or statement of a medicine that stands in some code list. Fields that could not be read are
 * absent. Dates are local dates of the site; a partial date stands for its whole span.
 */
export type Medication = {
  /** `MedicationRequest/x`, as received. */
  ref: string;
  id: string | undefined;
  /** The medicine as the record writes it. */
  name: string | undefined;
  substance: string | undefined;
  lists: string[];
  identifiedBy: 'atc' | 'code' | 'name';
  /** In this request's draft orders. */
  draft: boolean;
  /** A draft that this call decides on: any at order-sign, a selected one at order-select. */
  ordered: boolean;
  /** In force on the evaluation date. Absent where that cannot be told. */
  current?: boolean;
  start?: LocalDate;
  stop?: LocalDate;
  stopFrom?: string;
  /** Days of the course, first and last counted (`days` is a word of FHIRPath's own). */
  length?: number;
  /** What is ordered in all, repeats included, in the unit of the daily dose. */
  quantity?: number;
  /** The dose of a day over all dosage lines, by the highest frequency allowed. */
  dailyDose?: number;
  /** Size of the product's smallest package, from the site's own drug codes. */
  smallestPackage?: number;
  form: string[];
  asNeeded: boolean;
  reasons: Reason[];
  requester?: string;
  setting?: Setting;
  /** How the record writes product and dosage, as digests: whether an order changed since it was last seen. */
  written: { product: string; dosage: string };
};

export type Condition = {
  ref: string;
  lists: string[];
  /** Active, recurrent, relapsed, or without a clinical status. */
  active: boolean;
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
  value?: number;
  /** Unit in lower case, with u for micro: `umol/l`. */
  unit?: string;
  /** Value ÷ upper limit of its reference range. */
  timesUpperLimit?: number;
};

/** Something done, planned or booked: Procedure, ServiceRequest, Appointment, CarePlan; or a relative's illness. */
export type Activity = { ref: string; lists: string[]; date?: LocalDate };

/** What was left out of the chart, and why: for the trace and the metrics. Never holds a name or an id. */
export type LeftOut = {
  what: 'order' | 'medication' | 'record';
  why: 'other-patient' | 'no-medicine' | 'unresolved' | 'unclassified' | 'of-no-list';
  ref: string;
};

/** The request's FHIR, read once. Plain data: the rules see nothing else. */
export type Chart = {
  hook: string;
  /** The evaluation date, a local date of the site. */
  today: LocalDate;
  /** Completed years; a birth date known by its year or month gives the least and the most that they may be. */
  age?: { least: number; most: number };
  setting?: Setting;
  /** All drafts of this session that stand in a code list. */
  drafts: Medication[];
  /** The medication list of the record, ended orders included. */
  medications: Medication[];
  conditions: Condition[];
  results: Result[];
  procedures: Activity[];
  referrals: Activity[];
  appointments: Activity[];
  carePlans: Activity[];
  familyHistory: Activity[];
  sections: Record<Section, SectionState>;
  leftOut: LeftOut[];
  /** The resources behind `drafts`, as received, by `ref`: a suggestion changes a copy. */
  resources: Map<string, Resource>;
  subject: { patient: string; encounter?: string };
  /** The request's FHIR version; what is created goes back in its shape. */
  version: 'R4' | 'R5';
};
