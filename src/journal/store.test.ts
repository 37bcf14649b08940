import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { card, feedback, journalForEach, NOW, silent, tally } from '../testing/journal.ts';
import { keyOf, type Store, type Tally } from './store.ts';
import type { Tables } from './tables.ts';

const WHOSE = { client: 'ehr', tenant: '', patients: ['hash'] };
const journal = journalForEach();
const { all } = journal;
let store: Store;
beforeEach(() => {
  store = journal.store();
});
const uuids = async (table: 'cards' | 'silent_cards') => (await all(table)).map(({ uuid }) => uuid).sort();

describe('cards', () => {
  test('given and silent cards are kept apart, each once', async () => {
    await store.append([card('x'), silent('y'), card('x'), card('x', { tenant: 'north' }), silent('y')], []);
    await store.append([card('x'), silent('y')], []);
    expect([await uuids('cards'), await uuids('silent_cards')]).toEqual([['x', 'x'], ['y']]);
    expect((await all('cards'))[0]).toEqual(card('x'));
  });

  test('an id with two bases keeps none, so no later card is compared with it', async () => {
    await store.append([card('x')], []);
    await store.append([card('x')], []);
    expect((await all('cards'))[0]?.basis).toBe('{"a":1}');
    await store.append([card('x', { basis: '{"a":2}' })], []);
    expect((await all('cards'))[0]?.basis).toBeNull();
  });

  test('tallies with one key are summed', async () => {
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
  test('an item is added once, and the result says whether its card is known', async () => {
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

  test('more rows are written than fit in one statement', async () => {
    const rows = Array.from({ length: 1500 }, (_, at) => feedback(`id-${at}`));
    expect((await store.addFeedback(rows)).added).toHaveLength(1500);
    expect(await all('feedback')).toHaveLength(1500);
  });
});

test('more rows of each kind are written than fit in one statement', async () => {
  const many = Array.from({ length: 501 }, (_, at) => `id-${at}`);
  await store.append(
    many.flatMap((id) => [card(id), silent(id)]),
    many.map((rule) => tally({ rule })),
  );
  await store.addTokens(many.map((id) => ({ id, expires_at: 1 })));
  for (const table of ['cards', 'silent_cards', 'tallies', 'tokens'] as const)
    expect([table, (await all(table)).length]).toEqual([table, 501]);
});

test('rows are written in the order of their keys, so that two processes cannot deadlock', async () => {
  // SQLite returns rows in the order in which they were written.
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

test('counts with different keys are separate, even if the joined parts are equal', () => {
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
  test('cards come with their feedback', async () => {
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

  test('only cards of this client, tenant, patient and rule, and since that time, are returned', async () => {
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

  test('the latest are read of more cards than the limit', async () => {
    await store.append(
      Array.from({ length: 501 }, (_, at) => card(`id-${at}`, { issued_at: NOW + at })),
      [],
    );
    const times = (await past()).map(({ issuedAt }) => issuedAt);
    expect([times.length, times[0], times.at(-1)]).toEqual([500, NOW + 500, NOW + 1]);
  });

  test('a card that must not be left out at signing says so', async () => {
    await store.append([card('x'), card('y', { kept: 1, issued_at: NOW - 1 })], []);
    expect((await past()).map(({ kept }) => kept)).toEqual([false, true]);
  });

  test('feedback on another card does not belong to it', async () => {
    await store.append([card('x'), card('y', { issued_at: NOW - 1 })], []);
    await store.addFeedback([feedback('a', { card: 'y', reason_code: 'y' })]);
    expect((await past()).map(({ feedback: own }) => own.map(({ code }) => code))).toEqual([[], ['y']]);
  });

  test('a card without its basis is skipped', async () => {
    await store.append([card('x', { basis: null })], []);
    expect(await past()).toEqual([]);
  });

  test('feedback older than its card is ignored, and feedback from a clock ahead counts from its receipt', async () => {
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

test('a token is used once until it expires', async () => {
  expect([
    await store.useToken('t', 100, 0),
    await store.useToken('t', 100, 99),
    await store.useToken('t', 100, 100),
  ]).toEqual([true, false, false]);
  expect([await store.useToken('t', 300, 101), await store.useToken('t', 300, 101)]).toEqual([true, false]);
});

test('tokens added later are used, and the later expiry counts', async () => {
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

test('what is older than the limit is deleted, and what is exactly as old is kept', async () => {
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

test('the first patients of each rule on trial are kept', async () => {
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
