// Plants small mistakes ("mutants") in src/ one by one, and says which of them no test sees:
//   npm run mutants -- [--only chart] [--sample 60] [--seed 1] [--workers 2] [--json FILE]
// The mistakes are StrykerJS's, and so is the code that plants them all at once behind a switch; the tests run in one warm
// process, in a copy of the project. Not a part of `npm test`: docs/reliability.md has the figures.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { helpIfAsked } from '../src/cli/words.ts';
import { isHome, PLAN, type Plan, readLines } from './mutants/plan.ts';

const root = dirname(import.meta.dirname);
const ROOMS: Record<string, string[]> = {
  chart: ['src/chart', 'src/dates.ts'],
  codes: ['src/codes'],
  rules: ['src/rules'],
  cards: ['src/cards'],
  fhir: ['src/fhir'],
  trust: ['src/trust'],
  http: ['src/http'],
  journal: ['src/journal'],
};

helpIfAsked(`Usage: npm run mutants [-- --only chart] [--sample 60] [--seed 1] [--workers 2] [--budget 40] [--json FILE] [--again FILE]

Plants small mistakes in src/ one by one, in a copy of the project, and prints those that no test notices.

  --only     a room: ${Object.keys(ROOMS).join(', ')}; may be given more than once
  --sample   how many mistakes of each room, chosen by --seed; 0: all
  --budget   seconds of tests with which one is tried
  --json     writes what became of each to a file
  --again    such a file: only what no test noticed is tried again`);

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    /** How many of a room's mutants are tried; 0: all. */
    sample: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    /** Seconds of tests that a mutant is tried with before it counts as a survivor. */
    budget: { type: 'string', default: '40' },
    json: { type: 'string' },
    /** What `--json` wrote: only what survived there is tried again. */
    again: { type: 'string' },
  },
});
const [sample, seed, workers, budget] = [values.sample, values.seed, values.workers, values.budget].map(Number);
const rooms = values.only ?? Object.keys(ROOMS);
if (
  [sample, seed, workers, budget].some((number) => !Number.isSafeInteger(number) || (number as number) < 0) ||
  rooms.some((room) => !(room in ROOMS))
) {
  console.error('a room, or whole numbers: npm run mutants -- --help');
  process.exit(2);
}

/** Tests of these rooms that start programs, wait by the clock, or try thousands of calls: no mutant is tried with them. */
const APART =
  /fhir\/test-bundles|http\/(load|memory|unhandled|fuzz|canary|robustness|certificate)|journal\/(crash|replicas)/;

/** `key`: what it is, wherever it stands in its file. */
type Mutant = {
  id: string;
  key: string;
  room: string;
  file: string;
  line: number;
  operator: string;
  was: string;
  is: string;
};
type Outcome = Mutant & { killedBy?: string; tried: number };

/** Milliseconds: longer than any test file takes by itself. */
const SILENCE = 300_000;

const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) end(child);
  rmSync(copy, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const all = await plant();
const before: Outcome[] = values.again ? JSON.parse(readFileSync(values.again, 'utf8')) : [];
const killedBefore = before.filter(({ killedBy, room }) => killedBy !== undefined && rooms.includes(room));
const again = new Set(before.filter(({ killedBy }) => killedBy === undefined).map(({ key }) => key));
const chosen = values.again
  ? all.filter(({ key, room }) => again.has(key) && rooms.includes(room))
  : rooms.flatMap((room) => choose(all.filter((mutant) => mutant.room === room)));
const parts = Array.from({ length: workers as number }, (_, part) =>
  chosen.filter((_mutant, at) => at % (workers as number) === part),
);
const outcomes = (await Promise.all(parts.map((part, at) => tryOut(part, at)))).flat();
report([...killedBefore, ...outcomes]);

/** Copies the project, plants every mutant of the rooms behind its switch, and returns them. */
async function plant(): Promise<Mutant[]> {
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|\.git|\.install\.lock)$/.test(path),
  });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
  const files = Object.entries(ROOMS)
    .filter(([room]) => rooms.includes(room))
    .flatMap(([room, places]) => places.flatMap(sourcesIn).map((file) => ({ room, file })));
  const sources = files.map(({ file }) => ({
    name: file,
    mutate: true,
    content: readFileSync(join(root, file), 'utf8'),
  }));
  const quiet = () => undefined;
  const logger = {
    debug: quiet,
    info: quiet,
    warn: console.warn,
    isDebugEnabled: () => false,
  } as unknown as ConstructorParameters<typeof Instrumenter>[0];
  const planted = await new Instrumenter(logger).instrument(sources, {
    plugins: null,
    ignorers: [],
    excludedMutations: [],
  });
  for (const { name, content } of planted.files) writeFileSync(join(copy, name), content);
  const times = new Map<string, number>();
  return planted.mutants.map(({ id, fileName: file, location, mutatorName: operator, replacement }) => {
    const { room } = files.find((one) => one.file === file) as { room: string };
    const { content } = sources.find(({ name }) => name === file) as { content: string };
    const was = textAt(content, location);
    const is = short(replacement ?? '');
    const alike = [file, operator, was, is].join(' | ');
    const time = (times.get(alike) ?? 0) + 1;
    times.set(alike, time);
    return { id, key: `${alike} | ${time}`, room, file, line: location.start.line + 1, operator, was, is };
  });
}

function sourcesIn(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `${place}/${name.replaceAll('\\', '/')}`)
    .sort();
}

type Position = { line: number; column: number };
function textAt(content: string, { start, end }: { start: Position; end: Position }): string {
  const lines = content.split('\n').slice(start.line, end.line + 1);
  lines[lines.length - 1] = (lines.at(-1) as string).slice(0, end.column);
  lines[0] = (lines[0] as string).slice(start.column);
  return short(lines.join('\n'));
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 90 ? `${line.slice(0, 87)}...` : line;
}

