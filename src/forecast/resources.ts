import { readBundle } from '../fhir/bundle.ts';
import { isResource, type Resource } from '../fhir/json.ts';
import { partOf } from '../fhir/prefetch.ts';

/** The types that a rule may read. All others are skipped before anything is counted or measured. */
const READ: ReadonlySet<string> = new Set([...Object.values(partOf).map(({ type }) => type), 'Medication']);

export function isRead({ resourceType }: Resource): boolean {
  return READ.has(resourceType);
}

const TYPE = /^\ufeff?\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"/;

/** Whether a JSON text may contain these types, by its beginning. If the type does not come first: yes. */
export function mayBeRead(head: string): boolean {
  const [, type] = TYPE.exec(head) ?? [];
  return type === undefined || type === 'Bundle' || READ.has(type);
}

/** The resources read from a bundle or a resource. */
export function contentsOf(value: Resource): Resource[] {
  const all = value.resourceType === 'Bundle' ? readBundle(value).entries.map(({ resource }) => resource) : [value];
  return all.filter(isRead);
}

/** The resources read from JSON texts, each a bundle or a resource. */
export function resourcesOf(texts: string[]): Resource[] {
  return texts.flatMap((text) => {
    const value: unknown = JSON.parse(text);
    return isResource(value) ? contentsOf(value) : [];
  });
}
