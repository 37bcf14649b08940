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
    ['what it waits for holds', { when: ['treated', 'asked'] }, {}, [TAKEN], 'fires', []],
    ['one of it does not', { when: ['treated', 'no'] }, {}, [TAKEN], 'does-not-hold', []],
    ['one of it is not known', { when: ['asked', 'treated'] }, NO_LIST, [], 'not-known', ['medications']],
    ['one is not known, another does not hold', { when: ['treated', 'no'] }, NO_LIST, [], 'does-not-hold', []],
    ['what silences it holds', { unless: ['ill'] }, {}, [ILL], 'does-not-hold', []],
    ['what silences it does not hold', { unless: ['ill'] }, {}, [], 'fires', []],
    ['what silences it is not known', { unless: ['ill'] }, NO_PROBLEMS, [], 'fires', []],
    ['what must be absent is there', { without: ['ill'] }, {}, [ILL], 'does-not-hold', []],
    ['what must be absent is not known to be', { without: ['ill'] }, NO_PROBLEMS, [], 'not-known', ['conditions']],
    ['two facts of one missing part', { when: ['treated', 'treated'] }, NO_LIST, [], 'not-known', ['medications']],
    ['switched off', { off: 'site', when: ['treated'] }, {}, [TAKEN], 'switched-off', []],
  ])('%s', (_, own, prefetch, record, outcome, missing) => {
    const [result] = results(own, prefetch, record);
    expect([result?.outcome, result?.missing]).toEqual([outcome, missing]);
  });

  test('only at its hooks', () => {
    const at = (hook: string) =>
      evaluate(knowledgeOf([rule('a', { hooks: ['order-sign'] })]), { ...chart(), hook }).length;
    expect([at('order-sign'), at('order-select')]).toEqual([1, 0]);
  });

  test('what it is about: each medicine once, and none where it is silent', () => {
    const refs = (own: Partial<Rule>) =>
      results({ about: ['asked', 'treated', 'asked'], ...own })[0]?.about.map(({ ref }) => ref);
    expect(refs({})).toEqual(['MedicationRequest/draft-1', 'MedicationRequest/MedicationRequest-1']);
    expect(refs({ when: ['no'] })).toEqual([]);
  });

  test('the first case that holds sets the indicator, a silent rule has its quietest', () => {
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

  test('the loudest stands first, of equals in the order of the files', () => {
    const rules = [rule('a'), rule('b', { indicators: warning }), rule('c'), rule('d', { indicators: warning })];
    expect(evaluate(knowledgeOf(rules), chart()).map(({ rule: { id } }) => id)).toEqual(['b', 'd', 'a', 'c']);
  });

  test('what is unclear is told where it holds, unless the rule is silenced', () => {
    const unclear = (own: Partial<Rule>) => results({ unclear: ['treated', 'no'], ...own })[0]?.unclear.length;
    expect([unclear({}), unclear({ when: ['no'] }), unclear({ unless: ['yes'] })]).toEqual([1, 1, 0]);
  });

  test('on trial, by the site and its days, or for this caller', () => {
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

  test('every fact that a rule rests on is found, once', () => {
    const [result] = results({ when: ['treated'], unless: ['no'], about: ['treated'], said: ['old'] });
    expect(result && findingsOf(result).map(({ fact: name, outcome }) => `${name} ${outcome}`)).toEqual([
      'treated holds',
      'no does-not-hold',
      'old holds',
    ]);
  });
});

describe('what is missing for silence, and what a card says was not checked', () => {
  const missing = (own: Partial<Rule>, prefetch: Json, record: Json[] = []) => {
    const knowledge = knowledgeOf([rule('a', own)]);
    const found = chart(prefetch, record);
    const all = evaluate(knowledge, found);
    return [missingForSilence(all, found, knowledge.site), missingForCards(all, found, knowledge.site)];
  };
  test.each<[what: string, rule: Partial<Rule>, prefetch: Json, silence: Section[], cards: Section[]]>([
    ['nothing', { when: ['treated'] }, {}, [], []],
    ['the medication list', { when: ['treated'] }, NO_LIST, ['medications'], ['medications']],
    ['problems, of a rule that informs', { when: ['ill'] }, NO_PROBLEMS, [], []],
    [
      'problems, of a rule that warns',
      { when: ['ill'], indicators: warning },
      NO_PROBLEMS,
      ['conditions'],
      ['conditions'],
    ],
    [
      'results: no silence rests on them',
      { when: ['tested'], indicators: warning },
      { observations: undefined },
      [],
      [],
    ],
    ['what might silence a rule that speaks', { unless: ['ill'] }, NO_PROBLEMS, [], ['conditions']],
    ['what might silence a rule that does not', { when: ['no'], unless: ['ill'] }, NO_PROBLEMS, [], []],
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

  test('beside an order that could not be read the list must be whole', () => {
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
