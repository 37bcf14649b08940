import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { administrationOf, at, chartOf, line, orderOf, TODAY, until } from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';
import type { Result } from './chart.ts';
import { newestOf } from './results.ts';

// recommendations.md, 5.
const LOINC = 'http://loinc.org';
const NPU = 'http://npu-terminology.org';
const SNOMED = 'http://snomed.info/sct';
const coded = (system: string, code: string, display?: string): Json => ({
  coding: [{ system, code, ...(display !== undefined && { display }) }],
});
/** A screening of the class, with a cut-off of 200 µg/l. */
const SCREEN = coded(NPU, 'NPU08958');
/** Confirmations of one substance, with a limit of 50 µg/l. */
const OXAZEPAM = coded(LOINC, '16201-6');
const NORDAZEPAM = coded(LOINC, '16228-9');
const ALPRAZOLAM = coded(LOINC, '3313-4');

const observation = (code: Json, more: Json = {}): Json => ({
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code,
  subject: { reference: 'Patient/kari' },
  effectiveDateTime: '2026-03-01T08:00:00+01:00',
  ...more,
});
const resultsOf = (...resources: Json[]) =>
  chartOf(resources.map((one, number) => ({ ...one, id: `o${number}` }))).results;
const outcome = (code: Json, value: Json) => resultsOf(observation(code, value))[0]?.outcome;
const quantity = (value: number, unit?: string, more: Json = {}) => ({
  valueQuantity: { value, ...(unit !== undefined && { unit }), ...more },
});

describe('what a test asks', () => {
  test.each<[string, Json, string | undefined, string | undefined]>([
    ['LOINC', coded(LOINC, '3390-2'), 'benzodiazepine-test', undefined],
    ['LOINC, of one substance', OXAZEPAM, 'benzodiazepine-test', 'oxazepam'],
    ['NPU', SCREEN, 'benzodiazepine-test', undefined],
    ['NPU under its OID', coded('urn:oid:1.2.208.176.2.1', 'NPU08958'), 'benzodiazepine-test', undefined],
    [
      'an NPU code of the Norwegian list',
      coded('urn:oid:2.16.578.1.12.4.1.1.7280', 'NPU08958'),
      'benzodiazepine-test',
      undefined,
    ],
    ['a NOR code', coded('urn:oid:2.16.578.1.12.4.1.1.7280', 'NOR25838'), 'benzodiazepine-test', undefined],
    ['LOINC’s code under another system is none', coded('https://example.org', '3390-2'), undefined, undefined],
    ['a display', coded('https://example.org', 'x', 'U-Bensodiazepiner'), 'benzodiazepine-test', undefined],
    ['a text', { text: 'Benzodiazepiner, urin' }, 'benzodiazepine-test', undefined],
    ['zopiclone in a text', { text: 'U-Zopiklon' }, 'z-drug-test', 'zopiclone'],
    ['pregabalin in a text', { text: 'Pregabalin (U)' }, 'pregabalin-test', undefined],
    ['morphine in a text', { text: 'U-Morfin' }, 'opiate-test', 'morphine'],
    ['a word that only holds it', { text: 'Antibensodiazepin' }, undefined, undefined],
    ['something else', { text: 'Hemoglobin' }, undefined, undefined],
    ['ALT', coded(LOINC, '1742-6'), 'alt', undefined],
    ['eGFR', coded(LOINC, '33914-3'), 'egfr', undefined],
    ['PEth', coded(NPU, 'NPU28874'), 'peth', undefined],
  ])('%s', (_, code, list, substance) => {
    const [found] = resultsOf(observation(code, { valueString: 'x' }));
    expect(found?.lists[0]).toBe(list);
    if (substance !== undefined && found?.substance !== undefined) expect(found.substance).toBe(substance);
    if (substance === undefined && list === 'benzodiazepine-test') expect(found?.substance).toBeUndefined();
  });

  test.each([
    ['Drogtest urin', 'Bensodiazepin påvist', ['benzodiazepine-test']],
    ['Urin drug screen', 'Positiv: benzodiazepiner', ['benzodiazepine-test']],
    ['U-rusmidler', 'zopiklon', ['z-drug-test']],
    ['Drogtest urin', 'allt negativt', undefined],
    ['Allmänt samtal', 'Bensodiazepin påvist', undefined],
  ])('a test that only says %s is known by its value %s', (text, valueString, lists) => {
    expect(resultsOf(observation({ text }, { valueString }))[0]?.lists).toEqual(lists);
  });

  test('a text that names a benzodiazepine asks for that substance, with its own limit; one that names the class does not', () => {
    const found = (text: string) => resultsOf(observation({ text }, quantity(60, 'ug/L')))[0];
    expect(found('U-Oxazepam')).toMatchObject({ substance: 'oxazepam', confirmation: true, outcome: 'positive' });
    expect(found('U-Bensodiazepiner')).toMatchObject({ confirmation: false, outcome: 'negative' });
    expect(found('U-Bensodiazepiner')?.substance).toBeUndefined();
  });

  test('each component of a panel, and each member that it contains', () => {
    const panel = observation(
      { text: 'Panel' },
      {
        component: [
          { code: SCREEN, valueString: 'POS' },
          { code: coded(NPU, 'NPU08990'), valueString: 'NEG' },
          { code: { text: 'Kreatinin' }, ...quantity(5, 'mmol/L') },
        ],
      },
    );
    expect(resultsOf(panel).map(({ lists, outcome: said }) => [lists[0], said])).toEqual([
      ['benzodiazepine-test', 'positive'],
      ['opiate-test', 'negative'],
    ]);
    const members = observation(
      { text: 'Panel' },
      {
        contained: [observation(SCREEN, { id: 'm', valueString: 'POS' })],
        hasMember: [{ reference: '#m' }],
      },
    );
    expect(resultsOf(members).map(({ lists }) => lists[0])).toEqual(['benzodiazepine-test']);
  });
});

