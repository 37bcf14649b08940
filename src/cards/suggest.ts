import type { Medication } from '../chart/chart.ts';
import { dosages, repeatOf } from '../chart/stop.ts';
import { type LocalDate, localDate, plusDays } from '../dates.ts';
import { type JsonObject, object, type Resource } from '../fhir/json.ts';

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
  return {
    ...dosage,
    timing: { ...object(dosage['timing']), repeat: { ...repeat, boundsPeriod: { ...object(boundsPeriod), end } } },
  };
}

/** The last day of a course: the first day counts (recommendations.md, "Counting days"). */
export function stopAfter(medication: Medication, days: number, today: LocalDate): LocalDate {
  const start = medication.start !== undefined && medication.start.length === 10 ? medication.start : today;
  return plusDays(start, days - 1);
}
