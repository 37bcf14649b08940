import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../testing/client.ts';
import { accept, FEEDBACK, noting, override, type Row, startReceiver } from '../testing/receiver.ts';

const UUID = '0d1c2b3a-1111-4222-8333-444455556666';
const OURS = 'urn:nordic-opioid-cds:override-reason';

const usual = await startReceiver();
const { send } = usual;
afterAll(() => usual.close());
beforeEach(() => usual.forget());

describe('what the log and the metrics say of feedback', () => {
  const ours = { overrideReason: { reason: { code: 'epilepsy', system: OURS } } };
  const other = { overrideReason: { reason: { code: 'palliative-care' } } };
  const line = { service: 'nordic-opioid-order-sign', outcome: 'overridden', knowledge: noting.fingerprint };
  test.each<[what: string, items: Row[], lines: Row[]]>([
    ['an override', [override()], [line]],
    ['of a card by its UUID', [override({ card: UUID })], [{ ...line, card: UUID }]],
    ['in capitals too', [override({ card: UUID.toUpperCase() })], [{ ...line, card: UUID.toUpperCase() }]],
    ['and never by another text', [override({ card: `x${UUID}` }), override({ card: `${UUID}x` })], [line, line]],
    ['a reason that silences', [override(ours)], [{ ...line, reason: 'epilepsy', accepted: true }]],
    ['a reason that does not', [override(other)], [{ ...line, reason: 'palliative-care', accepted: false }]],
    [
      'no reason of another system',
      [override({ overrideReason: { reason: { code: 'epilepsy', system: 'urn:x' } } })],
      [line],
    ],
    ['no reason that is not ours', [override({ overrideReason: { reason: { code: 'x' } } })], [line]],
    ['nothing of what was accepted', [accept(['s'])], []],
    ['the same once', [override(), override()], [line]],
  ])('%s', async (_, items, expected) => {
    await send({ feedback: items });
    const told = usual
      .audit()
      .map(({ level: _level, time: _time, reqId, msg: _msg, audit: _audit, client, ...rest }) => {
        expect([typeof reqId, client]).toEqual(['string', 'sandbox']);
        return rest;
      });
    expect(told).toEqual(expected);
  });

  test('nothing of what was kept before', async () => {
    usual.stored = () => ({ added: [], known: [] });
    await send({ feedback: [override()] });
    expect(usual.audit()).toEqual([]);
  });

  test('the tenant of the client that sends it, and its own rows', async () => {
    const { client, token } = await createClient({ name: 'region', tenants: ['north'] });
    const region = await startReceiver({ mode: 'production', clients: [client] });
    const authorization = `Bearer ${await token(FEEDBACK, { tenant: 'north' })}`;
    await region.send({ feedback: [override()] }, { authorization });
    expect(region.rows()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    expect(region.audit()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    await region.close();
  });

  test('how many items there were, and what became of them', async () => {
    const counting = await startReceiver();
    await counting.send({ feedback: [override(), override({ card: 'd' }), 7] });
    expect(counting.lines().findLast(({ msg }) => msg === 'answered')).toMatchObject({
      service: 'nordic-opioid-order-sign',
      hook: 'order-sign',
      items: 3,
    });
    const { text } = await counting.http.get('/metrics');
    for (const [result, count] of [
      ['stored', 2],
      ['rejected', 1],
    ] as const)
      expect(text).toContain(`cds_feedback_total{service="nordic-opioid-order-sign",result="${result}"} ${count}`);
    await counting.close();
  });
});
