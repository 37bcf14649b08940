import { describe, expect, test } from 'vitest';
import { dateOf, dayOf } from '../dates.ts';
import { type JsonObject, objects, type Resource } from '../fhir/json.ts';
import { knowledge } from '../testing/app.ts';
import { fromTemplate, stopperOf, withQuantity } from './orders.ts';

const options = {
  reading: knowledge.codes.reading,
  timeZone: 'Europe/Oslo',
  today: dayOf('2026-03-02'),
  start: dayOf('2026-03-02'),
  write: dateOf,
};
const order = (more: JsonObject): Resource => ({ resourceType: 'MedicationRequest', ...more });
const stopped = (more: JsonObject, end = '2026-03-06') => stopperOf(order(more), options)?.(dayOf(end));
const changed = (more: JsonObject): JsonObject => stopped(more)?.resource ?? {};
const lineOf = (dosage: JsonObject): JsonObject =>
  objects(changed({ dosageInstruction: [dosage] })['dosageInstruction'])[0] ?? {};
const until = (end: string, start?: string) => ({ boundsPeriod: { ...(start !== undefined && { start }), end } });

describe('the end of a dosage line replaces any bound', () => {
  test.each<[what: string, repeat: JsonObject, now: JsonObject]>([
    ['none', {}, until('2026-03-06')],
    ['a duration', { boundsDuration: { value: 10, code: 'd' } }, until('2026-03-06')],
    ['a range', { boundsRange: { low: { value: 5, code: 'd' }, high: { value: 10, code: 'd' } } }, until('2026-03-06')],
    ['a count', { count: 10, countMax: 12 }, until('2026-03-06')],
    ['a period', until('2026-04-01'), until('2026-03-06')],
    ['a period with a start', until('2026-04-01', '2026-03-01'), until('2026-03-06', '2026-03-01')],
    [
      'a range and a period',
      { boundsRange: { high: { value: 10, code: 'd' } }, ...until('2026-04-01', '2026-03-01') },
      until('2026-03-06', '2026-03-01'),
    ],
    [
      'the frequency is kept',
      { frequency: 2, period: 1, periodUnit: 'd', boundsDuration: { value: 10, code: 'd' } },
      { frequency: 2, period: 1, periodUnit: 'd', ...until('2026-03-06') },
    ],
  ])('%s', (_, repeat, now) => {
    expect(lineOf({ timing: { repeat, code: { text: 'x' } }, text: 'y' })).toEqual({
      timing: { repeat: now, code: { text: 'x' } },
      text: 'y',
    });
  });

  test('an order without dosage lines gets one', () => {
    for (const more of [{}, { dosageInstruction: [] }])
      expect(stopped(more)?.resource['dosageInstruction']).toEqual([{ timing: { repeat: until('2026-03-06') } }]);
  });

  test('a dosage that is not a list cannot be changed', () => {
    expect(stopped({ dosageInstruction: { text: 'x' } })).toBeUndefined();
  });

  test('a line keeps its own start, also in a sequence', () => {
    const own = { sequence: 2, timing: { repeat: until('2026-03-09', '2026-03-03') } };
    const first = { sequence: 1, timing: { repeat: { boundsDuration: { value: 2, code: 'd' } } } };
    expect(stopped({ dosageInstruction: [first, own] })?.resource['dosageInstruction']).toEqual([
      { sequence: 1, timing: { repeat: until('2026-03-03', '2026-03-02') } },
      { sequence: 2, timing: { repeat: until('2026-03-06', '2026-03-03') } },
    ]);
  });

  test('if no line has begun, one with the end is left', () => {
    const later = { timing: { repeat: until('2026-04-01', '2026-03-07') } };
    expect(stopped({ dosageInstruction: [later, later] })).toMatchObject({
      resource: { dosageInstruction: [{ timing: { repeat: until('2026-03-06') } }] },
      dropped: 2,
    });
  });

  test('events after the end are removed, and so are invalid ones', () => {
    const event = ['2026-03-02', '2026-03-06T23:00:00+01:00', '2026-03-07', 'x', 7];
    expect(lineOf({ timing: { event } })).toEqual({
      timing: { event: ['2026-03-02', '2026-03-06T23:00:00+01:00'], repeat: until('2026-03-06') },
    });
    expect(lineOf({ timing: { event: '2026-03-02' } })).toEqual({ timing: { repeat: until('2026-03-06') } });
  });
});

