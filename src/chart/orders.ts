import { isDeepStrictEqual } from 'node:util';
import { idOf, type Resource, string } from '../fhir/json.ts';
import type { LeftOut, Medication } from './chart.ts';
import { asOrder, isOrder, type MedicationContext, readMedication } from './medications.ts';

export type Entry = { resource: Resource; fullUrl: string | undefined };
type Selection = { hook: string; selections: string[] };

/** Statuses with which a draft is no longer an order to decide on (conformance H8). */
const SETTLED = ['cancelled', 'stopped', 'completed', 'entered-in-error', 'ended'];

export type Drafts = {
  medications: Medication[];
  resources: Map<string, Resource>;
  /** Orders that this session ends: the record's copy of them no longer counts. */
  settled: Set<string>;
};

/** The MedicationRequests of draftOrders; other drafts are not ours (conformance H12). */
export function readDrafts(
  entries: Entry[],
  call: Selection,
  context: MedicationContext,
  mine: (resource: Resource) => boolean,
  leftOut: LeftOut[],
): Drafts {
  const drafts: Drafts = { medications: [], resources: new Map(), settled: new Set() };
  const orders = entries.filter(({ resource }) => resource.resourceType === 'MedicationRequest');
  const selections = new Set(call.selections);
  const ids = new Set(call.selections.map(idOf));
  const selected = orders.filter((entry) => isSelected(entry, selections, ids));
  // Selections that lead nowhere must not silence the drafts: then every draft is looked at (conformance H5).
  const deciding = new Set(call.hook === 'order-select' && selected.length > 0 ? selected : orders);
  const ambiguous = new Set<string>();
  for (const entry of orders) {
    const { resource } = entry;
    if (resource['status'] === 'unknown') continue;
    if (SETTLED.includes(string(resource['status']) ?? '') || resource['doNotPerform'] === true) {
      if (string(resource['id']) !== undefined) drafts.settled.add(refOf(resource));
      continue;
    }
    const reading = readMedication(resource, { draft: true, ordered: deciding.has(entry) }, context);
    if ('leftOut' in reading) leftOut.push({ what: 'order', why: reading.leftOut, ref: refOf(resource) });
    else if (mine(resource)) addDraft(drafts, reading.medication, resource, ambiguous);
  }
  return drafts;
}

/**
 * The same draft sent twice counts once. Two different drafts of one id both count, and no action can point to either:
 * it would write one over the other.
 */
function addDraft(drafts: Drafts, medication: Medication, resource: Resource, ambiguous: Set<string>): void {
  const { ref, id } = medication;
  const earlier = id === undefined ? undefined : drafts.resources.get(ref);
  if (earlier && isDeepStrictEqual(earlier, resource)) return;
  drafts.medications.push(medication);
  if (earlier) ambiguous.add(ref);
  if (ambiguous.has(ref)) drafts.resources.delete(ref);
  else drafts.resources.set(ref, resource);
}

/** `Type/id`, a bare id, an absolute URL or the entry's own address (conformance H4). */
function isSelected({ resource, fullUrl }: Entry, selections: Set<string>, ids: Set<string>): boolean {
  const id = string(resource['id']);
  return (
    (fullUrl !== undefined && selections.has(fullUrl)) ||
    (id !== undefined && (selections.has(refOf(resource)) || ids.has(id)))
  );
}

/**
 * The medication list: the orders of the record, and what statements and dispenses add to it. `unidentified` says that
 * something running or handed over names no medicine that could be found. Nothing counts twice.
 */
export function readMedicationList(
  resources: Resource[],
  settled: Set<string>,
  context: MedicationContext,
  leftOut: LeftOut[],
): { medications: Medication[]; unidentified: boolean } {
  const medications: Medication[] = [];
  let unidentified = false;
  const seen = new Set(settled);
  for (const resource of resources) {
    const order = resource.resourceType === 'MedicationRequest' ? resource : asOrder(resource);
    if (!order || !isOrder(order) || seen.has(refOf(order))) continue;
    if (string(order['id']) !== undefined) seen.add(refOf(order));
    const reading = readMedication(order, { draft: false, ordered: false }, context);
    if ('medication' in reading) medications.push(reading.medication);
    else {
      leftOut.push({ what: 'medication', why: reading.leftOut, ref: refOf(order) });
      const running = order['status'] === 'active' || resource.resourceType === 'MedicationDispense';
      unidentified ||= (reading.leftOut === 'no-medicine' || reading.leftOut === 'unresolved') && running;
    }
  }
  return { medications, unidentified };
}

export function refOf(resource: Resource): string {
  return `${resource.resourceType}/${string(resource['id']) ?? ''}`;
}
