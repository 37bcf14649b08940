import type { Knowledge } from '../cards/knowledge.ts';
import { message } from '../cards/message.ts';
import { listOf } from '../cards/names.ts';
import { factOfPlaceholder } from '../cards/values.ts';
import type { Translate } from '../knowledge/pages.ts';
import { type Language, locales, type Texts } from '../language.ts';
import { type Guideline, guidelineOf, type Rule } from '../rules/knowledge.ts';

/** A camelCase name as words: `laroOfPair` becomes `laro of pair`. */
export function nameInWords(name: string): string {
  return name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
}

/**
 * A card's text without a patient: parameters have their values at this site, and brackets describe what a record would give.
 */
export function textWithoutPatient(
  texts: Texts,
  rule: Rule,
  { knowledge, language, translate }: { knowledge: Knowledge; language: Language; translate: Translate },
): string {
  const dates = new Set([...texts[language].matchAll(/\{(\w+), date/g)].map(([, name]) => name));
  const text = message(texts[language].replace(/\{(\w+), date[^}]*\}/g, '{$1}'), language);
  const { parameters } = guidelineOf(knowledge, rule);
  const standIn = (placeholder: string): string | number => {
    const fact = factOfPlaceholder(placeholder);
    const parameter = parameters[fact];
    if (parameter !== undefined) return Array.isArray(parameter) ? listOf(parameter.map(String), language) : parameter;
    if (placeholder !== fact) return 1;
    if (NUMBER.test(guidelineOf(knowledge, rule).facts.get(fact)?.expression.text ?? '')) return '[…]';
    if (dates.has(placeholder)) return `[${translate('aDate')}]`;
    return `[${problemsOf(fact, rule, knowledge, language) ?? translate('aMedicine')}]`;
  };
  const written = text.format(Object.fromEntries([...text.placeholders].map((name) => [name, standIn(name)])));
  return written.charAt(0).toLocaleUpperCase(language) + written.slice(1);
}

/** What a suggestion does, without a patient. It may mention the medicine, and the last day, days or quantity of an order. */
export function offerWithoutPatient(text: string, translate: Translate): string {
  return text
    .replaceAll('{drug}', `[${translate('aMedicine')}]`)
    .replace(/\{end[^}]*\}/g, `[${translate('aDate')}]`)
    .replace(/\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g, '[…]');
}

/** A fact that counts or measures instead of listing items. */
const NUMBER = /\.(max|min|count|spanDays)\(\)[)\s]*$/;

/** Maximum number of terms in a sentence. */
const MOST_TERMS = 6;

/** What a fact of problems or results may find, in the words of cards/shared.yaml; undefined for a fact of medicines. */
function problemsOf(fact: string, rule: Rule, knowledge: Knowledge, language: Language): string | undefined {
  const found = rootOf(fact, guidelineOf(knowledge, rule), new Set());
  if (found === undefined || ['treatments', 'before', 'drafts', 'ordered'].includes(found.variable)) return undefined;
  const terms = Object.entries(knowledge.cards.shared.terms)
    .filter(([list]) => found.lists.has(list))
    .map(([, texts]) => texts[language]);
  if (terms.length === 0) return undefined;
  const shown = [...new Set(terms)];
  if (shown.length > MOST_TERMS) return `${shown.slice(0, MOST_TERMS).join(', ')} …`;
  return new Intl.ListFormat(locales[language], { type: 'disjunction' }).format(shown);
}

/**
 * The part of the chart that a fact takes its items from, followed through the facts that it starts with, and the lists
 * on the way.
 */
function rootOf(
  fact: string,
  guideline: Guideline,
  lists: Set<string>,
): { variable: string; lists: Set<string> } | undefined {
  const expression = guideline.facts.get(fact)?.expression;
  if (!expression) return undefined;
  for (const list of expression.lists) lists.add(list);
  const [first] = [...expression.text.matchAll(/%(\w+)/g)]
    .map(([, name]) => name as string)
    .filter((name) => !SINGLE.includes(name) && !(name in guideline.parameters));
  if (first === undefined) return undefined;
  return guideline.facts.has(first) ? rootOf(first, guideline, lists) : { variable: first, lists };
}

/** Variables with a single value and no items. */
const SINGLE = ['hook', 'today', 'age', 'setting'];
