import type { Chart, Course, Drug, Pair } from '../chart/chart.ts';
import { type Certainty, isPartial } from '../dates.ts';
import { activitySections, type Section, sections } from '../fhir/prefetch.ts';
import type { Variables } from './compile.ts';
import type { Guideline } from './knowledge.ts';

export type FactOutcome = 'holds' | 'does-not-hold' | 'not-known';

/** The outcome of a fact, and the resources behind it. The findings are the trace. */
export type Finding = {
  fact: string;
  outcome: FactOutcome;
  value: unknown[];
  resources: string[];
  /** The courses in it, directly or through other facts; only if it holds. */
  courses: Course[];
  /** For `not-known`: the missing parts of the record. Empty if a date is only partly known. */
  missing: Section[];
};

/** Looks up facts; each is evaluated once, on first use. */
export function findings(guideline: Guideline, views: Views): (name: string) => Finding {
  const found = new Map<string, Finding>();
  const all = reading(guideline, views, 'all');
  const read = { all, some: reading(guideline, views, 'some'), empty: emptiness(guideline, views, all) };
  return (name) => {
    const known = found.get(name);
    if (known) return known;
    const finding = find(guideline, name, read, views);
    found.set(name, finding);
    return finding;
  };
}

function find(
  guideline: Guideline,
  name: string,
  read: Record<Certainty, Variables> & { empty: (name: string) => boolean },
  { incomplete, unclear }: Views,
): Finding {
  const fact = guideline.facts.get(name);
  if (!fact) throw new Error(`no fact ${name} in ${guideline.file.id}`);
  const value = read.all(name) as unknown[];
  const base = { fact: name, value, resources: resourcesOf(value), courses: [] };
  if (isTrue(value))
    return { ...base, courses: coursesBehind(guideline, name, read.all), outcome: 'holds', missing: [] };
  const missing = incomplete.filter((section) => fact.sections.has(section));
  if (missing.length > 0 && !read.empty(name)) return { ...base, outcome: 'not-known', missing };
  if (!unclear) return { ...base, outcome: 'does-not-hold', missing: [] };
  // The record is complete but partly imprecise: would the fact hold in the favourable case?
  const possible = read.some(name) as unknown[];
  if (!isTrue(possible)) return { ...base, outcome: 'does-not-hold', missing: [] };
  return { ...base, outcome: 'not-known', resources: resourcesOf(possible), missing: [] };
}

/** For a fact that holds; the facts that it uses have mostly been evaluated. */
function coursesBehind(guideline: Guideline, name: string, read: Variables): Course[] {
  const courses = (read(name) as unknown[]).filter(isCourse);
  if (courses.length > 0) return courses;
  const others = [...(guideline.facts.get(name)?.expression.variables ?? [])].filter((other) =>
    guideline.facts.has(other),
  );
  return others.flatMap((other) => coursesBehind(guideline, other, read));
}

function isCourse(item: unknown): item is Course {
  return typeof item === 'object' && item !== null && 'drugs' in item && 'start' in item && 'end' in item;
}

/** Facts see the chart, the parameters and the facts above them; each is found on first use. */
function reading({ facts, parameters }: Guideline, { chart }: Views, certainty: Certainty): Variables {
  const known = new Map<string, unknown[]>();
  const value = (name: string): unknown => {
    const fact = facts.get(name);
    if (!fact) return parameters[name] ?? chart[certainty][name];
    let found = known.get(name);
    if (found === undefined) {
      found = fact.expression.evaluate(certainty, value);
      known.set(name, found);
    }
    return found;
  };
  return value;
}

/** Whether a fact does not hold, whatever the missing parts of the record contain. */
function emptiness(
  { facts }: Guideline,
  { incomplete, medicationList }: Views,
  variables: Variables,
): (name: string) => boolean {
  const known = new Map<string, boolean>();
  const isWhole = (name: string) => {
    const own = name in sectionOfVariable ? sectionOf(name, medicationList) : undefined;
    const sections = facts.get(name)?.sections ?? (own === undefined ? [] : [own]);
    return ![...sections].some((section) => incomplete.includes(section));
  };
  const isEmpty = (name: string): boolean => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const fact = facts.get(name);
    const value = variables(name);
    if (Array.isArray(value) ? isTrue(value) : value !== undefined) return false;
    const result = isWhole(name) || (fact?.expression.givesNothing({ isEmpty, isWhole, variables }) ?? false);
    known.set(name, result);
    return result;
  };
  return isEmpty;
}

