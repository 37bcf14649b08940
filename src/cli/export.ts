import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brand } from '../brand.ts';
import { readConfig } from '../config.ts';
import { isPartial, localDate } from '../dates.ts';
import { exportBundle } from '../export/bundle.ts';
import { leftOutOfOrders } from '../export/orders.ts';
import { loadKnowledge } from '../knowledge/load.ts';
import { languages } from '../language.ts';
import { problemsText } from '../yaml.ts';
import { oneOf, runCommand } from './words.ts';

const USAGE = `Usage: npm run --silent export -- --format plan-definition [--out FILE] [--language sv|nb|da|en] [--base URL] [--date 2026-03-02]

Writes the rules of this site as FHIR R4: PlanDefinition, Library, ActivityDefinition, ValueSet and CodeSystem in one
transaction Bundle. --language is the language of the resources (the others are translations in them), --base the start of
their canonical addresses, --date their date. The same rules and options give the same bytes.
`;

const FORMATS = ['plan-definition'];

if (import.meta.main) await runCommand(USAGE, run);

function run(words: string[]): void {
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
  const { format, date, out } = values;
  if (format === undefined) throw new Error(`--format: needed, one of ${FORMATS.join(', ')}`);
  oneOf('--format', format, FORMATS);
  const language = oneOf('--language', values.language, languages);
  if (date !== undefined && (localDate(date, 'UTC') !== date || isPartial(date)))
    throw new Error(`--date: '${date}' is not a date such as 2026-03-02`);
  const { knowledge, problems } = loadKnowledge(readConfig({ KNOWLEDGE: process.env['KNOWLEDGE'] }).knowledge);
  if (!knowledge) throw new Error(problemsText(problems));
  const bundle = exportBundle({ knowledge, language, base: baseOf(values.base), date });
  const text = `${JSON.stringify(bundle, undefined, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  for (const what of leftOutOfOrders(knowledge.templates)) process.stderr.write(`left out: ${what}\n`);
}

function baseOf(text: string): string {
  const base = text.replace(/[/:]+$/, '');
  if (/^urn:[a-z0-9][a-z0-9-]+(:[^\s|#]+)*$/i.test(base) || (URL.canParse(base) && /^https?:\/\/[^\s|#?]+$/.test(base)))
    return base;
  throw new Error(`--base: '${text}' cannot begin a canonical address`);
}
