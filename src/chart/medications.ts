import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { firstDay, isPartial, type LocalDate, localDate, onOrBefore, plusMonths } from '../dates.ts';
import { idOf, object, objects, type Resource, reference, string, typeOf } from '../fhir/json.ts';
import type { LeftOut, Medication, Reason, Setting } from './chart.ts';
import { digest, type Identified } from './medicine.ts';
import { dosages, readQuantity, readStart, readStop, type Stop } from './stop.ts';

/** What reading a medication needs besides the resource itself. */
export type MedicationContext = {
  codes: Codes;
  timeZone: string;
  today: LocalDate;
  /** How long an active order without any readable end counts as current, in months from its start. */
  openEndedMonths: number;
  validityPeriodEndsTreatment: boolean;
  /** What an order's medicine is. */
  identify: (order: Resource) => Identified;
  /** The lists of a condition that an order gives as its reason. */
  conditionLists: (reference: string) => string[];
  encounterSetting: Setting | undefined;
};

export type Reading = { medication: Medication } | { leftOut: LeftOut['why'] };

/** Reads one MedicationRequest, in R4 or R5 shape. */
export function readMedication(
  order: Resource,
  role: { draft: boolean; ordered: boolean },
  context: MedicationContext,
): Reading {
  const medicine = context.identify(order);
  if ('leftOut' in medicine) return medicine;
  const { classified, drug, name, form } = medicine;
  const start = readStart(order, context.timeZone) ?? (role.draft ? context.today : undefined);
  const stop = endOfStopped(order, readStop(order, start, context), context);
  const current = role.draft ? false : isCurrent(order, start, stop?.stop, context);
  const requester = reference(order['requester']);
  const setting = settingOf(order, context);
  const id = string(order['id']);
  return {
    medication: {
      ref: `${order.resourceType}/${id ?? ''}`,
      id,
      name,
      substance: classified.substance,
      lists: classified.lists,
      identifiedBy: classified.identifiedBy,
      ...role,
      ...(current !== undefined && { current }),
      ...(start !== undefined && { start }),
      ...stop,
      ...readQuantity(order),
      ...(drug?.smallestPackage !== undefined && { smallestPackage: drug.smallestPackage }),
      form,
      asNeeded: dosages(order).some(
        (dosage) => dosage['asNeededBoolean'] === true || 'asNeededCodeableConcept' in dosage,
      ),
      reasons: readReasons(order, context),
      ...(requester !== undefined && { requester }),
      ...(setting !== undefined && { setting }),
      written: { product: medicine.product, dosage: digest(dosages(order)) },
    },
  };
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
