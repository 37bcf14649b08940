import { type Day, dateOf, dayOf, firstDay, type LocalDate, lastDay, OPEN } from '../dates.ts';
import type { Course, Drug, Pair, Result, Treatment } from './chart.ts';
import type { TreatmentParameters } from './parameters.ts';
import { type Degree, degreeBetween, higher, lower, merged, periodFrom, type Span } from './periods.ts';

/** Extends periods by the product's effect after its last dose, or by so many days; undefined: not at all. */
export type Lengthening = 'clearance' | number | undefined;

/**
 * The treatments that count on any day from today on or, with drafts, on any day of theirs, each with its highest
 * degree on those days (recommendations.md, 1.1). When extended, days between supplies do not count.
 */
export function within(treatments: Drug[], drafts: Drug[], lengthening?: Lengthening): Drug[] {
  return treatments.flatMap((treatment) => {
    const windows =
      drafts.length > 0
        ? drafts.flatMap(({ timeline }) => periodsOf(timeline.spans))
        : [{ start: treatment.timeline.today, end: OPEN }];
    let degree: Degree | undefined;
    for (const window of windows) degree = higher(degree, degreeIn(treatment, window, lengthening));
    return degree === undefined ? [] : [treatment.degree === degree ? treatment : { ...treatment, degree }];
  });
}

function degreeIn(drug: Drug, window: { start: Day; end: Day }, lengthening: Lengthening): Degree | undefined {
  const { spans, strict } = drug.timeline;
  if (lengthening === undefined) return degreeBetween(spans, window.start, window.end);
  return higher(degreeBetween(strict, window.start, window.end), afterwards(drug, window, lengthening)?.degree);
}

/**
 * Pairs whose periods share a day (1.5): from today on or, if one is a draft, on a day of its own period. With
 * `lengthening`, one that ended before the other begins counts for that long after its end, with its degree.
 */
export function together(ones: Drug[], others: Drug[], lengthening?: Lengthening): Pair[] {
  return ones.flatMap((one) =>
    others.flatMap((other) => {
      // One product is never both partners of a pair.
      if (one === other || (one.ref === other.ref && one.substance === other.substance)) return [];
      const pair = pairOf(one, other, lengthening);
      return pair ? [pair] : [];
    }),
  );
}

function pairOf(one: Drug, other: Drug, lengthening: Lengthening): Pair | undefined {
  const { today } = one.timeline;
  const [a, b] =
    lengthening === undefined
      ? [one.timeline.spans, other.timeline.spans]
      : [one.timeline.strict, other.timeline.strict];
  const shared = degreeOnShared(a, b, today);
  const sure =
    shared === 'possible' && lengthening !== undefined && isSure(one, b, lengthening) && isSure(other, a, lengthening);
  if (sure) return { one, other, degree: 'taken', washout: true, ...implantOf(one, other), ...daysOf(one, other) };
  if (shared !== undefined) return { one, other, degree: shared, washout: false, ...implantOf(one, other) };
  if (lengthening === undefined) return undefined;
  const first = afterBeforeOf(one, b, lengthening, today);
  const second = first ? undefined : afterBeforeOf(other, a, lengthening, today);
  const found = first ?? second;
  if (!found) return undefined;
  const { degree, afterDays } = found;
  return { one, other, degree, washout: true, afterDays, ...implantOf(one, other) };
}

/**
 * Whether a drug certainly counts on a day of the other: it is taken or presumed, or every possible end, so extended,
 * reaches the other.
 */
function isSure({ timeline }: Drug, others: Span[], lengthening: Lengthening): boolean {
  const { today, strict, cleared } = timeline;
  return periodsOf(others).some(({ start, end }) => {
    const from = Math.max(start, today);
    if (end < from) return false;
    const degree = degreeBetween(strict, from, end);
    if (degree === 'taken' || degree === 'presumed') return true;
    const spans =
      lengthening === 'clearance' ? cleared : strict.map((span) => ({ ...span, afterDays: lengthening as number }));
    return spans.some((span) => {
      const earliestEnd = span.degree === 'possible' ? span.start : span.end;
      return span.start <= end && earliestEnd + span.afterDays >= from;
    });
  });
}

