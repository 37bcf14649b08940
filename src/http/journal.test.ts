import { describe, expect, test } from 'vitest';
import { type Answer, answerFrom, assess } from '../answer.ts';
import type { Journal } from '../journal/journal.ts';
import { hashOfPatient } from '../journal/patient.ts';
import type { PastCard } from '../journal/store.ts';
import { basesOf } from '../rules/quiet.ts';
import { knowledge as delivered } from '../testing/app.ts';
import { pair } from '../testing/request.ts';
import type { Client } from '../trust/clients.ts';
import { findSilences, type Journaling, placeOf, recordAnswer, wouldHaveShown } from './journal.ts';
import { readRequest } from './wire.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RULE = 'laro-sedative-ordered';
const KEY = 'a key of this test';
const caller = { client: { name: 'ehr' } as Client, tenant: 'north' };

const reasons = {
  known: { code: 'k', system: 'urn:s', display: {} },
  other: { code: 'o', system: 'urn:s', display: {} },
};
type Settings = { days?: Record<string, number>; accepted?: string[]; repeatHours?: number; chartReview?: number };
function knowledgeWith({ days = {}, accepted = ['known'], repeatHours = 12, chartReview = 0 }: Settings) {
  const { shared } = delivered.cards;
  return {
    ...delivered,
    site: { ...delivered.site, quiet: { days, accepted, repeatHours }, silent: { rules: {}, chartReview } },
    cards: { ...delivered.cards, shared: { ...shared, overrideReasons: reasons } },
  } as unknown as typeof delivered;
}

/** The call of a patient for whom the rule fires, and its assessment. */
function asked(hook: 'order-sign' | 'order-select', wishes: string[] = [], silent: string[] = []) {
  const extension = { 'pddi-configuration-items': Object.fromEntries(wishes.map((name) => [name, true])) };
  const request = readRequest({ ...pair(hook), extension }, hook);
  const question = {
    call: request.call,
    hookInstance: request.hookInstance,
    language: 'en',
    today: '2026-03-02',
  } as const;
  return { request, question: { ...question, silent }, assessed: assess({ ...question, silent }, delivered) };
}
const KEEP = 'cache-for-order-sign-filtering';
const FILTER = 'filter-out-repeated-alerts';
const usual = asked('order-sign');
const basis = basesOf(usual.assessed.results, usual.assessed.chart).get(RULE);
const written = (version = 1, more: object = {}) => JSON.stringify({ version, basis: { ...basis, ...more } });

const given = (at: number, more: Partial<PastCard['feedback'][number]> = {}) => ({
  outcome: 'overridden' as const,
  at,
  code: 'k',
  system: 'urn:s' as string | null,
  ...more,
});
const past = (more: Partial<PastCard> = {}): PastCard => ({
  rule: RULE,
  hook: 'order-sign',
  issuedAt: NOW - DAY,
  basis: written(),
  kept: false,
  feedback: [given(NOW - DAY)],
  ...more,
});

type Asked = Parameters<Journal['past']>;
/** Which cards are left out if the journal holds these, and what it was asked. */
async function silencesOf(
  cards: PastCard[],
  settings: Settings,
  { request, assessed }: ReturnType<typeof asked> = usual,
  patientKeys: string[] = [KEY],
) {
  const questions: Asked[] = [];
  const journal = {
    past: async (...question: Asked) => {
      questions.push(question);
      return cards;
    },
  } as unknown as Journal;
  const journaling: Journaling = { journal, patientKeys, knowledge: knowledgeWith(settings), clock: () => NOW };
  return { silences: [...(await findSilences(assessed, request, caller, journaling))], questions };
}
const QUIET: Settings = { days: { [RULE]: 30 } };

