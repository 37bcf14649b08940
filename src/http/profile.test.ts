import { describe, expect, test } from 'vitest';
import type { Card } from '../cards/render.ts';
import type { Profile } from '../trust/clients.ts';
import { fitCard } from './profile.ts';

const remove = { type: 'delete' as const, description: 'd', resourceId: 'MedicationRequest/x' };
const change = { type: 'update' as const, description: 'u', resource: { resourceType: 'MedicationRequest' } };
const suggestion = (uuid: string, ...actions: (typeof remove | typeof change)[]) => ({
  label: uuid,
  uuid,
  offer: 'o',
  actions,
});
const bare = {
  uuid: 'c',
  summary: 's',
  indicator: 'info',
  source: { label: 'l', topic: { code: 't', system: 'y' } },
} as Card;
const links: NonNullable<Card['links']> = [{ label: 'l', url: 'u', type: 'absolute' }];
const card: Card = {
  ...bare,
  links,
  selectionBehavior: 'at-most-one',
  suggestions: [suggestion('1', remove), suggestion('2', change, remove)],
};
const profile = (more: Partial<Profile> = {}) => ({ suggestions: true, ...more }) as Profile;
const sent = ({ offer: _, ...rest }: ReturnType<typeof suggestion>) => rest;
const [one, two] = card.suggestions as [ReturnType<typeof suggestion>, ReturnType<typeof suggestion>];

describe('K12: a card adapted to what its client can show', () => {
  test.each<[what: string, profile: Profile, card: object]>([
    ['all of it', profile(), { ...bare, links, selectionBehavior: 'at-most-one', suggestions: [sent(one), sent(two)] }],
    ['no suggestions', profile({ suggestions: false }), { ...bare, links }],
    [
      'no links',
      profile({ links: false }),
      { ...bare, selectionBehavior: 'at-most-one', suggestions: [sent(one), sent(two)] },
    ],
    [
      'one action',
      profile({ oneAction: true }),
      { ...bare, links, selectionBehavior: 'at-most-one', suggestions: [sent(one)] },
    ],
    [
      'another behaviour',
      profile({ selectionBehavior: 'any' }),
      { ...bare, links, selectionBehavior: 'any', suggestions: [sent(one), sent(two)] },
    ],
    [
      'what to remove under resource too',
      profile({ deleteBy: 'resource' }),
      {
        ...bare,
        links,
        selectionBehavior: 'at-most-one',
        suggestions: [
          { ...sent(one), actions: [{ ...remove, resource: remove.resourceId }] },
          { ...sent(two), actions: [change, { ...remove, resource: remove.resourceId }] },
        ],
      },
    ],
  ])('%s', (_, own, expected) => {
    expect(fitCard(card, own)).toEqual(expected);
  });

  test('a card without suggestions gets no selectionBehavior, and one without its own gets any', () => {
    expect(fitCard({ ...bare, selectionBehavior: 'any' }, profile())).toEqual(bare);
    expect(fitCard({ ...bare, suggestions: [one] }, profile())).toEqual({
      ...bare,
      selectionBehavior: 'any',
      suggestions: [sent(one)],
    });
    expect(fitCard({ ...card, suggestions: [two] }, profile({ oneAction: true }))).toEqual({ ...bare, links });
  });
});
