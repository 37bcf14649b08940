import { afterAll, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { actionsOf, type Card, cardsFor as cardsOf } from '../testing/cards.ts';
import { condition, dosageUntil, type Json, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const cardsFor = (body: Json, language?: string) => cardsOf(service, body, language);

/** The card that asks for a stop date for a single oxycodone order. */
async function stopCard(more: Json = {}, language?: string) {
  const [card] = await cardsFor(request('order-sign', { drafts: [order('oxycodone-1', 'oxycodone', more)] }), language);
  expect(card?.source.topic.code).toBe('opioid-stop-date');
  // What else the card offers is created and is not an order of the call.
  const suggestions = (card?.suggestions ?? []).filter(({ actions }) => actions[0]?.type !== 'create');
  return { ...card, suggestions } as Card & Required<Pick<Card, 'suggestions'>>;
}
const updates = (card: Card) => actionsOf([card]).map(({ resource }) => resource);

test('K10, K11, K12, A1, A2, A4, A7, A8, A11, A12: each draft sedative can be removed', async () => {
  const drafts = [order('z', 'pregabalin'), order('p', 'paracetamol'), order('o', 'oxazepam')];
  const [card] = await cardsFor(pair('order-sign', { drafts }));
  expect(card?.selectionBehavior).toBe('any');
  expect(card?.suggestions?.map(({ actions }) => actions)).toEqual([
    [{ type: 'delete', description: expect.stringContaining('pregabalin'), resourceId: 'MedicationRequest/z' }],
    [{ type: 'delete', description: expect.stringContaining('oxazepam'), resourceId: 'MedicationRequest/o' }],
  ]);
});

test('A12: a running order is never changed', async () => {
  const cards = await cardsFor(
    pair('order-sign', { drafts: [order('x', 'oxycodone')], record: [prescription('o', 'oxazepam')] }),
  );
  expect(cards.length).toBeGreaterThan(1);
  const actions = actionsOf(cards);
  expect(actions.length).toBeGreaterThan(0);
  for (const { resource, resourceId } of actions.filter(({ type }) => type !== 'create'))
    expect(resource?.['id'] ?? resourceId.split('/')[1]).toBe('x');
});

test('K13, A3, A5: exactly one of several course lengths is recommended, each a single update', async () => {
  const card = await stopCard();
  expect(card.selectionBehavior).toBe('at-most-one');
  expect(card.suggestions.map(({ isRecommended }) => isRecommended)).toEqual([false, true, false]);
  expect(card.suggestions.map(({ actions }) => actions.map(({ type }) => type))).toEqual(Array(3).fill(['update']));
});

test('A13: the stop date counts the first day, and is in the label and the description', async () => {
  const card = await stopCard({ authoredOn: '2026-02-27' });
  const ends = updates(card).map((resource) => JSON.stringify(resource).match(/"end":"([^"]+)"/)?.[1]);
  expect(ends).toEqual(['2026-03-01', '2026-03-03', '2026-03-05']);
  expect(card.suggestions[1]?.label).toContain('3 March 2026');
  expect(card.suggestions[1]?.actions[0]?.description).toContain('3 March 2026');
  const danish = await stopCard({ authoredOn: '2026-02-27' }, 'da');
  expect(danish.suggestions[1]?.label).toContain('3. marts 2026');
});

test('T5, T14, A10: only the end changes, and unknown fields are returned unchanged', async () => {
  const draft = order('oxycodone-1', 'oxycodone', {
    meta: { versionId: '7', tag: [{ system: 'urn:x', code: 'y' }] },
    extension: [{ url: 'https://ehr.example/x', valueString: 'ä\u2028\u0000 "' }],
    contained: [{ resourceType: 'Practitioner', id: 'p', name: [{ family: 'Öst' }] }],
    ownField: { deep: [1, null, [], {}, '', 1e21, -0.5] },
    note: [{ text: 'lines\nand\ttabs' }],
    dispenseRequest: { validityPeriod: { end: '2027-03-02' }, quantity: { value: 98 } },
    dosageInstruction: [
      {
        sequence: 1,
        text: '1 x 3',
        timing: {
          code: { text: 'TID' },
          repeat: { frequency: 3, period: 1, periodUnit: 'd', boundsDuration: { value: 30, code: 'd' } },
        },
        doseAndRate: [{ doseQuantity: { value: 1.5 } }],
      },
    ],
  });
  const [card] = await cardsFor(request('order-sign', { drafts: [draft] }));
  const [dosage] = draft['dosageInstruction'] as Json[];
  const timing = {
    code: { text: 'TID' },
    repeat: { frequency: 3, period: 1, periodUnit: 'd', boundsPeriod: { end: '2026-03-04' } },
  };
  // Three days at three times 1.5 are at most 14: the quantity decreases with the end.
  const dispenseRequest = { validityPeriod: { end: '2027-03-02' }, quantity: { value: 14 } };
  expect(updates(card as Card)[0]).toEqual({ ...draft, dispenseRequest, dosageInstruction: [{ ...dosage, timing }] });
});

test('A13: a start is kept, and none is invented', async () => {
  const start = { timing: { repeat: { boundsPeriod: { start: '2026-03-03', end: '2026-05-01' } } } };
  const [three] = updates(await stopCard({ dosageInstruction: [start, {}] }));
  // The second line begins today and lasts three days from then.
  expect(three?.['dosageInstruction']).toEqual([dosageUntil('2026-03-04', '2026-03-03'), dosageUntil('2026-03-04')]);
  const [bare] = updates(await stopCard());
  expect(bare?.['dosageInstruction']).toEqual([dosageUntil('2026-03-04')]);
});

test('A13: a line that begins after the end is left out, and the description says so', async () => {
  const lines = [dosageUntil('2026-03-06', '2026-03-02'), dosageUntil('2026-04-30', '2026-03-06')];
  const card = await stopCard({ dosageInstruction: lines });
  expect(updates(card).map((resource) => (resource['dosageInstruction'] as Json[]).length)).toEqual([1, 2, 2]);
  expect(card.suggestions.map(({ actions }) => /left out/.test(actions[0]?.description ?? ''))).toEqual([
    true,
    false,
    false,
  ]);
});

test('A16: an unidentifiable medicine gets no action', async () => {
  const unknown = order('u', 'oxycodone', { medicationCodeableConcept: { text: 'Nonsensin 5 mg' } });
  const [card, ...others] = await cardsFor(request('order-sign', { drafts: [unknown] }));
  expect(others).toEqual([]);
  expect(card?.source.topic.code).toBe('not-checked');
  expect(card?.suggestions).toBeUndefined();
});

test('A16: a dosage in a form that cannot be changed is kept', async () => {
  const card = await stopCard({ dosageInstruction: { text: 'an object where a list belongs' } });
  expect(card.suggestions).toEqual([]);
});

test('A16: if one of two orders cannot be given an end, no suggestion ends only the other', async () => {
  const offers = async (dosageInstruction: unknown) => {
    const drafts = [order('a', 'oxycodone'), order('b', 'morphine', { dosageInstruction })];
    const cards = await cardsFor(request('order-sign', { drafts }));
    return actionsOf(cards).filter(({ type }) => type === 'update').length;
  };
  expect(await offers([{ text: 'x' }])).toBe(6);
  expect(await offers({ text: 'x' })).toBe(0);
});

test('A6: there is no actionSelectionBehavior', async () => {
  const { text } = await service.call(request('order-sign', { drafts: [order('oxycodone-1', 'oxycodone')] }));
  expect(text).toContain('"actions"');
  expect(text).not.toContain('actionSelectionBehavior');
});

test('K18: a cancer patient’s opioid gets no stop date', async () => {
  const body = request('order-sign', { drafts: [order('x', 'oxycodone')], conditions: [condition('c', 'C50.9')] });
  expect(await cardsFor(body)).toEqual([]);
});
