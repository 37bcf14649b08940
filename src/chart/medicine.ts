import { hash } from 'node:crypto';
import {
  type Classified,
  drugOf,
  formsOf,
  isOfNoList,
  recogniseMedicine,
  saysNothing,
  systemKey,
  type WrittenMedicine,
} from '../codes/classify.ts';
import type { Drug } from '../codes/drugs.ts';
import type { Codes } from '../codes/load.ts';
import type { Product } from '../codes/schema.ts';
import { wordsOf } from '../codes/words.ts';
import { ServiceError } from '../errors.ts';
import { type JsonObject, keyPart, number, object, objects, type Resource, reference, string } from '../fhir/json.ts';
import type { LeftOut } from './chart.ts';

/** A medicine in a code list: what it is, and how it acts over time. */
export type Medicine = {
  name: string | undefined;
  classified: Classified;
  drug: Drug | undefined;
  form: string[];
  /** Strengths in mg, from its name or its ingredients. */
  strengths: number[];
  /** Lower-case words of its names. */
  words: Set<string>;
  /** Its codes and names as written, as a digest. */
  product: string;
};

/** A medicine, or why it is left out. `name`: the record's own name, if the medicine is not recognised. */
export type Identified = Medicine | { leftOut: LeftOut['why']; name?: string | undefined };

/**
 * Maximum number of characters of Medications read again because orders reference them under new names. Ten thousand
 * such orders have room for a thousand characters each; a real record needs no more.
 */
const MAX_READ_AGAIN = 10_000_000;

/**
 * Identifies the medicines of entries, in R4 or R5: by `medicationCodeableConcept` or `medication.concept`, then by the
 * Medication that is contained, included, or sent in the same bundle (conformance H15). Medicines written alike are
 * identified once.
 */
export function identifier(
  resolve: (reference: string) => Resource | undefined,
  codes: Codes,
): (entry: Resource) => Identified {
  const known = new Map<Resource | undefined, Map<string, Identified>>();
  let readAgain = 0;
  return (entry) => {
    const said = readSaid(entry, resolve);
    const short = shortKeyOf(said);
    const alike = known.get(said.resource) ?? new Map<string, Identified>();
    const before = short === undefined ? undefined : alike.get(short);
    if (before) return before;
    // As for most medicines: nothing more of them is read.
    if (!said.pointed && isOfNoList(said.concepts, codes)) {
      if (short !== undefined) known.set(said.resource, alike.set(short, OTHER));
      return OTHER;
    }
    const key = short ?? JSON.stringify([said.concepts, said.display, said.pointed]);
    const found = alike.get(key);
    if (found) return found;
    if (said.resource && alike.size > 0) readAgain += sizeOf(said.resource);
    if (readAgain > MAX_READ_AGAIN)
      throw new ServiceError('too-many', ['Medications that orders reference by different names: too large']);
    const identified = identify(said, codes);
    known.set(said.resource, alike.set(key, identified));
    return identified;
  };
}

const OTHER: Identified = { leftOut: 'other-medicine' };

/** The key of a medicine with one code and one text, without serialising it. */
function shortKeyOf({ concepts, pointed }: Said): string | undefined {
  const [only] = concepts;
  const coding = only?.['coding'];
  if (
    only &&
    concepts.length === 1 &&
    !pointed &&
    Array.isArray(coding) &&
    coding.length === 1 &&
    !('extension' in only)
  ) {
    const [{ system, code, display: shown } = {} as JsonObject] = objects(coding);
    return `${keyPart(system)}\0${keyPart(code)}\0${keyPart(shown)}\0${keyPart(only['text'])}`;
  }
  return undefined;
}

/** An entry's data about its medicine. `pointed`: it references a Medication, present or not. */
type Said = {
  concepts: JsonObject[];
  display: string | undefined;
  resource: Resource | undefined;
  pointed: boolean;
  find: (reference: string) => Resource | undefined;
};

function readSaid(entry: Resource, resolve: (reference: string) => Resource | undefined): Said {
  const bare = object(entry['medication']);
  const concepts = [
    ...objects(entry['medicationCodeableConcept']),
    ...objects(bare['concept']),
    // Sent without the type suffix, but still a concept.
    ...('coding' in bare || 'text' in bare ? [bare] : []),
  ];
  const pointer =
    objects(entry['medicationReference'])[0] ??
    objects(bare['reference'])[0] ??
    (typeof bare['reference'] === 'string' || 'display' in bare ? bare : undefined);
  const ref = reference(pointer);
  const find = (to: string) => contained(entry, to) ?? resolve(to);
  const resource = ref === undefined ? undefined : find(ref);
  return { concepts, display: string(pointer?.['display']), resource, pointed: pointer !== undefined, find };
}

