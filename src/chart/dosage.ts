import type { Reading } from '../codes/reading.ts';
import { type Day, dayOf, firstDay, lastDay, localDate, monthsAfter, readDay } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import { type JsonObject, number, object, objects, type Resource, string } from '../fhir/json.ts';

/** One dosage line of an order, statement or dispense. */
export type Line = {
  sequence: number | undefined;
  start: Day | undefined;
  end: Day | undefined;
  from: 'bounds' | 'count' | 'event' | undefined;
  /** The daily dose, the highest and the lowest that the line allows. */
  high: Dose | undefined;
  low: Dose | undefined;
  /** Maximum number of doses a day. */
  perDay: number | undefined;
  /** A single dose in mg. */
  milligrams: number | undefined;
  asNeeded: boolean;
  /** A count of 1, or one event. */
  single: boolean;
  events: { first: Day; last: Day; latest: Day | undefined } | undefined;
  /** Interval in days, if the line has one. */
  every: number | undefined;
  text: string | undefined;
};
export type Dose = { value: number; unit: string };
export type End = { day: Day; from: 'bounds' | 'count' | 'event' };

export type DosageOptions = { reading: Reading; timeZone: string; today: Day };

/** A century, in days. Anything longer is a mistake, and would leave the calendar. */
const MAX_DAYS = 36525;
const MAX_REPEATS = 1000;
/** More lines than any prescription has; reading more would delay the call. Lists of events are bounded with all others. */
export const MAX_LINES = 200;

/** The dosage lines as sent: `dosageInstruction` of orders and dispenses, `dosage` of statements and administrations. */
export function dosages(resource: Resource): JsonObject[] {
  const lines = objects(resource['dosageInstruction'] ?? resource['dosage']);
  if (lines.length > MAX_LINES) throw new ServiceError('too-many', [`dosage lines of an entry: at most ${MAX_LINES}`]);
  return lines;
}

export function repeatOf(dosage: JsonObject): JsonObject {
  return object(object(dosage['timing'])['repeat']);
}

/**
 * Reads dosage lines. Lines with different `sequence` follow one another; lines without or with the same one are
 * parallel; a line with a Period is where it says (recommendations.md, 1.2). `start` is the first day of the order.
 */
export function readLines(resource: Resource, start: Day | undefined, options: DosageOptions): Line[] {
  const written = dosages(resource);
  const numbers = written.map((dosage) => number(dosage['sequence']));
  const steps = [...new Set(numbers)].filter((step) => step !== undefined).sort((a, b) => a - b);
  if (steps.length < 2 || numbers.includes(undefined)) return written.map((dosage) => readLine(dosage, start, options));
  const lines: Line[] = [];
  let from = start;
  for (const step of steps) {
    const group = written.filter((_, at) => numbers[at] === step).map((dosage) => readLine(dosage, from, options));
    lines.push(...group);
    const end = endOfLines(group);
    from = end === undefined ? undefined : end.day + 1;
  }
  return lines;
}

/** The end of all lines together; undefined if a line has no readable end. */
export function endOfLines(lines: Line[]): End | undefined {
  let last: End | undefined;
  for (const { end, from } of lines) {
    if (end === undefined || from === undefined) return undefined;
    // If the end of one line is computed, so is that of the whole.
    const source = last !== undefined && from === 'bounds' ? last.from : from;
    last = { day: Math.max(end, last?.day ?? end), from: source };
  }
  return last;
}

