import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { openDatabase } from '../journal/database.ts';
import { migrate } from '../journal/migrations.ts';
import {
  type CardRow,
  createStore,
  type FeedbackRow,
  type SilentRow,
  type Store,
  type Tally,
} from '../journal/store.ts';
import type { Tables } from '../journal/tables.ts';

/** The moment of the journal's rows. */
export const NOW = Date.parse('2026-03-02T09:00:00Z');

export const card = (uuid: string, more: Partial<CardRow> = {}): CardRow => ({
  ...{ client: 'ehr', tenant: '', uuid, day: '2026-03-02', issued_at: NOW, hook: 'order-sign', rule: 'a' },
  ...{ indicator: 'warning', suggestions: '{}', knowledge: 'abc', patient: 'hash', basis: '{"a":1}', kept: 0 },
  ...more,
});
export const silent = (uuid: string, more: Partial<SilentRow> = {}): SilentRow => {
  const { suggestions: _s, basis: _b, kept: _k, ...row } = card(uuid);
  return { ...row, patient: null, ...more };
};
export const feedback = (id: string, more: Partial<FeedbackRow> = {}): FeedbackRow => ({
  ...{ id, client: 'ehr', tenant: '', card: 'x', service: 's', outcome: 'overridden', suggestion: null },
  ...{ at: NOW + 1, received_at: NOW + 1, reason_code: 'code', reason_system: 'sys', comment: null },
  ...more,
});
export const tally = (more: Partial<Tally> = {}): Tally => ({
  ...{ day: '2026-03-02', client: 'ehr', tenant: '', hook: 'order-sign', kind: 'answered', rule: '', count: 1 },
  ...more,
});

/** An empty journal in a file for each test of a test file. Its tables are made once, and copied. */
export function journalForEach() {
  const empty = mkdtempSync(join(tmpdir(), 'cds-empty-'));
  let folder: string;
  let database: Kysely<Tables>;
  beforeAll(async () => {
    const made = openDatabase({ folder: empty });
    await migrate(made);
    await made.destroy();
  });
  afterAll(() => rmSync(empty, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cds-store-'));
    cpSync(empty, folder, { recursive: true });
    database = openDatabase({ folder });
  });
  afterEach(async () => {
    await database.destroy();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    database: (): Kysely<Tables> => database,
    store: (): Store => createStore(database),
    all: (table: keyof Tables) =>
      database
        .selectFrom(table as 'cards')
        .selectAll()
        .execute(),
  };
}
