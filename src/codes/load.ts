import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Texts } from '../language.ts';
import { type Problem, readYaml, type YamlFile } from '../yaml.ts';
import { type Drug, readDrugs } from './drugs.ts';
import { compileReading, type Reading } from './reading.ts';
import { type CodeFile, codeFileSchema, conceptSystems, formSystems, type Product } from './schema.ts';
import { compileTests, type Tests } from './tests.ts';
import { wordsOf } from './words.ts';

/** A substance, whichever code or name it came with. `atc` decides its lists. */
export type Substance = { key: string; atc: string[]; names: Texts };

/** A name of a medicine: whole words in lower case. */
type Phrase = { words: string[]; key: string; atc: string; brand: boolean };

/** ATC codes by prefix. A list that includes others has a part for each, so that exceptions of one do not affect another. */
export type AtcList = { prefixes: string[]; except: string[] }[];

/** All code lists, prepared for look-up: each look-up is a hash access or a walk over a code's prefixes. */
export type Codes = {
  lists: Map<string, AtcList>;
  /** The same by prefix: the lists that a code with this prefix may be in, and their exceptions. */
  listsOfPrefix: Map<string, { list: string; order: number; except: string[] }[]>;
  /** Codes above a member of a list that are in no list themselves: they may be one of ours. */
  aboveLists: Set<string>;
  substances: Map<string, Substance>;
  substanceOfAtc: Map<string, Substance>;
  combinations: { of: string[]; substance: Substance }[];
  /** `system|code` (system as one of our keys) → the substance. */
  substanceOfCode: Map<string, Substance>;
  /** The site's own drug codes: `system|code`, with our key of the system or, if we have none, its URI. */
  drugs: Map<string, Drug>;
  phrases: Map<string, Phrase[]>;
  /** What may follow a name inside a word: salts, then dose forms. Longest first. */
  endings: string[];
  /** Names of medicines in no list: a medicine with one is known to be another one. */
  others: Map<string, string[][]>;
  products: Product[];
  /** system URI or OID → our key, such as `atc`. */
  systems: Map<string, string>;
  /** Ways of writing a system that calls have used, and what they mean: found once. Bounded where it grows. */
  spellings: Map<string, string>;
  conditions: ConceptLists;
  procedures: ConceptLists;
  results: ConceptLists;
  forms: {
    codes: Map<string, string[]>;
    words: Map<string, { phrase: string[]; name: string }[]>;
    /** Form words that also count at the end of a compound, longest first. */
    endings: { word: string; name: string }[];
    names: string[];
  };
  encounterClass: Map<string, string>;
  orderCategory: Map<string, string>;
  tests: Tests;
  reading: Reading;
  /** Reimbursement code → the condition list that it stands for as an order's reason. */
  reimbursement: Map<string, string>;
  /** `kind|name|system|code` of the codes without a good source. They are used like the others. */
  unverified: Set<string>;
};

/** The lists that a code belongs to; ICD-10 by prefix, the rest exactly. */
export type ConceptLists = {
  names: Set<string>;
  exact: Map<string, string[]>;
  prefixes: Map<string, string[]>;
  except: Map<string, string[]>;
  /** Lists that exclude ICD-10-CM codes of the same form. */
  notIcd10cm: Set<string>;
};

/**
 * Reads every file of `hooks/codes/`: code lists in YAML, the site's drug codes in CSV. Problems of lists have file and
 * line and prevent serving; a row of a drug table that is not valid is only a remark, and the rest is served.
 */
export function loadCodes(folder: string, label: string, problems: Problem[], remarks: Problem[]): Codes {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readYaml(join(folder, name), `${label}/${name}`, codeFileSchema, problems))
    .filter((file) => file !== undefined);
  const codes = compileCodes(files, problems);
  const keyOf = (uri: string) => codes.systems.get(systemUri(uri)) ?? systemUri(uri);
  for (const name of names.filter((candidate) => candidate.endsWith('.csv'))) {
    readDrugs(join(folder, name), `${label}/${name}`, keyOf, codes.drugs, remarks);
  }
  return codes;
}

type File = YamlFile<CodeFile>;

