import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CompiledQuery, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noPostgres, type Postgres, startPostgres } from '../testing/postgres.ts';
import { openDatabase, type Place } from './database.ts';
import { type Journal, openJournal } from './journal.ts';
import { migrations } from './migrations.ts';
import {
  type CardRow,
  cardsOf,
  createStore,
  type FeedbackRow,
  feedbackOf,
  type SilentRow,
  type Tally,
} from './store.ts';
import type { Tables } from './tables.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const DAY = 86_400_000;
const forever = () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 });

const card = (uuid: string, changes: Partial<CardRow> = {}): CardRow => ({
  client: 'ehr',
  tenant: '',
  uuid,
  day: '2026-03-02',
  issued_at: NOW,
  hook: 'order-sign',
  rule: 'a-rule',
  indicator: 'warning',
  suggestions: '{}',
  knowledge: 'abc',
  patient: 'hash',
  basis: '{"a":1}',
  kept: 0,
  ...changes,
});
const unseen = (uuid: string, changes: Partial<SilentRow> = {}): SilentRow => {
  const { suggestions: _s, basis: _b, kept: _k, ...row } = card(uuid);
  return { ...row, patient: null, ...changes };
};
const feedback = (id: string, changes: Partial<FeedbackRow> = {}): FeedbackRow => ({
  id,
  client: 'ehr',
  tenant: '',
  card: 'card-1',
  service: 'service',
  outcome: 'overridden',
  suggestion: null,
  at: NOW,
  received_at: NOW,
  reason_code: 'code',
  reason_system: 'urn:system',
  comment: null,
  ...changes,
});
const tally = (changes: Partial<Tally> = {}) => ({
  day: '2026-03-02',
  client: 'ehr',
  tenant: '',
  hook: 'order-sign',
  kind: 'answered' as const,
  rule: '',
  ...changes,
});

let postgres: Postgres | undefined;
let folders: string[] = [];
let databases = 0;

