import { limits } from '../limits.ts';

/** Whether parsed JSON is nested deeper than `levels`. It stops there, so that no depth can exhaust the stack. */
export function isTooDeep(value: unknown, levels: number = limits.depth): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const child of value) if (isTooDeep(child, levels - 1)) return true;
  } else {
    for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], levels - 1)) return true;
  }
  return false;
}
