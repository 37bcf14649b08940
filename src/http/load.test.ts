import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Pool } from 'undici';
import { afterAll, expect, test } from 'vitest';
import { readTestBundles } from '../cli/bundles.ts';
import { BODY_LIMIT, pathOf, root, startService } from '../testing/app.ts';
import { type Json, pair } from '../testing/request.ts';

const service = await startService();
afterAll(() => service.close());

/** Persistent connections, as of a record system's proxy; each sends its calls one after the other. */
const CONNECTIONS = 40;
const CALLS = 400;

test('V2: hundreds of concurrent calls on persistent connections each get their own answer, and none is lost', async () => {
  const bundles = readTestBundles(join(root, 'test-bundles'), []);
  const calls = Array.from({ length: CALLS }, (_, at) => {
    const { body } = bundles[(at * 7) % bundles.length] as (typeof bundles)[number];
    const hookInstance = randomUUID();
    // Some are not valid calls: a refusal belongs to its call as well.
    const call: Json = { ...(body as Json), hookInstance, ...(at % 29 === 0 && { context: {} }) };
    return { path: pathOf(body as Json), hookInstance, body: JSON.stringify(call) };
  });
  const pool = new Pool(`http://127.0.0.1:${(service.app.server.address() as { port: number }).port}`, {
    connections: CONNECTIONS,
  });
  const sockets = new Set<unknown>();
  service.app.server.on('connection', (socket) => sockets.add(socket));
  const send = async ({ path, body }: (typeof calls)[number]) => {
    const headers = { 'content-type': 'application/json' };
    const response = await pool.request({ method: 'POST', path, headers, body });
    return `${response.statusCode} ${await response.body.text()}`;
  };
  // One at a time.
  const alone: string[] = [];
  for (const call of calls) alone.push(await send(call));
  service.log.length = 0;
  const together = await Promise.all(calls.map(send));
  expect(together).toEqual(alone);

  // The cards' ids come from the hookInstance, so answers for equal patients differ.
  const cards = together.filter((text) => text.startsWith('200 {"cards":[{'));
  expect(cards.length).toBeGreaterThan(CALLS / 4);
  expect(new Set(cards).size).toBe(cards.length);
  for (const status of ['400', '412']) expect(together.some((text) => text.startsWith(status))).toBe(true);
  // One log line each.
  const lines = service.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  expect(lines).toHaveLength(CALLS);
  const logged = new Set(lines.map(({ hookInstance }) => hookInstance));
  const understood = calls.filter((_, at) => !together[at]?.startsWith('400'));
  expect(understood.filter(({ hookInstance }) => !logged.has(hookInstance))).toEqual([]);
  expect(sockets.size).toBeLessThanOrEqual(CONNECTIONS);
  await pool.close();
}, 60_000);

test('S7: of many bodies at the limit each is answered or put off, and the room is free afterwards', async () => {
  const { port } = service.app.server.address() as { port: number };
  const text = JSON.stringify(pair());
  const body = text + ' '.repeat(BODY_LIMIT - Buffer.byteLength(text));
  // Most clients see the answer to a call put off, and some only that the connection was closed.
  const send = () =>
    fetch(`http://127.0.0.1:${port}${pathOf(pair())}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    }).catch(() => undefined);
  const answers = await Promise.all(Array.from({ length: 10 }, send));
  const statuses = answers.map((answer) => answer?.status);
  expect(statuses.every((status) => [200, 503, undefined].includes(status))).toBe(true);
  expect(statuses).toContain(200);
  for (const answer of answers) if (answer?.status === 503) expect(answer.headers.get('retry-after')).toBe('5');
  expect((await send())?.status).toBe(200);
}, 60_000);
