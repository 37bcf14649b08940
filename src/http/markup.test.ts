import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { cardsFor } from '../testing/cards.ts';
import { type Json, order, prescription, request } from '../testing/request.ts';

const SEED = 20260302;

const service = await startService();
afterAll(() => service.close());

/** Markup that a careless client would run, load or open. */
const marks = [
  '<img src=x onerror=alert(1)>',
  '<b>x</b>',
  '[x](javascript:alert(1))',
  '![](http://evil.example/p.png)',
  '`x`',
  '**x**',
];
const links = [
  'https://evil.example',
  'http://evil.example',
  'www.evil.example',
  'mailto:a@evil.example',
  'a@evil.example',
];

test(`K4: markup and addresses in names of known medicines never reach a card unescaped (seed ${SEED})`, async () => {
  const name = fc.array(fc.constantFrom(...marks, ...links, 'pregabalin', ' ', '\n', '\\', '&lt;', '<', '|'), {
    minLength: 1,
    maxLength: 5,
  });
  const names = fc.tuple(name, name).map((pair) => pair.map((parts) => parts.join(' ')));
  let shown = 0;
  await fc.assert(
    fc.asyncProperty(names, async ([ordered, running]) => {
      const named = (draft: Json, text?: string) => ({
        ...draft,
        medicationCodeableConcept: { ...(draft['medicationCodeableConcept'] as Json), text },
      });
      const body = request('order-sign', {
        drafts: [named(order('z', 'pregabalin'), ordered), named(order('x', 'oxycodone'), ordered)],
        record: [named(prescription('m', 'methadone'), running)],
      });
      const cards = await cardsFor(service, body);
      expect(cards.length).toBeGreaterThan(0);
      for (const card of cards) {
        const plain = [
          card.summary,
          ...(card.suggestions ?? []).flatMap(({ label, actions }) => [
            label,
            ...actions.map(({ description }) => description),
          ]),
        ];
        for (const text of plain) expect(text).not.toMatch(/[<>`*[\]]|evil/);
        expect(card.detail).not.toMatch(
          /<[A-Za-z!/]|(?<!\\)(\\\\)*[`*[]|(https?|mailto):(?!\u2060)|www\.(?!\u2060)|@(?!\u2060)/,
        );
        if (card.detail.includes('evil')) shown++;
      }
    }),
    { seed: SEED, numRuns: 150 },
  );
  expect(shown).toBeGreaterThan(20);
}, 60_000);
