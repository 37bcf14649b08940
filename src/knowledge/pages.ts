import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { message } from '../cards/message.ts';
import { type Language, languages, type Texts } from '../language.ts';
import { type Problem, readYamlFiles, reporterOf, type YamlFile } from '../yaml.ts';

/** The texts of a report or page outside the record system, by key, in the four languages. */
const pageSchema = z.record(
  z.string(),
  z.strictObject(
    Object.fromEntries(languages.map((language) => [language, z.string().min(1)])),
  ) as unknown as z.ZodType<Texts>,
);

export type PageWords = Record<string, Texts>;

/** Returns the text under a key, with its placeholders filled in. */
export type Translate = (key: string, values?: Record<string, string | number | Date>) => string;

/**
 * Reads cards/pages/: one file per report. Every text must exist in the four languages with the same placeholders.
 * These texts decide nothing and appear on no card, so they are not part of the fingerprint.
 */
export function loadPages(folder: string, problems: Problem[]): Record<string, PageWords> {
  const pages = join(folder, 'cards', 'pages');
  if (!existsSync(pages)) return {};
  const files = readYamlFiles(pages, 'cards/pages', pageSchema, problems);
  for (const file of files) checkWords(file, problems);
  return Object.fromEntries(files.map(({ file, data }) => [file.replace(/^.*\/(.+)\.yaml$/, '$1'), data]));
}

function checkWords(file: YamlFile<PageWords>, problems: Problem[]): void {
  const report = reporterOf(file, problems);
  for (const [key, texts] of Object.entries(file.data)) {
    const named = new Map<Language, string>();
    for (const language of languages) {
      try {
        named.set(language, [...message(texts[language], language).placeholders].sort().join(', '));
      } catch (error) {
        report([key, language], `not an ICU message: ${(error as Error).message}`);
      }
    }
    const first = named.get('sv');
    for (const [language, names] of named) {
      if (first !== undefined && names !== first)
        report([key, language], `placeholders differ from those in sv: {${names}} and {${first}}`);
    }
  }
}

/** The texts of one page in one language. An unknown key is a programming error. */
export function translator(words: PageWords, language: Language): Translate {
  return (key, values = {}) => {
    const texts = words[key];
    if (!texts) throw new Error(`cards/pages/ has no words for '${key}'`);
    return message(texts[language], language).format(values);
  };
}
