import type { Chart, Drug } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import { liesIn } from '../span.ts';
import { drugsOf, eachOnce, type Finding, findings, viewsOf } from './facts.ts';
import type { IndicatorCase, Rule, Rulebook } from './knowledge.ts';
import { settle } from './precedence.ts';
import type { RuleResult } from './result.ts';
import { type Indicator, indicators, type Site } from './schema.ts';

/** The parts of the record that "nothing to warn about" requires (recommendations.md). */
export function neededForSilence({ medicationList }: Site): readonly Section[] {
  return [medicationList, 'conditions'];
}

/**
 * Decides every rule of the call's hook. Pure: the same knowledge and chart give the same results in the same order.
 * `silent`: rules on trial for this caller, besides those of the site.
 */
export function evaluate(knowledge: Rulebook, chart: Chart, silent: readonly string[] = []): RuleResult[] {
  const steps = evaluateInSteps(knowledge, chart, silent);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** The same, yielding after each part that takes long for a long record. */
export function* evaluateInSteps(
  knowledge: Rulebook,
  chart: Chart,
  silent: readonly string[] = [],
): Generator<undefined, RuleResult[], undefined> {
  const views = viewsOf(chart, knowledge.site.medicationList);
  const results: RuleResult[] = [];
  for (const guideline of knowledge.guidelines) {
    const look = findings(guideline, views);
    for (const rule of guideline.rules) {
      if (!(rule.hooks as readonly string[]).includes(chart.hook)) continue;
      results.push(decide(rule, look));
      yield;
    }
  }
  const bySite = Object.entries(knowledge.site.silent.rules).filter(([, span]) => liesIn(chart.today, span));
  return settle(results, new Set([...bySite.map(([rule]) => rule), ...silent])).sort(
    (a, b) => indicators.indexOf(b.indicator) - indicators.indexOf(a.indicator),
  );
}

function decide(rule: Rule, look: (name: string) => Finding): RuleResult {
  const outcomeOf = (name: string) => look(name).outcome;
  const silent = { rule, finding: look, indicator: quietest(rule), about: [], missing: [], unclear: [] };
  if (rule.off) return { ...silent, outcome: 'switched-off' };
  const holds = (name: string) => outcomeOf(name) === 'holds';
  const unclear = rule.unclear.flatMap((name) => (holds(name) ? look(name).value : []));
  const missed = rule.when.some((name) => outcomeOf(name) === 'does-not-hold');
  // So it is with most rules in most calls: what else it asks for need not be found.
  if (missed && unclear.length === 0) return { ...silent, outcome: 'does-not-hold' };
  if (rule.unless.some(holds) || rule.without.some(holds)) return { ...silent, outcome: 'does-not-hold' };
  if (missed) return { ...silent, outcome: 'does-not-hold', unclear };
  const result = {
    ...silent,
    indicator: (rule.indicators.find(({ facts }) => facts.length === 0 || facts.some(holds)) as IndicatorCase)
      .indicator,
    about: listedOnce(rule.about.flatMap((name) => drugsOf(look(name).value))),
    unclear,
  };
  // Required facts that are not known, and excluded facts that are not known to be absent.
  const undecided = [...rule.when, ...rule.without].map(look).filter(({ outcome }) => outcome === 'not-known');
  if (undecided.length === 0) return { ...result, outcome: 'fires' };
  return { ...result, outcome: 'not-known', missing: [...new Set(undecided.flatMap(({ missing }) => missing))] };
}

/** The indicator if no case with facts applies: the last case has none. */
function quietest({ indicators: cases }: Rule): Indicator {
  return (cases.at(-1) as IndicatorCase).indicator;
}

/** Unknown facts of a rule that could not be decided, or that fires although something might silence it. */
function openFindings({ rule, outcome, finding }: RuleResult): Finding[] {
  const spoken = outcome === 'fires' || outcome === 'joins';
  const names = outcome === 'not-known' ? [...rule.when, ...rule.without] : spoken ? rule.unless : [];
  return names.map(finding).filter((found) => found.outcome === 'not-known');
}

/**
 * The parts of the record whose absence forbids the answer "nothing to warn about": a rule could not be decided, and it
 * needs the medication list, or another required part while it may warn (recommendations.md, "What could not be
 * checked"; an `info` rule without conditions stays silent, and the trace says so).
 */
export function missingForSilence(results: RuleResult[], chart: Chart, site: Site): Section[] {
  const missing = results
    .filter(({ outcome }) => outcome === 'not-known')
    .flatMap(({ rule, missing }) => missing.filter((section) => section === site.medicationList || mayWarn(rule)));
  // An unreadable order may be anything, so the list is required to check it against.
  if (chart.unread.drafts.length > 0 && chart.sections[site.medicationList] !== 'complete')
    missing.push(site.medicationList);
  return needed(missing, site);
}

/** What a card reports as not checked, including what might have silenced a rule that fires. */
export function missingForCards(results: RuleResult[], chart: Chart, site: Site): Section[] {
  const open = results
    .filter(({ outcome }) => outcome !== 'not-known')
    .flatMap((result) => openFindings(result).flatMap(({ missing }) => missing));
  return needed([...missingForSilence(results, chart, site), ...open], site);
}

function needed(missing: Section[], site: Site): Section[] {
  return neededForSilence(site).filter((section) => missing.includes(section));
}

function mayWarn(rule: Rule): boolean {
  return rule.indicators.some(({ indicator }) => indicator !== 'info');
}

/** Each once. A treatment without a named medicine counts only if there is no medicine of its class. */
function listedOnce(drugs: Drug[]): Drug[] {
  const once = eachOnce(drugs);
  return once.filter(
    (drug) =>
      !drug.otherwise ||
      !once.some((other) => !other.otherwise && drug.lists.some((list) => other.lists.includes(list))),
  );
}
