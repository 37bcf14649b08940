import { type JsonObject, objects, string } from '../fhir/json.ts';
import { ATC_CODE, type Drug } from './drugs.ts';
import {
  type Codes,
  type ConceptLists,
  codeKey,
  icd,
  isInAnyList,
  listsOfAtc,
  type Substance,
  systemUri,
} from './load.ts';
import { wordsOf } from './words.ts';

/** A medicine or ingredient as recorded: its codings, and its names in words. */
export type Writing = { codings: JsonObject[]; names: string[] };
/** The whole product, and each of its ingredients. */
export type WrittenMedicine = Writing & { ingredients: Writing[] };

/** A medicine in our code lists, or known by name. `lists` is empty for a partner of a combination. */
export type Classified = {
  lists: string[];
  substance: string | undefined;
  /** `atc`: by an ATC code. `code`: by another system's code. `name`: only by its name. */
  identifiedBy: 'atc' | 'code' | 'name';
};

/** `other`: known, and in none of our lists. `unrecognised`: it may be anything. */
export type Recognition = Classified | 'other' | 'unrecognised';

/**
 * Recognises a medicine (recommendations.md, 2.1): its own codes take precedence over its ingredients, and these over
 * its name, so a text that contradicts its code loses. An unknown code hides neither ingredients nor name.
 */
export function recogniseMedicine(written: WrittenMedicine, codes: Codes): Recognition {
  const { codings, names, ingredients } = written;
  const atcs = atcsOf(codings, codes);
  const telling = atcs.filter((atc) => listsOfAtc([atc], codes).length > 0 || !codes.aboveLists.has(atc));
  if (telling.length > 0) return listed(byAtc(telling, codes, 'atc'));
  const drug = drugOf(codings, codes);
  if (drug) return listed(byAtc([drug.atc], codes, 'atc'));
  const coded = substancesOf(codings, codes);
  if (coded.length > 0) return bySubstances(coded, codes, 'code');
  const texts = [...textsOf(codings, codes), ...names];
  const parts = ingredients.map((ingredient) => recogniseIngredient(ingredient, codes));
  const found = parts.flatMap((part) => part.found);
  const phrases = texts.map((text) => phrasesIn(text, codes)).find((some) => some.length > 0) ?? [];
  if (found.length > 0) {
    // A brand is a product: its ATC code is more specific than its substance.
    const branded = found.map((item) => {
      const brand = phrases.find((phrase) => phrase.brand && phrase.substance.key === item.substance?.key);
      return brand ? { ...item, atc: brand.atc } : item;
    });
    const by = parts.map((part) => part.identifiedBy).find((one) => one !== undefined) ?? 'name';
    const classified = bySubstances(branded, codes, by);
    // A combination with an unknown part may be anything, even if the other part is known and harmless.
    const unknown = ingredients.some(
      (part, at) =>
        parts[at]?.found.length === 0 &&
        !isAnother(part.codings, [...textsOf(part.codings, codes), ...part.names], codes),
    );
    return classified.lists.length === 0 && unknown ? 'unrecognised' : classified;
  }
  if (phrases.length > 0) return bySubstances(phrases, codes, 'name');
  if (atcs.length > 0) return 'unrecognised';
  return isAnother(codings, texts, codes) ||
    (ingredients.length > 0 &&
      ingredients.every((part) => isAnother(part.codings, [...textsOf(part.codings, codes), ...part.names], codes)))
    ? 'other'
    : 'unrecognised';
}

/** Whether nothing in it could be a name or a code. */
export function saysNothing({ codings, names, ingredients }: WrittenMedicine): boolean {
  const empty = (writing: Writing) =>
    writing.names.length === 0 &&
    !writing.codings.some((coding) => string(coding['code']) ?? string(coding['display']));
  return empty({ codings, names }) && ingredients.every(empty);
}

function listed(classified: Classified): Recognition {
  return classified.lists.length > 0 || classified.substance !== undefined ? classified : 'other';
}

/** A substance with its ATC code: its own, that of a code, or that of the brand by which it was found. */
type Found = { substance: Substance | undefined; atc: string };

function recogniseIngredient(
  { codings, names }: Writing,
  codes: Codes,
): { found: Found[]; identifiedBy?: Classified['identifiedBy'] } {
  const atcs = atcsOf(codings, codes);
  if (atcs.length > 0)
    return { found: atcs.map((atc) => ({ substance: codes.substanceOfAtc.get(atc), atc })), identifiedBy: 'atc' };
  const coded = substancesOf(codings, codes);
  if (coded.length > 0) return { found: coded, identifiedBy: 'code' };
  for (const text of [...textsOf(codings, codes), ...names]) {
    const found = phrasesIn(text, codes);
    if (found.length > 0) return { found, identifiedBy: 'name' };
  }
  return { found: [] };
}

