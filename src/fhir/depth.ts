/**
 * How deep JSON from elsewhere may be nested. A FHIR resource inside a Bundle inside a call comes to some thirty levels; far
 * deeper, functions that walk through it would run out of stack, and where, nobody could tell.
 */
export const MAX_DEPTH = 200;

/** Whether parsed JSON is nested deeper than that. Goes down level by level, so that no depth can exhaust the stack. */
export function isTooDeep(value: unknown): boolean {
  let level: object[] = isNested(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    const next: object[] = [];
    for (const item of level) {
      if (Array.isArray(item)) {
        for (const child of item) if (isNested(child)) next.push(child);
      } else {
        for (const key in item) {
          const child = (item as Record<string, unknown>)[key];
          if (isNested(child)) next.push(child);
        }
      }
    }
    level = next;
  }
  return false;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
