import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Answer } from './answer.ts';
import { answerFile, compare, readTestBundles, type TestBundle } from './cli/bundles.ts';
import { deliveredSite } from './knowledge/load.ts';
import { languages } from './language.ts';
import { knowledgeOf, root, startService } from './testing/app.ts';
import { actionsOf, type Card } from './testing/cards.ts';
import { notR4 } from './testing/r4.ts';
import type { Json } from './testing/request.ts';
import { wireProblems } from './testing/wire-conformance.ts';

const bundles = readTestBundles(join(root, 'test-bundles'), []);

/** The hospitals in which the bundles are set, each with its service. */
const sites = new Map<string, Awaited<ReturnType<typeof open>>>();
for (const { expected } of bundles) {
  const key = JSON.stringify(expected.site);
  if (!sites.has(key)) sites.set(key, await open(expected.site));
}
afterAll(async () => {
  for (const { service } of sites.values()) await service.close();
});

async function open(site: Record<string, unknown> | undefined) {
  const knowledge = knowledgeOf(root, { ...deliveredSite, ...site });
  return { knowledge, service: await startService({ knowledge }) };
}

/** What the service answers to a bundle, in the terms of the in-process answer. */
async function answersTo(bundle: TestBundle) {
  const body = bundle.body as Json;
  const { service, knowledge } = sites.get(JSON.stringify(bundle.expected.site)) as Awaited<ReturnType<typeof open>>;
  return Promise.all(
    languages.map(async (language) => {
      const { text, status, body: answer } = await service.call(body, { 'accept-language': language });
      const { chart, results } = answerFile(body, knowledge, language, '').answer;
      const missing = answer.issue?.map(({ diagnostics }: { diagnostics: string }) => diagnostics.split(' ').at(-1));
      const found = { chart, results, ...(status === 412 ? { missing } : { cards: answer.cards }) };
      return { language, text, status, found: found as Answer, cards: (answer.cards ?? []) as Card[] };
    }),
  );
}

/** Everything of a card except its words; a new order is also named in the reader's language. */
function wordless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wordless);
  // The link to an advice page asks for the card's language.
  if (typeof value === 'string') return value.replace(/\?lang=(sv|nb|da|en)$/, '');
  if (typeof value !== 'object' || value === null) return value;
  const words = ['summary', 'detail', 'label', 'description', 'display', 'text'];
  const entries = Object.entries(value).filter(([key]) => !words.includes(key));
  const asSent = 'type' in value && value.type === 'update';
  return Object.fromEntries(entries.map(([key, item]) => [key, asSent ? item : wordless(item)]));
}

function draftsOf(bundle: TestBundle): Map<string, Json> {
  const { draftOrders } = (bundle.body as { context: { draftOrders?: { entry?: { resource: Json }[] } } }).context;
  return new Map(
    (draftOrders?.entry ?? []).map(({ resource }) => [`${resource['resourceType']}/${resource['id']}`, resource]),
  );
}

type Line = {
  sequence?: number;
  text?: string;
  timing?: { repeat?: { boundsPeriod?: { start?: string; end?: string } } };
};
const linesOf = (order: Json) => (order['dosageInstruction'] ?? []) as Line[];
const periodOf = (line: Line) => line.timing?.repeat?.boundsPeriod;

/** An order without what a suggestion may change: the length and text of its dosage lines, and the supply. */
function unchangeable(order: Json, lines: Line[]): unknown {
  const length = ['boundsPeriod', 'boundsDuration', 'boundsRange', 'count', 'event', 'text'];
  const bare = lines.map((line) => prune(line, length));
  const supply = ['quantity', 'numberOfRepeatsAllowed', 'expectedSupplyDuration'];
  const dispenseRequest = prune(order['dispenseRequest'], supply);
  return prune({ ...order, dispenseRequest, dosageInstruction: bare.filter((line) => line !== undefined) }, []);
}

