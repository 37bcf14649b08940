import type { Node } from './cost.ts';

/** FHIRPath values: a collection; a single value is a list of one. */
type Values = unknown[];
/** Looks up a variable on demand: a fact that is decided early needs no others. */
export type Variables = (name: string) => unknown;
/** `focus`: the input of a step. `self`: `$this`, the item that a condition is evaluated for. */
type Run = (focus: Values, self: Values, variables: Variables) => Values;
/** One of our own functions: its input and arguments, each a single value or, if declared so, a collection. */
export type OwnFunction = { fn: (input: never[], ...args: never[]) => unknown; arity: Record<number, string[]> };

const NONE: Values = [];
const YES: Values = [true];
const NO: Values = [false];

/**
 * Compiles the syntax tree of an expression to closures, for the words that facts use. Undefined if it contains another
 * word: then fhirpath.js evaluates it. A differential test compares the two.
 */
export function compileTree(
  tree: Node,
  own: Record<string, OwnFunction>,
): ((input: unknown, variables: Variables) => Values) | undefined {
  const run = compile(tree, own);
  if (!run) return undefined;
  return (input, variables) => {
    const items = listOf(input);
    return run(items, items, variables);
  };
}

function listOf(value: unknown): Values {
  if (value === undefined || value === null) return NONE;
  return Array.isArray(value) ? value : [value];
}

/** Nodes that only wrap another one. */
const WRAPS = ['EntireExpression', 'TermExpression', 'ParenthesizedTerm', 'LiteralTerm', 'InvocationTerm'];

function compile(node: Node, own: Record<string, OwnFunction>): Run | undefined {
  const children = node.children ?? [];
  const [first, second] = children;
  if (WRAPS.includes(node.type)) return first && children.length === 1 ? compile(first, own) : undefined;
  const both = () => {
    const left = first && compile(first, own);
    const right = second && compile(second, own);
    return left && right && ([left, right] as const);
  };
  switch (node.type) {
    case 'StringLiteral': {
      const text = (node.text ?? '').slice(1, -1);
      return text.includes('\\') ? undefined : constant([text]);
    }
    case 'NumberLiteral':
      return constant([Number(node.text)]);
    case 'BooleanLiteral':
      return constant([node.text === 'true']);
    case 'NullLiteral':
      return constant(NONE);
    case 'ExternalConstantTerm': {
      const name = node.text ?? '';
      return (_focus, _self, variables) => listOf(variables(name));
    }
    case 'ThisInvocation':
      return (_focus, self) => self;
    case 'MemberInvocation': {
      const name = node.text ?? '';
      return (focus) => member(focus, name);
    }
    case 'InvocationExpression': {
      const sides = both();
      if (!sides) return undefined;
      const [input, step] = sides;
      return (focus, self, variables) => step(input(focus, self, variables), self, variables);
    }
    case 'FunctionInvocation':
      return compileFunction(node, own);
    case 'AndExpression':
    case 'OrExpression':
    case 'ImpliesExpression':
    case 'UnionExpression':
    case 'EqualityExpression':
    case 'InequalityExpression':
    case 'MembershipExpression':
    case 'AdditiveExpression':
    case 'MultiplicativeExpression': {
      const sides = both();
      const operator = sides && operators[node.text ?? ''];
      if (!operator) return undefined;
      const [left, right] = sides;
      return (focus, self, variables) => operator(left(focus, self, variables), () => right(focus, self, variables));
    }
    case 'PolarityExpression': {
      const operand = first && compile(first, own);
      if (!operand) return undefined;
      const sign = node.text === '-' ? -1 : 1;
      return (focus, self, variables) => operand(focus, self, variables).map((value) => sign * (value as number));
    }
    default:
      return undefined;
  }
}

function constant(value: Values): Run {
  return () => value;
}

function member(focus: Values, name: string): Values {
  if (focus.length === 1) return listOf((focus[0] as Record<string, unknown> | null)?.[name]);
  const found: Values = [];
  for (const item of focus) {
    const value = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[name] : undefined;
    if (Array.isArray(value)) found.push(...value);
    else if (value !== undefined && value !== null) found.push(value);
  }
  return found;
}

type Operator = (left: Values, right: () => Values) => Values;

/** The only value, if there is one. Several are a mistake in the fact, for fhirpath.js too. */
function single(values: Values): unknown {
  if (values.length > 1) throw new Error(`${values.length} values where one is expected`);
  return values[0];
}

function numberOf(values: Values): number {
  const value = single(values);
  if (typeof value !== 'number') throw new Error(`${typeof value} where a number is expected`);
  return value;
}

/** True, false, or empty. */
function truth(values: Values): boolean | undefined {
  return values.length === 0 ? undefined : single(values) !== false;
}

/** The two operands, of one type; undefined if one is missing. */
function operandsOf(left: Values, right: Values, types?: readonly string[]): [never, never] | undefined {
  if (left.length === 0 || right.length === 0) return undefined;
  const [a, b] = [single(left), single(right)];
  if (typeof a !== typeof b || types?.includes(typeof a) === false)
    throw new Error(`no ${typeof a} with a ${typeof b}`);
  return [a as never, b as never];
}

function of(value: boolean): Values {
  return value ? YES : NO;
}

function ordered(holds: (a: number | string, b: number | string) => boolean): Operator {
  return (left, right) => {
    const both = operandsOf(left, right());
    return both ? of(holds(...both)) : NONE;
  };
}

