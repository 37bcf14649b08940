/** A node of fhirpath.js's syntax tree. */
export type Node = { type: string; text?: string; children?: Node[] };

/** Functions that evaluate their argument for every item of their input. */
const LOOPS = ['where', 'select', 'all', 'exists'];
/** Functions allowed on a variable inside a loop, because their cost does not grow with the variable. */
const ASKED = ['exists', 'empty', 'count', 'not', 'plusDays', 'minusDays', 'plusMonths', 'minusMonths'];
/** Operators that compare every item on one side with every item on the other. */
const COMPARE_ALL = ['MembershipExpression', 'UnionExpression'];
const COMBINE = ['intersect', 'exclude', 'union', 'combine', 'sharing'];

/**
 * The variable, if any, that an expression searches once for each item of something else. Such a fact takes the product
 * of two lengths, so one long record would delay every other call.
 */
export function walkedForEach(node: Node, looped = false): string | undefined {
  const children = node.children ?? [];
  if (looped) {
    const [input, step] = children;
    if (node.type === 'InvocationExpression' && input && step && !isAsked(step)) {
      const walked = variableOf(input);
      if (walked !== undefined) return walked;
    }
    const sides = COMPARE_ALL.includes(node.type)
      ? children
      : node.type === 'FunctionInvocation' && COMBINE.includes(node.text ?? '')
        ? parametersOf(node)
        : [];
    for (const side of sides) {
      const walked = variableOf(side);
      if (walked !== undefined) return walked;
    }
  }
  const loops = node.type === 'FunctionInvocation' && LOOPS.includes(node.text ?? '');
  for (const child of children) {
    const walked = walkedForEach(child, looped || loops);
    if (walked !== undefined) return walked;
  }
  return undefined;
}

function isAsked(step: Node): boolean {
  const { type, text = '' } = step;
  if (type !== 'FunctionInvocation' || !ASKED.includes(text)) return false;
  return !LOOPS.includes(text) || parametersOf(step).length === 0;
}

export function parametersOf(call: Node): Node[] {
  return call.children?.[0]?.children?.find(({ type }) => type === 'ParamList')?.children ?? [];
}

/** The variable whose items an expression returns, filtered or not. Variables used only in parameters are not searched. */
function variableOf(node: Node): string | undefined {
  if (node.type === 'ExternalConstantTerm') return node.text;
  if (!['InvocationExpression', 'TermExpression', 'ParenthesizedTerm', 'UnionExpression'].includes(node.type))
    return undefined;
  const from = node.type === 'InvocationExpression' ? (node.children ?? []).slice(0, 1) : (node.children ?? []);
  return from.map(variableOf).find((name) => name !== undefined);
}
