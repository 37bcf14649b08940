import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '../limits.ts';
import { connect } from './connection.ts';
import type { Place } from './database.ts';
import { openJournal } from './journal.ts';

const LONG = 20_000;
const SECOND = 1000;
let folder: string;
let warned: unknown[];
let open: { close: () => Promise<void> }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cds-connection-'));
  warned = [];
  open = [];
  // So that nothing waits for the clock: the threads answer at their own speed.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(async () => {
  await Promise.all(open.map(({ close }) => close()));
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const warn = (fields: object, message: string) => void warned.push([fields, message]);
const LOST = 'the journal cannot be reached';
const FOUND = 'the journal can be reached again';

async function connected(place: Place = { folder }) {
  const connection = await connect({ place, queued: () => 7, warn });
  open.push(connection);
  return connection;
}

/** Advances the clock until a condition holds. */
const inSteps = (milliseconds: number, look: () => unknown) =>
  expect.poll(
    () => {
      vi.advanceTimersByTime(milliseconds);
      return look();
    },
    { timeout: LONG },
  );

/** Rows that take a moment to write. */
const many = Array.from({ length: 2000 }, (_, at) => ({
  ...{ client: 'ehr', tenant: '', uuid: `${at}`, day: '2026-03-02', issued_at: 1, hook: 'h', rule: 'r' },
  ...{ indicator: 'info', suggestions: '{}', knowledge: 'k', patient: null, basis: null, kept: 0 },
}));

test('a file is up once opened; an answer late for its caller leaves it up, and a long silence takes it down', async () => {
  const connection = await connected();
  await connection.opened;
  expect(connection.state()).toBe('up');
  expect(await connection.ask('useToken', ['a', 100, 0], LONG)).toBe(true);

  const late = expect(connection.ask('append', [many, []], 1)).rejects.toMatchObject({ reason: 'timeout' });
  vi.advanceTimersByTime(1);
  await late;
  expect(connection.state()).toBe('up');
  await connection.ask('ping', [], LONG);
  expect([connection.state(), warned]).toEqual(['up', []]);

  const silent = connection.ask('append', [many, []], limits.journalForFeedback);
  const lost = expect(silent).rejects.toMatchObject({ reason: 'timeout' });
  vi.advanceTimersByTime(limits.journalForFeedback);
  await lost;
  expect([connection.state(), warned]).toEqual(['down', [[{ reason: 'timeout' }, LOST]]]);
  await expect(connection.ask('ping', [], LONG)).rejects.toMatchObject({ reason: 'down' });
  await inSteps(SECOND, connection.state).toBe('up');
  await connection.ask('ping', [], LONG);
  expect(warned.slice(1)).toEqual([[{ queued: 7 }, FOUND]]);
});

test('a thread that ends is restarted after a second, and meanwhile the journal is down and warns once', async () => {
  const connection = await connected();
  await connection.ask('close', [], LONG);
  await expect.poll(() => warned).toEqual([[{ reason: 'thread' }, LOST]]);
  expect(connection.state()).toBe('down');
  await inSteps(SECOND, connection.state).toBe('up');
  expect(await connection.ask('useToken', ['a', 100, 0], LONG)).toBe(true);
  expect(warned.slice(1)).toEqual([[{ queued: 7 }, FOUND]]);
});

test('a server that is not up yet is waited for, and meanwhile the journal is starting and warns once', async () => {
  const connection = await connected({ url: 'postgres://127.0.0.1:1/x' });
  expect(connection.state()).toBe('starting');
  expect(warned).toEqual([[{ reason: 'ECONNREFUSED' }, 'the journal cannot be reached yet']]);
  await expect(connection.ask('ping', [], LONG)).rejects.toMatchObject({ reason: 'down' });
  vi.advanceTimersByTime(SECOND);
  expect([connection.state(), warned.length]).toEqual(['starting', 1]);
});

test('tokens used during an outage are written afterwards, except expired ones and the oldest beyond the limit', async () => {
  let now = 100;
  const kept = () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 });
  const journal = await openJournal({ place: { folder }, clock: () => now, limits: kept, warn });
  open.push(journal);
  expect(journal.figures()).toEqual({ state: 'up', queued: 0, written: 0, dropped: 0 });
  const file = new DatabaseSync(join(folder, 'journal.sqlite'));
  file.exec('ALTER TABLE tokens RENAME TO elsewhere');
  const use = (id: string, expiresAt: number) => journal.useToken(id, expiresAt).catch(({ reason }) => reason);
  expect(await use('first', 200)).toBe('ERR_SQLITE_ERROR');
  expect(journal.figures().state).toBe('down');
  expect(warned).toEqual([[{ reason: 'ERR_SQLITE_ERROR' }, LOST]]);
  expect([await use('expired', 109), await use('at its end', 110)]).toEqual(['down', 'down']);
  for (let at = 0; at < limits.tokensWaiting - 2; at++) await use(`t${at}`, 200);
  now = 110;
  file.exec('ALTER TABLE elsewhere RENAME TO tokens');
  file.close();
  await inSteps(SECOND, () => journal.figures().state).toBe('up');
  const asked = ['t0', `t${limits.tokensWaiting - 3}`, 'at its end', 'first', 'expired'];
  // The journal is not asked before they are written, since asking uses them.
  const reader = new DatabaseSync(join(folder, 'journal.sqlite'));
  const count = reader.prepare('SELECT count(*) AS number FROM tokens');
  await inSteps(300, () => count.get()?.['number']).toBe(limits.tokensWaiting - 1);
  reader.close();
  // The oldest was forgotten, and an expired one may be used again.
  expect(await Promise.all(asked.map((id) => use(id, 200)))).toEqual([false, false, false, true, true]);
});
