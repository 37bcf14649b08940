import fhirpath from 'fhirpath';
import type { Drug, Result } from '../chart/chart.ts';
import { during, endedSince, startingAnew, together, useOf, within } from '../chart/relate.ts';
import { newestOf } from '../chart/results.ts';
import {
  type Certainty,
  daysBetween,
  firstDay,
  lastDay,
  onOrAfter,
  onOrBefore,
  plusDays,
  plusMonths,
} from '../dates.ts';
import { compileTree, type OwnFunction, type Variables } from './compile.ts';
import { type Node, walkedForEach } from './cost.ts';
import { givesNothing, type Known } from './known.ts';

/** A compiled FHIRPath expression: the names in it, and its evaluation over `%variables` and an input. */
export type Expression = {
  text: string;
  variables: Set<string>;
  members: Set<string>;
  lists: Set<string>;
  evaluate: Evaluate;
  /** Evaluation by fhirpath.js, which the compiled form must match. */
  interpret: Evaluate;
  /** Whether it is empty whatever the missing parts of the record contain. */
  givesNothing: (known: Omit<Known, 'own'>) => boolean;
  /** All of it is compiled. */
  compiled: boolean;
};
type Evaluate = (certainty: Certainty, variables: Variables, input?: unknown) => unknown[];

type Listed = { lists?: string[] };
type Fields = Record<string, unknown>;

/**
 * The functions of facts besides FHIRPath's own. Dates are compared with their whole span: with `all`, a partial date
 * is on a side only if all of its days are; with `some`, if any may be (recommendations.md, 3).
 */
function functions(certainty: Certainty) {
  const compare = (holds: (date: string, limit: string, certainty: Certainty) => boolean) => ({
    fn: (dates: unknown[], limit: unknown) =>
      typeof limit === 'string'
        ? dates.filter((date) => typeof date === 'string').some((date) => holds(date, limit, certainty))
        : false,
    arity: { 1: ['String'] },
  });
  const others = { 0: [], 1: ['AnyAtRoot'] };
  return {
    /** Whether any item of the input is in the code list. */
    memberOf: {
      fn: (items: Listed[], list: string) => items.some((item) => item?.lists?.includes(list)),
      arity: { 1: ['String'] },
    },
    onOrBefore: compare(onOrBefore),
    onOrAfter: compare(onOrAfter),
    before: compare((date, limit, sure) => !onOrAfter(date, limit, sure === 'all' ? 'some' : 'all')),
    after: compare((date, limit, sure) => !onOrBefore(date, limit, sure === 'all' ? 'some' : 'all')),
    plusDays: {
      fn: ([date]: string[], days: number) => (date ? plusDays(lastDay(date), days) : []),
      arity: { 1: ['Number'] },
    },
    minusDays: {
      fn: ([date]: string[], days: number) => (date ? plusDays(lastDay(date), -days) : []),
      arity: { 1: ['Number'] },
    },
    plusMonths: {
      fn: (dates: string[], months: number) =>
        dates.map((date) => plusMonths(certainty === 'all' ? lastDay(date) : firstDay(date), months)),
      arity: { 1: ['Number'] },
    },
    minusMonths: {
      fn: ([date]: string[], months: number) => (date ? plusMonths(lastDay(date), -months) : []),
      arity: { 1: ['Number'] },
    },
    /** Treatments that count from today on or, with drafts, on a day of theirs. */
    within: { fn: (drugs: Drug[], drafts: Drug[] = []) => within(drugs, drafts), arity: others },
    /** The same, extended by the product's effect after its last dose, without days between supplies. */
    cleared: { fn: (drugs: Drug[], drafts: Drug[] = []) => within(drugs, drafts, 'clearance'), arity: others },
    /** Like `within`, without days between supplies. */
    strictly: { fn: (drugs: Drug[], drafts: Drug[] = []) => within(drugs, drafts, 0), arity: others },
    /** Pairs whose periods share a day. */
    together: { fn: (drugs: Drug[], partners: Drug[]) => together(drugs, partners), arity: { 1: ['AnyAtRoot'] } },
    /** The same, or one ended before and its product's effect after the last dose reaches the other. */
    togetherOrCleared: {
      fn: (drugs: Drug[], partners: Drug[]) => together(drugs, partners, 'clearance'),
      arity: { 1: ['AnyAtRoot'] },
    },
    /** Like `together`, or one ended at most so many days before. */
    togetherOrAfter: {
      fn: (drugs: Drug[], partners: Drug[], days: number) => together(drugs, partners, days),
      arity: { 2: ['AnyAtRoot', 'Number'] },
    },
    /** Use over time: `use(gapDays)` returns courses. */
    use: { fn: (drugs: Drug[], gapDays: number) => useOf(drugs, gapDays), arity: { 1: ['Number'] } },
    /** Drafts that do not continue any of the treatments. */
    startingAnew: { fn: (drafts: Drug[], drugs: Drug[]) => startingAnew(drafts, drugs), arity: { 1: ['AnyAtRoot'] } },
    /** Treatments that were, or may have been, taken on or after a day. */
    since: { fn: (drugs: Drug[], day: string) => endedSince(drugs, day), arity: { 1: ['String'] } },
    /** Results of days on which one of the treatments was taken or presumed. */
    during: { fn: (results: Result[], drugs: Drug[]) => during(results, drugs), arity: { 1: ['AnyAtRoot'] } },
    /** Items that share a value of a field with any of the others: `sharing('requester', %others)`. */
    sharing: {
      fn: (items: Fields[], field: string, partners: Fields[]) => {
        const values = new Set(partners.flatMap((other) => other?.[field] ?? []));
        return items.filter((item) => [item?.[field] ?? []].flat().some((value) => values.has(value)));
      },
      arity: { 2: ['String', 'AnyAtRoot'] },
    },
    /** Days from the first to the last of some dates. */
    spanDays: {
      fn: (dates: string[]) => {
        const days = dates.map((date) => lastDay(date)).sort();
        return days.length === 0 ? [] : daysBetween(days[0] as string, days.at(-1) as string);
      },
      arity: { 0: [] },
    },
    /** For each question the newest result with a meaning; of two at one time, the positive one. */
    newest: { fn: (results: Result[]) => newestOf(results), arity: { 0: [] } },
  };
}

