import { describe, expect, test } from 'vitest';
import { knowledge } from '../testing/app.ts';
import { chartOf, orderOf, statementOf } from '../testing/charts.ts';
import { moreUnrelatedMedicines, unrelatedMedicines } from '../testing/examples.ts';
import { bundle, type Json } from '../testing/request.ts';
import { conceptListsOf, formsOf, type Recognition, recogniseMedicine, type Writing } from './classify.ts';

// recommendations.md, 2.1.
const { codes } = knowledge;
const ATC = 'http://www.whocc.no/atc';
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const SNOMED = 'http://snomed.info/sct';

type Coding = { system?: string; code?: string; display?: string };
const recognise = (codings: Coding[], names: string[] = [], ingredients: Writing[] = []): Recognition =>
  recogniseMedicine({ codings: codings as Writing['codings'], names, ingredients }, codes);
const byName = (text: string) => recognise([], [text]);
const byCode = (system: string, code: string, display?: string) =>
  recognise([{ system, code, ...(display !== undefined && { display }) }]);
const listsOf = (found: Recognition) => (typeof found === 'string' ? [] : found.lists);
const substanceOf = (found: Recognition) => (typeof found === 'string' ? found : found.substance);
const byOf = (found: Recognition) => (typeof found === 'string' ? found : found.identifiedBy);

