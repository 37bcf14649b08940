import { createHash } from 'node:crypto';
import { limits } from '../limits.ts';

/** Remembers used tokens by client and `jti`. `use` returns true on first use. */
export type Replay = { use: (client: string, jti: string, expiresAt: number) => Promise<boolean> };

/**
 * Replay store of one process. It keeps each token for its lifetime (conformance J14), and at most `most`: then it
 * forgets the oldest. `expiresAt` in milliseconds since 1970. For several processes see `sharedReplay`.
 */
export function createReplay(clock: () => number, most: number = limits.tokens): Replay {
  // Keys are half a hash, one byte per character, and times are in seconds: this halves the memory of a million entries.
  const used = new Map<string, number>();
  let nextSweep = 0;
  return {
    use: async (client, jti, expiresAt) => {
      const now = Math.floor(clock() / 1000);
      if (now > nextSweep) {
        for (const [key, expiry] of used) if (expiry < now) used.delete(key);
        nextSweep = now + 60;
      }
      const key = digest(client, jti).subarray(0, 16).toString('latin1');
      const expiry = used.get(key);
      if (expiry !== undefined && expiry >= now) return false;
      // The oldest entry expires first.
      if (expiry === undefined && used.size >= most) used.delete(used.keys().next().value as string);
      used.set(key, Math.floor(expiresAt / 1000));
      return true;
    },
  };
}

/**
 * Replay store of several processes. While the shared store cannot be reached, each process remembers its own tokens: a
 * token used twice does less harm than a lost warning.
 */
export function sharedReplay(useToken: (id: string, expiresAt: number) => Promise<boolean>, own: Replay): Replay {
  return {
    use: async (client, jti, expiresAt) => {
      const first = await own.use(client, jti, expiresAt);
      if (!first) return false;
      return useToken(digest(client, jti).toString('hex'), expiresAt).catch(() => true);
    },
  };
}

function digest(client: string, jti: string): Buffer {
  return createHash('sha256').update(`${client}\0${jti}`).digest();
}
