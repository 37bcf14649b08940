import { type Day, OPEN } from '../dates.ts';

/**
 * How certain it is that a medicine is taken (recommendations.md, 1.1). `taken`: the record says that it is in force.
 * `presumed`: nothing says that it has ended. `possible`: it ended, or may have ended, on an unknown day.
 */
export type Degree = 'taken' | 'presumed' | 'possible';

/** Days from `start` to `end`, both included, with one degree. `end` is OPEN if unknown. */
export type Span = { start: Day; end: Day; degree: Degree };

const RANK: Record<Degree, number> = { possible: 1, presumed: 2, taken: 3 };

export function higher(a: Degree | undefined, b: Degree | undefined): Degree | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return RANK[a] >= RANK[b] ? a : b;
}

export function lower(a: Degree, b: Degree): Degree {
  return RANK[a] <= RANK[b] ? a : b;
}

/** The highest degree on any day from `from` to `to`; undefined if none of these days is covered. */
export function degreeBetween(spans: readonly Span[], from: Day, to: Day): Degree | undefined {
  let found: Degree | undefined;
  for (const { start, end, degree } of spans) if (start <= to && end >= from) found = higher(found, degree);
  return found;
}

/** The spans of each degree, merged if they touch or overlap: ten years of daily supplies become one. Sorted by start. */
export function merged(spans: readonly Span[]): Span[] {
  const last: Partial<Record<Degree, Span>> = {};
  const found: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const open = last[span.degree];
    if (open && span.start <= open.end + 1) {
      if (span.end > open.end) open.end = span.end;
    } else {
      const copy = { ...span };
      last[span.degree] = copy;
      found.push(copy);
    }
  }
  return found;
}

/** The parts of the spans on or before a day. */
export function until(spans: readonly Span[], day: Day): Span[] {
  return spans.filter(({ start }) => start <= day).map((span) => (span.end > day ? { ...span, end: day } : span));
}

/** The continuous period that contains a day, or the next one, ignoring degrees. */
export function periodFrom(spans: readonly Span[], day: Day): { start: Day; end: Day } | undefined {
  let period: { start: Day; end: Day } | undefined;
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    if (period && start <= period.end + 1) period.end = Math.max(period.end, end);
    else if (period && period.end >= day) break;
    else period = { start, end };
  }
  return period && period.end >= day ? period : undefined;
}

/** The last continuous period, ignoring degrees. */
export function lastPeriodOf(spans: readonly Span[]): { start: Day; end: Day } | undefined {
  const last = lastDayOf(spans);
  return last === undefined ? undefined : periodFrom(spans, last);
}

/** The last day of any span; OPEN if one is open. */
export function lastDayOf(spans: readonly Span[]): Day | undefined {
  return spans.reduce<Day | undefined>((last, { end }) => (last === undefined || end > last ? end : last), undefined);
}

export function isOpen(day: Day): boolean {
  return day >= OPEN;
}