describe('codes', () => {
  test.each([
    [ATC, 'N05CF01', 'zopiclone', 'z-drug'],
    [ATC, 'n05cf01', 'zopiclone', 'z-drug'],
    [ATC, ' N05CF01 ', 'zopiclone', 'z-drug'],
    ['https://www.whocc.no/atc', 'N05CF01', 'zopiclone', 'z-drug'],
    ['http://www.whocc.no/atc|2024', 'N05CF01', 'zopiclone', 'z-drug'],
    ['http://www.whocc.no/atc/', 'N05CF01', 'zopiclone', 'z-drug'],
    ['urn:oid:2.16.840.1.113883.6.73', 'N05BA01', 'diazepam', 'benzodiazepine'],
    ['2.16.840.1.113883.6.73', 'N05BA01', 'diazepam', 'benzodiazepine'],
    ['urn:oid:2.16.578.1.12.4.1.1.7180', 'N07BC02', 'methadone', 'opioid-agonist-treatment'],
    ['urn:oid:1.2.752.129.2.2.3.1.1', 'N07BC02', 'methadone', 'opioid-agonist-treatment'],
    ['urn:oid:1.2.246.537.6.32', 'N02AA05', 'oxycodone', 'opioid-analgesic'],
    ['urn:oid:1.2.246.537.6.32.2007', 'N02AA05', 'oxycodone', 'opioid-analgesic'],
    ['urn:oid:1.2.246.537.6.32.2025', 'N02AA05', 'oxycodone', 'opioid-analgesic'],
    ['http://fhir.de/CodeSystem/bfarm/atc', 'N02AA01', 'morphine', 'opioid-analgesic'],
    ['http://fhir.de/CodeSystem/dimdi/atc', 'N02AA01', 'morphine', 'opioid-analgesic'],
    ['https://termgit.elga.gv.at/CodeSystem/atc', 'N02AA01', 'morphine', 'opioid-analgesic'],
    ['https://fhir.ee/CodeSystem/atc-ee', 'N02AA01', 'morphine', 'opioid-analgesic'],
    [ATC, 'N03AX16', 'pregabalin', 'pregabalin'],
    [ATC, 'N02BF02', 'pregabalin', 'pregabalin'],
    [RXNORM, '3322', 'diazepam', 'benzodiazepine'],
    [SNOMED, '387264003', 'diazepam', 'benzodiazepine'],
    [SNOMED, '387286002', 'methadone', 'opioid-agonist-treatment'],
    [ATC, 'N02AX52', undefined, 'opioid-analgesic'],
    [ATC, 'N05BA', undefined, 'benzodiazepine'],
    [ATC, 'N02A', undefined, 'opioid-analgesic'],
    [ATC, 'N07XX04', undefined, 'depressant'],
  ])('%s %j: %s, %s', (system, code, substance, list) => {
    const found = byCode(system, code);
    expect(listsOf(found)).toContain(list);
    if (substance) expect(substanceOf(found)).toBe(substance);
  });

  test.each(['N07BC', 'N07B', 'N05', 'N05C', 'N03A', 'N02', 'N', 'A07D'])(
    'the code %s, which is above a list member but not one itself, is unrecognised',
    (code) => {
      expect(byCode(ATC, code)).toBe('unrecognised');
    },
  );

  test.each([
    ['N07BC04', 'opioid-agonist-treatment'],
    ['R05DA07', 'any-opioid'],
    ['R05DA09', 'any-opioid'],
    ['R05DA11', 'any-opioid'],
    ['A07DA03', 'any-opioid'],
    ['N02AA56', 'opioid-antagonist-central'],
    ['N05CH01', 'depressant'],
    ['N05BE01', 'depressant'],
    ['N05CM06', 'depressant'],
    ['R06AD02', 'depressant'],
    ['N06AX11', 'depressant'],
    ['N05AH04', 'depressant'],
  ])('%s is not in the list %s', (code, list) => {
    expect(listsOf(byCode(ATC, code))).not.toContain(list);
  });

  test.each([
    ['N05BA01', 'sedative'],
    ['N05CD02', 'sedative'],
    ['N03AE01', 'sedative'],
    ['N05CF02', 'sedative'],
    ['N03AX16', 'sedative'],
    ['N02BF01', 'depressant'],
    ['N02BF03', 'depressant'],
    ['N05CM02', 'depressant'],
    ['N03AA02', 'depressant'],
    ['N05CA01', 'depressant'],
  ])('2.2: %s is a %s', (code, list) => {
    expect(listsOf(byCode(ATC, code))).toContain(list);
  });

  test.each(['N02BF01', 'N02BF03', 'N05CM02', 'N03AA02', 'N07XX04'])(
    '2.2: %s is a depressant but not a sedative',
    (code) => {
      expect(listsOf(byCode(ATC, code))).toContain('depressant');
      expect(listsOf(byCode(ATC, code))).not.toContain('sedative');
    },
  );

  test('a code takes precedence over a name', () => {
    expect(recognise([{ system: ATC, code: 'C10AA05' }], ['Stesolid 5 mg'])).toBe('other');
    expect(listsOf(recognise([{ system: ATC, code: 'N05BA01' }], ['Alvedon 500 mg']))).toContain('benzodiazepine');
  });

  test('an uninformative code hides neither the name nor the display', () => {
    expect(substanceOf(recognise([{ system: 'https://example.org/drugs', code: '17' }], ['Stesolid 5 mg']))).toBe(
      'diazepam',
    );
    const shown = byCode('https://example.org/drugs', '17', 'Stesolid tablett 5 mg');
    expect([substanceOf(shown), byOf(shown)]).toEqual(['diazepam', 'name']);
    expect(substanceOf(byCode(ATC, 'N05', 'Stesolid 5 mg'))).toBe('diazepam');
    expect(substanceOf(byCode(RXNORM, '99999999', 'Diazepam 5 MG Oral Tablet'))).toBe('diazepam');
    expect(substanceOf(byCode(SNOMED, '99999999', 'Product containing diazepam'))).toBe('diazepam');
  });

  test('every coding is read', () => {
    const found = recognise([
      { system: 'https://example.org/drugs', code: '17' },
      { system: ATC, code: 'N05BA01' },
    ]);
    expect(substanceOf(found)).toBe('diazepam');
  });

  test('a code of an unknown system is not read as ATC, but is read as a name if it is clearly a word', () => {
    expect(byCode('https://example.org/drugs', 'N05BA01')).toBe('unrecognised');
    expect(substanceOf(byCode('https://example.org/drugs', 'methadone'))).toBe('methadone');
    expect(substanceOf(recognise([{ code: 'oxikodon' }]))).toBe('oxycodone');
    expect(byCode('https://example.org/drugs', 'LDN1')).toBe('unrecognised');
  });
});

