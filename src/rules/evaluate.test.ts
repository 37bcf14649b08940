import { describe, expect, test } from 'vitest';
import type { Section } from '../fhir/prefetch.ts';
import { chartOf, draftOf, orderOf } from '../testing/charts.ts';
import { condition, type Json } from '../testing/request.ts';
import { evaluate, missingForCards, missingForSilence } from './evaluate.ts';
import { compileExpression } from './expression.ts';
import type { Rule, Rulebook } from './knowledge.ts';
import { findingsOf } from './result.ts';

const sections: Record<string, Section[]> = {
  treatments: ['medications'],
  conditions: ['conditions'],
  results: ['observations'],
  ordered: [],
};
const fact = (name: string, text: string) => {
  const expression = compileExpression(text);
  return {
    name,
    expression,
    sections: new Set([...expression.variables].flatMap((variable) => sections[variable] ?? [])),
  };
};
const facts = new Map(
  Object.entries({
    treated: '%treatments',
    asked: '%ordered',
    ill: '%conditions.where(lists.exists())',
    tested: '%results',
    old: '%age >= 45',
    yes: 'true',
    no: 'false',
  }).map(([name, text]) => [name, fact(name, text)]),
);
const rule = (id: string, more: Partial<Rule> = {}) =>
  ({
    ...{
      id,
      guideline: 'g',
      hooks: ['order-sign', 'patient-view'],
      when: [],
      unless: [],
      without: [],
      about: [],
      suggest: [],
    },
    ...{
      indicators: [{ indicator: 'info', facts: [] }],
      unclear: [],
      said: [],
      off: undefined,
      family: undefined,
      rides: false,
    },
    supersedes: { always: [], sameDrugs: [], sameOrders: [], except: [] },
    ...more,
  }) as Rule;
const warning = [{ indicator: 'warning' as const, facts: [] }];
const site = { medicationList: 'medications', silent: { rules: {} } };
const knowledgeOf = (rules: Rule[], more: object = {}) =>
  ({
    guidelines: [{ file: { id: 'g' }, parameters: {}, facts, rules }],
    rules,
    site: { ...site, ...more },
  }) as unknown as Rulebook;

const DRAFT = draftOf('oxazepam');
const TAKEN = orderOf('methadone', { authoredOn: '2026-02-01' });
const ILL = condition('c', 'F11.2');
const chart = (prefetch: Json = {}, record: Json[] = [TAKEN]) => chartOf(record, { drafts: [DRAFT], prefetch });
const results = (own: Partial<Rule>, ...[prefetch, record]: Parameters<typeof chart>) =>
  evaluate(knowledgeOf([rule('a', own)]), chart(prefetch, record));
const NO_LIST = { medications: undefined };
const NO_PROBLEMS = { conditions: undefined };

