import { describe, expect, test } from 'vitest';
import { plusMonths } from '../dates.ts';
import {
  administrationOf,
  at,
  chartOf,
  concept,
  dispenseOf,
  draftOf,
  orderOf,
  statementOf,
  TODAY,
  treatmentOf,
} from '../testing/charts.ts';
import { bundle, condition, encounter, type Json } from '../testing/request.ts';
import type { Chart, SectionState } from './chart.ts';

const ICD = 'http://hl7.org/fhir/sid/icd-10';
const ICPC = 'http://hl7.org/fhir/sid/icpc-2';
const SNOMED = 'http://snomed.info/sct';
const coded = (system: string, code: string): Json => ({ coding: [{ system, code }] });
const because = (code: string, system = ICD) => ({ reasonCode: [coded(system, code)] });
const inWords = (text: string) => ({ reasonCode: [{ text }] });
const dosed = (text: string) => ({ dosageInstruction: [{ text }] });
const written = (code: string, text: string): Json => ({ ...concept(code), text });
const SINCE = { authoredOn: at(-10) };

/** The class of an opioid in a patient, by its purpose. */
function purpose(medicine: string | Json, more: Json = {}, record: Json[] = []): string | undefined {
  const treatment = treatmentOf([orderOf(medicine, { ...SINCE, ...more }), ...record]);
  const classes = ['laro-medicine', 'opioid-for-pain', 'opioid-cough-medicine'];
  const found = classes.filter((name) => treatment?.lists.includes(name));
  expect(found.length).toBeLessThan(2);
  return found[0];
}