describe('a card overridden as known is left out', () => {
  test.each<[what: string, card: PastCard, leftOut: boolean]>([
    ['with the system of the reason', past(), true],
    ['without a system', past({ feedback: [given(NOW, { system: null })] }), true],
    ['not with another system', past({ feedback: [given(NOW, { system: 'urn:other' })] }), false],
    ['not with a reason that does not count as accepted', past({ feedback: [given(NOW, { code: 'o' })] }), false],
    ['not without a reason', past({ feedback: [given(NOW, { code: null })] }), false],
    ['not if a suggestion was accepted', past({ feedback: [given(NOW, { outcome: 'accepted' })] }), false],
    ['not without feedback', past({ feedback: [] }), false],
    [
      'if it was finally overridden',
      past({ feedback: [given(NOW - 1), given(NOW - 2, { outcome: 'accepted' })] }),
      true,
    ],
    [
      'not if a suggestion was finally accepted, in whatever order the feedback comes',
      past({ feedback: [given(NOW - 2), given(NOW - 1, { outcome: 'accepted' })] }),
      false,
    ],
    ['at the last moment of its days', past({ feedback: [given(NOW - 30 * DAY)] }), true],
    ['not a moment later', past({ feedback: [given(NOW - 30 * DAY - 1)] }), false],
    ['not if the answer has no such card', past({ rule: 'other' }), false],
    ['not if its basis is unreadable', past({ basis: '{' }), false],
    ['not if its basis has another version', past({ basis: written(2) }), false],
    ['not if the card says something new', past({ basis: written(1, { products: {} }) }), false],
  ])('%s', async (_, card, leftOut) => {
    expect((await silencesOf([card], QUIET)).silences).toEqual(leftOut ? [[RULE, 'quiet']] : []);
  });

  test('any accepted reason counts, and one without words does not', async () => {
    const card = past({ feedback: [given(NOW, { code: 'o' })] });
    const accepted = ['gone', 'known', 'other'];
    expect((await silencesOf([card], { ...QUIET, accepted })).silences).toEqual([[RULE, 'quiet']]);
    expect((await silencesOf([card], { ...QUIET, accepted: ['gone'] })).silences).toEqual([]);
  });
});

describe('a card shown at order-select is left out', () => {
  const filtering = asked('order-sign', [FILTER]);
  const selected = (more: Partial<PastCard> = {}) =>
    past({ hook: 'order-select', kept: true, issuedAt: NOW - HOUR, feedback: [], ...more });
  test.each<[what: string, card: PastCard, leftOut: boolean]>([
    ['within the site’s hours', selected(), true],
    ['at the last moment of those hours', selected({ issuedAt: NOW - 12 * HOUR }), true],
    ['not a moment later', selected({ issuedAt: NOW - 12 * HOUR - 1 }), false],
    ['not if the first call did not ask to keep it', selected({ kept: false }), false],
    ['not if it was shown at signing', selected({ hook: 'order-sign' }), false],
    ['not if it says something new', selected({ basis: written(1, { facts: [] }) }), false],
  ])('%s', async (_, card, leftOut) => {
    expect((await silencesOf([card], {}, filtering)).silences).toEqual(leftOut ? [[RULE, 'repeat']] : []);
  });

  test('it is left out only if this call asks for it at signing', async () => {
    expect(await silencesOf([selected()], {})).toEqual({ silences: [], questions: [] });
    expect(await silencesOf([selected()], {}, asked('order-select', [FILTER]))).toEqual({
      silences: [],
      questions: [],
    });
    expect((await silencesOf([selected()], QUIET)).silences).toEqual([]);
  });

  test('an overridden card is quiet, in whatever order the cards come', async () => {
    const cards = [selected(), past()];
    for (const order of [cards, cards.toReversed()])
      expect((await silencesOf(order, QUIET, filtering)).silences).toEqual([[RULE, 'quiet']]);
  });
});

