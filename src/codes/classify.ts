import { type JsonObject, objects, string } from '../fhir/json.ts';
import type { Drug } from './drugs.ts';
import { type Codes, type ConceptLists, icd, listsOfAtc, type Substance, systemUri, wordsOf } from './load.ts';

/** What a medicine was recognised as. `lists` are the code lists it stands in; empty for a medicine of no class. */
export type Classified = {
  lists: string[];
  substance: string | undefined;
  /** `atc`: an ATC code it came with. `code`: another system's code. `name`: only its name. */
  identifiedBy: 'atc' | 'code' | 'name';
};

const ATC_CODE = /^[A-Z]\d{2}(?:[A-Z](?:[A-Z](?:\d{2})?)?)?$/;

/**
 * Recognises a medicine from its CodeableConcepts and names: every coding of every system first, then the names,
 * so that a text which contradicts its code loses (conformance H15). Undefined where nothing is known of it.
 */
export function classifyMedicine(concepts: JsonObject[], names: string[], codes: Codes): Classified | undefined {
  const codings = concepts.flatMap((concept) => objects(concept['coding']));
  const known = codings.map((coding) => ({ system: systemKey(coding, codes), code: string(coding['code']) ?? '' }));
  const drug = drugOf(codings, codes);
  const atcs = known.filter(({ system, code }) => system === 'atc' && ATC_CODE.test(code)).map(({ code }) => code);
  if (atcs.length > 0) return byAtc(atcs, codes, 'atc');
  if (drug) return byAtc([drug.atc], codes, 'atc');
  const substances = known
    .map(({ system, code }) => codes.substanceOfCode.get(`${system}|${code}`))
    .filter((found) => found !== undefined);
  if (substances.length > 0)
    return bySubstances(
      substances.map((substance) => ({ substance, atc: substance.atc[0] as string })),
      codes,
      'code',
    );
  const texts = [
    ...codings.map((coding) => string(coding['display'])),
    ...concepts.map((concept) => string(concept['text'])),
    ...names,
  ];
  for (const text of texts) {
    const found = text && byName(text, codes);
    if (found) return found;
  }
  return undefined;
}

/**
 * Whether concepts come with ATC codes of which none stands in a list. So it is with most medicines, and their names
 * need not be read: a text that contradicts its code loses.
 */
export function isOfNoList(concepts: JsonObject[], codes: Codes): boolean {
  let coded = false;
  for (const concept of concepts) {
    for (const coding of objects(concept['coding'])) {
      const code = string(coding['code']);
      if (code === undefined || systemKey(coding, codes) !== 'atc' || !ATC_CODE.test(code)) continue;
      if (listsOfAtc([code], codes).length > 0) return false;
      coded = true;
    }
  }
  return coded;
}

/** What the site's own drug table says of a product. */
export function drugOf(codings: JsonObject[], codes: Codes): Drug | undefined {
  if (codes.drugs.size === 0) return undefined;
  for (const coding of codings) {
    const system = systemKey(coding, codes) ?? systemUri(string(coding['system']) ?? '');
    const drug = codes.drugs.get(`${system}|${string(coding['code'])}`);
    if (drug) return drug;
  }
  return undefined;
}

function byAtc(
  atcs: string[],
  codes: Codes,
  identifiedBy: Classified['identifiedBy'],
  substance?: Substance,
): Classified {
  const lists = listsOfAtc(atcs, codes);
  const named = substance ?? atcs.map((atc) => codes.substanceOfAtc.get(atc)).find((found) => found !== undefined);
  return { lists, substance: named?.key, identifiedBy };
}

/** A substance with the ATC code that it has here: its own, or that of the brand by which it was found. */
type Found = { substance: Substance; atc: string };

/** Several substances are judged as the combination that they make, where it is a known one. */
function bySubstances(found: Found[], codes: Codes, identifiedBy: Classified['identifiedBy']): Classified {
  const keys = new Set(found.map(({ substance }) => substance.key));
  const combination = codes.combinations.find(({ of }) => of.every((key) => keys.has(key)))?.substance;
  if (combination) return byAtc([combination.atc[0] as string], codes, identifiedBy, combination);
  const all = found.map(({ substance, atc }) =>
    byAtc([atc], codes, identifiedBy, codes.substanceOfAtc.get(atc) ?? substance),
  );
  const first = all.find(({ lists }) => lists.length > 0) ?? (all[0] as Classified);
  return { ...first, lists: [...new Set(all.flatMap(({ lists }) => lists))] };
}

function byName(text: string, codes: Codes): Classified | undefined {
  const found = new Map<string, Found>();
  for (const phrase of matches(text, codes)) {
    // A brand is a product: its ATC code says more than that of the substance written beside it.
    if (phrase.brand || !found.has(phrase.key))
      found.set(phrase.key, { substance: codes.substances.get(phrase.key) as Substance, atc: phrase.atc });
  }
  return found.size > 0 ? bySubstances([...found.values()], codes, 'name') : undefined;
}