describe('2.2: the purpose of an opioid', () => {
  const F112 = condition('dependence', 'F11.2');
  const CANCER = condition('cancer', 'C50.9');
  const LARO = condition('laro', 'F11.22');
  const PALLIATIVE = {
    resourceType: 'Procedure',
    id: 'p',
    status: 'in-progress',
    code: coded(SNOMED, '103735009'),
    subject: { reference: 'Patient/kari' },
  };
  test.each<[string, string | Json, Json, Json[], string | undefined]>([
    ['N07BC01', 'N07BC01', {}, [], 'laro-medicine'],
    ['N07BC02', 'N07BC02', {}, [], 'laro-medicine'],
    ['N07BC03', 'N07BC03', {}, [], 'laro-medicine'],
    ['N07BC05', 'N07BC05', {}, [], 'laro-medicine'],
    ['N07BC06', 'N07BC06', {}, [], 'laro-medicine'],
    ['N07BC51', 'N07BC51', {}, [], 'laro-medicine'],
    ['morphine', 'N02AA01', {}, [], 'opioid-for-pain'],
    ['morphine for dependence', 'N02AA01', because('F11.2'), [], 'laro-medicine'],
    [
      'morphine for dependence, in the Danish edition',
      'N02AA01',
      because('DF112', 'urn:oid:1.2.208.176.2.4.12'),
      [],
      'laro-medicine',
    ],
    ['morphine for dependence, in text', 'N02AA01', inWords('opioidberoende'), [], 'laro-medicine'],
    ['morphine, LAR in the dosage', 'N02AA01', dosed('LAR, 1 kapsel daglig'), [], 'laro-medicine'],
    ['morphine for drug abuse of any kind', 'N02AA01', because('P19', ICPC), [], 'opioid-for-pain'],
    ['morphine for F19.2', 'N02AA01', because('F19.2'), [], 'opioid-for-pain'],
    [
      'dependence takes precedence over pain',
      'N07BC02',
      { reasonCode: [coded(ICD, 'R52.2'), coded(ICD, 'F11.2')] },
      [],
      'laro-medicine',
    ],
    ['only N02AE01 for dependence', 'N02AE01', because('F11.2'), [F112], 'opioid-for-pain'],
    [
      'a patch with a dependence code',
      written('N07BC01', 'Norspan depotplåster'),
      because('F11.2'),
      [F112],
      'opioid-for-pain',
    ],
    ['a patch in Finnish', written('N07BC01', 'Buprenorfiini depotlaastari'), {}, [], 'opioid-for-pain'],
    ['a patch in German', written('N07BC01', 'Buprenorphin Pflaster'), {}, [], 'opioid-for-pain'],
    ['methadone for pain', 'N07BC02', because('R52.2'), [], 'opioid-for-pain'],
    ['methadone for osteoarthritis', 'N07BC02', because('M17.1'), [], 'opioid-for-pain'],
    ['methadone for an injury', 'N07BC02', because('S72.0'), [], 'opioid-for-pain'],
    ['methadone for migraine', 'N07BC02', because('G43.9'), [], 'opioid-for-pain'],
    ['methadone for headache', 'N07BC02', because('R51'), [], 'opioid-for-pain'],
    ['methadone for pancreatitis', 'N07BC02', because('K86.1'), [], 'opioid-for-pain'],
    ['methadone for pain, ICPC-2', 'N07BC02', because('A01', ICPC), [], 'opioid-for-pain'],
    ['methadone for pain, SNOMED CT', 'N07BC02', because('82423001', SNOMED), [], 'opioid-for-pain'],
    ['methadone for cancer', 'N07BC02', because('C34.9'), [], 'opioid-for-pain'],
    [
      'methadone in palliative care, by reimbursement',
      'N07BC02',
      { reasonCode: [{ coding: [{ system: 'urn:oid:2.16.578.1.12.4.1.1.7435', code: '-90' }] }] },
      [],
      'opioid-for-pain',
    ],
    [
      'a reason by reference',
      'N07BC02',
      { reasonReference: [{ reference: 'Condition/pain' }] },
      [condition('pain', 'R52.2')],
      'opioid-for-pain',
    ],
    ['a reason (R5)', 'N07BC02', { reason: [{ concept: coded(ICD, 'R52.2') }] }, [], 'opioid-for-pain'],
    [
      'a reason by reference (R5)',
      'N07BC02',
      { reason: [{ reference: { reference: 'Condition/pain' } }] },
      [condition('pain', 'R52.2')],
      'opioid-for-pain',
    ],
    ['smärta in text', 'N07BC02', inWords('långvarig smärta'), [], 'opioid-for-pain'],
    ['smärt- at the end of a compound', 'N07BC02', dosed('mot smärtor'), [], 'opioid-for-pain'],
    ['smerter', 'N07BC02', dosed('1 tablett mot smerter'), [], 'opioid-for-pain'],
    ['kipu', 'N07BC02', dosed('kipuun'), [], 'opioid-for-pain'],
    ['kivun', 'N07BC02', dosed('kivun hoitoon'), [], 'opioid-for-pain'],
    ['pain', 'N07BC02', inWords('chronic pain'), [], 'opioid-for-pain'],
    ['not for pain', 'N07BC02', dosed('ej mot smärta'), [], 'laro-medicine'],
    ['ikke mot smerter', 'N07BC02', dosed('Ikke mot smerter'), [], 'laro-medicine'],
    ['a negation in another sentence', 'N07BC02', dosed('Ej fastande. Mot smärta.'), [], 'opioid-for-pain'],
    ['free of pain', 'N07BC02', dosed('är smärtfri'), [], 'laro-medicine'],
    ['smertefri', 'N07BC02', dosed('til smertefri'), [], 'laro-medicine'],
    [
      'a listed coded reason takes precedence over text',
      'N07BC02',
      { ...because('F11.2'), ...dosed('mot smärta') },
      [],
      'laro-medicine',
    ],
    [
      'an unlisted coded reason leaves it to the text',
      'N07BC02',
      { ...because('J06.9'), ...dosed('mot smärta') },
      [],
      'opioid-for-pain',
    ],
    ['with opioid dependence on record a LARO code stays LARO', 'N07BC02', because('R52.2'), [F112], 'laro-medicine'],
    ['methadone in cancer', 'N07BC02', {}, [CANCER], 'opioid-for-pain'],
    ['levomethadone in cancer', 'N07BC05', {}, [CANCER], 'opioid-for-pain'],
    ['methadone in palliative care', 'N07BC02', {}, [PALLIATIVE], 'opioid-for-pain'],
    ['methadone in cancer and dependence', 'N07BC02', {}, [CANCER, F112], 'laro-medicine'],
    ['buprenorphine in cancer', 'N07BC01', {}, [CANCER], 'laro-medicine'],
    [
      'an unconfirmed cancer',
      'N07BC02',
      {},
      [{ ...CANCER, verificationStatus: { coding: [{ code: 'provisional' }] } }],
      'laro-medicine',
    ],
    ['codeine for cough by its code', 'R05DA04', {}, [], 'opioid-for-pain'],
    ['codeine with cough as its reason', 'R05DA04', because('R05'), [], 'opioid-cough-medicine'],
    ['codeine with cough in its text', 'R05DA04', dosed('mot hosta'), [], 'opioid-cough-medicine'],
    ['codeine as a liquid', written('R05DA04', 'Kodein oral lösning'), {}, [], 'opioid-cough-medicine'],
    [
      'codeine as a liquid for pain',
      written('R05DA04', 'Kodein oral lösning'),
      dosed('mot smärta'),
      [],
      'opioid-for-pain',
    ],
    ['lofexidine is not an opioid', 'N07BC04', {}, [], undefined],
    ['loperamide is not an opioid', 'A07DA03', {}, [], undefined],
  ])('%s', (_, medicine, more, record, expected) => {
    expect(purpose(medicine, more, record)).toBe(expected);
  });

  test('methadone in cancer is LARO if LARO is known otherwise', () => {
    const { treatments } = chartOf([orderOf('N07BC02', SINCE), CANCER, LARO]);
    expect(treatments.find(({ substance }) => substance === 'methadone')?.lists).toContain('laro-medicine');
  });

  test.each<[string, Json]>([
    [
      'authorizingPrescription',
      dispenseOf('morphine', {
        whenHandedOver: at(-2),
        authorizingPrescription: [{ reference: 'MedicationRequest/first' }],
      }),
    ],
    [
      'basedOn',
      statementOf('morphine', { effectiveDateTime: at(-2), basedOn: [{ reference: 'MedicationRequest/first' }] }),
    ],
    [
      'request',
      administrationOf('morphine', { effectiveDateTime: at(-2), request: { reference: 'MedicationRequest/first' } }),
    ],
    [
      'priorPrescription',
      orderOf('morphine', { authoredOn: at(-2), priorPrescription: { reference: 'MedicationRequest/first' } }),
    ],
  ])('1.1: an entry without a reason takes that of the order it names: %s', (_, entry) => {
    const first = orderOf('morphine', { id: 'first', authoredOn: at(-90), ...because('F11.2') });
    const other = orderOf('morphine', { id: 'other', authoredOn: at(-5), ...because('R52.2') });
    const found = chartOf([first, other, { ...entry, id: 'asked' }]).treatments;
    const own = found.find(({ entries }) => entries().some(({ ref }) => ref.endsWith('/asked')));
    expect(own?.lists).toContain('laro-medicine');
  });

  test('1.1: otherwise it takes that of the newest entry of the substance with a reason', () => {
    const first = orderOf('morphine', { id: 'first', authoredOn: at(-90), ...because('F11.2') });
    const other = orderOf('morphine', { id: 'other', authoredOn: at(-5), ...because('R52.2') });
    const bare = orderOf('morphine', { id: 'asked', authoredOn: at(-50) });
    const own = (record: Json[]) =>
      chartOf(record).treatments.find(({ entries }) => entries().some(({ ref }) => ref.endsWith('/asked')));
    expect(own([first, other, bare])?.lists).toContain('opioid-for-pain');
    expect(own([other, bare, first])?.lists).toContain('opioid-for-pain');
    expect(own([first, bare])?.lists).toContain('laro-medicine');
  });

  test('1.1: this also holds for a draft', () => {
    const running = orderOf('morphine', { authoredOn: at(-50), ...because('F11.2') });
    const { drafts } = chartOf([running], { drafts: [draftOf('morphine', { authoredOn: TODAY })] });
    expect(drafts[0]?.lists).toContain('laro-medicine');
  });
});