describe('what a result says', () => {
  const interpretation = (code: string) => ({
    interpretation: [coded('http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code)],
  });
  test.each<[Json, 'positive' | 'negative' | undefined]>([
    [{ valueCodeableConcept: coded(SNOMED, '260373001') }, 'positive'],
    [{ valueCodeableConcept: coded(SNOMED, '10828004') }, 'positive'],
    [{ valueCodeableConcept: coded(SNOMED, '260415000') }, 'negative'],
    [{ valueCodeableConcept: coded(SNOMED, '260385009') }, 'negative'],
    [{ valueCodeableConcept: coded(LOINC, 'LA6576-8') }, 'positive'],
    [{ valueCodeableConcept: coded(LOINC, 'LA6577-6') }, 'negative'],
    [{ valueCodeableConcept: { text: 'Påvist' } }, 'positive'],
    [{ valueCodeableConcept: coded('https://example.org', 'p', 'Positiv') }, 'positive'],
    [interpretation('POS'), 'positive'],
    [interpretation('A'), 'positive'],
    [interpretation('AA'), 'positive'],
    [interpretation('H'), 'positive'],
    [interpretation('HH'), 'positive'],
    [interpretation('>'), 'positive'],
    [interpretation('NEG'), 'negative'],
    [interpretation('N'), 'negative'],
    [interpretation('L'), 'negative'],
    [interpretation('IND'), undefined],
    [{ interpretation: [coded('http://hl7.org/fhir/v2/0078', 'NEG')] }, 'negative'],
    [{ interpretation: [{ text: 'positiv' }] }, 'positive'],
    [{ valueBoolean: true }, 'positive'],
    [{ valueBoolean: false }, 'negative'],
    [{ valueInteger: 1 }, 'positive'],
    [{ valueInteger: 0 }, 'negative'],
    [quantity(1, '{arb.unit}'), 'positive'],
    [quantity(0, 'arb.enh.'), 'negative'],
    [{ valueString: 'POS' }, 'positive'],
    [{ valueString: ' Påvist ' }, 'positive'],
    [{ valueString: 'Påvisad' }, 'positive'],
    [{ valueString: 'Detected' }, 'positive'],
    [{ valueString: 'reactive' }, 'positive'],
    [{ valueString: 'Presumptive positive' }, 'positive'],
    [{ valueString: 'Til bekreftelse' }, 'positive'],
    [{ valueString: 'true' }, 'positive'],
    [{ valueString: '+' }, 'positive'],
    [{ valueString: 'positiv (> 200), se kommentar' }, 'positive'],
    [{ valueString: 'ikke påvist' }, 'negative'],
    [{ valueString: 'Ikke påvist (< 200)' }, 'negative'],
    [{ valueString: 'ej påvisad' }, 'negative'],
    [{ valueString: 'Not detected' }, 'negative'],
    [{ valueString: 'Non-reactive' }, 'negative'],
    [{ valueString: 'Negativt' }, 'negative'],
    [{ valueString: 'false' }, 'negative'],
    [{ valueString: 'Bensodiazepiner' }, 'positive'],
    [{ valueString: 'Bensodiazepiner ej påvisade' }, 'negative'],
    [{ valueString: 'Bensodiazepiner negativt' }, 'negative'],
    [{ valueString: 'se kommentar' }, undefined],
    [{ valueString: 'prov saknas' }, undefined],
    [{}, undefined],
    [{ dataAbsentReason: { text: 'not performed' } }, undefined],
  ])('%j is %s', (value, expected) => {
    expect(outcome(SCREEN, value)).toBe(expected);
  });

  test('the first that can be read decides: coded value, interpretation, boolean, text, quantity', () => {
    const POS = { valueCodeableConcept: coded(SNOMED, '260373001') };
    expect(outcome(SCREEN, { ...POS, ...interpretation('NEG') })).toBe('positive');
    expect(outcome(SCREEN, { ...interpretation('NEG'), ...quantity(900, 'ug/L') })).toBe('negative');
    expect(outcome(SCREEN, { ...interpretation('NEG'), valueBoolean: true })).toBe('negative');
    expect(outcome(SCREEN, { ...interpretation('IND'), ...quantity(900, 'ug/L') })).toBe('positive');
  });
});

describe('quantities of a screening: the reference range, else the cut-off of 200', () => {
  const range = (value: number, unit?: string, more: Json = {}) => ({
    referenceRange: [{ high: { value, ...(unit !== undefined && { unit }) }, ...more }],
  });
  test.each<[Json, 'positive' | 'negative' | undefined]>([
    [quantity(200, 'ug/L'), 'positive'],
    [quantity(199, 'ug/L'), 'negative'],
    [quantity(200, 'µg/L'), 'positive'],
    [quantity(200, 'μg/l'), 'positive'],
    [quantity(200, 'mikrogram/L'), 'positive'],
    [quantity(200, 'ng/mL'), 'positive'],
    [quantity(0.2, 'mg/L'), 'positive'],
    [quantity(0.19, 'mg/L'), 'negative'],
    [quantity(200, 'x', { code: 'ug/L' }), 'positive'],
    // Molar: positive where the lightest of the class would be above (250 g/mol: 0.8 µmol/l), else not to be read.
    [quantity(0.8, 'umol/L'), 'positive'],
    [quantity(800, 'nmol/L'), 'positive'],
    [quantity(0.79, 'umol/L'), undefined],
    [quantity(5, 'mg/mmol'), undefined],
    [quantity(250), undefined],
    [quantity(200, 'ug/L', { comparator: '>' }), 'positive'],
    [quantity(100, 'ug/L', { comparator: '>' }), undefined],
    [quantity(200, 'ug/L', { comparator: '<' }), 'negative'],
    [quantity(300, 'ug/L', { comparator: '<' }), undefined],
    [{ valueString: '<200' }, undefined],
    [{ valueString: '<200 ug/L' }, 'negative'],
    [{ valueString: '900 mikrogram/L' }, 'positive'],
    [{ valueString: '> 200 ng/ml' }, 'positive'],
    [{ ...quantity(90, 'ug/L'), ...range(80, 'ug/L') }, 'positive'],
    [{ ...quantity(80, 'ug/L'), ...range(80, 'ug/L') }, 'negative'],
    [{ ...quantity(90, 'ug/L'), ...range(80) }, 'positive'],
    // A range in another unit says nothing: the cut-off decides.
    [{ ...quantity(250, 'ug/L'), ...range(300, 'nmol/L') }, 'positive'],
    [{ ...quantity(90, 'ug/L'), ...range(0.08, 'mg/L') }, 'negative'],
    [{ ...quantity(90, 'ug/L'), referenceRange: [{ text: '< 80' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '< 300 ug/L' }] }, 'negative'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '< 300 nmol/L' }] }, 'positive'],
  ])('%j is %s', (value, expected) => {
    expect(outcome(SCREEN, value)).toBe(expected);
  });
});

