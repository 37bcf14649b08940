import { ServiceError } from '../errors.ts';

type Sizes = { all: number; client: number };
type Waiting = { weight: number; client: string; enter: () => void };

export type Gate = {
  /**
   * Waits for room, first come, first served; rejects with `overloaded` after `turn` milliseconds. Returns a function
   * that releases the room.
   */
  enter: (client: string, weight: number, turn: number) => Promise<() => void>;
};

/**
 * Room for bodies, bounded in total and for each client, so that one client leaves room for others. A body larger than
 * the total enters alone.
 */
export function createGate(sizes: Sizes): Gate {
  let used = 0;
  const usedBy = new Map<string, number>();
  let queue: Waiting[] = [];

  const fits = (client: string, weight: number) => {
    const own = usedBy.get(client) ?? 0;
    return (used === 0 || used + weight <= sizes.all) && (own === 0 || own + weight <= sizes.client);
  };

  const occupy = (client: string, weight: number): (() => void) => {
    used += weight;
    usedBy.set(client, (usedBy.get(client) ?? 0) + weight);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      used -= weight;
      const left = (usedBy.get(client) ?? 0) - weight;
      if (left > 0) usedBy.set(client, left);
      else usedBy.delete(client);
      admit();
    };
  };

  /**
   * Admits waiting calls that fit. No call overtakes one that waits for total room; a client at its own limit delays
   * only itself.
   */
  const admit = () => {
    for (const waiting of queue) {
      if (fits(waiting.client, waiting.weight)) {
        queue = queue.filter((other) => other !== waiting);
        waiting.enter();
      } else if (used + waiting.weight > sizes.all) return;
    }
  };

  return {
    enter: async (client, weight, turn) => {
      if (queue.length === 0 && fits(client, weight)) return occupy(client, weight);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          queue = queue.filter((other) => other !== waiting);
          reject(overloaded());
          admit();
        }, turn);
        const waiting: Waiting = {
          client,
          weight,
          enter: () => {
            clearTimeout(timer);
            resolve(occupy(client, weight));
          },
        };
        queue.push(waiting);
        admit();
      });
    },
  };
}

export function overloaded(): ServiceError {
  return new ServiceError('overloaded', [], { 'retry-after': '5' });
}
