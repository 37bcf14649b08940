import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import {
  dateOf,
  dateOfInstant,
  dayOf,
  daysBetween,
  firstDay,
  isPartial,
  lastDay,
  localDate,
  monthsAfter,
  OPEN,
  onOrAfter,
  onOrBefore,
  plusDays,
  plusMonths,
  readDay,
  yearsBetween,
} from './dates.ts';

const SEED = 20260302;
const STOCKHOLM = 'Europe/Stockholm';
const day = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const partial = fc.tuple(day, fc.constantFrom(4, 7, 10)).map(([date, length]) => date.slice(0, length));

test.each([
  ['2026', '2026'],
  ['2026-03', '2026-03'],
  ['2026-03-14', '2026-03-14'],
  ['2024-02-29', '2024-02-29'],
  ['2026-03-14T23:30:00Z', '2026-03-15'],
  ['2026-03-14T22:30:00Z', '2026-03-14'],
  ['2026-03-14T22:30:00.123456Z', '2026-03-14'],
  ['2026-03-15T00:10:00+02:00', '2026-03-14'],
  ['2026-03-14T23:30:00', '2026-03-14'],
  // In summer midnight is an hour earlier, at 22:00 UTC.
  ['2026-07-14T21:59:59Z', '2026-07-14'],
  ['2026-07-14T22:00:00Z', '2026-07-15'],
  // The nights on which the clocks change.
  ['2026-03-28T23:00:00Z', '2026-03-29'],
  ['2026-03-29T22:00:00Z', '2026-03-30'],
  ['2026-10-24T22:00:00Z', '2026-10-25'],
  ['2026-10-25T22:59:59Z', '2026-10-25'],
])('localDate reads %s as %s', (text, date) => {
  expect(localDate(text, STOCKHOLM)).toBe(date);
});

test.each([
  ...['', '26', '2026-3', '2026-13', '2026-00', '2026-02-30', '2025-02-29', '2026-03-00', '2026-03-14 10:00', 'today'],
  ...[
    '2026-03-14T25:00:00Z',
    '2026-03-14T10:00:00+99:99',
    '+002026-03-14',
    '-000001-01-01',
    '2026-02-30T10:00:00',
    '2026-W11',
  ],
  ...[null, undefined, 2026, {}, ['2026-03-14']],
])('localDate reads no date in %j', (text) => {
  expect(localDate(text, STOCKHOLM)).toBeUndefined();
});

test.each([
  ['1800-01-01', true],
  ['1799-12-31', false],
  ['9000-12-31', true],
  ['9001-01-01', false],
  ['1800', true],
  ['1799', false],
  ['9000-12', true],
  ['9001-01', false],
  ['2026-12', true],
  ['2026-01', true],
  ['2026-03-01', true],
  ['2026-03-31', true],
  ['2026-03-32', false],
  ['2026-04-31', false],
  ['1799-12-31T10:00:00Z', false],
  ['9001-01-01T10:00:00Z', false],
])('%s is an allowed date: %s', (text, held) => {
  expect(localDate(text, STOCKHOLM) !== undefined).toBe(held);
});

test.each<[unknown, string | undefined]>([
  ['2026-03-14', '2026-03-14'],
  ['2026-02-30', undefined],
  ['2026-03-1x', undefined],
  ['2026-03', undefined],
  ['2026', undefined],
  ['2026-03-14T23:30:00Z', '2026-03-15'],
  ['2026-03-14T23:30:00+01:00', '2026-03-14'],
  ['2026-03-14T23:30:00-01:00', '2026-03-15'],
  ['2026-03-14T23:30:00', '2026-03-14'],
  ['2026-03-14T23:30', '2026-03-14'],
  ['2026-02-30T23:30:00Z', undefined],
  ['2026-03-14 at noon', undefined],
  [undefined, undefined],
  [20260314, undefined],
])('readDay reads %j as the whole day %s', (text, date) => {
  const day = readDay(text, STOCKHOLM);
  expect(day === undefined ? undefined : dateOf(day)).toBe(date);
});

test('a day is the number of days since 1970, and every date is before an open end', () => {
  expect([dayOf('1970-01-01'), dayOf('1970-01-02'), dayOf('1969-12-31')]).toEqual([0, 1, -1]);
  expect(dateOf(dayOf('2026-03-14'))).toBe('2026-03-14');
  expect(dayOf('9000-12-31')).toBeLessThan(OPEN);
  expect(dateOf(monthsAfter(dayOf('2026-01-31'), 1))).toBe('2026-02-28');
});

test('the offset of a zone is that of the instant, also without remembered offsets', async () => {
  // A separate module that has read no instant yet.
  const module = `./dates.ts?${crypto.randomUUID()}`;
  const { localDate: read } = (await import(module)) as { localDate: typeof localDate };
  for (const [text, date] of [
    ['2026-03-28T22:59:59Z', '2026-03-28'],
    ['2026-03-28T23:00:00Z', '2026-03-29'],
    ['2026-03-29T21:59:59Z', '2026-03-29'],
    ['2026-03-29T22:00:00Z', '2026-03-30'],
    ['2026-07-14T22:00:00Z', '2026-07-15'],
    ['2026-01-14T22:59:59Z', '2026-01-14'],
    ['2026-10-24T22:00:00Z', '2026-10-25'],
    ['2026-10-25T22:59:59Z', '2026-10-25'],
  ])
    expect([text, read(text, STOCKHOLM)]).toEqual([text, date]);
  expect(read('2026-07-14T22:00:00Z', 'UTC')).toBe('2026-07-14');
});

