import { describe, expect, test } from 'vitest';
import { examples, type Json, vocabulary } from '../testing/examples.ts';
import { invoker } from '../testing/invoker.ts';
import { bundle, order, pair, request } from '../testing/request.ts';

const RULE = 'laro-sedative-ordered';

describe('how an answer is written', () => {
  test('S8: for no cache, and by the language of its reader', async () => {
    const { send } = await invoker();
    const { headers } = await send(pair(), { 'accept-language': 'nn' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-language': 'nb',
      vary: 'Accept-Language, Origin',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  test('T10: there is no service of another name', async () => {
    const { send } = await invoker();
    expect((await send({ ...pair(), hook: 'order-dispatch' })).status).toBe(404);
  });

  const explained = (body: Json): Json => ({ ...body, extension: { 'org.nordic-opioid-cds': { explain: true } } });
  test.each<[sandbox: boolean, explain: boolean, asks: boolean, told: boolean]>([
    [true, false, true, true],
    [false, true, true, true],
    [false, false, true, false],
    [true, true, false, false],
  ])('E1: in a sandbox %s, a client that may ask %s, asked %s: a trace %s', async (sandbox, explain, asks, told) => {
    const { send } = await invoker({ sandbox, client: { explain } });
    const refused = pair('order-sign', { prefetch: { medications: undefined } });
    for (const body of [pair(), refused]) {
      const { json } = await send(asks ? explained(body) : body);
      expect('extension' in json).toBe(told);
    }
  });

  const orders = (start: string | undefined) =>
    request('order-sign', { drafts: [order('o', examples.opioid, { authoredOn: start })] });
  test.each<[what: string, sandbox: boolean, now: unknown, end: string]>([
    ['the day of the clock', true, undefined, '2026-03-06'],
    ['the day that a sandbox is asked for', true, '2026-05-10', '2026-05-14'],
    ['the moment that it is asked for, in the time of the site', true, '2026-05-09T23:30:00Z', '2026-05-14'],
    ['no month', true, '2026-05', '2026-03-06'],
    ['nothing that is no date', true, 'x', '2026-03-06'],
    ['in production the day of the clock', false, '2026-05-10', '2026-03-06'],
  ])('the day of an answer is %s', async (_, sandbox, now, end) => {
    const { send } = await invoker({ sandbox });
    const { text } = await send({ ...orders(undefined), extension: { 'org.nordic-opioid-cds': { now } } });
    expect(text).toContain(`"end":"${end}"`);
  });

  test.each([[''], ['\ufeff']])(
    'T14: numbers of an order that goes back have the digits that were sent, after %j',
    async (mark) => {
      const { send } = await invoker();
      const draft = order('o', examples.opioid, { extension: [{ url: 'urn:x', valueDecimal: 'HERE' }] });
      const text = JSON.stringify(request('order-sign', { drafts: [draft] })).replace('"HERE"', '1.50');
      expect((await send(mark + text)).text).toContain('"valueDecimal":1.50}');
    },
  );

  test('a link, where there are pages', async () => {
    const { send } = await invoker({ advice: 'https://cds.example/advice' });
    expect((await send(pair())).text).toContain(`https://cds.example/advice/${RULE}?lang=en`);
  });
});

describe('S7: an answer about a long record takes turns', () => {
  // Each problem is one, and so are the order and the treatment.
  const problems = (count: number, results = 0) =>
    pair('order-sign', {
      prefetch: {
        observations: bundle(
          Array.from({ length: results }, (_, at) => ({
            resourceType: 'Observation',
            id: `o${at}`,
            status: 'final',
            code: { coding: [{ system: vocabulary.tests[0]?.[0], code: vocabulary.tests[0]?.[1] }] },
            subject: { reference: 'Patient/kari' },
            effectiveDateTime: `2026-02-0${at + 1}`,
            valueString: 'NEG',
          })),
          'searchset',
        ),
      },
      conditions: Array.from({ length: count }, (_, at) => ({
        resourceType: 'Condition',
        id: `c${at}`,
        code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'F41.1' }] },
        subject: { reference: 'Patient/kari' },
      })),
    });
  test.each([
    [298, 0, false],
    [299, 0, true],
    [297, 2, true],
  ])('of an order, a treatment, %s problems and %s results: %s', async (count, results, takes) => {
    const { send, turns } = await invoker();
    await send(problems(count, results));
    expect([turns.length > 0, new Set(turns)]).toEqual([takes, new Set(takes ? ['body'] : [])]);
  });
});
