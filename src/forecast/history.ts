import { readStart, readStop, type StopOptions } from '../chart/stop.ts';
import { firstDay, isPartial, type LocalDate, lastDay, localDate, plusMonths } from '../dates.ts';
import { type JsonObject, object, type Resource, string } from '../fhir/json.ts';
import { type Section, sections, sectionTypes } from '../fhir/prefetch.ts';

/** One resource of a history, and since when the record has it. `undefined`: nobody can tell, so it counts as always. */
export type Entry = {
  section: Section;
  resource: Resource;
  since: LocalDate | undefined;
  at: number | undefined;
  /** Of an order that ended, once it was asked: until when it counts as in force, and how it reads until then. */
  ended?: { until: LocalDate; running: Resource };
};

/** A moment at which the service would have been asked. */
export type Moment = {
  hook: 'patient-view' | 'order-sign';
  day: LocalDate;
  at: number | undefined;
  resource: Resource;
};

export type HistoryOptions = StopOptions & { openEndedMonths: number };

/** What could not be placed in time, and so is not replayed. */
export type Skip = 'order-undated' | 'order-not-signed' | 'encounter-undated' | 'medication-undated';

export type History = {
  patient: Resource | undefined;
  entries: Entry[];
  /** Medications and other things that orders point to. */
  included: Resource[];
  moments: Moment[];
  skipped: Skip[];
  /** Problems and the like without a date: they count as always on record. */
  undated: number;
};

const SECTION_OF_TYPE = new Map(sections.map((section) => [sectionTypes[section], section]));
const MEDICINES: readonly Section[] = ['medications', 'statements', 'dispenses'];
/** Orders that were never signed, or taken back before they counted. */
const NOT_SIGNED = ['draft', 'cancelled', 'entered-in-error', 'unknown'];
const INTENTS = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];
const NOT_HELD = ['planned', 'cancelled', 'entered-in-error', 'unknown'];

/** Orders a patient's resources in time: what the record had when, and the moments at which it was opened or signed. */
export function historyOf(resources: Resource[], hooks: readonly string[], timeZone: string): History {
  const history: History = { patient: undefined, entries: [], included: [], moments: [], skipped: [], undated: 0 };
  for (const resource of resources) {
    const section = SECTION_OF_TYPE.get(resource.resourceType);
    if (section === 'patient') history.patient ??= resource;
    else if (section === undefined) history.included.push(resource);
    else addEntry(history, section, resource, timeZone);
  }
  for (const { section, resource, since, at } of history.entries) {
    const whole = since !== undefined && !isPartial(since);
    const status = string(resource['status']) ?? '';
    if (section === 'encounter' && hooks.includes('patient-view') && !NOT_HELD.includes(status)) {
      if (whole) history.moments.push({ hook: 'patient-view', day: since, at, resource });
      else history.skipped.push('encounter-undated');
    }
    if (section !== 'medications' || !hooks.includes('order-sign')) continue;
    const intent = string(resource['intent']);
    if (
      NOT_SIGNED.includes(status) ||
      resource['doNotPerform'] === true ||
      (intent !== undefined && !INTENTS.includes(intent))
    )
      history.skipped.push('order-not-signed');
    else if (whole) history.moments.push({ hook: 'order-sign', day: since, at, resource });
    else history.skipped.push('order-undated');
  }
  history.moments.sort(byTime);
  return history;
}

function addEntry(history: History, section: Section, resource: Resource, timeZone: string): void {
  const when = sinceOf(section, resource);
  const since = localDate(when, timeZone);
  const at = since !== undefined && when?.includes('T') ? Date.parse(when) : undefined;
  if (since === undefined && MEDICINES.includes(section)) {
    // Of a medicine without any date nobody knows on which day it was taken; problem lists often bear no date.
    history.skipped.push('medication-undated');
    if (section !== 'medications') return;
  }
  if (since === undefined && !MEDICINES.includes(section) && section !== 'encounter') history.undated++;
  history.entries.push({ section, resource, since, at: Number.isNaN(at) ? undefined : at });
}

/** The day on which the record got it: when it was written, else when it was so. */
function sinceOf(section: Section, resource: Resource): string | undefined {
  const period = (name: string) => object(resource[name])['start'];
  const candidates: Record<Section, unknown[]> = {
    patient: [],
    medications: [resource['authoredOn']],
    statements: [resource['dateAsserted'], period('effectivePeriod'), resource['effectiveDateTime']],
    dispenses: [resource['whenHandedOver'], resource['whenPrepared']],
    conditions: [resource['recordedDate'], resource['onsetDateTime'], period('onsetPeriod')],
    encounter: [period('period'), period('actualPeriod')],
    observations: [
      resource['issued'],
      resource['effectiveDateTime'],
      resource['effectiveInstant'],
      object(resource['effectivePeriod'])['end'],
      period('effectivePeriod'),
    ],
    procedures: [
      resource['performedDateTime'],
      period('performedPeriod'),
      resource['occurrenceDateTime'],
      period('occurrencePeriod'),
      resource['recorded'],
    ],
    referrals: [resource['authoredOn'], resource['occurrenceDateTime']],
    appointments: [resource['created'], resource['start']],
    carePlans: [resource['created'], period('period')],
    familyHistory: [resource['date']],
  };
  return candidates[section].map(string).find((value) => value !== undefined);
}

type Timed = { day: LocalDate; at: number | undefined; resource: Resource };

