import { appendFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestFile,
  TestRunner,
  type TestRunnerConfig,
  vi,
} from 'vitest';
import { isHome, type Line, readLines, readPlan } from './plan.ts';

const { root, mutants, log, budget } = readPlan();

/** What the instrumented sources share with us: the mutant that is on, and which ones a test came by. */
type Switchboard = {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage: { static: Hits; perTest: Record<string, Hits> };
};
type Hits = Record<string, number>;

const board: Switchboard = { mutantCoverage: { static: {}, perTest: {} } };
Object.assign(globalThis, { __stryker__: board });
/** Where the sources look for the mutant that is on if nobody has told them, as in a thread of their own. */
const ACTIVE = '__STRYKER_ACTIVE_MUTANT__';

/** The files that vitest's worker goes through, one after the other. */
const worker = (globalThis as unknown as { __vitest_worker__: { ctx: { files: object[] } } }).__vitest_worker__;

/**
 * A mutant to be tried with a test file; `tests`: with these, or with all of them where it acts while modules load. `fresh`:
 * with modules loaded anew. `checks`: without the mutant, whether a test that failed passes; else an earlier mutant left
 * something behind in a module, and the pass is made again with fresh modules. `later`: what is tried next if it survives.
 */
type Pass = { id: string; tests: Set<string> | undefined; hits: number; fresh: boolean; checks?: Pass; later?: Pass };

/** A test that a mutant makes wait ends sooner than one that runs as usual. */
const USUAL_TIMEOUT = 20_000;
const MUTANT_TIMEOUT = 6_000;

/**
 * Runs each test file as it is, sees which mutants its tests come by, and runs those tests again for each of them, until the
 * first one fails.
 */
export default class MutantRunner extends TestRunner {
  readonly #alive = new Map(mutants.map(({ id, file }) => [id, file]));
  readonly #spent = new Map<string, number>();
  readonly #tried = new Set<string>();
  #at = -1;
  #began = 0;
  #passes: Pass[] = [];
  #pass: Pass | undefined;
  #failing = new Set<string>();
  #failed = false;
  #killer: string | undefined;

  constructor(config: TestRunnerConfig) {
    super(config);
    if (!existsSync(log)) return;
    for (const line of readLines(log)) {
      if (line.kind !== 'tried') continue;
      this.#tried.add(`${line.id} ${line.test}`);
      this.#spent.set(line.id, line.ms);
      if (line.killedBy !== undefined) this.#alive.delete(line.id);
    }
  }

