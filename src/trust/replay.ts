import { createHash } from 'node:crypto';
import { limits } from '../limits.ts';

/** Remembers which tokens were used, by client and `jti`. `use` says whether this one is used for the first time. */
export type Replay = { use: (client: string, jti: string, expiresAt: number) => Promise<boolean> };

/**
 * Replay store of one process, each token for its lifetime (conformance J14); of more than `most` the oldest are forgotten.
 * `expiresAt` in milliseconds since 1970. Several processes share one: `sharedReplay`.
 */
export function createReplay(clock: () => number, most: number = limits.tokens): Replay {
  // Half a hash in one byte a character, and seconds: a million entries would else cost twice the memory.
  const used = new Map<string, number>();
  let sweep = 0;
  return {
    use: async (client, jti, expiresAt) => {
      const now = Math.floor(clock() / 1000);
      if (now > sweep) {
        for (const [key, expiry] of used) if (expiry < now) used.delete(key);
        sweep = now + 60;
      }
      const key = digest(client, jti).subarray(0, 16).toString('latin1');
      const expiry = used.get(key);
      if (expiry !== undefined && expiry >= now) return false;
      // The oldest goes first: it is the next to expire.
      if (expiry === undefined && used.size >= most) used.delete(used.keys().next().value as string);
      used.set(key, Math.floor(expiresAt / 1000));
      return true;
    },
  };
}

/**
 * Replay store of several processes. While the shared one cannot be reached each process remembers for itself: a token
 * that is used twice is a smaller harm than warnings that nobody gets.
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