/** A copy without these keys and without the objects and lists that this leaves empty. */
function prune(value: unknown, keys: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => prune(item, keys));
  const entries = Object.entries(value)
    .filter(([key]) => !keys.includes(key))
    .map(([key, item]) => [key, prune(item, keys)] as const)
    .filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function expectOnlyWhatIsSaid(action: { description: string; resource: Json }, draft: Json): void {
  const { resource } = action;
  const [end, ...others] = new Set(linesOf(resource).map((line) => periodOf(line)?.end));
  // Sequential dosage lines follow one another: those that a shorter course does not reach are left out.
  const steps = new Set(linesOf(draft).map(({ sequence }) => sequence)).size > 1;
  const kept = linesOf(draft).filter((line, at) =>
    steps ? at < linesOf(resource).length : end === undefined || (periodOf(line)?.start ?? '').slice(0, 10) <= end,
  );
  if (end !== undefined && others.length === 0 && !steps) {
    const starts = kept.map((line) => periodOf(line)?.start);
    expect(linesOf(resource).map((line) => periodOf(line)?.start)).toEqual(starts.length > 0 ? starts : [undefined]);
  }
  expect(unchangeable(resource, linesOf(resource))).toEqual(unchangeable(draft, kept));
  for (const [at, { text }] of kept.entries()) {
    const now = linesOf(resource)[at]?.text;
    if (now !== text) expect(now).toContain(periodOf(linesOf(resource)[at] as Line)?.end);
  }
  const [before, after] = [supplyOf(draft), supplyOf(resource)];
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    if (after.quantity) expect(action.description).toContain(String(after.quantity.value));
    expect({ ...after.quantity, value: 0 }).toEqual({ ...before.quantity, value: 0 });
    expect(after.numberOfRepeatsAllowed).toBe(before.numberOfRepeatsAllowed === undefined ? undefined : 0);
  }
}

function supplyOf(order: Json) {
  const { quantity, numberOfRepeatsAllowed } = (order['dispenseRequest'] ?? {}) as {
    quantity?: { value: number };
    numberOfRepeatsAllowed?: number;
  };
  return { quantity, numberOfRepeatsAllowed };
}

test('there are test bundles', () => {
  expect(bundles.length).toBeGreaterThan(0);
});

describe.each(bundles.map((bundle) => ({ name: bundle.name, bundle })))('$name', async ({ bundle }) => {
  const answers = await answersTo(bundle);

  test('S1, S3, T2, K1–K18, A1–A16: over HTTP the answer is valid and as expected, in four languages', () => {
    for (const { language, text, status, found } of answers) {
      expect([200, 412]).toContain(status);
      if (status === 200) expect(wireProblems(text, bundle.body as Json), language).toEqual([]);
      expect(compare(bundle, found), language).toEqual([]);
    }
  });

  test('S9: the languages differ only in their words', () => {
    const [first, ...others] = answers;
    for (const { status, cards } of others)
      expect([status, wordless(cards)]).toEqual([first?.status, wordless(first?.cards)]);
    const summaries = answers.flatMap(({ cards }) => cards.slice(0, 1).map(({ detail }) => detail));
    expect(new Set(summaries).size).toBe(summaries.length);
  });

  test('T5, T14, A9, A10, A13: a suggested order is R4 where the draft is, and differs only in what the suggestion describes', () => {
    const drafts = draftsOf(bundle);
    const allR4 = [...drafts.values()].every((draft) => notR4(draft).length === 0);
    const { patientId } = (bundle.body as { context: { patientId: string } }).context;
    for (const action of answers.flatMap(({ cards }) => actionsOf(cards))) {
      if (action.type === 'delete') continue;
      if (allR4) expect(notR4(action.resource)).toEqual([]);
      if (action.type === 'create')
        expect(action.resource).toMatchObject({ subject: { reference: `Patient/${patientId}` } });
      else {
        const draft = drafts.get(`${action.resource['resourceType']}/${action.resource['id']}`);
        expectOnlyWhatIsSaid(action, draft as Json);
      }
    }
  });
});
