import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { dateOfInstant, isPartial, localDate, plusDays, plusMonths } from '../dates.ts';
import { openDatabase, type Place } from '../journal/database.ts';
import { type Asked, count } from '../journal/figures.ts';
import { type Outcome, onTrial, type Summary, shownRules, summarise } from '../journal/summary.ts';
import { loadKnowledge } from '../knowledge/load.ts';
import { loadPages, translator } from '../knowledge/pages.ts';
import { languages } from '../language.ts';
import type { Site } from '../rules/schema.ts';
import { problemsText } from '../yaml.ts';
import { reasonIn, reportPage } from './report-page.ts';
import { oneOf, runCommand, section } from './words.ts';

const USAGE = `Usage: npm run report [-- --since 30d] [--format table|json|html] [--language sv|nb|da|en] [--client NAME] [--tenant NAME] [--out FILE]

How often each card was shown and what prescribers did with it, from the journal of DATA_DIR or DATABASE_URL.
--since is 30d, 12w, 6m, 2y or a day such as 2026-03-02. Rules above the site's override limit come first. Rules on trial
stand beside it with the cards that they would have given.
`;

const TRIAL = ['', 'shown', 'in 100 calls', 'calls on trial', 'would have been shown', 'in 100 calls on trial'];
const UNKNOWN = [
  'The service does not know what prescribers ordered where a card on trial was not shown, nor whether they would have',
  'followed it. A card on trial may replace one that was shown, so the two do not simply add up.',
].join('\n');

const FORMATS = ['table', 'json', 'html'];

if (import.meta.main) await runCommand(USAGE, run);

async function run(words: string[]): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: {
      since: { type: 'string', default: '30d' },
      format: { type: 'string', default: 'table' },
      language: { type: 'string', default: 'en' },
      client: { type: 'string' },
      tenant: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const { client, tenant } = values;
  const format = oneOf('--format', values.format, FORMATS);
  const language = oneOf('--language', values.language, languages);
  const config = readConfig(process.env);
  const { knowledge, problems } = loadKnowledge(config.knowledge);
  const pages = loadPages(fileURLToPath(new URL('../..', import.meta.url)), problems);
  if (!knowledge || problems.length > 0) throw new Error(problemsText(problems));
  const until = dateOfInstant(Date.now(), knowledge.site.timeZone);
  const since = dayOf(values.since, until, knowledge.site.timeZone);
  const summary = await summaryOf(config.journal, { since, client, tenant }, until, knowledge.site);
  const whose = [client, tenant].filter((name) => name !== undefined).join(', ');
  const options = {
    knowledge,
    client: whose === '' ? undefined : whose,
    language,
    translate: translator(pages['report'] ?? {}, language),
  };
  const text =
    format === 'json'
      ? `${JSON.stringify(summary, undefined, 2)}\n`
      : format === 'html'
        ? reportPage(summary, options)
        : `${asTable(summary, (reason) => reasonIn(reason, { ...options, language: 'en' }))}\n`;
  if (values.out === undefined) process.stdout.write(text);
  else writeFileSync(values.out, text);
}

async function summaryOf(
  place: Place | undefined,
  asked: Asked,
  until: string,
  { journal, silent }: Pick<Site, 'journal' | 'silent'>,
): Promise<Summary> {
  if (!place) throw new Error('JOURNAL=off: there is no journal to report on');
  if ('folder' in place && !existsSync(join(place.folder, 'journal.sqlite')))
    throw new Error(
      `There is no journal in ${place.folder}: name its folder with DATA_DIR, or its database with DATABASE_URL`,
    );
  const database = openDatabase(place);
  try {
    const counts = await count(database, asked);
    return summarise(counts, asked.since, until, journal.overrideLimit / 100, silent.chartReview);
  } finally {
    await database.destroy();
  }
}

/** The first day of a span such as 30d, or a given day. */
function dayOf(text: string, today: string, timeZone: string): string {
  const [, amount, unit] = /^(\d{1,4})([dwmy])$/.exec(text) ?? [];
  if (amount !== undefined) {
    const many = Number(amount);
    if (unit === 'd' || unit === 'w') return plusDays(today, -many * (unit === 'w' ? 7 : 1));
    return plusMonths(today, -many * (unit === 'y' ? 12 : 1));
  }
  const day = localDate(text, timeZone);
  if (day !== text || isPartial(day) || day > today)
    throw new Error(`--since: '${text}' is neither a span such as 30d, 12w, 6m or 2y nor a date up to today`);
  return day;
}

function asTable(summary: Summary, reason: (item: Summary['rules'][number]['reasons'][number]) => string): string {
  const { since, until, calls, rules, review, strays } = summary;
  const percent = (share: number | undefined) => (share === undefined ? '–' : `${Math.round(100 * share)} %`);
  const head = ['', 'shown', 'in 100 calls', 'accepted', 'overridden', 'rate', 'no feedback', 'quiet', 'repeats'];
  const row = (name: string, item: Summary['rules'][number]['hooks'][number] | Summary['rules'][number]) => [
    name,
    String(item.shown),
    item.per100 === undefined ? '–' : item.per100.toFixed(1),
    String(item.accepted),
    String(item.overridden),
    percent(item.overrideRate),
    String(item.withoutFeedback),
    String(item.quiet),
    String(item.repeats),
  ];
  const rows = shownRules(summary).flatMap((rule) => [
    row(`${rule.aboveLimit ? '! ' : '  '}${rule.rule}`, rule),
    ...rule.hooks.map((at) => row(`    ${at.hook}`, at)),
  ]);
  const rate = (per100: number | undefined) => per100?.toFixed(1) ?? '–';
  const trialRow = (name: string, item: Outcome) => [
    name,
    String(item.shown),
    rate(item.per100),
    String(item.trial),
    String(item.silent),
    rate(item.silentPer100),
  ];
  const { withCards, without } = onTrial(summary);
  const trial = withCards.flatMap((rule) => [
    trialRow(rule.rule, rule),
    ...rule.hooks.filter(() => rule.hooks.length > 1).map((at) => trialRow(`  ${at.hook}`, at)),
  ]);
  return [
    section(
      `Calls, ${since} to ${until}`,
      calls.map(({ hook, answered, refused }) => [hook, `${answered} answered`, `${refused} refused (data missing)`]),
      `No call from ${since} to ${until}.`,
    ),
    section('Cards (! above the override limit)', rows.length > 0 ? [head, ...rows] : [], 'No card was shown.'),
    section('On trial: these cards were not shown', trial.length > 0 ? [TRIAL, ...trial] : []),
    without.length > 0 ? `On trial and without any card: ${without.join(', ')}.` : '',
    trial.length > 0 ? UNKNOWN : '',
    section(
      'Charts to read (first day, keyed hash of the patient)',
      review.map((item) => [item.rule, item.day, item.patient]),
    ),
    section(
      'Overridden because',
      rules.flatMap((rule) => rule.reasons.map((item) => [rule.rule, String(item.cards), reason(item)])),
    ),
    section(
      'Accepted',
      rules.flatMap((rule) => rule.offers.map(({ offer, times }) => [rule.rule, String(times), offer])),
    ),
    strays > 0
      ? `${strays} ${strays === 1 ? 'item of feedback is about a card' : 'items of feedback are about cards'} that the journal does not have.`
      : '',
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}
