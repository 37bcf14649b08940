import { dosages, type Line, lengthInText, readLines, repeatOf, repeatsOf } from '../chart/dosage.ts';
import type { Reading } from '../codes/reading.ts';
import { type Day, dateOf, localDate } from '../dates.ts';
import { type JsonObject, number, object, type Resource, string } from '../fhir/json.ts';

export type StopOptions = {
  reading: Reading;
  timeZone: string;
  today: Day;
  /** The first day of the order. */
  start: Day;
  /** Formats a day in the text's language. */
  write: (day: Day) => string;
};

/** An order that ends on a day, with what was left out or could not be changed. */
export type Stopped = {
  resource: Resource;
  /** Number of dosage lines left out because they begin later. */
  dropped: number;
  /** The new quantity, in its unit, if it was reduced. */
  quantity?: number;
  /** A text has a length that could not be replaced and must be changed by hand. */
  textLeft: boolean;
};

/**
 * Returns a function that makes consistent copies of an order ending on a day (recommendations.md, 3, "Setting a stop
 * date"): the bounds of every dosage line, days' supply, quantity and repeats, narrative, count and events, and a
 * length in the dosage text. Everything else comes back as it was sent. Undefined if the dosage cannot be changed.
 */
export function stopperOf(order: Resource, options: StopOptions): ((end: Day) => Stopped) | undefined {
  const written = order['dosageInstruction'];
  if (written !== undefined && !Array.isArray(written)) return undefined;
  const lines = readLines(order, options.start, options);
  const steps = new Set(lines.map(({ sequence }) => sequence));
  const inTurn = steps.size > 1 && !steps.has(undefined);
  const before = dosages(order);
  const { text: _narrative, ...rest } = order;
  const generated = ['generated', 'extensions'].includes(string(object(order['text'])['status']) ?? '');
  const base = generated ? (rest as Resource) : order;
  return (end) => {
    const kept = before.flatMap((dosage, at) => {
      const line = lines[at] as Line;
      return (line.start ?? options.start) <= end ? [{ dosage, line }] : [];
    });
    const texts = kept.map(({ dosage }) => withTexts(dosage, end, options));
    const changed = kept.map(({ dosage, line }, at) => {
      const last = inTurn && line.end !== undefined && line.end < end ? line.end : end;
      return { ...withBounds(dosage, inTurn ? line.start : undefined, last, options), ...texts[at]?.change };
    });
    const dispense = cutSupply(order, lines, end, options);
    return {
      resource: {
        ...base,
        ...(dispense && { dispenseRequest: dispense.dispenseRequest }),
        dosageInstruction: changed.length > 0 ? changed : [withBounds({}, undefined, end, options)],
      },
      dropped: before.length - kept.length,
      ...(dispense?.quantity !== undefined && { quantity: dispense.quantity }),
      textLeft: texts.some(({ left }) => left),
    };
  };
}

/** Replaces any bound by `boundsPeriod.end`; sets a start only if the order had one, or if lines follow one another. */
function withBounds(dosage: JsonObject, start: Day | undefined, end: Day, { timeZone }: StopOptions): JsonObject {
  const {
    boundsDuration: _duration,
    boundsRange: _range,
    count: _count,
    countMax: _most,
    boundsPeriod,
    ...repeat
  } = repeatOf(dosage);
  const { event, ...timing } = object(dosage['timing']);
  const period = object(boundsPeriod);
  const events = (Array.isArray(event) ? event : []).filter((moment) => {
    const date = localDate(moment, timeZone);
    return date !== undefined && date.slice(0, 10) <= dateOf(end);
  });
  return {
    ...dosage,
    timing: {
      ...timing,
      ...(events.length > 0 && { event: events }),
      repeat: {
        ...repeat,
        boundsPeriod: {
          ...(start !== undefined && period['start'] === undefined && { start: dateOf(start) }),
          ...period,
          end: dateOf(end),
        },
      },
    },
  };
}

/** Replaces a length in the text by the last day, in the language of its word. */
function withTexts(dosage: JsonObject, end: Day, options: StopOptions): { change: JsonObject; left: boolean } {
  const change: JsonObject = {};
  let left = false;
  for (const key of ['text', 'patientInstruction']) {
    const text = string(dosage[key]);
    if (text === undefined) continue;
    const changed = withLastDay(text, end, options);
    if (changed !== undefined) change[key] = changed;
    else left ||= mentionsLength(text, options.reading);
  }
  return { change, left };
}

