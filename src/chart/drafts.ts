import { isDeepStrictEqual } from 'node:util';
import { type Day, dateOf, OPEN } from '../dates.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, object, objects, type Resource, string } from '../fhir/json.ts';
import type { Draft, LeftOut, StopSource, Unrecognised } from './chart.ts';
import {
  descends,
  endOfDuration,
  endOfLines,
  lastDayOf,
  lengthInText,
  sumOfDoses,
  unitOf,
  wholeDays,
} from './dosage.ts';
import {
  type Entry,
  type EntryContext,
  readEntry,
  readTiming,
  refOf,
  replacedOrders,
  supplyOf,
  writtenOf,
} from './entries.ts';
import type { Identified } from './medicine.ts';
import type { Span } from './periods.ts';
import type { Purposed } from './treatments.ts';

export type BundleEntry = { resource: Resource; fullUrl: string | undefined };
type Selection = { hook: string; selections: string[] };

/** Statuses with which a draft no longer needs a decision (conformance H8). */
const SETTLED = ['cancelled', 'stopped', 'completed', 'ended', 'entered-in-error'];
/** Statuses of orders still to be signed; orders with another status are not read but reported. */
const OPEN_STATUS = ['draft', 'active', 'on-hold', undefined];

/** A draft as received, before its purpose is known. */
export type DraftEntry = { entry: Entry; resource: Resource; ordered: boolean };

export type DraftsRead = {
  drafts: DraftEntry[];
  /** The resources that an action may refer to. */
  resources: Map<string, Resource>;
  /** Ids of orders on record that this session ends or marks as an error. */
  ended: Set<string>;
  /** Orders on record replaced by a medicine in no list: ids, and the day on which it begins. */
  changed: Map<string, Day>;
  erased: Set<string>;
  /** Drafts that could not be read. */
  unread: Unrecognised[];
  leftOut: LeftOut[];
};

/** The same orders as `resources`, parsed from the sent text with exact digits. */
export function exactOrders(draftOrders: unknown): Map<string, Resource> {
  return new Map(readBundle(draftOrders).entries.map(({ resource }) => [refOf(resource), resource]));
}

/** The MedicationRequests of draftOrders; other types are ignored (conformance H12). */
export function readDrafts(
  entries: BundleEntry[],
  call: Selection,
  identify: (entry: Resource) => Identified,
  mine: (resource: Resource) => boolean,
  context: EntryContext,
): DraftsRead {
  const read: DraftsRead = {
    drafts: [],
    resources: new Map(),
    ended: new Set(),
    changed: new Map(),
    erased: new Set(),
    unread: [],
    leftOut: [],
  };
  const orders = entries.filter(({ resource }) => resource.resourceType === 'MedicationRequest');
  const selections = new Set(call.selections);
  const ids = new Set(call.selections.map(idOf));
  const selected = orders.filter((entry) => isSelected(entry, selections, ids));
  // If the selections match no draft, every draft is checked, because they must not silence (conformance H5).
  const deciding = new Set(call.hook === 'order-select' && selected.length > 0 ? selected : orders);
  const ambiguous = new Set<string>();
  for (const item of orders) {
    const { resource } = item;
    const status = string(resource['status']);
    const ref = refOf(resource);
    const leave = (why: LeftOut['why']) => read.leftOut.push({ what: 'order', why, ref });
    if (SETTLED.includes(status ?? '') || resource['doNotPerform'] === true) {
      const id = string(resource['id']);
      if (id !== undefined) (status === 'entered-in-error' ? read.erased : read.ended).add(id);
      leave(resource['doNotPerform'] === true ? 'not-performed' : 'status');
      continue;
    }
    if (!mine(resource)) continue;
    const medicine = identify(resource);
    if (!OPEN_STATUS.includes(status)) {
      // What can be read is still checked.
      leave('status');
      if (!('leftOut' in medicine)) read.unread.push({ ref, name: medicine.name });
    }
    if ('leftOut' in medicine) {
      leave(medicine.leftOut);
      if (medicine.leftOut === 'other-medicine') noteChanges(read, resource, context);
      // At order-select an unfinished order need not name its medicine yet.
      const unfinished = call.hook === 'order-select' && medicine.leftOut === 'no-medicine';
      if (medicine.leftOut !== 'other-medicine' && !unfinished && deciding.has(item))
        read.unread.push({ ref, name: medicine.name });
      continue;
    }
    if (objects(resource['modifierExtension']).length > 0) read.unread.push({ ref, name: medicine.name });
    addDraft(
      read,
      { entry: readEntry(resource, medicine, context, context.today), resource, ordered: deciding.has(item) },
      ambiguous,
    );
  }
  return read;
}

/** A draft of a medicine in no list may replace one of ours, which then ends the day before (1.6). */
function noteChanges(read: DraftsRead, resource: Resource, context: EntryContext): void {
  const changed = changedBy(resource);
  if (changed.length === 0) return;
  const start = draftStart(readTiming(resource, context), context.today);
  for (const id of changed) read.changed.set(id, start);
}

/**
 * A draft sent twice counts once. Two different drafts with one id both count, but no action can refer to them: it
 * would overwrite one with the other.
 */
function addDraft(read: DraftsRead, draft: DraftEntry, ambiguous: Set<string>): void {
  const { ref, id } = draft.entry;
  const earlier = id === undefined ? undefined : read.resources.get(ref);
  if (earlier && isDeepStrictEqual(earlier, draft.resource)) return;
  read.drafts.push(draft);
  if (earlier) ambiguous.add(ref);
  if (ambiguous.has(ref)) read.resources.delete(ref);
  else read.resources.set(ref, draft.resource);
}

