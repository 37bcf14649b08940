import { z } from 'zod';
import type { Counts } from './figures.ts';

/** A reason for overrides, and its number of cards. Null: no reason was given. */
export type ReasonCount = { code: string | null; system: string | null; cards: number };

/** What happened to the cards of a rule, at one hook or in total. */
export type Outcome = {
  shown: number;
  accepted: number;
  overridden: number;
  /** Cards without feedback: ignored, or from a client that sends none. */
  withoutFeedback: number;
  /** Overridden cards among those with feedback, 0 to 1. Undefined without feedback. */
  overrideRate?: number;
  /** Cards per 100 calls of these hooks in which it was not on trial. Undefined without such calls. */
  per100?: number;
  /** Calls of these hooks in which it was on trial, the cards not shown, and these per 100 such calls. */
  trial: number;
  silent: number;
  silentPer100?: number;
  /** Left out: quiet after an override, or shown when the order was selected. */
  quiet: number;
  repeats: number;
};

export type RuleSummary = Outcome & {
  rule: string;
  hooks: ({ hook: string } & Outcome)[];
  reasons: ReasonCount[];
  /** Accepted suggestions, by offer. */
  offers: { offer: string; times: number }[];
  /** By period, in the order of `Summary.periods`. */
  over: { shown: number[]; accepted: number[]; overridden: number[] };
  aboveLimit: boolean;
};

export type Summary = {
  since: string;
  until: string;
  calls: { hook: string; answered: number; refused: number }[];
  periods: string[];
  /** Those above the site's limit first, then by number of cards shown. */
  rules: RuleSummary[];
  /** Patients for chart review: for each rule on trial the first ones, as many as the site asks for. */
  review: Counts['review'];
  strays: number;
};

/** Days, weeks (by their Monday) or months, so that a plot has a readable number of them. */
type Step = 'day' | 'week' | 'month';

/**
 * Sums up the counts between two days. `limit`: the override rate from which a rule comes first, 0 to 1. `review`: how
 * many patients of a rule on trial are listed, by their hashes. Pure.
 */
export function summarise(counts: Counts, since: string, until: string, limit: number, review = 0): Summary {
  const step = stepOf(since, until);
  const periods = periodsOf(since, until, step);
  const hooks = [...new Set([...counts.shown, ...counts.tallies].map(({ hook }) => hook))].sort();
  const tallied = (among: string[], kind: string, rule = '') =>
    counts.tallies
      .filter((item) => among.includes(item.hook) && item.kind === kind && item.rule === rule)
      .reduce((all, { count }) => all + count, 0);
  const calls = hooks.map((hook) => ({
    hook,
    answered: tallied([hook], 'answered'),
    refused: tallied([hook], 'refused'),
  }));
  const outcome = (rule: string, among: string[]): Outcome => {
    const of = <T extends { rule: string; hook: string }>(items: T[]) =>
      items.filter((item) => item.rule === rule && among.includes(item.hook));
    const outcomes = (kind: string) => cardsIn(of(counts.outcomes).filter((item) => item.outcome === kind));
    const shown = cardsIn(of(counts.shown));
    const silent = cardsIn(of(counts.silent));
    const withFeedback = cardsIn(of(counts.withFeedback));
    const overridden = outcomes('overridden');
    const asked = tallied(among, 'answered') + tallied(among, 'refused');
    const trial = tallied(among, 'trial', rule);
    return {
      shown,
      accepted: outcomes('accepted'),
      overridden,
      withoutFeedback: shown - withFeedback,
      ...(withFeedback > 0 && { overrideRate: overridden / withFeedback }),
      ...(asked > trial && { per100: (100 * shown) / (asked - trial) }),
      trial,
      silent,
      ...(trial > 0 && { silentPer100: (100 * silent) / trial }),
      quiet: tallied(among, 'quiet', rule),
      repeats: tallied(among, 'repeat', rule),
    };
  };
  const names = [...counts.shown, ...counts.tallies].map(({ rule }) => rule).filter((rule) => rule !== '');
  const rules = [...new Set(names)].map((rule): RuleSummary => {
    const own = <T extends { rule: string }>(items: T[]) => items.filter((item) => item.rule === rule);
    const where = hooks.filter((hook) => own([...counts.shown, ...counts.tallies]).some((item) => item.hook === hook));
    const all = outcome(rule, where);
    const over = (items: { day: string; cards: number }[]) =>
      periods.map((period) => cardsIn(items.filter(({ day }) => periodOf(day, step, since) === period)));
    const outcomes = (kind: string) => own(counts.outcomes).filter((item) => item.outcome === kind);
    return {
      rule,
      ...all,
      hooks: where.map((hook) => ({ hook, ...outcome(rule, [hook]) })),
      reasons: merged(own(counts.reasons)),
      offers: offersOf(own(counts.accepted)),
      over: {
        shown: over(own(counts.shown)),
        accepted: over(outcomes('accepted')),
        overridden: over(outcomes('overridden')),
      },
      aboveLimit: all.overrideRate !== undefined && all.overrideRate > limit,
    };
  });
  rules.sort((a, b) => Number(b.aboveLimit) - Number(a.aboveLimit) || b.shown - a.shown || (a.rule < b.rule ? -1 : 1));
  const named = rules.flatMap(({ rule }) => counts.review.filter((item) => item.rule === rule).slice(0, review));
  return { since, until, calls, periods, rules, review: named, strays: counts.strays };
}

