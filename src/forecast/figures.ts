import { compareTexts } from '../text.ts';
import type { RuleInfo } from './knowledge.ts';
import { emptyCounts, type RuleCounts, type Tally } from './tally.ts';

/** A rule's counts over the whole time or one year, and per orders and patients. */
export type RuleFigure = RuleCounts & {
  rule: string;
  recommendation: string;
  off: boolean;
  /** Patients with at least one of its cards. */
  patients: number;
  /** Its cards at order-sign per 100 orders; its cards at patient-view per 100 visits. */
  per100Orders: number | undefined;
  per100Visits: number | undefined;
  /** Its cards at any hook per 100 patient years. */
  per100Patients: number | undefined;
};

/** A rule's counts and rates, by name. */
export type Rate = Exclude<keyof RuleFigure, 'rule' | 'recommendation' | 'off'>;

/** One figure of a rule; undefined if there is no such rule here. */
export function figureOf(rules: RuleFigure[], id: string, rate: Rate): number | undefined {
  return rules.find(({ rule }) => rule === id)?.[rate];
}

/** Number of recent years with a column each. */
const SINGLE = 10;

/** One year, or all earlier years together. */
export type Period = {
  name: string;
  from: string;
  to: string;
  /** For a period of several years, patient years. */
  patients: number;
  orders: number;
  visits: number;
  rules: RuleFigure[];
};

/** The counts of all rules together, and more. */
export type Figures = RuleCounts & {
  years: string[];
  patients: number;
  patientYears: number;
  orders: number;
  visits: number;
  /** Orders and visits with a card of a rule, in percent. */
  ordersWithCard: number | undefined;
  visitsWithCard: number | undefined;
  cardsPer100Orders: number | undefined;
  cardsPer100Patients: number | undefined;
  patientsWithCard: number;
  notChecked: number;
  refusals: number;
  rules: RuleFigure[];
  /** The last ten years, preceded by all earlier ones together. */
  periods: Period[];
  unrecognised: { name: string; system: string; code: string; orders: number }[];
};

const HOOK = { order: 'order-sign', visit: 'patient-view' } as const;

/** The figures for a committee, from the sums. Pure. */
export function figuresOf({ tally, rules: known }: { tally: Tally; rules: RuleInfo[] }): Figures {
  const years = Object.keys(tally.calls).sort();
  const calls = (of: string[], hook: string) => sum(of.map((year) => tally.calls[year]?.[hook] ?? 0));
  const patientYears = sum(years.map((year) => tally.patientsByYear[year] ?? 0));
  const rulesIn = (of: string[], whose: string[], patients: number): RuleFigure[] =>
    known.map((rule) => {
      const at = (hook: string) => of.map((year) => tally.rules[rule.id]?.[year]?.[hook] ?? emptyCounts());
      // A rule without this hook has no share there, not even 0.
      const share = (hook: 'order-sign' | 'patient-view') =>
        rule.hooks.includes(hook) ? per100(sum(at(hook).map(({ cards }) => cards)), calls(of, hook)) : undefined;
      const both = Object.values(HOOK).flatMap(at);
      const total = both.reduce(addCounts, emptyCounts());
      return {
        rule: rule.id,
        recommendation: rule.recommendation,
        off: rule.off,
        ...total,
        patients: sum(whose.map((year) => tally.patientsByRule[rule.id]?.[year] ?? 0)),
        per100Orders: share(HOOK.order),
        per100Visits: share(HOOK.visit),
        per100Patients: per100(total.cards, patients),
      };
    });
  const rules = rulesIn(years, ['all'], patientYears);
  const all = rules.reduce<RuleCounts>(addCounts, emptyCounts());
  const orders = calls(years, HOOK.order);
  const visits = calls(years, HOOK.visit);
  const withCard = (hook: string) => sum(years.map((year) => tally.callsWithCard[year]?.[hook] ?? 0));
  const unchecked = Object.values(tally.notChecked).flatMap((hooks) => Object.values(hooks));
  const atOrders = sum(
    Object.values(tally.rules).flatMap((of) => Object.values(of).map((hooks) => hooks[HOOK.order]?.cards ?? 0)),
  );
  return {
    years,
    patients: tally.patients,
    patientYears,
    orders,
    visits,
    ...all,
    ordersWithCard: per100(withCard(HOOK.order), orders),
    visitsWithCard: per100(withCard(HOOK.visit), visits),
    cardsPer100Orders: per100(atOrders, orders),
    cardsPer100Patients: per100(all.cards, patientYears),
    patientsWithCard: tally.patientsWithCard,
    notChecked: sum(unchecked.map(({ cards }) => cards)),
    refusals: sum(unchecked.map(({ refusals }) => refusals)),
    rules,
    periods: periodsOf(years).map((of) => {
      const [from, to] = [of[0] as string, of.at(-1) as string];
      const patients = sum(of.map((year) => tally.patientsByYear[year] ?? 0));
      const counted = { patients, orders: calls(of, HOOK.order), visits: calls(of, HOOK.visit) };
      return { name: from === to ? from : `${from}–${to}`, from, to, ...counted, rules: rulesIn(of, of, patients) };
    }),
    unrecognised: Object.entries(tally.unrecognised)
      .map(([key, count]) => {
        const [name = '', system = '', code = ''] = JSON.parse(key) as string[];
        return { name, system, code, orders: count };
      })
      .sort((a, b) => b.orders - a.orders || compareTexts(a.name, b.name) || compareTexts(a.code, b.code)),
  };
}

/** The earlier years together, if any, then each recent year. */
function periodsOf(years: string[]): string[][] {
  const earlier = years.slice(0, -SINGLE);
  return [...(earlier.length > 0 ? [earlier] : []), ...years.slice(-SINGLE).map((year) => [year])];
}

/** Rules with any count, those with most cards first. */
export function speaking(figures: Figures[]): string[] {
  const total = (rule: string) => sum(figures.map((of) => of.rules.find((one) => one.rule === rule)).map(weightOf));
  const rules = [...new Set(figures.flatMap(({ rules }) => rules.map(({ rule }) => rule)))];
  return rules.filter((rule) => total(rule) > 0).sort((a, b) => total(b) - total(a) || compareTexts(a, b));
}

/** Sorts by cards; rules on trial or only joining others come after all that give cards. */
function weightOf(rule: RuleFigure | undefined): number {
  return rule ? rule.cards + (rule.silent + rule.joined + rule.superseded) / 1e9 : 0;
}

function addCounts(a: RuleCounts, b: RuleCounts): RuleCounts {
  const sums = emptyCounts();
  for (const key of Object.keys(sums) as (keyof RuleCounts)[]) sums[key] = a[key] + b[key];
  return sums;
}

function per100(count: number, of: number): number | undefined {
  return of > 0 ? (count / of) * 100 : undefined;
}

function sum(values: number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
