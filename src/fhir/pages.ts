import { isObject, type Json, type JsonObject, objects, string } from './json.ts';

/** The server of a call: its listed address, and others by which its own links may name it. No slash at their ends. */
export type Server = { base: string; aliases: readonly string[] };

/**
 * Where a further page lies: at an address of this server, or `elsewhere`, on a host that nobody listed. A server behind a
 * proxy may not know its own public name; its aliases say so, and such a link is asked for at the listed address.
 */
export function pageAddress(next: string, { base, aliases }: Server): string | { elsewhere: string } | undefined {
  const url = URL.canParse(next, `${base}/`) ? new URL(next, `${base}/`) : undefined;
  if (!url) return undefined;
  if (url.origin === new URL(base).origin) return url.toString();
  const alias = aliases.find((known) => isUnder(url.toString(), known));
  return alias === undefined ? { elsewhere: url.host } : `${base}${url.toString().slice(alias.length)}`;
}

/** What follows the server's address in a reference to something on it; undefined for what lies elsewhere. */
export function localPart(reference: string, { base, aliases }: Server): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(reference)) return reference;
  const own = [base, ...aliases].find((known) => reference.startsWith(`${known}/`));
  return own === undefined ? undefined : reference.slice(own.length + 1);
}

function isUnder(url: string, base: string): boolean {
  return url.startsWith(base) && /^([/?#]|$)/.test(url.slice(base.length));
}

/**
 * The pages that will follow, as far as two links that follow each other tell: where they differ in one whole number, it goes on
 * like that. Only a guess: a page asked for by it counts where the server's own link leads to the same address.
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

/** The address of the page after a Bundle: `''` where it has a link without one. */
export function nextOf(bundle: JsonObject): string | undefined {
  return objects(bundle['link']).flatMap((link) => (link['relation'] === 'next' ? [string(link['url']) ?? ''] : []))[0];
}

/** The entries as they came: what cannot be read among them speaks against the whole. */
export function entriesOf({ entry }: JsonObject): Json[] {
  if (entry === undefined) return [];
  return Array.isArray(entry) ? [...entry] : [entry];
}

/** The bundle that a value is or wraps: one that forgot its type, and the pre-1.0 wrapper, too. */
export function bundleIn(value: JsonObject): JsonObject | undefined {
  if (!('resourceType' in value) && isObject(value['resource'])) return bundleIn(value['resource']);
  const bundle = value['resourceType'] === 'Bundle' || (!('resourceType' in value) && Array.isArray(value['entry']));
  return bundle ? value : undefined;
}

export function asBundle(value: Json): JsonObject {
  if (!isObject(value)) return { resourceType: 'Bundle', type: 'searchset' };
  return bundleIn(value) ?? { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: value }] };
}