beforeAll(async () => {
  if (noPostgres === undefined) postgres = await startPostgres();
}, 60_000);
afterAll(() => {
  postgres?.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cds-journal-'));
  folders = [...folders, folder];
  return folder;
}

async function rows<T extends keyof Tables>(place: Place, table: T): Promise<Record<string, unknown>[]> {
  const database = openDatabase(place);
  const found = await database
    .selectFrom(table as 'cards')
    .selectAll()
    .execute();
  await database.destroy();
  return found;
}

const kinds: [string, () => Place, boolean][] = [
  ['SQLite', () => ({ folder: newFolder() }), false],
  [
    noPostgres === undefined ? 'PostgreSQL' : `PostgreSQL (${noPostgres})`,
    () => ({ url: (postgres as Postgres).create(`journal_${databases++}`) }),
    noPostgres !== undefined,
  ],
];

describe.each(kinds)('%s', (_name, newPlace, skipped) => {
  const open = (place: Place, kept = forever, warn: (fields: object, message: string) => void = () => {}) =>
    openJournal({ place, clock: () => NOW, limits: kept, warn });
  const using = async (place: Place, work: (journal: Journal) => Promise<void> | void) => {
    const journal = await open(place);
    await work(journal);
    await journal.close();
  };

  test.skipIf(skipped)('issued cards are in the tables after closing, and still after the next start', async () => {
    const place = newPlace();
    await using(place, (journal) =>
      journal.issued([card('card-1')], [tally(), tally({ kind: 'quiet', rule: 'a-rule' })]),
    );
    await using(place, (journal) => journal.issued([card('card-2')], [tally()]));
    expect((await rows(place, 'cards')).map(({ uuid }) => uuid).sort()).toEqual(['card-1', 'card-2']);
    expect((await rows(place, 'cards'))[0]).toEqual(card('card-1'));
    expect((await rows(place, 'tallies')).map(({ kind, count }) => [kind, count]).sort()).toEqual([
      ['answered', 2],
      ['quiet', 1],
    ]);
  });

  test.skipIf(skipped)('ten thousand cards in one second are all kept', async () => {
    const place = newPlace();
    await using(place, (journal) => {
      for (let at = 0; at < 10_000; at++) journal.issued([card(`card-${at}`)], [tally()]);
    });
    expect(await rows(place, 'cards')).toHaveLength(10_000);
    expect(await rows(place, 'tallies')).toEqual([{ ...tally(), count: 10_000 }]);
  });

  test.skipIf(skipped)('a card issued again is one card, and loses its basis if that differs', async () => {
    const place = newPlace();
    await using(place, (journal) => {
      journal.issued([card('same'), card('same'), card('other'), card('other', { basis: '{"a":2}' })], []);
      journal.issued([card('later')], []);
    });
    await using(place, (journal) => journal.issued([card('same'), card('later', { basis: '{"a":3}' })], []));
    const found = (await rows(place, 'cards')).map(({ uuid, basis }) => [uuid, basis]);
    expect(found.sort()).toEqual([
      ['later', null],
      ['other', null],
      ['same', '{"a":1}'],
    ]);
  });

  test.skipIf(skipped)(
    'FB6, FB7: feedback returns what is new and which cards are known, including the latest',
    async () => {
      const place = newPlace();
      await using(place, async (journal) => {
        journal.issued([card('card-1')], []);
        const stored = await journal.addFeedback([feedback('a'), feedback('b', { card: 'card-9' })]);
        expect(stored).toEqual({ added: ['a', 'b'], known: ['a'] });
        expect((await journal.addFeedback([feedback('a'), feedback('c')])).added).toEqual(['c']);
        // A card with the same id of another client or tenant is not this one.
        const strange = [feedback('d', { client: 'other' }), feedback('e', { tenant: 'north' })];
        expect((await journal.addFeedback(strange)).known).toEqual([]);
        // Nor if both are written at once.
        journal.issued([card('card-1', { tenant: 'south' })], []);
        const together = [feedback('f', { tenant: 'south' }), feedback('g', { tenant: 'north' })];
        expect((await journal.addFeedback(together)).known).toEqual(['f']);
      });
      expect((await rows(place, 'feedback')).map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    },
  );

  test.skipIf(skipped)(
    'FB6: feedback that arrives together is committed together, each with its own result',
    async () => {
      const place = newPlace();
      await using(place, async (journal) => {
        const all = await Promise.all(
          Array.from({ length: 2000 }, (_, at) => journal.addFeedback([feedback(`id-${at}`)])),
        );
        expect(all.every(({ added }, at) => added.includes(`id-${at}`))).toBe(true);
      });
      expect(await rows(place, 'feedback')).toHaveLength(2000);
    },
  );

  test.skipIf(skipped)('past cards are those of the given patient, rules and time, with their feedback', async () => {
    await using(newPlace(), async (journal) => {
      journal.issued(
        [
          card('card-1'),
          card('card-2', { rule: 'other-rule' }),
          card('card-3', { patient: 'another' }),
          card('card-4', { issued_at: NOW - 2 * DAY }),
          card('card-5', { basis: null }),
          card('card-6', { kept: 1 }),
        ],
        [],
      );
      await journal.addFeedback([
        feedback('a', { at: NOW + DAY }),
        feedback('b', { client: 'other' }),
        feedback('c', { card: 'card-6', outcome: 'accepted', suggestion: 's' }),
      ]);
      const found = await journal.past({ client: 'ehr', tenant: '', patients: ['hash'] }, ['a-rule'], NOW - DAY);
      const base = { rule: 'a-rule', hook: 'order-sign', issuedAt: NOW, basis: '{"a":1}' };
      expect(found.toSorted((a, b) => Number(a.kept) - Number(b.kept))).toEqual([
        // A clock that is ahead counts as the time of receipt.
        { ...base, kept: false, feedback: [{ outcome: 'overridden', at: NOW, code: 'code', system: 'urn:system' }] },
        {
          ...base,
          kept: true,
          feedback: [{ outcome: 'accepted', at: NOW, code: 'code', system: 'urn:system' }],
        },
      ]);
    });
  });

  test.skipIf(skipped)(
    'past cards and their feedback are those of one client and tenant, without feedback older than its card',
    async () => {
      await using(newPlace(), async (journal) => {
        journal.issued([card('card-1'), card('card-1', { tenant: 'north' }), card('card-1', { client: 'other' })], []);
        await journal.addFeedback([
          feedback('early', { received_at: NOW - 1, reason_code: 'early' }),
          feedback('old', { at: NOW - 61_000, reason_code: 'old' }),
          feedback('slow', { at: NOW - 60_000, reason_code: 'slow' }),
          feedback('north', { tenant: 'north', reason_code: 'north' }),
          feedback('other', { client: 'other', reason_code: 'other' }),
        ]);
        const said = async (client: string, tenant: string) =>
          (await journal.past({ client, tenant, patients: ['another', 'hash'] }, ['a-rule'], 0)).map(
            ({ feedback: all }) => all.map(({ code }) => code),
          );
        expect(await said('ehr', '')).toEqual([['slow']]);
        expect(await said('ehr', 'north')).toEqual([['north']]);
        expect(await said('other', '')).toEqual([['other']]);
        expect(await said('ehr', 'south')).toEqual([]);
      });
    },
  );

  test.skipIf(skipped)('a journal of the first version is migrated with all its contents', async () => {
    const place = newPlace();
    const before = openDatabase(place);
    const first = Object.keys(migrations)[0] as '2026-11-26-journal';
    const { error } = await new Migrator({
      db: before,
      provider: { getMigrations: async () => ({ [first]: migrations[first] }) },
    }).migrateToLatest();
    expect(error).toBeUndefined();
    const { tenant: _card, ...old } = card('card-1');
    const { tenant: _feedback, ...said } = feedback('a');
    await before
      .insertInto('cards')
      .values(old as CardRow)
      .execute();
    await before
      .insertInto('feedback')
      .values(said as FeedbackRow)
      .execute();
    const { tenant: _tally, ...counted } = tally();
    await before
      .insertInto('tallies')
      .values({ ...counted, count: 7 })
      .execute();
    await before
      .insertInto('tokens')
      .values({ id: 'token', expires_at: NOW + 1000 })
      .execute();
    await before.destroy();
    await using(place, async (journal) => {
      expect(await journal.past({ client: 'ehr', tenant: '', patients: ['hash'] }, ['a-rule'], 0)).toEqual([
        expect.objectContaining({ basis: '{"a":1}', feedback: [expect.objectContaining({ code: 'code' })] }),
      ]);
      expect(await journal.useToken('token', NOW + 1000)).toBe(false);
      journal.issued([card('card-1', { tenant: 'north' })], [tally()]);
      expect((await journal.addFeedback([feedback('b', { tenant: 'north' })])).known).toEqual(['b']);
    });
    expect(await rows(place, 'cards')).toHaveLength(2);
    expect(await rows(place, 'tallies')).toEqual([{ ...tally(), count: 8 }]);
  });

  test.skipIf(skipped)('a quiet period is looked up by index, however long the tables are', async () => {
    const place = newPlace();
    await using(place, () => {});
    const database = openDatabase(place);
    const store = createStore(database);
    // PostgreSQL reads a short table completely, whatever its indexes.
    const many = Array.from({ length: 20_000 }, (_, at) => at);
    await store.append(
      many.map((at) => card(`card-${at}`, { client: `ehr-${at % 3}`, patient: `patient-${at % 5000}` })),
      [],
    );
    await store.addFeedback(many.map((at) => feedback(`id-${at}`, { client: `ehr-${at % 3}`, card: `card-${at}` })));
    const whose = { client: 'ehr-1', tenant: '', patients: ['patient-7', 'patient-8'] };
    if ('url' in place) await sql`analyze`.execute(database);
    const plan = async (query: ReturnType<typeof cardsOf> | ReturnType<typeof feedbackOf>) => {
      const { sql: text, parameters } = query.compile();
      const explain = 'url' in place ? 'explain' : 'explain query plan';
      return JSON.stringify(
        (await database.executeQuery(CompiledQuery.raw(`${explain} ${text}`, [...parameters]))).rows,
      );
    };
    const cards = await plan(cardsOf(database, whose, ['a-rule'], 0));
    const said = await plan(feedbackOf(database, whose, ['card-7', 'card-8']));
    await database.destroy();
    expect(cards).toContain('cards_patient');
    expect(said).toContain('feedback_card');
    expect(`${cards}${said}`).not.toMatch(/SCAN (cards|feedback)|Seq Scan/);
  });

  test.skipIf(skipped)(
    'J14: a token is used once, even by two processes at once, and again after it expired',
    async () => {
      const place = newPlace();
      const [one, other] = [await open(place), await open(place)];
      const answers = await Promise.all([one.useToken('token', NOW + 1000), other.useToken('token', NOW + 1000)]);
      expect(answers.sort()).toEqual([false, true]);
      expect(await one.useToken('old', NOW - 1000)).toBe(true);
      expect(await other.useToken('old', NOW + 1000)).toBe(true);
      expect(await one.useToken('old', NOW + 1000)).toBe(false);
      await Promise.all([one.close(), other.close()]);
    },
  );

  test.skipIf(skipped)('old rows are deleted when the journal is opened, and patients before their cards', async () => {
    const place = newPlace();
    await using(place, async (journal) => {
      journal.issued(
        [
          card('new'),
          card('known', { issued_at: NOW - 40 * DAY, day: '2026-01-21' }),
          card('old', { day: '2025-01-01', issued_at: NOW - 400 * DAY }),
          unseen('new'),
          unseen('old', { day: '2025-01-01', issued_at: NOW - 400 * DAY }),
        ],
        [tally(), tally({ day: '2025-01-01' })],
      );
      await journal.addFeedback([feedback('new'), feedback('old', { received_at: NOW - 400 * DAY })]);
      await journal.useToken('old', NOW - 1);
      await journal.useToken('new', NOW + 1);
    });
    const kept = () => ({
      day: '2025-03-02',
      received: NOW - 365 * DAY,
      patients: NOW - 30 * DAY,
      tokens: NOW,
      review: 0,
    });
    const journal = await open(place, kept);
    await expect.poll(async () => (await rows(place, 'tallies')).length).toBe(1);
    await journal.close();
    const found = (await rows(place, 'cards')).map(({ uuid, patient, basis }) => [uuid, patient, basis]);
    expect(found.sort()).toEqual([
      ['known', null, null],
      ['new', 'hash', '{"a":1}'],
    ]);
    expect((await rows(place, 'feedback')).map(({ id }) => id)).toEqual(['new']);
    expect((await rows(place, 'tokens')).map(({ id }) => id)).toEqual(['new']);
    expect((await rows(place, 'silent_cards')).map(({ uuid }) => uuid)).toEqual(['new']);
  });
});

test('a journal of a newer version is refused and left unchanged', async () => {
  const folder = newFolder();
  const open = () => openJournal({ place: { folder }, clock: () => NOW, limits: forever, warn: () => {} });
  await (await open()).close();
  const file = new DatabaseSync(join(folder, 'journal.sqlite'));
  file.exec("INSERT INTO kysely_migration VALUES ('2999-01-01-later', '2999-01-01T00:00:00Z')");
  await expect(open()).rejects.toThrow(/journal/);
  expect(file.prepare('SELECT count(*) AS many FROM kysely_migration').get()).toEqual({
    many: Object.keys(migrations).length + 1,
  });
  file.close();
});

describe('an unavailable database', () => {
  test('a file that cannot be created is reported at the start', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    const place = { folder: join(folder, 'file') };
    await expect(openJournal({ place, clock: () => NOW, limits: forever, warn: () => {} })).rejects.toThrow(/EEXIST/);
  });

  test('J14: SQLite: while another program locks the file, feedback is refused, and cards and used tokens wait', async () => {
    const folder = newFolder();
    const warnings: string[] = [];
    const warn = (_fields: object, message: string) => void warnings.push(message);
    const journal = await openJournal({ place: { folder }, clock: () => NOW, limits: forever, warn });
    const other = new DatabaseSync(join(folder, 'journal.sqlite'));
    other.exec('BEGIN EXCLUSIVE');
    journal.issued([card('card-1')], [tally()]);
    await expect(journal.addFeedback([feedback('a')])).rejects.toThrow(/journal/);
    expect(journal.figures()).toMatchObject({ state: 'down', queued: 1, written: 0, dropped: 0 });
    await expect(journal.useToken('token', NOW + 1000)).rejects.toThrow('down');
    await expect(journal.useToken('expired', NOW - 1000)).rejects.toThrow('down');
    other.exec('ROLLBACK');
    other.close();
    await expect
      .poll(() => journal.figures(), { timeout: 30_000 })
      .toMatchObject({ state: 'up', queued: 0, written: 1 });
    expect(await journal.addFeedback([feedback('a')])).toEqual({ added: ['a'], known: ['a'] });
    expect(warnings).toEqual(['the journal cannot be reached', 'the journal can be reached again']);
    await journal.close();
    // A token used meanwhile stays used for whoever opens the journal next.
    const restarted = await openJournal({ place: { folder }, clock: () => NOW, limits: forever, warn });
    expect(await restarted.useToken('token', NOW + 1000)).toBe(false);
    expect(await restarted.useToken('expired', NOW + 1000)).toBe(true);
    await restarted.close();
  }, 60_000);

  test.skipIf(noPostgres !== undefined)(
    'PostgreSQL: the journal waits for its server at the start, and loses nothing while the server is away again',
    async () => {
      const server = await startPostgres();
      server.crash();
      const place = { url: server.url };
      const journal = await openJournal({ place, clock: () => NOW, limits: forever, warn: () => {} });
      expect(journal.figures().state).toBe('starting');
      journal.issued([card('card-1')], [tally()]);
      await expect(journal.addFeedback([feedback('a')])).rejects.toThrow(/journal/);
      server.start();
      const up = { state: 'up', queued: 0 };
      await expect.poll(() => journal.figures(), { timeout: 30_000 }).toMatchObject(up);
      expect((await journal.addFeedback([feedback('b')])).known).toEqual(['b']);
      server.crash();
      journal.issued([card('card-2')], [tally()]);
      await expect(journal.addFeedback([feedback('c')])).rejects.toThrow(/journal/);
      server.start();
      await expect.poll(() => journal.figures(), { timeout: 30_000 }).toMatchObject(up);
      await journal.close();
      expect((await rows(place, 'cards')).map(({ uuid }) => uuid).sort()).toEqual(['card-1', 'card-2']);
      // Refused feedback may have been written before the answer was lost; acknowledged feedback must have been.
      expect((await rows(place, 'feedback')).map(({ id }) => id)).toContain('b');
      server.remove();
    },
    60_000,
  );

  test('a closed journal says that it is closed', async () => {
    const journal = await openJournal({
      place: { folder: newFolder() },
      clock: () => NOW,
      limits: forever,
      warn: () => {},
    });
    await journal.close();
    await expect(journal.addFeedback([feedback('a')])).rejects.toThrow(/closed/);
  });
});
