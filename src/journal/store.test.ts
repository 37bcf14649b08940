import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery, type Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { openDatabase } from './database.ts';
import { type Asked, count } from './figures.ts';
import { migrate } from './migrations.ts';
import { type CardRow, createStore, type FeedbackRow, keyOf, type SilentRow, type Store, type Tally } from './store.ts';
import type { Tables } from './tables.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const WHOSE = { client: 'ehr', tenant: '', patients: ['hash'] };

const card = (uuid: string, more: Partial<CardRow> = {}): CardRow => ({
  ...{ client: 'ehr', tenant: '', uuid, day: '2026-03-02', issued_at: NOW, hook: 'order-sign', rule: 'a' },
  ...{ indicator: 'warning', suggestions: '{}', knowledge: 'abc', patient: 'hash', basis: '{"a":1}', kept: 0 },
  ...more,
});
const silent = (uuid: string, more: Partial<SilentRow> = {}): SilentRow => {
  const { suggestions: _s, basis: _b, kept: _k, ...row } = card(uuid);
  return { ...row, patient: null, ...more };
};
const feedback = (id: string, more: Partial<FeedbackRow> = {}): FeedbackRow => ({
  ...{ id, client: 'ehr', tenant: '', card: 'x', service: 's', outcome: 'overridden', suggestion: null },
  ...{ at: NOW + 1, received_at: NOW + 1, reason_code: 'code', reason_system: 'sys', comment: null },
  ...more,
});
const tally = (more: Partial<Tally> = {}): Tally => ({
  ...{ day: '2026-03-02', client: 'ehr', tenant: '', hook: 'order-sign', kind: 'answered', rule: '', count: 1 },
  ...more,
});

/** Tables that are made once, and copied for each test. */
const empty = mkdtempSync(join(tmpdir(), 'cds-store-empty-'));
let folder: string;
let database: Kysely<Tables>;
let store: Store;
beforeAll(async () => {
  const made = openDatabase({ folder: empty });
  await migrate(made);
  await made.destroy();
});
afterAll(() => rmSync(empty, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-store-'));
  cpSync(empty, folder, { recursive: true });
  database = openDatabase({ folder });
  store = createStore(database);
});
afterEach(async () => {
  await database.destroy();
  rmSync(folder, { recursive: true, force: true });
});
const all = (table: keyof Tables) =>
  database
    .selectFrom(table as 'cards')
    .selectAll()
    .execute();
const uuids = async (table: 'cards' | 'silent_cards') => (await all(table)).map(({ uuid }) => uuid).sort();

