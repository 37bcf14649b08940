import { afterAll, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import {
  bundle,
  dosageUntil,
  encounter,
  type Json,
  medicine,
  order,
  pair,
  prescription,
  request,
} from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

const pregabalin = order('pregabalin-1', 'pregabalin');
const methadone = prescription('methadone-1', 'methadone');
const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };

/** The answer if `medications` holds this: the topics of the cards, or the status. */
async function withMedications(medications: unknown, drafts: Json[] = [pregabalin]) {
  return answerTo(request('order-sign', { drafts, prefetch: { medications } }));
}

async function answerTo(body: Json): Promise<string[] | number> {
  const response = await service.call(body);
  if (response.status !== 200) return response.status;
  return response.body.cards.map((card: { source: { topic: { code: string } } }) => card.source.topic.code);
}

test('P2, P3, S3: without the key, silence cannot be claimed: 412', async () => {
  expect(await withMedications(undefined)).toBe(412);
});

test('P4: null means that the client searched and found nothing', async () => {
  expect(await withMedications(null)).toEqual([]);
});

test.each([
  ['entry: []', { resourceType: 'Bundle', type: 'searchset', entry: [] }],
  ['no entry', { resourceType: 'Bundle', type: 'searchset' }],
  ['total: 0', { resourceType: 'Bundle', type: 'searchset', total: 0 }],
])('P5: an empty Bundle with %s is the same as null', async (_, medications) => {
  expect(await withMedications(medications)).toEqual([]);
});

test('P6: an OperationOutcome is not data', async () => {
  expect(await withMedications(outcome)).toBe(412);
  expect(await withMedications(bundle([outcome], 'searchset'))).toBe(412);
  const entry = [{ resource: outcome, search: { mode: 'outcome' } }];
  expect(await withMedications({ resourceType: 'Bundle', entry })).toBe(412);
});

test('P6: beside an OperationOutcome a finding still counts, but nothing can be ruled out', async () => {
  expect(await withMedications(bundle([methadone, outcome], 'searchset'))).toContain('laro-sedative-ordered');
  expect(await withMedications(bundle([prescription('a', 'atorvastatin'), outcome], 'searchset'))).toBe(412);
});

