import { createHash } from 'node:crypto';
import { z } from 'zod';

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const byYear = z.record(z.string(), counts);

const ruleCounts = z.strictObject({
  /** Cards that the rule gave or led. */
  cards: count,
  /** It joined the card of its family and gave none of its own. */
  joined: count,
  /** It held, but a stronger rule gave its card about the same order instead. */
  superseded: count,
  /** Cards of this rule about the same medicines that this patient had got before; and those within so many days. */
  repeats: count,
  repeats30: count,
  repeats90: count,
  /** Cards that the site's quiet period would have left out if every card had been overridden with an accepted reason. */
  quiet: count,
  /** Cards that it would have led where it is on trial; they are not shown. */
  silent: count,
});
export type RuleCounts = z.infer<typeof ruleCounts>;

/** The sums of a replay. Every field is a number or a record of numbers, so that parts can be added in any order. */
export const tallySchema = z.strictObject({
  patients: count,
  /** Number of these that are labelled as test data (HTEST), so invented. */
  synthetic: count,
  /** By type, as read. */
  resources: counts,
  /** Year → hook → number of calls. */
  calls: byYear,
  /** Year → patients with a call in it. */
  patientsByYear: counts,
  /** Year → hook → calls with a card of a rule. */
  callsWithCard: byYear,
  /** Patients with at least one card of a rule. */
  patientsWithCard: count,
  /** Rule → year → hook → its counts. */
  rules: z.record(z.string(), z.record(z.string(), z.record(z.string(), ruleCounts))),
  /** Rule → year → patients with its card; year `all` for the whole time. */
  patientsByRule: byYear,
  /** Year → hook → `not-checked` cards, and calls without an answer because the list was incomplete. */
  notChecked: z.record(z.string(), z.record(z.string(), z.strictObject({ cards: count, refusals: count }))),
  /** Why something was not replayed → how often. */
  skipped: counts,
  /** Unrecognised medicines, as `JSON.stringify([name, system, code])` → orders. */
  unrecognised: counts,
  /** How medicines of orders, statements and dispenses were recognised, or why not. */
  medicines: counts,
  /** Number of cards that a patient got in a year, as `0`, `1`, `2-4`, `5-9`, `10+` → patient years. */
  burden: counts,
});
export type Tally = z.infer<typeof tallySchema>;

export function emptyTally(): Tally {
  return {
    patients: 0,
    synthetic: 0,
    resources: {},
    calls: {},
    patientsByYear: {},
    callsWithCard: {},
    patientsWithCard: 0,
    rules: {},
    patientsByRule: {},
    notChecked: {},
    skipped: {},
    unrecognised: {},
    medicines: {},
    burden: {},
  };
}

export function emptyCounts(): RuleCounts {
  return { cards: 0, joined: 0, superseded: 0, repeats: 0, repeats30: 0, repeats90: 0, quiet: 0, silent: 0 };
}

type Sums = { [key: string]: number | Sums };

/** Maximum number of kinds of unrecognised medicines, since the input may contain free text. */
const KINDS = 20_000;
const OTHERS = JSON.stringify(['…', '', '']);

/** Adds one tally to another, in place. */
export function addTally(sum: Tally, part: Tally): void {
  add(sum as unknown as Sums, part as unknown as Sums);
  if (Object.keys(part.unrecognised).length > 0 && Object.keys(sum.unrecognised).length > 2 * KINDS)
    sum.unrecognised = withinKinds(sum.unrecognised);
}

/** The sums as reported: the same for the same patients, whatever the order and parts they were added in. */
export function finished(sum: Tally): Tally {
  return sorted({ ...sum, unrecognised: withinKinds(sum.unrecognised) });
}

/**
 * Which kinds are kept must not depend on the order. Kinds with a code come first, because a site can map them; a hash
 * decides among the rest. A kind that has dropped out stays out.
 */
function withinKinds(kinds: Record<string, number>): Record<string, number> {
  if (Object.keys(kinds).length <= KINDS) return kinds;
  const ranked = Object.keys(kinds)
    .filter((kind) => kind !== OTHERS)
    .map((kind) => ({ kind, rank: rankOf(kind) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const kept = Object.fromEntries(ranked.slice(0, KINDS).map(({ kind }) => [kind, kinds[kind] as number]));
  const left = ranked.slice(KINDS).reduce((all, { kind }) => all + (kinds[kind] as number), kinds[OTHERS] ?? 0);
  return left > 0 ? { ...kept, [OTHERS]: left } : kept;
}

function rankOf(kind: string): string {
  const [, , code] = JSON.parse(kind) as string[];
  return `${code ? 0 : 1}${createHash('sha256').update(kind).digest('hex')}`;
}

function add(sum: Sums, part: Sums): void {
  for (const [key, value] of Object.entries(part)) {
    if (typeof value === 'number') sum[key] = ((sum[key] as number | undefined) ?? 0) + value;
    else {
      // A medicine may be called __proto__.
      if (!Object.hasOwn(sum, key))
        Object.defineProperty(sum, key, { value: {}, enumerable: true, writable: true, configurable: true });
      add(sum[key] as Sums, value);
    }
  }
}

/** The same sums with sorted keys, so that equal ones are equal as text. */
export function sorted<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)])) as T;
}
