// A reporter of vitest: a row of docs/conformance.md is proven by tests that ran and passed. `npm test` uses it. Rows whose
// test file did not run are not judged, so that a run of some files stays green.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const root = dirname(import.meta.dirname);

type Row = { id: string; status: string; why: string };

function readRows(): Row[] {
  const table = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  return [...table.matchAll(/^\| ([A-Z]+\d+) \| .+? \| (proven|not applicable|not yet) \| (.+) \|$/gm)].map(
    ([, id = '', status = '', why = '']) => ({ id, status, why: why.replaceAll('\\|', '|') }),
  );
}

/** The ids that a test's name begins with: `K1, A1–A3: …` is K1, A1, A2, A3. */
function idsOf(name: string): string[] {
  const [, ids] = /^((?:[A-Z]+\d+(?:–[A-Z]+\d+)?(?:, )?)+): /.exec(name) ?? [];
  return (ids ?? '')
    .split(', ')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = '', last = first] = part.split('–');
      const letters = first.replace(/\d+/, '');
      const [from, to] = [first, last].map((id) => Number(id.slice(letters.length))) as [number, number];
      return Array.from({ length: to - from + 1 }, (_, at) => `${letters}${from + at}`);
    });
}

/** The names that a title comes to: `FS1: an id with %s` of test.each, `… (seed ${SEED})`. */
function namesOf(title: string): RegExp {
  const parts = title
    .split(/%[sdifjoO#]|\$\{[^}]+\}|\$[\w.]+/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`);
}

export default class Conformance implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = new Map(
      modules.map((module): [string, TestCase[]] => [
        relative(root, module.moduleId).replaceAll('\\', '/'),
        [...module.children.allTests()],
      ]),
    );
    const problems = readRows().flatMap((row) => judge(row, tests));
    if (problems.length === 0) return;
    console.error(`\ndocs/conformance.md:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n`);
    process.exitCode = 1;
  }
}

function judge({ id, status, why }: Row, tests: Map<string, TestCase[]>): string[] {
  const carrying = [...tests].flatMap(([file, own]) =>
    own.filter(({ name }) => idsOf(name).includes(id)).map(({ name }) => `${file}: ${name}`),
  );
  if (status !== 'proven') return carrying.map((test) => `${id} is ${status}, and yet there is ${test}`);
  const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(why) ?? [];
  if (!existsSync(join(root, file))) return [`${id}: there is no ${file}`];
  const ran = tests.get(file);
  if (ran === undefined) return [];
  const name = namesOf(title);
  const named = ran.filter((test) => name.test(test.name) && idsOf(test.name).includes(id));
  if (named.length === 0) return [`${id}: ${file} has no test of this name with this id: ${title}`];
  return named
    .filter((test) => test.result().state !== 'passed')
    .map((test) => `${id}: ${file}: ${test.result().state}: ${test.name}`);
}
