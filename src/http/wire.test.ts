import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { type Json, request } from '../testing/request.ts';
import { callWith, namedOf, problemsOf, readCall } from '../testing/wire.ts';
import { readRequest } from './wire.ts';

describe('T8: an incomplete call is refused, naming what is missing', () => {
  test.each<[what: string, body: unknown, names: string[]]>([
    ['no call', undefined, ['body']],
    ['a string', 'x', ['body']],
    ['an empty object', {}, ['hook', 'hookInstance', 'context']],
    ['a blank hook', callWith({ fields: { hook: ' ' } }), ['hook']],
    ['a blank hookInstance', callWith({ fields: { hookInstance: ' ' } }), ['hookInstance']],
    ['a server that is not a string', callWith({ fields: { fhirServer: 7 } }), ['fhirServer']],
    ['an authorization that is not an object', callWith({ fields: { fhirAuthorization: 'x' } }), ['fhirAuthorization']],
    ['a prefetch that is not an object', callWith({ fields: { prefetch: 'x' } }), ['prefetch']],
    ['an extension that is not an object', callWith({ fields: { extension: 7 } }), ['extension']],
    ['a context that is not an object', callWith({ fields: { context: 'x' } }), ['context']],
    ['no patient', callWith({ context: { patientId: undefined } }), ['context.patientId']],
    ['an empty patient', callWith({ context: { patientId: '' } }), ['context.patientId']],
    ['a patient as a number', callWith({ context: { patientId: 7 } }), ['context.patientId']],
    ['an encounter as a number', callWith({ context: { encounterId: 7 } }), ['context.encounterId']],
    ['no orders', callWith({ context: { draftOrders: undefined } }), ['context.draftOrders']],
    [
      'two problems at once',
      callWith({ context: { patientId: 'a b', encounterId: 'a b' } }),
      ['context.patientId', 'context.encounterId'],
    ],
  ])('%s', (_, body, names) => {
    expect(namedOf(body)).toEqual(names);
  });

  test('the problems are described in words', () => {
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

  test('R7: an authorization requires a server', () => {
    const authorized = (more: Json) => problemsOf(callWith({ fields: { fhirAuthorization: {}, ...more } }));
    expect(authorized({})).toEqual(['fhirServer: required with fhirAuthorization']);
    expect(authorized({ fhirServer: null })).toEqual(['fhirServer: required with fhirAuthorization']);
    expect(authorized({ fhirServer: 'https://fhir.example' })).toEqual([]);
    expect(authorized({ fhirAuthorization: null })).toEqual([]);
  });
});

describe('how a call is read', () => {
  test('every field is read', () => {
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

  // An order-sign call with `selections: null` was answered by 500.
  test.each<[what: string, value: unknown]>([
    ['null', null],
    ['a number', 7],
    ['a text', 'x'],
    ['an object', {}],
    ['a list', ['a']],
    ['an oversized list', Array(limits.drafts + 1).fill('a')],
  ])('T12: fields of another hook are ignored, even %s', (_, value) => {
    expect(readCall({ context: { selections: value } }).call.selections).toEqual([]);
    const open = request('patient-view', { context: { draftOrders: value, selections: value } });
    const { call } = readRequest(open, 'patient-view');
    expect([call.draftOrders, call.selections]).toEqual([undefined, []]);
  });

  test('a record of another patient is detected by the normalised id', () => {
    expect(readCall({ context: { patientId: 'Patient/liv' } }).call.prefetch.standing).toBe('not-known');
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
    expect(readCall({ fields: { extension } }).options).toEqual(options);
  });
});
