import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Knowledge } from '../cards/knowledge.ts';
import type { TestList } from '../codes/tests.ts';
import { knowledge } from '../testing/app.ts';
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

describe('what a test looks for', () => {
  test.each<[string, Json, string | undefined, string | undefined]>([
    ['LOINC', coded(LOINC, '3390-2'), 'benzodiazepine-test', undefined],
    ['LOINC, of one substance', OXAZEPAM, 'benzodiazepine-test', 'oxazepam'],
    ['NPU', SCREEN, 'benzodiazepine-test', undefined],
    ['NPU under its OID', coded('urn:oid:1.2.208.176.2.1', 'NPU08958'), 'benzodiazepine-test', undefined],
    [
      'an NPU code on the Norwegian list',
      coded('urn:oid:2.16.578.1.12.4.1.1.7280', 'NPU08958'),
      'benzodiazepine-test',
      undefined,
    ],
    ['a NOR code', coded('urn:oid:2.16.578.1.12.4.1.1.7280', 'NOR25838'), 'benzodiazepine-test', undefined],
    ['LOINC’s code under another system does not count', coded('https://example.org', '3390-2'), undefined, undefined],
    ['a display', coded('https://example.org', 'x', 'U-Bensodiazepiner'), 'benzodiazepine-test', undefined],
    ['a text', { text: 'Benzodiazepiner, urin' }, 'benzodiazepine-test', undefined],
    ['zopiclone in a text', { text: 'U-Zopiklon' }, 'z-drug-test', 'zopiclone'],
    ['a substance of two words', { text: 'Ethyl loflazepate (U)' }, 'benzodiazepine-test', 'ethyl-loflazepate'],
    ['only the first of the two', { text: 'Ethyl' }, undefined, undefined],
    ['two words for a class', { text: 'Z-preparat, urin' }, 'z-drug-test', undefined],
    ['the two in the other order', { text: 'Preparat Z' }, undefined, undefined],
    ['pregabalin in a text', { text: 'Pregabalin (U)' }, 'pregabalin-test', undefined],
    ['morphine in a text', { text: 'U-Morfin' }, 'opiate-test', 'morphine'],
    ['a word that only contains it', { text: 'Antibensodiazepin' }, undefined, undefined],
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
  ])('a test that only says %s is identified by its value %s', (text, valueString, lists) => {
    expect(resultsOf(observation({ text }, { valueString }))[0]?.lists).toEqual(lists);
  });

  test('a text that names a benzodiazepine tests for that substance with its own limit, and one that names the class does not', () => {
    const found = (text: string) => resultsOf(observation({ text }, quantity(60, 'ug/L')))[0];
    expect(found('U-Oxazepam')).toMatchObject({ substance: 'oxazepam', confirmation: true, outcome: 'positive' });
    expect(found('U-Bensodiazepiner')).toMatchObject({ confirmation: false, outcome: 'negative' });
    expect(found('U-Bensodiazepiner')?.substance).toBeUndefined();
  });

  test('two tests that differ in their second code are told apart, and so are two panels known by their values', () => {
    const both = (code: string): Json => ({
      coding: [
        { system: 'http://x', code: '1' },
        { system: LOINC, code },
      ],
    });
    const lists = (...resources: Json[]) => resultsOf(...resources).map(({ lists: own }) => own[0]);
    const said = { valueString: 'POS' };
    expect(
      lists(observation(both('3390-2'), said), observation(both('1742-6'), said), observation(both('3390-2'), said)),
    ).toEqual(['benzodiazepine-test', 'alt', 'benzodiazepine-test']);
    const panel = (valueString: string) => observation({ text: 'Drogtest urin' }, { valueString });
    expect(lists(panel('zopiklon'), panel('bensodiazepin påvist'), panel('zopiklon'))).toEqual([
      'z-drug-test',
      'benzodiazepine-test',
      'z-drug-test',
    ]);
    expect(lists(observation(SCREEN, said), observation({ text: 'x' }, said), observation(SCREEN, said))).toHaveLength(
      2,
    );
  });

  test('a panel is also known by a coded value, but not by any other text', () => {
    const found = (more: Json) => resultsOf(observation({ text: 'Drogtest urin' }, more)).map(({ lists }) => lists);
    expect(found({ valueCodeableConcept: { text: 'Zopiklon påvist' } })).toEqual([['z-drug-test']]);
    expect(found({ valueCodeableConcept: coded('http://x', 'x', 'Zopiklon') })).toEqual([['z-drug-test']]);
    expect(found({ note: [{ text: 'Zopiklon' }] })).toEqual([]);
  });

  test('a test on two lists is in both', () => {
    expect(resultsOf(observation(coded(NPU, 'NPU18178'), { valueString: 'POS' }))[0]?.lists).toEqual([
      'benzodiazepine-test',
      'z-drug-test',
    ]);
    expect(resultsOf(observation({ text: 'Bensodiazepin/zopiklon' }, { valueString: 'POS' }))[0]?.lists).toEqual([
      'benzodiazepine-test',
      'z-drug-test',
    ]);
  });

  test('the code takes precedence over the text, and a display over a text that says something else', () => {
    const found = (code: Json) => resultsOf(observation(code, { valueString: 'POS' }))[0]?.lists[0];
    expect(found({ ...SCREEN, text: 'U-Zopiklon' })).toBe('benzodiazepine-test');
    expect(found({ ...coded('http://x', 'x', 'U-Zopiklon'), text: 'U-Bensodiazepiner' })).toBe('z-drug-test');
    expect(found({ ...coded('http://x', 'x', 'Drogtest'), text: 'U-Bensodiazepiner' })).toBe('benzodiazepine-test');
  });

  test('each component and each contained member of a panel is read', () => {
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

describe('the outcome of a result', () => {
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
    [{ valueString: '+1' }, 'positive'],
    [{ valueString: '+++ (strong)' }, 'positive'],
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
    [{ valueString: 'POS.1+' }, 'positive'],
    [{ valueString: '-' }, 'negative'],
    [{ valueString: '-5' }, undefined],
    [{ valueString: 'Provet visar bensodiazepiner' }, 'positive'],
    [{ valueString: 'Provet visar ej påvisade bensodiazepiner' }, 'negative'],
    [{ valueString: 'Provet visar zopiklon' }, undefined],
    [{ valueCodeableConcept: { coding: [{ system: SNOMED, code: '10828004' }], text: 'negativ' } }, 'positive'],
    [
      {
        valueCodeableConcept: {
          coding: [
            { system: 'http://x', code: '1' },
            { system: SNOMED, code: '260415000' },
          ],
        },
      },
      'negative',
    ],
    [{ valueCodeableConcept: coded('http://x', '10828004') }, undefined],
    [{ interpretation: [{ text: 'x' }, { text: 'negativ' }] }, 'negative'],
    [{ valueString: 'negativ', interpretation: [{ text: 'positiv' }] }, 'negative'],
    [quantity(1, 'ARB.U'), 'positive'],
    [quantity(1, '1'), 'positive'],
    [quantity(1), 'positive'],
    [quantity(2, '{arb.unit}'), undefined],
    [quantity(1, 'x', { code: '{arb.unit}' }), 'positive'],
    [quantity(1, 'ug/L'), 'negative'],
    [{ valueInteger: 2 }, undefined],
    [{ valueString: 'se kommentar' }, undefined],
    [{ valueString: 'prov saknas' }, undefined],
    [{}, undefined],
    [{ dataAbsentReason: { text: 'not performed' } }, undefined],
  ])('%j is %s', (value, expected) => {
    expect(outcome(SCREEN, value)).toBe(expected);
  });

  test('the first readable value decides: coded value, interpretation, boolean, text, quantity', () => {
    const POS = { valueCodeableConcept: coded(SNOMED, '260373001') };
    expect(outcome(SCREEN, { ...POS, ...interpretation('NEG') })).toBe('positive');
    expect(outcome(SCREEN, { ...interpretation('NEG'), ...quantity(900, 'ug/L') })).toBe('negative');
    expect(outcome(SCREEN, { ...interpretation('NEG'), valueBoolean: true })).toBe('negative');
    expect(outcome(SCREEN, { ...interpretation('IND'), ...quantity(900, 'ug/L') })).toBe('positive');
  });
});

describe('quantities of a screening: the reference range, or else the cut-off of 200', () => {
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
    // Molar: positive if the lightest of the class would exceed it (250 g/mol: 0.8 µmol/l), and otherwise unreadable.
    [quantity(0.8, 'umol/L'), 'positive'],
    [quantity(800, 'nmol/L'), 'positive'],
    [quantity(0.79, 'umol/L'), undefined],
    [quantity(5, 'mg/mmol'), undefined],
    [quantity(250), undefined],
    [quantity(200, 'ug/L', { comparator: '>' }), 'positive'],
    [quantity(100, 'ug/L', { comparator: '>' }), undefined],
    [quantity(200, 'ug/L', { comparator: '<' }), 'negative'],
    [quantity(300, 'ug/L', { comparator: '<' }), undefined],
    [quantity(200, 'ug/L', { comparator: '<=' }), 'negative'],
    [quantity(201, 'ug/L', { comparator: '<=' }), undefined],
    [quantity(200, 'ug/L', { comparator: '>=' }), 'positive'],
    [quantity(199, 'ug/L', { comparator: '>=' }), undefined],
    [quantity(200, 'mcg/L'), 'positive'],
    [quantity(200, 'microgram/L'), 'positive'],
    [quantity(200, 'micrograms/litre'), 'positive'],
    [quantity(200, 'mikrogram/liter'), 'positive'],
    [quantity(200, 'nanogram/mL'), 'positive'],
    [quantity(200, 'nanograms/mL'), 'positive'],
    [quantity(0.2, 'milligram/L'), 'positive'],
    [quantity(0.2, 'milligrams/L'), 'positive'],
    [quantity(0.2, 'ug/mL'), 'positive'],
    [quantity(0.19, 'ug/mL'), 'negative'],
    [quantity(200_000, 'ng/L'), 'positive'],
    [quantity(199_999, 'ng/L'), 'negative'],
    [quantity(0.8, 'mikromol/L'), 'positive'],
    [quantity(0.8, 'micromoles/L'), 'positive'],
    [quantity(0.8, 'micromol/L'), 'positive'],
    [quantity(0.0008, 'mmol/L'), 'positive'],
    [quantity(200, ' UG/L '), 'positive'],
    [quantity(200, 'x/ug/l'), undefined],
    [{ valueString: '200,5 ug/L' }, 'positive'],
    [{ valueString: '199.99 ug/L' }, 'negative'],
    [{ valueString: ' <=200 ug/L' }, 'negative'],
    [{ valueString: 'ca 900 ug/L' }, undefined],
    [{ valueString: '900' }, undefined],
    [{ valueString: '<200' }, undefined],
    [{ valueString: '<200 ug/L' }, 'negative'],
    [{ valueString: '900 mikrogram/L' }, 'positive'],
    [{ valueString: '> 200 ng/ml' }, 'positive'],
    [{ ...quantity(90, 'ug/L'), ...range(80, 'ug/L') }, 'positive'],
    [{ ...quantity(80, 'ug/L'), ...range(80, 'ug/L') }, 'negative'],
    [{ ...quantity(90, 'ug/L'), ...range(80) }, 'positive'],
    // A range in another unit is ignored: the cut-off decides.
    [{ ...quantity(250, 'ug/L'), ...range(300, 'nmol/L') }, 'positive'],
    [{ ...quantity(90, 'ug/L'), ...range(0.08, 'mg/L') }, 'negative'],
    [{ ...quantity(90, 'ug/L'), referenceRange: [{ text: '< 80' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '< 300 ug/L' }] }, 'negative'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '< 300 nmol/L' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '<= 300' }] }, 'negative'],
    // With only a lower limit, or an unreadable one, the cut-off decides.
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '> 300' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: '300' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ text: 'negativ' }] }, 'positive'],
    [{ ...quantity(250, 'ug/L'), referenceRange: [{ low: { value: 300 } }] }, 'positive'],
    // The first readable one of several ranges.
    [
      { ...quantity(250, 'ug/L'), referenceRange: [{}, { high: { value: 300 } }, { high: { value: 100 } }] },
      'negative',
    ],
    [{ ...quantity(90, 'ug/L'), ...range(80, 'x', { high: { value: 80, code: 'ug/L', unit: 'x' } }) }, 'positive'],
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
    // Without a limit in the list, anything above 0.
    [coded(NPU, 'NPU08837'), quantity(1, 'nmol/L'), 'positive'],
    [coded(NPU, 'NPU08837'), quantity(0, 'nmol/L'), 'negative'],
    [coded(NPU, 'NPU08837'), quantity(5, 'nmol/L', { comparator: '<' }), undefined],
    [coded(NPU, 'NPU08837'), quantity(5, 'nmol/L', { comparator: '>' }), 'positive'],
    // A class test that is a confirmation, and one of a panel.
    [coded(NPU, 'NPU18178'), quantity(50, 'ug/L'), 'positive'],
    [coded(NPU, 'NPU18178'), quantity(49, 'ug/L'), 'negative'],
    [coded(NPU, 'NPU18178'), quantity(0.2, 'umol/L'), 'positive'],
    [coded(NPU, 'NPU18178'), quantity(0.19, 'umol/L'), undefined],
    [{ text: 'U-Oxazepam' }, quantity(0.175, 'umol/L'), 'positive'],
    // A confirming method of the part or of the whole; another method does not count.
    [SCREEN, { ...quantity(60, 'ug/L'), method: coded('http://x', 'x', 'Gas: GC-MS') }, 'positive'],
    [SCREEN, { ...quantity(60, 'ug/L'), method: { text: 'Immunoassay' } }, 'negative'],
    // A test unrelated to medicines.
    [coded(LOINC, '1742-6'), { ...quantity(60, 'U/L'), method: { text: 'LC-MS' } }, 'positive'],
    [coded(LOINC, '1742-6'), { ...quantity(60, 'U/L') }, undefined],
    [coded(LOINC, '1742-6'), { valueInteger: 1 }, undefined],
  ])('%j, %j is %s', (code, value, expected) => {
    expect(outcome(code, value)).toBe(expected);
  });
});