function compileCodes(files: File[], problems: Problem[]): Codes {
  const codes: Codes = {
    lists: new Map(),
    listsOfPrefix: new Map(),
    aboveLists: new Set(),
    substances: new Map(),
    substanceOfAtc: new Map(),
    combinations: [],
    substanceOfCode: new Map(),
    drugs: new Map(),
    phrases: new Map(),
    endings: files
      .flatMap(({ data }) => [...(data.salts ?? []), ...(data.formEndings ?? [])])
      .map((ending) => ending.toLowerCase())
      .sort((a, b) => b.length - a.length),
    others: new Map(),
    products: files.flatMap(({ data }) => data.products ?? []),
    systems: new Map(),
    spellings: new Map(),
    conditions: conceptLists(files, 'conditions'),
    procedures: conceptLists(files, 'procedures'),
    results: conceptLists(files, 'results'),
    forms: { codes: new Map(), words: new Map(), endings: [], names: [] },
    encounterClass: new Map(),
    orderCategory: new Map(),
    tests: compileTests([], () => []),
    reading: compileReading(files.map(({ data }) => data)),
    reimbursement: new Map(
      files.flatMap(({ data }) =>
        Object.entries(data.reimbursement ?? {}).flatMap(([list, all]) => all.map((code) => [code, list] as const)),
      ),
    ),
    unverified: new Set(files.flatMap(({ data }) => unverifiedOf(data))),
  };
  for (const { data } of files) {
    for (const [key, uris] of Object.entries(data.systems ?? {}))
      for (const uri of uris) codes.systems.set(systemUri(uri), key);
    for (const [setting, list] of Object.entries(data.settings?.encounterClass ?? {}))
      for (const code of list) codes.encounterClass.set(code, setting);
    for (const [setting, list] of Object.entries(data.settings?.orderCategory ?? {}))
      for (const code of list) codes.orderCategory.set(code, setting);
    for (const [name, form] of Object.entries(data.forms ?? {})) {
      codes.forms.names.push(name);
      for (const system of formSystems) {
        for (const code of [...(form[system] ?? []), ...(form.unverified?.[system] ?? [])])
          push(codes.forms.codes, `${system}|${codeKey(code)}`, name);
      }
      for (const word of form.words ?? []) {
        const phrase = wordsOf(word);
        push(codes.forms.words, phrase[0] as string, { phrase, name });
        const [only] = phrase;
        if (phrase.length === 1 && only && only.length >= SHORTEST_ENDING)
          codes.forms.endings.push({ word: only, name });
      }
    }
  }
  codes.forms.endings.sort((a, b) => b.word.length - a.word.length);
  compileLists(files, codes, problems);
  compileSubstances(files, codes, problems);
  codes.tests = compileTests(
    files.map(({ data }) => data),
    (list) => namesOfList(list, codes),
  );
  for (const name of files.flatMap(({ data }) => data.others ?? [])) {
    const words = wordsOf(name);
    push(codes.others, words[0] as string, words);
  }
  checkNames(files, codes, problems);
  return codes;
}

/** Minimum length of a form word, so that no other word ends like it by chance. */
const SHORTEST_ENDING = 6;

/** Every name and spelling of a list's substances, with the substance; brands are left out, because they name products. */
function namesOfList(list: string, codes: Codes): [string, string][] {
  const parts = codes.lists.get(list) ?? [];
  return [...codes.phrases.values()]
    .flat()
    .filter(({ brand, atc }) => !brand && contains(parts, atc))
    .map(({ words, key }) => [words.join(' '), key]);
}

/** Reports names that refer to something that does not exist, and other medicines that are ones of ours. */
function checkNames(files: File[], codes: Codes, problems: Problem[]): void {
  for (const file of files) {
    const report = (path: string[], message: string) => problems.push(problem(file, path, message));
    for (const [at, { of, forms, implant }] of (file.data.products ?? []).entries()) {
      if (!codes.lists.has(of)) report(['products', String(at)], `of: '${of}' is not a list`);
      for (const form of forms ?? [])
        if (!codes.forms.names.includes(form)) report(['products', String(at)], `forms: '${form}' is not a form`);
      if (implant && !codes.procedures.names.has(implant.removal))
        report(['products', String(at)], `removal: '${implant.removal}' is not a list of procedures`);
    }
    for (const [name, { of }] of Object.entries(file.data.results ?? {}))
      if (of !== undefined && !codes.lists.has(of)) report(['results', name], `of: '${of}' is not a list`);
    for (const name of file.data.others ?? []) {
      const words = wordsOf(name);
      if (codes.phrases.get(words[0] as string)?.some((phrase) => phrase.words.join(' ') === words.join(' ')))
        report(['others'], `'${name}' is already the name of one of our lists`);
    }
  }
}