describe('names', () => {
  test.each([
    ['Diazepam 10 MG Oral Tablet', 'diazepam'],
    ['12 HR oxyCODONE Hydrochloride 10 MG Extended Release Oral Tablet [OxyContin]', 'oxycodone'],
    ['Abuse-Deterrent 12 HR Oxycodone Hydrochloride 15 MG Extended Release Oral Tablet', 'oxycodone'],
    ['methadone hydrochloride 10 MG Oral Tablet [Dolophine]', 'methadone'],
    ['72 HR Fentanyl 0.075 MG/HR Transdermal System', 'fentanyl'],
    ['1 ML meperidine hydrochloride 100 MG/ML Injection', 'pethidine'],
    // Swedish, Norwegian, Danish, Finnish, English, German, Dutch
    ['metadon', 'methadone'],
    ['methadon', 'methadone'],
    ['metadoni', 'methadone'],
    ['METADON', 'methadone'],
    ['oxikodon', 'oxycodone'],
    ['oksykodon', 'oxycodone'],
    ['oxycodon', 'oxycodone'],
    ['oksikodoni', 'oxycodone'],
    ['Buprenorfin resoriblett', 'buprenorphine'],
    ['buprenorphin', 'buprenorphine'],
    ['buprenorfiini', 'buprenorphine'],
    ['morfiini', 'morphine'],
    ['morfine', 'morphine'],
    ['zopiklon', 'zopiclone'],
    ['Klonazepam 0,5 mg', 'clonazepam'],
    ['diatsepaami', 'diazepam'],
    ['pregabaliini', 'pregabalin'],
    ['naltrekson', 'naltrexone'],
    ['naltreksoni', 'naltrexone'],
    // Brands
    ['Imovane', 'zopiclone'],
    ['Stilnoct 10 mg', 'zolpidem'],
    ['Lyrica kapsel', 'pregabalin'],
    ['Sobril', 'oxazepam'],
    ['Subutex', 'buprenorphine'],
    ['Dolcontin', 'morphine'],
    ['MST Continus 10 mg', 'morphine'],
    ['OxyNorm® 5 mg', 'oxycodone'],
    ['Temgesic', 'buprenorphine'],
    ['LDN', 'naltrexone'],
    ['LDN 4,5 mg', 'naltrexone'],
    // Salts and forms in one word
    ['Morphinsulfat', 'morphine'],
    ['morfinsulfat', 'morphine'],
    ['Metadonhydroklorid', 'methadone'],
    ['oxikodonhydroklorid', 'oxycodone'],
    ['Oxycodonhydrochlorid', 'oxycodone'],
    ['Buprenorphinhydrochlorid', 'buprenorphine'],
    ['Kodeinfosfat', 'codeine'],
    ['Tramadolhydrochlorid', 'tramadol'],
    ['Metadontabletter', 'methadone'],
    ['Oxikodondepottabletter', 'oxycodone'],
    ['morfiinitipat', 'morphine'],
    ['fentanyylilaastari', 'fentanyl'],
    ['Fentanylpflaster', 'fentanyl'],
    ['metadonihydrokloridi', 'methadone'],
    ['Diazepamrektallösning', 'diazepam'],
    ['Zopiklontablett 7,5 mg', 'zopiclone'],
    ['Naltrexonhydrochlorid', 'naltrexone'],
    // Letters in decomposed Unicode
    ['Metadon tablett'.normalize('NFD'), 'methadone'],
    ['heroïne heroin', 'diamorphine'],
  ])('%s is %s', (text, substance) => {
    expect(substanceOf(byName(text))).toBe(substance);
    expect(byOf(byName(text))).toBe('name');
  });

  test.each([
    'diazepamfri kur',
    'prometadonal',
    'oxycodonex',
    'Morfinex',
    'Metadonlista',
    'metadonklinik',
    'Subutexliknande',
    'LDNX',
    'xlyrica',
  ])('only whole words count as names: %s is unrecognised', (text) => {
    expect(byName(text)).toBe('unrecognised');
  });

  test('a brand decides the class: a patch is for pain, a tablet for dependence', () => {
    expect(listsOf(byName('Norspan depotplaster'))).toContain('opioid-analgesic');
    expect(listsOf(byName('Norspan depotplaster'))).not.toContain('opioid-agonist-treatment');
    expect(listsOf(byName('Buvidal'))).toContain('opioid-agonist-treatment');
    expect(listsOf(byName('Dropizol'))).toContain('opioid-antidiarrhoeal');
  });

  test.each(['Norspan (buprenorfin) depotplaster', 'buprenorfin (Norspan) depotplaster'])(
    'a brand decides the class wherever the substance is named: %s',
    (text) => {
      expect(listsOf(byName(text))).toContain('opioid-analgesic');
      expect(listsOf(byName(text))).not.toContain('opioid-agonist-treatment');
    },
  );

  test.each([
    ['Morphine Sulfate / Naltrexone Extended Release', 'opioid-analgesic', 'opioid-antagonist-central'],
    ['oxycodone / naloxone', 'opioid-analgesic', 'opioid-antagonist-central'],
    ['Oxykodon/Naloxon depottablett', 'opioid-analgesic', 'naloxone'],
    ['Targiniq', 'opioid-analgesic', 'opioid-antagonist-central'],
    ['bupropion / naltrexone', 'opioid-antagonist-central', 'opioid-analgesic'],
    ['Mysimba', 'opioid-antagonist-central', 'opioid-analgesic'],
    ['Buprenorphine 2 MG / Naloxone 0.5 MG Oral Strip', 'opioid-agonist-treatment', 'opioid-analgesic'],
    ['Suboxone', 'opioid-agonist-treatment', 'naloxone'],
    ['Acetaminophen 325 MG / oxyCODONE Hydrochloride 5 MG Oral Tablet', 'opioid-analgesic', 'cough-opioid'],
    ['kodein/paracetamol', 'opioid-analgesic', 'cough-opioid'],
    ['Citodon', 'opioid-analgesic', 'cough-opioid'],
  ])('%s is classified as a whole: %s, not %s', (text, list, other) => {
    expect(listsOf(byName(text))).toContain(list);
    expect(listsOf(byName(text))).not.toContain(other);
  });
});

