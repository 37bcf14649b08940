import { createHash } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Journal } from '../journal/journal.ts';
import type { FeedbackRow } from '../journal/store.ts';
import { knowledgeOf, root, startService } from '../testing/app.ts';
import { createClient, SIGN } from '../testing/client.ts';

const FEEDBACK = `${SIGN}/feedback`;
const AT = '2026-03-02T09:05:00Z';
const NOW = Date.parse('2026-03-02T09:00:00Z');
const UUID = '0d1c2b3a-1111-4222-8333-444455556666';
const noting = knowledgeOf(root, { journal: { comments: true }, quiet: { accepted: ['epilepsy'] } });
const OURS = 'urn:nordic-opioid-cds:override-reason';

type Row = Record<string, unknown>;
type Answer = { status: number; results: Row[]; diagnostics: string[]; retryAfter: string | undefined };
type Options = Parameters<typeof startService>[0];
type Stored = (rows: FeedbackRow[]) => { added: string[]; known: string[] };
const allNew: Stored = (rows) => {
  const ids = rows.map(({ id }) => id);
  return { added: ids, known: ids };
};

/** A service whose journal keeps the rows that it is given, and says what `stored` says. */
async function startReceiver(options: Options = {}) {
  const calls: FeedbackRow[][] = [];
  const journal = {
    addFeedback: async (given: FeedbackRow[]) => {
      calls.push(given);
      return receiver.stored(given);
    },
    useToken: async () => true,
    figures: () => ({ state: 'up', queued: 0, written: 0, dropped: 0 }),
  } as unknown as Journal;
  const service = await startService({ journal, knowledge: noting, clock: () => NOW, ...options });
  const receiver = {
    stored: allNew,
    calls,
    http: service.http,
    close: service.close,
    rows: () => calls.flat(),
    lines: () => service.log.map((line) => JSON.parse(line)),
    audit: () => receiver.lines().filter(({ msg }) => msg === 'audit'),
    send: async (body: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
      const {
        status,
        body: answer,
        headers: got,
      } = await service.http
        .post(FEEDBACK)
        .set(headers)
        .send(body as object);
      const diagnostics = (answer.issue ?? []).map((issue: { diagnostics?: string }) => issue.diagnostics);
      return { status, results: answer.results, diagnostics, retryAfter: got['retry-after'] };
    },
    /** Sends a body that a client library would change. */
    sendAsIs: async (body: unknown) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await service.app.inject({
        method: 'POST',
        url: FEEDBACK,
        headers,
        payload: JSON.stringify(body),
      });
      const issues = (answer.json().issue ?? []) as Row[];
      return { status: answer.statusCode, diagnostics: issues.map(({ diagnostics }) => diagnostics) };
    },
    /** Forgets what it was sent. */
    forget: () => {
      receiver.stored = allNew;
      calls.length = 0;
      service.log.length = 0;
    },
  };
  return receiver;
}
const usual = await startReceiver();
const { send, sendAsIs } = usual;
afterAll(() => usual.close());
beforeEach(() => usual.forget());