describe('2.2: antiseizure use', () => {
  const EPILEPSY = condition('epilepsy', 'G40.9');
  test.each<[string, string | Json, Json, Json[], boolean]>([
    ['epilepsy as its reason', 'N05BA01', because('G40.9'), [], true],
    ['status epilepticus as its reason', 'N05BA01', because('G41'), [], true],
    ['a seizure as its reason', 'N05BA01', because('R56.0'), [], true],
    ['an ICPC-2 reason', 'N05BA01', because('N88', ICPC), [], true],
    ['a seizure as its reason, ICPC-2', 'N05BA01', because('N07', ICPC), [], true],
    ['a reason in its text', 'N05BA01', dosed('mot epilepsi'), [], true],
    ['a rectal form', written('N05BA01', 'Stesolid rektallösning 5 mg'), {}, [], true],
    ['a buccal form', written('N05CD08', 'Buccolam munhålelösning 10 mg'), {}, [], true],
    ['munnhulevæske', written('N05CD08', 'Buccolam munnhulevæske'), {}, [], true],
    ['mundhulevæske', written('N05CD08', 'Buccolam mundhulevæske'), {}, [], true],
    ['a nasal spray', written('N05CD08', 'Midazolam nässpray'), {}, [], true],
    ['clonazepam and a diagnosis', 'N03AE01', {}, [EPILEPSY], true],
    ['diazepam and a diagnosis', 'N05BA01', {}, [EPILEPSY], true],
    ['pregabalin and a diagnosis', 'N02BF02', {}, [EPILEPSY], true],
    ['gabapentin and a diagnosis', 'N02BF01', {}, [EPILEPSY], true],
    ['phenobarbital and a diagnosis', 'N03AA02', {}, [EPILEPSY], true],
    ['oxazepam and a diagnosis', 'N05BA04', {}, [EPILEPSY], false],
    ['zopiclone and a diagnosis', 'N05CF01', {}, [EPILEPSY], false],
    ['diazepam without a diagnosis', 'N05BA01', {}, [], false],
    ['diazepam for anxiety, with a diagnosis', 'N05BA01', because('F41.1'), [EPILEPSY], false],
    [
      'a resolved epilepsy',
      'N05BA01',
      {},
      [{ ...EPILEPSY, clinicalStatus: { coding: [{ code: 'resolved' }] } }],
      false,
    ],
    ['a tablet', written('N05BA01', 'Stesolid tablett 5 mg'), {}, [], false],
  ])('%s', (_, medicine, more, record, expected) => {
    const found = treatmentOf([orderOf(medicine, { ...SINCE, ...more }), ...record]);
    expect(found?.lists.includes('antiseizure')).toBe(expected);
  });
});