describe('whether a rule speaks', () => {
  test.each<[what: string, rule: Partial<Rule>, prefetch: Json, record: Json[], outcome: string, missing: Section[]]>([
    ['without facts', {}, {}, [], 'fires', []],
    ['all facts in when hold', { when: ['treated', 'asked'] }, {}, [TAKEN], 'fires', []],
    ['one fact in when does not hold', { when: ['treated', 'no'] }, {}, [TAKEN], 'does-not-hold', []],
    ['one fact in when is not known', { when: ['asked', 'treated'] }, NO_LIST, [], 'not-known', ['medications']],
    [
      'one fact in when is not known and another does not hold',
      { when: ['treated', 'no'] },
      NO_LIST,
      [],
      'does-not-hold',
      [],
    ],
    ['a fact in unless holds', { unless: ['ill'] }, {}, [ILL], 'does-not-hold', []],
    ['a fact in unless does not hold', { unless: ['ill'] }, {}, [], 'fires', []],
    ['a fact in unless is not known', { unless: ['ill'] }, NO_PROBLEMS, [], 'fires', []],
    ['a fact in without holds', { without: ['ill'] }, {}, [ILL], 'does-not-hold', []],
    ['a fact in without is not known', { without: ['ill'] }, NO_PROBLEMS, [], 'not-known', ['conditions']],
    [
      'two facts rest on the same missing part',
      { when: ['treated', 'treated'] },
      NO_LIST,
      [],
      'not-known',
      ['medications'],
    ],
    ['switched off', { off: 'site', when: ['treated'] }, {}, [TAKEN], 'switched-off', []],
  ])('%s', (_, own, prefetch, record, outcome, missing) => {
    const [result] = results(own, prefetch, record);
    expect([result?.outcome, result?.missing]).toEqual([outcome, missing]);
  });

  test('a rule is evaluated only at its hooks', () => {
    const at = (hook: string) =>
      evaluate(knowledgeOf([rule('a', { hooks: ['order-sign'] })]), { ...chart(), hook }).length;
    expect([at('order-sign'), at('order-select')]).toEqual([1, 0]);
  });

  test('a rule that speaks is about each medicine once, and a silent one about none', () => {
    const refs = (own: Partial<Rule>) =>
      results({ about: ['asked', 'treated', 'asked'], ...own })[0]?.about.map(({ ref }) => ref);
    expect(refs({})).toEqual(['MedicationRequest/draft-1', 'MedicationRequest/MedicationRequest-1']);
    expect(refs({ when: ['no'] })).toEqual([]);
  });

  test('the first case that holds sets the indicator, and a silent rule has the lowest one', () => {
    const indicators = [
      { indicator: 'critical' as const, facts: ['no', 'ill'] },
      { indicator: 'warning' as const, facts: ['no', 'treated'] },
      { indicator: 'info' as const, facts: [] },
    ];
    const of = (record: Json[], own: Partial<Rule> = {}) => results({ indicators, ...own }, {}, record)[0]?.indicator;
    expect([of([TAKEN, ILL]), of([TAKEN]), of([]), of([TAKEN], { when: ['no'] })]).toEqual([
      'critical',
      'warning',
      'info',
      'info',
    ]);
  });

  test('results are sorted by indicator, then in the order of the files', () => {
    const rules = [rule('a'), rule('b', { indicators: warning }), rule('c'), rule('d', { indicators: warning })];
    expect(evaluate(knowledgeOf(rules), chart()).map(({ rule: { id } }) => id)).toEqual(['b', 'd', 'a', 'c']);
  });

  test('unclear facts that hold are reported unless the rule is silenced', () => {
    const unclear = (own: Partial<Rule>) => results({ unclear: ['treated', 'no'], ...own })[0]?.unclear.length;
    expect([unclear({}), unclear({ when: ['no'] }), unclear({ unless: ['yes'] })]).toEqual([1, 1, 0]);
  });

  test('a rule is on trial through the site and its days, or for this caller', () => {
    const silent = (spans: object, caller: string[] = []) =>
      evaluate(knowledgeOf([rule('a'), rule('b')], { silent: { rules: spans } }), chart(), caller).map(
        ({ outcome }) => outcome,
      );
    expect(silent({})).toEqual(['fires', 'fires']);
    expect(silent({ a: {} })).toEqual(['silent', 'fires']);
    expect(silent({ a: { from: '2026-03-03' } })).toEqual(['fires', 'fires']);
    expect(silent({ a: { to: '2026-03-01' } })).toEqual(['fires', 'fires']);
    expect(silent({}, ['b'])).toEqual(['fires', 'silent']);
  });

  test('every fact that a rule rests on is reported once', () => {
    const [result] = results({ when: ['treated'], unless: ['no'], about: ['treated'], said: ['old'] });
    expect(result && findingsOf(result).map(({ fact: name, outcome }) => `${name} ${outcome}`)).toEqual([
      'treated holds',
      'no does-not-hold',
      'old holds',
    ]);
  });
});

describe('what is missing for silence, and what a card names as not checked', () => {
  const missing = (own: Partial<Rule>, prefetch: Json, record: Json[] = []) => {
    const knowledge = knowledgeOf([rule('a', own)]);
    const found = chart(prefetch, record);
    const all = evaluate(knowledge, found);
    return [missingForSilence(all, found, knowledge.site), missingForCards(all, found, knowledge.site)];
  };
  test.each<[what: string, rule: Partial<Rule>, prefetch: Json, silence: Section[], cards: Section[]]>([
    ['nothing', { when: ['treated'] }, {}, [], []],
    ['the medication list', { when: ['treated'] }, NO_LIST, ['medications'], ['medications']],
    ['problems, for an info rule', { when: ['ill'] }, NO_PROBLEMS, [], []],
    [
      'problems, for a warning rule',
      { when: ['ill'], indicators: warning },
      NO_PROBLEMS,
      ['conditions'],
      ['conditions'],
    ],
    [
      'results, which no silence rests on',
      { when: ['tested'], indicators: warning },
      { observations: undefined },
      [],
      [],
    ],
    ['problems that might silence a rule that speaks', { unless: ['ill'] }, NO_PROBLEMS, [], ['conditions']],
    ['problems that might silence a rule that does not speak', { when: ['no'], unless: ['ill'] }, NO_PROBLEMS, [], []],
    [
      'both',
      { when: ['treated', 'ill'], indicators: warning },
      { ...NO_LIST, ...NO_PROBLEMS },
      ['medications', 'conditions'],
      ['medications', 'conditions'],
    ],
  ])('%s', (_, own, prefetch, silence, cards) => {
    expect(missing(own, prefetch)).toEqual([silence, cards]);
  });

  test('an unreadable order requires a complete medication list', () => {
    const knowledge = knowledgeOf([rule('a', { when: ['no'] })]);
    const of = (drafts: Json[], prefetch: Json) => {
      const found = chartOf([], { drafts, prefetch });
      return missingForSilence(evaluate(knowledge, found), found, knowledge.site);
    };
    expect(of([draftOf('Qwerty')], NO_LIST)).toEqual(['medications']);
    expect(of([draftOf('Qwerty')], {})).toEqual([]);
    expect(of([DRAFT], NO_LIST)).toEqual([]);
  });
});
