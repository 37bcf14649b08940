import { describe, expect, test } from 'vitest';
import { compileWording, saysIn, sentencesOf, wordsOf } from './words.ts';

test.each<[text: string, words: string[]]>([
  ['Två tabletter, 5 mg/dag.', ['två', 'tabletter', '5', 'mg', 'dag']],
  ['a\u030a', ['å']],
  ['x-y_z', ['x', 'y', 'z']],
  ['', []],
  ['!?', []],
])('the words of %j are %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

describe('whether a text contains a wording', () => {
  const wording = compileWording({
    any: ['taper', 'cut down', 'pain-', '!'],
    except: ['painter', 'taper free'],
    notAfter: ['no', 'not a'],
    notWith: ['formerly'],
  });
  test.each<[text: string, says: boolean]>([
    ['taper', true],
    ['Slow TAPER from Monday', true],
    ['tapering', false],
    ['cut down', true],
    ['cut it down', false],
    ['down cut', false],
    ['painful', true],
    ['pain', true],
    ['repaint', false],
    ['the painter', false],
    ['painters', true],
    ['taper free', false],
    ['painter in pain', true],
    ['no taper', false],
    ['not a slow taper', false],
    ['not slow, taper', true],
    ['no. Taper', true],
    ['no; taper', true],
    ['no\ntaper', true],
    ['taper, no more', true],
    ['taper, formerly', false],
    ['formerly taper', false],
    ['formerly. Taper', true],
    ['', false],
    ['!', false],
  ])('%j: %s', (text, says) => {
    expect(saysIn(sentencesOf(text), wording)).toBe(says);
  });

  test('a word at the beginning of a wording does not negate it', () => {
    const own = compileWording({
      any: ['no more pain', 'pain free'],
      except: [],
      notAfter: ['no', 'pain'],
      notWith: [],
    });
    const says = (text: string) => saysIn(sentencesOf(text), own);
    expect([says('no more pain'), says('pain free'), says('no pain free'), says('no, no more pain')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('only the beginning of a long text is searched', () => {
    expect(saysIn(sentencesOf(`${'x '.repeat(997)}taper`), wording)).toBe(true);
    expect(saysIn(sentencesOf(`${'x '.repeat(1000)}taper`), wording)).toBe(false);
  });

  test('a wording tells whether it is a purpose', () => {
    const empty = { any: [], except: [], notAfter: [], notWith: [] };
    expect([compileWording(empty).purpose, compileWording({ ...empty, purpose: true }).purpose]).toEqual([false, true]);
  });
});