describe('2.3: LARO known otherwise', () => {
  const kari = { subject: { reference: 'Patient/kari' } };
  const procedure = (more: Json) => ({
    resourceType: 'Procedure',
    id: 'p',
    status: 'completed',
    code: coded(SNOMED, '310653000'),
    ...kari,
    ...more,
  });
  const plan = (more: Json) => ({
    resourceType: 'CarePlan',
    id: 'c',
    status: 'active',
    intent: 'plan',
    ...kari,
    ...more,
  });
  const degreeOf = (...record: Json[]) => {
    const found = chartOf(record).treatments.filter(({ otherwise }) => otherwise);
    expect(found.length).toBeLessThan(2);
    return found[0]?.degree;
  };
  const diagnosis = (system: string, code: string, more: Json = {}) =>
    condition('x', code, { code: coded(system, code), ...more });
  const status = (code: string) => ({ clinicalStatus: { coding: [{ code }] } });
  const sure = (code: string) => ({ verificationStatus: { coding: [{ code }] } });
  const titled = (text: string, more: Json = {}) => condition('x', 'x', { code: { text }, ...more });
  const year = plusMonths(TODAY, -12);

  test.each<[string, Json, string | undefined]>([
    ['SNOMED CT 1081000119105', diagnosis(SNOMED, '1081000119105'), 'presumed'],
    ['F11.22', diagnosis(ICD, 'F11.22'), 'presumed'],
    ['F11.22 of ICD-10-CM means something else', diagnosis('http://hl7.org/fhir/sid/icd-10-cm', 'F11.22'), undefined],
    ['F11.2 alone tells nothing about LARO', diagnosis(ICD, 'F11.2'), undefined],
    ['in remission', diagnosis(ICD, 'F11.22', status('remission')), undefined],
    ['resolved', diagnosis(ICD, 'F11.22', status('resolved')), undefined],
    ['recurrent', diagnosis(ICD, 'F11.22', status('recurrence')), 'presumed'],
    ['without a status', diagnosis(ICD, 'F11.22', { clinicalStatus: undefined }), 'presumed'],
    ['refuted', diagnosis(ICD, 'F11.22', sure('refuted')), undefined],
    ['entered in error', diagnosis(ICD, 'F11.22', sure('entered-in-error')), undefined],
    ['LARO in words', titled('Opioidberoende, LARO sedan 2019'), 'presumed'],
    ['LAR in words', titled('LAR-pasient'), 'presumed'],
    ['substitutionsbehandling', titled('I substitutionsbehandling'), 'presumed'],
    ['legemiddelassistert rehabilitering', titled('Legemiddelassistert rehabilitering'), 'presumed'],
    ['opioidikorvaushoito', titled('Opioidikorvaushoito'), 'presumed'],
    ['not in LARO', titled('Ej LARO'), undefined],
    ['ikke i LAR', titled('Ikke i LAR'), undefined],
    ['earlier', titled('Tidigare LARO'), undefined],
    ['tidligere', titled('Tidligere LAR'), undefined],
    ['a later "finished" in the sentence', titled('LARO avslutad 2020'), undefined],
    ['a word that only ends like LAR', titled('Molar och polar'), undefined],
    ['an open procedure', procedure({ status: 'in-progress', performedPeriod: { start: '2020-01-01' } }), 'presumed'],
    ['a procedure with any drug', procedure({ code: coded(SNOMED, '266707007'), status: 'in-progress' }), undefined],
    [
      'a procedure with buprenorphine',
      procedure({ code: coded(SNOMED, '792901003'), status: 'in-progress' }),
      'presumed',
    ],
    [
      'a procedure in text',
      procedure({ code: { text: 'Opioid agonist treatment' }, status: 'in-progress' }),
      'presumed',
    ],
    ['performed today', procedure({ performedDateTime: TODAY }), 'possible'],
    ['performed 12 months ago', procedure({ performedDateTime: year }), 'possible'],
    ['performed 12 months and a day ago', procedure({ performedDateTime: '2025-03-01' }), undefined],
    ['ended 12 months ago', procedure({ performedPeriod: { start: '2019-01-01', end: year } }), 'possible'],
    ['ended longer ago', procedure({ performedPeriod: { start: '2019-01-01', end: '2025-03-01' } }), undefined],
    ['not done', procedure({ status: 'not-done', performedDateTime: TODAY }), undefined],
    ['an error', procedure({ status: 'entered-in-error', performedDateTime: TODAY }), undefined],
    ['a care plan by its title', plan({ title: 'LAR-plan' }), 'presumed'],
    ['a care plan by its category', plan({ category: [coded(SNOMED, '310653000')] }), 'presumed'],
    ['a care plan with an open period', plan({ title: 'LARO', period: { start: '2020-01-01' } }), 'presumed'],
    [
      'a care plan that ends later',
      plan({ title: 'LARO', period: { start: '2020-01-01', end: '2027-01-01' } }),
      'presumed',
    ],
    ['a care plan that ended', plan({ title: 'LARO', period: { start: '2020-01-01', end: at(-30) } }), 'possible'],
    [
      'a completed care plan',
      plan({ title: 'LARO', status: 'completed', period: { start: '2020-01-01', end: at(-30) } }),
      'possible',
    ],
    ['a revoked care plan', plan({ title: 'LARO', status: 'revoked' }), undefined],
    ['a drafted care plan', plan({ title: 'LARO', status: 'draft' }), undefined],
    [
      'a medicine that is only a heading',
      statementOf({ text: 'LAR-medisin, se LAR' }, { effectiveDateTime: at(-20) }),
      'taken',
    ],
    ['LAR-legemiddel', statementOf({ text: 'LAR-legemiddel' }, { effectiveDateTime: at(-20) }), 'taken'],
    [
      'LAR alone does not make a medicine a heading',
      statementOf({ text: 'LAR 10 mg' }, { effectiveDateTime: at(-20) }),
      undefined,
    ],
    [
      'a recognised medicine makes no second treatment',
      orderOf(written('N07BC02', 'Metadon (LARO)'), SINCE),
      undefined,
    ],
  ])('%s', (_, resource, expected) => {
    expect(degreeOf(resource)).toBe(expected);
  });

  test('it counts as fresh, names no substance, and is in the class', () => {
    const [found] = chartOf([diagnosis(ICD, 'F11.22', { onsetDateTime: '2015' })]).treatments;
    expect(found).toMatchObject({ fresh: true, otherwise: true, lists: ['laro-medicine'], endKnown: false });
    expect(found?.substance).toBeUndefined();
  });

  test('a heading is not also unrecognised', () => {
    const heading = statementOf({ text: 'LARO-preparat' }, { effectiveDateTime: at(-20) });
    expect(chartOf([heading]).unread.treatments).toEqual([]);
  });
});

