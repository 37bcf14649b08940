import type { Drug } from '../chart/chart.ts';
import type { RuleResult } from './result.ts';

/**
 * Decides which of the rules that hold give cards. Rules on trial are weighed among all rules, as if they were shown;
 * the other rules are weighed among themselves, so that a silent rule changes nothing visible.
 */
export function settle(results: RuleResult[], onTrial: ReadonlySet<string>): RuleResult[] {
  const silent = ({ rule, outcome }: RuleResult) => outcome !== 'switched-off' && onTrial.has(rule.id);
  const shown = weigh(results.filter((result) => !silent(result)));
  if (shown.length === results.length) return shown;
  const among = new Map(shown.map((result) => [result.rule.id, result]));
  return weigh(results).map((result) => among.get(result.rule.id) ?? hushed(result));
}

function weigh(results: RuleResult[]): RuleResult[] {
  return joinFamilies(supersede(results));
}

function hushed(result: RuleResult): RuleResult {
  const speaks = result.outcome === 'fires' || result.outcome === 'joins';
  return { ...result, silent: true, ...(speaks && { outcome: 'silent' as const }) };
}

/**
 * One card per problem (recommendations.md, 6): a rule that fires supersedes weaker ones, always or if it covers all of
 * their drugs or orders. What it does not cover keeps its own card. A superseded rule supersedes nothing.
 */
function supersede(results: RuleResult[]): RuleResult[] {
  const firing = results.filter(({ outcome }) => outcome === 'fires');
  const standing = firing.filter((result) => strongerOf(result, firing).length === 0);
  return results.map((result) => {
    const by = result.outcome === 'fires' ? strongerOf(result, standing)[0] : undefined;
    return by ? { ...result, outcome: 'superseded' as const, by: by.rule.id } : result;
  });
}

function strongerOf(weaker: RuleResult, among: RuleResult[]): RuleResult[] {
  return among.filter((stronger) => {
    const { always, sameDrugs, sameOrders, except } = stronger.rule.supersedes;
    const { id } = weaker.rule;
    if (stronger.rule.id === id || except.includes(id)) return false;
    if (always.includes(id)) return true;
    const names = (list: string[]) => list.includes(id) || list.includes('*');
    const orders = weaker.about.filter(({ ordered }) => ordered);
    if (names(sameOrders) && orders.length > 0) return areAllIn(orders, stronger.about);
    return (names(sameDrugs) || names(sameOrders)) && areAllIn(weaker.about, stronger.about);
  });
}

function areAllIn(drugs: Drug[], others: Drug[]): boolean {
  // Drafts without an id share one reference.
  const keyOf = ({ ref, substance }: Drug) => `${ref} ${substance}`;
  const keys = new Set(others.map(keyOf));
  return drugs.length > 0 && drugs.every((drug) => keys.has(keyOf(drug)));
}

/**
 * Rules of one family give one card: the first that fires leads it, the others join. Rules that only ride never give a
 * card alone.
 */
function joinFamilies(results: RuleResult[]): RuleResult[] {
  return results.map((result) => {
    const { family, rides, id } = result.rule;
    if (family === undefined || result.outcome !== 'fires') return result;
    const leader = results.find(({ rule, outcome }) => rule.family === family && outcome === 'fires' && !rule.rides);
    if (!leader) return { ...result, outcome: 'rides-only' as const };
    return leader.rule.id === id && !rides ? result : { ...result, outcome: 'joins' as const, by: leader.rule.id };
  });
}
