import type { Node } from './cost.ts';

/**
 * Without what an expression gives nothing, told from its text alone. `always`: that cannot be told, so it must be
 * evaluated. `item`: a variable has an item of a list; `''` is the expression's own input.
 */
export type Needs =
  | 'always'
  | { variable: string }
  | { item: string; list: string }
  | { all: Needs[] }
  | { any: Needs[] };

/** What is there: whether a variable holds anything, and whether one of its items stands in a list. */
export type Look = { variable: (name: string) => boolean; item: (name: string, list: string) => boolean };

export type Shortcut = {
  needs: Needs;
  /** What the expression gives where its needs are not met: nothing, or false. */
  otherwise: [] | [false];
  /** Variables of which it drops, before all else, the items that do not meet these needs. */
  drops: Map<string, Needs>;
};

/** Most requests name no medicine of ours: then hardly any expression has to be evaluated. */
export function shortcutOf(tree: Node): Shortcut {
  const root = inner(tree);
  const truth = needsOfTruth(root);
  return {
    needs: simplified(truth ?? needsOf(root, [])),
    otherwise: truth === undefined ? [] : [false],
    // Where a variable is asked for once more, the items that it drops here may count there.
    drops: new Map(dropsOf(root).filter(([name, needs]) => needs !== 'always' && timesNamed(name, root) < 2)),
  };
}

/** What an expression has to look at of a variable: all but the items that it would drop for a list that they lack. */
export function keptOf(held: unknown, name: string, { drops }: Shortcut): unknown {
  const needs = drops.get(name);
  if (needs === undefined || !Array.isArray(held)) return held;
  return held.filter((item: { lists?: string[] }) =>
    areMet(needs, { variable: () => true, item: (of, list) => of !== name || item?.lists?.includes(list) === true }),
  );
}

export function areMet(needs: Needs, look: Look): boolean {
  if (needs === 'always') return true;
  if ('variable' in needs) return look.variable(needs.variable);
  if ('list' in needs) return look.item(needs.item, needs.list);
  if ('all' in needs) return needs.all.every((each) => areMet(each, look));
  return needs.any.some((each) => areMet(each, look));
}

/** The expression's own input. */
export const INPUT = '';
/** What only wraps another node. */
const WRAPS = ['EntireExpression', 'TermExpression', 'ParenthesizedTerm', 'InvocationTerm'];
/** Functions that pass some of their input's items on, as they are. */
const FILTERS = [
  'where',
  'first',
  'last',
  'tail',
  'skip',
  'take',
  'distinct',
  'intersect',
  'exclude',
  'newest',
  'sharing',
  'ofType',
];
/** Functions that make something else of each item, and nothing of nothing. */
const MAKERS = ['select', 'courses', 'plusDays', 'minusDays', 'plusMonths', 'minusMonths'];

/** Without what a collection is empty. `filters`: conditions that its items must meet as well. */
function needsOf(node: Node, filters: Node[]): Needs {
  const children = node.children ?? [];
  switch (node.type) {
    case 'ExternalConstantTerm': {
      const name = node.text ?? '';
      return { all: [{ variable: name }, ...filters.map((condition) => needsOfCondition(condition, name))] };
    }
    case 'EntireExpression':
    case 'TermExpression':
    case 'ParenthesizedTerm':
    case 'InvocationTerm':
      return children.length === 1 ? needsOf(children[0] as Node, filters) : 'always';
    case 'UnionExpression':
      return { any: children.map((child) => needsOf(child, filters)) };
    case 'InvocationExpression': {
      const [input, step] = children as [Node, Node];
      if (step.type === 'MemberInvocation') return needsOf(input, []);
      if (step.type !== 'FunctionInvocation') return 'always';
      if (step.text === 'where') return needsOf(input, [...filters, ...parametersOf(step)]);
      if (FILTERS.includes(step.text ?? '')) return needsOf(input, filters);
      return MAKERS.includes(step.text ?? '') ? needsOf(input, []) : 'always';
    }
    case 'FunctionInvocation': {
      // On the expression's own input.
      if (node.text === 'where')
        return { all: [...filters, ...parametersOf(node)].map((condition) => needsOfCondition(condition, INPUT)) };
      // Which of the two it gives cannot be told: either may be there.
      const [, ...branches] = parametersOf(node);
      return node.text === 'iif' && branches.length === 2
        ? { any: branches.map((branch) => needsOf(branch, filters)) }
        : 'always';
    }
    default:
      return 'always';
  }
}

