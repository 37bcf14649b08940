import { beforeEach, describe, expect, test } from 'vitest';
import { card, feedback, journalForEach, NOW, silent, tally } from '../testing/journal.ts';
import { type Asked, count } from './figures.ts';
import type { Store } from './store.ts';

const journal = journalForEach();
let store: Store;

describe('what is counted for the report', () => {
  const day = '2026-03-02';
  const counted = (asked: Partial<Asked> = {}) => count(journal.database(), { since: day, ...asked });
  beforeEach(async () => {
    store = journal.store();
    await store.append(
      [
        ...[
          card('1'),
          card('2'),
          card('3', { hook: 'patient-view' }),
          card('4', { rule: 'b' }),
          card('5', { day: '2026-03-01' }),
        ],
        ...[card('1', { client: 'other' }), card('1', { tenant: 'north' })],
        ...[
          silent('6', { rule: 'c', patient: 'p', day: '2026-03-01' }),
          silent('7', { rule: 'c', patient: 'q' }),
          silent('8', { rule: 'c' }),
        ],
        silent('9', { rule: 'c', client: 'other', patient: 'z' }),
      ],
      [
        tally({ count: 5 }),
        tally({ kind: 'refused' }),
        tally({ kind: 'quiet', rule: 'a' }),
        tally({ day: '2026-03-01' }),
        tally({ client: 'other' }),
        tally({ tenant: 'north' }),
      ],
    );
    await store.addFeedback([
      ...[feedback('a', { card: '1' }), feedback('b', { card: '1', outcome: 'accepted', suggestion: 's' })],
      ...[
        feedback('c', { card: '2', reason_code: null, reason_system: null }),
        feedback('d', { card: '4', outcome: 'accepted' }),
      ],
      ...[
        feedback('e', { card: 'none' }),
        feedback('f', { card: 'none', client: 'other' }),
        feedback('g', { card: '5' }),
      ],
      feedback('h', { card: 'none', received_at: Date.parse(day) - 1 }),
      feedback('i', { card: '1', tenant: 'north' }),
    ]);
  });

  test('counts are of one client and tenant, since a day', async () => {
    const found = await counted({ client: 'ehr', tenant: '' });
    const sorted = (rows: object[]) =>
      rows
        .map((row) => JSON.stringify(row))
        .sort()
        .map((text) => JSON.parse(text));
    expect(sorted(found.shown)).toEqual([
      { rule: 'a', hook: 'order-sign', day, cards: 2 },
      { rule: 'a', hook: 'patient-view', day, cards: 1 },
      { rule: 'b', hook: 'order-sign', day, cards: 1 },
    ]);
    expect(sorted(found.outcomes)).toEqual([
      { rule: 'a', hook: 'order-sign', day, outcome: 'accepted', cards: 1 },
      { rule: 'a', hook: 'order-sign', day, outcome: 'overridden', cards: 2 },
      { rule: 'b', hook: 'order-sign', day, outcome: 'accepted', cards: 1 },
    ]);
    expect(sorted(found.withFeedback)).toEqual([
      { rule: 'a', hook: 'order-sign', cards: 2 },
      { rule: 'b', hook: 'order-sign', cards: 1 },
    ]);
    expect(sorted(found.reasons)).toEqual([
      { rule: 'a', hook: 'order-sign', code: 'code', system: 'sys', cards: 1 },
      { rule: 'a', hook: 'order-sign', code: null, system: null, cards: 1 },
    ]);
    expect(sorted(found.accepted)).toEqual([
      { rule: 'a', hook: 'order-sign', suggestion: 's', offers: '{}' },
      { rule: 'b', hook: 'order-sign', suggestion: null, offers: '{}' },
    ]);
    expect(sorted(found.tallies)).toEqual([
      { hook: 'order-sign', kind: 'answered', rule: '', count: 5 },
      { hook: 'order-sign', kind: 'quiet', rule: 'a', count: 1 },
      { hook: 'order-sign', kind: 'refused', rule: '', count: 1 },
    ]);
    expect(found.silent).toEqual([{ rule: 'c', hook: 'order-sign', cards: 2 }]);
    expect(found.review).toEqual([
      { rule: 'c', day: '2026-03-01', patient: 'p' },
      { rule: 'c', day, patient: 'q' },
    ]);
    expect(found.strays).toBe(1);
  });

  test('rules on trial are counted for one client and one tenant', async () => {
    await store.append([silent('10', { rule: 'd', tenant: 'north', patient: 'n' })], []);
    const of = async (asked: Partial<Asked>) => {
      const { silent: cards, review } = await counted(asked);
      return [cards.map(({ rule, cards: number }) => `${rule} ${number}`), review.map(({ patient }) => patient)];
    };
    expect(await of({ tenant: 'north' })).toEqual([['d 1'], ['n']]);
    expect(await of({ client: 'other' })).toEqual([['c 1'], ['z']]);
    expect(await of({ client: 'ehr', tenant: '' })).toEqual([['c 2'], ['p', 'q']]);
    expect(await of({ client: 'ehr', tenant: 'south' })).toEqual([[], []]);
  });

  test('patients for review are sorted by rule, then by first day, then by hash', async () => {
    await store.append(
      [
        silent('11', { rule: 'a', patient: 'b', issued_at: NOW + 1 }),
        silent('12', { rule: 'a', patient: 'a', issued_at: NOW + 1 }),
        silent('13', { rule: 'a', patient: 'c', issued_at: NOW }),
        silent('14', { rule: 'a', patient: 'c', issued_at: NOW + 9, day: '2026-03-09' }),
      ],
      [],
    );
    expect((await counted({ client: 'ehr' })).review.map(({ rule, patient, day: on }) => [rule, patient, on])).toEqual([
      ['a', 'c', day],
      ['a', 'a', day],
      ['a', 'b', day],
      ['c', 'p', '2026-03-01'],
      ['c', 'q', day],
    ]);
  });

  test('a card with two items of feedback counts as one card with feedback', async () => {
    const found = await counted({ client: 'ehr', tenant: 'north' });
    expect(found.withFeedback).toEqual([{ rule: 'a', hook: 'order-sign', cards: 1 }]);
    expect(found.outcomes).toEqual([{ rule: 'a', hook: 'order-sign', day, outcome: 'overridden', cards: 1 }]);
  });

  test('counts are of all clients, and one id from two of them is two cards', async () => {
    const found = await counted();
    const signed = (rows: { rule: string; hook: string }[]) =>
      rows.find(({ rule, hook }) => rule === 'a' && hook === 'order-sign');
    expect(signed(found.shown)).toMatchObject({ cards: 4 });
    expect(signed(found.withFeedback)).toMatchObject({ cards: 3 });
    expect(found.tallies.find(({ kind }) => kind === 'answered')?.count).toBe(7);
    expect(found.silent).toEqual([{ rule: 'c', hook: 'order-sign', cards: 3 }]);
    expect(found.review.map(({ patient }) => patient)).toEqual(['p', 'q', 'z']);
    expect(found.strays).toBe(2);
    expect((await counted({ tenant: 'north' })).tallies).toEqual([
      { hook: 'order-sign', kind: 'answered', rule: '', count: 1 },
    ]);
    expect((await counted({ client: 'other' })).review.map(({ patient }) => patient)).toEqual(['z']);
  });
});