describe('what the journal is asked for', () => {
  const whose = { client: 'ehr', tenant: 'north' };
  const patient = (key: string) => hashOfPatient(key, 'journal', { client: 'ehr', tenant: 'north' }, 'kari');
  test.each<[what: string, settings: Settings, wishes: string[], since: number | undefined]>([
    ['the days of the rule', QUIET, [], 30 * DAY],
    ['the hours of a repeat', {}, [FILTER], 12 * HOUR],
    ['the longer of both', { days: { [RULE]: 1 }, repeatHours: 24 }, [FILTER], DAY],
    ['the longer of both, if it is in hours', { days: { other: 30 }, repeatHours: 24 }, [FILTER], DAY],
    ['nothing, without a rule in the answer', { days: { other: 30 } }, [], undefined],
    ['nothing, without days', {}, [], undefined],
  ])('%s', async (_, settings, wishes, since) => {
    const { questions } = await silencesOf([], settings, asked('order-sign', wishes));
    const patients = [patient(KEY)];
    expect(questions).toEqual(since === undefined ? [] : [[{ ...whose, patients }, [RULE], NOW - since]]);
  });

  test('it is asked with every key of the patient, and not without a key', async () => {
    const { questions } = await silencesOf([], QUIET, usual, ['new', 'old']);
    expect(questions.map(([{ patients }]) => patients)).toEqual([[patient('new'), patient('old')]]);
    expect((await silencesOf([past()], QUIET, usual, [])).questions).toEqual([]);
  });

  test('tenants of one client share nothing', () => {
    expect(placeOf(caller)).toEqual(whose);
    expect(placeOf({ ...caller, tenant: undefined })).toEqual({ client: 'ehr', tenant: '' });
  });
});

