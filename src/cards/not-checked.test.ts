import { describe, expect, test } from 'vitest';
import type { Chart } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import type { RuleResult } from '../rules/result.ts';
import { drugOf, inAll, knowledgeWith, renderingOf, resultOf } from '../testing/rendering.ts';
import { notCheckedCard } from './not-checked.ts';
import type { Rendering } from './rendering.ts';

const notChecked = {
  source: inAll('the source'),
  summary: {
    unread: inAll('unread {count}: {orders}'),
    orders: inAll('other patient'),
    drugs: inAll('unclear: {drugs}'),
    unrecognised: inAll('unrecognised: {drugs}'),
    results: inAll('a result'),
    record: inAll('the record'),
  },
  missing: inAll('missing: {section}'),
  unclear: inAll('still taken: {drugs}'),
  unrecognised: inAll('not known: {drugs}'),
  unreadOrder: inAll('not read {count}: {orders}'),
  result: inAll('not to be read: {tests}'),
  preliminary: inAll('preliminary: {tests}'),
  otherPatient: inAll('of others: {count}'),
  nameless: inAll('no name'),
};
const terms = { one: inAll('test one'), two: inAll('test two') };
const sections = { medications: inAll('the list'), conditions: inAll('the problems') };
const site = { unrecognised: 'card' };
const knowledge = knowledgeWith({ shared: { notChecked, terms, sections }, site });
const quiet = knowledgeWith({ shared: { notChecked, terms, sections }, site: { unrecognised: 'trace' } });

type Given = {
  results?: RuleResult[];
  missing?: Section[];
  chart?: Partial<Chart>;
  more?: Partial<Rendering>;
};
const cardOf = ({ results = [], missing = [], chart = {}, more = {} }: Given) =>
  notCheckedCard(results, missing, renderingOf(chart, { knowledge, ...more }));

const possible = (name: string) => drugOf(name, { degree: 'possible' });
/** A silent rule that leaves these open. */
const silent = (...unclear: unknown[]) => resultOf({ outcome: 'does-not-hold', unclear });
const result = (ref: string, list: string, preliminary: boolean) => ({ ref, lists: [list], preliminary });
const unread = (...names: (string | undefined)[]) =>
  names.map((name, at) => ({ ref: `MedicationRequest/${at}`, name }));
const drafts = (...names: (string | undefined)[]) => ({ unread: { drafts: unread(...names), treatments: [] } });
const left = (...reasons: [what: string, why: string][]) => ({
  leftOut: reasons.map(([what, why]) => ({ what, why, ref: 'x' })) as Chart['leftOut'],
});