  onBeforeCollect(): void {
    // Nobody but us is to hear of the passes.
    Object.assign(this, {
      onTaskUpdate: () => undefined,
      onTestAnnotate: async (_: unknown, annotation: unknown) => annotation,
      onCollectStart: (file: RunnerTestFile) => super.onCollectStart(file),
      onCollected: (files: RunnerTestFile[]) => this.#choose(files),
    });
    this.#at++;
    this.#began = performance.now();
    this.#failed = false;
    this.config.testTimeout = this.#pass ? MUTANT_TIMEOUT : USUAL_TIMEOUT;
    board.mutantCoverage.static = {};
    board.mutantCoverage.perTest = {};
    const active = this.#pass?.checks ? undefined : this.#pass?.id;
    board.activeMutant = active;
    board.hitCount = 0;
    board.hitLimit = this.#pass && this.#pass.hits * 100 + 10_000;
    // Threads and programs that a test starts read it there.
    if (active !== undefined) process.env[ACTIVE] = active;
    else delete process.env[ACTIVE];
    if (!this.#pass || this.#pass.fresh) vi.resetModules();
  }

  /** Only the tests that come by the mutant, and that pass without one. */
  #choose(files: RunnerTestFile[]): void {
    const pass = this.#pass;
    if (!pass) return;
    for (const test of files.flatMap(testsOf))
      if (this.#failing.has(test.id) || (pass.tests && !pass.tests.has(test.id))) test.mode = 'skip';
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    if (this.#failed) test.mode = 'skip';
    await super.onBeforeRunTask(test);
    if (!this.#pass) board.currentTestId = test.id;
  }

  override onAfterRunTask(test: RunnerTestCase): void {
    super.onAfterRunTask(test);
    board.currentTestId = undefined;
    if (this.#pass && test.result?.state === 'fail') this.#failed = true;
  }

  override onAfterRunFiles(files: RunnerTestFile[]): void {
    super.onAfterRunFiles(files);
    const [file] = files;
    if (!file) return;
    const test = file.filepath.slice(root.length + 1);
    const ms = Math.round(performance.now() - this.#began);
    board.activeMutant = undefined;
    if (this.#pass) this.#judge(this.#pass, file, test, ms);
    else this.#plan(file, test, ms);
    this.#pass = this.#next();
    if (this.#pass) write({ kind: 'start', id: this.#pass.id, test });
    else write({ kind: 'done', test });
    // The worker goes through this list: what is put behind the place where it is comes next.
    const list = worker.ctx.files;
    if (this.#pass) list.splice(this.#at + 1, 0, list[this.#at] as object);
  }

  /** After the run without a mutant: which ones to try with which tests of the file, the most covered last. */
  #plan(file: RunnerTestFile, test: string, ms: number): void {
    const { static: loading, perTest } = board.mutantCoverage;
    const tests = testsOf(file);
    this.#failing = new Set(tests.filter(({ result }) => result?.state === 'fail').map(({ id }) => id));
    const own = dirname(test);
    const passes = [...this.#alive].flatMap(([id, source]): Pass[] => {
      if (!isHome(source, test)) return [];
      const by = tests.filter((one) => perTest[one.id]?.[id] !== undefined);
      const hits = by.reduce((sum, one) => sum + (perTest[one.id]?.[id] ?? 0), loading[id] ?? 0);
      // What runs in a thread of its own is not seen: then the tests beside the file are all tried.
      const unseen = hits === 0 && THREADS.includes(source) && dirname(source) === own;
      if (hits === 0 && !unseen) return [];
      const whole: Pass = { id, hits, fresh: true, tests: undefined };
      if (by.length === 0) return [whole];
      const cheap: Pass = { id, hits, fresh: false, tests: new Set(by.map((one) => one.id)) };
      return [loading[id] === undefined ? cheap : { ...cheap, later: whole }];
    });
    this.#passes = passes.filter(({ id }) => !this.#tried.has(`${id} ${test}`));
    const failed = tests.filter(({ id }) => this.#failing.has(id)).map(({ name }) => name);
    write({ kind: 'baseline', test, ms, failed, covers: passes.length });
  }

  #judge(pass: Pass, file: RunnerTestFile, test: string, ms: number): void {
    const { id, fresh, checks } = pass;
    this.#spent.set(id, (this.#spent.get(id) ?? 0) + ms);
    const failed = tasksOf(file).filter(({ result }) => result?.state === 'fail');
    const killer = failed.find(({ type }) => type === 'test') ?? failed[0];
    if (checks && failed.length > 0) {
      this.#passes.unshift({ ...checks, fresh: true });
      return;
    }
    if (!checks && !fresh && killer) {
      this.#killer = killer.name;
      this.#passes.unshift({
        ...pass,
        tests: killer.type === 'test' ? new Set([killer.id]) : pass.tests,
        checks: pass,
      });
      return;
    }
    const killedBy = checks ? this.#killer : killer?.name;
    const { later } = checks ?? pass;
    if (killedBy === undefined && later) {
      this.#passes.unshift(later);
      return;
    }
    write({
      kind: 'tried',
      id,
      test,
      ms: Math.round(this.#spent.get(id) ?? 0),
      ...(killedBy !== undefined && { killedBy }),
    });
    if (killedBy !== undefined) this.#alive.delete(id);
    // What it left behind must not meet the next one.
    if (fresh) vi.resetModules();
  }

  #next(): Pass | undefined {
    for (;;) {
      const pass = this.#passes.shift();
      if (!pass || pass.checks || (this.#spent.get(pass.id) ?? 0) < budget) return pass;
    }
  }
}

const THREADS = ['src/journal/worker.ts', 'src/journal/store.ts', 'src/journal/database.ts'];

function write(line: Line): void {
  appendFileSync(log, `${JSON.stringify(line)}\n`);
}

function tasksOf(task: RunnerTask): RunnerTask[] {
  return 'tasks' in task ? [task, ...task.tasks.flatMap(tasksOf)] : [task];
}

function testsOf(file: RunnerTestFile): RunnerTestCase[] {
  return tasksOf(file).filter((task): task is RunnerTestCase => task.type === 'test');
}
