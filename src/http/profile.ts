import type { Card } from '../cards/render.ts';
import type { Suggestion } from '../cards/suggestions.ts';
import type { Profile } from '../trust/clients.ts';

/** CDS Hooks: Suggestion. For `delete`, `resource` is the id, as in CDS Hooks 1.0. */
type Offered = Omit<Suggestion, 'offer' | 'actions'> & {
  actions: (
    | Suggestion['actions'][number]
    | { type: 'delete'; description: string; resourceId: string; resource: string }
  )[];
};

/** Adapts a card to what its client can show: clients treat a card with an unknown feature as an error (conformance K12). */
export function fitCard(card: Card, profile: Profile): Omit<Card, 'suggestions'> & { suggestions?: Offered[] } {
  const { suggestions = [], selectionBehavior, links, ...others } = card;
  const rest = { ...others, ...(links && profile.links !== false && { links }) };
  const shown = profile.suggestions
    ? suggestions.filter(({ actions }) => !profile.oneAction || actions.length === 1)
    : [];
  if (shown.length === 0) return rest;
  const behavior = profile.selectionBehavior ?? selectionBehavior ?? 'any';
  const offered = shown.map(
    ({ offer, actions, ...suggestion }): Offered => ({
      ...suggestion,
      actions: actions.map((action) =>
        action.type === 'delete' && profile.deleteBy === 'resource'
          ? { ...action, resource: action.resourceId }
          : action,
      ),
    }),
  );
  return { ...rest, suggestions: offered, selectionBehavior: behavior };
}