test('a component is confirmed by the method of its observation', () => {
  const panel = (method: Json) =>
    resultsOf(observation({ text: 'Panel' }, { method, component: [{ code: SCREEN, ...quantity(60, 'ug/L') }] }))[0];
  expect(panel({ text: 'LC-MS' })).toMatchObject({ outcome: 'positive', confirmation: true });
  expect(panel({ text: 'Immunoassay' })).toMatchObject({ outcome: 'negative', confirmation: false });
});

describe('limits of a site’s own', () => {
  /** The knowledge with another limit, or shared questions, for one list of tests. */
  const withList = (name: string, change: object) => {
    const { codes } = knowledge;
    const lists = new Map(codes.tests.lists);
    lists.set(name, { ...(lists.get(name) as TestList), ...change });
    return { ...knowledge, codes: { ...codes, tests: { ...codes.tests, lists } } };
  };
  test('in a unit that is not a mass: only a value in that unit is compared with it', () => {
    const own = withList('benzodiazepine-test', { cutoff: { value: 2, unit: 'arbU/L' } });
    const said = (value: number, unit: string) =>
      chartOf([observation(SCREEN, quantity(value, unit))], { knowledge: own }).results[0]?.outcome;
    expect([said(2, 'arbU/L'), said(1.9, 'ARBU/l'), said(900, 'ug/L')]).toEqual(['positive', 'negative', undefined]);
  });

  test('in mg/l it is compared with µg/l', () => {
    const own = withList('benzodiazepine-test', { cutoff: { value: 0.3, unit: 'mg/L' } });
    const said = (value: number, unit: string) =>
      chartOf([observation(SCREEN, quantity(value, unit))], { knowledge: own }).results[0]?.outcome;
    expect([said(300, 'ug/L'), said(299, 'ug/L'), said(0.3, 'mg/L')]).toEqual(['positive', 'negative', 'positive']);
  });

  test('two codes for the same question overrule each other, also under the Norwegian list', () => {
    const later = coded('urn:oid:2.16.578.1.12.4.1.1.7280', 'NPU08958');
    const overruled = (own: Knowledge) =>
      chartOf(
        [
          observation(coded(LOINC, '3390-2'), { id: 'a', valueString: 'POS', effectiveDateTime: at(-9) }),
          observation(later, { id: 'b', valueString: 'NEG', effectiveDateTime: at(-5) }),
        ],
        { knowledge: own },
      ).results[0]?.overruled;
    const same = new Map([
      ['loinc|3390-2', 'x'],
      ['npu|NPU08958', 'x'],
    ]);
    expect(overruled(knowledge)).toBe(false);
    expect(overruled(withList('benzodiazepine-test', { same }))).toBe(true);
  });
});