describe('dosage lines in sequence', () => {
  const days = (sequence: number, value: number, more: JsonObject = {}) => ({
    sequence,
    timing: { repeat: { ...more, boundsDuration: { value, code: 'd' } } },
  });
  test('lines that end before the new end are kept, the last is shortened and later ones are removed', () => {
    const found = stopped({ dosageInstruction: [days(1, 3), days(2, 3), days(3, 3)] });
    expect(found?.resource['dosageInstruction']).toEqual([
      { sequence: 1, timing: { repeat: until('2026-03-04', '2026-03-02') } },
      { sequence: 2, timing: { repeat: until('2026-03-06', '2026-03-05') } },
    ]);
    expect(found?.dropped).toBe(1);
  });

  test('a line after one without an end runs from the first day', () => {
    const endless = { sequence: 1, timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } } };
    expect(stopped({ dosageInstruction: [endless, { ...endless, sequence: 2 }] })).toMatchObject({
      resource: {
        dosageInstruction: [
          { sequence: 1, timing: { repeat: until('2026-03-06', '2026-03-02') } },
          { sequence: 2, timing: { repeat: until('2026-03-06') } },
        ],
      },
      dropped: 0,
    });
  });

  test('a line that begins on the last day is kept, and one that begins the day after is removed', () => {
    expect(stopped({ dosageInstruction: [days(1, 4), days(2, 3)] })?.dropped).toBe(0);
    expect(stopped({ dosageInstruction: [days(1, 5), days(2, 3)] })?.dropped).toBe(1);
  });

  test('lines with equal or missing sequence numbers run in parallel', () => {
    for (const second of [days(1, 2), { timing: { repeat: { boundsDuration: { value: 2, code: 'd' } } } }])
      expect(stopped({ dosageInstruction: [days(1, 3), second] })?.resource['dosageInstruction']).toEqual([
        { sequence: 1, timing: { repeat: until('2026-03-06') } },
        { ...second, timing: { repeat: until('2026-03-06') } },
      ]);
  });
});

describe('the narrative', () => {
  test.each<[status: string | undefined, stays: boolean]>([
    ['generated', false],
    ['extensions', false],
    ['additional', true],
    [undefined, true],
  ])('%s stays: %s', (status, stays) => {
    const text = { ...(status !== undefined && { status }), div: '<div>10 days</div>' };
    expect('text' in changed({ text })).toBe(stays);
  });
});

