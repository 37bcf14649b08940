import { Worker } from 'node:worker_threads';
import { UnusableInput } from './patients.ts';
import type { Chunk, ChunkResult, Ready, WorkerData } from './worker.ts';

export type Pool = {
  /** Waits until the rules are loaded. Throws `UnusableInput` where they cannot be used. */
  ready: () => Promise<Exclude<Ready, { refused: string }>>;
  /** Hands a chunk to the idlest worker; waits while all have enough to do. */
  send: (chunk: Chunk) => Promise<void>;
  /** Waits until everything that was sent is done. */
  drain: () => Promise<void>;
  stop: () => Promise<void>;
};

/** So many chunks wait at each worker: none is idle, and few lie in memory. */
const AHEAD = 2;

/** Threads that replay chunks. `done` is told of each result, in the order in which the chunks were sent. */
export function startPool(count: number, data: WorkerData, done: (result: ChunkResult) => void): Pool {
  const results = new Map<number, ChunkResult>();
  const sent: number[] = [];
  let failed: Error | undefined;
  let loaded: Exclude<Ready, { refused: string }> | undefined;
  let wake = () => {};
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // A thread that may grow to gigabytes does not clean up before it has to. This is room enough for the largest patient.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 },
    });
    const one = { worker, busy: 0 };
    worker.on('message', (result: ChunkResult | Ready) => {
      if ('refused' in result) failed ??= new UnusableInput(result.refused);
      else if ('rules' in result) loaded ??= result;
      if (!('number' in result)) return wake();
      one.busy--;
      results.set(result.number, result);
      try {
        for (let next = results.get(sent[0] ?? -1); next; next = results.get(sent[0] ?? -1)) {
          results.delete(next.number);
          sent.shift();
          done(next);
        }
      } catch (error) {
        // A state that cannot be written ends the run with its message, not the process with a trace.
        failed ??= error as Error;
      }
      wake();
    });
    worker.on('error', (error: Error) => {
      failed ??= error;
      wake();
    });
    return one;
  });
  const until = async (ready: () => boolean) => {
    while (!failed && !ready()) await new Promise<void>((resolve) => (wake = resolve));
    if (failed) throw failed;
  };
  return {
    async ready() {
      await until(() => loaded !== undefined);
      return loaded as NonNullable<typeof loaded>;
    },
    async send(chunk) {
      // One slow chunk must not let the finished ones behind it pile up.
      await until(() => workers.some(({ busy }) => busy < AHEAD) && sent.length < count * AHEAD * 4);
      const idlest = workers.reduce((least, one) => (one.busy < least.busy ? one : least));
      idlest.busy++;
      sent.push(chunk.number);
      idlest.worker.postMessage(chunk);
    },
    drain: () => until(() => sent.length === 0),
    async stop() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