function readLine(dosage: JsonObject, orderStart: Day | undefined, options: DosageOptions): Line {
  const { reading, timeZone, today } = options;
  const repeat = repeatOf(dosage);
  const period = object(repeat['boundsPeriod']);
  const events = eventsOf(dosage, timeZone, today);
  const start =
    firstDayOf(period['start'], timeZone) ?? extensionStart(dosage, timeZone) ?? events?.first ?? orderStart;
  const count = number(repeat['countMax']) ?? number(repeat['count']);
  const perDay = timesPerDay(repeat, reading);
  const base = {
    sequence: number(dosage['sequence']),
    start,
    events,
    every: perDay === undefined ? undefined : Math.max(1, Math.round(1 / perDay.low)),
    high: doseOf(dosage, perDay?.high, 'high', reading),
    low: doseOf(dosage, perDay?.low, 'low', reading),
    perDay: perDay?.high,
    milligrams: milligramsOf(dosage),
    asNeeded:
      dosage['asNeededBoolean'] === true ||
      dosage['asNeeded'] === true ||
      'asNeededCodeableConcept' in dosage ||
      'asNeededFor' in dosage,
    single: count === 1 || (events !== undefined && events.first === events.last && eventCount(dosage) === 1),
    text:
      [string(dosage['text']), string(dosage['patientInstruction'])].filter((text) => text !== undefined).join('. ') ||
      undefined,
  };
  const bounds = lastDayOf(period['end'], timeZone) ?? boundsEnd(repeat, start, reading);
  if (bounds !== undefined) return { ...base, end: bounds, from: 'bounds' };
  const days = daysOfCount(count, perDay?.high);
  if (days !== undefined && start !== undefined) return { ...base, end: start + days - 1, from: 'count' };
  if (events !== undefined) return { ...base, end: events.last, from: 'event' };
  return { ...base, end: undefined, from: undefined };
}

/** A count of one without a frequency is one day; other counts need a frequency. */
function daysOfCount(count: number | undefined, perDay: number | undefined): number | undefined {
  if (count === undefined) return undefined;
  if (perDay === undefined) return count === 1 ? 1 : undefined;
  return wholeDays(count / perDay);
}

function boundsEnd(repeat: JsonObject, start: Day | undefined, reading: Reading): Day | undefined {
  const duration = 'boundsDuration' in repeat ? repeat['boundsDuration'] : object(repeat['boundsRange'])['high'];
  return start === undefined ? undefined : endOfDuration(start, object(duration), reading);
}

/**
 * The last day of a duration that begins on `start`. A part of a day counts as a day; `bare`: a number without unit is
 * in days.
 */
export function endOfDuration(
  start: Day,
  duration: JsonObject,
  reading: Reading,
  times = 1,
  bare = false,
): Day | undefined {
  const value = number(duration['value']);
  const unit = string(duration['code']) ?? string(duration['unit']);
  if (value === undefined || value <= 0) return undefined;
  const length =
    unit === undefined
      ? bare && { days: 1 }
      : (reading.durations.get(unit.trim().toLowerCase()) ??
        reading.durations.get((string(duration['unit']) ?? '').trim().toLowerCase()));
  if (!length) return undefined;
  if ('months' in length) {
    const months = Math.ceil(value * times * length.months);
    return months * 31 > MAX_DAYS ? undefined : monthsAfter(start, months) - 1;
  }
  const days = wholeDays(value * times * length.days);
  return days === undefined ? undefined : start + days - 1;
}

export function wholeDays(days: number): number | undefined {
  return days > 0 && days <= MAX_DAYS ? Math.max(1, Math.ceil(days - 1e-9)) : undefined;
}

/** A start in an extension beside bounds that lack one. */
function extensionStart(dosage: JsonObject, timeZone: string): Day | undefined {
  const repeat = repeatOf(dosage);
  const places = [
    repeat,
    object(repeat['_boundsDuration']),
    object(repeat['boundsDuration']),
    object(repeat['boundsPeriod']),
    object(dosage['timing']),
    dosage,
  ];
  for (const place of places) {
    const day = startInExtension(place, timeZone);
    if (day !== undefined) return day;
  }
  return undefined;
}

/** The first day in an element's extensions whose URL names a start. */
export function startInExtension(element: JsonObject, timeZone: string): Day | undefined {
  if (element['extension'] === undefined) return undefined;
  for (const extension of objects(element['extension'])) {
    if (!/start/i.test(string(extension['url']) ?? '')) continue;
    const day = firstDayOf(
      extension['valueDateTime'] ?? extension['valueDate'] ?? object(extension['valuePeriod'])['start'],
      timeZone,
    );
    if (day !== undefined) return day;
  }
  return undefined;
}