/** Rules that were on trial in some calls: those with a card, shown or not, and the names of the others. */
export function onTrial({ rules }: Summary): { withCards: RuleSummary[]; without: string[] } {
  const tried = rules.filter(({ trial }) => trial > 0);
  const spoke = ({ shown, silent }: RuleSummary) => shown > 0 || silent > 0;
  return {
    withCards: tried.filter(spoke).sort((a, b) => b.silent - a.silent || (a.rule < b.rule ? -1 : 1)),
    without: tried.flatMap((rule) => (spoke(rule) ? [] : [rule.rule])).sort(),
  };
}

/** Rules that showed a card, or would have without a quiet period. */
export function shownRules({ rules }: Summary): RuleSummary[] {
  return rules.filter(({ shown, quiet, repeats }) => shown > 0 || quiet > 0 || repeats > 0);
}

function merged(items: Counts['reasons']): ReasonCount[] {
  const reasons = new Map<string, ReasonCount>();
  for (const { code, system, cards } of items) {
    const key = `${system}|${code}`;
    reasons.set(key, { code, system, cards: (reasons.get(key)?.cards ?? 0) + cards });
  }
  return [...reasons.values()].sort((a, b) => b.cards - a.cards || ((a.code ?? '') < (b.code ?? '') ? -1 : 1));
}

function offersOf(items: Counts['accepted']): RuleSummary['offers'] {
  const byOffer = Map.groupBy(items, ({ suggestion, offers }) => offerOf(offers, suggestion));
  return [...byOffer].map(([offer, same]) => ({ offer, times: same.length })).sort((a, b) => b.times - a.times);
}

const offersSchema = z.record(z.string(), z.string());

/**
 * The offer of a suggestion: `?` if the card has no suggestion with this id, or if the row has another structure, as from
 * another version or a damaged backup. One such row must not prevent the whole report.
 */
function offerOf(offers: string, suggestion: string | null): string {
  try {
    return offersSchema.parse(JSON.parse(offers))[suggestion ?? ''] ?? '?';
  } catch {
    return '?';
  }
}

function cardsIn(items: { cards: number }[]): number {
  return items.reduce((all, { cards }) => all + cards, 0);
}

const DAY = 86_400_000;

function stepOf(since: string, until: string): Step {
  const days = (Date.parse(until) - Date.parse(since)) / DAY;
  if (days <= 45) return 'day';
  return days <= 400 ? 'week' : 'month';
}

/** The first day of a day's period; the first period begins with the report. */
function periodOf(day: string, step: Step, since: string): string {
  if (step === 'day') return day;
  const date = new Date(`${day}T00:00:00Z`);
  const monday = new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY);
  const first = step === 'month' ? `${day.slice(0, 7)}-01` : monday.toISOString().slice(0, 10);
  return first < since ? since : first;
}

function periodsOf(since: string, until: string, step: Step): string[] {
  const periods = new Set<string>();
  for (let at = Date.parse(since); at <= Date.parse(until); at += DAY)
    periods.add(periodOf(new Date(at).toISOString().slice(0, 10), step, since));
  return [...periods];
}