test('P6: a remark of the server among the matches is not a failure', async () => {
  const remark = { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational' }] };
  expect(await withMedications(bundle([prescription('a', 'atorvastatin'), remark], 'searchset'))).toEqual([]);
});

test('P7: with more pages a finding counts, but silence cannot be claimed', async () => {
  const page = (...resources: Json[]) => ({
    ...bundle(resources, 'searchset'),
    link: [{ relation: 'next', url: 'https://fhir.example/r4?page=2' }],
  });
  expect(await withMedications(page(methadone))).toContain('laro-sedative-ordered');
  expect(await withMedications(page(prescription('a', 'atorvastatin')))).toBe(412);
  expect(await withMedications(page())).toBe(412);
  const last = { ...bundle([], 'searchset'), link: [{ relation: 'self', url: 'https://fhir.example/r4' }] };
  expect(await withMedications(last)).toEqual([]);
});

test('P8: included resources are looked up and do not count as matches', async () => {
  const { medicationCodeableConcept: code, ...rest } = methadone;
  const byReference = { ...rest, medicationReference: { reference: 'Medication/m' } };
  const medication = { resourceType: 'Medication', id: 'm', code };
  const search = { mode: 'include' };
  const entry = [{ resource: byReference }, { resource: medication, search }];
  expect(await withMedications({ resourceType: 'Bundle', entry })).toEqual(['laro-sedative-ordered']);
  const foreign = [{ resource: prescription('a', 'atorvastatin') }, { resource: methadone, search }];
  expect(await withMedications({ resourceType: 'Bundle', entry: foreign })).toEqual([]);
});

test('P9, P10, P11: a bare resource, a pre-1.0 wrapper and any type of Bundle are read alike', async () => {
  const laro = ['laro-sedative-ordered'];
  expect(await withMedications(methadone)).toEqual(laro);
  expect(await withMedications({ response: { status: '200 OK' }, resource: bundle([methadone], 'searchset') })).toEqual(
    laro,
  );
  for (const type of ['searchset', 'collection', 'batch-response', undefined])
    expect(await withMedications({ ...bundle([methadone]), type })).toEqual(laro);
});

test.each([['<html>502 Bad Gateway</html>'], [[]], [[methadone]], [7], [true], [{}], [{ resourceType: '' }]])(
  'P12, R10: %j under a key is the client’s failure, not ours',
  async (garbage) => {
    expect(await withMedications(garbage)).toBe(412);
  },
);

test('P13: another type of resource under the key is not data', async () => {
  expect(await withMedications(bundle([{ ...methadone, resourceType: 'Observation' }]))).toBe(412);
  expect(await withMedications(encounter('AMB'))).toBe(412);
});

test('P13: another patient’s opioid is not a finding', async () => {
  const foreign = { ...methadone, subject: { reference: 'Patient/ola' } };
  expect(await withMedications(bundle([foreign, prescription('a', 'atorvastatin')]))).not.toContain(
    'laro-sedative-ordered',
  );
});

test('P14: a pair among the drafts is reported without any prefetch, together with what could not be checked', async () => {
  const drafts = [pregabalin, order('methadone-2', 'methadone')];
  const body = { ...request('order-sign', { drafts }), prefetch: undefined };
  const topics = await answerTo(body);
  expect(topics).toContain('laro-sedative-ordered');
  expect(topics).toContain('not-checked');
});

test('P14: an irrelevant draft needs no medication list', async () => {
  expect(await withMedications(undefined, [order('p', 'paracetamol')])).toEqual([]);
});

test('P15: keys that were not requested have no effect', async () => {
  const body = request('order-sign', {
    drafts: [pregabalin],
    prefetch: { medicationRequests: bundle([methadone]), item1: null },
  });
  expect(await answerTo(body)).toEqual([]);
});

test.each(['entered-in-error', 'cancelled', 'draft'])('P16: a prescription that is %s never counts', async (status) => {
  expect(await withMedications(bundle([{ ...methadone, status }]))).toEqual([]);
});

const until = (end: string) => ({ authoredOn: '2025-12-01', dosageInstruction: [dosageUntil(end)] });

// Agonist treatment is presumed for 14 days after a known end (recommendations.md, 1.3).
test.each([
  ['completed', { status: 'completed', ...until('2026-02-15') }],
  ['over', until('2026-02-15')],
])('P16: a prescription that is %s is not current', async (_, more) => {
  // If recent, it is still a sign of dependence.
  expect(await withMedications(bundle([{ ...methadone, ...more }]))).toEqual(['dependence-sedative']);
  const record = [{ ...methadone, ...more }, prescription('p', 'pregabalin')];
  expect(await answerTo(request('patient-view', { record }))).toEqual([]);
});

test.each([
  ['over for two weeks', until('2026-02-16')],
  ['stopped at an unknown time', { status: 'stopped' }],
  ['on hold', { status: 'on-hold' }],
  ['to begin in a week', { dosageInstruction: [dosageUntil('2026-06-01', '2026-03-09')] }],
])('P16: a prescription that is %s may share a day with the order', async (_, more) => {
  expect(await withMedications(bundle([{ ...methadone, ...more }]))).toEqual(['laro-sedative-ordered']);
});

test.each([['proposal'], ['plan']])('P16: a %s is not an order', async (intent) => {
  expect(await withMedications(bundle([{ ...methadone, intent }]))).toEqual([]);
});

test('P16: an order not to give a medicine is not an order to give it', async () => {
  expect(await withMedications(bundle([{ ...methadone, doNotPerform: true }]))).toEqual([]);
});

test('P4, P5: a patient and an encounter unknown to the client silence nothing', async () => {
  expect(await answerTo(pair('order-sign', { prefetch: { patient: null, encounter: null } }))).toEqual([
    'laro-sedative-ordered',
  ]);
  expect(await answerTo(pair('order-sign', { prefetch: { patient: undefined, encounter: undefined } }))).toContain(
    'laro-sedative-ordered',
  );
});

test('P8: a Medication is found by its fullUrl in the Bundle', async () => {
  const { medicationCodeableConcept: _, ...rest } = methadone;
  const fullUrl = 'urn:uuid:5f0e1d2c-aaaa-4bbb-8ccc-ddddeeeeffff';
  const entry = [
    { resource: { ...rest, medicationReference: { reference: fullUrl } } },
    { fullUrl, resource: { resourceType: 'Medication', code: medicine('methadone') }, search: { mode: 'include' } },
  ];
  expect(await withMedications({ resourceType: 'Bundle', entry })).toEqual(['laro-sedative-ordered']);
});
