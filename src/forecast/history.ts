import { type EntryContext, readTiming } from '../chart/entries.ts';
import { anew } from '../chart/once.ts';
import { readResults } from '../chart/results.ts';
import { dateOf, firstDay, isPartial, type LocalDate, lastDay, localDate, OPEN, plusDays } from '../dates.ts';
import { type JsonObject, object, type Resource, string } from '../fhir/json.ts';
import { partOf, type Section, sections } from '../fhir/prefetch.ts';
import { compareTexts } from '../text.ts';

/** One resource of a history. */
export type Entry = {
  section: Section;
  resource: Resource;
  /** The day from which it is on record. Undefined: unknown, so it counts as always on record. */
  since: LocalDate | undefined;
  at: number | undefined;
  /** Its state on earlier days. */
  was: Was[];
  /** Copies in earlier states, cached by which of `was` apply. */
  copies: Map<number, Resource>;
};

/** On days before `before`, the record had the resource in this state. */
type Was = { before: LocalDate; as: (resource: Resource) => Resource };

/** A moment at which the service would have been called. */
export type Moment = {
  hook: 'patient-view' | 'order-sign';
  day: LocalDate;
  at: number | undefined;
  resource: Resource;
};

export type HistoryOptions = Pick<EntryContext, 'codes' | 'timeZone' | 'validityPeriodEndsTreatment' | 'parameters'>;

/** Why something is not replayed: it has no place in time. */
export type Skip = 'order-undated' | 'order-not-signed' | 'encounter-undated' | 'medication-undated';

export type History = {
  patient: Resource | undefined;
  entries: Entry[];
  /** The encounters among them. */
  encounters: Entry[];
  /** Medications and other resources that orders refer to. */
  included: Resource[];
  moments: Moment[];
  skipped: Skip[];
  /** Problems and the like without a date: they count as always on record. */
  undated: number;
};

const SECTION_OF_TYPE = new Map(sections.map((section) => [partOf[section].type, section]));
const MEDICINES: readonly Section[] = ['medications', 'statements', 'dispenses', 'administrations'];
/** Orders that were never signed, or withdrawn before they counted. */
const NOT_SIGNED = ['draft', 'cancelled', 'entered-in-error', 'unknown'];
const INTENTS = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];
const NOT_HELD = ['planned', 'cancelled', 'entered-in-error', 'unknown'];

