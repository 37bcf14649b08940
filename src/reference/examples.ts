import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answer } from '../answer.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { localDate } from '../dates.ts';
import { outcomeOf } from '../errors.ts';
import { object } from '../fhir/json.ts';
import { missingData } from '../http/invoke.ts';
import { fitCard } from '../http/profile.ts';
import { readRequest } from '../http/wire.ts';
import { type Hook, hooks } from '../rules/schema.ts';
import { namesBelow } from '../text.ts';

/** A test bundle as an example: a complete call, and the answer of this service. */
export type ExampleCall = {
  /** The file, without `.request.json`. */
  name: string;
  hook: Hook;
  kind: 'card' | 'silence' | 'missing';
  request: unknown;
  status: 200 | 412;
  response: unknown;
};

/** The language of the description and of the answers in it. */
const LANGUAGE = 'en';

const KINDS = { card: 'a card', silence: 'nothing to say', missing: 'data are missing' } as const;

export function titleOf({ kind, name }: ExampleCall): string {
  return `${KINDS[kind]} (${name.split('/').at(-1)?.replaceAll('-', ' ')})`;
}

/**
 * For each hook the first invented patient of each kind: with a card, without a card, and with missing data. None
 * without test bundles, as in the image. Answered in the language of the description.
 */
export function readExamples(folder: string, knowledge: Knowledge, advice?: string): ExampleCall[] {
  const names = namesBelow(folder)
    .filter((name) => name.endsWith('.request.json'))
    .map((name) => name.replace(/\.request\.json$/, ''));
  const found = new Map<string, ExampleCall>();
  for (const name of names) {
    if (found.size === hooks.length * Object.keys(KINDS).length) break;
    const expected = kindOf(folder, name);
    if (expected === undefined || hooks.every((hook) => found.has(`${hook} ${expected}`))) continue;
    const request: unknown = JSON.parse(readFileSync(join(folder, `${name}.request.json`), 'utf8'));
    const hook = hooks.find((candidate) => candidate === object(request)['hook']);
    // Evaluate only those that may be the first of their kind: there are many, and the page is waiting.
    if (hook === undefined || found.has(`${hook} ${expected}`)) continue;
    const call = callOf(name, hook, request, knowledge, advice);
    if (call && !found.has(`${hook} ${call.kind}`)) found.set(`${hook} ${call.kind}`, call);
  }
  const order = Object.keys(KINDS);
  return [...found.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** The kind of a bundle; undefined if it belongs to another site. */
function kindOf(folder: string, name: string): ExampleCall['kind'] | undefined {
  const file = join(folder, `${name}.expected.yaml`);
  const expected = existsSync(file) ? readFileSync(file, 'utf8') : 'site:';
  if (/^site:/m.test(expected)) return undefined;
  if (/^missing:/m.test(expected)) return 'missing';
  return /^cards: *\[ *\]/m.test(expected) ? 'silence' : 'card';
}

function callOf(
  name: string,
  hook: Hook,
  request: unknown,
  knowledge: Knowledge,
  advice: string | undefined,
): ExampleCall | undefined {
  const { call, hookInstance, options } = readRequest(request, hook);
  const today = localDate(options.now, knowledge.site.timeZone);
  if (today === undefined) return undefined;
  const found = answer({ call, hookInstance, language: LANGUAGE, today, advice }, knowledge);
  const start = { name, hook, request };
  if ('missing' in found)
    return { ...start, kind: 'missing', status: 412, response: outcomeOf(...missingData(found.missing)) };
  const cards = found.cards.map((card) =>
    fitCard(card, { suggestions: true, oneAction: false, deleteBy: 'resourceId' }),
  );
  return { ...start, kind: cards.length > 0 ? 'card' : 'silence', status: 200, response: { cards } };
}
