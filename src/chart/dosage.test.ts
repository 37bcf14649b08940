import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { knowledge } from '../testing/app.ts';
import { at, concept, draftIn, draftOf, line, orderOf, pieces, times, treatmentOf, until } from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';
import { lengthInText, MAX_LINES } from './dosage.ts';

// recommendations.md, 1.2 (dosage) and 3 (reading the end of a draft). Today is 2026-03-02.
const lines = (...dosageInstruction: Json[]) => ({ dosageInstruction });
const draft = (more: Json) => draftIn(draftOf('oxycodone', { authoredOn: at(0), ...more }));
const stop = (more: Json) => {
  const found = draft(more);
  return found?.stop === undefined ? undefined : [found.stop, found.stopFrom, found.length];
};
const supply = (value: number, more: Json = {}) => ({
  dispenseRequest: { expectedSupplyDuration: { value, code: 'd' }, ...more },
});
const amount = (value: number, unit = 'tabletter', more: Json = {}) => ({
  dispenseRequest: { quantity: { value, unit }, ...more },
});
const days = (value: number) => ({ boundsDuration: { value, code: 'd' } });

describe('3: the end of a draft', () => {
  test.each<[string, Json, unknown]>([
    ['the end of a period', lines(line(until('2026-03-06'))), ['2026-03-06', 'bounds', 5]],
    [
      'an instant, in the time zone of the site',
      lines(line(until('2026-03-06T23:30:00Z'))),
      ['2026-03-07', 'bounds', 6],
    ],
    ['a month as end', lines(line(until('2026-03'))), ['2026-03-31', 'bounds', 30]],
    ['a year as end', lines(line(until('2026'))), ['2026-12-31', 'bounds', 305]],
    ['a duration', lines(line(days(5))), ['2026-03-06', 'bounds', 5]],
    ['part of a day', lines(line({ boundsDuration: { value: 36, code: 'h' } })), ['2026-03-03', 'bounds', 2]],
    ['a month', lines(line({ boundsDuration: { value: 1, code: 'mo' } })), ['2026-04-01', 'bounds', 31]],
    ['a year', lines(line({ boundsDuration: { value: 1, code: 'a' } })), ['2027-03-01', 'bounds', 365]],
    [
      'the high end of a range',
      lines(line({ boundsRange: { low: { value: 3, code: 'd' }, high: { value: 7, code: 'd' } } })),
      ['2026-03-08', 'bounds', 7],
    ],
    [
      'a duration from a start of its own',
      lines(line({ ...days(3), boundsPeriod: { start: '2026-03-04' } })),
      ['2026-03-06', 'bounds', 3],
    ],
    [
      'a duration from a start known by its month',
      { authoredOn: '2026-03', ...lines(line(days(3))) },
      ['2026-03-03', 'bounds', 3],
    ],
    ['a count', lines(line({ ...times(3), count: 15 })), ['2026-03-06', 'count', 5]],
    ['the highest count', lines(line({ ...times(3), count: 9, countMax: 16 })), ['2026-03-07', 'count', 6]],
    [
      'a count by the highest frequency',
      lines(line({ count: 12, frequency: 1, frequencyMax: 4, period: 1, periodUnit: 'd' })),
      ['2026-03-04', 'count', 3],
    ],
    [
      'a count of every other day',
      lines(line({ count: 3, frequency: 1, period: 2, periodUnit: 'd' })),
      ['2026-03-07', 'count', 6],
    ],
    [
      'a count of every eight hours',
      lines(line({ count: 6, frequency: 1, period: 8, periodUnit: 'h' })),
      ['2026-03-03', 'count', 2],
    ],
    ['a count of 1', lines(line({ count: 1 })), ['2026-03-02', 'count', 1]],
    ['the last of some events', lines({ timing: { event: ['2026-03-04', '2026-03-02'] } }), ['2026-03-04', 'event', 3]],
    ['one event, sent without a list', lines({ timing: { event: '2026-03-04' } }), ['2026-03-04', 'event', 1]],
    ['days of supply', supply(5), ['2026-03-06', 'days-supply', 5]],
    ['days of supply, repeated', supply(5, { numberOfRepeatsAllowed: 2 }), ['2026-03-16', 'days-supply', 15]],
    ['negative repeats count as none', supply(5, { numberOfRepeatsAllowed: -3 }), ['2026-03-06', 'days-supply', 5]],
    ['a quantity', { ...lines(line(times(3), pieces(1))), ...amount(15) }, ['2026-03-06', 'quantity', 5]],
    [
      'a quantity, where a partial day counts',
      { ...lines(line(times(3), pieces(1))), ...amount(16) },
      ['2026-03-07', 'quantity', 6],
    ],
    [
      'a quantity as needed: the highest dose decides',
      { ...lines(line(times(3), { ...pieces(1), asNeededBoolean: true })), ...amount(15) },
      ['2026-03-06', 'quantity', 5],
    ],
    [
      'a quantity and a range: the highest dose decides',
      {
        ...lines(
          line(
            { frequency: 1, frequencyMax: 2, period: 1, periodUnit: 'd' },
            { doseAndRate: [{ doseRange: { low: { value: 1 }, high: { value: 2 } } }] },
          ),
        ),
        ...amount(20),
      },
      ['2026-03-06', 'quantity', 5],
    ],
    [
      'a quantity and a daily limit, which takes precedence over dose and frequency',
      {
        ...lines(
          line(times(3), {
            ...pieces(1),
            maxDosePerPeriod: { numerator: { value: 4, unit: 'st' }, denominator: { value: 1, code: 'd' } },
          }),
        ),
        ...amount(20),
      },
      ['2026-03-06', 'quantity', 5],
    ],
    [
      'a limit of two days (R5 has a list)',
      {
        ...lines(
          line(
            {},
            { maxDosePerPeriod: [{ numerator: { value: 8, unit: 'st' }, denominator: { value: 2, unit: 'dagar' } }] },
          ),
        ),
        ...amount(20),
      },
      ['2026-03-06', 'quantity', 5],
    ],
    [
      'a quantity in ml',
      {
        ...lines(line(times(2), { doseAndRate: [{ doseQuantity: { value: 5, code: 'mL', unit: 'ml' } }] })),
        ...amount(50, 'mL'),
      },
      ['2026-03-06', 'quantity', 5],
    ],
    [
      'a quantity in ml by its code alone',
      {
        ...lines(line(times(2), { doseAndRate: [{ doseQuantity: { value: 5, code: 'mL' } }] })),
        dispenseRequest: { quantity: { value: 50, code: 'mL' } },
      },
      ['2026-03-06', 'quantity', 5],
    ],
    ['a duration of a century', lines(line(days(36525))), ['2126-03-02', 'bounds', 36525]],
    [
      'months of a century',
      lines(line({ boundsDuration: { value: 1178, code: 'mo' } })),
      ['2124-05-01', 'bounds', 35855],
    ],
    ['a begun month', lines(line({ boundsDuration: { value: 1.5, code: 'mo' } })), ['2026-05-01', 'bounds', 61]],
    [
      'months of supply, repeated',
      { dispenseRequest: { expectedSupplyDuration: { value: 1, code: 'mo' }, numberOfRepeatsAllowed: 2 } },
      ['2026-06-01', 'days-supply', 92],
    ],
    [
      'more repeats than anyone allows',
      supply(1, { numberOfRepeatsAllowed: 5000 }),
      ['2028-11-26', 'days-supply', 1001],
    ],
    [
      'a count that comes out even despite floating-point error',
      lines(line({ count: 7, frequency: 7, period: 10, periodUnit: 'd' })),
      ['2026-03-11', 'count', 10],
    ],
    [
      'the start of a period takes precedence over one in an extension',
      lines(
        line(
          { ...days(3), boundsPeriod: { start: '2026-03-04' } },
          { extension: [{ url: 'x/start', valueDate: '2026-03-09' }] },
        ),
      ),
      ['2026-03-06', 'bounds', 3],
    ],
    [
      'a start in an extension takes precedence over an event',
      lines({
        timing: { event: ['2026-03-20'], repeat: days(3) },
        extension: [{ url: 'x/start', valueDate: '2026-03-09' }],
      }),
      ['2026-03-11', 'bounds', 3],
    ],
    [
      'the first of several extensions with a date',
      lines(
        line(days(3), {
          extension: [
            { url: 'x/start', valueDate: 'x' },
            { url: 'x/start', valueDate: '2026-03-09' },
            { url: 'x/start', valueDate: '2026-03-19' },
          ],
        }),
      ),
      ['2026-03-11', 'bounds', 3],
    ],
    [
      'parallel lines add up',
      { ...lines(line(times(1), pieces(1)), line(times(1), pieces(2))), ...amount(15) },
      ['2026-03-06', 'quantity', 5],
    ],
    ['a length in the text', lines({ text: '1 tablett 3 gånger dagligen i 5 dagar' }), ['2026-03-06', 'text', 5]],
    ['a length in the patient instruction', lines({ patientInstruction: 'I 5 dagar' }), ['2026-03-06', 'text', 5]],
    ['the longer of two texts', lines({ text: 'i 5 dagar' }, { text: 'i 1 vecka' }), ['2026-03-08', 'text', 7]],
    [
      'the last of parallel lines',
      lines(line(until('2026-03-06')), line(until('2026-03-10'))),
      ['2026-03-10', 'bounds', 9],
    ],
    [
      'lines in sequence, one after another',
      lines(line(days(3), { sequence: 1 }), line(days(2), { sequence: 2 })),
      ['2026-03-06', 'bounds', 5],
    ],
  ])('%s', (_, more, expected) => {
    expect(stop(more)).toEqual(expected);
  });

  test.each<[string, Json]>([
    ['nothing', {}],
    ['a dosage without timing', lines({ text: 'enligt läkare' })],
    ['a period without end', lines(line({ boundsPeriod: { start: '2026-03-02' } }))],
    ['an invalid date', lines(line(until('2026-02-30')))],
    ['a duration of zero', lines(line(days(0)))],
    ['a negative duration', lines(line(days(-5)))],
    ['a duration without unit', lines(line({ boundsDuration: { value: 5 } }))],
    ['a duration in an unknown unit', lines(line({ boundsDuration: { value: 5, code: 'kurer' } }))],
    ['a duration as a string', lines(line({ boundsDuration: { value: '5', code: 'd' } }))],
    ['a duration beyond any lifetime', lines(line(days(1e9)))],
    ['a duration of a century and a day', lines(line(days(36526)))],
    ['months beyond any lifetime', lines(line({ boundsDuration: { value: 1179, code: 'mo' } }))],
    ['a negative count', lines(line({ ...times(1), count: -1 }))],
    ['a count of zero without a frequency', lines(line({ count: 0 }))],
    [
      'ml as a dose, and pieces as a quantity',
      {
        ...lines(line(times(2), { doseAndRate: [{ doseQuantity: { value: 5, code: 'mL' } }] })),
        dispenseRequest: { quantity: { value: 50, unit: 'st' } },
      },
    ],
    ['only the low end of a range', lines(line({ boundsRange: { low: { value: 3, code: 'd' } } }))],
    ['a count without frequency', lines(line({ count: 15 }))],
    ['a count of zero', lines(line({ ...times(1), count: 0 }))],
    ['the dispensing period', { dispenseRequest: { validityPeriod: { end: '2027-03-02' } } }],
    ['a quantity without a dose', { ...lines(line(times(3))), ...amount(15) }],
    ['a quantity without a frequency', { ...lines({ ...pieces(1) }), ...amount(15) }],
    ['a quantity in another unit', { ...lines(line(times(3), pieces(1))), ...amount(100, 'mL') }],
    [
      'lines in different units',
      {
        ...lines(
          line(times(1), pieces(1)),
          line(times(1), { doseAndRate: [{ doseQuantity: { value: 5, unit: 'mg' } }] }),
        ),
        ...amount(15),
      },
    ],
    ['one of two lines without an end', lines(line(until('2026-03-06')), { text: 'sedan vid behov' })],
    ['one of two texts without a length', lines({ text: 'i 5 dagar' }, { text: 'vid behov' })],
  ])('no end is read from %s', (_, more) => {
    expect(stop(more)).toBeUndefined();
  });

  test('the sources have a fixed precedence', () => {
    const dosage = line({ ...until('2026-03-06'), ...times(1), count: 40 }, { ...pieces(1), text: 'i 9 dagar' });
    const bare = (repeat: Json) => ({ ...dosage, timing: { repeat } });
    const dispense = {
      dispenseRequest: { expectedSupplyDuration: { value: 30, code: 'd' }, quantity: { value: 20, unit: 'st' } },
    };
    const from = (more: Json) => draft(more)?.stopFrom;
    expect(from({ ...lines(dosage), ...dispense })).toBe('bounds');
    expect(from({ ...lines(bare({ ...times(1), count: 40 })), ...dispense })).toBe('count');
    expect(
      from({ ...lines({ ...bare(times(1)), timing: { event: ['2026-03-09'], repeat: times(1) } }), ...dispense }),
    ).toBe('event');
    expect(from({ ...lines(bare(times(1))), ...dispense })).toBe('days-supply');
    expect(from({ ...lines(bare(times(1))), ...amount(20) })).toBe('quantity');
    expect(from(lines(bare(times(1))))).toBe('text');
  });

  test('the dispensing period is the end if the site says so', () => {
    const site = { ...knowledge, site: { ...knowledge.site, validityPeriodEndsTreatment: true } };
    const valid = draftOf('oxycodone', {
      authoredOn: at(0),
      ...lines(line(times(3), pieces(1))),
      dispenseRequest: { validityPeriod: { end: '2026-03-20' }, quantity: { value: 15, unit: 'st' } },
    });
    expect(draftIn(valid)?.stop).toBe('2026-03-06');
    expect(draftIn(valid, [], { knowledge: site })).toMatchObject({ stop: '2026-03-20', stopFrom: 'validity-period' });
    const listed = orderOf('oxycodone', { authoredOn: at(-10), dispenseRequest: { validityPeriod: { end: at(-1) } } });
    expect(treatmentOf([listed], { knowledge: site })?.degree).toBeUndefined();
    expect(treatmentOf([listed])?.degree).toBe('taken');
  });
});

