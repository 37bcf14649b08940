import { readBundle } from './bundle.ts';
import { FetchFailed, type FetchJson } from './fetch-json.ts';
import { isObject, type Json, type JsonObject, object, objects, type Resource, reference, string } from './json.ts';
import { prefetchTemplates, readPrefetch, type Section } from './prefetch.ts';

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

export type Outcome = { key: string; outcome: 'fetched' | 'partial' | FetchFailed['failure'] };
export type Completed = { prefetch: JsonObject; outcomes: Outcome[] };

type Asking = {
  access: Access;
  limits: FetchLimits;
  fetchJson: FetchJson;
  signal: AbortSignal;
  outcomes: Outcome[];
  medications: Map<string, Medicine>;
};
type Medicine = { address: string; resource: JsonObject };
type Context = { patientId: string; encounterId: string | undefined };

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
  const asking: Asking = { access, limits, fetchJson, signal: hard.signal, outcomes: [], medications: new Map() };
  // A client that says it failed is believed, and not asked again on its behalf (P6).
  const lacking = sections.filter(
    (section) =>
      readPrefetch(values, section).state !== 'complete' &&
      object(values[section])['resourceType'] !== 'OperationOutcome',
  );
  const tasks = new Map(lacking.map((section) => [section, fill(values, section, context, asking)]));
  const lookUps = [
    lookUp(drafts, asking),
    ...MEDICINES.map((section) =>
      Promise.resolve(tasks.get(section)).then(() => lookUp(resourcesOf(values[section]), asking)),
    ),
  ];
  const all = Promise.all([...tasks.values(), ...lookUps]);
  const must = Promise.all([...needed.map((section) => tasks.get(section)), lookUps[0], lookUps[1]]);
  await within(all, limits.softMs);
  await within(must, limits.hardMs - limits.softMs);
  // Whatever still runs may not write into an answer that has gone.
  const answered = withMedications({ ...values }, [...asking.medications.values()]);
  hard.abort();
  await Promise.allSettled([all, must]);
  return { prefetch: answered, outcomes: asking.outcomes };
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
    const begun = readPrefetch(values, section).state === 'partial';
    const first = begun ? values[section] : await ask(addressOf(query, asking), asking, formOf(query, asking));
    if (!isObject(first) || (!begun && !isFhir(first))) throw new FetchFailed('no-fhir');
    // What is here already counts, should the next page never come.
    values[section] = first;
    values[section] = await withPages(first, asking);
    const { state } = readPrefetch(values, section);
    asking.outcomes.push({
      key: section,
      outcome: state === 'complete' ? 'fetched' : state === 'partial' ? 'partial' : 'no-fhir',
    });
  } catch (error) {
    asking.outcomes.push({ key: section, outcome: error instanceof FetchFailed ? error.failure : 'unreachable' });
  }
}

function isFhir(value: JsonObject): boolean {
  return typeof value['resourceType'] === 'string' && value['resourceType'] !== 'OperationOutcome';
}

