import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { unrelatedMedicines } from '../testing/examples.ts';
import { classifyMedicine, conceptListsOf } from './classify.ts';
import { loadCodes } from './load.ts';

const codes = loadCodes(fileURLToPath(new URL('../../hooks/codes', import.meta.url)), 'hooks/codes', [], []);
const byName = (text: string) => classifyMedicine([{ text }], [text], codes);
const byCode = (system: string, code: string, text?: string) =>
  classifyMedicine([{ coding: [{ system, code }], ...(text !== undefined && { text }) }], [], codes);

const ATC = 'http://www.whocc.no/atc';
const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
const SNOMED = 'http://snomed.info/sct';

describe('code before name', () => {
  test.each([
    [ATC, 'N05CF01', 'zopiclone', 'z-drug'],
    ['urn:oid:2.16.840.1.113883.6.73', 'N05BA01', 'diazepam', 'benzodiazepine'],
    ['urn:oid:1.2.752.129.2.2.3.1.1', 'N07BC02', 'methadone', 'opioid-agonist-treatment'],
    [ATC, 'N03AX16', 'pregabalin', 'pregabalin'],
    [ATC, 'N02BF02', 'pregabalin', 'pregabalin'],
    [RXNORM, '3322', 'diazepam', 'benzodiazepine'],
    [SNOMED, '387264003', 'diazepam', 'benzodiazepine'],
    [SNOMED, '387286002', 'methadone', 'opioid-agonist-treatment'],
    [ATC, 'N02AX52', undefined, 'opioid-analgesic'],
  ])('%s %s is %s, %s', (system, code, substance, list) => {
    const found = byCode(system, code);
    expect(found?.lists).toContain(list);
    if (substance) expect(found?.substance).toBe(substance);
  });

  test('a text that contradicts its code loses', () => {
    expect(byCode(ATC, 'C10AA05', 'Stesolid 5 mg')).toMatchObject({ lists: [], identifiedBy: 'atc' });
    expect(byCode(ATC, 'N05BA01', 'Alvedon 500 mg')?.lists).toContain('benzodiazepine');
  });

  test('an excluded code is in no list of its group', () => {
    expect(byCode(ATC, 'N07BC04')?.lists).not.toContain('opioid-agonist-treatment');
    expect(byCode(ATC, 'R05DA07')?.lists).not.toContain('any-opioid');
    expect(byCode(ATC, 'N02AA56')?.lists).not.toContain('opioid-antagonist-central');
  });

  test('a code of a foreign system does not count, its display does', () => {
    expect(byCode('https://example.org/drugs', 'N05BA01')).toBeUndefined();
    const coding = [{ system: 'https://example.org/drugs', code: '17', display: 'Stesolid tablett 5 mg' }];
    expect(classifyMedicine([{ coding }], [], codes)).toMatchObject({ substance: 'diazepam', identifiedBy: 'name' });
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
    ['metadon', 'methadone'],
    ['Metadonhydroklorid', 'methadone'],
    ['oxikodonhydroklorid', 'oxycodone'],
    ['oxykodon', 'oxycodone'],
    ['Oksykodon', 'oxycodone'],
    ['morfinsulfat', 'morphine'],
    ['Buprenorfin resoriblett', 'buprenorphine'],
    ['zopiklon', 'zopiclone'],
    ['Klonazepam 0,5 mg', 'clonazepam'],
    ['Imovane', 'zopiclone'],
    ['Stilnoct 10 mg', 'zolpidem'],
    ['Lyrica kapsel', 'pregabalin'],
    ['Sobril', 'oxazepam'],
    ['Subutex', 'buprenorphine'],
  ])('%s is %s', (text, substance) => {
    expect(byName(text)?.substance).toBe(substance);
    expect(byName(text)?.identifiedBy).toBe('name');
  });

  test.each([
    ['Morphine Sulfate / Naltrexone Extended Release', 'opioid-analgesic', 'opioid-antagonist-central'],
    ['oxycodone / naloxone', 'opioid-analgesic', 'opioid-antagonist-central'],
    ['Oxykodon/Naloxon depottablett', 'opioid-analgesic', 'naloxone'],
    ['bupropion / naltrexone', 'opioid-antagonist-central', 'opioid-analgesic'],
    ['Buprenorphine 2 MG / Naloxone 0.5 MG Oral Strip', 'opioid-agonist-treatment', 'opioid-analgesic'],
    ['Acetaminophen 325 MG / oxyCODONE Hydrochloride 5 MG Oral Tablet', 'opioid-analgesic', 'cough-opioid'],
  ])('%s is judged as a whole: %s, not %s', (text, list, other) => {
    expect(byName(text)?.lists).toContain(list);
    expect(byName(text)?.lists).not.toContain(other);
  });

  test('a brand decides the class: a patch for pain, a tablet for dependence', () => {
    expect(byName('Norspan depotplaster')?.lists).toContain('opioid-analgesic');
    expect(byName('Norspan depotplaster')?.lists).not.toContain('opioid-agonist-treatment');
    expect(byName('Buvidal')?.lists).toContain('opioid-agonist-treatment');
  });

  test('words count as wholes only', () => {
    for (const text of ['diazepamfri kur', 'prometadonal', 'oxycodonex', 'Morfinex'])
      expect(byName(text)).toBeUndefined();
  });

  test(`none of ${unrelatedMedicines.length} unrelated medicines is taken for one of ours`, () => {
    expect(unrelatedMedicines.length).toBeGreaterThanOrEqual(300);
    const taken = unrelatedMedicines.filter((name) => (byName(name)?.lists.length ?? 0) > 0);
    expect(taken).toEqual([]);
  });
});

describe('problems', () => {
  const lists = (system: string, code: string) =>
    conceptListsOf({ coding: [{ system, code }] }, codes.conditions, codes);
  const ICD = 'http://hl7.org/fhir/sid/icd-10';
  test.each([
    [ICD, 'F11.2', 'opioid-dependence'],
    [ICD, 'F112', 'opioid-dependence'],
    ['https://www.icd10.se/', 'F11.2W', 'opioid-dependence'],
    ['urn:oid:1.2.208.176.2.4.12', 'DF112', 'opioid-dependence'],
    [SNOMED, '75544000', 'opioid-dependence'],
    [ICD, 'C50.9', 'malignant-disease'],
    ['urn:oid:1.2.208.176.2.4', 'DC509', 'malignant-disease'],
    [ICD, 'M54.5', 'low-back-pain'],
  ])('%s %s is %s', (system, code, list) => {
    expect(lists(system, code)).toContain(list);
  });

  test('what only looks like it is not', () => {
    expect(lists(ICD, 'F11.1')).not.toContain('opioid-dependence');
    expect(lists(ICD, 'D50')).toEqual([]);
    expect(lists(ICD, 'M54.2')).not.toContain('low-back-pain');
    expect(lists(SNOMED, 'F11.2')).toEqual([]);
    expect(lists(ICD, 'Z33')).not.toContain('pregnancy');
  });
});
