import { limits } from '../limits.ts';
import { createCommits } from './commits.ts';
import { connect, type State } from './connection.ts';
import type { Place } from './database.ts';
import { createOutbox } from './outbox.ts';
import { inTime, serial } from './promises.ts';
import type { FeedbackRow, Limits, Noted, PastCard, Stored, Tally, Token, Whose } from './store.ts';

/** Cards given, and feedback on them. Nothing here delays or fails an answer; what is acknowledged is stored. */
export type Journal = {
  /** Records cards that were given or would have been, and counts; written soon, in batches. */
  issued: (cards: Noted[], tallies: Omit<Tally, 'count'>[]) => void;
  /** Resolves when the rows are committed. Rejects with `JournalFailed`; then they may be sent again. */
  addFeedback: (rows: FeedbackRow[]) => Promise<Stored>;
  /** What a patient's prescribers were shown since a time. Rejects with `JournalFailed` within `journalForAnswer`. */
  past: (whose: Whose, rules: string[], since: number) => Promise<PastCard[]>;
  /**
   * Whether a token is used for the first time, here or in another process. Rejects with `JournalFailed` within a
   * second; the token is then recorded as used once the database is back.
   */
  useToken: (id: string, expiresAt: number) => Promise<boolean>;
  figures: () => Figures;
  close: () => Promise<void>;
};

export type Figures = { state: State; queued: number; written: number; dropped: number };

export type JournalOptions = {
  place: Place;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  /** What to keep; asked again every hour. */
  limits: () => Limits;
  warn: (fields: object, message: string) => void;
};

/** In milliseconds: how often cards are written, and how often retention is applied. */
const FLUSH = 300;
const PRUNE = 3_600_000;
/** Deadlines in milliseconds: for a token, and for background work. */
const TOKEN = 1000;
const BACKGROUND = 30_000;

/**
 * Opens the journal. Rejects with `JournalFailed` if a file cannot be opened; a database server that is unavailable is
 * tried again until it answers.
 */
export async function openJournal({ place, clock, limits: kept, warn }: JournalOptions): Promise<Journal> {
  const connection = await connect({ place, queued: () => outbox.figures().queued, warn });
  const { ask, state } = connection;
  const outbox = createOutbox(connection, warn);
  const commit = createCommits(connection, outbox.flush);

  /** Tokens used while the database was unavailable, and when they expire. */
  let tokens = new Map<string, number>();
  function remember(id: string, expiresAt: number): void {
    tokens.set(id, expiresAt);
    if (tokens.size > limits.tokensWaiting) tokens.delete(tokens.keys().next().value as string);
  }
  const writeTokens = serial(async () => {
    if (state() !== 'up' || tokens.size === 0) return;
    const batch = tokens;
    tokens = new Map();
    const rows = [...batch].map(([id, expires_at]): Token => ({ id, expires_at }));
    const valid = rows.filter(({ expires_at }) => expires_at >= clock());
    await ask('addTokens', [valid], BACKGROUND).catch(() => {
      for (const { id, expires_at } of valid) remember(id, expires_at);
    });
  });

  const prune = () => ask('prune', [kept()], BACKGROUND).catch(() => {});
  void connection.opened.then(prune);
  const timers = [setInterval(writeTokens, FLUSH), setInterval(outbox.flush, FLUSH), setInterval(prune, PRUNE)];
  for (const timer of timers) timer.unref();

  return {
    issued: outbox.add,
    addFeedback: commit,
    past: (whose, rules, since) =>
      // Otherwise cards still waiting here would not be found.
      inTime(
        outbox.flush().then(() => ask<PastCard[]>('past', [whose, rules, since], limits.journalForAnswer)),
        limits.journalForAnswer,
      ),
    useToken: async (id, expiresAt) => {
      try {
        return await ask<boolean>('useToken', [id, expiresAt, clock()], TOKEN);
      } catch (error) {
        remember(id, expiresAt);
        throw error;
      }
    },
    figures: () => ({ state: state(), ...outbox.figures() }),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await writeTokens();
      await outbox.close();
      await connection.close();
    },
  };
}
