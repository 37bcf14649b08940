import { join } from 'node:path';
import type { Knowledge } from '../cards/knowledge.ts';
import { message } from '../cards/message.ts';
import { listsOfFact, longestName, SUMMARY_LIMIT } from '../cards/names.ts';
import { type CardFile, type CardTemplate, cardFileSchema, type SharedCards, sharedSchema } from '../cards/schema.ts';
import { factOfPlaceholder } from '../cards/values.ts';
import { type Language, languages, type Texts } from '../language.ts';
import { guidelineOf, type Rule } from '../rules/knowledge.ts';
import type { SuggestionRule } from '../rules/schema.ts';
import { type Problem, type Report, readYaml, readYamlFiles, reporterOf, type YamlFile } from '../yaml.ts';

export type CardFiles = { shared: YamlFile<SharedCards>; files: YamlFile<CardFile>[]; templates: CardFile };

/** Reads cards/: shared.yaml and one file per guideline. */
export function loadCards(folder: string, problems: Problem[]): CardFiles | undefined {
  const shared = readYaml(join(folder, 'shared.yaml'), 'cards/shared.yaml', sharedSchema, problems);
  const files = readYamlFiles(folder, 'cards', cardFileSchema, problems, ['shared.yaml']);
  return shared && { shared, files, templates: Object.assign({}, ...files.map(({ data }) => data)) as CardFile };
}

/** The texts of a card, each with its place in the file. */
function textsOf({ summary, summaries, detail }: CardTemplate): { text: Texts; path: PropertyKey[] }[] {
  return [
    { text: summary, path: ['summary'] },
    ...summaries.map(({ text }, at) => ({ text, path: ['summaries', at] })),
    ...detail.map(({ text }, at) => ({ text, path: ['detail', at] })),
  ];
}

/** The facts that a card uses: conditions of its paragraphs, and placeholders in its texts. */
export function factsOfCard(template: CardTemplate): string[] {
  const named = textsOf(template).flatMap(({ text }) =>
    languages.flatMap((language) => [...safePlaceholders(text[language], language)]),
  );
  return [
    ...new Set([
      ...[...template.summaries, ...template.detail].flatMap((part) => (part.if ? [part.if] : [])),
      ...named.map(factOfPlaceholder),
    ]),
  ];
}

function safePlaceholders(text: string, language: Language): Set<string> {
  try {
    return message(text, language).placeholders;
  } catch {
    return new Set();
  }
}

/** Checks that cards and rules match: every rule has a card, and every placeholder has a value, in every language. */
export function checkCards(knowledge: Knowledge, cards: CardFiles, problems: Problem[]): void {
  for (const file of cards.files) {
    const reportAt = reporterOf(file, problems);
    for (const [id, template] of Object.entries(file.data)) {
      const report: Report = (path, message) => reportAt([id, ...path], message);
      const rule = knowledge.rules.find((candidate) => candidate.id === id);
      if (!rule) report([], 'there is no rule with this id');
      else checkCard(knowledge, rule, template, report);
    }
  }
  for (const id of Object.keys(knowledge.templates)) {
    if (!(id in cards.shared.data.orders))
      reporterOf(cards.shared, problems)(['orders'], `'${id}' of hooks/templates.yaml has no words`);
  }
  for (const rule of knowledge.rules) {
    // A file that could not be read has already been reported.
    const unread = problems.some(({ file }) => file === `cards/${rule.guideline}.yaml`);
    if (!(rule.id in cards.templates) && !unread)
      problems.push({
        file: `hooks/${rule.guideline}.yaml`,
        line: rule.line,
        message: `${rule.id}: there is no card for this rule in cards/`,
      });
  }
}

/** The placeholders that a suggestion's texts may use. */
function placeholdersOf(suggestion: SuggestionRule | undefined): Set<string> {
  if (!suggestion || 'create' in suggestion) return new Set();
  if ('setStop' in suggestion) return new Set(['drug', 'days', 'end']);
  return new Set('setQuantity' in suggestion ? ['drug', 'quantity'] : ['drug']);
}

