import type { Chart, Medication } from '../chart/chart.ts';
import type { Course } from '../chart/courses.ts';
import { type Certainty, isPartial } from '../dates.ts';
import { type Section, sections } from '../fhir/prefetch.ts';
import type { Expression, Variables } from './expression.ts';
import type { Guideline, Knowledge } from './knowledge.ts';
import { areMet, INPUT, keptOf, type Look } from './needs.ts';

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

/** Adds the classes that depend on the patient to each medicine's lists. */
export function applyClasses(knowledge: Knowledge, chart: Chart): Chart {
  const copy = (medication: Medication): Medication => ({ ...medication, lists: [...medication.lists] });
  const drafts = chart.drafts.map(copy);
  const medications = chart.medications.map(copy);
  const variables = environment({ ...chart, drafts: [], medications: [] }, 'all');
  for (const [name, fact] of knowledge.classFacts) variables[name] = fact.evaluate('all', variables);
  const all = [...drafts, ...medications];
  for (const [name, expression] of knowledge.classes) {
    // A class may ask for one before it, so what is in the lists is looked up anew.
    const look = lookOver((of) => (of === INPUT ? all : variables[of]), new Map());
    if (!areMet(expression.shortcut.needs, look)) continue;
    const kept = keptOf(all, INPUT, expression.shortcut);
    for (const medication of expression.evaluate('all', variables, kept) as Medication[]) medication.lists.push(name);
  }
  return { ...chart, drafts, medications };
}

/** Looks facts up, each evaluated once, when first asked for. */
export function findings(guideline: Guideline, views: Views): (name: string) => Finding {
  const found = new Map<string, Finding>();
  const readings: Partial<Record<Certainty, (name: string) => unknown[]>> = {};
  const read = (certainty: Certainty) => {
    readings[certainty] ??= reading(guideline, views, certainty);
    return readings[certainty];
  };
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
  read: (certainty: Certainty) => (name: string) => unknown[],
  { incomplete, unclear }: Views,
): Finding {
  const fact = guideline.facts.get(name);
  if (!fact) throw new Error(`no fact ${name} in ${guideline.file.id}`);
  const value = read('all')(name);
  const base = { fact: name, value, resources: resourcesOf(value), courses: [] };
  if (isTrue(value))
    return { ...base, courses: coursesBehind(guideline, name, read('all')), outcome: 'holds', missing: [] };
  const missing = incomplete.filter((section) => fact.sections.has(section));
  if (missing.length > 0) return { ...base, outcome: 'not-known', missing };
  if (!unclear) return { ...base, outcome: 'does-not-hold', missing: [] };
  // The record is all here but unclear in places: would the fact hold if what is unclear were so?
  const possible = read('some')(name);
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
  const { facts, parameters } = guideline;
  const held = (name: string) => (facts.has(name) ? value(name) : (parameters[name] ?? views[certainty]()[name]));
  const look = lookOver(held, views.lists);
  const value = (name: string): unknown[] => {
    const before = known.get(name);
    if (before) return before;
    const fact = facts.get(name);
    if (!fact) return [];
    const { needs, otherwise } = fact.expression.shortcut;
    const result = areMet(needs, look) ? evaluated(fact.expression) : otherwise;
    known.set(name, result);
    return result;
  };
  const evaluated = (expression: Expression) => {
    const variables: Variables = {};
    for (const name of expression.variables) variables[name] = keptOf(held(name), name, expression.shortcut);
    return expression.evaluate(certainty, variables);
  };
  return value;
}

/**
 * What is the same for all guidelines: the variables of a chart in each reading, made when first asked for; the lists in
 * which the items of a value stand, gathered when first looked at; and what of the chart is not known.
 */
export type Views = Record<Certainty, () => Variables> & {
  lists: Map<unknown, Set<string>>;
  incomplete: Section[];
  unclear: boolean;
};

export function viewsOf(chart: Chart): Views {
  const made: Partial<Record<Certainty, Variables>> = {};
  const view = (certainty: Certainty) => () => {
    made[certainty] ??= environment(chart, certainty);
    return made[certainty];
  };
  return {
    all: view('all'),
    some: view('some'),
    lists: new Map(),
    incomplete: sections.filter((section) => chart.sections[section] !== 'complete'),
    unclear: isUnclear(chart),
  };
}

/** Looks at what variables hold; the lists of their items are gathered once. */
function lookOver(held: (name: string) => unknown, lists: Views['lists']): Look {
  return {
    variable: (name) => {
      const value = held(name);
      return Array.isArray(value) ? value.length > 0 : value !== undefined;
    },
    item: (name, list) => {
      const value = held(name);
      const known = lists.get(value) ?? listsIn(value);
      lists.set(value, known);
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

/** "It holds if it is true or non-empty." */
function isTrue(value: unknown[]): boolean {
  return value.length > 0 && !(value.length === 1 && value[0] === false);
}

function resourcesOf(value: unknown[]): string[] {
  return value.map((item) => (item as { ref?: string } | null)?.ref).filter((ref) => typeof ref === 'string');
}
