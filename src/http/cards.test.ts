import { afterAll, expect, test } from 'vitest';
import { deliveredSite } from '../knowledge/load.ts';
import { knowledge, knowledgeOf, root, startService } from '../testing/app.ts';
import { type Card, cardsFor as cardsOf, topicsOf } from '../testing/cards.ts';
import { type Json, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const cardsFor = (body: Json, language?: string) => cardsOf(service, body, language);

test('K1, K3, K5, K6, K9, K16: a card has its id, text, indicator, source and topic', async () => {
  const [card] = await cardsFor(pair());
  expect(card?.uuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(card?.summary).toMatch(/methadone.*pregabalin/);
  expect(card?.detail).toContain('pregabalin');
  expect(card?.indicator).toBe('warning');
  expect(card?.source.label).toMatch(/\S/);
  expect(card?.source.topic).toMatchObject({ code: 'laro-sedative-ordered', system: 'urn:nordic-opioid-cds:rule' });
});

test('K1: one hookInstance for two patients gives different ids of cards and suggestions', async () => {
  const other = JSON.parse(JSON.stringify(pair()).replaceAll('kari', 'liv'));
  const blind = (patient: string) =>
    JSON.parse(
      JSON.stringify(
        pair('order-sign', { drafts: [order('x', 'oxycodone')], record: [], prefetch: { conditions: undefined } }),
      ).replaceAll('kari', patient),
    );
  const ids = [];
  for (const body of [pair(), other, blind('kari'), blind('liv')])
    for (const { uuid, suggestions = [] } of await cardsFor(body))
      ids.push(uuid, ...suggestions.map((each) => each.uuid));
  expect(ids.length).toBeGreaterThan(6);
  expect(new Set(ids).size).toBe(ids.length);
});

test('K7, K8: the source’s address is https and about the source, and there is no icon', async () => {
  for (const { source } of await cardsFor(pair())) {
    expect(source.url).toMatch(/^https:\/\/[^?]+$/);
    expect(source.url).not.toContain('kari');
    expect(source).not.toHaveProperty('icon');
  }
});

test('K9, V6: the topic is the rule, whatever the drugs, the language and the patient', async () => {
  const topics = await Promise.all(
    [
      cardsFor(pair(), 'sv'),
      cardsFor(pair('order-sign', { drafts: [order('o', 'oxazepam')] }), 'da'),
      cardsFor(pair('order-sign', { record: [prescription('b', 'buprenorphine')] }), 'nb'),
    ].map(async (cards) => topicsOf(await cards)),
  );
  expect(topics).toEqual(Array(3).fill(['laro-sedative-ordered']));
});

test('K2: a summary of many medicines with long names still fits', async () => {
  const longest = [...knowledge.codes.substances.values()]
    .filter(({ atc }) => atc[0]?.startsWith('N05'))
    .sort((a, b) => b.names.en.length - a.names.en.length)
    .slice(0, 12);
  expect(longest).toHaveLength(12);
  const drafts = longest.map(({ atc, key }) =>
    order(key, 'pregabalin', {
      medicationCodeableConcept: { coding: [{ system: 'http://www.whocc.no/atc', code: atc[0] }] },
    }),
  );
  for (const language of ['sv', 'nb', 'da', 'en']) {
    const [card] = await cardsFor(pair('order-sign', { drafts }), language);
    expect(card?.source.topic.code).toBe('laro-sedative-ordered');
    expect(card?.summary.length).toBeLessThanOrEqual(139);
    expect(card?.summary).toMatch(/\+\d/);
  }
});

test('K4: HTML and Markdown in a name stay text in the detail', async () => {
  const text =
    'pregabalin <img src=x onerror=alert(1)> [x](javascript:alert(2)) ![y](http://evil.example) `z` **w** | ~~v~~';
  const named = { ...order('z', 'pregabalin'), medicationCodeableConcept: { text } };
  const [card] = await cardsFor(pair('order-sign', { drafts: [named] }));
  expect(card?.detail).toContain('onerror');
  for (const raw of ['<img', '[x]', '![y]', 'http://evil', ' `z`', ' **w**', '~~v'])
    expect(card?.detail).not.toContain(raw);
  expect(card?.summary).not.toMatch(/[<>[\]`*]/);
});

test('K14: override reasons are coded, named in the reader’s language, and the same in every call', async () => {
  const [swedish] = await cardsFor(pair(), 'sv');
  const [danish] = await cardsFor(pair('order-sign', { drafts: [order('o', 'oxazepam')] }), 'da');
  const codes = (card?: Card) => card?.overrideReasons?.map(({ system, code }) => `${system}|${code}`);
  expect(codes(swedish)?.length).toBeGreaterThan(2);
  expect(codes(danish)).toEqual(codes(swedish));
  expect(danish?.overrideReasons?.[0]?.display).not.toBe(swedish?.overrideReasons?.[0]?.display);
});

test('K17: the text tells two orders of one kind apart', async () => {
  const drafts = [order('z', 'pregabalin'), order('o', 'oxazepam')];
  const [card] = await cardsFor(pair('order-sign', { drafts }));
  for (const name of ['pregabalin', 'oxazepam']) {
    expect(card?.summary).toContain(name);
    expect(card?.suggestions?.some(({ label }) => label.includes(name))).toBe(true);
  }
});

test('K18: one card names all drugs of a problem, each once', async () => {
  const record = ['methadone', 'pregabalin', 'diazepam'] as const;
  const list = record.map((drug) => prescription(drug, drug));
  const cards = await cardsFor(pair('order-sign', { record: list }));
  const [card, ...others] = cards.filter(({ source }) => source.topic.code === 'laro-sedative-ordered');
  expect(others).toEqual([]);
  expect(card?.detail.match(/^- pregabalin.*: new order$/gm)).toHaveLength(1);
  expect(card?.detail.match(/^- methadone.*: ongoing.*$/gm)).toHaveLength(1);
  const [open] = await cardsFor(request('patient-view', { record: list }));
  expect(open?.source.topic.code).toBe('laro-sedative-current');
  for (const drug of record) expect(open?.detail).toMatch(new RegExp(`^- ${drug}.*: ongoing`, 'm'));
});

test('K18: the most severe card comes first', async () => {
  const drafts = [order('oxycodone-1', 'oxycodone'), order('z', 'pregabalin')];
  const cards = await cardsFor(pair('order-sign', { drafts, record: [] }));
  const rank = cards.map(({ indicator }) => ['critical', 'warning', 'info'].indexOf(indicator));
  expect(new Set(rank).size).toBeGreaterThan(1);
  expect(rank).toEqual([...rank].sort());
});

test('L1–L4, A14: the only link leads to the page about the rule, no app is launched, and there are no systemActions', async () => {
  const { text, body } = await service.call(pair(), { 'accept-language': 'da' });
  const [{ links, source }] = body.cards;
  const url = `https://cds.example/advice/${source.topic.code}?lang=da`;
  expect(links).toEqual([{ label: 'Om dette råd', url, type: 'absolute' }]);
  expect(text).not.toMatch(/"systemActions"|"appContext"|"autolaunchable"/);
});

test('L1: there is no link if the site wants none, or if the public address is unknown', async () => {
  for (const options of [
    { knowledge: knowledgeOf(root, { ...deliveredSite, adviceLink: false }) },
    { publicUrl: undefined },
  ]) {
    const other = await startService(options);
    const { body } = await other.call(pair());
    expect(body.cards[0]).not.toHaveProperty('links');
    await other.close();
  }
});

test('V5: with the chart open, a card only informs', async () => {
  const record = [prescription('m', 'methadone'), prescription('o', 'oxazepam')];
  const [card] = await cardsFor(request('patient-view', { record }));
  expect(card?.source.topic.code).toBe('laro-sedative-current');
  expect(card).not.toHaveProperty('suggestions');
  expect(card).not.toHaveProperty('selectionBehavior');
});