function eventCount(dosage: JsonObject): number {
  return [object(dosage['timing'])['event']].flat().length;
}

function eventsOf(dosage: JsonObject, timeZone: string, today: Day): Line['events'] {
  const days = [object(dosage['timing'])['event']]
    .flat()
    .map((event) => firstDayOf(event, timeZone))
    .filter((day) => day !== undefined);
  if (days.length === 0) return undefined;
  const past = days.filter((day) => day <= today);
  return {
    first: Math.min(...days),
    last: Math.max(...days),
    latest: past.length > 0 ? Math.max(...past) : undefined,
  };
}

/** Doses a day, at the highest and the lowest frequency that the line allows. */
function timesPerDay(repeat: JsonObject, reading: Reading): { high: number; low: number } | undefined {
  const period = number(repeat['period']);
  const length = reading.durations.get((string(repeat['periodUnit']) ?? '').toLowerCase());
  if (period === undefined || period <= 0 || !length) return undefined;
  const days = 'days' in length ? length.days : length.months * 30;
  const least = number(repeat['frequency']) ?? 1;
  const most = number(repeat['frequencyMax']) ?? least;
  const longest = number(repeat['periodMax']) ?? period;
  if (least <= 0 || most <= 0 || longest <= 0) return undefined;
  return { high: most / (period * days), low: least / (longest * days) };
}

/** The daily dose: for the maximum a stated limit first, then dose × frequency. Doses are never read from text. */
function doseOf(
  dosage: JsonObject,
  perDay: number | undefined,
  which: 'high' | 'low',
  reading: Reading,
): Dose | undefined {
  if (which === 'high') {
    const limit = objects(dosage['maxDosePerPeriod'])[0];
    const most = object(limit?.['numerator']);
    const over = object(limit?.['denominator']);
    const length = reading.durations.get((string(over['code']) ?? string(over['unit']) ?? '').toLowerCase());
    const value = number(most['value']);
    if (value !== undefined && value > 0 && length)
      return {
        value: value / ((number(over['value']) ?? 1) * ('days' in length ? length.days : length.months * 30)),
        unit: unitOf(most, reading),
      };
  }
  // R4 has doseAndRate (a list), the examples of the hooks have an object, STU3 has doseQuantity on the dosage itself.
  const dose = objects(dosage['doseAndRate'])[0] ?? dosage;
  const range = object(dose['doseRange']);
  const quantity =
    'doseRange' in dose
      ? object(range[which === 'high' ? 'high' : 'low'] ?? range['high'])
      : object(dose['doseQuantity']);
  const value = number(quantity['value']);
  return value !== undefined && value > 0 && perDay
    ? { value: value * perDay, unit: unitOf(quantity, reading) }
    : undefined;
}

function milligramsOf(dosage: JsonObject): number | undefined {
  const { doseQuantity } = objects(dosage['doseAndRate'])[0] ?? dosage;
  const quantity = object(doseQuantity);
  return (quantity['code'] ?? quantity['unit']) === 'mg' ? number(quantity['value']) : undefined;
}

/** Units that count pieces are equivalent; others are compared as written. */
export function unitOf(quantity: JsonObject, reading: Reading): string {
  const written = [string(quantity['code']), string(quantity['unit'])].map((unit) => unit?.trim().toLowerCase());
  const known = written.filter((unit) => unit !== undefined);
  if (known.length === 0 || known.some((unit) => reading.countingUnits.has(unit))) return '1';
  return known[0] as string;
}

/** The daily dose over all lines; undefined if one cannot be read or the units differ. */
export function sumOfDoses(lines: Line[], which: 'high' | 'low'): Dose | undefined {
  const doses = lines.map((line) => line[which]);
  const [first] = doses;
  if (!first || doses.some((dose) => dose?.unit !== first.unit)) return undefined;
  return { value: doses.reduce((sum, dose) => sum + (dose?.value ?? 0), 0), unit: first.unit };
}

