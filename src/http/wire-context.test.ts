import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { examples } from '../testing/examples.ts';
import { bundle, type Json, order } from '../testing/request.ts';
import { callWith, namedOf, problemsOf, readCall } from '../testing/wire.ts';
import { readRequest } from './wire.ts';

describe('FS1, H2: what counts as an id', () => {
  const LONGEST = 'k'.repeat(64);
  test.each<[written: string, id: string | undefined]>([
    ['kari', 'kari'],
    [' kari\n', 'kari'],
    ['Patient/kari', 'kari'],
    [' Patient/kari ', 'kari'],
    ['https://fhir.example/r4/Patient/kari', 'kari'],
    ['Patient/kari/_history/3', 'kari'],
    ['urn:uuid:0d1c2b3a-1111-4222-8333-444455556666', '0d1c2b3a-1111-4222-8333-444455556666'],
    ['#kari', 'kari'],
    ['A.b-9', 'A.b-9'],
    [LONGEST, LONGEST],
    [`${LONGEST}k`, undefined],
    ['kari/', undefined],
    ['ka ri', undefined],
    ['kari\nx y', undefined],
    ['k_ri', undefined],
    ['kari?x', undefined],
    ['kari/_historyx', undefined],
  ])('%j', (written, id) => {
    if (id === undefined) {
      expect(namedOf(callWith({ context: { patientId: written } }))).toEqual(['context.patientId']);
      expect(namedOf(callWith({ context: { encounterId: written } }))).toEqual(['context.encounterId']);
    } else {
      expect(readCall({ context: { patientId: written } }).call.patientId).toBe(id);
      expect(readCall({ context: { encounterId: written } }).call.encounterId).toBe(id);
    }
  });

  test.each([[undefined], [null], [''], [' ']])('an encounter may be %j, but a patient may not', (written) => {
    expect(readCall({ context: { encounterId: written } }).call.encounterId).toBeUndefined();
    expect(namedOf(callWith({ context: { patientId: written } }))).toEqual(['context.patientId']);
  });
});

describe('H9, H12: what counts as the orders', () => {
  const of = (resourceType: string): Json => ({ ...order('x', examples.gabapentinoid), resourceType });
  test.each<[what: string, draftOrders: unknown, read: boolean]>([
    ['a Bundle', bundle([]), true],
    ['a Bundle without its resourceType', { entry: [] }, true],
    ['MedicationRequest', of('MedicationRequest'), true],
    ['NutritionOrder', of('NutritionOrder'), true],
    ['VisionPrescription', of('VisionPrescription'), true],
    ['RequestGroup', of('RequestGroup'), true],
    ['RequestOrchestration', of('RequestOrchestration'), true],
    ['Patient', of('Patient'), false],
    ['List', of('List'), false],
    ['OrderResponse', of('OrderResponse'), false],
    ['nothing', {}, false],
    ['a Bundle without resources', { resourceType: 'Bundle', entry: [7] }, false],
    [
      'a Bundle of mixed resources',
      { resourceType: 'Bundle', entry: [7, { resource: of('MedicationRequest') }] },
      true,
    ],
  ])('%s', (_, draftOrders, isRead) => {
    expect(namedOf(callWith({ context: { draftOrders } }))).toEqual(isRead ? [] : ['context.draftOrders']);
    if (isRead) expect(readCall({ context: { draftOrders } }).call.draftOrders).toEqual(draftOrders);
  });
});

describe('H4, H5: how selections are read', () => {
  const select = (context: Json) => ({ hook: 'order-select' as const, context });
  test.each<[what: string, context: Json, selections: string[]]>([
    ['a list', { selections: ['a', 'b'] }, ['a', 'b']],
    ['nothing', { selections: [] }, []],
    ['a value that is not a string is ignored', { selections: ['a', null, 7, {}, 'b'] }, ['a', 'b']],
    ['one under the singular name', { selections: undefined, selection: 'a' }, ['a']],
    ['the list, if both names are used', { selections: ['b'], selection: 'a' }, ['b']],
  ])('%s', (_, context, selections) => {
    const cleaned = JSON.parse(JSON.stringify(callWith(select(context))));
    expect(readRequest(cleaned, 'order-select').call.selections).toEqual(selections);
  });

  test.each<[what: string, context: Json]>([
    ['a value that is not a list', { selections: 'a' }],
    ['no selections', { selections: undefined }],
    ['a selection that is not a string', { selections: undefined, selection: 7 }],
  ])('%s is refused', (_, context) => {
    const cleaned = JSON.parse(JSON.stringify(callWith(select(context))));
    expect(namedOf(cleaned, 'order-select')).toEqual(['context.selections']);
  });

  test('as many selections as drafts are allowed, and not one more', () => {
    const many = (count: number) => callWith(select({ selections: Array(count).fill('a') }));
    expect(problemsOf(many(limits.drafts), 'order-select')).toEqual([]);
    expect(problemsOf(many(limits.drafts + 1), 'order-select')).toEqual([
      `context.selections: at most ${limits.drafts}`,
    ]);
  });
});