describe('other or unrecognised', () => {
  test.each<[string, Recognition | 'listed', Recognition]>([
    ['an ATC code on no list', byCode(ATC, 'C10AA05'), 'other'],
    ['the name of a common other medicine', byName('Omeprazol 20 mg'), 'other'],
    ['the brand of one', byName('Losec'), 'other'],
    ['RxNorm with a display', byCode(RXNORM, '123456', 'Obscurin 5 MG Oral Tablet'), 'other'],
    ['RxNorm without one', byCode(RXNORM, '123456'), 'unrecognised'],
    ['SNOMED CT with an unknown display', byCode(SNOMED, '123456', 'Obscurin'), 'unrecognised'],
    ['an unknown name', byName('Obscurin 5 mg'), 'unrecognised'],
    ['a name that only begins like a known one', byName('Omeprazolin'), 'unrecognised'],
    ['a national code', byCode('urn:oid:1.2.752.129.2.1.5.1', '20010101000012'), 'unrecognised'],
    ['nothing', recognise([], []), 'unrecognised'],
    ['an invalid ATC code', byCode(ATC, 'see note'), 'unrecognised'],
  ])('%s', (_, found, expected) => {
    expect(found).toBe(expected);
  });

  test('a medicine on no list has no class but counts as known', () => {
    expect(byName('Alvedon 500 mg')).toMatchObject({ lists: [] });
    expect(chartOf([orderOf({ text: 'Alvedon 500 mg' }, { authoredOn: '2026-02-20' })])).toMatchObject({
      treatments: [],
      unread: { treatments: [] },
      leftOut: [{ why: 'other-medicine' }],
    });
  });

  test.each([
    ['unrelated-medicines.json', 300, unrelatedMedicines],
    ['more-unrelated-medicines.json', 500, moreUnrelatedMedicines],
  ])('none of the names in %s, at least %d, is mistaken for a listed medicine', (_, least, names) => {
    expect(new Set(names).size).toBeGreaterThanOrEqual(least);
    const written = (name: string) => [
      name,
      name.toUpperCase(),
      `${name} tablett 10 mg`,
      `${name}tabletter`,
      `${name}hydroklorid`,
    ];
    expect(names.filter((name) => written(name).some((text) => listsOf(byName(text)).length > 0))).toEqual([]);
  });

  test('more-unrelated-medicines.json holds only names that others.yaml does not know', () => {
    expect(moreUnrelatedMedicines.filter((name) => byName(name) !== 'unrecognised')).toEqual([]);
  });
});

