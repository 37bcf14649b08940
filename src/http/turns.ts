/**
 * Resolves when the caller may do a piece of long work. A caller that `holds` a parsed body goes before those that do not:
 * the fewer bodies are held at a time, the fewer does the garbage collector copy.
 */
export type Turn = (holds?: 'body') => Promise<void>;

/**
 * Grants one turn per round of the event loop. With `setImmediate` alone all waiting callers would run one after the
 * other, with nothing else in between.
 */
export function createTurns(): Turn {
  const holding: (() => void)[] = [];
  const beginning: (() => void)[] = [];
  const next = () => {
    (holding.shift() ?? beginning.shift())?.();
    if (holding.length + beginning.length > 0) setImmediate(next);
  };
  return (holds) =>
    new Promise((resolve) => {
      (holds ? holding : beginning).push(resolve);
      if (holding.length + beginning.length === 1) setImmediate(next);
    });
}
