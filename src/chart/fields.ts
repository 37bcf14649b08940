import type { Activity, Condition, Medication, Reason, Result } from './chart.ts';
import type { Course } from './courses.ts';

type Keys<T> = { [key in keyof Required<T>]: true };

// Written out since types are gone at run time; the compiler holds each list complete.
const medication: Keys<Omit<Medication, 'written'>> = {
  ref: true,
  id: true,
  name: true,
  substance: true,
  lists: true,
  identifiedBy: true,
  draft: true,
  ordered: true,
  current: true,
  start: true,
  stop: true,
  stopFrom: true,
  length: true,
  quantity: true,
  dailyDose: true,
  smallestPackage: true,
  form: true,
  asNeeded: true,
  reasons: true,
  requester: true,
  setting: true,
};
const condition: Keys<Condition> = { ref: true, lists: true, active: true, onset: true };
const result: Keys<Result> = {
  ref: true,
  lists: true,
  date: true,
  at: true,
  outcome: true,
  value: true,
  unit: true,
  timesUpperLimit: true,
};
const activity: Keys<Activity> = { ref: true, lists: true, date: true };
const course: Keys<Course> = { start: true, end: true, medications: true };
const reason: Keys<Reason> = { lists: true };

/** Every field that a fact may name: a misspelt one is an error and not a silent "no". */
export const fieldNames: ReadonlySet<string> = new Set(
  [medication, condition, reason, result, activity, course].flatMap((fields) => Object.keys(fields)),
);
