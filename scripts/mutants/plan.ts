import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What one process of `npm run mutants` does. It reaches the process as a file that the environment names. */
export type Plan = {
  /** The instrumented copy of the project. */
  root: string;
  /** Mutants to try, with the source files they stand in, from the root. */
  mutants: { id: string; file: string }[];
  /** Test files from the root, in the order in which they are run. */
  tests: string[];
  /** Where the process writes what it sees, a line each (`Line`). */
  log: string;
  /** Milliseconds of tests that a mutant is tried with before it counts as a survivor. */
  budget: number;
};

export type Line =
  /** A test file was run without a mutant. `failed`: its tests that fail anyway, and count for nothing. */
  | { kind: 'baseline'; test: string; ms: number; failed: string[]; covers: number }
  | { kind: 'start'; id: string; test: string }
  | { kind: 'tried'; id: string; test: string; ms: number; killedBy?: string }
  | { kind: 'done'; test: string };

/** Where tests of a room stand that are not beside its files: cards are tested over HTTP, code lists by the charts they make. */
const BESIDES: Record<string, string[]> = { 'src/cards': ['src/http'], 'src/codes': ['src/chart'], src: ['src/chart'] };

/** Whether a test file is one of those that a source file's mutants are tried with. */
export function isHome(source: string, test: string): boolean {
  const own = dirname(source);
  const place = dirname(test);
  const beside = own === 'src' ? test === source.replace(/\.ts$/, '.test.ts') : place === own;
  return beside || (BESIDES[own]?.includes(place) ?? false);
}

export const PLAN = 'MUTANTS_PLAN';

export function readPlan(): Plan {
  return JSON.parse(readFileSync(process.env[PLAN] ?? '', 'utf8'));
}

export function readLines(log: string): Line[] {
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
