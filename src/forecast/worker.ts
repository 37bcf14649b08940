import { parentPort, workerData } from 'node:worker_threads';
import type { Knowledge } from '../cards/knowledge.ts';
import { loadSite, type RuleInfo, rulesOf, type SiteChoice } from './knowledge.ts';
import { type PatientText, UnusableInput } from './patients.ts';
import { type ReplayOptions, replayPatient } from './replay.ts';
import { resourcesOf } from './resources.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';

/** The start data of every worker. */
export type WorkerData = { folder: string; sites: SiteChoice[]; replay: ReplayOptions };
export type Chunk = { number: number; patients: Pick<PatientText, 'file' | 'line' | 'patient' | 'texts'>[] };
/** A patient whose replay failed, by our fault or an unexpected record. Never contains data. */
export type Failure = { file: string; line: number; error: string };
/** The first message of a worker: the rules of each site, or why there are none. */
export type Ready = { rules: RuleInfo[][]; fingerprints: string[] } | { refused: string };
/** A tally per site, in their order. */
export type ChunkResult = { number: number; tallies: Tally[]; failures: Failure[] };

if (parentPort) work(parentPort, workerData as WorkerData);

function work(port: NonNullable<typeof parentPort>, { folder, sites, replay }: WorkerData): void {
  const knowledge = loaded(port, folder, sites);
  port.on('message', ({ number, patients }: Chunk) => {
    const result: ChunkResult = { number, tallies: sites.map(emptyTally), failures: [] };
    for (const { file, line, patient, texts } of patients) {
      try {
        const resources = resourcesOf(texts);
        const tallies = knowledge.map((of) => replayPatient(patient, resources, of, replay));
        // Only when all sites are done: a patient counts for all of them or for none.
        for (const [at, tally] of tallies.entries()) addTally(result.tallies[at] as Tally, tally);
      } catch (error) {
        result.failures.push({ file, line, error: (error as Error).name });
      }
    }
    port.postMessage(result);
  });
}

function loaded(port: NonNullable<typeof parentPort>, folder: string, sites: SiteChoice[]): Knowledge[] {
  try {
    const knowledge = sites.map((site) => loadSite(folder, site));
    const ready: Ready = {
      rules: knowledge.map(rulesOf),
      fingerprints: knowledge.map(({ fingerprint }) => fingerprint),
    };
    port.postMessage(ready);
    return knowledge;
  } catch (error) {
    if (!(error instanceof UnusableInput)) throw error;
    port.postMessage({ refused: error.message } satisfies Ready);
    return [];
  }
}
