import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, answerFrom } from './answer.ts';
import type { Knowledge } from './cards/knowledge.ts';
import { answerFile, readTestBundles } from './cli/bundles.ts';
import { UnusableFhir } from './fhir/versions.ts';
import { readRequest } from './http/wire.ts';
import { deliveredSite } from './knowledge/load.ts';
import { evaluate } from './rules/evaluate.ts';
import { knowledgeOf, root } from './testing/app.ts';

const SEED = 20260302;
const bundles = readTestBundles(join(root, 'test-bundles'), []);
const sites = new Map<string, Knowledge>();
function knowledgeFor(site: Record<string, unknown> | undefined): Knowledge {
  const key = JSON.stringify(site ?? {});
  const known = sites.get(key) ?? knowledgeOf(root, { ...deliveredSite, ...site });
  sites.set(key, known);
  return known;
}

/** As `off` in site.yaml does. */
function without(knowledge: Knowledge, ids: readonly string[]): Knowledge {
  const guidelines = knowledge.guidelines.map((guideline) => ({
    ...guideline,
    rules: guideline.rules.map((rule) =>
      ids.includes(rule.id) ? { ...rule, off: rule.off ?? ('site' as const) } : rule,
    ),
  }));
  return { ...knowledge, guidelines, rules: guidelines.flatMap(({ rules }) => rules) };
}

function onTrial(knowledge: Knowledge, ids: readonly string[]): Knowledge {
  const rules = Object.fromEntries(ids.map((id) => [id, {}]));
  return { ...knowledge, site: { ...knowledge.site, silent: { rules, chartReview: 0 } } };
}

type Asked = { bytes: string; answer?: Answer };

/** Every byte that a caller gets, and the answer with its results. */
function bytesOf(work: () => Answer): Asked {
  try {
    const answer = work();
    return { bytes: JSON.stringify('cards' in answer ? answer.cards : answer.missing), answer };
  } catch (error) {
    if (!(error instanceof UnusableFhir)) throw error;
    return { bytes: 'unusable' };
  }
}

const asked = (body: unknown, knowledge: Knowledge): Asked =>
  bytesOf(() => answerFile(body, knowledge, 'en', '2026-03-02').answer);

const ledBy = (answer: Answer | undefined, outcome: 'fires' | 'silent') =>
  (answer?.results ?? [])
    .filter((result) => result.outcome === outcome && result.by === undefined)
    .map(({ rule, indicator }) => `${rule.id} ${indicator}`);

test('in every test bundle, rules on trial show the caller nothing, and the results tell what they would have shown', () => {
  let compared = 0;
  for (const { name, body, hook, expected } of bundles) {
    const knowledge = knowledgeFor(expected.site);
    const shown = asked(body, knowledge);
    if (!shown.answer) continue;
    const { chart, results } = shown.answer;
    const { call, hookInstance } = readRequest(body, hook);
    const question = { call, hookInstance, language: 'en' as const, today: chart.today };
    // The chart does not depend on the rules.
    const again = (other: Knowledge) =>
      bytesOf(() => answerFrom({ chart, results: evaluate(other, chart) }, question, other));
    expect(again(knowledge).bytes, name).toBe(shown.bytes);
    for (const { rule, outcome } of results) {
      if (outcome === 'does-not-hold' || outcome === 'switched-off') continue;
      const silent = again(onTrial(knowledge, [rule.id]));
      expect(silent.bytes, `${name}, ${rule.id}`).toBe(again(without(knowledge, [rule.id])).bytes);
      compared += 1;
    }
    const all = again(
      onTrial(
        knowledge,
        knowledge.rules.map(({ id }) => id),
      ),
    );
    expect(all.bytes, name).toBe('[]');
    expect(ledBy(all.answer, 'silent'), name).toEqual(ledBy(shown.answer, 'fires'));
  }
  expect(compared).toBeGreaterThan(bundles.length);
});

test(`with any rules on trial the answer and the rest of the trace are as they are without them (seed ${SEED})`, () => {
  const ids = knowledgeFor(undefined).rules.map(({ id }) => id);
  fc.assert(
    fc.property(fc.constantFrom(...bundles), fc.subarray(ids), ({ body, expected }, chosen) => {
      const knowledge = knowledgeFor(expected.site);
      const silent = asked(body, onTrial(knowledge, chosen));
      const off = asked(body, without(knowledge, chosen));
      expect(silent.bytes).toBe(off.bytes);
      const others = ({ answer }: typeof silent) =>
        (answer?.results ?? [])
          .filter(({ rule }) => !chosen.includes(rule.id))
          .map(({ rule, outcome, by }) => `${rule.id} ${outcome} ${by}`)
          .sort();
      expect(others(silent)).toEqual(others(off));
    }),
    { seed: SEED, numRuns: 200 },
  );
});