describe('what could not be checked, one line each', () => {
  test.each<[what: string, given: Given, lines: string[]]>([
    ['a medicine that may go on', { results: [silent(possible('Alfa'))] }, ['still taken: Alfa']],
    [
      'one line per medicine',
      { results: [silent(possible('Alfa'), possible('Beta'))] },
      ['still taken: Alfa', 'still taken: Beta'],
    ],
    [
      'a medicine of two rules, once',
      { results: [silent(possible('Alfa')), silent(possible('Alfa'))] },
      ['still taken: Alfa'],
    ],
    [
      'both of a pair',
      { results: [silent({ one: possible('Alfa'), other: possible('Beta') })] },
      ['still taken: Alfa', 'still taken: Beta'],
    ],
    [
      'only the uncertain one of a pair',
      { results: [silent({ one: drugOf('Alfa', { degree: 'taken' }), other: possible('Beta') })] },
      ['still taken: Beta'],
    ],
    ['an unreadable result', { results: [silent(result('o', 'one', false))] }, ['not to be read: test one']],
    ['a preliminary result', { results: [silent(result('o', 'one', true))] }, ['preliminary: test one']],
    [
      'results of both kinds, the preliminary ones first',
      { results: [silent(result('o', 'one', false), result('p', 'two', true), result('q', 'two', false))] },
      ['preliminary: test two', 'not to be read: test one and test two'],
    ],
    [
      'orders for other patients, by their number',
      { chart: left(['order', 'other-patient'], ['order', 'other-patient']) },
      ['of others: 2'],
    ],
    ['orders that were not read', { chart: drafts('Alfa', 'Beta', 'Gamma') }, ['not read 3: Alfa, Beta and Gamma']],
    ['two orders with one name, once', { chart: drafts('Alfa', 'Alfa') }, ['not read 2: Alfa']],
    ['an order without a name', { chart: drafts(undefined, 'Alfa') }, ['not read 2: no name and Alfa']],
    ['a name as plain text', { chart: drafts('<b>Alfa</b>') }, ['not read 1: b Alfa /b']],
    ['parts of the record', { missing: ['medications', 'conditions'] }, ['missing: the list', 'missing: the problems']],
  ])('%s', (_, given, lines) => {
    expect(cardOf(given)?.detail?.split('\n\n')).toEqual(lines);
  });

  test.each<[what: string, given: Given]>([
    ['nothing is open', {}],
    ['a medicine is certainly taken', { results: [silent(drugOf('Alfa', { degree: 'taken' }))] }],
    ['a medicine is presumed', { results: [silent(drugOf('Alfa', { degree: 'presumed' }))] }],
    ['what is open is neither a medicine nor a result', { results: [silent('Alfa', 7, null, undefined, {})] }],
    ['an order was left out for its status', { chart: left(['order', 'status']) }],
    ['a medicine of another patient was left out', { chart: left(['medication', 'other-patient']) }],
    ['the site names unread orders in the trace only', { chart: drafts('Alfa'), more: { knowledge: quiet } }],
  ])('no card where %s', (_, given) => {
    expect(cardOf(given)).toBeUndefined();
  });

  test.each<[outcome: RuleResult['outcome'], says: boolean]>([
    ['fires', true],
    ['joins', true],
    ['superseded', false],
    ['not-known', false],
    ['quiet', false],
  ])('the subject of a rule that %s is already covered: %s', (outcome, says) => {
    const results = [resultOf({ outcome, about: [possible('Alfa')] }), silent(possible('Alfa'), possible('Beta'))];
    const lines = ['still taken: Alfa', 'still taken: Beta'];
    expect(cardOf({ results })?.detail?.split('\n\n')).toEqual(says ? lines.slice(1) : lines);
  });
});

describe('unrecognised medicines matter beside listed ones', () => {
  const [except = ''] = knowledge.treatments.besides.except;
  const drug = (lists: string[], more: object) => drugOf('Alfa', { lists, ...more });
  const ordered = (...lists: string[]) => [drug(lists, { ordered: true })] as Chart['drafts'];
  const taken = (degree: string, ...lists: string[]) => [drug(lists, { degree })] as Chart['treatments'];
  test.each<[what: string, chart: Partial<Chart>, matter: boolean]>([
    ['an order on a list', { hook: 'order-sign', drafts: ordered('x') }, true],
    ['an order on a list, while it is chosen', { hook: 'order-select', drafts: ordered('x') }, true],
    [
      'a draft that is not ordered now',
      { hook: 'order-select', drafts: [drug(['x'], { ordered: false })] as Chart['drafts'] },
      false,
    ],
    ['an order on no list', { hook: 'order-sign', drafts: ordered() }, false],
    ['an order on a list that does not count', { hook: 'order-sign', drafts: ordered(except) }, false],
    ['an order on such a list and another', { hook: 'order-sign', drafts: ordered(except, 'x') }, true],
    ['two orders, one of them on a list', { hook: 'order-sign', drafts: [...ordered(), ...ordered('x')] }, true],
    ['no order, whatever is taken', { hook: 'order-sign', treatments: taken('taken', 'x') }, false],
    ['a current medicine, with the chart open', { hook: 'patient-view', treatments: taken('taken', 'x') }, true],
    ['a presumed medicine', { hook: 'patient-view', treatments: taken('presumed', 'x') }, true],
    ['a medicine that is only possible', { hook: 'patient-view', treatments: taken('possible', 'x') }, false],
    ['a current medicine on no list', { hook: 'patient-view', treatments: taken('taken') }, false],
    ['a current medicine that does not count', { hook: 'patient-view', treatments: taken('taken', except) }, false],
    [
      'two treatments, one of them taken',
      { hook: 'patient-view', treatments: [...taken('possible', 'x'), ...taken('taken', 'x')] },
      true,
    ],
    ['a draft, with the chart open', { hook: 'patient-view', drafts: ordered('x') }, false],
  ])('%s', (_, chart, matter) => {
    const card = cardOf({ chart: { ...chart, unread: { drafts: [], treatments: unread('Obscurin') } } });
    expect(card?.detail).toBe(matter ? 'not known: Obscurin' : undefined);
  });

  test('five are named, two of them in the summary, and none if the site says so', () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F'];
    const chart = { drafts: ordered('x'), unread: { drafts: [], treatments: unread(...names) } };
    expect(cardOf({ chart })).toMatchObject({
      summary: 'Unrecognised: A and B',
      detail: 'not known: A, B, C, D and E',
    });
    expect(cardOf({ chart, more: { knowledge: quiet } })).toBeUndefined();
    expect(cardOf({ chart: { drafts: ordered('x') } })).toBeUndefined();
  });
});

