import { readBundle } from './bundle.ts';
import type { FetchFailed, FetchJson } from './fetch-json.ts';
import { isObject, type Json, type JsonObject, object, objects, type Resource, reference, string } from './json.ts';
import { prefetchTemplates, readPrefetch, type Section, sectionTypes } from './prefetch.ts';

/** How a call may ask its FHIR server: CDS Hooks, FHIR Resource Access. */
export type Access = {
  /** The listed base URL, without a slash at the end. */
  base: string;
  /** `Bearer …`; absent for an open sandbox server. */
  authorization: string | undefined;
  privateNetwork: boolean;
};

/** The site's limits (hooks/site.yaml, `fetch`). */
export type FetchLimits = {
  /** After so long the answer goes without what only sharpens it. */
  softMs: number;
  /** After so long it goes without what it needs. */
  hardMs: number;
  maxPages: number;
  post: boolean;
};

export type Outcome = { key: string; outcome: 'fetched' | FetchFailed['failure'] | 'no-fhir' };
export type Completed = { prefetch: JsonObject; outcomes: Outcome[] };

type Asking = { access: Access; limits: FetchLimits; fetchJson: FetchJson; signal: AbortSignal; outcomes: Outcome[] };
type Context = { patientId: string; encounterId: string | undefined };

const EMPTY: JsonObject = { resourceType: 'Bundle', type: 'searchset' };
const MISSING: JsonObject = {
  ...EMPTY,
  entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] } }],
};

/** How many medicines that only have a reference are looked up for one call. */
const MAX_MEDICATIONS = 50;

/**
 * Fetches what a call's prefetch lacks: absent and failed keys, and further pages of those that are not whole. All keys
 * in parallel under one deadline; `needed` ones may take until the hard limit, the others until the soft one. What fails
 * stays as it was, and the chart says that it is missing (conformance P1, P3, P7, F1–F11).
 */
export async function completePrefetch(
  prefetch: unknown,
  sections: Section[],
  needed: readonly Section[],
  context: Context,
  drafts: Resource[],
  { access, limits, fetchJson }: { access: Access; limits: FetchLimits; fetchJson: FetchJson },
): Promise<Completed> {
  const values: JsonObject = { ...object(prefetch) };
  const hard = new AbortController();
  const asking: Asking = { access, limits, fetchJson, signal: hard.signal, outcomes: [] };
  const lacking = sections.filter((section) =>
    ['absent', 'failed', 'partial'].includes(readPrefetch(values, section).state),
  );
  const tasks = new Map(lacking.map((section) => [section, fill(values, section, context, asking)]));
  const list = Promise.resolve(tasks.get('medications')).then(() => addMedications(values, drafts, asking));
  const all = Promise.all([...tasks.values(), list]);
  const must = Promise.all([...needed.map((section) => tasks.get(section)), list]);
  await within(all, limits.softMs);
  await within(must, limits.hardMs - limits.softMs);
  // Whatever still runs may not write into an answer that has gone.
  const answered = { prefetch: { ...values }, outcomes: [...asking.outcomes] };
  hard.abort();
  await Promise.allSettled([all, must]);
  return { ...answered, outcomes: asking.outcomes };
}

async function within(task: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, milliseconds));
  });
  await Promise.race([task, late]);
  clearTimeout(timer);
}

/** Fills one key with what the server has, or leaves it as it was. */
async function fill(values: JsonObject, section: Section, context: Context, asking: Asking): Promise<void> {
  const query = queryOf(section, context);
  if (query === undefined) return;
  try {
    const partial = readPrefetch(values, section).state === 'partial';
    const first = partial ? values[section] : await ask(addressOf(query, asking), asking, formOf(query, asking));
    const whole = await withPages(first as Json, asking);
    if (!whole) throw Object.assign(new Error('no FHIR'), { failure: 'no-fhir' });
    values[section] = whole;
    asking.outcomes.push({ key: section, outcome: 'fetched' });
  } catch (error) {
    asking.outcomes.push({
      key: section,
      outcome: (error as { failure?: Outcome['outcome'] }).failure ?? 'unreachable',
    });
  }
}

