import { overloaded } from './gate.ts';

type Sizes = { all: number; client: number };

/** A body on its way. */
export type Arrival = {
  /** Counts received bytes. Returns a promise if the rest must wait for room; it rejects with `overloaded`. */
  take: (bytes: number) => Promise<void> | undefined;
  /** Releases the room: the body is read, refused, or broken off. */
  leave: () => void;
};

type Body = { client: string; bytes: number; waiting: (() => void) | undefined };

/**
 * Room for arriving bodies. A body without room is not read further until there is some, so its sender waits instead of
 * being refused. The oldest body of all always continues, and the oldest of a client if there is total room. So no body
 * waits for another waiting one, and at most one body exceeds the room.
 */
export function createArrivals(sizes: Sizes): (client: string, patience: number) => Arrival {
  /** In the order of their start. */
  const bodies = new Set<Body>();
  let used = 0;
  const usedBy = new Map<string, number>();

  const mayGoOn = (body: Body) => {
    const [oldest] = bodies;
    if (body === oldest) return true;
    if (used > sizes.all) return false;
    if ((usedBy.get(body.client) ?? 0) <= sizes.client) return true;
    for (const other of bodies) if (other.client === body.client) return other === body;
    return false;
  };
  const add = (body: Body, bytes: number) => {
    body.bytes += bytes;
    used += bytes;
    const own = (usedBy.get(body.client) ?? 0) + bytes;
    if (own > 0) usedBy.set(body.client, own);
    else usedBy.delete(body.client);
  };
  const wake = () => {
    for (const body of bodies) if (body.waiting && mayGoOn(body)) body.waiting();
  };

  return (client, patience) => {
    const body: Body = { client, bytes: 0, waiting: undefined };
    bodies.add(body);
    const take = (bytes: number) => {
      add(body, bytes);
      if (mayGoOn(body)) return undefined;
      return new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          body.waiting = undefined;
          reject(overloaded());
        }, patience);
        body.waiting = () => {
          body.waiting = undefined;
          clearTimeout(timer);
          resolve();
        };
      });
    };
    const leave = () => {
      if (!bodies.delete(body)) return;
      add(body, -body.bytes);
      // No one reads further, so release the one who waits.
      body.waiting?.();
      wake();
    };
    return { take, leave };
  };
}
