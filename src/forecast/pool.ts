import { Worker } from 'node:worker_threads';
import { UnusableInput } from './patients.ts';
import type { Chunk, ChunkResult, Ready, WorkerData } from './worker.ts';

/** Chunks queued per worker: none is idle, and few are in memory. */
const AHEAD = 2;

/** Threads that replay chunks. Calls `done` with each result, in the order in which the chunks were sent. */
export function startPool(count: number, data: WorkerData, done: (result: ChunkResult) => void) {
  const results = new Map<number, ChunkResult>();
  const sent: number[] = [];
  let failed: Error | undefined;
  let loaded: Exclude<Ready, { refused: string }> | undefined;
  let wake = () => {};
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // A thread with a large heap limit collects late. This is enough for the largest patient.
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
        // If a state cannot be written, end the run with its message instead of a stack trace.
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
    /** Waits until the rules are loaded. Throws `UnusableInput` if they are not valid. */
    async ready() {
      await until(() => loaded !== undefined);
      return loaded as NonNullable<typeof loaded>;
    },
    /** Gives a chunk to the least busy worker; waits while all are busy. */
    async send(chunk: Chunk) {
      // One slow chunk must not let finished ones pile up behind it.
      await until(() => workers.some(({ busy }) => busy < AHEAD) && sent.length < count * AHEAD * 4);
      const idlest = workers.reduce((least, one) => (one.busy < least.busy ? one : least));
      idlest.busy++;
      sent.push(chunk.number);
      idlest.worker.postMessage(chunk);
    },
    /** Waits until everything sent is done. */
    drain: () => until(() => sent.length === 0),
    async stop() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
