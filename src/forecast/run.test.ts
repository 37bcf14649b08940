import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { forecastOf, invented, ndjson, scratch } from '../testing/forecast.ts';
import type { ForecastOptions } from './run.ts';

const files = scratch();
afterAll(files.remove);

const patients = invented(12);
const lines = ndjson(patients);
const bundle = (entries: unknown[]) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: entries.map((resource) => ({ resource })),
});
const tallyOf = async (input: string, more?: Partial<ForecastOptions>) =>
  (await forecastOf(input, more)).sites.map(({ tally }) => tally);

let number = 0;
const fileOf = (content: string | Buffer, ending = 'ndjson') => files.write(`${++number}.${ending}`, content);
const whole = tallyOf(fileOf(lines));

test('the totals are the same whatever the number of threads, the parts and the order of the patients', async () => {
  expect((await whole)[0]?.patients).toBe(12);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      fc.shuffledSubarray(patients, { minLength: patients.length }),
      async (workers, size, shuffled) => {
        const chunk = { bytes: 1e6, patients: size };
        expect(await tallyOf(fileOf(ndjson(shuffled)), { workers, chunk })).toEqual(await whole);
      },
    ),
    { numRuns: 3 },
  );
}, 60_000);

test('a resource a line, a bundle a line, a bundle a file and gzip give the same totals', async () => {
  const bundles = patients.map((resources) => JSON.stringify(bundle(resources)));
  const folder = files.path('bundles');
  mkdirSync(folder);
  // One of them written by a person, and one with the mark of a Windows editor.
  for (const [at, text] of bundles.entries())
    writeFileSync(
      `${folder}/${at}.json`,
      at === 0 ? JSON.stringify(JSON.parse(text), null, 2) : at === 1 ? `\ufeff${text}` : text,
    );
  for (const input of [fileOf(bundles.join('\r\n')), folder, fileOf(gzipSync(lines), 'ndjson.gz')])
    expect(await tallyOf(input)).toEqual(await whole);
}, 60_000);

test('what cannot be read is named with file and line, and the rest is counted', async () => {
  const two = invented(2);
  const text = [
    ndjson([two[0] ?? []]),
    '{"resourceType":"Observation","id":"cut of',
    '',
    '[]',
    JSON.stringify(
      bundle([
        { resourceType: 'Patient', id: 'a' },
        { resourceType: 'Patient', id: 'b' },
      ]),
    ),
    JSON.stringify(bundle([])),
    `{"resourceType":"Observation","valueString":"${'x'.repeat(17 * 1024 * 1024)}"}`,
    ndjson([two[1] ?? []]),
  ].join('\n');
  const file = fileOf(text);
  const first = (two[0]?.length ?? 0) + 2;
  const found = await forecastOf(file);
  expect(found.damage).toEqual({
    count: 5,
    named: [
      { file, line: first, why: 'no-json' },
      { file, line: first + 2, why: 'no-resource' },
      { file, line: first + 3, why: 'several-patients' },
      { file, line: first + 4, why: 'no-patient' },
      { file, line: first + 5, why: 'too-long' },
    ],
  });
  expect(found.sites.map(({ tally }) => tally)).toEqual(await tallyOf(fileOf(ndjson(two))));
}, 60_000);

test('a patient of whom there is too much is named and left out, and no part of him counted', async () => {
  const [one = [], two = []] = invented(2);
  const note = (id: number) => ({
    resourceType: 'Observation',
    id: String(id),
    subject: { reference: `Patient/${one[0]?.['id']}` },
    valueString: 'x'.repeat(1024 * 1024),
  });
  const file = fileOf(ndjson([[...one, ...Array.from({ length: 17 }, (_, at) => note(at))], two]));
  const found = await forecastOf(file);
  expect(found.damage.named).toEqual([{ file, line: 1, why: 'too-large' }]);
  expect(found.sites[0]?.tally.patients).toBe(1);
}, 60_000);

