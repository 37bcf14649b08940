import { expect, test } from 'vitest';
import type { Resource } from '../fhir/json.ts';
import { knowledge } from '../testing/app.ts';
import { dosageUntil, order, prescription } from '../testing/request.ts';
import { historyOf, type Moment, recordAt } from './history.ts';

const options = {
  codes: knowledge.codes,
  timeZone: 'Europe/Stockholm',
  validityPeriodEndsTreatment: false,
  parameters: knowledge.treatments.parameters,
};
const visit = (id: string, start: string, more = {}): Resource => ({
  resourceType: 'Encounter',
  id,
  status: 'finished',
  period: { start, end: `${start.slice(0, 10)}T20:00:00Z` },
  ...more,
});

/** The record at the visit `v` on a day. */
function recordOn(day: string, ...resources: unknown[]) {
  const history = historyOf([visit('v', `${day}T08:00:00Z`), ...(resources as Resource[])], ['patient-view'], options);
  const moment = history.moments.find(({ resource }) => resource['id'] === 'v') as Moment;
  return recordAt(history, moment);
}

const statusOn = (day: string, resource: unknown) => recordOn(day, resource).get('medications')?.[0]?.['status'];

test.each([
  ['before its end', '2024-02-05', 'active'],
  ['after its end', '2024-02-12', 'completed'],
])('an order that is now completed counts %s as it did then', (_when, day, status) => {
  const bounds = { timing: { repeat: { boundsPeriod: { start: '2024-02-01', end: '2024-02-10' } } } };
  const ended = prescription('x', 'zopiclone', {
    status: 'completed',
    authoredOn: '2024-02-01',
    dosageInstruction: [bounds],
  });
  expect(statusOn(day, ended)).toBe(status);
});

test.each([
  ['until the day that R5 gives', 'stopped', { statusChanged: '2024-03-01T10:00:00Z' }, '2024-03-01', '2024-03-02'],
  ['until the day that R5 gives', 'completed', { statusChanged: '2024-03-01' }, '2024-03-01', '2024-03-02'],
  [
    'until the end of its supply',
    'completed',
    { dispenseRequest: { expectedSupplyDuration: { value: 14, unit: 'd' } } },
    '2024-02-14',
    '2024-02-15',
  ],
])('an order that is over was active %s (%s)', (_what, status, more, last, after) => {
  const over = prescription('x', 'zopiclone', { status, authoredOn: '2024-02-01', ...more });
  expect(statusOn(last, over)).toBe('active');
  expect(statusOn(after, over)).toBe(status);
});

test.each([
  ['stopped, with a planned end', 'stopped', { dosageInstruction: [dosageUntil('2024-03-01')] }],
  ['completed without an end', 'completed', {}],
  ['on hold', 'on-hold', {}],
])('an order without a recorded end is read as it stands: %s', (_what, status, more) => {
  const over = prescription('x', 'zopiclone', { status, authoredOn: '2024-02-01', ...more });
  expect(statusOn('2024-02-05', over)).toBe(status);
});

test('a statement whose period ended later was active without that end', () => {
  const statement = {
    resourceType: 'MedicationStatement',
    id: 's',
    status: 'completed',
    effectivePeriod: { start: '2024-02-01', end: '2024-02-10' },
  };
  const on = (day: string) => recordOn(day, statement).get('statements')?.[0];
  expect(on('2024-02-05')).toEqual({ ...statement, status: 'active', effectivePeriod: { start: '2024-02-01' } });
  expect(on('2024-02-12')).toEqual(statement);
});

test('administered medicines are on record from the following day', () => {
  const given = {
    resourceType: 'MedicationAdministration',
    id: 'g',
    status: 'completed',
    effectiveDateTime: '2024-02-01T10:00:00Z',
  };
  expect(recordOn('2024-02-01', given).get('administrations')).toEqual([]);
  expect(recordOn('2024-02-02', given).get('administrations')).toEqual([given]);
});

test('a later change of the record does not affect an earlier day', () => {
  const stopped = prescription('x', 'zopiclone', {
    status: 'stopped',
    authoredOn: '2024-02-01',
    meta: { lastUpdated: '2024-03-01T10:00:00Z' },
  });
  const metaOn = (day: string) => recordOn(day, stopped).get('medications')?.[0]?.['meta'];
  expect(metaOn('2024-02-05')).toEqual({});
  expect(metaOn('2024-03-05')).toEqual({ lastUpdated: '2024-03-01T10:00:00Z' });
});