describe('ingredients', () => {
  const part = (code: string | undefined, name?: string): Writing => ({
    codings: code === undefined ? [] : [{ system: ATC, code }],
    names: name === undefined ? [] : [name],
  });
  test.each<[string, Recognition, string, string | undefined]>([
    ['by code', recognise([], [], [part('N05BA01')]), 'benzodiazepine', 'atc'],
    ['by name', recognise([], [], [part(undefined, 'diazepam')]), 'benzodiazepine', 'name'],
    [
      'a local code does not hide them',
      recognise([{ system: 'https://example.org', code: '1' }], ['Kombi'], [part('N05BA01')]),
      'benzodiazepine',
      'atc',
    ],
    [
      'each coded differently',
      recognise([], [], [part(undefined, 'kodein'), part('N02BE01')]),
      'opioid-analgesic',
      undefined,
    ],
    [
      'a combination as a whole',
      recognise([], [], [part(undefined, 'oxikodon'), part(undefined, 'naloxon')]),
      'opioid-analgesic',
      'name',
    ],
    [
      'a brand that is more specific',
      recognise([], ['Norspan'], [part(undefined, 'buprenorfin')]),
      'opioid-analgesic',
      undefined,
    ],
  ])('%s', (_, found, list, by) => {
    expect(listsOf(found)).toContain(list);
    if (by) expect(byOf(found)).toBe(by);
  });

  test('an opioid with its antagonist is not an antagonist', () => {
    const found = recognise([], [], [part(undefined, 'morphine'), part(undefined, 'naltrexone')]);
    expect(listsOf(found)).not.toContain('opioid-antagonist-central');
  });

  test('ingredients that are all known as others make another medicine, and an unknown one makes it unrecognised', () => {
    expect(recognise([], [], [part(undefined, 'enalapril'), part(undefined, 'omeprazol')])).toBe('other');
    expect(recognise([], [], [part(undefined, 'enalapril'), part(undefined, 'obscurin')])).toBe('unrecognised');
    expect(listsOf(recognise([], [], [part('C10AA05'), part(undefined, 'omeprazol')]))).toEqual([]);
  });
});

