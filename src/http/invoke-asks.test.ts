import { describe, expect, test } from 'vitest';
import { examples, type Json } from '../testing/examples.ts';
import { invoker, type Options, SERVER } from '../testing/invoker.ts';
import { bundle, pair, prescription, request } from '../testing/request.ts';
import type { InvokeOptions } from './invoke.ts';

const RULE = 'laro-sedative-ordered';

describe('which server missing data are requested from', () => {
  const authorization = { access_token: 'x', token_type: 'Bearer', expires_in: 300, subject: 'cds' };
  const lacking = (more: Json = {}) => ({
    ...pair('order-sign', { prefetch: { observations: undefined } }),
    fhirServer: SERVER,
    fhirAuthorization: authorization,
    ...more,
  });

  test('F9: a failed key is in the log with its status, and in the metrics', async () => {
    const { send, counted, ended } = await invoker();
    const { said, topics } = await send(lacking());
    expect([said['fetched'], topics]).toEqual([{ observations: 'status 403' }, [RULE]]);
    expect(said).not.toHaveProperty('fhirServer');
    expect(counted['fetched']).toEqual([[[{ key: 'observations', outcome: 'status', status: 403 }]]]);
    expect(ended()).toBe(1);
  });

  test('if nothing is missing, nothing is requested or logged', async () => {
    const { send, counted, ended } = await invoker();
    const { said } = await send({ ...pair(), fhirServer: SERVER, fhirAuthorization: authorization });
    expect(said).not.toHaveProperty('fetched');
    expect([counted['fetched'], ended()]).toEqual([[[[]]], 1]);
  });

  test.each<[what: string, more: Json, options: Options, headers: Record<string, string>, why: string | undefined]>([
    ['none', { fhirServer: undefined, fhirAuthorization: undefined }, {}, {}, undefined],
    ['an unlisted server', { fhirServer: 'https://other.example' }, {}, {}, 'not-listed'],
    [
      'a server on this machine, in production',
      { fhirServer: 'http://127.0.0.1:8080' },
      { sandbox: false },
      {},
      'not-listed',
    ],
    ['a server without a token, in production', { fhirAuthorization: undefined }, { sandbox: false }, {}, 'no-token'],
    [
      'a server with a token for another patient',
      { fhirAuthorization: { ...authorization, patient: 'ola' } },
      {},
      {},
      'other-patient',
    ],
    ['a server named by a foreign page', {}, {}, { 'sec-fetch-site': 'cross-site' }, 'foreign-page'],
  ])('%s is not asked', async (_, more, options, headers, why) => {
    const { send, ended } = await invoker(options);
    const { said, topics } = await send(lacking(more), headers);
    expect([said['fhirServer'], 'fetched' in said, ended(), topics]).toEqual([why, false, 0, [RULE]]);
  });

  test.each<[what: string, options: Options, headers: Record<string, string>]>([
    [
      'a server named by a listed page',
      { origins: ['https://page.example'] },
      { origin: 'https://page.example', 'sec-fetch-site': 'cross-site' },
    ],
    ['a server named by any page, in production', { sandbox: false }, { 'sec-fetch-site': 'cross-site' }],
    ['one of this machine, in a sandbox', {}, {}],
  ])('%s is asked', async (what, options, headers) => {
    const { send } = await invoker(options);
    const more = what.startsWith('one of this machine')
      ? { fhirServer: 'http://127.0.0.1:8080', fhirAuthorization: undefined }
      : {};
    expect((await send(lacking(more), headers)).said).toHaveProperty('fetched');
  });

  test('the patient’s standing is logged, and fetched data are used', async () => {
    const asked: string[] = [];
    const fetchJson: InvokeOptions['fetchJson'] = async (url) => {
      asked.push(url);
      const resources: Record<string, Json> = {
        Patient: { resourceType: 'Patient', id: 'ola' },
        MedicationRequest: bundle([prescription('m', examples.agonist)], 'searchset'),
      };
      const type = /r4\/(\w+)/.exec(url)?.[1] ?? '';
      return { body: resources[type] ?? bundle([], 'searchset'), maxAge: undefined };
    };
    const { send } = await invoker({ fetchJson });
    const body = { ...lacking(), prefetch: { ...(pair()['prefetch'] as Json), patient: undefined } };
    const { said } = await send(body);
    expect([said['fetched'], said['patientRecord']]).toEqual([{ patient: 'fetched' }, 'not-known']);
    const whole = await send({ ...lacking(), prefetch: { ...(pair()['prefetch'] as Json), medications: undefined } });
    expect([whole.topics, whole.said]).toEqual([
      [RULE],
      expect.objectContaining({ fetched: { medications: 'fetched' } }),
    ]);
    expect(whole.said).not.toHaveProperty('patientRecord');
    expect(asked.some((url) => url.startsWith(`${SERVER}/Patient/kari`))).toBe(true);
  });

  test('a call with the chart open works without orders', async () => {
    const { send } = await invoker();
    const open = { ...request('patient-view', { prefetch: { observations: undefined } }), fhirServer: SERVER };
    expect((await send({ ...open, fhirAuthorization: authorization })).status).toBe(200);
  });
});
