export type Random = ReturnType<typeof randomOf>;

/**
 * A random generator that gives the same numbers for the same seed everywhere: Mulberry32 (public domain), seeded with the
 * patient's number too, so that patients are independent.
 */
export function randomOf(seed: number, patient: number) {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(patient + 1, 0xc2b2ae35)) >>> 0;
  /** From 0 to below 1. */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  /** One of the names, by weight. */
  const pick = (weights: Record<string, number>) => {
    const entries = Object.entries(weights);
    let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries.at(-1)?.[0] ?? '';
  };
  return {
    next,
    pick,
    chance: (share: number) => next() < share,
    /** A whole number between both, inclusive. */
    between: (least: number, most: number) => least + Math.floor(next() * (most - least + 1)),
  };
}
