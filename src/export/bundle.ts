import type { Bundle, FhirResource } from 'fhir/r4.js';
import { brand } from '../brand.ts';
import { uuidOf } from '../cards/rendering.ts';
import { codeSystems, reasonValueSet } from './code-systems.ts';
import type { Context } from './context.ts';
import { extensionDefinitions } from './extensions.ts';
import { libraries } from './libraries.ts';
import { valueSets } from './lists.ts';
import { activityDefinitions } from './orders.ts';
import { planDefinitions } from './plans.ts';

/**
 * Rules, facts, lists and words as FHIR R4: one transaction that puts each resource under its own id, so that a
 * repository accepts it unchanged and repeatedly. The same knowledge and options give the same bytes.
 */
export function exportBundle(context: Context): Bundle {
  const resources: FhirResource[] = [
    ...planDefinitions(context),
    ...libraries(context),
    ...activityDefinitions(context),
    ...valueSets(context),
    reasonValueSet(context),
    ...codeSystems(context),
    ...extensionDefinitions(context),
  ];
  return {
    resourceType: 'Bundle',
    identifier: { system: brand.knowledgeSystem, value: context.knowledge.fingerprint },
    type: 'transaction',
    entry: resources.map((resource) => {
      const url = `${resource.resourceType}/${resource.id}`;
      return { fullUrl: `urn:uuid:${uuidOf(context.base, url)}`, resource, request: { method: 'PUT', url } };
    }),
  };
}
