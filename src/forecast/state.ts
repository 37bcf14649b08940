import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Named } from './named.ts';
import type { Tally } from './tally.ts';
import type { Failure } from './worker.ts';

/** The progress of a forecast: the number of chunks of its input, or of the sorted copy, in these sums. */
export type State = {
  sorted: boolean;
  chunks: number;
  patients: number;
  tallies: Tally[];
  failures: Named<Failure>;
};

type Saved = State & { key: string };

/** The state of this forecast; undefined if there is none, or if it has another input, other rules or options. */
export function readState(path: string, key: string): State | undefined {
  try {
    const saved = JSON.parse(readFileSync(path, 'utf8')) as Saved;
    return saved.key === key ? saved : undefined;
  } catch {
    return undefined;
  }
}

export function writeState(path: string, key: string, state: State): void {
  writeWhole(path, JSON.stringify({ key, ...state } satisfies Saved));
}

/** Writes a file as a whole or not at all, whenever the process may end. Readable only by its owner. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
