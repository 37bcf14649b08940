import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { bundle, condition, type Json, medicine, order, pair, prescription } from '../testing/request.ts';

// What holds for every request, however it is written (recommendations.md, 7): what is sent is read or reported.
const SEED = 20260302;
const RUNS = { seed: SEED, numRuns: 150 };
const service = await startService();
afterAll(() => service.close());

const ordered = order('draft-1', examples.gabapentinoid);
const agonist = prescription('list-1', examples.agonist);
const WARNED = ['laro-sedative-ordered'];

async function answerTo(body: Json) {
  const { status, body: answer } = await service.call(body);
  const { cards = [] } = answer as { cards?: { source: { topic: { code: string } } }[] };
  return { status, topics: cards.map(({ source }) => source.topic.code) };
}

/** Orders that cannot be read, or only in part: what can be read is still judged. An order without a readable status is judged as a draft, since it is among the drafts. */
const unreadable: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom('aktiv', 'unknown', 'ACTIVE', 'Draft').map((status) => ({ ...ordered, status })),
  fc
    .constantFrom<Json>(
      { medication: medicine(examples.gabapentinoid) },
      { medicationCodeableConcept: {} },
      { medicationCodeableConcept: { coding: [] } },
      { medicationCodeableConcept: { text: 'Obscurin 10 mg' } },
      { medicationReference: { reference: '#gone' } },
      { medicationReference: { reference: 'Medication/gone' } },
    )
    .map((written) => ({ ...ordered, medicationCodeableConcept: undefined, ...written })),
);
const noOrders = fc.constantFrom<unknown>(
  {},
  [],
  'MedicationRequest/1',
  7,
  { resourceType: 'Parameters', parameter: [{ name: 'order', resource: ordered }] },
  { resourceType: 'List', entry: [{ item: { reference: 'MedicationRequest/draft-1' } }] },
  { resourceType: 'Bundle', type: 'collection', entry: 5 },
  { resourceType: 'Bundle', type: 'collection', entry: [5, 'x', null] },
);

test(`H7, H8: a draft that cannot be read completely is never silence (seed ${SEED})`, async () => {
  const hook = fc.constantFrom('order-select', 'order-sign');
  await fc.assert(
    fc.asyncProperty(hook, unreadable, async (name, draft) => {
      const { status, topics } = await answerTo(pair(name, { drafts: [draft] }));
      expect(status).toBe(200);
      // While an order is being written its medicine may not have been chosen yet.
      if (name === 'order-sign' || draft['status'] !== 'draft') expect(topics).not.toEqual([]);
    }),
    RUNS,
  );
  await fc.assert(
    fc.asyncProperty(hook, noOrders, async (name, draftOrders) => {
      expect((await answerTo(pair(name, { context: { draftOrders } }))).status).toBe(400);
    }),
    RUNS,
  );
});

test(`H7: other drafts are judged beside an unreadable one (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(unreadable, fc.boolean(), async (draft, first) => {
      const other = { ...draft, id: 'draft-2' };
      const { topics } = await answerTo(pair('order-sign', { drafts: first ? [other, ordered] : [ordered, other] }));
      expect(topics).toContain(WARNED[0]);
    }),
    RUNS,
  );
});

const URN = 'urn:uuid:0d1c2b3a-1111-4222-8333-444455556666';
const patient = { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' };
/** Ways in which a Bundle of this patient may name its subject and a contained medicine. */
const subject = fc.constantFrom<Json | undefined>(
  { reference: 'Patient/kari' },
  { reference: 'https://fhir.example/r4/Patient/kari' },
  { reference: 'Patient/kari/_history/3' },
  { reference: URN },
  { type: 'Patient', identifier: { system: 'urn:oid:1.2.3', value: '19810101-0000' } },
  undefined,
);
const contained = fc.constantFrom<Json>(
  {},
  {
    medicationCodeableConcept: undefined,
    medicationReference: { reference: '#m' },
    contained: [{ resourceType: 'Medication', id: 'm', code: medicine(examples.agonist) }],
  },
  {
    medicationCodeableConcept: undefined,
    medicationReference: { reference: '#m' },
    contained: [{ resourceType: 'Medication', id: '#m', code: medicine(examples.agonist) }],
  },
);

test(`H15, P2: the record is read, however it names this patient and a contained medicine (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(subject, contained, fc.boolean(), async (named, written, patientFirst) => {
      const entries = [{ fullUrl: URN, resource: patient }, { resource: { ...agonist, ...written, subject: named } }];
      const medications = { ...bundle([], 'searchset'), entry: patientFirst ? entries : entries.toReversed() };
      const { status, topics } = await answerTo(pair('order-sign', { drafts: [ordered], prefetch: { medications } }));
      expect(status).toBe(200);
      expect(topics).toEqual(WARNED);
    }),
    RUNS,
  );
});

/** Problems in the shapes of other versions. */
const otherVersion = fc.constantFrom<Json>(
  { ...condition('c-old', 'F41.1'), clinicalStatus: 'active', assertedDate: '2017-01-01' },
  { ...condition('c-old', 'F41.1'), patient: { reference: 'Patient/kari' }, dateRecorded: '2014-01-01' },
  { ...condition('c-old', 'F41.1'), context: { reference: 'Encounter/1' } },
);

test(`V1: one problem of another FHIR version neither refuses nor silences a call (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(otherVersion, fc.nat(3), async (problem, at) => {
      const conditions = ['I10', 'J45.9', 'M54.5'].map((code, index) => condition(`c-${index}`, code));
      conditions.splice(at, 0, problem);
      const { status, topics } = await answerTo(pair('order-sign', { drafts: [ordered], conditions }));
      expect(status).toBe(200);
      expect(topics).toEqual(WARNED);
    }),
    RUNS,
  );
});

// Such an object cannot be converted to a string.
test.each(['system', 'code', 'display'])('R1: an object instead of a coding’s %s fails no call', async (field) => {
  const odd = { coding: [{ system: 'http://loinc.org', code: '3390-2', display: 'x', [field]: { toString: 'x' } }] };
  const result = {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: odd,
    subject: { reference: 'Patient/kari' },
    effectiveDateTime: '2026-03-01',
    valueString: 'positive',
  };
  const other = prescription('list-2', examples.agonist, { medicationCodeableConcept: odd });
  const prefetch = { observations: bundle([result], 'searchset') };
  const { status, topics } = await answerTo(
    pair('order-sign', { drafts: [ordered], record: [agonist, other], prefetch }),
  );
  expect(status).toBe(200);
  expect(topics).toContain(WARNED[0]);
});
