import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Hook, hooks } from '../rules/schema.ts';
import { bundle, type Json, order, pair, request } from '../testing/request.ts';
import { callSchemas, readRequest } from './wire.ts';

type Parts = { hook?: Hook; fields?: Json; context?: Json };
/** A call of a hook with other fields, and another context. */
const callWith = ({ hook = 'order-sign', fields = {}, context = {} }: Parts): Json => ({
  ...pair(hook, { context }),
  ...fields,
});
const read = (parts: Parts) => readRequest(callWith(parts), parts.hook ?? 'order-sign');

/** What is wrong with a call: the code of the error, and what it names. */
function problemsOf(body: unknown, hook: Hook = 'order-sign'): string[] {
  try {
    readRequest(body, hook);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    const { code, diagnostics } = error as ServiceError;
    expect(code).toBe('envelope');
    return diagnostics;
  }
}
const named = (body: unknown, hook?: Hook) => problemsOf(body, hook).map((text) => text.split(':')[0]);

describe('T8: a call that lacks something is refused, and what it lacks is named', () => {
  test.each<[what: string, body: unknown, names: string[]]>([
    ['no call', undefined, ['body']],
    ['a text', 'x', ['body']],
    ['nothing in it', {}, ['hook', 'hookInstance', 'context']],
    ['a blank hook', callWith({ fields: { hook: ' ' } }), ['hook']],
    ['a blank hookInstance', callWith({ fields: { hookInstance: ' ' } }), ['hookInstance']],
    ['a server that is no text', callWith({ fields: { fhirServer: 7 } }), ['fhirServer']],
    ['an authorization that is none', callWith({ fields: { fhirAuthorization: 'x' } }), ['fhirAuthorization']],
    ['a prefetch that is none', callWith({ fields: { prefetch: 'x' } }), ['prefetch']],
    ['an extension that is none', callWith({ fields: { extension: 7 } }), ['extension']],
    ['a context that is none', callWith({ fields: { context: 'x' } }), ['context']],
    ['no patient', callWith({ context: { patientId: undefined } }), ['context.patientId']],
    ['an empty patient', callWith({ context: { patientId: '' } }), ['context.patientId']],
    ['a patient by number', callWith({ context: { patientId: 7 } }), ['context.patientId']],
    ['an encounter by number', callWith({ context: { encounterId: 7 } }), ['context.encounterId']],
    ['no orders', callWith({ context: { draftOrders: undefined } }), ['context.draftOrders']],
    [
      'two at once',
      callWith({ context: { patientId: 'a b', encounterId: 'a b' } }),
      ['context.patientId', 'context.encounterId'],
    ],
  ])('%s', (_, body, names) => {
    expect(named(body)).toEqual(names);
  });

  test('in words', () => {
    expect(problemsOf(callWith({ fields: { hook: 'order-select' } }))).toEqual([
      'hook: this service answers order-sign',
    ]);
    expect(problemsOf(callWith({ context: { patientId: 'a b' } }))).toEqual(['context.patientId: must be a FHIR id']);
    expect(problemsOf(callWith({ context: { encounterId: 'a b' } }))).toEqual([
      'context.encounterId: must be a FHIR id',
    ]);
    expect(problemsOf(callWith({ context: { draftOrders: 'x' } }))).toEqual([
      'context.draftOrders: must be a FHIR Bundle',
    ]);
    expect(problemsOf(callWith({ context: { draftOrders: {} } }))).toEqual([
      'context.draftOrders: must be a FHIR Bundle of orders',
    ]);
  });

  test('R7: an authorization needs a server', () => {
    const authorized = (more: Json) => problemsOf(callWith({ fields: { fhirAuthorization: {}, ...more } }));
    expect(authorized({})).toEqual(['fhirServer: required with fhirAuthorization']);
    expect(authorized({ fhirServer: null })).toEqual(['fhirServer: required with fhirAuthorization']);
    expect(authorized({ fhirServer: 'https://fhir.example' })).toEqual([]);
    expect(authorized({ fhirAuthorization: null })).toEqual([]);
  });
});

