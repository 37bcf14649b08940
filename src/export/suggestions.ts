import type { PlanDefinitionAction } from 'fhir/r4.js';
import type { CardTemplate } from '../cards/schema.ts';
import { NOT_TELLING } from '../cards/suggestions.ts';
import type { Guideline, Rule } from '../rules/knowledge.ts';
import type { SuggestionRule } from '../rules/schema.ts';
import { type Context, canonical } from './context.ts';
import { expressionOf, holds } from './logic.ts';
import { inEnglish, said } from './words.ts';

type Kind<Name extends string> = Extract<SuggestionRule, Record<Name, unknown>>;

/** A card's suggestions. If an order is changed, the value is computed for each of the fact's medicines. */
export function suggestionActions(
  context: Context,
  rule: Rule,
  { parameters }: Guideline,
  template: CardTemplate,
  library: string,
): PlanDefinitionAction[] {
  return rule.suggest.flatMap((suggestion) => {
    const base = wordsOf(context, suggestion.id, template);
    if ('remove' in suggestion) return [remove(context, suggestion, base)];
    if ('setQuantity' in suggestion) return [quantity(context, suggestion, base, library)];
    if ('setStop' in suggestion) {
      const recommended = suggestion.recommended === undefined ? undefined : parameters[suggestion.recommended];
      return (parameters[suggestion.days] as number[]).map((days) =>
        stop(context, suggestion, days, days === recommended, base, library),
      );
    }
    return [create(context, suggestion, base, library)];
  });
}

function wordsOf({ language }: Context, id: string, template: CardTemplate) {
  const words = template.suggestions[id] as CardTemplate['suggestions'][string];
  return {
    id: `suggestion-${id}`,
    ...said('title', words.label, language),
    ...said('description', words.description, language),
  };
}

type Base = ReturnType<typeof wordsOf>;

function typed(code: 'create' | 'update' | 'remove') {
  return { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/action-type', code }] } };
}

function remove({ language }: Context, { remove: fact }: Kind<'remove'>, base: Base): PlanDefinitionAction {
  const text = `Deletes a draft of ${fact}: one choice per draft. A draft that changes an order on record is never deleted`;
  return { ...base, ...inEnglish('textEquivalent', text, language), ...typed('remove') };
}

function create(
  context: Context,
  { create: template, if: fact }: Kind<'create'>,
  base: Base,
  library: string,
): PlanDefinitionAction {
  return {
    ...base,
    ...(fact !== undefined && {
      condition: [{ kind: 'applicability', expression: expressionOf(library, holds(fact), `${fact} holds`) }],
    }),
    ...typed('create'),
    definitionCanonical: canonical(context, 'ActivityDefinition', template),
  };
}

function stop(
  { language }: Context,
  { setStop: fact }: Kind<'setStop'>,
  days: number,
  recommended: boolean,
  base: Base,
  library: string,
): PlanDefinitionAction {
  const text = `Ends each draft of ${fact} after ${days} days, including its first day; without a start it counts from today`;
  const end = `iif(start.exists(), start, %today).plusDays(${days - 1})`;
  const expression = expressionOf(library, end, `of each of ${fact}`);
  return {
    ...base,
    id: `${base.id}-${days}`,
    ...inEnglish('textEquivalent', text, language),
    ...typed('update'),
    ...(recommended && { precheckBehavior: 'yes' }),
    dynamicValue: [{ path: 'dosageInstruction.timing.repeat.boundsPeriod.end', expression }],
  };
}

function quantity(
  { language }: Context,
  { setQuantity: fact, days }: Kind<'setQuantity'>,
  base: Base,
  library: string,
): PlanDefinitionAction {
  const text = `Sets the quantity of a draft of ${fact} to the smallest package, or to what its days need: one choice per draft`;
  const notTelling = NOT_TELLING.map((from) => `'${from}'`).join(' | ');
  const length = `iif(stopFrom.empty() or stopFrom in (${notTelling}), %${days}, length)`;
  const value = `iif(smallestPackage.exists(), smallestPackage, (dailyDose * ${length}).ceiling())`;
  const expression = expressionOf(library, value, `of each of ${fact}`);
  return {
    ...base,
    ...inEnglish('textEquivalent', text, language),
    ...typed('update'),
    dynamicValue: [{ path: 'dispenseRequest.quantity.value', expression }],
  };
}
