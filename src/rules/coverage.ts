import type { Rule, Rulebook } from './knowledge.ts';
import type { RuleResult } from './result.ts';

/** The outcome of every rule and fact in one test bundle. */
export type Observed = { bundle: string; hook: string; results: RuleResult[] };

/** What the test bundles do not prove. */
export type Gap = { rule: Rule; message: string };

/** Two bundles that differ in only one fact of a rule, and with it in whether the rule holds. */
export type Pair = { fact: string; speaks: string; silent: string };

type Seen = { bundle: string; hook: string; result: RuleResult };

/**
 * Modified condition/decision coverage of the rules by the test bundles: for every fact of a rule there are two bundles
 * that differ only in this fact of the rule, and the rule holds in only one of them. This finds a misspelt field, a
 * condition that decides nothing, and a bundle that proves something else.
 */
export function coverageGaps(knowledge: Rulebook, observed: Observed[]): Gap[] {
  return knowledge.rules.flatMap((rule) => {
    const seen = seenBy(rule, observed);
    const gap = (message: string): Gap => ({ rule, message });
    const proved = decidingPairs(rule, observed).map(({ fact }) => fact);
    return [
      ...rule.hooks
        .filter((hook) => !seen.some((item) => item.hook === hook && speaks(item.result)))
        .map((hook) => gap(`no test bundle fires it at ${hook}`)),
      ...deciding(rule)
        .filter((fact) => !proved.includes(fact))
        .map((fact) => gap(`no pair of test bundles shows that '${fact}' decides`)),
      ...indicatorFacts(rule)
        .filter((fact) => !turnsIndicator(rule, fact, seen))
        .map((fact) => gap(`no pair of test bundles shows that '${fact}' sets the indicator`)),
      ...rule.said
        .filter((fact) => !shownAndNot(fact, rule, seen))
        .map((fact) => gap(`the card is never seen both with and without '${fact}'`)),
    ];
  });
}

/** For each fact that decides a rule, the first pair of bundles that proves it; absent if there is none. */
export function decidingPairs(rule: Rule, observed: Observed[]): Pair[] {
  const seen = seenBy(rule, observed);
  return deciding(rule).flatMap((fact) => {
    for (const [holding, not] of pairsApart(seen, deciding(rule), fact)) {
      if (speaks(holding.result) !== speaks(not.result)) {
        const [loud, quiet] = speaks(holding.result) ? [holding, not] : [not, holding];
        return [{ fact, speaks: loud.bundle, silent: quiet.bundle }];
      }
    }
    return [];
  });
}

function seenBy(rule: Rule, observed: Observed[]): Seen[] {
  return observed.flatMap(({ bundle, hook, results }) =>
    results
      .filter((result) => result.rule.id === rule.id && result.outcome !== 'switched-off')
      .map((result) => ({ bundle, hook, result })),
  );
}

/** A rule's own decision, before precedence and families: whether it held. */
function speaks({ outcome }: RuleResult): boolean {
  return ['fires', 'joins', 'superseded', 'rides-only'].includes(outcome);
}

function deciding(rule: Rule): string[] {
  return [...rule.when, ...rule.unless, ...rule.without];
}

function indicatorFacts(rule: Rule): string[] {
  return rule.indicators.flatMap(({ facts }) => facts);
}

function turnsIndicator(rule: Rule, fact: string, seen: Seen[]): boolean {
  const spoken = seen.filter(({ result }) => speaks(result));
  for (const [a, b] of pairsApart(spoken, indicatorFacts(rule), fact))
    if (a.result.indicator !== b.result.indicator) return true;
  return false;
}

/** Pairs with and without this fact in which the other facts have the same outcome. */
function* pairsApart(seen: Seen[], facts: string[], fact: string): Generator<[Seen, Seen]> {
  const others = facts.filter((name) => name !== fact);
  const groups = new Map<string, { holding: Seen[]; not: Seen[] }>();
  for (const item of seen) {
    const key = others.map((name) => item.result.finding(name).outcome).join();
    const group = groups.get(key) ?? { holding: [], not: [] };
    groups.set(key, group);
    if (item.result.finding(fact).outcome === 'holds') group.holding.push(item);
    else if (item.result.finding(fact).outcome === 'does-not-hold') group.not.push(item);
  }
  for (const { holding, not } of groups.values()) for (const a of holding) for (const b of not) yield [a, b];
}

/** Facts used only by the card must be seen both holding and not. Facts under `when` hold whenever the rule fires. */
function shownAndNot(fact: string, rule: Rule, seen: Seen[]): boolean {
  if (rule.when.includes(fact)) return true;
  const shown = seen
    .filter(({ result }) => speaks(result))
    .map(({ result }) => result.finding(fact).outcome === 'holds');
  return shown.includes(true) && shown.includes(false);
}
