import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createOutbox } from './outbox.ts';
import type { Noted, Tally } from './store.ts';

const cards = (...ids: string[]) => ids.map((uuid) => ({ uuid }) as Noted);
const tally = (more: Partial<Tally> = {}): Omit<Tally, 'count'> => ({
  ...{ day: '2026-03-02', client: 'ehr', tenant: '', hook: 'order-sign', kind: 'answered' as const, rule: '' },
  ...more,
});

/** An outbox whose database fails when the test says so. */
function outboxOf() {
  const written: { ids: string[]; counts: [string, number][] }[] = [];
  const warned: unknown[] = [];
  const database = { state: 'up' as 'up' | 'down', fails: false, during: () => {} };
  const outbox = createOutbox(
    {
      state: () => database.state,
      ask: (async (method: string, [rows, tallies]: [Noted[], Tally[]], deadline: number) => {
        expect([method, deadline]).toEqual(['append', 30_000]);
        await Promise.resolve();
        database.during();
        if (database.fails) throw new Error('disk');
        written.push({
          ids: rows.map(({ uuid }) => uuid),
          counts: tallies.map(({ hook, count }) => [hook, count]),
        });
      }) as never,
    },
    (fields, message) => void warned.push([fields, message]),
  );
  return { outbox, database, written, warned };
}
const DROPPED = 'the journal dropped cards';

test('waiting rows are written together, and equal counts are merged', async () => {
  const { outbox, written, warned } = outboxOf();
  outbox.add(cards('a', 'b'), [tally(), tally({ hook: 'patient-view' })]);
  outbox.add(cards('c'), [tally()]);
  expect(outbox.figures()).toEqual({ queued: 3, written: 0, dropped: 0 });
  await outbox.flush();
  expect(written).toEqual([
    {
      ids: ['a', 'b', 'c'],
      counts: [
        ['order-sign', 2],
        ['patient-view', 1],
      ],
    },
  ]);
  expect(outbox.figures()).toEqual({ queued: 0, written: 3, dropped: 0 });
  await outbox.flush();
  expect([written.length, warned]).toEqual([1, []]);
});

test('counts without cards are written too', async () => {
  const { outbox, written } = outboxOf();
  outbox.add([], [tally()]);
  await outbox.flush();
  expect(written).toEqual([{ ids: [], counts: [['order-sign', 1]] }]);
});

test('while the database is away nothing is written, and everything waits', async () => {
  const { outbox, database, written } = outboxOf();
  database.state = 'down';
  outbox.add(cards('a'), [tally()]);
  await outbox.flush();
  expect([written, outbox.figures().queued]).toEqual([[], 1]);
  database.state = 'up';
  await outbox.flush();
  expect(written).toHaveLength(1);
});

test('rows that could not be written go before newer ones, and their counts are added', async () => {
  const { outbox, database, written } = outboxOf();
  database.fails = true;
  let underWay: number | undefined;
  database.during = () => {
    underWay = outbox.figures().queued;
    outbox.add(cards('c'), [tally()]);
  };
  outbox.add(cards('a', 'b'), [tally()]);
  await outbox.flush();
  expect(underWay).toBe(2);
  expect(outbox.figures()).toEqual({ queued: 3, written: 0, dropped: 0 });
  database.fails = false;
  database.during = () => {};
  await outbox.flush();
  expect(written).toEqual([{ ids: ['a', 'b', 'c'], counts: [['order-sign', 2]] }]);
});

test('a batch that fails ten times is tried once more and then dropped as faulty', async () => {
  const { outbox, database, warned, written } = outboxOf();
  database.fails = true;
  outbox.add(cards('a', 'b'), [tally()]);
  for (let attempt = 0; attempt < 10; attempt++) await outbox.flush();
  expect([outbox.figures(), warned]).toEqual([{ queued: 2, written: 0, dropped: 0 }, []]);
  await outbox.flush();
  expect(outbox.figures()).toEqual({ queued: 0, written: 0, dropped: 2 });
  expect(warned).toEqual([[{ rows: 2 }, DROPPED]]);
  // The next batch has ten attempts of its own.
  outbox.add(cards('c'), []);
  for (let attempt = 0; attempt < 10; attempt++) await outbox.flush();
  expect(outbox.figures().queued).toBe(1);
  database.fails = false;
  await outbox.flush();
  expect(written).toEqual([{ ids: ['c'], counts: [] }]);
});

test('a success resets the count of failures', async () => {
  const { outbox, database } = outboxOf();
  for (const id of ['a', 'b']) {
    database.fails = true;
    outbox.add(cards(id), []);
    for (let attempt = 0; attempt < 10; attempt++) await outbox.flush();
    database.fails = false;
    await outbox.flush();
  }
  expect(outbox.figures()).toEqual({ queued: 0, written: 2, dropped: 0 });
});

test('cards up to the limit wait, and beyond it the oldest are dropped', async () => {
  const { outbox, warned, written } = outboxOf();
  const many = Array.from({ length: limits.cardsWaiting }, (_, at) => `card-${at}`);
  outbox.add(cards(...many), []);
  expect(warned).toEqual([]);
  outbox.add(cards('x', 'y'), []);
  expect(warned).toEqual([[{ rows: 2 }, DROPPED]]);
  expect(outbox.figures()).toEqual({ queued: limits.cardsWaiting, written: 0, dropped: 2 });
  await outbox.flush();
  expect([written[0]?.ids[0], written[0]?.ids.at(-1)]).toEqual(['card-2', 'y']);
});

test('closing writes what is left, and drops and reports what cannot be written', async () => {
  const kept = outboxOf();
  kept.outbox.add(cards('a'), []);
  await kept.outbox.close();
  expect([kept.outbox.figures(), kept.warned]).toEqual([{ queued: 0, written: 1, dropped: 0 }, []]);
  const { outbox, database, warned } = outboxOf();
  database.state = 'down';
  outbox.add(cards('a', 'b'), [tally()]);
  await outbox.close();
  expect([outbox.figures().dropped, warned]).toEqual([2, [[{ rows: 2 }, DROPPED]]]);
});
