import fhirpath from 'fhirpath';
import { type LocalDate, plusDays } from '../dates.ts';
import type { Node } from './cost.ts';
import type { Expression } from './expression.ts';
import { factsOfRule, guidelineOf, type Rulebook } from './knowledge.ts';

/** How far back rules read results, so that a FHIR server need not return all results of a lifetime. */
export type Reach = {
  /** Days before the day of the call. Undefined: any result may count, whatever its age. */
  days: number | undefined;
  /** Code lists whose results count whatever their age, and their codes; all others only within `days`. */
  lists: string[];
  codes: string[];
};

/**
 * Results that an expression reads: of these lists (any list if undefined), at most so many days old (any age if
 * undefined). `newest`: only the newest of each question.
 */
type Read = { lists: string[] | undefined; days: number | undefined; newest: boolean };

/** Extra days: yesterday evening's result may be a day earlier in another time zone. */
const MARGIN_DAYS = 2;
const LONGEST_MONTH = 31;

/**
 * The results read by active rules, their cards and the classes of medicines, derived from the expressions: each use of
 * `%results` with the conditions on its items. If it cannot be derived, any result counts.
 */
export function reachOfResults(knowledge: Rulebook): Reach {
  const reads = [
    ...knowledge.rules.filter(({ off }) => off === undefined).flatMap((rule) => readsOfRule(rule, knowledge)),
    ...[...knowledge.classes.classes.values(), ...knowledge.classes.facts.values()].flatMap((expression) =>
      readsOf(expression, () => undefined, {}),
    ),
  ];
  const endless = reads.filter(({ days }) => days === undefined);
  if (endless.some(({ lists }) => lists === undefined)) return { days: undefined, lists: [], codes: [] };
  const lists = [...new Set(endless.flatMap((read) => read.lists ?? []))].sort();
  return {
    days: Math.max(0, ...reads.map(({ days }) => days ?? 0)) + MARGIN_DAYS,
    lists,
    codes: codesOf(lists, knowledge),
  };
}

function readsOfRule(rule: Rulebook['rules'][number], knowledge: Rulebook): Read[] {
  const { facts, parameters } = guidelineOf(knowledge, rule);
  const known = new Map<string, Read[]>();
  // Facts refer only to facts above them, so this terminates.
  const ofFact = (name: string): Read[] | undefined => {
    const fact = facts.get(name);
    if (!fact) return undefined;
    const reads = known.get(name) ?? readsOf(fact.expression, ofFact, parameters);
    known.set(name, reads);
    return reads;
  };
  return factsOfRule(rule).flatMap((name) => ofFact(name) ?? []);
}

/** The results to fetch on a day; undefined if any may count. */
export function resultWindow(
  knowledge: Rulebook,
  today: LocalDate,
): { since: LocalDate; codes: readonly string[] } | undefined {
  const known = reaches.get(knowledge) ?? reachOfResults(knowledge);
  reaches.set(knowledge, known);
  return known.days === undefined ? undefined : { since: plusDays(today, -known.days), codes: known.codes };
}

/** A cache; knowledge does not change while the service runs. */
const reaches = new WeakMap<Rulebook, Reach>();

type Parameters = Record<string, number | number[]>;

