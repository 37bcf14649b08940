import {
  type Card,
  type Degree,
  type Draft,
  type Entry,
  isObject,
  objectOf,
  type Trace,
  type Treatment,
} from './wire.ts';

/** Days since 1970, for placing on a scale. */
export type Day = number;

export type Bar = {
  ref: string;
  kind: Degree | 'draft';
  /** Undefined if the start is unknown. */
  from: Day | undefined;
  /** Undefined if the end is unknown. */
  to: Day | undefined;
  stopFrom: string | undefined;
};
/** One treatment with the drafts of its medicine, or a medicine that is only drafted. */
export type Row = {
  name: string;
  /** How certain the use is today, in words; undefined for a medicine that is only drafted. */
  state: string | undefined;
  bars: Bar[];
  /** The ends that cards propose for its drafts. */
  proposed: Proposal[];
  entries: Entry[];
};
export type Proposal = { ref: string; day: Day; label: string; recommended: boolean };
/** `perhaps`: at most one of them is certain to be taken. */
export type Overlap = { from: Day | undefined; to: Day | undefined; names: string[]; perhaps: boolean };
/** A course as a rule merged it. */
export type Course = { rule: string; fact: string; from: Day; to: Day };
export type Timeline = { rows: Row[]; overlaps: Overlap[]; courses: Course[]; today: Day; from: Day; to: Day };

const DAY = 86_400_000;
/** Number of days ahead that are always shown for ongoing medicines. */
const NEAR = 60;

/** The day of a date; for a date known by its month or year, the first day that it may mean. */
export function dayOf(date: string): Day {
  return Date.parse(`${date}${'-01-01'.slice(3 * (date.split('-').length - 1))}`) / DAY;
}

function maybeDay(date: string | undefined): Day | undefined {
  return date === undefined ? undefined : dayOf(date);
}

export function dateOf(day: Day): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** What was taken when, how certain that is, and what the cards propose: everything that the drawing and its table show. */
export function timelineOf(trace: Trace, cards: Card[]): Timeline {
  const proposals = proposalsOf(cards);
  const rows = (trace.treatments ?? []).map(rowOf);
  for (const draft of trace.drafts ?? []) {
    const name = nameOf(draft);
    let row = rows.find((one) => one.name === name);
    if (!row) {
      row = { name, state: undefined, bars: [], proposed: [], entries: [] };
      rows.push(row);
    }
    row.bars.push(draftBar(draft));
    row.proposed.push(...proposals.filter(({ ref }) => ref === draft.ref));
  }
  const today = dayOf(trace.today);
  const courses = coursesOf(trace);
  const bars = rows.flatMap((row) => row.bars);
  const drafted = bars.filter(({ kind }) => kind === 'draft');
  const runs = bars.filter(({ kind }) => kind !== 'draft');
  const days = [
    today,
    ...drafted.flatMap(({ from, to }) => [from, to].filter((day) => day !== undefined)),
    ...rows.flatMap(({ proposed }) => proposed.map(({ day }) => day)),
    ...courses.flatMap(({ from, to }) => [from, to]),
  ];
  const first = Math.min(...days, ...runs.flatMap(({ from }) => from ?? []));
  // A treatment that may go on for years must not squeeze the near future.
  const horizon = today + Math.max(NEAR, today - first);
  const last = Math.max(...days, ...runs.map(({ to }) => Math.min(to ?? today, horizon)));
  // Margin for open ends and for bars that start at the edge.
  const margin = Math.max(3, Math.round((last - first) * 0.06));
  return { rows, overlaps: overlapsOf(rows), courses, today, from: first - margin, to: last + margin * 2 };
}

function nameOf({ substance, name, ref }: Draft | Treatment): string {
  return substance?.replaceAll('-', ' ') ?? name ?? ref;
}

function rowOf(treatment: Treatment): Row {
  const { ref, start, periods, entries } = treatment;
  const bars = highestOf(periods.map(({ from, to, degree }) => ({ from: dayOf(from), to: maybeDay(to), degree })));
  return {
    name: nameOf(treatment),
    state: stateOf(treatment),
    bars: bars.map(({ from, to, degree }, at) => ({
      ref,
      kind: degree,
      from: start === undefined && at === 0 ? undefined : from,
      to,
      stopFrom: undefined,
    })),
    proposed: [],
    entries,
  };
}

function stateOf({ degree, onHold, fresh, otherwise }: Treatment): string {
  if (degree === undefined) return 'over';
  const more = [
    ...(otherwise ? ['according to the record'] : []),
    ...(onHold ? ['on hold'] : []),
    ...(fresh ? [] : ['none recently']),
  ];
  return [degree, ...more].join(', ');
}

function draftBar({ ref, start, stop, stopFrom }: Draft): Bar {
  return { ref, kind: 'draft', from: maybeDay(start), to: maybeDay(stop), stopFrom };
}

type Period = { from: Day; to: Day | undefined; degree: Degree };
const RANK: Record<Degree, number> = { possible: 1, presumed: 2, taken: 3 };