describe('2.4: what was done, planned or booked', () => {
  const base = { id: 'a', status: 'completed', subject: { reference: 'Patient/kari' } };
  const CBT = { code: coded(SNOMED, '228557008') };
  const dateOf = (key: 'procedures' | 'referrals' | 'carePlans' | 'familyHistory' | 'appointments', resource: Json) =>
    chartOf([{ ...base, ...resource }])[key].map(({ lists, date }) => [lists, date]);
  const LISTS = ['cognitive-behavioural-therapy'];
  test.each<[string, 'procedures' | 'referrals' | 'carePlans', Json, string | undefined]>([
    ['performed on a day', 'procedures', { resourceType: 'Procedure', performedDateTime: '2026-01-05' }, '2026-01-05'],
    ['performed (R5)', 'procedures', { resourceType: 'Procedure', occurrenceDateTime: '2026-01-05' }, '2026-01-05'],
    [
      'performed until a day',
      'procedures',
      { resourceType: 'Procedure', performedPeriod: { start: '2025-01-01', end: '2026-01-05' } },
      '2026-01-05',
    ],
    [
      'in progress',
      'procedures',
      { resourceType: 'Procedure', status: 'in-progress', performedPeriod: { start: '2025-01-01' } },
      TODAY,
    ],
    [
      'referred for a day',
      'referrals',
      { resourceType: 'ServiceRequest', status: 'active', occurrenceDateTime: '2026-03-09', authoredOn: '2026-03-01' },
      '2026-03-09',
    ],
    [
      'referred on a day',
      'referrals',
      { resourceType: 'ServiceRequest', status: 'active', authoredOn: '2026-03-01' },
      '2026-03-01',
    ],
    [
      'planned',
      'carePlans',
      {
        resourceType: 'CarePlan',
        status: 'active',
        code: undefined,
        category: [CBT.code],
        period: { start: '2026-01-05' },
      },
      '2026-01-05',
    ],
    ['without a date', 'procedures', { resourceType: 'Procedure' }, undefined],
  ])('%s', (_, key, resource, date) => {
    expect(dateOf(key, { ...CBT, ...resource })).toEqual([[LISTS, date]]);
  });

  test('a drafted referral of the call counts', () => {
    const referral = { ...base, resourceType: 'ServiceRequest', status: 'draft', authoredOn: TODAY, ...CBT };
    expect(chartOf([], { drafts: [draftOf('oxycodone'), referral] }).referrals).toHaveLength(1);
  });

  test('relatives: their illnesses', () => {
    const relative = {
      resourceType: 'FamilyMemberHistory',
      condition: [{ code: coded(ICD, 'F10.2') }],
      patient: { reference: 'Patient/kari' },
      subject: undefined,
    };
    expect(chartOf([{ ...base, ...relative }]).familyHistory[0]?.lists).toContain('alcohol-dependence');
  });
});

