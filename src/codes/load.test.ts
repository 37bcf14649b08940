import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Problem } from '../yaml.ts';
import { conceptListsOf, formsOf, recogniseMedicine } from './classify.ts';
import { codeKey, contains, icd, listsOfAtc, loadCodes, systemUri } from './load.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'codes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const named = (name: string) => ({ sv: name, nb: name, da: name, en: name });
function load(...files: object[]) {
  const problems: Problem[] = [];
  const remarks: Problem[] = [];
  for (const [at, file] of files.entries()) writeFileSync(join(folder, `${at}.yaml`), stringify(file));
  const codes = loadCodes(folder, 'codes', problems, remarks);
  return { codes, problems: problems.map(({ file, line, message }) => `${file}:${line}: ${message}`), remarks };
}

describe('a reference to something undefined is reported with file and line', () => {
  const lists = { one: { atc: ['A01'] } };
  test.each<[what: string, file: object, said: string[]]>([
    ['nothing', { lists, products: [{ of: 'one', afterDays: 1 }] }, []],
    [
      'a list of a list',
      { lists: { ...lists, two: { includes: ['one', 'three'] } } },
      ["lists.two: includes the unknown list 'three'"],
    ],
    [
      'the list of a product',
      { lists, products: [{ of: 'two', afterDays: 1 }] },
      ["products.0: of: 'two' is not a list"],
    ],
    [
      'the form of a product',
      { lists, products: [{ of: 'one', forms: ['x'], afterDays: 1 }] },
      ["products.0: forms: 'x' is not a form"],
    ],
    [
      'the removal of a product',
      {
        lists,
        products: [
          { of: 'one', afterDays: 1, implant: { effectMonths: 1, certainMonths: 1, longestMonths: 1, removal: 'x' } },
        ],
      },
      ["products.0: removal: 'x' is not a list of procedures"],
    ],
    ['the list of a result', { lists, results: { r: { of: 'two' } } }, ["results.r: of: 'two' is not a list"]],
    ['a result without a list of its own', { lists, results: { r: { loinc: ['1'] } } }, []],
    [
      'codes for the same question',
      { lists, results: { r: { loinc: ['1', '2', '3'], same: [['loinc|1', 'loinc|2', 'loinc|3']] } } },
      [],
    ],
    [
      'a part of a combination',
      {
        substances: { a: { atc: ['A01AA01'], names: named('aaaa') } },
        combinations: { ab: { of: ['a', 'b'], atc: ['A01AA51'], names: named('ab') } },
      },
      ["combinations.ab: of: 'b' is not a substance"],
    ],
    [
      'another medicine with a name of ours',
      { substances: { a: { atc: ['A01AA01'], names: named('Aaaa bbbb') } }, others: ['aaaa BBBB', 'aaaa'] },
      ["others: 'aaaa BBBB' is already the name of one of our lists"],
    ],
  ])('%s', (_, file, said) => {
    const { problems } = load(file);
    expect(problems.map((problem) => problem.replace(/^codes\/0\.yaml:[1-9]\d*: /, ''))).toEqual(said);
  });

  test('a combination needs at least two substances', () => {
    const substance = (atc: string, name: string) => ({ atc: [atc], names: named(name) });
    const substances = {
      a: substance('A01AA01', 'aaaa'),
      b: substance('A01AA02', 'bbbb'),
      c: substance('A01AA03', 'cccc'),
    };
    const problems = (...of: string[]) =>
      load({ substances, combinations: { all: { of, atc: ['A01AA51'], names: named('all') } } }).problems.length;
    expect([problems('a'), problems('a', 'b'), problems('a', 'b', 'c')]).toEqual([1, 0, 0]);
  });

  test('a substance defined twice', () => {
    const file = { substances: { a: { atc: ['A01AA01'], names: named('aaaa') } } };
    expect(load(file, file).problems).toEqual(["codes/1.yaml:3: substances.a: 'a' is defined twice"]);
  });

  test('a malformed file is reported, and the others are read', () => {
    const { codes, problems } = load({ listss: {} }, { lists: { one: { atc: ['A01'] } } });
    expect([problems.length, codes.lists.has('one')]).toEqual([1, true]);
  });
});

