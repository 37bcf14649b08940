import type { Drug } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { Finding } from './facts.ts';
import { factsOfRule, type Rule } from './knowledge.ts';
import type { Indicator } from './schema.ts';

/**
 * `fires`: the card is given; `joins`: it adds to the card of its family. The kinds of silence: `does-not-hold`,
 * `not-known`, `switched-off`, `superseded` by another rule about the same drugs, `rides-only` (it holds, but has no card
 * to join), `quiet` (a prescriber accepted it recently, see quiet.ts), `repeat` (shown when the order was selected, and
 * the client asked not to show it again), `silent` (on trial: it would have been shown).
 */
export type RuleOutcome =
  | 'fires'
  | 'joins'
  | 'does-not-hold'
  | 'not-known'
  | 'switched-off'
  | 'superseded'
  | 'rides-only'
  | 'quiet'
  | 'repeat'
  | 'silent';

export type RuleResult = {
  rule: Rule;
  outcome: RuleOutcome;
  /** Looks up a fact of the rule on demand: a silent rule is mostly decided by its first fact. */
  finding: (fact: string) => Finding;
  indicator: Indicator;
  /** The medicines that the card is about, each once. Empty if the rule is silent. */
  about: Drug[];
  missing: Section[];
  /** Drugs and results that would make a silent rule fire if they were certain, for the card `not-checked`. */
  unclear: unknown[];
  /** The rule that supersedes it, or whose card it joins. */
  by?: string;
  /** On trial in this call: no card and no refusal depends on it. */
  silent?: true;
};

/** Every fact that the rule or its card uses. */
export function findingsOf({ rule, finding }: RuleResult): Finding[] {
  return [...new Set(factsOfRule(rule))].map(finding);
}