export function repeatsOf(dispense: JsonObject): number {
  return Math.max(0, Math.min(MAX_REPEATS, number(dispense['numberOfRepeatsAllowed']) ?? 0));
}

/** Whether sequential dosage lines never go up and end below the first. */
export function descends(lines: Line[]): boolean {
  const steps = lines
    .filter(({ sequence }) => sequence !== undefined)
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
  if (steps.length < 2 || new Set(steps.map(({ sequence }) => sequence)).size !== steps.length) return false;
  const doses = steps.map(({ high }) => high);
  // Without any dose the frequencies are compared.
  const known = doses.every((dose) => dose !== undefined && dose.unit === doses[0]?.unit);
  const often = steps.map(({ perDay }) => perDay);
  const values = known ? doses.map((dose) => dose?.value ?? 0) : often.map((times) => times ?? 0);
  if (!known && (doses.some((dose) => dose !== undefined) || often.includes(undefined))) return false;
  return (
    values.every((value, at) => at === 0 || value <= (values[at - 1] as number)) &&
    (values.at(-1) as number) < (values[0] as number)
  );
}

/** The position of a length in a dosage text, and its number of days. */
export type TextLength = { days: number; from: number; to: number; word: string };

/**
 * The only length in days or weeks in a dosage text: a number and a word, for a range the higher number
 * (recommendations.md, 3). Undefined if there is none or more than one, or if it is a frequency.
 */
export function lengthInText(text: string, { durations, length }: Reading): TextLength | undefined {
  const tokens = [...text.slice(0, 1000).matchAll(/\d+(?:[.,]\d+)?|\p{L}+/gu)].map((match) => ({
    word: match[0].toLowerCase(),
    at: match.index,
    end: match.index + match[0].length,
  }));
  if (tokens.some(({ word }) => length.notWith.has(word))) return undefined;
  const found: TextLength[] = [];
  for (const [at, { word, at: start, end }] of tokens.entries()) {
    const unit = durations.get(word);
    const days = unit && 'days' in unit && unit.days >= 1 ? unit.days : undefined;
    const count = tokens[at - 1];
    // "4/dag" is a frequency.
    if (days === undefined || !count || !/^\d/.test(count.word) || text.slice(count.end, start).includes('/')) continue;
    let first = at - 1;
    // "3-5 dagar", "3 till 5 dagar": the number before the last one belongs to it.
    if (isNumber(tokens[first - 1])) first -= 1;
    else if (isNumber(tokens[first - 2]) && length.ranges.has(tokens[first - 1]?.word ?? '')) first -= 2;
    if (length.notAfter.has(tokens[first - 1]?.word ?? '')) continue;
    const behind = tokens.slice(at + 1).map((token) => token.word);
    if (length.notFollowedBy.some((phrase) => phrase.every((part, offset) => behind[offset] === part))) continue;
    const whole = wholeDays(Number(count.word.replace(',', '.')) * days);
    if (whole !== undefined) found.push({ days: whole, from: tokens[first]?.at as number, to: end, word });
  }
  return found.length === 1 ? found[0] : undefined;
}

function isNumber(token: { word: string } | undefined): boolean {
  return token !== undefined && /^\d/.test(token.word);
}

/** The first day that a date may mean. */
export function firstDayOf(value: unknown, timeZone: string): Day | undefined {
  if (value === undefined) return undefined;
  const whole = readDay(value, timeZone);
  if (whole !== undefined) return whole;
  const date = localDate(value, timeZone);
  return date === undefined ? undefined : dayOf(firstDay(date));
}

/** The last day that a date may mean. */
export function lastDayOf(value: unknown, timeZone: string): Day | undefined {
  if (value === undefined) return undefined;
  const whole = readDay(value, timeZone);
  if (whole !== undefined) return whole;
  const date = localDate(value, timeZone);
  return date === undefined ? undefined : dayOf(lastDay(date));
}