/** Whether a selection names the draft: `Type/id`, a bare id, an absolute URL or the entry's address (conformance H4). */
function isSelected({ resource, fullUrl }: BundleEntry, selections: Set<string>, ids: Set<string>): boolean {
  const id = string(resource['id']);
  return (
    (fullUrl !== undefined && selections.has(fullUrl)) ||
    (id !== undefined && (selections.has(refOf(resource)) || ids.has(id)))
  );
}

/** The orders on record that a draft changes: its own id, and those it names as its predecessors. */
export function changedBy(resource: Resource): string[] {
  const id = string(resource['id']);
  return [...(id === undefined ? [] : [id]), ...replacedOrders(resource)];
}

/** The first day of a draft: never before today. */
export function draftStart(entry: Pick<Entry, 'start'>, today: Day): Day {
  return Math.max(entry.start ?? today, today);
}

/** A draft with its purpose, as rules see it. `changed`: it changes an order on record. */
export function draftOf(
  { entry, resource, ordered }: DraftEntry,
  purposed: Purposed,
  changed: boolean,
  context: EntryContext,
): Draft {
  const { codes, today } = context;
  const { medicine, lines } = entry;
  const { product, reasons, says } = purposed;
  const start = entry.start ?? today;
  const stop = readStop(entry, resource, start, context);
  const supply = supplyOf(resource, 'order');
  const high = sumOfDoses(lines, 'high');
  const unit = unitOf(supply.quantity, codes.reading);
  const quantity = supply.amount === undefined ? undefined : supply.amount * (1 + supply.repeats);
  const pieces = quantity !== undefined && unit === '1' ? quantity : undefined;
  // Beside other orders a draft goes on, unless it states its own end; a supply does not count as one.
  const closed = stop && ['bounds', 'effective-period', 'validity-period', 'count', 'event'].includes(stop.from);
  const from = draftStart(entry, today);
  const span: Span = { start: from, end: closed ? Math.max(from, stop.day) : OPEN, degree: 'taken' };
  const depot = product?.effectDays;
  const dose: Span = { start: from, end: from, degree: 'taken' };
  const spans = depot ? [span, { ...span, end: span.end >= OPEN ? OPEN : span.end + depot }] : [span];
  return {
    ref: entry.ref,
    id: entry.id,
    name: medicine.name,
    substance: medicine.classified.substance,
    lists: purposed.lists,
    identifiedBy: medicine.classified.identifiedBy,
    draft: true,
    ordered,
    changed,
    taper: says.includes('taper') || descends(lines),
    single: lines.some((line) => line.single) || (pieces === 1 && supply.repeats === 0),
    dosed: lines.length > 0,
    form: medicine.form,
    asNeeded: entry.asNeeded,
    reasons,
    says,
    requester: entry.requester,
    setting: entry.setting,
    start: dateOf(start),
    ...(stop && { stop: dateOf(stop.day), stopFrom: stop.from, length: stop.day - start + 1 }),
    ...(quantity !== undefined && { quantity }),
    ...(pieces !== undefined && { pieces }),
    repeats: supply.repeats,
    ...(high && (quantity === undefined || unit === high.unit) && { dailyDose: high.value }),
    ...(medicine.drug?.smallestPackage !== undefined && { smallestPackage: medicine.drug.smallestPackage }),
    degree: 'taken',
    fresh: true,
    vague: product?.vague === true,
    ...(product && { afterDays: product.afterDays }),
    otherwise: false,
    onHold: false,
    once: false,
    prescribed: [writtenOf(entry)],
    timeline: {
      today,
      parameters: context.parameters,
      spans,
      strict: spans,
      cleared: product ? [{ ...(depot === undefined ? span : dose), afterDays: product.afterDays }] : [],
    },
  };
}

/** Finds the end of a draft, in order of trust (recommendations.md, 3). The highest dose decides how long it lasts. */
function readStop(
  { lines }: Entry,
  resource: Resource,
  start: Day,
  { codes, timeZone, validityPeriodEndsTreatment }: EntryContext,
): { day: Day; from: StopSource } | undefined {
  const written = endOfLines(lines);
  if (written) return written;
  const { days, quantity, amount, repeats } = supplyOf(resource, 'order');
  const supplied = endOfDuration(start, days, codes.reading, 1 + repeats, true);
  if (supplied !== undefined) return { day: supplied, from: 'days-supply' };
  const validity = lastDayOf(object(object(resource['dispenseRequest'])['validityPeriod'])['end'], timeZone);
  if (validity !== undefined && validityPeriodEndsTreatment) return { day: validity, from: 'validity-period' };
  const daily = sumOfDoses(lines, 'high');
  const lasts =
    amount !== undefined && daily && unitOf(quantity, codes.reading) === daily.unit
      ? wholeDays((amount * (1 + repeats)) / daily.value)
      : undefined;
  if (lasts !== undefined) return { day: start + lasts - 1, from: 'quantity' };
  const texts = lines.map(({ text }) => (text === undefined ? undefined : lengthInText(text, codes.reading)));
  if (texts.length === 0 || texts.some((length) => length === undefined)) return undefined;
  return { day: start + Math.max(...texts.map((length) => length?.days ?? 0)) - 1, from: 'text' };
}