describe('where an entry names its medicine', () => {
  const found = (more: Json, prefetch: Json = {}) => {
    const { treatments } = chartOf(
      [orderOf('oxazepam', { medicationCodeableConcept: undefined, authoredOn: '2026-02-20', ...more })],
      { prefetch },
    );
    return treatments.map(({ substance }) => substance).join();
  };
  const concept = { coding: [{ system: ATC, code: 'N05BA01' }] };
  const medication = (more: Json) => ({ resourceType: 'Medication', id: 'm', ...more });
  const contained = (...resources: Json[]) => ({ contained: resources, medicationReference: { reference: '#m' } });
  const ingredient = (more: Json) => ({ ingredient: [more] });
  const extension = [{ url: 'https://example.org/classification', valueCodeableConcept: concept }];
  test.each<[string, Json, string]>([
    ['medicationCodeableConcept', { medicationCodeableConcept: concept }, 'diazepam'],
    ['medication.concept (R5)', { medication: { concept } }, 'diazepam'],
    ['medication without its type suffix', { medication: concept }, 'diazepam'],
    ['the text of the concept', { medicationCodeableConcept: { text: 'Stesolid' } }, 'diazepam'],
    [
      'the display of a reference',
      { medicationReference: { reference: 'Medication/none', display: 'Stesolid' } },
      'diazepam',
    ],
    ['a contained Medication', contained(medication({ code: concept })), 'diazepam'],
    ['a contained Medication, its id written with #', contained(medication({ id: '#m', code: concept })), 'diazepam'],
    [
      'medication.reference (R5)',
      { contained: [medication({ code: concept })], medication: { reference: { reference: '#m' } } },
      'diazepam',
    ],
    ['an ingredient', contained(medication(ingredient({ itemCodeableConcept: concept }))), 'diazepam'],
    ['an ingredient (R5)', contained(medication(ingredient({ item: { concept } }))), 'diazepam'],
    [
      'an ingredient by reference',
      contained(medication(ingredient({ itemReference: { reference: '#s' } })), {
        resourceType: 'Substance',
        id: 's',
        code: concept,
      }),
      'diazepam',
    ],
    [
      'an ingredient by reference (R5)',
      contained(medication(ingredient({ item: { reference: { reference: '#s' } } })), {
        resourceType: 'Substance',
        id: 's',
        code: { concept },
      }),
      'diazepam',
    ],
    [
      'an ingredient by the display of its reference',
      contained(medication(ingredient({ itemReference: { display: 'diazepam' } }))),
      'diazepam',
    ],
    [
      'an active ingredient',
      contained(medication(ingredient({ itemCodeableConcept: concept, isActive: true }))),
      'diazepam',
    ],
    [
      'an inactive ingredient is ignored',
      contained(medication(ingredient({ itemCodeableConcept: concept, isActive: false }))),
      '',
    ],
    [
      'an uninformative product code',
      contained(
        medication({
          code: { coding: [{ system: 'https://x', code: '1' }] },
          ...ingredient({ itemCodeableConcept: concept }),
        }),
      ),
      'diazepam',
    ],
    ['an ATC code in an extension of the Medication', contained(medication({ extension })), 'diazepam'],
    [
      'an ATC code in an extension of the concept',
      { medicationCodeableConcept: { text: 'Produkt', extension } },
      'diazepam',
    ],
    ['nothing', {}, ''],
    ['a Medication that was not sent', { medicationReference: { reference: 'Medication/none' } }, ''],
  ])('%s', (_, more, expected) => {
    expect(found(more)).toBe(expected);
  });

  test('an included Medication is found by relative reference, absolute reference and fullUrl', () => {
    const include = (fullUrl: string | undefined, reference: string) => {
      const order = orderOf('oxazepam', {
        medicationCodeableConcept: undefined,
        authoredOn: '2026-02-20',
        medicationReference: { reference },
      });
      const medications = bundle([order], 'searchset');
      (medications['entry'] as Json[]).push({
        ...(fullUrl !== undefined && { fullUrl }),
        resource: medication({ code: concept }),
        search: { mode: 'include' },
      });
      return found({ medicationReference: { reference } }, { medications });
    };
    expect(include(undefined, 'Medication/m')).toBe('diazepam');
    expect(include('https://fhir.example/Medication/m', 'Medication/m')).toBe('diazepam');
    expect(include('https://fhir.example/Medication/m', 'https://fhir.example/Medication/m')).toBe('diazepam');
    expect(include(undefined, 'https://fhir.example/Medication/m')).toBe('diazepam');
    expect(include('https://fhir.example/Medication/m', 'https://elsewhere.example/Medication/m')).toBe('');
    expect(include('urn:uuid:1', 'urn:uuid:1')).toBe('diazepam');
  });

  test('an antagonist beside an inactive opioid is not an opioid', () => {
    const mixed = contained(
      medication({
        ingredient: [
          { itemCodeableConcept: { text: 'naltrexon' } },
          { itemCodeableConcept: { text: 'morfin' }, isActive: false },
        ],
      }),
    );
    expect(found(mixed)).toBe('naltrexone');
  });

  test('a statement names its medicine in the same way', () => {
    const statement = statementOf('oxazepam', {
      medicationCodeableConcept: undefined,
      medication: { concept },
      effectiveDateTime: '2026-02-20',
    });
    expect(chartOf([statement]).treatments[0]?.substance).toBe('diazepam');
  });

  test('2.1: control characters and markup in a drug name are ignored', () => {
    for (const text of ['\u202eOxikodon\u202c 5 mg', 'Oxikodon & paracetamol <b>', '\u2066Oxikodon\u2069']) {
      expect(found({ medicationCodeableConcept: { text } })).toMatch(/^oxycodone/);
    }
  });
});

describe('dose forms', () => {
  const forms = (...names: string[]) => formsOf(undefined, names, codes);
  test.each([
    ['Norspan depotplåster', 'patch'],
    ['Durogesic depotplaster', 'patch'],
    ['Fentanyl Pflaster', 'patch'],
    ['fentanyyli depotlaastari', 'patch'],
    ['Fentanyl patch', 'patch'],
    ['Oxikodon injektionsvätska, lösning', 'injection'],
    ['Buvidal depotinjektionsvätska', 'depot-injection'],
    ['Stesolid rektallösning', 'rectal'],
    ['Buccolam munhålelösning', 'buccal-nasal'],
    ['Sixmo implantat', 'implant'],
    ['Kodein oral lösning', 'oral-liquid'],
    ['Oxikodon tablett', 'tablet-or-capsule'],
    ['Citodon suppositorium', 'suppository'],
  ])('%s: %s', (name, form) => {
    expect(forms(name)).toContain(form);
  });

  test('a depot patch is a patch, and a depot tablet is no depot', () => {
    expect(forms('Oxikodon depottablett')).not.toContain('depot-injection');
    expect(forms('Norspan depotplåster')).not.toContain('depot-injection');
  });

  test('a form is recognised by its code', () => {
    expect(formsOf({ coding: [{ system: 'http://standardterms.edqm.eu', code: '10219000' }] }, [], codes)).toContain(
      'tablet-or-capsule',
    );
  });
});

