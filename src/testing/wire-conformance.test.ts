import { afterAll, expect, test } from 'vitest';
import { startService } from './app.ts';
import { order, pair } from './request.ts';
import { wireProblems } from './wire-conformance.ts';

const service = await startService();
afterAll(() => service.close());

const call = pair('order-sign', {
  drafts: [order('pregabalin-1', 'pregabalin'), order('oxycodone-1', 'oxycodone')],
  record: [],
});
const { text } = await service.call(call);
// biome-ignore lint/suspicious/noExplicitAny: damaged on purpose
type Any = Record<string, any>;

/** The real answer with one change. */
function spoiled(change: (body: Any, remove: Any, stop: Any) => unknown): string[] {
  const body = JSON.parse(text) as Any;
  const card = (topic: string) => body['cards'].find((item: Any) => item['source'].topic.code === topic);
  change(body, card('opioid-sedative'), card('opioid-stop-date'));
  return wireProblems(JSON.stringify(body), call);
}

test('T2–T4: the checker finds nothing in an answer of the service', () => {
  expect(JSON.parse(text).cards.length).toBeGreaterThan(1);
  expect(wireProblems(text, call)).toEqual([]);
});

test('T2, S1: the checker rejects anything but a JSON object with cards', () => {
  expect(wireProblems('{"cards": [],}', call)).not.toEqual([]);
  expect(wireProblems('[]', call)).not.toEqual([]);
  expect(wireProblems('{}', call)).not.toEqual([]);
  expect(wireProblems('{"cards": []}', call)).toEqual([]);
});

test.each<[string, (body: Any, remove: Any, stop: Any) => unknown]>([
  ['T3: null', (_, card) => Object.assign(card, { detail: null })],
  ['T3: an empty list', (_, card) => Object.assign(card, { overrideReasons: [] })],
  ['T3: an empty object', (body) => Object.assign(body, { extension: {} })],
  ['DI16, E2: a vendor key beside the fields', (_, card) => Object.assign(card, { vendor: 'x' })],
  ['E2: an extension without a reverse-domain name', (body) => Object.assign(body, { extension: { trace: { a: 1 } } })],
  ['A14: systemActions', (body) => Object.assign(body, { systemActions: [] })],
  ['K1: no UUID', (_, card) => Object.assign(card, { uuid: 'card-1' })],
  ['K1: the same UUID twice', (_, card, other) => Object.assign(card, { uuid: other['uuid'] })],
  ['K2: 140 characters', (_, card) => Object.assign(card, { summary: 'x'.repeat(140) })],
  ['K2: 139 characters of two units', (_, card) => Object.assign(card, { summary: '😀'.repeat(100) })],
  ['K2: Markdown', (_, card) => Object.assign(card, { summary: '**Stop** pregabalin' })],
  ['K2: two lines', (_, card) => Object.assign(card, { summary: 'one\ntwo' })],
  ['K4: HTML in the detail', (_, card) => Object.assign(card, { detail: 'a <b>c</b>' })],
  ['K4: a link in the detail', (_, card) => Object.assign(card, { detail: 'a [b](javascript:c)' })],
  ['K5: hard-stop', (_, card) => Object.assign(card, { indicator: 'hard-stop' })],
  ['K6: no label', (_, card) => delete card['source'].label],
  ['K7: a relative address', (_, card) => Object.assign(card['source'], { url: '/about' })],
  ['K9: no topic', (_, card) => delete card['source'].topic],
  ['K9: a topic without system', (_, card) => delete card['source'].topic.system],
  ['K11: no selectionBehavior', (_, card) => delete card['selectionBehavior']],
  ['K12: an unknown selectionBehavior', (_, card) => Object.assign(card, { selectionBehavior: 'all' })],
  [
    'K13: two recommended',
    (_, __, card) => card['suggestions'].map((item: Any) => Object.assign(item, { isRecommended: true })),
  ],
  ['K14: a reason without display', (_, card) => delete card['overrideReasons'][0].display],
  ['K14: a reason twice', (_, card) => card['overrideReasons'].push(card['overrideReasons'][0])],
  ['A1: no label', (_, card) => delete card['suggestions'][0].label],
  ['A2: no uuid', (_, card) => delete card['suggestions'][0].uuid],
  ['A4: no actions', (_, card) => delete card['suggestions'][0].actions],
  [
    'A6: actionSelectionBehavior',
    (_, card) => Object.assign(card['suggestions'][0], { actionSelectionBehavior: 'any' }),
  ],
  ['A7: REMOVE', (_, card) => Object.assign(card['suggestions'][0].actions[0], { type: 'REMOVE' })],
  ['A8: no description', (_, card) => delete card['suggestions'][0].actions[0].description],
  ['A10: a resource as text', (_, __, card) => Object.assign(card['suggestions'][0].actions[0], { resource: '{}' })],
  ['A11: a bare id', (_, card) => Object.assign(card['suggestions'][0].actions[0], { resourceId: 'pregabalin-1' })],
  ['A12: not in draftOrders', (_, card) => Object.assign(card['suggestions'][0].actions[0], { resourceId: 'A/b' })],
  ['L1: a link elsewhere', (_, card) => Object.assign(card['links'][0], { url: 'https://x' })],
  ['L1: a link without a label', (_, card) => delete card['links'][0].label],
  ['L2: a link that launches an app', (_, card) => Object.assign(card['links'][0], { type: 'smart' })],
  [
    'L4: a link that names a patient',
    (_, card) => Object.assign(card['links'][0], { url: `${card['links'][0].url}&patient=1` }),
  ],
])('the checker reports %s', (_, change) => {
  expect(spoiled(change)).not.toEqual([]);
});

test('V5: the checker reports a change of orders with the chart open', () => {
  expect(wireProblems(text, { ...call, hook: 'patient-view' })).not.toEqual([]);
});

test('A12: the checker looks for the order of an action in the shape of CDS Hooks 1.0 too', () => {
  const of1 = (resource: string) =>
    spoiled((_, card) => {
      const [action] = card['suggestions'][0].actions;
      delete action.resourceId;
      Object.assign(action, { resource });
    }).filter((said) => said.endsWith('no draft of the call'));
  expect(of1('MedicationRequest/pregabalin-1')).toEqual([]);
  expect(of1('MedicationRequest/elsewhere')).toEqual(['MedicationRequest/elsewhere: no draft of the call']);
});
