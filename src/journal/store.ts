import type { Insertable, Kysely } from 'kysely';
import { limits } from '../limits.ts';
import { aboutCard, type Tables, type TallyKind } from './tables.ts';

export type CardRow = Insertable<Tables['cards']>;
export type SilentRow = Insertable<Tables['silent_cards']>;
export type FeedbackRow = Insertable<Tables['feedback']>;
export type Tally = {
  day: string;
  client: string;
  tenant: string;
  hook: string;
  kind: TallyKind;
  rule: string;
  count: number;
};

/** A card that was given, or that a rule on trial would have given. */
export type Noted = CardRow | SilentRow;

/** The stored feedback, by row id: new rows, and rows about a card known to this journal. */
export type Stored = { added: string[]; known: string[] };

/** The owner of cards: a patient is identified by the hash under each current key. */
export type Whose = { client: string; tenant: string; patients: string[] };

/** A card shown earlier to a patient's prescribers, and what they did with it. */
export type PastCard = {
  rule: string;
  hook: string;
  issuedAt: number;
  /** JSON of a `Basis` (rules/quiet.ts). */
  basis: string;
  kept: boolean;
  feedback: { outcome: 'accepted' | 'overridden'; at: number; code: string | null; system: string | null }[];
};

export type Token = { id: string; expires_at: number };

/**
 * Everything older than these is deleted; days and times as in the tables. `review`: for how many patients of a rule on
 * trial the hash is kept.
 */
export type Limits = { day: string; received: number; patients: number; tokens: number; review: number };

export type Store = ReturnType<typeof createStore>;

/** Rows per statement: both databases limit the number of values. */
const ROWS_PER_STATEMENT = 500;

/** The journal's statements. Each promise resolves only after its transaction is committed. */
export function createStore(database: Kysely<Tables>) {
  return {
    append: (cards: Noted[], tallies: Tally[]) =>
      database.transaction().execute(async (transaction) => {
        for (const rows of chunks(sortedBy(onceEach(cards.filter(wasGiven)), keyOfCard))) {
          await transaction
            .insertInto('cards')
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(['client', 'tenant', 'uuid'])
                .doUpdateSet({ basis: null })
                .whereRef('cards.basis', '<>', 'excluded.basis'),
            )
            .execute();
        }
        const silent = cards.filter((row): row is SilentRow => !wasGiven(row));
        for (const rows of chunks(sortedBy(silent, keyOfCard))) {
          await transaction
            .insertInto('silent_cards')
            .values(rows)
            .onConflict((conflict) => conflict.columns(['client', 'tenant', 'uuid']).doNothing())
            .execute();
        }
        for (const rows of chunks(sortedBy(tallies, keyOf))) {
          await transaction
            .insertInto('tallies')
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(['day', 'client', 'tenant', 'hook', 'kind', 'rule'])
                .doUpdateSet((eb) => ({ count: eb('tallies.count', '+', eb.ref('excluded.count')) })),
            )
            .execute();
        }
      }),
    addFeedback: (rows: FeedbackRow[]): Promise<Stored> =>
      database.transaction().execute(async (transaction) => {
        const added: string[] = [];
        const known: string[] = [];
        for (const part of chunks(sortedBy(rows, ({ id }) => id))) {
          const ids = part.map(({ id }) => id);
          const inserted = await transaction
            .insertInto('feedback')
            .values(part)
            .onConflict((conflict) => conflict.column('id').doNothing())
            .returning('id')
            .execute();
          added.push(...inserted.map(({ id }) => id));
          const about = await transaction
            .selectFrom('feedback')
            .innerJoin('cards', aboutCard)
            .select('feedback.id')
            .where('feedback.id', 'in', ids)
            .execute();
          known.push(...about.map(({ id }) => id));
        }
        return { added, known };
      }),
    past: (whose: Whose, rules: string[], since: number) => past(database, whose, rules, since),
    useToken: async (id: string, expiresAt: number, now: number) => {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto('tokens')
        .values({ id, expires_at: expiresAt })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({ expires_at: expiresAt }).where('tokens.expires_at', '<', now),
        )
        .executeTakeFirst();
      return Number(numInsertedOrUpdatedRows ?? 0) > 0;
    },
    /** Tokens used while the database was unavailable. */
    addTokens: async (tokens: Token[]) => {
      for (const part of chunks(sortedBy(tokens, ({ id }) => id)))
        await database
          .insertInto('tokens')
          .values(part)
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet((eb) => ({ expires_at: eb.ref('excluded.expires_at') }))
              .whereRef('tokens.expires_at', '<', 'excluded.expires_at'),
          )
          .execute();
    },
    prune: async ({ day, received, patients, tokens, review }: Limits) => {
      await database.deleteFrom('tokens').where('expires_at', '<', tokens).execute();
      await database
        .updateTable('cards')
        .set({ patient: null, basis: null })
        .where('patient', 'is not', null)
        .where('issued_at', '<', patients)
        .execute();
      await database.deleteFrom('cards').where('day', '<', day).execute();
      await database.deleteFrom('silent_cards').where('day', '<', day).execute();
      await keepPatients(database, review);
      await database.deleteFrom('feedback').where('received_at', '<', received).execute();
      await database.deleteFrom('tallies').where('day', '<', day).execute();
    },
    ping: async () => {
      await database.selectFrom('tokens').select('id').limit(1).execute();
    },
  };
}

