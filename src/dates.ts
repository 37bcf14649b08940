import { Temporal } from 'temporal-polyfill';

/**
 * Local calendar dates as FHIR writes them: `2026`, `2026-03` or `2026-03-14`. A partial date stands for all its days,
 * so a comparison needs a quantifier: does it hold for *every* day, or for *some* day?
 */
export type LocalDate = string;

/** `all`: the comparison holds for the whole span. `some`: it holds for a part, so the answer may still be yes. */
export type Certainty = 'all' | 'some';

const MILLISECONDS = 86_400_000;
const FHIR_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const FHIR_INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads a FHIR date, dateTime or instant as a date in the site's time zone. Undefined if the text is not a date or the
 * day does not exist. A time without an offset, which FHIR does not allow, keeps its own day.
 */
export function localDate(text: unknown, timeZone: string): LocalDate | undefined {
  if (typeof text !== 'string') return undefined;
  if (text.length <= 10) return FHIR_DATE.test(text) && exists(text) ? text : undefined;
  const day = dayOfMoment(text, timeZone);
  return day === undefined ? undefined : dateOf(day);
}

/** The local day of a dateTime or instant at the site. */
function dayOfMoment(text: string, timeZone: string): Day | undefined {
  if (!FHIR_INSTANT.test(text)) return undefined;
  const date = text.slice(0, 10);
  if (!exists(date)) return undefined;
  // Only an offset puts a sign or a Z after the T.
  if (!text.endsWith('Z') && text.charAt(text.length - 3) !== ':') return dayOf(date);
  if (!text.endsWith('Z') && !'+-'.includes(text.charAt(text.length - 6))) return dayOf(date);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.floor((at + offsetAt(at, timeZone)) / MILLISECONDS);
}

/**
 * Offsets by zone, month and day. Most months and nearly all days have a single offset, and a record of ten years needs
 * the same ones again and again.
 */
const offsets = new Map<string, Map<number, number | undefined>>();
const MOST_OFFSETS = 20_000;
const MONTH = 28 * MILLISECONDS;

/** The offset of a zone's clock from UTC, in milliseconds. */
function offsetAt(at: number, timeZone: string): number {
  const known = offsets.get(timeZone) ?? new Map<number, number | undefined>();
  if (known.size === 0) offsets.set(timeZone, known);
  // Four-week stretches first, then days; days have separate keys.
  return (
    offsetOfStretch(at, MONTH, -1, known, timeZone) ??
    offsetOfStretch(at, MILLISECONDS, 1, known, timeZone) ??
    exactOffset(at, timeZone)
  );
}

function offsetOfStretch(
  at: number,
  length: number,
  sign: 1 | -1,
  known: Map<number, number | undefined>,
  timeZone: string,
): number | undefined {
  const stretch = Math.floor(at / length);
  const key = sign * (stretch + 1_000_000);
  if (known.has(key)) return known.get(key);
  if (known.size >= MOST_OFFSETS) known.clear();
  const first = exactOffset(stretch * length, timeZone);
  const last = exactOffset((stretch + 1) * length - 1, timeZone);
  const offset = first === last ? first : undefined;
  known.set(key, offset);
  return offset;
}

function exactOffset(at: number, timeZone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6;
}

/** The local date at a site. `epochMilliseconds` since 1970 in UTC. */
export function dateOfInstant(epochMilliseconds: number, timeZone: string): LocalDate {
  // All time zones have offsets of whole quarters of an hour, so the date is constant within a quarter.
  const quarter = Math.floor(epochMilliseconds / QUARTER);
  const last = lastDates.get(timeZone);
  if (last?.quarter === quarter) return last.date;
  const date = Temporal.Instant.fromEpochMilliseconds(quarter * QUARTER)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString();
  lastDates.set(timeZone, { quarter, date });
  return date;
}

const QUARTER = 900_000;
/** Every call needs today's date: cached for a quarter of an hour per zone. */
const lastDates = new Map<string, { quarter: number; date: LocalDate }>();

export function isPartial(date: LocalDate): boolean {
  return date.length < 10;
}

/** The first day a date may mean. */
export function firstDay(date: LocalDate): LocalDate {
  return date + '-01-01'.slice(date.length - 4);
}

/** The last day a date may mean. */
export function lastDay(date: LocalDate): LocalDate {
  if (date.length === 4) return `${date}-12-31`;
  if (date.length === 7) return plusDays(plusMonths(`${date}-01`, 1), -1);
  return date;
}

export function onOrBefore(date: LocalDate, limit: LocalDate, certainty: Certainty): boolean {
  return certainty === 'all' ? lastDay(date) <= firstDay(limit) : firstDay(date) <= lastDay(limit);
}

export function onOrAfter(date: LocalDate, limit: LocalDate, certainty: Certainty): boolean {
  return onOrBefore(limit, date, certainty);
}

/** A whole date as days since 1 January 1970. Periods use numbers because they are fast to compare and add. */
export type Day = number;

/** Later than any date: the end of an open period. */
export const OPEN: Day = 2_932_896;

/** Reads a whole FHIR date, or the local day of a time at the site. Undefined for a date known by its month or year. */
export function readDay(value: unknown, timeZone: string): Day | undefined {
  if (typeof value !== 'string' || value.length < 10) return undefined;
  if (value.length > 10) return dayOfMoment(value, timeZone);
  return FHIR_DATE.test(value) && exists(value) ? dayOf(value) : undefined;
}

/** The day of a whole date. */
export function dayOf(date: LocalDate): Day {
  return Date.parse(date) / MILLISECONDS;
}

/** The date of a day. */
export function dateOf(day: Day): LocalDate {
  return new Date(day * MILLISECONDS).toISOString().slice(0, 10);
}

export function plusDays(date: LocalDate, days: number): LocalDate {
  return dateOf(dayOf(date) + Math.trunc(days));
}

/** Adds calendar months; the 31st becomes the last day of a shorter month (recommendations.md, section 3). */
export function plusMonths(date: LocalDate, months: number): LocalDate {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const sum = year * 12 + month - 1 + Math.trunc(months);
  const first = Date.UTC(Math.floor(sum / 12), sum % 12, 1);
  return dateOf(first / MILLISECONDS + Math.min(day, daysInMonth(Math.floor(sum / 12), (sum % 12) + 1)) - 1);
}

/** The day this many calendar months later. */
export function monthsAfter(day: Day, months: number): Day {
  return dayOf(plusMonths(dateOf(day), months));
}

export function daysBetween(start: LocalDate, stop: LocalDate): number {
  return dayOf(stop) - dayOf(start);
}

/** Completed years from one date to the other. */
export function yearsBetween(start: LocalDate, stop: LocalDate): number {
  const years = Number(stop.slice(0, 4)) - Number(start.slice(0, 4));
  return stop.slice(5) < start.slice(5) ? years - 1 : years;
}

/**
 * The range of years that a record can contain. Anything outside is a mistake, and arithmetic with it could leave the
 * calendar.
 */
const FIRST_YEAR = '1800';
const LAST_YEAR = '9000';

function exists(date: string): boolean {
  const year = date.slice(0, 4);
  if (year < FIRST_YEAR || year > LAST_YEAR) return false;
  const month = date.length > 4 ? Number(date.slice(5, 7)) : 1;
  if (month < 1 || month > 12) return false;
  const day = date.length > 7 ? Number(date.slice(8, 10)) : 1;
  return day >= 1 && day <= (day <= 28 ? 28 : daysInMonth(Number(year), month));
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
