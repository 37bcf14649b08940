import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { FetchJson } from '../fhir/fetch-json.ts';
import { isObject, objects } from '../fhir/json.ts';
import { isPublishedKey } from './published.ts';

/** Looks up the key for a token's header. Throws jose's errors. */
type KeySet = JWTVerifyGetKey;
export type Keys = { of: (jku: string, privateNetwork: boolean) => Promise<KeySet> };

type Cached = { set: KeySet; kids: Set<string>; until: number };

/** Bounds of how long a key set is cached, in ms. Within them the server's `max-age` decides. */
const MIN_CACHE_MS = 60_000;
const MAX_CACHE_MS = 60 * 60_000;
const STALE_MS = 24 * 60 * 60_000;
/** Minimum time between two requests to a key server, in ms, whatever the reason for asking. */
const COOLDOWN_MS = 30_000;

/**
 * Keys of the listed `jku` addresses, cached and rotated (conformance J11, J17). An unknown key id makes it ask the
 * server again, at most once per cool-down. If the server is down, its last keys stay valid for a day.
 */
export function createKeys(fetchJson: FetchJson, clock: () => number): Keys {
  const cache = new Map<string, Cached>();
  const lastAsked = new Map<string, number>();
  const pending = new Map<string, Promise<Cached>>();

  const refresh = (jku: string, privateNetwork: boolean): Promise<Cached> => {
    const running = pending.get(jku);
    if (running) return running;
    const asked = ask(jku, privateNetwork).finally(() => pending.delete(jku));
    pending.set(jku, asked);
    return asked;
  };

  const ask = async (jku: string, privateNetwork: boolean): Promise<Cached> => {
    lastAsked.set(jku, clock());
    const { body, maxAge } = await fetchJson(jku, {
      client: jku,
      privateNetwork,
      timeoutMs: 3000,
      accept: 'application/json',
      circuit: { server: jku, counts: true },
    });
    if (!isKeySet(body)) throw new Error('not a JWK Set that can be trusted');
    const age = Math.min(MAX_CACHE_MS, Math.max(MIN_CACHE_MS, (maxAge ?? 0) * 1000));
    const kids = new Set(objects(body.keys).map(({ kid }) => String(kid)));
    const fresh = { set: createLocalJWKSet(body), kids, until: clock() + age };
    cache.set(jku, fresh);
    return fresh;
  };

  const current = async (jku: string, privateNetwork: boolean): Promise<Cached> => {
    const known = cache.get(jku);
    if (known && known.until > clock()) return known;
    const usable = known && known.until + STALE_MS > clock() ? known : undefined;
    try {
      if (isCoolingDown(jku)) throw new Error('the key server was asked moments ago');
      return await refresh(jku, privateNetwork);
    } catch (error) {
      if (usable) return usable;
      throw error;
    }
  };

  /**
   * Whether the server was asked moments ago, with any result. A request still in progress does not count: callers wait
   * for it.
   */
  const isCoolingDown = (jku: string): boolean =>
    !pending.has(jku) && (lastAsked.get(jku) ?? Number.NEGATIVE_INFINITY) + COOLDOWN_MS > clock();

  return {
    of: async (jku, privateNetwork) => {
      const first = await current(jku, privateNetwork);
      return async (header, token) => {
        const missing = typeof header?.kid === 'string' && !first.kids.has(header.kid);
        if (!missing || isCoolingDown(jku)) return first.set(header, token);
        const next = await refresh(jku, privateNetwork).catch(() => first);
        return next.set(header, token);
      };
    },
  };
}

function isKeySet(body: unknown): body is JSONWebKeySet {
  const keys = isObject(body) ? body['keys'] : undefined;
  // A set with a private or a published key cannot be trusted.
  return (
    Array.isArray(keys) && objects(keys).every((key) => !('d' in key) && key['kty'] !== 'oct' && !isPublishedKey(key))
  );
}
