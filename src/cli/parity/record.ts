import { readBundle } from '../../fhir/bundle.ts';
import { idOf, isObject, type Json, type JsonObject, object, type Resource, string } from '../../fhir/json.ts';
import { partOf, type Section, sections } from '../../fhir/prefetch.ts';
import { versionOf } from '../../fhir/versions.ts';
import type { TestBundle } from '../bundles.ts';

/** A test bundle as a patient on a FHIR server, and as a call that makes the service fetch the record there. */
export type Placed = {
  /** The record; each resource has its own id and the tag. */
  resources: Resource[];
  /** The call without what the server has. What the bundle's client did not have stays missing. */
  body: JsonObject;
  /** Translates an answer back to the ids of the bundle. */
  inOwnIds: (text: string) => string;
  /**
   * Whether there are ended orders whose possible end is known only from `meta.lastUpdated`. The server sets that to
   * the time of loading, so it differs from the bundle.
   */
  endedWhenLoaded: boolean;
};

/** Marks everything that this tool loads. */
export const TAG = { system: 'urn:nordic-opioid-cds:parity', code: 'invented-patient' };

/** The value of a key that the client's server did not return. The service accepts it and does not fetch the key. */
const NOT_GIVEN: JsonObject = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'forbidden', diagnostics: 'not in this test bundle' }],
};

/**
 * Places a test bundle on a server under ids that begin with `prefix`. Undefined for a bundle about the prefetch
 * itself, such as the list of another patient, which no search of a server returns; and for FHIR R5, of which an R4
 * server keeps only a part.
 */
export function place({ body: request }: TestBundle, prefix: string): Placed | undefined {
  const call = object(request);
  const prefetch = object(call['prefetch']);
  const patientId = idOf(string(object(call['context'])['patientId']) ?? '');
  const read = sections.map((section) => ({ section, found: resourcesOf(section, prefetch[section], patientId) }));
  const entries = read.flatMap(({ found }) => found ?? []);
  if (read.some(({ found }) => found === undefined) || entries.some(({ resource }) => versionOf(resource) === 'R5'))
    return undefined;
  const ids = new Map<string, string>();
  const own = new Map<string, string>();
  for (const [at, { resource, fullUrl }] of entries.entries()) {
    const type = resource.resourceType;
    const id = `${prefix}-${at}`;
    const known = string(resource['id']);
    if (known !== undefined) {
      if (ids.has(`${type}/${known}`)) continue;
      ids.set(`${type}/${known}`, id);
      own.set(`${type}/${id}`, `${type}/${known}`);
    }
    if (fullUrl !== undefined) ids.set(fullUrl, id);
    if (known === undefined) ids.set(`${type}/?${at}`, id);
  }
  const patient = ids.get(`Patient/${patientId}`) ?? `${prefix}-nobody`;
  ids.set(`Patient/${patientId}`, patient);
  own.set(patient, patientId);
  const renamed = (value: Json): Json => rename(value, ids);
  const placed = new Set<string>();
  const resources = entries.flatMap(({ resource }, at): Resource[] => {
    const id = ids.get(`${resource.resourceType}/${string(resource['id']) ?? `?${at}`}`) as string;
    if (placed.has(id)) return [];
    placed.add(id);
    const meta = { ...object(resource['meta']), tag: [TAG] };
    return [{ ...(renamed(resource) as Resource), id, meta }];
  });
  const context = renamed(object(call['context'])) as JsonObject;
  const encounterId = string(context['encounterId']);
  return {
    resources,
    body: {
      ...call,
      context: {
        ...context,
        patientId: patient,
        ...(encounterId !== undefined && {
          encounterId: ids.get(`Encounter/${idOf(encounterId)}`) ?? idOf(encounterId),
        }),
        ...(Array.isArray(context['selections']) && {
          selections: context['selections'].map((item) =>
            typeof item === 'string' ? (refOf(item, ids) ?? item) : item,
          ),
        }),
        ...(context['draftOrders'] !== undefined && { draftOrders: withIds(context['draftOrders'] ?? null, ids) }),
      },
      prefetch: stated(prefetch),
    },
    endedWhenLoaded: resources.some(isEndedWhenLoaded),
    inOwnIds: (text) =>
      [...own].reduce((said, [id, name]) => said.replaceAll(new RegExp(`${id}(?![0-9])`, 'g'), name), text),
  };
}

function isEndedWhenLoaded(resource: Resource): boolean {
  return ['stopped', 'completed'].includes(string(resource['status']) ?? '') && resource['statusChanged'] === undefined
    ? /^Medication(Request|Statement)$/.test(resource.resourceType)
    : false;
}

/** What the bundle's client said about keys without a resource: that the search failed, or that there is none. */
function stated(prefetch: JsonObject): JsonObject {
  return Object.fromEntries(
    sections.flatMap((section): [Section, Json][] => {
      if (prefetch[section] === undefined) return [[section, NOT_GIVEN]];
      return prefetch[section] === null ? [[section, null]] : [];
    }),
  );
}

type Found = { resource: Resource; fullUrl: string | undefined }[];

function resourcesOf(section: Section, value: Json | undefined, patientId: string): Found | undefined {
  if (value === undefined || value === null) return [];
  const { entries, failed, hasNextPage } = readBundle(value);
  const types = [partOf[section].type, 'Medication'];
  if (failed || hasNextPage || !entries.every(({ resource }) => types.includes(resource.resourceType)))
    return undefined;
  // A server's search for one patient never returns only another patient's resources.
  const isOwn = ({ resource }: Found[number]) => {
    const subject = string(object(resource['subject'] ?? resource['patient'])['reference']);
    return subject === undefined || subject === `Patient/${patientId}`;
  };
  return entries.length > 0 && !entries.some(isOwn) ? undefined : entries;
}

/** A copy with references changed to the new ids. */
function rename(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return value.map((item) => rename(item, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'reference' && typeof item === 'string' ? (refOf(item, ids) ?? item) : rename(item ?? null, ids),
    ]),
  );
}

function refOf(reference: string, ids: ReadonlyMap<string, string>): string | undefined {
  const [, type] = /([A-Za-z]+)\/[^/]+(?:\/_history\/[^/]*)?$/.exec(reference) ?? [];
  const found = ids.get(reference) ?? (type === undefined ? undefined : ids.get(`${type}/${idOf(reference)}`));
  if (found === undefined) return undefined;
  return type === undefined ? reference : `${type}/${found}`;
}

/** Drafts that change an order on record use that order's id on the server. */
function withIds(drafts: Json, ids: ReadonlyMap<string, string>): Json {
  if (!isObject(drafts) || !Array.isArray(drafts['entry'])) return drafts;
  const entry = drafts['entry'].map((item) => {
    const resource = object(object(item)['resource']);
    const id = ids.get(`${string(resource['resourceType'])}/${string(resource['id'])}`);
    return id === undefined ? item : { ...object(item), resource: { ...resource, id } };
  });
  return { ...drafts, entry };
}
