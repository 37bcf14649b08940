import { limits } from '../limits.ts';
import type { Connection } from './connection.ts';
import { inTime, serial } from './promises.ts';
import type { FeedbackRow, Stored } from './store.ts';
import { JournalFailed } from './thread.ts';

type Waiting = { rows: FeedbackRow[]; resolve: (stored: Stored) => void; reject: (error: unknown) => void };

/**
 * Writes feedback: each promise resolves once its rows are committed. Feedback that arrives during a commit shares the next
 * one, up to its limit. `before` writes the waiting cards, which would be unknown otherwise. Rejects with `JournalFailed` if
 * too many rows are waiting.
 */
export function createCommits({ ask }: Pick<Connection, 'ask'>, before: () => Promise<void>) {
  const waiting: Waiting[] = [];
  let waitingRows = 0;

  const commit = serial(async () => {
    const group = takeGroup(waiting);
    if (group.length === 0) return;
    waitingRows -= sizeOf(group);
    try {
      await inTime(before(), limits.journalForFeedback).catch(() => {
        throw new JournalFailed('busy');
      });
      const rows = group.flatMap((item) => item.rows);
      const stored = await ask<Stored>('addFeedback', [rows], limits.journalForFeedback);
      for (const { resolve } of group) resolve(stored);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  });

  return (rows: FeedbackRow[]): Promise<Stored> =>
    new Promise((resolve, reject) => {
      if (waitingRows + rows.length > limits.feedbackWaiting) return reject(new JournalFailed('busy'));
      waitingRows += rows.length;
      waiting.push({ rows, resolve, reject });
      void commit();
    });
}

/** The items of the next commit: at least one, and at most as many rows as its limit. */
function takeGroup(waiting: Waiting[]): Waiting[] {
  let size = 0;
  const beyond = waiting.findIndex(({ rows }, at) => {
    size += rows.length;
    return at > 0 && size > limits.feedbackCommit;
  });
  return waiting.splice(0, beyond === -1 ? waiting.length : beyond);
}

function sizeOf(waiting: Waiting[]): number {
  return waiting.reduce((sum, { rows }) => sum + rows.length, 0);
}
