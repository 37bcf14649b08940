import { describe, expect, test } from 'vitest';
import { readBundle } from './bundle.ts';
import type { Json, JsonObject } from './json.ts';

const order = (id: string): JsonObject => ({ resourceType: 'MedicationRequest', id });
const medication: JsonObject = { resourceType: 'Medication', id: 'm' };
const match = (id: string): JsonObject => ({ resource: order(id), search: { mode: 'match' } });
const include: JsonObject = { resource: medication, search: { mode: 'include' } };
const outcome = (...severities: string[]): JsonObject => ({
  resourceType: 'OperationOutcome',
  issue: severities.map((severity) => ({ severity, code: 'exception' })),
});
const bundle = (entry: Json | undefined, more: JsonObject = {}): JsonObject => ({
  resourceType: 'Bundle',
  type: 'searchset',
  ...(entry !== undefined && { entry }),
  ...more,
});

/** `a,b` are the ids of entries that matched, `(m)` of included ones; `failed` and `next` as they are. */
function read(value: unknown): string {
  const { entries, failed, hasNextPage } = readBundle(value);
  const ids = entries.map(({ resource, include: extra }) => (extra ? `(${resource['id']})` : `${resource['id']}`));
  return [ids.join(), failed ? 'failed' : '', hasNextPage ? 'next' : ''].filter((part) => part !== '').join(' ');
}

describe('what is read from a Bundle', () => {
  test.each<[what: string, value: unknown, read: string]>([
    ['of any type', bundle([match('a')], { type: 'collection' }), 'a'],
    ['without a type', bundle([match('a')], { type: undefined }), 'a'],
    ['without resourceType but with entries', { entry: [match('a')] }, 'a'],
    ['without resourceType, and with entries that are not a list', { entry: match('a') }, 'failed'],
    ['without entries', bundle(undefined), ''],
    ['entries null', bundle(null), ''],
    ['a single entry instead of a list', bundle(match('a')), 'a'],
    ['a string instead of entries', bundle('x'), 'failed'],
    ['a number instead of an entry', bundle([match('a'), 7]), 'a failed'],
    ['an entry without a resource', bundle([match('a'), { fullUrl: 'urn:uuid:x' }]), 'a failed'],
    ['a resource without a type', bundle([{ resource: { id: 'a' } }]), 'failed'],
    ['a resource whose type is empty', bundle([{ resource: { resourceType: '', id: 'a' } }]), 'failed'],
    ['included resources are kept apart', bundle([match('a'), include]), 'a,(m)'],
    ['search mode outcome is not an include', bundle([{ ...include, search: { mode: 'outcome' } }]), 'm'],
    ['a bare resource', order('a'), 'a'],
    ['the pre-1.0 wrapper', { response: { status: '200 OK' }, resource: bundle([match('a')]) }, 'a'],
    ['a pre-1.0 wrapper of a bare resource', { resource: order('a') }, 'a'],
    ['a resource with an element named resource is not a wrapper', { ...order('a'), resource: order('b') }, 'a'],
    ['an OperationOutcome', outcome('information'), 'failed'],
    ['an object that is not FHIR', { a: 1 }, 'failed'],
    ['a list', [order('a')], 'failed'],
    ['a string', 'Bundle', 'failed'],
    ['null', null, 'failed'],
    ['undefined', undefined, 'failed'],
  ])('%s', (_, value, expected) => {
    expect(read(value)).toBe(expected);
  });

  test.each<[severity: string[], read: string]>([
    [['fatal'], 'a failed'],
    [['error'], 'a failed'],
    [['warning'], 'a'],
    [['information'], 'a'],
    [['success'], 'a'],
    [[], 'a'],
    [['warning', 'fatal'], 'a failed'],
  ])('P6: an OperationOutcome among the entries, of severity %j', (severities, expected) => {
    expect(read(bundle([match('a'), { resource: outcome(...severities) }]))).toBe(expected);
  });

  test.each<[what: string, more: JsonObject, entry: Json, read: string]>([
    ['equal to the entries', { total: 2 }, [match('a'), match('b')], 'a,b'],
    ['one more than the entries', { total: 3 }, [match('a'), match('b')], 'a,b next'],
    ['fewer than the entries', { total: 1 }, [match('a'), match('b')], 'a,b'],
    ['included resources do not count: one is missing', { total: 2 }, [match('a'), include], 'a,(m) next'],
    ['included resources do not count: all are there', { total: 1 }, [match('a'), include], 'a,(m)'],
    ['a total without entries', { total: 1 }, [], 'next'],
    ['a string is not a total', { total: '3' }, [match('a')], 'a'],
    ['beside an error, which tells more', { total: 3 }, [match('a'), { resource: outcome('error') }], 'a failed'],
  ])('P7: total: %s', (_, more, entry, expected) => {
    expect(read(bundle(entry, more))).toBe(expected);
  });

  test.each<[what: string, link: Json, read: string]>([
    ['next', [{ relation: 'next', url: 'https://fhir.example/next' }], 'a next'],
    ['next among others', [{ relation: 'self' }, { relation: 'next' }], 'a next'],
    ['self', [{ relation: 'self', url: 'https://fhir.example/self' }], 'a'],
    ['previous', [{ relation: 'previous', url: 'https://fhir.example/previous' }], 'a'],
    ['one object instead of a list', { relation: 'next' }, 'a next'],
  ])('P7: a link: %s', (_, link, expected) => {
    expect(read(bundle([match('a')], { link }))).toBe(expected);
  });

  test('the fullUrl of an entry is kept if it is a string', () => {
    const entries = [{ fullUrl: 'urn:uuid:a', resource: order('a') }, { fullUrl: 7, resource: order('b') }, match('c')];
    expect(readBundle(bundle(entries)).entries.map(({ fullUrl }) => fullUrl)).toEqual([
      'urn:uuid:a',
      undefined,
      undefined,
    ]);
    expect(readBundle(order('a')).entries).toEqual([{ resource: order('a'), fullUrl: undefined, include: false }]);
  });
});