/** Erases the patient hashes of each rule on trial except the first ones. */
async function keepPatients(database: Kysely<Tables>, review: number): Promise<void> {
  const known = () => database.selectFrom('silent_cards').where('patient', 'is not', null);
  for (const { rule } of await known().select('rule').distinct().execute()) {
    const first = await known()
      .where('rule', '=', rule)
      .select('patient')
      .groupBy('patient')
      .orderBy((eb) => eb.fn.min('issued_at'))
      .orderBy('patient')
      .limit(review)
      .execute();
    const kept = first.map(({ patient }) => patient as string);
    await database
      .updateTable('silent_cards')
      .set({ patient: null })
      .where('rule', '=', rule)
      .where('patient', 'is not', null)
      .$if(kept.length > 0, (query) => query.where('patient', 'not in', kept))
      .execute();
  }
}

/** Maximum number of a patient's latest cards read: typing an order may give one with each letter. */
const MAX_PAST_CARDS = 500;

/** How far a record system's clock may be behind, in milliseconds. */
const CLOCK_TOLERANCE_MS = limits.clockSkew * 1000;

async function past(database: Kysely<Tables>, whose: Whose, rules: string[], since: number): Promise<PastCard[]> {
  const cards = await cardsOf(database, whose, rules, since).execute();
  if (cards.length === 0) return [];
  const uuids = cards.map(({ uuid }) => uuid);
  const feedback = await feedbackOf(database, whose, uuids).execute();
  return cards.flatMap(({ uuid, rule, hook, issued_at, basis, kept }) =>
    basis === null
      ? []
      : [
          {
            rule,
            hook,
            issuedAt: issued_at,
            basis,
            kept: kept === 1,
            feedback: feedback
              // Feedback older than its card is not about it.
              .filter(
                (row) => row.card === uuid && row.received_at >= issued_at && row.at >= issued_at - CLOCK_TOLERANCE_MS,
              )
              .map((row) => ({
                outcome: row.outcome,
                // A clock that is ahead must not extend a quiet period.
                at: Math.min(row.at, row.received_at),
                code: row.reason_code,
                system: row.reason_system,
              })),
          },
        ],
  );
}

/** The latest cards of a patient. */
export function cardsOf(database: Kysely<Tables>, whose: Whose, rules: string[], since: number) {
  return database
    .selectFrom('cards')
    .select(['uuid', 'rule', 'hook', 'issued_at', 'basis', 'kept'])
    .where('patient', 'in', whose.patients)
    .where('rule', 'in', rules)
    .where('client', '=', whose.client)
    .where('tenant', '=', whose.tenant)
    .where('issued_at', '>=', since)
    .orderBy('issued_at', 'desc')
    .limit(MAX_PAST_CARDS);
}

/** The feedback on some cards. */
export function feedbackOf(database: Kysely<Tables>, { client, tenant }: Omit<Whose, 'patients'>, cards: string[]) {
  return database
    .selectFrom('feedback')
    .select(['card', 'outcome', 'at', 'received_at', 'reason_code', 'reason_system'])
    .where('client', '=', client)
    .where('tenant', '=', tenant)
    .where('card', 'in', cards);
}

/** A repeated call gave its cards once. If they differed, it is unknown which of them was answered. */
function onceEach(rows: CardRow[]): CardRow[] {
  const cards = new Map<string, CardRow>();
  for (const row of rows) {
    const key = keyOfCard(row);
    const before = cards.get(key);
    cards.set(key, before && before.basis !== row.basis ? { ...before, basis: null } : (before ?? row));
  }
  return [...cards.values()];
}

/** Sorts rows, so that processes writing the same rows do not deadlock. */
function sortedBy<T>(rows: T[], key: (row: T) => string): T[] {
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function wasGiven(row: Noted): row is CardRow {
  return 'suggestions' in row;
}

function keyOfCard({ client, tenant, uuid }: Noted): string {
  return [client, tenant, uuid].join('\0');
}

/** The count that a tally adds to. */
export function keyOf({ day, client, tenant, hook, kind, rule }: Omit<Tally, 'count'>): string {
  return [day, client, tenant, hook, kind, rule].join('\0');
}

function chunks<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_PER_STATEMENT) }, (_, index) =>
    rows.slice(index * ROWS_PER_STATEMENT, (index + 1) * ROWS_PER_STATEMENT),
  );
}
