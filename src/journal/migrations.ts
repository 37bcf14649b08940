import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Tables } from './tables.ts';

// The same statements on SQLite and PostgreSQL. A migration that was released is never changed: another one follows it.
const migrations = {
  '2026-11-26-journal': {
    async up(database: Kysely<unknown>): Promise<void> {
      await database.schema
        .createTable('cards')
        .addColumn('client', 'varchar(50)', (column) => column.notNull())
        .addColumn('uuid', 'varchar(36)', (column) => column.notNull())
        .addColumn('day', 'varchar(10)', (column) => column.notNull())
        .addColumn('issued_at', 'bigint', (column) => column.notNull())
        .addColumn('hook', 'varchar(50)', (column) => column.notNull())
        .addColumn('rule', 'varchar(100)', (column) => column.notNull())
        .addColumn('indicator', 'varchar(10)', (column) => column.notNull())
        .addColumn('suggestions', 'text', (column) => column.notNull())
        .addColumn('knowledge', 'varchar(12)', (column) => column.notNull())
        .addColumn('patient', 'varchar(64)')
        .addColumn('basis', 'text')
        .addColumn('kept', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('cards_key', ['client', 'uuid'])
        .execute();
      await database.schema.createIndex('cards_day').on('cards').columns(['day']).execute();
      await database.schema.createIndex('cards_patient').on('cards').columns(['patient', 'rule']).execute();
      await database.schema
        .createTable('feedback')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('client', 'varchar(50)', (column) => column.notNull())
        .addColumn('card', 'varchar(100)', (column) => column.notNull())
        .addColumn('service', 'varchar(100)', (column) => column.notNull())
        .addColumn('outcome', 'varchar(10)', (column) => column.notNull())
        .addColumn('suggestion', 'varchar(100)')
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('received_at', 'bigint', (column) => column.notNull())
        .addColumn('reason_code', 'varchar(200)')
        .addColumn('reason_system', 'varchar(500)')
        .addColumn('comment', 'text')
        .execute();
      await database.schema.createIndex('feedback_card').on('feedback').columns(['client', 'card']).execute();
      await database.schema.createIndex('feedback_received').on('feedback').columns(['received_at']).execute();
      await database.schema
        .createTable('tallies')
        .addColumn('day', 'varchar(10)', (column) => column.notNull())
        .addColumn('client', 'varchar(50)', (column) => column.notNull())
        .addColumn('hook', 'varchar(50)', (column) => column.notNull())
        .addColumn('kind', 'varchar(10)', (column) => column.notNull())
        .addColumn('rule', 'varchar(100)', (column) => column.notNull())
        .addColumn('count', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('tallies_key', ['day', 'client', 'hook', 'kind', 'rule'])
        .execute();
      await database.schema
        .createTable('tokens')
        .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .execute();
      await database.schema.createIndex('tokens_expiry').on('tokens').columns(['expires_at']).execute();
    },
  },
};

/** Brings the tables up to this version; processes that start together wait for each other. Throws what the database says. */
export async function migrate(database: Kysely<Tables>): Promise<void> {
  const { error } = await new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
  }).migrateToLatest();
  if (error) throw error;
}
