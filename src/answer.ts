import type { Knowledge } from './cards/knowledge.ts';
import { notCheckedCard } from './cards/not-checked.ts';
import { type Card, renderCards } from './cards/render.ts';
import type { Chart } from './chart/chart.ts';
import { exactOrders } from './chart/drafts.ts';
import type { Once } from './chart/once.ts';
import { type Call, type ChartOptions, readChart } from './chart/read.ts';
import type { LocalDate } from './dates.ts';
import type { Resource } from './fhir/json.ts';
import type { Section } from './fhir/prefetch.ts';
import { UnusableFhir } from './fhir/versions.ts';
import type { Language } from './language.ts';
import { classifierOf } from './rules/classes.ts';
import { evaluate, evaluateInSteps, missingForCards, missingForSilence } from './rules/evaluate.ts';
import type { RuleResult } from './rules/result.ts';

export type Question = {
  call: Call;
  hookInstance: string;
  language: Language;
  today: LocalDate;
  /** Rules on trial for this caller, besides those of the site: evaluated, but not shown. */
  silent?: readonly string[];
  /** Base address of the advice pages, if cards link there. */
  advice?: string | undefined;
  /** Where one record is asked about on many days. */
  once?: Once;
};

/** The chart and the results of the rules. */
export type Assessment = { chart: Chart; results: RuleResult[] };

/** Cards, or the missing parts of the record without which there is no answer. The results are the trace of both. */
export type Answer = Assessment & ({ cards: Card[] } | { missing: Section[] });

/** From a request to its cards: chart → facts → rules → cards. Pure. Throws `UnusableFhir`. */
export function answer(question: Question, knowledge: Knowledge): Answer {
  return answerFrom(assess(question, knowledge), question, knowledge);
}

/** Chart → facts → rules. Throws `UnusableFhir`. */
export function assess(question: Question, knowledge: Knowledge): Assessment {
  const chart = chartOf(question, knowledge);
  return { chart, results: evaluate(knowledge, chart, question.silent) };
}

/** Like `assess`, but awaits `pause` between steps so that a service can handle other calls. Throws `UnusableFhir`. */
export async function assessByTurns(
  question: Question,
  knowledge: Knowledge,
  pause: (chart: Chart) => Promise<void>,
): Promise<Assessment> {
  const chart = chartOf(question, knowledge);
  const steps = evaluateInSteps(knowledge, chart, question.silent);
  for (;;) {
    await pause(chart);
    const step = steps.next();
    if (step.done) return { chart, results: step.value };
  }
}

function chartOf({ call, today, once }: Question, knowledge: Knowledge): Chart {
  return readChart(call, { ...chartOptions(knowledge, today), ...(once && { once }) });
}

/** How a chart is read, according to a site's knowledge. */
export function chartOptions({ codes, site, treatments, classes }: Knowledge, today: LocalDate): ChartOptions {
  return {
    codes,
    today,
    timeZone: site.timeZone,
    validityPeriodEndsTreatment: site.validityPeriodEndsTreatment,
    parameters: treatments.parameters,
    continues: treatments.continues,
    classifier: classifierOf(classes),
  };
}

/** Looks up an order of the call exactly as it was sent. Parses the orders on first use, when an order goes back changed. */
function exactlySent({ exactDrafts }: Call): (ref: string) => Resource | undefined {
  let orders: Map<string, Resource> | undefined;
  return (ref) => {
    orders ??= exactOrders(exactDrafts?.());
    return orders.get(ref);
  };
}

/**
 * Rules → cards. A positive finding always gives its card. An empty answer requires all the data that it depends on;
 * otherwise the answer is what is missing or, if the site prefers, a card that says what could not be checked.
 */
export function answerFrom({ chart, results }: Assessment, question: Question, knowledge: Knowledge): Answer {
  const rendering = {
    knowledge,
    chart,
    language: question.language,
    hookInstance: question.hookInstance,
    removed: new Set<string>(),
    exact: exactlySent(question.call),
    advice: question.advice,
  };
  // Rules on trial have no effect from here on.
  const shown = results.filter(({ silent }) => !silent);
  const cards = renderCards(shown, rendering);
  // A positive finding takes precedence over it.
  if (cards.length === 0 && chart.unusable) throw new UnusableFhir();
  // If no rule is active for this caller, nothing needed checking.
  if (shown.every(({ outcome }) => outcome === 'switched-off')) return { chart, results, cards };
  const missing = missingForSilence(shown, chart, knowledge.site);
  if (cards.length === 0 && missing.length > 0 && knowledge.site.uncheckable === 'refuse')
    return { chart, results, missing };
  const notChecked = notCheckedCard(shown, missingForCards(shown, chart, knowledge.site), rendering);
  return { chart, results, cards: notChecked ? [...cards, notChecked] : cards };
}
