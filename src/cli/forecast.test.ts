import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import type { Resource } from '../fhir/json.ts';
import { root } from '../testing/app.ts';
import { command, invented, ndjson, scratch } from '../testing/forecast.ts';
import { notR4 } from '../testing/r4.ts';

const files = scratch();
afterAll(files.remove);

const patients = invented(30);
const input = files.write('patients.ndjson', ndjson(patients));
const SITE = ['--site', 'test-bundles/forecast/site.yaml'];
const forecast = (...words: string[]) => command('forecast', ...SITE, ...words);

test('a run killed halfway resumes and gives the same figures as an uninterrupted one', async () => {
  const many = files.write('many.ndjson', ndjson(invented(160)));
  const out = files.path('killed.json');
  const words = [...SITE, many, '--format', 'json', '--workers', '1'];
  const started = spawn(process.execPath, ['src/cli/forecast.ts', ...words, '--out', out], {
    cwd: root,
    stdio: 'ignore',
  });
  const gone = new Promise((done) => started.once('exit', done));
  while (!existsSync(`${out}.state`) && started.exitCode === null) await wait(20);
  started.kill('SIGKILL');
  await gone;
  expect(existsSync(out)).toBe(false);
  const resumed = await command('forecast', ...words, '--out', out);
  expect(resumed.stderr).toMatch(/, [1-9]\d* were done by an earlier run/);
  expect(readFileSync(out, 'utf8')).toBe((await command('forecast', ...words)).stdout);
  expect(existsSync(`${out}.state`)).toBe(false);
}, 120_000);

/** A folder in the form of a Bulk Data export: one file per type, including types that no rule reads. */
function exported(name: string): string {
  const folder = files.path(name);
  mkdirSync(folder);
  const all = patients.flat();
  for (const type of new Set(all.map(({ resourceType }) => resourceType)))
    writeFileSync(`${folder}/${type}.ndjson`, ndjson([all.filter(({ resourceType }) => resourceType === type)]));
  return folder;
}

test('a Bulk Data export is accepted as it is: a copy is sorted, and the figures are those of the patients', async () => {
  const folder = exported('export');
  const orders = patients.flat().filter(({ resourceType }) => resourceType === 'MedicationRequest');
  const [medicine] = orders;
  // One order refers to a medicine in its own file.
  const pointing = {
    ...medicine,
    medicationCodeableConcept: undefined,
    medicationReference: { reference: 'Medication/shared' },
  };
  const shared = { resourceType: 'Medication', id: 'shared', code: medicine?.['medicationCodeableConcept'] };
  writeFileSync(`${folder}/MedicationRequest.ndjson`, ndjson([orders.with(0, pointing as Resource)]));
  writeFileSync(`${folder}/Medication.ndjson`, `no JSON\n${JSON.stringify(shared)}\n`);
  const out = files.path('sorted.json');
  const sorted = await forecast(folder, '--format', 'json', '--out', out);
  expect(sorted.stderr).toContain(`sorting a copy in ${out}.sorted`);
  expect(sorted.stderr).toContain('Medication.ndjson:1: not valid JSON');
  expect([existsSync(`${out}.sorted`), existsSync(`${out}.state`)]).toEqual([false, false]);
  const straight = await forecast(input, '--format', 'json');
  expect(straight.stderr).not.toContain('sorted');
  const [ofExport, whole] = [readFileSync(out, 'utf8'), straight.stdout].map((text) => JSON.parse(text).sites[0]);
  expect(ofExport.figures).toEqual(whole.figures);
  expect(ofExport.tally.resources).toEqual({ ...whole.tally.resources, Medication: 1 });
}, 120_000);

test('shards of an export, one of them killed and restarted, merge to the same bytes as a single run', async () => {
  const folder = exported('shards');
  writeFileSync(`${folder}/Observation.ndjson`, 'no JSON\n', { flag: 'a' });
  const one = await forecast(folder, '--format', 'json', '--workers', '1');
  const shards = [1, 2, 3].map((index) => files.path(`shard-${index}.json`));
  const words = (at: number) => ['--shard', `${at + 1}/3`, '--workers', '1', '--out', shards[at] as string];
  const killed = spawn(process.execPath, ['src/cli/forecast.ts', ...SITE, folder, ...words(1)], {
    cwd: root,
    stdio: 'ignore',
  });
  const gone = new Promise((done) => killed.once('exit', done));
  while (!existsSync(`${shards[1]}.sorted`) && killed.exitCode === null) await wait(5);
  killed.kill('SIGKILL');
  await gone;
  const said = await Promise.all(shards.map((_, at) => forecast(folder, ...words(at))));
  expect(said.map(({ code, stdout }) => [code, stdout])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ]);
  // What every shard encounters is reported by one.
  expect(said.map(({ stderr }) => stderr.includes('not valid JSON'))).toEqual([true, false, false]);
  const merged = await command('forecast', 'merge', ...shards.toReversed(), '--format', 'json');
  expect(merged.stdout).toBe(one.stdout);
  const missing = await command('forecast', 'merge', ...shards.slice(1));
  expect([missing.code, missing.stdout]).toEqual([1, '']);
  expect(missing.stderr).toContain('Of 3 shards these are missing: 1.');
}, 120_000);