test('a gzip file that is cut off is named, and what came before it is counted', async () => {
  const packed = gzipSync(ndjson(invented(30)));
  const file = fileOf(packed.subarray(0, packed.length - 3000), 'ndjson.gz');
  const found = await forecastOf(file);
  expect(found.damage.named).toEqual([{ file, line: 0, why: 'damaged' }]);
  expect(found.sites[0]?.tally.patients).toBeGreaterThan(3);
}, 60_000);

test('a patient who comes back after another one stops it: halves must not be counted', async () => {
  const [one = [], two = []] = invented(2);
  const file = fileOf(ndjson([one.slice(0, 3), two, one.slice(3)]));
  await expect(forecastOf(file)).rejects.toThrow(`${file}:${4 + two.length}: a patient who was read before comes back`);
});

test('a patient may go on in the next file', async () => {
  const folder = files.path('parts');
  mkdirSync(folder);
  const all = lines.trimEnd().split('\n');
  const cut = (patients[0]?.length ?? 0) + 3;
  writeFileSync(`${folder}/1.ndjson`, `${all.slice(0, cut).join('\n')}\n`);
  writeFileSync(`${folder}/2.ndjson`, all.slice(cut).join('\n'));
  expect(await tallyOf(folder)).toEqual(await whole);
}, 60_000);

test('a file of medicines apart from the patients stops it: the orders would not find them', async () => {
  const folder = files.path('apart');
  mkdirSync(folder);
  writeFileSync(`${folder}/Medication.ndjson`, '{"resourceType":"Medication","id":"m"}\n');
  writeFileSync(`${folder}/patients.ndjson`, lines);
  await expect(forecastOf(folder)).rejects.toThrow('Medication.ndjson: medicines stand apart');
});

test('medicines that stand by themselves before a patient are found by his orders', async () => {
  const [resources = []] = invented(1).map((all) => all.slice(0, 1));
  const medication = {
    resourceType: 'Medication',
    id: 'm',
    code: { coding: [{ system: 'http://www.whocc.no/atc', code: 'N02AA05' }] },
  };
  const order = {
    resourceType: 'MedicationRequest',
    id: 'o',
    status: 'active',
    intent: 'order',
    medicationReference: { reference: 'Medication/m' },
    subject: { reference: `Patient/${resources[0]?.['id']}` },
    authoredOn: '2024-01-01',
  };
  const [tally] = await tallyOf(fileOf(ndjson([[medication], [...resources, order]])));
  expect(Object.keys(tally?.rules ?? {})).toContain('opioid-stop-date');
}, 60_000);

test('a run whose rules, input or options are others does not go on from the state of an earlier one', async () => {
  const file = fileOf(lines);
  const state = files.path('some.state');
  const chunk = { bytes: 1e6, patients: 5 };
  const first = await forecastOf(file, { state, chunk });
  expect(first.resumed).toBe(0);
  expect((await forecastOf(file, { state, chunk })).resumed).toBe(12);
  expect((await forecastOf(file, { state, chunk, replay: { hooks: ['order-sign'], absent: [] } })).resumed).toBe(0);
}, 60_000);

test('two sites are replayed side by side, each with its own totals', async () => {
  const file = fileOf(lines);
  const without = files.write('without.yaml', 'off: [opioid-stop-date]\n');
  const [here] = (await whole) ?? [];
  const found = await forecastOf(file, {
    sites: [
      { name: 'a', path: without },
      { name: 'b', path: files.write('with.yaml', 'off: []\n') },
    ],
  });
  expect(found.sites.map(({ tally }) => tally.rules['opioid-stop-date'])).toEqual([
    undefined,
    here?.rules['opioid-stop-date'],
  ]);
  expect(found.sites[1]?.tally).toEqual(here);
}, 60_000);

test('settings that cannot be used are refused with file and line before anything is read', async () => {
  const site = { name: 'bad.yaml', path: files.write('bad.yaml', 'language: sv\noff: [no-such-rule]\n') };
  await expect(forecastOf(fileOf(lines), { sites: [site] })).rejects.toThrow(
    "bad.yaml:2: off.0: there is no rule 'no-such-rule'",
  );
}, 60_000);
