import { describe, expect, test } from 'vitest';
import type { Drug } from '../chart/chart.ts';
import { knowledge } from '../testing/app.ts';
import { inAll, resultOf } from '../testing/rendering.ts';
import { negotiateLanguage } from './language.ts';
import { escapeMarkdown, plainText } from './markdown.ts';
import {
  bareName,
  capitalised,
  conditionNames,
  drugName,
  drugNames,
  listOf,
  listsOfFact,
  longestName,
} from './names.ts';

const RTL = '\u202e';
const ISOLATE = '\u2066';

describe('K4: Markdown in a text of the request is escaped', () => {
  test.each<[text: string, escaped: string]>([
    ['methadone', 'methadone'],
    ['a & b', 'a &amp; b'],
    ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
    ['<b>', '&lt;b>'],
    ['*a* _b_ `c` ~d~ |e|', '\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\|e\\|'],
    ['[a](b)', '\\[a\\](b)'],
    ['a\\b', 'a\\\\b'],
    ['https://a.example', 'https\u2060://a.example'],
    ['HTTP://a ftp://b mailto:c xmpp:d', 'HTTP\u2060://a ftp\u2060://b mailto\u2060:c xmpp\u2060:d'],
    ['www.a.example', 'www\u2060.a.example'],
    ['a@b.example', 'a@\u2060b.example'],
    [`metha${RTL}done`, 'metha done'],
  ])('%j', (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped);
  });
});

describe('a text of the request in a plain field', () => {
  test.each<[what: string, text: string, plain: string]>([
    ['is one line', ' a\r\n\tb  c ', 'a b c'],
    ['has no control characters', 'a\u0000b\u001bc', 'a b c'],
    ['has no bidirectional control characters', `a${RTL}b${ISOLATE}c\u2069d\u200fe`, 'a b c d e'],
    ['has no invisible characters', 'a\u200bb\ufeffc', 'a b c'],
    ['keeps letters, symbols and emoji', 'æ & <b> 💊', 'æ & <b> 💊'],
    ['may have 200 characters', '💊'.repeat(200), '💊'.repeat(200)],
    ['is cut after 200 characters', '💊'.repeat(201), `${'💊'.repeat(199)}…`],
  ])('%s', (_, text, plain) => {
    expect(plainText(text)).toBe(plain);
  });
});

test.each<[text: string, name: string]>([
  ['Alvedon & Citodon', 'Alvedon Citodon'],
  ['Metadon (APL) 1 mg/ml', 'Metadon APL 1 mg/ml'],
  ['10% a+b, c-d.', '10% a+b, c-d.'],
  [`Oxy${RTL}Norm`, 'Oxy Norm'],
  ['<b>x</b> [y](z) *æ* `é`', 'b x /b y z æ é'],
  ['a'.repeat(24), 'a'.repeat(24)],
  ['a'.repeat(25), `${'a'.repeat(23)}…`],
])('the bare name of %j is %j', (text, name) => {
  expect(bareName(text)).toBe(name);
});

describe('the name of a medicine', () => {
  const drug = (more: object) => ({ ref: 'MedicationRequest/x', otherwise: false, ...more }) as unknown as Drug;
  const [substance = '', { names } = { names: {} as Record<string, string> }] =
    [...knowledge.codes.substances].find(([, { names: own }]) => own.sv !== own.en) ?? [];
  test.each<[what: string, drug: Drug, name: string | undefined]>([
    ['its substance', drug({ substance, name: 'x' }), names['en']],
    ['what the record calls it', drug({ substance: 'none', name: 'a & b' }), 'a b'],
    ['its reference', drug({}), 'MedicationRequest/x'],
    [
      'the words for a treatment without a medicine',
      drug({ otherwise: true, substance }),
      knowledge.cards.shared.otherwise.name.en,
    ],
  ])('%s', (_, medication, name) => {
    expect(drugName(knowledge, medication, 'en')).toBe(name);
  });

  test('it is in the requested language, and listed once', () => {
    const drugs = [drug({ substance }), drug({ name: 'b' }), drug({ substance, ref: 'y' })];
    expect(drugNames(knowledge, drugs, 'sv')).toEqual([names['sv'], 'b']);
  });
});

