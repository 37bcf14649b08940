import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Chart } from '../chart/chart.ts';
import { answerFile, readTestBundles } from '../cli/bundles.ts';
import type { Certainty } from '../dates.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { anyCall, chartOf } from '../testing/charts.ts';
import { compileExpression } from './expression.ts';
import { viewsOf } from './facts.ts';

const SEED = 20260302;

/** What distinguishes items: of a drug or result its reference and degree, of a pair both, of a course its days. */
function nameOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const { one, other, degree, washout, ref, start, end, drugs, date, outcome } = item as Record<string, unknown>;
  if (one !== undefined) return ['pair', nameOf(one), nameOf(other), degree, washout];
  if (drugs !== undefined) return ['course', start, end, (drugs as unknown[]).map(nameOf)];
  return ['item', ref, degree, date, outcome, (item as { draft?: boolean }).draft];
}

/** Differences between the two evaluators, over every fact and class of the knowledge in one certainty. */
function differences({ guidelines, classes }: Knowledge, chart: Chart, certainty: Certainty, only?: string): string[] {
  const views = viewsOf(chart, 'medications');
  const found: string[] = [];
  const compare = (name: string, text: string, known: Record<string, unknown>, input?: unknown) => {
    const variables = (variable: string) => known[variable];
    const expression = compileExpression(text);
    const value = expression.evaluate(certainty, variables, input);
    const interpreted = expression.interpret(certainty, variables, input);
    const [mine, theirs] = [value, interpreted].map((items) => JSON.stringify(items.map(nameOf)));
    if (mine !== theirs) found.push(`${name} (${certainty}): ${mine} compiled, ${theirs} interpreted`);
    return value;
  };
  const asked = guidelines.filter(({ file }) => file.id === only);
  for (const { file, facts, parameters } of asked.length > 0 ? asked : guidelines) {
    const variables: Record<string, unknown> = { ...views.chart[certainty], ...parameters };
    for (const [name, { expression }] of facts)
      variables[name] = compare(`${file.id}.${name}`, expression.text, variables);
  }
  const variables: Record<string, unknown> = {
    ...views.chart[certainty],
    otherwise: chart.treatments.filter(({ otherwise }) => otherwise),
  };
  for (const [name, { text }] of classes.facts) variables[name] = compare(name, text, variables);
  for (const drug of [...chart.drafts, ...chart.treatments])
    for (const [name, { text }] of classes.classes) compare(name, text, variables, [drug]);
  return found;
}

