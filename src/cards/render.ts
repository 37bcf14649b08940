import { brand } from '../brand.ts';
import type { Drug } from '../chart/chart.ts';
import { dayOf } from '../dates.ts';
import type { Texts } from '../language.ts';
import { guidelineOf } from '../rules/knowledge.ts';
import type { RuleResult } from '../rules/result.ts';
import type { Indicator, Source } from '../rules/schema.ts';
import type { Knowledge } from './knowledge.ts';
import { escapeMarkdown } from './markdown.ts';
import { message } from './message.ts';
import { capitalised, drugName, SUMMARY_LIMIT } from './names.ts';
import { patientOf, type Rendering, uuidOf } from './rendering.ts';
import type { CardTemplate } from './schema.ts';
import { type Suggestion, suggestionsOf } from './suggestions.ts';
import { valuesFor } from './values.ts';

/** CDS Hooks: Card Attributes. Optional fields without a value are left out. */
export type Card = {
  uuid: string;
  summary: string;
  detail?: string;
  indicator: Indicator;
  source: { label: string; url?: string; topic: Coding };
  suggestions?: Suggestion[];
  selectionBehavior?: 'any' | 'at-most-one';
  overrideReasons?: Coding[];
  links?: { label: string; url: string; type: 'absolute' }[];
};
export type Coding = { code: string; system: string; display?: string };

/** The cards of an answer: one per rule that fires, with the rules of its family that join it. */
export function renderCards(results: RuleResult[], rendering: Rendering): Card[] {
  return results
    .filter(({ outcome }) => outcome === 'fires')
    .map((leader) => {
      const joining = results.filter(({ outcome, by }) => outcome === 'joins' && by === leader.rule.id);
      return render([leader, ...joining], rendering);
    });
}

/** Pure: the same results, chart, language and hookInstance give the same card. The first result leads. */
function render(results: RuleResult[], rendering: Rendering): Card {
  const { knowledge, language } = rendering;
  const leader = results[0] as RuleResult;
  const { rule } = leader;
  const about = [
    ...new Map(
      results.flatMap((result) => result.about).map((drug) => [`${drug.ref}|${drug.substance}`, drug]),
    ).values(),
  ];
  const uuid = uuidOf(rendering.hookInstance, patientOf(rendering), rule.id, ...about.map(({ ref }) => ref));
  const suggestions = suggestionsOf(results, rendering, uuid);
  const overrideReasons = templateOf(leader, rendering).overrideReasons.flatMap((key) => {
    const reason = knowledge.cards.shared.overrideReasons[key];
    return reason ? [{ code: reason.code, system: reason.system, display: reason.display[language] }] : [];
  });
  return {
    uuid,
    summary: summaryOf(leader, rendering),
    detail: detailOf(results, about, rendering),
    indicator: leader.indicator,
    source: {
      label: `${rule.source.publisher}: ${rule.source.title}`,
      ...(rule.source.url !== undefined && { url: rule.source.url }),
      topic: { code: rule.id, system: brand.topicSystem, display: guidelineOf(knowledge, rule).file.title },
    },
    ...(suggestions.length > 0 && { suggestions, selectionBehavior: rule.select }),
    ...(overrideReasons.length > 0 && { overrideReasons }),
    ...linksOf(leader, rendering),
  };
}

/** A single link, without a SMART launch and without patient data. */
function linksOf({ rule }: RuleResult, { advice, knowledge, language }: Rendering): Pick<Card, 'links'> {
  if (advice === undefined) return {};
  const url = `${advice}/${rule.id}?lang=${language}`;
  return { links: [{ label: knowledge.cards.shared.aboutAdvice[language], url, type: 'absolute' }] };
}

function templateOf({ rule }: RuleResult, { knowledge }: Rendering): CardTemplate {
  const template = knowledge.cards.templates[rule.id];
  if (!template) throw new Error(`no card for ${rule.id}`);
  return template;
}

function summaryOf(result: RuleResult, rendering: Rendering): string {
  return capitalised(fittingSummary(result, rendering), rendering.language);
}

