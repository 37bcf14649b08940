import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpreter } from '../codes/classify.ts';
import { loadCodes } from '../codes/load.ts';
import type { Result } from './chart.ts';
import { newestOf, readResults } from './results.ts';

const codes = loadCodes(fileURLToPath(new URL('../../hooks/codes', import.meta.url)), 'hooks/codes', [], []);
const options = { codes, timeZone: 'Europe/Stockholm', interpret: interpreter(codes) };

const NPU = { coding: [{ system: 'http://npu-terminology.org', code: 'NPU08958' }] };
const base = { resourceType: 'Observation', id: 'o1', status: 'final', code: NPU, effectiveDateTime: '2026-03-01' };
const outcome = (value: object) => readResults({ ...base, ...value } as never, options)[0]?.outcome;
const coded = (system: string, code: string) => ({ coding: [{ system, code }] });

describe('what a result says', () => {
  test.each([
    [{ valueCodeableConcept: coded('http://snomed.info/sct', '260373001') }, 'positive'],
    [{ valueCodeableConcept: coded('http://snomed.info/sct', '260415000') }, 'negative'],
    [
      { interpretation: [coded('http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', 'POS')] },
      'positive',
    ],
    [{ interpretation: [coded('http://hl7.org/fhir/v2/0078', 'NEG')] }, 'negative'],
    [{ interpretation: [coded('http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', 'A')] }, undefined],
    [{ interpretation: [coded('http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', 'H')] }, undefined],
    [{ valueString: 'POS' }, 'positive'],
    [{ valueString: ' Påvist ' }, 'positive'],
    [{ valueString: 'ikke påvist' }, 'negative'],
    [{ valueString: 'ej påvisad' }, 'negative'],
    [{ valueString: 'se kommentar' }, undefined],
    [{ valueBoolean: true }, 'positive'],
    [{ valueQuantity: { value: 250, unit: 'ug/L' } }, 'positive'],
    [{ valueQuantity: { value: 250, unit: 'µg/L' } }, 'positive'],
    [{ valueQuantity: { value: 199, unit: 'ng/mL' } }, 'negative'],
    [{ valueQuantity: { value: 250, unit: 'nmol/L' } }, undefined],
    [{ valueQuantity: { value: 100, comparator: '<', unit: 'ug/L' } }, 'negative'],
    [{ valueQuantity: { value: 300, comparator: '<', unit: 'ug/L' } }, undefined],
    [{ valueQuantity: { value: 90, unit: 'x' }, referenceRange: [{ high: { value: 80, unit: 'x' } }] }, 'positive'],
    [{ valueQuantity: { value: 80, unit: 'x' }, referenceRange: [{ high: { value: 80, unit: 'x' } }] }, 'negative'],
    [{}, undefined],
  ])('%j is %s', (value, expected) => {
    expect(outcome(value)).toBe(expected);
  });

  test('a coded value decides before a number', () => {
    expect(
      outcome({
        valueQuantity: { value: 900, unit: 'ug/L' },
        interpretation: [coded('http://hl7.org/fhir/v2/0078', 'NEG')],
      }),
    ).toBe('negative');
  });
});

describe('which results count', () => {
  test.each(['preliminary', 'entered-in-error', 'cancelled', 'registered', undefined])('not of status %s', (status) => {
    expect(readResults({ ...base, status, valueString: 'POS' } as never, options)).toEqual([]);
  });

  test.each(['amended', 'corrected'])('of status %s', (status) => {
    expect(readResults({ ...base, status, valueString: 'POS' } as never, options)).toHaveLength(1);
  });

  test('the day it is about counts, not the day it was issued; without one it has no age', () => {
    const [result] = readResults({ ...base, issued: '2026-03-20T10:00:00Z' } as never, options);
    expect(result?.date).toBe('2026-03-01');
    const { effectiveDateTime: _, ...undated } = base;
    expect(readResults({ ...undated, issued: '2026-03-20T10:00:00Z' } as never, options)).toEqual([]);
  });

  test('each component of a panel that stands in a list is a result of its own', () => {
    const panel = {
      ...base,
      code: { text: 'Panel' },
      component: [
        { code: NPU, valueString: 'POS' },
        { code: { text: 'Other' }, valueString: 'POS' },
      ],
    };
    expect(readResults(panel as never, options).map(({ lists, outcome: said }) => [lists, said])).toEqual([
      [['benzodiazepine-test'], 'positive'],
    ]);
  });
});

const result = fc.record({
  ref: fc.uuid(),
  lists: fc.constantFrom<string[]>(['a'], ['b'], ['a', 'b']),
  at: fc.integer({ min: 0, max: 5 }),
  outcome: fc.constantFrom('positive' as const, 'negative' as const),
  date: fc.constant('2026-03-01'),
});

test('newest: nothing newer of its list remains, whatever the order, and of two at one moment the positive stays', () => {
  fc.assert(
    fc.property(fc.array(result, { maxLength: 12 }), (results: Result[]) => {
      const newest = newestOf(results);
      expect(new Set(newestOf([...results].reverse()))).toEqual(new Set(newest));
      for (const kept of newest) {
        for (const other of results.filter(({ lists }) => lists.some((list) => kept.lists.includes(list)))) {
          expect(other.at).toBeLessThanOrEqual(kept.at);
          if (other.at === kept.at && other.outcome === 'positive') expect(kept.outcome).toBe('positive');
        }
      }
    }),
    { seed: 4 },
  );
});