describe('which results count', () => {
  test.each(['final', 'amended', 'corrected', 'appended'])('those of status %s', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toMatchObject([{ preliminary: false }]);
  });

  test.each(['preliminary', 'registered'])('those of status %s, only as a question', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toMatchObject([{ preliminary: true }]);
  });

  test.each(['entered-in-error', 'cancelled', 'unknown', undefined])('not those of status %s', (status) => {
    expect(resultsOf(observation(SCREEN, { status, valueString: 'POS' }))).toEqual([]);
  });

  test.each<[string, Json, string | undefined]>([
    ['a day', { effectiveDateTime: '2026-02-27' }, '2026-02-27'],
    ['an instant in the site’s time zone', { effectiveDateTime: '2026-02-27T23:30:00Z' }, '2026-02-28'],
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
    ['only issued: its age is unknown', { effectiveDateTime: undefined, issued: '2026-03-01T10:00:00Z' }, undefined],
    ['issued later', { effectiveDateTime: '2026-02-27', issued: '2026-03-01T10:00:00Z' }, '2026-02-27'],
    ['no date', { effectiveDateTime: undefined }, undefined],
    ['an invalid date', { effectiveDateTime: '2026-02-30' }, undefined],
  ])('dated by %s', (_, more, date) => {
    expect(resultsOf(observation(SCREEN, { valueString: 'POS', ...more }))[0]?.date).toBe(date);
  });
});

