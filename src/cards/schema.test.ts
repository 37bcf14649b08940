import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../testing/app.ts';
import { inAll } from '../testing/rendering.ts';
import { cardFileSchema, sharedSchema } from './schema.ts';

type Tree = { [key: string]: unknown };
const delivered: Tree = parse(readFileSync(join(root, 'cards/shared.yaml'), 'utf8'));

/** The delivered texts with another value at a path; undefined removes it. */
function sharedWith(path: string[], value: unknown): Tree {
  const copy = structuredClone(delivered);
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Tree;
  const last = path.at(-1) as string;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
const valueAt = (path: string[]): Tree => path.reduce((tree, key) => tree[key] as Tree, delivered);
const isValid = (path: string[], value: unknown) => sharedSchema.safeParse(sharedWith(path, value)).success;

describe('cards/shared.yaml', () => {
  test('it is valid as delivered, and is read as written', () => {
    expect(sharedSchema.parse(delivered)).toEqual(delivered);
  });

  test.each([
    [[]],
    [['sourceKinds']],
    [['sourceLine']],
    [['notChecked']],
    [['notChecked', 'summary']],
    [['notChecked', 'summary', 'unread']],
    [['drugLines']],
    [['otherwise']],
    [['services']],
    [['services', 'hooks']],
    [['services', 'hooks', 'order-sign']],
    [['services', 'titles']],
    [['services', 'usage']],
    [['sections']],
    [['sections', 'patient']],
    [['overrideReasons', 'epilepsy']],
    [['terms', 'anxiety']],
    [['orders', 'follow-up']],
  ])('%j must have every text and no unknown ones', (path) => {
    const keys = Object.keys(valueAt(path));
    expect(keys.length).toBeGreaterThan(1);
    expect(keys.filter((key) => isValid([...path, key], undefined))).toEqual([]);
    expect(isValid([...path, 'other'], inAll('x'))).toBe(false);
  });

  test.each<[path: string[], value: unknown, valid: boolean]>([
    [['terms', 'other'], inAll('x'), true],
    [['orders', 'other'], inAll('x'), true],
    [['terms', 'other'], 'x', false],
    [['overrideReasons', 'other'], { code: 'x', system: 'urn:x', display: inAll('x') }, true],
    [['overrideReasons', 'other'], { code: '', system: 'urn:x', display: inAll('x') }, false],
    [['overrideReasons', 'other'], { code: 'x', system: 'no address', display: inAll('x') }, false],
    [['undated', 'sv'], '', false],
    [['undated', 'sv'], ' ', false],
    [['undated', 'sv'], 7, false],
    [['undated', 'fi'], 'x', false],
    [['services', 'description'], ' ', false],
    [['services', 'titles', 'order-sign'], '', false],
    [['services', 'usage', 'version'], 'x', true],
    [['services', 'usage', 'needed'], 'x', false],
    [['services', 'usage', 'needed'], 'x {keys}', true],
    [['services', 'usage', 'sharpening'], 'x', false],
    [['services', 'usage', 'sharpening'], '{keys}', true],
    [['services', 'usage', 'safety'], '', false],
  ])('%j may be %j: %s', (path, value, valid) => {
    expect(isValid(path, value)).toBe(valid);
  });
});

describe('a card', () => {
  const text = inAll('x');
  const bare = { summary: text, detail: [{ text }] };
  test.each<[what: string, card: Tree]>([
    ['with a summary and a paragraph', bare],
    ['with another summary', { ...bare, summaries: [{ if: 'fact', text }] }],
    ['with a paragraph that has a condition', { ...bare, detail: [{ if: 'fact', text }] }],
    ['with the words of a suggestion', { ...bare, suggestions: { stop: { label: text, description: text } } }],
    ['with override reasons', { ...bare, overrideReasons: ['known'] }],
  ])('a card %s is read, and has nothing that it does not name', (_, card) => {
    const none = { summaries: [], suggestions: {}, overrideReasons: [] };
    expect(cardFileSchema.parse({ rule: card })).toEqual({ rule: { ...none, ...card } });
  });

  test.each<[what: string, card: Tree]>([
    ['without a summary', { detail: bare.detail }],
    ['without a paragraph', { ...bare, detail: [] }],
    ['without any detail', { summary: text }],
    ['with an unknown field', { ...bare, other: text }],
    ['with a summary in one language', { ...bare, summary: { sv: 'x' } }],
    ['with another summary for no fact', { ...bare, summaries: [{ text }] }],
    ['with another summary of an unknown field', { ...bare, summaries: [{ if: 'fact', text, other: 'x' }] }],
    ['with a paragraph of an unknown field', { ...bare, detail: [{ text, unless: 'fact' }] }],
    ['with a paragraph without a text', { ...bare, detail: [{ if: 'fact' }] }],
    ['with a suggestion without a description', { ...bare, suggestions: { stop: { label: text } } }],
    ['with a suggestion without a label', { ...bare, suggestions: { stop: { description: text } } }],
    [
      'with a suggestion of an unknown field',
      { ...bare, suggestions: { stop: { label: text, description: text, other: text } } },
    ],
    ['with an override reason that is not a name', { ...bare, overrideReasons: [7] }],
  ])('a card %s is refused', (_, card) => {
    expect(cardFileSchema.safeParse({ rule: card }).success).toBe(false);
  });

  test('spaces around a text are removed', () => {
    const { rule } = cardFileSchema.parse({ rule: { ...bare, summary: inAll(' x\n') } });
    expect(rule?.summary).toEqual(text);
  });
});
