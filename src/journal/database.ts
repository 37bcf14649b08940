import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import type { Tables } from './tables.ts';

/** Where the journal is kept: a folder for a file of SQLite, or the address of a PostgreSQL database. */
export type Place = { folder: string } | { url: string };

/** How long a statement may take, and how long a locked file or a silent server is waited for, in milliseconds. */
const PATIENCE = 4000;

/** The same while tables are brought up to date: millions of rows may move. */
const UPGRADE_PATIENCE = 600_000;

/** Opens a database of either kind; everything after this line is the same for both. */
export function openDatabase(place: Place, upgrading = false): Kysely<Tables> {
  return 'url' in place ? openPostgres(place.url, upgrading ? UPGRADE_PATIENCE : PATIENCE) : openSqlite(place.folder);
}

function openPostgres(url: string, patience: number): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: PATIENCE,
    statement_timeout: patience,
    query_timeout: 2 * patience,
    keepAlive: true,
    application_name: 'nordic-opioid-cds',
    types: {
      getTypeParser: (oid: number, format: 'text') => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)),
    },
  } as pg.PoolConfig);
  // A connection that breaks while nobody uses it is replaced when somebody does.
  pool.on('error', () => {});
  return new Kysely({ dialect: new PostgresDialect({ pool }) });
}

/** PostgreSQL's type of bigint and count(*): our numbers stay far below what a double holds exactly. */
const INT8 = 20;

function openSqlite(folder: string): Kysely<Tables> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'journal.sqlite');
  makePrivate(path);
  const file = new DatabaseSync(path, { timeout: PATIENCE });
  // With FULL a commit is on the disk before it is acknowledged: a power cut loses nothing either.
  file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const prepare = (sql: string) => {
    const statement = file.prepare(sql);
    const run = statement.run.bind(statement) as (...values: unknown[]) => ReturnType<typeof statement.run>;
    const all = statement.all.bind(statement) as (...values: unknown[]) => unknown[];
    const iterate = statement.iterate.bind(statement) as (...values: unknown[]) => IterableIterator<unknown>;
    return {
      reader: statement.columns().length > 0,
      run: (values: readonly unknown[]) => run(...values),
      all: (values: readonly unknown[]) => all(...values),
      iterate: (values: readonly unknown[]) => iterate(...values),
    };
  };
  return new Kysely({ dialect: new SqliteDialect({ database: { prepare, close: () => file.close() } }) });
}

/** For its owner alone; SQLite gives the files beside it the same rights. A file of an older version had more. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  try {
    chmodSync(path, 0o600);
  } catch {
    // It belongs to somebody else, who lets us write it.
  }
}
