import { parseArgs } from 'node:util';
import { brand } from '../brand.ts';
import { readBundle } from '../fhir/bundle.ts';
import { isObject, object, type Resource } from '../fhir/json.ts';
import { partOf, type Section, sections } from '../fhir/prefetch.ts';
import { readText } from '../text.ts';
import { runCommand } from './words.ts';

const USAGE = `Usage: npm run rekey -- FILE [--now 2026-03-02]

Writes a CDS Hooks request (FILE, or - for standard input) to standard output with its prefetch re-keyed to this service's own keys, by the type of the
resources under each key. --now adds the evaluation date, for requests that were recorded in the past.
`;

/**
 * Re-keys a request's prefetch to our own keys by resource type. Medications beside the orders stay beside them. A key
 * without resources is recognised by its name: `medicationRequests`, or `MedReqs` for a MedicationRequest search.
 */
export function rekey(body: unknown, now?: string): Record<string, unknown> {
  const request = object(body);
  const groups = new Map<Section, Resource[]>();
  const others: Resource[] = [];
  const partial = new Set<Section>();
  for (const [key, value] of Object.entries(object(request['prefetch']))) {
    const { entries, failed, hasNextPage } = readBundle(value);
    // An error becomes an absent key.
    if (failed && value !== null) continue;
    if (entries.length === 0) {
      const section = sectionOfKey(key);
      if (section && !groups.has(section)) groups.set(section, []);
    }
    for (const { resource } of entries) {
      const section = sections.find((candidate) => partOf[candidate].type === resource.resourceType);
      if (section && hasNextPage) partial.add(section);
      if (section) groups.set(section, [...(groups.get(section) ?? []), resource]);
      else others.push(resource);
    }
  }
  const prefetch = Object.fromEntries(
    [...groups].map(([section, resources]) => [section, keyed(section, resources, others, partial.has(section))]),
  );
  const extension =
    now === undefined ? {} : { extension: { ...object(request['extension']), [brand.extension]: { now } } };
  return { ...request, prefetch, ...extension };
}

function keyed(section: Section, resources: Resource[], others: Resource[], partial: boolean): unknown {
  if (section === 'patient') return resources[0] ?? null;
  const included = section === 'medications' ? others.filter(({ resourceType }) => resourceType === 'Medication') : [];
  const entries = [
    ...resources.map((resource) => ({ resource, search: { mode: 'match' } })),
    ...included.map((resource) => ({ resource, search: { mode: 'include' } })),
  ];
  // A first page stays a first page; the address of the next one belongs to the other server.
  const link = partial ? { link: [{ relation: 'next', url: 'urn:next-page' }] } : {};
  return { resourceType: 'Bundle', type: 'searchset', ...link, ...(entries.length > 0 && { entry: entries }) };
}

function sectionOfKey(key: string): Section | undefined {
  const name = key.toLowerCase();
  return sections.find(
    (section) => name.startsWith(section.replace(/s$/, '')) || name.startsWith(partOf[section].type.toLowerCase()),
  );
}

if (import.meta.main) await runCommand(USAGE, run);

function run(words: string[]): void {
  const options = { now: { type: 'string' } } as const;
  const { positionals, values } = parseArgs({ args: words, allowPositionals: true, options });
  const [file] = positionals;
  if (file === undefined) throw new Error(USAGE);
  const body: unknown = JSON.parse(readText(file === '-' ? 0 : file));
  if (!isObject(body)) throw new Error('The file is not a CDS Hooks request.');
  process.stdout.write(`${JSON.stringify(rekey(body, values.now), null, 2)}\n`);
}