describe('1.2: units of duration, in UCUM and in words, in any case', () => {
  test.each<[number, string[]]>([
    [
      1,
      [
        'd',
        'day',
        'days',
        'dag',
        'dagar',
        'Dagar',
        'dager',
        'dage',
        'päivä',
        'päivää',
        'PÄIVÄÄ',
        'Tag',
        'Tage',
        'dygn',
        'døgn',
        ' d ',
      ],
    ],
    [
      7,
      ['wk', 'week', 'weeks', 'vecka', 'veckor', 'uke', 'uker', 'uge', 'uger', 'viikko', 'viikkoa', 'Woche', 'Wochen'],
    ],
    [31, ['mo', 'month', 'months', 'månad', 'månader', 'måned', 'måneder', 'kuukausi', 'kuukautta', 'Monat', 'Monate']],
    [365, ['a', 'year', 'years', 'år', 'vuosi', 'vuotta', 'Jahr', 'Jahre']],
  ])('%d days: %j', (length, units) => {
    const wrong = units.filter((unit) => draft(lines(line({ boundsDuration: { value: 1, unit } })))?.length !== length);
    expect(wrong).toEqual([]);
    const coded = units.filter((code) => draft(lines(line({ boundsDuration: { value: 1, code } })))?.length !== length);
    expect(coded).toEqual([]);
  });

  test.each([
    [24, ['h', 'hour', 'hours', 'timme', 'timmar', 'time', 'timer', 'tunti', 'tuntia', 'Stunde', 'Stunden']],
    [1440, ['min', 'minute', 'minuter', 'minutter']],
    [86400, ['s', 'sec', 'sekunder']],
  ])('%d of %j are a day', (value, units) => {
    const wrong = units.filter((unit) => draft(lines(line({ boundsDuration: { value, unit } })))?.length !== 1);
    expect(wrong).toEqual([]);
  });

  test('a meaningless code leaves it to the unit', () => {
    expect(draft(lines(line({ boundsDuration: { value: 2, code: '258703001', unit: ' Dagar ' } })))?.length).toBe(2);
  });
});