function readsOf({ text }: Expression, ofFact: (name: string) => Read[] | undefined, parameters: Parameters): Read[] {
  const within = (node: Node): Read[] => {
    const children = node.children ?? [];
    if (node.type === 'ExternalConstantTerm') {
      const name = node.text ?? '';
      return name === 'results' ? [{ lists: undefined, days: undefined, newest: false }] : (ofFact(name) ?? []);
    }
    const [input, step] = children;
    if (node.type === 'InvocationExpression' && input && isWhere(step)) {
      const conditions = parametersOf(step);
      return [
        ...within(input).map((read) => conditions.reduce((narrowed, each) => narrow(narrowed, each), read)),
        ...conditions.flatMap(within),
      ];
    }
    if (node.type === 'InvocationExpression' && input && step?.type === 'FunctionInvocation') {
      const reads = within(input);
      if (step.text === 'newest') return reads.map((read) => ({ ...read, newest: true }));
      if (COMPARED.includes(step.text ?? '')) {
        // What the input's results are compared with counts no further back than they do themselves: nothing older equals
        // them, and where one of them is there, what is newest is not older.
        const days = longest(reads);
        const others = parametersOf(step).flatMap(within);
        return [
          ...reads,
          ...others.map((read) =>
            step.text !== 'sharing' || read.newest ? { ...read, days: least(read.days, days) } : read,
          ),
        ];
      }
    }
    return children.flatMap(within);
  };
  /** What remains of a read under a further condition. */
  const narrow = (read: Read, node: Node): Read => {
    const condition = inner(node);
    const children = condition.children ?? [];
    if (condition.type === 'AndExpression') return children.reduce(narrow, read);
    if (condition.type === 'OrExpression' && condition.text === 'or') {
      const sides = children.map((child) => narrow(read, child));
      return {
        ...read,
        lists: sides.some(({ lists }) => lists === undefined) ? undefined : sides.flatMap(({ lists }) => lists ?? []),
        days: longest(sides),
      };
    }
    if (condition.type === 'FunctionInvocation' && condition.text === 'memberOf') {
      const list = stringIn(condition);
      return list === undefined ? read : { ...read, lists: [list] };
    }
    const days = daysBack(condition, parameters);
    return { ...read, days: least(days, read.days) };
  };
  return within(fhirpath.parse(text) as Node);
}

/** Functions that keep items of their input that are, or are not, among others. */
const COMPARED = ['exclude', 'intersect', 'sharing'];

function longest(reads: Read[]): number | undefined {
  const days = reads.map((read) => read.days);
  return days.includes(undefined) || days.length === 0 ? undefined : Math.max(...(days as number[]));
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** The number of days back in `date.onOrAfter(%today.minusDays(30))` and the like. */
function daysBack(condition: Node, parameters: Parameters): number | undefined {
  const [field, comparison] = condition.children ?? [];
  if (condition.type !== 'InvocationExpression' || !field || !comparison) return undefined;
  if (nameIn(field) !== 'date' || !['onOrAfter', 'after'].includes(comparison.text ?? '')) return undefined;
  const limit = inner(parametersOf(comparison)[0] ?? { type: '' });
  const [today, back] = limit.children ?? [];
  if (limit.type !== 'InvocationExpression' || !today || !back || constantIn(today) !== 'today') return undefined;
  const factor = back.text === 'minusDays' ? 1 : back.text === 'minusMonths' ? LONGEST_MONTH : undefined;
  const amount = inner(parametersOf(back)[0] ?? { type: '' });
  const value = amount.type === 'NumberLiteral' ? Number(amount.text) : parameters[constantIn(amount) ?? ''];
  return factor === undefined || typeof value !== 'number' ? undefined : value * factor;
}

const WRAPS = ['EntireExpression', 'TermExpression', 'ParenthesizedTerm', 'InvocationTerm', 'LiteralTerm'];

function inner(node: Node): Node {
  return WRAPS.includes(node.type) && node.children?.length === 1 ? inner(node.children[0] as Node) : node;
}

function isWhere(node: Node | undefined): node is Node {
  return node?.type === 'FunctionInvocation' && node.text === 'where';
}

function parametersOf(call: Node): Node[] {
  return call.children?.[0]?.children?.find(({ type }) => type === 'ParamList')?.children ?? [];
}

function nameIn(node: Node): string | undefined {
  const found = inner(node);
  return found.type === 'MemberInvocation' ? found.text : undefined;
}

function constantIn(node: Node): string | undefined {
  const found = inner(node);
  return found.type === 'ExternalConstantTerm' ? found.text : undefined;
}

function stringIn(call: Node): string | undefined {
  const found = inner(parametersOf(call)[0] ?? { type: '' });
  return found.type === 'StringLiteral' ? (found.text ?? '').slice(1, -1) : undefined;
}

/** The codes of these lists, without their systems, because a server may use an OID for a system. */
function codesOf(lists: string[], { codes }: Rulebook): string[] {
  const found = [...codes.results.exact].filter(([, of]) => of.some((list) => lists.includes(list)));
  return [...new Set(found.map(([key]) => key.slice(key.indexOf('|') + 1)))].sort();
}
