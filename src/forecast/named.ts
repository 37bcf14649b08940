import { compareTexts } from '../text.ts';

/** A finding in a line of the input. */
type Found = { file: string; line: number };

/** The count of findings, and the first of them by file and line, whatever order they were found in. */
export type Named<T extends Found> = { count: number; named: T[] };

/** Number of findings listed; the rest is only counted. */
const NAMED = 100;

export function noneNamed<T extends Found>(): Named<T> {
  return { count: 0, named: [] };
}

/** Adds a finding to a list, in place. */
export function note<T extends Found>(list: Named<T>, found: T): void {
  addNamed(list, { count: 1, named: [found] });
}

/** Adds one list to another, in place. */
export function addNamed<T extends Found>(list: Named<T>, { count, named }: Named<T>): void {
  list.count += count;
  if (named.length > 0) list.named = [...list.named, ...named].sort(byPlace).slice(0, NAMED);
}

function byPlace(a: Found, b: Found): number {
  return compareTexts(a.file, b.file) || a.line - b.line;
}