describe('a length in the text', () => {
  const text = (key: string, value: string) => {
    const dosage = { [key]: value };
    return [lineOf(dosage)[key], stopped({ dosageInstruction: [dosage] })?.textLeft];
  };
  test.each<[value: string, now: string, left: boolean]>([
    ['1 tablet for 10 days', '1 tablet until 2026-03-06', false],
    ['1 tablet in 10 days', '1 tablet until 2026-03-06', false],
    ['1 tablet 10 days', '1 tablet until 2026-03-06', false],
    ['1 tablett i 10 dagar', '1 tablett till och med 2026-03-06', false],
    ['1 tablet 4 times a day', '1 tablet 4 times a day', false],
    ['1 tablet for 10 days, then 5 days', '1 tablet for 10 days, then 5 days', true],
    ['as needed', 'as needed', false],
    ['1 tablet for  10 days', '1 tablet until 2026-03-06', false],
    ['For 10 days 1 tablet', 'until 2026-03-06 1 tablet', false],
    ['1 tablett under 10 dagar', '1 tablett till och med 2026-03-06', false],
    ['1 tablet à 10 days', '1 tablet until 2026-03-06', false],
    ['in water 10 days', 'in water until 2026-03-06', false],
    ['into 10 days', 'into until 2026-03-06', false],
    ['7 tabletti 10 days', '7 tabletti until 2026-03-06', false],
    ['1 tablet for 2 weeks, at night', '1 tablet until 2026-03-06, at night', false],
    // These languages have no words for the last day here.
    ['1 tabletti 10 vrk', '1 tabletti 10 vrk', true],
    ['1 tablet for 2 months', '1 tablet for 2 months', true],
    ['1 TABLET FOR 2 MONTHS', '1 TABLET FOR 2 MONTHS', true],
    ['1 tablet, not for months', '1 tablet, not for months', false],
    ['1 tablet each 2 months', '1 tablet each 2 months', false],
    ['1 tablet for 12 hours', '1 tablet for 12 hours', false],
    ['months', 'months', false],
  ])('%s', (value, now, left) => {
    expect(text('text', value)).toEqual([now, left]);
    expect(text('patientInstruction', value)).toEqual([now, left]);
  });
});

test('both texts of every line are searched', () => {
  const [fits, stays] = ['1 tablet for 10 days', '10 days, then 5 days'];
  const told = (dosage: JsonObject) => stopped({ dosageInstruction: [dosage, {}] })?.textLeft;
  expect(told({ text: stays, patientInstruction: fits })).toBe(true);
  expect(told({ text: fits, patientInstruction: stays })).toBe(true);
  expect(told({ text: fits, patientInstruction: fits })).toBe(false);
  expect(stopped({ dosageInstruction: [{ text: fits }, { text: stays }] })?.textLeft).toBe(true);
});

