import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Section, sections } from '../fhir/prefetch.ts';
import { figuresOf } from '../forecast/figures.ts';
import { type InputFile, inputFiles } from '../forecast/input.ts';
import { type Damage, UnusableInput } from '../forecast/patients.ts';
import { regroup } from '../forecast/regroup.ts';
import { forecastPage } from '../forecast/report.ts';
import { type Forecast, type ForecastOptions, forecast, forgetState } from '../forecast/run.ts';
import { forecastTable } from '../forecast/table.ts';
import { loadPages, sayIn } from '../knowledge/pages.ts';
import { type Language, languages } from '../language.ts';
import type { Problem } from '../yaml.ts';
import { progressLine } from './progress.ts';
import { messageOf, problemsText, wholeNumber } from './words.ts';

const USAGE = `Usage: npm run forecast -- FOLDER_OR_FILE [options]

Replays patients' histories and reports how many cards the rules would have given. Reads bundles (.json, one patient
each) and NDJSON (.ndjson: a bundle a line, or resources of which those of a patient lie together), also .gz.

  --hooks LIST       patient-view,order-sign (both)
  --site FILE        another hospital's settings than hooks/site.yaml
  --against FILE     a second one: both side by side, with the difference
  --workers N        threads (all cores)
  --format NAME      table, json or html (table)
  --out FILE         where to write it; then an interrupted run goes on where it was (FILE.state)
  --language NAME    of the html report: sv, nb, da, en (en)
  --absent LIST      parts of the record that the input does not have, such as observations,procedures: rules that need
                     them are then not known, instead of finding nothing
  --regroup          first sort a copy by patient, as a Bulk Data export needs; the copy is removed at the end
`;

const HOOKS = ['patient-view', 'order-sign'];
const FORMATS = ['table', 'json', 'html'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Wish = Omit<ForecastOptions, 'files' | 'clock' | 'folder'> & {
  input: string;
  format: string;
  out: string | undefined;
  language: Language;
  regroup: boolean;
};

async function run(words: string[]): Promise<number> {
  let copy: string | undefined;
  try {
    const wish = readWords(words);
    if (wish === 'help') {
      process.stdout.write(USAGE);
      return 0;
    }
    // A word that the report lacks must not be found after an hour.
    const problems: Problem[] = [];
    const pages = loadPages(ROOT, problems);
    if (problems.length > 0) throw new Error(problemsText(problems));
    let files = inputFiles(wish.input);
    if (files.length === 0) throw new Error(`There is no .json or .ndjson file in ${wish.input}.`);
    const beforehand: Damage[] = [];
    if (wish.regroup) {
      copy = wish.out === undefined ? mkdtempSync(join(tmpdir(), 'forecast-')) : `${wish.out}.regrouped`;
      process.stderr.write(`Sorting a copy by patient in ${copy} ...\n`);
      const key = JSON.stringify(files.map(({ name, size, changed }) => [name, size, changed]));
      await regroup(files, copy, key, (damage) => beforehand.push(damage));
      files = inputFiles(copy);
    }
    const options = { ...wish, folder: ROOT, files, clock: () => performance.now() };
    const found = await replayed(options, files, beforehand);
    if (found.sites[0]?.tally.patients === 0 && found.failures.count === 0) {
      tellDamage(found);
      throw new Error(`There is no patient in ${wish.input}.`);
    }
    const text = written(found, wish, (language) => sayIn(pages['forecast'] ?? {}, language));
    if (wish.out === undefined) process.stdout.write(text);
    else writeFileSync(wish.out, text, { mode: 0o600 });
    forgetState(options);
    tellDamage(found);
    if (wish.out !== undefined) process.stderr.write(`Written: ${wish.out}\n`);
    if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof UnusableInput ? error.message : messageOf(error)}\n`);
    return 1;
  }
}

async function replayed(options: ForecastOptions, files: InputFile[], beforehand: Damage[]): Promise<Forecast> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const progress = progressLine(process.stderr, { unit: 'patients', clock: options.clock });
  const started = options.clock();
  try {
    const found = await forecast({
      ...options,
      // How many patients there are shows only at the end: as many as fit the part that is not read yet.
      progress: ({ patients, bytes }) =>
        progress.update(patients, bytes > 0 ? Math.round((patients * size) / bytes) : undefined),
    });
    const damage = {
      count: found.damage.count + beforehand.length,
      named: [...beforehand, ...found.damage.named].slice(0, 100),
    };
    progress.end();
    const seconds = (options.clock() - started) / 1000;
    const patients = (found.sites[0]?.tally.patients ?? 0) - found.resumed;
    const resumed = found.resumed > 0 ? `, ${found.resumed} were done by an earlier run` : '';
    process.stderr.write(
      `${patients} patients in ${seconds.toFixed(1)} s, ${(patients / seconds).toFixed(0)} a second, ${options.workers} thread${options.workers === 1 ? '' : 's'}${resumed}\n`,
    );
    return { ...found, damage };
  } finally {
    progress.end();
  }
}

function written(
  found: Forecast,
  { format, language }: Wish,
  say: (language: Language) => ReturnType<typeof sayIn>,
): string {
  const sites = found.sites.map((site) => ({ ...site, figures: figuresOf(site) }));
  if (format === 'html') return forecastPage(found, sites, language, say(language));
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
  'no-json': 'no valid JSON',
  'no-resource': 'no FHIR resource',
  'too-long': 'longer than 16 MB',
  'too-large': 'more than 16 MB of one patient',
  damaged: 'the file cannot be read to its end',
  'several-patients': 'a bundle of several patients',
  'no-patient': 'a bundle of no patient',
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

function readWords(words: string[]): Wish | 'help' {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      hooks: { type: 'string', default: HOOKS.join(',') },
      site: { type: 'string' },
      against: { type: 'string' },
      workers: { type: 'string' },
      format: { type: 'string', default: 'table' },
      out: { type: 'string' },
      language: { type: 'string', default: 'en' },
      absent: { type: 'string', default: '' },
      regroup: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [input, ...others] = positionals;
  if (input === undefined || others.length > 0) throw new Error(USAGE);
  if (values.out !== undefined && !existsSync(dirname(values.out)))
    throw new Error(`--out: there is no folder ${dirname(values.out)}`);
  const hooks = listOf('--hooks', values.hooks, HOOKS);
  const site = (path: string | undefined) =>
    path === undefined ? { name: 'hooks/site.yaml' } : { name: basename(path), path };
  return {
    input,
    replay: { hooks, absent: listOf('--absent', values.absent, sections) as Section[] },
    sites: [site(values.site), ...(values.against === undefined ? [] : [site(values.against)])],
    workers: values.workers === undefined ? availableParallelism() : wholeNumber('--workers', values.workers, 1, 256),
    format: oneOf('--format', values.format, FORMATS),
    language: oneOf('--language', values.language, languages),
    out: values.out,
    regroup: values.regroup,
    ...(values.out !== undefined && { state: `${values.out}.state` }),
  };
}

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${option}: '${value}' is none of ${known.join(', ')}`);
  return found;
}

function listOf(option: string, text: string, known: readonly string[]): string[] {
  return text === '' ? [] : text.split(',').map((word) => oneOf(option, word.trim(), known));
}

// Last: what runs here sees everything above.
if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
