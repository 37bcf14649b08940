import { expect, test } from 'vitest';
import type { JsonObject, Resource } from '../fhir/json.ts';
import { readQuantity, readStart, readStop } from './stop.ts';

const options = { timeZone: 'Europe/Stockholm', validityPeriodEndsTreatment: false };

/** An order with these dosage lines and this dispense request. */
function orderOf(dosageInstruction: unknown, dispenseRequest?: JsonObject, more: JsonObject = {}): Resource {
  return { resourceType: 'MedicationRequest', dosageInstruction, dispenseRequest, ...more } as Resource;
}
const repeat = (fields: JsonObject, more: JsonObject = {}): JsonObject => ({ timing: { repeat: fields }, ...more });
const stopOf = (order: Resource, start: string | undefined = '2026-03-02', site = options) => {
  const found = readStop(order, start, site);
  return found && [found.stop, found.stopFrom, found.length];
};

const THRICE = { frequency: 3, period: 1, periodUnit: 'd' };
const TABLET = { doseAndRate: [{ doseQuantity: { value: 1, code: 'TAB' } }] };
const tablets = (value: number) => ({ quantity: { value, code: 'TAB' } });

test.each<[string, Resource, unknown]>([
  ['the end of a period', orderOf([repeat({ boundsPeriod: { end: '2026-03-06' } })]), ['2026-03-06', 'bounds', 5]],
  [
    'an instant as end',
    orderOf([repeat({ boundsPeriod: { end: '2026-03-06T23:30:00Z' } })]),
    ['2026-03-07', 'bounds', 6],
  ],
  ['a month as end', orderOf([repeat({ boundsPeriod: { end: '2026-03' } })]), ['2026-03-31', 'bounds', 30]],
  ['a year as end', orderOf([repeat({ boundsPeriod: { end: '2026' } })]), ['2026-12-31', 'bounds', 305]],
  ['a duration in days', orderOf([repeat({ boundsDuration: { value: 5, code: 'd' } })]), ['2026-03-06', 'bounds', 5]],
  [
    'a duration in words',
    orderOf([repeat({ boundsDuration: { value: 2, unit: 'weeks' } })]),
    ['2026-03-15', 'bounds', 14],
  ],
  ['part of a day', orderOf([repeat({ boundsDuration: { value: 36, code: 'h' } })]), ['2026-03-03', 'bounds', 2]],
  ['a month', orderOf([repeat({ boundsDuration: { value: 1, code: 'mo' } })]), ['2026-04-01', 'bounds', 31]],
  ['a year', orderOf([repeat({ boundsDuration: { value: 1, code: 'a' } })]), ['2027-03-01', 'bounds', 365]],
  [
    'the high end of a range',
    orderOf([repeat({ boundsRange: { low: { value: 3, code: 'd' }, high: { value: 7, code: 'd' } } })]),
    ['2026-03-08', 'bounds', 7],
  ],
  ['doses to be taken', orderOf([repeat({ count: 15, ...THRICE })]), ['2026-03-06', 'count', 5]],
  ['the most doses', orderOf([repeat({ count: 9, countMax: 16, ...THRICE })]), ['2026-03-07', 'count', 6]],
  [
    'doses by the highest frequency',
    orderOf([repeat({ count: 12, frequency: 1, frequencyMax: 4, period: 1, periodUnit: 'd' })]),
    ['2026-03-04', 'count', 3],
  ],
  [
    'a dose every other day',
    orderOf([repeat({ count: 3, frequency: 1, period: 2, periodUnit: 'd' })]),
    ['2026-03-07', 'count', 6],
  ],
  [
    'a dose every eight hours',
    orderOf([repeat({ count: 6, frequency: 1, period: 8, periodUnit: 'h' })]),
    ['2026-03-03', 'count', 2],
  ],
  [
    'the last of some moments',
    orderOf([{ timing: { event: ['2026-03-04', '2026-03-02'] } }]),
    ['2026-03-04', 'event', 3],
  ],
  [
    'days of supply',
    orderOf([{}], { expectedSupplyDuration: { value: 5, code: 'd' } }),
    ['2026-03-06', 'days-supply', 5],
  ],
  [
    'days of supply, repeated',
    orderOf([{}], { expectedSupplyDuration: { value: 5, code: 'd' }, numberOfRepeatsAllowed: 2 }),
    ['2026-03-16', 'days-supply', 15],
  ],
  [
    'days of supply without dosage',
    orderOf(undefined, { expectedSupplyDuration: { value: 5, code: 'd' } }),
    ['2026-03-06', 'days-supply', 5],
  ],
  ['the quantity', orderOf([repeat(THRICE, TABLET)], tablets(15)), ['2026-03-06', 'quantity', 5]],
  [
    'the quantity, begun packages counted',
    orderOf([repeat(THRICE, TABLET)], tablets(16)),
    ['2026-03-07', 'quantity', 6],
  ],
  [
    'the quantity, repeated',
    orderOf([repeat(THRICE, TABLET)], { ...tablets(15), numberOfRepeatsAllowed: 1 }),
    ['2026-03-11', 'quantity', 10],
  ],
])('a stop is read from %s', (_, order, expected) => {
  expect(stopOf(order)).toEqual(expected);
});

