import type { Medication } from '../chart/chart.ts';
import type { RuleResult } from './evaluate.ts';

/**
 * One card a problem: a rule that fires silences the rules it supersedes where it speaks about all of their orders
 * (recommendations.md, "One card a problem"): an order that it says nothing of keeps its own card. A rule that is itself superseded silences nothing.
 */
export function supersede(results: RuleResult[]): RuleResult[] {
  const firing = results.filter(({ outcome }) => outcome === 'fires');
  const standing = firing.filter((result) => strongerOf(result, firing).length === 0);
  return results.map((result) => {
    const by = result.outcome === 'fires' ? strongerOf(result, standing)[0] : undefined;
    return by ? { ...result, outcome: 'superseded' as const, by: by.rule.id } : result;
  });
}

function strongerOf(weaker: RuleResult, among: RuleResult[]): RuleResult[] {
  return among.filter(
    (stronger) =>
      stronger.rule.id !== weaker.rule.id &&
      (stronger.rule.supersedes.includes(weaker.rule.id) || stronger.rule.supersedes.includes('*')) &&
      covers(stronger.about, weaker.about),
  );
}

/** Whether the stronger rule speaks about every order that the weaker does; about running medicines, any of them. */
function covers(stronger: Medication[], weaker: Medication[]): boolean {
  const refs = new Set(stronger.map(({ ref }) => ref));
  const orders = weaker.filter(({ ordered }) => ordered);
  return orders.length > 0 ? orders.every(({ ref }) => refs.has(ref)) : weaker.some(({ ref }) => refs.has(ref));
}

/**
 * Rules of one family give one card: the first that speaks leads it, the others join. Rules that only ride along give
 * none alone.
 */
export function joinFamilies(results: RuleResult[]): RuleResult[] {
  return results.map((result) => {
    const { family, rides, id } = result.rule;
    if (family === undefined || result.outcome !== 'fires') return result;
    const leader = results.find(({ rule, outcome }) => rule.family === family && outcome === 'fires' && !rule.rides);
    if (!leader) return { ...result, outcome: 'rides-only' as const };
    return leader.rule.id === id && !rides ? result : { ...result, outcome: 'joins' as const, by: leader.rule.id };
  });
}
