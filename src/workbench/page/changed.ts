import { diffArrays } from 'diff';
import { printJson } from './print.ts';

/** A line of a comparison; `gap` stands for hidden unchanged lines. */
export type ComparedLine = { kind: 'same' | 'added' | 'removed' | 'gap'; text: string };

const AROUND = 2;

/** Compares an order before and after, line by line. Of unchanged lines, only those next to a change are shown. */
export function compare(before: unknown, after: unknown): ComparedLine[] {
  const lines = (value: unknown) => (value === undefined ? [] : printJson(value).lines);
  const parts = diffArrays(lines(before), lines(after));
  return parts.flatMap((part, at): ComparedLine[] => {
    const kind = part.added ? 'added' : part.removed ? 'removed' : 'same';
    const shown = part.value.map((text) => ({ kind, text }) as const);
    if (kind !== 'same') return shown;
    const head = at === 0 ? 0 : AROUND;
    const tail = at === parts.length - 1 ? 0 : AROUND;
    const hidden = shown.length - head - tail;
    if (hidden <= 1) return shown;
    return [
      ...shown.slice(0, head),
      { kind: 'gap', text: `${hidden} lines unchanged` },
      ...shown.slice(shown.length - tail),
    ];
  });
}
