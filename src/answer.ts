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
  /** Rules on trial for this caller, beside those of the site: they are evaluated, and nobody sees them. */
  silent?: readonly string[];
  /** Where the pages about the advice are, if the cards are to link there. */
  advice?: string | undefined;
  /** Where one record is asked about on many days. */
  once?: Once;
};

/** What the rules came to. */
export type Assessment = { chart: Chart; results: RuleResult[] };

/** Cards, or the parts of the record without which nothing can be said. The results are the trace of either. */
export type Answer = Assessment & ({ cards: Card[] } | { missing: Section[] });

/** The straight line from a request to its cards: chart → facts → rules → cards. Pure. Throws `UnusableFhir`. */
export function answer(question: Question, knowledge: Knowledge): Answer {
  return speak(assess(question, knowledge), question, knowledge);
}

/** Chart → facts → rules. Throws `UnusableFhir`. */
export function assess(question: Question, knowledge: Knowledge): Assessment {
  const chart = chartOf(question, knowledge);
  return { chart, results: evaluate(knowledge, chart, question.silent) };
}

/** The same for a service that has other calls: they take their turn at each pause. Throws `UnusableFhir`. */
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

/** What a site's knowledge says of how a chart is read. */
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

/** Looks up an order of the call as it was sent: parsed once, when an order goes back changed. */
function exactlySent({ exactDrafts }: Call): (ref: string) => Resource | undefined {
  let orders: Map<string, Resource> | undefined;
  return (ref) => {
    orders ??= exactOrders(exactDrafts?.());
    return orders.get(ref);
  };
}

/**
 * Rules → cards. A positive finding is always given. Silence is given only where the data it rests on are here; else the
 * answer is what is missing, or, by the site's choice, a card that says what could not be checked.
 */
export function speak({ chart, results }: Assessment, question: Question, knowledge: Knowledge): Answer {
  const rendering = {
    knowledge,
    chart,
    language: question.language,
    hookInstance: question.hookInstance,
    removed: new Set<string>(),
    exact: exactlySent(question.call),
    advice: question.advice,
  };
  // From here on the rules on trial are not there.
  const heard = results.filter(({ silent }) => !silent);
  const cards = renderCards(heard, rendering);
  // A positive finding goes before it.
  if (cards.length === 0 && chart.unusable) throw new UnusableFhir('R4, R5');
  // Where no rule speaks to this caller, nothing was to be checked.
  if (heard.every(({ outcome }) => outcome === 'switched-off')) return { chart, results, cards };
  const missing = missingForSilence(heard, chart, knowledge.site);
  if (cards.length === 0 && missing.length > 0 && knowledge.site.uncheckable === 'refuse')
    return { chart, results, missing };
  const notChecked = notCheckedCard(heard, missingForCards(heard, chart, knowledge.site), rendering);
  return { chart, results, cards: notChecked ? [...cards, notChecked] : cards };
}
