import { afterAll, expect, test } from 'vitest';
import { pathOf, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { dosageUntil, type Json, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

/** The clinical content of an answer. */
async function cardsFor(body: Json) {
  const response = await service.call(body);
  expect(response.status, response.text).toBe(200);
  return response.body.cards;
}

async function statusOf(body: Json, path = pathOf(body)) {
  const { status, body: outcome } = await service.http.post(path).send(body);
  return { status, said: JSON.stringify(outcome.issue ?? []) };
}

const usual = await cardsFor(pair());
const without = (body: Json, key: string) => ({ ...body, [key]: undefined });

test('R1, S1, T2: a call is answered by 200 and an object with cards', async () => {
  const response = await service.call(pair());
  expect(response.status).toBe(200);
  expect(response.headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/);
  expect(Object.keys(JSON.parse(response.text))).toEqual(['cards']);
  expect(response.body.cards).toHaveLength(1);
});

test('S2: without anything to say the answer is only an empty list of cards', async () => {
  const { status, text } = await service.call(request('order-sign', { drafts: [order('p', 'paracetamol')] }));
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ cards: [] });
});

test('S8: an answer is not cached, and states its language', async () => {
  const { headers } = await service.call(pair(), { 'accept-language': 'nn-NO' });
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['content-language']).toBe('nb');
  expect(headers['vary']).toMatch(/accept-language/i);
});

test('S9, R5: the same call twice gives the same bytes', async () => {
  const [first, second] = [await service.call(pair()), await service.call(pair())];
  expect(second.text).toBe(first.text);
});

test('S9, K1: another hookInstance changes only the ids', async () => {
  const other = await cardsFor({ ...pair(), hookInstance: '11111111-2222-4333-8444-555555555555' });
  const ids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
  expect(JSON.stringify(other).replace(ids, 'id')).toBe(JSON.stringify(usual).replace(ids, 'id'));
  expect(JSON.stringify(other).match(ids)).not.toEqual(JSON.stringify(usual).match(ids));
});

test('T11: an extra slash changes nothing', async () => {
  for (const path of ['/cds-services/nordic-opioid-order-sign/', '//cds-services//nordic-opioid-order-sign']) {
    const { status, body } = await service.http.post(path).send(pair());
    expect(status).toBe(200);
    expect(body.cards).toEqual(usual);
  }
  expect((await service.http.get('/cds-services/')).text).toBe((await service.http.get('/cds-services')).text);
});

test('T12, E3, P15: unknown fields are ignored at every level', async () => {
  const odd = {
    extension: { 'com.epic.cdshooks.request.fhir-version': 'R4', 'davinci-crd.configuration': {} },
    user: 'Practitioner/nils',
    services: [],
    foo: { bar: [null] },
  };
  const body = pair();
  const add = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(add);
    if (typeof value !== 'object' || value === null) return value;
    return { ...Object.fromEntries(Object.entries(value).map(([key, item]) => [key, add(item)])), foo: 'bar' };
  };
  expect(await cardsFor({ ...body, ...odd })).toEqual(usual);
  expect(await cardsFor({ ...body, prefetch: { ...body.prefetch, other: { resourceType: 'Bundle' } } })).toEqual(usual);
  expect(await cardsFor(add(body) as Json)).toEqual(usual);
});

test.each(['hook', 'hookInstance', 'context'])(
  'T8, R2, R3, R6: without %s the answer is 400, naming it',
  async (field) => {
    const { status, said } = await statusOf(without(pair(), field), pathOf(pair()));
    expect(status).toBe(400);
    expect(said).toContain(field);
  },
);

test.each([
  ['hook', 7],
  ['hook', ['order-sign']],
  ['hook', ''],
  ['hookInstance', 7],
  ['hookInstance', {}],
  ['hookInstance', null],
  ['hookInstance', ' '],
  ['context', []],
  ['context', 'x'],
  ['context', {}],
  ['context', null],
  ['prefetch', []],
  ['prefetch', 'x'],
  ['fhirAuthorization', 'x'],
  ['fhirServer', 7],
])('T8, T13, R2, R3, R6: %s = %j is 400, naming it', async (field, value) => {
  const { status, said } = await statusOf({ ...pair(), [field]: value }, pathOf(pair()));
  expect(status).toBe(400);
  expect(said).toContain(field);
});

test.each([
  ['order-sign', 'order-select'],
  ['order-select', 'order-sign'],
  ['patient-view', 'order-sign'],
  ['nonsense', 'order-sign'],
])('R2: a call of %s at the service for %s is 400', async (hook, at) => {
  const { status, said } = await statusOf({ ...pair('order-select'), hook }, `/cds-services/nordic-opioid-${at}`);
  expect(status).toBe(400);
  expect(said).toContain(at);
});

test('R3: any UUID is accepted in any case, and any other id too', async () => {
  for (const hookInstance of ['F47AC10B-58CC-11E4-8ED6-0800200C9A66', 'randomGUIDforthehookevent', 'd1577c69'])
    expect(await cardsFor({ ...pair(), hookInstance })).toHaveLength(1);
});

test('R7: an authorization without a server is 400', async () => {
  const { status, said } = await statusOf({
    ...pair(),
    fhirAuthorization: { access_token: 'x', token_type: 'Bearer' },
  });
  expect(status).toBe(400);
  expect(said).toContain('fhirServer');
});

