import { join } from 'node:path';
import fhirpath from 'fhirpath';
import { expect, test } from 'vitest';
import { readChart } from '../chart/read.ts';
import { readTestBundles } from '../cli/bundles.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge, root } from '../testing/app.ts';
import type { Node } from './cost.ts';
import { evaluate } from './evaluate.ts';
import type { Expression } from './expression.ts';
import type { Knowledge } from './knowledge.ts';
import { areMet, shortcutOf } from './needs.ts';

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
  return { ...expression, shortcut: { needs: 'always', otherwise: [] } };
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
      results.map(({ rule, outcome, findings }) => [rule.id, outcome, [...findings].map(([, finding]) => finding)]);
    expect(values(short), name).toEqual(values(whole));
    rules += short.length;
  }
  expect(rules).toBeGreaterThan(5000);
}, 120_000);
