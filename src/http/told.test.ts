import { afterAll, describe, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { createClient, SIGN } from '../testing/client.ts';
import { examples } from '../testing/examples.ts';
import { encounter, type Json, order, pair, request } from '../testing/request.ts';

const north = await createClient({ name: 'north', iss: 'https://north.example', tenants: ['a', 'b'] });
const plain = await createClient();
const sandbox = await startService();
const production = await startService({ mode: 'production', clients: [north.client, plain.client] });
afterAll(async () => {
  await sandbox.close();
  await production.close();
});

type Service = typeof sandbox;
const USUAL = ['level', 'time', 'reqId', 'msg', 'method', 'status', 'ms'];
/** What the log says about the last call, without what every line has. */
function told({ log }: Service): Json {
  const line = log.map((text) => JSON.parse(text)).findLast(({ msg }) => msg === 'answered');
  return Object.fromEntries(Object.entries(line as Json).filter(([key]) => !USUAL.includes(key)));
}
const UUID = pair()['hookInstance'] as string;
const KNOWLEDGE = expect.stringMatching(/^[0-9a-f]{12}$/);
const NAMED = {
  ...{ route: '/cds-services/:id', service: 'nordic-opioid-order-sign', hook: 'order-sign', hookInstance: UUID },
};
const ANSWERED = { ...NAMED, fired: ['laro-sedative-ordered'], leftOut: {}, knowledge: KNOWLEDGE };
const { hookInstance: _, ...UNNAMED } = ANSWERED;

describe('the complete log of a call', () => {
  test.each<[what: string, body: Json, said: Json]>([
    ['a call', pair(), ANSWERED],
    ['a hookInstance that is not a UUID', { ...pair(), hookInstance: 'Kari' }, UNNAMED],
    ['a UUID with a prefix', { ...pair(), hookInstance: `x${UUID}` }, UNNAMED],
    ['a UUID with a suffix', { ...pair(), hookInstance: `${UUID}x` }, UNNAMED],
    ['a UUID that lacks a character', { ...pair(), hookInstance: UUID.replace('-', '') }, UNNAMED],
    [
      'a UUID in capitals',
      { ...pair(), hookInstance: UUID.toUpperCase() },
      { ...ANSWERED, hookInstance: UUID.toUpperCase() },
    ],
    [
      'an unlisted FHIR server',
      { ...pair(), fhirServer: 'https://other.example' },
      { ...ANSWERED, fhirServer: 'not-listed' },
    ],
    [
      'a patient unknown to the server',
      pair('order-sign', { prefetch: { patient: { resourceType: 'Patient', id: 'ola' } } }),
      { ...ANSWERED, patientRecord: 'not-known' },
    ],
    [
      'skipped orders',
      pair('order-sign', {
        drafts: [order('g', examples.gabapentinoid), order('o', examples.gabapentinoid, { status: 'cancelled' })],
      }),
      { ...ANSWERED, leftOut: { 'order:status': 1 } },
    ],
    [
      'a call refused for missing data',
      { ...pair(), prefetch: {} },
      { ...NAMED, fired: [], leftOut: {}, knowledge: KNOWLEDGE },
    ],
  ])('%s', async (_what, body, said) => {
    await sandbox.call(body as never);
    expect(told(sandbox)).toMatchObject(said);
    expect(
      Object.keys(told(sandbox))
        .filter((key) => !['problem', 'code', 'refused'].includes(key))
        .sort(),
    ).toEqual(Object.keys(said).sort());
  });

  test('in production the line names the client, and the tenant if the client has several', async () => {
    const post = async (token: string) => {
      await production.http.post(SIGN).set('authorization', `Bearer ${token}`).send(pair());
      return told(production);
    };
    expect(await post(await north.token(SIGN, { tenant: 'a' }))).toEqual({ ...ANSWERED, client: 'north', tenant: 'a' });
    expect(await post(await plain.token(SIGN, { tenant: 'a' }))).toEqual({ ...ANSWERED, client: 'ehr' });
    expect(await post(await plain.token(SIGN, { aud: 'https://x.example' }))).toEqual({
      route: NAMED.route,
      refused: 'audience',
      client: 'ehr',
    });
    await production.http.post(SIGN).send(pair());
    expect(told(production)).toEqual({ route: NAMED.route, refused: 'no-token' });
  });
});

test('/health describes the sandbox and the production service, and keeps its connections', async () => {
  const health = async ({ http }: Service) => {
    const { body, headers } = await http.get('/health');
    return [body, headers['cache-control']];
  };
  const of = (mode: string, authentication: string) => [
    { status: 'ok', mode, authentication, knowledge: expect.stringMatching(/^[0-9a-f]{64}$/) },
    'no-store',
  ];
  expect(await health(sandbox)).toEqual(of('sandbox', 'none: sandbox, this machine only'));
  expect(await health(production)).toEqual(of('production', 'client tokens'));
});

test('/metrics counts calls, cards and keys under names that identify no patient', async () => {
  const own = await startService();
  await own.call(pair());
  await own.call(request('patient-view', { prefetch: { encounter: encounter('AMB'), conditions: undefined } }));
  const { text, headers } = await own.http.get('/metrics');
  await own.close();
  expect(headers['content-type']).toMatch(/^text\/plain; version=/);
  const lines = text.split('\n');
  expect(lines).toContain('cds_requests_total{service="nordic-opioid-order-sign",status="200"} 1');
  expect(lines).toContain('cds_cards_total{rule="laro-sedative-ordered",indicator="warning"} 1');
  expect(lines).toContain('cds_prefetch_total{client="sandbox",key="medications",state="complete"} 2');
  expect(lines).toContain('cds_prefetch_total{client="sandbox",key="conditions",state="absent"} 1');
  expect(lines).toContain('cds_request_seconds_count{service="nordic-opioid-order-sign"} 1');
});
