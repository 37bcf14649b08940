import type { Chart, Medication } from '../chart/chart.ts';
import type { Course } from '../chart/courses.ts';
import { type Certainty, isPartial } from '../dates.ts';
import { type Section, sections } from '../fhir/prefetch.ts';
import type { Expression, Variables } from './expression.ts';
import { factsOfRule, type Guideline, type IndicatorCase, type Knowledge, type Rule } from './knowledge.ts';
import { areMet, type Look } from './needs.ts';
import { joinFamilies, supersede } from './precedence.ts';
import { type Indicator, indicators } from './schema.ts';

export type FactOutcome = 'holds' | 'does-not-hold' | 'not-known';

/** What a fact came to, and the resources it rests on. The findings are the trace. */
export type Finding = {
  fact: string;
  outcome: FactOutcome;
  value: unknown[];
  resources: string[];
  /** The courses that it is about, itself or through the facts it is made from; of one that holds only. */
  courses: Course[];
  /** For `not-known`: the parts of the record that are missing. None: the record is unclear, not missing. */
  missing: Section[];
};

/**
 * `fires`: the card is given; `joins`: it speaks on the card of its family. The kinds of silence are told apart:
 * `does-not-hold`, `not-known`, `switched-off`, `superseded` by another rule about the same drugs, `rides-only` (it holds,
 * and has no card to ride on), `quiet` (a prescriber accepted it lately, see quiet.ts), `repeat` (shown when the order was
 * selected, and the client asked not to see it again).
 */
export type RuleOutcome =
  | 'fires'
  | 'joins'
  | 'does-not-hold'
  | 'not-known'
  | 'switched-off'
  | 'superseded'
  | 'rides-only'
  | 'quiet'
  | 'repeat';

export type RuleResult = {
  rule: Rule;
  outcome: RuleOutcome;
  /** What each fact of the rule came to, looked up when asked for: a silent rule is mostly decided by its first. */
  findings: Findings;
  indicator: Indicator;
  /** The medicines that the card is about, each once. None where the rule is silent. */
  about: Medication[];
  missing: Section[];
  /** The rule that supersedes it, or whose card it joins. */
  by?: string;
};

export type Findings = Pick<ReadonlyMap<string, Finding>, 'get' | 'values' | typeof Symbol.iterator>;

/** The parts of the record without which silence would be a claim nobody can make (recommendations.md). */
export const NEEDED_FOR_SILENCE: readonly Section[] = ['medications', 'conditions'];

/** Decides every rule of the call's hook. Pure: the same knowledge and chart give the same results in the same order. */
export function evaluate(knowledge: Knowledge, chart: Chart): RuleResult[] {
  const classified = applyClasses(knowledge, chart);
  const views = viewsOf(classified);
  const results = knowledge.guidelines.flatMap((guideline) => {
    const look = findings(guideline, classified, views);
    return guideline.rules
      .filter((rule) => (rule.hooks as readonly string[]).includes(chart.hook))
      .map((rule) => decide(rule, look));
  });
  return joinFamilies(supersede(results)).sort(
    (a, b) => indicators.indexOf(b.indicator) - indicators.indexOf(a.indicator),
  );
}

/** Adds the classes that depend on the patient to each medicine's lists. */
function applyClasses(knowledge: Knowledge, chart: Chart): Chart {
  const copy = (medication: Medication): Medication => ({ ...medication, lists: [...medication.lists] });
  const drafts = chart.drafts.map(copy);
  const medications = chart.medications.map(copy);
  const variables = environment({ ...chart, drafts: [], medications: [] }, 'all');
  for (const [name, fact] of knowledge.classFacts) variables[name] = fact.evaluate('all', variables);
  const all = [...drafts, ...medications];
  const look = lookOver((name) => (name === '' ? all : variables[name]));
  for (const [name, expression] of knowledge.classes) {
    if (!areMet(expression.shortcut.needs, look)) continue;
    for (const medication of expression.evaluate('all', variables, all) as Medication[]) medication.lists.push(name);
  }
  return { ...chart, drafts, medications };
}

/** Looks facts up, each evaluated once, when first asked for. */
function findings(guideline: Guideline, chart: Chart, views: Views): (name: string) => Finding {
  const found = new Map<string, Finding>();
  const readings: Record<Certainty, (name: string) => unknown[]> = {
    all: reading(guideline, views, 'all'),
    some: reading(guideline, views, 'some'),
  };
  const unclear = isUnclear(chart);
  return (name) => {
    const known = found.get(name);
    if (known) return known;
    const finding = find(guideline, chart, name, readings, unclear);
    found.set(name, finding);
    return finding;
  };
}