/** Puts a patient's resources in time: when each was on record, and when the chart was opened or an order signed. */
export function historyOf(resources: Resource[], hooks: readonly string[], options: HistoryOptions): History {
  const history: History = {
    patient: undefined,
    entries: [],
    encounters: [],
    included: [],
    moments: [],
    skipped: [],
    undated: 0,
  };
  for (const resource of resources) {
    const section = SECTION_OF_TYPE.get(resource.resourceType);
    if (section === 'patient') history.patient ??= resource;
    else if (section === undefined) history.included.push(resource);
    else addEntry(history, section, resource, options);
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

function addEntry(history: History, section: Section, resource: Resource, options: HistoryOptions): void {
  const when = sinceOf(section, resource);
  const since = localDate(when, options.timeZone);
  const at = since !== undefined && when?.includes('T') ? Date.parse(when) : undefined;
  if (since === undefined && MEDICINES.includes(section)) {
    // The days of a medicine without any date are unknown; problem lists often have no dates.
    history.skipped.push('medication-undated');
    if (section !== 'medications') return;
  }
  if (since === undefined && !MEDICINES.includes(section) && section !== 'encounter') history.undated++;
  // A result that is not read today is not read on any day.
  if (section === 'observations' && readResults([resource], { ...options, once: anew }).length === 0) return;
  const entry = {
    section,
    resource,
    since,
    at: Number.isNaN(at) ? undefined : at,
    was: earlierStates(section, resource, options),
    copies: new Map(),
  };
  history.entries.push(entry);
  if (section === 'encounter') history.encounters.push(entry);
}

/** The day on which it came on record: when it was written, otherwise when it happened. */
function sinceOf(section: Section, resource: Resource): string | undefined {
  for (const path of partOf[section].since) {
    const [name = '', part] = path.split('.');
    const value = string(part === undefined ? resource[name] : object(resource[name])[part]);
    if (value !== undefined) return value;
  }
  return undefined;
}

type Timed = { day: LocalDate; at: number | undefined; resource: Resource };

/** By day, then by time, those without a time first, then by kind and id, so that the file order does not matter. */
function byTime(a: Timed, b: Timed): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  if (a.at !== b.at) return (a.at ?? 0) - (b.at ?? 0);
  return (
    compareTexts(a.resource.resourceType, b.resource.resourceType) || compareTexts(idOf(a.resource), idOf(b.resource))
  );
}

function idOf(resource: Resource): string {
  return string(resource['id']) ?? '';
}

/** The record at a moment: what was there, with its status at the time. */
export function recordAt(history: History, moment: Moment): Map<Section, Resource[]> {
  const record = new Map<Section, Resource[]>(sections.map((section) => [section, []]));
  if (history.patient) record.get('patient')?.push(history.patient);
  for (const entry of history.entries) {
    if (entry.resource === moment.resource || !wasThere(entry, moment)) continue;
    record.get(entry.section)?.push(asItStood(entry, moment.day));
  }
  const encounter = encounterOf(history, moment);
  record.set('encounter', encounter ? [goingOn(encounter)] : []);
  return record;
}

function wasThere({ section, resource, since, at }: Entry, moment: Moment): boolean {
  if (section === 'encounter') return false;
  // An undated order is not known to have been in force on any day.
  if (since === undefined) return !MEDICINES.includes(section);
  const day = lastDay(since);
  if (day !== moment.day) return day < moment.day;
  // On one day, the chart is opened before any order, orders are signed one after the other, and what was handed over
  // or given that day was for them.
  if (section === 'dispenses' || section === 'administrations') return false;
  if (section === 'medications') return !isPartial(since) && byTime({ day: since, at, resource }, moment) < 0;
  return true;
}

/** The encounter that an order names, otherwise the last one in progress. */
function encounterOf(history: History, { hook, day, resource }: Moment): Resource | undefined {
  if (hook === 'patient-view') return resource;
  const reference = string(object(resource['encounter'])['reference']);
  const encounters = history.encounters.filter(({ since }) => since !== undefined && lastDay(since) <= day);
  const named = encounters.find((entry) => reference?.endsWith(`/${idOf(entry.resource)}`));
  if (named) return named.resource;
  const running = encounters.filter(({ resource: encounter, since }) => {
    const end = string(periodOf(encounter)['end'])?.slice(0, 10);
    // Without an end its length is unknown: only its own day is certain.
    return end === undefined ? since === day : end >= day;
  });
  return running
    .sort((a, b) => compareTexts(a.since ?? '', b.since ?? '') || compareTexts(idOf(a.resource), idOf(b.resource)))
    .at(-1)?.resource;
}

function periodOf(encounter: Resource): JsonObject {
  return object(encounter['period'] ?? encounter['actualPeriod']);
}

const ENDED = ['completed', 'stopped', 'ended'];
const PAST_PROBLEM = ['inactive', 'remission', 'resolved'];

/** The resource, or a copy with the status of that day, as far as the record says when it changed. */
function asItStood({ resource, was, copies }: Entry, day: LocalDate): Resource {
  let which = 0;
  for (let at = 0; at < was.length; at++) if (day < (was[at] as Was).before) which |= 1 << at;
  if (which === 0) return resource;
  let copy = copies.get(which);
  if (copy === undefined) {
    copy = was.reduce((made, { as }, at) => (which & (1 << at) ? as(made) : made), resource);
    copies.set(which, copy);
  }
  return copy;
}

/** An encounter on its day, when its end was not known yet. */
function goingOn(encounter: Resource): Resource {
  const { end: _, ...period } = periodOf(encounter);
  const { period: _p, actualPeriod: _a, ...rest } = encounter;
  return { ...rest, resourceType: encounter.resourceType, status: 'in-progress', period };
}

function earlierStates(section: Section, resource: Resource, options: HistoryOptions): Was[] {
  if (section === 'medications' || section === 'statements')
    return [...beforeItsChange(resource, options), ...whileInForce(resource, options)];
  if (MEDICINES.includes(section)) return beforeItsChange(resource, options);
  if (section === 'conditions') return whileAProblem(resource, options);
  return section === 'procedures' ? whileDone(resource, options) : [];
}

/** Drops a later change, which says nothing about that day; an export often sets all of them anew. */
function beforeItsChange(resource: Resource, { timeZone }: HistoryOptions): Was[] {
  const { lastUpdated, ...meta } = object(resource['meta']);
  const changed = localDate(lastUpdated, timeZone);
  return changed === undefined ? [] : [{ before: lastDay(changed), as: (made) => ({ ...made, meta }) }];
}

/** As it was while in force: the end of a statement's period was not known yet. */
function whileInForce(resource: Resource, options: HistoryOptions): Was[] {
  const until = activeUntil(resource, options);
  if (until === undefined) return [];
  const over = plusDays(until, 1);
  const { end, ...effectivePeriod } = object(resource['effectivePeriod']);
  const ended = localDate(end, options.timeZone);
  const known = ended === undefined ? undefined : lastDay(ended);
  return [
    { before: over, as: (made) => ({ ...made, status: 'active' }) },
    ...(known === undefined
      ? []
      : [{ before: known < over ? known : over, as: (made: Resource) => ({ ...made, effectivePeriod }) }]),
  ];
}

/** A problem that has ended was active until its end, if the record has one. */
function whileAProblem(condition: Resource, { timeZone }: HistoryOptions): Was[] {
  const codings = [object(condition['clinicalStatus'])['coding']].flat() as (JsonObject | undefined)[];
  if (!codings.some((coding) => PAST_PROBLEM.includes(string(object(coding)['code']) ?? ''))) return [];
  const ended = localDate(condition['abatementDateTime'] ?? object(condition['abatementPeriod'])['start'], timeZone);
  if (ended === undefined) return [];
  const clinicalStatus = { coding: [{ code: 'active' }] };
  return [{ before: firstDay(ended), as: (made) => ({ ...made, clinicalStatus }) }];
}

function whileDone(procedure: Resource, { timeZone }: HistoryOptions): Was[] {
  const { end, ...performedPeriod } = object(procedure['performedPeriod']);
  const ended = localDate(end, timeZone);
  if (ended === undefined) return [];
  return [{ before: ended, as: (made) => ({ ...made, status: 'in-progress', performedPeriod }) }];
}

/**
 * The last day on which an order or statement that has ended was in force on record: when its status changed (R5 has
 * that); otherwise for a completed one its end as the chart reads it, for a stopped one the end of its effective
 * period. Undefined if the record does not say: then it is read unchanged (recommendations.md, 1.2). The planned end of
 * a stopped order says nothing.
 */
function activeUntil(resource: Resource, options: HistoryOptions): LocalDate | undefined {
  const status = string(resource['status']) ?? '';
  if (!ENDED.includes(status)) return undefined;
  const changed = localDate(resource['statusChanged'], options.timeZone);
  if (changed !== undefined) return lastDay(changed);
  // Every day of its dosage is in the past for a reader at the end of time.
  const { stated, computed } = readTiming(resource, {
    ...options,
    today: OPEN,
    conditionLists: () => [],
    encounterSetting: undefined,
    dosages: new Map(),
  });
  const end = status === 'completed' ? (stated ?? computed) : stated?.from === 'effective-period' ? stated : undefined;
  return end && dateOf(end.day);
}