describe('quantities of a confirmation: its own limit of 50, never a screening cut-off', () => {
  test.each<[Json, Json, 'positive' | 'negative' | undefined]>([
    [OXAZEPAM, quantity(50, 'ug/L'), 'positive'],
    [OXAZEPAM, quantity(49, 'ug/L'), 'negative'],
    [OXAZEPAM, quantity(120, 'ug/L'), 'positive'],
    // 286.7 g/mol
    [OXAZEPAM, quantity(0.175, 'umol/L'), 'positive'],
    [OXAZEPAM, quantity(0.174, 'umol/L'), 'negative'],
    [OXAZEPAM, { ...quantity(120, 'ug/L'), referenceRange: [{ high: { value: 200, unit: 'ug/L' } }] }, 'positive'],
    [SCREEN, { ...quantity(60, 'ug/L'), method: { text: 'LC-MS/MS, massespektrometri' } }, 'positive'],
    [SCREEN, quantity(60, 'ug/L'), 'negative'],
    // Without a limit in the list, whatever lies above 0.
    [coded(NPU, 'NPU08837'), quantity(1, 'nmol/L'), 'positive'],
    [coded(NPU, 'NPU08837'), quantity(0, 'nmol/L'), 'negative'],
  ])('%j, %j is %s', (code, value, expected) => {
    expect(outcome(code, value)).toBe(expected);
  });
});