describe('lists of ATC codes', () => {
  const lists = {
    one: { atc: ['A01', 'B01AA01'], except: ['A01AB'] },
    all: { includes: ['two', 'one'] },
    two: { atc: ['A01AB'] },
    round: { includes: ['round', 'two'] },
  };
  test.each<[atc: string[], lists: string[]]>([
    [['A01AA01'], ['one', 'all']],
    [['A01AB02'], ['all', 'two', 'round']],
    [['A01'], ['one', 'all']],
    [['B01AA01'], ['one', 'all']],
    [['B01AA02'], []],
    [['A02'], []],
    [[], []],
    [
      ['B01AA02', 'A01AB02', 'A01AA01'],
      ['one', 'all', 'two', 'round'],
    ],
  ])('%j is in the lists %j', (atc, found) => {
    const { codes } = load({ lists });
    expect(listsOfAtc(atc, codes)).toEqual(found);
    for (const name of ['one', 'two', 'all'])
      expect(atc.some((code) => contains(codes.lists.get(name) ?? [], code))).toBe(found.includes(name));
  });

  test('codes above a list may belong to it', () => {
    const { codes } = load({ lists });
    expect([...codes.aboveLists].sort()).toEqual([
      'A',
      'A0',
      'A01',
      'A01A',
      'B',
      'B0',
      'B01',
      'B01A',
      'B01AA',
      'B01AA0',
    ]);
  });
});

