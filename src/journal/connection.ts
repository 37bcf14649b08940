import { limits } from '../limits.ts';
import type { Place } from './database.ts';
import { single } from './promises.ts';
import { JournalFailed, startThread, type Thread } from './thread.ts';

/** `starting`: the database has not been reached yet. */
export type State = 'starting' | 'up' | 'down';

export type Connection = Awaited<ReturnType<typeof connect>>;

export type ConnectionOptions = {
  place: Place;
  /** Number of waiting cards, for the log. */
  queued: () => number;
  warn: (fields: object, message: string) => void;
};

/** In milliseconds: how often a failed database is tried again, and the deadline for migrations. */
const PROBE = 1000;
const UPGRADE = 600_000;

/**
 * Connects to the database, through a thread that is restarted if it ends. Rejects with `JournalFailed` if a file cannot be opened; a database server that is unavailable is
 * tried again until it answers.
 */
export async function connect({ place, queued, warn }: ConnectionOptions) {
  let state: State = 'starting';
  let closing = false;
  const opened = Promise.withResolvers<void>();
  let thread = start();

  function start(): Thread {
    return startThread(place, () => {
      failed('thread');
      setTimeout(() => {
        if (!closing) thread = start();
      }, PROBE).unref();
    });
  }

  /** Until the first success the state is starting, whatever fails. */
  function failed(reason: string): void {
    if (state !== 'up') return;
    state = 'down';
    warn({ reason }, 'the journal cannot be reached');
  }

  async function open(): Promise<void> {
    await thread.ask('open', [], UPGRADE);
    state = 'up';
    opened.resolve();
  }

  const ping = () => thread.ask('ping', [], limits.journalForFeedback);

  // A silent server is probed once, not again with every timer.
  const probe = single(async () => {
    try {
      if (state === 'starting') return await open();
      await ping();
      if (state === 'up') return;
      state = 'up';
      warn({ queued: queued() }, 'the journal can be reached again');
    } catch (error) {
      failed((error as JournalFailed).reason);
    }
  });

  try {
    await open();
  } catch (error) {
    if ('folder' in place) {
      closing = true;
      await thread.stop();
      throw error;
    }
    warn({ reason: (error as JournalFailed).reason }, 'the journal cannot be reached yet');
  }
  const timer = setInterval(() => {
    if (state !== 'up') probe();
  }, PROBE).unref();

  return {
    state: () => state,
    /** Resolves once the database has been reached for the first time and its tables are migrated. */
    opened: opened.promise,
    /** Rejects with `JournalFailed`: at once while the database is unavailable, at the latest after `deadline` milliseconds. */
    ask: async <T>(...[method, values, deadline]: Parameters<Thread['ask']>): Promise<T> => {
      if (state !== 'up') throw new JournalFailed('down');
      try {
        return await thread.ask<T>(method, values, deadline);
      } catch (error) {
        const { reason } = error as JournalFailed;
        // Too late for an answer does not mean unavailable: check with a longer deadline.
        if (reason === 'timeout' && deadline < limits.journalForFeedback) probe();
        else failed(reason);
        throw error;
      }
    },
    close: async () => {
      clearInterval(timer);
      closing = true;
      await thread.stop();
    },
  };
}
