import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeedbackRow } from '../journal/store.ts';
import { knowledgeOf, NOW, root } from '../testing/app.ts';
import { AT, accept, override, type Row, startReceiver } from '../testing/receiver.ts';

const usual = await startReceiver();
const { send, sendAsIs } = usual;
afterAll(() => usual.close());
beforeEach(() => usual.forget());

const idOf = (...parts: string[]) => createHash('sha256').update(parts.join('\0')).digest('hex');

describe('FB3–FB6: what is kept of an item', () => {
  const row = {
    client: 'sandbox',
    tenant: '',
    service: 'nordic-opioid-order-sign',
    received_at: NOW,
    card: 'c',
    at: Date.parse(AT),
    reason_code: null,
    reason_system: null,
    comment: null,
  };
  const overridden = {
    ...row,
    id: idOf('sandbox', '', 'c', 'overridden', '', String(Date.parse(AT))),
    outcome: 'overridden',
    suggestion: null,
  };
  const accepted = (suggestion: string) => ({
    ...row,
    id: idOf('sandbox', '', 'c', 'accepted', suggestion, String(Date.parse(AT))),
    outcome: 'accepted',
    suggestion,
  });
  const reason = (code: string | null, system: string | null = null) => ({ reason_code: code, reason_system: system });

  test.each<[what: string, item: Row, rows: Row[]]>([
    ['an override', override(), [overridden]],
    ['an override with suggestions', override({ acceptedSuggestions: ['s'] }), [overridden]],
    ['each accepted suggestion, once', accept(['s', { id: 't', x: 1 }, 's']), [accepted('s'), accepted('t')]],
    ['ids without surrounding spaces', accept([' s ', { id: ' t ' }], { card: ' c ' }), [accepted('s'), accepted('t')]],
    ['the outcome in mixed case', override({ outcome: ' Overridden ' }), [overridden]],
    [
      'a reason',
      override({ overrideReason: { reason: { code: 'r', system: 'urn:s' } } }),
      [{ ...overridden, ...reason('r', 'urn:s') }],
    ],
    [
      'the first of several reasons',
      override({ overrideReason: { reason: [{ code: 'r' }, { code: 'q' }] } }),
      [{ ...overridden, ...reason('r') }],
    ],
    ['a reason one level higher', override({ overrideReason: { code: 'r' } }), [{ ...overridden, ...reason('r') }]],
    [
      'the first reason under the plural name',
      override({ overrideReasons: [{ code: 'r' }, { code: 'q' }] }),
      [{ ...overridden, ...reason('r') }],
    ],
    [
      'the reason under the singular name',
      override({ overrideReason: { code: 'r' }, overrideReasons: [{ code: 'q' }] }),
      [{ ...overridden, ...reason('r') }],
    ],
    [
      'no reason for an accepted suggestion',
      accept(['s'], { overrideReason: { code: 'r', system: 'urn:s' } }),
      [accepted('s')],
    ],
    ['no reason that is blank or not a string', override({ overrideReason: { code: ' \n', system: 7 } }), [overridden]],
    [
      'a reason without control characters',
      override({ overrideReason: { code: ' a\u0000\u0001b ' } }),
      [{ ...overridden, ...reason('a b') }],
    ],
    [
      'a reason up to its maximum length',
      override({ overrideReason: { code: 'r'.repeat(201), system: 's'.repeat(501) } }),
      [{ ...overridden, ...reason('r'.repeat(200), 's'.repeat(500)) }],
    ],
    ['a comment', override({ overrideReason: { userComment: 'x' } }), [{ ...overridden, comment: 'x' }]],
    ['a comment outside the reason', override({ userComment: 'x' }), [{ ...overridden, comment: 'x' }]],
    [
      'the comment inside the reason first',
      override({ userComment: 'x', overrideReason: { userComment: 'y' } }),
      [{ ...overridden, comment: 'y' }],
    ],
    ['a comment on an accepted suggestion', accept(['s'], { userComment: 'x' }), [{ ...accepted('s'), comment: 'x' }]],
  ])('%s', async (_, item, rows) => {
    expect(await send({ feedback: [item] })).toMatchObject({ status: 200, results: [{ status: 'stored' }] });
    expect(usual.rows()).toEqual(rows);
  });

  test('an unpaired surrogate is replaced', async () => {
    await sendAsIs({ feedback: [override({ userComment: 'a\ud800' })] });
    expect(usual.rows()[0]?.comment).toBe('a\ufffd');
  });

  test.each([
    [1000, {}],
    [1001, { commentCut: true }],
  ])('a comment of %s characters is cut to a thousand, and the cut is reported', async (length, said) => {
    const { results } = await send({ feedback: [override({ userComment: 'x'.repeat(length) })] });
    expect([results, usual.rows()[0]?.comment]).toEqual([[{ status: 'stored', ...said }], 'x'.repeat(1000)]);
  });

  test('no comment is kept if the site wants none, and no cut is reported', async () => {
    const silent = await startReceiver({ knowledge: knowledgeOf(root, {}) });
    const { results } = await silent.send({ feedback: [override({ userComment: 'x'.repeat(1001) })] });
    expect([results, silent.rows()[0]?.comment]).toEqual([[{ status: 'stored' }], null]);
    await silent.close();
  });
});