/** As many as asked for, by the seed (mulberry32 and Fisher-Yates). */
function choose(mutants: Mutant[]): Mutant[] {
  if (sample === 0) return mutants;
  let state = seed as number;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const rest = [...mutants];
  for (let at = rest.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [rest[at], rest[other]] = [rest[other] as Mutant, rest[at] as Mutant];
  }
  return rest.slice(0, sample);
}

/** The cheapest first: those that call functions, then those that call the service; small ones first. */
function testFiles(): string[] {
  const calls = (file: string) => Number(dirname(file) === 'src/http');
  return readdirSync(join(copy, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !APART.test(file))
    .sort((one, other) => calls(one) - calls(other) || size(one) - size(other));
}

function size(file: string): number {
  return statSync(join(copy, file)).size;
}

/** Tries mutants in a process of its own, which is started anew where one of them makes it hang. */
async function tryOut(mutants: Mutant[], part: number): Promise<Outcome[]> {
  const log = join(copy, `mutants-${part}.log`);
  const path = join(copy, `mutants-${part}.json`);
  const hung = new Set<string>();
  writeFileSync(log, '');
  for (;;) {
    const lines = readLines(log);
    const dead = new Set(
      lines.flatMap((line) => (line.kind === 'tried' && line.killedBy !== undefined ? [line.id] : [])),
    );
    const done = new Set(lines.flatMap((line) => (line.kind === 'done' ? [line.test] : [])));
    const plan: Plan = {
      root: copy,
      mutants: mutants.filter(({ id }) => !dead.has(id) && !hung.has(id)).map(({ id, file }) => ({ id, file })),
      tests: testFiles().filter((test) => !done.has(test) && mutants.some(({ file }) => isHome(file, test))),
      log,
      budget: (budget as number) * 1000,
    };
    if (plan.mutants.length === 0 || plan.tests.length === 0) break;
    writeFileSync(path, JSON.stringify(plan));
    const ended = await runVitest(path, log, mutants.length - hung.size);
    const last = readLines(log).at(-1);
    if (ended === 'finished' || killedIn(log).size + hung.size === mutants.length) break;
    if (last?.kind === 'start') hung.add(last.id);
    else if (last === undefined || lines.length === readLines(log).length)
      throw new Error(`the tests do not run: ${ended}`);
  }
  const tried = readLines(log);
  for (const line of tried)
    if (line.kind === 'baseline' && line.failed.length > 0)
      console.warn(`fails without a mutant: ${line.test}: ${line.failed.join('; ')}`);
  return mutants.map((mutant) => {
    const own = tried.filter((line) => line.kind === 'tried' && line.id === mutant.id);
    const killer = own
      .map((line) =>
        line.kind === 'tried' && line.killedBy !== undefined ? `${line.test}: ${line.killedBy}` : undefined,
      )
      .find((by) => by !== undefined);
    const killedBy = hung.has(mutant.id) ? 'time' : killer;
    return { ...mutant, tried: own.length, ...(killedBy !== undefined && { killedBy }) };
  });
}

function killedIn(log: string): Set<string> {
  return new Set(
    readLines(log).flatMap((line) => (line.kind === 'tried' && line.killedBy !== undefined ? [line.id] : [])),
  );
}

/** `wanted`: how many mutants there are in all. */
async function runVitest(plan: string, log: string, wanted: number): Promise<string> {
  const config = join(root, 'scripts/mutants/vitest.config.ts');
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config], {
    cwd: copy,
    env: { ...process.env, [PLAN]: plan, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  children.add(child);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  let hung = false;
  const watch = setInterval(() => {
    // Once none is alive the other test files need not run.
    if (wanted === killedIn(log).size) end(child);
    if (Date.now() - statSync(log).mtimeMs < SILENCE) return;
    hung = true;
    end(child);
  }, 2000);
  await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(watch);
  children.delete(child);
  const last = readLines(log).at(-1);
  return !hung && last?.kind === 'done' ? 'finished' : `${said}`;
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Mutants that no test can see, since nothing changes: `file | operator | was | is | why`. */
function equivalents(): Set<string> {
  const path = join(root, 'scripts/mutants/equivalent.txt');
  if (!existsSync(path)) return new Set();
  return new Set(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.includes(' | '))
      .map((line) => line.split(' | ').slice(0, 4).join(' | ')),
  );
}

function report(outcomes: Outcome[]): void {
  const equal = equivalents();
  const isEqual = ({ file, operator, was, is }: Mutant) => equal.has([file, operator, was, is].join(' | '));
  const survivors = outcomes.filter((outcome) => outcome.killedBy === undefined && !isEqual(outcome));
  for (const { file, line, operator, was, is, tried } of survivors)
    console.log(`${file}:${line}  ${operator}  ${was}  ->  ${is}${tried === 0 ? '  (no test comes by)' : ''}`);
  console.log(`\nroom     planted  tried  equivalent  killed  survived  score   (seed ${seed})`);
  for (const room of rooms) {
    const own = outcomes.filter((outcome) => outcome.room === room);
    const same = own.filter((outcome) => outcome.killedBy === undefined && isEqual(outcome)).length;
    const killed = own.filter(({ killedBy }) => killedBy !== undefined).length;
    const counted = own.length - same;
    const figures = [all.filter((mutant) => mutant.room === room).length, own.length, same, killed, counted - killed];
    const score = `${((100 * killed) / Math.max(1, counted)).toFixed(0)} %`;
    const widths = [7, 7, 12, 8, 10];
    console.log(
      room.padEnd(9) +
        figures.map((figure, at) => String(figure).padStart(widths[at] as number)).join('') +
        score.padStart(7),
    );
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 2)}\n`);
}
