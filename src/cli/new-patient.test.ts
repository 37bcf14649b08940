import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../testing/app.ts';
import { check } from './check.ts';

/** The rules and one patient who is on an agonist, is prescribed a sedative and gets a card. */
const folder = mkdtempSync(join(tmpdir(), 'cds-new-patient-'));
const FROM = 'laro-benzodiazepines/zopiclone-in-laro-outpatient';
const TO = 'laro-benzodiazepines/without-agonist';
beforeAll(() => {
  for (const name of ['hooks', 'cards']) cpSync(join(root, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'test-bundles/laro-benzodiazepines'), { recursive: true });
  for (const what of ['request.json', 'expected.yaml'])
    cpSync(join(root, `test-bundles/${FROM}.${what}`), join(folder, `test-bundles/${FROM}.${what}`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newPatient(...words: string[]) {
  const program = ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/new-patient.ts')];
  return spawnSync(process.execPath, [...program, ...words, '--folder', folder], { encoding: 'utf8' });
}
const path = (what: string) => join(folder, `test-bundles/${TO}.${what}`);
const expected = () => parse(readFileSync(path('expected.yaml'), 'utf8'));
const problemsOfNew = () => check(folder).problems.flatMap(({ file, message }) => (file.includes(TO) ? [message] : []));

test('a new patient differs from another in one thing, and its generated answer must be reviewed', () => {
  const { status, stdout, stderr } = newPatient(FROM, TO, '--set', 'prefetch.medications.entry.0=');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`test-bundles/${TO}.request.json`);
  const [before, after] = [FROM, TO].map((name) =>
    JSON.parse(readFileSync(join(folder, `test-bundles/${name}.request.json`), 'utf8')),
  );
  before.prefetch.medications.entry = [];
  expect(after).toEqual(before);
  expect(expected().cards).toMatchObject([{ rule: 'benzodiazepine-stop-date', drugs: ['zopiclone'] }]);
  expect(problemsOfNew()).toEqual([expect.stringContaining('note')]);
  writeFileSync(
    path('expected.yaml'),
    'note: The same without methadone.\ncards: [{rule: benzodiazepine-stop-date, indicator: info}]\n',
  );
  expect(problemsOfNew()).toEqual([]);
});

test('after a manual change the service’s answer is written again', () => {
  writeFileSync(path('request.json'), readFileSync(join(folder, `test-bundles/${FROM}.request.json`)));
  expect(problemsOfNew()).toEqual([expect.stringContaining('cards: expected ["benzodiazepine-stop-date"]')]);
  expect(newPatient(`test-bundles/${TO}.request.json`).status).toBe(0);
  expect(expected().cards).toHaveLength(1);
  expect(problemsOfNew()).toEqual([expect.stringContaining('note')]);
});

test('three patients made in this way prove the guideline of the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const files = [...readme.matchAll(/```yaml\n# ((?:hooks|cards)\/\S+)\n(.*?)```/gs)];
  expect(files).toHaveLength(2);
  for (const [, name = '', text = ''] of files) writeFileSync(join(folder, name), text);
  cpSync(join(root, 'test-bundles/opioid-start'), join(folder, 'test-bundles/opioid-start'), { recursive: true });
  const pregnant = {
    resourceType: 'Condition',
    id: 'pregnant',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '77386006' }] },
    subject: { reference: 'Patient/nils-hagen' },
  };
  const problemList = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: pregnant }] };
  const paracetamol = { coding: [{ system: 'http://www.whocc.no/atc', code: 'N02BE01' }] };
  const draft = 'context.draftOrders.entry.0.resource.medicationCodeableConcept';
  const made = [
    ['opioid-start/five-days', 'oxycodone-in-pregnancy', `prefetch.conditions=${JSON.stringify(problemList)}`],
    ['opioid-start/five-days', 'oxycodone', 'hookInstance=another'],
    ['opioid-pregnancy/oxycodone-in-pregnancy', 'paracetamol-in-pregnancy', `${draft}=${JSON.stringify(paracetamol)}`],
  ] as const;
  for (const [from, name, change] of made) {
    expect(newPatient(from, `opioid-pregnancy/${name}`, '--set', change)).toMatchObject({ status: 0, stderr: '' });
    const note = join(folder, `test-bundles/opioid-pregnancy/${name}.expected.yaml`);
    writeFileSync(note, readFileSync(note, 'utf8').replace(/^note: .*/m, 'note: Looked at.'));
  }
  const { problems } = check(folder);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.filter(({ file }) => file.includes('opioid-pregnancy'))).toEqual([]);
});

test.each([
  [[FROM, TO], 'There is a patient'],
  [['laro-benzodiazepines/nobody', 'laro-benzodiazepines/x'], 'There is no file'],
  [[FROM, 'x'], "'x' is no patient"],
  [[FROM, 'laro-benzodiazepines/x', '--set', 'context.nothing.here=1'], 'there is no context.nothing.here'],
  [[], 'Usage: npm run new-patient'],
])('%j is refused, and nothing is written', (words, why) => {
  const { status, stdout, stderr } = newPatient(...words);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain(why);
});
