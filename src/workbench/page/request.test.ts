import { expect, test } from 'vitest';
import * as edit from './request.ts';
import type { Action, Json, Resource, Service } from './wire.ts';

const draft = (id: string, more: Json = {}): Resource => ({ resourceType: 'MedicationRequest', id, ...more });
const request = (...drafts: Resource[]): Json => ({
  hook: 'order-sign',
  hookInstance: 'one',
  context: {
    patientId: 'kari',
    draftOrders: { resourceType: 'Bundle', type: 'collection', entry: drafts.map((resource) => ({ resource })) },
  },
});
const ids = (value: Json) => edit.draftsOf(value).map(({ id }) => id);

test('drafts are read from a bundle and from a single bare order', () => {
  expect(ids(request(draft('a'), draft('b')))).toEqual(['a', 'b']);
  expect(ids({ context: { draftOrders: draft('alone') } })).toEqual(['alone']);
  expect(ids({ context: {} })).toEqual([]);
  expect(ids({ context: { draftOrders: { resourceType: 'Bundle', entry: ['?', { resource: 7 }] } } })).toEqual([]);
});

test('a draft with a known id replaces the old one, a new one is added, and the original request is unchanged', () => {
  const before = request(draft('a'), draft('b'));
  const changed = edit.withDraft(before, draft('a', { status: 'draft' }));
  expect(edit.draftsOf(changed)).toEqual([draft('a', { status: 'draft' }), draft('b')]);
  expect(ids(edit.withDraft(before, draft('c')))).toEqual(['a', 'b', 'c']);
  expect(ids(before)).toEqual(['a', 'b']);
});

test('a removed draft is also removed from the selections, in every form of reference', () => {
  const selected = edit.atHook(request(draft('a'), draft('b')), 'order-select', [
    'MedicationRequest/a',
    'a',
    'https://fhir.example/MedicationRequest/a',
    'MedicationRequest/b',
  ]);
  const { context } = edit.withoutDraft(selected, 'MedicationRequest/a') as { context: Json };
  expect(context['selections']).toEqual(['MedicationRequest/b']);
});

test('a request moved to another hook gets the context that hook needs', () => {
  const opened: Json = { hook: 'patient-view', context: { patientId: 'kari' } };
  expect(edit.atHook(opened, 'order-sign')).toMatchObject({
    hook: 'order-sign',
    context: { draftOrders: { entry: [] } },
  });
  expect(edit.atHook(request(draft('a')), 'order-select')).toMatchObject({
    context: { selections: ['MedicationRequest/a'] },
  });
  expect(edit.atHook(request(draft('a')), 'patient-view')).not.toHaveProperty('context.selections');
});

test('accepting applies each action to the drafts and reports each change', () => {
  const changed = draft('b', { status: 'draft' });
  const actions: Action[] = [
    { type: 'delete', description: '', resourceId: 'MedicationRequest/a' },
    { type: 'update', description: '', resource: changed },
    { type: 'create', description: '', resource: { resourceType: 'ServiceRequest' } },
  ];
  const { request: after, changes } = edit.accept(request(draft('a'), draft('b')), actions);
  expect(edit.draftsOf(after)).toEqual([changed, { resourceType: 'ServiceRequest', id: 'new-3' }]);
  expect(changes).toEqual([
    { type: 'delete', ref: 'MedicationRequest/a', before: draft('a') },
    { type: 'update', ref: 'MedicationRequest/b', before: draft('b'), after: changed },
    { type: 'create', ref: 'ServiceRequest/new-3', after: { resourceType: 'ServiceRequest', id: 'new-3' } },
  ]);
});

test('the day and the trace option are set beside the other extension fields', () => {
  const own = { ...request(), extension: { 'com.example': 1, [edit.EXTENSION]: { now: '2026-03-02' } } };
  expect(edit.explained(own)['extension']).toEqual({
    'com.example': 1,
    [edit.EXTENSION]: { now: '2026-03-02', explain: true },
  });
  expect(edit.dayOf(edit.onDay(own, '2026-04-01'))).toBe('2026-04-01');
  expect(edit.onDay(own, '')['extension']).toEqual({ 'com.example': 1, [edit.EXTENSION]: {} });
});

const services: Service[] = [
  {
    hook: 'patient-view',
    id: 'x',
    title: '',
    prefetch: { patient: 'Patient/{{context.patientId}}', conditions: 'Condition?patient={{context.patientId}}' },
  },
];

test('a pasted Bundle becomes a patient-view request, with each resource under the key for its type', () => {
  const patient = { resourceType: 'Patient', id: 'kari' };
  const condition = { resourceType: 'Condition', id: 'c' };
  const bundle = { resourceType: 'Bundle', entry: [{ resource: condition }, { resource: patient }] };
  expect(edit.readPasted(JSON.stringify(bundle), services)).toMatchObject({
    hook: 'patient-view',
    context: { patientId: 'kari' },
    prefetch: { patient, conditions: { entry: [{ resource: condition }] } },
  });
});

test.each([
  ['[]', /not a CDS Hooks request/],
  ['7', /not a CDS Hooks request/],
  ['{}', /no "hook"/],
  ['{"resourceType": "Patient"}', /This is a Patient/],
  ['{"resourceType": "Bundle"}', /no Patient/],
  ['{"hook": ', /JSON/],
])('%s is refused with a reason', (text, reason) => {
  expect(() => edit.readPasted(text, services)).toThrow(reason);
});