const override = (more: Row = {}): Row => ({ card: 'c', outcome: 'overridden', outcomeTimestamp: AT, ...more });
const accept = (ids: unknown[], more: Row = {}): Row => ({
  ...override(more),
  outcome: 'accepted',
  acceptedSuggestions: ids,
});
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
    ['one with suggestions', override({ acceptedSuggestions: ['s'] }), [overridden]],
    ['each accepted suggestion, once', accept(['s', { id: 't', x: 1 }, 's']), [accepted('s'), accepted('t')]],
    [
      'blanks around ids are no part of them',
      accept([' s ', { id: ' t ' }], { card: ' c ' }),
      [accepted('s'), accepted('t')],
    ],
    ['the outcome in other letters', override({ outcome: ' Overridden ' }), [overridden]],
    [
      'a reason',
      override({ overrideReason: { reason: { code: 'r', system: 'urn:s' } } }),
      [{ ...overridden, ...reason('r', 'urn:s') }],
    ],
    [
      'the first of several',
      override({ overrideReason: { reason: [{ code: 'r' }, { code: 'q' }] } }),
      [{ ...overridden, ...reason('r') }],
    ],
    ['a reason one level higher', override({ overrideReason: { code: 'r' } }), [{ ...overridden, ...reason('r') }]],
    [
      'a list of them',
      override({ overrideReasons: [{ code: 'r' }, { code: 'q' }] }),
      [{ ...overridden, ...reason('r') }],
    ],
    [
      'the one under the singular name',
      override({ overrideReason: { code: 'r' }, overrideReasons: [{ code: 'q' }] }),
      [{ ...overridden, ...reason('r') }],
    ],
    [
      'not the reason of what was accepted',
      accept(['s'], { overrideReason: { code: 'r', system: 'urn:s' } }),
      [accepted('s')],
    ],
    ['no reason that is blank or no text', override({ overrideReason: { code: ' \n', system: 7 } }), [overridden]],
    [
      'a reason as text',
      override({ overrideReason: { code: ' a\u0000\u0001b ' } }),
      [{ ...overridden, ...reason('a b') }],
    ],
    [
      'as much of a reason as has room',
      override({ overrideReason: { code: 'r'.repeat(201), system: 's'.repeat(501) } }),
      [{ ...overridden, ...reason('r'.repeat(200), 's'.repeat(500)) }],
    ],
    ['a comment', override({ overrideReason: { userComment: 'x' } }), [{ ...overridden, comment: 'x' }]],
    ['a comment beside the reason', override({ userComment: 'x' }), [{ ...overridden, comment: 'x' }]],
    [
      'the comment in the reason before it',
      override({ userComment: 'x', overrideReason: { userComment: 'y' } }),
      [{ ...overridden, comment: 'y' }],
    ],
    ['a comment on what was accepted', accept(['s'], { userComment: 'x' }), [{ ...accepted('s'), comment: 'x' }]],
  ])('%s', async (_, item, rows) => {
    expect(await send({ feedback: [item] })).toMatchObject({ status: 200, results: [{ status: 'stored' }] });
    expect(usual.rows()).toEqual(rows);
  });

  test('half a character of a text is none', async () => {
    await sendAsIs({ feedback: [override({ userComment: 'a\ud800' })] });
    expect(usual.rows()[0]?.comment).toBe('a\ufffd');
  });

  test.each([
    [1000, {}],
    [1001, { commentCut: true }],
  ])('of a comment of %s characters a thousand, and it is said', async (length, said) => {
    const { results } = await send({ feedback: [override({ userComment: 'x'.repeat(length) })] });
    expect([results, usual.rows()[0]?.comment]).toEqual([[{ status: 'stored', ...said }], 'x'.repeat(1000)]);
  });

  test('no comment where the site wants none, and nothing is said of it', async () => {
    const silent = await startReceiver({ knowledge: knowledgeOf(root, {}) });
    const { results } = await silent.send({ feedback: [override({ userComment: 'x'.repeat(1001) })] });
    expect([results, silent.rows()[0]?.comment]).toEqual([[{ status: 'stored' }], null]);
    await silent.close();
  });
});

describe('FB6, FB7: what an item is told', () => {
  const [one, two] = [override({ card: 'one' }), accept(['s', 't'], { card: 'two' })];
  const ids = (rows: FeedbackRow[], ...suggestions: (string | null)[]) =>
    rows.filter(({ suggestion = null }) => suggestions.includes(suggestion)).map(({ id }) => id);
  test.each<[what: string, added: (string | null)[], known: (string | null)[], results: Row[]]>([
    ['new, of known cards', [null, 's', 't'], [null, 's', 't'], [{ status: 'stored' }, { status: 'stored' }]],
    ['kept before', [], [null, 's', 't'], [{ status: 'repeated' }, { status: 'repeated' }]],
    ['some of it new', ['t'], [null, 's', 't'], [{ status: 'repeated' }, { status: 'stored' }]],
    [
      'of a card that is not known',
      [null],
      ['s', 't'],
      [{ status: 'stored', unknownCard: true }, { status: 'repeated' }],
    ],
    [
      'of one that is known in part',
      [],
      [null, 's'],
      [{ status: 'repeated' }, { status: 'repeated', unknownCard: true }],
    ],
  ])('%s', async (_, added, known, results) => {
    usual.stored = (rows) => ({ added: ids(rows, ...added), known: ids(rows, ...known) });
    expect((await send({ feedback: [one, two] })).results).toEqual(results);
  });

  test('two equal items are given to the journal once', async () => {
    expect((await send({ feedback: [one, one] })).results).toHaveLength(2);
    expect(usual.calls.map((rows) => rows.length)).toEqual([1]);
  });

  test('without an item the journal is not asked, and need not be there', async () => {
    expect(await send({ feedback: [] })).toMatchObject({ status: 200, results: [] });
    expect(usual.calls).toEqual([]);
    const bare = await startReceiver({ journal: undefined as never });
    expect(await bare.send({ feedback: [] })).toMatchObject({ status: 200, results: [] });
    await bare.close();
  });

  test('what cannot be read is named in its place, and the rest is kept', async () => {
    const { status, results } = await send({ feedback: [7, one, { ...one, outcome: 'x' }] });
    expect([status, usual.rows().length]).toEqual([200, 1]);
    expect(results).toEqual([
      { status: 'rejected', problems: [expect.stringMatching(/^item: /)] },
      { status: 'stored' },
      { status: 'rejected', problems: [expect.stringMatching(/^outcome: /)] },
    ]);
  });
});

