import { dosages, repeatOf } from '../chart/stop.ts';
import { type LocalDate, localDate } from '../dates.ts';
import { type JsonObject, number, object, type Resource } from '../fhir/json.ts';

/**
 * A copy of an order that ends on `end`. On every dosage line `timing.repeat.boundsPeriod.end` is set and replaces a
 * Duration or Range; a start stays where the order had one. A line that begins after the end is left out; an order
 * without dosage gets one line with only that timing. Nothing else changes (recommendations.md, "Setting the stop
 * date"). Undefined where the dosage is not in a form that can be changed.
 */
export function withStop(
  order: Resource,
  end: LocalDate,
  timeZone: string,
): { resource: Resource; dropped: number } | undefined {
  const lines = order['dosageInstruction'];
  if (lines !== undefined && !Array.isArray(lines)) return undefined;
  const before = dosages(order);
  const kept = before.filter(
    (dosage) => (localDate(object(repeatOf(dosage)['boundsPeriod'])['start'], timeZone) ?? end) <= end,
  );
  const changed = kept.map((dosage) => dosageWithEnd(dosage, end));
  const resource: Resource = { ...order, dosageInstruction: changed.length > 0 ? changed : [dosageWithEnd({}, end)] };
  return { resource, dropped: before.length - kept.length };
}

function dosageWithEnd(dosage: JsonObject, end: LocalDate): JsonObject {
  const { boundsDuration: _duration, boundsRange: _range, boundsPeriod, ...repeat } = repeatOf(dosage);
  const bounded = { ...repeat, boundsPeriod: { ...object(boundsPeriod), end } };
  return { ...dosage, timing: { ...object(dosage['timing']), repeat: bounded } };
}

/** A copy of an order for `value` of its unit, dispensed once: repeats would bring back what was taken off. */
export function withQuantity(order: Resource, value: number): Resource {
  const dispense = object(order['dispenseRequest']);
  const repeats = number(dispense['numberOfRepeatsAllowed']);
  const dispenseRequest = {
    ...dispense,
    quantity: { ...object(dispense['quantity']), value },
    ...(repeats !== undefined && repeats > 0 && { numberOfRepeatsAllowed: 0 }),
  };
  return { ...order, dispenseRequest };
}

export type Subject = { patient: string; encounter?: string };

/**
 * A complete new resource from a template, for this patient and encounter, called by `text`. In a request of FHIR R5 it
 * has R5's shape: coded things are CodeableReferences there.
 */
export function fromTemplate(template: Resource, text: string, subject: Subject, version: 'R4' | 'R5'): Resource {
  const { code, medicationCodeableConcept, ...rest } = template;
  const r5 = version === 'R5';
  const named = (concept: unknown) => ({ ...object(concept), text });
  return {
    ...rest,
    ...(code !== undefined && { code: r5 ? { concept: named(code) } : named(code) }),
    ...(medicationCodeableConcept !== undefined &&
      (r5
        ? { medication: { concept: named(medicationCodeableConcept) } }
        : { medicationCodeableConcept: named(medicationCodeableConcept) })),
    subject: { reference: `Patient/${subject.patient}` },
    ...(subject.encounter !== undefined && { encounter: { reference: `Encounter/${subject.encounter}` } }),
  };
}