function find(
  guideline: Guideline,
  chart: Chart,
  name: string,
  readings: Record<Certainty, (name: string) => unknown[]>,
  unclear: boolean,
): Finding {
  const fact = guideline.facts.get(name);
  if (!fact) throw new Error(`no fact ${name} in ${guideline.file.id}`);
  const value = readings.all(name);
  const base = { fact: name, value, resources: resourcesOf(value), courses: [] };
  if (isTrue(value))
    return { ...base, courses: coursesBehind(guideline, name, readings.all), outcome: 'holds', missing: [] };
  const missing = sections.filter((section) => fact.sections.has(section) && chart.sections[section] !== 'complete');
  if (missing.length > 0) return { ...base, outcome: 'not-known', missing };
  if (!unclear) return { ...base, outcome: 'does-not-hold', missing: [] };
  // The record is all here but unclear in places: would the fact hold if what is unclear were so?
  const possible = readings.some(name);
  if (!isTrue(possible)) return { ...base, outcome: 'does-not-hold', missing: [] };
  return { ...base, outcome: 'not-known', resources: resourcesOf(possible), missing: [] };
}

/** Of a fact that holds: what it is made from has mostly been evaluated for it. */
function coursesBehind(guideline: Guideline, name: string, read: (name: string) => unknown[]): Course[] {
  const courses = read(name).filter(isCourse);
  if (courses.length > 0) return courses;
  const others = [...(guideline.facts.get(name)?.expression.variables ?? [])].filter((other) =>
    guideline.facts.has(other),
  );
  return others.flatMap((other) => coursesBehind(guideline, other, read));
}

function isCourse(item: unknown): item is Course {
  return typeof item === 'object' && item !== null && 'medications' in item && 'start' in item && 'end' in item;
}

function reading(guideline: Guideline, views: Views, certainty: Certainty): (name: string) => unknown[] {
  const known = new Map<string, unknown[]>();
  const look = lookOver((name) => (guideline.facts.has(name) ? value(name) : views[certainty]()[name]));
  const value = (name: string): unknown[] => {
    const before = known.get(name);
    if (before) return before;
    const fact = guideline.facts.get(name);
    if (!fact) return [];
    const { expression } = fact;
    const { needs, otherwise } = expression.shortcut;
    const result = areMet(needs, look) ? evaluated(expression) : otherwise;
    known.set(name, result);
    return result;
  };
  const evaluated = (expression: Expression) => {
    const variables = { ...views[certainty](), ...guideline.parameters };
    for (const name of expression.variables) if (guideline.facts.has(name)) variables[name] = value(name);
    return expression.evaluate(certainty, variables);
  };
  return value;
}

/** The variables of a chart in each reading, made when first asked for and the same for all guidelines. */
type Views = Record<Certainty, () => Variables>;

function viewsOf(chart: Chart): Views {
  const made: Partial<Record<Certainty, Variables>> = {};
  const view = (certainty: Certainty) => () => {
    made[certainty] ??= environment(chart, certainty);
    return made[certainty];
  };
  return { all: view('all'), some: view('some') };
}

/** Looks at what variables hold; the lists of their items are gathered once. */
function lookOver(held: (name: string) => unknown): Look {
  const lists = new Map<string, Set<string>>();
  return {
    variable: (name) => {
      const value = held(name);
      return Array.isArray(value) ? value.length > 0 : value !== undefined;
    },
    item: (name, list) => {
      const known = lists.get(name) ?? listsIn(held(name));
      lists.set(name, known);
      return known.has(list);
    },
  };
}

function listsIn(value: unknown): Set<string> {
  const items = (Array.isArray(value) ? value : []) as { lists?: string[] }[];
  return new Set(items.flatMap((item) => item?.lists ?? []));
}

/** The variables that facts see. With `some`, what cannot be told of a medicine counts as so. */
function environment(chart: Chart, certainty: Certainty): Variables {
  const possible = (medication: Medication): Medication =>
    medication.current === undefined ? { ...medication, current: true } : medication;
  return {
    hook: chart.hook,
    today: chart.today,
    // Facts ask whether somebody is at least so old.
    age: (certainty === 'all' ? chart.age?.least : chart.age?.most) ?? [],
    setting: chart.setting ?? [],
    drafts: chart.drafts,
    ordered: chart.drafts.filter((draft) => draft.ordered),
    medications: certainty === 'some' ? chart.medications.map(possible) : chart.medications,
    conditions: chart.conditions,
    results: chart.results,
    procedures: chart.procedures,
    referrals: chart.referrals,
    appointments: chart.appointments,
    carePlans: chart.carePlans,
    familyHistory: chart.familyHistory,
  };
}

/** The part of the record that each variable comes from. The drafts are always here: they are in the request. */
export const sectionOfVariable: Record<string, Section | undefined> = {
  hook: undefined,
  today: undefined,
  drafts: undefined,
  ordered: undefined,
  medications: 'medications',
  conditions: 'conditions',
  age: 'patient',
  setting: 'encounter',
  results: 'observations',
  procedures: 'procedures',
  referrals: 'referrals',
  appointments: 'appointments',
  carePlans: 'carePlans',
  familyHistory: 'familyHistory',
};

