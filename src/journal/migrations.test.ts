import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { card, feedback, silent, tally } from '../testing/journal.ts';
import { openDatabase } from './database.ts';
import { migrate, migrations } from './migrations.ts';
import type { Tables } from './tables.ts';

let folder: string;
let database: Kysely<Tables>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-migrations-'));
  database = openDatabase({ folder });
});
afterEach(async () => {
  await database.destroy();
  rmSync(folder, { recursive: true, force: true });
});

type Row = Record<string, unknown>;
const execute = (statement: string, values: unknown[] = []) =>
  database.executeQuery<Row>(CompiledQuery.raw(statement, values));
const insert = (table: string, row: Row) =>
  execute(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${Object.keys(row).map(() => '?')})`, Object.values(row));
const all = async (table: string) => (await execute(`SELECT * FROM ${table}`)).rows;

const FIRST = '2026-11-26-journal';
/** The tables as created by the first version. */
async function first(): Promise<void> {
  const provider = { getMigrations: async () => ({ [FIRST]: migrations[FIRST] }) };
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest();
  expect(error).toBeUndefined();
}
const withoutTenant = ({ tenant: _, ...row }: Row): Row => row;

/** A primary key in SQLite may be null. */
const MAY_BE_NULL = ['id', 'patient', 'basis', 'suggestion', 'reason_code', 'reason_system', 'comment'];
const ROWS: Record<keyof Tables, Row> = {
  cards: card('x'),
  silent_cards: silent('x'),
  feedback: feedback('x'),
  tallies: tally(),
  tokens: { id: 'x', expires_at: 1 },
};

/** Expects that a table takes a complete row, no incomplete row and no row twice. */
async function holds(table: string, row: Row): Promise<void> {
  for (const column of Object.keys(row).filter((name) => !MAY_BE_NULL.includes(name)))
    expect([column, await insert(table, { ...row, [column]: null }).catch(({ message }) => message)]).toEqual([
      column,
      expect.stringMatching(/NOT NULL/),
    ]);
  for (const column of Object.keys(row).filter((name) => MAY_BE_NULL.includes(name) && name !== 'id')) {
    await insert(table, { ...row, [column]: null });
    await execute(`DELETE FROM ${table}`);
  }
  await insert(table, row);
  await expect(insert(table, row)).rejects.toThrow(/UNIQUE/);
  expect(await all(table)).toEqual([row]);
}

test('the tables take no incomplete row and no row twice', async () => {
  await migrate(database);
  for (const [table, row] of Object.entries(ROWS)) await holds(table, row);
});

test('the same holds for the tables of the first version', async () => {
  await first();
  const { silent_cards: _, ...rows } = ROWS;
  for (const [table, row] of Object.entries(rows)) await holds(table, withoutTenant(row));
});

test.each<[table: keyof Tables, key: string[]]>([
  ['cards', ['client', 'tenant', 'uuid']],
  ['silent_cards', ['client', 'tenant', 'uuid']],
  ['feedback', ['id']],
  ['tallies', ['day', 'client', 'tenant', 'hook', 'kind', 'rule']],
  ['tokens', ['id']],
])('two rows of %s may differ in a single part of their key: %j', async (table, key) => {
  await migrate(database);
  const row = ROWS[table];
  await insert(table, row);
  for (const part of key) await insert(table, { ...row, [part]: 'other' });
  for (const part of Object.keys(row).filter((name) => !key.includes(name)))
    await expect(insert(table, { ...row, [part]: 5 })).rejects.toThrow(/UNIQUE/);
  expect(await all(table)).toHaveLength(key.length + 1);
});

const PLANS: [what: string, statement: string, index: string][] = [
  ['old cards', "DELETE FROM cards WHERE day < '2026'", 'cards_day'],
  ['old feedback', 'DELETE FROM feedback WHERE received_at < 1', 'feedback_received'],
  ['expired tokens', 'DELETE FROM tokens WHERE expires_at < 1', 'tokens_expiry'],
];
const plan = async (statement: string) =>
  (await execute(`EXPLAIN QUERY PLAN ${statement}`)).rows.map(({ detail }) => detail).join();

describe('look-ups use an index', () => {
  test.each<[what: string, statement: string, index: string]>([
    ...PLANS,
    ['old cards of rules on trial', "DELETE FROM silent_cards WHERE day < '2026'", 'silent_cards_day'],
    [
      'a patient’s cards',
      "SELECT * FROM cards WHERE client = 'a' AND tenant = '' AND patient = 'x' AND rule = 'r'",
      'cards_patient (client=? AND tenant=? AND patient=? AND rule=?)',
    ],
    [
      'feedback on a card',
      "SELECT * FROM feedback WHERE client = 'a' AND tenant = '' AND card = 'x'",
      'feedback_card (client=? AND tenant=? AND card=?)',
    ],
    [
      'patients of a rule on trial',
      "SELECT * FROM silent_cards WHERE rule = 'a' AND patient = 'x'",
      'silent_cards_patient (rule=? AND patient=?)',
    ],
  ])('%s', async (_, statement, index) => {
    await migrate(database);
    expect(await plan(statement)).toContain(`INDEX ${index}`);
  });

  test('the same holds in the first version', async () => {
    await first();
    for (const [what, statement, index] of [
      ...PLANS,
      [
        'a patient’s cards',
        "SELECT * FROM cards WHERE patient = 'x' AND rule = 'r'",
        'cards_patient (patient=? AND rule=?)',
      ],
      ['feedback', "SELECT * FROM feedback WHERE client = 'a' AND card = 'x'", 'feedback_card (client=? AND card=?)'],
    ])
      expect([what, await plan(statement as string)]).toEqual([what, expect.stringContaining(`INDEX ${index}`)]);
  });
});

test('the data of the first version are kept, without a tenant', async () => {
  await first();
  const { silent_cards: _, ...rows } = ROWS;
  for (const [table, row] of Object.entries(rows)) await insert(table, withoutTenant(row));
  await migrate(database);
  for (const [table, row] of Object.entries(rows)) expect(await all(table)).toEqual([row]);
  // Migrating again loses nothing either.
  await migrate(database);
  expect(await all('cards')).toHaveLength(1);
});

test('rows of an older version have no tenant', async () => {
  await migrate(database);
  for (const table of ['tallies', 'feedback'] as const) {
    await insert(table, withoutTenant(ROWS[table]));
    expect((await all(table))[0]?.['tenant']).toBe('');
  }
});

test('tables that cannot be created are an error, and existing ones are unchanged', async () => {
  await first();
  await insert('cards', withoutTenant(card('x')));
  await execute('CREATE TABLE silent_cards (x)');
  await expect(migrate(database)).rejects.toThrow(/already exists/);
  expect(await all('cards')).toHaveLength(1);
  expect((await execute("SELECT name FROM sqlite_master WHERE name = 'tallies_by_tenant'")).rows).toEqual([]);
});
