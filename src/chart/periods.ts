import { type Day, OPEN } from '../dates.ts';

/**
 * How sure it is that a medicine is taken (recommendations.md, 1.1). `taken`: the record says that it is in force.
 * `presumed`: nothing says that it ended. `possible`: it ended, or may have, on a day that nobody can read.
 */
export type Degree = 'taken' | 'presumed' | 'possible';

/** Days from `start` to `end`, both counted, with one degree. `end` is OPEN where none is known. */
export type Span = { start: Day; end: Day; degree: Degree };

const RANK: Record<Degree, number> = { possible: 1, presumed: 2, taken: 3 };

export function higher(a: Degree | undefined, b: Degree | undefined): Degree | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return RANK[a] >= RANK[b] ? a : b;
}

export function lower(a: Degree, b: Degree): Degree {
  return RANK[a] <= RANK[b] ? a : b;
}

/** The highest degree on any day from `from` to `to`; undefined where none of these days is covered. */
export function degreeBetween(spans: readonly Span[], from: Day, to: Day): Degree | undefined {
  let found: Degree | undefined;
  for (const { start, end, degree } of spans) if (start <= to && end >= from) found = higher(found, degree);
  return found;
}

/** The spans of each degree, merged where they touch or overlap: ten years of daily supplies are one. Sorted by start. */
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

/** What of the spans lies on or before a day. */
export function until(spans: readonly Span[], day: Day): Span[] {
  return spans.filter(({ start }) => start <= day).map((span) => (span.end > day ? { ...span, end: day } : span));
}

/** The continuous period, whatever its degrees, that a day lies in, or the first one after it. */
export function periodFrom(spans: readonly Span[], day: Day): { start: Day; end: Day } | undefined {
  let period: { start: Day; end: Day } | undefined;
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    if (period && start <= period.end + 1) period.end = Math.max(period.end, end);
    else if (period && period.end >= day) break;
    else period = { start, end };
  }
  return period && period.end >= day ? period : undefined;
}

/** The last continuous period, whatever its degrees. */
export function lastPeriodOf(spans: readonly Span[]): { start: Day; end: Day } | undefined {
  const last = lastDayOf(spans);
  return last === undefined ? undefined : periodFrom(spans, last);
}

/** The last day that any span covers; OPEN where one is open. */
export function lastDayOf(spans: readonly Span[]): Day | undefined {
  return spans.reduce<Day | undefined>((last, { end }) => (last === undefined || end > last ? end : last), undefined);
}

export function isOpen(day: Day): boolean {
  return day >= OPEN;
}