test.each([
  [{ fhirServer: null, fhirAuthorization: null }],
  [{ fhirServer: 'http://fhir.example/r4' }],
  [{ fhirServer: 'https://fhir.example/r4', fhirAuthorization: null }],
  [
    {
      fhirServer: 'https://fhir.example/r4',
      fhirAuthorization: { access_token: 'secret-token', token_type: 'Bearer' },
    },
  ],
  [{ fhirServer: 'http://169.254.169.254/latest' }],
])('R7, R8, T13: with %j the call is answered from its prefetch, and no token is logged', async (fields) => {
  expect(await cardsFor({ ...pair(), ...fields })).toEqual(usual);
  expect(service.log.join('')).not.toContain('secret-token');
});

test('R9: a prefetch that is absent, null or {} is treated the same', async () => {
  const body = request('order-sign', { drafts: [order('z', 'pregabalin'), order('m', 'methadone')] });
  const [absent, ...others] = [undefined, null, {}].map((prefetch) => ({ ...body, prefetch }));
  const cards = await cardsFor(absent as Json);
  expect(cards.length).toBeGreaterThan(0);
  for (const other of others) expect(await cardsFor(other)).toEqual(cards);
});

test.each([
  ['order-sign', 'patientId'],
  ['order-sign', 'draftOrders'],
  ['order-select', 'patientId'],
  ['order-select', 'draftOrders'],
  ['order-select', 'selections'],
  ['patient-view', 'patientId'],
])('H1, T8: %s without context.%s is 400, naming it', async (hook, field) => {
  const { status, said } = await statusOf(pair(hook, { context: { [field]: undefined } }));
  expect(status).toBe(400);
  expect(said).toContain(`context.${field}`);
});

test('H1, H3, H16: userId may be missing or bare, and encounterId missing or null', async () => {
  for (const context of [
    { userId: undefined },
    { userId: 'nils' },
    { userId: 'PractitionerRole/nils' },
    { encounterId: undefined },
    { encounterId: null },
    { encounterId: '' },
  ])
    expect(await cardsFor(pair('order-sign', { context }))).toEqual(usual);
});

test('H2: patient and encounter ids may carry their type', async () => {
  expect(await cardsFor(pair('order-sign', { context: { patientId: 'Patient/kari' } }))).toEqual(usual);
  expect(await cardsFor(pair('order-sign', { context: { encounterId: 'Encounter/visit' } }))).toEqual(usual);
});

test.each([
  ['an unpaired surrogate', '\ud800'],
  ['half a character in the middle', 'kari\udc00x'],
  ['a space', 'kari 1'],
  ['a query', 'kari&status=active'],
  ['a path', 'kari/'],
  ['a letter not allowed in a FHIR id', 'kåre'],
  ['more than 64 characters', 'k'.repeat(65)],
  ['nothing after its type', 'Patient/'],
])('FS1, H1, H2: a patient or encounter id with %s is not a FHIR id: 400, naming the field', async (_, id) => {
  for (const field of ['patientId', 'encounterId']) {
    // Sent as raw bytes: supertest would replace invalid characters.
    const text = JSON.stringify({
      ...pair('order-sign', { context: { [field]: id } }),
      fhirServer: 'http://127.0.0.1:9/r4',
      prefetch: undefined,
    });
    const response = await service.app.inject({
      method: 'POST',
      url: '/cds-services/nordic-opioid-order-sign',
      headers: { 'content-type': 'application/json' },
      payload: text,
    });
    expect(response.statusCode).toBe(400);
    expect(response.json().issue.map(({ diagnostics }: Json) => diagnostics)).toEqual([
      expect.stringContaining(`context.${field}`),
    ]);
    expect(response.payload).not.toContain('kari');
  }
});

test('E3: the evaluation date of our extension counts only where the service allows it', async () => {
  const ends = { dosageInstruction: [dosageUntil('2026-03-05')] };
  const body = request('patient-view', {
    record: [prescription('m', 'methadone', ends), prescription('p', 'pregabalin')],
  });
  const later = { ...body, extension: { 'org.nordic-opioid-cds': { now: '2026-03-20', explain: true } } };
  expect(await cardsFor(body)).toHaveLength(1);
  expect(await cardsFor(later)).toHaveLength(0);
  const { client, token } = await createClient();
  const closed = await startService({ mode: 'production', clients: [client] });
  const { body: answer } = await closed.call(later, { authorization: `Bearer ${await token(pathOf(later))}` });
  await closed.close();
  expect(answer.cards).toHaveLength(1);
  expect(answer).not.toHaveProperty('extension');
});

test('E1, E2, DI16: the trace is an extension under our own name, and only on request', async () => {
  const { body } = await service.call({ ...pair(), extension: { 'org.nordic-opioid-cds': { explain: true } } });
  expect(Object.keys(body)).toEqual(['cards', 'extension']);
  expect(Object.keys(body.extension)).toEqual(['org.nordic-opioid-cds']);
  expect(body.extension['org.nordic-opioid-cds'].trace.rules.length).toBeGreaterThan(0);
  expect(body.cards).toEqual(usual);
});

test('E4: a card given at order-select is given again at order-sign', async () => {
  const topics = (cards: { source: { topic: { code: string } } }[]) => cards.map(({ source }) => source.topic.code);
  for (const extension of [undefined, {}, { 'org.nordic-opioid-cds': {} }]) {
    const selected = await cardsFor({ ...pair('order-select'), extension });
    expect(selected).toHaveLength(1);
    expect(topics(await cardsFor({ ...pair('order-sign'), extension }))).toEqual(topics(selected));
  }
});
