import { createHash } from 'node:crypto';
import { classifyMedicine, conceptListsOf, drugOf, formsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { firstDay, isPartial, type LocalDate, localDate, onOrBefore, plusMonths } from '../dates.ts';
import { idOf, type JsonObject, object, objects, type Resource, reference, string, typeOf } from '../fhir/json.ts';
import type { LeftOut, Medication, Reason, Setting } from './chart.ts';
import { dosages, readQuantity, readStart, readStop, type Stop } from './stop.ts';

/** What reading a medication needs besides the resource itself. */
export type MedicationContext = {
  codes: Codes;
  timeZone: string;
  today: LocalDate;
  /** How long an active order without any readable end counts as current, in months from its start. */
  openEndedMonths: number;
  validityPeriodEndsTreatment: boolean;
  /** The resource that a reference points to, wherever it was sent. */
  resolve: (reference: string) => Resource | undefined;
  /** The lists of a condition that an order gives as its reason. */
  conditionLists: (reference: string) => string[];
  encounterSetting: Setting | undefined;
};

export type Reading = { medication: Medication } | { leftOut: LeftOut['why'] };

/**
 * Reads one MedicationRequest, in R4 or R5 shape. The medicine is looked for in `medicationCodeableConcept` or
 * `medication.concept`, then in the Medication that is contained, included, or sent in the same bundle (conformance H15).
 */
export function readMedication(
  order: Resource,
  role: { draft: boolean; ordered: boolean },
  context: MedicationContext,
): Reading {
  const medicine = readMedicine(order, context);
  if (medicine.concepts.length === 0 && medicine.names.length === 0) {
    return { leftOut: medicine.pointed ? 'unresolved' : 'no-medicine' };
  }
  const classified = classifyMedicine(medicine.concepts, medicine.names, context.codes);
  if (!classified) return { leftOut: 'unclassified' };
  if (classified.lists.length === 0) return { leftOut: 'of-no-list' };
  const start = readStart(order, context.timeZone) ?? (role.draft ? context.today : undefined);
  const stop = endOfStopped(order, readStop(order, start, context), context);
  const current = role.draft ? false : isCurrent(order, start, stop?.stop, context);
  const requester = reference(order['requester']);
  const setting = settingOf(order, context);
  const drug = drugOf(
    medicine.concepts.flatMap((concept) => objects(concept['coding'])),
    context.codes,
  );
  const id = string(order['id']);
  return {
    medication: {
      ref: `${order.resourceType}/${id ?? ''}`,
      id,
      name: medicine.names[0],
      substance: classified.substance,
      lists: classified.lists,
      identifiedBy: classified.identifiedBy,
      ...role,
      ...(current !== undefined && { current }),
      ...(start !== undefined && { start }),
      ...stop,
      ...readQuantity(order),
      ...(drug?.smallestPackage !== undefined && { smallestPackage: drug.smallestPackage }),
      form: formsOf(medicine.form, drug?.form ? [drug.form, ...medicine.names] : medicine.names, context.codes),
      asNeeded: dosages(order).some(
        (dosage) => dosage['asNeededBoolean'] === true || 'asNeededCodeableConcept' in dosage,
      ),
      reasons: readReasons(order, context),
      ...(requester !== undefined && { requester }),
      ...(setting !== undefined && { setting }),
      written: { product: digest([medicine.names, codesOf(medicine)]), dosage: digest(dosages(order)) },
    },
  };
}

function codesOf({ concepts }: Medicine): unknown[] {
  return concepts.flatMap((concept) => objects(concept['coding'])).map(({ system, code }) => [system, code]);
}

/** Of what is written, without when it ends: a renewal at the same dose is written the same. */
function digest(parts: unknown[]): string {
  const text = JSON.stringify(parts, (key, value) => (/^bounds[A-Z]/.test(key) ? undefined : value));
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** A stopped order ended when it was stopped (R5 says when), not when it was planned to. */
function endOfStopped(
  order: Resource,
  planned: Stop | undefined,
  context: MedicationContext,
): Partial<Stop> | undefined {
  if (order['status'] !== 'stopped' || (planned && planned.stop <= context.today)) return planned;
  const stop = localDate(order['statusChanged'], context.timeZone);
  return stop === undefined ? undefined : { stop, stopFrom: 'status-changed' };
}

/** `pointed`: the order points to a Medication, here or not. */
type Medicine = { concepts: JsonObject[]; names: string[]; form: unknown; pointed: boolean };

function readMedicine(order: Resource, context: MedicationContext): Medicine {
  const r5 = object(order['medication']);
  const own = [...objects(order['medicationCodeableConcept']), ...objects(r5['concept'])];
  const pointer = objects(order['medicationReference'])[0] ?? objects(r5['reference'])[0];
  const ref = reference(pointer);
  const resource = ref === undefined ? undefined : (contained(order, ref) ?? context.resolve(ref));
  const concepts = [...own, ...objects(resource?.['code'])].filter(
    (concept) => 'coding' in concept || 'text' in concept,
  );
  const names = concepts.flatMap(namesOf);
  const display = string(pointer?.['display']);
  if (display !== undefined) names.push(display);
  if (resource && concepts.length === 0) addIngredients(resource, concepts, names);
  return { concepts, names, form: resource?.['doseForm'] ?? resource?.['form'], pointed: ref !== undefined };
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

function readReasons(order: Resource, context: MedicationContext): Reason[] {
  const concepts = [
    ...objects(order['reasonCode']),
    ...objects(order['reason']).flatMap((reason) => objects(reason['concept'])),
  ];
  const references = [
    ...objects(order['reasonReference']),
    ...objects(order['reason']).flatMap((reason) => objects(reason['reference'])),
  ];
  const lists = [
    ...concepts.map((concept) => conceptListsOf(concept, context.codes.conditions, context.codes)),
    ...references.map((item) => context.conditionLists(reference(item) ?? '')),
  ];
  return lists.map((found) => ({ lists: found }));
}

/** The order's own category decides before the encounter's class; several categories: outpatient care wins. */
function settingOf(order: Resource, context: MedicationContext): Setting | undefined {
  const settings = objects(order['category'])
    .flatMap((category) => objects(category['coding']))
    .map((coding) => context.codes.orderCategory.get(string(coding['code']) ?? ''));
  if (settings.includes('outpatient')) return context.encounterSetting === 'virtual' ? 'virtual' : 'outpatient';
  if (settings.includes('inpatient')) return 'inpatient';
  return context.encounterSetting;
}

/**
 * A MedicationStatement or MedicationDispense in the terms of an order: its own period or supply, and its dosage. A
 * dispense supplies for the days it says and no longer; undefined for one that was never handed over.
 */
export function asOrder(resource: Resource): Resource | undefined {
  const status = string(resource['status']);
  if (resource.resourceType === 'MedicationStatement') {
    if (status !== undefined && ['intended', 'not-taken'].includes(status)) return undefined;
    const period = object(resource['effectivePeriod']);
    const lines = Array.isArray(resource['dosage']) ? resource['dosage'] : [];
    const authoredOn = period['start'] ?? resource['effectiveDateTime'] ?? resource['dateAsserted'];
    const bounds = string(period['end']) === undefined ? lines : [{ timing: { repeat: { boundsPeriod: period } } }];
    return { ...resource, status: status === 'recorded' ? 'active' : status, authoredOn, dosageInstruction: bounds };
  }
  if (status !== 'completed') return undefined;
  const dispenseRequest = { expectedSupplyDuration: resource['daysSupply'], quantity: resource['quantity'] };
  return { ...resource, authoredOn: resource['whenHandedOver'] ?? resource['whenPrepared'], dispenseRequest };
}

/** Statuses and intents of orders that never were or are not to be carried out. */
const NEVER_TAKEN = ['entered-in-error', 'cancelled', 'draft'];
const ORDER_INTENTS = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];

/** Whether an order of the record can count at all, now or in the past (recommendations.md, further decision 10). */
export function isOrder(order: Resource): boolean {
  const intent = string(order['intent']);
  return (
    !NEVER_TAKEN.includes(string(order['status']) ?? '') &&
    order['doNotPerform'] !== true &&
    (intent === undefined || ORDER_INTENTS.includes(intent))
  );
}

/** Whether an order is in force today. Undefined where that cannot be told. */
function isCurrent(
  order: Resource,
  start: LocalDate | undefined,
  stop: LocalDate | undefined,
  context: MedicationContext,
): boolean | undefined {
  const { today } = context;
  const status = string(order['status']);
  if (status === 'on-hold' || status === 'stopped' || status === 'ended') return false;
  if (start !== undefined && !onOrBefore(start, today, 'some')) return false;
  if (stop !== undefined && stop < today) return false;
  if (status === 'completed') return stop !== undefined;
  if (status !== 'active') return undefined;
  if (start !== undefined && isPartial(start) && !onOrBefore(start, today, 'all')) return undefined;
  if (stop !== undefined || start === undefined) return true;
  return today <= plusMonths(firstDay(start), context.openEndedMonths) ? true : undefined;
}

/** Whose order it is: `Patient/x`, `x`, an absolute URL. Undefined where the order names nobody. */
export function subjectOf(resource: Resource): string | undefined {
  // An appointment names its patients among those who take part.
  if (resource.resourceType === 'Appointment') {
    const actors = objects(resource['participant']).map(({ actor }) => reference(actor) ?? '');
    return actors.filter((actor) => /(^|\/)Patient\//.test(actor)).map(idOf)[0];
  }
  const ref = reference(resource['subject']) ?? reference(resource['patient']);
  if (ref === undefined) return undefined;
  const type = typeOf(ref);
  return type === undefined || type === 'Patient' ? idOf(ref) : ref;
}
