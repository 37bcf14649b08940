import { expect } from 'vitest';
import type { startService } from './app.ts';
import type { Json } from './request.ts';
import { wireProblems } from './wire-conformance.ts';

type Coding = { code: string; system: string; display: string };
type Action = { type: string; description: string; resource: Json; resourceId: string };
type Suggestion = { label: string; uuid: string; isRecommended?: boolean; actions: Action[] };

/** A card as received by a client. */
export type Card = {
  uuid: string;
  summary: string;
  detail: string;
  indicator: string;
  source: { label: string; url?: string; topic: Coding };
  suggestions?: Suggestion[];
  selectionBehavior?: string;
  overrideReasons?: Coding[];
  links?: { label: string; url: string; type: string }[];
};

type Service = Awaited<ReturnType<typeof startService>>;

/** The cards for a call, after checking that the answer is 200 and valid. */
export async function cardsFor(service: Service, body: Json, language = 'en'): Promise<Card[]> {
  const response = await service.call(body, { 'accept-language': language });
  expect(response.status, response.text).toBe(200);
  expect(wireProblems(response.text, body)).toEqual([]);
  return response.body.cards;
}

export function topicsOf(cards: Card[]): string[] {
  return cards.map(({ source }) => source.topic.code);
}

export function actionsOf(cards: Card[]): Action[] {
  return cards.flatMap(({ suggestions = [] }) => suggestions.flatMap(({ actions }) => actions));
}