describe('the tables', () => {
  const execute = (statement: string, values: unknown[] = []) =>
    database.executeQuery<Record<string, unknown>>(CompiledQuery.raw(statement, values));
  const MAY_BE_NULL = ['id', 'patient', 'basis', 'suggestion', 'reason_code', 'reason_system', 'comment'];
  test.each<[table: keyof Tables, row: Record<string, unknown>]>([
    ['cards', card('x')],
    ['silent_cards', silent('x')],
    ['feedback', feedback('x')],
    ['tallies', tally()],
    ['tokens', { id: 'x', expires_at: 1 }],
  ])('hold no row of %s in part', async (table, row) => {
    const insert = (values: Record<string, unknown>) =>
      execute(
        `INSERT INTO ${table} (${Object.keys(values)}) VALUES (${Object.keys(values).map(() => '?')})`,
        Object.values(values),
      );
    for (const column of Object.keys(row).filter((name) => !MAY_BE_NULL.includes(name)))
      await expect([column, await insert({ ...row, [column]: null }).catch(({ message }) => message)]).toEqual([
        column,
        expect.stringMatching(/NOT NULL/),
      ]);
    await insert(row);
    // Nor one row twice.
    await expect(insert(row)).rejects.toThrow(/UNIQUE/);
    expect(await all(table)).toEqual([row]);
  });

  test.each<[what: string, statement: string, index: string]>([
    ['old cards', "DELETE FROM cards WHERE day < '2026'", 'cards_day'],
    ['old cards of rules on trial', "DELETE FROM silent_cards WHERE day < '2026'", 'silent_cards_day'],
    ['old feedback', 'DELETE FROM feedback WHERE received_at < 1', 'feedback_received'],
    ['tokens that have expired', 'DELETE FROM tokens WHERE expires_at < 1', 'tokens_expiry'],
    [
      'a patient’s cards',
      "SELECT * FROM cards WHERE client = 'a' AND tenant = '' AND patient = 'x' AND rule = 'r'",
      'cards_patient (client=? AND tenant=? AND patient=? AND rule=?)',
    ],
    [
      'what was said of a card',
      "SELECT * FROM feedback WHERE client = 'a' AND tenant = '' AND card = 'x'",
      'feedback_card (client=? AND tenant=? AND card=?)',
    ],
    [
      'patients of a rule on trial',
      "SELECT * FROM silent_cards WHERE rule = 'a' AND patient = 'x'",
      'silent_cards_patient (rule=? AND patient=?)',
    ],
  ])('find %s by an index', async (_, statement, index) => {
    const plan = (await execute(`EXPLAIN QUERY PLAN ${statement}`)).rows.map(({ detail }) => detail).join();
    expect(plan).toContain(`INDEX ${index}`);
  });

  test('what an older version counts meanwhile is of no tenant', async () => {
    await execute("INSERT INTO tallies (day, client, hook, kind, rule, count) VALUES ('2026', 'a', 'h', 'k', '', 1)");
    expect((await all('tallies'))[0]?.tenant).toBe('');
    const { tenant: _, ...row } = feedback('x');
    await execute(
      `INSERT INTO feedback (${Object.keys(row)}) VALUES (${Object.keys(row).map(() => '?')})`,
      Object.values(row),
    );
    expect((await all('feedback'))[0]?.tenant).toBe('');
  });

  test('that cannot be made are an error', async () => {
    const other = openDatabase({ folder: join(folder, 'other') });
    await other.executeQuery(CompiledQuery.raw('CREATE TABLE cards (x)'));
    await expect(migrate(other)).rejects.toThrow(/already exists/);
    await other.destroy();
  });
});

describe('cards', () => {
  test('given and silent ones are kept apart, each once', async () => {
    await store.append([card('x'), silent('y'), card('x'), card('x', { tenant: 'north' }), silent('y')], []);
    await store.append([card('x'), silent('y')], []);
    expect([await uuids('cards'), await uuids('silent_cards')]).toEqual([['x', 'x'], ['y']]);
    expect((await all('cards'))[0]).toEqual(card('x'));
  });

  test('one id with two bases tells nothing that a later card could be compared with', async () => {
    await store.append([card('x')], []);
    await store.append([card('x')], []);
    expect((await all('cards'))[0]?.basis).toBe('{"a":1}');
    await store.append([card('x', { basis: '{"a":2}' })], []);
    expect((await all('cards'))[0]?.basis).toBeNull();
  });

  test('tallies of one key are summed', async () => {
    await store.append([], [tally(), tally({ hook: 'patient-view', count: 3 })]);
    await store.append([], [tally({ count: 4 }), tally({ rule: 'a', kind: 'quiet' })]);
    const rows = (await all('tallies')) as unknown as Tally[];
    expect(rows.map(({ hook, rule, count: times }) => [hook, rule, times]).sort()).toEqual([
      ['order-sign', '', 5],
      ['order-sign', 'a', 1],
      ['patient-view', '', 3],
    ]);
  });
});