describe('which results count', () => {
  test.each(['final', 'amended', 'corrected'])('of status %s', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toMatchObject([{ preliminary: false }]);
  });

  test.each(['preliminary', 'registered'])('of status %s, as a question only', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toMatchObject([{ preliminary: true }]);
  });

  test.each(['entered-in-error', 'cancelled', 'unknown', undefined])('not of status %s', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toEqual([]);
  });

  test.each<[string, Json, string | undefined]>([
    ['a day', { effectiveDateTime: '2026-02-27' }, '2026-02-27'],
    ['a moment, in the time zone of the site', { effectiveDateTime: '2026-02-27T23:30:00Z' }, '2026-02-28'],
    ['an instant', { effectiveDateTime: undefined, effectiveInstant: '2026-02-27T10:00:00Z' }, '2026-02-27'],
    [
      'the end of a period',
      { effectiveDateTime: undefined, effectivePeriod: { start: '2026-02-20', end: '2026-02-27' } },
      '2026-02-27',
    ],
    [
      'the start of an open period',
      { effectiveDateTime: undefined, effectivePeriod: { start: '2026-02-20' } },
      '2026-02-20',
    ],
    ['a month', { effectiveDateTime: '2026-02' }, '2026-02'],
    [
      'only issued: nobody can tell its age',
      { effectiveDateTime: undefined, issued: '2026-03-01T10:00:00Z' },
      undefined,
    ],
    ['issued later', { effectiveDateTime: '2026-02-27', issued: '2026-03-01T10:00:00Z' }, '2026-02-27'],
    ['no date at all', { effectiveDateTime: undefined }, undefined],
    ['a day that does not exist', { effectiveDateTime: '2026-02-30' }, undefined],
  ])('dated by %s', (_, more, date) => {
    expect(resultsOf(observation(SCREEN, { valueString: 'POS', ...more }))[0]?.date).toBe(date);
  });
});

describe('values and limits', () => {
  const ALT = coded(LOINC, '1742-6');
  test.each<[string, Json, Partial<Result>]>([
    ['a value and its unit', quantity(90, 'U/L'), { value: 90, unit: 'u/l' }],
    [
      'how many times the upper limit',
      { ...quantity(90, 'U/L'), referenceRange: [{ high: { value: 45, unit: 'U/L' } }] },
      { timesUpperLimit: 2 },
    ],
    [
      'a limit without a unit',
      { ...quantity(90, 'U/L'), referenceRange: [{ high: { value: 45 } }] },
      { timesUpperLimit: 2 },
    ],
    ['as text', { valueString: '1,5 µkat/L' }, { value: 1.5, unit: 'ukat/l' }],
  ])('%s', (_, value, expected) => {
    expect(resultsOf(observation(ALT, value))[0]).toMatchObject(expected);
  });

  test('a limit in another unit is none', () => {
    const [found] = resultsOf(
      observation(ALT, { ...quantity(90, 'U/L'), referenceRange: [{ high: { value: 0.75, unit: 'ukat/L' } }] }),
    );
    expect(found?.timesUpperLimit).toBeUndefined();
  });

  test('a coded answer of a status', () => {
    expect(outcome(coded(LOINC, '72166-2'), { valueCodeableConcept: coded(SNOMED, '449868002') })).toBe('positive');
    expect(outcome(coded(LOINC, '72166-2'), { valueCodeableConcept: coded(SNOMED, '8517006') })).toBe('negative');
    expect(outcome(coded(LOINC, '82810-3'), { valueCodeableConcept: coded(SNOMED, '77386006') })).toBe('positive');
  });
});

