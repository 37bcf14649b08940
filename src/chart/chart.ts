import type { LocalDate } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';

/** The parts of a record that a request brings or lacks. */
export const sections = ['patient', 'medications', 'conditions', 'encounter'] as const;
export type Section = (typeof sections)[number];

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
  form: string[];
  asNeeded: boolean;
  reasons: Reason[];
  requester?: string;
  setting?: Setting;
};

export type Condition = {
  ref: string;
  lists: string[];
  /** Active, recurrent, relapsed, or without a clinical status. */
  active: boolean;
  onset?: LocalDate;
};

/** What was left out of the chart, and why: for the trace and the metrics. Never holds a name or an id. */
export type LeftOut = {
  what: 'order' | 'medication' | 'condition';
  why: 'other-patient' | 'no-medicine' | 'unclassified' | 'of-no-list';
  ref: string;
};

/** The request's FHIR, read once. Plain data: the rules see nothing else. */
export type Chart = {
  hook: string;
  /** The evaluation date, a local date of the site. */
  today: LocalDate;
  /** Completed years. */
  age?: number;
  setting?: Setting;
  /** All drafts of this session that stand in a code list. */
  drafts: Medication[];
  /** The medication list of the record, ended orders included. */
  medications: Medication[];
  conditions: Condition[];
  sections: Record<Section, SectionState>;
  leftOut: LeftOut[];
  /** The resources behind `drafts`, as received, by `ref`: a suggestion changes a copy. */
  resources: Map<string, Resource>;
  subject: { patient: string; encounter?: string };
};