function isUnclear(chart: Chart): boolean {
  const partial = (...dates: (string | undefined)[]) => dates.some((date) => date !== undefined && isPartial(date));
  return (
    chart.age?.least !== chart.age?.most ||
    chart.medications.some(
      (medication) => medication.current === undefined || partial(medication.start, medication.stop),
    ) ||
    chart.drafts.some((draft) => partial(draft.start, draft.stop)) ||
    chart.conditions.some((condition) => partial(condition.onset)) ||
    chart.results.some((result) => partial(result.date)) ||
    [...chart.procedures, ...chart.referrals, ...chart.appointments, ...chart.carePlans].some(({ date }) =>
      partial(date),
    )
  );
}

function decide(rule: Rule, look: (name: string) => Finding): RuleResult {
  const outcomeOf = (name: string) => look(name).outcome;
  const indicatorOf = ({ facts }: IndicatorCase) =>
    facts.length === 0 || facts.some((name) => outcomeOf(name) === 'holds');
  const silent = { rule, findings: findingsOf(rule, look), indicator: quietest(rule), about: [], missing: [] };
  if (rule.off) return { ...silent, outcome: 'switched-off' };
  if (
    rule.when.some((name) => outcomeOf(name) === 'does-not-hold') ||
    [...rule.unless, ...rule.without].some((name) => outcomeOf(name) === 'holds')
  )
    return { ...silent, outcome: 'does-not-hold' };
  const result = {
    ...silent,
    indicator: (rule.indicators.find(indicatorOf) as IndicatorCase).indicator,
    about: medicationsOf(rule.about.flatMap((name) => look(name).value)),
  };
  // What must be present and is not known, and what must be absent and is not known to be.
  const undecided = [...rule.when, ...rule.without].map(look).filter(({ outcome }) => outcome === 'not-known');
  if (undecided.length === 0) return { ...result, outcome: 'fires' };
  return { ...result, outcome: 'not-known', missing: [...new Set(undecided.flatMap(({ missing }) => missing))] };
}

/** How a rule speaks where nothing makes it louder: the last case has no facts. */
function quietest({ indicators: cases }: Rule): Indicator {
  return (cases.at(-1) as IndicatorCase).indicator;
}

function findingsOf(rule: Rule, look: (name: string) => Finding): Findings {
  const all = () => new Map(factsOfRule(rule).map((name) => [name, look(name)]));
  return {
    get: (name) => (factsOfRule(rule).includes(name) ? look(name) : undefined),
    values: () => all().values(),
    [Symbol.iterator]: () => all()[Symbol.iterator](),
  };
}

/** What is not known of a rule that could not be decided, or that speaks although something might silence it. */
export function openFindings({ rule, outcome, findings }: RuleResult): Finding[] {
  const spoken = outcome === 'fires' || outcome === 'joins';
  const names = outcome === 'not-known' ? [...rule.when, ...rule.without] : spoken ? rule.unless : [];
  return names.map((name) => findings.get(name) as Finding).filter((finding) => finding.outcome === 'not-known');
}

/**
 * The parts of the record whose absence forbids the answer "nothing to warn about": a rule could not be decided, and
 * it rests on the medication list, or on another needed part while it may warn (recommendations.md, "What could not
 * be checked"; an `info` rule that lacks conditions stays silent, and the trace says so).
 */
export function missingForSilence(results: RuleResult[]): Section[] {
  const missing = results
    .filter(({ outcome }) => outcome === 'not-known')
    .flatMap(({ rule, missing }) => missing.filter((section) => section === 'medications' || mayWarn(rule)));
  return needed(missing);
}

/** What a card says was not checked: also what a rule that speaks would have been silenced by. */
export function missingForCards(results: RuleResult[]): Section[] {
  const open = results
    .filter(({ outcome }) => outcome !== 'not-known')
    .flatMap((result) => openFindings(result).flatMap(({ missing }) => missing));
  return needed([...missingForSilence(results), ...open]);
}

function needed(missing: Section[]): Section[] {
  return NEEDED_FOR_SILENCE.filter((section) => missing.includes(section));
}

function mayWarn(rule: Rule): boolean {
  return rule.indicators.some(({ indicator }) => indicator !== 'info');
}

/** "It holds if it is true or non-empty." */
function isTrue(value: unknown[]): boolean {
  return value.length > 0 && !(value.length === 1 && value[0] === false);
}

function resourcesOf(value: unknown[]): string[] {
  return value.map((item) => (item as { ref?: string } | null)?.ref).filter((ref) => typeof ref === 'string');
}

/** Each once; of an order that is revised, the draft. */
function medicationsOf(value: unknown[]): Medication[] {
  const medications = value.filter(
    (item): item is Medication => typeof item === 'object' && item !== null && 'identifiedBy' in item,
  );
  const drafted = new Set(medications.filter(({ draft, id }) => draft && id !== undefined).map(({ ref }) => ref));
  return [...new Set(medications.filter(({ draft, ref }) => draft || !drafted.has(ref)))];
}