describe('FB6, FB7: the result of an item', () => {
  const [one, two] = [override({ card: 'one' }), accept(['s', 't'], { card: 'two' })];
  const ids = (rows: FeedbackRow[], ...suggestions: (string | null)[]) =>
    rows.filter(({ suggestion = null }) => suggestions.includes(suggestion)).map(({ id }) => id);
  test.each<[what: string, added: (string | null)[], known: (string | null)[], results: Row[]]>([
    ['new items about known cards', [null, 's', 't'], [null, 's', 't'], [{ status: 'stored' }, { status: 'stored' }]],
    ['repeated items', [], [null, 's', 't'], [{ status: 'repeated' }, { status: 'repeated' }]],
    ['a partly new item', ['t'], [null, 's', 't'], [{ status: 'repeated' }, { status: 'stored' }]],
    [
      'an item about an unknown card',
      [null],
      ['s', 't'],
      [{ status: 'stored', unknownCard: true }, { status: 'repeated' }],
    ],
    [
      'an item about a partly known card',
      [],
      [null, 's'],
      [{ status: 'repeated' }, { status: 'repeated', unknownCard: true }],
    ],
  ])('%s', async (_, added, known, results) => {
    usual.stored = (rows) => ({ added: ids(rows, ...added), known: ids(rows, ...known) });
    expect((await send({ feedback: [one, two] })).results).toEqual(results);
  });

  test('two equal items reach the journal once', async () => {
    expect((await send({ feedback: [one, one] })).results).toHaveLength(2);
    expect(usual.calls.map((rows) => rows.length)).toEqual([1]);
  });

  test('without items the journal is not used and need not exist', async () => {
    expect(await send({ feedback: [] })).toMatchObject({ status: 200, results: [] });
    expect(usual.calls).toEqual([]);
    const bare = await startReceiver({ journal: undefined as never });
    expect(await bare.send({ feedback: [] })).toMatchObject({ status: 200, results: [] });
    await bare.close();
  });

  test('an unreadable item is reported in its position, and the rest is kept', async () => {
    const { status, results } = await send({ feedback: [7, one, { ...one, outcome: 'x' }] });
    expect([status, usual.rows().length]).toEqual([200, 1]);
    expect(results).toEqual([
      { status: 'rejected', problems: [expect.stringMatching(/^item: /)] },
      { status: 'stored' },
      { status: 'rejected', problems: [expect.stringMatching(/^outcome: /)] },
    ]);
  });
});

describe('FB2: refused bodies', () => {
  test.each<[what: string, body: unknown, diagnostics: string[]]>([
    ['a body that is not an object', 7, ['feedback: must be a list']],
    ['feedback that is null', { feedback: null, card: 'c' }, ['feedback: must be a list']],
    [
      'accepted without suggestions',
      { feedback: [accept([])] },
      ['feedback.0.acceptedSuggestions: required when the outcome is accepted'],
    ],
    [
      'accepted with null',
      { feedback: [{ ...accept([]), acceptedSuggestions: null }] },
      ['feedback.0.acceptedSuggestions: required when the outcome is accepted'],
    ],
    ['a card that is not an id', { feedback: [override({ card: 'å' })] }, ['feedback.0.card: must be an id']],
    [
      'a card of 101 characters',
      { feedback: [override({ card: 'x'.repeat(101) })] },
      ['feedback.0.card: must be an id'],
    ],
    [
      'a timestamp without its time zone',
      { feedback: [override(), override({ outcomeTimestamp: '2026-03-02T09:05:00' })].slice(1) },
      ['feedback.0.outcomeTimestamp: must be an RFC 3339 date and time with a time zone'],
    ],
  ])('%s', async (_, body, diagnostics) => {
    expect(await sendAsIs(body)).toEqual({ status: 400, diagnostics });
  });

  test('a call to an unknown service keeps nothing', async () => {
    const { status } = await usual.http.post('/cds-services/nope/feedback').send({ feedback: [override()] });
    expect([status, usual.calls]).toEqual([404, []]);
  });
});
