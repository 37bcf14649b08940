import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerFile, observe, readTestBundles } from '../cli/bundles.ts';
import { localDate } from '../dates.ts';
import { type JsonObject, object, objects, string } from '../fhir/json.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { compileExpression } from './expression.ts';
import type { Fact } from './knowledge.ts';
import { reachOfResults, resultWindow } from './reach.ts';

/** The reach of the knowledge where one rule rests on a fact of this text, and on others above it. */
function reachOf(fact: string, others: Record<string, string> = {}) {
  const [guideline] = knowledge.guidelines as [(typeof knowledge.guidelines)[number]];
  const [rule] = guideline.rules as [(typeof guideline.rules)[number]];
  const none = {
    unless: [],
    without: [],
    about: [],
    unclear: [],
    indicators: [],
    said: [],
    suggest: [],
    off: undefined,
  };
  const facts = Object.entries({ ...others, asked: fact }).map(([name, text]): [string, Fact] => [
    name,
    { name, expression: compileExpression(text), sections: new Set() },
  ]);
  return reachOfResults({
    ...knowledge,
    classes: { facts: new Map(), classes: new Map() },
    guidelines: [{ ...guideline, parameters: { someDays: 90, someMonths: 12 }, facts: new Map(facts) }],
    rules: [{ ...rule, ...none, when: ['asked'] }],
  });
}

describe('how far back results are read is derived from the facts', () => {
  const within = '%today.minusDays(%someDays)';
  test.each([
    ['a parameter of days', `%results.where(date.onOrAfter(${within}))`, 92],
    ['a number of days', '%results.where(date.onOrAfter(%today.minusDays(10)))', 12],
    ['a parameter of months', '%results.where(date.after(%today.minusMonths(%someMonths)))', 12 * 31 + 2],
    [
      'a condition after others',
      `%results.where(memberOf('alt')).newest().where(value > 3 and date.onOrAfter(${within}))`,
      92,
    ],
    ['the nearest of several', `%results.where(date.onOrAfter(${within}) and date.onOrAfter(%today.minusDays(5)))`, 7],
    [
      'the farthest of several facts',
      `%results.where(date.onOrAfter(${within})) | %results.where(date.onOrAfter(%today.minusDays(200)))`,
      202,
    ],
    ['each side of an or', `%results.where(date.onOrAfter(${within}) or date.onOrAfter(%today.minusDays(5)))`, 92],
    [
      'what is newest of those that they share a question with',
      `%results.where(date.onOrAfter(${within})).sharing('lists', %results.newest().where(outcome = 'positive'))`,
      92,
    ],
    ['what they are compared with', `%results.where(date.onOrAfter(${within})).exclude(%results.where(value > 3))`, 92],
    ['no results at all', '%conditions.where(active = true)', 2],
  ])('%s', (_, fact, days) => {
    expect(reachOf(fact)).toEqual({ days, lists: [], codes: [] });
  });

  test.each([
    ['no condition', '%results'],
    ['a condition on something else', "%results.where(outcome = 'positive')"],
    ['one side of an or', `%results.where(date.onOrAfter(${within}) or value > 3)`],
    ['others that are not the newest', `%results.where(date.onOrAfter(${within})).sharing('lists', %results)`],
    ['a day ahead', '%results.where(date.onOrBefore(%today))'],
  ])('any result may count: %s', (_, fact) => {
    expect(reachOf(fact).days).toBeUndefined();
  });

  test('results of a list that are read however old they are have their codes named', () => {
    const reach = reachOf("%results.where(memberOf('smoking-status')).newest()");
    expect(reach).toMatchObject({ days: 2, lists: ['smoking-status'] });
    expect(reach.codes).toContain('72166-2');
  });

  test('through facts that name each other', () => {
    const others = {
      tests: "%results.where(memberOf('alt'))",
      late: `%tests.newest().where(date.onOrAfter(${within}))`,
    };
    expect(reachOf('%late.where(value > 3)', others)).toMatchObject({ days: 92, lists: [] });
    expect(reachOf('%late | %tests', others)).toMatchObject({ days: 92, lists: ['alt'] });
  });
});

test('the delivered rules read results of a year or so, and a site that sets a parameter is followed', () => {
  const { days } = reachOfResults(knowledge);
  expect(days).toBeGreaterThan(365);
  const other = knowledgeOf(root, { parameters: { naltrexone: { recentMonths: 24 } } });
  expect(reachOfResults(other).days).toBeGreaterThan(2 * 365);
  expect(resultWindow(knowledge, '2026-03-02')?.since).toMatch(/^202[45]-/);
});

test('FS4, F7: no test bundle’s answer changes where results beyond the reach are left out', () => {
  let left = 0;
  const sites = new Map<string, typeof knowledge>();
  const at = (site: Record<string, unknown>) => {
    const there = sites.get(JSON.stringify(site)) ?? knowledgeOf(root, { ...deliveredSite, ...site });
    sites.set(JSON.stringify(site), there);
    return there;
  };
  for (const bundle of readTestBundles(join(root, 'test-bundles'), [])) {
    const there = bundle.expected.site ? at(bundle.expected.site) : knowledge;
    const own = object(object(object(bundle.body)['extension'])['org.nordic-opioid-cds']);
    const window = resultWindow(there, localDate(string(own['now']), 'UTC') ?? '2026-03-02');
    const cut = structuredClone(bundle.body) as JsonObject;
    const list = object(object(cut['prefetch'])['observations']);
    const kept = objects(list['entry']).filter((entry) => {
      const result = object(entry['resource']);
      const date = localDate(string(result['effectiveDateTime']), 'UTC');
      const coded = objects(object(result['code'])['coding']).map(({ code }) => String(code));
      if (!window || date === undefined || coded.some((code) => window.codes.includes(code))) return true;
      return date >= window.since.slice(0, date.length);
    });
    if (kept.length === objects(list['entry']).length) continue;
    left++;
    list['entry'] = kept;
    const answers = [bundle.body, cut].map((body) => observe(answerFile(body, there, 'en', '2026-03-02').answer));
    expect(answers[1], bundle.name).toEqual(answers[0]);
  }
  expect(left).toBeGreaterThan(0);
});
