import type { Budget } from './budget.ts';
import { readBundle } from './bundle.ts';
import { FetchFailed, type FetchJson } from './fetch-json.ts';
import { isObject, type JsonObject, object, type Resource, reference, string } from './json.ts';
import { asBundle, bundleIn, entriesOf, localPart, nextOf, pageAddress, pagesAhead, type Server } from './pages.ts';
import { NOT_FOUND } from './patient.ts';
import { readPrefetch, type Section } from './prefetch.ts';
import { type Context, type Query, queriesOf, type ResultWindow } from './queries.ts';

/** How a call may ask its FHIR server: CDS Hooks, FHIR Resource Access. */
export type Access = Server & {
  /** `Bearer …`; absent for an open sandbox server. */
  authorization: string | undefined;
  privateNetwork: boolean;
  /** Whose call it is: nothing that happens here is felt by the calls of another. */
  client: string;
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

/** What a key came to. `status`: the last HTTP status that was no data. `host`: where its next page was said to be. */
export type Outcome = {
  key: Section;
  outcome: 'fetched' | 'partial' | 'next-elsewhere' | FetchFailed['failure'];
  status?: number;
  host?: string;
};
export type Completed = { prefetch: JsonObject; outcomes: Outcome[] };

export type Fetching = {
  access: Access;
  limits: FetchLimits;
  fetchJson: FetchJson;
  /** What all answers of the call together may come to. */
  budget: Budget;
  /** Which results are asked for; all without it. */
  results?: ResultWindow | undefined;
};

type Asking = Fetching & { signal: AbortSignal; outcomes: Outcome[]; medications: Map<string, Medicine> };
type Medicine = { address: string; resource: JsonObject };

/** How many medicines that only have a reference are looked up for one call. */
const MAX_MEDICATIONS = 50;
/** How many pages of a key are asked for before their turn. */
const PAGES_AHEAD = 3;

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
  fetching: Fetching,
): Promise<Completed> {
  const { softMs, hardMs } = fetching.limits;
  const values: JsonObject = { ...object(prefetch) };
  const abort = new AbortController();
  const asking: Asking = { ...fetching, signal: abort.signal, outcomes: [], medications: new Map() };
  const [soft, hard] = [deadline(softMs), deadline(hardMs)];
  // A client that says it failed is believed, and not asked again on its behalf (P6).
  const lacking = sections.filter(
    (section) =>
      readPrefetch(values, section).state !== 'complete' &&
      object(values[section])['resourceType'] !== 'OperationOutcome',
  );
  // None of these ever rejects: nobody may be waiting for it any more by then.
  const tasks = new Map(lacking.map((section) => [section, fill(values, section, context, asking)]));
  const lookUps = [
    lookUp(() => drafts, asking),
    ...MEDICINES.map(async (section) => {
      await tasks.get(section);
      await lookUp(() => resourcesOf(values[section]), asking);
    }),
  ];
  const must = async () => {
    await Promise.all([...needed.map((section) => tasks.get(section)), lookUps[0], lookUps[1]]);
    // Where all that is needed is empty, the patient may be one whom the server does not know.
    if (needed.every((section) => readPrefetch(values, section).resources.length === 0)) await tasks.get('patient');
  };
  await Promise.race([Promise.all([...tasks.values(), ...lookUps]), soft.passed]);
  await Promise.race([must(), hard.passed]);
  // Whatever still runs may not write into an answer that has gone.
  const answered = withMedications({ ...values }, [...asking.medications.values()]);
  abort.abort();
  soft.clear();
  hard.clear();
  await Promise.all([...tasks.values(), ...lookUps]);
  return { prefetch: answered, outcomes: asking.outcomes };
}

function deadline(milliseconds: number): { passed: Promise<void>; clear: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { passed, clear: () => clearTimeout(timer) };
}

