import type { Condition, Drug } from '../chart/chart.ts';
import { contains } from '../codes/load.ts';
import { type Language, locales } from '../language.ts';
import { guidelineOf, type Rule } from '../rules/knowledge.ts';
import type { Knowledge } from './knowledge.ts';
import { plainText } from './markdown.ts';

/** CDS Hooks: "summary … less than 140 characters" (Card Attributes). */
export const SUMMARY_LIMIT = 139;
/** Maximum characters of a recorded name, shown if we have no name for the substance. */
const NAME_LIMIT = 24;

const conjunctions = Object.fromEntries(
  Object.entries(locales).map(([language, locale]) => [language, new Intl.ListFormat(locale, { type: 'conjunction' })]),
) as Record<Language, Intl.ListFormat>;

/** The name of a medicine in a language: its substance's, otherwise the recorded one. */
export function drugName(knowledge: Knowledge, medication: Drug, language: Language): string {
  if (medication.otherwise) return knowledge.cards.shared.otherwise.name[language];
  const substance =
    medication.substance === undefined ? undefined : knowledge.codes.substances.get(medication.substance);
  return substance?.names[language] ?? bareName(medication.name ?? medication.ref);
}

/** A recorded name, safe in plain text and Markdown: without any characters that could be markup. */
export function bareName(text: string): string {
  return plainText(text.replace(/[^\p{L}\p{N} .,%/+-]+/gu, ' '), NAME_LIMIT);
}

/** Each name once, in the order found. */
export function drugNames(knowledge: Knowledge, medications: Drug[], language: Language): string[] {
  return [...new Set(medications.map((medication) => drugName(knowledge, medication, language)))];
}

/** The name of a problem on a card: the words in cards/shared.yaml for its lists. */
export function conditionNames(knowledge: Knowledge, conditions: Condition[], language: Language): string[] {
  const lists = new Set(conditions.flatMap((condition) => condition.lists));
  return Object.entries(knowledge.cards.shared.terms)
    .filter(([list]) => lists.has(list))
    .map(([, texts]) => texts[language]);
}

/** Capitalises the first letter, even of a medicine's name. */
export function capitalised(text: string, language: Language): string {
  const [first = ''] = text;
  return first.toLocaleUpperCase(language) + text.slice(first.length);
}

/** At most `limit` names, and the number of the rest. */
export function listOf(names: string[], language: Language, limit = Number.POSITIVE_INFINITY): string {
  const shown = names.slice(0, limit);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} +${rest}`;
  // A list of one is its name: a format costs as much as all the rest here.
  if (shown.length === 1) return shown[0] as string;
  return conjunctions[language].format(shown);
}

/** The longest text of a summary's placeholder, with as few names as possible. */
export function longestName(knowledge: Knowledge, rule: Rule, fact: string, language: Language): string {
  const guideline = guidelineOf(knowledge, rule);
  const parameter = guideline.parameters[fact];
  if (parameter !== undefined) return String(parameter);
  const lists = listsOfFact(knowledge, rule, fact);
  const names = [...knowledge.codes.substances.values()]
    .filter(({ atc }) =>
      atc.some((code) => lists.some((list) => contains(knowledge.codes.lists.get(list) ?? [], code))),
    )
    .map((substance) => substance.names[language]);
  const terms = Object.entries(knowledge.cards.shared.terms)
    .filter(([list]) => lists.includes(list))
    .map(([, texts]) => texts[language]);
  const longest = [...names, ...terms, 'x'.repeat(NAME_LIMIT)].reduce((a, b) => (b.length > a.length ? b : a));
  return `${longest} +9`;
}

export function listsOfFact(knowledge: Knowledge, rule: Rule, fact: string): string[] {
  const { facts } = guidelineOf(knowledge, rule);
  const expression = facts.get(fact)?.expression;
  const own = [...(expression?.lists ?? [])].flatMap((list) => [
    list,
    ...(knowledge.classes.classes.get(list)?.lists ?? []),
  ]);
  const others = [...(expression?.variables ?? [])].flatMap((name) => listsOfFact(knowledge, rule, name));
  return [...own, ...others];
}
