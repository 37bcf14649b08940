const MiB = 1024 * 1024;

/**
 * Bounds on the answers of FHIR servers. `parts` counts the objects, lists and commas of the JSON: a text of empty
 * objects takes thirty times its size once parsed.
 */
export const fetchBounds = {
  /** All answers to one call together: uncompressed bytes, parts, and entries of Bundles. */
  call: { bytes: 16 * MiB, parts: 2_000_000, resources: 20_000 },
  /** All calls in progress of one client, and of all clients. */
  client: { bytes: 32 * MiB },
  all: { bytes: 64 * MiB },
};

/** What one call may still read. When a method returns `false`, the caller stops reading. */
export type Budget = {
  take: (bytes: number, parts: number) => boolean;
  takeResources: (number: number) => boolean;
  /** Releases what the call held. Every opened budget must be ended. */
  end: () => void;
};

/** Opens a budget for a client's call. All clients share a common bound. */
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
