import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Section, sections } from '../fhir/prefetch.ts';
import { figuresOf } from '../forecast/figures.ts';
import { inputFiles } from '../forecast/input.ts';
import { forecastPage } from '../forecast/report.ts';
import { type Forecast, type ForecastOptions, forecast, forget } from '../forecast/run.ts';
import { mergeShards, shardText } from '../forecast/shards.ts';
import { EVERYBODY, type Share } from '../forecast/share.ts';
import { writeWhole } from '../forecast/state.ts';
import { forecastTable } from '../forecast/table.ts';
import type { Damage } from '../forecast/values.ts';
import { loadPages, translator } from '../knowledge/pages.ts';
import { type Language, languages } from '../language.ts';
import { type Problem, problemsText } from '../yaml.ts';
import { progressLine } from './progress.ts';
import { oneOf, runCommand, wholeNumber } from './words.ts';

const USAGE = `Usage: npm run forecast -- FOLDER_OR_FILE [options]
       npm run forecast -- FOLDER_OR_FILE --shard I/N --out SHARD [options]
       npm run forecast -- merge SHARD... [--format NAME] [--language NAME] [--out FILE]

Replays patients' histories and reports how many cards the rules would have given. Reads bundles (.json, one patient
each) and NDJSON (.ndjson: a bundle or a resource a line), also .gz. A Bulk Data export is taken as it comes: where the
resources of a patient do not lie together, a copy is sorted first and removed at the end.

  --hooks LIST       patient-view,order-sign (both)
  --site FILE        another hospital's settings than hooks/site.yaml
  --against FILE     a second one: both side by side, with the difference
  --workers N        threads (all cores)
  --format NAME      table, json or html (table)
  --out FILE         where to write it; then an interrupted run goes on where it was (FILE.state)
  --language NAME    of the html report: sv, nb, da, en (en)
  --absent LIST      parts of the record that the input does not have, such as observations,procedures: rules that need
                     them are then not known, instead of finding nothing
  --shard I/N        only the patients of one of N shards; merge makes the report of all
`;

const HOOKS = ['patient-view', 'order-sign'];
const FORMATS = ['table', 'json', 'html'];
/** Maximum number of shards. */
const SHARDS = 10_000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Pages = ReturnType<typeof loadPages>;
/** Format, destination and language of the report. */
type Look = { format: string; out: string | undefined; language: Language };
type Wish = Look &
  Pick<ForecastOptions, 'replay' | 'sites' | 'workers' | 'state'> & { input: string; shard: Share | undefined };

async function run(words: string[]): Promise<void> {
  if (words[0] === 'merge') return merge(words.slice(1));
  const settings = readWords(words);
  const pages = readPages();
  const files = inputFiles(settings.input);
  if (files.length === 0) throw new Error(`There is no .json or .ndjson file in ${settings.input}.`);
  const { out, shard } = settings;
  const copy = out === undefined ? mkdtempSync(join(tmpdir(), 'forecast-')) : `${out}.sorted`;
  const share = shard ?? EVERYBODY;
  const options = { ...settings, folder: ROOT, files, share, copy, clock: () => performance.now() };
  try {
    const found = await replayed(options);
    tellDamage(found);
    // With few patients a shard may have none.
    const noPatients = shard === undefined && isEmpty(found);
    if (shard !== undefined) writeWhole(out as string, shardText(found, shard));
    else if (!noPatients) write(found, settings, pages);
    forget(options);
    if (noPatients) throw new Error(`There is no patient in ${settings.input}.`);
  } finally {
    // The state of an interrupted run is kept only beside its report.
    if (out === undefined) forget({ copy });
  }
  if (out !== undefined) process.stderr.write(`Written: ${out}\n`);
}

/** The report of all shards. */
function merge(words: string[]): void {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { format: LOOKS.format, language: LOOKS.language, out: LOOKS.out },
  });
  if (positionals.length === 0) throw new Error(USAGE);
  const look = lookOf(values);
  const pages = readPages();
  const found = mergeShards(positionals.map((name) => ({ name, text: readFileSync(name, 'utf8') })));
  if (isEmpty(found)) throw new Error('There is no patient in these shards.');
  write(found, look, pages);
  tellDamage(found);
  if (look.out !== undefined) process.stderr.write(`Written: ${look.out}\n`);
}

function isEmpty({ sites, failures }: Forecast): boolean {
  return sites[0]?.tally.patients === 0 && failures.count === 0;
}

/** The page's texts. Read at the start, so that a missing one is not found only after an hour. */
function readPages(): Pages {
  const problems: Problem[] = [];
  const pages = loadPages(ROOT, problems);
  if (problems.length > 0) throw new Error(problemsText(problems));
  return pages;
}

