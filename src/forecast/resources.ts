import { readBundle } from '../fhir/bundle.ts';
import { isResource, type Resource } from '../fhir/json.ts';

/** The resources in JSON texts of which each is a bundle or a resource. */
export function resourcesOf(texts: string[]): Resource[] {
  return texts.flatMap((text) => {
    const value: unknown = JSON.parse(text);
    if (!isResource(value)) return [];
    return value.resourceType === 'Bundle' ? readBundle(value).entries.map(({ resource }) => resource) : [value];
  });
}