describe('FS1, H2: what an id is', () => {
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
      expect(named(callWith({ context: { patientId: written } }))).toEqual(['context.patientId']);
      expect(named(callWith({ context: { encounterId: written } }))).toEqual(['context.encounterId']);
    } else {
      expect(read({ context: { patientId: written } }).call.patientId).toBe(id);
      expect(read({ context: { encounterId: written } }).call.encounterId).toBe(id);
    }
  });

  test.each([[undefined], [null], [''], [' ']])('an encounter may be %j, and a patient may not', (written) => {
    expect(read({ context: { encounterId: written } }).call.encounterId).toBeUndefined();
    expect(named(callWith({ context: { patientId: written } }))).toEqual(['context.patientId']);
  });
});

describe('H9, H12: what stands for the orders', () => {
  const of = (resourceType: string): Json => ({ ...order('x', 'pregabalin'), resourceType });
  test.each<[what: string, draftOrders: unknown, read: boolean]>([
    ['a Bundle', bundle([]), true],
    ['a Bundle without a type of its own', { entry: [] }, true],
    ['MedicationRequest', of('MedicationRequest'), true],
    ['NutritionOrder', of('NutritionOrder'), true],
    ['VisionPrescription', of('VisionPrescription'), true],
    ['RequestGroup', of('RequestGroup'), true],
    ['RequestOrchestration', of('RequestOrchestration'), true],
    ['Patient', of('Patient'), false],
    ['List', of('List'), false],
    ['OrderResponse', of('OrderResponse'), false],
    ['nothing', {}, false],
    ['a Bundle of no resources', { resourceType: 'Bundle', entry: [7] }, false],
    ['a Bundle of some', { resourceType: 'Bundle', entry: [7, { resource: of('MedicationRequest') }] }, true],
  ])('%s', (_, draftOrders, isRead) => {
    expect(named(callWith({ context: { draftOrders } }))).toEqual(isRead ? [] : ['context.draftOrders']);
    if (isRead) expect(read({ context: { draftOrders } }).call.draftOrders).toEqual(draftOrders);
  });
});

describe('H4, H5: what is selected', () => {
  const select = (context: Json) => ({ hook: 'order-select' as const, context });
  test.each<[what: string, context: Json, selections: string[]]>([
    ['a list', { selections: ['a', 'b'] }, ['a', 'b']],
    ['nothing', { selections: [] }, []],
    ['what is no text is none', { selections: ['a', null, 7, {}, 'b'] }, ['a', 'b']],
    ['one under the singular name', { selections: undefined, selection: 'a' }, ['a']],
    ['both names: the list', { selections: ['b'], selection: 'a' }, ['b']],
  ])('%s', (_, context, selections) => {
    const cleaned = JSON.parse(JSON.stringify(callWith(select(context))));
    expect(readRequest(cleaned, 'order-select').call.selections).toEqual(selections);
  });

  test.each<[what: string, context: Json]>([
    ['no list', { selections: 'a' }],
    ['none at all', { selections: undefined }],
    ['one that is no text', { selections: undefined, selection: 7 }],
  ])('%s is refused', (_, context) => {
    const cleaned = JSON.parse(JSON.stringify(callWith(select(context))));
    expect(named(cleaned, 'order-select')).toEqual(['context.selections']);
  });

  test('as many as there may be drafts, and not one more', () => {
    const many = (count: number) => callWith(select({ selections: Array(count).fill('a') }));
    expect(problemsOf(many(limits.drafts), 'order-select')).toEqual([]);
    expect(problemsOf(many(limits.drafts + 1), 'order-select')).toEqual([
      `context.selections: at most ${limits.drafts}`,
    ]);
  });
});

