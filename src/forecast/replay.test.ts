import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Resource } from '../fhir/json.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { invented } from '../testing/forecast.ts';
import { replayPatient } from './replay.ts';
import { addTally, emptyCounts, emptyTally, sorted, type Tally } from './tally.ts';

const folder = join(root, 'test-bundles/forecast');
const options = { hooks: ['patient-view', 'order-sign'], absent: [] };

function replay(resources: Resource[], more = {}, site: Knowledge = knowledge): Tally {
  const patient = resources.find(({ resourceType }) => resourceType === 'Patient')?.['id'] as string;
  return replayPatient(patient, resources, site, { ...options, ...more });
}

function sumOf(tallies: Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) addTally(sum, tally);
  return sorted(sum);
}

/** The patients of test-bundles/forecast/history.ndjson. */
function fixture(): Resource[][] {
  const resources: Resource[] = readFileSync(join(folder, 'history.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return ['anna', 'bo', 'cecilia', 'david'].map((name) =>
    resources.filter(({ id }) => (id as string).startsWith(name)),
  );
}

test('a few invented patients give the cards counted by hand', () => {
  const counted = parse(readFileSync(join(folder, 'history.counted.yaml'), 'utf8'));
  for (const years of Object.values(counted.rules) as Record<string, Record<string, object>>[])
    for (const hooks of Object.values(years))
      for (const [hook, counts] of Object.entries(hooks)) hooks[hook] = { ...emptyCounts(), ...counts };
  expect(sumOf(fixture().map((resources) => replay(resources)))).toEqual(counted);
});

test.each([
  [4, undefined],
  [5, 1],
])('a quiet period of %d days saves only cards that say nothing new', (days, quiet) => {
  const site = knowledgeOf(root, {
    ...deliveredSite,
    quiet: { days: { 'opioid-sedative': days }, accepted: ['benefit-outweighs'] },
  });
  const [anna = []] = fixture();
  const counts = replay(anna, {}, site).rules['opioid-sedative']?.['2024']?.['patient-view'];
  expect(counts).toMatchObject({ cards: 1, repeats: 1, quiet: quiet ?? 0 });
});

test('a rule on trial is counted separately on every day, and the rest is as without it', () => {
  const rule = 'opioid-sedative';
  const at = (site: object) =>
    sumOf(fixture().map((one) => replay(one, {}, knowledgeOf(root, { ...deliveredSite, ...site }))));
  const [shown, off, trial] = [{}, { off: [rule] }, { silent: { rules: { [rule]: { from: '2099-01-01' } } } }].map(at);
  const counts = ({ rules }: Tally) =>
    Object.values(rules[rule] ?? {}).flatMap((hooks) =>
      Object.values(hooks).map(({ cards, silent }) => [cards, silent]),
    );
  const { [rule]: onTrial, ...others } = (trial as Tally).rules;
  expect(onTrial).toBeDefined();
  expect(counts(trial as Tally)).toEqual(counts(shown as Tally).map(([cards]) => [0, cards]));
  expect({ ...trial, rules: others }).toEqual(off);
});

test('a section missing from the input is not known rather than empty', () => {
  const without = sumOf(fixture().map((resources) => replay(resources, { absent: ['medications'] })));
  expect(without.notChecked).not.toEqual({});
  expect(Object.keys(without.rules)).not.toContain('opioid-sedative');
});

test('the order of a patient’s resources in a file does not matter', () => {
  const patients = invented(60).filter((resources) =>
    resources.some(({ resourceType }) => resourceType === 'MedicationRequest'),
  );
  fc.assert(
    fc.property(
      fc
        .constantFrom(...patients)
        .chain((resources) =>
          fc.tuple(fc.constant(resources), fc.shuffledSubarray(resources, { minLength: resources.length })),
        ),
      ([resources, shuffled]) => {
        expect(sorted(replay(shuffled))).toEqual(sorted(replay(resources)));
      },
    ),
    { numRuns: 15 },
  );
});

test('tallies add up to the same totals in any grouping and order', () => {
  const tallies = invented(12).map((resources) => replay(resources));
  const whole = sumOf(tallies);
  fc.assert(
    fc.property(fc.shuffledSubarray(tallies, { minLength: tallies.length }), fc.nat(tallies.length), (shuffled, at) => {
      expect(sumOf([sumOf(shuffled.slice(0, at)), sumOf(shuffled.slice(at))])).toEqual(whole);
    }),
  );
});

test('a medicine may have any name', () => {
  const [resources] = fixture() as [Resource[]];
  const named = (text: string) => ({
    ...(resources[2] as Resource),
    id: `${text}-1`,
    medicationCodeableConcept: { text },
  });
  const tally = sumOf([replay([...resources, named('__proto__')]), replay([...resources, named('constructor')])]);
  expect(Object.values(tally.unrecognised)).toEqual([1, 1]);
});
