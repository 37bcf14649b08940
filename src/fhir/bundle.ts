import { isObject, isResource, type JsonObject, object, objects, type Resource, string } from './json.ts';

export type Entry = { resource: Resource; fullUrl: string | undefined; include: boolean };

/** What a bundle, a bare resource or a pre-1.0 wrapper holds, and what speaks against its being whole. */
export type Contents = { entries: Entry[]; failed: boolean; hasNextPage: boolean };

/**
 * Reads what a client sends where the specification has a Bundle: any Bundle type or none, no entries, a bare
 * resource, or the pre-1.0 `{response, resource}` wrapper (conformance H9, P5, P8, P9, P10, P11). An
 * OperationOutcome, as the value or among the entries, says that the client failed to get the data (P6).
 */
export function readBundle(value: unknown): Contents {
  if (!isObject(value)) return { entries: [], failed: true, hasNextPage: false };
  if (!('resourceType' in value) && isResource(value['resource'])) return readBundle(value['resource']);
  if (value['resourceType'] === 'OperationOutcome') return { entries: [], failed: true, hasNextPage: false };
  if (value['resourceType'] === 'Bundle' || (!('resourceType' in value) && Array.isArray(value['entry'])))
    return readEntries(value);
  if (!isResource(value)) return { entries: [], failed: true, hasNextPage: false };
  return { entries: [{ resource: value, fullUrl: undefined, include: false }], failed: false, hasNextPage: false };
}

function readEntries(bundle: JsonObject): Contents {
  const entries: Entry[] = [];
  let failed = false;
  for (const entry of objects(bundle['entry'])) {
    const resource = entry['resource'];
    if (!isResource(resource)) continue;
    // A warning beside the matches is only a remark; an error says that the list is not whole.
    if (resource.resourceType === 'OperationOutcome') failed ||= objects(resource['issue']).some(isError);
    else
      entries.push({
        resource,
        fullUrl: string(entry['fullUrl']),
        include: object(entry['search'])['mode'] === 'include',
      });
  }
  const hasNextPage = objects(bundle['link']).some((link) => link['relation'] === 'next' && string(link['url']));
  return { entries, failed, hasNextPage };
}

function isError(issue: JsonObject): boolean {
  return issue['severity'] === 'error' || issue['severity'] === 'fatal';
}
