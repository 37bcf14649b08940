import { expect, test } from 'vitest';
import type { Drug } from '../chart/chart.ts';
import { settle } from './precedence.ts';
import type { RuleOutcome, RuleResult } from './result.ts';

// recommendations.md, 6.
type Made = {
  id: string;
  about?: string[];
  outcome?: RuleOutcome;
  always?: string[];
  sameDrugs?: string[];
  sameOrders?: string[];
  except?: string[];
  family?: string;
  rides?: boolean;
};

/** A result of a rule about named drugs; a name that begins with `draft` is ordered. */
function made({ id, about = [], outcome = 'fires', family, rides = false, ...supersedes }: Made): RuleResult {
  const { always = [], sameDrugs = [], sameOrders = [], except = [] } = supersedes;
  return {
    rule: { id, supersedes: { always, sameDrugs, sameOrders, except }, family, rides },
    outcome,
    about: about.map((ref) => ({ ref, ordered: ref.startsWith('draft') }) as Drug),
  } as unknown as RuleResult;
}

const outcomes = (...results: Made[]) =>
  settle(results.map(made), new Set()).map(
    ({ rule, outcome, by }) => `${rule.id} ${outcome}${by === undefined ? '' : ` by ${by}`}`,
  );

test.each<[string, Made[], string[]]>([
  ['always', [{ id: 'a', always: ['b'] }, { id: 'b' }], ['a fires', 'b superseded by a']],
  ['a rule that is not named keeps its card', [{ id: 'a', always: ['c'] }, { id: 'b' }], ['a fires', 'b fires']],
  [
    'a silent rule silences nothing',
    [{ id: 'a', always: ['b'], outcome: 'does-not-hold' }, { id: 'b' }],
    ['a does-not-hold', 'b fires'],
  ],
  [
    'a rule whose data are missing silences nothing',
    [{ id: 'a', always: ['b'], outcome: 'not-known' }, { id: 'b' }],
    ['a not-known', 'b fires'],
  ],
  [
    'a superseded rule silences nothing',
    [{ id: 'a', always: ['b'] }, { id: 'b', always: ['c'] }, { id: 'c' }],
    ['a fires', 'b superseded by a', 'c fires'],
  ],
  [
    'about the same drugs',
    [
      { id: 'a', sameDrugs: ['b'], about: ['x', 'y'] },
      { id: 'b', about: ['y'] },
    ],
    ['a fires', 'b superseded by a'],
  ],
  [
    'about one more drug',
    [
      { id: 'a', sameDrugs: ['b'], about: ['x'] },
      { id: 'b', about: ['x', 'y'] },
    ],
    ['a fires', 'b fires'],
  ],
  ['about no drug', [{ id: 'a', sameDrugs: ['b'], about: ['x'] }, { id: 'b' }], ['a fires', 'b fires']],
  [
    'about the same order, whatever else it concerns',
    [
      { id: 'a', sameOrders: ['*'], about: ['draft-1', 'x'] },
      { id: 'b', about: ['draft-1', 'y'] },
    ],
    ['a fires', 'b superseded by a'],
  ],
  [
    'also about another order',
    [
      { id: 'a', sameOrders: ['*'], about: ['draft-1', 'x'] },
      { id: 'b', about: ['draft-1', 'draft-2'] },
    ],
    ['a fires', 'b fires'],
  ],
  [
    'with the chart open: the same pair',
    [
      { id: 'a', sameOrders: ['*'], about: ['x', 'y'] },
      { id: 'b', about: ['x', 'y'] },
    ],
    ['a fires', 'b superseded by a'],
  ],
  [
    'with the chart open: another pair',
    [
      { id: 'a', sameOrders: ['*'], about: ['x', 'y'] },
      { id: 'b', about: ['x', 'z'] },
    ],
    ['a fires', 'b fires'],
  ],
  [
    'except for its exceptions',
    [
      { id: 'a', sameOrders: ['*'], except: ['b'], about: ['draft-1'] },
      { id: 'b', about: ['draft-1'] },
    ],
    ['a fires', 'b fires'],
  ],
  ['a rule never silences itself', [{ id: 'a', sameOrders: ['*'], about: ['draft-1'] }], ['a fires']],
])('6: one card per problem: %s', (_, results, expected) => {
  expect(outcomes(...results)).toEqual(expected);
});

test.each<[string, Made[], string[]]>([
  [
    'the first rule that speaks leads, the others join',
    [
      { id: 'a', family: 'f' },
      { id: 'b', family: 'f' },
    ],
    ['a fires', 'b joins by a'],
  ],
  [
    'a silent rule does not lead',
    [
      { id: 'a', family: 'f', outcome: 'does-not-hold' },
      { id: 'b', family: 'f' },
    ],
    ['a does-not-hold', 'b fires'],
  ],
  ['a rule that only rides along gives no card alone', [{ id: 'a', family: 'f', rides: true }], ['a rides-only']],
  [
    'a rule that only rides along joins another',
    [
      { id: 'a', family: 'f', rides: true },
      { id: 'b', family: 'f' },
    ],
    ['a joins by b', 'b fires'],
  ],
  [
    'another family gets its own card',
    [
      { id: 'a', family: 'f' },
      { id: 'b', family: 'g' },
    ],
    ['a fires', 'b fires'],
  ],
  ['rules without a family each get their own card', [{ id: 'a' }, { id: 'b' }], ['a fires', 'b fires']],
])('4: one card per family: %s', (_, results, expected) => {
  const joined = settle(results.map(made), new Set());
  expect(joined.map(({ rule, outcome, by }) => `${rule.id} ${outcome}${by === undefined ? '' : ` by ${by}`}`)).toEqual(
    expected,
  );
});