describe('values and limits', () => {
  const ALT = coded(LOINC, '1742-6');
  test.each<[string, Json, Partial<Result>]>([
    ['a value and its unit', quantity(90, 'U/L'), { value: 90, unit: 'u/l' }],
    [
      'the multiple of the upper limit',
      { ...quantity(90, 'U/L'), referenceRange: [{ high: { value: 45, unit: 'U/L' } }] },
      { timesUpperLimit: 2 },
    ],
    [
      'a limit without a unit',
      { ...quantity(90, 'U/L'), referenceRange: [{ high: { value: 45 } }] },
      { timesUpperLimit: 2 },
    ],
    ['as text', { valueString: '1,5 µkat/L' }, { value: 1.5, unit: 'ukat/l' }],
    ['as text, with two decimals', { valueString: '1,55 µkat/L' }, { value: 1.55, unit: 'ukat/l' }],
    ['as text, without a unit', { valueString: '1.5' }, { value: 1.5 }],
    ['IU', quantity(90, 'IU/L'), { unit: 'u/l' }],
    ['[IU]', quantity(90, '[IU]/L'), { unit: 'u/l' }],
    ['a unit by its code', quantity(90, 'x', { code: 'U/L' }), { unit: 'u/l' }],
  ])('%s', (_, value, expected) => {
    expect(resultsOf(observation(ALT, value))[0]).toMatchObject(expected);
  });

  test('an unreadable value is absent', () => {
    const [found] = resultsOf(observation(ALT, { ...quantity(90), referenceRange: [{ high: { value: 0 } }] }));
    for (const field of ['unit', 'timesUpperLimit', 'substance']) expect(found).not.toHaveProperty(field);
    expect(resultsOf(observation(ALT, { valueString: 'x' }))[0]).not.toHaveProperty('value');
    const noValue = { valueString: 'x', referenceRange: [{ high: { value: 4 } }] };
    expect(resultsOf(observation(ALT, noValue))[0]).not.toHaveProperty('timesUpperLimit');
  });

  test('a limit in another unit does not count', () => {
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
      'a confirmation of the class, with the same specimen',
      negative(coded(LOINC, '16195-0'), { ...day(12), specimen: { reference: 'Specimen/a' } }),
      { overruled: true, refuted: true, laterNegative: true },
    ],
    [
      'a confirmation of the class, at the same time',
      negative(coded(LOINC, '16195-0'), day(10)),
      { overruled: true, refuted: true, laterNegative: false },
    ],
    [
      'a confirmation with another specimen and time',
      negative(coded(LOINC, '16195-0'), { ...day(12), specimen: { reference: 'Specimen/b' } }),
      { overruled: false, refuted: false, laterNegative: true },
    ],
    [
      'a preliminary negative',
      negative(SCREEN, { ...day(11), status: 'preliminary' }),
      { overruled: false, refuted: false, laterNegative: false },
    ],
    [
      'a later inconclusive result',
      observation(SCREEN, { ...day(11), valueString: 'prov saknas' }),
      { overruled: false, refuted: false, laterNegative: false },
    ],
  ])('%s', (_, other, expected) => {
    expect(first(other)).toMatchObject(expected);
  });

  test('a negative for one substance overrules a positive for that substance only', () => {
    const found = (code: Json, later: Json) =>
      resultsOf(observation(code, { ...quantity(100, 'ug/L'), ...day(10) }), negative(later, day(11)))[0]?.overruled;
    expect(found(OXAZEPAM, OXAZEPAM)).toBe(true);
    expect(found(OXAZEPAM, NORDAZEPAM)).toBe(false);
    expect(found(OXAZEPAM, SCREEN)).toBe(false);
  });

  test('a confirmation without a specimen, beside a test without one, is of another time', () => {
    const bare = observation(SCREEN, { valueString: 'POS', ...day(10) });
    const found = resultsOf(bare, negative(coded(LOINC, '16195-0'), day(9)))[0];
    expect(found).toMatchObject({ overruled: false, refuted: false });
  });

  test('with the same sample a negative confirmation of one substance overrules a positive of that substance only', () => {
    const found = (code: Json, other: Json) =>
      resultsOf(observation(code, { valueString: 'POS', ...day(10) }), negative(other, day(10)))[0];
    const screenOfOxazepam = coded(LOINC, '19638-6');
    expect(found(screenOfOxazepam, OXAZEPAM)).toMatchObject({ overruled: true, refuted: true });
    expect(found(screenOfOxazepam, NORDAZEPAM)).toMatchObject({ overruled: false, refuted: false });
    expect(found(SCREEN, OXAZEPAM)).toMatchObject({ overruled: false, refuted: false });
    // A confirmation is not refuted by another one, nor a class by that of another class.
    expect(found(OXAZEPAM, coded(LOINC, '16195-0'))).toMatchObject({ refuted: false });
    expect(found(coded(NPU, 'NPU08990'), coded(LOINC, '16195-0'))).toMatchObject({ refuted: false });
    // Nor does a screening refute another screening taken at the same time.
    expect(found(SCREEN, coded(LOINC, '3390-2'))).toMatchObject({ refuted: false, overruled: false });
  });

  test('two confirmations of one sample both count', () => {
    const found = (...codes: Json[]) =>
      resultsOf(
        observation(SCREEN, { valueString: 'POS', ...day(10) }),
        ...codes.map((code) => negative(code, day(10))),
      )[0]?.refuted;
    expect(found(coded(LOINC, '16195-0'), OXAZEPAM)).toBe(true);
    expect(found(OXAZEPAM, coded(LOINC, '16195-0'))).toBe(true);
    expect(found(OXAZEPAM, NORDAZEPAM)).toBe(false);
  });

  test('two codes on the Norwegian list are different questions', () => {
    const nlk = (code: string) => coded('urn:oid:2.16.578.1.12.4.1.1.7280', code);
    const found = (later: string) =>
      resultsOf(observation(nlk('NOR25838'), { valueString: 'POS', ...day(10) }), negative(nlk(later), day(11)))[0]
        ?.overruled;
    expect([found('NOR25838'), found('NPU08958')]).toEqual([true, false]);
  });

  test('the latest negative counts, in any order', () => {
    expect(first(negative(SCREEN, day(11)), negative(SCREEN, day(8)))).toMatchObject({ overruled: true });
    expect(first(negative(SCREEN, day(8)), negative(SCREEN, day(11)))).toMatchObject({ overruled: true });
  });

  test('a test of two classes has a later negative if one of them has', () => {
    const both = observation(coded(NPU, 'NPU18178'), { valueString: 'POS', ...day(10) });
    const found = (...others: Json[]) => resultsOf(both, ...others)[0]?.laterNegative;
    expect([found(negative(SCREEN, day(11))), found(negative(SCREEN, day(9))), found()]).toEqual([true, false, false]);
  });

  test('nothing overrules a negative, nor a status that is not a test for a medicine', () => {
    expect(resultsOf(negative(SCREEN, day(10)), negative(SCREEN, day(11)))[0]).toMatchObject({
      ...{ overruled: false, refuted: false, laterNegative: false },
    });
    const smoking = (code: string, number: number) =>
      observation(coded(LOINC, '72166-2'), { valueCodeableConcept: coded(SNOMED, code), ...day(number) });
    expect(resultsOf(smoking('449868002', 10), smoking('8517006', 11))[0]).toMatchObject({
      ...{ outcome: 'positive', overruled: false, laterNegative: false },
    });
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
    ['a precursor is not a metabolite', coded(LOINC, '16227-1'), [ordered('oxazepam', at(-30))], false],
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
    ['given the day after', SCREEN, [administrationOf('oxazepam', { effectiveDateTime: at(-4) })], false],
    ['one of two', SCREEN, [ordered('zopiclone', at(-30)), ordered('oxazepam', at(-30))], true],
    ['a class code that no list specifies', OXAZEPAM, [ordered('N05BA99', at(-30))], false],
    ['such a code, and the class test', SCREEN, [ordered('N05BA99', at(-30))], true],
    ['such a code, ended 14 days before it', SCREEN, [ordered('N05BA99', at(-90), at(-19))], true],
    ['such a code, ended 15 days before it', SCREEN, [ordered('N05BA99', at(-90), at(-20))], false],
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

  test('a positive of unknown date is not explained', () => {
    const record = [sample(SCREEN, '2026-02'), ordered('oxazepam', '2020-01-01')];
    expect(chartOf(record).results[0]).toMatchObject({ outcome: 'positive', explained: false });
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

describe('the newest of their list', () => {
  const said = (ref: string, lists: string[], moment: number, more: Partial<Result> = {}) =>
    ({ ref, lists, at: moment, preliminary: false, ...more }) as Result;
  const kept = (...results: Result[]) => newestOf(results).map(({ ref }) => ref);
  const POS = { outcome: 'positive' } as const;
  const NEG = { outcome: 'negative' } as const;
  test.each<[what: string, results: Result[], kept: string[]]>([
    ['none', [], []],
    ['one', [said('a', ['x'], 1, POS)], ['a']],
    ['one known by its value', [said('a', ['x'], 1, { value: 5 })], ['a']],
    ['an inconclusive one', [said('a', ['x'], 1)], []],
    ['a preliminary one', [said('a', ['x'], 1, { ...POS, preliminary: true })], []],
    ['the newer of two', [said('a', ['x'], 1, POS), said('b', ['x'], 2, NEG)], ['b']],
    ['the newer of two, in any order', [said('b', ['x'], 2, NEG), said('a', ['x'], 1, POS)], ['b']],
    ['one each of two lists', [said('a', ['x'], 1, POS), said('b', ['y'], 2, NEG)], ['a', 'b']],
    ['an inconclusive newer one leaves the older', [said('a', ['x'], 1, POS), said('b', ['x'], 2)], ['a']],
    [
      'a preliminary newer one leaves it too',
      [said('a', ['x'], 1, POS), said('b', ['x'], 2, { ...NEG, preliminary: true })],
      ['a'],
    ],
    ['the positive of two at the same time', [said('a', ['x'], 1, NEG), said('b', ['x'], 1, POS)], ['b']],
    ['the positive of two at the same time, in any order', [said('b', ['x'], 1, POS), said('a', ['x'], 1, NEG)], ['b']],
    ['two positives at the same time', [said('a', ['x'], 1, POS), said('b', ['x'], 1, POS)], ['a', 'b']],
    ['two values at the same time', [said('a', ['x'], 1, { value: 1 }), said('b', ['x'], 1, { value: 2 })], ['a', 'b']],
    [
      'a value beside a positive at the same time',
      [said('a', ['x'], 1, { value: 1 }), said('b', ['x'], 1, POS)],
      ['a', 'b'],
    ],
    ['one on two lists, older on one of them', [said('a', ['x', 'y'], 1, POS), said('b', ['y'], 2, NEG)], ['b']],
    [
      'an older positive on the same list no longer counts',
      [said('a', ['x'], 1, POS), said('b', ['x'], 2, NEG), said('c', ['x'], 2, NEG)],
      ['b', 'c'],
    ],
  ])('%s', (_, results, expected) => {
    expect(kept(...results)).toEqual(expected);
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

test('newest (seed 4): nothing newer on its list remains, whatever the order, and of two at once the positive stays', () => {
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