function identify({ concepts: own, display, resource, pointed, find }: Said, codes: Codes): Identified {
  const concepts = [...own, ...objects(resource?.['code'])];
  const names = concepts.flatMap((concept) => string(concept['text']) ?? []);
  if (display !== undefined) names.push(display);
  const codings = [...codingsOf(concepts), ...classificationsOf([...concepts, ...(resource ? [resource] : [])], codes)];
  const parts = resource ? ingredientsOf(resource, find) : [];
  const written: WrittenMedicine = {
    codings,
    names,
    ingredients: parts.map(({ codings, names }) => ({ codings, names })),
  };
  if (saysNothing(written)) return { leftOut: pointed && !resource ? 'unresolved' : 'no-medicine' };
  const displays = codings.flatMap((coding) => string(coding['display']) ?? []);
  const shown =
    names[0] ??
    displays[0] ??
    parts.flatMap((part) => part.names)[0] ??
    codings.flatMap((coding) => string(coding['code']) ?? [])[0];
  const recognised = recogniseMedicine(written, codes);
  if (recognised === 'unrecognised') return { leftOut: 'unrecognised', name: shown };
  if (recognised === 'other' || recognised.lists.length === 0) return { leftOut: 'other-medicine' };
  const drug = drugOf(codings, codes);
  const form = resource?.['doseForm'] ?? resource?.['form'];
  const all = [...names, ...displays];
  return {
    name: shown,
    classified: recognised,
    drug,
    form: formsOf(form, drug?.form ? [drug.form, ...all] : all, codes),
    strengths: [...all.flatMap(milligramsIn), ...parts.flatMap(({ strength }) => strength)],
    words: new Set(all.flatMap((name) => [...wordsOf(name), wordsOf(name).slice(0, 2).join(' ')])),
    product: digest([all, codings.map(({ system, code }) => [system, code])]),
  };
}

function codingsOf(concepts: JsonObject[]): JsonObject[] {
  return concepts.flatMap((concept) => objects(concept['coding']));
}

/** ATC codes in classification extensions, as in IHE and the European ePI. */
function classificationsOf(places: JsonObject[], codes: Codes): JsonObject[] {
  return places
    .flatMap((place) => objects(place['extension']))
    .flatMap((extension) => [
      ...objects(object(extension['valueCodeableConcept'])['coding']),
      ...objects(extension['valueCoding']),
    ])
    .filter((coding) => systemKey(coding, codes) === 'atc');
}

/** Active ingredients, in R4 and R5; a Substance may be contained or sent with the record. */
function ingredientsOf(
  medication: Resource,
  find: Said['find'],
): { codings: JsonObject[]; names: string[]; strength: number[] }[] {
  return objects(medication['ingredient'])
    .filter((ingredient) => ingredient['isActive'] !== false)
    .map((ingredient) => {
      const item = object(ingredient['item']);
      const pointer = objects(ingredient['itemReference'])[0] ?? objects(item['reference'])[0];
      const ref = reference(pointer);
      const part = ref === undefined ? undefined : (contained(medication, ref) ?? find(ref));
      const code = object(part?.['code']);
      const concepts = [
        ...objects(ingredient['itemCodeableConcept']),
        ...objects(item['concept']),
        ...('concept' in code ? objects(code['concept']) : objects(part?.['code'])),
      ];
      const strength = objects(ingredient['strength'] ?? ingredient['strengthRatio']).map((ratio) =>
        object(ratio['numerator'] ?? ratio),
      );
      return {
        codings: codingsOf(concepts),
        names: [
          ...concepts.flatMap((concept) => string(concept['text']) ?? []),
          ...[string(pointer?.['display'])].filter((name) => name !== undefined),
        ],
        strength: [...strength, ...objects(ingredient['strengthQuantity'])].flatMap(milligramsOf),
      };
    });
}

function milligramsOf(quantity: JsonObject): number[] {
  const value = number(quantity['value']);
  return value !== undefined && (quantity['code'] ?? quantity['unit']) === 'mg' ? [value] : [];
}

function milligramsIn(name: string): number[] {
  return [...name.slice(0, 300).matchAll(/(\d+(?:[.,]\d+)?)\s?mg\b/gi)].map((match) =>
    Number((match[1] as string).replace(',', '.')),
  );
}

/** How a product acts over time: the first match in hooks/codes. `dosed`: strengths in mg from the dosage. */
export function productOf(
  lists: string[],
  { form, strengths, words }: Medicine,
  dosed: number[],
  codes: Codes,
): Product | undefined {
  const known = strengths.length > 0 ? strengths : dosed;
  const named = (product: Product) => (product.names ?? []).some((name) => words.has(name));
  return codes.products.find((product) => {
    if (!lists.includes(product.of)) return false;
    if (product.bare)
      return (
        known.length === 0 &&
        form.length === 0 &&
        !codes.products.some((other) => lists.includes(other.of) && named(other))
      );
    const byName = named(product) || (product.forms ?? []).some((one) => form.includes(one));
    const byStrength = (product.strengths ?? []).some((one) => known.includes(one));
    if (product.every) return byName && byStrength;
    return (!product.names && !product.forms && !product.strengths) || byName || byStrength;
  });
}

/** A digest of what is written, without its end: a renewal at the same dose has the same digest. */
export function digest(parts: unknown[]): string {
  const text = JSON.stringify(parts, (key, value) => (/^bounds[A-Z]/.test(key) ? undefined : value));
  return hash('sha256', text, 'base64url').slice(0, 16);
}

/** A contained resource; some systems include the `#` in its id. */
function contained(holder: Resource, ref: string): Resource | undefined {
  if (!ref.startsWith('#')) return undefined;
  return objects(holder['contained']).find(({ id }) => id === ref.slice(1) || id === ref) as Resource | undefined;
}

function sizeOf({ code, ingredient, form, doseForm }: Resource): number {
  return JSON.stringify([code, ingredient, form, doseForm]).length;
}
