import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import type { InputFile } from './input.ts';
import type { RuleInfo, SiteChoice } from './knowledge.ts';
import { addNamed, type Named, noneNamed } from './named.ts';
import { Apart, type PatientText, patientsOf } from './patients.ts';
import { startPool } from './pool.ts';
import type { ReplayOptions } from './replay.ts';
import { mineOf, type Share } from './share.ts';
import { sortedPatients } from './sort.ts';
import { readState, type State, writeState } from './state.ts';
import { addTally, emptyTally, finished, type Tally } from './tally.ts';
import type { Damage, Damages } from './values.ts';
import type { ChunkResult, Failure } from './worker.ts';

export type ForecastOptions = {
  /** The folder that contains hooks/ and cards/. */
  folder: string;
  files: InputFile[];
  /** The share of the patients. */
  share: Share;
  /** One site, or two to compare. */
  sites: SiteChoice[];
  replay: ReplayOptions;
  workers: number;
  /** Folder for a copy sorted by patient, made only if the resources of each patient do not lie together. */
  copy: string;
  /** Where the state is saved; without it an interrupted forecast starts from the beginning. */
  state?: string;
  /** Maximum bytes of text and patients per chunk; smaller values are for tests. */
  chunk?: { bytes: number; patients: number };
  clock: () => number;
  /** Reports progress: bytes of the input sorted, or patients replayed and their bytes. */
  progress?: (done: { sorted: number } | { patients: number; bytes: number }) => void;
};

export type SiteForecast = { name: string; fingerprint: string; rules: RuleInfo[]; tally: Tally };

export type Forecast = {
  /** Identifies the forecast by its input, rules and options. */
  key: string;
  sites: SiteForecast[];
  replay: ReplayOptions;
  files: number;
  /** Lines that could not be read, and patients that were too large. */
  damage: Named<Damage>;
  failures: Named<Failure>;
  /** Patients done by an earlier run. */
  resumed: number;
};

const CHUNK = { bytes: 512 * 1024, patients: 32 };
/** Milliseconds between two saved states. */
const SAVE_EVERY = 2000;
/** Increase it when saved states change their meaning. */
const STATE_VERSION = 2;

/** Replays the patients of the files and sums up what the service would have answered. */
export async function forecast(options: ForecastOptions): Promise<Forecast> {
  const { folder, files, share, sites, replay, clock } = options;
  const positions = new Map<number, { patients: number; bytes: number }>();
  let state = emptyState(sites.length, false);
  let stateKey = '';
  let saved = Number.NEGATIVE_INFINITY;
  const save = () => {
    if (options.state !== undefined) writeState(options.state, stateKey, state);
    saved = clock();
  };
  const merge = (result: ChunkResult) => {
    addResult(state, result);
    const at = positions.get(result.number);
    positions.delete(result.number);
    state.patients += at?.patients ?? 0;
    if (at) options.progress?.({ patients: state.patients, bytes: at.bytes });
    if (clock() - saved >= SAVE_EVERY) save();
  };
  // Only the threads load the rules, so that this one stays small.
  const pool = startPool(options.workers, { folder, sites, replay }, merge);
  /** Replays what is not in the state yet. Reads the input from its start, so that its damage is found again. */
  const replayAll = async (patients: AsyncIterable<PatientText>) => {
    const done = state.chunks;
    let number = 0;
    for await (const chunk of chunksOf(patients, options.chunk ?? CHUNK)) {
      number++;
      if (number <= done) continue;
      positions.set(number, { patients: chunk.length, bytes: chunk.at(-1)?.bytes ?? 0 });
      await pool.send({
        number,
        patients: chunk.map(({ file, line, patient, texts }) => ({ file, line, patient, texts })),
      });
    }
    await pool.drain();
  };
  try {
    const { rules, fingerprints } = await pool.ready();
    const key = keyOf(options, fingerprints);
    stateKey = stateKeyOf(options, key);
    state = (options.state === undefined ? undefined : readState(options.state, stateKey)) ?? state;
    let resumed = state.patients;
    let damages: Damages = { lines: noneNamed(), patients: noneNamed() };
    if (!state.sorted) {
      try {
        await replayAll(patientsOf(files, mineOf(share), damages));
      } catch (error) {
        if (!(error instanceof Apart)) throw error;
        await pool.drain();
        damages = { lines: noneNamed(), patients: noneNamed() };
        state = emptyState(sites.length, true);
        resumed = 0;
        // So that the next run need not find out again.
        save();
      }
    }
    if (state.sorted) {
      const progress = (sorted: number) => options.progress?.({ sorted });
      await replayAll(sortedPatients({ files, folder: options.copy, key: stateKey, share, damages, progress }));
    }
    save();
    return {
      key,
      sites: sites.map(({ name }, at) => ({
        name,
        fingerprint: fingerprints[at] as string,
        rules: rules[at] as RuleInfo[],
        tally: finished(state.tallies[at] as Tally),
      })),
      replay,
      files: files.length,
      damage: damageOf(damages, share),
      failures: state.failures,
      resumed,
    };
  } finally {
    await pool.stop();
  }
}

/** Deletes the state of a forecast whose report is written. */
export function forget({ state, copy }: Pick<ForecastOptions, 'state' | 'copy'>): void {
  if (state !== undefined) rmSync(state, { force: true });
  rmSync(copy, { recursive: true, force: true });
}

function emptyState(sites: number, sorted: boolean): State {
  return {
    sorted,
    chunks: 0,
    patients: 0,
    tallies: Array.from({ length: sites }, emptyTally),
    failures: noneNamed(),
  };
}

/** Every share meets the same unreadable lines; only the first reports them. */
function damageOf({ lines, patients }: Damages, { index }: Share): Named<Damage> {
  if (index === 1) addNamed(patients, lines);
  return patients;
}

/** Deterministic chunks: the same input gives the same ones, so that a state can count them. */
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

function addResult(state: State, { tallies, failures }: ChunkResult): void {
  for (const [at, tally] of tallies.entries()) addTally(state.tallies[at] as Tally, tally);
  state.chunks++;
  addNamed(state.failures, { count: failures.length, named: failures });
}

/** Identifies a forecast, on whatever machine its shares run. */
function keyOf({ files, share, sites, replay }: ForecastOptions, fingerprints: string[]): string {
  const parts = [
    STATE_VERSION,
    share.count,
    files.map(({ name, size }) => [name, size]),
    sites.map(({ path }) => path && readFileSync(path, 'utf8')),
    fingerprints,
    replay,
  ];
  return digest(parts);
}

/** Identifies a state: the forecast, and how its input was divided into chunks. */
function stateKeyOf({ files, share, chunk }: ForecastOptions, key: string): string {
  return digest([key, share, chunk ?? CHUNK, files.map(({ changed }) => changed)]);
}

function digest(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