function daysOf(one: Drug, other: Drug): { afterDays?: number } {
  const days = other.afterDays ?? one.afterDays;
  return days === undefined ? {} : { afterDays: days };
}

/** The lower of the two highest degrees on the shared days, from `today` on. */
function degreeOnShared(a: Span[], b: Span[], today: Day): Degree | undefined {
  let found: Degree | undefined;
  for (const one of a) {
    for (const other of b) {
      if (Math.max(one.start, other.start, today) <= Math.min(one.end, other.end))
        found = higher(found, lower(one.degree, other.degree));
    }
  }
  return found;
}

/** Whether a drug that ended still matters when the other begins or goes on, from today on. The two must not overlap. */
function afterBeforeOf(
  drug: Drug,
  others: Span[],
  lengthening: Lengthening,
  today: Day,
): { degree: Degree; afterDays: number } | undefined {
  for (const period of periodsOf(others)) {
    if (period.end < today) continue;
    const overlapped = drug.timeline.strict.some(({ start, end }) => start <= period.end && end >= period.start);
    if (overlapped) continue;
    const found = afterwards(
      drug,
      { start: Math.max(period.start, today), end: period.end },
      lengthening,
      period.start,
    );
    if (!found) continue;
    const degree = degreeBetween(others, Math.max(period.start, today), period.end);
    if (degree) return { degree: lower(found.degree, degree), afterDays: found.afterDays };
  }
  return undefined;
}

/**
 * The degree of a drug in a window by its effect after its end. It counts as taken if every possible end, so extended,
 * reaches the window.
 */
function afterwards(
  drug: Drug,
  window: { start: Day; end: Day },
  lengthening: Lengthening,
  before = window.start,
): { degree: Degree; afterDays: number } | undefined {
  let found: { degree: Degree; afterDays: number } | undefined;
  const spans =
    lengthening === 'clearance'
      ? drug.timeline.cleared
      : drug.timeline.strict.map((span) => ({ ...span, afterDays: lengthening as number }));
  for (const { start, end, degree, afterDays } of spans) {
    if (start > window.end || start >= before || end + afterDays < window.start) continue;
    const certain = degree === 'possible' && start + afterDays >= window.start;
    const own = certain ? 'taken' : degree;
    if (found === undefined || higher(found.degree, own) !== found.degree) found = { degree: own, afterDays };
  }
  return found;
}

/** For an implant, how certain it is that it still acts on the first relevant day (1.4). */
function implantOf(one: Drug, other: Drug): { certain?: boolean } {
  for (const [drug, partner] of [
    [one, other],
    [other, one],
  ] as const) {
    const { implant, today } = drug.timeline;
    if (!implant) continue;
    const day = Math.max(today, partner.timeline.spans[0]?.start ?? today);
    return { certain: day <= implant.certain };
  }
  return {};
}

/** Continuous periods of spans, ignoring degrees. */
function periodsOf(spans: readonly Span[]): { start: Day; end: Day }[] {
  return merged(spans.map((span) => ({ ...span, degree: 'taken' as const })));
}

/**
 * Use over time (3): the supplies of all treatments, merged; gaps of up to `gapDays` without supply are tolerated.
 * Oldest first. Possible treatments supply nothing.
 */