function atcsOf(codings: JsonObject[], codes: Codes): string[] {
  return codings.map((coding) => atcOf(coding, codes)).filter((code) => code !== undefined);
}

function atcOf(coding: JsonObject, codes: Codes): string | undefined {
  if (systemKey(coding, codes) !== 'atc') return undefined;
  const code = codeKey(string(coding['code']) ?? '');
  return ATC_CODE.test(code) ? code : undefined;
}

function substancesOf(codings: JsonObject[], codes: Codes): Found[] {
  return codings
    .map((coding) => codes.substanceOfCode.get(`${systemKey(coding, codes)}|${codeKey(string(coding['code']) ?? '')}`))
    .filter((found) => found !== undefined)
    .map((substance) => ({ substance, atc: substance.atc[0] as string }));
}

/** Displays, and codes of unknown systems that are plainly words. */
function textsOf(codings: JsonObject[], codes: Codes): string[] {
  return codings.flatMap((coding) => {
    const code = string(coding['code']) ?? '';
    const word = /^\p{L}{4,}([ -]\p{L}+)*$/u.test(code.trim()) && systemKey(coding, codes) === undefined;
    return [string(coding['display']), word ? code : undefined].filter((text) => text !== undefined);
  });
}

/**
 * Whether it is another medicine: by ATC, a code mapped by the site, RxNorm with a display, or the name of a common
 * other substance.
 */
function isAnother(codings: JsonObject[], texts: string[], codes: Codes): boolean {
  return (
    drugOf(codings, codes) !== undefined ||
    codings.some((coding) => systemKey(coding, codes) === 'rxnorm' && string(coding['display']) !== undefined) ||
    atcsOf(codings, codes).some((atc) => !codes.aboveLists.has(atc)) ||
    texts.some((text) => {
      const words = wordsOf(text);
      return words.some((word, at) =>
        codes.others.get(word)?.some((name) => name.every((part, offset) => words[at + offset] === part)),
      );
    })
  );
}

/** Whether concepts have an ATC code of which none could be one of ours: so it is with most medicines. */
export function isOfNoList(concepts: JsonObject[], codes: Codes): boolean {
  let found = false;
  for (const concept of concepts) {
    for (const coding of objects(concept['coding'])) {
      const atc = atcOf(coding, codes);
      if (atc === undefined) continue;
      if (codes.aboveLists.has(atc) || isInAnyList(atc, codes)) return false;
      found = true;
    }
  }
  return found;
}

