import { daysBetween, firstDay, type LocalDate, lastDay } from '../dates.ts';
import type { Medication } from './chart.ts';

/** Consecutive supplies of one class of medicines, merged: `end` is the last day of supply. */
export type Course = { start: LocalDate; end: LocalDate; medications: Medication[] };

/**
 * Merges medicines into courses, oldest first. Overlaps merge; a gap is the days without supply between the end of one
 * and the start of the next, and up to `gapTolerance` days of it do not break a course. What runs without a readable end
 * is supplied until today. A start known only by its month or year counts from the last day it may mean, so that a
 * course is never made longer than the record proves.
 */
export function coursesOf(medications: readonly Medication[], gapTolerance: number, today: LocalDate): Course[] {
  const supplies = medications.flatMap((medication) => supplyOf(medication, today)).sort(byStart);
  const courses: Course[] = [];
  for (const { start, end, medication } of supplies) {
    const last = courses.at(-1);
    if (last && daysBetween(last.end, start) - 1 <= gapTolerance) {
      if (end > last.end) last.end = end;
      last.medications.push(medication);
    } else courses.push({ start, end, medications: [medication] });
  }
  return courses;
}

type Supply = { start: LocalDate; end: LocalDate; medication: Medication };

/** The days that an order, statement or dispense supplies. None without a start, or before it begins. */
function supplyOf(medication: Medication, today: LocalDate): Supply[] {
  const start = medication.start && lastDay(medication.start);
  if (start === undefined || start > today) return [];
  // Of what ended nobody knows when, only the first day is certain.
  const end = medication.stop ? firstDay(medication.stop) : medication.current ? today : start;
  return [{ start, end: end < start ? start : end, medication }];
}

/** The same supplies give the same courses in whichever order the record lists them. */
function byStart(a: Supply, b: Supply): number {
  return compare(a.start, b.start) || compare(a.end, b.end) || compare(a.medication.ref, b.medication.ref);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