describe('feedback', () => {
  test('the same item is added once, and it is said whether its card is known', async () => {
    await store.append([card('x'), card('z', { tenant: 'north' })], []);
    const rows = [
      feedback('a'),
      feedback('b', { card: 'y' }),
      feedback('c', { card: 'z' }),
      feedback('d', { card: 'z', tenant: 'north' }),
    ];
    const stored = await store.addFeedback(rows);
    expect([stored.added.sort(), stored.known.sort()]).toEqual([
      ['a', 'b', 'c', 'd'],
      ['a', 'd'],
    ]);
    expect(await store.addFeedback([feedback('a')])).toEqual({ added: [], known: ['a'] });
    expect(await all('feedback')).toHaveLength(4);
  });

  test('more rows than one statement takes', async () => {
    const rows = Array.from({ length: 1500 }, (_, at) => feedback(`id-${at}`));
    expect((await store.addFeedback(rows)).added).toHaveLength(1500);
    expect(await all('feedback')).toHaveLength(1500);
  });
});

test('of everything more rows are written than one statement takes', async () => {
  const many = Array.from({ length: 501 }, (_, at) => `id-${at}`);
  await store.append(
    many.flatMap((id) => [card(id), silent(id)]),
    many.map((rule) => tally({ rule })),
  );
  await store.addTokens(many.map((id) => ({ id, expires_at: 1 })));
  for (const table of ['cards', 'silent_cards', 'tallies', 'tokens'] as const)
    expect([table, (await all(table)).length]).toEqual([table, 501]);
});

test('rows are written in the order of their keys, so that two processes wait for each other and do not block', async () => {
  // SQLite gives rows back as they were written.
  const written = async (table: keyof Tables) =>
    ((await all(table)) as unknown as Record<string, string>[]).map((row) =>
      [row['client'], row['uuid'] ?? row['id'] ?? row['rule']].filter((part) => part !== undefined).join(' '),
    );
  await store.append(
    [card('b'), card('c', { client: 'abc' }), card('a'), silent('b'), silent('a')],
    [tally({ rule: 'b' }), tally({ rule: 'a' })],
  );
  await store.addFeedback([feedback('b'), feedback('a')]);
  await store.addTokens([
    { id: 'b', expires_at: 1 },
    { id: 'c', expires_at: 1 },
    { id: 'a', expires_at: 1 },
  ]);
  expect(await written('cards')).toEqual(['abc c', 'ehr a', 'ehr b']);
  expect(await written('silent_cards')).toEqual(['ehr a', 'ehr b']);
  expect(await written('tallies')).toEqual(['ehr a', 'ehr b']);
  expect(await written('feedback')).toEqual(['ehr a', 'ehr b']);
  expect(await written('tokens')).toEqual(['a', 'b', 'c']);
});

test('counts of unlike keys are apart, wherever one part of a key ends and the next begins', () => {
  const keys = [
    tally(),
    tally({ day: '2026-03-03' }),
    tally({ client: 'other' }),
    tally({ tenant: 'north' }),
    tally({ hook: 'patient-view' }),
    tally({ kind: 'refused' }),
    tally({ rule: 'a' }),
    tally({ client: 'eh', tenant: 'r' }),
    tally({ client: 'ehr', tenant: '' }),
  ].map(keyOf);
  expect(new Set(keys).size).toBe(keys.length - 1);
});

