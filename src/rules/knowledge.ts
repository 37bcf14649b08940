import type { TreatmentParameters } from '../chart/parameters.ts';
import type { Continues } from '../chart/read.ts';
import type { Codes } from '../codes/load.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { Classes } from './classes.ts';
import type { Expression } from './expression.ts';
import {
  factsOfSuggestion,
  type GuidelineFile,
  type Hook,
  type Indicator,
  type Site,
  type Source,
  type SuggestionRule,
  type Template,
  type TreatmentsFile,
} from './schema.ts';

export type Fact = {
  name: string;
  expression: Expression;
  /** The comment above it in its file. */
  comment?: string | undefined;
  /** The parts of the record that it needs, directly or through other facts. */
  sections: Set<Section>;
};

export type IndicatorCase = { indicator: Indicator; facts: string[] };

export type Rule = {
  id: string;
  guideline: string;
  /** Its line in the file. */
  line: number;
  recommendation: string;
  section: string;
  source: Source;
  hooks: readonly Hook[];
  when: string[];
  unless: string[];
  /** Facts that must be known not to hold; if one is not known, the rule is not decided. */
  without: string[];
  /** The first case with a fact that holds decides; the last case has no facts and always applies. */
  indicators: IndicatorCase[];
  about: string[];
  suggest: SuggestionRule[];
  select: 'any' | 'at-most-one';
  /** Weaker rules that this one supersedes: always, or if all their drugs or orders are its own; `*` means all others. */
  supersedes: { always: string[]; sameDrugs: string[]; sameOrders: string[]; except: string[] };
  /** Facts that would make it fire if their medicines or results were certain. */
  unclear: string[];
  /** Rules of one family share one card, led by the first that fires. */
  family: string | undefined;
  /** Only joins its family's card and never gives one alone. */
  rides: boolean;
  /** Facts used only by the card: conditions of paragraphs and other summaries. */
  said: string[];
  /** Why the rule is off here, if it is. */
  off: 'site' | 'country' | 'status' | 'delivered' | undefined;
};

export type Guideline = {
  file: GuidelineFile;
  parameters: Record<string, number | number[]>;
  facts: Map<string, Fact>;
  rules: Rule[];
};

/** The contents of hooks/, checked and compiled. It does not change while the service runs. */
export type Rulebook = {
  site: Site;
  codes: Codes;
  /** Classes of medicines in this patient, and how entries of the record become treatments. */
  classes: Classes;
  treatments: { continues: Continues; besides: TreatmentsFile['besides']; parameters: TreatmentParameters };
  guidelines: Guideline[];
  rules: Rule[];
  templates: Record<string, Template>;
};

export function guidelineOf({ guidelines }: Rulebook, rule: Rule): Guideline {
  const found = guidelines.find(({ file }) => file.id === rule.guideline);
  if (!found) throw new Error(`no guideline ${rule.guideline}`);
  return found;
}

/** Every fact that a rule or its card uses. */
export function factsOfRule(rule: Rule): string[] {
  return [
    ...rule.when,
    ...rule.unless,
    ...rule.without,
    ...rule.about,
    ...rule.unclear,
    ...rule.indicators.flatMap(({ facts }) => facts),
    ...rule.said,
    ...rule.suggest.flatMap(factsOfSuggestion),
  ];
}
