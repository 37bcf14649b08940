import type { Card } from '../cards/render.ts';
import type { Suggestion } from '../cards/suggestions.ts';
import type { Profile } from '../trust/clients.ts';

/** CDS Hooks: Suggestion. */
type Offered = Omit<Suggestion, 'offer'>;

/** A card as its client can show it: clients treat a card with a feature they do not know as an error (conformance K12). */
export function fitCard(card: Card, profile: Profile): Omit<Card, 'suggestions'> & { suggestions?: Offered[] } {
  const { suggestions = [], selectionBehavior, ...rest } = card;
  const shown = profile.suggestions
    ? suggestions.filter(({ actions }) => !profile.oneAction || actions.length === 1)
    : [];
  if (shown.length === 0) return rest;
  const behavior = profile.selectionBehavior ?? selectionBehavior ?? 'any';
  return { ...rest, suggestions: shown.map(({ offer, ...suggestion }) => suggestion), selectionBehavior: behavior };
}
