import { readBundle } from '../fhir/bundle.ts';
import { isResource, type Resource } from '../fhir/json.ts';
import { partOf } from '../fhir/prefetch.ts';

/** The types that some rule may read. All others are left aside before anything is counted or measured. */
const READ: ReadonlySet<string> = new Set([...Object.values(partOf).map(({ type }) => type), 'Medication']);

export function isRead({ resourceType }: Resource): boolean {
  return READ.has(resourceType);
}

const TYPE = /^\ufeff?\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]+)"/;

/** Whether a JSON text may hold anything of these types, by how it begins. Where the type does not come first: yes. */
export function mayBeRead(head: string): boolean {
  const [, type] = TYPE.exec(head) ?? [];
  return type === undefined || type === 'Bundle' || READ.has(type);
}

/** What is read of a bundle or a resource. */
export function contentsOf(value: Resource): Resource[] {
  const all = value.resourceType === 'Bundle' ? readBundle(value).entries.map(({ resource }) => resource) : [value];
  return all.filter(isRead);
}

/** What is read of JSON texts of which each is a bundle or a resource. */
export function resourcesOf(texts: string[]): Resource[] {
  return texts.flatMap((text) => {
    const value: unknown = JSON.parse(text);
    return isResource(value) ? contentsOf(value) : [];
  });
}
