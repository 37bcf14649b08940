import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Journal, openJournal } from '../journal/journal.ts';
import { JournalFailed } from '../journal/thread.ts';
import { limits } from '../limits.ts';
import { knowledgeOf, root, startService } from '../testing/app.ts';
import { createClient, SIGN } from '../testing/client.ts';
import { pair } from '../testing/request.ts';

const FEEDBACK = `${SIGN}/feedback`;
const AT = '2026-03-02T09:05:00Z';

let folder: string;
let journal: Journal;
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-feedback-'));
  journal = await open();
  service = await startService({ journal });
});
afterAll(async () => {
  await service.close();
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = () =>
  openJournal({
    place: { folder },
    clock: () => Date.parse(AT),
    limits: () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 }),
    warn: () => {},
  });

type Row = Record<string, unknown>;
/** The rows of some cards in the file. */
function kept(...cards: string[]): Row[] {
  const file = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
  const rows = file.prepare('SELECT * FROM feedback ORDER BY card, suggestion').all() as Row[];
  file.close();
  return rows.filter(({ card }) => cards.includes(card as string)).map((row) => ({ ...row }));
}

const post = (body: unknown, path = FEEDBACK) => service.http.post(path).send(body as object);
const override = (card: string, changes: Row = {}): Row => ({
  card,
  outcome: 'overridden',
  outcomeTimestamp: AT,
  ...changes,
});
const accept = (card: string, ...ids: string[]): Row => ({
  card,
  outcome: 'accepted',
  outcomeTimestamp: AT,
  acceptedSuggestions: ids.map((id) => ({ id })),
});
/** A card as given to a client. */
async function cardGiven() {
  const { body } = await service.call({ ...pair(), hookInstance: crypto.randomUUID() });
  return body.cards[0] as { uuid: string; suggestions: { uuid: string }[]; overrideReasons: Row[] };
}