/** As many names as fit; the loader has checked that one of each does. */
function fittingSummary(result: RuleResult, rendering: Rendering): string {
  const { summary, summaries } = templateOf(result, rendering);
  const texts = summaries.find((other) => result.finding(other.if).outcome === 'holds')?.text ?? summary;
  const text = message(texts[rendering.language], rendering.language);
  for (let names = 4; names > 1; names--) {
    const summary = text.format(valuesFor(text, result, rendering, names));
    if (summary.length <= SUMMARY_LIMIT) return summary;
  }
  return text.format(valuesFor(text, result, rendering, 1));
}

function detailOf(results: RuleResult[], about: Drug[], rendering: Rendering): string {
  const paragraphs = results.flatMap((result) => paragraphsOf(result, rendering));
  const drugs = [...new Set(about.map((medication) => `- ${drugLine(medication, rendering)}`))].join('\n');
  const { source } = (results[0] as RuleResult).rule;
  return [...paragraphs, drugs, sourceLine(source, rendering)].filter((paragraph) => paragraph !== '').join('\n\n');
}

function paragraphsOf(result: RuleResult, rendering: Rendering): string[] {
  return templateOf(result, rendering)
    .detail.filter((part) => part.if === undefined || result.finding(part.if).outcome === 'holds')
    .map((part) => {
      const text = message(part.text[rendering.language], rendering.language);
      return text.format(valuesFor(text, result, rendering));
    });
}

/** Which medicine of the record is meant: its recorded name, its dates, how certain it is, and how it was recognised. */
function drugLine(drug: Drug, { knowledge, language }: Rendering): string {
  const { identifiedByName } = knowledge.cards.shared;
  const name = drugName(knowledge, drug, language);
  const written =
    drug.name === undefined || drug.otherwise || drug.name.toLowerCase() === name.toLowerCase()
      ? ''
      : ` (${escapeMarkdown(drug.name)})`;
  const line = message(drugWords(drug, knowledge)[language], language).format({
    drug: `${escapeMarkdown(name)}${written}`,
    ...(drug.start !== undefined && { start: new Date(drug.start), year: drug.start.slice(0, 4) }),
    ...(drug.stop !== undefined && { stop: new Date(drug.stop) }),
    ...(!drug.draft && drug.lastDose !== undefined && { dose: new Date(drug.lastDose) }),
  });
  return drug.identifiedBy === 'name' && !drug.otherwise ? `${line} ${identifiedByName[language]}` : line;
}

/** The words for the state of a medicine: new, changed, ongoing with or without an end on record, possible, ended. */
function drugWords(drug: Drug, { cards: { shared } }: Knowledge): Texts {
  const { drugLines } = shared;
  if (drug.draft) return drug.changed ? drugLines.changed : drugLines.ordered;
  if (drug.otherwise) return shared.otherwise.line;
  const { degree, start, stop, lastSign, lastDose, endKnown, timeline } = drug;
  // For a depot the dose matters more than its days: the window counts from there.
  if (lastDose !== undefined) return timeline.implant ? drugLines.implanted : drugLines.lastDose;
  const open = stop === undefined;
  const past = stop !== undefined && dayOf(stop) < timeline.today;
  // The latest possible end is not a known end.
  if (past && endKnown) return drugLines.ended;
  if (degree === undefined || degree === 'possible')
    return start === undefined ? drugLines.unclear : drugLines.possible;
  if (drug.onHold) return drugLines.onHold;
  if (start === undefined) return drugLines.current;
  if (!open) return drugLines.until;
  // Open for years: the year is enough.
  return degree === 'presumed' && lastSign !== undefined ? drugLines.noEnd : drugLines.since;
}

function sourceLine(source: Source, { knowledge, language }: Rendering): string {
  const { sourceKinds, sourceLine: line, undated } = knowledge.cards.shared;
  const kind = sourceKinds[source.kind][language];
  return message(line[language], language).format({
    kind,
    publisher: source.publisher,
    title: source.title,
    date: source.date ?? undated[language],
  });
}