function arithmetic(combine: (a: number, b: number) => number, types = ['number']): Operator {
  return (left, right) => {
    const both = operandsOf(left, right(), types);
    return both ? [combine(...both)] : NONE;
  };
}

const operators: Record<string, Operator> = {
  and: (left, right) => {
    const a = truth(left);
    if (a === false) return NO;
    const b = truth(right());
    if (b === false) return NO;
    return a === undefined || b === undefined ? NONE : YES;
  },
  or: (left, right) => {
    const a = truth(left);
    if (a) return YES;
    const b = truth(right());
    if (b) return YES;
    return a === undefined || b === undefined ? NONE : NO;
  },
  implies: (left, right) => {
    const a = truth(left);
    if (a === false) return YES;
    const b = truth(right());
    if (b) return YES;
    return a === undefined || b === undefined ? NONE : NO;
  },
  '|': (left, right) => distinct([...left, ...right()]),
  '=': (left, right) => equality(left, right(), true),
  '!=': (left, right) => equality(left, right(), false),
  '<': ordered((a, b) => a < b),
  '>': ordered((a, b) => a > b),
  '<=': ordered((a, b) => a <= b),
  '>=': ordered((a, b) => a >= b),
  in: (left, right) => isIn(left, right()),
  contains: (left, right) => isIn(right(), left),
  // Strings are concatenated.
  '+': arithmetic((a, b) => a + b, ['number', 'string']),
  '-': arithmetic((a, b) => a - b),
  '*': arithmetic((a, b) => a * b),
};

function isIn(item: Values, values: Values): Values {
  if (item.length === 0) return NONE;
  return values.length === 0 ? NO : of(values.includes(single(item)));
}

function equality(left: Values, right: Values, wanted: boolean): Values {
  if (left.length === 0 || right.length === 0) return NONE;
  const same = left.length === right.length && left.every((value, at) => value === right[at]);
  return of(same === wanted);
}

/** Each item once. Chart items are compared by identity. */
function distinct(values: Values): Values {
  return values.length < 2 ? values : [...new Set(values)];
}

/** FHIRPath's own functions without arguments, or with collections as arguments. */
const plain: Record<string, (focus: Values, ...args: Values[]) => Values> = {
  empty: (focus) => of(focus.length === 0),
  not: (focus) => (focus.length === 0 ? NONE : of(single(focus) === false)),
  first: (focus) => focus.slice(0, 1),
  last: (focus) => focus.slice(-1),
  tail: (focus) => focus.slice(1),
  count: (focus) => [focus.length],
  distinct,
  max: (focus) => (focus.length === 0 ? NONE : [focus.reduce((a, b) => ((b as number) > (a as number) ? b : a))]),
  // Floating-point sums may be slightly above the whole number.
  ceiling: (focus) => (focus.length === 0 ? NONE : [Math.ceil(numberOf(focus) - 1e-9)]),
  intersect: (focus, other = NONE) => distinct(focus.filter((item) => other.includes(item))),
  exclude: (focus, other = NONE) => focus.filter((item) => !other.includes(item)),
  union: (focus, other = NONE) => distinct([...focus, ...other]),
  combine: (focus, other = NONE) => [...focus, ...other],
};

/** Functions whose argument is evaluated for each item. */
const each: Record<string, (focus: Values, ask: (item: unknown) => Values) => Values> = {
  where: (focus, ask) => focus.filter((item) => ask(item)[0] === true),
  exists: (focus, ask) => of(focus.some((item) => ask(item)[0] === true)),
  all: (focus, ask) => of(focus.every((item) => ask(item)[0] === true)),
  select: (focus, ask) => focus.flatMap(ask),
};

function compileFunction(node: Node, own: Record<string, OwnFunction>): Run | undefined {
  const name = node.text ?? '';
  const parameters = node.children?.[0]?.children?.find(({ type }) => type === 'ParamList')?.children ?? [];
  const compiled = parameters.map((parameter) => compile(parameter, own));
  if (compiled.some((run) => run === undefined)) return undefined;
  const runs = compiled as Run[];
  const mine = own[name];
  if (mine) return compileOwn(mine, runs);
  if (name === 'exists' && runs.length === 0) return (focus) => of(focus.length > 0);
  const asking = each[name];
  const [only] = runs;
  if (asking && only && runs.length === 1)
    return (focus, _self, variables) =>
      asking(focus, (item) => {
        const self = [item];
        return only(self, self, variables);
      });
  if (name === 'iif' && runs.length >= 2) {
    const [condition, yes, no] = runs as [Run, Run, Run | undefined];
    return (focus, self, variables) => {
      const holds = condition(focus, self, variables)[0] === true;
      return holds ? yes(focus, self, variables) : (no?.(focus, self, variables) ?? NONE);
    };
  }
  const simple = plain[name];
  if (!simple || simple.length > runs.length + 1) return undefined;
  return (focus, self, variables) => simple(focus, ...runs.map((run) => run(self, self, variables)));
}

function compileOwn({ fn, arity }: OwnFunction, runs: Run[]): Run | undefined {
  const types = arity[runs.length];
  if (!types) return undefined;
  const call = fn as unknown as (input: Values, ...args: unknown[]) => unknown;
  return (focus, self, variables) => {
    const args = runs.map((run, at) => {
      const values = run(self, self, variables);
      return types[at] === 'AnyAtRoot' ? values : values.length === 0 ? [] : values[0];
    });
    return listOf(call(focus, ...args));
  };
}
