import { brand } from '../brand.ts';
import type { Medication } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import { openFindings, type RuleResult } from '../rules/evaluate.ts';
import { message } from './message.ts';
import { drugNames, listOf } from './names.ts';
import type { Card } from './render.ts';
import { patientOf, type Rendering, uuidOf } from './rendering.ts';

/** Topic of the card that says what could not be checked (recommendations.md, "What could not be checked"). */
export const notCheckedTopic = 'not-checked';

/**
 * The one card that says what could not be checked: a part of the record that is missing, a running prescription of
 * which nobody can tell whether it is still taken, an order that names another patient. Undefined where all was.
 */
export function notCheckedCard(results: RuleResult[], missing: Section[], rendering: Rendering): Card | undefined {
  const { knowledge, chart, language } = rendering;
  const { shared } = knowledge.cards;
  const words = shared.notChecked;
  const unclear = unclearMedications(results, rendering);
  const unresolved = chart.leftOut.filter(({ what, why }) => what === 'order' && why === 'unresolved').length;
  const others = chart.leftOut.filter(({ what, why }) => what === 'order' && why === 'other-patient').length;
  const paragraphs = [
    ...missing.map((section) =>
      message(words.missing[language], language).format({ section: shared.sections[section][language] }),
    ),
    ...(unclear.length > 0
      ? [
          message(words.unclear[language], language).format({
            drugs: listOf(drugNames(knowledge, unclear, language), language),
          }),
        ]
      : []),
    ...(unresolved > 0 ? [message(words.unresolved[language], language).format({ count: unresolved })] : []),
    ...(others > 0 ? [message(words.otherPatient[language], language).format({ count: others })] : []),
  ];
  if (paragraphs.length === 0) return undefined;
  return {
    uuid: uuidOf(
      rendering.hookInstance,
      patientOf(rendering),
      notCheckedTopic,
      ...missing,
      ...unclear.map(({ ref }) => ref),
    ),
    summary: words.summary[language],
    detail: paragraphs.join('\n\n'),
    indicator: 'info',
    source: { label: words.source[language], topic: { code: notCheckedTopic, system: brand.topicSystem } },
  };
}

/**
 * Medicines of which the record does not tell whether they are still taken, and on which a rule rests that could not be
 * decided, or that speaks because nobody knows of them what would silence it.
 */
function unclearMedications(results: RuleResult[], { chart }: Rendering): Medication[] {
  const refs = new Set(
    results
      .flatMap(openFindings)
      .filter(({ missing }) => missing.length === 0)
      .flatMap(({ resources }) => resources),
  );
  return chart.medications.filter(({ ref, current }) => current === undefined && refs.has(ref));
}
