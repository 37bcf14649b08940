import type { Condition } from '../chart/chart.ts';
import { drugsOf } from '../rules/facts.ts';
import { guidelineOf } from '../rules/knowledge.ts';
import type { RuleResult } from '../rules/result.ts';
import type { Message } from './message.ts';
import { conditionNames, drugNames, listOf } from './names.ts';
import type { Rendering } from './rendering.ts';

export type Values = Record<string, string | number | Date>;

/** `{sedativeCount}` is the number of names in `{sedative}`. */
export function factOfPlaceholder(placeholder: string): string {
  return placeholder.replace(/Count$/, '');
}

/** The values of a message's placeholders for this result; at most `limit` names in a list. */
export function valuesFor(text: Message, result: RuleResult, rendering: Rendering, limit?: number): Values {
  return Object.fromEntries([...text.placeholders].map((name) => [name, valueFor(name, result, rendering, limit)]));
}

function valueFor(
  placeholder: string,
  result: RuleResult,
  { knowledge, language }: Rendering,
  limit?: number,
): string | number | Date {
  const fact = factOfPlaceholder(placeholder);
  const parameter = guidelineOf(knowledge, result.rule).parameters[fact];
  if (parameter !== undefined) return Array.isArray(parameter) ? listOf(parameter.map(String), language) : parameter;
  const { value } = result.finding(fact);
  const medications = drugsOf(value);
  const listed = value.filter((item): item is Condition => has(item, 'lists'));
  const names =
    medications.length > 0 ? drugNames(knowledge, medications, language) : conditionNames(knowledge, listed, language);
  if (placeholder !== fact) return names.length;
  if (names.length > 0) return listOf(names, language, limit);
  const [first] = value;
  if (typeof first === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(first)) return new Date(first);
  // The loader has checked that a text uses only what has a word.
  return typeof first === 'string' || typeof first === 'number' ? first : '';
}

function has(item: unknown, key: string): boolean {
  return typeof item === 'object' && item !== null && key in item;
}