/** Fills one key with what the server has, or leaves it as it was. Never rejects. */
async function fill(values: JsonObject, section: Section, context: Context, asking: Asking): Promise<void> {
  const tell = (outcome: Omit<Outcome, 'key'>) => void asking.outcomes.push({ key: section, ...outcome });
  try {
    const begun = readPrefetch(values, section).state === 'partial' ? object(values[section]) : undefined;
    const queries = begun ? [] : queriesOf(section, context, asking.results);
    if (!begun && queries.length === 0) return;
    const parts: JsonObject[] = begun ? [begun] : [];
    const hosts: string[] = [];
    const keep = (at: number) => (bundle: JsonObject) => {
      parts[at] = bundle;
      // What is here already counts, should the rest never come.
      const here = Object.values(parts);
      values[section] = joined(here, here.length < queries.length);
    };
    const follow = async (first: JsonObject, at: number) => {
      keep(at)(first);
      const elsewhere = await followPages(first, asking, keep(at));
      if (elsewhere !== undefined) hosts.push(elsewhere);
    };
    if (begun) await follow(begun, 0);
    else
      await allOf(
        queries.map(async (query, at) => {
          const first = await search(query, asking);
          if (!isObject(first) || !isFhir(first)) throw new FetchFailed('no-fhir');
          await follow(first, at);
        }),
      );
    const { state } = readPrefetch(values, section);
    const [host] = hosts;
    if (state === 'complete') tell({ outcome: 'fetched' });
    else if (state !== 'partial') tell({ outcome: 'no-fhir' });
    else tell(host === undefined ? { outcome: 'partial' } : { outcome: 'next-elsewhere', host });
  } catch (error) {
    const { failure, status } = error instanceof FetchFailed ? error : new FetchFailed('unreachable');
    if (section === 'patient' && (status === 404 || status === 410)) values[section] = NOT_FOUND;
    tell({ outcome: failure, ...(status !== undefined && { status }) });
  }
}

/** Waits for all, also where one fails, and then fails by the first that did. */
async function allOf(tasks: Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(tasks)) if (settled.status === 'rejected') throw settled.reason;
}

function isFhir(value: JsonObject): boolean {
  return typeof value['resourceType'] === 'string' && value['resourceType'] !== 'OperationOutcome';
}

/** Several searches as one: each resource once, and whole only where each of them is and none is lacking. */
function joined(parts: JsonObject[], lacking: boolean): JsonObject {
  const [first] = parts;
  if (parts.length === 1 && first && !lacking) return first;
  const seen = new Set<string>();
  const isNew = (entry: unknown) => {
    const { resourceType, id } = object(object(entry)['resource']);
    const name = `${string(resourceType)}/${string(id)}`;
    if (string(id) !== undefined && seen.has(name)) return false;
    seen.add(name);
    return true;
  };
  const open = parts.find((part) => readBundle(part).hasNextPage);
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: parts.flatMap((part) => entriesOf(asBundle(part))).filter(isNew),
    ...((open || lacking) && { link: [{ relation: 'next', url: (open && nextOf(asBundle(open))) ?? '' }] }),
  };
}

/** Asks in the first wording that the server does not refuse with 400. */
async function search({ path, searches }: Query, asking: Asking): Promise<unknown> {
  const { access, limits } = asking;
  const address = `${access.base}/${path}`;
  if (searches.length === 0) return ask(address, asking, { counts: true });
  for (const [at, wording] of searches.entries()) {
    try {
      return limits.post
        ? await ask(`${address}/_search`, asking, { counts: true, form: wording })
        : await ask(`${address}?${wording}`, asking, { counts: true });
    } catch (error) {
      const refused = error instanceof FetchFailed && error.status === 400;
      if (!refused || at === searches.length - 1) throw error;
    }
  }
  return undefined;
}

