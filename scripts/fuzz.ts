// Sends mutated requests to the service in this process:  npm run fuzz [-- --runs 20000 --seed 7 --path 3:0:1]
// Ends with 1 and prints the first call that is answered badly, made small, with the command that sends it again.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { type Case, cases, type Kind, startFuzzing } from '../src/testing/mutations.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    /** Where fast-check found a counterexample under this seed. */
    path: { type: 'string' },
    /** Milliseconds that no call may take. */
    slow: { type: 'string', default: '1000' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('use: npm run fuzz -- [--runs 20000] [--seed 7] [--path 3:0:1]');
  process.exit(2);
}

const weights: Record<Kind, number> = { structure: 4, irrelevant: 4, text: 2, transport: 1, token: 2 };
const anyCase = fc.oneof(
  ...(Object.keys(weights) as Kind[]).map((kind) => ({ arbitrary: cases[kind], weight: weights[kind] })),
);

const fuzzing = await startFuzzing(Number(values.slow));
const counts = new Map<string, number>();
let done = 0;
let slowest = { milliseconds: 0, base: '' };
let current: Case | undefined;
const begin = performance.now();

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    console.error(`${event}:`, error);
    report(current, [event]);
    process.exit(1);
  });
}

console.log(`seed ${seed}, ${runs} runs`);
const details = await fc.check(
  fc.asyncProperty(anyCase, async (call) => {
    current = call;
    const { status, milliseconds, faults } = await fuzzing.judge(call);
    const key = `${call.kind} ${status}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, base: `${call.kind} ${call.base}` };
    done += 1;
    if (done % 2000 === 0) console.log(`${done} runs, ${rate()} a second`);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  }),
  { seed, numRuns: runs, ...(values.path !== undefined && { path: values.path }) },
);

for (const [key, count] of [...counts].sort()) console.log(`${key.padEnd(16)} ${String(count).padStart(6)}`);
console.log(`slowest ${Math.round(slowest.milliseconds)} ms (${slowest.base})`);
if (details.failed) {
  const [call] = details.counterexample ?? [];
  const answer = call && (await fuzzing.judge(call));
  report(call, answer?.faults ?? [], answer, details.counterexamplePath ?? undefined);
} else console.log(`${done} runs, ${rate()} a second: every answer is whole`);
await fuzzing.close();
process.exitCode = details.failed ? 1 : 0;

function rate(): number {
  return Math.round(done / ((performance.now() - begin) / 1000));
}

function report(call: Case | undefined, faults: string[], answer?: { status: number; text: string }, path?: string) {
  const { status, text } = answer ?? {};
  console.log(JSON.stringify({ faults, call: { ...call, calm: call?.calm?.same }, answer: { status, text } }));
  const where = path === undefined ? ` --runs ${runs}` : ` --path "${path}"`;
  console.log(`again: npm run fuzz -- --seed ${seed}${where}`);
}