describe('what is read of a call', () => {
  test('all of it', () => {
    const body = callWith({ fields: { hookInstance: 'call-1' } });
    const { call, ...rest } = readRequest(body, 'order-sign');
    const { prefetch, ...others } = call;
    expect(rest).toEqual({
      hookInstance: 'call-1',
      options: { explain: false, now: undefined, keepForRepeats: false, leaveOutRepeats: false },
    });
    expect(others).toEqual({
      hook: 'order-sign',
      patientId: 'kari',
      encounterId: 'visit',
      draftOrders: (body['context'] as Json)['draftOrders'],
      selections: [],
    });
    expect([prefetch.values, prefetch.standing]).toEqual([body['prefetch'], 'known']);
    expect(prefetch.section('medications').resources).toHaveLength(1);
  });

  test('with the chart open there are no orders and no selections', () => {
    const { call } = readRequest(
      request('patient-view', { context: { draftOrders: 'x', selections: 7 } }),
      'patient-view',
    );
    expect([call.draftOrders, call.selections]).toEqual([undefined, []]);
  });

  test('a record of another patient is seen by the id as it is read', () => {
    expect(read({ context: { patientId: 'Patient/liv' } }).call.prefetch.standing).toBe('not-known');
  });

  const OURS = 'org.nordic-opioid-cds';
  const PDDI = 'pddi-configuration-items';
  const none = { explain: false, now: undefined, keepForRepeats: false, leaveOutRepeats: false };
  test.each<[extension: unknown, options: object]>([
    [undefined, none],
    [null, none],
    [{}, none],
    [{ [OURS]: null, [PDDI]: 'x' }, none],
    [{ [OURS]: { explain: true } }, { ...none, explain: true }],
    [{ [OURS]: { explain: 'true' } }, none],
    [{ [OURS]: { now: '2026-01-01' } }, { ...none, now: '2026-01-01' }],
    [{ [OURS]: { now: 7 } }, none],
    [{ [PDDI]: { 'cache-for-order-sign-filtering': true } }, { ...none, keepForRepeats: true }],
    [{ [PDDI]: { 'filter-out-repeated-alerts': true } }, { ...none, leaveOutRepeats: true }],
    [{ [PDDI]: { 'cache-for-order-sign-filtering': 'true', 'filter-out-repeated-alerts': 1 } }, none],
    [{ [PDDI]: { explain: true }, [OURS]: { 'filter-out-repeated-alerts': true } }, none],
  ])('the options in %j', (extension, options) => {
    expect(read({ fields: { extension } }).options).toEqual(options);
  });
});

describe('what the API description says of a call', () => {
  type Schema = { description?: string; properties?: Record<string, Schema>; [key: string]: unknown };
  const described = (hook: Hook) => z.toJSONSchema(callSchemas[hook], { io: 'input' }) as Schema;

  test.each(hooks)('%s: every field is described, and the hook is its own', (hook) => {
    const { properties = {} } = described(hook);
    const { context, ...others } = properties;
    expect(properties['hook']?.['const']).toBe(hook);
    for (const [name, schema] of Object.entries({ ...others, ...context?.properties }))
      expect(schema.description, name).toMatch(/\w/);
    const fields: Record<Hook, string[]> = {
      'patient-view': [],
      'order-select': ['draftOrders', 'selections'],
      'order-sign': ['draftOrders'],
    };
    expect(Object.keys(context?.properties ?? {})).toEqual(['patientId', 'encounterId', ...fields[hook]]);
    expect(Object.keys(others).sort()).toEqual(
      ['hook', 'hookInstance', 'fhirServer', 'fhirAuthorization', 'prefetch', 'extension'].sort(),
    );
  });

  test('R7: the server is required with an authorization that is one', () => {
    expect(described('order-sign')).toMatchObject({
      if: { required: ['fhirAuthorization'], properties: { fhirAuthorization: { type: 'object' } } },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
      then: { required: ['fhirServer'], properties: { fhirServer: { type: 'string' } } },
    });
  });

  test('as many selections as there may be drafts', () => {
    expect(described('order-select').properties?.['context']?.properties?.['selections']?.['maxItems']).toBe(
      limits.drafts,
    );
  });
});
