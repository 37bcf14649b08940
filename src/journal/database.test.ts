import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from './database.ts';

const folder = join(mkdtempSync(join(tmpdir(), 'cds-database-')), 'a', 'b');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a commit is on disk before it is acknowledged, and a locked file is waited for', async () => {
  const database = openDatabase({ folder });
  const setting = async (name: string) =>
    Object.values((await database.executeQuery(CompiledQuery.raw(`PRAGMA ${name}`))).rows[0] as object)[0];
  expect([await setting('journal_mode'), await setting('synchronous'), await setting('busy_timeout')]).toEqual([
    'wal',
    2,
    4000,
  ]);
  await database.destroy();
  await expect(setting('synchronous')).rejects.toThrow();
});

test('a statement returns its rows, or how many it changed', async () => {
  const database = openDatabase({ folder });
  const run = (sql: string, values: unknown[] = []) => database.executeQuery(CompiledQuery.raw(sql, values));
  await run('CREATE TABLE IF NOT EXISTS things (id text)');
  expect((await run('INSERT INTO things VALUES (?), (?)', ['a', 'b'])).numAffectedRows).toBe(2n);
  expect((await run('SELECT id FROM things WHERE id = ?', ['b'])).rows).toEqual([{ id: 'b' }]);
  expect((await run('DELETE FROM things WHERE id = ? RETURNING id', ['a'])).rows).toEqual([{ id: 'a' }]);
  const seen: unknown[] = [];
  for await (const row of database
    .selectFrom('things' as never)
    .selectAll()
    .stream())
    seen.push(row);
  expect(seen).toEqual([{ id: 'b' }]);
  await database.destroy();
});

test.skipIf(process.platform === 'win32')(
  'folder and file are accessible only to their owner, also an older file',
  async () => {
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    const modes = async () => {
      const database = openDatabase({ folder });
      await database.executeQuery(CompiledQuery.raw('CREATE TABLE IF NOT EXISTS others (id text)'));
      const found = readdirSync(folder).map((name) => mode(join(folder, name)));
      // SQLite keeps files of its own beside it while it is open.
      expect(found.length).toBeGreaterThan(1);
      await database.destroy();
      return found;
    };
    expect([mode(folder), ...new Set(await modes())]).toEqual(['700', '600']);
    chmodSync(join(folder, 'journal.sqlite'), 0o644);
    expect([...new Set(await modes())]).toEqual(['600']);
  },
);
