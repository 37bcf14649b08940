import fhirpath from 'fhirpath';
import type { Medication, Result } from '../chart/chart.ts';
import { coursesOf } from '../chart/courses.ts';
import { newestOf } from '../chart/results.ts';
import { type Certainty, firstDay, lastDay, onOrAfter, onOrBefore, plusDays, plusMonths } from '../dates.ts';
import { type Node, walkedForEach } from './cost.ts';
import { type Shortcut, shortcutOf } from './needs.ts';

/** A compiled FHIRPath expression: what it names, and how it is evaluated over `%variables` and an input. */
export type Expression = {
  text: string;
  variables: Set<string>;
  members: Set<string>;
  lists: Set<string>;
  /** Without what it gives nothing, or false. */
  shortcut: Shortcut;
  evaluate: (certainty: Certainty, variables: Variables, input?: unknown) => unknown[];
};
export type Variables = Record<string, unknown>;

type Listed = { lists?: string[] };
type Fields = Record<string, unknown>;

/**
 * The functions that facts have beside FHIRPath's own. Dates are compared with their whole span: a partial date lies
 * on a side only where all of it does; with `some`, where it still may (recommendations.md, "Counting days").
 */
function functions(certainty: Certainty) {
  const compare = (holds: (date: string, limit: string, certainty: Certainty) => boolean) => ({
    fn: (dates: unknown[], limit: unknown) =>
      typeof limit === 'string'
        ? dates.filter((date) => typeof date === 'string').some((date) => holds(date, limit, certainty))
        : false,
    arity: { 1: ['String'] },
  });
  return {
    /** Whether any item of the input stands in the code list. */
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
    /** Medicines as courses of continuous supply: `courses(gapTolerance, today)`. */
    courses: {
      fn: (medications: Medication[], gapTolerance: number, today: string) =>
        coursesOf(medications, gapTolerance, today),
      arity: { 2: ['Number', 'String'] },
    },
    /** Those that share a value of a field with any of the others: `sharing('requester', %others)`. */
    sharing: {
      fn: (items: Fields[], field: string, others: Fields[]) => {
        const values = new Set(others.flatMap((other) => other?.[field] ?? []));
        return items.filter((item) => [item?.[field] ?? []].flat().some((value) => values.has(value)));
      },
      arity: { 2: ['String', 'AnyAtRoot'] },
    },
    /** Of results that answer the same question, the newest that says anything; of two at one moment, the positive one. */
    newest: { fn: (results: Result[]) => newestOf(results), arity: { 0: [] } },
  };
}

const tables: Record<Certainty, ReturnType<typeof functions>> = { all: functions('all'), some: functions('some') };

const known = new Map<string, Expression>();

/** Compiles an expression, once for each text. Throws an Error with a one-line message where it is no FHIRPath. */
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
  // fhirpath.js takes a bare `where(current)` for true wherever the field exists, `false` included.
  if (hasBareField(tree)) throw new Error('a bare field in where(…): write `field = true`');
  const walked = walkedForEach(tree);
  if (walked !== undefined)
    throw new Error(`'%${walked}' would be walked through for each item: make what is asked of it a fact of its own`);
  const compiled: Partial<Record<Certainty, (input: unknown, variables: Variables) => unknown[]>> = {};
  const at = (certainty: Certainty) => {
    // Most requests never ask for the second reading, so it is compiled when first asked for.
    compiled[certainty] ??= fhirpath.compile(text, undefined, { userInvocationTable: tables[certainty] as never }) as (
      input: unknown,
      variables: Variables,
    ) => unknown[];
    return compiled[certainty];
  };
  at('all');
  return {
    text,
    variables: named.variables,
    members: named.members,
    lists: named.lists,
    shortcut: shortcutOf(tree),
    evaluate: (certainty, variables, input = {}) => at(certainty)(input, variables),
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

/** Whether all that a call holds is one field name: down to it, every node has one child. */
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

/** What facts may call of FHIRPath itself: fhirpath.js answers an unknown function only when it gets there. */
const FHIRPATH_FUNCTIONS = new Set(
  'where select exists all empty not first last tail skip take count distinct iif intersect exclude union combine ofType is sum min max abs'.split(
    ' ',
  ),
);
