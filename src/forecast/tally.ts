import { createHash } from 'node:crypto';

/** Sums of a replay. Every field is a number or a record of such, so that parts can be added in any order. */
export type Tally = {
  patients: number;
  /** Of these, how many are labelled as test data (HTEST): invented. */
  synthetic: number;
  /** Of each type, as read. */
  resources: Record<string, number>;
  /** Year → hook → how often it was asked. */
  calls: Record<string, Record<string, number>>;
  /** Year → patients with a call in it. */
  patientsByYear: Record<string, number>;
  /** Year → hook → calls that got a card of a rule. */
  callsWithCard: Record<string, Record<string, number>>;
  /** Patients with at least one card of a rule. */
  patientsWithCard: number;
  /** Rule → year → hook → what it did. */
  rules: Record<string, Record<string, Record<string, RuleCounts>>>;
  /** Rule → year → patients who got its card; year `all` for the whole time. */
  patientsByRule: Record<string, Record<string, number>>;
  /** Year → hook → cards `not-checked`, and calls that got no answer since the list was not whole. */
  notChecked: Record<string, Record<string, { cards: number; refusals: number }>>;
  /** Why something was not replayed → how often. */
  skipped: Record<string, number>;
  /** Medicines that nobody recognised, as `JSON.stringify([name, system, code])` → orders. */
  unrecognised: Record<string, number>;
  /** Of orders, statements and dispenses: how they were recognised, or why not. */
  medicines: Record<string, number>;
  /** How many rules' cards a patient got in a year, as `0`, `1`, `2-4`, `5-9`, `10+` → patient years. */
  burden: Record<string, number>;
};

export type RuleCounts = {
  /** Cards that the rule gave, or leads. */
  cards: number;
  /** It spoke on the card of its family: no card of its own. */
  joined: number;
  /** It held, and a stronger rule spoke about the same order in its place. */
  superseded: number;
  /** Cards of this rule about the same medicines that this patient had got before; and of these, within so many days. */
  repeats: number;
  repeats30: number;
  repeats90: number;
  /** Cards that the site's quiet period would have left out, had every card been overridden with an accepted reason. */
  quiet: number;
  /** Cards that it would have led, at a site that has it on trial: nobody sees them. */
  silent: number;
};

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

/** So many kinds of medicine that nobody recognised are told apart; the input may hold free text. */
const KINDS = 20_000;
const OTHERS = JSON.stringify(['…', '', '']);

/** Adds one tally to another, which changes. */
export function addTally(sum: Tally, part: Tally): void {
  add(sum as unknown as Sums, part as unknown as Sums);
  if (Object.keys(part.unrecognised).length > 0 && Object.keys(sum.unrecognised).length > 2 * KINDS)
    sum.unrecognised = withinKinds(sum.unrecognised);
}

/** The sums as they are reported: the same for the same patients, in whatever order and parts they were added. */
export function finished(sum: Tally): Tally {
  return sorted({ ...sum, unrecognised: withinKinds(sum.unrecognised) });
}

/**
 * Which kinds are kept must not depend on which came first. A kind with a code is one that a site can map, so these come
 * first; among the rest a hash decides. What is once too far behind stays so, however many others come.
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

/** The same sums with their keys in order: equal ones are equal as text. */
export function sorted<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)])) as T;
}
