import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Answer } from '../answer.ts';
import { dateOfInstant, isPartial, localDate } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import { UnusableFhir } from '../fhir/versions.ts';
import { loadKnowledge } from '../knowledge/load.ts';
import { type Language, languages } from '../language.ts';
import { type RuleTrace, traceOf } from '../rules/trace.ts';
import { readText } from '../text.ts';
import { answerFile } from './bundles.ts';
import { messageOf, problemsText, section } from './words.ts';

const USAGE = `Usage: npm run explain -- FILE [--now 2026-03-02] [--language sv|nb|da|en]

Prints for a CDS Hooks request (FILE, or - for standard input) what was read, what every rule and fact came to and on
which resources it rests, and the cards.
`;

/** The answer as tables for a reader. Pure. */
export function explain(found: Answer): string {
  const { chart, results } = found;
  const trace = traceOf(chart, results);
  const medications = [...chart.drafts, ...chart.medications].map((medication) => [
    medication.ref,
    medication.substance ?? medication.name ?? '',
    `by ${medication.identifiedBy}`,
    medication.ordered
      ? 'ordered'
      : medication.draft
        ? 'draft'
        : medication.current === undefined
          ? 'not known'
          : medication.current
            ? 'current'
            : 'ended',
    [medication.start ?? '', medication.stop ?? ''].join(' to '),
    medication.stopFrom ? `stop from ${medication.stopFrom}` : '',
  ]);
  const conditions = chart.conditions.map(({ ref, lists, active }) => [
    ref,
    lists.join(', '),
    active ? 'active' : 'not active',
  ]);
  const record = Object.entries(chart.sections).map(([section, state]) => [section, state]);
  const leftOut = new Map<string, number>();
  for (const { what, why } of chart.leftOut) leftOut.set(`${what}, ${why}`, (leftOut.get(`${what}, ${why}`) ?? 0) + 1);
  return [
    section('Record', [
      ['evaluation date', chart.today],
      ['age', chart.age ? [...new Set([chart.age.least, chart.age.most])].join(' or ') : 'not known'],
      ['setting', chart.setting ?? 'not known'],
      ...record,
    ]),
    section('Medicines in a code list', medications),
    section('Problems in a code list', conditions),
    section(
      'Left out',
      [...leftOut].map(([what, count]) => [what, String(count)]),
    ),
    ...trace.rules.map(ruleSection),
    'missing' in found
      ? `No answer (412): ${found.missing.join(', ')} missing or not whole.`
      : section(
          'Cards',
          found.cards.map((card) => [card.indicator, card.source.topic.code, card.summary]),
          'No card: nothing to warn about.',
        ),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

function ruleSection(rule: RuleTrace): string {
  const why = rule.off
    ? ` by ${rule.off}`
    : rule.by
      ? ` ${rule.outcome === 'joins' ? 'the card of' : 'by'} ${rule.by}`
      : rule.missing
        ? `: ${rule.missing.join(', ')} missing`
        : '';
  const rows = rule.facts.map(({ fact, role, outcome, resources, missing }) => [
    role === 'otherwise' ? '' : role,
    fact,
    outcome === 'holds' ? 'found' : outcome === 'does-not-hold' ? 'not found' : 'not known',
    [...(resources ?? []), ...(missing ?? []).map((part) => `(${part} missing)`)].join(', '),
  ]);
  return section(`${rule.recommendation} ${rule.rule}: ${rule.outcome}${why}`, rows);
}

if (import.meta.main) process.exitCode = run(process.argv.slice(2));

function run(words: string[]): number {
  try {
    const options = { now: { type: 'string' }, language: { type: 'string', default: 'en' } } as const;
    const { positionals, values } = parseArgs({ args: words, allowPositionals: true, options });
    const [file] = positionals;
    if (file === undefined || !isLanguage(values.language)) throw new Error(USAGE);
    const { knowledge, problems } = loadKnowledge(fileURLToPath(new URL('../..', import.meta.url)));
    if (!knowledge) throw new Error(problemsText(problems));
    const { timeZone } = knowledge.site;
    const date = values.now ?? dateOfInstant(Date.now(), timeZone);
    if (localDate(date, timeZone) !== date || isPartial(date))
      throw new Error(`--now: '${date}' is no date such as 2026-03-02`);
    const body: unknown = JSON.parse(readText(file === '-' ? 0 : file));
    const { answer } = answerFile(body, knowledge, values.language, date, values.now !== undefined);
    process.stdout.write(`${explain(answer)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${refusal(error)}\n`);
    return 1;
  }
}

function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text);
}

function refusal(error: unknown): string {
  if (error instanceof ServiceError) return `The service would answer ${error.code}: ${error.diagnostics.join('; ')}`;
  if (error instanceof UnusableFhir) return `The service would refuse the FHIR version: ${error.seen}`;
  return messageOf(error);
}
