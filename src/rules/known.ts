import { compileTree, type OwnFunction, type Variables } from './compile.ts';
import { type Node, parametersOf } from './cost.ts';

/** What is known about the variables of an expression while parts of the record are missing. */
export type Known = {
  /** It is empty, whatever the missing parts contain. */
  isEmpty: (variable: string) => boolean;
  /** The missing parts cannot change it. */
  isWhole: (variable: string) => boolean;
  variables: Variables;
  own: Record<string, OwnFunction>;
};

/** Nodes that only wrap another one. */
const WRAPS = ['EntireExpression', 'TermExpression', 'ParenthesizedTerm', 'InvocationTerm'];
/** Functions with a result for an empty input. */
const MAKES = ['exists', 'empty', 'not', 'count', 'all'];
/** Functions whose result is empty if an argument is empty, and the index of that argument. */
const PAIRS: Record<string, number> = {
  together: 0,
  togetherOrCleared: 0,
  togetherOrAfter: 0,
  during: 0,
  intersect: 0,
  sharing: 1,
};

/**
 * Whether an expression is empty or false whatever the missing parts of the record contain, so that an order of a
 * medicine in no list does not require the medication list.
 */
export function givesNothing(node: Node, known: Known): boolean {
  const children = node.children ?? [];
  const [first, second] = children as [Node, Node];
  if (WRAPS.includes(node.type)) return children.length === 1 && givesNothing(first, known);
  switch (node.type) {
    case 'ExternalConstantTerm':
      return known.isEmpty(node.text ?? '');
    case 'UnionExpression':
      return children.every((child) => givesNothing(child, known));
    case 'InvocationExpression': {
      if (second.type !== 'FunctionInvocation') return givesNothing(first, known);
      const name = second.text ?? '';
      if (MAKES.includes(name)) return saysNo(node, known);
      if (givesNothing(first, known)) return true;
      const parameters = parametersOf(second);
      const partner = PAIRS[name];
      if (partner !== undefined && parameters[partner]) return givesNothing(parameters[partner], known);
      return name === 'where' && parameters[0] !== undefined && saysNo(parameters[0], known);
    }
    case 'FunctionInvocation': {
      if (node.text !== 'iif') return false;
      const [condition, yes, no] = parametersOf(node) as [Node, Node, Node | undefined];
      const otherwise = no === undefined || givesNothing(no, known);
      const decided = valueKnown(condition, known);
      if (decided) return decided[0] === true ? givesNothing(yes, known) : otherwise;
      if (saysNo(condition, known)) return otherwise;
      return otherwise && givesNothing(yes, known);
    }
    default:
      return saysNo(node, known);
  }
}

/** Whether a condition cannot hold, whatever the missing parts contain. */
function saysNo(node: Node, known: Known): boolean {
  const children = node.children ?? [];
  const [first, second] = children as [Node, Node];
  if (WRAPS.includes(node.type)) return children.length === 1 && saysNo(first, known);
  if (node.type === 'AndExpression') return children.some((child) => saysNo(child, known));
  if (node.type === 'OrExpression') return children.every((child) => saysNo(child, known));
  if (node.type === 'InvocationExpression' && second.text === 'exists' && givesNothing(first, known)) return true;
  const value = valueKnown(node, known);
  return value !== undefined && value[0] !== true;
}

/** The value of a subexpression, if it depends on nothing missing and on no item. */
function valueKnown(node: Node, known: Known): unknown[] | undefined {
  if (!restsOnKnown(node, known)) return undefined;
  return compileTree(node, known.own)?.([], known.variables);
}

function restsOnKnown(node: Node, known: Known): boolean {
  if (node.type === 'ExternalConstantTerm') return known.isWhole(node.text ?? '');
  if (node.type === 'ThisInvocation') return false;
  const children = node.children ?? [];
  // A property of a complete variable is known too.
  if (node.type === 'InvocationExpression')
    return restsOnKnown(children[0] as Node, known) && namesKnown(children[1] as Node, known);
  // A function or a field without anything before it belongs to an item.
  if (node.type === 'MemberInvocation' || node.type === 'FunctionInvocation') return false;
  return children.every((child) => restsOnKnown(child, known));
}

function namesKnown(node: Node, known: Known): boolean {
  if (node.type === 'ExternalConstantTerm') return known.isWhole(node.text ?? '');
  return (node.children ?? []).every((child) => namesKnown(child, known));
}
