/** Resolves when it is this caller's turn to do something that takes long. */
export type Turn = () => Promise<void>;

/**
 * Gives one turn in each round of the event loop. What `setImmediate` alone would give is all who wait at once, one after the
 * other, and nobody else in between.
 */
export function createTurns(): Turn {
  const waiting: (() => void)[] = [];
  const next = () => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}
