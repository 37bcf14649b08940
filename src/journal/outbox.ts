import { limits } from '../limits.ts';
import type { Connection } from './connection.ts';
import { serial } from './promises.ts';
import { keyOf, type Noted, type Tally } from './store.ts';

/** Deadline of a batch in milliseconds: background work. */
const DEADLINE = 30_000;
/** Number of failures, while the database answers, after which a batch is dropped as faulty. */
const ATTEMPTS = 10;

type Batch = { cards: Noted[]; tallies: Map<string, Tally> };
const nothing = (): Batch => ({ cards: [], tallies: new Map() });

/** Cards and counts waiting to be written, in batches. If they cannot be written for long, the oldest are dropped. */
export function createOutbox(
  connection: Pick<Connection, 'state' | 'ask'>,
  warn: (fields: object, message: string) => void,
) {
  let waiting = nothing();
  let sending = nothing();
  let attempts = 0;
  const sums = { written: 0, dropped: 0 };

  function put(cards: Noted[], tallies: Iterable<Tally>, at: 'first' | 'last'): void {
    // A call gives few cards, so copying only happens after a failure, which is rare.
    if (at === 'last') waiting.cards.push(...cards);
    else waiting.cards = [...cards, ...waiting.cards];
    for (const tally of tallies) {
      const key = keyOf(tally);
      waiting.tallies.set(key, { ...tally, count: (waiting.tallies.get(key)?.count ?? 0) + tally.count });
    }
    const beyond = waiting.cards.length - limits.cardsWaiting;
    if (beyond > 0) drop(waiting.cards.splice(0, beyond).length);
  }

  function drop(rows: number): void {
    attempts = 0;
    sums.dropped += rows;
    warn({ rows }, 'the journal dropped cards');
  }

  const flush = serial(async () => {
    if (connection.state() !== 'up' || (waiting.cards.length === 0 && waiting.tallies.size === 0)) return;
    sending = waiting;
    waiting = nothing();
    const { cards, tallies } = sending;
    try {
      await connection.ask('append', [cards, [...tallies.values()]], DEADLINE);
      sums.written += cards.length;
      attempts = 0;
    } catch {
      attempts += 1;
      if (attempts > ATTEMPTS) drop(cards.length);
      else put(cards, tallies.values(), 'first');
    }
    sending = nothing();
  });

  return {
    add: (cards: Noted[], tallies: Omit<Tally, 'count'>[]): void =>
      put(
        cards,
        tallies.map((tally) => ({ ...tally, count: 1 })),
        'last',
      ),
    /** Writes the waiting rows; those that fail keep waiting. Never rejects. */
    flush,
    /** Numbers of cards since the start. */
    figures: () => ({ queued: waiting.cards.length + sending.cards.length, ...sums }),
    /** Writes the waiting rows for the last time. */
    close: async (): Promise<void> => {
      await flush();
      if (waiting.cards.length > 0) drop(waiting.cards.length);
    },
  };
}
