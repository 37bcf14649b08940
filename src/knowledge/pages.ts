import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { message } from '../cards/message.ts';
import { type Language, languages, type Texts } from '../language.ts';
import { type Problem, readYaml, type YamlFile } from '../yaml.ts';

/** The words of a page that people read outside the record system: a report. By key, in the four languages. */
const pageSchema = z.record(
  z.string(),
  z.strictObject(
    Object.fromEntries(languages.map((language) => [language, z.string().min(1)])),
  ) as unknown as z.ZodType<Texts>,
);

export type PageWords = Record<string, Texts>;

/** Gives the words under a key, with its placeholders filled in. */
export type Translate = (key: string, values?: Record<string, string | number | Date>) => string;

/**
 * Reads cards/pages/: a file for each report. Every text must be there in the four languages and name the same
 * placeholders in each. These words decide nothing and no card speaks them, so they are no part of the fingerprint.
 */
export function loadPages(folder: string, problems: Problem[]): Record<string, PageWords> {
  const pages = join(folder, 'cards', 'pages');
  if (!existsSync(pages)) return {};
  const files = readdirSync(pages)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readYaml(join(pages, name), `cards/pages/${name}`, pageSchema, problems))
    .filter((file) => file !== undefined);
  for (const file of files) checkWords(file, problems);
  return Object.fromEntries(files.map(({ file, data }) => [file.replace(/^.*\/(.+)\.yaml$/, '$1'), data]));
}

function checkWords(file: YamlFile<PageWords>, problems: Problem[]): void {
  for (const [key, texts] of Object.entries(file.data)) {
    const report = (language: Language, text: string) =>
      problems.push({ file: file.file, line: file.line([key, language]), message: `${key}.${language}: ${text}` });
    const named = new Map<Language, string>();
    for (const language of languages) {
      try {
        named.set(language, [...message(texts[language], language).placeholders].sort().join(', '));
      } catch (error) {
        report(language, `not an ICU message: ${(error as Error).message}`);
      }
    }
    const first = named.get('sv');
    for (const [language, names] of named) {
      if (first !== undefined && names !== first)
        report(language, `placeholders differ from those in sv: {${names}} and {${first}}`);
    }
  }
}

/** The words of one page in one language. A key that the page does not have is a fault of the program. */
export function translator(words: PageWords, language: Language): Translate {
  return (key, values = {}) => {
    const texts = words[key];
    if (!texts) throw new Error(`cards/pages/ has no words for '${key}'`);
    return message(texts[language], language).format(values);
  };
}
