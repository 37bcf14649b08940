import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { pathOf } from '../testing/app.ts';
import { cases, type Kind, placesOf, startFuzzing } from '../testing/mutations.ts';
import { bundle, condition, dosageUntil, type Json, order, pair, prescription } from '../testing/request.ts';

// A short run; `npm run fuzz` is the long one.
const SEED = 20260302;

const fuzzing = await startFuzzing();
afterAll(() => fuzzing.close());

/** Runs mutated calls and counts their statuses. */
async function fuzz(kind: Kind, numRuns: number): Promise<(status: number) => number> {
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(cases[kind], async (call) => {
      const { status, faults } = await fuzzing.judge(call);
      seen.set(status, (seen.get(status) ?? 0) + 1);
      expect(faults, call.base).toEqual([]);
    }),
    { seed: SEED, numRuns },
  );
  return (status) => seen.get(status) ?? 0;
}

test(`R10, T2, T3, S5: whatever is broken in a request, the answer is valid (seed ${SEED})`, async () => {
  const seen = await fuzz('structure', 800);
  // The mutations reach every kind of answer, so the property does not cover refusals only.
  for (const status of [200, 400, 412]) expect(seen(status), String(status)).toBeGreaterThan(15);
}, 60_000);

test(`R10, T7: whatever is broken in the text of a request, the answer is valid (seed ${SEED})`, async () => {
  const seen = await fuzz('text', 300);
  for (const status of [200, 400]) expect(seen(status), String(status)).toBeGreaterThan(15);
}, 60_000);

test(`S9, T12, P15: irrelevant changes leave the answer unchanged (seed ${SEED})`, async () => {
  const seen = await fuzz('irrelevant', 600);
  for (const status of [200, 412]) expect(seen(status), String(status)).toBeGreaterThan(5);
}, 60_000);

test(`R10, T6, T10, S5: whatever is wrong with address, method and headers, the answer is valid (seed ${SEED})`, async () => {
  const seen = await fuzz('transport', 400);
  for (const status of [200, 404, 405, 415]) expect(seen(status), String(status)).toBeGreaterThan(5);
}, 60_000);

test(`J1, J15, J20, R10: whatever is wrong with a token, the refusal is the same and reveals nothing (seed ${SEED})`, async () => {
  const seen = await fuzz('token', 500);
  for (const status of [200, 401]) expect(seen(status), String(status)).toBeGreaterThan(50);
}, 60_000);

/** Long enough that with quadratic time one call outlasts the test. */
const LONG = 400_000;

test('R10: a long text is answered like a short one, wherever it is', async () => {
  const byReference = { medicationCodeableConcept: undefined, medicationReference: { reference: 'Medication/x' } };
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '1742-6' }] },
    valueQuantity: { value: 40, unit: 'U/L', code: 'U/L' },
    effectiveDateTime: '2026-03-01',
  };
  const body: Json = {
    ...pair('order-sign', {
      drafts: [order('z', 'pregabalin', { dosageInstruction: [dosageUntil('2026-03-09')] }), order('x', 'oxycodone')],
      record: [
        prescription('m', 'methadone', { reasonReference: [{ reference: 'Condition/c' }] }),
        prescription('r', 'oxazepam', byReference),
      ],
      conditions: [condition('c', 'F11.2')],
      prefetch: { observations: bundle([observation]) },
    }),
    fhirServer: 'https://fhir.example/r4',
    fhirAuthorization: { access_token: 'x', token_type: 'Bearer', expires_in: 300, scope: 'user/*.rs', subject: 'x' },
    extension: { 'org.nordic-opioid-cds': { now: '2026-03-02' } },
  };
  const texts = [
    'x'.repeat(LONG),
    `https://fhir.example/${'/'.repeat(LONG)}x`,
    `2026-03-02T${'1'.repeat(LONG)}`,
    `${'|'.repeat(LONG)}\n`,
  ];
  for (let at = 0; at < placesOf(body).length; at++) {
    for (const text of texts) {
      const copy = structuredClone(body);
      const { holder, key } = placesOf(copy)[at] as { holder: Json; key: string };
      if (typeof holder[key] !== 'string') continue;
      holder[key] = text;
      const call = {
        kind: 'structure',
        base: key,
        method: 'POST',
        url: pathOf(body),
        body: JSON.stringify(copy),
      } as const;
      const { faults } = await fuzzing.judge({
        ...call,
        headers: { 'content-type': 'application/json' },
      });
      expect(faults, key).toEqual([]);
    }
  }
}, 60_000);