function matches(text: string, codes: Codes) {
  const words = wordsOf(text);
  const found = [];
  for (let at = 0; at < words.length; at++) {
    const phrase = phraseAt(words, at, codes);
    if (!phrase) continue;
    found.push(phrase);
    at += phrase.words.length - 1;
  }
  return found;
}

function phraseAt(words: string[], at: number, codes: Codes) {
  const fits = (candidate: { words: string[] }) => candidate.words.every((word, offset) => words[at + offset] === word);
  const exact = codes.phrases.get(words[at] as string)?.find(fits);
  if (exact) return exact;
  // Nordic names join the salt to the substance: "oxikodonhydroklorid".
  const salt = codes.salts.find((ending) => (words[at] as string).endsWith(ending));
  return salt
    ? codes.phrases.get((words[at] as string).slice(0, -salt.length))?.find((candidate) => candidate.words.length === 1)
    : undefined;
}

/** The lists that a CodeableConcept's codings belong to. */
export function conceptListsOf(concept: unknown, lists: ConceptLists, codes: Codes): string[] {
  const found: string[] = [];
  for (const item of objects(concept)) {
    for (const coding of objects(item['coding'])) {
      const code = string(coding['code']);
      const system = systemKey(coding, codes);
      if (!code || !system) continue;
      found.push(...listsOfCode(system, code, lists));
      // The Norwegian laboratory codes hold those of NPU.
      if (system === 'nlk') found.push(...listsOfCode('npu', code, lists));
    }
  }
  return found.length > 1 ? [...new Set(found)] : found;
}

function listsOfCode(system: string, code: string, lists: ConceptLists): string[] {
  if (system !== 'icd10' && system !== 'sks') {
    const found = lists.exact.get(`${system}|${code}`);
    if (found === undefined) return [];
    const except = lists.except.get(`${system}|${code}`) ?? [];
    return found.filter((name) => !except.includes(name));
  }
  // No code is longer; a text in its place is not walked through to its end.
  const bare = icd(code).slice(0, 20);
  const found = listsOfPrefixes(lists.prefixes, bare);
  if (found.length === 0) return found;
  const except = listsOfPrefixes(lists.except, bare);
  return found.filter((name) => !except.includes(name));
}

function listsOfPrefixes(map: Map<string, string[]>, code: string): string[] {
  const found: string[] = [];
  for (let length = 1; length <= code.length; length++) found.push(...(map.get(code.slice(0, length)) ?? []));
  return found;
}

/** Dose forms of a medicine: from its form's codes and text, and from the words of its names. */
export function formsOf(form: unknown, names: string[], codes: Codes): string[] {
  const found = new Set<string>();
  for (const concept of objects(form)) {
    for (const coding of objects(concept['coding'])) {
      for (const name of codes.forms.codes.get(`${systemKey(coding, codes)}|${string(coding['code'])}`) ?? [])
        found.add(name);
      addFormsInText(string(coding['display']), codes, found);
    }
    addFormsInText(string(concept['text']), codes, found);
  }
  for (const name of names) addFormsInText(name, codes, found);
  return [...found];
}

function addFormsInText(text: string | undefined, codes: Codes, found: Set<string>): void {
  if (!text) return;
  const words = wordsOf(text);
  for (const [at, first] of words.entries())
    for (const { phrase, name } of codes.forms.words.get(first) ?? [])
      if (phrase.every((word, offset) => words[at + offset] === word)) found.add(name);
}

function systemKey(coding: JsonObject, codes: Codes): string | undefined {
  const system = string(coding['system']);
  // Most are written as we know them.
  return system === undefined ? undefined : (codes.systems.get(system) ?? codes.systems.get(systemUri(system)));
}

/** What the words and codes of a result say, where they say it: present, or not. */
export type InterpretationOf = (part: JsonObject, lists: string[]) => 'positive' | 'negative' | undefined;

/**
 * Reads a result's coded value, interpretation, text or truth value. Codes that say high, low or abnormal tell nothing
 * of presence and are not read; a word must be the whole text.
 */
export function interpreter(codes: Codes): InterpretationOf {
  return (part, lists) => {
    if (part['valueBoolean'] === true) return 'positive';
    if (part['valueBoolean'] === false) return 'negative';
    const concepts = [...objects(part['valueCodeableConcept']), ...objects(part['interpretation'])];
    for (const coding of concepts.flatMap((concept) => objects(concept['coding']))) {
      const system = systemKey(coding, codes);
      const code = string(coding['code']) ?? '';
      const own = lists
        .map((list) => codes.values.get(`${list}|${system}|${code}`))
        .find((found) => found !== undefined);
      const found = own ?? codes.interpretation.codes.get(`${system}|${code}`);
      if (found) return found;
    }
    const texts = [
      part['valueString'],
      ...concepts.flatMap((concept) => [
        concept['text'],
        ...objects(concept['coding']).map((coding) => coding['display']),
      ]),
    ];
    return texts
      .map((text) => codes.interpretation.words.get(string(text)?.trim().toLowerCase() ?? ''))
      .find((found) => found !== undefined);
  };
}
