import type { Place } from './database.ts';
import type { CardRow, FeedbackRow, Limits, PastCard, Stored, Tally } from './store.ts';
import { JournalFailed, startThread, type Thread } from './thread.ts';

/** Cards that were given and what became of them. Nothing here delays or fails an answer; what is acknowledged is kept. */
export type Journal = {
  /** Notes cards and counts; written soon, in batches. */
  issued: (cards: CardRow[], tallies: Omit<Tally, 'count'>[]) => void;
  /** Resolves when the rows are committed. Rejects with `JournalFailed`; then they may be sent again. */
  addFeedback: (rows: FeedbackRow[]) => Promise<Stored>;
  /** What a patient's prescribers were shown since a moment. Rejects with `JournalFailed` within `HURRY`. */
  past: (patient: string, rules: string[], since: number) => Promise<PastCard[]>;
  /** Whether a token is used for the first time, here or at another process. Rejects with `JournalFailed` within a second. */
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
/** Deadlines: of what may be left out of an answer, of a token, of feedback, and of what nobody waits for. */
const HURRY = 150;
const TOKEN = 1000;
const PATIENT = 5000;
const BACKGROUND = 30_000;
/** Rows that wait while the database is away; then the oldest are dropped, and counted. */
const QUEUE = 50_000;
/** A batch that fails so often while the database answers is at fault itself. */
const ATTEMPTS = 10;

/**
 * Opens the journal. A file that cannot be opened rejects with `JournalFailed`; a database server that is away is
 * asked again until it is there.
 */
export async function openJournal({ place, clock, limits, warn }: JournalOptions): Promise<Journal> {
  let state: Figures['state'] = 'starting';
  let written = 0;
  let dropped = 0;
  let cards: CardRow[] = [];
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
    await ask('ping', [], PATIENT).catch(() => {});
    checking = false;
  }

  let flushing: Promise<void> = Promise.resolve();
  /** Writes what waits; one batch at a time, and what fails waits on. */
  function flush(): Promise<void> {
    flushing = flushing.then(async () => {
      if (state !== 'up' || (cards.length === 0 && tallies.size === 0)) return;
      const batch = { cards, tallies };
      cards = [];
      tallies = new Map();
      try {
        await ask('append', [batch.cards, [...batch.tallies.values()]], BACKGROUND);
        written += batch.cards.length;
        attempts = 0;
      } catch {
        attempts += 1;
        if (attempts > ATTEMPTS) drop(batch.cards.length);
        else putBack(batch);
      }
    });
    return flushing;
  }

  function putBack(batch: { cards: CardRow[]; tallies: Map<string, Tally> }): void {
    cards = [...batch.cards, ...cards];
    for (const tally of batch.tallies.values()) count(tally, tally.count);
    if (cards.length > QUEUE) drop(cards.splice(0, cards.length - QUEUE).length);
  }

  function drop(rows: number): void {
    attempts = 0;
    dropped += rows;
    warn({ rows }, 'the journal dropped cards');
  }

  function count(tally: Omit<Tally, 'count'>, by: number): void {
    const key = [tally.day, tally.client, tally.hook, tally.kind, tally.rule].join('\0');
    const before = tallies.get(key);
    tallies.set(key, { ...tally, count: (before?.count ?? 0) + by });
  }

  type Waiting = { rows: FeedbackRow[]; resolve: (stored: Stored) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let writing = false;
  /** What arrives while a commit is on its way shares the next one. */
  async function writeFeedback(): Promise<void> {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        // Cards that wait here would not be known.
        await flush();
        const stored = await ask<Stored>('addFeedback', [group.flatMap(({ rows }) => rows)], PATIENT);
        for (const { resolve } of group) resolve(stored);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  }

  const prune = () => ask('prune', [limits()], BACKGROUND).catch(() => {});

  let probing = false;
  async function probe(): Promise<void> {
    // A server that keeps silent is asked once, and not once more with each second.
    if (state === 'up' || probing) return;
    probing = true;
    try {
      await thread.ask(state === 'starting' ? 'open' : 'ping', [], PATIENT);
      const first = state === 'starting';
      became('up');
      if (first) void prune();
    } catch (error) {
      became('down', (error as JournalFailed).reason);
    }
    probing = false;
  }

  try {
    await thread.ask('open', [], BACKGROUND);
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
      if (cards.length > QUEUE) drop(cards.splice(0, cards.length - QUEUE).length);
    },
    addFeedback: (rows) =>
      new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        void writeFeedback();
      }),
    past: (patient, rules, since) =>
      // Cards that wait here would not be found.
      inTime(flush().then(() => ask<PastCard[]>('past', [patient, rules, since], HURRY))),
    useToken: (id, expiresAt) => ask('useToken', [id, expiresAt, clock()], TOKEN),
    figures: () => ({ state, queued: cards.length, written, dropped }),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await flush();
      if (cards.length > 0) drop(cards.length);
      closing = true;
      await thread.stop();
    },
  };
}

/** What an answer waits for, and no longer. */
function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new JournalFailed('timeout')), HURRY);
  });
  promise.catch(() => {});
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
