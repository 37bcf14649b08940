import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Named } from './named.ts';
import type { Tally } from './tally.ts';
import type { Failure } from './worker.ts';

/** How far a forecast has come: so many chunks of its input, or of the sorted copy of it, are in these sums. */
export type State = {
  sorted: boolean;
  chunks: number;
  patients: number;
  tallies: Tally[];
  failures: Named<Failure>;
};

export type Saved = State & { key: string };

/** The state of this very forecast: undefined where there is none, or it is of another input, other rules or options. */
export function readState(path: string, key: string): State | undefined {
  try {
    const saved = JSON.parse(readFileSync(path, 'utf8')) as Saved;
    return saved.key === key ? saved : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, whenever the process may end. Only its owner may read it. */
export function writeState(path: string, key: string, state: State): void {
  const draft = `${path}.new`;
  writeFileSync(draft, JSON.stringify({ key, ...state } satisfies Saved), { mode: 0o600 });
  renameSync(draft, path);
}

export function removeState(path: string): void {
  rmSync(path, { force: true });
}
