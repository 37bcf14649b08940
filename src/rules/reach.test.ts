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

/** The reach of the knowledge if one rule rests on a fact with this text and on others above it. */
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
    ['a parameter in days', `%results.where(date.onOrAfter(${within}))`, 92],
    ['a number of days', '%results.where(date.onOrAfter(%today.minusDays(10)))', 12],
    ['a parameter in months', '%results.where(date.after(%today.minusMonths(%someMonths)))', 12 * 31 + 2],
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
      'the newest of results that share a list',
      `%results.where(date.onOrAfter(${within})).sharing('lists', %results.newest().where(outcome = 'positive'))`,
      92,
    ],
    [
      'a comparison with other results',
      `%results.where(date.onOrAfter(${within})).exclude(%results.where(value > 3))`,
      92,
    ],
    ['no results at all', '%conditions.where(active = true)', 2],
  ])('%s', (_, fact, days) => {
    expect(reachOf(fact)).toEqual({ days, lists: [], codes: [] });
  });

  test.each([
    ['no condition', '%results'],
    ['a condition on something else', "%results.where(outcome = 'positive')"],
    ['a condition on only one side of an or', `%results.where(date.onOrAfter(${within}) or value > 3)`],
    [
      'sharing with results other than the newest',
      `%results.where(date.onOrAfter(${within})).sharing('lists', %results)`,
    ],
    ['an upper bound only', '%results.where(date.onOrBefore(%today))'],
  ])('any result may count: %s', (_, fact) => {
    expect(reachOf(fact).days).toBeUndefined();
  });

  test('the codes of results that are read at any age are listed', () => {
    const reach = reachOf("%results.where(memberOf('smoking-status')).newest()");
    expect(reach).toMatchObject({ days: 2, lists: ['smoking-status'] });
    expect(reach.codes).toContain('72166-2');
  });

  test('the reach follows facts that refer to each other', () => {
    const others = {
      tests: "%results.where(memberOf('alt'))",
      late: `%tests.newest().where(date.onOrAfter(${within}))`,
    };
    expect(reachOf('%late.where(value > 3)', others)).toMatchObject({ days: 92, lists: [] });
    expect(reachOf('%late | %tests', others)).toMatchObject({ days: 92, lists: ['alt'] });
  });
});

test('the delivered rules read results of about one year, and a site parameter changes that', () => {
  const { days } = reachOfResults(knowledge);
  expect(days).toBeGreaterThan(365);
  const other = knowledgeOf(root, { parameters: { naltrexone: { recentMonths: 24 } } });
  expect(reachOfResults(other).days).toBeGreaterThan(2 * 365);
  expect(resultWindow(knowledge, '2026-03-02')?.since).toMatch(/^202[45]-/);
});

test('FS4, F7: leaving out results beyond the reach changes the answer to no test bundle', () => {
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