describe('what is dispensed', () => {
  const dispense = (dispenseRequest: JsonObject | undefined, dosageInstruction: JsonObject[] = [], end?: string) => {
    const found = stopped({ ...(dispenseRequest && { dispenseRequest }), dosageInstruction }, end);
    return [found?.resource['dispenseRequest'], found?.quantity];
  };
  const DAYS = { unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' };
  const once = { doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett' } }] };
  const twice = { timing: { repeat: { frequency: 2, period: 1, periodUnit: 'd' } }, ...once };
  const ml = { ...twice, doseAndRate: [{ doseQuantity: { value: 5, unit: 'ml' } }] };
  test.each<[what: string, before: JsonObject, lines: JsonObject[], now: JsonObject, quantity?: number]>([
    [
      'days of supply beyond the end',
      { expectedSupplyDuration: { value: 10, code: 'd' } },
      [],
      { expectedSupplyDuration: { value: 5, code: 'd' } },
    ],
    [
      'days of supply that end in time',
      { expectedSupplyDuration: { value: 5, code: 'd' } },
      [],
      { expectedSupplyDuration: { value: 5, code: 'd' } },
    ],
    ['without a unit', { expectedSupplyDuration: { value: 6 } }, [], { expectedSupplyDuration: { value: 5 } }],
    [
      'in weeks',
      { expectedSupplyDuration: { value: 2, unit: 'wk', code: 'wk', comparator: '<' } },
      [],
      {
        expectedSupplyDuration: {
          comparator: '<',
          value: 5,
          unit: 'd',
          system: 'http://unitsofmeasure.org',
          code: 'd',
        },
      },
    ],
    [
      'in months',
      { expectedSupplyDuration: { value: 1, code: 'mo' } },
      [],
      { expectedSupplyDuration: { value: 5, ...DAYS } },
    ],
    [
      'in an unknown unit',
      { expectedSupplyDuration: { value: 9, code: 'x' } },
      [],
      { expectedSupplyDuration: { value: 9, code: 'x' } },
    ],
    [
      'in days by its unit',
      { expectedSupplyDuration: { value: 9, unit: 'Days' } },
      [],
      { expectedSupplyDuration: { value: 5, unit: 'Days' } },
    ],
    [
      'in one day',
      { expectedSupplyDuration: { value: 9, unit: 'day' } },
      [],
      { expectedSupplyDuration: { value: 5, unit: 'day' } },
    ],
    [
      'in days in a code or unit with other fields, which are kept',
      { expectedSupplyDuration: { value: 9, code: 'd', unit: 'dag', system: 's', extension: [{ url: 'x' }] } },
      [],
      { expectedSupplyDuration: { value: 5, code: 'd', unit: 'dag', system: 's', extension: [{ url: 'x' }] } },
    ],
    [
      'in weeks by its unit, of which nothing is kept',
      { expectedSupplyDuration: { value: 1, unit: ' Veckor ', system: 's', comparator: '<' } },
      [],
      { expectedSupplyDuration: { value: 5, comparator: '<', ...DAYS } },
    ],
    [
      'in weeks up to the end',
      { expectedSupplyDuration: { value: 0.5, code: 'wk' } },
      [],
      { expectedSupplyDuration: { value: 0.5, code: 'wk' } },
    ],
    ['without a number', { expectedSupplyDuration: { code: 'd' } }, [], { expectedSupplyDuration: { code: 'd' } }],
    ['repeats', { numberOfRepeatsAllowed: 3 }, [], { numberOfRepeatsAllowed: 0 }],
    ['repeats that are not a number', { numberOfRepeatsAllowed: 'x' }, [], { numberOfRepeatsAllowed: 'x' }],
    ['no repeats', { numberOfRepeatsAllowed: 0 }, [], { numberOfRepeatsAllowed: 0 }],
    [
      'more than the days require',
      { quantity: { value: 30, unit: 'st' } },
      [twice],
      { quantity: { value: 10, unit: 'st' } },
      10,
    ],
    [
      'what the days require',
      { quantity: { value: 10, unit: 'st' } },
      [twice],
      { quantity: { value: 10, unit: 'st' } },
    ],
    ['two lines of one unit', { quantity: { value: 30 } }, [twice, twice], { quantity: { value: 20 } }, 20],
    ['two lines in different units', { quantity: { value: 30 } }, [twice, ml], { quantity: { value: 30 } }],
    ['a line without a dose', { quantity: { value: 30 } }, [twice, {}], { quantity: { value: 30 } }],
    ['other fields are kept', { performer: { display: 'x' } }, [], { performer: { display: 'x' } }],
  ])('%s', (_, before, lines, now, quantity) => {
    expect(dispense(before, lines)).toEqual([now, quantity]);
  });

  test('a month of supply is shortened at 30 days, but not at 31', () => {
    const month = { expectedSupplyDuration: { value: 1, code: 'mo' } };
    expect(dispense(month, [], '2026-03-31')[0]).toEqual({ expectedSupplyDuration: { value: 30, ...DAYS } });
    expect(dispense(month, [], '2026-04-01')[0]).toEqual(month);
  });

  test('an end before the start of the order leaves one day of supply, and the quantity unchanged', () => {
    const before = { expectedSupplyDuration: { value: 9, code: 'd' }, quantity: { value: 30 } };
    const now = { ...before, expectedSupplyDuration: { value: 1, code: 'd' } };
    expect(dispense(before, [twice], '2026-02-28')).toEqual([now, undefined]);
  });

  test('a sum with a floating-point error is not rounded up', () => {
    const doses = { ...twice, timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd' } } };
    const line = { ...doses, doseAndRate: [{ doseQuantity: { value: 1.1, unit: 'ml' } }] };
    expect(dispense({ quantity: { value: 30 } }, [line], '2026-03-11')[1]).toBe(11);
  });

  test('parallel lines are needed until the new end, whatever their own end', () => {
    const short = { ...twice, timing: { repeat: { ...twice.timing.repeat, ...until('2026-03-03') } } };
    expect(dispense({ quantity: { value: 30 } }, [short, twice])[1]).toBe(20);
    const endless = [1, 2].map((sequence) => ({ ...twice, sequence }));
    expect(dispense({ quantity: { value: 30 } }, endless)[1]).toBe(20);
  });

  test('a line that begins after the end needs nothing, and does not affect the others', () => {
    const after = { ...twice, timing: { repeat: { ...twice.timing.repeat, boundsPeriod: { start: '2026-03-09' } } } };
    expect(dispense({ quantity: { value: 30 } }, [twice, after])[1]).toBe(10);
  });

  test('nothing is added if nothing was said', () => {
    expect(dispense(undefined, [twice])).toEqual([undefined, undefined]);
  });

  test('half a unit is rounded up, and a line counts from its start', () => {
    const half = { ...twice, doseAndRate: [{ doseQuantity: { value: 0.25, unit: 'tablett' } }] };
    expect(dispense({ quantity: { value: 30 } }, [half])[1]).toBe(3);
    const later = { ...twice, timing: { repeat: { ...twice.timing.repeat, boundsPeriod: { start: '2026-03-05' } } } };
    expect(dispense({ quantity: { value: 30 } }, [later])[1]).toBe(4);
    const steps = [1, 2].map((sequence) => ({
      ...twice,
      sequence,
      timing: { repeat: { ...twice.timing.repeat, boundsDuration: { value: 3, code: 'd' } } },
    }));
    expect(dispense({ quantity: { value: 30 } }, steps)[1]).toBe(10);
  });
});

test.each<[before: JsonObject, now: JsonObject]>([
  [{}, { quantity: { value: 7 } }],
  [
    { quantity: { value: 30, unit: 'st' }, x: 1 },
    { quantity: { value: 7, unit: 'st' }, x: 1 },
  ],
  [{ numberOfRepeatsAllowed: 2 }, { numberOfRepeatsAllowed: 0, quantity: { value: 7 } }],
  [{ numberOfRepeatsAllowed: 0 }, { numberOfRepeatsAllowed: 0, quantity: { value: 7 } }],
])('a quantity of 7 in %j', (dispenseRequest, now) => {
  expect(withQuantity(order({ id: 'x', dispenseRequest }), 7)).toEqual(order({ id: 'x', dispenseRequest: now }));
});

describe('a resource from a template', () => {
  const template = { resourceType: 'ServiceRequest', status: 'draft', code: { coding: [{ code: '1' }] } };
  const medicine = { resourceType: 'MedicationRequest', medicationCodeableConcept: { coding: [{ code: '2' }] } };
  const subject = { patient: 'kari', encounter: 'visit' };
  const whose = { subject: { reference: 'Patient/kari' }, encounter: { reference: 'Encounter/visit' } };
  test('R4', () => {
    const code = { coding: [{ code: '1' }], text: 'x' };
    expect(fromTemplate(template, 'x', subject, 'R4')).toEqual({ ...template, code, ...whose });
    expect(fromTemplate(medicine, 'x', subject, 'R4')).toEqual({
      ...medicine,
      medicationCodeableConcept: { coding: [{ code: '2' }], text: 'x' },
      ...whose,
    });
  });

  test('R5', () => {
    const code = { concept: { coding: [{ code: '1' }], text: 'x' } };
    expect(fromTemplate(template, 'x', subject, 'R5')).toEqual({ ...template, code, ...whose });
    expect(fromTemplate(medicine, 'x', subject, 'R5')).toEqual({
      resourceType: 'MedicationRequest',
      medication: { concept: { coding: [{ code: '2' }], text: 'x' } },
      ...whose,
    });
  });

  test('without an encounter', () => {
    expect(fromTemplate(template, 'x', { patient: 'kari' }, 'R4')).not.toHaveProperty('encounter');
  });
});
