import { createHash } from 'node:crypto';

/** Remembers which tokens were used. `use` says whether this one is used for the first time. */
export type Replay = { use: (issuer: string, jti: string, expiresAt: number) => Promise<boolean> };

/** How many tokens are remembered: at most an hour's, and each of the kept costs about 100 bytes. */
const LIMIT = 1_000_000;

/**
 * Replay store of one process, each token for its lifetime (conformance J14). `expiresAt` in milliseconds since 1970.
 * Several processes share one: `sharedReplay`.
 */
export function createReplay(clock: () => number): Replay {
  const used = new Map<string, number>();
  let sweep = 0;
  return {
    use: async (issuer, jti, expiresAt) => {
      const now = clock();
      if (now > sweep) {
        for (const [key, expiry] of used) if (expiry < now) used.delete(key);
        sweep = now + 60_000;
      }
      // The oldest goes first: it is the next to expire.
      if (used.size >= LIMIT) used.delete(used.keys().next().value as string);
      const key = `${issuer}\0${jti}`;
      if ((used.get(key) ?? 0) >= now) return false;
      used.set(key, expiresAt);
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
    use: async (issuer, jti, expiresAt) => {
      const first = await own.use(issuer, jti, expiresAt);
      if (!first) return false;
      const id = createHash('sha256').update(`${issuer}\0${jti}`).digest('hex');
      return useToken(id, expiresAt).catch(() => true);
    },
  };
}
