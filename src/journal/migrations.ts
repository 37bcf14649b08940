import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import type { Tables } from './tables.ts';

// The same statements on SQLite and PostgreSQL. Never change a released migration; add another one.
export const migrations = {
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
  '2026-11-30-tenants': {
    // SQLite cannot change a table's key, so the cards move to another table.
    up: (database: Kysely<unknown>): Promise<void> =>
      wholly(database, async (all) => {
        await all.schema
          .createTable('cards_by_tenant')
          .addColumn('client', 'varchar(50)', (column) => column.notNull())
          .addColumn('tenant', 'varchar(200)', (column) => column.notNull())
          .addColumn('uuid', 'varchar(36)', (column) => column.notNull())
          .addColumn('day', 'varchar(10)', (column) => column.notNull())
          .addColumn('issued_at', 'bigint', (column) => column.notNull())
          .addColumn('hook', 'varchar(50)', (column) => column.notNull())
          .addColumn('rule', 'varchar(100)', (column) => column.notNull())
          .addColumn('indicator', 'varchar(10)', (column) => column.notNull())
          .addColumn('suggestions', 'text', (column) => column.notNull())
          .addColumn('knowledge', 'varchar(12)', (column) => column.notNull())
          .addColumn('patient', 'varchar(80)')
          .addColumn('basis', 'text')
          .addColumn('kept', 'integer', (column) => column.notNull())
          .addPrimaryKeyConstraint('cards_by_tenant_key', ['client', 'tenant', 'uuid'])
          .execute();
        await sql`insert into cards_by_tenant
          (client, tenant, uuid, day, issued_at, hook, rule, indicator, suggestions, knowledge, patient, basis, kept)
          select client, '', uuid, day, issued_at, hook, rule, indicator, suggestions, knowledge, patient, basis, kept
          from cards`.execute(all);
        await all.schema.dropTable('cards').execute();
        await all.schema.alterTable('cards_by_tenant').renameTo('cards').execute();
        await all.schema.createIndex('cards_day').on('cards').columns(['day']).execute();
        await all.schema
          .createIndex('cards_patient')
          .on('cards')
          .columns(['client', 'tenant', 'patient', 'rule'])
          .execute();
        await all.schema
          .alterTable('feedback')
          .addColumn('tenant', 'varchar(200)', (column) => column.notNull().defaultTo(''))
          .execute();
        await all.schema.dropIndex('feedback_card').execute();
        await all.schema.createIndex('feedback_card').on('feedback').columns(['client', 'tenant', 'card']).execute();
      }),
  },
  '2026-11-30-trials': {
    // SQLite cannot change a table's key, so the counts move to another table.
    up: (database: Kysely<unknown>): Promise<void> =>
      wholly(database, async (all) => {
        await all.schema
          .createTable('tallies_by_tenant')
          .addColumn('day', 'varchar(10)', (column) => column.notNull())
          .addColumn('client', 'varchar(50)', (column) => column.notNull())
          .addColumn('tenant', 'varchar(200)', (column) => column.notNull().defaultTo(''))
          .addColumn('hook', 'varchar(50)', (column) => column.notNull())
          .addColumn('kind', 'varchar(10)', (column) => column.notNull())
          .addColumn('rule', 'varchar(100)', (column) => column.notNull())
          .addColumn('count', 'bigint', (column) => column.notNull())
          .addPrimaryKeyConstraint('tallies_by_tenant_key', ['day', 'client', 'tenant', 'hook', 'kind', 'rule'])
          .execute();
        await sql`insert into tallies_by_tenant (day, client, tenant, hook, kind, rule, count)
          select day, client, '', hook, kind, rule, count from tallies`.execute(all);
        await all.schema.dropTable('tallies').execute();
        await all.schema.alterTable('tallies_by_tenant').renameTo('tallies').execute();
        await all.schema
          .createTable('silent_cards')
          .addColumn('client', 'varchar(50)', (column) => column.notNull())
          .addColumn('tenant', 'varchar(200)', (column) => column.notNull())
          .addColumn('uuid', 'varchar(36)', (column) => column.notNull())
          .addColumn('day', 'varchar(10)', (column) => column.notNull())
          .addColumn('issued_at', 'bigint', (column) => column.notNull())
          .addColumn('hook', 'varchar(50)', (column) => column.notNull())
          .addColumn('rule', 'varchar(100)', (column) => column.notNull())
          .addColumn('indicator', 'varchar(10)', (column) => column.notNull())
          .addColumn('knowledge', 'varchar(12)', (column) => column.notNull())
          .addColumn('patient', 'varchar(80)')
          .addPrimaryKeyConstraint('silent_cards_key', ['client', 'tenant', 'uuid'])
          .execute();
        await all.schema.createIndex('silent_cards_day').on('silent_cards').columns(['day']).execute();
        await all.schema.createIndex('silent_cards_patient').on('silent_cards').columns(['rule', 'patient']).execute();
      }),
  },
};

/** All statements or none, also on SQLite, where Kysely opens no transaction for a migration. */
function wholly(database: Kysely<unknown>, work: (all: Kysely<unknown>) => Promise<void>): Promise<void> {
  return database.isTransaction ? work(database) : database.transaction().execute(work);
}

/** Migrates the tables to this version; processes that start together wait for each other. Throws the database's error. */
export async function migrate(database: Kysely<Tables>): Promise<void> {
  const { error } = await new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
  }).migrateToLatest();
  if (error) throw error;
}
