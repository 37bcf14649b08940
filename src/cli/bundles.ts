import { join } from 'node:path';
import { z } from 'zod';
import { type Answer, answer } from '../answer.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Card } from '../cards/render.ts';
import { dosages, repeatOf } from '../chart/dosage.ts';
import { isPartial, localDate } from '../dates.ts';
import { object, objects, type Resource, string } from '../fhir/json.ts';
import { type Request, readRequest } from '../http/wire.ts';
import type { Language } from '../language.ts';
import { type Hook, hooks, indicators } from '../rules/schema.ts';
import { namesBelow, readText } from '../text.ts';
import { type Problem, readYaml } from '../yaml.ts';

const expectedCard = z.strictObject({
  rule: z.string(),
  indicator: z.enum(indicators),
  /** Substances of the card, by their names in hooks/codes/. */
  drugs: z.array(z.string()).optional(),
  /**
   * The actions of each suggestion: `delete Type/id`, `update Type/id ends 2026-03-06 quantity 10`, `create Type code`,
   * joined by ` + `, followed by `, recommended` if it is.
   */
  suggestions: z.array(z.string()).optional(),
});

const expectedSchema = z.strictObject({
  /** For a reader: what this patient shows. */
  note: z.string().min(1),
  /** The cards in order; empty for no card. Absent if the answer is 412. */
  cards: z.array(expectedCard).optional(),
  /** The prefetch keys that a 412 names. */
  missing: z.array(z.string()).optional(),
  /** Keys of hooks/site.yaml set differently for this patient: another hospital, another country. */
  site: z.record(z.string(), z.unknown()).optional(),
});
export type Expected = z.infer<typeof expectedSchema>;

/** Prefix of a note that no person has reviewed yet. */
export const REVIEW = 'TO REVIEW';

/** An invented patient: a complete CDS Hooks request, and what the service must answer. */
export type TestBundle = { name: string; file: string; text: string; hook: Hook; body: unknown; expected: Expected };

/** Reads test-bundles/: each `x.request.json` with its `x.expected.yaml`. */
export function readTestBundles(folder: string, problems: Problem[]): TestBundle[] {
  const names = namesBelow(folder);
  for (const name of names.filter((candidate) => candidate.endsWith('.expected.yaml'))) {
    if (!names.includes(name.replace(/expected\.yaml$/, 'request.json')))
      problems.push({ file: `test-bundles/${name}`, line: 1, message: 'there is no request with this name' });
  }
  return names
    .filter((name) => name.endsWith('.request.json'))
    .flatMap((name) => readTestBundle(folder, name.replace(/\.request\.json$/, ''), problems));
}

function readTestBundle(folder: string, name: string, problems: Problem[]): TestBundle[] {
  const file = `test-bundles/${name}.request.json`;
  const text = readText(join(folder, `${name}.request.json`));
  const expected = readYaml(
    join(folder, `${name}.expected.yaml`),
    `test-bundles/${name}.expected.yaml`,
    expectedSchema,
    problems,
  );
  try {
    const body: unknown = JSON.parse(text);
    const hook = hooks.find((candidate) => candidate === object(body)['hook']);
    if (!hook) problems.push({ file, line: 1, message: 'hook: not one of ours' });
    return hook && expected ? [{ name, file, text, hook, body, expected: expected.data }] : [];
  } catch {
    problems.push({ file, line: 1, message: 'not valid JSON' });
    return [];
  }
}

/** The answer to a request file. The date is the file's own, otherwise `now`; with `always`, it is `now`. */
export function answerFile(
  body: unknown,
  knowledge: Knowledge,
  language: Language,
  now: string,
  always = false,
): { request: Request; answer: Answer } {
  const hook = hooks.find((candidate) => candidate === object(body)['hook']) ?? 'patient-view';
  const request = readRequest(body, hook);
  const requestedDate = localDate(request.options.now, knowledge.site.timeZone);
  const today = always || requestedDate === undefined || isPartial(requestedDate) ? now : requestedDate;
  return {
    request,
    answer: answer({ call: request.call, hookInstance: request.hookInstance, language, today }, knowledge),
  };
}

/** An answer in the format of `x.expected.yaml`. */
export function observe(found: Answer): Omit<Expected, 'note'> {
  if ('missing' in found) return { missing: [...found.missing] };
  return { cards: found.cards.map((card) => observeCard(card, found)) };
}

export type ObservedCard = z.infer<typeof expectedCard>;

function observeCard(card: Card, found: Answer): ObservedCard {
  const about = found.results.find(({ rule }) => rule.id === card.source.topic.code)?.about ?? [];
  const { suggestions, ...shown } = observeShown(card);
  return {
    ...shown,
    ...(about.length > 0 && { drugs: [...new Set(about.map(({ substance, ref }) => substance ?? ref))] }),
    ...(suggestions && { suggestions }),
  };
}

/** What a client sees of a card, in the same format: everything except its drugs. */
export function observeShown(card: Card): ObservedCard {
  const suggestions = (card.suggestions ?? []).map((suggestion) => {
    const actions = suggestion.actions.map((action) =>
      action.type === 'delete' ? `delete ${action.resourceId}` : describe(action.type, action.resource),
    );
    return actions.join(' + ') + (suggestion.isRecommended ? ', recommended' : '');
  });
  return {
    rule: card.source.topic.code,
    indicator: card.indicator,
    ...(suggestions.length > 0 && { suggestions }),
  };
}

function describe(type: string, resource: Resource): string {
  const code = objects(
    resource['code'] ?? resource['medicationCodeableConcept'] ?? object(resource['medication'])['concept'],
  )[0];
  const coded = objects(code?.['coding'] ?? objects(code?.['concept'])[0]?.['coding'])[0];
  if (type === 'create') return `create ${resource.resourceType} ${string(coded?.['code'])}`;
  const ends = dosages(resource).map((dosage) => string(object(repeatOf(dosage)['boundsPeriod'])['end']))[0];
  const quantity = object(object(resource['dispenseRequest'])['quantity'])['value'];
  return [
    `${type} ${resource.resourceType}/${resource['id']}`,
    ...(ends === undefined ? [] : [`ends ${ends}`]),
    ...(quantity === undefined ? [] : [`quantity ${quantity}`]),
  ].join(' ');
}

/** Where an answer differs from its bundle's expectation. Cards and keys must be the same, in the same order. */
export function compare(bundle: TestBundle, found: Answer): string[] {
  return differences(bundle.expected, observe(found));
}

export function differences(want: Expected, got: Omit<Expected, 'note'>): string[] {
  if (want.missing || got.missing) {
    return JSON.stringify(want.missing) === JSON.stringify(got.missing)
      ? []
      : [`missing: expected ${JSON.stringify(want.missing)}, got ${JSON.stringify(got.missing ?? got.cards)}`];
  }
  const wanted = want.cards ?? [];
  const cards = got.cards ?? [];
  const [rules, given] = [wanted, cards].map((list) => JSON.stringify(list.map(({ rule }) => rule)));
  if (rules !== given) return [`cards: expected ${rules}, got ${given}`];
  return wanted.flatMap((card, at) =>
    (Object.keys(card) as (keyof typeof card)[])
      .filter((key) => JSON.stringify(card[key]) !== JSON.stringify(cards[at]?.[key]))
      .map(
        (key) => `${card.rule}: ${key}: expected ${JSON.stringify(card[key])}, got ${JSON.stringify(cards[at]?.[key])}`,
      ),
  );
}
