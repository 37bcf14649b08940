import { describe, expect, test } from 'vitest';
import {
  administrationOf,
  dispenseOf,
  line,
  orderOf,
  periodsOf,
  pieces,
  statementOf,
  times,
  treatmentOf,
  until,
} from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';

// recommendations.md, 1.2 and 1.3. The evaluation date is 2026-03-02. Oxazepam is not a LARO medicine, methadone is.
const SINCE = { authoredOn: '2026-02-01' };
const order = (more: Json) => orderOf('oxazepam', { ...SINCE, ...more });
const lines = (...dosageInstruction: Json[]) => ({ dosageInstruction });
const supply = (value: number, unit = 'd', numberOfRepeatsAllowed?: number) => ({
  dispenseRequest: { expectedSupplyDuration: { value, code: unit }, numberOfRepeatsAllowed },
});
const amount = (value: number, numberOfRepeatsAllowed?: number) => ({
  dispenseRequest: { quantity: { value, unit: 'tabletter' }, numberOfRepeatsAllowed },
});
const changed = (lastUpdated: string) => ({ meta: { lastUpdated } });

type Row = [what: string, entry: Json, periods: string | undefined];

function holds(rows: Row[]) {
  test.each(rows)('%s', (_, entry, periods) => {
    expect(periodsOf(treatmentOf([entry]))).toBe(periods);
  });
}

