import { createHash } from 'node:crypto';
import { brand } from '../brand.ts';
import type { Chart, Medication } from '../chart/chart.ts';
import type { Resource } from '../fhir/json.ts';
import type { Language } from '../language.ts';
import type { RuleResult } from '../rules/evaluate.ts';
import { guidelineOf, type Knowledge, type Rule } from '../rules/knowledge.ts';
import type { Indicator, Source } from '../rules/schema.ts';
import { factOfPlaceholder } from './load.ts';
import { escapeMarkdown } from './markdown.ts';
import { type Message, parseMessage } from './message.ts';
import { conditionNames, drugName, drugNames, listOf, SUMMARY_LIMIT } from './names.ts';
import { stopAfter, withStop } from './suggest.ts';

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
};
export type Coding = { code: string; system: string; display?: string };
export type Suggestion = { label: string; uuid: string; isRecommended?: boolean; actions: Action[] };
export type Action =
  | { type: 'update'; description: string; resource: Resource }
  | { type: 'delete'; description: string; resourceId: string };

export type Rendering = { knowledge: Knowledge; chart: Chart; language: Language; hookInstance: string };

/** The card that a rule gives. Pure: the same result, chart, language and hookInstance give the same card. */
export function render(result: RuleResult, rendering: Rendering): Card {
  const { knowledge, language } = rendering;
  const { rule } = result;
  const template = knowledge.cards.templates[rule.id];
  if (!template) throw new Error(`no card for ${rule.id}`);
  const shared = knowledge.cards.shared;
  const uuid = uuidOf(rendering.hookInstance, rule.id, ...result.about.map(({ ref }) => ref));
  const suggestions = suggestionsOf(result, rendering, uuid);
  const overrideReasons = template.overrideReasons.map((key) => {
    const reason = shared.overrideReasons[key];
    return { code: reason?.code ?? key, system: reason?.system ?? '', display: reason?.display[language] ?? key };
  });
  return {
    uuid,
    summary: summaryOf(message(template.summary[language], language), result, rendering),
    detail: detailOf(result, rendering),
    indicator: result.indicator,
    source: {
      label: `${rule.source.publisher}: ${rule.source.title}`,
      ...(rule.source.url !== undefined && { url: rule.source.url }),
      topic: { code: rule.id, system: brand.topicSystem, display: knowledgeTitle(knowledge, rule) },
    },
    ...(suggestions.length > 0 && { suggestions, selectionBehavior: rule.select }),
    ...(overrideReasons.length > 0 && { overrideReasons }),
  };
}

function knowledgeTitle(knowledge: Knowledge, rule: Rule): string {
  return guidelineOf(knowledge, rule).file.title;
}

/** As many names as fit; the loader has proved that one of each does. */
function summaryOf(text: Message, result: RuleResult, rendering: Rendering): string {
  for (let names = 4; names > 1; names--) {
    const summary = text.format(valuesFor(text, result, rendering, names));
    if (summary.length <= SUMMARY_LIMIT) return summary;
  }
  return text.format(valuesFor(text, result, rendering, 1));
}