describe('what overrules a positive', () => {
  const day = (number: number, hour = 8) => ({
    effectiveDateTime: `2026-02-${String(number).padStart(2, '0')}T0${hour}:00:00+01:00`,
  });
  const positive = observation(SCREEN, { valueString: 'POS', ...day(10), specimen: { reference: 'Specimen/a' } });
  const negative = (code: Json, more: Json) => observation(code, { valueString: 'NEG', ...more });
  const first = (...others: Json[]) => resultsOf(positive, ...others).find(({ outcome: said }) => said === 'positive');
  test.each<[string, Json, { overruled: boolean; refuted: boolean; laterNegative: boolean }]>([
    [
      'a later negative of the same code',
      negative(SCREEN, day(11)),
      { overruled: true, refuted: false, laterNegative: true },
    ],
    ['an earlier one', negative(SCREEN, day(8)), { overruled: false, refuted: false, laterNegative: false }],
    [
      'a later negative of one substance',
      negative(OXAZEPAM, day(11)),
      { overruled: false, refuted: false, laterNegative: true },
    ],
    [
      'a later negative of another class',
      negative(coded(NPU, 'NPU08990'), day(11)),
      { overruled: false, refuted: false, laterNegative: false },
    ],
    [
      'a later negative class test of another code',
      negative(coded(LOINC, '3390-2'), day(11)),
      { overruled: false, refuted: false, laterNegative: true },
    ],
    [
      'a confirmation of the class, of the same specimen',
      negative(coded(LOINC, '16195-0'), { ...day(12), specimen: { reference: 'Specimen/a' } }),
      { overruled: true, refuted: true, laterNegative: true },
    ],
    [
      'a confirmation of the class, of the same moment',
      negative(coded(LOINC, '16195-0'), day(10)),
      { overruled: true, refuted: true, laterNegative: false },
    ],
    [
      'a confirmation of another specimen and moment',
      negative(coded(LOINC, '16195-0'), { ...day(12), specimen: { reference: 'Specimen/b' } }),
      { overruled: false, refuted: false, laterNegative: true },
    ],
    [
      'a preliminary negative',
      negative(SCREEN, { ...day(11), status: 'preliminary' }),
      { overruled: false, refuted: false, laterNegative: false },
    ],
    [
      'a later result that says nothing',
      observation(SCREEN, { ...day(11), valueString: 'prov saknas' }),
      { overruled: false, refuted: false, laterNegative: false },
    ],
  ])('%s', (_, other, expected) => {
    expect(first(other)).toMatchObject(expected);
  });

  test('a negative of one substance overrules a positive of that substance, and of no other', () => {
    const found = (code: Json, later: Json) =>
      resultsOf(observation(code, { ...quantity(100, 'ug/L'), ...day(10) }), negative(later, day(11)))[0]?.overruled;
    expect(found(OXAZEPAM, OXAZEPAM)).toBe(true);
    expect(found(OXAZEPAM, NORDAZEPAM)).toBe(false);
    expect(found(OXAZEPAM, SCREEN)).toBe(false);
  });

  test('a later positive overrules nothing', () => {
    const found = resultsOf(negative(SCREEN, day(10)), observation(SCREEN, { valueString: 'POS', ...day(11) }));
    expect(found.map(({ overruled }) => overruled)).toEqual([false, false]);
  });
});