test.each<[string, Resource]>([
  ['nothing', orderOf(undefined)],
  ['no timing', orderOf([{ text: 'as told' }])],
  ['a period without end', orderOf([repeat({ boundsPeriod: { start: '2026-03-02' } })])],
  ['a nonsensical end', orderOf([repeat({ boundsPeriod: { end: '2026-02-30' } })])],
  ['a duration of nothing', orderOf([repeat({ boundsDuration: { value: 0, code: 'd' } })])],
  ['a duration below nothing', orderOf([repeat({ boundsDuration: { value: -5, code: 'd' } })])],
  ['a duration without unit', orderOf([repeat({ boundsDuration: { value: 5 } })])],
  ['a duration of unknown unit', orderOf([repeat({ boundsDuration: { value: 5, code: 'courses' } })])],
  ['a duration as text', orderOf([repeat({ boundsDuration: { value: '5', code: 'd' } })])],
  ['only the low end of a range', orderOf([repeat({ boundsRange: { low: { value: 3, code: 'd' } } })])],
  ['doses without frequency', orderOf([repeat({ count: 15 })])],
  ['how long it may be dispensed', orderOf([{}], { validityPeriod: { end: '2027-03-02' } })],
  ['a quantity without dose', orderOf([repeat(THRICE)], tablets(15))],
  [
    'a quantity in another unit than the dose',
    orderOf([repeat(THRICE, TABLET)], { quantity: { value: 100, code: 'mL' } }),
  ],
  ['one of two lines', orderOf([repeat({ boundsPeriod: { end: '2026-03-06' } }), { text: 'then as needed' }])],
])('no stop is read from %s', (_, order) => {
  expect(stopOf(order)).toBeUndefined();
});

test('without a start, only a date of its own is a stop', () => {
  const read = (order: Resource) => readStop(order, undefined, options);
  expect(read(orderOf([repeat({ boundsPeriod: { end: '2026-03-06' } })]))).toEqual({
    stop: '2026-03-06',
    stopFrom: 'bounds',
  });
  expect(read(orderOf([repeat({ boundsDuration: { value: 5, code: 'd' } })]))).toBeUndefined();
  expect(read(orderOf([repeat(THRICE, TABLET)], tablets(15)))).toBeUndefined();
});

test('a duration counts from its own start', () => {
  const line = repeat({ boundsPeriod: { start: '2026-03-04' }, boundsDuration: { value: 3, code: 'd' } });
  expect(stopOf(orderOf([line]))?.[0]).toBe('2026-03-06');
});

test('the sources stand in their order: what is said of the dosage before what is dispensed', () => {
  const dispense = { expectedSupplyDuration: { value: 30, code: 'd' }, ...tablets(90) };
  const bounds = { boundsPeriod: { end: '2026-03-06' } };
  expect(stopOf(orderOf([repeat({ ...bounds, count: 30, ...THRICE }, TABLET)], dispense))?.[1]).toBe('bounds');
  expect(stopOf(orderOf([repeat({ count: 30, ...THRICE }, TABLET)], dispense))?.[1]).toBe('count');
  expect(stopOf(orderOf([repeat(THRICE, TABLET)], dispense))?.[1]).toBe('days-supply');
  expect(stopOf(orderOf([repeat(THRICE, TABLET)], tablets(90)))?.[1]).toBe('quantity');
});