export function useOf(treatments: Drug[], gapDays: number): Course[] {
  const supplies = treatments
    .flatMap((treatment) => (treatment.draft ? [] : treatment.supplies.map((supply) => ({ ...supply, treatment }))))
    .filter(({ start, treatment }) => start <= treatment.timeline.today)
    .sort((a, b) => a.start - b.start || a.end - b.end || (a.treatment.ref < b.treatment.ref ? -1 : 1));
  const courses: { start: Day; end: Day; drugs: Set<Treatment> }[] = [];
  for (const { start, end, treatment } of supplies) {
    const last = courses.at(-1);
    if (last && start - last.end - 1 <= gapDays) {
      last.end = Math.max(last.end, end);
      last.drugs.add(treatment);
    } else courses.push({ start, end, drugs: new Set([treatment]) });
  }
  return courses.map(({ start, end, drugs }) => ({ start: dateOf(start), end: dateOf(end), drugs: [...drugs] }));
}

/** The drafts that do not continue any of the treatments of their class (recommendations.md, 3, "Continuation"). */
export function startingAnew(drafts: Drug[], treatments: Drug[]): Drug[] {
  const [first] = drafts;
  if (!first) return [];
  const { parameters } = first.timeline;
  const known = treatments.filter((treatment): treatment is Treatment => !treatment.draft);
  return drafts.filter(
    (draft) =>
      !known.some((treatment) => continuesIt(draft, treatment, parameters)) &&
      !suppliedLately(draft, known, parameters),
  );
}

function continuesIt(
  draft: Drug,
  treatment: Treatment,
  { continuationDays, wardDays, possibleMonths }: TreatmentParameters,
): boolean {
  const { today, spans } = treatment.timeline;
  if (draft.draft && draft.changed && draft.substance === treatment.substance) return true;
  // On a ward, and for single doses, only long-standing treatment counts as continued.
  if (isOfWard(treatment) && !(treatment.supplies[0] !== undefined && today - treatment.supplies[0].start > wardDays))
    return false;
  const degree = degreeBetween(spans, today, today);
  if (degree === 'taken') return true;
  if (degree === 'presumed') return treatment.fresh || draft.substance === treatment.substance;
  if (degree === 'possible') return treatment.fresh || lately(treatment, today - possibleMonths * 30.4) >= 2;
  return spans.some(({ end }) => end < today && end >= today - continuationDays);
}

function isOfWard({ setting, administered }: Treatment): boolean {
  return setting === 'inpatient' || administered;
}

/** Number of entries that began since a day, counted by distinct start. */
function lately({ entries }: Treatment, since: Day): number {
  return new Set(
    entries()
      .map(({ start }) => start)
      .filter((start) => start !== undefined && start >= since),
  ).size;
}

/** Number of recent days with supply, over all treatments of the class; for stale ones only of the same substance. */
function suppliedLately(
  draft: Drug,
  treatments: Treatment[],
  { supplyDays, supplyWindowDays }: TreatmentParameters,
): boolean {
  const { today } = draft.timeline;
  const supplies = treatments
    .filter((treatment) => !isOfWard(treatment) && (treatment.fresh || treatment.substance === draft.substance))
    .flatMap(({ supplies: own }) => own);
  const days = merged(supplies.map((supply) => ({ ...supply, degree: 'taken' as const }))).reduce(
    (sum, { start, end }) => sum + Math.max(0, Math.min(end, today) - Math.max(start, today - supplyWindowDays) + 1),
    0,
  );
  return days >= supplyDays;
}

/** The results of days on which one of the treatments was taken or presumed. */
export function during(results: Result[], treatments: Drug[]): Result[] {
  return results.filter(({ date }) => {
    // A date known by its month counts if every day of the month does.
    const [first, last] = [dayOf(firstDay(date)), dayOf(lastDay(date))];
    return treatments.some(({ timeline: { spans } }) =>
      spans.some(({ start, end, degree }) => degree !== 'possible' && start <= first && end >= last),
    );
  });
}

/** Treatments that ended, or may have ended, on or after a day and before today. */
export function endedSince(treatments: Drug[], since: LocalDate): Drug[] {
  const first = dayOf(since);
  return treatments.filter(({ timeline: { today, strict } }) => {
    const period = periodFrom(strict, first);
    return period !== undefined && period.start <= today;
  });
}