describe('what is recorded about an answer', () => {
  type Issued = Parameters<Journal['issued']>;
  type Recorded = { rows: Record<string, unknown>[]; tallies: Issued[1] };
  function recorded(
    { request, question, assessed }: ReturnType<typeof asked>,
    {
      settings = {},
      keys = [KEY],
      now = NOW,
      found,
    }: { settings?: Settings; keys?: string[]; now?: number; found?: Answer } = {},
  ): Recorded {
    const issued: Issued[] = [];
    const knowledge = knowledgeWith(settings);
    const journal = { issued: (...given: Issued) => void issued.push(given) } as unknown as Journal;
    const answer = found ?? answerFrom(assessed, question, delivered);
    recordAnswer(answer, request, caller, { journal, patientKeys: keys, knowledge, clock: () => now });
    expect(issued).toHaveLength(1);
    const [rows, tallies] = issued[0] as Issued;
    return { rows: rows as unknown as Recorded['rows'], tallies };
  }
  const where = { client: 'ehr', tenant: 'north', day: '2026-03-02', hook: 'order-sign' };
  const digits = delivered.fingerprint.slice(0, 12);
  const patient = hashOfPatient(KEY, 'journal', { client: 'ehr', tenant: 'north' }, 'kari');
  const [card] = (
    answerFrom(usual.assessed, usual.question, delivered) as {
      cards: { uuid: string; suggestions?: { uuid: string }[] }[];
    }
  ).cards;
  const row = {
    ...where,
    uuid: card?.uuid,
    issued_at: NOW,
    rule: RULE,
    indicator: 'warning',
    suggestions: JSON.stringify({ [card?.suggestions?.[0]?.uuid ?? '']: 'remove' }),
    knowledge: digits,
    patient: null,
    basis: null,
    kept: 0,
  };
  const ANSWERED = { ...where, kind: 'answered', rule: '' };

  test('a card is recorded without its patient', () => {
    expect(recorded(usual)).toEqual({ rows: [row], tallies: [ANSWERED] });
  });

  test.each<[what: string, call: ReturnType<typeof asked>, settings: Settings, keys: string[], known: object]>([
    ['its basis, with a quiet period', usual, QUIET, [KEY], { patient, basis: written() }],
    ['its patient under the first key', usual, QUIET, [KEY, 'old'], { patient, basis: written() }],
    ['no patient without a key', usual, QUIET, [], {}],
    ['nothing for another rule', usual, { days: { other: 30 } }, [KEY], {}],
    [
      'at order-select, if it is to be kept',
      asked('order-select', [KEEP]),
      {},
      [KEY],
      { patient, basis: written(), kept: 1, hook: 'order-select' },
    ],
    ['at order-select without a key', asked('order-select', [KEEP]), {}, [], { hook: 'order-select' }],
    ['at order-select, if nobody asks', asked('order-select'), {}, [KEY], { hook: 'order-select' }],
    [
      'at order-select, with a quiet period',
      asked('order-select'),
      QUIET,
      [KEY],
      { patient, basis: written(), hook: 'order-select' },
    ],
    ['nothing for signing at order-sign', asked('order-sign', [KEEP]), {}, [KEY], {}],
  ])('%s', (_, call, settings, keys, known) => {
    expect(recorded(call, { settings, keys }).rows).toEqual([{ ...row, ...known }]);
  });

  test('the day is that of the site', () => {
    const { rows, tallies } = recorded(usual, { now: Date.parse('2026-03-02T23:30:00Z') });
    expect([rows[0]?.['day'], tallies[0]?.day]).toEqual(['2026-03-03', '2026-03-03']);
  });

  test('a refusal is counted by its kind', () => {
    const found: Answer = { ...usual.assessed, results: [], missing: ['medications'] };
    expect(recorded(usual, { found })).toEqual({ rows: [], tallies: [{ ...ANSWERED, kind: 'refused' }] });
  });

  test('cards left out are counted by kind', () => {
    const [result] = usual.assessed.results.filter(({ outcome }) => outcome === 'fires');
    const of = (outcome: string, more: object = {}) => ({ ...result, outcome, ...more }) as never;
    const results = [of('quiet'), of('repeat'), of('superseded'), of('not-known', { silent: true })];
    const found: Answer = { ...usual.assessed, results, cards: [] };
    expect(recorded(usual, { found }).tallies).toEqual([
      ANSWERED,
      ...['quiet', 'repeat', 'trial'].map((kind) => ({ ...where, kind, rule: RULE })),
    ]);
  });

  describe('a card that nobody saw', () => {
    const unseen = asked('order-sign', [], [RULE]);
    const silentRow = (...given: Parameters<typeof recorded>) =>
      recorded(...given).rows.filter(({ rule }) => rule === RULE);
    test('it is recorded by rule, day and hook, and with its patient only if charts are reviewed', () => {
      const expected = {
        ...where,
        uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        issued_at: NOW,
        rule: RULE,
        indicator: 'warning',
        knowledge: digits,
      };
      expect(silentRow(unseen)).toEqual([{ ...expected, patient: null }]);
      expect(silentRow(unseen, { settings: { chartReview: 1 } })).toEqual([{ ...expected, patient }]);
      expect(silentRow(unseen, { settings: { chartReview: 1 }, keys: [] })).toEqual([{ ...expected, patient: null }]);
    });

    test('a repeated call gives the same id, and another call or patient another', () => {
      const idOf = (changes: object, call: object = {}) => {
        const request = { ...unseen.request, ...changes, call: { ...unseen.request.call, ...call } };
        return silentRow({ ...unseen, request })[0]?.['uuid'];
      };
      expect(idOf({})).toBe(idOf({}));
      expect(
        new Set([idOf({}), idOf({ hookInstance: 'other' }), idOf({}, { patientId: 'liv' }), card?.uuid]).size,
      ).toBe(4);
    });

    test('each rule that would have led a card has one', () => {
      const of = (outcome: string, by?: string) => ({ outcome, ...(by !== undefined && { by }) }) as never;
      const [leads, joins] = [of('silent'), of('silent', RULE)];
      expect(wouldHaveShown([leads, joins, of('fires')])).toEqual([leads]);
    });
  });
});