describe('what is kept', () => {
  test('FB1, FB3, FB4: an accepted suggestion is kept', async () => {
    const { uuid, suggestions } = await cardGiven();
    const { status, body, headers } = await post({ feedback: [accept(uuid, suggestions[0]?.uuid ?? '')] });
    expect([status, headers['content-type'], headers['cache-control'], body]).toEqual([
      200,
      'application/json; charset=utf-8',
      'no-store',
      { results: [{ status: 'stored' }] },
    ]);
    expect(kept(uuid)).toEqual([
      expect.objectContaining({
        client: 'sandbox',
        service: 'nordic-opioid-order-sign',
        outcome: 'accepted',
        suggestion: suggestions[0]?.uuid,
        at: Date.parse(AT),
        reason_code: null,
        comment: null,
      }),
    ]);
  });

  test('FB5: an override with one of the card’s reasons is kept', async () => {
    const { uuid, overrideReasons } = await cardGiven();
    const reason = overrideReasons[0] as Row;
    await post({ feedback: [override(uuid, { overrideReason: { reason } })] }).expect(200);
    expect(kept(uuid)).toEqual([
      expect.objectContaining({
        outcome: 'overridden',
        suggestion: null,
        reason_code: reason['code'],
        reason_system: reason['system'],
      }),
    ]);
  });

  test.each([
    ['without a reason', {}, [null, null]],
    ['with a reason without a system', { overrideReason: { reason: { code: 'x' } } }, ['x', null]],
    ['with only a comment', { overrideReason: { userComment: 'Kalle' } }, [null, null]],
    [
      'with a reason one level higher, as in drafts of the specification',
      { overrideReason: { code: 'y', system: 'urn:s' } },
      ['y', 'urn:s'],
    ],
    ['with a list of reasons', { overrideReasons: [{ code: 'z', system: 'urn:s' }] }, ['z', 'urn:s']],
    ['with the outcome in capitals', { outcome: 'OVERRIDDEN' }, [null, null]],
    ['with something that is no reason', { overrideReason: 'too late' }, [null, null]],
    ['with control characters in the reason', { overrideReason: { reason: { code: 'a\u0000b' } } }, ['a b', null]],
  ])('FB5: an override %s', async (name, changes, reason) => {
    const id = `override-${name.replace(/\W+/g, '-')}`;
    await post({ feedback: [override(id, changes)] }).expect(200);
    expect(kept(id).map((row) => [row['reason_code'], row['reason_system']])).toEqual([reason]);
  });

  test('FB3: timestamps with fractions and offsets keep their moment', async () => {
    const items = ['2026-03-02T09:05:00.250Z', '2026-03-02T10:05:00+01:00'].map((outcomeTimestamp, at) =>
      override(`moment-${at}`, { outcomeTimestamp }),
    );
    await post({ feedback: items }).expect(200);
    expect(kept('moment-0', 'moment-1').map(({ at }) => at)).toEqual([Date.parse(AT) + 250, Date.parse(AT)]);
  });

  test('FB2: a single item without a list, an item instead of the list, and suggestions as bare ids are read', async () => {
    await post(override('bare-1')).expect(200);
    await post({ feedback: override('bare-2') }).expect(200);
    await post({ feedback: [{ ...accept('bare-3'), acceptedSuggestions: ['one', 'two'] }] }).expect(200);
    expect(kept('bare-1', 'bare-2', 'bare-3').map(({ card, suggestion }) => [card, suggestion])).toEqual([
      ['bare-1', null],
      ['bare-2', null],
      ['bare-3', 'one'],
      ['bare-3', 'two'],
    ]);
  });

  test('FB2: an empty list is accepted', async () => {
    const { status, body } = await post({ feedback: [] });
    expect([status, body]).toEqual([200, { results: [] }]);
  });

  test('FB6: a repeated item is kept once and reported as such', async () => {
    const item = accept('again', 's1', 's2', 's1');
    expect((await post({ feedback: [item, item] })).body.results.map(({ status }: Row) => status)).toEqual([
      'stored',
      'stored',
    ]);
    const { body } = await post({ feedback: [item] });
    expect(body.results).toEqual([{ status: 'repeated', unknownCard: true }]);
    expect(kept('again').map(({ suggestion }) => suggestion)).toEqual(['s1', 's2']);
  });

  test('FB6, FB11: an accepted suggestion, a later one and a final override are all kept', async () => {
    const items = [
      accept('both', 's1'),
      accept('both', 's2'),
      override('both', { outcomeTimestamp: '2026-03-02T09:06:00Z' }),
    ];
    await post({ feedback: items }).expect(200);
    expect(kept('both').map(({ outcome, suggestion }) => [outcome, suggestion])).toEqual([
      ['overridden', null],
      ['accepted', 's1'],
      ['accepted', 's2'],
    ]);
  });

  test('FB7: feedback on an unknown card is kept and reported, and an unreadable item affects no other', async () => {
    const { uuid } = await cardGiven();
    const { status, body } = await post({ feedback: [override('nobody-knows'), { card: 7 }, override(uuid)] });
    expect(status).toBe(200);
    expect(body.results).toEqual([
      { status: 'stored', unknownCard: true },
      { status: 'rejected', problems: expect.arrayContaining([expect.stringMatching(/^card: /)]) },
      { status: 'stored' },
    ]);
    expect(kept('nobody-knows', uuid)).toHaveLength(2);
  });

  test('FB6: more items than fit in one statement are kept', async () => {
    const items = Array.from({ length: 1000 }, (_, at) => override(`many-${at}`));
    const { body } = await post({ feedback: items });
    expect(body.results).toHaveLength(1000);
    expect(kept(...items.map(({ card }) => card as string))).toHaveLength(1000);
  });
});