describe('the past of a patient', () => {
  const past = (whose: Partial<typeof WHOSE> = {}, rules = ['a'], since = 0) =>
    store.past({ ...WHOSE, ...whose }, rules, since);
  test('cards with the feedback that is about them', async () => {
    await store.append([card('x', { kept: 1 })], []);
    await store.addFeedback([
      feedback('a'),
      feedback('b', { outcome: 'accepted', reason_code: null, reason_system: null }),
    ]);
    expect(await past()).toEqual([
      {
        ...{ rule: 'a', hook: 'order-sign', issuedAt: NOW, basis: '{"a":1}', kept: true },
        feedback: [
          { outcome: 'overridden', at: NOW + 1, code: 'code', system: 'sys' },
          { outcome: 'accepted', at: NOW + 1, code: null, system: null },
        ],
      },
    ]);
  });

  test('of this client, tenant, patient and rule, and since then', async () => {
    await store.append([card('x')], []);
    expect(await past()).toHaveLength(1);
    expect(await past({ client: 'other' })).toEqual([]);
    expect(await past({ tenant: 'north' })).toEqual([]);
    expect(await past({ patients: ['other'] })).toEqual([]);
    expect(await past({ patients: ['other', 'hash'] })).toHaveLength(1);
    expect(await past({}, ['b'])).toEqual([]);
    expect(await past({}, ['a'], NOW)).toHaveLength(1);
    expect(await past({}, ['a'], NOW + 1)).toEqual([]);
  });

  test('of more cards than are read the latest', async () => {
    await store.append(
      Array.from({ length: 501 }, (_, at) => card(`id-${at}`, { issued_at: NOW + at })),
      [],
    );
    const times = (await past()).map(({ issuedAt }) => issuedAt);
    expect([times.length, times[0], times.at(-1)]).toEqual([500, NOW + 500, NOW + 1]);
  });

  test('a card that is not to be left out at signing says so', async () => {
    await store.append([card('x'), card('y', { kept: 1, issued_at: NOW - 1 })], []);
    expect((await past()).map(({ kept }) => kept)).toEqual([false, true]);
  });

  test('feedback of another card is not its own', async () => {
    await store.append([card('x'), card('y', { issued_at: NOW - 1 })], []);
    await store.addFeedback([feedback('a', { card: 'y', reason_code: 'y' })]);
    expect((await past()).map(({ feedback: own }) => own.map(({ code }) => code))).toEqual([[], ['y']]);
  });

  test('a card without its basis is passed over', async () => {
    await store.append([card('x', { basis: null })], []);
    expect(await past()).toEqual([]);
  });

  test('feedback that is older than its card says nothing, as far as clocks agree; one ahead counts from when it came', async () => {
    await store.append([card('x')], []);
    const skew = limits.clockSkew * 1000;
    await store.addFeedback([
      feedback('a', { received_at: NOW - 1 }),
      feedback('b', { at: NOW - skew - 1 }),
      feedback('c', { at: NOW - skew }),
      feedback('d', { at: NOW + 999 }),
    ]);
    const [found] = await past();
    expect(found?.feedback.map(({ at }) => at).sort((a, b) => a - b)).toEqual([NOW - skew, NOW + 1]);
  });
});

test('a token is used once, until it has expired', async () => {
  expect([
    await store.useToken('t', 100, 0),
    await store.useToken('t', 100, 99),
    await store.useToken('t', 100, 100),
  ]).toEqual([true, false, false]);
  expect([await store.useToken('t', 300, 101), await store.useToken('t', 300, 101)]).toEqual([true, false]);
});

test('tokens that are added later are used; the later end counts', async () => {
  await store.useToken('t', 100, 0);
  await store.addTokens([
    { id: 't', expires_at: 50 },
    { id: 'u', expires_at: 200 },
  ]);
  expect(await all('tokens')).toEqual([
    { id: 't', expires_at: 100 },
    { id: 'u', expires_at: 200 },
  ]);
  await store.addTokens([{ id: 't', expires_at: 150 }]);
  expect(await store.useToken('t', 300, 120)).toBe(false);
});

test('what is too old goes, and at the limit stays', async () => {
  await store.append(
    [card('old', { day: '2026-03-01' }), card('x'), silent('s-old', { day: '2026-03-01' }), silent('s')],
    [tally({ day: '2026-03-01' }), tally()],
  );
  await store.addFeedback([feedback('f-old', { received_at: NOW - 1 }), feedback('f', { received_at: NOW })]);
  await store.addTokens([
    { id: 't-old', expires_at: 9 },
    { id: 't', expires_at: 10 },
  ]);
  await store.prune({ day: '2026-03-02', received: NOW, patients: NOW, tokens: 10, review: 0 });
  expect([await uuids('cards'), await uuids('silent_cards')]).toEqual([['x'], ['s']]);
  expect([(await all('feedback')).length, (await all('tallies')).length, (await all('tokens')).length]).toEqual([
    1, 1, 1,
  ]);
  expect((await all('cards'))[0]).toMatchObject({ patient: 'hash', basis: '{"a":1}' });
  await store.prune({ day: '', received: 0, patients: NOW + 1, tokens: 0, review: 0 });
  expect((await all('cards'))[0]).toMatchObject({ patient: null, basis: null });
});

