/** Resolves when the caller may start a piece of long work. */
export type Turn = () => Promise<void>;

/**
 * Grants one turn per round of the event loop. With `setImmediate` alone all waiting callers would run one after the
 * other, with nothing else in between.
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
