import type { Draft } from '../chart/chart.ts';
import { type Day, dateOf, dayOf } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';
import { guidelineOf } from '../rules/knowledge.ts';
import type { RuleResult } from '../rules/result.ts';
import type { SuggestionRule } from '../rules/schema.ts';
import { message } from './message.ts';
import { drugName } from './names.ts';
import { fromTemplate, type Stopped, stopperOf, withQuantity } from './orders.ts';
import { type Rendering, uuidOf } from './rendering.ts';
import type { Values } from './values.ts';

/** CDS Hooks: Suggestion and Action. Actions only change drafts of the call, or create. */
export type Suggestion = {
  label: string;
  uuid: string;
  isRecommended?: boolean;
  actions: Action[];
  /** The id of the offer, from the rule's suggestion id and its days; for the report, never on the wire. */
  offer: string;
};
export type Action =
  | { type: 'update'; description: string; resource: Resource }
  | { type: 'create'; description: string; resource: Resource }
  | { type: 'delete'; description: string; resourceId: string };

type Kind<K extends string> = Extract<SuggestionRule, Record<K, unknown>>;

/** The suggestions of one card's rules, in their order. `card` is the card's uuid. */
export function suggestionsOf(results: RuleResult[], rendering: Rendering, card: string): Suggestion[] {
  return results.flatMap((result) =>
    result.rule.suggest.flatMap((suggestion) => {
      if ('remove' in suggestion) return removals(result, suggestion, rendering, card);
      if ('setStop' in suggestion) return stops(result, suggestion, results, rendering, card);
      if ('setQuantity' in suggestion) return quantities(result, suggestion, rendering, card);
      return creations(result, suggestion, rendering, card);
    }),
  );
}

/** Drafts of a fact that an action may refer to: those with an id, as received (conformance A12, A16). */
function changeable(
  result: RuleResult,
  fact: string,
  { chart, exact }: Rendering,
): { medication: Draft; order: Resource }[] {
  const refs = new Set(result.finding(fact).resources);
  return result.about
    .filter((drug): drug is Draft => drug.draft && drug.id !== undefined && refs.has(drug.ref))
    .flatMap((medication) => {
      // Drafts that share an id are not in `resources`, so no action can refer to them.
      const order =
        chart.resources.get(medication.ref) && (exact(medication.ref) ?? chart.resources.get(medication.ref));
      return order ? [{ medication, order }] : [];
    });
}

/** One suggestion per draft, on the first card about it. A draft that changes an order on record is never deleted. */
function removals(result: RuleResult, suggestion: Kind<'remove'>, rendering: Rendering, card: string): Suggestion[] {
  const { removed } = rendering;
  const drafts = changeable(result, suggestion.remove, rendering).filter(
    ({ medication: { changed, ref } }) => !changed && !removed.has(ref),
  );
  return drafts.map(({ medication }) => {
    removed.add(medication.ref);
    const words = wordsOf(result, suggestion.id, { drug: nameOf(medication, rendering) }, rendering);
    return {
      label: words.label,
      uuid: uuidOf(card, suggestion.id, medication.ref),
      offer: suggestion.id,
      actions: [{ type: 'delete', description: words.description, resourceId: medication.ref }],
    };
  });
}

/**
 * One suggestion per length of course; it ends every order that the card is about. If the card also finds an order's
 * quantity too large, the suggestion reduces it too, so that one choice does both.
 */
function stops(
  result: RuleResult,
  suggestion: Kind<'setStop'>,
  family: RuleResult[],
  rendering: Rendering,
  card: string,
): Suggestion[] {
  const { knowledge, chart } = rendering;
  const { parameters } = guidelineOf(knowledge, result.rule);
  const large = tooLarge(family);
  const orders = changeable(result, suggestion.setStop, rendering).map(({ medication, order }) => {
    const start = Math.max(dayOf(medication.start ?? chart.today), 0);
    const stop = stopperOf(order, {
      reading: knowledge.codes.reading,
      timeZone: knowledge.site.timeZone,
      today: dayOf(chart.today),
      start,
      write: dateOf,
    });
    return stop && { medication, start, stop };
  });
  // If one order's dosage cannot be changed, there is no suggestion: half a choice would mislead.
  if (orders.length === 0 || orders.includes(undefined)) return [];
  return (parameters[suggestion.days] as number[]).map((days) => {
    const choices = (orders as Stoppable[]).map(({ medication, start, stop }) => {
      const end = start + days - 1;
      const change = stop(end);
      const packed = smallestPackage(medication, change.quantity, large);
      const quantity = packed?.quantity ?? change.quantity;
      const values = { drug: nameOf(medication, rendering), days, end: new Date(end * DAY) };
      const words = wordsOf(result, suggestion.id, values, rendering);
      const remarks = [
        ...droppedRemark(change.dropped, rendering),
        ...(quantity === undefined ? [] : quantityRemark(family, medication, quantity, rendering)),
        ...(change.textLeft ? [knowledge.cards.shared.textLeft[rendering.language]] : []),
      ];
      const resource = packed ? withQuantity(change.resource, packed.quantity) : change.resource;
      const action: Action = { type: 'update', description: [words.description, ...remarks].join(' '), resource };
      return { label: words.label, action };
    });
    return {
      label: (choices[0] as (typeof choices)[number]).label,
      uuid: uuidOf(card, suggestion.id, String(days)),
      offer: `${suggestion.id}/${days}`,
      ...(suggestion.recommended !== undefined && { isRecommended: days === parameters[suggestion.recommended] }),
      actions: choices.map(({ action }) => action),
    };
  });
}