/** `counts`: whether a failure speaks against the server. Of addresses that links and references name it does not. */
async function ask(
  url: string,
  { access, limits, fetchJson, signal, budget }: Asking,
  { counts, form }: { counts: boolean; form?: string },
): Promise<unknown> {
  if (signal.aborted) throw new FetchFailed('too-late');
  const { body } = await fetchJson(url, {
    client: access.client,
    privateNetwork: access.privateNetwork,
    // A little sooner than the deadline, so that a server that hangs is known as one.
    timeoutMs: Math.max(1, limits.hardMs - 50),
    accept: 'application/fhir+json',
    signal,
    budget,
    circuit: { server: access.base, counts },
    ...(access.authorization !== undefined && { authorization: access.authorization }),
    ...(form !== undefined && { form }),
  });
  if (isObject(body) && !budget.takeResources(entriesOf(object(bundleIn(body))).length))
    throw new FetchFailed('too-large');
  return body;
}

/**
 * Hands on a bundle as it grows by its further pages, of the same server only, and gives the host of a page that lies
 * elsewhere. Where a page cannot be had, the bundle keeps its link to it, so that the chart knows it is not whole. What is no
 * bundle has no pages.
 */
async function followPages(
  first: JsonObject,
  asking: Asking,
  keep: (bundle: JsonObject) => void,
): Promise<string | undefined> {
  const bundle = bundleIn(first);
  if (!bundle) return undefined;
  const { link: _first, ...rest } = bundle;
  const entries = entriesOf(bundle);
  const pages = new Map<string, Promise<unknown>>();
  // A page that is asked for before its turn may fail before anybody waits for it.
  const pageAt = (url: string) => {
    const asked = pages.get(url) ?? ask(url, asking, { counts: false }).catch(() => undefined);
    pages.set(url, asked);
    return asked;
  };
  let next = nextOf(bundle);
  let before: string | undefined;
  for (let page = 1; next !== undefined && page < asking.limits.maxPages && !asking.signal.aborted; page++) {
    const url = pageAddress(next, asking.access);
    if (typeof url !== 'string') return url?.elsewhere;
    const ahead = Math.min(PAGES_AHEAD, asking.limits.maxPages - page - 1);
    const asked = pageAt(url);
    if (before !== undefined) for (const guess of pagesAhead(before, url, ahead)) pageAt(guess);
    const more = await asked;
    // Links that lead in a circle ask for a page again.
    pages.delete(url);
    const following = isObject(more) ? bundleIn(more) : undefined;
    if (!following) break;
    entries.push(...entriesOf(following));
    next = nextOf(following);
    before = url;
    keep({ ...rest, entry: [...entries], ...(next !== undefined && { link: [{ relation: 'next', url: next }] }) });
  }
  return undefined;
}

/** Parts of the record whose resources may only point to their medicine; the list first. */
const MEDICINES = ['medications', 'statements', 'dispenses', 'administrations'] as const;

function resourcesOf(value: unknown): Resource[] {
  return readBundle(value ?? {}).entries.map(({ resource }) => resource);
}

/** Looks up Medications that orders only point to and that nobody sent (conformance H15, PT8). Never rejects. */
async function lookUp(pointing: () => Resource[], asking: Asking): Promise<void> {
  const { base } = asking.access;
  try {
    const resources = pointing();
    const sent = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${string(id) ?? ''}`));
    const wanted = resources
      .map((order) => reference(order['medicationReference']) ?? reference(object(order['medication'])['reference']))
      .map((ref) => medicationOf(ref, asking.access))
      .filter((ref) => ref !== undefined && !sent.has(ref) && !asking.medications.has(ref));
    await Promise.all(
      [...new Set(wanted as string[])].slice(0, MAX_MEDICATIONS).map(async (ref) => {
        const found = await ask(`${base}/${ref}`, asking, { counts: false }).catch(() => undefined);
        if (!isObject(found) || found['resourceType'] !== 'Medication') return;
        asking.medications.set(ref, { address: `${base}/${ref}`, resource: found });
      }),
    );
  } catch {
    // What could not be looked up is not known, and the chart says so.
  }
}

/** `Medication/x` of a reference that lies on this server: relative, or by one of its full addresses. */
function medicationOf(ref: string | undefined, server: Server): string | undefined {
  const local = ref === undefined ? undefined : localPart(ref, server);
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

const MISSING: JsonObject = {
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] } }],
};
