import type { AddressInfo, Socket } from 'node:net';
import fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { startService } from '../testing/app.ts';
import { SIGN } from '../testing/client.ts';
import { pair } from '../testing/request.ts';
import { answerClientError, answerProblems, framesOf, logFailure } from './problems.ts';

const service = await startService();
afterAll(() => service.close());

describe('S5: what Node refuses before there is a call', () => {
  /** What is written to the connection, and what it is closed with. */
  function answerTo(error: { code?: string; rawPacket?: unknown }, writable = true) {
    const written: string[] = [];
    const closed: unknown[] = [];
    const socket = {
      writable,
      write: (text: string) => written.push(text),
      destroy: (why: unknown) => closed.push(why),
    };
    const failure = Object.assign(new Error('x'), error);
    answerClientError(failure, socket as unknown as Socket);
    expect(closed).toEqual([failure]);
    return written.join('');
  }
  const method = (line: string) => ({ code: 'HPE_INVALID_METHOD', rawPacket: Buffer.from(line, 'latin1') });

  test.each<[what: string, error: { code?: string; rawPacket?: unknown }, status: string]>([
    ['a call that is too slow', { code: 'ERR_HTTP_REQUEST_TIMEOUT' }, '408 Request Timeout'],
    ['headers that are too large', { code: 'HPE_HEADER_OVERFLOW' }, '431 Request Header Fields Too Large'],
    ['anything else', { code: 'HPE_INVALID_VERSION' }, '400 Bad Request'],
    ['an error without a code', {}, '400 Bad Request'],
    ['a method that Node does not know', method('KARI /x HTTP/1.1\r\n'), '501 Not Implemented'],
    ['one of version 1.0', method('KARI /x HTTP/1.0\r\n'), '501 Not Implemented'],
    ['one whose lines end in another way', method('KARI /x HTTP/1.1\nhost: x'), '501 Not Implemented'],
    ['one with signs', method("!#$%&'*+.^_`|~-9a * HTTP/1.1\r\n"), '501 Not Implemented'],
    ['one of another version', method('KARI /x HTTP/2.0\r\n'), '400 Bad Request'],
    ['one with letters that no method has', method('K\u00c5RI /x HTTP/1.1\r\n'), '400 Bad Request'],
    ['what begins with something else', method(' KARI /x HTTP/1.1\r\n'), '400 Bad Request'],
    ['an address of two words', method('KARI /x y HTTP/1.1\r\n'), '400 Bad Request'],
    ['a line without its end', method('KARI /x HTTP/1.1'), '400 Bad Request'],
    ['a line that is too long', method(`KARI /${'x'.repeat(limits.headers)} HTTP/1.1\r\n`), '400 Bad Request'],
    ['a method of which nothing is left', { code: 'HPE_INVALID_METHOD' }, '400 Bad Request'],
    [
      'such a line with another error',
      { ...method('KARI /x HTTP/1.1\r\n'), code: 'HPE_LF_EXPECTED' },
      '400 Bad Request',
    ],
  ])('%s', (_, error, status) => {
    const text = answerTo(error);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      `HTTP/1.1 ${status}`,
      'content-type: application/json; charset=utf-8',
      'cache-control: no-store',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]);
    expect(JSON.parse(body)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] });
  });

  test('nothing is written to a connection that is gone', () => {
    expect(answerTo({}, false)).toBe('');
  });
});

describe('T10: what another method or address is answered', () => {
  test.each<[method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, status: number, allow: string | undefined]>([
    ['POST', '/', 404, undefined],
    ['PUT', SIGN, 405, 'POST'],
    ['PUT', `${SIGN}/`, 405, 'POST'],
    ['PUT', `//cds-services///x`, 405, 'POST'],
    ['PUT', `${SIGN}?x=/feedback`, 405, 'POST'],
    ['GET', `${SIGN}/feedback`, 405, 'POST'],
    ['GET', `${SIGN}/other`, 404, undefined],
    ['GET', `${SIGN}/feedback/x`, 404, undefined],
    ['GET', '/x/cds-services/y', 404, undefined],
    ['POST', '/cds-services', 405, 'GET'],
    ['POST', '/metrics', 405, 'GET'],
    ['DELETE', '/ready?x', 405, 'GET'],
  ])('%s %s: %s, allowed is %s', async (method, url, status, allow) => {
    const answer = await service.app.inject({ method, url });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([status, allow]);
  });

  test('every method of an address is named', async () => {
    const app = fastify();
    answerProblems(app);
    app.get('/both', async () => 'x').post('/both', async () => 'x');
    const { statusCode, headers } = await app.inject({ method: 'PUT', url: '/both' });
    expect([statusCode, headers['allow']]).toEqual([405, 'GET, POST']);
    await app.close();
  });

  test('an unknown address is refused before its body is looked at', async () => {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/nope',
      headers: { 'content-type': 'application/json' },
      payload: '{bad',
    });
    expect(answer.statusCode).toBe(404);
  });

  test('every refusal has an id, is kept by no cache, and no extension where nobody asked', async () => {
    const { headers, body } = await service.app.inject({ method: 'GET', url: '/nope' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-request-id': expect.stringMatching(/\S/),
      'content-type': 'application/json; charset=utf-8',
    });
    expect(Object.keys(JSON.parse(body))).toEqual(['resourceType', 'issue']);
  });
});

test('a connection stays open after a refusal', async () => {
  const { port } = service.app.server.address() as AddressInfo;
  const { status, headers } = await fetch(`http://127.0.0.1:${port}/nope`);
  expect([status, headers.get('connection')]).toEqual([404, 'keep-alive']);
});

test.each<[expects: string | undefined, status: number]>([
  [undefined, 200],
  ['100-continue', 200],
  ['100-Continue', 200],
  ['x', 417],
  ['', 417],
])('an Expect header %j is answered by %s', async (expects, status) => {
  const headers = { 'content-type': 'application/json', ...(expects !== undefined && { expect: expects }) };
  const answer = await service.app.inject({ method: 'POST', url: SIGN, headers, payload: JSON.stringify(pair()) });
  expect(answer.statusCode).toBe(status);
});

describe('S5: a fault of the service in the log', () => {
  const failed = (error: unknown) => {
    const lines: unknown[][] = [];
    logFailure({ error: (...line: unknown[]) => lines.push(line) } as never, error, 'failed');
    return lines;
  };
  const stack = [
    'TypeError: Kari',
    '    at one (a.ts:1:1)',
    '\tat two',
    'Kari at three',
    '  Kari',
    '    atfour',
    '    at five',
  ];

  test('where it happened, and nothing that may quote data', () => {
    const error = Object.assign(new TypeError('Kari'), { stack: stack.join('\n') });
    const err = { type: 'TypeError', stack: '    at one (a.ts:1:1)\n\tat two\n    at five' };
    expect(failed(error)).toEqual([[{ err }, 'failed']]);
    expect(failed('Kari')).toEqual([[{ err: { type: 'string' } }, 'failed']]);
  });

  test('as many frames as anybody reads, and none of what has none', () => {
    const frames = Array.from({ length: 20 }, (_, at) => `    at f${at}`);
    const error = new Error('x');
    error.stack = ['Error: x', ...frames].join('\n');
    expect(framesOf(error)).toBe(frames.slice(0, 12).join('\n'));
    delete error.stack;
    expect(framesOf(error)).toBe('');
  });
});
