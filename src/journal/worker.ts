import { parentPort, workerData } from 'node:worker_threads';
import type { Kysely } from 'kysely';
import { releaseStartupMemory } from '../memory.ts';
import { openDatabase, type Place } from './database.ts';
import { migrate } from './migrations.ts';
import { createStore, type Store } from './store.ts';
import type { Tables } from './tables.ts';

// SQLite blocks its thread, so it runs in a separate one and never delays an answer.
export type Question = { id: number; method: keyof Store | 'open' | 'close'; values: unknown[] };
export type Reply = { id: number; value?: unknown; error?: string };

let database: Kysely<Tables> | undefined;
let store: Store | undefined;

async function answer(method: Question['method'], values: unknown[]): Promise<unknown> {
  if (method === 'close') return database?.destroy();
  database ??= openDatabase(workerData as Place);
  store ??= createStore(database);
  if (method === 'open') return open();
  return (store[method] as (...values: unknown[]) => Promise<unknown>)(...values);
}

let opening: Promise<void> | undefined;
/** Migrates the tables; further callers wait for the same result. */
function open(): Promise<void> {
  opening ??= upgrade().finally(() => {
    opening = undefined;
  });
  return opening;
}

async function upgrade(): Promise<void> {
  const patient = openDatabase(workerData as Place, true);
  try {
    await migrate(patient);
  } finally {
    await patient.destroy();
    // A thread that only writes a card now and then would not collect the memory left over from its start.
    setTimeout(releaseStartupMemory, 1000).unref();
  }
}

parentPort?.on('message', async ({ id, method, values }: Question) => {
  let reply: Reply;
  try {
    reply = { id, value: await answer(method, values) };
  } catch (error) {
    // Only the code: a database's message may quote data.
    const { code, name } = error as { code?: unknown; name?: string };
    reply = { id, error: String(code ?? name ?? 'failed') };
  }
  parentPort?.postMessage(reply);
  if (method === 'close') parentPort?.close();
});