describe('2.4: where the patient is', () => {
  const setting = (value: unknown, more: Json = {}) => chartOf([], { prefetch: { encounter: value, ...more } }).setting;
  test.each([
    ['IMP', 'inpatient'],
    ['ACUTE', 'inpatient'],
    ['NONAC', 'inpatient'],
    ['SS', 'inpatient'],
    ['OBSENC', 'inpatient'],
    ['EMER', 'outpatient'],
    ['AMB', 'outpatient'],
    ['HH', 'outpatient'],
    ['FLD', 'outpatient'],
    ['VR', 'virtual'],
    ['PRENC', undefined],
    ['X', undefined],
  ])('class %s: %s', (code, expected) => {
    expect(setting(encounter(code))).toBe(expected);
    const r5 = { ...encounter(code), class: [{ coding: [{ code }] }] };
    expect(setting(r5)).toBe(expected);
  });

  test('an encounter other than that of the call is ignored', () => {
    expect(setting({ ...encounter('IMP'), id: 'other' })).toBeUndefined();
  });

  const category = (...codes: string[]) => ({ category: codes.map((code) => ({ coding: [{ code }] })) });
  test.each<[string, Json, string, string | undefined]>([
    ['no category: the encounter’s', {}, 'IMP', 'inpatient'],
    ['an inpatient order at a visit', category('inpatient'), 'AMB', 'inpatient'],
    ['a discharge order on a ward', category('discharge'), 'IMP', 'outpatient'],
    ['a community order on a ward', category('community'), 'IMP', 'outpatient'],
    ['an outpatient order on a ward', category('outpatient'), 'IMP', 'outpatient'],
    ['an outpatient order by video', category('outpatient'), 'VR', 'virtual'],
    ['several categories: outpatient care takes precedence', category('inpatient', 'discharge'), 'IMP', 'outpatient'],
    ['a category of another kind', category('acute'), 'IMP', 'inpatient'],
    ['an encounter of unknown class', {}, 'PRENC', undefined],
  ])('of a draft: %s', (_, more, code, expected) => {
    const chart = chartOf([], { drafts: [draftOf('oxycodone', more)], prefetch: { encounter: encounter(code) } });
    expect(chart.drafts[0]?.setting).toBe(expected);
  });

  test('an order of the record has only its own category', () => {
    const chart = chartOf([orderOf('oxycodone', SINCE)], { prefetch: { encounter: encounter('IMP') } });
    expect(chart.treatments[0]?.setting).toBeUndefined();
  });
});

