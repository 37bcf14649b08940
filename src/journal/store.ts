import type { Insertable, Kysely } from 'kysely';
import type { Tables, TallyKind } from './tables.ts';

export type CardRow = Insertable<Tables['cards']>;
export type FeedbackRow = Insertable<Tables['feedback']>;
export type Tally = { day: string; client: string; hook: string; kind: TallyKind; rule: string; count: number };

/** What became of items of feedback: ids that are new, and cards that this journal knows. */
export type Stored = { added: string[]; cards: string[] };

/** A card that a patient's prescribers were shown before, and what they did with it. */
export type PastCard = {
  rule: string;
  hook: string;
  issuedAt: number;
  /** JSON of a `Basis` (rules/quiet.ts). */
  basis: string;
  kept: boolean;
  feedback: { outcome: 'accepted' | 'overridden'; at: number; code: string | null; system: string | null }[];
};

/** What is older than these goes: days and moments as in the tables. */
export type Limits = { day: string; received: number; patients: number; tokens: number };

/** The journal's statements. Each promise is kept only after its transaction is committed, and else rejected. */
export type Store = {
  append: (cards: CardRow[], tallies: Tally[]) => Promise<void>;
  addFeedback: (rows: FeedbackRow[]) => Promise<Stored>;
  past: (patient: string, rules: string[], since: number) => Promise<PastCard[]>;
  useToken: (id: string, expiresAt: number, now: number) => Promise<boolean>;
  prune: (limits: Limits) => Promise<void>;
  ping: () => Promise<void>;
};

/** Rows in one statement: both databases limit how many values one may carry. */
const ROWS = 500;

export function createStore(database: Kysely<Tables>): Store {
  return {
    append: (cards, tallies) =>
      database.transaction().execute(async (transaction) => {
        for (const rows of chunks(sortedBy(onceEach(cards), ({ client, uuid }) => `${client}\0${uuid}`))) {
          await transaction
            .insertInto('cards')
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(['client', 'uuid'])
                .doUpdateSet({ basis: null })
                .whereRef('cards.basis', '<>', 'excluded.basis'),
            )
            .execute();
        }
        for (const rows of chunks(sortedBy(tallies, keyOf))) {
          await transaction
            .insertInto('tallies')
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(['day', 'client', 'hook', 'kind', 'rule'])
                .doUpdateSet((eb) => ({ count: eb('tallies.count', '+', eb.ref('excluded.count')) })),
            )
            .execute();
        }
      }),
    addFeedback: (rows) =>
      database.transaction().execute(async (transaction) => {
        const added: string[] = [];
        const cards: string[] = [];
        for (const part of chunks(rows)) {
          const inserted = await transaction
            .insertInto('feedback')
            .values(part)
            .onConflict((conflict) => conflict.column('id').doNothing())
            .returning('id')
            .execute();
          added.push(...inserted.map(({ id }) => id));
          const known = await transaction
            .selectFrom('cards')
            .select('uuid')
            .where('client', 'in', [...new Set(part.map(({ client }) => client))])
            .where('uuid', 'in', [...new Set(part.map(({ card }) => card))])
            .execute();
          cards.push(...known.map(({ uuid }) => uuid));
        }
        return { added, cards };
      }),
    past: (patient, rules, since) => past(database, patient, rules, since),
    useToken: async (id, expiresAt, now) => {
      const { numInsertedOrUpdatedRows } = await database
        .insertInto('tokens')
        .values({ id, expires_at: expiresAt })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({ expires_at: expiresAt }).where('tokens.expires_at', '<', now),
        )
        .executeTakeFirst();
      return Number(numInsertedOrUpdatedRows ?? 0) > 0;
    },
    prune: async ({ day, received, patients, tokens }) => {
      await database.deleteFrom('tokens').where('expires_at', '<', tokens).execute();
      await database
        .updateTable('cards')
        .set({ patient: null, basis: null })
        .where('patient', 'is not', null)
        .where('issued_at', '<', patients)
        .execute();
      await database.deleteFrom('cards').where('day', '<', day).execute();
      await database.deleteFrom('feedback').where('received_at', '<', received).execute();
      await database.deleteFrom('tallies').where('day', '<', day).execute();
    },
    ping: async () => {
      await database.selectFrom('tokens').select('id').limit(1).execute();
    },
  };
}

/** How many of a patient's latest cards are looked at: a prescriber who types may be shown one with each letter. */
const LOOKED_AT = 500;

async function past(database: Kysely<Tables>, patient: string, rules: string[], since: number): Promise<PastCard[]> {
  const cards = await database
    .selectFrom('cards')
    .select(['client', 'uuid', 'rule', 'hook', 'issued_at', 'basis', 'kept'])
    .where('patient', '=', patient)
    .where('rule', 'in', rules)
    .where('issued_at', '>=', since)
    .orderBy('issued_at', 'desc')
    .limit(LOOKED_AT)
    .execute();
  if (cards.length === 0) return [];
  const feedback = await database
    .selectFrom('feedback')
    .select(['client', 'card', 'outcome', 'at', 'received_at', 'reason_code', 'reason_system'])
    .where(
      'card',
      'in',
      cards.map(({ uuid }) => uuid),
    )
    .execute();
  return cards.flatMap(({ client, uuid, rule, hook, issued_at, basis, kept }) =>
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
              .filter((row) => row.client === client && row.card === uuid)
              .map((row) => ({
                outcome: row.outcome,
                // A clock that is ahead must not keep a card quiet for longer.
                at: Math.min(row.at, row.received_at),
                code: row.reason_code,
                system: row.reason_system,
              })),
          },
        ],
  );
}

/** A call that came twice gave its cards once. If they differed, nobody can say which of them was answered. */
function onceEach(rows: CardRow[]): CardRow[] {
  const cards = new Map<string, CardRow>();
  for (const row of rows) {
    const key = `${row.client}\0${row.uuid}`;
    const before = cards.get(key);
    cards.set(key, before && before.basis !== row.basis ? { ...before, basis: null } : (before ?? row));
  }
  return [...cards.values()];
}

/** In one order everywhere, so that processes that write the same rows never wait for each other in a circle. */
function sortedBy<T>(rows: T[], key: (row: T) => string): T[] {
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function keyOf({ day, client, hook, kind, rule }: Tally): string {
  return [day, client, hook, kind, rule].join('\0');
}

function chunks<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, index) =>
    rows.slice(index * ROWS, (index + 1) * ROWS),
  );
}