function withLastDay(text: string, end: Day, { reading, write }: StopOptions): string | undefined {
  const length = lengthInText(text, reading);
  const phrase = length && reading.lastDay.find(({ words }) => words.has(length.word));
  if (!length || !phrase) return undefined;
  // "i 5 dagar", "in 5 days": the preposition belongs to the length.
  const head = text.slice(0, length.from).replace(/(^|\s)(i|in|for|under|à)\s+$/i, '$1');
  return `${head}${phrase.text.replace('{end}', write(end))}${text.slice(length.to)}`;
}

/** Whether a text has a number before a word for days or longer, which may be an unrecognised length. */
function mentionsLength(text: string, { durations, length }: Reading): boolean {
  const words = text.toLowerCase().match(/\d+|\p{L}+/gu) ?? [];
  return words.some((word, at) => {
    const unit = durations.get(word);
    const longer = unit !== undefined && ('months' in unit || unit.days >= 1);
    return longer && /^\d+$/.test(words[at - 1] ?? '') && !length.notAfter.has(words[at - 2] ?? '');
  });
}

/** Cuts days' supply and quantity to the new length if they exceed it, and removes repeats, which would add it back. */
function cutSupply(
  order: Resource,
  lines: Line[],
  end: Day,
  options: StopOptions,
): { dispenseRequest: JsonObject; quantity?: number } | undefined {
  const dispense = order['dispenseRequest'];
  if (dispense === undefined) return undefined;
  const before = object(dispense);
  const days = Math.max(1, end - options.start + 1);
  const supply = object(before['expectedSupplyDuration']);
  const supplied = supplyDays(supply, options);
  const quantity = object(before['quantity']);
  const amount = number(quantity['value']);
  const daily = lines.map(({ high }) => high);
  const needed = neededFor(lines, daily, end, options);
  const cut = amount !== undefined && needed !== undefined && needed < amount ? needed : undefined;
  return {
    dispenseRequest: {
      ...before,
      ...withoutRepeats(before),
      ...(supplied !== undefined && supplied > days && { expectedSupplyDuration: inDays(supply, days) }),
      ...(cut !== undefined && { quantity: { ...quantity, value: cut } }),
    },
    ...(cut !== undefined && { quantity: cut }),
  };
}

function supplyDays(supply: JsonObject, { reading }: StopOptions): number | undefined {
  const value = number(supply['value']);
  if (value === undefined) return undefined;
  const unit = (string(supply['code']) ?? string(supply['unit']))?.trim().toLowerCase();
  const length = unit === undefined ? { days: 1 } : reading.durations.get(unit);
  if (!length) return undefined;
  return 'days' in length ? value * length.days : value * length.months * 30.4;
}

function inDays(supply: JsonObject, days: number): JsonObject {
  const { code, unit, system, ...rest } = supply;
  const wasDays = ['d', 'day', 'days'].includes(String(code ?? unit ?? 'd').toLowerCase());
  return wasDays
    ? { ...supply, value: days }
    : { ...rest, value: days, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' };
}

/** The quantity needed until the end, rounded up to a whole unit; each line for its own days. */
function neededFor(lines: Line[], daily: Line['high'][], end: Day, { start }: StopOptions): number | undefined {
  const [first] = daily;
  if (!first || daily.some((dose) => dose?.unit !== first.unit)) return undefined;
  const steps = new Set(lines.map(({ sequence }) => sequence));
  const inTurn = steps.size > 1 && !steps.has(undefined);
  const needed = lines.reduce((sum, line, at) => {
    const from = line.start ?? start;
    const last = inTurn && line.end !== undefined ? Math.min(line.end, end) : end;
    return sum + Math.max(0, last - from + 1) * (daily[at]?.value ?? 0);
  }, 0);
  return needed > 0 ? Math.ceil(needed - 1e-9) : undefined;
}

/** A copy of an order for `value` of its unit, dispensed once, because repeats would add to it. */
export function withQuantity(order: Resource, value: number): Resource {
  const dispense = object(order['dispenseRequest']);
  const quantity = { ...object(dispense['quantity']), value };
  return { ...order, dispenseRequest: { ...dispense, ...withoutRepeats(dispense), quantity } };
}

function withoutRepeats(dispense: JsonObject): JsonObject {
  return repeatsOf(dispense) > 0 ? { numberOfRepeatsAllowed: 0 } : {};
}

export type Subject = { patient: string; encounter?: string };

/**
 * A complete new resource from a template, for this patient and encounter, named `text`. In a FHIR R5 request it is in
 * R5 form, where coded elements are CodeableReferences.
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