describe('the patient’s age', () => {
  const age = (birthDate: unknown, id = 'kari') =>
    chartOf([], { prefetch: { patient: { resourceType: 'Patient', id, birthDate } } }).age;
  test.each<[birthDate: unknown, age: Chart['age']]>([
    ['1981-03-02', { least: 45, most: 45 }],
    ['1981-03-03', { least: 44, most: 44 }],
    ['1981-03', { least: 44, most: 45 }],
    ['1981-02', { least: 45, most: 45 }],
    ['1981', { least: 44, most: 45 }],
    ['2008-03', { least: 17, most: 18 }],
    ['2026-03-02', { least: 0, most: 0 }],
    ['2026-03', undefined],
    ['2026', undefined],
    ['2027-01-01', undefined],
    ['81', undefined],
    [undefined, undefined],
    [1981, undefined],
  ])('born %j: %j', (birthDate, expected) => {
    expect(age(birthDate)).toEqual(expected);
  });
});

describe('7: how complete the record is', () => {
  const medications = (value: unknown): SectionState =>
    chartOf([], { prefetch: { medications: value } }).sections.medications;
  const one = orderOf('oxazepam', SINCE);
  const set = (more: Json, resources: Json[] = [one]) => ({ ...bundle(resources, 'searchset'), ...more });
  const outcome = (severity: string) => ({
    resource: { resourceType: 'OperationOutcome', issue: [{ severity, code: 'processing' }] },
  });
  const included = { resource: { resourceType: 'Medication', id: 'm' }, search: { mode: 'include' } };
  const [entry] = set({})['entry'] as Json[];
  test.each<[string, unknown, SectionState]>([
    ['a list', set({}), 'complete'],
    ['an empty Bundle', bundle([], 'searchset'), 'complete'],
    ['a Bundle without entries', { resourceType: 'Bundle', type: 'searchset' }, 'complete'],
    ['null', null, 'complete'],
    ['nothing under the key', undefined, 'missing'],
    ['a text', 'x', 'missing'],
    ['an OperationOutcome', { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }, 'missing'],
    ['a next page', set({ link: [{ relation: 'next', url: 'https://fhir.example/x' }] }), 'partial'],
    ['a total equal to the entries', set({ total: 1 }), 'complete'],
    ['a total above the entries', set({ total: 2 }), 'partial'],
    [
      'a total above the matches, with included resources',
      { ...set({}), entry: [entry, included], total: 2 },
      'partial',
    ],
    [
      'a total equal to the matches, with included resources',
      { ...set({}), entry: [entry, included], total: 1 },
      'complete',
    ],
    ['a remark among the entries', { ...set({}), entry: [entry, outcome('information')] }, 'complete'],
    ['a warning among the entries', { ...set({}), entry: [entry, outcome('warning')] }, 'complete'],
    ['an error among the entries', { ...set({}), entry: [entry, outcome('error')] }, 'partial'],
    ['a fatal error among the entries', { ...set({}), entry: [entry, outcome('fatal')] }, 'partial'],
    ['an entry without a resource', { ...set({}), entry: [entry, { fullUrl: 'urn:uuid:x' }] }, 'partial'],
    ['entries of another version as well', set({}, [one, { ...one, id: 'two', requester: { agent: {} } }]), 'partial'],
    ['only entries of other patients', set({}, [{ ...one, subject: { reference: 'Patient/ola' } }]), 'missing'],
    [
      'entries of other patients as well',
      set({}, [one, { ...one, id: 'two', subject: { reference: 'Patient/ola' } }]),
      'complete',
    ],
    ['only other resources', set({}, [condition('c', 'F11.2')]), 'missing'],
  ])('%s', (_, value, expected) => {
    expect(medications(value)).toBe(expected);
  });

  test('the record of a patient unknown to the server is not known', () => {
    const patient = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found' }] };
    for (const record of [[], [one]])
      expect(chartOf(record, { prefetch: { patient } }).sections.medications).not.toBe('complete');
  });

  test('a record that continues under another id is incomplete', () => {
    const patient = {
      resourceType: 'Patient',
      id: 'kari',
      link: [{ type: 'replaced-by', other: { reference: 'Patient/x' } }],
    };
    expect(chartOf([one], { prefetch: { patient } }).sections.medications).toBe('partial');
  });
});

