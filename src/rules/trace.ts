import type { Chart, Draft, Treatment, TreatmentEntry } from '../chart/chart.ts';
import type { Degree } from '../chart/periods.ts';
import { dateOf, OPEN } from '../dates.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { FactOutcome, Finding } from './facts.ts';
import { findingsOf, type RuleOutcome, type RuleResult } from './result.ts';

/** Why each rule fired or stayed silent: plain data, for the response's extension and for `npm run explain`. */
export type Trace = {
  today: string;
  sections: Chart['sections'];
  leftOut?: Chart['leftOut'];
  /** The orders of this call that are in a code list, as they were read. */
  drafts?: DraftTrace[];
  /** What the patient takes or took, with the entries of the record behind it. */
  treatments?: TreatmentTrace[];
  /** Orders that could not be read and unrecognised medicines in force, with their names. */
  unread?: { ref: string; name?: string | undefined }[];
  rules: RuleTrace[];
};

export type DraftTrace = Pick<Draft, (typeof shownOfDrafts)[number]>;
export type TreatmentTrace = Pick<Treatment, (typeof shownOfTreatments)[number]> & {
  /** The entries of the record behind it, the newest first. */
  entries: (Omit<TreatmentEntry, 'start' | 'stop'> & { start?: string; stop?: string })[];
  /** The periods in which it counts, with their degrees. */
  periods: { from: string; to?: string; degree: Degree }[];
};

const shownOfDrafts = [
  'ref',
  'name',
  'substance',
  'lists',
  'identifiedBy',
  'ordered',
  'changed',
  'taper',
  'start',
  'stop',
  'stopFrom',
] as const;

const shownOfTreatments = [
  'ref',
  'name',
  'substance',
  'lists',
  'identifiedBy',
  'degree',
  'fresh',
  'start',
  'stop',
  'lastSign',
  'onHold',
  'otherwise',
] as const;

export type RuleTrace = {
  rule: string;
  guideline: string;
  recommendation: string;
  outcome: RuleOutcome;
  off?: string;
  by?: string;
  /** On trial in this call. */
  silent?: true;
  missing?: Section[];
  facts: {
    fact: string;
    role: 'when' | 'unless' | 'without' | 'otherwise';
    outcome: FactOutcome;
    resources?: string[];
    /** The courses in the fact: first and last day of each, as merged. */
    courses?: { start: string; end: string }[];
    missing?: Section[];
  }[];
};

export function traceOf(chart: Chart, results: RuleResult[]): Trace {
  const unread = [...chart.unread.drafts, ...chart.unread.treatments];
  return {
    today: chart.today,
    sections: chart.sections,
    ...(chart.leftOut.length > 0 && { leftOut: chart.leftOut }),
    ...(chart.drafts.length > 0 && { drafts: chart.drafts.map((draft) => picked(draft, shownOfDrafts)) }),
    ...(chart.treatments.length > 0 && { treatments: chart.treatments.map(treatmentTrace) }),
    ...(unread.length > 0 && { unread }),
    rules: results.map(ruleTrace),
  };
}

/** Maximum number of entries listed for a treatment, the newest first; daily supplies come in thousands. */
const MOST_ENTRIES = 50;

function treatmentTrace(treatment: Treatment): TreatmentTrace {
  const { entries, timeline } = treatment;
  const newest = entries()
    .sort((a, b) => (b.start ?? 0) - (a.start ?? 0))
    .slice(0, MOST_ENTRIES);
  return {
    ...picked(treatment, shownOfTreatments),
    entries: newest.map(({ start, stop, ...entry }) => ({
      ...entry,
      ...(start !== undefined && { start: dateOf(start) }),
      ...(stop !== undefined && { stop: dateOf(stop) }),
    })),
    periods: timeline.spans.slice(-MOST_ENTRIES).map(({ start, end, degree }) => ({
      from: dateOf(start),
      ...(end < OPEN && { to: dateOf(end) }),
      degree,
    })),
  };
}

function picked<T, K extends keyof T>(item: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.filter((key) => item[key] !== undefined).map((key) => [key, item[key]])) as Pick<T, K>;
}

function ruleTrace(result: RuleResult): RuleTrace {
  const { rule, outcome, by, missing, silent } = result;
  const role = (name: string) =>
    (['when', 'unless', 'without'] as const).find((key) => rule[key].includes(name)) ?? 'otherwise';
  return {
    rule: rule.id,
    guideline: rule.guideline,
    recommendation: rule.recommendation,
    outcome,
    ...(rule.off && { off: rule.off }),
    ...(by !== undefined && { by }),
    ...(silent && { silent }),
    ...(missing.length > 0 && { missing }),
    facts: findingsOf(result).map((finding) => ({
      fact: finding.fact,
      role: role(finding.fact),
      outcome: finding.outcome,
      ...details(finding),
    })),
  };
}

function details({ courses, resources, missing }: Finding) {
  return {
    ...(courses.length > 0 && { courses: courses.map(({ start, end }) => ({ start, end })) }),
    ...(resources.length > 0 && { resources: [...new Set(resources)] }),
    ...(missing.length > 0 && { missing }),
  };
}
