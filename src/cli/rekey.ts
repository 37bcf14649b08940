import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brand } from '../brand.ts';
import { readBundle } from '../fhir/bundle.ts';
import { isObject, object, type Resource } from '../fhir/json.ts';
import { type Section, sections, sectionTypes } from '../fhir/prefetch.ts';

const USAGE = `Usage: npm run rekey -- FILE [--now 2026-03-02]

Writes a CDS Hooks request to standard output with its prefetch re-keyed to this service's own keys, by the type of the
resources under each key. --now adds the evaluation date, for requests that were recorded in the past.
`;

/**
 * Re-keys a request's prefetch to our own keys by resource type. Medications that came beside the orders stay beside
 * them. A key without resources is told by its name: `medicationRequests`, `MedReqs` of a MedicationRequest search, ….
 */
export function rekey(body: unknown, now?: string): Record<string, unknown> {
  const request = object(body);
  const groups = new Map<Section, Resource[]>();
  const others: Resource[] = [];
  for (const [key, value] of Object.entries(object(request['prefetch']))) {
    const { entries, failed } = readBundle(value);
    // An error stays an error: as an absent key.
    if (failed && value !== null) continue;
    if (entries.length === 0) {
      const section = sectionOfKey(key);
      if (section && !groups.has(section)) groups.set(section, []);
    }
    for (const { resource } of entries) {
      const section = sections.find((candidate) => sectionTypes[candidate] === resource.resourceType);
      if (section) groups.set(section, [...(groups.get(section) ?? []), resource]);
      else others.push(resource);
    }
  }
  const prefetch = Object.fromEntries(
    [...groups].map(([section, resources]) => [section, keyed(section, resources, others)]),
  );
  const extension =
    now === undefined ? {} : { extension: { ...object(request['extension']), [brand.extension]: { now } } };
  return { ...request, prefetch, ...extension };
}

function keyed(section: Section, resources: Resource[], others: Resource[]): unknown {
  if (section === 'patient') return resources[0] ?? null;
  const included = section === 'medications' ? others.filter(({ resourceType }) => resourceType === 'Medication') : [];
  const entries = [
    ...resources.map((resource) => ({ resource, search: { mode: 'match' } })),
    ...included.map((resource) => ({ resource, search: { mode: 'include' } })),
  ];
  return { resourceType: 'Bundle', type: 'searchset', ...(entries.length > 0 && { entry: entries }) };
}

function sectionOfKey(key: string): Section | undefined {
  const name = key.toLowerCase();
  return sections.find(
    (section) => name.startsWith(section.replace(/s$/, '')) || name.startsWith(sectionTypes[section].toLowerCase()),
  );
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { now: { type: 'string' } } });
  const [file] = positionals;
  const body: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
  if (!isObject(body)) {
    process.stderr.write(USAGE);
    process.exit(2);
  }
  process.stdout.write(`${JSON.stringify(rekey(body, values.now), null, 2)}\n`);
}
