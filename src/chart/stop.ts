import {
  firstDay,
  isPartial,
  type LocalDate,
  lastDay,
  lengthInDays,
  localDate,
  plusDays,
  plusMonths,
} from '../dates.ts';
import { type JsonObject, number, object, objects, type Resource, string } from '../fhir/json.ts';

/** Where a stop date was read; the order of the list is the order of trust (recommendations.md, "Reading a stop date"). */
export type StopSource =
  | 'bounds'
  | 'count'
  | 'event'
  | 'days-supply'
  | 'validity-period'
  | 'quantity'
  | 'status-changed';

/** `length` in days, first and last counted; absent without a start. */
export type Stop = { stop: LocalDate; stopFrom: StopSource; length?: number };

export type StopOptions = {
  timeZone: string;
  /** Whether `dispenseRequest.validityPeriod.end` means the end of treatment here. In most systems it does not. */
  validityPeriodEndsTreatment: boolean;
};

/** The first day of the order: bounds or event of its dosage, else the day it was written. */
export function readStart(order: Resource, timeZone: string): LocalDate | undefined {
  const starts = dosages(order)
    .map(
      (dosage) => localDate(object(repeatOf(dosage)['boundsPeriod'])['start'], timeZone) ?? events(dosage, timeZone)[0],
    )
    .filter((date) => date !== undefined)
    .sort();
  return starts[0] ?? localDate(order['authoredOn'], timeZone);
}

/**
 * Reads when an order ends. Sources stand in the order of `StopSource`; the first that can be read wins. Every dosage
 * line needs a readable end, and the last counts. Dates include their last day: stop = start + days − 1.
 */
export function readStop(order: Resource, start: LocalDate | undefined, options: StopOptions): Stop | undefined {
  const from = start === undefined ? undefined : firstDay(start);
  const found = stopOfDosages(order, from, options.timeZone) ?? stopOfDispense(order, from, options);
  if (!found) return undefined;
  const stop = lastDay(found.stop);
  return { stop, stopFrom: found.stopFrom, ...(from !== undefined && { length: lengthInDays(from, stop) }) };
}

type End = { stop: LocalDate; stopFrom: StopSource };

function stopOfDosages(order: Resource, start: LocalDate | undefined, timeZone: string): End | undefined {
  const ends = dosages(order).map((dosage) => endOf(dosage, start, timeZone));
  if (ends.length === 0 || ends.some((end) => end === undefined)) return undefined;
  return (ends as End[]).reduce((last, end) => (end.stop > last.stop ? end : last));
}

function endOf(dosage: JsonObject, start: LocalDate | undefined, timeZone: string): End | undefined {
  const bounds = boundsEnd(repeatOf(dosage), start, timeZone);
  if (bounds) return { stop: bounds, stopFrom: 'bounds' };
  const days = countDays(repeatOf(dosage));
  if (days && start) return { stop: plusDays(start, days - 1), stopFrom: 'count' };
  const last = events(dosage, timeZone).at(-1);
  return last ? { stop: last, stopFrom: 'event' } : undefined;
}

function boundsEnd(repeat: JsonObject, start: LocalDate | undefined, timeZone: string): LocalDate | undefined {
  const period = object(repeat['boundsPeriod']);
  const end = localDate(period['end'], timeZone);
  if (end) return end;
  const from = localDate(period['start'], timeZone) ?? start;
  const duration = 'boundsDuration' in repeat ? repeat['boundsDuration'] : object(repeat['boundsRange'])['high'];
  return from && !isPartial(from) ? endOfDuration(from, duration) : undefined;
}

/** The last day of a duration that begins on `from`. Parts of a day count as one. */
function endOfDuration(from: LocalDate, duration: unknown): LocalDate | undefined {
  const value = number(object(duration)['value']);
  const unit = string(object(duration)['code']) ?? string(object(duration)['unit']);
  if (value === undefined || unit === undefined || value <= 0) return undefined;
  const months = MONTHS_OF_UNIT[unit];
  if (months !== undefined && value * months * 31 > MAX_DURATION) return undefined;
  if (months !== undefined) return plusDays(plusMonths(from, Math.ceil(value * months)), -1);
  const days = DAYS_OF_UNIT[unit];
  return days === undefined || value * days > MAX_DURATION
    ? undefined
    : plusDays(from, Math.max(1, Math.ceil(value * days)) - 1);
}

function countDays(repeat: JsonObject): number | undefined {
  const count = number(repeat['countMax']) ?? number(repeat['count']);
  const perDay = timesPerDay(repeat);
  return count !== undefined && count > 0 && perDay ? daysWithin(count / perDay) : undefined;
}

