import { describe, expect, test } from 'vitest';
import { drugOf, inAll, knowledgeWith, renderingOf, resultOf } from '../testing/rendering.ts';
import { message } from './message.ts';
import { factOfPlaceholder, type Values, valuesFor } from './values.ts';

const knowledge = knowledgeWith({
  parameters: { days: 5, courseDays: [3, 5, 7] },
  shared: { terms: { one: { ...inAll('first'), sv: 'den första' }, two: inAll('second') } },
});
const [alfa, beta] = [drugOf('Alfa'), drugOf('Beta')];
const problem = (...lists: string[]) => ({ ref: 'Condition/x', lists });

/** The values of a text about a fact. */
const valuesOf = (text: string, value: unknown[] = [], limit?: number): Values =>
  valuesFor(
    message(text, 'en'),
    resultOf({ findings: { fact: { value } } }),
    renderingOf({}, { knowledge }),
    ...(limit === undefined ? [] : [limit]),
  );

describe('what a placeholder stands for', () => {
  test.each<[what: string, text: string, value: unknown[], values: Values]>([
    ['no placeholder', 'x', [alfa], {}],
    ['a number of the guideline', '{days}', [], { days: 5 }],
    ['several numbers of the guideline', '{courseDays}', [], { courseDays: '3, 5 and 7' }],
    ['a medicine', '{fact}', [alfa], { fact: 'Alfa' }],
    ['several medicines, each once', '{fact}', [alfa, beta, drugOf('Alfa', { ref: 'y' })], { fact: 'Alfa and Beta' }],
    ['their number', '{factCount, plural, other {#}}', [alfa, beta, drugOf('Alfa', { ref: 'y' })], { factCount: 2 }],
    ['both of a pair', '{fact}', [{ one: alfa, other: beta }], { fact: 'Alfa and Beta' }],
    ['a problem', '{fact}', [problem('one')], { fact: 'first' }],
    ['problems, in the order of their words', '{fact}', [problem('two'), problem('one')], { fact: 'first and second' }],
    ['the number of problems', '{factCount}', [problem('two'), problem('one')], { factCount: 2 }],
    ['medicines before problems', '{fact}', [problem('one'), alfa], { fact: 'Alfa' }],
    ['a problem without a word', '{fact}', [problem('none')], { fact: '' }],
    ['a day', '{fact, date, long}', ['2026-03-02'], { fact: new Date('2026-03-02') }],
    ['the first of several days', '{fact, date, long}', ['2026-03-02', '2026-03-03'], { fact: new Date('2026-03-02') }],
    ['a month', '{fact}', ['2026-03'], { fact: '2026-03' }],
    ['a moment', '{fact}', ['2026-03-02T10:00'], { fact: '2026-03-02T10:00' }],
    ['a text that ends in a day', '{fact}', ['on 2026-03-02'], { fact: 'on 2026-03-02' }],
    ['a number', '{fact}', [0.5], { fact: 0.5 }],
    ['true', '{fact}', [true], { fact: '' }],
    ['nothing', '{fact}', [], { fact: '' }],
    ['null', '{fact}', [null], { fact: '' }],
    ['the number of nothing', '{factCount}', [], { factCount: 0 }],
    ['two at once', '{fact} {days}', [alfa], { fact: 'Alfa', days: 5 }],
  ])('%s', (_, text, value, values) => {
    expect(valuesOf(text, value)).toEqual(values);
  });

  test('a list is limited to its number of names, except that numbers of the guideline are all listed', () => {
    const value = [alfa, beta, drugOf('Gamma')];
    expect(valuesOf('{fact}', value, 2)).toEqual({ fact: 'Alfa, Beta +1' });
    expect(valuesOf('{fact}', value, 3)).toEqual({ fact: 'Alfa, Beta and Gamma' });
    expect(valuesOf('{factCount} {courseDays}', value, 1)).toEqual({ factCount: 3, courseDays: '3, 5 and 7' });
  });

  test('the words are in the reader’s language', () => {
    const rendering = renderingOf({}, { knowledge, language: 'sv' });
    const result = resultOf({ findings: { fact: { value: [problem('one'), problem('two')] } } });
    expect(valuesFor(message('{fact}', 'sv'), result, rendering)).toEqual({ fact: 'den första och second' });
  });
});

test.each([
  ['sedative', 'sedative'],
  ['sedativeCount', 'sedative'],
  ['CountOfDays', 'CountOfDays'],
])('{%s} depends on the fact %s', (placeholder, fact) => {
  expect(factOfPlaceholder(placeholder)).toBe(fact);
});
