import { expect, test } from 'vitest';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { itemSchema } from './feedback.ts';

const MOMENT = '2026-03-02T09:05:00Z';
const item = (more: object = {}) => ({ card: 'c-1', outcome: 'overridden', outcomeTimestamp: MOMENT, ...more });
const accepted = (acceptedSuggestions: unknown) => item({ outcome: 'accepted', acceptedSuggestions });

test.each<[what: string, item: unknown, read: object]>([
  ['an override', item(), { card: 'c-1', outcome: 'overridden', acceptedSuggestions: [] }],
  ['its outcome in mixed case', item({ outcome: ' OVERRIDDEN ' }), { outcome: 'overridden' }],
  [
    'ids surrounded by spaces',
    accepted([' a ', { id: ' b ', x: 1 }]),
    { acceptedSuggestions: [{ id: 'a' }, { id: 'b', x: 1 }] },
  ],
  ['no suggestions', item({ acceptedSuggestions: null }), { acceptedSuggestions: [] }],
  ['an id of a hundred characters', item({ card: 'x'.repeat(100) }), { card: 'x'.repeat(100) }],
  ['every character of an id', item({ card: '!~' }), { card: '!~' }],
  ['as many suggestions as allowed', accepted(Array(limits.feedbackSuggestions).fill('a')), {}],
  ['a timestamp with an offset', item({ outcomeTimestamp: '2026-03-02T10:05:00+01:00' }), {}],
  ['any kind of reason', item({ overrideReason: 7, other: [] }), { overrideReason: 7, other: [] }],
])('FB2–FB5: %s is read', (_, value, read) => {
  expect(itemSchema.parse(value)).toMatchObject(read);
});

const REQUIRED = 'acceptedSuggestions: required when the outcome is accepted';
const MOMENTS = 'outcomeTimestamp: must be an RFC 3339 date and time with a time zone';
test.each<[what: string, item: unknown, problem: string]>([
  ['no card', item({ card: undefined }), 'card: '],
  ['an empty card', item({ card: ' ' }), 'card: must be an id'],
  ['a card of two words', item({ card: 'a b' }), 'card: must be an id'],
  ['a non-ASCII card', item({ card: 'å' }), 'card: must be an id'],
  ['a card of 101 characters', item({ card: 'x'.repeat(101) }), 'card: must be an id'],
  ['another outcome', item({ outcome: 'ignored' }), 'outcome: '],
  ['an outcome that is not a string', item({ outcome: 7 }), 'outcome: '],
  ['a date instead of a timestamp', item({ outcomeTimestamp: '2026-03-02' }), MOMENTS],
  ['a timestamp without its time zone', item({ outcomeTimestamp: '2026-03-02T09:05:00' }), MOMENTS],
  ['accepted without suggestions', accepted([]), REQUIRED],
  ['accepted with null', accepted(null), REQUIRED],
  ['a suggestion without an id', accepted([{}]), 'acceptedSuggestions.0: '],
  ['a suggestion that is not a string', accepted([7]), 'acceptedSuggestions.0: '],
  ['one suggestion too many', accepted(Array(limits.feedbackSuggestions + 1).fill('a')), 'acceptedSuggestions: '],
])('FB2–FB4: %s is refused', (_, value, problem) => {
  const issues = itemSchema.safeParse(value).error?.issues ?? [];
  const said = issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(said).toEqual([expect.stringMatching(`^${problem}`)]);
});

test('the API description of an item', () => {
  type Schema = { description?: string; properties?: Record<string, Schema>; [key: string]: unknown };
  const schema = z.toJSONSchema(itemSchema, { io: 'input' }) as Schema;
  const fields = schema.properties ?? {};
  const reason = fields['overrideReason']?.properties ?? {};
  const coding = reason['reason']?.properties ?? {};
  expect(Object.keys(fields)).toEqual(['card', 'outcome', 'outcomeTimestamp', 'acceptedSuggestions', 'overrideReason']);
  expect([Object.keys(reason), Object.keys(coding)]).toEqual([
    ['reason', 'userComment'],
    ['code', 'system'],
  ]);
  for (const [name, { description }] of Object.entries({ ...fields, ...reason, ...coding }))
    expect(description, name).toMatch(/\w/);
  expect(schema).toMatchObject({
    if: { required: ['outcome'], properties: { outcome: { const: 'accepted' } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
    then: { required: ['acceptedSuggestions'], properties: { acceptedSuggestions: { type: 'array', minItems: 1 } } },
  });
});
