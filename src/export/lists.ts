import type { ValueSet, ValueSetCompose, ValueSetComposeInclude, ValueSetComposeIncludeConcept } from 'fhir/r4.js';
import { brand } from '../brand.ts';
import { type AtcList, type Codes, type ConceptLists, contains, type Substance } from '../codes/load.ts';
import type { Presence } from '../codes/tests.ts';
import { languages } from '../language.ts';
import { type Context, canonical, header, imprint } from './context.ts';
import { inEnglish } from './words.ts';

/** Kinds of code lists. Lists of two kinds may share a name: the field in the expression decides. */
type Of = 'medicines' | 'conditions' | 'procedures' | 'results' | 'forms' | 'settings';
const ASKED: Of[] = ['medicines', 'conditions', 'procedures', 'results'];

const WHAT: Record<Of, string> = {
  medicines: 'Medicines of the list',
  conditions: 'Problems and reasons of the list',
  procedures: 'Procedures, therapies and referrals of the list',
  results: 'Laboratory tests and scores of the list',
  forms: 'Dose forms',
  settings: 'Care setting',
};

const keyOf = (of: Of, name: string) => `${of}-${name}`;

/** The canonical addresses of the lists that `memberOf('name')` may refer to. */
export function valueSetsOf(context: Context, name: string): string[] {
  const { codes } = context.knowledge;
  const names: Partial<Record<Of, { has(name: string): boolean }>> = {
    medicines: codes.lists,
    conditions: codes.conditions.names,
    procedures: codes.procedures.names,
    results: codes.results.names,
  };
  return ASKED.filter((of) => names[of]?.has(name)).map((of) => canonical(context, 'ValueSet', keyOf(of, name)));
}

/** Every code list as a ValueSet. */
export function valueSets(context: Context): ValueSet[] {
  const { codes } = context.knowledge;
  const systems = systemUris(codes);
  const set = (of: Of, name: string, compose: ValueSetCompose, more: string[] = []) =>
    valueSet(context, of, name, compose, more);
  return [
    ...[...codes.lists].map(([name, list]) =>
      set('medicines', name, medicines(context, list, systems), list.length > 1 ? [] : noSource(codes, list)),
    ),
    ...(['conditions', 'procedures', 'results'] as const).flatMap((of) =>
      [...codes[of].names].map((name) =>
        set(of, name, concepts(codes[of], name, systems), [
          ...howToRead(codes, of, name),
          ...noSource(codes, of, name),
        ]),
      ),
    ),
    ...answers(codes, systems).map(([name, compose]) => set('results', name, compose)),
    ...codes.forms.names.map((name) =>
      set('forms', name, exactly(byName(codes.forms.codes, name), systems), noSource(codes, 'forms', name)),
    ),
    ...settings(codes, systems).map(([name, compose]) => set('settings', name, compose)),
  ];
}

function valueSet(context: Context, of: Of, name: string, compose: ValueSetCompose, more: string[]): ValueSet {
  const key = keyOf(of, name);
  return {
    ...header(context, 'ValueSet', key),
    identifier: [{ system: brand.listSystem, value: name }],
    ...inEnglish('title', `${WHAT[of]}: ${name}`, context.language),
    status: 'active',
    ...imprint(context),
    ...(more.length > 0 && inEnglish('description', more.join(' '), context.language)),
    // A list may have no codes yet, but FHIR allows no empty compose.
    ...(compose.include.length > 0 && { compose }),
  };
}

/**
 * What a ValueSet has no element for: the medicines that a test looks for, the value from which a result without a
 * reference range is positive, and which codes ask for one substance or are confirmations.
 */
function howToRead(codes: Codes, of: Of, name: string): string[] {
  const test = of === 'results' ? codes.tests.lists.get(name) : undefined;
  if (!test) return [];
  const { cutoff, limit, confirmations, substances } = test;
  const bySubstance = Map.groupBy(substances.keys(), (key) => substances.get(key) as string);
  const confirming = [...confirmations].filter((key) => !substances.has(key));
  const screening = [...substances.keys()].filter((key) => !confirmations.has(key));
  return [
    ...(test.of === undefined ? [] : [`Looks for medicines of the list ${test.of}.`]),
    ...(cutoff ? [`Without a reference range, a screening is positive from ${cutoff.value} ${cutoff.unit}.`] : []),
    ...(limit ? [`Without one, a confirmation is positive above ${limit.value} ${limit.unit}.`] : []),
    ...(confirming.length > 0 ? [`Confirmations of the whole class: ${written(confirming)}.`] : []),
    ...[...bySubstance].map(([substance, keys]) => `Confirmations that ask for ${substance}: ${written(keys)}.`),
    ...(screening.length > 0 ? [`Of these, only screenings: ${written(screening)}.`] : []),
  ];
}