test('the table shows each rule that spoke, and two sites with their difference', async () => {
  const one = await forecast(input);
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(/^rule +cards +per 100 orders/m);
  expect(one.stdout).toMatch(/^opioid-stop-date +\d+ +[\d.]+ +- /m);
  const other = files.write('other.yaml', 'off: [opioid-stop-date]\n');
  const two = await forecast(input, '--against', other);
  expect(two.stdout).toMatch(/^cards per 100 orders signed +site.yaml +other.yaml +difference$/m);
  expect(two.stdout).toMatch(/^opioid-stop-date +[\d.]+ +0 +-[\d.]+$/m);
}, 120_000);

test('no patient id and no patient name reaches the report or the terminal', async () => {
  const { stdout, stderr } = await forecast(input, '--format', 'json');
  expect(stdout + stderr).not.toMatch(/synthetic-7|Synthetic Patient/);
}, 60_000);

test.each([
  ['no input', [], 'Usage: npm run forecast'],
  ['two inputs', ['a', 'b'], 'Usage: npm run forecast'],
  ['an unknown option', ['x', '--hook', 'order-sign'], "Unknown option '--hook'"],
  [
    'a hook that cannot be replayed',
    ['x', '--hooks', 'order-select'],
    "--hooks: 'order-select' is not one of patient-view, order-sign",
  ],
  ['an unknown format', ['x', '--format', 'pdf'], "--format: 'pdf' is not one of table, json, html"],
  ['an unknown language', ['x', '--language', 'fi'], "--language: 'fi' is not one of sv, nb, da, en"],
  ['an unknown part', ['x', '--absent', 'labs'], "--absent: 'labs' is not one of"],
  ['a missing output folder', ['x', '--out', '/nowhere/x.html'], '--out: there is no folder /nowhere'],
  ['an invalid shard', ['x', '--shard', '4/3', '--out', 'y'], "--shard: '4/3' is not one of 1/N to N/N"],
  ['a shard without an output file', ['x', '--shard', '1/3'], '--shard: --out is required'],
  [
    'a shard as a page',
    ['x', '--shard', '1/3', '--out', 'y', '--format', 'html'],
    '--format and --language are for merge',
  ],
  ['no files to merge', ['merge'], 'Usage: npm run forecast'],
  ['a file that is not a shard', ['merge', 'package.json'], 'package.json: not a shard of a forecast'],
  ['an invalid number of threads', ['x', '--workers', '0'], "--workers: '0' is not a whole number from 1 to 256"],
  ['a missing file', ['/nowhere/x.ndjson'], 'There is no file /nowhere/x.ndjson.'],
  [
    'a missing site file',
    ['test-bundles/forecast', '--site', 'nowhere.yaml'],
    'nowhere.yaml:1: the file cannot be read',
  ],
])(
  '%s gives a clear error',
  async (_what, words, message) => {
    const { code, stdout, stderr } = await command('forecast', ...(words as string[]));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  },
  60_000,
);

test.each([
  ['an empty file', ''],
  ['a file without patients', '{"resourceType":"Practitioner","id":"x"}\n'],
])(
  '%s is reported, and no report is written',
  async (_what, content) => {
    const out = files.path('none.html');
    const { code, stderr } = await forecast(files.write('none.ndjson', content), '--format', 'html', '--out', out);
    expect([code, existsSync(out)]).toEqual([1, false]);
    expect(stderr).toContain('There is no patient in');
  },
  60_000,
);

test('an empty folder is reported', async () => {
  mkdirSync(files.path('empty'));
  const { code, stderr } = await forecast(files.path('empty'));
  expect(code).toBe(1);
  expect(stderr).toContain('There is no .json or .ndjson file in');
});

test('the population depends only on the seed, is labelled, and is valid FHIR R4', async () => {
  const [a, b, c] = [files.path('a.ndjson'), files.path('b.ndjson'), files.path('c.ndjson')];
  for (const [out, seed] of [
    [a, '3'],
    [b, '3'],
    [c, '4'],
  ] as const)
    expect((await command('population', '--patients', '40', '--seed', seed, '--out', out)).code).toBe(0);
  expect(readFileSync(a, 'utf8')).toBe(readFileSync(b, 'utf8'));
  expect(readFileSync(a, 'utf8')).not.toBe(readFileSync(c, 'utf8'));
  const resources = readFileSync(a, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(resources.flatMap(notR4)).toEqual([]);
  expect(resources.filter(({ meta }) => meta.security[0].code !== 'HTEST')).toEqual([]);
}, 60_000);

test('the population gives the same figures as a folder of bundles and as one file', async () => {
  const folder = files.path('folder');
  await command('population', '--patients', '30', '--seed', '7', '--out', folder);
  const [bundles, straight] = await Promise.all([
    forecast(folder, '--hooks', 'order-sign'),
    forecast(input, '--hooks', 'order-sign'),
  ]);
  expect(bundles.stdout).toBe(straight.stdout);
}, 60_000);

test.each([
  ['an invalid number of patients', ['--patients', 'many'], "--patients: 'many' is not a whole number"],
  ['an unknown option', ['--size', '3'], "Unknown option '--size'"],
  ['an unknown profile', ['--profile', 'nowhere.yaml'], 'nowhere.yaml:1: the file cannot be read'],
])('population: %s gives a clear error', async (_what, words, message) => {
  const { code, stderr } = await command('population', '--out', files.path('never.ndjson'), ...words);
  expect(code).toBe(1);
  expect(stderr).toContain(message);
});