describe('problems', () => {
  const lists = (system: string, code: string) =>
    conceptListsOf({ coding: [{ system, code }] }, codes.conditions, codes);
  const ICD = 'http://hl7.org/fhir/sid/icd-10';
  const CM = 'http://hl7.org/fhir/sid/icd-10-cm';
  const ICPC = 'http://hl7.org/fhir/sid/icpc-2';
  test.each([
    [ICD, 'F11.2', 'opioid-dependence'],
    [ICD, 'F112', 'opioid-dependence'],
    [ICD, 'f11.2', 'opioid-dependence'],
    [ICD, ' F11.2 ', 'opioid-dependence'],
    [CM, 'F11.20', 'opioid-dependence'],
    ['http://fhir.de/CodeSystem/bfarm/icd-10-gm', 'F11.2', 'opioid-dependence'],
    ['urn:oid:1.2.246.537.6.1', 'F11.2', 'opioid-dependence'],
    ['urn:oid:1.2.246.537.6.1.2025', 'F11.2', 'opioid-dependence'],
    ['https://www.icd10.se/', 'F11.2W', 'opioid-dependence'],
    ['urn:oid:1.2.208.176.2.4.12', 'DF112', 'opioid-dependence'],
    ['urn:oid:1.2.208.176.2.4', 'DC509', 'malignant-disease'],
    [SNOMED, '75544000', 'opioid-dependence'],
    [ICD, 'C50.9', 'malignant-disease'],
    [ICD, 'M54.5', 'low-back-pain'],
    [ICD, 'F11.9', 'opioid-or-other-dependence'],
    [ICD, 'F19.2', 'opioid-or-other-dependence'],
    [ICPC, 'P19', 'opioid-or-other-dependence'],
    [ICPC, 'N88', 'epilepsy'],
    ['urn:oid:2.16.578.1.12.4.1.1.7170', 'L03', 'low-back-pain'],
    [ICD, 'K70.3', 'cirrhosis'],
    [ICD, 'K74.6', 'cirrhosis'],
    [ICD, 'I85.0', 'cirrhosis'],
    [ICD, 'K72.9', 'liver-failure'],
    [ICD, 'K76.7', 'liver-failure'],
    [ICD, 'B16.9', 'acute-hepatitis'],
    [ICD, 'N18.5', 'renal-impairment'],
    [ICD, 'Z99.2', 'renal-impairment'],
  ])('%s %s is %s', (system, code, list) => {
    expect(lists(system, code)).toContain(list);
  });

  test.each([
    [ICD, 'F11.1', 'opioid-dependence'],
    [CM, 'F11.21', 'opioid-dependence'],
    [CM, 'F11.22', 'laro-on-record'],
    [ICD, 'F19.2', 'opioid-dependence'],
    [ICPC, 'P19', 'opioid-dependence'],
    [ICD, 'M54.2', 'low-back-pain'],
    [ICD, 'N18.3', 'renal-impairment'],
    [ICD, 'B18.2', 'acute-hepatitis'],
    [ICD, 'Z33', 'pregnancy'],
    [ICD, 'D50', 'malignant-disease'],
    [SNOMED, 'F11.2', 'opioid-dependence'],
    [SNOMED, '191821007', 'opioid-dependence'],
  ])('%s %s is not %s', (system, code, list) => {
    expect(lists(system, code)).not.toContain(list);
  });

  test('each list once, whatever number of codings says it', () => {
    const twice = { coding: [ICD, CM].map((system) => ({ system, code: 'C50.9' })) };
    expect(conceptListsOf(twice, codes.conditions, codes)).toEqual(lists(ICD, 'C50.9'));
  });
});
