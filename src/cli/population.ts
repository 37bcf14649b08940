import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import type { Resource } from '../fhir/json.ts';
import { inventPatient } from '../forecast/population.ts';
import { type Population, populationSchema } from '../forecast/population-schema.ts';
import { type Problem, problemsText, readYaml } from '../yaml.ts';
import { progressLine } from './progress.ts';
import { runCommand, wholeNumber } from './words.ts';

const USAGE = `Usage: npm run population -- [--patients 1000] [--seed 7] [--out FOLDER|FILE.ndjson|FILE.ndjson.gz] [--profile FILE]

Writes invented patients with years of history, for demonstrations and tests of the forecast. No such person exists: every
resource is labelled (meta.security HTEST). The same seed gives the same patients.

  --patients  how many (1000)
  --seed      which ones (7)
  --out       a file ending in .ndjson or .ndjson.gz: a resource a line, patient after patient; else a folder: a bundle
              for each patient (population.ndjson)
  --profile   what they have and are given, and how often (test-bundles/population.yaml)
`;

async function run(words: string[]): Promise<void> {
  const options = {
    patients: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '7' },
    out: { type: 'string', default: 'population.ndjson' },
    profile: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: words, options });
  const patients = wholeNumber('--patients', values.patients, 1, 10_000_000);
  const seed = wholeNumber('--seed', values.seed, 0, 2 ** 31);
  const profile = values.profile ?? fileURLToPath(new URL('../../test-bundles/population.yaml', import.meta.url));
  const problems: Problem[] = [];
  const population = readYaml(profile, values.profile ?? 'test-bundles/population.yaml', populationSchema, problems);
  if (!population) throw new Error(problemsText(problems));
  const resources = await invent(population.data, patients, seed, values.out);
  process.stdout.write(
    `${patients} synthetic patients, ${resources} resources, seed ${seed}: ${values.out}\nNo such person exists; every resource is labelled HTEST.\n`,
  );
}

async function invent(population: Population, patients: number, seed: number, out: string): Promise<number> {
  const progress = progressLine(process.stderr, { unit: 'patients', clock: () => performance.now() });
  let resources = 0;
  function* records() {
    for (let number = 1; number <= patients; number++) {
      const record = inventPatient(population, seed, number);
      resources += record.length;
      yield record;
      progress.update(number, patients);
    }
  }
  if (/\.ndjson(\.gz)?$/.test(out)) await writeLines(records(), out);
  else writeBundles(records(), out, String(patients).length);
  progress.end();
  return resources;
}

async function writeLines(records: Iterable<Resource[]>, file: string): Promise<void> {
  function* texts() {
    for (const record of records) yield record.map((resource) => `${JSON.stringify(resource)}\n`).join('');
  }
  const packers = file.endsWith('.gz') ? [createGzip()] : [];
  await pipeline([Readable.from(texts()), ...packers, createWriteStream(file)]);
}

function writeBundles(records: Iterable<Resource[]>, folder: string, digits: number): void {
  mkdirSync(folder, { recursive: true });
  let number = 0;
  for (const record of records) {
    number++;
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: record.map((resource) => ({ resource })) };
    writeFileSync(join(folder, `patient-${String(number).padStart(digits, '0')}.json`), JSON.stringify(bundle));
  }
}

if (import.meta.main) await runCommand(USAGE, run);