/** The product's row in the site's own drug table. */
export function drugOf(codings: JsonObject[], codes: Codes): Drug | undefined {
  if (codes.drugs.size === 0) return undefined;
  for (const coding of codings) {
    const system = systemKey(coding, codes) ?? systemUri(string(coding['system']) ?? '');
    const drug = codes.drugs.get(`${system}|${codeKey(string(coding['code']) ?? '')}`);
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

/** Several substances count as their combination, if it is known. */
function bySubstances(found: Found[], codes: Codes, identifiedBy: Classified['identifiedBy']): Classified {
  const keys = new Set(found.map(({ substance }) => substance?.key));
  const combination = codes.combinations.find(({ of }) => of.every((key) => keys.has(key)))?.substance;
  if (combination) return byAtc([combination.atc[0] as string], codes, identifiedBy, combination);
  const all = found.map(({ substance, atc }) =>
    byAtc([atc], codes, identifiedBy, codes.substanceOfAtc.get(atc) ?? substance),
  );
  const first = all.find(({ lists }) => lists.length > 0) ?? (all[0] as Classified);
  return { ...first, lists: [...new Set(all.flatMap(({ lists }) => lists))] };
}

type FoundPhrase = { substance: Substance; atc: string; brand: boolean };

/** The substances that a text names; of a substance and its brand, the brand. */
function phrasesIn(text: string, codes: Codes): FoundPhrase[] {
  const found = new Map<string, FoundPhrase>();
  const words = wordsOf(text).slice(0, MOST_WORDS);
  for (let at = 0; at < words.length; at++) {
    const phrase = phraseAt(words, at, codes);
    if (!phrase) continue;
    at += phrase.words.length - 1;
    if (phrase.brand || !found.has(phrase.key))
      found.set(phrase.key, {
        substance: codes.substances.get(phrase.key) as Substance,
        atc: phrase.atc,
        brand: phrase.brand,
      });
  }
  return [...found.values()];
}

/** Number of words read. A name is at the beginning of a text, and reading a long one would delay the call. */
const MOST_WORDS = 200;
const SHORTEST_NAME = 4;

function phraseAt(words: string[], at: number, codes: Codes) {
  const fits = (candidate: { words: string[] }) => candidate.words.every((word, offset) => words[at + offset] === word);
  const exact = codes.phrases.get(words[at] as string)?.find(fits);
  if (exact) return exact;
  // A salt or a dose form may be joined to the name: "oxikodonhydroklorid", "metadontabletter".
  let word = words[at] as string;
  for (let joined = 0; joined < 2; joined++) {
    const ending = codes.endings.find(
      (candidate) => word.length >= candidate.length + SHORTEST_NAME && word.endsWith(candidate),
    );
    if (ending === undefined) return undefined;
    word = word.slice(0, -ending.length);
    const single = codes.phrases.get(word)?.find((candidate) => candidate.words.length === 1);
    if (single) return single;
  }
  return undefined;
}

/** The lists that a CodeableConcept's codings belong to. */
export function conceptListsOf(concept: unknown, lists: ConceptLists, codes: Codes): string[] {
  const found: string[] = [];
  for (const item of objects(concept)) {
    for (const coding of objects(item['coding'])) {
      const code = string(coding['code']);
      const system = systemKey(coding, codes);
      if (!code || !system) continue;
      found.push(...listsOfCode(system, codeKey(code), lists));
      // Norwegian laboratory codes include those of NPU.
      if (system === 'nlk') found.push(...listsOfCode('npu', codeKey(code), lists));
    }
  }
  return found.length > 1 ? [...new Set(found)] : found;
}

function listsOfCode(system: string, code: string, lists: ConceptLists): string[] {
  if (system !== 'icd10' && system !== 'icd10cm' && system !== 'sks') {
    const found = lists.exact.get(`${system}|${code}`);
    if (found === undefined) return [];
    const except = lists.except.get(`${system}|${code}`) ?? [];
    return found.filter((name) => !except.includes(name));
  }
  // No code is longer, and a text in its place is not searched to its end.
  const bare = icd(code).slice(0, 20);
  const found = listsOfPrefixes(lists.prefixes, bare);
  const american = system === 'icd10cm';
  if (american) found.push(...listsOfPrefixes(lists.prefixes, bare, 'icd10cm|'));
  if (found.length === 0) return found;
  const except = listsOfPrefixes(lists.except, bare);
  if (american) except.push(...listsOfPrefixes(lists.except, bare, 'icd10cm|'));
  return found.filter((name) => !except.includes(name) && !(american && lists.notIcd10cm.has(name)));
}

function listsOfPrefixes(map: Map<string, string[]>, code: string, system = ''): string[] {
  const found: string[] = [];
  for (let length = 1; length <= code.length; length++) found.push(...(map.get(system + code.slice(0, length)) ?? []));
  return found;
}

/** Dose forms of a medicine: from its form's codes and text, and from the words of its names. */
export function formsOf(form: unknown, names: string[], codes: Codes): string[] {
  const found = new Set<string>();
  for (const concept of objects(form)) {
    for (const coding of objects(concept['coding'])) {
      for (const name of codes.forms.codes.get(
        `${systemKey(coding, codes)}|${codeKey(string(coding['code']) ?? '')}`,
      ) ?? [])
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
  for (const [at, first] of words.entries()) {
    for (const { phrase, name } of codes.forms.words.get(first) ?? [])
      if (phrase.every((word, offset) => words[at + offset] === word)) found.add(name);
    // The longest ending decides: a depot patch is not another kind of patch.
    const ending = codes.forms.endings.find(({ word }) => first.length > word.length && first.endsWith(word));
    for (const { phrase, name } of ending ? (codes.forms.words.get(ending.word) ?? []) : [])
      if (phrase.length === 1) found.add(name);
  }
}

export function systemKey(coding: JsonObject, { systems, spellings }: Codes): string | undefined {
  const system = string(coding['system']);
  if (system === undefined) return undefined;
  // Most URIs are written as in our list.
  const key = systems.get(system) ?? spellings.get(system);
  if (key !== undefined) return key === OTHER_SYSTEM ? undefined : key;
  // Some end in the year of their edition.
  const uri = systemUri(system);
  const found = systems.get(uri) ?? systems.get(uri.replace(/\.(19|20)\d\d$/, ''));
  if (spellings.size < MOST_SPELLINGS && system.length <= LONGEST_SPELLING)
    spellings.set(system, found ?? OTHER_SYSTEM);
  return found;
}

/** Bounds on remembered spellings of systems, because they come from the wire: number, and characters. */
const MOST_SPELLINGS = 1000;
const LONGEST_SPELLING = 200;
const OTHER_SYSTEM = '';