function detailOf(result: RuleResult, rendering: Rendering): string {
  const { knowledge, language } = rendering;
  const shared = knowledge.cards.shared;
  const template = knowledge.cards.templates[result.rule.id];
  const parts = (template?.detail ?? []).filter(
    (part) => part.if === undefined || result.findings.get(part.if)?.outcome === 'holds',
  );
  const paragraphs = parts.map((part) => {
    const text = message(part.text[language], language);
    return text.format(valuesFor(text, result, rendering));
  });
  const drugs = result.about.map((medication) => `- ${drugLine(medication, rendering)}`).join('\n');
  return [...paragraphs, drugs, sourceLine(result.rule.source, rendering, shared)]
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

/** Which entry of the record is meant: the name as written there, since when, and how it was recognised. */
function drugLine(medication: Medication, { knowledge, language }: Rendering): string {
  const { drugLines, identifiedByName } = knowledge.cards.shared;
  const name = drugName(knowledge, medication, language);
  const written =
    medication.name === undefined || medication.name.toLowerCase() === name.toLowerCase()
      ? ''
      : ` (${escapeMarkdown(medication.name)})`;
  const start = medication.start?.length === 10 ? { start: new Date(medication.start) } : undefined;
  const words = medication.draft ? drugLines.ordered : start ? drugLines.since : drugLines.current;
  const line = message(words[language], language).format({ drug: `${escapeMarkdown(name)}${written}`, ...start });
  return medication.identifiedBy === 'name' ? `${line} ${identifiedByName[language]}` : line;
}

function sourceLine(source: Source, { language }: Rendering, shared: Knowledge['cards']['shared']): string {
  const kind = shared.sourceKinds[source.kind][language];
  return message(shared.sourceLine[language], language).format({
    kind,
    publisher: source.publisher,
    title: source.title,
    date: source.date,
  });
}

function valuesFor(
  text: Message,
  result: RuleResult,
  rendering: Rendering,
  limit?: number,
): Record<string, string | number> {
  return Object.fromEntries([...text.placeholders].map((name) => [name, valueFor(name, result, rendering, limit)]));
}

function valueFor(
  placeholder: string,
  result: RuleResult,
  { knowledge, language }: Rendering,
  limit?: number,
): string | number {
  const fact = factOfPlaceholder(placeholder);
  const parameter = guidelineOf(knowledge, result.rule).parameters[fact];
  if (parameter !== undefined) return Array.isArray(parameter) ? listOf(parameter.map(String), language) : parameter;
  const value = result.findings.get(fact)?.value ?? [];
  const medications = value.filter(
    (item): item is Medication => typeof item === 'object' && item !== null && 'identifiedBy' in item,
  );
  const conditions = value.filter(
    (item): item is Chart['conditions'][number] => typeof item === 'object' && item !== null && 'active' in item,
  );
  const names =
    medications.length > 0
      ? drugNames(knowledge, medications, language)
      : conditionNames(knowledge, conditions, language);
  if (placeholder !== fact) return names.length;
  if (medications.length > 0 || conditions.length > 0) return listOf(names, language, limit);
  return typeof value[0] === 'number' ? value[0] : String(value[0] ?? '');
}

function suggestionsOf(result: RuleResult, rendering: Rendering, card: string): Suggestion[] {
  return result.rule.suggest.flatMap((suggestion) =>
    'remove' in suggestion ? removals(result, suggestion, rendering, card) : stops(result, suggestion, rendering, card),
  );
}

/** Drafts that an action may point to: those with an id, as received (conformance A12, A16). */
function changeable(result: RuleResult, fact: string, { chart }: Rendering): Medication[] {
  return result.about.filter(
    (medication) =>
      medication.draft &&
      medication.id !== undefined &&
      chart.resources.has(medication.ref) &&
      refsOf(result, fact).has(medication.ref),
  );
}

function refsOf(result: RuleResult, fact: string): Set<string> {
  return new Set(result.findings.get(fact)?.resources);
}

type Remove = Extract<Rule['suggest'][number], { remove: string }>;
type SetStop = Extract<Rule['suggest'][number], { setStop: string }>;

function removals(result: RuleResult, suggestion: Remove, rendering: Rendering, card: string): Suggestion[] {
  return changeable(result, suggestion.remove, rendering).map((medication) => {
    const words = wordsOf(
      result,
      suggestion.id,
      { drug: drugName(rendering.knowledge, medication, rendering.language) },
      rendering,
    );
    return {
      label: words.label,
      uuid: uuidOf(card, suggestion.id, medication.ref),
      actions: [{ type: 'delete', description: words.description, resourceId: medication.ref }],
    };
  });
}

/** One suggestion for each length of course; it ends every order that the card is about. */
function stops(result: RuleResult, suggestion: SetStop, rendering: Rendering, card: string): Suggestion[] {
  const { knowledge, chart, language } = rendering;
  const { parameters } = guidelineOf(knowledge, result.rule);
  const orders = changeable(result, suggestion.setStop, rendering);
  return (parameters[suggestion.days] as number[]).flatMap((days) => {
    const changed = orders.map((medication) => {
      const end = stopAfter(medication, days, chart.today);
      const change = withStop(chart.resources.get(medication.ref) as Resource, end, knowledge.site.timeZone);
      return (
        change && {
          ...change,
          end,
          words: wordsOf(
            result,
            suggestion.id,
            { drug: drugName(knowledge, medication, language), days, end: new Date(end) },
            rendering,
          ),
        }
      );
    });
    const actions = changed.map(
      (change) =>
        change && { type: 'update' as const, description: describe(change, rendering), resource: change.resource },
    );
    if (actions.length === 0 || actions.includes(undefined)) return [];
    return [
      {
        label: (changed[0] as NonNullable<(typeof changed)[number]>).words.label,
        uuid: uuidOf(card, suggestion.id, String(days)),
        isRecommended: days === parameters[suggestion.recommended],
        actions: actions as Action[],
      },
    ];
  });
}

/** Says so where a dosage line begins after the new end and is therefore left out. */
function describe(
  change: { dropped: number; words: { description: string } },
  { knowledge, language }: Rendering,
): string {
  if (change.dropped === 0) return change.words.description;
  return `${change.words.description} ${message(knowledge.cards.shared.discontinuedLines[language], language).format({ count: change.dropped })}`;
}

function wordsOf(
  result: RuleResult,
  id: string,
  values: Record<string, string | number | Date>,
  { knowledge, language }: Rendering,
) {
  const words = knowledge.cards.templates[result.rule.id]?.suggestions[id];
  if (!words) throw new Error(`no words for the suggestion ${id} of ${result.rule.id}`);
  return {
    label: message(words.label[language], language).format(values),
    description: message(words.description[language], language).format(values),
  };
}

const parsed = new Map<string, Message>();

/** Messages are parsed once; there are as many as cards/ has texts. */
export function message(text: string, language: Language): Message {
  const key = `${language}\0${text}`;
  const known = parsed.get(key);
  if (known) return known;
  const fresh = parseMessage(text, language);
  parsed.set(key, fresh);
  return fresh;
}

/** A name-based UUID (RFC 9562, version 5 layout): the same call gives the same ids, another call others. */
export function uuidOf(...parts: string[]): string {
  const hash = createHash('sha1').update(parts.join('\0')).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
