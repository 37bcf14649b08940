import type { Activity, Condition, Draft, Pair, Reason, Result, Treatment } from './chart.ts';
import type { Course } from './relate.ts';

type Keys<T> = { [key in keyof Required<T>]: true };

// Written out since types are gone at run time; the compiler holds each list complete.
const medicine = {
  ref: true,
  id: true,
  name: true,
  substance: true,
  lists: true,
  identifiedBy: true,
  draft: true,
  ordered: true,
  form: true,
  asNeeded: true,
  reasons: true,
  says: true,
  requester: true,
  setting: true,
  start: true,
  stop: true,
  degree: true,
  fresh: true,
  vague: true,
  afterDays: true,
  otherwise: true,
  onHold: true,
  once: true,
  dailyDose: true,
} as const;
const draft: Keys<Omit<Draft, 'prescribed' | 'timeline'>> = {
  ...medicine,
  changed: true,
  taper: true,
  single: true,
  dosed: true,
  stopFrom: true,
  length: true,
  quantity: true,
  pieces: true,
  repeats: true,
  smallestPackage: true,
};
const treatment: Keys<Omit<Treatment, 'prescribed' | 'timeline' | 'entries' | 'supplies'>> = {
  ...medicine,
  endKnown: true,
  administered: true,
  lastDose: true,
  lastSign: true,
};
const pair: Keys<Pair> = { one: true, other: true, degree: true, washout: true, certain: true, afterDays: true };
const condition: Keys<Condition> = {
  ref: true,
  lists: true,
  active: true,
  confirmed: true,
  remission: true,
  onset: true,
};
const result: Keys<Result> = {
  ref: true,
  lists: true,
  date: true,
  at: true,
  outcome: true,
  substance: true,
  confirmation: true,
  preliminary: true,
  overruled: true,
  refuted: true,
  laterNegative: true,
  explained: true,
  value: true,
  unit: true,
  timesUpperLimit: true,
};
const activity: Keys<Activity> = { ref: true, lists: true, date: true };
const course: Keys<Course> = { start: true, end: true, drugs: true };
const reason: Keys<Reason> = { lists: true };

/** Every field that a fact may name: a misspelt one is an error and not a silent "no". */
export const fieldNames: ReadonlySet<string> = new Set(
  [draft, treatment, pair, condition, reason, result, activity, course].flatMap((fields) => Object.keys(fields)),
);
