import type { FactOutcome, RuleResult } from './evaluate.ts';
import type { Knowledge, Rule } from './knowledge.ts';

/** One test bundle's results: what every rule and fact came to in it. */
export type Observed = { bundle: string; results: RuleResult[] };

/** What the test bundles do not prove. */
export type Gap = { rule: string; guideline: string; message: string };

/**
 * Modified condition/decision coverage of the rules by the test bundles: for every fact of a rule there are two bundles
 * in which all its other facts come to the same, that fact does not, and the rule speaks in one and not in the other.
 * A misspelt field, a condition that decides nothing, or a bundle that proves something else cannot survive it.
 */
export function coverageGaps(knowledge: Knowledge, observed: Observed[]): Gap[] {
  return knowledge.rules.flatMap((rule) => {
    const seen = observed.flatMap(({ bundle, results }) =>
      results.filter((result) => result.rule.id === rule.id).map((result) => ({ bundle, result })),
    );
    const gap = (message: string): Gap => ({ rule: rule.id, guideline: rule.guideline, message });
    return [
      ...missingHooks(rule, seen).map((hook) => gap(`no test bundle fires it at ${hook}`)),
      ...[...rule.when, ...rule.unless, ...rule.without]
        .filter((fact) => !flips(rule, fact, seen))
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

type Seen = { bundle: string; result: RuleResult };

function missingHooks(rule: Rule, seen: Seen[]): string[] {
  // The hook of a result is told by the rule's hooks only together with its bundle, so it is part of the bundle's name here.
  return rule.hooks.filter((hook) => !seen.some(({ bundle, result }) => bundle.endsWith(`@${hook}`) && speaks(result)));
}

/** A rule's own decision, before precedence and families: whether it held. */
function speaks({ outcome }: RuleResult): boolean {
  return ['fires', 'joins', 'superseded', 'rides-only'].includes(outcome);
}

function flips(rule: Rule, fact: string, seen: Seen[]): boolean {
  const facts = [...rule.when, ...rule.unless, ...rule.without];
  return pairs(seen, facts, fact, (a, b) => speaks(a) !== speaks(b));
}

function turnsIndicator(rule: Rule, fact: string, seen: Seen[]): boolean {
  const spoken = seen.filter(({ result }) => speaks(result));
  return pairs(spoken, indicatorFacts(rule), fact, (a, b) => a.indicator !== b.indicator);
}

function indicatorFacts(rule: Rule): string[] {
  return rule.indicators.flatMap(({ facts }) => facts);
}

/** Whether two of the bundles differ in this fact alone, holding against not, and their results differ as asked. */
function pairs(
  seen: Seen[],
  facts: string[],
  fact: string,
  differ: (a: RuleResult, b: RuleResult) => boolean,
): boolean {
  const others = facts.filter((name) => name !== fact);
  const groups = new Map<string, RuleResult[]>();
  for (const { result } of seen) {
    const key = others.map((name) => outcome(result, name)).join();
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].some((group) => {
    const holding = group.filter((result) => outcome(result, fact) === 'holds');
    const not = group.filter((result) => outcome(result, fact) === 'does-not-hold');
    return holding.some((a) => not.some((b) => differ(a, b)));
  });
}

function outcome(result: RuleResult, fact: string): FactOutcome | undefined {
  return result.findings.get(fact)?.outcome;
}

/** Facts that only the card needs must be seen to change it. Facts that the rule needs hold whenever it speaks. */
function shownAndNot(fact: string, rule: Rule, seen: Seen[]): boolean {
  if (rule.when.includes(fact)) return true;
  const outcomes = seen.filter(({ result }) => speaks(result)).map(({ result }) => outcome(result, fact) === 'holds');
  return outcomes.includes(true) && outcomes.includes(false);
}
