import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brand } from '../brand.ts';
import { readConfig } from '../config.ts';
import { isPartial, localDate } from '../dates.ts';
import { exportBundle } from '../export/bundle.ts';
import { leftOutOfOrders } from '../export/orders.ts';
import { loadKnowledge } from '../knowledge/load.ts';
import { type Language, languages } from '../language.ts';
import { helpIfAsked, messageOf } from './words.ts';

const USAGE = `Usage: npm run --silent export -- --format plan-definition [--out FILE] [--language sv|nb|da|en] [--base URL] [--date 2026-03-02]

Writes the rules of this site as FHIR R4: PlanDefinition, Library, ActivityDefinition, ValueSet and CodeSystem in one
transaction Bundle. --language is the language of the resources (the others are translations in them), --base the start of
their canonical addresses, --date their date. The same rules and options give the same bytes.
`;

const FORMATS = ['plan-definition'];

if (import.meta.main) {
  helpIfAsked(USAGE);
  process.exitCode = run(process.argv.slice(2), process.env);
}

function run(words: string[], environment: Record<string, string | undefined>): number {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        format: { type: 'string' },
        out: { type: 'string' },
        language: { type: 'string', default: 'en' },
        base: { type: 'string', default: brand.canonicalBase },
        date: { type: 'string' },
      },
    });
    const { format, language, date, out } = values;
    if (format === undefined) throw new Error(`--format: needed, one of ${FORMATS.join(', ')}`);
    if (!FORMATS.includes(format)) throw new Error(`--format: '${format}' is not one of ${FORMATS.join(', ')}`);
    if (!isLanguage(language)) throw new Error(`--language: '${language}' is not one of ${languages.join(', ')}`);
    if (date !== undefined && (localDate(date, 'UTC') !== date || isPartial(date)))
      throw new Error(`--date: '${date}' is not a date such as 2026-03-02`);
    const { knowledge, problems } = loadKnowledge(readConfig({ KNOWLEDGE: environment['KNOWLEDGE'] }).knowledge);
    if (!knowledge)
      throw new Error(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'));
    const bundle = exportBundle({ knowledge, language, base: baseOf(values.base), date });
    const text = `${JSON.stringify(bundle, undefined, 2)}\n`;
    if (out === undefined) process.stdout.write(text);
    else writeFileSync(out, text);
    for (const what of leftOutOfOrders(knowledge.templates)) process.stderr.write(`left out: ${what}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

function baseOf(text: string): string {
  const base = text.replace(/[/:]+$/, '');
  if (/^urn:[a-z0-9][a-z0-9-]+(:[^\s|#]+)*$/i.test(base) || (URL.canParse(base) && /^https?:\/\/[^\s|#?]+$/.test(base)))
    return base;
  throw new Error(`--base: '${text}' cannot begin a canonical address`);
}

function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text);
}
