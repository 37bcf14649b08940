import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { Resource } from '../fhir/json.ts';
import { forecastOf, invented, ndjson, scratch } from '../testing/forecast.ts';
import type { ForecastOptions } from './run.ts';
import { mergeShards, shardText } from './shards.ts';

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

test('the totals do not depend on the number of threads, the chunks or the order of the patients', async () => {
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

test('NDJSON, bundles per line, bundles per file and gzip give the same totals', async () => {
  const bundles = patients.map((resources) => JSON.stringify(bundle(resources)));
  const folder = files.path('bundles');
  mkdirSync(folder);
  // One is pretty-printed, and one has a byte order mark.
  for (const [at, text] of bundles.entries())
    writeFileSync(
      `${folder}/${at}.json`,
      at === 0 ? JSON.stringify(JSON.parse(text), null, 2) : at === 1 ? `\ufeff${text}` : text,
    );
  for (const input of [fileOf(bundles.join('\r\n')), folder, fileOf(gzipSync(lines), 'ndjson.gz')])
    expect(await tallyOf(input)).toEqual(await whole);
}, 60_000);

test('unreadable input is reported with file and line, and the rest is counted', async () => {
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
    JSON.stringify(bundle([{ resourceType: 'Condition', id: 'whose' }])),
    `{"resourceType":"Observation","valueString":"${'x'.repeat(33 * 1024 * 1024)}"}`,
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

test('an oversized patient is reported and left out completely', async () => {
  const [one = [], two = []] = invented(2);
  const note = (id: number) => ({
    resourceType: 'Observation',
    id: String(id),
    subject: { reference: `Patient/${one[0]?.['id']}` },
    valueString: 'x'.repeat(1024 * 1024),
  });
  const file = fileOf(ndjson([[...one, ...Array.from({ length: 33 }, (_, at) => note(at))], two]));
  const found = await forecastOf(file);
  expect(found.damage.named).toEqual([{ file, line: 1, why: 'too-large' }]);
  expect(found.sites[0]?.tally.patients).toBe(1);
}, 60_000);

test('a truncated gzip file is reported, and what came before is counted', async () => {
  const packed = gzipSync(ndjson(invented(30)));
  const file = fileOf(packed.subarray(0, packed.length - 3000), 'ndjson.gz');
  const found = await forecastOf(file);
  expect(found.damage.named).toEqual([{ file, line: 0, why: 'damaged' }]);
  expect(found.sites[0]?.tally.patients).toBeGreaterThan(3);
}, 60_000);

test('a patient whose lines are scattered is put together and counted once', async () => {
  const [one = [], two = []] = invented(2);
  const apart = await tallyOf(fileOf(ndjson([one.slice(0, 3), two, one.slice(3)])));
  expect(apart).toEqual(await tallyOf(fileOf(ndjson([one, two]))));
}, 60_000);

test('types that no rule reads are skipped before any limit applies', async () => {
  const [one = [], two = []] = invented(2);
  const claim = (id: string, more: object) => ({
    resourceType: 'Claim',
    id,
    patient: { reference: `Patient/${one[0]?.['id']}` },
    ...more,
  });
  // A line above the limit, a patient above the limit, and more unattached resources than may precede a patient.
  const long = claim('long', { note: 'x'.repeat(33 * 1024 * 1024) });
  const many = Array.from({ length: 33 }, (_, at) => claim(String(at), { note: 'x'.repeat(1024 * 1024) }));
  const nobodys = Array.from({ length: 1100 }, (_, at) => ({ resourceType: 'Practitioner', id: String(at) }));
  const file = fileOf(ndjson([nobodys, [...one, long, ...many], two]));
  // In a bundle they are mixed with what is read.
  const bundled = fileOf(JSON.stringify(bundle([...one, ...many.slice(0, 20)])), 'json');
  const found = await forecastOf(file);
  expect(found.damage).toEqual({ count: 0, named: [] });
  expect(found.sites[0]?.tally).toEqual((await tallyOf(fileOf(ndjson([one, two]))))[0]);
  expect(await tallyOf(bundled)).toEqual(await tallyOf(fileOf(ndjson([one]))));
}, 60_000);

test('the shards of an input add up to a single run, whatever their number and the sorting', async () => {
  const copies = invented(20);
  const broken = ['no JSON', '{"resourceType":"Observation"', '[]'].join('\n');
  const byType = (all: Resource[]) => all.toSorted((a, b) => (a.resourceType < b.resourceType ? -1 : 1));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.boolean(), async (count, apart) => {
      const lines = apart ? ndjson([byType(copies.flat())]) : ndjson(copies);
      const input = fileOf(`${lines}${broken}\n`);
      const { resumed: _, key: __, ...one } = await forecastOf(input);
      const shards = [];
      for (let index = 1; index <= count; index++) {
        const share = { index, count };
        shards.push({ name: String(index), text: shardText(await forecastOf(input, { share }), share) });
      }
      const { resumed: _r, key: _k, ...merged } = mergeShards(shards);
      expect(merged).toEqual(one);
    }),
    { numRuns: 3 },
  );
}, 120_000);

test('a patient may continue in the next file', async () => {
  const folder = files.path('parts');
  mkdirSync(folder);
  const all = lines.trimEnd().split('\n');
  const cut = (patients[0]?.length ?? 0) + 3;
  writeFileSync(`${folder}/1.ndjson`, `${all.slice(0, cut).join('\n')}\n`);
  writeFileSync(`${folder}/2.ndjson`, all.slice(cut).join('\n'));
  expect(await tallyOf(folder)).toEqual(await whole);
}, 60_000);

test('medicines in a separate file are found by the orders of all patients', async () => {
  const folder = files.path('apart');
  mkdirSync(folder);
  const code = { coding: [{ system: 'http://www.whocc.no/atc', code: 'N02AA05' }] };
  writeFileSync(`${folder}/Medication.ndjson`, `${JSON.stringify({ resourceType: 'Medication', id: 'm', code })}\n`);
  const order = (patient: string) => ({
    resourceType: 'MedicationRequest',
    id: `o-${patient}`,
    status: 'active',
    intent: 'order',
    medicationReference: { reference: 'Medication/m/_history/1' },
    subject: { reference: `Patient/${patient}` },
    authoredOn: '2024-01-01',
  });
  writeFileSync(`${folder}/orders.ndjson`, ndjson([[order('a')], [order('b')]]));
  const [tally] = await tallyOf(folder);
  expect(tally?.patientsByRule['opioid-stop-date']).toEqual({ 2024: 2, all: 2 });
}, 60_000);

test('medicines that precede a patient are found by that patient’s orders', async () => {
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

test('a run with other rules, input or options does not resume from an earlier state', async () => {
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

test('invalid settings are refused with file and line before any input is read', async () => {
  const site = { name: 'bad.yaml', path: files.write('bad.yaml', 'language: sv\noff: [no-such-rule]\n') };
  await expect(forecastOf(fileOf(lines), { sites: [site] })).rejects.toThrow(
    "bad.yaml:2: off.0: there is no rule 'no-such-rule'",
  );
}, 60_000);
