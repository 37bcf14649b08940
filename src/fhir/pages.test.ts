import { expect, test } from 'vitest';
import type { Json, JsonObject } from './json.ts';
import { asBundle, bundleIn, entriesOf, localPart, nextOf, pageAddress, pagesAhead } from './pages.ts';

const server = { base: 'https://fhir.example/r4', aliases: ['http://inner:8080/fhir'] };

test.each<[next: string, address: ReturnType<typeof pageAddress>]>([
  ['https://fhir.example/r4?page=2', 'https://fhir.example/r4?page=2'],
  ['https://fhir.example/other', 'https://fhir.example/other'],
  ['?page=2', 'https://fhir.example/r4/?page=2'],
  ['Patient?page=2', 'https://fhir.example/r4/Patient?page=2'],
  ['http://inner:8080/fhir?page=2', 'https://fhir.example/r4?page=2'],
  ['http://inner:8080/fhir/Patient?page=2', 'https://fhir.example/r4/Patient?page=2'],
  ['http://inner:8080/fhir#x', 'https://fhir.example/r4#x'],
  ['http://inner:8080/fhir', 'https://fhir.example/r4'],
  ['http://inner:8080/fhirs/Patient', { elsewhere: 'inner:8080' }],
  ['http://inner:8080/x/fhir/Patient', { elsewhere: 'inner:8080' }],
  ['https://other.example/r4?page=2', { elsewhere: 'other.example' }],
  ['http://fhir.example/r4?page=2', { elsewhere: 'fhir.example' }],
  ['https://', undefined],
])('P7, F2, F8: the page %s is at %j', (next, address) => {
  expect(pageAddress(next, server)).toEqual(address);
});

test.each<[reference: string, local: string | undefined]>([
  ['Medication/x', 'Medication/x'],
  ['https://fhir.example/r4/Medication/x', 'Medication/x'],
  ['http://inner:8080/fhir/Medication/x', 'Medication/x'],
  ['https://fhir.example/r4s/Medication/x', undefined],
  ['https://other.example/Medication/x', undefined],
  ['HTTPS://other.example/Medication/x', undefined],
  ['urn:uuid:x', undefined],
])('the reference %s is %s on the server', (reference, local) => {
  expect(localPart(reference, server)).toBe(local);
});

test.each<[what: string, before: string, next: string, ahead: string[]]>([
  ['a page number', '/a?page=1', '/a?page=2', ['/a?page=3', '/a?page=4']],
  ['an offset', '/a?_offset=100&x=7', '/a?_offset=200&x=7', ['/a?_offset=300&x=7', '/a?_offset=400&x=7']],
  ['no parameter that changes', '/a?page=1', '/a?page=1', []],
  ['a decreasing number', '/a?page=2', '/a?page=1', []],
  ['two numbers', '/a?page=1&from=10', '/a?page=2&from=20', []],
  ['a parameter that is not a number', '/a?page=a', '/a?page=b', []],
  ['a non-numeric parameter beside a number', '/a?page=1&b=x', '/a?page=2&b=y', []],
  ['another number of parameters', '/a?page=1', '/a?page=2&x=3', []],
  ['a number of ten digits', '/a?page=1234567891', '/a?page=1234567892', []],
  ['a number of nine digits', '/a?page=123456781', '/a?page=123456782', ['/a?page=123456783', '/a?page=123456784']],
])('FS5: pages requested ahead: %s', (_, before, next, ahead) => {
  expect(pagesAhead(before, next, 2)).toEqual(ahead);
});

test.each<[link: Json | undefined, next: string | undefined]>([
  [undefined, undefined],
  [[{ relation: 'self', url: 'a' }], undefined],
  [
    [
      { relation: 'self', url: 'a' },
      { relation: 'next', url: 'b' },
    ],
    'b',
  ],
  [
    [
      { relation: 'next', url: 'b' },
      { relation: 'next', url: 'c' },
    ],
    'b',
  ],
  [[{ relation: 'next' }], ''],
  [{ relation: 'next', url: 'b' }, 'b'],
])('the next page of %j', (link, next) => {
  expect(nextOf({ resourceType: 'Bundle', link })).toBe(next);
});

test.each<[entry: Json | undefined, entries: Json[]]>([
  [undefined, []],
  [null, [null]],
  [{ a: 1 }, [{ a: 1 }]],
  [
    [{ a: 1 }, 7],
    [{ a: 1 }, 7],
  ],
])('the entries of %j', (entry, entries) => {
  expect(entriesOf({ entry })).toEqual(entries);
});

const bundle: JsonObject = { resourceType: 'Bundle', entry: [] };
test.each<[what: string, value: JsonObject, bundle: JsonObject | undefined]>([
  ['a Bundle', bundle, bundle],
  ['a Bundle in the pre-1.0 wrapper', { resource: bundle }, bundle],
  ['a Bundle without its type', { entry: [] }, { entry: [] }],
  ['entries that are not a list', { entry: {} }, undefined],
  ['a resource with entries', { resourceType: 'List', entry: [] }, undefined],
  ['a resource that contains a resource', { resourceType: 'Patient', resource: bundle }, undefined],
])('the bundle in %s', (_, value, expected) => {
  expect(bundleIn(value)).toEqual(expected);
});

test('a resource becomes the entry of a Bundle, and no value an empty Bundle', () => {
  const patient = { resourceType: 'Patient' };
  expect(asBundle(bundle)).toBe(bundle);
  expect(asBundle(patient)).toEqual({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: patient }] });
  expect(asBundle(null)).toEqual({ resourceType: 'Bundle', type: 'searchset' });
});
