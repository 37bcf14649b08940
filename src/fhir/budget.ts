const MiB = 1024 * 1024;

/**
 * What the answers of FHIR servers may come to. `parts` are the objects, lists and commas of the JSON: a text of nothing but
 * empty objects takes thirty times its own size once it is read.
 */
export const fetchBounds = {
  /** All answers to one call together: bytes after unpacking, parts, and entries of Bundles. */
  call: { bytes: 16 * MiB, parts: 2_000_000, resources: 20_000 },
  /** All calls of one client that are under way, and those of all clients. */
  client: { bytes: 32 * MiB },
  all: { bytes: 64 * MiB },
};

/** What one call may still read. Whoever takes and gets `false` reads no further. */
export type Budget = {
  take: (bytes: number, parts: number) => boolean;
  takeResources: (number: number) => boolean;
  /** Gives back what the call held. Every budget that was opened is ended. */
  end: () => void;
};

/** Opens a budget for each call of a client; clients share what all may hold at once. */
export type Budgets = (client: string) => Budget;

export function createBudgets(bounds: typeof fetchBounds = fetchBounds): Budgets {
  const heldBy = new Map<string, number>();
  let heldByAll = 0;
  const hold = (client: string, bytes: number) => {
    heldByAll += bytes;
    const held = (heldBy.get(client) ?? 0) + bytes;
    if (held > 0) heldBy.set(client, held);
    else heldBy.delete(client);
  };
  return (client) => {
    const taken = { bytes: 0, parts: 0, resources: 0 };
    return {
      take: (bytes, parts) => {
        if (
          taken.bytes + bytes > bounds.call.bytes ||
          taken.parts + parts > bounds.call.parts ||
          (heldBy.get(client) ?? 0) + bytes > bounds.client.bytes ||
          heldByAll + bytes > bounds.all.bytes
        )
          return false;
        taken.bytes += bytes;
        taken.parts += parts;
        hold(client, bytes);
        return true;
      },
      takeResources: (number) => {
        taken.resources += number;
        return taken.resources <= bounds.call.resources;
      },
      end: () => {
        hold(client, -taken.bytes);
        taken.bytes = 0;
      },
    };
  };
}
