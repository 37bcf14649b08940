import { describe, expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { partOf, prefetchOf, readPrefetch, sections } from './prefetch.ts';

const order = (id: string): JsonObject => ({ resourceType: 'MedicationRequest', id });
const bundle = (resources: JsonObject[], more: JsonObject = {}): JsonObject => ({
  resourceType: 'Bundle',
  entry: resources.map((resource) => ({ resource })),
  ...more,
});
const error = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
const next = { link: [{ relation: 'next', url: 'x' }] };
const included = { resource: { resourceType: 'Medication', id: 'm' }, search: { mode: 'include' } };

describe('how a key of prefetch is read', () => {
  test.each<[what: string, prefetch: unknown, state: string, ids: string[]]>([
    ['no prefetch', undefined, 'absent', []],
    ['prefetch that is not an object', 'x', 'absent', []],
    ['another key', { orders: bundle([order('a')]) }, 'absent', []],
    ['P4: null', { medications: null }, 'complete', []],
    ['a text', { medications: 'x' }, 'failed', []],
    ['a number', { medications: 1 }, 'failed', []],
    ['a list', { medications: [order('a')] }, 'failed', []],
    ['an empty Bundle', { medications: bundle([]) }, 'complete', []],
    ['a Bundle', { medications: bundle([order('a'), order('b')]) }, 'complete', ['a', 'b']],
    ['one resource', { medications: order('a') }, 'complete', ['a']],
    ['P6: an OperationOutcome', { medications: error }, 'failed', []],
    ['P6: a Bundle with only an error', { medications: bundle([error]) }, 'failed', []],
    ['P6: an error among entries', { medications: bundle([order('a'), error]) }, 'partial', ['a']],
    ['P7: a next page', { medications: bundle([order('a')], next) }, 'partial', ['a']],
    ['P7: a next page of an empty list', { medications: bundle([], next) }, 'partial', []],
    ['P8: only resources of another type', { medications: bundle([{ resourceType: 'Condition' }]) }, 'failed', []],
    [
      'P8: resources of another type as well',
      { medications: bundle([order('a'), { resourceType: 'Condition' }]) },
      'complete',
      ['a'],
    ],
    ['only included resources', { medications: { resourceType: 'Bundle', entry: [included] } }, 'complete', []],
    [
      'an order that is only included does not count',
      { medications: { resourceType: 'Bundle', entry: [{ ...included, resource: order('a') }] } },
      'complete',
      [],
    ],
  ])('%s', (_, prefetch, state, ids) => {
    const read = readPrefetch(prefetch, 'medications');
    expect([read.state, read.resources.map(({ id }) => id)]).toEqual([state, ids]);
  });

  test.each(sections)('%s: only resources of its own type count', (section) => {
    const own = readPrefetch({ [section]: { resourceType: partOf[section].type } }, section);
    const other = readPrefetch({ [section]: { resourceType: 'Basic' } }, section);
    expect([own.state, own.resources.length, other.state, other.resources.length]).toEqual([
      'complete',
      1,
      'failed',
      0,
    ]);
  });

  test('a key of the prototype does not count', () => {
    const prefetch = JSON.parse('{"__proto__":{"medications":null}}');
    expect(readPrefetch(prefetch, 'medications').state).toBe('absent');
    expect(readPrefetch(Object.create({ medications: null }), 'medications').state).toBe('absent');
  });
});

test('a resource is looked up by type and id and by its fullUrl, or by any base if it has none', () => {
  const { lookup } = readPrefetch(
    {
      medications: {
        resourceType: 'Bundle',
        entry: [
          { resource: order('a') },
          { fullUrl: 'urn:uuid:b', resource: order('b') },
          { resource: { resourceType: 'Medication' } },
        ],
      },
    },
    'medications',
  );
  expect([...lookup().keys()]).toEqual([
    'MedicationRequest/a',
    '*/MedicationRequest/a',
    'MedicationRequest/b',
    'urn:uuid:b',
  ]);
  expect(lookup()).toBe(lookup());
});

describe('FS2, FS3: if the patient is not known or was merged into another, no section is complete', () => {
  const patient = (more: JsonObject = {}) => ({ resourceType: 'Patient', id: 'kari', ...more });
  test.each<[what: string, patient: unknown, standing: string, empty: string, filled: string]>([
    ['the patient', patient(), 'known', 'complete', 'complete'],
    ['no patient', undefined, 'known', 'complete', 'complete'],
    ['another patient', patient({ id: 'ola' }), 'not-known', 'failed', 'partial'],
    ['a patient who was replaced', patient({ link: [{ type: 'replaced-by' }] }), 'elsewhere', 'partial', 'partial'],
  ])('%s', (_, value, standing, empty, filled) => {
    const prefetch = prefetchOf(
      { patient: value, medications: bundle([]), conditions: { resourceType: 'Condition' }, procedures: error },
      'kari',
    );
    expect([
      prefetch.standing,
      prefetch.section('medications').state,
      prefetch.section('conditions').state,
      prefetch.section('procedures').state,
    ]).toEqual([standing, empty, filled, 'failed']);
  });

  test('each section is read once', () => {
    const prefetch = prefetchOf({ medications: bundle([order('a')]) }, 'kari');
    expect(prefetch.section('medications')).toBe(prefetch.section('medications'));
  });
});
