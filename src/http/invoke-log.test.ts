import { describe, expect, test } from 'vitest';
import type { Section } from '../fhir/prefetch.ts';
import type { Journal } from '../journal/journal.ts';
import { hashOfPatient } from '../journal/patient.ts';
import { JournalFailed } from '../journal/thread.ts';
import { knowledge, knowledgeOf, NOW, root } from '../testing/app.ts';
import { examples, type Json } from '../testing/examples.ts';
import { invoker, type Options } from '../testing/invoker.ts';
import { order, pair, request } from '../testing/request.ts';
import { neededSections } from './discovery.ts';

const INSTANCE = pair()['hookInstance'];
const RULE = 'laro-sedative-ordered';

/** Knowledge of a site with a quiet period. */
const quiet = knowledgeOf(root, { quiet: { days: { [RULE]: 30 }, accepted: ['epilepsy'] } });

describe('what an answer leaves in the log and the audit', () => {
  const audited = {
    reqId: expect.any(String),
    hook: 'order-sign',
    hookInstance: INSTANCE,
    knowledge: knowledge.fingerprint,
  };
  const digits = knowledge.fingerprint.slice(0, 12);
  const named = { service: 'nordic-opioid-order-sign', hook: 'order-sign', hookInstance: INSTANCE };
  const KEY = 'an invented key of tests';
  const trial = { silent: [{ rules: [RULE] }] };

  test.each<[what: string, options: Options, body: Json, line: object, said: object]>([
    ['a card', {}, pair(), { client: 'sandbox', fired: [RULE] }, { fired: [RULE] }],
    [
      'none',
      {},
      request('order-sign', { drafts: [order('p', examples.unrelated[0] as string)] }),
      { client: 'sandbox', fired: [] },
      { fired: [], leftOut: { 'order:other-medicine': 1 } },
    ],
    [
      'a call of one hospital',
      { client: { name: 'ehr' }, tenant: 'north' },
      pair(),
      { client: 'ehr', tenant: 'north', fired: [RULE] },
      { fired: [RULE] },
    ],
    [
      'a patient, by a keyed hash',
      { auditKey: KEY, tenant: 'north' },
      pair(),
      {
        client: 'sandbox',
        tenant: 'north',
        fired: [RULE],
        patient: hashOfPatient(KEY, 'audit', { client: 'sandbox', tenant: 'north' }, 'kari'),
      },
      { fired: [RULE] },
    ],
    [
      'a refusal for missing data',
      {},
      pair('order-sign', { prefetch: { medications: undefined, conditions: undefined } }),
      { client: 'sandbox', missing: ['medications'] },
      { fired: [] },
    ],
    [
      'a card that other rules join',
      {},
      request('order-sign', { drafts: [order('o', examples.opioid)] }),
      { client: 'sandbox', fired: ['opioid-stop-date', 'opioid-plan', 'opioid-laxative', 'opioid-information'] },
      { fired: ['opioid-stop-date', 'opioid-plan', 'opioid-laxative', 'opioid-information'] },
    ],
    [
      'a card that nobody saw',
      { client: trial },
      pair(),
      { client: 'sandbox', fired: [], trial: [RULE] },
      { fired: [], trial: [RULE] },
    ],
    [
      'skipped orders, by their number',
      {},
      pair('order-sign', {
        drafts: ['a', 'b']
          .map((id) => order(id, examples.gabapentinoid, { status: 'cancelled' }))
          .concat(order('c', examples.gabapentinoid)),
      }),
      { client: 'sandbox', fired: [RULE] },
      { fired: [RULE], leftOut: { 'order:status': 2 } },
    ],
  ])('%s', async (_, options, body, line, expected) => {
    const { send, audits } = await invoker(options);
    const { said } = await send(body);
    expect(audits).toEqual([[{ ...audited, ...line }, 'audit']]);
    expect(said).toEqual({ ...named, leftOut: {}, knowledge: digits, ...expected });
  });

  test('the metrics get every key of the hook, and the answer', async () => {
    const { send, counted } = await invoker({ client: { name: 'ehr' } });
    await send(pair());
    const [[client, prefetch, sections]] = counted['prefetch'] as [[string, { values: unknown }, Section[]]];
    expect([client, prefetch.values, sections]).toEqual([
      'ehr',
      pair()['prefetch'],
      neededSections(knowledge, 'order-sign'),
    ]);
    expect(counted['answered']).toEqual([[expect.objectContaining({ cards: [expect.anything()] })]]);
    expect(counted).not.toHaveProperty('fetched');
    expect(counted).not.toHaveProperty('silencesUnknown');
  });

  test('a failure to write to the journal costs no answer', async () => {
    const journal = {
      past: async () => [],
      issued: () => {
        throw new TypeError('Kari');
      },
    } as unknown as Journal;
    const journaling = { journal, patientKeys: [], knowledge, clock: () => NOW };
    const { send, lines } = await invoker({ journaling });
    expect((await send(pair())).topics).toEqual([RULE]);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['writing an answer to the journal failed']);
  });

  test.each([
    [
      new JournalFailed('timeout'),
      40,
      'the journal did not say in time which cards to leave out',
      { reason: 'timeout' },
    ],
    [new TypeError('Kari'), 50, 'reading the journal failed', { err: expect.objectContaining({ type: 'TypeError' }) }],
  ])('if the journal rejects with %s, every card is shown', async (error, level, msg, more) => {
    const journal = { past: () => Promise.reject(error), issued: () => undefined } as unknown as Journal;
    const journaling = { journal, patientKeys: ['k'], knowledge: quiet, clock: () => NOW };
    const { send, lines, counted } = await invoker({ journaling, knowledge: quiet });
    expect((await send(pair())).topics).toEqual([RULE]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ level, msg, ...more })]);
    expect(counted['silencesUnknown']).toHaveLength(1);
  });

  test('a card left out is marked so in the log and the audit line', async () => {
    const { code, system } = quiet.cards.shared.overrideReasons['epilepsy'] as { code: string; system: string };
    const issued: { basis: string }[] = [];
    const feedback = [{ outcome: 'overridden', at: NOW, code, system }];
    const journal = {
      past: async () =>
        issued.map(({ basis }) => ({ rule: RULE, hook: 'order-sign', issuedAt: NOW, basis, kept: false, feedback })),
      issued: (rows: { basis: string }[]) => void issued.push(...rows),
    } as unknown as Journal;
    const journaling = { journal, patientKeys: ['k'], knowledge: quiet, clock: () => NOW };
    const { send, audits } = await invoker({ journaling, knowledge: quiet });
    expect((await send(pair())).topics).toEqual([RULE]);
    const later = await send(pair());
    expect([later.topics, later.said]).toEqual([[], expect.objectContaining({ fired: [], silent: [RULE] })]);
    expect(audits[1]).toEqual([expect.objectContaining({ fired: [], silent: [RULE] }), 'audit']);
  });
});
