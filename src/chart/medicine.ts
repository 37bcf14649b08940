import { hash } from 'node:crypto';
import { type Classified, classifyMedicine, drugOf, formsOf, isOfNoList } from '../codes/classify.ts';
import type { Drug } from '../codes/drugs.ts';
import type { Codes } from '../codes/load.ts';
import { ServiceError } from '../errors.ts';
import { type JsonObject, object, objects, type Resource, reference, string } from '../fhir/json.ts';
import type { LeftOut } from './chart.ts';

/** What a medicine is, or why it is left out. */
export type Identified =
  | { name: string | undefined; classified: Classified; drug: Drug | undefined; form: string[]; product: string }
  | { leftOut: LeftOut['why'] };

/**
 * How many characters of Medications are read again because orders point to them under ever new names. Ten thousand
 * orders that do so have room for a thousand characters each; more is no record but an attack.
 */
const MAX_READ_AGAIN = 10_000_000;

/**
 * Identifies the medicines of orders, in R4 or R5 shape: by `medicationCodeableConcept` or `medication.concept`, then by
 * the Medication that is contained, included, or sent in the same bundle (conformance H15). What is written alike is
 * identified once, however many orders have it.
 */
export function identifier(
  resolve: (reference: string) => Resource | undefined,
  codes: Codes,
): (order: Resource) => Identified {
  const known = new Map<Resource | undefined, Map<string, Identified>>();
  let readAgain = 0;
  return (order) => {
    const written = readWritten(order, resolve);
    if (!written.pointed && isOfNoList(written.concepts, codes)) return { leftOut: 'of-no-list' };
    const key = JSON.stringify([written.concepts, written.display, written.pointed]);
    const alike = known.get(written.resource) ?? new Map<string, Identified>();
    const before = alike.get(key);
    if (before) return before;
    if (written.resource && alike.size > 0) readAgain += sizeOf(written.resource);
    if (readAgain > MAX_READ_AGAIN)
      throw new ServiceError('too-many', ['Medications that orders point to by different names: too large']);
    const identified = identify(written, codes);
    known.set(written.resource, alike.set(key, identified));
    return identified;
  };
}

/** What an order says of its medicine. `pointed`: it points to a Medication, here or not. */
type Written = {
  concepts: JsonObject[];
  display: string | undefined;
  resource: Resource | undefined;
  pointed: boolean;
};

function readWritten(order: Resource, resolve: (reference: string) => Resource | undefined): Written {
  const r5 = object(order['medication']);
  const concepts = [...objects(order['medicationCodeableConcept']), ...objects(r5['concept'])];
  const pointer = objects(order['medicationReference'])[0] ?? objects(r5['reference'])[0];
  const ref = reference(pointer);
  const resource = ref === undefined ? undefined : (contained(order, ref) ?? resolve(ref));
  return { concepts, display: string(pointer?.['display']), resource, pointed: ref !== undefined };
}

function identify({ concepts: own, display, resource, pointed }: Written, codes: Codes): Identified {
  const concepts = [...own, ...objects(resource?.['code'])].filter(
    (concept) => 'coding' in concept || 'text' in concept,
  );
  const names = concepts.flatMap(namesOf);
  if (display !== undefined) names.push(display);
  if (resource && concepts.length === 0) addIngredients(resource, concepts, names);
  if (concepts.length === 0 && names.length === 0) return { leftOut: pointed ? 'unresolved' : 'no-medicine' };
  const classified = classifyMedicine(concepts, names, codes);
  if (!classified) return { leftOut: 'unclassified' };
  if (classified.lists.length === 0) return { leftOut: 'of-no-list' };
  const codings = concepts.flatMap((concept) => objects(concept['coding']));
  const drug = drugOf(codings, codes);
  const form = resource?.['doseForm'] ?? resource?.['form'];
  return {
    name: names[0],
    classified,
    drug,
    form: formsOf(form, drug?.form ? [drug.form, ...names] : names, codes),
    product: digest([names, codings.map(({ system, code }) => [system, code])]),
  };
}

/** Of what is written, without when it ends: a renewal at the same dose is written the same. */
export function digest(parts: unknown[]): string {
  const text = JSON.stringify(parts, (key, value) => (/^bounds[A-Z]/.test(key) ? undefined : value));
  return hash('sha256', text, 'base64url').slice(0, 16);
}

/** A Medication without a code of its own is what it contains. */
function addIngredients(medication: Resource, concepts: JsonObject[], names: string[]): void {
  for (const ingredient of objects(medication['ingredient'])) {
    if (ingredient['isActive'] === false) continue;
    const item = [...objects(ingredient['itemCodeableConcept']), ...objects(object(ingredient['item'])['concept'])];
    concepts.push(...item);
    names.push(...item.flatMap(namesOf));
  }
}

/** The text that a person wrote first, then the codings' displays. */
function namesOf(concept: JsonObject): string[] {
  return [string(concept['text']), ...objects(concept['coding']).map((coding) => string(coding['display']))].filter(
    (name) => name !== undefined,
  );
}

function contained(order: Resource, ref: string): Resource | undefined {
  if (!ref.startsWith('#')) return undefined;
  return objects(order['contained']).find((resource) => resource['id'] === ref.slice(1)) as Resource | undefined;
}

function sizeOf({ code, ingredient, form, doseForm }: Resource): number {
  return JSON.stringify([code, ingredient, form, doseForm]).length;
}
