import { type Card, isObject, type Medication, objectOf, type Trace } from './wire.ts';

/** Days since 1970: what lines up on a scale. */
export type Day = number;

export type Bar = {
  ref: string;
  kind: 'draft' | 'current' | 'ended' | 'unclear';
  from: Day;
  /** Undefined where no end is known. */
  to: Day | undefined;
  stopFrom: string | undefined;
};
/** All orders of one medicine, and the ends that cards propose for its drafts. */
export type Row = { name: string; lists: string[]; bars: Bar[]; proposed: Proposal[]; undated: string[] };
export type Proposal = { ref: string; day: Day; label: string; recommended: boolean };
export type Overlap = { from: Day; to: Day | undefined; names: string[] };
/** A course as a rule merged it. */
export type Course = { rule: string; fact: string; from: Day; to: Day };
export type Timeline = { rows: Row[]; overlaps: Overlap[]; courses: Course[]; today: Day; from: Day; to: Day };

const DAY = 86_400_000;

/** The day of a date; of one known by its month or year, the first that it may mean. */
export function dayOf(date: string): Day {
  return Date.parse(`${date}${'-01-01'.slice(3 * (date.split('-').length - 1))}`) / DAY;
}

export function dateOf(day: Day): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** What was taken when, and what the cards propose: everything that the drawing and its table show. */
export function timelineOf(trace: Trace, cards: Card[]): Timeline {
  const proposals = proposalsOf(cards);
  const names = new Map<string, Medication[]>();
  for (const medication of trace.medications ?? []) {
    const name = medication.substance?.replaceAll('-', ' ') ?? medication.name ?? medication.ref;
    names.set(name, [...(names.get(name) ?? []), medication]);
  }
  const rows = [...names].map(([name, medications]): Row => {
    const refs = medications.map(({ ref }) => ref);
    return {
      name,
      lists: [...new Set(medications.flatMap(({ lists }) => lists))],
      bars: medications.flatMap(barOf).sort((a, b) => a.from - b.from),
      undated: medications.filter(({ start }) => start === undefined).map(({ ref }) => ref),
      proposed: proposals.filter(({ ref }) => refs.includes(ref)),
    };
  });
  const today = dayOf(trace.today);
  const courses = coursesOf(trace);
  const days = [
    today,
    ...rows.flatMap(({ bars, proposed }) => [
      ...bars.flatMap(({ from, to }) => (to === undefined ? [from] : [from, to])),
      ...proposed.map(({ day }) => day),
    ]),
    ...courses.flatMap(({ from, to }) => [from, to]),
  ];
  const [first, last] = [Math.min(...days), Math.max(...days)];
  // Room for what has no end, and for one that begins at the edge.
  const margin = Math.max(3, Math.round((last - first) * 0.06));
  return { rows, overlaps: overlapsOf(rows), courses, today, from: first - margin, to: last + margin * 2 };
}

function barOf({ ref, draft, current, start, stop, stopFrom }: Medication): Bar[] {
  if (start === undefined) return [];
  const from = dayOf(start);
  const kind = draft ? 'draft' : current === undefined ? 'unclear' : current ? 'current' : 'ended';
  // Of what ended nobody knows when, only the first day is certain.
  const to = stop !== undefined ? dayOf(stop) : kind === 'ended' ? from : undefined;
  return [{ ref, kind, from, to, stopFrom }];
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

/** Days on which more than one medicine runs. */
export function overlapsOf(rows: Row[]): Overlap[] {
  const all = rows.flatMap(({ name, bars }) => bars.map(({ from, to }) => ({ name, from, to: to ?? Infinity })));
  const edges = [...new Set(all.flatMap(({ from, to }) => [from, to + 1]))].sort((a, b) => a - b);
  const overlaps: Overlap[] = [];
  for (const [at, from] of edges.entries()) {
    const next = edges[at + 1];
    if (next === undefined) break;
    const names = [...new Set(all.filter((bar) => bar.from <= from && from <= bar.to).map(({ name }) => name))];
    const last = overlaps.at(-1);
    const to = next === Infinity ? undefined : next - 1;
    if (names.length < 2) continue;
    if (last?.to === from - 1 && last.names.join() === names.join()) last.to = to;
    else overlaps.push({ from, to, names });
  }
  return overlaps;
}

type Tick = { day: Day; text: string };

/** Days to write at a scale: weeks, months or years, as many as there is room for. */
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