function stopOfDispense(order: Resource, start: LocalDate | undefined, options: StopOptions): End | undefined {
  const dispense = object(order['dispenseRequest']);
  const supplies = suppliesOf(dispense);
  const supply = dispense['expectedSupplyDuration'];
  const value = number(object(supply)['value']);
  const end =
    start && value !== undefined ? endOfDuration(start, { ...object(supply), value: value * supplies }) : undefined;
  if (end) return { stop: end, stopFrom: 'days-supply' };
  const validity = localDate(object(dispense['validityPeriod'])['end'], options.timeZone);
  if (validity && options.validityPeriodEndsTreatment) return { stop: validity, stopFrom: 'validity-period' };
  const days = start ? daysOfQuantity(order, supplies) : undefined;
  return start && days ? { stop: plusDays(start, days - 1), stopFrom: 'quantity' } : undefined;
}

/** What is ordered in all, and the dose of a day, where both count the same thing. */
export function readQuantity(order: Resource): { quantity?: number; dailyDose?: number } {
  const dispense = object(order['dispenseRequest']);
  const ordered = object(dispense['quantity']);
  const amount = number(ordered['value']);
  const daily = dailyDose(order);
  if (amount === undefined) return {};
  return {
    quantity: amount * suppliesOf(dispense),
    ...(daily && sameUnit(ordered, daily.unit) && { dailyDose: daily.value }),
  };
}

function suppliesOf(dispense: JsonObject): number {
  return 1 + Math.max(0, Math.min(MAX_REPEATS, number(dispense['numberOfRepeatsAllowed']) ?? 0));
}

/** Quantity ÷ daily dose, where both count the same thing. */
function daysOfQuantity(order: Resource, supplies: number): number | undefined {
  const quantity = object(object(order['dispenseRequest'])['quantity']);
  const amount = number(quantity['value']);
  const daily = dailyDose(order);
  if (amount === undefined || amount <= 0 || !daily || !sameUnit(quantity, daily.unit)) return undefined;
  return daysWithin((amount * supplies) / daily.value);
}

/** The dose of one day over all dosage lines; undefined where one line cannot be read or units differ. */
function dailyDose(order: Resource): { value: number; unit: JsonObject } | undefined {
  const lines = dosages(order).map((dosage) => {
    // R4 has doseAndRate (a list), the examples of the hooks an object, STU3 doseQuantity on the dosage itself.
    const dose = objects(dosage['doseAndRate'])[0] ?? dosage;
    const quantity = 'doseRange' in dose ? object(object(dose['doseRange'])['high']) : object(dose['doseQuantity']);
    const value = number(quantity['value']);
    const perDay = timesPerDay(repeatOf(dosage));
    return value && value > 0 && perDay ? { value: value * perDay, unit: quantity } : undefined;
  });
  const [first] = lines;
  if (!first || lines.some((line) => !line || !sameUnit(line.unit, first.unit))) return undefined;
  return { value: lines.reduce((sum, line) => sum + (line?.value ?? 0), 0), unit: first.unit };
}

function sameUnit(a: JsonObject, b: JsonObject): boolean {
  const unit = (quantity: JsonObject) => (string(quantity['code']) ?? string(quantity['unit']))?.toLowerCase();
  return unit(a) === unit(b);
}

/** Doses a day, by the highest frequency that the order allows. */
function timesPerDay(repeat: JsonObject): number | undefined {
  const period = number(repeat['period']);
  const days = DAYS_OF_UNIT[string(repeat['periodUnit']) ?? ''];
  if (!period || period <= 0 || !days) return undefined;
  const frequency = number(repeat['frequencyMax']) ?? number(repeat['frequency']) ?? 1;
  return frequency > 0 ? frequency / (period * days) : undefined;
}

export function dosages(order: Resource): JsonObject[] {
  return objects(order['dosageInstruction']);
}

export function repeatOf(dosage: JsonObject): JsonObject {
  return object(object(dosage['timing'])['repeat']);
}

function events(dosage: JsonObject, timeZone: string): LocalDate[] {
  const list = object(dosage['timing'])['event'];
  return (Array.isArray(list) ? list : [list])
    .map((event) => localDate(event, timeZone))
    .filter((date) => date !== undefined)
    .sort();
}

function daysWithin(days: number): number | undefined {
  return days <= MAX_DURATION ? Math.ceil(days) : undefined;
}

/** UCUM units of time as FHIR's timing and durations use them, and the words that systems send instead. */
const DAYS_OF_UNIT: Record<string, number> = {
  s: 1 / 86400,
  min: 1 / 1440,
  h: 1 / 24,
  hour: 1 / 24,
  hours: 1 / 24,
  d: 1,
  day: 1,
  days: 1,
  wk: 7,
  week: 7,
  weeks: 7,
  mo: 30,
  a: 365,
};
const MONTHS_OF_UNIT: Record<string, number> = { mo: 1, month: 1, months: 1, a: 12, year: 12, years: 12 };
/** A century: anything longer is a slip of the pen, and would leave the calendar. */
const MAX_DURATION = 36525;
const MAX_REPEATS = 1000;
