import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { decidingPairs, type Observed } from './coverage.ts';
import type { Rulebook } from './knowledge.ts';

const patient = z.strictObject({ name: z.string(), note: z.string() });

/** By rule: the number of invented patients with its card, and for each deciding fact one patient with it and one without. */
const proofSchema = z.record(
  z.string(),
  z.strictObject({
    patients: z.int(),
    pairs: z.array(z.strictObject({ fact: z.string(), speaks: patient, silent: patient })),
  }),
);
export type Proof = z.infer<typeof proofSchema>;

/** The proof of each rule by the test bundles, for its readers. `notes`: the note of each bundle. */
export function proofOf(knowledge: Rulebook, observed: Observed[], notes: ReadonlyMap<string, string>): Proof {
  const named = (name: string) => ({ name, note: notes.get(name) ?? '' });
  return Object.fromEntries(
    knowledge.rules.map((rule) => [
      rule.id,
      {
        patients: observed.filter(({ results }) =>
          results.some((result) => result.rule.id === rule.id && ['fires', 'joins'].includes(result.outcome)),
        ).length,
        pairs: decidingPairs(rule, observed).map(({ fact, speaks, silent }) => ({
          fact,
          speaks: named(speaks),
          silent: named(silent),
        })),
      },
    ]),
  );
}

/** Reads docs/proof.json, which `npm run check` writes. Empty if a folder of rules has none. */
export function readProof(path: string): Proof {
  return existsSync(path) ? proofSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : {};
}