function unverifiedOf(data: CodeFile): string[] {
  return (['substances', 'conditions', 'procedures', 'results', 'forms'] as const).flatMap((kind) =>
    Object.entries(data[kind] ?? {}).flatMap(([name, { unverified = {} }]) =>
      Object.entries(unverified as Record<string, string[]>).flatMap(([system, list]) =>
        list.map((code) => `${kind}|${name}|${system}|${code}`),
      ),
    ),
  );
}

function compileLists(files: File[], codes: Codes, problems: Problem[]): void {
  const defined = new Map(
    files.flatMap((file) =>
      Object.entries(file.data.lists ?? {}).map(([name, list]) => [name, { list, file }] as const),
    ),
  );
  const resolve = (name: string, path: string[]): AtcList => {
    const found = defined.get(name);
    if (!found || path.includes(name)) return [];
    if ('atc' in found.list) return [{ prefixes: found.list.atc, except: found.list.except ?? [] }];
    return found.list.includes.flatMap((part) => {
      if (!defined.has(part))
        problems.push(problem(found.file, ['lists', name], `includes the unknown list '${part}'`));
      return resolve(part, [...path, name]);
    });
  };
  for (const [order, list] of [...defined.keys()].entries()) {
    const parts = resolve(list, []);
    codes.lists.set(list, parts);
    for (const { prefixes, except } of parts) {
      for (const prefix of prefixes) {
        push(codes.listsOfPrefix, prefix, { list, order, except });
        for (let length = 1; length < prefix.length; length++) codes.aboveLists.add(prefix.slice(0, length));
      }
    }
  }
}

/** Whether an ATC code is in any list. */
export function isInAnyList(atc: string, { listsOfPrefix, aboveLists }: Codes): boolean {
  for (let length = 1; length <= atc.length; length++) {
    const prefix = atc.slice(0, length);
    const lists = listsOfPrefix.get(prefix);
    if (lists?.some(({ except }) => !except.some((other) => atc.startsWith(other)))) return true;
    // No list begins further down.
    if (!aboveLists.has(prefix)) return false;
  }
  return false;
}

/** The lists of an ATC code, in the order of their definition: one look-up per prefix. */
export function listsOfAtc(atcs: string[], { listsOfPrefix }: Codes): string[] {
  const found = new Map<string, number>();
  for (const atc of atcs)
    for (let length = 1; length <= atc.length; length++)
      for (const { list, order, except } of listsOfPrefix.get(atc.slice(0, length)) ?? [])
        if (!except.some((prefix) => atc.startsWith(prefix))) found.set(list, order);
  return [...found].sort(([, a], [, b]) => a - b).map(([list]) => list);
}

export function contains(list: AtcList, atc: string): boolean {
  const startsOne = (prefixes: string[]) => prefixes.some((prefix) => atc.startsWith(prefix));
  return list.some((part) => startsOne(part.prefixes) && !startsOne(part.except));
}

