import { isObject, type Json, type JsonObject, objects, string } from './json.ts';

/** The FHIR server of a call: its listed address, and aliases that its own links may use. Without trailing slashes. */
export type Server = { base: string; aliases: readonly string[] };

/**
 * The address of a further page on this server, or `elsewhere` with a host that is not listed. A server behind a proxy
 * may not know its public name. If a link uses one of its aliases, the page is requested at the listed address.
 */
export function pageAddress(next: string, { base, aliases }: Server): string | { elsewhere: string } | undefined {
  const url = URL.canParse(next, `${base}/`) ? new URL(next, `${base}/`) : undefined;
  if (!url) return undefined;
  if (url.origin === new URL(base).origin) return url.toString();
  const alias = aliases.find((known) => isUnder(url.toString(), known));
  return alias === undefined ? { elsewhere: url.host } : `${base}${url.toString().slice(alias.length)}`;
}

/** The part of a reference after the server's address; undefined for another server. */
export function localPart(reference: string, { base, aliases }: Server): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(reference)) return reference;
  const own = [base, ...aliases].find((known) => reference.startsWith(`${known}/`));
  return own === undefined ? undefined : reference.slice(own.length + 1);
}

function isUnder(url: string, base: string): boolean {
  return url.startsWith(base) && /^([/?#]|$)/.test(url.slice(base.length));
}

/**
 * Guesses the addresses of the next pages from two consecutive links that differ in one whole number. A guessed page
 * counts only if the server's own link later leads to the same address.
 */
export function pagesAhead(before: string, next: string, count: number): string[] {
  const [a, b] = [before, next].map((url) => url.split(/(?<!\d)(\d{1,9})(?!\d)/));
  if (!a || !b || a.length !== b.length) return [];
  const differing = b.flatMap((token, at) => (token === a[at] ? [] : [at]));
  const [at] = differing;
  if (differing.length !== 1 || at === undefined || at % 2 === 0) return [];
  const step = Number(b[at]) - Number(a[at]);
  if (step <= 0) return [];
  return Array.from({ length: count }, (_, ahead) => b.with(at, String(Number(b[at]) + step * (ahead + 1))).join(''));
}

/** The address of the page after a Bundle; `''` if its link has none. */
export function nextOf(bundle: JsonObject): string | undefined {
  return objects(bundle['link']).flatMap((link) => (link['relation'] === 'next' ? [string(link['url']) ?? ''] : []))[0];
}

/** The entries as they came. One that cannot be read makes the whole incomplete. */
export function entriesOf({ entry }: JsonObject): Json[] {
  if (entry === undefined) return [];
  return Array.isArray(entry) ? [...entry] : [entry];
}

/** The Bundle that a value is or wraps, including one without a type and the pre-1.0 wrapper. */
export function bundleIn(value: JsonObject): JsonObject | undefined {
  if (!('resourceType' in value) && isObject(value['resource'])) return bundleIn(value['resource']);
  const bundle = value['resourceType'] === 'Bundle' || (!('resourceType' in value) && Array.isArray(value['entry']));
  return bundle ? value : undefined;
}

export function asBundle(value: Json): JsonObject {
  if (!isObject(value)) return { resourceType: 'Bundle', type: 'searchset' };
  return bundleIn(value) ?? { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: value }] };
}