describe('1.2: an active order', () => {
  holds([
    ['a stated future end', order(lines(line(until('2026-03-06')))), 'taken 2026-02-01..2026-03-06'],
    ['a stated end today', order(lines(line(until('2026-03-02')))), 'taken 2026-02-01..2026-03-02'],
    ['a stated end yesterday', order(lines(line(until('2026-03-01')))), 'taken 2026-02-01..2026-03-01'],
    ['a stated end in a month', order(lines(line(until('2026-03')))), 'taken 2026-02-01..2026-03-31'],
    ['days of supply, into the future', order(supply(31)), 'taken 2026-02-01..2026-03-03, presumed 2026-03-04..'],
    ['days of supply, until today', order(supply(30)), 'taken 2026-02-01..2026-03-02, presumed 2026-03-03..'],
    ['days of supply, past', order(supply(29)), 'taken 2026-02-01..2026-03-01, presumed 2026-03-02..'],
    ['days of supply, repeated', order(supply(10, 'd', 2)), 'taken 2026-02-01..2026-03-02, presumed 2026-03-03..'],
    [
      'days of supply without a unit',
      order({ dispenseRequest: { expectedSupplyDuration: { value: 30 } } }),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'a count of doses',
      order(lines(line({ ...times(2), count: 20 }))),
      'taken 2026-02-01..2026-02-10, presumed 2026-02-11..',
    ],
    [
      'a count of 1 without a frequency',
      order(lines(line({ count: 1 }))),
      'taken 2026-02-01..2026-02-01, presumed 2026-02-02..',
    ],
    [
      'any other count without a frequency',
      order(lines(line({ count: 2 }))),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'events',
      order(lines({ timing: { event: ['2026-02-03', '2026-02-10'] } })),
      'taken 2026-02-03..2026-02-10, presumed 2026-02-11..',
    ],
    [
      'a quantity',
      order({ ...lines(line(times(2), pieces(1))), ...amount(60) }),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'a quantity that ends within a day: rounded up',
      order({ ...lines(line(times(2), pieces(1))), ...amount(61) }),
      'taken 2026-02-01..2026-03-03, presumed 2026-03-04..',
    ],
    [
      'a quantity, repeated',
      order({ ...lines(line(times(2), pieces(1))), ...amount(20, 2) }),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'a quantity and a range of doses: the lowest decides how long it lasts',
      order({
        ...lines(
          line(
            { frequency: 1, frequencyMax: 3, period: 1, periodUnit: 'd' },
            { doseAndRate: [{ doseRange: { low: { value: 1, unit: 'st' }, high: { value: 2, unit: 'st' } } }] },
          ),
        ),
        ...amount(30),
      }),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'a quantity in another unit tells nothing',
      order({ ...lines(line(times(2), pieces(1))), dispenseRequest: { quantity: { value: 60, unit: 'ml' } } }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'a quantity with a maximum frequency of zero tells nothing',
      order({ ...lines(line({ ...times(2), frequencyMax: 0 }, pieces(1))), ...amount(60) }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'a quantity used as needed tells nothing',
      order({ ...lines(line(times(2), { ...pieces(1), asNeededBoolean: true })), ...amount(25) }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    ['no end', order({}), 'taken 2026-02-01..2027-02-01, presumed 2027-02-02..'],
    [
      'no end, the last sign of life 12 months ago',
      order({ authoredOn: '2025-03-02' }),
      'taken 2025-03-02..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'no end, the last sign of life 12 months and a day ago',
      order({ authoredOn: '2025-03-01' }),
      'taken 2025-03-01..2026-03-01, presumed 2026-03-02..',
    ],
    [
      'no end, from long ago',
      order({ authoredOn: '2009-05-05' }),
      'taken 2009-05-05..2010-05-05, presumed 2010-05-06..',
    ],
    [
      'no end, and begins tomorrow',
      order({ authoredOn: '2026-03-03' }),
      'taken 2026-03-03..2027-03-03, presumed 2027-03-04..',
    ],
    ['no date', order({ authoredOn: undefined }), 'presumed 2026-03-02..'],
    [
      'the dispensing period is not an end',
      order({ dispenseRequest: { validityPeriod: { end: '2026-02-20' } } }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
  ]);

  test.each([
    ['an order without a date', order({ authoredOn: undefined }), false],
    ['an order with only future dates', order({ authoredOn: '2026-03-09' }), true],
    ['the last sign of life 120 days ago', order({ authoredOn: '2025-11-02' }), true],
    ['121 days ago', order({ authoredOn: '2025-11-01' }), false],
    [
      'a stated future end counts as a sign of life today',
      order({ authoredOn: '2024-01-01', ...lines(line(until('2026-03-02'))) }),
      true,
    ],
    ['a computed end 120 days ago', order({ authoredOn: '2025-10-04', ...supply(30) }), true],
    ['a computed end 121 days ago', order({ authoredOn: '2025-10-03', ...supply(30) }), false],
    ['a computed future end does not count', order({ authoredOn: '2025-08-01', ...supply(360) }), false],
    [
      'an event 120 days ago',
      order({ authoredOn: '2025-01-01', ...lines({ timing: { event: ['2025-01-01', '2025-11-02'] } }) }),
      true,
    ],
    [
      'asserted 120 days ago',
      statementOf('oxazepam', { effectiveDateTime: '2025-01-01', dateAsserted: '2025-11-02' }),
      true,
    ],
    [
      'asserted 121 days ago',
      statementOf('oxazepam', { effectiveDateTime: '2025-01-01', dateAsserted: '2025-11-01' }),
      false,
    ],
    ['handed over 120 days ago', dispenseOf('oxazepam', { whenHandedOver: '2025-11-02' }), true],
    ['handed over 121 days ago', dispenseOf('oxazepam', { whenHandedOver: '2025-11-01' }), false],
  ])('1.2: freshness: %s: %j is fresh: %s', (_, entry, fresh) => {
    expect(treatmentOf([entry])?.fresh).toBe(fresh);
  });
});

describe('1.2: on hold, completed, stopped', () => {
  const old = { authoredOn: '2024-09-01' };
  holds([
    ['on hold', order({ status: 'on-hold' }), 'presumed 2026-02-01..'],
    [
      'on hold, a stated future end',
      order({ status: 'on-hold', ...lines(line(until('2026-03-10'))) }),
      'presumed 2026-02-01..2026-03-10',
    ],
    [
      'on hold, a stated end today',
      order({ status: 'on-hold', ...lines(line(until('2026-03-02'))) }),
      'presumed 2026-02-01..2026-03-02',
    ],
    [
      'on hold, a stated past end',
      order({ status: 'on-hold', ...lines(line(until('2026-03-01'))) }),
      'taken 2026-02-01..2026-03-01',
    ],
    ['on hold, a computed past end', order({ status: 'on-hold', ...supply(5) }), 'presumed 2026-02-01..'],
    [
      'completed, a stated end',
      order({ status: 'completed', ...lines(line(until('2026-02-20'))) }),
      'taken 2026-02-01..2026-02-20',
    ],
    ['completed, a computed end', order({ status: 'completed', ...supply(10) }), 'taken 2026-02-01..2026-02-10'],
    ['completed, a computed future end', order({ status: 'completed', ...supply(40) }), 'taken 2026-02-01..2026-03-12'],
    [
      'completed without an end: until 100 days after the last change of the record',
      order({ status: 'completed', ...changed('2026-02-10T10:00:00Z') }),
      'possible 2026-02-01..2026-05-21',
    ],
    ['completed, with no dates', order({ status: 'completed' }), 'possible 2026-02-01..2027-02-01'],
    [
      'stopped, a day of change (R5)',
      order({ status: 'stopped', statusChanged: '2026-02-20' }),
      'taken 2026-02-01..2026-02-20',
    ],
    [
      'ended, a day of change (R5)',
      order({ status: 'ended', statusChanged: '2026-02-20' }),
      'taken 2026-02-01..2026-02-20',
    ],
    [
      'stopped, a future day of change is ignored',
      order({ status: 'stopped', statusChanged: '2026-03-03' }),
      'possible 2026-02-01..2027-02-01',
    ],
    [
      'stopped, a day of change of today',
      order({ status: 'stopped', statusChanged: '2026-03-02' }),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'stopped, a month of change: its last day is in the future',
      order({ status: 'stopped', statusChanged: '2026-03' }),
      'possible 2026-02-01..2027-02-01',
    ],
    [
      'stopped, a planned end and a day of change',
      order({ status: 'stopped', statusChanged: '2026-02-10', ...lines(line(until('2026-02-20'))) }),
      'taken 2026-02-01..2026-02-10',
    ],
    [
      'completed, a day of change is ignored',
      order({ status: 'completed', statusChanged: '2026-02-10' }),
      'possible 2026-02-01..2027-02-01',
    ],
    [
      'completed, an end before its start: its first day',
      order({ status: 'completed', ...lines(line(until('2026-01-20'))) }),
      'taken 2026-02-01..2026-02-01',
    ],
    [
      'completed, last changed long before its start',
      order({ status: 'completed', ...changed('2025-06-01') }),
      'possible 2026-02-01..2026-02-01',
    ],
    ['on hold without any date', order({ status: 'on-hold', authoredOn: undefined }), 'presumed 2026-03-02..'],
    [
      'an end without a start: that day',
      order({ status: 'completed', authoredOn: undefined, ...lines(line(until('2026-02-20'))) }),
      'taken 2026-02-20..2026-02-20',
    ],
    [
      'active, a future end without a start: from today',
      order({ authoredOn: undefined, ...lines(line(until('2026-03-20'))) }),
      'taken 2026-03-02..2026-03-20',
    ],
    [
      'active, a day of change is ignored',
      order({ statusChanged: '2026-02-20' }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'stopped, the end of an effective period',
      statementOf('oxazepam', { status: 'stopped', effectivePeriod: { start: '2026-02-01', end: '2026-02-20' } }),
      'taken 2026-02-01..2026-02-20',
    ],
    [
      'stopped, a planned end',
      order({ status: 'stopped', ...lines(line(until('2026-02-20'))) }),
      'possible 2026-02-01..2026-02-20',
    ],
    ['stopped, a computed end', order({ status: 'stopped', ...supply(10) }), 'possible 2026-02-01..2026-02-10'],
    [
      'stopped, last changed',
      order({ status: 'stopped', ...changed('2026-02-15') }),
      'possible 2026-02-01..2026-02-15',
    ],
    [
      'stopped, a planned end and changed before it',
      order({ status: 'stopped', ...lines(line(until('2026-02-20'))), ...changed('2026-02-15') }),
      'possible 2026-02-01..2026-02-15',
    ],
    [
      'stopped, a planned end and changed after it',
      order({ status: 'stopped', ...lines(line(until('2026-02-20'))), ...changed('2026-02-25') }),
      'possible 2026-02-01..2026-02-20',
    ],
    [
      'stopped, with no dates: until 12 months after its last sign of life',
      order({ status: 'stopped' }),
      'possible 2026-02-01..2027-02-01',
    ],
    ['stopped too long ago to have a degree', order({ status: 'stopped', ...old }), 'possible 2024-09-01..2025-09-01'],
    ['stopped without any date', order({ status: 'stopped', authoredOn: undefined }), 'possible 2026-03-02..'],
    ['status unknown', order({ status: 'unknown' }), 'possible 2026-02-01..2027-02-01'],
    [
      'status unknown, a planned end',
      order({ status: 'unknown', ...lines(line(until('2026-02-20'))) }),
      'possible 2026-02-01..2026-02-20',
    ],
    ['no status', order({ status: undefined }), 'possible 2026-02-01..2027-02-01'],
    ['status unknown, without any date', order({ status: 'unknown', authoredOn: undefined }), 'possible 2026-03-02..'],
    [
      'an unknown modifier: at most possible',
      order({ modifierExtension: [{ url: 'https://example.org/x', valueBoolean: true }] }),
      'possible 2026-02-01..2027-02-01',
    ],
  ]);

  test.each([
    ['stopped', undefined],
    ['completed', undefined],
    ['unknown', undefined],
  ])('%s too long ago has no degree', (status) => {
    const found = treatmentOf([order({ status, ...old })]);
    expect([found?.degree, found?.endKnown]).toEqual([undefined, false]);
  });

  test.each(['stopped', 'completed', 'unknown'])('%s without any date is not fresh', (status) => {
    expect(treatmentOf([order({ status, authoredOn: undefined })])?.fresh).toBe(false);
  });
});

describe('1.2: statements', () => {
  const asserted = { dateAsserted: '2026-02-01' };
  const adherence = (code: string) => ({ adherence: { code: { coding: [{ code }] } } });
  const OPEN = 'taken 2026-02-01..2027-02-01, presumed 2027-02-02..';
  holds([
    ['active', statementOf('oxazepam', asserted), OPEN],
    ['recorded (R5)', statementOf('oxazepam', { ...asserted, status: 'recorded' }), OPEN],
    ['since a day', statementOf('oxazepam', { effectiveDateTime: '2026-02-01' }), OPEN],
    [
      'an open effective period',
      statementOf('oxazepam', { effectivePeriod: { start: '2026-02-01' }, dateAsserted: '2026-01-01' }),
      OPEN,
    ],
    [
      'an effective period with an end',
      statementOf('oxazepam', { effectivePeriod: { start: '2026-02-01', end: '2026-03-05' } }),
      'taken 2026-02-01..2026-03-05',
    ],
    [
      'a dosage with an end',
      statementOf('oxazepam', { ...asserted, dosage: [line(until('2026-03-05'))] }),
      'taken 2026-02-01..2026-03-05',
    ],
    ['intended', statementOf('oxazepam', { ...asserted, status: 'intended' }), 'possible 2026-02-01..2027-02-01'],
    ['intended without any date', statementOf('oxazepam', { status: 'intended' }), 'possible 2026-03-02..'],
    ['adherence taking', statementOf('oxazepam', { ...asserted, status: 'recorded', ...adherence('taking') }), OPEN],
    [
      'adherence on hold',
      statementOf('oxazepam', { ...asserted, status: 'recorded', ...adherence('on-hold') }),
      'presumed 2026-02-01..',
    ],
    [
      'adherence not-taking',
      statementOf('oxazepam', { ...asserted, status: 'recorded', ...adherence('not-taking') }),
      undefined,
    ],
    [
      'adherence stopped',
      statementOf('oxazepam', { ...asserted, status: 'recorded', ...adherence('stopped') }),
      undefined,
    ],
    ['adherence never', statementOf('oxazepam', { ...asserted, status: 'recorded', ...adherence('never') }), undefined],
    ['not taken', statementOf('oxazepam', { ...asserted, status: 'not-taken' }), undefined],
  ]);
});

describe('1.2: dispenses', () => {
  const handed = { whenHandedOver: '2026-02-20' };
  const UNKNOWN_LENGTH = 'presumed 2026-02-20..2026-03-21, possible 2026-03-22..2026-05-30';
  holds([
    [
      'for its days of supply',
      dispenseOf('oxazepam', { ...handed, daysSupply: { value: 11, code: 'd' } }),
      'taken 2026-02-20..2026-03-02',
    ],
    [
      'days of supply without a unit',
      dispenseOf('oxazepam', { ...handed, daysSupply: { value: 11 } }),
      'taken 2026-02-20..2026-03-02',
    ],
    [
      'in weeks',
      dispenseOf('oxazepam', { ...handed, daysSupply: { value: 2, unit: 'veckor' } }),
      'taken 2026-02-20..2026-03-05',
    ],
    [
      'for its quantity',
      dispenseOf('oxazepam', {
        ...handed,
        quantity: { value: 22, unit: 'st' },
        dosageInstruction: [line(times(2), pieces(1))],
      }),
      'taken 2026-02-20..2026-03-02',
    ],
    [
      'a quantity used as needed: as if the duration were unknown',
      dispenseOf('oxazepam', {
        ...handed,
        quantity: { value: 22, unit: 'st' },
        dosageInstruction: [line(times(2), { ...pieces(1), asNeededBoolean: true })],
      }),
      UNKNOWN_LENGTH,
    ],
    [
      'a negative quantity: as if the duration were unknown',
      dispenseOf('oxazepam', {
        ...handed,
        quantity: { value: -22, unit: 'st' },
        dosageInstruction: [line(times(2), pieces(1))],
      }),
      UNKNOWN_LENGTH,
    ],
    [
      'days of supply take precedence over the quantity',
      dispenseOf('oxazepam', {
        ...handed,
        daysSupply: { value: 5 },
        quantity: { value: 22, unit: 'st' },
        dosageInstruction: [line(times(2), pieces(1))],
      }),
      'taken 2026-02-20..2026-02-24',
    ],
    [
      'the count and the end of its dosage are those of the order',
      dispenseOf('oxazepam', { ...handed, dosageInstruction: [line({ ...times(1), count: 5 })] }),
      UNKNOWN_LENGTH,
    ],
    [
      'an effective period is not one of its elements',
      dispenseOf('oxazepam', { ...handed, effectivePeriod: { start: '2026-01-01', end: '2026-02-22' } }),
      UNKNOWN_LENGTH,
    ],
    [
      'with an unknown modifier: at most possible',
      dispenseOf('oxazepam', { ...handed, daysSupply: { value: 5 }, modifierExtension: [{ url: 'x' }] }),
      'possible 2026-02-20..2027-02-24',
    ],
    [
      'handed over tomorrow',
      dispenseOf('oxazepam', { whenHandedOver: '2026-03-03', daysSupply: { value: 5 } }),
      'taken 2026-03-03..2026-03-07',
    ],
    ['unknown duration: 30 days presumed, possible until day 100', dispenseOf('oxazepam', handed), UNKNOWN_LENGTH],
    ['in progress', dispenseOf('oxazepam', { ...handed, status: 'in-progress' }), UNKNOWN_LENGTH],
    ['prepared', dispenseOf('oxazepam', { whenPrepared: '2026-02-20' }), UNKNOWN_LENGTH],
    [
      'handed over after preparation',
      dispenseOf('oxazepam', { ...handed, whenPrepared: '2026-02-10' }),
      UNKNOWN_LENGTH,
    ],
    ['without any date', dispenseOf('oxazepam', {}), 'possible 2026-03-02..'],
  ]);

  test.each(['preparation', 'on-hold', 'stopped', 'unknown'])('%s counts only if it was handed over', (status) => {
    expect(periodsOf(treatmentOf([dispenseOf('oxazepam', { ...handed, status })]))).toBe(UNKNOWN_LENGTH);
    expect(treatmentOf([dispenseOf('oxazepam', { whenPrepared: '2026-02-20', status })])).toBeUndefined();
  });

  test.each(['cancelled', 'declined', 'entered-in-error'])('%s does not count', (status) => {
    expect(treatmentOf([dispenseOf('oxazepam', { ...handed, status })])).toBeUndefined();
  });

  test('without a date it is not fresh', () => {
    expect(treatmentOf([dispenseOf('oxazepam', {})])?.fresh).toBe(false);
  });
});

describe('1.2: administrations', () => {
  holds([
    [
      'on its day',
      administrationOf('oxazepam', { effectiveDateTime: '2026-03-01T08:00:00+01:00' }),
      'taken 2026-03-01..2026-03-01',
    ],
    [
      'on a day (R5)',
      administrationOf('oxazepam', { occurenceDateTime: '2026-03-01' }),
      'taken 2026-03-01..2026-03-01',
    ],
    [
      'for its period',
      administrationOf('oxazepam', { effectivePeriod: { start: '2026-02-25', end: '2026-03-01' } }),
      'taken 2026-02-25..2026-03-01',
    ],
    [
      'for its period (R5)',
      administrationOf('oxazepam', { occurencePeriod: { start: '2026-02-25', end: '2026-03-01' } }),
      'taken 2026-02-25..2026-03-01',
    ],
    [
      'in progress',
      administrationOf('oxazepam', { status: 'in-progress', effectivePeriod: { start: '2026-02-25' } }),
      'taken 2026-02-25..2026-03-02',
    ],
    [
      'in progress, and begins tomorrow',
      administrationOf('oxazepam', { status: 'in-progress', effectivePeriod: { start: '2026-03-03' } }),
      'taken 2026-03-03..2026-03-03',
    ],
    [
      'in progress, with an end',
      administrationOf('oxazepam', {
        status: 'in-progress',
        effectivePeriod: { start: '2026-02-25', end: '2026-02-27' },
      }),
      'taken 2026-02-25..2026-02-27',
    ],
    [
      'completed, without an end: its first day',
      administrationOf('oxazepam', { effectivePeriod: { start: '2026-02-25' } }),
      'taken 2026-02-25..2026-02-25',
    ],
    ['not done', administrationOf('oxazepam', { status: 'not-done', effectiveDateTime: '2026-03-01' }), undefined],
    [
      'an error',
      administrationOf('oxazepam', { status: 'entered-in-error', effectiveDateTime: '2026-03-01' }),
      undefined,
    ],
  ]);

  test('a single administration is told apart from two', () => {
    const given = (id: string, effectiveDateTime: string) => administrationOf('oxazepam', { id, effectiveDateTime });
    expect(treatmentOf([given('a', '2026-03-01')])?.once).toBe(true);
    expect(treatmentOf([given('a', '2026-03-01'), given('b', '2026-02-28')])?.once).toBe(false);
    expect(treatmentOf([given('a', '2026-03-01'), order({})])?.once).toBe(false);
  });
});

describe('1.2: what does not count', () => {
  const reported = { reportedReference: { reference: 'Patient/kari' } };
  test.each<[string, Json]>([
    ['a draft in the list', { status: 'draft' }],
    ['cancelled', { status: 'cancelled' }],
    ['entered in error', { status: 'entered-in-error' }],
    ['not to be performed', { doNotPerform: true }],
    ['a proposal', { intent: 'proposal' }],
    ['a plan', { intent: 'plan' }],
    ['an unreported plan', { intent: 'plan', reportedBoolean: false }],
    ['a proposal, even if reported', { intent: 'proposal', ...reported }],
  ])('%s', (_, more) => {
    expect(treatmentOf([order(more)])).toBeUndefined();
  });

  test.each<[string, Json]>([
    ['an order', { intent: 'order' }],
    ['an original order', { intent: 'original-order' }],
    ['a reflex order', { intent: 'reflex-order' }],
    ['a filler order', { intent: 'filler-order' }],
    ['an instance order', { intent: 'instance-order' }],
    ['an option', { intent: 'option' }],
    ['no intent', { intent: undefined }],
    ['a reported plan', { intent: 'plan', reportedBoolean: true }],
    ['a plan reported by the patient', { intent: 'plan', ...reported }],
    ['explicitly to be performed', { doNotPerform: false }],
  ])('%s counts', (_, more) => {
    expect(treatmentOf([order(more)])?.degree).toBe('taken');
  });
});

describe('1.2: an entry sent twice counts once', () => {
  test('it is recognised by its id', () => {
    const found = treatmentOf([order({}), order({ authoredOn: '2026-01-01' })]);
    expect(found?.entries()).toHaveLength(1);
    expect(periodsOf(found)).toBe('taken 2026-02-01..2027-02-01, presumed 2027-02-02..');
  });

  test('it is recognised if only the id differs, so an administration stays a single one', () => {
    const given = (id: string, effectiveDateTime: string) => administrationOf('oxazepam', { id, effectiveDateTime });
    expect(treatmentOf([given('a', '2026-03-01'), given('b', '2026-03-01')])?.once).toBe(true);
    expect(treatmentOf([given('a', '2026-03-01T08:00:00Z'), given('b', '2026-03-01T20:00:00Z')])?.once).toBe(false);
  });

  test('the same id with another type is another entry', () => {
    const found = treatmentOf([order({ id: 'x' }), statementOf('oxazepam', { id: 'x', dateAsserted: '2026-02-01' })]);
    expect(found?.entries()).toHaveLength(2);
  });
});

describe('1.2: dosage lines', () => {
  const step = (sequence: number, days: number) => line({ boundsDuration: { value: days, code: 'd' } }, { sequence });
  holds([
    [
      'with different sequence numbers follow one another',
      order(lines(step(1, 10), step(2, 10), step(3, 10))),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'follow one another in any order of appearance',
      order(lines(step(3, 10), step(1, 10), step(2, 10))),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'with one sequence number run in parallel',
      order(lines(step(1, 10), step(1, 30))),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'without sequence numbers run in parallel',
      order(
        lines(line({ boundsDuration: { value: 30, code: 'd' } }), line({ boundsDuration: { value: 10, code: 'd' } })),
      ),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'one without an end leaves the whole open',
      order(lines(line(until('2026-02-10')), { text: 'vid behov' })),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'a sequence whose last line has no end stays open',
      order(lines(step(1, 10), { sequence: 2, text: 'vid behov' })),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
    [
      'a line with a Period keeps its dates',
      order(lines(step(1, 10), { ...line(until('2026-03-02', '2026-02-20')), sequence: 2 })),
      'taken 2026-02-01..2026-03-02',
    ],
    [
      'a mix of stated and computed ends counts as computed',
      order(lines(line(until('2026-02-10')), line({ ...times(1), count: 30 }))),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'equal units are summed',
      order({
        ...lines(
          line(times(1), { doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett' } }] }),
          line(times(1), { doseAndRate: [{ doseQuantity: { value: 1, unit: 'st' } }] }),
        ),
        ...amount(60),
      }),
      'taken 2026-02-01..2026-03-02, presumed 2026-03-03..',
    ],
    [
      'different units are not summed',
      order({
        ...lines(
          line(times(1), { doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett' } }] }),
          line(times(1), { doseAndRate: [{ doseQuantity: { value: 5, unit: 'ml' } }] }),
        ),
        ...amount(60),
      }),
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
  ]);
});

describe('1.2: where an order begins', () => {
  const start = (more: Json, entry = order) => periodsOf(treatmentOf([entry(more)]))?.slice(6, 16);
  const bounds = (repeat: Json, more: Json = {}) =>
    lines(line({ boundsDuration: { value: 60, code: 'd' }, ...repeat }, more));
  const extension = [{ url: 'https://example.org/fhir/treatment-start', valueDateTime: '2026-02-05' }];
  test.each([
    ['the day it was written', {}, '2026-02-01'],
    ['the first of a month', { authoredOn: '2026-01' }, '2026-01-01'],
    ['the start of its period', lines(line(until('2026-04-01', '2026-02-10'))), '2026-02-10'],
    [
      'the earliest line',
      lines(line(until('2026-04-01', '2026-02-10')), line(until('2026-04-01', '2026-02-07'))),
      '2026-02-07',
    ],
    ['a duration, from the day it was written', bounds({}), '2026-02-01'],
    ['a duration with a separate start', bounds({ extension }), '2026-02-05'],
    ['a start in the extension of the duration', bounds({ _boundsDuration: { extension } }), '2026-02-05'],
    ['a start in an extension of the order', { extension }, '2026-02-05'],
    ['the first event', lines({ timing: { event: ['2026-02-12', '2026-02-09'] } }), '2026-02-09'],
  ])('%s', (_, more, expected) => {
    expect(start(more)).toBe(expected);
  });

  test('a duration counts from its own start', () => {
    expect(periodsOf(treatmentOf([order(bounds({ boundsDuration: { value: 26, code: 'd' }, extension }))]))).toBe(
      'taken 2026-02-05..2026-03-02',
    );
  });

  test('a statement’s duration counts from its effective day', () => {
    const dosage = [line({ boundsDuration: { value: 30, code: 'd' } })];
    const found = statementOf('oxazepam', { effectiveDateTime: '2026-02-01', dateAsserted: '2026-02-20', dosage });
    expect(periodsOf(treatmentOf([found]))).toBe('taken 2026-02-01..2026-03-02');
  });
});

describe('1.3: agonist treatment continues for 14 days between supplies', () => {
  const laro = (more: Json) => orderOf('methadone', { authoredOn: '2026-01-01', ...more });
  const degree = (entry: Json) => treatmentOf([entry])?.degree;
  test.each<[string, (end: string) => Json]>([
    ['an active order with a stated end', (end) => laro(lines(line(until(end))))],
    ['a completed order', (end) => laro({ status: 'completed', ...lines(line(until(end))) })],
    ['a stopped order with its day (R5)', (statusChanged) => laro({ status: 'stopped', statusChanged })],
    ['an effective period', (end) => statementOf('methadone', { effectivePeriod: { start: '2026-01-01', end } })],
    ['an administration', (effectiveDateTime) => administrationOf('methadone', { effectiveDateTime })],
    [
      'a dispense of one day',
      (whenHandedOver) => dispenseOf('methadone', { whenHandedOver, daysSupply: { value: 1 } }),
    ],
  ])('%s', (_, entryUntil) => {
    expect(degree(entryUntil('2026-02-16'))).toBe('presumed');
    expect(degree(entryUntil('2026-02-15'))).toBeUndefined();
  });

  test('a dispense of unknown length is presumed for 30 days and 14 more, then possible', () => {
    expect(periodsOf(treatmentOf([dispenseOf('methadone', { whenHandedOver: '2026-02-01' })]))).toBe(
      'presumed 2026-02-01..2026-03-16, possible 2026-03-03..2026-05-11',
    );
  });

  test('after the planned end of a stopped order it is only possible', () => {
    const stopped = laro({ status: 'stopped', ...lines(line(until('2026-02-16'))) });
    expect(periodsOf(treatmentOf([stopped]))).toBe('possible 2026-01-01..2026-03-02');
  });

  test('stopped, with no dates: possible for 24 months, and that limit is not an end', () => {
    expect(periodsOf(treatmentOf([laro({ status: 'stopped' })]))).toBe('possible 2026-01-01..2028-01-01');
  });

  test('completed without an end: 100 days after the last change, and 14 more', () => {
    expect(periodsOf(treatmentOf([laro({ status: 'completed', ...changed('2026-01-10') })]))).toBe(
      'possible 2026-01-01..2026-05-04',
    );
  });

  test('another opioid does not continue', () => {
    const found = orderOf('oxycodone', { authoredOn: '2026-01-01', ...lines(line(until('2026-03-01'))) });
    expect(treatmentOf([found])?.degree).toBeUndefined();
  });

  test('days between supplies are not days of the medicine itself', () => {
    const found = treatmentOf([laro(lines(line(until('2026-02-20'))))]);
    expect(found?.timeline.strict).toHaveLength(1);
    expect(found?.timeline.spans).toHaveLength(2);
  });

  test('daily supervised dispensing with a missed day is one treatment without a gap', () => {
    const days = [1, 2, 3, 5, 6, 7, 8].map((day) =>
      dispenseOf('methadone', { id: `d${day}`, whenHandedOver: `2026-02-2${day}`, daysSupply: { value: 1 } }),
    );
    const found = treatmentOf(days);
    expect(found?.degree).toBe('presumed');
    expect(found?.start).toBe('2026-02-21');
    expect(found?.entries()).toHaveLength(7);
  });
});