describe('FB2: what is refused', () => {
  test.each<[what: string, body: unknown, diagnostics: string[]]>([
    ['a body that is no object', 7, ['feedback: must be a list']],
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
    ['a card that is no id', { feedback: [override({ card: 'å' })] }, ['feedback.0.card: must be an id']],
    [
      'a card of 101 characters',
      { feedback: [override({ card: 'x'.repeat(101) })] },
      ['feedback.0.card: must be an id'],
    ],
    [
      'a moment without its time zone',
      { feedback: [override(), override({ outcomeTimestamp: '2026-03-02T09:05:00' })].slice(1) },
      ['feedback.0.outcomeTimestamp: must be an RFC 3339 date and time with a time zone'],
    ],
  ])('%s', async (_, body, diagnostics) => {
    expect(await sendAsIs(body)).toEqual({ status: 400, diagnostics });
  });

  test('a call for an unknown service keeps nothing', async () => {
    const { status } = await usual.http.post('/cds-services/nope/feedback').send({ feedback: [override()] });
    expect([status, usual.calls]).toEqual([404, []]);
  });
});

describe('what the log and the metrics say of feedback', () => {
  const ours = { overrideReason: { reason: { code: 'epilepsy', system: OURS } } };
  const other = { overrideReason: { reason: { code: 'palliative-care' } } };
  const line = { service: 'nordic-opioid-order-sign', outcome: 'overridden', knowledge: noting.fingerprint };
  test.each<[what: string, items: Row[], lines: Row[]]>([
    ['an override', [override()], [line]],
    ['of a card by its UUID', [override({ card: UUID })], [{ ...line, card: UUID }]],
    ['in capitals too', [override({ card: UUID.toUpperCase() })], [{ ...line, card: UUID.toUpperCase() }]],
    ['and never by another text', [override({ card: `x${UUID}` }), override({ card: `${UUID}x` })], [line, line]],
    ['a reason that silences', [override(ours)], [{ ...line, reason: 'epilepsy', accepted: true }]],
    ['a reason that does not', [override(other)], [{ ...line, reason: 'palliative-care', accepted: false }]],
    [
      'no reason of another system',
      [override({ overrideReason: { reason: { code: 'epilepsy', system: 'urn:x' } } })],
      [line],
    ],
    ['no reason that is not ours', [override({ overrideReason: { reason: { code: 'x' } } })], [line]],
    ['nothing of what was accepted', [accept(['s'])], []],
    ['the same once', [override(), override()], [line]],
  ])('%s', async (_, items, expected) => {
    await send({ feedback: items });
    const told = usual
      .audit()
      .map(({ level: _level, time: _time, reqId, msg: _msg, audit: _audit, client, ...rest }) => {
        expect([typeof reqId, client]).toEqual(['string', 'sandbox']);
        return rest;
      });
    expect(told).toEqual(expected);
  });

  test('nothing of what was kept before', async () => {
    usual.stored = () => ({ added: [], known: [] });
    await send({ feedback: [override()] });
    expect(usual.audit()).toEqual([]);
  });

  test('the tenant of the client that sends it, and its own rows', async () => {
    const { client, token } = await createClient({ name: 'region', tenants: ['north'] });
    const region = await startReceiver({ mode: 'production', clients: [client] });
    const authorization = `Bearer ${await token(FEEDBACK, { tenant: 'north' })}`;
    await region.send({ feedback: [override()] }, { authorization });
    expect(region.rows()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    expect(region.audit()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    await region.close();
  });

  test('how many items there were, and what became of them', async () => {
    const counting = await startReceiver();
    await counting.send({ feedback: [override(), override({ card: 'd' }), 7] });
    expect(counting.lines().findLast(({ msg }) => msg === 'answered')).toMatchObject({
      service: 'nordic-opioid-order-sign',
      hook: 'order-sign',
      items: 3,
    });
    const { text } = await counting.http.get('/metrics');
    for (const [result, count] of [
      ['stored', 2],
      ['rejected', 1],
    ] as const)
      expect(text).toContain(`cds_feedback_total{service="nordic-opioid-order-sign",result="${result}"} ${count}`);
    await counting.close();
  });
});