describe('1.2: units that count pieces are equivalent', () => {
  const counted = [
    undefined,
    '1',
    'st',
    'stk',
    'styck',
    'tablett',
    'tabletter',
    'TAB',
    'kapsel',
    'kapslar',
    '{tbl}',
    'pcs',
    'kpl',
    'Tablette',
    'Stück',
    'plåster',
    'suppositorium',
  ];
  test.each(counted)('%s', (unit) => {
    const found = draft({ ...lines(line(times(1), pieces(1))), dispenseRequest: { quantity: { value: 5, unit } } });
    expect([found?.length, found?.pieces]).toEqual([5, 5]);
  });

  test.each(['ml', 'mg', 'g', 'mikrogram', 'flaska'])('%s is not a piece', (unit) => {
    const found = draft({ ...lines(line(times(1), pieces(1))), dispenseRequest: { quantity: { value: 5, unit } } });
    expect([found?.length, found?.pieces, found?.quantity]).toEqual([undefined, undefined, 5]);
  });
});

describe('what a draft says about quantity and dose', () => {
  test.each<[string, Json, unknown]>([
    ['a quantity', amount(20), { quantity: 20, pieces: 20, repeats: 0 }],
    ['with repeats', amount(20, 'st', { numberOfRepeatsAllowed: 2 }), { quantity: 60, pieces: 60, repeats: 2 }],
    ['a daily dose', lines(line(times(3), pieces(2))), { dailyDose: 6, dosed: true }],
    ['a count of 2', lines(line({ ...times(1), count: 2 })), { single: false }],
    ['one unit', amount(1), { single: true }],
    ['one unit, repeated', amount(1, 'st', { numberOfRepeatsAllowed: 1 }), { single: false }],
  ])('%s', (_, more, expected) => {
    expect(draft(more)).toMatchObject(expected as object);
  });
});

