import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bundle, prescription } from '../testing/request.ts';
import { NOT_FOUND, standingOf } from './patient.ts';
import { partOf, prefetchOf, type Section, sections } from './prefetch.ts';

const outcome = (code: string, severity = 'error') => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity, code }],
});
const patient = (more: object = {}) => ({ resourceType: 'Patient', id: 'kari', ...more });
const link = (type: string) => [{ type, other: { reference: 'Patient/kari-2' } }];

describe('P2, P6: what a Patient says about the record', () => {
  test.each([
    ['nothing was sent', undefined, 'known'],
    ['null', null, 'known'],
    ['the patient', patient(), 'known'],
    ['the patient in a Bundle', bundle([patient()]), 'known'],
    ['a Patient without an id', patient({ id: undefined }), 'known'],
    ['an unreadable value', '<html>', 'known'],
    ['a client without access', outcome('forbidden'), 'known'],
    ['a server that failed', outcome('exception'), 'known'],
    ['a server that timed out', outcome('timeout'), 'known'],
    ['not found', outcome('not-found'), 'not-known'],
    ['deleted', outcome('deleted'), 'not-known'],
    ['not found, in HAPI’s words', outcome('processing'), 'not-known'],
    ['not found, in a Bundle', bundle([outcome('not-found')]), 'not-known'],
    ['not found, in a pre-1.0 wrapper', { response: { status: '404' }, resource: outcome('not-found') }, 'not-known'],
    ['another patient', patient({ id: 'ola' }), 'not-known'],
    ['another patient in a Bundle', bundle([patient({ id: 'ola' })]), 'not-known'],
    ['the patient and others', bundle([patient({ id: 'ola' }), patient()]), 'known'],
    ['a patient merged into another', patient({ link: link('replaced-by') }), 'elsewhere'],
    ['an inactive patient with a link', patient({ active: false, link: link('refer') }), 'elsewhere'],
    ['an inactive patient', patient({ active: false }), 'known'],
    ['a patient who replaces another', patient({ link: link('replaces') }), 'known'],
    ['a patient with a related record', patient({ active: true, link: link('seealso') }), 'known'],
    [
      'another patient, and another resource with this id',
      bundle([{ resourceType: 'Basic', id: 'kari' }, patient({ id: 'ola' })]),
      'not-known',
    ],
    [
      'another patient, with this one included',
      {
        resourceType: 'Bundle',
        entry: [{ resource: patient(), search: { mode: 'include' } }, { resource: patient({ id: 'ola' }) }],
      },
      'not-known',
    ],
    ['the outcome kept from a server’s 404', NOT_FOUND, 'not-known'],
    ['a link that is not a list', patient({ link: { type: 'replaced-by' } }), 'elsewhere'],
  ])('%s', (_, value, standing) => {
    expect(standingOf(value, 'kari')).toBe(standing);
  });
});

test.each([
  ...['login', 'security', 'forbidden', 'expired', 'suppressed', 'unknown', 'transient', 'timeout', 'throttled'],
  ...['lock-error', 'no-store', 'exception', 'incomplete', 'too-costly', 'not-supported'],
])('P6: the issue %s does not tell whether the patient is known', (code) => {
  expect(standingOf(outcome(code), 'kari')).toBe('known');
  expect(standingOf(bundle([outcome(code)]), 'kari')).toBe('known');
  const both = { ...outcome(code), issue: [...outcome('not-found').issue, ...outcome(code).issue] };
  expect(standingOf(both, 'kari')).toBe('known');
});

test('a 404 is kept as a valid OperationOutcome', () => {
  expect(NOT_FOUND).toEqual(outcome('not-found'));
});

const anything = fc.jsonValue({ maxDepth: 4 });
const notFound = fc.oneof(
  fc.constantFrom('not-found', 'deleted', 'processing', 'invalid').map((code) => outcome(code)),
  fc
    .stringMatching(/^[a-z0-9.-]{1,20}$/)
    .filter((id) => id !== 'kari')
    .map((id) => patient({ id })),
);
const gone = fc.constantFrom(patient({ link: link('replaced-by') }), patient({ active: false, link: link('seealso') }));
/** Values of a key: lists with and without matches, and values that are no list. */
const valuesUnder = (section: Section) =>
  fc.oneof(
    anything,
    fc.constant(null),
    fc
      .array(fc.constantFrom({ resourceType: partOf[section].type, id: 'a' }, prescription('b', 'methadone')))
      .map((resources) => bundle(resources, 'searchset')),
  );

test('FS2, FS3, P2, P14: if the patient is not known or was merged into another, no section is complete and its resources are kept', () => {
  fc.assert(
    fc.property(
      fc.oneof(notFound, gone),
      fc.record(Object.fromEntries(sections.map((section) => [section, valuesUnder(section)]))),
      (sent, values) => {
        const prefetch = prefetchOf({ ...values, patient: sent }, 'kari');
        const known = prefetchOf({ ...values, patient: undefined }, 'kari');
        for (const section of sections) {
          expect(prefetch.section(section).state).not.toBe('complete');
          if (section !== 'patient')
            expect(prefetch.section(section).resources).toEqual(known.section(section).resources);
        }
      },
    ),
  );
});

test('R10: any JSON value sent as the patient gives a standing', () => {
  fc.assert(
    fc.property(anything, fc.string(), (value, id) => {
      expect(['known', 'elsewhere', 'not-known']).toContain(standingOf(value, id));
    }),
  );
});
