import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from './answer.ts';
import { answerFile, readTestBundles } from './cli/bundles.ts';
import { UnusableFhir } from './fhir/versions.ts';
import { deliveredSite } from './knowledge/load.ts';
import type { Knowledge } from './rules/knowledge.ts';
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

/** As `off` in site.yaml does it. */
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

/** What a caller gets: every byte of it; and the answer with its trace. */
function asked(body: unknown, knowledge: Knowledge): { bytes: string; answer?: Answer } {
  try {
    const { answer } = answerFile(body, knowledge, 'en', '2026-03-02');
    return { bytes: JSON.stringify('cards' in answer ? answer.cards : answer.missing), answer };
  } catch (error) {
    if (!(error instanceof UnusableFhir)) throw error;
    return { bytes: `unusable: ${error.seen}` };
  }
}
const spoke = (answer: Answer | undefined) =>
  (answer?.results ?? []).filter(({ outcome }) => !['does-not-hold', 'switched-off'].includes(outcome));

test('each rule that had anything to say on trial: the answer is the one without the rule, in every test bundle', () => {
  let compared = 0;
  for (const { name, body, expected } of bundles) {
    const knowledge = knowledgeFor(expected.site);
    for (const { rule } of spoke(asked(body, knowledge).answer)) {
      const silent = asked(body, onTrial(knowledge, [rule.id]));
      expect(silent.bytes, `${name}, ${rule.id}`).toBe(asked(body, without(knowledge, [rule.id])).bytes);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(bundles.length / 2);
});

test(`any rules on trial: the answer is the one without them, and the rest of the trace too (seed ${SEED})`, () => {
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
    { seed: SEED, numRuns: 1500 },
  );
});

test(`all rules on trial would have shown what all rules show, by rule and loudness (seed ${SEED})`, () => {
  for (const { name, body, expected } of bundles) {
    const knowledge = knowledgeFor(expected.site);
    const all = knowledge.rules.map(({ id }) => id);
    const cards = (answer: Answer | undefined, outcome: 'fires' | 'silent') =>
      (answer?.results ?? [])
        .filter((result) => result.outcome === outcome && result.by === undefined)
        .map(({ rule, indicator }) => `${rule.id} ${indicator}`);
    const silent = asked(body, onTrial(knowledge, all));
    expect(cards(silent.answer, 'silent'), name).toEqual(cards(asked(body, knowledge).answer, 'fires'));
    if (silent.answer) expect(silent.bytes, name).toBe('[]');
  }
});
