import { afterAll, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { actionsOf, cardsFor as cardsOf, topicsOf } from '../testing/cards.ts';
import { bundle, type Json, medicine, order, pair, prescription, request } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const cardsFor = (body: Json) => cardsOf(service, body);
const topicsFor = async (body: Json) => topicsOf(await cardsFor(body));

const LARO = ['laro-sedative-ordered'];
const methadone = prescription('methadone-1', 'methadone');
const pregabalin = order('pregabalin-1', 'pregabalin');
const paracetamol = order('paracetamol-1', 'paracetamol');

test.each([
  ['Type/id', 'MedicationRequest/pregabalin-1'],
  ['a bare id', 'pregabalin-1'],
  ['an absolute address', 'https://fhir.example/r4/MedicationRequest/pregabalin-1'],
  ['the fullUrl of the entry', 'urn:uuid:0d1c2b3a-1111-4222-8333-444455556666'],
])('H4: a selection may be %s', async (_, selection) => {
  const entry = [
    { resource: paracetamol },
    { fullUrl: 'urn:uuid:0d1c2b3a-1111-4222-8333-444455556666', resource: pregabalin },
  ];
  const context = { draftOrders: { resourceType: 'Bundle', type: 'collection', entry }, selections: [selection] };
  expect(await topicsFor(pair('order-select', { context }))).toEqual(LARO);
});

test('H4: a single selection under its singular name is read', async () => {
  const context = { selections: undefined, selection: 'MedicationRequest/pregabalin-1' };
  expect(await topicsFor(pair('order-select', { drafts: [pregabalin, paracetamol], context }))).toEqual(LARO);
  const other = { selections: undefined, selection: 'MedicationRequest/paracetamol-1' };
  expect(await topicsFor(pair('order-select', { drafts: [pregabalin, paracetamol], context: other }))).toEqual([]);
});

test('H5: an unknown selection is ignored, and if all are unknown every draft is judged', async () => {
  const select = (...selections: unknown[]) => pair('order-select', { drafts: [pregabalin, paracetamol], selections });
  expect(await topicsFor(select('MedicationRequest/pregabalin-1', 'MedicationRequest/gone'))).toEqual(LARO);
  expect(await topicsFor(select('MedicationRequest/gone'))).toEqual(LARO);
  expect(await topicsFor(select())).toEqual(LARO);
  expect(await topicsFor(select(null, 7, {}))).toEqual(LARO);
  expect(await topicsFor(select('MedicationRequest/paracetamol-1', 'MedicationRequest/gone'))).toEqual([]);
});

test('H6: the selected order decides, and the other drafts are its context', async () => {
  const drafts = [pregabalin, order('methadone-2', 'methadone'), paracetamol];
  const select = (id: string) => request('order-select', { drafts, selections: [`MedicationRequest/${id}`] });
  expect(await topicsFor(select('pregabalin-1'))).toEqual(LARO);
  expect(await topicsFor(select('paracetamol-1'))).toEqual([]);
  // Both are ordered now, so each is about the other.
  expect(await topicsFor(request('order-sign', { drafts }))).toContain(LARO[0]);
});

test('H7: an order without medicine, dosage or intent is ignored while being written, but never when signed', async () => {
  const blank = { resourceType: 'MedicationRequest', id: 'request-123', status: 'draft', category: { text: 'x' } };
  expect(await cardsFor(request('order-select', { drafts: [blank] }))).toEqual([]);
  expect(await topicsFor(request('order-sign', { drafts: [blank] }))).toEqual(['not-checked']);
  const bare = {
    resourceType: 'MedicationRequest',
    id: 'pregabalin-1',
    medicationCodeableConcept: medicine('pregabalin'),
  };
  expect(await topicsFor(pair('order-select', { drafts: [bare] }))).toEqual(LARO);
});

test('H8: an active order about to be signed is judged, and a settled one is not', async () => {
  for (const status of ['draft', 'active', 'on-hold', undefined])
    expect(await topicsFor(pair('order-sign', { drafts: [{ ...pregabalin, status }] })), status).toEqual(LARO);
  for (const status of ['cancelled', 'stopped', 'completed', 'entered-in-error'])
    expect(await topicsFor(pair('order-sign', { drafts: [{ ...pregabalin, status }] })), status).toEqual([]);
  const unknown = { ...pregabalin, status: 'unknown' };
  expect(await topicsFor(pair('order-sign', { drafts: [unknown] }))).toEqual([...LARO, 'not-checked']);
});

test.each(['collection', 'searchset', 'transaction', 'batch', 'nonsense', undefined])(
  'H9: a Bundle of type %s is read',
  async (type) => {
    const draftOrders = { ...bundle([pregabalin]), type };
    expect(await topicsFor(pair('order-sign', { context: { draftOrders } }))).toEqual(LARO);
  },
);

test('H9: no entries, a bare order and entries without a resource are handled', async () => {
  const send = (draftOrders: unknown) => topicsFor(pair('order-sign', { context: { draftOrders } }));
  expect(await send({ resourceType: 'Bundle' })).toEqual([]);
  expect(await send({ resourceType: 'Bundle', entry: [] })).toEqual([]);
  expect(await send(pregabalin)).toEqual(LARO);
  const draftOrders = { resourceType: 'Bundle', entry: [{}, null, { resource: null }] };
  expect((await service.call(pair('order-sign', { context: { draftOrders } }))).status).toBe(400);
});

test('H9, A16: an order without an id gives a card that changes no order', async () => {
  const drafts = [
    { ...pregabalin, id: undefined },
    { ...order('x', 'oxycodone'), id: undefined },
  ];
  const cards = await cardsFor(pair('order-sign', { drafts }));
  expect(cards.length).toBeGreaterThan(1);
  expect(actionsOf(cards).filter(({ type }) => type !== 'create')).toEqual([]);
});

test('H10: the malformed doses in the hooks’ own examples are read', async () => {
  const timing = { repeat: { frequency: 1, period: 1, periodUnit: 'd' } };
  const dose = { doseQuantity: { value: 1, code: 'TAB' } };
  const dispenseRequest = { quantity: { value: 5, code: 'TAB' } };
  for (const dosage of [
    { timing, doseAndRate: dose },
    { timing, ...dose },
    { timing, doseAndRate: [dose] },
  ]) {
    const draft = order('oxycodone-1', 'oxycodone', { dosageInstruction: [dosage], dispenseRequest });
    // Five days of supply are not a long course; thirteen are.
    expect(await topicsFor(request('order-sign', { drafts: [draft] }))).toEqual([]);
    const long = { ...draft, dispenseRequest: { quantity: { value: 13, code: 'TAB' } } };
    expect(await topicsFor(request('order-sign', { drafts: [long] }))).toEqual(['opioid-stop-date']);
  }
});

test('H11: an id of 200 odd characters is returned byte for byte', async () => {
  const id = `e${'~.-_ÅØ:|'.repeat(24)}1234567`;
  expect(id).toHaveLength(200);
  const [remove] = actionsOf(await cardsFor(pair('order-sign', { drafts: [{ ...pregabalin, id }] })));
  expect(remove?.resourceId).toBe(`MedicationRequest/${id}`);
  const [stop] = actionsOf(await cardsFor(request('order-sign', { drafts: [order(id, 'oxycodone')] })));
  expect(stop).toMatchObject({ resource: { id } });
});

test('H12: drafts of other types are ignored', async () => {
  const types = ['NutritionOrder', 'ServiceRequest', 'DeviceRequest', 'VisionPrescription', 'CommunicationRequest'];
  const others = types.map((resourceType) => ({ ...pregabalin, resourceType, id: resourceType }));
  expect(await cardsFor(pair('order-sign', { drafts: others }))).toEqual([]);
  expect(await topicsFor(pair('order-sign', { drafts: [...others, pregabalin] }))).toEqual(LARO);
});

test('H13: an order for another patient is not judged, and a card says so', async () => {
  const foreign = { ...pregabalin, subject: { reference: 'Patient/ola' } };
  expect(await topicsFor(pair('order-sign', { drafts: [foreign] }))).toEqual(['not-checked']);
  const both = await cardsFor(pair('order-sign', { drafts: [foreign, order('oxazepam-1', 'oxazepam')] }));
  expect(topicsOf(both)).toEqual([...LARO, 'not-checked']);
  expect(JSON.stringify(both)).not.toContain('pregabalin-1');
  const foreignOpioid = { ...methadone, subject: { reference: 'https://fhir.example/Patient/ola' } };
  const own = prescription('own', 'atorvastatin');
  expect(await topicsFor(pair('order-sign', { record: [own, foreignOpioid] }))).not.toContain(LARO[0]);
});

test('H13, H2: the patient may be named by type, address or version', async () => {
  for (const reference of [
    'Patient/kari',
    'kari',
    'https://fhir.example/r4/Patient/kari',
    'Patient/kari/_history/3',
    'urn:uuid:kari',
  ])
    expect(await topicsFor(pair('order-sign', { drafts: [{ ...pregabalin, subject: { reference } }] }))).toEqual(LARO);
});

test('H14, V1: DSTU2 and STU3 alone are 422, are reported beside readable orders, and R4 and R5 may be mixed', async () => {
  const dstu2 = {
    resourceType: 'MedicationOrder',
    id: 'a',
    status: 'draft',
    medicationCodeableConcept: medicine('pregabalin'),
  };
  const stu3 = { ...pregabalin, requester: { agent: { reference: 'Practitioner/nils' } } };
  const r5 = {
    ...pregabalin,
    id: 'b',
    medicationCodeableConcept: undefined,
    medication: { concept: medicine('pregabalin') },
  };
  for (const drafts of [[dstu2], [stu3]]) {
    const { status, body } = await service.call(pair('order-sign', { drafts }));
    expect(status).toBe(422);
    expect(body.resourceType).toBe('OperationOutcome');
    expect(body.issue[0].code).toBe('not-supported');
  }
  expect(await topicsFor(pair('order-sign', { drafts: [pregabalin, r5] }))).toEqual(LARO);
  expect(await topicsFor(pair('order-sign', { drafts: [dstu2, pregabalin] }))).toEqual([...LARO, 'not-checked']);
});

test('V1: R5 is read', async () => {
  const r5 = (draft: Json, concept: Json) => ({
    ...draft,
    medicationCodeableConcept: undefined,
    medication: { concept },
  });
  const body = pair('order-sign', {
    drafts: [r5(pregabalin, medicine('pregabalin'))],
    record: [r5(methadone, medicine('methadone'))],
  });
  expect(await topicsFor(body)).toEqual(LARO);
});

test('H15: a medicine gives the same card by code, contained, included, beside the orders or by name', async () => {
  const code = medicine('pregabalin');
  const other = { resourceType: 'Medication', id: 'med', code };
  const by = (more: Json) => ({ ...pregabalin, medicationCodeableConcept: undefined, ...more });
  const ref = { medicationReference: { reference: 'Medication/med' } };
  const usual = await cardsFor(pair());
  const send = (draft: Json, extra: { drafts?: Json[]; record?: Json[] } = {}) =>
    cardsFor(
      pair('order-sign', { drafts: [draft, ...(extra.drafts ?? [])], record: [methadone, ...(extra.record ?? [])] }),
    );
  expect(await send(by({ contained: [{ ...other, id: 'm' }], medicationReference: { reference: '#m' } }))).toEqual(
    usual,
  );
  expect(await send(by(ref), { drafts: [other] })).toEqual(usual);
  expect(await send(by(ref), { record: [other] })).toEqual(usual);
  expect(
    await send(by({ medicationReference: { reference: 'https://fhir.example/r4/Medication/med' } }), {
      record: [other],
    }),
  ).toEqual(usual);
  const [named] = await send(by({ medicationReference: { reference: 'Medication/gone', display: 'pregabalin' } }));
  expect(named?.source).toEqual(usual[0]?.source);
  expect(named?.summary).toBe(usual[0]?.summary);
  expect(named?.detail).toContain('recognised by its name only');
  expect(usual[0]?.detail).not.toContain('recognised by its name only');
});

test('H15: every coding is read, and the code wins over a contradicting name', async () => {
  const local = { system: 'urn:example:local', code: '1' };
  const code = { coding: [local, ...(medicine('pregabalin')['coding'] as Json[])], text: 'paracetamol' };
  expect(await topicsFor(pair('order-sign', { drafts: [{ ...pregabalin, medicationCodeableConcept: code }] }))).toEqual(
    LARO,
  );
  const safe = { ...medicine('paracetamol'), text: 'pregabalin' };
  expect(await topicsFor(pair('order-sign', { drafts: [{ ...pregabalin, medicationCodeableConcept: safe }] }))).toEqual(
    [],
  );
});

test('H15, P14: an unidentifiable running medicine is not an all-clear', async () => {
  const hidden = {
    ...methadone,
    medicationCodeableConcept: undefined,
    medicationReference: { reference: 'Medication/gone' },
  };
  expect(await topicsFor(pair('order-sign', { record: [hidden] }))).toEqual(['not-checked']);
});
