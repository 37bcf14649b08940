import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { answerFile, compare, readTestBundles, type TestBundle } from './cli/bundles.ts';
import { languages } from './language.ts';
import { knowledge, root, startService } from './testing/app.ts';
import type { Card } from './testing/cards.ts';
import { notR4 } from './testing/r4.ts';
import type { Json } from './testing/request.ts';
import { wireProblems } from './testing/wire-conformance.ts';

const service = await startService();
afterAll(() => service.close());

const bundles = readTestBundles(join(root, 'test-bundles'), []);

/** What the service answers to a bundle, in the terms of the in-process answer. */
async function answersTo(bundle: TestBundle) {
  const body = bundle.body as Json;
  return Promise.all(
    languages.map(async (language) => {
      const { text, status, body: answer } = await service.call(body, { 'accept-language': language });
      const found = answerFile(body, knowledge, language, '').answer;
      if (status === 412) {
        const said = answer.issue.map(({ diagnostics }: { diagnostics: string }) => diagnostics.split(' ').at(-1));
        return { language, text, status, found: { ...found, cards: undefined, missing: said }, cards: [] };
      }
      const { missing: _, ...rest } = { missing: undefined, ...found };
      return { language, text, status, found: { ...rest, cards: answer.cards }, cards: answer.cards as Card[] };
    }),
  );
}

/** Everything of a card but its words. */
function wordless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wordless);
  if (typeof value !== 'object' || value === null) return value;
  const words = ['summary', 'detail', 'label', 'description', 'display'];
  const entries = Object.entries(value).filter(([key]) => !words.includes(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, key === 'resource' ? item : wordless(item)]));
}

function draftsOf(bundle: TestBundle): Map<string, Json> {
  const { draftOrders } = (bundle.body as { context: { draftOrders?: { entry?: { resource: Json }[] } } }).context;
  return new Map(
    (draftOrders?.entry ?? []).map(({ resource }) => [`${resource['resourceType']}/${resource['id']}`, resource]),
  );
}

type Line = { timing?: { repeat?: { boundsPeriod?: { start?: string; end?: string } } } };
const linesOf = (order: Json) => (order['dosageInstruction'] ?? []) as Line[];
const periodOf = (line: Line) => line.timing?.repeat?.boundsPeriod;

/** An order without what a suggestion may change: the bounds of its dosage lines and its quantity. */
function unchangeable(order: Json, lines: Line[]): unknown {
  const bare = lines.map((line) => prune(line, ['boundsPeriod', 'boundsDuration', 'boundsRange']));
  const dispenseRequest = prune(order['dispenseRequest'], ['quantity']);
  return prune({ ...order, dispenseRequest, dosageInstruction: bare.filter((line) => line !== undefined) }, []);
}

/** A copy without these keys and without the objects and lists that are empty then. */
function prune(value: unknown, keys: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => prune(item, keys));
  const entries = Object.entries(value)
    .filter(([key]) => !keys.includes(key))
    .map(([key, item]) => [key, prune(item, keys)] as const)
    .filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function expectOnlyWhatIsSaid(action: { description: string; resource: Json }, label: string, draft: Json): void {
  const { resource } = action;
  const [end, ...others] = new Set(linesOf(resource).map((line) => periodOf(line)?.end));
  const kept = linesOf(draft).filter((line) => end === undefined || (periodOf(line)?.start ?? '').slice(0, 10) <= end);
  if (end !== undefined && others.length === 0) {
    const starts = kept.map((line) => periodOf(line)?.start);
    expect(linesOf(resource).map((line) => periodOf(line)?.start)).toEqual(starts.length > 0 ? starts : [undefined]);
  }
  expect(unchangeable(resource, linesOf(resource))).toEqual(unchangeable(draft, kept));
  const quantity = (order: Json) =>
    (order['dispenseRequest'] as { quantity?: { value?: number } } | undefined)?.quantity;
  if (JSON.stringify(quantity(resource)) !== JSON.stringify(quantity(draft)))
    expect(`${label} ${action.description}`).toContain(String(quantity(resource)?.value));
}

test('there are test bundles', () => {
  expect(bundles.length).toBeGreaterThan(0);
});

describe.each(bundles.map((bundle) => ({ name: bundle.name, bundle })))('$name', async ({ bundle }) => {
  const answers = await answersTo(bundle);

  test('S1, S3, T2, K1–K18, A1–A16: over HTTP the answer is whole and as expected, in four languages', () => {
    for (const { language, text, status, found } of answers) {
      expect([200, 412]).toContain(status);
      if (status === 200) expect(wireProblems(text, bundle.body as Json), language).toEqual([]);
      expect(compare(bundle, found as never), language).toEqual([]);
    }
  });

  test('S9: the languages differ in words only', () => {
    const [first, ...others] = answers;
    for (const { status, cards } of others)
      expect([status, wordless(cards)]).toEqual([first?.status, wordless(first?.cards)]);
    const summaries = answers.flatMap(({ cards }) => cards.slice(0, 1).map(({ detail }) => detail));
    expect(new Set(summaries).size).toBe(summaries.length);
  });

  test('T5, T14, A9, A10, A13: a suggested order is R4 where the draft is, and differs only in what is said', () => {
    const drafts = draftsOf(bundle);
    for (const { label, actions } of answers.flatMap(({ cards }) =>
      cards.flatMap(({ suggestions = [] }) => suggestions),
    )) {
      for (const action of actions.filter(({ type }) => type !== 'delete')) {
        const draft = drafts.get(`${action.resource['resourceType']}/${action.resource['id']}`);
        if (draft === undefined || notR4(draft).length === 0) expect(notR4(action.resource)).toEqual([]);
        if (action.type === 'update') expectOnlyWhatIsSaid(action, label, draft as Json);
      }
    }
  });
});