/** `system|code` keys in readable form. */
function written(keys: string[]): string {
  return keys.map((key) => key.replace('|', ' ')).join(', ');
}

/** Codes of a list without a good source; for a list of medicines, those of its substances. */
function noSource(codes: Codes, of: Of | AtcList, name?: string): string[] {
  const unverified = [...codes.unverified].filter((entry) => {
    const [kind, key] = entry.split('|') as [string, string];
    if (typeof of === 'string') return kind === of && key === name;
    const substance = kind === 'substances' ? codes.substances.get(key) : undefined;
    return substance !== undefined && contains(of, substance.atc[0] as string);
  });
  if (unverified.length === 0) return [];
  return [`There is no good source for ${unverified.map((entry) => entry.split('|').slice(2).join(' ')).join(', ')}.`];
}

/** The URI of each of our system names: the first in hooks/codes/. */
function systemUris(codes: Codes): (key: string) => string {
  const first = new Map<string, string>();
  for (const [uri, key] of codes.systems) if (!first.has(key)) first.set(key, uri);
  return (key) => {
    const uri = first.get(key) ?? key;
    return /^[\d.]+$/.test(uri) ? `urn:oid:${uri}` : uri;
  };
}

type Uris = (key: string) => string;

/** By ATC, plus the ingredients in other systems and the site's own drug codes whose ATC code is in the list. */
function medicines(context: Context, list: AtcList, uriOf: Uris): ValueSetCompose {
  const { codes } = context.knowledge;
  const [only, ...others] = list;
  if (!only) return { include: [] };
  if (others.length > 0) {
    const parts = list.map((part) => nameOfPart(codes, part));
    return { include: parts.map((part) => ({ valueSet: [canonical(context, 'ValueSet', keyOf('medicines', part))] })) };
  }
  const atc = uriOf('atc');
  const exclude = prefixes(atc, only.except, wholeAtc);
  const ingredients = [...codes.substanceOfCode].filter(([, { atc: own }]) => contains(list, own[0] as string));
  const products = [...codes.drugs].filter(([, drug]) => contains(list, drug.atc));
  const coded: Coded[] = [
    ...ingredients.map(([key, substance]): Coded => [...split(key), substance]),
    ...products.map(([key]) => split(key)),
  ];
  return {
    include: [...prefixes(atc, only.prefixes, wholeAtc), ...bySystem(coded, uriOf)],
    ...(exclude.length > 0 && { exclude }),
  };
}

/** The name of an included list: each part is a list of its own. */
function nameOfPart(codes: Codes, part: AtcList[number]): string {
  const found = [...codes.lists].find(
    ([, list]) => list.length === 1 && JSON.stringify(list[0]) === JSON.stringify(part),
  );
  if (!found) throw new Error('a part of a list is not a list');
  return found[0];
}

function named(code: string, { names }: Substance): ValueSetComposeIncludeConcept {
  return {
    code,
    display: names.en,
    designation: languages
      .filter((language) => language !== 'en')
      .map((language) => ({ language, value: names[language] })),
  };
}

function concepts(lists: ConceptLists, name: string, uriOf: Uris): ValueSetCompose {
  const except = byName(lists.except, name);
  const included = (keys: string[]) => [
    ...icd10Prefixes(keys, lists.notIcd10cm.has(name), uriOf),
    ...exactly(
      keys.filter((key) => key.includes('|') && !key.startsWith(AMERICAN)),
      uriOf,
    ).include,
  ];
  const exclude = included(except);
  return {
    include: included([...byName(lists.prefixes, name), ...byName(lists.exact, name)]),
    ...(exclude.length > 0 && { exclude }),
  };
}

const AMERICAN = 'icd10cm|';