/** The stretches between the days on which a period begins or has ended, each with the periods that it lies in. */
function stretchesOf<T extends { from: Day; to: Day | undefined }>(periods: T[]) {
  const ends = (to: Day | undefined) => to ?? Infinity;
  const edges = [...new Set(periods.flatMap(({ from, to }) => [from, ends(to) + 1]))].sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, at) => {
    const next = edges[at + 1] as Day;
    const running = periods.filter((period) => period.from <= from && from <= ends(period.to));
    return { from, to: next === Infinity ? undefined : next - 1, running };
  });
}

/** Periods of different degrees may share days: the highest degree counts. Oldest first. */
export function highestOf(periods: Period[]): Period[] {
  const found: Period[] = [];
  for (const { from, to, running } of stretchesOf(periods)) {
    const [surest] = running.sort((a, b) => RANK[b.degree] - RANK[a.degree]);
    if (!surest) continue;
    const last = found.at(-1);
    if (last?.to === from - 1 && last.degree === surest.degree) last.to = to;
    else found.push({ from, to, degree: surest.degree });
  }
  return found;
}

/** The ends that the suggestions of cards would set, each day of an order once. */
function proposalsOf(cards: Card[]): Proposal[] {
  const found = cards
    .flatMap(({ suggestions = [] }) => suggestions)
    .flatMap(({ label, isRecommended, actions }) =>
      actions.flatMap((action) => {
        if (action.type !== 'update') return [];
        const end = endOf(action.resource);
        if (end === undefined) return [];
        const ref = `${action.resource.resourceType}/${action.resource['id'] ?? ''}`;
        return [{ ref, day: dayOf(end), label, recommended: isRecommended === true }];
      }),
    );
  return [...new Map(found.map((proposal) => [`${proposal.ref}|${proposal.day}`, proposal])).values()];
}

function endOf(order: Record<string, unknown>): string | undefined {
  const dosages = Array.isArray(order['dosageInstruction']) ? order['dosageInstruction'].filter(isObject) : [];
  const ends = dosages
    .map((dosage) => objectOf(objectOf(objectOf(dosage['timing'])['repeat'])['boundsPeriod'])['end'])
    .filter((end) => typeof end === 'string')
    .map((end) => end.slice(0, 10))
    .sort();
  return ends.at(-1);
}

function coursesOf({ rules }: Trace): Course[] {
  const found = rules
    .filter(({ outcome }) => outcome === 'fires' || outcome === 'joins' || outcome === 'superseded')
    .flatMap(({ rule, facts }) =>
      facts.flatMap(({ fact, courses = [] }) =>
        courses.map(({ start, end }) => ({ rule, fact, from: dayOf(start), to: dayOf(end) })),
      ),
    );
  return [...new Map(found.map((course) => [`${course.from}|${course.to}`, course])).values()];
}

/** Days with more than one medicine taken, certainly or possibly. */
export function overlapsOf(rows: Row[]): Overlap[] {
  const all = rows.flatMap(({ name, bars }) =>
    bars.map(({ from = -Infinity, to, kind }) => ({ name, from, to, perhaps: kind === 'possible' })),
  );
  const overlaps: Overlap[] = [];
  for (const { from, to, running } of stretchesOf(all)) {
    const names = [...new Set(running.map(({ name }) => name))];
    if (names.length < 2) continue;
    const perhaps = new Set(running.filter((bar) => !bar.perhaps).map(({ name }) => name)).size < 2;
    const last = overlaps.at(-1);
    if (last?.to === from - 1 && last.names.join() === names.join() && last.perhaps === perhaps) last.to = to;
    else overlaps.push({ from: from === -Infinity ? undefined : from, to, names, perhaps });
  }
  return overlaps;
}

type Tick = { day: Day; text: string };

/** Days to label on the scale: weeks, months or years, as many as fit. */
export function ticksOf(from: Day, to: Day, most: number): Tick[] {
  const months = (to - from) / 30.4;
  return months < 2.5 ? weeksOf(from, to, most) : monthsOf(from, to, months, most);
}

/** Mondays, or some of them. */
function weeksOf(from: Day, to: Day, most: number): Tick[] {
  const step = 7 * Math.max(1, Math.ceil((to - from) / 7 / most));
  // 5 January 1970 was a Monday.
  const first = Math.ceil((from - 4) / 7) * 7 + 4;
  const count = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length: count }, (_, at) => first + at * step).map((day) => ({
    day,
    text: dateOf(day).slice(5),
  }));
}

function monthsOf(from: Day, to: Day, months: number, most: number): Tick[] {
  const step = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600].find((size) => months / size <= most) ?? 1200;
  const start = new Date(from * DAY);
  const ticks: Tick[] = [];
  for (let index = 0; ; index++) {
    const month = start.getUTCFullYear() * 12 + start.getUTCMonth() + index;
    const day = Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY;
    if (day > to) return ticks;
    if (day < from || month % step !== 0) continue;
    const iso = dateOf(day);
    ticks.push({ day, text: step >= 12 ? iso.slice(0, 4) : iso.slice(0, 7) });
  }
}
