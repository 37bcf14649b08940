import { afterEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../limits.ts';
import { createCommits } from './commits.ts';
import type { FeedbackRow, Stored } from './store.ts';
import { JournalFailed } from './thread.ts';

const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({ id: `id-${from + at}` }) as FeedbackRow);

/** A database whose answers and their timing the test controls. */
function database(before: () => Promise<void> = async () => {}) {
  const asked: { ids: string[]; deadline: number; answer: (stored: Stored) => void; fail: (error: Error) => void }[] =
    [];
  const ask = (method: string, [given]: unknown[], deadline: number) =>
    new Promise((answer, fail) => {
      expect(method).toBe('addFeedback');
      asked.push({ ids: (given as FeedbackRow[]).map(({ id }) => id), deadline, answer, fail });
    });
  const commit = createCommits({ ask: ask as never }, before);
  return { asked, commit };
}
const turn = () => new Promise((wake) => setImmediate(wake));
const STORED = { added: ['id-0'], known: [] };

test('feedback gets the result of its commit, which has the deadline of feedback', async () => {
  const { asked, commit } = database();
  const told = commit(rows(2));
  await turn();
  expect(asked.map(({ ids, deadline }) => [ids, deadline])).toEqual([[['id-0', 'id-1'], limits.journalForFeedback]]);
  asked[0]?.answer(STORED);
  expect(await told).toBe(STORED);
});

test('feedback that arrives during a commit joins the next one', async () => {
  const { asked, commit } = database();
  const first = commit(rows(1));
  await turn();
  const others = [commit(rows(1, 1)), commit(rows(1, 2))];
  await turn();
  expect(asked).toHaveLength(1);
  asked[0]?.answer(STORED);
  await first;
  await turn();
  expect(asked.map(({ ids }) => ids)).toEqual([['id-0'], ['id-1', 'id-2']]);
  const stored = { added: ['id-1', 'id-2'], known: [] };
  asked[1]?.answer(stored);
  expect(await Promise.all(others)).toEqual([stored, stored]);
  await turn();
  expect(asked).toHaveLength(2);
});

describe('a commit takes rows up to its limit, and at least one item', () => {
  test.each<[sizes: number[], commits: number[]]>([
    [[3000, 2000], [limits.feedbackCommit]],
    [
      [3000, 2001],
      [3000, 2001],
    ],
    [
      [3000, 2000, 1],
      [5000, 1],
    ],
    [
      [5001, 1],
      [5001, 1],
    ],
  ])('%j in %j', async (sizes, expected) => {
    const { asked, commit } = database();
    const first = commit(rows(1));
    await turn();
    const told = sizes.map((size) => commit(rows(size)));
    for (let at = 0; at <= expected.length; at++) {
      asked[at]?.answer(STORED);
      await turn();
    }
    await Promise.all([first, ...told]);
    expect(asked.slice(1).map(({ ids }) => ids.length)).toEqual(expected);
  });
});

test('waiting cards are written first, so that feedback finds them', async () => {
  const log: string[] = [];
  const { asked, commit } = database(async () => void log.push('cards'));
  const told = commit(rows(1));
  expect(log).toEqual([]);
  await turn();
  log.push(`${asked.length} asked`);
  asked[0]?.answer(STORED);
  await told;
  expect(log).toEqual(['cards', '1 asked']);
});

test('if the cards cannot be written, feedback is refused as busy, and the next attempt may succeed', async () => {
  let works = false;
  const { asked, commit } = database(async () => {
    if (!works) throw new Error('disk');
  });
  await expect(commit(rows(1))).rejects.toEqual(new JournalFailed('busy'));
  expect(asked).toEqual([]);
  works = true;
  const told = commit(rows(1));
  await turn();
  asked[0]?.answer(STORED);
  expect(await told).toBe(STORED);
});

describe('cards that wait long', () => {
  afterEach(() => void vi.useRealTimers());
  test('delay feedback no longer than its deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { commit } = database(() => new Promise(() => {}));
    const refused = expect(commit(rows(1))).rejects.toEqual(new JournalFailed('busy'));
    await vi.advanceTimersByTimeAsync(limits.journalForFeedback);
    await refused;
  });
});

test('a failed commit fails for all its items, with the database’s own reason', async () => {
  const { asked, commit } = database();
  const first = commit(rows(1));
  await turn();
  const others = [commit(rows(1)), commit(rows(1))].map((told) => expect(told).rejects.toThrow('SQLITE_FULL'));
  asked[0]?.answer(STORED);
  await first;
  await turn();
  asked[1]?.fail(new JournalFailed('SQLITE_FULL'));
  await Promise.all(others);
});

test('rows wait up to the limit, one more is refused at once, and those being written no longer count', async () => {
  const { asked, commit } = database();
  const first = commit(rows(limits.feedbackWaiting));
  await expect(commit(rows(1))).rejects.toEqual(new JournalFailed('busy'));
  await turn();
  const second = commit(rows(limits.feedbackWaiting - 1));
  const third = commit(rows(1));
  await expect(commit(rows(1))).rejects.toThrow('busy');
  for (let at = 0; at < 3; at++) {
    asked[at]?.answer(STORED);
    await turn();
  }
  expect(await Promise.all([first, second, third])).toEqual([STORED, STORED, STORED]);
});
