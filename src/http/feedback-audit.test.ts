import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../testing/client.ts';
import { accept, FEEDBACK, noting, override, type Row, startReceiver } from '../testing/receiver.ts';

const UUID = '0d1c2b3a-1111-4222-8333-444455556666';
const OURS = 'urn:nordic-opioid-cds:override-reason';

const usual = await startReceiver();
const { send } = usual;
afterAll(() => usual.close());
beforeEach(() => usual.forget());

describe('feedback in the log and the metrics', () => {
  const ours = { overrideReason: { reason: { code: 'epilepsy', system: OURS } } };
  const other = { overrideReason: { reason: { code: 'palliative-care' } } };
  const line = { service: 'nordic-opioid-order-sign', outcome: 'overridden', knowledge: noting.fingerprint };
  test.each<[what: string, items: Row[], lines: Row[]]>([
    ['an override', [override()], [line]],
    ['the card if it is a UUID', [override({ card: UUID })], [{ ...line, card: UUID }]],
    ['a UUID in capitals', [override({ card: UUID.toUpperCase() })], [{ ...line, card: UUID.toUpperCase() }]],
    [
      'no card that only contains a UUID',
      [override({ card: `x${UUID}` }), override({ card: `${UUID}x` })],
      [line, line],
    ],
    ['a reason that silences', [override(ours)], [{ ...line, reason: 'epilepsy', accepted: true }]],
    ['a reason that does not silence', [override(other)], [{ ...line, reason: 'palliative-care', accepted: false }]],
    [
      'no reason of another system',
      [override({ overrideReason: { reason: { code: 'epilepsy', system: 'urn:x' } } })],
      [line],
    ],
    ['no unknown reason', [override({ overrideReason: { reason: { code: 'x' } } })], [line]],
    ['nothing for an accepted suggestion', [accept(['s'])], []],
    ['a repeated item once', [override(), override()], [line]],
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

  test('nothing is logged for items kept before', async () => {
    usual.stored = () => ({ added: [], known: [] });
    await send({ feedback: [override()] });
    expect(usual.audit()).toEqual([]);
  });

  test('the rows and the log have the client’s tenant', async () => {
    const { client, token } = await createClient({ name: 'region', tenants: ['north'] });
    const region = await startReceiver({ mode: 'production', clients: [client] });
    const authorization = `Bearer ${await token(FEEDBACK, { tenant: 'north' })}`;
    await region.send({ feedback: [override()] }, { authorization });
    expect(region.rows()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    expect(region.audit()).toMatchObject([{ client: 'region', tenant: 'north' }]);
    await region.close();
  });

  test('the number of items and their results are counted', async () => {
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
