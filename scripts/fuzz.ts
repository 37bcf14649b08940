import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { helpIfAsked } from '../src/cli/words.ts';
import { collector } from '../src/memory.ts';
import { type Case, cases, type Kind, startFuzzing } from '../src/testing/mutations.ts';
import { startWildFuzzing, type Wild, type WildKind, wildCases } from '../src/testing/wild.ts';

helpIfAsked(`Usage: npm run fuzz [-- --runs 20000] [--seed 7] [--path 3:0:1] [--slow 1000]

Sends mutated calls to the service, in this process. Prints the first call with a wrong answer, shrunk, with the command that
sends it again, and ends with 1. Also watches for uncaught errors, for calls that block the others, and for memory that is
not released.

  --runs N  how many calls (20000)
  --seed N  which calls (by chance)
  --path P  where under this seed a bad call was found
  --slow N  milliseconds of processor time that no call may take (1000)
`);

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    /** Where fast-check found a counterexample under this seed. */
    path: { type: 'string' },
    /** Milliseconds of processor time that no call may take: it holds up all others meanwhile. */
    slow: { type: 'string', default: '1000' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const slow = Number(values.slow);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('--runs and --seed are whole numbers: npm run fuzz -- --help');
  process.exit(2);
}

const weights: Record<Kind, number> = { structure: 40, irrelevant: 40, text: 20, transport: 10, token: 20 };
const wildWeights: Record<WildKind, number> = { server: 30, feedback: 30, together: 8, maximal: 1 };
const anyCase: fc.Arbitrary<Case | Wild> = fc.oneof(
  ...(Object.keys(weights) as Kind[]).map((kind) => ({ arbitrary: cases[kind], weight: weights[kind] })),
  ...(Object.keys(wildWeights) as WildKind[]).map((kind) => ({
    arbitrary: wildCases[kind],
    weight: wildWeights[kind],
  })),
);

/** Mebibytes by which what is kept may grow between the first thousand runs and the last. */
const GROWTH = 64;

const calm = await startFuzzing();
const wild = await startWildFuzzing();
const collect = collector();
const counts = new Map<string, number>();
let done = 0;
let slowest = { milliseconds: 0, base: '' };
let heap: { first: number; last: number } | undefined;
let current: Case | Wild | undefined;
const begin = performance.now();

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    console.error(`${event}:`, error);
    report(current, [event]);
    process.exit(1);
  });
}

const isWild = (call: Case | Wild): call is Wild => call.kind in wildWeights;
const judge = (call: Case | Wild) => (isWild(call) ? wild.judge(call) : calm.judge(call));

console.log(`seed ${seed}, ${runs} runs`);
const details = await fc.check(
  fc.asyncProperty(anyCase, async (call) => {
    current = call;
    const before = process.cpuUsage();
    const { status, faults } = await judge(call);
    const { user, system } = process.cpuUsage(before);
    const milliseconds = (user + system) / 1000;
    const key = `${call.kind} ${status}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, base: call.kind };
    done += 1;
    if (done % 2000 === 0) console.log(`${done} runs, ${rate()} a second`);
    if (done % 1000 === 0) faults.push(...grown());
    // The processor time of other threads, which collect garbage, counts as well: twice as much is one of ours.
    if (milliseconds > 2 * slow) faults.push(`over ${slow} ms`);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }),
  { seed, numRuns: runs, ...(values.path !== undefined && { path: values.path }) },
);

for (const [key, count] of [...counts].sort()) console.log(`${key.padEnd(16)} ${String(count).padStart(6)}`);
console.log(`slowest ${Math.round(slowest.milliseconds)} ms of processor time (${slowest.base})`);
if (heap) console.log(`kept ${heap.first} MiB after 1000 runs, ${heap.last} MiB at the end`);
if (details.failed) {
  const [call] = details.counterexample ?? [];
  const answer = call && (await judge(call));
  report(call, answer?.faults ?? [], answer, details.counterexamplePath ?? undefined);
} else console.log(`${done} runs, ${rate()} a second: every answer is whole`);
await calm.close();
await wild.close();
process.exitCode = details.failed ? 1 : 0;

/** What is kept, once all that can go is gone. */
function grown(): string[] {
  collect({ type: 'major' });
  const last = Math.round(process.memoryUsage().heapUsed / 1024 ** 2);
  heap = { first: heap?.first ?? last, last };
  return last - heap.first > GROWTH ? [`${last - heap.first} MiB more are kept`] : [];
}

function rate(): number {
  return Math.round(done / ((performance.now() - begin) / 1000));
}

function report(
  call: Case | Wild | undefined,
  faults: string[],
  answer?: { status: number; text: string },
  path?: string,
) {
  const { status, text } = answer ?? {};
  const shown = call && 'calm' in call ? { ...call, calm: call.calm?.same } : call;
  console.log(JSON.stringify({ faults, call: shown, answer: { status, text } }).slice(0, 100_000));
  const where = path === undefined ? ` --runs ${runs}` : ` --path "${path}"`;
  console.log(`again: npm run fuzz -- --seed ${seed}${where}`);
}
