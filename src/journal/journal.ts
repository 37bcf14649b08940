import { limits } from '../limits.ts';
import type { Place } from './database.ts';
import {
  type FeedbackRow,
  keyOf,
  type Limits,
  type Noted,
  type PastCard,
  type Stored,
  type Tally,
  type Token,
  type Whose,
} from './store.ts';
import { JournalFailed, startThread, type Thread } from './thread.ts';

/** Cards that were given and what became of them. Nothing here delays or fails an answer; what is acknowledged is kept. */
export type Journal = {
  /** Notes cards that were given or would have been, and counts; written soon, in batches. */
  issued: (cards: Noted[], tallies: Omit<Tally, 'count'>[]) => void;
  /** Resolves when the rows are committed. Rejects with `JournalFailed`; then they may be sent again. */
  addFeedback: (rows: FeedbackRow[]) => Promise<Stored>;
  /** What a patient's prescribers were shown since a moment. Rejects with `JournalFailed` within `journalForAnswer`. */
  past: (whose: Whose, rules: string[], since: number) => Promise<PastCard[]>;
  /**
   * Whether a token is used for the first time, here or at another process. Rejects with `JournalFailed` within a second; then
   * it is written as used once the database is back.
   */
  useToken: (id: string, expiresAt: number) => Promise<boolean>;
  figures: () => Figures;
  close: () => Promise<void>;
};

/** `starting`: the database was not reached yet. */
export type Figures = { state: 'starting' | 'up' | 'down'; queued: number; written: number; dropped: number };

export type JournalOptions = {
  place: Place;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  /** What is to be kept, asked anew each hour. */
  limits: () => Limits;
  warn: (fields: object, message: string) => void;
};

/** Milliseconds. How often cards are written, how often a database that failed is asked again, and retention is applied. */
const FLUSH = 300;
const PROBE = 1000;
const PRUNE = 3_600_000;
/** Deadlines, in milliseconds: of a token, of what nobody waits for, and of bringing the tables up to date. */
const TOKEN = 1000;
const BACKGROUND = 30_000;
const UPGRADE = 600_000;
/** A batch that fails so often while the database answers is at fault itself. */
const ATTEMPTS = 10;

/**
 * Opens the journal. A file that cannot be opened rejects with `JournalFailed`; a database server that is away is
 * asked again until it is there.
 */