describe('3: a taper', () => {
  const step = (sequence: number, frequency: number, dose?: number) =>
    line(times(frequency), { sequence, ...(dose !== undefined && pieces(dose)) });
  test.each<[string, Json[], boolean]>([
    ['falling doses', [step(1, 1, 3), step(2, 1, 2), step(3, 1, 1)], true],
    ['falling doses in another order', [step(3, 1, 1), step(1, 1, 3), step(2, 1, 2)], true],
    ['one dose level repeated', [step(1, 1, 3), step(2, 1, 3), step(3, 1, 1)], true],
    ['level throughout', [step(1, 1, 2), step(2, 1, 2)], false],
    ['rising', [step(1, 1, 1), step(2, 1, 2)], false],
    ['down and up again', [step(1, 1, 3), step(2, 1, 1), step(3, 1, 2)], false],
    ['falling frequency at one dose', [step(1, 3, 1), step(2, 2, 1), step(3, 1, 1)], true],
    ['falling frequency without a dose', [step(1, 3), step(2, 1)], true],
    ['one line', [step(1, 1, 1)], false],
    ['without a sequence', [line(times(2), pieces(2)), line(times(1), pieces(1))], false],
    ['lines with the same sequence number', [step(1, 1, 3), step(1, 1, 1)], false],
    ['a dose in one line only', [step(1, 2, 1), step(2, 1)], false],
    ['a dose in the other line only', [step(1, 2), step(2, 1, 1)], false],
    ['a frequency in one line only', [step(1, 2), { sequence: 2 }], false],
    [
      'falling numbers in different units',
      [step(1, 1, 5), line(times(1), { sequence: 2, doseAndRate: [{ doseQuantity: { value: 1, unit: 'ml' } }] })],
      false,
    ],
    ['down, then up to less than the first', [step(1, 1, 4), step(2, 1, 1), step(3, 1, 2)], false],
  ])('%s', (_, dosage, taper) => {
    expect(draft(lines(...dosage))?.taper).toBe(taper);
  });

  test.each([
    ['Nedtrappning enligt schema', true],
    ['nedtrapping over 4 uker', true],
    ['Aftrapning', true],
    ['nedtrapningsplan', true],
    ['uttrapping', true],
    ['taper over two weeks', true],
    ['ej nedtrappning', false],
    ['tapete', false],
    ['2 tabletter', false],
    ['', false],
  ])('the text %s: %s', (text, taper) => {
    expect(draft(lines({ text }))?.taper).toBe(taper);
  });
});

