import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { FetchJson } from '../fhir/fetch-json.ts';
import { isObject, objects } from '../fhir/json.ts';
import { isPublishedKey } from './published.ts';

/** Looks up the key for a token's header. Throws jose's errors. */
type KeySet = JWTVerifyGetKey;
export type Keys = { of: (jku: string, privateNetwork: boolean) => Promise<KeySet> };

type Cached = { set: KeySet; kids: Set<string>; until: number };

/** How long a key set is kept: what the server says, within these bounds; after a failure, the old one for a day. */
const FLOOR = 60_000;
const CEILING = 60 * 60_000;
const STALE = 24 * 60 * 60_000;
/** How often a key server is asked at most, be it for an unknown key id or because it failed. */
const COOLDOWN = 30_000;

/**
 * Keys of the listed `jku` addresses, cached and rotated (conformance J11, J17): a key id that is not known asks the server
 * again, at most once in the cool-down; a server that is down leaves the keys it last gave, for a day.
 */
export function createKeys(fetchJson: FetchJson, clock: () => number): Keys {
  const cache = new Map<string, Cached>();
  const tried = new Map<string, number>();
  const pending = new Map<string, Promise<Cached>>();

  const refresh = (jku: string, privateNetwork: boolean): Promise<Cached> => {
    const running = pending.get(jku);
    if (running) return running;
    const asked = ask(jku, privateNetwork).finally(() => pending.delete(jku));
    pending.set(jku, asked);
    return asked;
  };

  const ask = async (jku: string, privateNetwork: boolean): Promise<Cached> => {
    tried.set(jku, clock());
    const { body, maxAge } = await fetchJson(jku, {
      client: jku,
      privateNetwork,
      timeoutMs: 3000,
      accept: 'application/json',
      circuit: { server: jku, counts: true },
    });
    if (!isKeySet(body)) throw new Error('not a JWK Set that can be trusted');
    const age = Math.min(CEILING, Math.max(FLOOR, (maxAge ?? 0) * 1000));
    const kids = new Set(objects(body.keys).map(({ kid }) => String(kid)));
    const fresh = { set: createLocalJWKSet(body), kids, until: clock() + age };
    cache.set(jku, fresh);
    return fresh;
  };

  const current = async (jku: string, privateNetwork: boolean): Promise<Cached> => {
    const known = cache.get(jku);
    if (known && known.until > clock()) return known;
    const usable = known && known.until + STALE > clock() ? known : undefined;
    try {
      if (cools(jku)) throw new Error('the key server was asked moments ago');
      return await refresh(jku, privateNetwork);
    } catch (error) {
      if (usable) return usable;
      throw error;
    }
  };

  /** Whether a server was asked just now, with whatever result; an answer that is still on its way is waited for. */
  const cools = (jku: string): boolean =>
    !pending.has(jku) && (tried.get(jku) ?? Number.NEGATIVE_INFINITY) + COOLDOWN > clock();

  return {
    of: async (jku, privateNetwork) => {
      const first = await current(jku, privateNetwork);
      return async (header, token) => {
        const missing = typeof header?.kid === 'string' && !first.kids.has(header.kid);
        if (!missing || cools(jku)) return first.set(header, token);
        const next = await refresh(jku, privateNetwork).catch(() => first);
        return next.set(header, token);
      };
    },
  };
}

function isKeySet(body: unknown): body is JSONWebKeySet {
  const keys = isObject(body) ? body['keys'] : undefined;
  // A set that shows a private key, or one that is published elsewhere, is everybody's.
  return (
    Array.isArray(keys) && objects(keys).every((key) => !('d' in key) && key['kty'] !== 'oct' && !isPublishedKey(key))
  );
}
