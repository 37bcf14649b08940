import type { Chart } from '../chart/chart.ts';
import type { Finding } from './facts.ts';
import { findingsOf, type RuleResult } from './result.ts';
import type { Indicator } from './schema.ts';
import { indicators } from './schema.ts';

/**
 * The basis of a card, as far as it decides whether a later card says anything new. Plain data, stored with the card:
 * no name, no id, no date except that of a result.
 */
export type Basis = {
  indicator: Indicator;
  /** The rules on the card, and the facts that held. */
  rules: string[];
  facts: string[];
  /** Product as written (a digest) → its dosages as written, and their daily total if all can be read. */
  products: Record<string, { dosages: string[]; dose?: number }>;
  /** The newest positive result in it; milliseconds since 1970. */
  positive?: number;
};

/** The basis of each card of an answer, by the rule that leads it. */
export function basesOf(results: RuleResult[], chart: Chart): Map<string, Basis> {
  return new Map(
    results
      .filter(({ outcome }) => outcome === 'fires')
      .map((leader) => [
        leader.rule.id,
        basisOf(
          results.filter((result) => result === leader || (result.outcome === 'joins' && result.by === leader.rule.id)),
          chart,
        ),
      ]),
  );
}

/** A fact that holds, without the dates and words that only add detail: a renewal may add one to a known card. */
function isEvidence({ outcome, value }: Finding): boolean {
  return outcome === 'holds' && !value.every((item) => typeof item === 'string');
}

/** For one card: the leading result, then those that join. */
function basisOf(results: RuleResult[], chart: Chart): Basis {
  const findings = results.flatMap(findingsOf);
  const refs = new Set(findings.flatMap(({ resources }) => resources));
  const products: Basis['products'] = {};
  const unread = new Set<string>();
  const about = new Map(results.flatMap((result) => result.about).map((drug) => [drug.ref, drug]));
  for (const { product, dosage, dailyDose } of [...about.values()].flatMap(({ prescribed }) => prescribed)) {
    const { dosages, dose = 0 } = products[product] ?? { dosages: [] };
    if (dailyDose === undefined) unread.add(product);
    products[product] = { dosages: [...dosages, dosage].sort(), dose: dose + (dailyDose ?? 0) };
  }
  for (const product of unread) delete products[product]?.dose;
  const positives = chart.results.filter(({ ref, outcome }) => outcome === 'positive' && refs.has(ref));
  return {
    indicator: (results[0] as RuleResult).indicator,
    rules: results.map(({ rule }) => rule.id).sort(),
    facts: [...new Set(findings.filter(isEvidence).map(({ fact }) => fact))].sort(),
    products,
    ...(positives.length > 0 && { positive: Math.max(...positives.map(({ at }) => at)) }),
  };
}

/**
 * Whether a card says nothing new compared with an earlier one: no other rule, fact or product, no higher dose, no newer
 * positive result, no higher indicator. A dose that cannot be read must be written as before.
 */
export function saysNothingNew(now: Basis, before: Basis): boolean {
  return (
    indicators.indexOf(now.indicator) <= indicators.indexOf(before.indicator) &&
    now.rules.every((rule) => before.rules.includes(rule)) &&
    now.facts.every((fact) => before.facts.includes(fact)) &&
    (now.positive ?? 0) <= (before.positive ?? 0) &&
    Object.entries(now.products).every(([product, { dosages, dose }]) => {
      const known = before.products[product];
      if (known === undefined) return false;
      if (dose !== undefined && known.dose !== undefined) return dose <= known.dose;
      return isPartOf(dosages, known.dosages);
    })
  );
}

/** Whether each item occurs at most as often as in the other list. Both are sorted. */
function isPartOf(some: string[], all: string[]): boolean {
  const left = [...all];
  return some.every((item) => {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** The results without the cards that may be left out. `critical` cards never are. */
export function leaveOut(results: RuleResult[], silent: Map<string, 'quiet' | 'repeat'>): RuleResult[] {
  return results.map((result) => {
    const leader = result.outcome === 'joins' ? result.by : result.outcome === 'fires' ? result.rule.id : undefined;
    const why = leader === undefined ? undefined : silent.get(leader);
    const loudest = results.find(({ rule }) => rule.id === leader)?.indicator;
    return why === undefined || loudest === 'critical' ? result : { ...result, outcome: why };
  });
}