/** Without what no item of a variable meets a condition. */
function needsOfCondition(node: Node, name: string): Needs {
  const condition = inner(node);
  const children = condition.children ?? [];
  if (condition.type === 'AndExpression') return { all: children.map((child) => needsOfCondition(child, name)) };
  if (condition.type === 'OrExpression' && condition.text === 'or')
    return { any: children.map((child) => needsOfCondition(child, name)) };
  if (condition.type === 'FunctionInvocation' && condition.text === 'memberOf') {
    const list = textOf(condition);
    return list === undefined ? 'always' : { item: name, list };
  }
  return needsOfTruth(condition) ?? 'always';
}

/** Without what something is plainly false, and not only empty; undefined where that cannot be told. */
function needsOfTruth(node: Node): Needs | undefined {
  const root = inner(node);
  const children = root.children ?? [];
  if (root.type === 'AndExpression') {
    const parts = children.map(needsOfTruth).filter((part) => part !== undefined);
    return parts.length > 0 ? { all: parts } : undefined;
  }
  if (root.type === 'OrExpression' && root.text === 'or') {
    const parts = children.map(needsOfTruth);
    return parts.every((part) => part !== undefined) ? { any: parts } : undefined;
  }
  const [input, step] = children;
  if (root.type === 'InvocationExpression' && input && step?.type === 'FunctionInvocation' && step.text === 'exists')
    return needsOf(input, parametersOf(step));
  return undefined;
}

/** What the items of each variable go through first. `filters`: conditions that they must meet after this node. */
function dropsOf(root: Node): [string, Needs][] {
  const drop = (name: string, conditions: Node[]): [string, Needs] => [
    name,
    // Which place an item has is another matter once some are gone.
    conditions.some(countsPlaces)
      ? 'always'
      : simplified({ all: conditions.map((condition) => needsOfCondition(condition, name)) }),
  ];
  const within = (node: Node, filters: Node[]): [string, Needs][] => {
    const children = node.children ?? [];
    if (node.type === 'ExternalConstantTerm') return [drop(node.text ?? '', filters)];
    if (WRAPS.includes(node.type) || node.type === 'UnionExpression')
      return children.flatMap((child) => within(child, filters));
    if (node.type !== 'InvocationExpression') return children.flatMap((child) => within(child, []));
    const [input, step] = children as [Node, Node];
    return [...within(input, isWhere(step) ? [...filters, ...parametersOf(step)] : []), ...within(step, [])];
  };
  return isWhere(root) ? [drop(INPUT, parametersOf(root)), ...within(root, [])] : within(root, []);
}

function isWhere(node: Node): boolean {
  return node.type === 'FunctionInvocation' && node.text === 'where';
}

function countsPlaces(node: Node): boolean {
  return ['IndexInvocation', 'TotalInvocation'].includes(node.type) || (node.children ?? []).some(countsPlaces);
}

function timesNamed(variable: string, node: Node): number {
  const own = node.type === 'ExternalConstantTerm' && node.text === variable ? 1 : 0;
  return (node.children ?? []).reduce((sum, child) => sum + timesNamed(variable, child), own);
}

/** Past what only wraps. */
function inner(node: Node): Node {
  return WRAPS.includes(node.type) && node.children?.length === 1 ? inner(node.children[0] as Node) : node;
}

function parametersOf(call: Node): Node[] {
  return call.children?.[0]?.children?.find(({ type }) => type === 'ParamList')?.children ?? [];
}

function textOf(node: Node): string | undefined {
  if (node.type === 'StringLiteral') return (node.text ?? '').slice(1, -1);
  for (const child of node.children ?? []) {
    const text = textOf(child);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Without what goes without saying. */
function simplified(needs: Needs): Needs {
  if (needs === 'always' || !('all' in needs || 'any' in needs)) return needs;
  if ('all' in needs) {
    const parts = needs.all.map(simplified).filter((part) => part !== 'always');
    return parts.length === 0 ? 'always' : parts.length === 1 ? (parts[0] as Needs) : { all: parts };
  }
  const parts = needs.any.map(simplified);
  return parts.includes('always') ? 'always' : { any: parts };
}