/** Common to all guidelines: the chart in each reading, and what is unknown in it. */
export type Views = {
  chart: Record<Certainty, Record<string, unknown>>;
  incomplete: Section[];
  unclear: boolean;
  medicationList: Section;
};

export function viewsOf(chart: Chart, medicationList: Section): Views {
  const all: Record<string, unknown> = {
    hook: chart.hook,
    today: chart.today,
    // Facts ask for a minimum age.
    age: chart.age?.least ?? [],
    setting: chart.setting ?? [],
    drafts: chart.drafts,
    ordered: chart.drafts.filter((draft) => draft.ordered),
    treatments: chart.treatments,
    before: chart.before,
    conditions: chart.conditions,
    results: chart.results,
    ...Object.fromEntries(activitySections.map((section) => [section, chart[section]])),
  };
  return {
    chart: { all, some: { ...all, age: chart.age?.most ?? [] } },
    incomplete: sections.filter((section) => chart.sections[section] !== 'complete'),
    unclear: isUnclear(chart),
    medicationList,
  };
}

/** The part of the record behind each variable. The drafts are always present, in the request. */
export const sectionOfVariable: Record<string, Section | undefined> = {
  hook: undefined,
  today: undefined,
  drafts: undefined,
  ordered: undefined,
  treatments: 'medications',
  before: 'medications',
  conditions: 'conditions',
  age: 'patient',
  setting: 'encounter',
  results: 'observations',
  ...Object.fromEntries(activitySections.map((section) => [section, section])),
};

/** The part of the record behind a variable, depending on where the site keeps its medication list. */
export function sectionOf(variable: string, medicationList: Section): Section | undefined {
  const section = sectionOfVariable[variable];
  return section === 'medications' ? medicationList : section;
}

/** A variable only for facts of hooks/classes.yaml: treatments without a named medicine. */
export const classVariables = ['otherwise'];

function isUnclear(chart: Chart): boolean {
  const partial = (date: string | undefined) => date !== undefined && isPartial(date);
  return (
    chart.age?.least !== chart.age?.most ||
    chart.conditions.some(({ onset }) => partial(onset)) ||
    chart.results.some(({ date }) => partial(date)) ||
    activitySections.some((section) => chart[section].some(({ date }) => partial(date)))
  );
}

/** "It holds if it is true or non-empty." */
function isTrue(value: unknown[]): boolean {
  return value.length > 0 && !(value.length === 1 && value[0] === false);
}

function resourcesOf(value: unknown[]): string[] {
  return value.flatMap((item) => {
    if (isPair(item)) return [item.one.ref, item.other.ref];
    const ref = (item as { ref?: string } | null)?.ref;
    return typeof ref === 'string' ? [ref] : [];
  });
}

export function isPair(item: unknown): item is Pair {
  return typeof item === 'object' && item !== null && 'one' in item && 'other' in item;
}

export function isDrug(item: unknown): item is Drug {
  return typeof item === 'object' && item !== null && 'timeline' in item;
}

/** Each once. A draft that changes an order to another substance shares its reference. */
export function eachOnce(drugs: Drug[]): Drug[] {
  return [...new Map(drugs.map((drug) => [`${drug.ref}|${drug.substance}`, drug])).values()];
}

/** The medicines in a fact's value, each once: both of a pair, all of a course. */
export function drugsOf(value: unknown[]): Drug[] {
  const drugs = value.flatMap((item): Drug[] =>
    isPair(item) ? [item.one, item.other] : isDrug(item) ? [item] : isCourse(item) ? item.drugs : [],
  );
  return eachOnce(drugs);
}