const tables: Record<Certainty, ReturnType<typeof functions>> = { all: functions('all'), some: functions('some') };

const known = new Map<string, Expression>();

/** Compiles an expression, once per text. Throws an Error with a one-line message if it is not FHIRPath. */
export function compileExpression(text: string): Expression {
  const expression = known.get(text) ?? compile(text);
  known.set(text, expression);
  return expression;
}

function compile(text: string): Expression {
  const tree = fhirpath.parse(text) as Node;
  const named = {
    variables: new Set<string>(),
    members: new Set<string>(),
    functions: new Set<string>(),
    lists: new Set<string>(),
  };
  collect(tree, named);
  for (const name of named.functions) if (!isFunction(name)) throw new Error(`there is no function '${name}'`);
  // In fhirpath.js a bare `where(current)` is true if the field exists, even if it is `false`.
  if (hasBareField(tree)) throw new Error('a bare field in where(…): write `field = true`');
  const walked = walkedForEach(tree);
  if (walked !== undefined)
    throw new Error(`'%${walked}' would be searched once for each item: make that search a fact of its own`);
  const interpreters: Partial<Record<Certainty, (input: unknown, variables: Record<string, unknown>) => unknown[]>> =
    {};
  const interpret: Evaluate = (certainty, variables, input = {}) => {
    // Few expressions are interpreted, and few of these need the second reading.
    interpreters[certainty] ??= fhirpath.compile(text, undefined, {
      userInvocationTable: tables[certainty] as never,
    }) as (input: unknown, variables: Record<string, unknown>) => unknown[];
    return interpreters[certainty](
      input,
      Object.fromEntries([...named.variables].map((name) => [name, variables(name)])),
    );
  };
  const compiled = {
    all: compileTree(tree, tables.all as unknown as Record<string, OwnFunction>),
    some: compileTree(tree, tables.some as unknown as Record<string, OwnFunction>),
  };
  return {
    text,
    variables: named.variables,
    members: named.members,
    lists: named.lists,
    evaluate: (certainty, variables, input = {}) =>
      compiled[certainty]?.(input, variables) ?? interpret(certainty, variables, input),
    interpret,
    givesNothing: (known) =>
      givesNothing(tree, { ...known, own: tables.all as unknown as Record<string, OwnFunction> }),
    compiled: compiled.all !== undefined,
  };
}

function collect(
  node: Node,
  named: { variables: Set<string>; members: Set<string>; functions: Set<string>; lists: Set<string> },
): void {
  const text = node.text ?? '';
  if (node.type === 'ExternalConstantTerm') named.variables.add(text);
  else if (node.type === 'MemberInvocation') named.members.add(text);
  else if (node.type === 'FunctionInvocation') {
    named.functions.add(text);
    if (text === 'memberOf') collectText(node, named.lists);
    if (text === 'sharing') collectText(node, named.members);
  }
  for (const child of node.children ?? []) collect(child, named);
}

function hasBareField(node: Node): boolean {
  const bare =
    node.type === 'FunctionInvocation' && ['where', 'exists', 'all'].includes(node.text ?? '') && isBareField(node);
  return bare || (node.children ?? []).some(hasBareField);
}

/** Whether a call's argument is a single field name: every node down to it has one child. */
function isBareField(call: Node): boolean {
  let node = call.children?.[0]?.children?.find(({ type }) => type === 'ParamList');
  while (node?.children?.length === 1 && node.type !== 'MemberInvocation') node = node.children[0];
  return node?.type === 'MemberInvocation';
}

function collectText(node: Node, texts: Set<string>): void {
  if (node.type === 'StringLiteral') texts.add((node.text ?? '').slice(1, -1));
  else for (const child of node.children ?? []) collectText(child, texts);
}

function isFunction(name: string): boolean {
  return name in tables.all || FHIRPATH_FUNCTIONS.has(name);
}

/** FHIRPath's own functions allowed in facts. fhirpath.js reports an unknown function only when it evaluates it. */
const FHIRPATH_FUNCTIONS = new Set(
  'where select exists all empty not first last tail skip take count distinct iif intersect exclude union combine ofType is sum min max abs ceiling'.split(
    ' ',
  ),
);
