import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { bundle, dosageUntil, type Json, order, pair, prescription } from '../testing/request.ts';
import { answerFile } from './bundles.ts';
import { explain } from './explain.ts';

const { agonist, gabapentinoid } = examples;
const TODAY = '2026-03-02';

/** The lines that explain prints for a request, without colours and column padding. */
function linesOf(body: Json, options = {}, site = knowledge): string[] {
  const { answer } = answerFile(body, site, 'en', TODAY);
  return plain(explain(answer, options));
}

function plain(text: string): string[] {
  return text
    .replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '')
    .split('\n')
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
}

const dispense = (id: string, day: string): Json => ({
  resourceType: 'MedicationDispense',
  id,
  status: 'completed',
  medicationCodeableConcept: prescription('x', agonist)['medicationCodeableConcept'],
  subject: { reference: 'Patient/kari' },
  whenHandedOver: day,
  daysSupply: { value: 7, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' },
});

test.each([
  ['current, without an end', {}, 'taken | from 2026-02-02 | no end on record | 1 entry'],
  [
    'with a known last day',
    { dosageInstruction: [dosageUntil('2026-04-30')] },
    'taken | from 2026-02-02 | to 2026-04-30 | 1 entry',
  ],
  [
    'stopped at an unknown time',
    { status: 'stopped' },
    /^possible \| from 2026-02-02 \| to 20\d\d-\d\d-\d\d at the latest, no end on record \| 1 entry$/,
  ],
  ['on hold', { status: 'on-hold' }, 'presumed, on hold | from 2026-02-02 | no end on record | 1 entry'],
  [
    'over',
    { authoredOn: '2020-01-01', dosageInstruction: [dosageUntil('2020-02-01')] },
    /^over \| .* \| to 2020-02-01 \| 1 entry$/,
  ],
])('a treatment is printed with its degree, its start and whether it has an end: %s', (_, more, said) => {
  const line = linesOf(pair('order-sign', { record: [prescription('a', agonist, more)] })).find((one) =>
    one.startsWith('MedicationRequest/a'),
  );
  const rest = line?.split(' | ').slice(3).join(' | ');
  expect(rest).toEqual(typeof said === 'string' ? said : expect.stringMatching(said));
});

test('an order of the call is printed with the source of its stop, or as having none', () => {
  const drafts = [
    order('with', gabapentinoid, { dosageInstruction: [dosageUntil('2026-03-08')] }),
    order('without', gabapentinoid),
  ];
  const lines = linesOf(pair('order-sign', { drafts }));
  expect(lines).toContain(
    `MedicationRequest/with | ${gabapentinoid} | by atc | ordered | from 2026-03-02 | to 2026-03-08 (bounds)`,
  );
  expect(lines).toContain(
    `MedicationRequest/without | ${gabapentinoid} | by atc | ordered | from 2026-03-02 | no stop`,
  );
});

test('the entries behind a treatment are printed on request, newest first', () => {
  const record = [prescription('a', agonist)];
  const dispenses = bundle([dispense('d1', '2026-02-09'), dispense('d2', '2026-02-23')], 'searchset');
  const body = pair('order-sign', { record, prefetch: { dispenses } });
  expect(linesOf(body).some((line) => line.startsWith('Entries'))).toBe(false);
  const lines = linesOf(body, { entries: true });
  const at = lines.indexOf(`Entries behind ${agonist}`);
  expect(lines.slice(at + 1, at + 4)).toEqual([
    'MedicationDispense/d2 | dispense | over | from 2026-02-23 | to 2026-03-01 (days-supply)',
    'MedicationDispense/d1 | dispense | over | from 2026-02-09 | to 2026-02-15 (days-supply)',
    'MedicationRequest/a | order | taken | from 2026-02-02',
  ]);
});

test('an unrecognised medicine is named, and what was left out is counted', () => {
  const unknown = { medicationCodeableConcept: { text: 'quuxoline' } };
  const lines = linesOf(
    pair('order-sign', {
      drafts: [order('draft', gabapentinoid, unknown)],
      record: [prescription('a', agonist), prescription('u', agonist, unknown)],
    }),
  );
  const at = lines.indexOf('Unrecognised medicines');
  expect(lines.slice(at + 1, at + 3)).toEqual([
    'MedicationRequest/draft | ordered | quuxoline',
    'MedicationRequest/u | on the list | quuxoline',
  ]);
  expect(lines).toContain('medication, unrecognised | 1');
});

test('npm run explain reads standard input and takes --entries', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/explain.ts'), '-', '--entries', '--now', TODAY],
    { encoding: 'utf8', input: JSON.stringify(pair()) },
  );
  expect([status, stderr]).toEqual([0, '']);
  expect(plain(stdout)).toContain(`Entries behind ${agonist}`);
});

test('a rule on trial is printed with what it would do, or as on trial if it does nothing', () => {
  const silent = { rules: { 'laro-sedative-ordered': {}, 'benzodiazepine-stop-date': {}, 'opioid-sedative': {} } };
  const site = knowledgeOf(root, { silent });
  const lines = linesOf(pair('order-sign', { drafts: [order('d', 'diazepam')] }), {}, site);
  expect(lines).toContain('L1 laro-sedative-ordered: silent, would give its card');
  expect(lines).toContain('B2 benzodiazepine-stop-date: superseded by laro-sedative-ordered (on trial)');
  expect(lines.some((line) => /opioid-sedative: (does-not-hold|superseded by .*) \(on trial\)$/.test(line))).toBe(true);
  expect(lines).toContain('No card: nothing to warn about.');
});
