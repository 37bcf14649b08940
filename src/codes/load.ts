import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Texts } from '../language.ts';
import { type Problem, readYaml, type YamlFile } from '../yaml.ts';
import { type Drug, readDrugs } from './drugs.ts';
import { type CodeFile, codeFileSchema, conceptSystems, formSystems } from './schema.ts';

/** What a medicine is, whichever code or name it came with. `atc` decides its lists. */
export type Substance = { key: string; atc: string[]; names: Texts };

/** A way to recognise a medicine by its name: whole words, lower case. */
type Phrase = { words: string[]; key: string; atc: string; brand: boolean };

/** ATC codes by prefix. A list that includes others has a part for each, so that one's exception hides nothing of another. */
export type AtcList = { prefixes: string[]; except: string[] }[];

/** All code lists, ready for look-ups: each is a single hash access or a walk over a code's prefixes. */
export type Codes = {
  lists: Map<string, AtcList>;
  /** The same by prefix: the lists that a code with this prefix may stand in, and what they leave out again. */
  listsOfPrefix: Map<string, { list: string; order: number; except: string[] }[]>;
  substances: Map<string, Substance>;
  substanceOfAtc: Map<string, Substance>;
  combinations: { of: string[]; substance: Substance }[];
  /** `system|code` (system as one of our keys) → the substance. */
  substanceOfCode: Map<string, Substance>;
  /** The site's own drug codes: `system|code`, where the system is our key or, for one we do not know, its URI. */
  drugs: Map<string, Drug>;
  phrases: Map<string, Phrase[]>;
  salts: string[];
  /** system URI or OID → our key, such as `atc`. */
  systems: Map<string, string>;
  conditions: ConceptLists;
  procedures: ConceptLists;
  results: ConceptLists;
  forms: { codes: Map<string, string[]>; words: Map<string, { phrase: string[]; name: string }[]>; names: string[] };
  encounterClass: Map<string, string>;
  orderCategory: Map<string, string>;
  /** From which value a result of a list is positive, where it has no reference range of its own. */
  cutoffs: Map<string, { value: number; unit: string }>;
  /** `list|system|code` → what a coded value of that result says. */
  values: Map<string, Presence>;
  /** `system|code` and whole texts, lower case → what any result says. */
  interpretation: { codes: Map<string, Presence>; words: Map<string, Presence> };
  /** `kind|name|system|code` of the codes for which no good source was found. They are used like the others. */
  unverified: Set<string>;
};

export type Presence = 'positive' | 'negative';

/** Which lists a code belongs to; ICD-10 by prefix, the rest exactly. */
export type ConceptLists = {
  names: Set<string>;
  exact: Map<string, string[]>;
  prefixes: Map<string, string[]>;
  except: Map<string, string[]>;
};

/**
 * Reads every file of `hooks/codes/`: code lists in YAML, the site's drug codes in CSV. Problems of lists name file and
 * line and forbid serving; a row of a drug table that cannot be used is a remark, and the rest is served.
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
    substances: new Map(),
    substanceOfAtc: new Map(),
    combinations: [],
    substanceOfCode: new Map(),
    drugs: new Map(),
    phrases: new Map(),
    salts: files.flatMap((file) => file.data.salts ?? []),
    systems: new Map(),
    conditions: conceptLists(files, 'conditions'),
    procedures: conceptLists(files, 'procedures'),
    results: conceptLists(files, 'results'),
    forms: { codes: new Map(), words: new Map(), names: [] },
    encounterClass: new Map(),
    orderCategory: new Map(),
    cutoffs: new Map(),
    values: new Map(),
    interpretation: { codes: new Map(), words: new Map() },
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
          push(codes.forms.codes, `${system}|${code}`, name);
      }
      for (const word of form.words ?? []) {
        const phrase = wordsOf(word);
        push(codes.forms.words, phrase[0] as string, { phrase, name });
      }
    }
  }
  for (const { data } of files) compileResults(data, codes);
  compileLists(files, codes, problems);
  compileSubstances(files, codes, problems);
  return codes;
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

function compileResults(data: CodeFile, codes: Codes): void {
  for (const [name, concept] of Object.entries(data.results ?? {})) {
    if (concept.cutoff) codes.cutoffs.set(name, concept.cutoff);
    for (const [answer, presence] of [
      ['yes', 'positive'],
      ['no', 'negative'],
    ] as const) {
      for (const [system, list] of Object.entries(concept.values?.[answer] ?? {})) {
        for (const code of list) codes.values.set(`${name}|${system}|${code}`, presence);
      }
    }
  }
  for (const presence of ['positive', 'negative'] as const) {
    const said = data.interpretation?.[presence];
    for (const code of said?.codes ?? []) codes.interpretation.codes.set(`interpretation|${code}`, presence);
    for (const code of said?.snomed ?? []) codes.interpretation.codes.set(`snomed|${code}`, presence);
    for (const word of said?.words ?? []) codes.interpretation.words.set(word.toLowerCase(), presence);
  }
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
    for (const { prefixes, except } of parts)
      for (const prefix of prefixes) push(codes.listsOfPrefix, prefix, { list, order, except });
  }
}

/** The lists that an ATC code stands in, in the order in which they are defined: a look-up for each of its prefixes. */
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
        codes.substanceOfCode.set(`rxnorm|${code}`, substance);
      for (const code of [...(entry.snomed ?? []), ...(entry.unverified?.snomed ?? [])])
        codes.substanceOfCode.set(`snomed|${code}`, substance);
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
          problems.push(problem(file, ['combinations', key], `of: '${part}' is no substance`));
      }
      addSubstance(codes, substance, file, ['combinations', key], problems);
      codes.combinations.push({ of: entry.of, substance });
      for (const code of entry.rxnorm ?? []) codes.substanceOfCode.set(`rxnorm|${code}`, substance);
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
  const lists: ConceptLists = { names: new Set(), exact: new Map(), prefixes: new Map(), except: new Map() };
  for (const { data } of files) {
    for (const [name, concept] of Object.entries(data[kind] ?? {})) {
      lists.names.add(name);
      const add = (system: string, list: readonly string[] | undefined, prefixes: Map<string, string[]>) => {
        for (const code of list ?? []) {
          if (system === 'icd10') push(prefixes, icd(code), name);
          else push(prefixes === lists.except ? prefixes : lists.exact, `${system}|${code}`, name);
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

/** Lower-case words of a name; everything that is neither letter nor digit parts them. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** An ICD-10 code without dots, without SKS's leading D and without national suffixes such as `-P`. */
export function icd(code: string): string {
  const bare = code.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return /^D[A-Z]\d\d/.test(bare) ? bare.slice(1) : bare;
}

/** System URIs are compared without version, trailing slash and `urn:oid:`, since all of these are sent. */
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
