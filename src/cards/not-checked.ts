import { brand } from '../brand.ts';
import type { Drug, Result, Unrecognised } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { Texts } from '../language.ts';
import { isDrug, isPair } from '../rules/facts.ts';
import type { RuleResult } from '../rules/result.ts';
import { message } from './message.ts';
import { bareName, capitalised, conditionNames, drugNames, listOf } from './names.ts';
import type { Card } from './render.ts';
import { patientOf, type Rendering, uuidOf } from './rendering.ts';

/** Topic of the card that says what could not be checked (recommendations.md, 7). */
export const notCheckedTopic = 'not-checked';

/**
 * The card that says what could not be checked: unreadable orders, unrecognised medicines, a treatment that may or may
 * not go on, unreadable results, missing parts of the record. One line each, except what another card of the answer
 * already says. Undefined if everything was checked.
 */
export function notCheckedCard(results: RuleResult[], missing: Section[], rendering: Rendering): Card | undefined {
  const { knowledge, chart, language } = rendering;
  const { shared } = knowledge.cards;
  const words = shared.notChecked;
  const said = new Set(
    results
      .filter(({ outcome }) => outcome === 'fires' || outcome === 'joins')
      .flatMap(({ about }) => about.map(({ ref }) => ref)),
  );
  const open = results.flatMap(({ unclear }) => unclear);
  const drugs = onceEach(
    open
      .flatMap((item) => (isPair(item) ? [item.one, item.other] : isDrug(item) ? [item] : []))
      .filter((drug) => drug.degree === 'possible' && !said.has(drug.ref)),
  );
  const tests = onceEach(open.filter(isResult));
  const others = chart.leftOut.filter(({ what, why }) => what === 'order' && why === 'other-patient').length;
  const orders = chart.unread.drafts.filter(() => knowledge.site.unrecognised === 'card');
  const unrecognised = unrecognisedMatter(rendering) ? chart.unread.treatments : [];
  const format = (texts: Texts, values: Record<string, string | number>) =>
    message(texts[language], language).format(values);
  const names = (items: Unrecognised[]) =>
    listOf(
      [...new Set(items.map(({ name }) => (name === undefined ? words.nameless[language] : bareName(name))))],
      language,
    );
  const lines = (items: Result[], texts: Texts) =>
    items.length === 0
      ? []
      : [format(texts, { tests: listOf(conditionNames(knowledge, items as never, language), language) })];
  const paragraphs = [
    ...(orders.length > 0 ? [format(words.unreadOrder, { orders: names(orders), count: orders.length })] : []),
    ...(others > 0 ? [format(words.otherPatient, { count: others })] : []),
    ...drugs.map((drug) => format(words.unclear, { drugs: drugNames(knowledge, [drug], language)[0] as string })),
    ...(unrecognised.length > 0 ? [format(words.unrecognised, { drugs: names(unrecognised.slice(0, MOST)) })] : []),
    ...lines(
      tests.filter(({ preliminary }) => preliminary),
      words.preliminary,
    ),
    ...lines(
      tests.filter(({ preliminary }) => !preliminary),
      words.result,
    ),
    ...missing.map((section) => format(words.missing, { section: shared.sections[section][language] })),
  ];
  if (paragraphs.length === 0) return undefined;
  const summary = () => {
    if (orders.length > 0)
      return format(words.summary.unread, { orders: names(orders.slice(0, 2)), count: orders.length });
    if (others > 0) return words.summary.orders[language];
    if (drugs.length > 0)
      return format(words.summary.drugs, { drugs: listOf(drugNames(knowledge, drugs, language), language, 2) });
    if (unrecognised.length > 0) return format(words.summary.unrecognised, { drugs: names(unrecognised.slice(0, 2)) });
    return tests.length > 0 ? words.summary.results[language] : words.summary.record[language];
  };
  const about = [...missing, ...[...drugs, ...orders, ...unrecognised, ...tests].map(({ ref }) => ref)];
  return {
    uuid: uuidOf(rendering.hookInstance, patientOf(rendering), notCheckedTopic, ...about),
    summary: capitalised(summary(), language),
    detail: paragraphs.join('\n\n'),
    indicator: 'info',
    source: { label: words.source[language], topic: { code: notCheckedTopic, system: brand.topicSystem } },
  };
}

/** Maximum number of names in a line. */
const MOST = 5;

/** Whether unrecognised medicines matter: only beside an order in a list or, with the chart open, a medicine that is taken. */
function unrecognisedMatter({ knowledge, chart }: Rendering): boolean {
  if (knowledge.site.unrecognised !== 'card') return false;
  const { except } = knowledge.treatments.besides;
  const counts = ({ lists }: Drug) => lists.some((list) => !except.includes(list));
  if (chart.hook.startsWith('order-')) return chart.drafts.some((draft) => draft.ordered && counts(draft));
  return chart.treatments.some(
    (treatment) => (treatment.degree === 'taken' || treatment.degree === 'presumed') && counts(treatment),
  );
}

function isResult(item: unknown): item is Result {
  return typeof item === 'object' && item !== null && 'preliminary' in item;
}

function onceEach<T extends { ref: string }>(items: T[]): T[] {
  return [...new Map(items.map((item) => [item.ref, item])).values()];
}