test('the most important reason is the summary, and the lines are in order of importance', () => {
  const chart = {
    ...left(['order', 'other-patient']),
    drafts: [drugOf('Alfa', { lists: ['x'], ordered: true })] as Chart['drafts'],
    unread: { drafts: unread('Alfa', 'Beta', 'Gamma'), treatments: unread('Obscurin') },
  };
  const results = [silent(possible('A'), possible('B'), possible('C'), result('o', 'one', false))];
  const all: Given = { chart, results, missing: ['conditions'] };
  expect(cardOf(all)).toMatchObject({
    summary: 'Unread 3: Alfa and Beta',
    detail: [
      'not read 3: Alfa, Beta and Gamma',
      'of others: 1',
      'still taken: A',
      'still taken: B',
      'still taken: C',
      'not known: Obscurin',
      'not to be read: test one',
      'missing: the problems',
    ].join('\n\n'),
  });
  const without: [more: Given, summary: string][] = [
    [{ chart: { ...chart, unread: { ...chart.unread, drafts: [] } } }, 'Other patient'],
    [{ chart: { ...chart, leftOut: [], unread: { ...chart.unread, drafts: [] } } }, 'Unclear: A, B +1'],
  ];
  for (const [more, summary] of without) expect(cardOf({ ...all, ...more })?.summary).toBe(summary);
  const tested = [silent(result('o', 'one', false))];
  const named = { ...chart, leftOut: [], unread: { ...chart.unread, drafts: [] } };
  expect(cardOf({ ...all, chart: named, results: tested })?.summary).toBe('Unrecognised: Obscurin');
  expect(cardOf({ results: tested, missing: ['conditions'] })?.summary).toBe('A result');
  expect(cardOf({ missing: ['conditions'] })?.summary).toBe('The record');
});

test('the card is informational, has its own topic, and is in the language of the answer', () => {
  const other = { ...inAll('x'), nb: 'mangler' };
  const norwegian = knowledgeWith({ shared: { notChecked: { ...notChecked, source: other }, sections }, site });
  expect(cardOf({ missing: ['conditions'], more: { knowledge: norwegian, language: 'nb' } })).toEqual({
    uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    summary: 'The record',
    detail: 'missing: the problems',
    indicator: 'info',
    source: { label: 'mangler', topic: { code: 'not-checked', system: 'urn:nordic-opioid-cds:rule' } },
  });
});

test('its id depends on the call, the patient and what the card is about, each once', () => {
  const about = (given: Given) => cardOf({ missing: ['conditions'], ...given })?.uuid;
  const ordered = [drugOf('Alfa', { lists: ['x'], ordered: true })] as Chart['drafts'];
  const ids = [
    about({}),
    about({ missing: ['medications'] }),
    about({ results: [silent(possible('Alfa'))] }),
    about({ results: [silent(result('o', 'one', false))] }),
    about({ results: [silent(result('p', 'one', false))] }),
    about({ chart: { unread: { drafts: unread('Alfa'), treatments: [] } } }),
    about({ chart: { drafts: ordered, unread: { drafts: [], treatments: [{ ref: 'x', name: 'y' }] } } }),
    about({ more: { hookInstance: 'call-2' } }),
    about({ chart: { subject: { patient: 'liv' } } }),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(about({ results: [silent(result('o', 'one', false)), silent(result('o', 'one', false))] })).toBe(ids[3]);
});