/** The query of a template for this call; undefined where a token has no value. */
function queryOf(section: Section, { patientId, encounterId }: Context): string | undefined {
  // An id of dots would leave its place in the address.
  const id = section === 'encounter' ? encounterId : patientId;
  if (id === undefined || /^\.+$/.test(id)) return undefined;
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
 * so that the chart knows it is not whole. What is no bundle has no pages.
 */
async function withPages(first: JsonObject, asking: Asking): Promise<JsonObject> {
  const bundle = bundleIn(first);
  if (!bundle) return first;
  // Entries stay as they came: what cannot be read among them speaks against the whole.
  const entries = entriesOf(bundle);
  let next = nextOf(bundle);
  for (let page = 1; next !== undefined && page < asking.limits.maxPages; page++) {
    const url = pageAddress(next, asking.access.base);
    const more = url === undefined ? undefined : await ask(url, asking).catch(() => undefined);
    const following = isObject(more) ? bundleIn(more as JsonObject) : undefined;
    if (!following) break;
    entries.push(...entriesOf(following));
    next = nextOf(following);
  }
  const { link: _first, ...rest } = bundle;
  return { ...rest, entry: entries, ...(next !== undefined && { link: [{ relation: 'next', url: next }] }) };
}

function entriesOf({ entry }: JsonObject): Json[] {
  if (entry === undefined) return [];
  return Array.isArray(entry) ? [...entry] : [entry];
}

/** The bundle that a value is or wraps: one that forgot its type, and the pre-1.0 wrapper, too. */
function bundleIn(value: JsonObject): JsonObject | undefined {
  if (!('resourceType' in value) && isObject(value['resource'])) return bundleIn(value['resource']);
  const bundle = value['resourceType'] === 'Bundle' || (!('resourceType' in value) && Array.isArray(value['entry']));
  return bundle ? value : undefined;
}

/** The address of a further page; undefined for one of another server, and for what is no address. */
function pageAddress(next: string, base: string): string | undefined {
  const url = URL.canParse(next, `${base}/`) ? new URL(next, `${base}/`) : undefined;
  return url?.origin === new URL(base).origin ? url.toString() : undefined;
}

function nextOf(bundle: JsonObject): string | undefined {
  return objects(bundle['link']).flatMap((link) => (link['relation'] === 'next' ? [string(link['url']) ?? ''] : []))[0];
}

/** Parts of the record whose resources may only point to their medicine; the list first. */
const MEDICINES = ['medications', 'statements', 'dispenses', 'administrations'] as const;

function resourcesOf(value: unknown): Resource[] {
  return readBundle(value ?? {}).entries.map(({ resource }) => resource);
}

/** Looks up Medications that orders only point to and that nobody sent (conformance H15, PT8). */
async function lookUp(resources: Resource[], asking: Asking): Promise<void> {
  const sent = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${string(id) ?? ''}`));
  const wanted = resources
    .map((order) => reference(order['medicationReference']) ?? reference(object(order['medication'])['reference']))
    .map((ref) => medicationOf(ref, asking.access.base))
    .filter((ref) => ref !== undefined && !sent.has(ref) && !asking.medications.has(ref));
  await Promise.all(
    [...new Set(wanted as string[])].slice(0, MAX_MEDICATIONS).map(async (ref) => {
      const found = await ask(`${asking.access.base}/${ref}`, asking).catch(() => undefined);
      if (!isObject(found) || found['resourceType'] !== 'Medication') return;
      asking.medications.set(ref, { address: `${asking.access.base}/${ref}`, resource: found as JsonObject });
    }),
  );
}

/** `Medication/x` of a reference that lies on this server: relative, or by its full address. */
function medicationOf(ref: string | undefined, base: string): string | undefined {
  const local = ref?.startsWith(`${base}/`) ? ref.slice(base.length + 1) : ref;
  return /^(Medication\/[A-Za-z0-9_.-]{1,256})(?:\/_history\/[^/]*)?$/.exec(local ?? '')?.[1];
}

/** The prefetch with the Medications that were looked up, as includes of the list. */
function withMedications(values: JsonObject, medications: Medicine[]): JsonObject {
  if (medications.length === 0) return values;
  const { state } = readPrefetch(values, 'medications');
  // Where the list itself is missing it stays so: what is added then only tells what the drafts are.
  const list = state === 'absent' || state === 'failed' ? MISSING : asBundle(values['medications'] ?? null);
  const included = medications.map(({ address, resource }) => ({
    fullUrl: address,
    resource,
    search: { mode: 'include' },
  }));
  return { ...values, medications: { ...list, entry: [...entriesOf(list), ...included] } };
}

function asBundle(value: Json): JsonObject {
  if (!isObject(value)) return { resourceType: 'Bundle', type: 'searchset' };
  return bundleIn(value) ?? { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: value }] };
}

const MISSING: JsonObject = {
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] } }],
};