/** The query of a template for this call; undefined where a token has no value. */
function queryOf(section: Section, { patientId, encounterId }: Context): string | undefined {
  if (section === 'encounter' && encounterId === undefined) return undefined;
  return prefetchTemplates[section]
    .replace('{{context.patientId}}', encodeURIComponent(patientId))
    .replace('{{context.encounterId}}', encodeURIComponent(encounterId ?? ''));
}

function isSearch(query: string): boolean {
  return query.includes('?');
}

function addressOf(query: string, { access, limits }: Asking): string {
  const [path, search] = query.split('?');
  if (limits.post && search !== undefined) return `${access.base}/${path}/_search`;
  return `${access.base}/${query}${isSearch(query) ? '&_count=500' : ''}`;
}

function formOf(query: string, { limits }: Asking): string | undefined {
  return limits.post && isSearch(query) ? `${query.split('?')[1]}&_count=500` : undefined;
}

async function ask(url: string, { access, limits, fetchJson, signal }: Asking, form?: string): Promise<unknown> {
  const { body } = await fetchJson(url, {
    privateNetwork: access.privateNetwork,
    // A little sooner than the deadline, so that a server that hangs is known as one.
    timeoutMs: Math.max(1, limits.hardMs - 50),
    accept: 'application/fhir+json',
    signal,
    ...(access.authorization !== undefined && { authorization: access.authorization }),
    ...(form !== undefined && { form }),
  });
  return body;
}

/**
 * A bundle with its further pages, of the same server only. Where a page cannot be had, the bundle keeps its link to it,
 * so that the chart knows it is not whole. Undefined where it is no FHIR at all.
 */
async function withPages(first: Json, asking: Asking): Promise<Json | undefined> {
  if (!isObject(first) || typeof first['resourceType'] !== 'string' || first['resourceType'] === 'OperationOutcome')
    return undefined;
  if (first['resourceType'] !== 'Bundle') return first;
  const entries = [...objects(first['entry'])];
  let next = nextOf(first);
  for (let page = 1; next !== undefined && page < asking.limits.maxPages; page++) {
    const url = new URL(next, `${asking.access.base}/`);
    if (url.origin !== new URL(asking.access.base).origin) break;
    const more = await ask(url.toString(), asking).catch(() => undefined);
    if (!isObject(more) || more['resourceType'] !== 'Bundle') break;
    entries.push(...objects((more as JsonObject)['entry']));
    next = nextOf(more as JsonObject);
  }
  const link = next === undefined ? {} : { link: [{ relation: 'next', url: next }] };
  const { link: _first, ...bundle } = first;
  return { ...bundle, entry: entries, ...link };
}

function nextOf(bundle: JsonObject): string | undefined {
  return objects(bundle['link']).flatMap((link) => (link['relation'] === 'next' ? [string(link['url'])] : []))[0];
}

/** Looks up Medications that orders only point to and that nobody sent (conformance H15, PT8). */
async function addMedications(values: JsonObject, drafts: Resource[], asking: Asking): Promise<void> {
  const list = readBundle(values['medications'] ?? {}).entries.map(({ resource }) => resource);
  const sent = new Set(list.map(({ resourceType, id }) => `${resourceType}/${string(id) ?? ''}`));
  const wanted = [...drafts, ...list]
    .filter(({ resourceType }) => resourceType === sectionTypes.medications)
    .map((order) => reference(order['medicationReference']) ?? reference(object(order['medication'])['reference']))
    .map((ref) => /^(?:.*\/)?(Medication\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]*)?$/.exec(ref ?? '')?.[1])
    .filter((ref) => ref !== undefined && !sent.has(ref));
  const found = await Promise.all(
    [...new Set(wanted)]
      .slice(0, MAX_MEDICATIONS)
      .map((ref) => ask(`${asking.access.base}/${ref}`, asking).catch(() => undefined)),
  );
  const medications = found.filter(
    (resource): resource is JsonObject => isObject(resource) && resource['resourceType'] === 'Medication',
  );
  if (medications.length === 0) return;
  // Where the list itself is missing it stays so: what is added then only tells what the drafts are.
  const bundle = isObject(values['medications'])
    ? values['medications']
    : values['medications'] === null
      ? EMPTY
      : MISSING;
  const included = medications.map((resource) => ({ resource, search: { mode: 'include' } }));
  values['medications'] = { ...bundle, entry: [...objects(bundle['entry']), ...included] };
}
