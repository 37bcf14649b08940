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

/** `a,b` are the ids of what was read, `(m)` of what was included; `failed` and `next` as they are. */
function read(value: unknown): string {
  const { entries, failed, hasNextPage } = readBundle(value);
  const ids = entries.map(({ resource, include: extra }) => (extra ? `(${resource['id']})` : `${resource['id']}`));
  return [ids.join(), failed ? 'failed' : '', hasNextPage ? 'next' : ''].filter((part) => part !== '').join(' ');
}

describe('what is read of a Bundle', () => {
  test.each<[what: string, value: unknown, read: string]>([
    ['of any type', bundle([match('a')], { type: 'collection' }), 'a'],
    ['of no type', bundle([match('a')], { type: undefined }), 'a'],
    ['without resourceType but with entries', { entry: [match('a')] }, 'a'],
    ['without resourceType, and entries that are no list', { entry: match('a') }, 'failed'],
    ['without entries', bundle(undefined), ''],
    ['entries null', bundle(null), ''],
    ['one entry in place of a list', bundle(match('a')), 'a'],
    ['a text in place of entries', bundle('x'), 'failed'],
    ['a number in place of an entry', bundle([match('a'), 7]), 'a failed'],
    ['an entry without a resource', bundle([match('a'), { fullUrl: 'urn:uuid:x' }]), 'a failed'],
    ['a resource without a type', bundle([{ resource: { id: 'a' } }]), 'failed'],
    ['a resource whose type is empty', bundle([{ resource: { resourceType: '', id: 'a' } }]), 'failed'],
    ['what is included, apart', bundle([match('a'), include]), 'a,(m)'],
    ['search mode outcome is no include', bundle([{ ...include, search: { mode: 'outcome' } }]), 'm'],
    ['a bare resource', order('a'), 'a'],
    ['the wrapper of before 1.0', { response: { status: '200 OK' }, resource: bundle([match('a')]) }, 'a'],
    ['a wrapper of a bare resource', { resource: order('a') }, 'a'],
    ['a resource with an element named resource is no wrapper', { ...order('a'), resource: order('b') }, 'a'],
    ['an OperationOutcome', outcome('information'), 'failed'],
    ['an object that is nothing of FHIR', { a: 1 }, 'failed'],
    ['a list', [order('a')], 'failed'],
    ['a text', 'Bundle', 'failed'],
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
    ['as many as there are', { total: 2 }, [match('a'), match('b')], 'a,b'],
    ['one more than there are', { total: 3 }, [match('a'), match('b')], 'a,b next'],
    ['fewer than there are', { total: 1 }, [match('a'), match('b')], 'a,b'],
    ['what is included counts for nothing: one is lacking', { total: 2 }, [match('a'), include], 'a,(m) next'],
    ['what is included counts for nothing: all are here', { total: 1 }, [match('a'), include], 'a,(m)'],
    ['of none, where some are said', { total: 1 }, [], 'next'],
    ['a text is no total', { total: '3' }, [match('a')], 'a'],
    ['beside a failure that says more', { total: 3 }, [match('a'), { resource: outcome('error') }], 'a failed'],
  ])('P7: total: %s', (_, more, entry, expected) => {
    expect(read(bundle(entry, more))).toBe(expected);
  });

  test.each<[what: string, link: Json, read: string]>([
    ['next', [{ relation: 'next', url: 'https://fhir.example/next' }], 'a next'],
    ['next among others', [{ relation: 'self' }, { relation: 'next' }], 'a next'],
    ['self', [{ relation: 'self', url: 'https://fhir.example/self' }], 'a'],
    ['previous', [{ relation: 'previous', url: 'https://fhir.example/previous' }], 'a'],
    ['one object in place of a list', { relation: 'next' }, 'a next'],
  ])('P7: a link: %s', (_, link, expected) => {
    expect(read(bundle([match('a')], { link }))).toBe(expected);
  });

  test('the address of an entry is kept, one that is no text is none', () => {
    const entries = [{ fullUrl: 'urn:uuid:a', resource: order('a') }, { fullUrl: 7, resource: order('b') }, match('c')];
    expect(readBundle(bundle(entries)).entries.map(({ fullUrl }) => fullUrl)).toEqual([
      'urn:uuid:a',
      undefined,
      undefined,
    ]);
    expect(readBundle(order('a')).entries).toEqual([{ resource: order('a'), fullUrl: undefined, include: false }]);
  });
});
