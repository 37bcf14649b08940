import { join } from 'node:path';
import fhirpath from 'fhirpath';
import { expect, test } from 'vitest';
import { readChart } from '../chart/read.ts';
import { readTestBundles } from '../cli/bundles.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge, root } from '../testing/app.ts';
import { prescription, request } from '../testing/request.ts';
import type { Node } from './cost.ts';
import { evaluate, findingsOf } from './evaluate.ts';
import { compileExpression, type Expression } from './expression.ts';
import { applyClasses } from './facts.ts';
import type { Knowledge } from './knowledge.ts';
import { areMet, keptOf, shortcutOf } from './needs.ts';

const of = (text: string) => shortcutOf(fhirpath.parse(text) as Node);

test.each([
  "%medications.where(memberOf('a'))",
  "%medications.where(current = true and memberOf('a')).newest().start",
  "(%medications.where(current = true) | %drafts).where(memberOf('a'))",
  "where(memberOf('a') and form.exists())",
])('%s is nothing without an item of the list', (text) => {
  const { needs, otherwise } = of(text);
  const look = (lists: string[]) => ({ variable: () => true, item: (_: string, list: string) => lists.includes(list) });
  expect(otherwise).toEqual([]);
  expect([areMet(needs, look(['a'])), areMet(needs, look(['b']))]).toEqual([true, false]);
});

test.each([
  // What is empty may be asked for, and absence may be what is found.
  '%medications.empty()',
  "%medications.where(memberOf('a')).exists().not()",
  '%medications.all(current = true)',
  "%medications.count() = 0 or %drafts.where(memberOf('a')).exists()",
  "%hook = 'patient-view' or %drafts.exists()",
  "%drafts.union(%medications.where(memberOf('a')))",
  'iif(%medications.empty(), 1, 2)',
  '1',
])('%s is evaluated whatever there is', (text) => {
  expect(of(text).needs).toBe('always');
});

test.each(["%medications.where(memberOf('a').not())", "%medications.where(reasons.memberOf('a') or current = true)"])(
  '%s needs nothing but medicines',
  (text) => {
    expect(of(text).needs).toEqual({ variable: 'medications' });
  },
);

test.each([
  ["%medications.where(memberOf('a') or memberOf('b'))", ['a', 'b']],
  ["%medications.where(memberOf('a') and current = true).newest().start", ['a']],
  ["%drafts.where(current = true) | %medications.where(memberOf('a'))", ['a']],
  ["(%medications.where(current = true) | %drafts).where(memberOf('a'))", ['a']],
  ["%hook = 'patient-view' and %medications.where(memberOf('c')).exists()", ['c']],
  // Absence may be what is found, places count, and what is dropped here may count there.
  ["%medications.where(memberOf('a').not())", ['a', 'b', 'c']],
  ["%medications.first().where(memberOf('a'))", ['a', 'b', 'c']],
  ["%medications.where($index = 0 and memberOf('a'))", ['a', 'b', 'c']],
  ["%medications.where(memberOf('a')).exists() and %medications.count() = 3", ['a', 'b', 'c']],
  ["%medications.reasons.where(memberOf('a'))", ['a', 'b', 'c']],
])('%s looks at the medicines of %j', (text, lists) => {
  const items = ['a', 'b', 'c'].map((list) => ({ lists: [list] }));
  expect(keptOf(items, 'medications', of(text))).toEqual(
    items.filter((item) => lists.includes(item.lists[0] as string)),
  );
});

test('a class may be made from one that stands before it', () => {
  const made: Knowledge = {
    ...knowledge,
    classes: new Map([
      ['first', compileExpression("where(memberOf('opioid-analgesic'))")],
      ['second', compileExpression("where(memberOf('first'))")],
    ]),
  };
  const body = request('patient-view', { record: [prescription('p', 'oxycodone')] });
  const { call } = readRequest(body, 'patient-view');
  const chart = readChart(call, { codes: knowledge.codes, today: '2026-03-02', ...knowledge.site });
  expect(applyClasses(made, chart).medications.map(({ lists }) => lists.slice(-2))).toEqual([['first', 'second']]);
});

/** The same knowledge, of which every expression is evaluated. */
const thorough: Knowledge = {
  ...knowledge,
  classes: mapped(knowledge.classes, always),
  guidelines: knowledge.guidelines.map((guideline) => ({
    ...guideline,
    facts: mapped(guideline.facts, (fact) => ({ ...fact, expression: always(fact.expression) })),
  })),
};
function always(expression: Expression): Expression {
  return { ...expression, shortcut: { needs: 'always', otherwise: [], drops: new Map() } };
}
function mapped<T>(map: Map<string, T>, change: (value: T) => T): Map<string, T> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

test('every fact of every test bundle comes to the same, evaluated or not', () => {
  let rules = 0;
  for (const { name, body, hook } of readTestBundles(join(root, 'test-bundles'), [])) {
    const { call } = readRequest(body, hook);
    const chart = readChart(call, { codes: knowledge.codes, today: '2026-03-02', ...knowledge.site });
    const short = evaluate(knowledge, chart);
    const whole = evaluate(thorough, chart);
    const values = (results: typeof short) =>
      results.map((result) => [result.rule.id, result.outcome, findingsOf(result)]);
    expect(values(short), name).toEqual(values(whole));
    rules += short.length;
  }
  expect(rules).toBeGreaterThan(5000);
}, 120_000);
