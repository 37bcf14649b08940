import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JournalFailed, startThread, type Thread } from './thread.ts';

const LONG = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'cds-thread-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a running thread', () => {
  let thread: Thread;
  let ended = 0;
  beforeAll(() => {
    thread = startThread({ folder: join(folder, 'open') }, () => void ended++);
  });
  const useToken = (id: string) => thread.ask<boolean>('useToken', [id, 100, 0], LONG);

  test('an answer that takes too long fails as late, and the next question is still answered', async () => {
    await expect(thread.ask('open', [], 1)).rejects.toMatchObject({ reason: 'timeout' });
    // Two requests at once share one start, and later it can be opened again.
    await Promise.all([thread.ask('open', [], LONG), thread.ask('open', [], LONG)]);
    await thread.ask('open', [], LONG);
  });

  test('each question gets its own answer', async () => {
    expect(await Promise.all([useToken('a'), useToken('b'), useToken('a'), thread.ask('ping', [], LONG)])).toEqual([
      true,
      true,
      false,
      undefined,
    ]);
    expect(await thread.ask('past', [{ client: 'ehr', tenant: '', patients: ['x'] }, ['a'], 0], LONG)).toEqual([]);
  });

  test('a failure without a code is reported by its kind', async () => {
    await expect(thread.ask('nothing' as never, [], LONG)).rejects.toEqual(new JournalFailed('TypeError'));
  });

  test('after stopping, its end is not reported and questions are refused', async () => {
    await thread.stop();
    expect(ended).toBe(0);
    // SQLite moves the contents of its side files into the file when it is closed.
    expect(readdirSync(join(folder, 'open'))).toEqual(['journal.sqlite']);
    await expect(thread.ask('ping', [], LONG)).rejects.toMatchObject({ reason: 'closed' });
  });
});

describe('a failing thread', () => {
  let thread: Thread;
  let ended = 0;
  beforeAll(() => {
    thread = startThread({ folder }, () => void ended++);
  });
  afterAll(() => thread.stop());

  test('reports the database’s own code and never its words', async () => {
    const failed = await thread.ask('ping', [], LONG).catch((error: JournalFailed) => [error.reason, error.message]);
    expect(failed).toEqual(['ERR_SQLITE_ERROR', 'journal: ERR_SQLITE_ERROR']);
  });

  test('can be opened once the cause is gone', async () => {
    const file = new DatabaseSync(join(folder, 'journal.sqlite'));
    file.exec('CREATE TABLE cards (x)');
    await expect(thread.ask('open', [], LONG)).rejects.toThrow(JournalFailed);
    file.exec('DROP TABLE cards');
    file.close();
    await thread.ask('open', [], LONG);
    await thread.ask('ping', [], LONG);
  });

  test('reports its end once if it ends by itself, and fails pending and later questions', async () => {
    const closed = thread.ask('close', [], LONG);
    const asked = expect(thread.ask('ping', [], LONG)).rejects.toMatchObject({ reason: 'thread' });
    await closed;
    await asked;
    await expect.poll(() => ended).toBe(1);
    await expect(thread.ask('ping', [], LONG)).rejects.toMatchObject({ reason: 'closed' });
  });
});