async function replayed(options: ForecastOptions & Pick<Wish, 'shard'>): Promise<Forecast> {
  const { files, shard, copy, clock, workers } = options;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const name = shard && `Shard ${shard.index}/${shard.count}`;
  const lineOf = (unit: string) => progressLine(process.stderr, { unit, clock, ...(name !== undefined && { name }) });
  const said = name === undefined ? '' : `${name}: `;
  let progress = lineOf('patients');
  let sorting = false;
  const started = clock();
  const MB = 1e6;
  try {
    const found = await forecast({
      ...options,
      progress: (done) => {
        if ('sorted' in done !== sorting) {
          sorting = !sorting;
          progress.end();
          if (sorting)
            process.stderr.write(
              `${said}The resources of each patient do not lie together: sorting a copy in ${copy}\n`,
            );
          progress = lineOf(sorting ? 'MB sorted' : 'patients');
        }
        if ('sorted' in done) progress.update(Math.round(done.sorted / MB), Math.round(size / MB));
        // The number of patients is known only at the end, so estimate it from the part read so far.
        else
          progress.update(done.patients, done.bytes > 0 ? Math.round((done.patients * size) / done.bytes) : undefined);
      },
    });
    progress.end();
    const seconds = (clock() - started) / 1000;
    const patients = (found.sites[0]?.tally.patients ?? 0) - found.resumed;
    const resumed = found.resumed > 0 ? `, ${found.resumed} were done by an earlier run` : '';
    process.stderr.write(
      `${said}${patients} patients in ${seconds.toFixed(1)} s, ${(patients / seconds).toFixed(0)} a second, ${workers} thread${workers === 1 ? '' : 's'}${resumed}\n`,
    );
    return found;
  } finally {
    progress.end();
  }
}

function write(found: Forecast, look: Look, pages: Pages): void {
  const text = written(found, look, pages);
  if (look.out === undefined) process.stdout.write(text);
  else writeFileSync(look.out, text, { mode: 0o600 });
}

function written(found: Forecast, { format, language }: Look, pages: Pages): string {
  const sites = found.sites.map((site) => ({ ...site, figures: figuresOf(site) }));
  if (format === 'html') return forecastPage(found, sites, language, translator(pages['forecast'] ?? {}, language));
  if (format === 'table') return forecastTable(sites);
  const { damage, failures, files, replay } = found;
  const of = sites.map(({ name, fingerprint, figures, tally }) => ({
    name,
    knowledge: fingerprint,
    figures,
    tally,
  }));
  return `${JSON.stringify({ version: 1, ...replay, files, damage, failures, sites: of }, null, 2)}\n`;
}

const WHY: Record<Damage['why'], string> = {
  'no-json': 'not valid JSON',
  'no-resource': 'not a FHIR resource',
  'too-long': 'longer than 32 MB',
  'too-large': 'more than 32 MB for one patient',
  damaged: 'the file cannot be read to the end',
  'several-patients': 'a bundle with several patients',
  'no-patient': 'a bundle without a patient',
  medicines: 'more than 64 MB of medicines that belong to no patient',
};

function tellDamage({ damage, failures }: Forecast): void {
  const shown = 20;
  const lines = damage.named.map(({ file, line, why }) => `${file}${line > 0 ? `:${line}` : ''}: ${WHY[why]}`);
  const patients = failures.named.map(
    ({ file, line, error }) => `${file}:${line}: this patient could not be replayed (${error})`,
  );
  const all = [...lines, ...patients];
  if (all.length === 0) return;
  const count = damage.count + failures.count;
  const more = count > shown ? [`... ${count} in all`] : [];
  process.stderr.write(`Left out:\n${[...all.slice(0, shown), ...more].map((line) => `  ${line}\n`).join('')}`);
}

const LOOKS = {
  format: { type: 'string' },
  language: { type: 'string' },
  out: { type: 'string' },
} as const;

function readWords(words: string[]): Wish {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      hooks: { type: 'string', default: HOOKS.join(',') },
      site: { type: 'string' },
      against: { type: 'string' },
      workers: { type: 'string' },
      absent: { type: 'string', default: '' },
      shard: { type: 'string' },
      ...LOOKS,
    },
  });
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0) throw new Error(USAGE);
  const look = lookOf(values);
  const shard = values.shard === undefined ? undefined : shardOf(values.shard);
  if (shard) {
    if (values.format !== undefined || values.language !== undefined)
      throw new Error('--shard: --format and --language are for merge, which makes the report.');
    if (values.out === undefined)
      throw new Error('--shard: --out is required, and names the file for the sums of the shard.');
  }
  const hooks = listOf('--hooks', values.hooks, HOOKS);
  const site = (path: string | undefined) =>
    path === undefined ? { name: 'hooks/site.yaml' } : { name: basename(path), path };
  return {
    ...look,
    input,
    shard,
    replay: { hooks, absent: listOf('--absent', values.absent, sections) as Section[] },
    sites: [site(values.site), ...(values.against === undefined ? [] : [site(values.against)])],
    workers: values.workers === undefined ? availableParallelism() : wholeNumber('--workers', values.workers, 1, 256),
    ...(values.out !== undefined && { state: `${values.out}.state` }),
  };
}

function lookOf({ format = 'table', language = 'en', out }: { [option in keyof typeof LOOKS]?: string }): Look {
  if (out !== undefined && !existsSync(dirname(out))) throw new Error(`--out: there is no folder ${dirname(out)}`);
  return {
    format: oneOf('--format', format, FORMATS),
    language: oneOf('--language', language, languages),
    out,
  };
}

/** `3/7`: the third of seven. */
function shardOf(text: string): Share {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (index === undefined || count === undefined || count < 1 || count > SHARDS || index < 1 || index > count)
    throw new Error(`--shard: '${text}' is not one of 1/N to N/N, with N up to ${SHARDS}`);
  return { index, count };
}

function listOf(option: string, text: string, known: readonly string[]): string[] {
  return text === '' ? [] : text.split(',').map((word) => oneOf(option, word.trim(), known));
}

// Last, because this code uses everything above.
if (import.meta.main) await runCommand(USAGE, run);