describe('compiled and interpreted facts agree', () => {
  const sites = new Map<string, Knowledge>();
  const bundles = readTestBundles(join(root, 'test-bundles'), []);
  // For most bundles only the facts of their own guideline; for every fifth all facts, in both certainties.
  test(`on each of ${bundles.length} test bundles`, () => {
    expect(bundles.length).toBeGreaterThan(100);
    for (const [number, { name, body, expected }] of bundles.entries()) {
      const key = JSON.stringify(expected.site ?? {});
      const own =
        sites.get(key) ?? (key === '{}' ? knowledge : knowledgeOf(root, { ...deliveredSite, ...expected.site }));
      sites.set(key, own);
      const { chart } = answerFile(body, own, 'en', '2026-03-02').answer;
      const all = number % 5 === 0;
      const partial = viewsOf(chart, 'medications').unclear || all;
      for (const certainty of partial ? (['all', 'some'] as const) : (['all'] as const))
        expect(differences(own, chart, certainty, all ? undefined : name.split('/')[0]), name).toEqual([]);
    }
  }, 120_000);

  test(`on generated charts (seed ${SEED})`, () => {
    fc.assert(
      fc.property(anyCall, fc.constantFrom<Certainty>('all', 'some'), ({ record, drafts, hook }, certainty) => {
        expect(differences(knowledge, chartOf(record, { drafts, hook }), certainty)).toEqual([]);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  test('every fact and class is compiled, and fhirpath.js only parses', () => {
    const { guidelines, classes } = knowledge;
    const all = [
      ...guidelines.flatMap(({ facts }) => [...facts.values()].map(({ expression }) => expression)),
      ...classes.facts.values(),
      ...classes.classes.values(),
    ];
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ compiled }) => !compiled).map(({ text }) => text)).toEqual([]);
  });
});

const a = { ref: 'a', x: 1, date: '2026-01-31', lists: ['l', 'm'], on: true, says: ['pain'] };
const b = { ref: 'b', x: 2, date: '2026-02', lists: ['m'], on: false, says: [] };
const VALUES: Record<string, unknown> = {
  yes: true,
  no: false,
  none: [],
  one: 1,
  half: 0.5,
  text: 'a',
  two: [1, 2],
  twice: [1, 1, 2],
  mixed: [true, false],
  dates: ['2026-01-31', '2026-03', '2025'],
  a: [a],
  both: [a, b],
  again: [b, a, b],
};
const VARIABLES = (name: string) => VALUES[name];

/** The result of a snippet, or that it is an error. */
function outcome(evaluate: () => unknown[]): unknown {
  try {
    return evaluate().map(nameOf);
  } catch {
    return 'an error';
  }
}

describe('operators and functions on one value, several values and none', () => {
  const operands = [
    '%yes',
    '%no',
    '%none',
    '%one',
    '%half',
    '%text',
    '%two',
    '%twice',
    '%mixed',
    '%a',
    '%both',
    '1',
    "'a'",
    'true',
    '{}',
  ];
  const operators = ['and', 'or', 'implies', '=', '!=', '|', 'in', 'contains', '+', '-', '*', '<', '<=', '>', '>='];
  // Where the left side decides, the compiled form does not look at the right side, and so misses its mistakes.
  const decides: Record<string, (left: unknown) => boolean> = {
    and: (left) => left === false,
    or: (left) => left !== false && left !== undefined,
    implies: (left) => left === false,
  };
  test.each(operators)('%s', (operator) => {
    const wrong = operands.flatMap((left) =>
      operands.flatMap((right) => {
        const [decided, ...more] = compileExpression(left).interpret('all', VARIABLES);
        if (more.length === 0 && decides[operator]?.(decided)) return [];
        const text = `${left} ${operator} ${right}`;
        const { evaluate, interpret } = compileExpression(text);
        const [mine, theirs] = [evaluate, interpret].map((run) => outcome(() => run('all', VARIABLES)));
        return JSON.stringify(mine) === JSON.stringify(theirs)
          ? []
          : [`${text}: ${JSON.stringify(mine)} for ${JSON.stringify(theirs)}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  const steps = [
    'not()',
    'empty()',
    'exists()',
    'count()',
    'first()',
    'last()',
    'tail()',
    'distinct()',
    'max()',
    'ceiling()',
    'x',
    'lists',
    'missing',
    'on',
    'where($this = 1)',
    'where(x = 1)',
    'where(x > 1)',
    'where(on = true)',
    'where(on = false)',
    'where(missing = 1)',
    'where(%none)',
    'where(%yes)',
    'exists(x = 1)',
    'exists(missing = 1)',
    'all(x > 0)',
    'all(x > 1)',
    'all(%none)',
    'select(x)',
    'select(lists)',
    'select(missing)',
    "where('l' in lists)",
    "where(lists contains 'm')",
    "where(('pain' in says).not())",
    'intersect(%two)',
    'intersect(%both)',
    'exclude(%one)',
    'exclude(%a)',
    'union(%twice)',
    'union(%both)',
    'combine(%again)',
    "memberOf('l')",
    "memberOf('none')",
    "where(memberOf('l'))",
    "where(memberOf('l').not())",
    "onOrBefore('2026-02')",
    "onOrAfter('2026-02')",
    "before('2026-02')",
    "after('2026-02')",
    "where(date.onOrBefore('2026-02-15'))",
    "where(date.after('2026-01-31'))",
    "where(date.before('2026-02-28'))",
    'date.plusDays(1)',
    'date.minusDays(1)',
    'date.plusMonths(1)',
    'date.minusMonths(1)',
    'date.spanDays()',
    'plusDays(1)',
    'plusMonths(1)',
    "sharing('lists', %a)",
    "sharing('ref', %none)",
    'where(lists.exists() and on = true)',
  ];
  const inputs = [
    '%yes',
    '%no',
    '%none',
    '%one',
    '%half',
    '%two',
    '%twice',
    '%mixed',
    '%dates',
    '%a',
    '%both',
    '%again',
    "'2026-02-10'",
    '(%a | %both)',
  ];
  test.each(steps)('.%s', (step) => {
    const wrong = inputs.flatMap((input) =>
      (['all', 'some'] as const).flatMap((certainty) => {
        const text = `${input}.${step}`;
        const { evaluate, interpret } = compileExpression(text);
        const [mine, theirs] = [evaluate, interpret].map((run) => outcome(() => run(certainty, VARIABLES)));
        return JSON.stringify(mine) === JSON.stringify(theirs)
          ? []
          : [`${text}: ${JSON.stringify(mine)} for ${JSON.stringify(theirs)}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    'iif(%yes, 1, 2)',
    'iif(%no, 1, 2)',
    'iif(%none, 1, 2)',
    'iif(%one, 1, 2)',
    'iif(%no, 1)',
    'iif(%none, 1)',
    '-1',
    '-%one',
    '{}',
    "'it'",
    '%both.x.max()',
    '(%both | %a).count()',
    '%a.x + 1',
    '1 + 2 * 3',
    '(1 + 2) * 3',
    '%two.select($this + 1)',
    '%both.where(x > 1 and on = false).ref',
    '%yes and (%no or %none)',
    '%none.first().x',
  ])('%s', (text) => {
    const { evaluate, interpret } = compileExpression(text);
    expect(outcome(() => evaluate('all', VARIABLES))).toEqual(outcome(() => interpret('all', VARIABLES)));
  });

  test.each([
    ['an unknown function', '%a.nothing()'],
    ['a bare field as a condition', '%both.where(on)'],
    ['invalid FHIRPath', '%a.where('],
    ['a variable searched for each item', '%both.where(%both.x.max() = x)'],
  ])('%s is an error at load time', (_, text) => {
    expect(() => compileExpression(text)).toThrow();
  });
});

describe('3: a comparison of partial dates is certain only as far as the dates are known', () => {
  test.each<[string, boolean, boolean]>([
    // Columns: whether it holds for every day that the date may mean, and whether it may hold.
    ["'2026-02'.onOrBefore('2026-02-28')", true, true],
    ["'2026-02'.onOrBefore('2026-02-27')", false, true],
    ["'2026-02'.onOrBefore('2026-01-31')", false, false],
    ["'2026-02'.onOrAfter('2026-02-01')", true, true],
    ["'2026-02'.onOrAfter('2026-02-02')", false, true],
    ["'2026-02'.onOrAfter('2026-03-01')", false, false],
    ["'2026-02'.before('2026-03-01')", true, true],
    ["'2026-02'.before('2026-02-28')", false, true],
    ["'2026-02'.before('2026-02-01')", false, false],
    ["'2026-02'.after('2026-01-31')", true, true],
    ["'2026-02'.after('2026-02-01')", false, true],
    ["'2026-02'.after('2026-02-28')", false, false],
    ["'2026'.after('2025-12-31')", true, true],
    ["'2026'.after('2026-06-01')", false, true],
    ["'2026'.after('2026-12-31')", false, false],
    ["'2026-02-10'.after('2026-02-10')", false, false],
    ["'2026-02-11'.after('2026-02-10')", true, true],
    ["'2026-02-10'.before('2026-02-10')", false, false],
    ["'2026-02-09'.before('2026-02-10')", true, true],
  ])('%s: certainly %s, possibly %s', (text, surely, perhaps) => {
    const { evaluate } = compileExpression(text);
    expect([evaluate('all', VARIABLES), evaluate('some', VARIABLES)]).toEqual([[surely], [perhaps]]);
  });
});