describe('2.4: whose resources they are', () => {
  const owned = (subject: unknown, patient?: Json) =>
    chartOf([orderOf('oxazepam', { ...SINCE, subject })], patient ? { prefetch: { patient } } : {}).treatments.length;
  test.each<[string, unknown, number]>([
    ['its patient', { reference: 'Patient/kari' }, 1],
    ['a bare id', { reference: 'kari' }, 1],
    ['an absolute address', { reference: 'https://fhir.example/Patient/kari' }, 1],
    ['a version of it', { reference: 'Patient/kari/_history/2' }, 1],
    ['nobody', undefined, 1],
    ['another patient', { reference: 'Patient/ola' }, 0],
    ['a group with the same id', { reference: 'Group/kari' }, 0],
  ])('of %s: %j', (_, subject, expected) => {
    expect(owned(subject)).toBe(expected);
  });

  test('the fullUrl of an entry of the call is looked up first', () => {
    const patient = {
      resourceType: 'Bundle',
      entry: [{ fullUrl: 'urn:uuid:0c1d', resource: { resourceType: 'Patient', id: 'kari' } }],
    };
    expect(owned({ reference: 'urn:uuid:0c1d' }, patient)).toBe(1);
    expect(owned({ reference: 'urn:uuid:ffff' }, patient)).toBe(0);
  });

  test('a draft for another patient is left out, and the answer says so', () => {
    const chart = chartOf([], { drafts: [draftOf('oxycodone', { subject: { reference: 'Patient/ola' } })] });
    expect(chart.drafts).toEqual([]);
    expect(chart.leftOut).toEqual([{ what: 'order', why: 'other-patient', ref: 'MedicationRequest/draft-1' }]);
  });
});

describe('7: drafts that could not be read', () => {
  const unread = (draft: Json, hook = 'order-sign', prefetch: Json = {}) => {
    const { drafts, unread: found } = chartOf([], { drafts: [draft], hook, prefetch });
    return [drafts.length, found.drafts.map(({ name }) => name)];
  };
  test.each<[string, Json, number, unknown[]]>([
    ['a draft', draftOf('oxycodone'), 1, []],
    ['active', draftOf('oxycodone', { status: 'active' }), 1, []],
    ['on hold', draftOf('oxycodone', { status: 'on-hold' }), 1, []],
    ['without a status', draftOf('oxycodone', { status: undefined }), 1, []],
    ['whatever its intent', draftOf('oxycodone', { intent: 'proposal' }), 1, []],
    ['with an unknown status: judged and reported', draftOf('oxycodone', { status: 'unknown' }), 1, ['oxikodon']],
    [
      'with an unknown modifier: judged and reported',
      draftOf('oxycodone', { modifierExtension: [{ url: 'x' }] }),
      1,
      ['oxikodon'],
    ],
    ['that is unrecognised', draftOf({ text: 'Xylofin 5 mg' }), 0, ['Xylofin 5 mg']],
    ['without a medicine', draftOf('oxycodone', { medicationCodeableConcept: undefined }), 0, [undefined]],
    [
      'whose Medication was not sent',
      draftOf('oxycodone', {
        medicationCodeableConcept: undefined,
        medicationReference: { reference: 'Medication/x' },
      }),
      0,
      [undefined],
    ],
    ['of another FHIR version', draftOf('oxycodone', { requester: { agent: {} } }), 0, [undefined]],
    ['a known other medicine', draftOf('atorvastatin'), 0, []],
    ['settled', draftOf('oxycodone', { status: 'completed' }), 0, []],
  ])('%s', (_, draft, drafts, names) => {
    expect(unread(draft)).toEqual([drafts, names]);
  });

  test('at order-select an order need not name its medicine yet', () => {
    expect(unread(draftOf('oxycodone', { medicationCodeableConcept: undefined }), 'order-select')).toEqual([0, []]);
    expect(unread(draftOf({ text: 'Xylofin' }), 'order-select')).toEqual([0, ['Xylofin']]);
  });

  test('the same draft twice is one, and of two with one id neither may be changed', () => {
    const draft = draftOf('oxycodone');
    const twice = chartOf([], { drafts: [draft, structuredClone(draft)] });
    expect([twice.drafts.length, twice.resources.size]).toEqual([1, 1]);
    const two = chartOf([], { drafts: [draft, draftOf('oxazepam')] });
    expect([two.drafts.length, two.resources.size]).toEqual([2, 0]);
  });
});

describe('2.1: unrecognised medicines of the record', () => {
  const unrecognised = (more: Json) =>
    chartOf([orderOf({ text: 'Xylofin 5 mg' }, { ...SINCE, ...more })]).unread.treatments.map(({ name }) => name);
  test.each<[string, Json, unknown[]]>([
    ['taken', {}, ['Xylofin 5 mg']],
    ['presumed', { status: 'on-hold' }, ['Xylofin 5 mg']],
    ['only possible', { status: 'stopped' }, []],
    ['over', { status: 'stopped', statusChanged: at(-1) }, []],
    ['nothing', { status: 'cancelled' }, []],
  ])('%s', (_, more, expected) => {
    expect(unrecognised(more)).toEqual(expected);
  });
});
