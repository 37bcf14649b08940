import { describe, expect, test } from 'vitest';
import { examples, type Json, vocabulary } from '../testing/examples.ts';
import { invoker } from '../testing/invoker.ts';
import { bundle, order, pair, request } from '../testing/request.ts';

const RULE = 'laro-sedative-ordered';

describe('the form of an answer', () => {
  test('S8: it is not cached, and depends on the reader’s language', async () => {
    const { send } = await invoker();
    const { headers } = await send(pair(), { 'accept-language': 'nn' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-language': 'nb',
      vary: 'Accept-Language, Origin',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  test('T10: a service of another name does not exist', async () => {
    const { send } = await invoker();
    expect((await send({ ...pair(), hook: 'order-dispatch' })).status).toBe(404);
  });

  const explained = (body: Json): Json => ({ ...body, extension: { 'org.nordic-opioid-cds': { explain: true } } });
  test.each<[sandbox: boolean, explain: boolean, asks: boolean, told: boolean]>([
    [true, false, true, true],
    [false, true, true, true],
    [false, false, true, false],
    [true, true, false, false],
  ])(
    'E1: in a sandbox %s, with a client that may ask %s and asks %s, there is a trace: %s',
    async (sandbox, explain, asks, told) => {
      const { send } = await invoker({ sandbox, client: { explain } });
      const refused = pair('order-sign', { prefetch: { medications: undefined } });
      for (const body of [pair(), refused]) {
        const { json } = await send(asks ? explained(body) : body);
        expect('extension' in json).toBe(told);
      }
    },
  );

  const orders = (start: string | undefined) =>
    request('order-sign', { drafts: [order('o', examples.opioid, { authoredOn: start })] });
  test.each<[what: string, sandbox: boolean, now: unknown, end: string]>([
    ['that of the clock', true, undefined, '2026-03-06'],
    ['the one that the sandbox is given', true, '2026-05-10', '2026-05-14'],
    ['that of a given instant at the site', true, '2026-05-09T23:30:00Z', '2026-05-14'],
    ['that of the clock, if a month is given', true, '2026-05', '2026-03-06'],
    ['that of the clock, if no date is given', true, 'x', '2026-03-06'],
    ['that of the clock in production', false, '2026-05-10', '2026-03-06'],
  ])('the day of an answer is %s', async (_, sandbox, now, end) => {
    const { send } = await invoker({ sandbox });
    const { text } = await send({ ...orders(undefined), extension: { 'org.nordic-opioid-cds': { now } } });
    expect(text).toContain(`"end":"${end}"`);
  });

  test.each([[''], ['\ufeff']])('T14: a returned order keeps the digits of its numbers, after %j', async (mark) => {
    const { send } = await invoker();
    const draft = order('o', examples.opioid, { extension: [{ url: 'urn:x', valueDecimal: 'HERE' }] });
    const text = JSON.stringify(request('order-sign', { drafts: [draft] })).replace('"HERE"', '1.50');
    expect((await send(mark + text)).text).toContain('"valueDecimal":1.50}');
  });

  test('it has a link if there are advice pages', async () => {
    const { send } = await invoker({ advice: 'https://cds.example/advice' });
    expect((await send(pair())).text).toContain(`https://cds.example/advice/${RULE}?lang=en`);
  });
});

describe('S7: an answer about a long record takes turns', () => {
  // Each problem counts as one, and so do the order and the treatment.
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
  ])('with an order, a treatment, %s problems and %s results: %s', async (count, results, takes) => {
    const { send, turns } = await invoker();
    await send(problems(count, results));
    expect([turns.length > 0, new Set(turns)]).toEqual([takes, new Set(takes ? ['body'] : [])]);
  });
});