test('the same instant falls on another day elsewhere', () => {
  const instant = Date.parse('2026-03-14T23:30:00Z');
  expect(dateOfInstant(instant, STOCKHOLM)).toBe('2026-03-15');
  expect(dateOfInstant(instant, 'Atlantic/Reykjavik')).toBe('2026-03-14');
  expect(dateOfInstant(instant, 'America/Nuuk')).toBe('2026-03-14');
});

test.each([
  ['2026', '2026-01-01', '2026-12-31'],
  ['2026-02', '2026-02-01', '2026-02-28'],
  ['2024-02', '2024-02-01', '2024-02-29'],
  ['2026-04', '2026-04-01', '2026-04-30'],
  ['2026-04-07', '2026-04-07', '2026-04-07'],
])('%s means %s to %s', (date, first, last) => {
  expect([firstDay(date), lastDay(date)]).toEqual([first, last]);
  expect(isPartial(date)).toBe(first !== last);
});

test('a partial date is certainly before or after another only if every day in it is', () => {
  expect(onOrBefore('2026-02', '2026-02-28', 'all')).toBe(true);
  expect(onOrBefore('2026-02', '2026-02-27', 'all')).toBe(false);
  expect(onOrBefore('2026-02', '2026-02-01', 'some')).toBe(true);
  expect(onOrBefore('2026-02', '2026-01-31', 'some')).toBe(false);
  expect(onOrAfter('2026-02', '2026-02-01', 'all')).toBe(true);
  expect(onOrAfter('2026-02', '2026-02-02', 'all')).toBe(false);
  expect(onOrAfter('2026', '2026-12-31', 'some')).toBe(true);
  expect(onOrAfter('2026', '2027-01-01', 'some')).toBe(false);
});

test.each([
  ['2026-01-31', 1, '2026-02-28'],
  ['2024-01-31', 1, '2024-02-29'],
  ['2025-08-31', 6, '2026-02-28'],
  ['2025-08-30', 6, '2026-02-28'],
  ['2025-08-28', 6, '2026-02-28'],
  ['2026-03-31', -1, '2026-02-28'],
  ['2025-12-15', 1, '2026-01-15'],
])('%s plus %i months is %s', (date, months, result) => {
  expect(plusMonths(date, months)).toBe(result);
});

test('days are calendar days, also when the clocks change', () => {
  expect(plusDays('2026-03-28', 2)).toBe('2026-03-30');
  expect(plusDays('2026-10-24', 2)).toBe('2026-10-26');
  expect(plusDays('2026-02-28', 1)).toBe('2026-03-01');
  expect(daysBetween('2026-03-28', '2026-03-30')).toBe(2);
});

test('years are completed years', () => {
  expect(yearsBetween('2008-03-02', '2026-03-01')).toBe(17);
  expect(yearsBetween('2008-03-02', '2026-03-02')).toBe(18);
  expect(yearsBetween('2008-02-29', '2026-02-28')).toBe(17);
  expect(yearsBetween('2008-02-29', '2026-03-01')).toBe(18);
});

describe(`for any date (seed ${SEED})`, () => {
  test('the days between a date and the date plus n days are n', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: -4000, max: 4000 }), (date, days) => {
        expect(daysBetween(date, plusDays(date, days))).toBe(days);
      }),
      { seed: SEED },
    );
  });

  test('what is certain is also possible, and a partial date begins before it ends', () => {
    fc.assert(
      fc.property(partial, partial, (a, b) => {
        expect(firstDay(a) <= lastDay(a)).toBe(true);
        if (onOrBefore(a, b, 'all')) expect(onOrBefore(a, b, 'some')).toBe(true);
        // At least one of the two holds for whole days, and may hold for partial dates.
        expect(onOrBefore(a, b, 'some') || onOrAfter(a, b, 'some')).toBe(true);
        if (!isPartial(a) && !isPartial(b)) expect(onOrBefore(a, b, 'all')).toBe(a <= b);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('an instant is read as the local date at the site', () => {
    const instants = fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.constantFrom(STOCKHOLM, 'UTC', 'America/Nuuk', 'Pacific/Auckland'), (date, zone) => {
        expect(localDate(date.toISOString(), zone)).toBe(dateOfInstant(date.getTime(), zone));
      }),
      { seed: SEED },
    );
  });
});

describe('compared with Temporal, which is slower', () => {
  const day = fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));

  test('completed years agree', () => {
    fc.assert(
      fc.property(day, day, (a, b) => {
        const [start, stop] = a < b ? [a, b] : [b, a];
        const { years } = Temporal.PlainDate.from(start).until(stop, { largestUnit: 'year' });
        expect(yearsBetween(start, stop)).toBe(years);
      }),
    );
  });

  test('valid and invalid dates agree', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1800, max: 2400 }), fc.nat(13), fc.nat(32), (year, month, number) => {
        const two = (part: number) => String(part).padStart(2, '0');
        const date = `${year}-${two(month)}-${two(number)}`;
        let exists = true;
        try {
          Temporal.PlainDate.from(date, { overflow: 'reject' });
        } catch {
          exists = false;
        }
        expect(localDate(date, 'UTC')).toBe(exists ? date : undefined);
      }),
    );
  });

  test('the local day of an instant agrees in all kinds of time zones, whatever the order of requests', () => {
    const zones = ['Europe/Stockholm', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kolkata', 'UTC'];
    const moment = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2060-01-01') });
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, fc.constantFrom(...zones)), { maxLength: 20 }), (asked) => {
        for (const [at, zone] of asked.flatMap(
          ([time, zone]) =>
            [
              [time, zone],
              [time + 900_000, zone],
              [time + 60_000, zone],
            ] as const,
        )) {
          const date = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString();
          expect(dateOfInstant(at, zone)).toBe(date);
        }
      }),
    );
  });
});