function checkCard(knowledge: Knowledge, rule: Rule, template: CardTemplate, report: Report): void {
  const guideline = guidelineOf(knowledge, rule);
  // A text may use parameters, and facts that are certain to hold where it is shown.
  const sure = certainFacts(guideline, rule);
  checkTexts(template.summary, sure, ['summary'], report);
  checkTerms(knowledge, rule, template, report);
  checkLength(knowledge, rule, template.summary, ['summary'], report);
  for (const [at, part] of template.summaries.entries()) {
    if (!guideline.facts.has(part.if))
      report(['summaries', at, 'if'], `'${part.if}' is not a fact of ${rule.guideline}`);
    checkTexts(part.text, new Set([...sure, part.if]), ['summaries', at, 'text'], report);
    checkLength(knowledge, rule, part.text, ['summaries', at, 'text'], report);
  }
  for (const [at, part] of template.detail.entries()) {
    if (part.if !== undefined && !guideline.facts.has(part.if))
      report(['detail', at, 'if'], `'${part.if}' is not a fact of ${rule.guideline}`);
    const known = part.if === undefined ? sure : new Set([...sure, part.if]);
    checkTexts(part.text, known, ['detail', at, 'text'], report);
  }
  for (const { id } of rule.suggest)
    if (!template.suggestions[id]) report(['suggestions'], `the suggestion '${id}' has no words`);
  for (const [id, words] of Object.entries(template.suggestions)) {
    const suggestion = rule.suggest.find((candidate) => candidate.id === id);
    if (!suggestion) report(['suggestions', id], 'the rule has no such suggestion');
    const known = placeholdersOf(suggestion);
    for (const key of ['label', 'description'] as const)
      checkTexts(words[key], known, ['suggestions', id, key], report);
  }
  for (const [at, reason] of template.overrideReasons.entries()) {
    if (!(reason in knowledge.cards.shared.overrideReasons))
      report(['overrideReasons', at], `'${reason}' is not in cards/shared.yaml`);
  }
}

/** Facts that hold whenever the rule fires, including the two sides of its pairs; and parameters. */
function certainFacts(guideline: ReturnType<typeof guidelineOf>, rule: Rule): Set<string> {
  const sides = [...guideline.facts.values()].filter(({ expression }) => {
    const pair = /^%(\w+)\.(one|other)$/.exec(expression.text.trim())?.[1];
    return pair !== undefined && rule.when.includes(pair);
  });
  return new Set([...rule.when, ...sides.map(({ name }) => name), ...Object.keys(guideline.parameters)]);
}

/** A text about a problem or a test needs a word for it in cards/shared.yaml, because the record has only codes. */
function checkTerms(knowledge: Knowledge, rule: Rule, template: CardTemplate, report: Report): void {
  const { conditions, procedures, results } = knowledge.codes;
  const { facts } = guidelineOf(knowledge, rule);
  for (const { text, path } of textsOf(template)) {
    for (const fact of new Set([...safePlaceholders(text.en, 'en')].map(factOfPlaceholder))) {
      if (!facts.has(fact) || isOfMedicines(facts, fact)) continue;
      for (const list of listsOfFact(knowledge, rule, fact)) {
        const coded = [conditions, procedures, results].some(({ names }) => names.has(list));
        if (coded && !(list in knowledge.cards.shared.terms))
          report(path, `{${fact}} may be '${list}', which has no word under terms in cards/shared.yaml`);
      }
    }
  }
}

/** Whether a fact comes from medicines, whose names are known, directly or through other facts. */
function isOfMedicines(facts: ReturnType<typeof guidelineOf>['facts'], name: string): boolean {
  return [...(facts.get(name)?.expression.variables ?? [])].some(
    (variable) => ['treatments', 'before', 'drafts', 'ordered'].includes(variable) || isOfMedicines(facts, variable),
  );
}

function checkTexts(texts: Texts, known: Set<string>, path: PropertyKey[], report: Report): void {
  for (const language of languages) {
    try {
      for (const name of message(texts[language], language).placeholders) {
        if (!known.has(factOfPlaceholder(name))) report([...path, language], `{${name}} may be empty here`);
      }
    } catch (error) {
      report([...path, language], `not an ICU message: ${(error as Error).message.split('\n')[0]}`);
    }
  }
}

/** CDS Hooks requires a summary under 140 characters. It is measured with the longest name of each drug. */
function checkLength(knowledge: Knowledge, rule: Rule, summary: Texts, path: PropertyKey[], report: Report): void {
  for (const language of languages) {
    try {
      const parsed = message(summary[language], language);
      const values = Object.fromEntries(
        [...parsed.placeholders].map((name) => [
          name,
          name.endsWith('Count') ? 99 : longestName(knowledge, rule, factOfPlaceholder(name), language),
        ]),
      );
      const { length } = parsed.format(values);
      if (length > SUMMARY_LIMIT)
        report([...path, language], `${length} characters with the longest names; at most ${SUMMARY_LIMIT}`);
    } catch {
      // Already reported: the text is not a valid message.
    }
  }
}
