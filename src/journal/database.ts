import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import pg from 'pg';
import type { Tables } from './tables.ts';

/** Where the journal is stored: a folder for a SQLite file, or the address of a PostgreSQL database. */
export type Place = { folder: string } | { url: string };

/** Time limit of a statement, and of waiting for a locked file or a silent server, in milliseconds. */
const TIMEOUT_MS = 4000;

/** The same during migrations, which may move millions of rows. */
const MIGRATION_TIMEOUT_MS = 600_000;

/** Opens a database of either kind; the rest of the code is the same for both. */
export function openDatabase(place: Place, upgrading = false): Kysely<Tables> {
  return 'url' in place
    ? openPostgres(place.url, upgrading ? MIGRATION_TIMEOUT_MS : TIMEOUT_MS)
    : openSqlite(place.folder);
}

function openPostgres(url: string, patience: number): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: TIMEOUT_MS,
    statement_timeout: patience,
    query_timeout: 2 * patience,
    keepAlive: true,
    application_name: 'nordic-opioid-cds',
    types: {
      getTypeParser: (oid: number, format: 'text') => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)),
    },
  } as pg.PoolConfig);
  // An idle connection that breaks is replaced on the next use.
  pool.on('error', () => {});
  return new Kysely({ dialect: new PostgresDialect({ pool }) });
}

/** PostgreSQL's type of bigint and count(*): our numbers are far below the limit of exact doubles. */
const INT8 = 20;

function openSqlite(folder: string): Kysely<Tables> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'journal.sqlite');
  makePrivate(path);
  const file = new DatabaseSync(path, { timeout: TIMEOUT_MS });
  // With FULL a commit is on disk before it is acknowledged, so even a power cut loses nothing.
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

/** Readable by its owner only; SQLite gives the files beside it the same rights. Older versions allowed more. */
function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  try {
    chmodSync(path, 0o600);
  } catch {
    // Someone else owns it and lets us write.
  }
}
