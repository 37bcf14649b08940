import { isObject, isResource, type JsonObject, number, object, objects, type Resource, string } from './json.ts';

export type Entry = { resource: Resource; fullUrl: string | undefined; include: boolean };

/** The contents of a bundle, a bare resource or a pre-1.0 wrapper, and any sign that they are incomplete. */
export type Contents = { entries: Entry[]; failed: boolean; hasNextPage: boolean };

/**
 * Reads what a client sends where the specification has a Bundle: any Bundle type or none, no entries, a bare resource,
 * or the pre-1.0 `{response, resource}` wrapper (conformance H9, P5, P8, P9, P10, P11). An OperationOutcome, as the
 * value or among the entries, means that the client failed to get the data (P6).
 */
export function readBundle(value: unknown): Contents {
  if (!isObject(value)) return NOTHING;
  if (!('resourceType' in value) && isResource(value['resource'])) return readBundle(value['resource']);
  if (value['resourceType'] === 'OperationOutcome') return NOTHING;
  if (value['resourceType'] === 'Bundle' || (!('resourceType' in value) && Array.isArray(value['entry'])))
    return readEntries(value);
  if (!isResource(value)) return NOTHING;
  return {
    entries: [{ resource: value, fullUrl: undefined, include: false }],
    failed: false,
    hasNextPage: false,
  };
}

function readEntries(bundle: JsonObject): Contents {
  const entries: Entry[] = [];
  // An entry that cannot be read might be anything.
  let failed =
    'entry' in bundle && bundle['entry'] !== null && !isObject(bundle['entry']) && !Array.isArray(bundle['entry']);
  for (const item of [bundle['entry'] ?? []].flat()) {
    const entry = object(item);
    const resource = entry['resource'];
    if (!isResource(resource)) failed = true;
    // A warning among the matches is only a remark; an error means that the list is incomplete.
    else if (resource.resourceType === 'OperationOutcome') failed ||= objects(resource['issue']).some(isError);
    else {
      const include = object(entry['search'])['mode'] === 'include';
      entries.push({ resource, fullUrl: string(entry['fullUrl']), include });
    }
  }
  const total = number(bundle['total']) ?? 0;
  const cut = total > entries.filter(({ include }) => !include).length && !failed;
  return {
    entries,
    failed,
    hasNextPage: cut || objects(bundle['link']).some((link) => link['relation'] === 'next'),
  };
}

const NOTHING: Contents = { entries: [], failed: true, hasNextPage: false };

function isError(issue: JsonObject): boolean {
  return issue['severity'] === 'error' || issue['severity'] === 'fatal';
}