export async function openJournal({ place, clock, limits: kept, warn }: JournalOptions): Promise<Journal> {
  let state: Figures['state'] = 'starting';
  let written = 0;
  let dropped = 0;
  let cards: Noted[] = [];
  let tallies = new Map<string, Tally>();
  let attempts = 0;
  let closing = false;
  let thread = start();

  function start(): Thread {
    return startThread(place, () => {
      became('down', 'thread');
      setTimeout(() => {
        if (!closing) thread = start();
      }, PROBE).unref();
    });
  }

  function became(next: 'up' | 'down', reason?: string): void {
    if (state === next) return;
    if (next === 'down' && state === 'up') warn({ reason }, 'the journal cannot be reached');
    if (next === 'up' && state === 'down') warn({ queued: cards.length }, 'the journal is reached again');
    // Before the first success it is starting, whatever fails.
    if (next === 'up' || state === 'up') state = next;
  }

  async function ask<T>(...[method, values, deadline]: Parameters<Thread['ask']>): Promise<T> {
    if (state !== 'up') throw new JournalFailed('down');
    try {
      return await thread.ask<T>(method, values, deadline);
    } catch (error) {
      const { reason } = error as JournalFailed;
      // Late for an answer is not away: that is asked in peace.
      if (reason === 'timeout' && deadline <= TOKEN) void check();
      else became('down', reason);
      throw error;
    }
  }

  let checking = false;
  async function check(): Promise<void> {
    if (checking) return;
    checking = true;
    await ask('ping', [], limits.journalForFeedback).catch(() => {});
    checking = false;
  }

  let onTheWay = 0;
  let flushing: Promise<void> = Promise.resolve();
  /** Writes what waits; one batch at a time, and what fails waits on. */
  function flush(): Promise<void> {
    flushing = flushing.then(async () => {
      if (state === 'up' && tokens.size > 0) await writeTokens();
      if (state !== 'up' || (cards.length === 0 && tallies.size === 0)) return;
      const batch = { cards, tallies };
      cards = [];
      tallies = new Map();
      onTheWay = batch.cards.length;
      try {
        await ask('append', [batch.cards, [...batch.tallies.values()]], BACKGROUND);
        written += batch.cards.length;
        attempts = 0;
      } catch {
        attempts += 1;
        if (attempts > ATTEMPTS) drop(batch.cards.length);
        else putBack(batch);
      }
      onTheWay = 0;
    });
    return flushing;
  }

  /** Tokens that were used while the database was away, and when they expire. */
  let tokens = new Map<string, number>();
  async function writeTokens(): Promise<void> {
    const batch = tokens;
    tokens = new Map();
    const now = clock();
    const rows = [...batch]
      .map(([id, expires_at]): Token => ({ id, expires_at }))
      .filter((row) => row.expires_at >= now);
    await ask('addTokens', [rows], BACKGROUND).catch(() => {
      for (const [id, expiresAt] of batch) remember(id, expiresAt);
    });
  }

  function remember(id: string, expiresAt: number): void {
    tokens.set(id, expiresAt);
    if (tokens.size > limits.tokensWaiting) tokens.delete(tokens.keys().next().value as string);
  }

  function putBack(batch: { cards: Noted[]; tallies: Map<string, Tally> }): void {
    cards = [...batch.cards, ...cards];
    for (const tally of batch.tallies.values()) count(tally, tally.count);
    dropBeyond();
  }

  function dropBeyond(): void {
    if (cards.length > limits.cardsWaiting) drop(cards.splice(0, cards.length - limits.cardsWaiting).length);
  }

  function drop(rows: number): void {
    attempts = 0;
    dropped += rows;
    warn({ rows }, 'the journal dropped cards');
  }

  function count(tally: Omit<Tally, 'count'>, by: number): void {
    const key = keyOf(tally);
    const before = tallies.get(key);
    tallies.set(key, { ...tally, count: (before?.count ?? 0) + by });
  }

  type Waiting = { rows: FeedbackRow[]; resolve: (stored: Stored) => void; reject: (error: unknown) => void };
  const waiting: Waiting[] = [];
  let waitingRows = 0;
  let writing = false;
  /** What arrives while a commit is on its way shares the next one, as far as one takes. */
  async function writeFeedback(): Promise<void> {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const group = takeGroup();
      try {
        // Cards that wait here would not be known.
        await inTime(flush(), limits.journalForFeedback).catch(() => {
          throw new JournalFailed('busy');
        });
        const rows = group.flatMap((item) => item.rows);
        const stored = await ask<Stored>('addFeedback', [rows], limits.journalForFeedback);
        for (const { resolve } of group) resolve(stored);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  }

  function takeGroup(): Waiting[] {
    let rows = 0;
    const beyond = waiting.findIndex((item, at) => {
      rows += item.rows.length;
      return at > 0 && rows > limits.feedbackCommit;
    });
    const group = waiting.splice(0, beyond === -1 ? waiting.length : beyond);
    waitingRows -= group.reduce((sum, item) => sum + item.rows.length, 0);
    return group;
  }

  const prune = () => ask('prune', [kept()], BACKGROUND).catch(() => {});

  let probing = false;
  async function probe(): Promise<void> {
    // A server that keeps silent is asked once, and not once more with each second.
    if (state === 'up' || probing) return;
    probing = true;
    try {
      await thread.ask(
        state === 'starting' ? 'open' : 'ping',
        [],
        state === 'starting' ? UPGRADE : limits.journalForFeedback,
      );
      const first = state === 'starting';
      became('up');
      if (first) void prune();
    } catch (error) {
      became('down', (error as JournalFailed).reason);
    }
    probing = false;
  }

  try {
    await thread.ask('open', [], UPGRADE);
    became('up');
    void prune();
  } catch (error) {
    if ('folder' in place) {
      closing = true;
      await thread.stop();
      throw error;
    }
    warn({ reason: (error as JournalFailed).reason }, 'the journal cannot be reached yet');
  }
  const timers = [setInterval(flush, FLUSH), setInterval(probe, PROBE), setInterval(prune, PRUNE)];
  for (const timer of timers) timer.unref();

  return {
    issued: (rows, counts) => {
      cards.push(...rows);
      for (const tally of counts) count(tally, 1);
      dropBeyond();
    },
    addFeedback: (rows) =>
      new Promise((resolve, reject) => {
        if (waitingRows + rows.length > limits.feedbackWaiting) return reject(new JournalFailed('busy'));
        waitingRows += rows.length;
        waiting.push({ rows, resolve, reject });
        void writeFeedback();
      }),
    past: (whose, rules, since) =>
      // Cards that wait here would not be found.
      inTime(
        flush().then(() => ask<PastCard[]>('past', [whose, rules, since], limits.journalForAnswer)),
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
    figures: () => ({ state, queued: cards.length + onTheWay, written, dropped }),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await flush();
      if (cards.length > 0) drop(cards.length);
      closing = true;
      await thread.stop();
    },
  };
}

/** What is waited for so many milliseconds, and no longer. */
function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new JournalFailed('timeout')), milliseconds);
  });
  promise.catch(() => {});
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
