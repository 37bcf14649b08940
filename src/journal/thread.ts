import { Worker } from 'node:worker_threads';
import type { Place } from './database.ts';
import type { Question, Reply } from './worker.ts';

/** Why the journal failed: the database's own code, or `timeout`, `closed`, `thread`. Never its message. */
export class JournalFailed extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(`journal: ${reason}`);
    this.reason = reason;
  }
}

export type Thread = {
  /** Rejects with `JournalFailed`, at the latest after `deadline` milliseconds. */
  ask: <T>(method: Question['method'], values: unknown[], deadline: number) => Promise<T>;
  stop: () => Promise<void>;
};

/** The thread that holds the database. `onEnd` is called once if it ends unexpectedly. */
export function startThread(place: Place, onEnd: () => void): Thread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: place,
    // Rows are small and short-lived; otherwise V8 keeps a nursery as large as the whole service's.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  const open = new Map<number, (reply: Reply) => void>();
  let last = 0;
  let stopped = false;
  worker.on('message', (reply: Reply) => open.get(reply.id)?.(reply));
  // `exit` follows and reports the failure.
  worker.on('error', () => {});
  worker.on('exit', () => {
    for (const answer of open.values()) answer({ id: 0, error: 'thread' });
    if (!stopped) onEnd();
    stopped = true;
  });
  const ask = <T>(method: Question['method'], values: unknown[], deadline: number) =>
    new Promise<T>((resolve, reject) => {
      if (stopped) return reject(new JournalFailed('closed'));
      last += 1;
      const id = last;
      const timer = setTimeout(() => open.get(id)?.({ id, error: 'timeout' }), deadline);
      open.set(id, ({ value, error }) => {
        clearTimeout(timer);
        open.delete(id);
        if (error === undefined) resolve(value as T);
        else reject(new JournalFailed(error));
      });
      worker.postMessage({ id, method, values } satisfies Question);
    });
  return {
    ask,
    stop: async () => {
      await ask('close', [], 2000).catch(() => {});
      stopped = true;
      await worker.terminate();
    },
  };
}
