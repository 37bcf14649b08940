import { type Agent, request as ask, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { BODY_LIMIT, pathOf, startService } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { type Json, order, pair, request } from '../testing/request.ts';
import { createArrivals } from './arrivals.ts';
import { shapeOf } from './shape.ts';

const service = await startService();
afterAll(() => service.close());
const path = pathOf(pair());
const { port } = service.app.server.address() as AddressInfo;

type Answer = { status: number; headers: IncomingMessage['headers']; body: Json & { issue: Json[]; cards: Json[] } };

/** Sends bytes unchanged; `pieces` are written one after the other, without a length. */
function send(body: Buffer | Buffer[], headers: Record<string, string> = {}, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, agent };
    const call = ask(options, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode as number, headers: response.headers, body: JSON.parse(text) });
    }).on('error', reject);
    if (Array.isArray(body)) {
      for (const piece of body) call.write(piece);
      call.end();
    } else call.end(body);
  });
}

/** An order whose suggested changes contain non-ASCII text. */
const note = [{ text: 'Bjørn skriver på åtte språk' }];
const nordic = JSON.stringify(request('order-sign', { drafts: [order('x', examples.opioid, { note })] }));

test.each([
  ['__proto__', { hook: 'patient-view', context: { patientId: 'x' }, prefetch: {} }],
  ['__proto__', 'x'],
  ['constructor', { prototype: { hook: 'patient-view' } }],
])('T12: a key %s with %j is ignored like any unknown key, at every level', async (key, value) => {
  const text = JSON.stringify(pair());
  const own = `${JSON.stringify(key)}:${JSON.stringify(value)},`;
  const everywhere = text.replaceAll('{', `{${own}`).replaceAll(',}', '}');
  expect(everywhere.split(own).length).toBeGreaterThan(20);
  const [plain, odd] = [await send(Buffer.from(text)), await send(Buffer.from(everywhere))];
  expect([plain.status, plain.body.cards.length]).toEqual([200, 1]);
  expect([odd.status, odd.body]).toEqual([200, plain.body]);
  expect(({} as Json)['hook']).toBeUndefined();
});