/** By day, then by time; what has no time comes first, then by kind and id, so that the order of the file does not matter. */
function byTime(a: Timed, b: Timed): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  if (a.at !== b.at) return (a.at ?? 0) - (b.at ?? 0);
  return compare(a.resource.resourceType, b.resource.resourceType) || compare(idOf(a.resource), idOf(b.resource));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function idOf(resource: Resource): string {
  return string(resource['id']) ?? '';
}

/** The record as it stood at a moment: what was there, with the status that it had then. */
export function recordAt(history: History, moment: Moment, options: HistoryOptions): Map<Section, Resource[]> {
  const record = new Map<Section, Resource[]>(sections.map((section) => [section, []]));
  if (history.patient) record.get('patient')?.push(history.patient);
  for (const entry of history.entries) {
    if (entry.resource === moment.resource || !wasThere(entry, moment)) continue;
    record.get(entry.section)?.push(asItStood(entry, moment.day, options));
  }
  const encounter = encounterOf(history, moment);
  record.set(
    'encounter',
    encounter ? [asItStood({ section: 'encounter', resource: encounter }, moment.day, options)] : [],
  );
  return record;
}

function wasThere({ section, resource, since, at }: Entry, moment: Moment): boolean {
  if (section === 'encounter') return false;
  // An undated order is not known to have been in force on any day.
  if (since === undefined) return !MEDICINES.includes(section);
  const day = lastDay(since);
  if (day !== moment.day) return day < moment.day;
  // The chart is opened before anything of the visit is ordered, orders are signed one after the other, and what was
  // handed over that day was handed over for them.
  if (section === 'dispenses') return false;
  if (section === 'medications') return !isPartial(since) && byTime({ day: since, at, resource }, moment) < 0;
  return true;
}

/** The encounter that an order names, else the last one that was going on. */
export function encounterOf(history: History, { hook, day, resource }: Moment): Resource | undefined {
  if (hook === 'patient-view') return resource;
  const reference = string(object(resource['encounter'])['reference']);
  const encounters = history.entries.filter(
    ({ section, since }) => section === 'encounter' && since !== undefined && lastDay(since) <= day,
  );
  const named = encounters.find((entry) => reference?.endsWith(`/${idOf(entry.resource)}`));
  if (named) return named.resource;
  const running = encounters.filter(({ resource: encounter, since }) => {
    const end = string(periodOf(encounter)['end'])?.slice(0, 10);
    // Without an end nobody knows how long it went on: only its own day is certain.
    return end === undefined ? since === day : end >= day;
  });
  return running
    .sort((a, b) => compare(a.since ?? '', b.since ?? '') || compare(idOf(a.resource), idOf(b.resource)))
    .at(-1)?.resource;
}

function periodOf(encounter: Resource): JsonObject {
  return object(encounter['period'] ?? encounter['actualPeriod']);
}

const ENDED = ['completed', 'stopped', 'ended'];
const PAST_PROBLEM = ['inactive', 'remission', 'resolved'];

/** A copy with the status of that day, as far as the record tells when it changed. */
function asItStood(
  entry: Pick<Entry, 'section' | 'resource' | 'ended'>,
  day: LocalDate,
  options: HistoryOptions,
): Resource {
  const { section, resource } = entry;
  if (section === 'medications' && ENDED.includes(string(resource['status']) ?? '')) {
    // Every moment asks for it again.
    entry.ended ??= { until: runningUntil(resource, options), running: { ...resource, status: 'active' } };
    return day <= entry.ended.until ? entry.ended.running : resource;
  }
  if (section === 'conditions') return problemOn(resource, day, options.timeZone);
  if (section === 'encounter') {
    const { end: _, ...period } = periodOf(resource);
    const { period: _p, actualPeriod: _a, ...rest } = resource;
    return { ...rest, resourceType: resource.resourceType, status: 'in-progress', period };
  }
  if (section === 'procedures') {
    const { end, ...period } = object(resource['performedPeriod']);
    const ended = localDate(end, options.timeZone);
    if (ended !== undefined && ended > day) return { ...resource, status: 'in-progress', performedPeriod: period };
  }
  return resource;
}

/**
 * The last day on which an order that ended counts as in force: when its status changed (R5 says it), else its own end,
 * else as long as an order without an end is believed.
 */
function runningUntil(order: Resource, options: HistoryOptions): LocalDate {
  const changed = localDate(order['statusChanged'], options.timeZone);
  if (changed !== undefined) return lastDay(changed);
  const start = readStart(order, options.timeZone);
  const planned = readStop(order, start, options)?.stop;
  if (planned !== undefined) return planned;
  return start === undefined ? '' : plusMonths(firstDay(start), options.openEndedMonths);
}

/** A problem that is over was active until it ended, where the record says when that was. */
function problemOn(condition: Resource, day: LocalDate, timeZone: string): Resource {
  const codings = [object(condition['clinicalStatus'])['coding']].flat() as (JsonObject | undefined)[];
  if (!codings.some((coding) => PAST_PROBLEM.includes(string(object(coding)['code']) ?? ''))) return condition;
  const ended = localDate(condition['abatementDateTime'] ?? object(condition['abatementPeriod'])['start'], timeZone);
  if (ended === undefined || firstDay(ended) <= day) return condition;
  return { ...condition, clinicalStatus: { coding: [{ code: 'active' }] } };
}