type Stoppable = { medication: Draft; start: Day; stop: (end: Day) => Stopped };
/** Milliseconds. */
const DAY = 86_400_000;

function quantities(
  result: RuleResult,
  suggestion: Kind<'setQuantity'>,
  rendering: Rendering,
  card: string,
): Suggestion[] {
  const recommended = guidelineOf(rendering.knowledge, result.rule).parameters[suggestion.days] as number;
  return changeable(result, suggestion.setQuantity, rendering).flatMap(({ medication, order }) => {
    const quantity = neededQuantity(medication, courseDays(medication) ?? recommended);
    if (quantity === undefined) return [];
    const words = wordsOf(result, suggestion.id, { drug: nameOf(medication, rendering), quantity }, rendering);
    return [
      {
        label: words.label,
        uuid: uuidOf(card, suggestion.id, medication.ref),
        offer: suggestion.id,
        actions: [{ type: 'update' as const, description: words.description, resource: withQuantity(order, quantity) }],
      },
    ];
  });
}

/** Ends that do not state how long the course is meant to be (recommendations.md, S2): a quantity or a text. */
export const NOT_TELLING = ['quantity', 'text'];

function courseDays(medication: Draft): number | undefined {
  return medication.stopFrom === undefined || NOT_TELLING.includes(medication.stopFrom) ? undefined : medication.length;
}

/** The smallest package if the site knows it, otherwise what the days need. */
function neededQuantity({ smallestPackage: size, dailyDose }: Draft, days: number): number | undefined {
  return size ?? (dailyDose === undefined ? undefined : Math.ceil(dailyDose * days - 1e-9));
}

/** The orders whose quantity a card's rules find too large. */
function tooLarge(family: RuleResult[]): Set<string> {
  return new Set(
    family.flatMap((result) =>
      result.rule.suggest.flatMap((suggestion) =>
        'setQuantity' in suggestion ? result.finding(suggestion.setQuantity).resources : [],
      ),
    ),
  );
}

/** If the site knows a package smaller than what is left, that is enough. */
function smallestPackage(
  medication: Draft,
  left: number | undefined,
  large: Set<string>,
): { quantity: number } | undefined {
  const { smallestPackage: size, quantity } = medication;
  return size !== undefined && large.has(medication.ref) && size < (left ?? quantity ?? 0)
    ? { quantity: size }
    : undefined;
}

/** States that a choice also reduces the quantity, in the words of the rule about it, otherwise in common words. */
function quantityRemark(family: RuleResult[], medication: Draft, quantity: number, rendering: Rendering): string[] {
  const values = { drug: nameOf(medication, rendering), quantity };
  for (const result of family)
    for (const suggestion of result.rule.suggest)
      if ('setQuantity' in suggestion) return [wordsOf(result, suggestion.id, values, rendering).description];
  return [message(rendering.knowledge.cards.shared.quantityCut[rendering.language], rendering.language).format(values)];
}

function creations(result: RuleResult, suggestion: Kind<'create'>, rendering: Rendering, card: string): Suggestion[] {
  if (suggestion.if !== undefined && result.finding(suggestion.if).outcome !== 'holds') return [];
  const { knowledge, chart, language } = rendering;
  const template = knowledge.templates[suggestion.create] as Resource;
  const words = wordsOf(result, suggestion.id, {}, rendering);
  const text = knowledge.cards.shared.orders[suggestion.create]?.[language] ?? suggestion.create;
  const resource = fromTemplate(template, text, chart.subject, chart.version);
  return [
    {
      label: words.label,
      uuid: uuidOf(card, suggestion.id),
      offer: suggestion.id,
      actions: [{ type: 'create', description: words.description, resource }],
    },
  ];
}

/** States that a dosage line beginning after the new end is left out. */
function droppedRemark(count: number, { knowledge, language }: Rendering): string[] {
  return count === 0 ? [] : [message(knowledge.cards.shared.discontinuedLines[language], language).format({ count })];
}

function nameOf(medication: Draft, { knowledge, language }: Rendering): string {
  return drugName(knowledge, medication, language);
}

function wordsOf(result: RuleResult, id: string, values: Values, { knowledge, language }: Rendering) {
  const words = knowledge.cards.templates[result.rule.id]?.suggestions[id];
  if (!words) throw new Error(`no words for the suggestion ${id} of ${result.rule.id}`);
  return {
    label: message(words.label[language], language).format(values),
    description: message(words.description[language], language).format(values),
  };
}