describe('what is refused', () => {
  test.each([
    ['a body without feedback', { reports: [] }, 'feedback: '],
    ['a list that is not a list', { feedback: 'x' }, 'feedback: '],
    ['an item that is not an object', { feedback: [null] }, 'feedback.0.item: '],
    ['no card', { feedback: [{ ...override(''), card: undefined }] }, 'feedback.0.card: '],
    ['a card that is not an id', { feedback: [override('a b')] }, 'feedback.0.card: '],
    ['another outcome', { feedback: [override('x', { outcome: 'ignored' })] }, 'feedback.0.outcome: '],
    ['no timestamp', { feedback: [override('x', { outcomeTimestamp: undefined })] }, 'feedback.0.outcomeTimestamp: '],
    [
      'a timestamp without its time zone',
      { feedback: [override('x', { outcomeTimestamp: '2026-03-02T09:05:00' })] },
      'feedback.0.outcomeTimestamp: ',
    ],
    ['accepted without a suggestion', { feedback: [accept('x')] }, 'feedback.0.acceptedSuggestions: '],
    [
      'a suggestion that is not an id',
      { feedback: [{ ...accept('x'), acceptedSuggestions: [{}] }] },
      'feedback.0.acceptedSuggestions',
    ],
    ['too many items', { feedback: Array.from({ length: 1001 }, () => override('x')) }, 'feedback: at most 1000'],
  ])('FB2, FB3, FB4: %s', async (_name, body, problem) => {
    const { status, body: outcome } = await post(body);
    expect([status, outcome.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(outcome.issue[0].diagnostics).toContain(problem);
  });

  test('FB10: an unknown service and invalid JSON are refused', async () => {
    await post({ feedback: [override('x')] }, '/cds-services/unknown/feedback').expect(404);
    await service.http.post(FEEDBACK).set('content-type', 'application/json').send('{').expect(400);
    const { status, headers } = await service.http.get(FEEDBACK);
    expect([status, headers['allow']]).toEqual([405, 'POST']);
  });

  test('FB10, S5: neither the log nor an error repeats what was sent', async () => {
    const before = service.log.length;
    const item = override('kanarie-card', {
      overrideReason: { reason: { code: 'kanarie-code' }, userComment: 'kanarie-comment' },
    });
    const answers = [await post({ feedback: [item] }), await post({ feedback: [{ ...item, outcome: 'kanarie' }] })];
    const said = [...service.log.slice(before), ...answers.map(({ text }) => text)].join('\n');
    expect(said).toContain('answered');
    expect(said).not.toContain('kanarie');
  });
});

test('FB10: a comment is kept only if the site says so, and up to a thousand characters', async () => {
  const items = { feedback: [override('commented', { overrideReason: { userComment: 'å'.repeat(1200) } })] };
  await post(items).expect(200);
  expect(kept('commented').map(({ comment }) => comment)).toEqual([null]);
  const site = { journal: { keepDays: 30, comments: true } };
  const asking = await startService({ journal, knowledge: knowledgeOf(root, site) });
  const item = override('commented', {
    outcomeTimestamp: '2026-03-02T10:00:00Z',
    overrideReason: { userComment: 'å'.repeat(1200) },
  });
  const { body } = await asking.http.post(FEEDBACK).send({ feedback: [item] });
  expect(body.results[0]).toEqual({ status: 'stored', unknownCard: true, commentCut: true });
  expect(kept('commented').map(({ comment }) => (comment as string | null)?.length)).toEqual(
    expect.arrayContaining([1000]),
  );
  await asking.close();
});

test('FB9, J2: in production feedback needs a client’s token for its own address or its service’s', async () => {
  const { client, token } = await createClient();
  const production = await startService({ mode: 'production', clients: [client], journal });
  const send = (authorization?: string) => {
    const request = production.http.post(FEEDBACK).send({ feedback: [override(`by-${authorization?.length}`)] });
    return authorization === undefined ? request : request.set('authorization', `Bearer ${authorization}`);
  };
  await send().expect(401);
  await send(await token('/cds-services/nordic-opioid-patient-view')).expect(401);
  await send(await token(FEEDBACK)).expect(200);
  await send(await token(SIGN)).expect(200);
  await production.close();
});

describe('without a journal', () => {
  test('FB1: feedback is not acknowledged, and cards are still given', async () => {
    const bare = await startService();
    const { status, body } = await bare.http.post(FEEDBACK).send({ feedback: [override('x')] });
    expect([status, body.resourceType]).toEqual([503, 'OperationOutcome']);
    await bare.call(pair()).expect(200);
    expect((await bare.http.get('/ready')).body).toMatchObject({ ready: true, journal: 'none' });
    await bare.close();
  });

  test('FB1: while its file is locked, feedback is answered by 503 and not kept, and cards are given and recorded later', async () => {
    const own = await open();
    const locked = await startService({ journal: own });
    // Retention runs at the start in five statements, and the lock must not hold those up: they take turns with it.
    for (let at = 0; at < 10; at++) await own.useToken(`before-the-lock-${at}`, Number.MAX_SAFE_INTEGER);
    const file = new DatabaseSync(join(folder, 'journal.sqlite'));
    file.exec('BEGIN EXCLUSIVE');
    const { status, headers } = await locked.http.post(FEEDBACK).send({ feedback: [override('while-locked')] });
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    const { body } = await locked.call({ ...pair(), hookInstance: crypto.randomUUID() }).expect(200);
    expect(body.cards).toHaveLength(1);
    // The service is alive and can be called: only feedback waits.
    expect((await locked.http.get('/ready')).body).toMatchObject({ ready: true, journal: 'down' });
    file.exec('ROLLBACK');
    file.close();
    await expect.poll(() => own.figures(), { timeout: 30_000 }).toMatchObject({ state: 'up', queued: 0 });
    const known = await locked.http.post(FEEDBACK).send({ feedback: [override(body.cards[0].uuid)] });
    expect(known.body.results).toEqual([{ status: 'stored' }]);
    expect(kept('while-locked')).toEqual([]);
    await locked.close();
    await own.close();
  }, 60_000);
});

test('the metrics count feedback by its result, and report the state of the journal', async () => {
  const { text } = await service.http.get('/metrics');
  expect(text).toMatch(/^cds_feedback_total\{service="nordic-opioid-order-sign",result="stored"\} [1-9]/m);
  expect(text).toMatch(/^cds_feedback_total\{service="nordic-opioid-order-sign",result="rejected"\} 1$/m);
  expect(text).toMatch(/^cds_journal_up 1$/m);
});

describe('how much is kept', () => {
  const moment = (at: number) => new Date(Date.parse(AT) + at).toISOString();
  const ids = (count: number) => Array.from({ length: count }, (_, at) => `s-${at}`);
  /** A journal that collects what it is given and writes nothing. */
  const quick: Journal = {
    issued: () => {},
    addFeedback: async (rows) => ({ added: rows.map(({ id }) => id), known: [] }),
    past: async () => [],
    useToken: async () => true,
    figures: () => ({ state: 'up', queued: 0, written: 0, dropped: 0 }),
    close: async () => {},
  };

  test('FB4: accepted suggestions up to the limit are kept, and with one more the item is rejected unread', async () => {
    const most = limits.feedbackSuggestions;
    const { body } = await post({ feedback: [accept('full', ...ids(most)), accept('beyond', ...ids(most + 1))] });
    expect(body.results).toEqual([
      { status: 'stored', unknownCard: true },
      { status: 'rejected', problems: [`acceptedSuggestions: at most ${most}`] },
    ]);
    const million = { ...accept('million'), acceptedSuggestions: Array.from({ length: 300_000 }, () => 7) };
    const { status, body: outcome } = await post({ feedback: [million] });
    expect([status, outcome.issue]).toEqual([
      400,
      [expect.objectContaining({ diagnostics: expect.stringContaining('at most') })],
    ]);
  });

  test('FB7: rows are counted by suggestions: up to the limit they are kept, one more is 400, and an oversized item is rejected alone', async () => {
    const service = await startService({ journal: quick });
    const most = limits.feedbackSuggestions;
    const full = Array.from({ length: limits.feedbackRows / most - 1 }, (_, at) => accept(`card-${at}`, ...ids(most)));
    const send = (...items: Row[]) => service.http.post(FEEDBACK).send({ feedback: [...full, ...items] });
    const last = accept('last', ...ids(most - 1));
    for (const [status, ...items] of [
      [200, last, override('one')],
      [400, last, override('one'), override('two')],
      [200, last, accept('none')],
      [400, last, accept('none'), accept('none')],
      [200, last, accept('beyond', ...ids(most + 1))],
    ] as const)
      expect((await send(...items)).status).toBe(status);
    const { body } = await send(last, override('one'), override('two'));
    expect(body.issue[0].diagnostics).toBe('feedback: at most 2000 cards and accepted suggestions in one call');
    await service.close();
  });

  test('S7: new rows of a client per day are kept up to the limit, and one more is 429 until the next day', async () => {
    let now = Date.parse('2026-03-02T23:59:58.500Z');
    let isNew = false;
    const journal: Journal = {
      ...quick,
      addFeedback: async (rows) => ({ added: isNew ? rows.map(({ id }) => id) : [], known: [] }),
    };
    const service = await startService({ journal, clock: () => now });
    const each = limits.feedbackSuggestions;
    const full = (call: number) =>
      Array.from({ length: limits.feedbackRows / each }, (_, at) => accept(`${call}-${at}`, ...ids(each)));
    const send = (feedback: Row[]) => service.http.post(FEEDBACK).send({ feedback });
    // Rows kept before do not count.
    expect((await send(full(0))).status).toBe(200);
    isNew = true;
    for (let call = 0; call < limits.feedbackRowsOfDay / limits.feedbackRows; call++)
      expect((await send(full(call))).status).toBe(200);
    const { status, headers, body } = await send([override('one-more')]);
    expect([status, headers['retry-after'], body.issue[0].code]).toEqual([429, '2', 'throttled']);
    expect(body.issue[0].diagnostics).toBe('feedback: at most 50000 cards and accepted suggestions in a day');
    now += 1500;
    expect((await send([override('one-more')])).status).toBe(200);
    await service.close();
  });

  test('S5: at most a readable number of mistakes is named', async () => {
    const wrong = async (count: number) => {
      const { body } = await post({ feedback: Array.from({ length: count }, () => override('a b')) });
      return body.issue.map(({ diagnostics }: Row) => diagnostics) as string[];
    };
    const named = (count: number) => Array.from({ length: count }, (_, at) => `feedback.${at}.card: must be an id`);
    expect(await wrong(limits.problems)).toEqual(named(limits.problems));
    expect(await wrong(limits.problems + 1)).toEqual([...named(limits.problems - 1), 'and more']);
  });

  test('FB6: one item from two tenants is two items, and the card of one is unknown to the other', async () => {
    const { client, token } = await createClient({ name: 'region', tenants: ['north', 'south'] });
    const both = await startService({ mode: 'production', clients: [client], journal });
    const send = async (tenant: string) =>
      (
        await both.http
          .post(FEEDBACK)
          .set('authorization', `Bearer ${await token(FEEDBACK, { tenant })}`)
          .send({ feedback: [override('of-two-tenants', { outcomeTimestamp: moment(1) })] })
      ).body.results;
    expect(await send('north')).toEqual([{ status: 'stored', unknownCard: true }]);
    expect(await send('north')).toEqual([{ status: 'repeated', unknownCard: true }]);
    expect(await send('south')).toEqual([{ status: 'stored', unknownCard: true }]);
    expect(
      kept('of-two-tenants')
        .map(({ tenant }) => tenant)
        .sort(),
    ).toEqual(['north', 'south']);
    await both.close();
  });

  test.each([
    ['timeout', /may not have been stored/],
    ['thread', /may not have been stored/],
    ['down', /was not/],
    ['busy', /was not/],
    ['SQLITE_FULL', /was not/],
  ])('FB1: if the journal fails with %s the 503 says %s', async (reason, words) => {
    const failing: Journal = { ...quick, addFeedback: () => Promise.reject(new JournalFailed(reason)) };
    const service = await startService({ journal: failing });
    const { status, body, headers } = await service.http.post(FEEDBACK).send({ feedback: [override('x')] });
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(body.issue).toEqual([expect.objectContaining({ details: { text: expect.stringMatching(words) } })]);
    expect(body.issue[0]).not.toHaveProperty('diagnostics');
    await service.close();
  });
});