test('of each rule on trial the first patients stay', async () => {
  const row = (uuid: string, patient: string, at: number, rule = 'a') =>
    silent(uuid, { patient, issued_at: NOW + at, rule });
  await store.append(
    [row('1', 'p', 3), row('2', 'q', 1), row('3', 'r', 2), row('4', 'q', 9), row('5', 'p', 1, 'b')],
    [],
  );
  await store.prune({ day: '', received: 0, patients: 0, tokens: 0, review: 2 });
  const rows = await all('silent_cards');
  expect(rows.map(({ uuid, patient }) => [uuid, patient]).sort()).toEqual([
    ['1', null],
    ['2', 'q'],
    ['3', 'r'],
    ['4', 'q'],
    ['5', 'p'],
  ]);
  await store.prune({ day: '', received: 0, patients: 0, tokens: 0, review: 0 });
  expect((await all('silent_cards')).every(({ patient }) => patient === null)).toBe(true);
});

describe('what is counted for the report', () => {
  const day = '2026-03-02';
  const counted = (asked: Partial<Asked> = {}) => count(database, { since: day, ...asked });
  beforeEach(async () => {
    await store.append(
      [
        ...[
          card('1'),
          card('2'),
          card('3', { hook: 'patient-view' }),
          card('4', { rule: 'b' }),
          card('5', { day: '2026-03-01' }),
        ],
        ...[card('1', { client: 'other' }), card('1', { tenant: 'north' })],
        ...[
          silent('6', { rule: 'c', patient: 'p', day: '2026-03-01' }),
          silent('7', { rule: 'c', patient: 'q' }),
          silent('8', { rule: 'c' }),
        ],
        silent('9', { rule: 'c', client: 'other', patient: 'z' }),
      ],
      [
        tally({ count: 5 }),
        tally({ kind: 'refused' }),
        tally({ kind: 'quiet', rule: 'a' }),
        tally({ day: '2026-03-01' }),
        tally({ client: 'other' }),
        tally({ tenant: 'north' }),
      ],
    );
    await store.addFeedback([
      ...[feedback('a', { card: '1' }), feedback('b', { card: '1', outcome: 'accepted', suggestion: 's' })],
      ...[
        feedback('c', { card: '2', reason_code: null, reason_system: null }),
        feedback('d', { card: '4', outcome: 'accepted' }),
      ],
      ...[
        feedback('e', { card: 'none' }),
        feedback('f', { card: 'none', client: 'other' }),
        feedback('g', { card: '5' }),
      ],
      feedback('h', { card: 'none', received_at: Date.parse(day) - 1 }),
      feedback('i', { card: '1', tenant: 'north' }),
    ]);
  });

  test('of one client and tenant, since a day', async () => {
    const found = await counted({ client: 'ehr', tenant: '' });
    const sorted = (rows: object[]) =>
      rows
        .map((row) => JSON.stringify(row))
        .sort()
        .map((text) => JSON.parse(text));
    expect(sorted(found.shown)).toEqual([
      { rule: 'a', hook: 'order-sign', day, cards: 2 },
      { rule: 'a', hook: 'patient-view', day, cards: 1 },
      { rule: 'b', hook: 'order-sign', day, cards: 1 },
    ]);
    expect(sorted(found.outcomes)).toEqual([
      { rule: 'a', hook: 'order-sign', day, outcome: 'accepted', cards: 1 },
      { rule: 'a', hook: 'order-sign', day, outcome: 'overridden', cards: 2 },
      { rule: 'b', hook: 'order-sign', day, outcome: 'accepted', cards: 1 },
    ]);
    expect(sorted(found.withFeedback)).toEqual([
      { rule: 'a', hook: 'order-sign', cards: 2 },
      { rule: 'b', hook: 'order-sign', cards: 1 },
    ]);
    expect(sorted(found.reasons)).toEqual([
      { rule: 'a', hook: 'order-sign', code: 'code', system: 'sys', cards: 1 },
      { rule: 'a', hook: 'order-sign', code: null, system: null, cards: 1 },
    ]);
    expect(sorted(found.accepted)).toEqual([
      { rule: 'a', hook: 'order-sign', suggestion: 's', offers: '{}' },
      { rule: 'b', hook: 'order-sign', suggestion: null, offers: '{}' },
    ]);
    expect(sorted(found.tallies)).toEqual([
      { hook: 'order-sign', kind: 'answered', rule: '', count: 5 },
      { hook: 'order-sign', kind: 'quiet', rule: 'a', count: 1 },
      { hook: 'order-sign', kind: 'refused', rule: '', count: 1 },
    ]);
    expect(found.silent).toEqual([{ rule: 'c', hook: 'order-sign', cards: 2 }]);
    expect(found.review).toEqual([
      { rule: 'c', day: '2026-03-01', patient: 'p' },
      { rule: 'c', day, patient: 'q' },
    ]);
    expect(found.strays).toBe(1);
  });

  test('of rules on trial, of one client and of one tenant', async () => {
    await store.append([silent('10', { rule: 'd', tenant: 'north', patient: 'n' })], []);
    const of = async (asked: Partial<Asked>) => {
      const { silent: cards, review } = await counted(asked);
      return [cards.map(({ rule, cards: number }) => `${rule} ${number}`), review.map(({ patient }) => patient)];
    };
    expect(await of({ tenant: 'north' })).toEqual([['d 1'], ['n']]);
    expect(await of({ client: 'other' })).toEqual([['c 1'], ['z']]);
    expect(await of({ client: 'ehr', tenant: '' })).toEqual([['c 2'], ['p', 'q']]);
    expect(await of({ client: 'ehr', tenant: 'south' })).toEqual([[], []]);
  });

  test('patients for review stand by their rule, the first first, then by their hash', async () => {
    await store.append(
      [
        silent('11', { rule: 'a', patient: 'b', issued_at: NOW + 1 }),
        silent('12', { rule: 'a', patient: 'a', issued_at: NOW + 1 }),
        silent('13', { rule: 'a', patient: 'c', issued_at: NOW }),
        silent('14', { rule: 'a', patient: 'c', issued_at: NOW + 9, day: '2026-03-09' }),
      ],
      [],
    );
    expect((await counted({ client: 'ehr' })).review.map(({ rule, patient, day: on }) => [rule, patient, on])).toEqual([
      ['a', 'c', day],
      ['a', 'a', day],
      ['a', 'b', day],
      ['c', 'p', '2026-03-01'],
      ['c', 'q', day],
    ]);
  });

  test('a card of which two things were said is one card with feedback', async () => {
    const found = await counted({ client: 'ehr', tenant: 'north' });
    expect(found.withFeedback).toEqual([{ rule: 'a', hook: 'order-sign', cards: 1 }]);
    expect(found.outcomes).toEqual([{ rule: 'a', hook: 'order-sign', day, outcome: 'overridden', cards: 1 }]);
  });

  test('of all clients; one id of two of them is two cards', async () => {
    const found = await counted();
    const signed = (rows: { rule: string; hook: string }[]) =>
      rows.find(({ rule, hook }) => rule === 'a' && hook === 'order-sign');
    expect(signed(found.shown)).toMatchObject({ cards: 4 });
    expect(signed(found.withFeedback)).toMatchObject({ cards: 3 });
    expect(found.tallies.find(({ kind }) => kind === 'answered')?.count).toBe(7);
    expect(found.silent).toEqual([{ rule: 'c', hook: 'order-sign', cards: 3 }]);
    expect(found.review.map(({ patient }) => patient)).toEqual(['p', 'q', 'z']);
    expect(found.strays).toBe(2);
    expect((await counted({ tenant: 'north' })).tallies).toEqual([
      { hook: 'order-sign', kind: 'answered', rule: '', count: 1 },
    ]);
    expect((await counted({ client: 'other' })).review.map(({ patient }) => patient)).toEqual(['z']);
  });
});