test('a visit is opened before its orders are signed', () => {
  const orders = [
    order('before', 'zopiclone', { authoredOn: '2024-02-01T07:00:00Z' }),
    order('at', 'zopiclone', { authoredOn: '2024-02-01T09:00:00Z' }),
  ];
  expect(
    recordOn('2024-02-01', ...orders)
      .get('medications')
      ?.map(({ id }) => id),
  ).toEqual(['before']);
});

test('results appear on the day they were issued, and problems on the day they were recorded', () => {
  const result = {
    resourceType: 'Observation',
    id: 'r',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '1742-6' }] },
    effectiveDateTime: '2024-02-01',
    issued: '2024-02-03T10:00:00Z',
  };
  const ofNoList = { ...result, id: 'n', code: { text: 'a test that no rule reads' } };
  const problem = { resourceType: 'Condition', id: 'p', onsetDateTime: '2020', recordedDate: '2024-02-03' };
  const on = (day: string) => recordOn(day, result, ofNoList, problem);
  expect(on('2024-02-02').get('observations')).toEqual([]);
  expect(on('2024-02-02').get('conditions')).toEqual([]);
  expect(on('2024-02-03').get('observations')).toHaveLength(1);
  expect(on('2024-02-03').get('conditions')).toHaveLength(1);
});

test.each([
  ['was active before it ended', '2024-02-01', 'active'],
  ['is over after it', '2024-04-01', 'resolved'],
])('a problem with an end date %s', (_what, day, status) => {
  const problem = {
    resourceType: 'Condition',
    id: 'p',
    clinicalStatus: { coding: [{ code: 'resolved' }] },
    recordedDate: '2023-01-01',
    abatementDateTime: '2024-03-01',
  };
  expect(recordOn(day, problem).get('conditions')?.[0]?.['clinicalStatus']).toEqual({ coding: [{ code: status }] });
});

test('simultaneous orders are signed one by one, each seeing the earlier ones but not itself', () => {
  const at = { authoredOn: '2024-02-01T09:00:00Z', status: 'active' };
  const history = historyOf(
    [order('b', 'zopiclone', at), order('a', 'oxycodone', at)] as Resource[],
    ['order-sign'],
    options,
  );
  const seen = history.moments.map((moment) =>
    recordAt(history, moment)
      .get('medications')
      ?.map(({ id }) => id),
  );
  expect(history.moments.map(({ resource }) => resource['id'])).toEqual(['a', 'b']);
  expect(seen).toEqual([[], ['a']]);
});

test('an order without an encounter is signed in the encounter of that day', () => {
  const stay = visit('stay', '2024-02-01T08:00:00Z', {
    period: { start: '2024-02-01T08:00:00Z', end: '2024-02-09T08:00:00Z' },
  });
  const history = (day: string) =>
    historyOf(
      [stay, order('x', 'zopiclone', { authoredOn: day, status: 'active' }) as Resource],
      ['order-sign'],
      options,
    );
  const encounter = (day: string) => recordAt(history(day), history(day).moments[0] as Moment).get('encounter')?.[0];
  expect(encounter('2024-02-05')).toMatchObject({
    id: 'stay',
    status: 'in-progress',
    period: { start: '2024-02-01T08:00:00Z' },
  });
  expect(encounter('2024-02-05')?.['period']).not.toHaveProperty('end');
  expect(encounter('2024-02-10')).toBeUndefined();
});

test('undatable entries are counted, and an undated problem is always on record', () => {
  const history = historyOf(
    [
      order('undated', 'zopiclone', { authoredOn: undefined, status: 'active' }),
      order('by-month', 'zopiclone', { authoredOn: '2024-02', status: 'active' }),
      order('draft', 'zopiclone'),
      order('plan', 'zopiclone', { intent: 'plan', status: 'active' }),
      { resourceType: 'MedicationStatement', id: 's', status: 'active' },
      { resourceType: 'Encounter', id: 'e', status: 'finished' },
      { resourceType: 'Condition', id: 'c' },
    ] as Resource[],
    ['patient-view', 'order-sign'],
    options,
  );
  expect(history.skipped.sort()).toEqual([
    'encounter-undated',
    'medication-undated',
    'medication-undated',
    'order-not-signed',
    'order-not-signed',
    'order-undated',
    'order-undated',
  ]);
  expect(history.moments).toEqual([]);
  expect(recordOn('2000-01-01', { resourceType: 'Condition', id: 'c' }).get('conditions')).toHaveLength(1);
});
