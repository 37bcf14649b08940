import { Temporal } from 'temporal-polyfill';

/**
 * Local calendar dates as FHIR writes them: `2026`, `2026-03` or `2026-03-14`. A partial date stands for its whole
 * span, so a comparison asks for a quantifier: does it hold for *every* day of the span, or for *some* day of it?
 */
export type LocalDate = string;

/** `all`: the whole span lies on the asked side. `some`: a part of it does, so the answer may still be yes. */
export type Certainty = 'all' | 'some';

const FHIR_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const FHIR_INSTANT = /^(\d{4}-\d{2}-\d{2})T[\d:.]+(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads a FHIR date, dateTime or instant as a date in the site's time zone. Undefined where the text is no date, a
 * day that does not exist included. A time without an offset, which FHIR does not allow, keeps its own day.
 */
export function localDate(text: unknown, timeZone: string): LocalDate | undefined {
  if (typeof text !== 'string') return undefined;
  if (FHIR_DATE.test(text)) return exists(text) ? text : undefined;
  const instant = FHIR_INSTANT.exec(text);
  if (!instant) return undefined;
  if (!instant[2]) return exists(instant[1] as string) ? instant[1] : undefined;
  try {
    return Temporal.Instant.from(text).toZonedDateTimeISO(timeZone).toPlainDate().toString();
  } catch {
    return undefined;
  }
}

/** The date that a clock shows at a site. `epochMilliseconds` since 1970 in UTC. */
export function dateOfInstant(epochMilliseconds: number, timeZone: string): LocalDate {
  // Clocks of all zones stand on whole quarters, so the day is the same for all of a quarter.
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
/** Every call asks for today: it is looked up once a quarter of an hour for each zone. */
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
  if (date.length === 7) return `${date}-${Temporal.PlainYearMonth.from(date).daysInMonth}`;
  return date;
}

export function onOrBefore(date: LocalDate, limit: LocalDate, certainty: Certainty): boolean {
  return certainty === 'all' ? lastDay(date) <= firstDay(limit) : firstDay(date) <= lastDay(limit);
}

export function onOrAfter(date: LocalDate, limit: LocalDate, certainty: Certainty): boolean {
  return onOrBefore(limit, date, certainty);
}

export function plusDays(date: LocalDate, days: number): LocalDate {
  return Temporal.PlainDate.from(date)
    .add({ days: Math.trunc(days) })
    .toString();
}

/** Calendar months; the 31st becomes the last day of a shorter month (recommendations.md, further decision 13). */
export function plusMonths(date: LocalDate, months: number): LocalDate {
  return Temporal.PlainDate.from(date)
    .add({ months: Math.trunc(months) })
    .toString();
}

/** Days from the first date to the second, both counted: a course of one day has the length 1. */
export function lengthInDays(start: LocalDate, stop: LocalDate): number {
  return daysBetween(start, stop) + 1;
}

export function daysBetween(start: LocalDate, stop: LocalDate): number {
  return Temporal.PlainDate.from(start).until(Temporal.PlainDate.from(stop), { largestUnit: 'day' }).days;
}

/** Completed years from one date to the other. */
export function yearsBetween(start: LocalDate, stop: LocalDate): number {
  const years = Number(stop.slice(0, 4)) - Number(start.slice(0, 4));
  return stop.slice(5) < start.slice(5) ? years - 1 : years;
}

/** Years in which anybody's record can lie; what lies outside is a slip, and sums with it could leave the calendar. */
const FIRST_YEAR = '1800';
const LAST_YEAR = '9000';

function exists(date: string): boolean {
  const [, year = '', month, day] = FHIR_DATE.exec(date) ?? [];
  if (year < FIRST_YEAR || year > LAST_YEAR) return false;
  if (!month) return true;
  if (!day) return Number(month) >= 1 && Number(month) <= 12;
  // A day that does not exist is taken for one of the next month, or for none.
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
