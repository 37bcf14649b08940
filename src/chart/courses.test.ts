import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plusDays } from '../dates.ts';
import type { Medication } from './chart.ts';
import { coursesOf } from './courses.ts';

const TODAY = '2026-03-02';
let number = 0;

function supply(start: string, stop?: string, current = false): Medication {
  number += 1;
  return {
    ref: `MedicationRequest/${number}`,
    id: String(number),
    name: undefined,
    substance: 'x',
    lists: ['x'],
    identifiedBy: 'atc',
    written: { product: '', dosage: '' },
    draft: false,
    ordered: false,
    current,
    start,
    ...(stop !== undefined && { stop }),
    form: [],
    asNeeded: false,
    reasons: [],
  };
}

const spans = (medications: Medication[], gap = 30) =>
  coursesOf(medications, gap, TODAY).map(({ start, end }) => `${start}/${end}`);

describe('courses', () => {
  test('30 days without supply are tolerated, 31 break', () => {
    expect(spans([supply('2025-01-01', '2025-01-31'), supply('2025-03-03', '2025-03-20')])).toEqual([
      '2025-01-01/2025-03-20',
    ]);
    expect(spans([supply('2025-01-01', '2025-01-31'), supply('2025-03-04', '2025-03-20')])).toHaveLength(2);
  });

  test('what runs without an end is supplied until today; what ended some unknown day counts for its first', () => {
    expect(spans([supply('2026-01-01', undefined, true)])).toEqual(['2026-01-01/2026-03-02']);
    expect(spans([supply('2025-01-01')])).toEqual(['2025-01-01/2025-01-01']);
  });

  test('a start known by its month counts from the month’s last day; one in the future not at all', () => {
    expect(spans([supply('2026-01', undefined, true)])).toEqual(['2026-01-31/2026-03-02']);
    expect(spans([supply('2026-03-03', '2026-04-01')])).toEqual([]);
  });
});

// Everything ends before today: what lies ahead is no supply yet.
const day = fc.integer({ min: 0, max: 310 }).map((offset) => plusDays('2025-01-20', offset));
const supplies = fc.array(
  fc.tuple(day, fc.integer({ min: 1, max: 90 })).map(([start, length]) => supply(start, plusDays(start, length - 1))),
  { maxLength: 12 },
);

describe('courses, for any supplies', () => {
  test('the order of entries and duplicates change nothing', () => {
    fc.assert(
      fc.property(supplies, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (medications, random) => {
        const shuffled = medications
          .map((medication) => [random.next().value as number, medication] as const)
          .sort(([a], [b]) => a - b);
        expect(spans([...shuffled.map(([, medication]) => medication), ...medications.slice(0, 3)])).toEqual(
          spans(medications),
        );
      }),
      { seed: 1 },
    );
  });

  test('one prescription written as two changes nothing', () => {
    fc.assert(
      fc.property(
        supplies,
        day,
        fc.integer({ min: 2, max: 90 }),
        fc.integer({ min: 1, max: 89 }),
        (others, start, length, cut) => {
          const first = Math.min(cut, length - 1);
          const whole = supply(start, plusDays(start, length - 1));
          const halves = [
            supply(start, plusDays(start, first - 1)),
            supply(plusDays(start, first), plusDays(start, length - 1)),
          ];
          expect(spans([...others, ...halves])).toEqual(spans([...others, whole]));
        },
      ),
      { seed: 2 },
    );
  });

  test('courses do not overlap and lie further apart than the tolerance', () => {
    fc.assert(
      fc.property(supplies, (medications) => {
        const courses = coursesOf(medications, 30, TODAY);
        for (const [at, course] of courses.entries()) {
          const next = courses[at + 1];
          if (next) expect(plusDays(course.end, 31) < next.start).toBe(true);
        }
      }),
      { seed: 3 },
    );
  });
});