test('what may be dispensed means treatment only where the site says so', () => {
  const order = orderOf([repeat(THRICE, TABLET)], { validityPeriod: { end: '2026-03-20' }, ...tablets(15) });
  expect(stopOf(order)).toEqual(['2026-03-06', 'quantity', 5]);
  expect(stopOf(order, '2026-03-02', { ...options, validityPeriodEndsTreatment: true })).toEqual([
    '2026-03-20',
    'validity-period',
    19,
  ]);
});

test('of several lines the last end counts, whatever their order', () => {
  const lines = ['2026-03-04', '2026-03-20', '2026-03-11'].map((end) => repeat({ boundsPeriod: { end } }));
  expect(stopOf(orderOf(lines))?.[0]).toBe('2026-03-20');
  expect(stopOf(orderOf([...lines].reverse()))?.[0]).toBe('2026-03-20');
});

test('the doses of several lines add up', () => {
  const lines = [
    repeat({ frequency: 2, period: 1, periodUnit: 'd' }, TABLET),
    repeat({ frequency: 1, period: 1, periodUnit: 'd' }, TABLET),
  ];
  expect(readQuantity(orderOf(lines, tablets(15)))).toEqual({ quantity: 15, dailyDose: 3 });
  expect(stopOf(orderOf(lines, tablets(15)))).toEqual(['2026-03-06', 'quantity', 5]);
});

test('a course over the change of the clock and over a month’s end has all its days', () => {
  const weeks = (value: number) => orderOf([repeat({ boundsDuration: { value, code: 'wk' } })]);
  expect(stopOf(weeks(1), '2026-03-26')).toEqual(['2026-04-01', 'bounds', 7]);
  expect(stopOf(weeks(1), '2026-10-22')).toEqual(['2026-10-28', 'bounds', 7]);
  expect(stopOf(weeks(1), '2024-02-26')).toEqual(['2024-03-03', 'bounds', 7]);
});

test.each([
  ['2026-01-31', 1, 'mo', '2026-02-27'],
  ['2026-01-01', 1, 'mo', '2026-01-31'],
  ['2024-02-29', 1, 'a', '2025-02-27'],
  ['2026-03-02', 1, 'd', '2026-03-02'],
  ['2026-03-02', 1, 'min', '2026-03-02'],
  ['2026-03-02', 0.5, 'wk', '2026-03-05'],
])('from %s, %d %s last to %s', (from, value, code, last) => {
  expect(stopOf(orderOf([repeat({ boundsDuration: { value, code } })]), from)?.[0]).toBe(last);
});

test.each([36_526, 1e9, 1e308, Number.POSITIVE_INFINITY, Number.NaN])(
  'a duration of %d days is a slip of the pen',
  (value) => {
    expect(stopOf(orderOf([repeat({ boundsDuration: { value, code: 'd' } })]))).toBeUndefined();
    expect(stopOf(orderOf([{}], { expectedSupplyDuration: { value, code: 'd' } }))).toBeUndefined();
  },
);

test.each<[string, Resource, string | undefined]>([
  [
    'its earliest line',
    orderOf([repeat({ boundsPeriod: { start: '2026-03-09' } }), repeat({ boundsPeriod: { start: '2026-03-04' } })]),
    '2026-03-04',
  ],
  ['its first moment', orderOf([{ timing: { event: ['2026-03-05', '2026-03-04'] } }]), '2026-03-04'],
  ['the day it was written', orderOf([{}], undefined, { authoredOn: '2026-03-01T23:30:00Z' }), '2026-03-02'],
  ['nothing', orderOf([{}]), undefined],
])('a start is read from %s', (_, order, start) => {
  expect(readStart(order, 'Europe/Stockholm')).toBe(start);
});
