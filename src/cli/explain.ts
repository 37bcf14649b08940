import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Answer } from '../answer.ts';
import type { Draft, Drug, Treatment } from '../chart/chart.ts';
import { dateOfInstant, isPartial, localDate } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import { UnusableFhir } from '../fhir/versions.ts';
import { loadKnowledge } from '../knowledge/load.ts';
import { languages } from '../language.ts';
import { type RuleTrace, type TreatmentTrace, traceOf } from '../rules/trace.ts';
import { readText } from '../text.ts';
import { problemsText } from '../yaml.ts';
import { answerFile } from './bundles.ts';
import { oneOf, runCommand, section } from './words.ts';

const USAGE = `Usage: npm run explain -- FILE [--entries] [--now 2026-03-02] [--language sv|nb|da|en]

Prints for a CDS Hooks request (FILE, or - for standard input) what was read, what every rule and fact came to and on
which resources it rests, and the cards. --entries: also the entries of the record behind each treatment.
`;

/** The answer as tables for a reader. Pure. `entries`: with the entries of the record behind each treatment. */
export function explain(found: Answer, { entries = false }: { entries?: boolean } = {}): string {
  const { chart, results } = found;
  const trace = traceOf(chart, results);
  const conditions = chart.conditions.map(({ ref, lists, active }) => [
    ref,
    lists.join(', '),
    active ? 'active' : 'not active',
  ]);
  const record = Object.entries(chart.sections).map(([section, state]) => [section, state]);
  const leftOut = Map.groupBy(chart.leftOut, ({ what, why }) => `${what}, ${why}`);
  return [
    section('Record', [
      ['evaluation date', chart.today],
      ['age', chart.age ? [...new Set([chart.age.least, chart.age.most])].join(' or ') : 'not known'],
      ['setting', chart.setting ?? 'not known'],
      ...record,
    ]),
    section('Orders in a code list', chart.drafts.map(draftRow)),
    section('Treatments in a code list', chart.treatments.map(treatmentRow)),
    ...(entries ? (trace.treatments ?? []).map(entriesSection) : []),
    section('Unrecognised medicines', [
      ...chart.unread.drafts.map(({ ref, name }) => [ref, 'ordered', name ?? '']),
      ...chart.unread.treatments.map(({ ref, name }) => [ref, 'on the list', name ?? '']),
    ]),
    section('Problems in a code list', conditions),
    section(
      'Left out',
      [...leftOut].map(([what, { length }]) => [what, String(length)]),
    ),
    ...trace.rules.map(ruleSection),
    'missing' in found
      ? `No answer (412): ${found.missing.join(', ')} missing or incomplete.`
      : section(
          'Cards',
          found.cards.map((card) => [card.indicator, card.source.topic.code, card.summary]),
          'No card: nothing to warn about.',
        ),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

function draftRow(draft: Draft): string[] {
  const { ref, ordered, changed, start, stop, stopFrom, taper } = draft;
  return [
    ref,
    nameOf(draft),
    `by ${draft.identifiedBy}`,
    [ordered ? 'ordered' : 'beside', ...(changed ? ['changed order'] : []), ...(taper ? ['taper'] : [])].join(', '),
    start === undefined ? '' : `from ${start}`,
    stop === undefined ? 'no stop' : `to ${stop} (${stopFrom})`,
  ];
}

function treatmentRow(treatment: Treatment): string[] {
  const { ref, degree, start, onHold, fresh } = treatment;
  const { length: count } = treatment.entries();
  return [
    ref,
    nameOf(treatment),
    treatment.otherwise ? 'according to the record' : `by ${treatment.identifiedBy}`,
    [degree ?? 'over', ...(onHold ? ['on hold'] : []), ...(degree && !fresh ? ['none recently'] : [])].join(', '),
    start === undefined ? 'start not known' : `from ${start}`,
    endOf(treatment),
    `${count} ${count === 1 ? 'entry' : 'entries'}`,
  ];
}

/** A known end differs from the latest day on which a treatment may have ended. */
function endOf({ stop, endKnown }: Treatment): string {
  if (stop === undefined) return 'no end on record';
  return endKnown ? `to ${stop}` : `to ${stop} at the latest, no end on record`;
}

function nameOf({ substance, name }: Drug): string {
  return substance ?? name ?? '';
}

function entriesSection({ ref, substance, name, entries }: TreatmentTrace): string {
  const rows = entries.map((entry) => [
    entry.ref,
    entry.kind,
    entry.replaced ? 'replaced by a draft' : (entry.degree ?? 'over'),
    entry.start === undefined ? '' : `from ${entry.start}`,
    entry.stop === undefined ? '' : `to ${entry.stop} (${entry.stopFrom})`,
  ]);
  return section(`Entries behind ${substance ?? name ?? ref}`, rows);
}

function ruleSection(rule: RuleTrace): string {
  const rows = rule.facts.map(({ fact, role, outcome, resources, missing }) => [
    role === 'otherwise' ? '' : role,
    fact,
    outcome === 'holds' ? 'found' : outcome === 'does-not-hold' ? 'not found' : 'not known',
    [...(resources ?? []), ...(missing ?? []).map((part) => `(${part} missing)`)].join(', '),
  ]);
  return section(`${rule.recommendation} ${rule.rule}: ${rule.outcome}${whyOf(rule)}`, rows);
}

function whyOf({ outcome, off, by, missing, silent }: RuleTrace): string {
  if (outcome === 'silent') return by === undefined ? ', would give its card' : `, would join the card of ${by}`;
  const trial = silent ? ' (on trial)' : '';
  if (off) return ` by ${off}`;
  if (by !== undefined) return ` ${outcome === 'joins' ? 'the card of' : 'by'} ${by}${trial}`;
  return `${missing ? `: ${missing.join(', ')} missing` : ''}${trial}`;
}

if (import.meta.main) await runCommand(USAGE, run);

function run(words: string[]): void {
  const options = {
    entries: { type: 'boolean', default: false },
    now: { type: 'string' },
    language: { type: 'string', default: 'en' },
  } as const;
  const { positionals, values } = parseArgs({ args: words, allowPositionals: true, options });
  const [file] = positionals;
  if (file === undefined) throw new Error(USAGE);
  const language = oneOf('--language', values.language, languages);
  const { knowledge, problems } = loadKnowledge(fileURLToPath(new URL('../..', import.meta.url)));
  if (!knowledge) throw new Error(problemsText(problems));
  const { timeZone } = knowledge.site;
  const date = values.now ?? dateOfInstant(Date.now(), timeZone);
  if (localDate(date, timeZone) !== date || isPartial(date))
    throw new Error(`--now: '${date}' is not a date such as 2026-03-02`);
  const body: unknown = JSON.parse(readText(file === '-' ? 0 : file));
  try {
    const { answer } = answerFile(body, knowledge, language, date, values.now !== undefined);
    process.stdout.write(`${explain(answer, values)}\n`);
  } catch (error) {
    if (error instanceof ServiceError)
      throw new Error(`The service would answer ${error.code}: ${error.diagnostics.join('; ')}`);
    if (error instanceof UnusableFhir) throw new Error(`The service would refuse the call: ${error.message}`);
    throw error;
  }
}