test('the text and the instruction of a line are separate sentences', () => {
  const taper = (line: Json) => draft(lines(line))?.taper;
  expect(taper({ text: 'ej fastande', patientInstruction: 'nedtrappning' })).toBe(true);
  expect(taper({ patientInstruction: 'nedtrappning' })).toBe(true);
  expect(taper({ text: 'ej nedtrappning', patientInstruction: 'x' })).toBe(false);
});

describe('3: a length in the dosage text', () => {
  const length = (text: string) => lengthInText(text, knowledge.codes.reading)?.days;
  test.each<[string, number]>([
    // Swedish
    ['1 tablett vid behov i 5 dagar', 5],
    ['1 tablett 3 gånger dagligen i högst 7 dagar', 7],
    ['1-2 tabletter vid smärta, max 4/dag, i 5 dagar', 5],
    ['1 tablett till natten i 2 veckor', 14],
    ['I 3-5 dagar', 5],
    ['i 3 – 5 dagar', 5],
    ['i 3 till 5 dagar', 5],
    ['under 10 dygn', 10],
    ['kur 7 dgr', 7],
    ['I 5 DAGAR', 5],
    ['5 dagars behandling', 5],
    // Norwegian
    ['1 tablett inntil 4 ganger daglig i 5 dager', 5],
    ['1 tablett om kvelden i 2 uker', 14],
    ['i 5 til 7 dager', 7],
    ['i 3 døgn', 3],
    // Danish
    ['1 tablet højst 4 gange daglig i 5 dage', 5],
    ['1 tablet i 1 uge', 7],
    ['i 2-3 uger', 21],
    // English
    ['1 tablet every 6 hours for 5 days', 5],
    ['take one tablet for 2 weeks', 14],
    ['for 3 to 5 days', 5],
    // Finnish, German
    ['1 tabletti 5 päivän ajan', 5],
    ['2 viikkoa', 14],
    ['1 Tablette für 7 Tage', 7],
    ['2 Wochen lang', 14],
    ['i 1,5 veckor', 11],
    ['i 1,25 veckor', 9],
    ['i 1.5 veckor', 11],
    ['i 14 dagar', 14],
    // A fraction of a tablet is not a frequency, nor is a number of days in a row.
    ['1/2 tablett i 5 dagar', 5],
    ['5 dagar i rad', 5],
    ['var 4:e timme i 5 dagar', 5],
    [`${'x '.repeat(496)}5 dagar`, 5],
  ])('%s: %d days', (text, expected) => {
    expect(length(text)).toBe(expected);
  });

  test.each([
    '1 tablett vid behov',
    '1 tablett 3 gånger dagligen',
    '1 plåster var 3 dag',
    '1 plåster var 3:e dag',
    '1 plaster hver 3 dag',
    '1 plaster hvert 3 døgn',
    'one patch every 3 days',
    'efter 5 dagar',
    'utvärderas efter 2 veckor',
    'etter 5 dager',
    'after 5 days',
    '2 dagar i veckan',
    '2 dagar per vecka',
    '3 dager i uken',
    '3 dage om ugen',
    '3 days per week',
    '3 days a week',
    '3 päivää viikossa',
    'i 5 dagar, därefter vid behov',
    'i 5 dagar sedan 1 tablett i 7 dagar',
    '2 tabletter i 3 dagar, 1 tablett i 4 dagar',
    'i 5 dager, deretter 1 til natten',
    'i 5 dage, derefter ved behov',
    'for 5 days, then as needed',
    '2 i 3 dager så 1 i 3 dager',
    '2 tablettia 3 päivää, sitten 1',
    'max 4/dag',
    '4 per dag',
    'högst 4 tabletter/dygn',
    'i fem dagar',
    'i några dagar',
    '5 dagarna',
    'i 3 månader',
    'dagar 5',
    'i 0 dagar',
    'var 2 vecka',
    '5 dagar/vecka',
    '2 dagar 3 gånger per vecka i 5 dagar',
    // Only the beginning of a long text is read.
    `${'x '.repeat(500)}5 dagar`,
    '',
  ])('nothing is read from %j', (text) => {
    expect(lengthInText(text, knowledge.codes.reading)).toBeUndefined();
  });

  test.each<[text: string, length: string, word: string]>([
    ['1 tablett i 3-5 dagar mot smärta', '3-5 dagar', 'dagar'],
    ['1 tablett i 3 till 5 dagar', '3 till 5 dagar', 'dagar'],
    ['1 tablett till 5 dagar', '5 dagar', 'dagar'],
    ['2 tabletter 5 dagar', '5 dagar', 'dagar'],
    ['i 1,5 Veckor', '1,5 Veckor', 'veckor'],
    ['5 dagar', '5 dagar', 'dagar'],
  ])('in %s it is at %s, so that it can be replaced', (text, length, word) => {
    const found = lengthInText(text, knowledge.codes.reading);
    expect([text.slice(found?.from, found?.to), found?.word]).toEqual([length, word]);
  });

  test('any text terminates, and what is found is in it (seed 7)', () => {
    const words = fc.constantFrom(
      'i',
      '5',
      '3-5',
      'dagar',
      'uker',
      'var',
      'vid behov',
      ',',
      '/',
      'därefter',
      '1',
      'tablett',
      '½',
      '٣',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
        const text = parts.join(' ');
        const found = lengthInText(text, knowledge.codes.reading);
        if (found === undefined) return;
        expect(found.days).toBeGreaterThan(0);
        expect(text.slice(found.from, found.to)).toMatch(/^\d.*(dagar|uker)$/);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe('limits of what is read', () => {
  test.each<[string, Json]>([
    ['dosage lines', lines(...Array.from({ length: MAX_LINES + 1 }, () => ({ text: 'x' })))],
    ['moments', lines({ timing: { event: Array.from({ length: limits.listOfEntry + 1 }, () => '2026-03-02') } })],
  ])('too many %s are refused, as too many', (_, more) => {
    expect(() => draft(more)).toThrow('too-many');
    expect(() => treatmentOf([orderOf('oxazepam', more)])).toThrow('too-many');
  });

  test('the refusal of too many dosage lines names the limit', () => {
    const more = lines(...Array.from({ length: MAX_LINES + 1 }, () => ({ text: 'x' })));
    expect(() => draft(more)).toThrow(
      expect.objectContaining({ code: 'too-many', diagnostics: [`dosage lines of an entry: at most ${MAX_LINES}`] }),
    );
  });

  test('the allowed number is read', () => {
    expect(draft(lines(...Array.from({ length: MAX_LINES }, () => line(until('2026-03-06')))))?.stop).toBe(
      '2026-03-06',
    );
  });

  test('any dosage is read without an error (seed 11)', () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        '',
        'd',
        'x',
        -1,
        0,
        1,
        1.5,
        1e308,
        [],
        {},
        '2026-03-05',
        '9999-12-31',
        '0001-01-01',
        true,
      ),
      fc.record({
        value: fc.constantFrom<unknown>(5, '5', -1, 1e300, null),
        code: fc.constantFrom<unknown>('d', 'a', 'mo', 7, null),
      }),
    );
    const repeat = fc.dictionary(
      fc.constantFrom(
        'boundsPeriod',
        'boundsDuration',
        'boundsRange',
        'count',
        'countMax',
        'frequency',
        'frequencyMax',
        'period',
        'periodMax',
        'periodUnit',
      ),
      value,
    );
    const dosage = fc.record(
      {
        sequence: value,
        text: value,
        timing: fc.oneof(
          value,
          fc.record({ repeat: fc.oneof(value, repeat), event: fc.oneof(value, fc.array(value, { maxLength: 3 })) }),
        ),
        doseAndRate: fc.oneof(
          value,
          fc.array(fc.record({ doseQuantity: value, doseRange: value }, { requiredKeys: [] }), { maxLength: 2 }),
        ),
        maxDosePerPeriod: value,
        asNeededBoolean: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(dosage, { maxLength: 3 }), value, value, (dosageInstruction, authoredOn, quantity) => {
        const more = { dosageInstruction, authoredOn, dispenseRequest: { quantity, expectedSupplyDuration: quantity } };
        expect(draftIn(draftOf(concept('oxycodone'), more))).toBeDefined();
        expect(treatmentOf([orderOf('oxycodone', more)])).toBeDefined();
      }),
      { seed: 11, numRuns: 200 },
    );
  });
});