describe('what is prescribed explains a positive', () => {
  const sample = (code: Json, date = at(-5), more: Json = {}) =>
    observation(code, { ...quantity(300, 'ug/L'), effectiveDateTime: date, ...more });
  const ordered = (drug: string, start: string, end?: string) =>
    orderOf(drug, { authoredOn: start, ...(end !== undefined && { dosageInstruction: [line(until(end, start))] }) });
  const explained = (code: Json, ...orders: Json[]) =>
    chartOf([sample(code), ...orders.map((order, id) => ({ ...order, id: `m${id}` }))]).results[0]?.explained;
  test.each<[string, Json, Json[], boolean]>([
    ['nothing prescribed', SCREEN, [], false],
    ['the class test, by any of the class', SCREEN, [ordered('oxazepam', at(-30))], true],
    ['by another class', SCREEN, [ordered('zopiclone', at(-30))], false],
    ['the substance by itself', OXAZEPAM, [ordered('oxazepam', at(-30))], true],
    ['a metabolite', OXAZEPAM, [ordered('diazepam', at(-30))], true],
    ['a metabolite of diazepam', NORDAZEPAM, [ordered('diazepam', at(-30))], true],
    ['the substance by another of the class', ALPRAZOLAM, [ordered('oxazepam', at(-30))], false],
    ['what it is made from is no metabolite', coded(LOINC, '16227-1'), [ordered('oxazepam', at(-30))], false],
    ['begun after the sample', SCREEN, [ordered('oxazepam', at(-4))], false],
    ['begun on its day', SCREEN, [ordered('oxazepam', at(-5))], true],
    ['oxazepam ended 7 days before it', SCREEN, [ordered('oxazepam', at(-40), at(-12))], true],
    ['8 days before it', SCREEN, [ordered('oxazepam', at(-40), at(-13))], false],
    ['diazepam ended 42 days before it', SCREEN, [ordered('diazepam', at(-90), at(-47))], true],
    ['43 days before it', SCREEN, [ordered('diazepam', at(-90), at(-48))], false],
    ['alprazolam ended 14 days before it', SCREEN, [ordered('N05BA12', at(-90), at(-19))], true],
    ['15 days before it', SCREEN, [ordered('N05BA12', at(-90), at(-20))], false],
    ['midazolam ended 3 days before it', SCREEN, [ordered('N05CD08', at(-90), at(-8))], true],
    ['4 days before it', SCREEN, [ordered('N05CD08', at(-90), at(-9))], false],
    ['only presumed', SCREEN, [ordered('oxazepam', '2023-01-01')], true],
    ['only possible', SCREEN, [{ ...ordered('oxazepam', at(-30)), status: 'stopped' }], false],
    ['given on the day', SCREEN, [administrationOf('oxazepam', { effectiveDateTime: at(-5) })], true],
  ])('%s: %j', (_, code, orders, expected) => {
    expect(explained(code, ...orders)).toBe(expected);
  });

  test('z-drugs: 3 days', () => {
    const zopiclone = (end: string) => {
      const record = [
        sample({ text: 'U-Zopiklon' }, at(-5), { valueString: 'Positiv', valueQuantity: undefined }),
        ordered('zopiclone', at(-60), end),
      ];
      return chartOf(record).results[0]?.explained;
    };
    expect(zopiclone(at(-8))).toBe(true);
    expect(zopiclone(at(-9))).toBe(false);
  });

  test('a negative needs no explanation', () => {
    const record = [sample(SCREEN, at(-5), quantity(1, 'ug/L')), ordered('oxazepam', at(-30))];
    expect(chartOf(record).results[0]).toMatchObject({ outcome: 'negative', explained: false });
  });

  test('an order that this call changes still explains what was taken', () => {
    const record = [sample(SCREEN), { ...ordered('oxazepam', at(-30)), id: 'running' }];
    const draft = orderOf('oxazepam', { id: 'running', status: 'draft', authoredOn: TODAY });
    expect(chartOf(record, { drafts: [draft] }).results[0]?.explained).toBe(true);
  });
});

const result = fc.record({
  ref: fc.uuid(),
  lists: fc.constantFrom<string[]>(['a'], ['b'], ['a', 'b']),
  at: fc.integer({ min: 0, max: 5 }),
  outcome: fc.constantFrom('positive' as const, 'negative' as const),
  date: fc.constant('2026-03-01'),
  confirmation: fc.constant(false),
  preliminary: fc.boolean(),
  overruled: fc.constant(false),
  refuted: fc.constant(false),
  laterNegative: fc.constant(false),
  explained: fc.constant(false),
});

test('newest (seed 4): nothing newer of its list remains, whatever the order, and of two at one moment the positive stays', () => {
  fc.assert(
    fc.property(fc.array(result, { maxLength: 12 }), (results: Result[]) => {
      const newest = newestOf(results);
      expect(new Set(newestOf([...results].reverse()))).toEqual(new Set(newest));
      const telling = results.filter(({ preliminary }) => !preliminary);
      for (const kept of newest) {
        expect(kept.preliminary).toBe(false);
        for (const other of telling.filter(({ lists }) => lists.some((list) => kept.lists.includes(list)))) {
          expect(other.at).toBeLessThanOrEqual(kept.at);
          if (other.at === kept.at && other.outcome === 'positive') expect(kept.outcome).toBe('positive');
        }
      }
    }),
    { seed: 4 },
  );
});
