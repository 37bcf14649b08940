import type { Chart, Medication } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import { findingsOf, type RuleOutcome, type RuleResult } from './evaluate.ts';
import type { FactOutcome, Finding } from './facts.ts';

/** Why each rule spoke or kept silent: plain data, for the response's extension and for `npm run explain`. */
export type Trace = {
  today: string;
  sections: Chart['sections'];
  leftOut?: Chart['leftOut'];
  /** The medicines that stand in a code list, drafts first, as they were read. */
  medications?: MedicationTrace[];
  rules: RuleTrace[];
};

export type MedicationTrace = Pick<Medication, (typeof shown)[number]>;

const shown = [
  'ref',
  'name',
  'substance',
  'lists',
  'identifiedBy',
  'draft',
  'ordered',
  'current',
  'start',
  'stop',
  'stopFrom',
] as const;

export type RuleTrace = {
  rule: string;
  guideline: string;
  recommendation: string;
  outcome: RuleOutcome;
  off?: string;
  by?: string;
  missing?: Section[];
  facts: {
    fact: string;
    role: 'when' | 'unless' | 'without' | 'otherwise';
    outcome: FactOutcome;
    resources?: string[];
    /** The courses that the fact is about: first and last day of each, as merged. */
    courses?: { start: string; end: string }[];
    missing?: Section[];
  }[];
};

export function traceOf(chart: Chart, results: RuleResult[]): Trace {
  const medications = [...chart.drafts, ...chart.medications].map(medicationTrace);
  return {
    today: chart.today,
    sections: chart.sections,
    ...(chart.leftOut.length > 0 && { leftOut: chart.leftOut }),
    ...(medications.length > 0 && { medications }),
    rules: results.map(ruleTrace),
  };
}

function medicationTrace(medication: Medication): MedicationTrace {
  const given = shown.filter((key) => medication[key] !== undefined).map((key) => [key, medication[key]]);
  return Object.fromEntries(given);
}

function ruleTrace(result: RuleResult): RuleTrace {
  const { rule, outcome, by, missing } = result;
  const role = (name: string) =>
    (['when', 'unless', 'without'] as const).find((key) => rule[key].includes(name)) ?? 'otherwise';
  return {
    rule: rule.id,
    guideline: rule.guideline,
    recommendation: rule.recommendation,
    outcome,
    ...(rule.off && { off: rule.off }),
    ...(by !== undefined && { by }),
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
