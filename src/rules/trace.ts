import type { Chart } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { FactOutcome, Finding, RuleOutcome, RuleResult } from './evaluate.ts';

/** Why each rule spoke or kept silent: plain data, for the response's extension and for `npm run explain`. */
export type Trace = {
  today: string;
  sections: Chart['sections'];
  leftOut?: Chart['leftOut'];
  rules: RuleTrace[];
};

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
    missing?: Section[];
  }[];
};

export function traceOf(chart: Chart, results: RuleResult[]): Trace {
  return {
    today: chart.today,
    sections: chart.sections,
    ...(chart.leftOut.length > 0 && { leftOut: chart.leftOut }),
    rules: results.map(ruleTrace),
  };
}

function ruleTrace({ rule, outcome, by, missing, findings }: RuleResult): RuleTrace {
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
    facts: [...findings].map(([fact, finding]) => ({
      fact,
      role: role(fact),
      outcome: finding.outcome,
      ...details(finding),
    })),
  };
}

function details({ resources, missing }: Finding) {
  return {
    ...(resources.length > 0 && { resources: [...new Set(resources)] }),
    ...(missing.length > 0 && { missing }),
  };
}