/** ICD-10 prefixes. ICD-10-CM is read with the same ones and its own, except in lists where its codes mean something else. */
function icd10Prefixes(keys: string[], notAmerican: boolean, uriOf: Uris): ValueSetComposeInclude[] {
  const common = keys.filter((key) => !key.includes('|')).map(dotted);
  const american = keys.filter((key) => key.startsWith(AMERICAN)).map((key) => dotted(key.slice(AMERICAN.length)));
  return [
    ...prefixes(uriOf('icd10'), common, wholeIcd),
    ...(notAmerican ? [] : prefixes(uriOf('icd10cm'), [...common, ...american], wholeIcd)),
  ];
}

/** The meaning of coded answers: for all tests, and for one. */
function answers(codes: Codes, uriOf: Uris): [string, ValueSetCompose][] {
  const said = (presence: Presence): [string, ValueSetCompose] => [
    presence,
    exactly(
      [...codes.tests.codes].filter(([, value]) => value === presence).map(([key]) => key),
      uriOf,
    ),
  ];
  const own = [...codes.results.names].flatMap((name) =>
    (['positive', 'negative'] as const).map((presence): [string, ValueSetCompose] => [
      `${name}-${presence}`,
      exactly(
        [...codes.tests.values]
          .filter(([key, value]) => key.startsWith(`${name}|`) && value === presence)
          .map(([key]) => key.slice(name.length + 1)),
        uriOf,
      ),
    ]),
  );
  return [said('positive'), said('negative'), ...own].filter(([, { include }]) => include.length > 0);
}

function settings(codes: Codes, uriOf: Uris): [string, ValueSetCompose][] {
  const all = [
    ...[...codes.encounterClass].map(([code, setting]) => ({ setting, code: `encounter-class|${code}` })),
    ...[...codes.orderCategory].map(([code, setting]) => ({ setting, code: `order-category|${code}` })),
  ];
  return [...new Set(all.map(({ setting }) => setting))].map((name) => [
    name,
    exactly(
      all.filter(({ setting }) => setting === name).map(({ code }) => code),
      uriOf,
    ),
  ]);
}

function byName(map: Map<string, string[]>, name: string): string[] {
  return [...map].filter(([, names]) => names.includes(name)).map(([key]) => key);
}

/** `system|code` keys, each exact. */
function exactly(keys: string[], uriOf: Uris): { include: ValueSetComposeInclude[] } {
  return { include: bySystem(keys.map(split), uriOf) };
}

type Coded = [system: string, code: string, substance?: Substance];

function bySystem(codes: Coded[], uriOf: Uris): ValueSetComposeInclude[] {
  return [...Map.groupBy(codes, ([system]) => system)].map(([system, list]) => ({
    system: uriOf(system),
    concept: list.map(([, code, substance]) => (substance ? named(code, substance) : { code })),
  }));
}

/**
 * Prefixes: a code of the hierarchy stands for itself and all below it, a complete code for itself; anything else
 * becomes a pattern.
 */
function prefixes(system: string, codes: string[], shape: { code: RegExp; leaf: RegExp }): ValueSetComposeInclude[] {
  const leaves = codes.filter((code) => shape.leaf.test(code));
  const filters = codes
    .filter((code) => !leaves.includes(code))
    .map((value) =>
      shape.code.test(value)
        ? { property: 'concept', op: 'is-a' as const, value }
        : { property: 'code', op: 'regex' as const, value: `${value.replaceAll('.', '\\.')}.*` },
    );
  return [
    ...(leaves.length > 0 ? [{ system, concept: leaves.map((code) => ({ code })) }] : []),
    ...filters.map((filter) => ({ system, filter: [filter] })),
  ];
}

const wholeAtc = { code: /^[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?$/, leaf: /^[A-Z]\d\d[A-Z]{2}\d\d$/ };
const wholeIcd = { code: /^[A-Z]\d\d(\.\d+)?$/, leaf: /^(?!)/ };

/** ICD-10 codes are stored without their dot and written with it. */
function dotted(code: string): string {
  return code.length > 3 ? `${code.slice(0, 3)}.${code.slice(3)}` : code;
}

function split(key: string): [system: string, code: string] {
  const at = key.lastIndexOf('|');
  return [key.slice(0, at), key.slice(at + 1)];
}