describe('the encoding of a body', () => {
  test('T6: UTF-8 text is returned unchanged', async () => {
    const { status, body } = await send(Buffer.from(nordic));
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain(note[0]?.text);
  });

  test.each<[string, Buffer]>([
    ['ISO-8859-1', Buffer.from(nordic, 'latin1')],
    ['UTF-16', Buffer.from(`\ufeff${nordic}`, 'utf16le')],
    ['UTF-8 with half a letter', Buffer.concat([Buffer.from('{"hook":"\u00e5').subarray(0, -1), Buffer.from('"}')])],
    ['UTF-8 with a surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ])(
    'T7: %s without a declared charset is 400 in words of its own, and never read as other letters',
    async (_, bytes) => {
      const { status, body } = await send(bytes);
      expect([status, body.issue[0]?.['details']]).toEqual([400, { text: 'The body is not valid UTF-8.' }]);
    },
  );

  test.each([
    ['content-type', 'application/json; charset=iso-8859-1'],
    ['content-type', 'application/json; charset="utf-16"'],
    ['content-encoding', 'gzip'],
    ['content-encoding', 'br, gzip'],
  ])('T6: %s %s is 415 before the body is read', async (name, value) => {
    const bytes = name === 'content-encoding' ? gzipSync(nordic) : Buffer.from(nordic, 'latin1');
    const { status, body } = await send(bytes, { [name]: value });
    expect([status, body['resourceType']]).toEqual([415, 'OperationOutcome']);
    expect(body.issue[0]?.['diagnostics']).toMatch(name === 'content-type' ? /UTF-8/ : /Content-Encoding/);
  });

  test.each([
    ['content-type', 'application/json; charset="UTF-8"'],
    ['content-type', 'application/fhir+json;charset=utf8'],
    ['content-encoding', 'identity'],
  ])('T6: %s %s is read', async (name, value) => {
    expect((await send(Buffer.from(nordic), { [name]: value })).status).toBe(200);
  });

  test('T7: a UTF-8 byte order mark is ignored', async () => {
    expect((await send(Buffer.from(`\ufeff${nordic}`))).status).toBe(200);
  });
});

describe('the size of a body', () => {
  test('T8, R10: nesting up to the limit is read, and one more level is 400 and named', async () => {
    // The call itself is one level.
    const nested = (levels: number) =>
      Buffer.from(
        JSON.stringify({ ...pair(), extra: 'HERE' }).replace('"HERE"', '['.repeat(levels) + ']'.repeat(levels)),
      );
    expect((await send(nested(limits.depth - 1))).status).toBe(200);
    const { status, body } = await send(nested(limits.depth));
    expect([status, body.issue[0]?.['diagnostics']]).toEqual([400, `at most ${limits.depth} levels`]);
  });

  test('T9: a body without a length is read up to the limit, and refused one byte beyond', async () => {
    const padded = (length: number) => Buffer.from(nordic + ' '.repeat(length - Buffer.byteLength(nordic)));
    const pieces = (bytes: Buffer) => [bytes.subarray(0, 1000), bytes.subarray(1000)];
    expect((await send(pieces(padded(BODY_LIMIT)))).status).toBe(200);
    expect((await send(pieces(padded(BODY_LIMIT + 1)))).status).toBe(413);
  });

  test('T9, R10: objects, lists and strings are read up to the limit, and one more is 413 and named', async () => {
    const base = JSON.stringify({ ...pair(), extra: 'EXTRA' });
    const { values } = shapeOf(Buffer.from(base), { depth: 1000, values: 1e9 });
    const filled = (count: number) =>
      Buffer.from(base.replace('"EXTRA"', `[${Array.from({ length: count }, () => '{}').join()}]`));
    // The list itself takes the place of the string that it replaces.
    expect((await send(filled(limits.values - values))).status).toBe(200);
    const { status, body } = await send(filled(limits.values - values + 1));
    expect([status, body.issue[0]?.['diagnostics']]).toEqual([
      413,
      `objects, lists and texts in the body: at most ${limits.values}`,
    ]);
  });

  test('parts are counted before parsing, regardless of what the strings contain', () => {
    const count = (value: unknown): { depth: number; values: number } => {
      if (typeof value === 'string') return { depth: 0, values: 1 };
      if (typeof value !== 'object' || value === null) return { depth: 0, values: 0 };
      const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
      const inner = Object.values(value).map(count);
      return {
        depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
        values: 1 + keys + inner.reduce((sum, { values }) => sum + values, 0),
      };
    };
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '{', ']', 'å', '\u0000', 'x', '🙂') });
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), text, (value, odd) => {
        const json = JSON.stringify([value, odd, { [odd]: value }]);
        expect(shapeOf(Buffer.from(json), { depth: 1e9, values: 1e9 })).toEqual(count(JSON.parse(json)));
      }),
      { seed: 20260302 },
    );
  });
});

describe('the number of bodies at once', () => {
  test('any sequence of bodies is read to the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ client: fc.constantFrom('one', 'two', 'three'), parts: fc.array(fc.nat(9), { maxLength: 5 }) }),
        ),
        async (calls) => {
          const arrivals = createArrivals({ all: 10, client: 6 });
          const read = async ({ client, parts }: (typeof calls)[number]) => {
            const arrival = arrivals(client, 10_000);
            for (const bytes of parts) await arrival.take(bytes);
            arrival.leave();
          };
          await Promise.all(calls.map(read));
          // All room is free again, also for a body that is not the oldest.
          arrivals('two', 1);
          expect(arrivals('one', 1).take(6)).toBeUndefined();
        },
      ),
    );
  });

  test('a call whose connection breaks releases its room', async () => {
    for (let at = 0; at < 20; at++) {
      await new Promise<void>((done) => {
        const call = ask({ port, path, method: 'POST', headers: { 'content-type': 'application/json' } });
        call.on('error', () => done()).write(Buffer.alloc(BODY_LIMIT / 2, ' '), () => call.destroy(new Error('gone')));
      });
    }
    expect((await send(Buffer.from(nordic))).status).toBe(200);
    expect(service.log.some((line) => line.includes('"level":50'))).toBe(false);
  });
});