function compileSubstances(files: File[], codes: Codes, problems: Problem[]): void {
  for (const file of files) {
    for (const [key, entry] of Object.entries(file.data.substances ?? {})) {
      const substance: Substance = { key, atc: entry.atc, names: entry.names };
      addSubstance(codes, substance, file, ['substances', key], problems);
      for (const code of [...(entry.rxnorm ?? []), ...(entry.unverified?.rxnorm ?? [])])
        codes.substanceOfCode.set(`rxnorm|${codeKey(code)}`, substance);
      for (const code of [...(entry.snomed ?? []), ...(entry.unverified?.snomed ?? [])])
        codes.substanceOfCode.set(`snomed|${codeKey(code)}`, substance);
      const spellings = new Set(
        [key.replaceAll('-', ' '), ...Object.values(entry.names), ...(entry.also ?? [])].map((name) =>
          name.toLowerCase(),
        ),
      );
      for (const name of spellings) addPhrase(codes, name, substance, entry.atc[0] as string, false);
      for (const [brand, atc] of Object.entries(entry.brands ?? {})) addPhrase(codes, brand, substance, atc, true);
    }
  }
  for (const file of files) {
    for (const [key, entry] of Object.entries(file.data.combinations ?? {})) {
      const substance: Substance = { key, atc: entry.atc, names: entry.names };
      for (const part of entry.of) {
        if (!codes.substances.has(part))
          problems.push(problem(file, ['combinations', key], `of: '${part}' is not a substance`));
      }
      addSubstance(codes, substance, file, ['combinations', key], problems);
      codes.combinations.push({ of: entry.of, substance });
      for (const code of entry.rxnorm ?? []) codes.substanceOfCode.set(`rxnorm|${codeKey(code)}`, substance);
      for (const name of entry.also ?? []) addPhrase(codes, name, substance, entry.atc[0] as string, false);
    }
  }
  // The most specific combination decides.
  codes.combinations.sort((a, b) => b.of.length - a.of.length);
  for (const phrases of codes.phrases.values()) phrases.sort((a, b) => b.words.length - a.words.length);
}

function addSubstance(codes: Codes, substance: Substance, file: File, path: string[], problems: Problem[]): void {
  if (codes.substances.has(substance.key)) problems.push(problem(file, path, `'${substance.key}' is defined twice`));
  codes.substances.set(substance.key, substance);
  for (const atc of substance.atc) if (!codes.substanceOfAtc.has(atc)) codes.substanceOfAtc.set(atc, substance);
}

function addPhrase(codes: Codes, name: string, substance: Substance, atc: string, brand: boolean): void {
  const words = wordsOf(name);
  if (words.length > 0) push(codes.phrases, words[0] as string, { words, key: substance.key, atc, brand });
}

type ConceptKind = 'conditions' | 'procedures' | 'results';

function conceptLists(files: File[], kind: ConceptKind): ConceptLists {
  const lists: ConceptLists = {
    names: new Set(),
    exact: new Map(),
    prefixes: new Map(),
    except: new Map(),
    notIcd10cm: new Set(),
  };
  for (const { data } of files) {
    for (const [name, concept] of Object.entries(data[kind] ?? {})) {
      lists.names.add(name);
      if (concept.notIn?.includes('icd10cm')) lists.notIcd10cm.add(name);
      const add = (system: string, list: readonly string[] | undefined, prefixes: Map<string, string[]>) => {
        for (const code of list ?? []) {
          // ICD-10-CM is read with the ICD-10 prefixes, and its own are added under its name.
          if (system === 'icd10') push(prefixes, icd(code), name);
          else if (system === 'icd10cm') push(prefixes, `icd10cm|${icd(code)}`, name);
          else push(prefixes === lists.except ? prefixes : lists.exact, `${system}|${codeKey(code)}`, name);
        }
      };
      for (const system of conceptSystems) {
        add(system, concept[system], lists.prefixes);
        add(system, concept.unverified?.[system], lists.prefixes);
        add(system, concept.except?.[system], lists.except);
      }
    }
  }
  return lists;
}

/** Codes are compared without surrounding spaces and case (recommendations.md, 2.1). */
export function codeKey(code: string): string {
  return code.trim().toUpperCase();
}

/** An ICD-10 code without dots, without SKS's leading D and without national suffixes such as `-P`. */
export function icd(code: string): string {
  const bare = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return /^D[A-Z]\d\d/.test(bare) ? bare.slice(1) : bare;
}

/** System URIs are compared without version, trailing slash and `urn:oid:`, because senders vary in these. */
export function systemUri(uri: string): string {
  return (uri.split('|')[0] as string)
    .trim()
    .replace(/^urn:oid:/i, '')
    .replace(/\/$/, '');
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function problem(file: File, path: string[], message: string): Problem {
  return { file: file.file, line: file.line(path), message: `${path.join('.')}: ${message}` };
}