describe('what is read from a file', () => {
  const systems = {
    atc: ['http://atc', 'urn:oid:1.2'],
    rxnorm: ['http://rx'],
    snomed: ['http://sct'],
    icd10: ['http://icd'],
    icd10cm: ['http://icdcm'],
    sks: ['http://sks'],
    edqm: ['http://edqm'],
  };
  const file = {
    systems,
    lists: { one: { atc: ['A01'] } },
    substances: {
      a: {
        atc: ['A01AA01', 'A01AA02'],
        names: named('aaaa'),
        also: ['aaxx'],
        brands: { Brand: 'A01AA02' },
        rxnorm: ['1'],
        snomed: ['2'],
        unverified: { rxnorm: ['3'], snomed: ['4'] },
      },
      'b-c': { atc: ['A01AB01'], names: named('bbbb') },
    },
    combinations: { ab: { of: ['a', 'b-c'], atc: ['A01AC01'], names: named('abab'), rxnorm: ['5'], also: ['abxx'] } },
    salts: ['salt'],
    formEndings: ['tabletter'],
    conditions: {
      sick: {
        icd10: ['F11'],
        snomed: ['9'],
        except: { icd10: ['F11.9'], snomed: ['10'] },
        unverified: { snomed: ['11', '10'] },
      },
      american: { icd10cm: ['F11'], icd10: ['G1'], notIn: ['icd10cm'] },
    },
    forms: {
      patch: { edqm: ['100'], words: ['plaster', 'depot plaster', 'tts'], unverified: { snomed: ['200'] } },
      tablet: { words: ['tablett', 'dragee'] },
      gel: { words: ['geleh'] },
    },
    reimbursement: { sick: ['-90'] },
    settings: {
      encounterClass: { inpatient: ['IMP'], outpatient: ['AMB'], virtual: ['VR'] },
      orderCategory: { inpatient: ['inpatient'], outpatient: ['outpatient'] },
    },
  };
  const recognised = (system: string, code: string, texts: string[] = []) => {
    const { codes } = load(file);
    const found = recogniseMedicine(
      { codings: code === '' ? [] : [{ system, code }], names: texts, ingredients: [] },
      codes,
    );
    return typeof found === 'string' ? found : [found.substance, found.identifiedBy, found.lists];
  };
  test.each<[system: string, code: string, texts: string[], read: unknown]>([
    ['http://atc', 'A01AA01', [], ['a', 'atc', ['one']]],
    ['http://atc/', ' a01aa02 ', [], ['a', 'atc', ['one']]],
    ['1.2', 'A01AA01', [], ['a', 'atc', ['one']]],
    ['urn:oid:1.2|5', 'A01AA01', [], ['a', 'atc', ['one']]],
    ['http://rx', '1', [], ['a', 'code', ['one']]],
    ['http://rx', '3', [], ['a', 'code', ['one']]],
    ['http://rx', '5', [], ['ab', 'code', ['one']]],
    ['http://sct', '2', [], ['a', 'code', ['one']]],
    ['http://sct', '4', [], ['a', 'code', ['one']]],
    ['http://sct', '1', [], 'unrecognised'],
    ['http://atc', 'A02AA01', [], 'other'],
    ['', '', ['AAAA 10 mg'], ['a', 'name', ['one']]],
    ['', '', ['aaxx'], ['a', 'name', ['one']]],
    ['', '', ['b c'], ['b-c', 'name', ['one']]],
    ['', '', ['brand'], ['a', 'name', ['one']]],
    ['', '', ['abxx'], ['ab', 'name', ['one']]],
    ['', '', ['bbbb/aaaa'], ['ab', 'name', ['one']]],
    ['', '', ['aaaasalt'], ['a', 'name', ['one']]],
    ['', '', ['aaaasalttabletter'], ['a', 'name', ['one']]],
    ['', '', ['aaaasaltsalttabletter'], 'unrecognised'],
    ['', '', ['aaasalt'], 'unrecognised'],
    ['', '', ['zzzz'], 'unrecognised'],
  ])('%s %s %j', (system, code, texts, read) => {
    expect(recognised(system, code, texts)).toEqual(read);
  });

  test.each<[system: string, code: string, lists: string[]]>([
    ['http://icd', 'F11.2', ['sick']],
    ['http://icd', 'F11.9', []],
    ['http://icd', 'F11.90', []],
    ['http://icd', 'G10', ['american']],
    ['http://icd', 'F1', []],
    ['http://sks', 'DF112', ['sick']],
    ['http://icdcm', 'F11.2', ['sick']],
    ['http://icdcm', 'F11', ['sick']],
    ['http://icdcm', 'G10', []],
    ['http://sct', '9', ['sick']],
    ['http://sct', '10', []],
    ['http://sct', '11', ['sick']],
    ['http://sct', '12', []],
    ['http://other', '9', []],
  ])('%s %s is in %j', (system, code, lists) => {
    const { codes } = load({
      ...file,
      conditions: { ...file.conditions, american: { ...file.conditions.american, icd10cm: undefined } },
    });
    expect(conceptListsOf({ coding: [{ system, code }] }, codes.conditions, codes)).toEqual(lists);
  });

  test('a list may hold only ICD-10-CM codes', () => {
    const { codes } = load({
      systems,
      conditions: { cm: { icd10cm: ['F11'] }, both: { icd10: ['F11'], icd10cm: ['F12'] } },
    });
    const read = (system: string, code: string) =>
      conceptListsOf({ coding: [{ system, code }] }, codes.conditions, codes);
    expect([read('http://icdcm', 'F11.1'), read('http://icd', 'F11.1'), read('http://icdcm', 'F12.1')]).toEqual([
      ['both', 'cm'],
      ['both'],
      ['both'],
    ]);
  });

  test.each<[form: object | undefined, names: string[], forms: string[]]>([
    [{ coding: [{ system: 'http://edqm', code: '100' }] }, [], ['patch']],
    [{ coding: [{ system: 'http://sct', code: '200' }] }, [], ['patch']],
    [{ coding: [{ display: 'Plaster' }] }, [], ['patch']],
    [{ text: 'depot plaster' }, [], ['patch']],
    [undefined, ['x 5 mg plaster'], ['patch']],
    [undefined, ['x depotplaster'], ['patch']],
    [undefined, ['x tts'], ['patch']],
    [undefined, ['xtts'], []],
    [undefined, ['depottablett'], ['tablet']],
    [undefined, ['depotdragee'], ['tablet']],
    // With five letters another word may end like this by chance.
    [undefined, ['geleh'], ['gel']],
    [undefined, ['depotgeleh'], []],
    [undefined, ['x'], []],
    // A partial phrase does not count.
    [{ text: 'depot' }, [], []],
    [undefined, ['depot x plaster y'], ['patch']],
  ])('the form of %j, %j is %j', (form, names, forms) => {
    expect(formsOf(form, names, load(file).codes)).toEqual(forms);
  });

  test('the longer of two word endings is the form', () => {
    const { codes } = load({ forms: { short: { words: ['plaster'] }, long: { words: ['depotplaster'] } } });
    expect([formsOf(undefined, ['xdepotplaster'], codes), formsOf(undefined, ['xplaster'], codes)]).toEqual([
      ['long'],
      ['short'],
    ]);
  });

  test('a longer name is another medicine, unless a salt is joined to its first word', () => {
    const { codes } = load({
      systems,
      lists: { one: { atc: ['A01'] } },
      substances: {
        a: { atc: ['A01AA01'], names: named('aaaa') },
        b: { atc: ['A01AA02'], names: named('aaaa bbbb') },
        partner: { atc: ['B01AA01'], names: named('pppp') },
      },
      salts: ['salt'],
    });
    const read = (text: string) => {
      const found = recogniseMedicine({ codings: [], names: [text], ingredients: [] }, codes);
      return typeof found === 'string' ? found : [found.substance, found.lists];
    };
    expect([read('aaaa'), read('aaaa bbbb'), read('aaaasalt'), read('aaaasalt bbbb')]).toEqual([
      ['a', ['one']],
      ['b', ['one']],
      ['a', ['one']],
      ['a', ['one']],
    ]);
    // With a partner on no list the medicine is ours, in either order.
    expect([read('pppp/aaaa'), read('aaaa/pppp'), read('pppp')]).toEqual([
      ['a', ['one']],
      ['a', ['one']],
      ['partner', []],
    ]);
  });

  test('spellings of systems are remembered up to a limit, if they are addresses', () => {
    const { codes } = load(file);
    const read = (system: string) => conceptListsOf({ coding: [{ system, code: '9' }] }, codes.conditions, codes);
    expect([read('http://sct/'), read('http://sct/'), codes.spellings.size]).toEqual([['sick'], ['sick'], 1]);
    expect([read(`http://${'x'.repeat(193)}`), codes.spellings.size]).toEqual([[], 2]);
    expect([read(`http://${'x'.repeat(194)}`), codes.spellings.size]).toEqual([[], 2]);
    for (let at = 0; at < 1000; at++) read(`http://other/${at}`);
    expect(codes.spellings.size).toBe(1000);
    expect([read('http://sct|2024'), read('http://sct/')]).toEqual([['sick'], ['sick']]);
  });

  test('reimbursement, settings and unverified codes are read', () => {
    const { codes } = load(file);
    expect([...codes.reimbursement]).toEqual([['-90', 'sick']]);
    expect([...codes.encounterClass]).toEqual([
      ['IMP', 'inpatient'],
      ['AMB', 'outpatient'],
      ['VR', 'virtual'],
    ]);
    expect([...codes.orderCategory]).toEqual([
      ['inpatient', 'inpatient'],
      ['outpatient', 'outpatient'],
    ]);
    expect([...codes.unverified].sort()).toEqual([
      'conditions|sick|snomed|10',
      'conditions|sick|snomed|11',
      'forms|patch|snomed|200',
      'substances|a|rxnorm|3',
      'substances|a|snomed|4',
    ]);
  });
});

test('codes and systems are compared regardless of how they are written', () => {
  expect([codeKey(' a01 '), icd('f11.2'), icd('DF112'), icd('D50.1'), icd('F11.2-P'), icd('DF11.2')]).toEqual([
    'A01',
    'F112',
    'F112',
    'D501',
    'F112P',
    'F112',
  ]);
  expect(['urn:oid:1.2', 'URN:OID:1.2', '1.2/', ' 1.2|2024', 'http://a/'].map(systemUri)).toEqual([
    '1.2',
    '1.2',
    '1.2',
    '1.2',
    'http://a',
  ]);
});
