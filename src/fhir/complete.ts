import type { Budget } from './budget.ts';
import { readBundle } from './bundle.ts';
import { FetchFailed, type FetchJson } from './fetch-json.ts';
import { isObject, type JsonObject, object, type Resource, reference, string } from './json.ts';
import { asBundle, bundleIn, entriesOf, localPart, nextOf, pageAddress, pagesAhead, type Server } from './pages.ts';
import { NOT_FOUND } from './patient.ts';
import { readPrefetch, type Section } from './prefetch.ts';
import { type Context, type Query, queriesOf, type ResultWindow } from './queries.ts';

/** How a call may access its FHIR server (CDS Hooks: FHIR Resource Access). */
export type Access = Server & {
  /** `Bearer …`; absent for an open sandbox server. */
  authorization: string | undefined;
  privateNetwork: boolean;
  /** The calling client. Its calls do not affect those of other clients. */
  client: string;
};

/** The site's limits (hooks/site.yaml, `fetch`), in milliseconds. */
export type FetchLimits = {
  /** The answer waits this long for optional keys. */
  softMs: number;
  /** The answer waits this long for required keys. */
  hardMs: number;
  maxPages: number;
  post: boolean;
};

/** The outcome of a key. `status`: the last HTTP status that brought no data. `host`: the host named for its next page. */
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
  /** Bounds all answers to the call together. */
  budget: Budget;
  /** The results to ask for; all if absent. */
  results?: ResultWindow | undefined;
};

type Asking = Fetching & { signal: AbortSignal; outcomes: Outcome[]; medications: Map<string, Medicine> };
type Medicine = { address: string; resource: JsonObject };

/** Maximum number of referenced Medications looked up per key. */
const MAX_MEDICATIONS = 50;
/** Number of pages of a key requested ahead. */
const PAGES_AHEAD = 3;

/**
 * Fetches what a call's prefetch lacks: absent and failed keys, and further pages of incomplete ones. All keys are
 * fetched in parallel under one deadline; `needed` ones until the hard limit, the others until the soft one. A key that
 * fails stays as it was, and the chart reports it as missing (conformance P1, P3, P7, F1–F11).
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
  // If the client says that its search failed, believe it and do not repeat the search (P6).
  const lacking = sections.filter(
    (section) =>
      readPrefetch(values, section).state !== 'complete' &&
      object(values[section])['resourceType'] !== 'OperationOutcome',
  );
  // None of these ever rejects: by then there may be no caller waiting.
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
    // If all required keys are empty, the server may not know the patient.
    if (needed.every((section) => readPrefetch(values, section).resources.length === 0)) await tasks.get('patient');
  };
  await Promise.race([Promise.all([...tasks.values(), ...lookUps]), soft.passed]);
  await Promise.race([must(), hard.passed]);
  // Work still running must not change an answer that has been sent.
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

/** Fills one key with what the server returns, or leaves it as it was. Never rejects. */
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
      // The part already received counts, even if the rest never arrives.
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

/** Waits for all tasks, even if one fails, then throws the first error. */
async function allOf(tasks: Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(tasks)) if (settled.status === 'rejected') throw settled.reason;
}

function isFhir(value: JsonObject): boolean {
  return typeof value['resourceType'] === 'string' && value['resourceType'] !== 'OperationOutcome';
}

/** Several searches as one: each resource once. Complete only if each search is complete and none is missing. */
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

/** Searches in the first form that the server does not refuse with 400. */
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

/** `counts`: whether a failure counts against the server. For addresses from links and references it does not. */
async function ask(
  url: string,
  { access, limits, fetchJson, signal, budget }: Asking,
  { counts, form }: { counts: boolean; form?: string },
): Promise<unknown> {
  if (signal.aborted) throw new FetchFailed('too-late');
  const { body } = await fetchJson(url, {
    client: access.client,
    privateNetwork: access.privateNetwork,
    // Slightly before the deadline, so that a hanging server is recorded as such.
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
 * Passes on a bundle as it grows by its further pages, from the same server only. Returns the host of a page that is
 * elsewhere. If a page cannot be fetched, the bundle keeps the link to it, so that the chart knows it is incomplete.
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
  // A page requested ahead may fail before anything awaits it.
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
    // A circular link requests a page again.
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

/** Parts whose resources may only reference their medicine; the medication list first. */
const MEDICINES = ['medications', 'statements', 'dispenses', 'administrations'] as const;

function resourcesOf(value: unknown): Resource[] {
  return readBundle(value ?? {}).entries.map(({ resource }) => resource);
}

/** Looks up Medications that orders only reference and that were not sent (conformance H15, PT8). Never rejects. */
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
    // A Medication that could not be fetched stays unknown, and the chart reports it.
  }
}

/** The `Medication/x` of a reference to this server: relative, or under one of its full addresses. */
function medicationOf(ref: string | undefined, server: Server): string | undefined {
  const local = ref === undefined ? undefined : localPart(ref, server);
  return /^(Medication\/[A-Za-z0-9_.-]{1,256})(?:\/_history\/[^/]*)?$/.exec(local ?? '')?.[1];
}

/** The prefetch with the fetched Medications added to the medication list as included resources. */
function withMedications(values: JsonObject, medications: Medicine[]): JsonObject {
  if (medications.length === 0) return values;
  const { state } = readPrefetch(values, 'medications');
  // A missing list stays missing: the additions then only identify the drafts' medicines.
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