test('a problem is named by its lists, in the order of cards/shared.yaml', () => {
  const terms = Object.entries(knowledge.cards.shared.terms);
  const [one, first] = terms[0] as (typeof terms)[number];
  const [two, second] = terms[1] as (typeof terms)[number];
  const condition = (...lists: string[]) => ({ lists }) as never;
  expect(conditionNames(knowledge, [condition(two), condition('none', one)], 'en')).toEqual([first.en, second.en]);
  expect(conditionNames(knowledge, [condition('none')], 'en')).toEqual([]);
});

test.each<[text: string, capitalised: string]>([
  ['åpen', 'Åpen'],
  ['𐐨x', '𐐀x'],
  ['', ''],
  ['1 a', '1 a'],
])('%j becomes %j at the start of a sentence', (text, expected) => {
  expect(capitalised(text, 'nb')).toBe(expected);
});

test.each<[limit: number | undefined, list: string]>([
  [undefined, 'a, b, and c'],
  [3, 'a, b, and c'],
  [2, 'a, b +1'],
  [1, 'a +2'],
])('three names, limited to %s', (limit, list) => {
  expect(listOf(['a', 'b', 'c'], 'en', limit).replace(', and', ',').replace(' and', ',')).toBe(
    list.replace(', and', ','),
  );
});

describe('what must fit in a summary', () => {
  const fact = (lists: string[], variables: string[] = []) => ({
    expression: { lists: new Set(lists), variables: new Set(variables) },
  });
  const part = (...prefixes: string[]) => [{ prefixes, except: [] }];
  const substance = (atc: string, name: string) => ({
    atc: [atc],
    names: { ...inAll(name), sv: `${name}, på svenska` },
  });
  const own = {
    guidelines: [
      {
        file: { id: 'g' },
        parameters: { days: 14, lengths: [3, 5] },
        facts: new Map([
          ['short', fact(['b'])],
          ['long', fact(['a'])],
          ['class', fact(['k'])],
          ['problem', fact(['p'])],
          ['indirect', fact([], ['long', 'days', 'hook'])],
          ['both', fact(['b'], ['indirect'])],
          ['none', fact([])],
        ]),
      },
    ],
    codes: {
      lists: new Map([
        ['a', part('A')],
        ['b', part('B')],
      ]),
      substances: new Map([
        ['1', substance('A01', 'a substance of a very long name')],
        ['2', substance('B01', 'short')],
        ['3', substance('C01', 'one of no list whose name is the longest of them all')],
      ]),
    },
    classes: { classes: new Map([['k', { lists: new Set(['a', 'z']) }]]) },
    cards: { shared: { terms: { p: inAll('a problem with many words for it'), q: inAll('x'.repeat(99)) } } },
  } as never;
  const rule = resultOf().rule;

  test.each<[fact: string, longest: string]>([
    ['days', '14'],
    ['lengths', '3,5'],
    ['long', 'a substance of a very long name +9'],
    ['class', 'a substance of a very long name +9'],
    ['indirect', 'a substance of a very long name +9'],
    ['problem', 'a problem with many words for it +9'],
    ['short', `${'x'.repeat(24)} +9`],
    ['none', `${'x'.repeat(24)} +9`],
    ['gone', `${'x'.repeat(24)} +9`],
  ])('{%s}: %s', (name, longest) => {
    expect(longestName(own, rule, name, 'en')).toBe(longest);
  });

  test('it is in the requested language', () => {
    expect(longestName(own, rule, 'long', 'sv')).toBe('a substance of a very long name, på svenska +9');
  });

  test.each<[fact: string, lists: string[]]>([
    ['long', ['a']],
    ['class', ['k', 'a', 'z']],
    ['indirect', ['a']],
    ['both', ['b', 'a']],
    ['none', []],
    ['gone', []],
  ])('the lists behind %s are %j', (name, lists) => {
    expect(listsOfFact(own, rule, name)).toEqual(lists);
  });
});

test.each<[header: string | undefined, language: string]>([
  [undefined, 'sv'],
  ['', 'sv'],
  ['en', 'en'],
  ['EN-GB', 'en'],
  ['no', 'nb'],
  ['nn-NO', 'nb'],
  ['nb', 'nb'],
  ['fi', 'sv'],
  ['fi, da;q=0.8, en;q=0.9', 'en'],
  ['fi, da', 'da'],
  ['en;q=0, da', 'da'],
  ['*', 'sv'],
  ['constructor', 'sv'],
])('Accept-Language: %s is answered in %s', (header, language) => {
  expect(negotiateLanguage(header, 'sv')).toBe(language);
});
