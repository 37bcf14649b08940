import fastify, { type FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { limits } from '../limits.ts';
import { readJson, type Sent } from './body.ts';

const LARGE = 256 * 1024;

/** A service that reads bodies. Records the turns it takes, and the outcome of each body. */
async function reader(isBusy = () => false, bodyLimit = 2 * LARGE) {
  const turns: (string | undefined)[] = [];
  const read: { sent: Sent; held: boolean; json: unknown }[] = [];
  const requests: FastifyRequest[] = [];
  const app = fastify();
  app.decorateRequest('client');
  app.addHook('onRequest', async (request) => {
    request.client = { name: 'ehr' } as never;
  });
  readJson(app, bodyLimit, async (holds) => void turns.push(holds), isBusy);
  app.setErrorHandler((error, _request, reply) => {
    const { code } = error as ServiceError;
    return reply.code(400).send(error instanceof ServiceError ? code : `fault: ${error}`);
  });
  app.post('/', async (request) => {
    const sent = request.sent as Sent;
    requests.push(request);
    read.push({ sent, held: request.release !== undefined, json: sent.json });
    return 'read';
  });
  await app.ready();
  const send = async (payload: string | Buffer, type = 'application/json') =>
    (await app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload })).body;
  return { app, send, turns, read, requests };
}

describe('T7: reading a body', () => {
  test.each<[what: string, payload: string | Buffer, said: string]>([
    ['JSON', '{"a":1}', 'read'],
    ['a byte order mark first', '\ufeff{"a":1}', 'read'],
    ['another character with its first byte', '\uf03f{"a":1}', 'not-json'],
    ['another character with its first two bytes', '\ufec0{"a":1}', 'not-json'],
    ['nothing', Buffer.alloc(0), 'not-json'],
    ['half of it', '{"a":', 'not-json'],
    ['Latin-1', Buffer.from('"\u00e5"', 'latin1'), 'not-utf8'],
    ['as many levels as allowed', '['.repeat(limits.depth) + ']'.repeat(limits.depth), 'read'],
    ['one level more', '['.repeat(limits.depth + 1) + ']'.repeat(limits.depth + 1), 'too-deep'],
    ['as many bytes as allowed', `"${'x'.repeat(2 * LARGE - 2)}"`, 'read'],
    ['one byte more', `"${'x'.repeat(2 * LARGE - 1)}"`, 'too-large'],
  ])('%s: %s', async (_, payload, said) => {
    const { app, send } = await reader();
    expect(await send(payload)).toBe(said);
    await app.close();
  });

  test('T12: a key that would change an object’s prototype is removed', async () => {
    const { app, send, read } = await reader();
    expect(await send('{"a":{"__proto__":{"b":1},"constructor":{"prototype":{"b":1}},"c":1}}')).toBe('read');
    expect(JSON.stringify(read[0]?.json)).toBe('{"a":{"c":1}}');
    await app.close();
  });

  test('after the answer nothing holds the body, and its room is free', async () => {
    const { app, send, read, requests } = await reader();
    await send('{"a":1}', 'application/fhir+json');
    expect(read).toEqual([{ sent: { bytes: Buffer.alloc(0), json: undefined }, held: true, json: { a: 1 } }]);
    expect(requests[0]?.release).toBeUndefined();
    await app.close();
  });

  test('other types are not passed to another parser', async () => {
    const { app, send } = await reader();
    expect(await send('x', 'text/plain')).toMatch(/^fault: FastifyError/);
    await app.close();
  });
});

describe('S7: a large body takes turns', () => {
  const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
  // Each of its lists counts as several bytes.
  const lists = (count: number) =>
    `[${Array(count - 1)
      .fill('[]')
      .join()}]`;
  const { perValue } = limits.bodiesAtWork;
  test.each<[what: string, body: string, turns: (string | undefined)[]]>([
    ['a small body', '{}', []],
    ['a body at the limit', text(LARGE), []],
    ['a larger body, before it is counted, parsed and used', text(LARGE + 1), [undefined, undefined, 'body']],
    [
      'a small body with many values, before it is parsed and used',
      lists(Math.floor(LARGE / perValue) + 1),
      [undefined, 'body'],
    ],
    ['a small body with fewer values', lists(Math.floor(LARGE / perValue)), []],
  ])('%s', async (_, body, expected) => {
    const { app, send, turns } = await reader();
    expect(await send(body)).toBe('read');
    expect(turns).toEqual(expected);
    await app.close();
  });

  test('a body whose turn comes while the process is busy is put off, and the next is not', async () => {
    let busy = true;
    const { app, send } = await reader(() => busy);
    expect(await send('{}')).toBe('overloaded');
    busy = false;
    expect(await send('{}')).toBe('read');
    await app.close();
  });
});
