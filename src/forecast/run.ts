import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { InputFile } from './input.ts';
import type { RuleInfo, SiteChoice } from './knowledge.ts';
import { type Damage, type PatientText, patientsOf } from './patients.ts';
import { startPool } from './pool.ts';
import type { ReplayOptions } from './replay.ts';
import { readState, removeState, type State, writeState } from './state.ts';
import { addTally, emptyTally, sorted, type Tally } from './tally.ts';
import type { ChunkResult, Failure } from './worker.ts';

export type ForecastOptions = {
  /** The folder that holds hooks/ and cards/. */
  folder: string;
  files: InputFile[];
  /** One, or two to compare. */
  sites: SiteChoice[];
  replay: ReplayOptions;
  workers: number;
  /** Where the state is kept; without it an interrupted forecast begins anew. */
  state?: string;
  /** Most bytes of text and most patients of a chunk; smaller ones are for tests. */
  chunk?: { bytes: number; patients: number };
  clock: () => number;
  progress?: (done: { patients: number; bytes: number }) => void;
};

export type SiteForecast = { name: string; fingerprint: string; rules: RuleInfo[]; tally: Tally };

export type Forecast = {
  sites: SiteForecast[];
  replay: ReplayOptions;
  files: number;
  /** Lines that could not be read, and the first of them by name. */
  damage: { count: number; named: Damage[] };
  failures: { count: number; named: Failure[] };
  /** Patients that an earlier run had done. */
  resumed: number;
};

const CHUNK = { bytes: 512 * 1024, patients: 32 };
/** So many are called by name; the rest is counted. */
const NAMED = 100;
/** So many kinds of medicine that nobody recognised are told apart; the input may hold free text. */
const KINDS = 20_000;
const OTHERS = JSON.stringify(['…', '', '']);
/** Milliseconds between two states. */
const SAVE_EVERY = 2000;
/** Goes up when a state of an earlier program means something else. */
const STATE_VERSION = 1;

/** Replays all patients of the files and sums up what the service would have answered. */
export async function forecast(options: ForecastOptions): Promise<Forecast> {
  const { folder, files, sites, replay, clock } = options;
  const damage: Forecast['damage'] = { count: 0, named: [] };
  const positions = new Map<number, { patients: number; bytes: number }>();
  let state: State = { chunks: 0, patients: 0, tallies: sites.map(emptyTally), failures: [], failed: 0 };
  let key = '';
  let saved = Number.NEGATIVE_INFINITY;
  const merge = (result: ChunkResult) => {
    addResult(state, result);
    const at = positions.get(result.number);
    positions.delete(result.number);
    state.patients += at?.patients ?? 0;
    if (at) options.progress?.({ patients: state.patients, bytes: at.bytes });
    if (options.state !== undefined && clock() - saved >= SAVE_EVERY) {
      writeState(options.state, key, state);
      saved = clock();
    }
  };
  // Only the threads hold the rules: this one stays small.
  const pool = startPool(options.workers, { folder, sites, replay }, merge);
  try {
    const { rules, fingerprints } = await pool.ready();
    key = keyOf(options, fingerprints);
    state = (options.state === undefined ? undefined : readState(options.state, key)) ?? state;
    const { chunks: done, patients: resumed } = state;
    const read = patientsOf(files, (found) => {
      damage.count++;
      if (damage.named.length < NAMED) damage.named.push(found);
    });
    let number = 0;
    for await (const patients of chunksOf(read, options.chunk ?? CHUNK)) {
      number++;
      // The input is read from its start again, so that its damage is found again and a patient in two places is seen.
      if (number <= done) continue;
      positions.set(number, { patients: patients.length, bytes: patients.at(-1)?.bytes ?? 0 });
      await pool.send({
        number,
        patients: patients.map(({ file, line, patient, texts }) => ({ file, line, patient, texts })),
      });
    }
    await pool.drain();
    if (options.state !== undefined) writeState(options.state, key, state);
    return {
      sites: sites.map(({ name }, at) => ({
        name,
        fingerprint: fingerprints[at] as string,
        rules: rules[at] as RuleInfo[],
        tally: sorted(state.tallies[at] as Tally),
      })),
      replay,
      files: files.length,
      damage,
      failures: { count: state.failed, named: state.failures },
      resumed,
    };
  } finally {
    await pool.stop();
  }
}

/** Forgets how far a forecast had come: its figures are written. */
export function forgetState(options: Pick<ForecastOptions, 'state'>): void {
  if (options.state !== undefined) removeState(options.state);
}

/** The same input gives the same chunks: a state counts them. */
async function* chunksOf(
  patients: AsyncIterable<PatientText>,
  limit: { bytes: number; patients: number },
): AsyncGenerator<PatientText[]> {
  let chunk: PatientText[] = [];
  let bytes = 0;
  for await (const patient of patients) {
    chunk.push(patient);
    bytes += patient.size;
    if (bytes < limit.bytes && chunk.length < limit.patients) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** Results come in the order of the input, so that what is named does not depend on the threads. */
function addResult(state: State, { tallies, failures }: ChunkResult): void {
  for (const [at, tally] of tallies.entries()) {
    const sum = state.tallies[at] as Tally;
    addTally(sum, { ...tally, unrecognised: withinKinds(sum.unrecognised, tally.unrecognised) });
  }
  state.chunks++;
  state.failed += failures.length;
  state.failures.push(...failures.slice(0, NAMED - state.failures.length));
}

function withinKinds(known: Record<string, number>, found: Record<string, number>): Record<string, number> {
  let room = KINDS - Object.keys(known).length;
  const kept: Record<string, number> = {};
  for (const [kind, count] of Object.entries(found)) {
    const told = kind in known || room-- > 0 ? kind : OTHERS;
    kept[told] = (kept[told] ?? 0) + count;
  }
  return kept;
}

/** What makes a forecast this one: another key, another forecast. */
function keyOf({ files, sites, replay, chunk }: ForecastOptions, fingerprints: string[]): string {
  const parts = [
    STATE_VERSION,
    chunk ?? CHUNK,
    files.map(({ name, size, changed }) => [name, size, changed]),
    sites.map(({ path }) => path && readFileSync(path, 'utf8')),
    fingerprints,
    replay,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
