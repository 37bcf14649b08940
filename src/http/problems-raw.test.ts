import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { answerClientError, framesOf, logFailure } from './problems.ts';

describe('S5: calls that Node refuses itself', () => {
  /** What is written to the connection before it is closed. */
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
    ['a slow call', { code: 'ERR_HTTP_REQUEST_TIMEOUT' }, '408 Request Timeout'],
    ['oversized headers', { code: 'HPE_HEADER_OVERFLOW' }, '431 Request Header Fields Too Large'],
    ['any other error', { code: 'HPE_INVALID_VERSION' }, '400 Bad Request'],
    ['an error without a code', {}, '400 Bad Request'],
    ['an unknown method', method('KARI /x HTTP/1.1\r\n'), '501 Not Implemented'],
    ['an unknown method of version 1.0', method('KARI /x HTTP/1.0\r\n'), '501 Not Implemented'],
    ['an unknown method with other line ends', method('KARI /x HTTP/1.1\nhost: x'), '501 Not Implemented'],
    ['an unknown method of symbols', method("!#$%&'*+.^_`|~-9a * HTTP/1.1\r\n"), '501 Not Implemented'],
    ['an unknown method of another version', method('KARI /x HTTP/2.0\r\n'), '400 Bad Request'],
    ['an unknown method with non-ASCII letters', method('K\u00c5RI /x HTTP/1.1\r\n'), '400 Bad Request'],
    ['a line that begins with a space', method(' KARI /x HTTP/1.1\r\n'), '400 Bad Request'],
    ['an address with a space', method('KARI /x y HTTP/1.1\r\n'), '400 Bad Request'],
    ['an incomplete line', method('KARI /x HTTP/1.1'), '400 Bad Request'],
    ['an oversized line', method(`KARI /${'x'.repeat(limits.headers)} HTTP/1.1\r\n`), '400 Bad Request'],
    ['an unknown method without its bytes', { code: 'HPE_INVALID_METHOD' }, '400 Bad Request'],
    [
      'an unknown method with another error',
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

  test('nothing is written to a closed connection', () => {
    expect(answerTo({}, false)).toBe('');
  });
});

describe('S5: how the log describes a fault of the service', () => {
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

  test('it names the place, and nothing that may quote data', () => {
    const error = Object.assign(new TypeError('Kari'), { stack: stack.join('\n') });
    const err = { type: 'TypeError', stack: '    at one (a.ts:1:1)\n\tat two\n    at five' };
    expect(failed(error)).toEqual([[{ err }, 'failed']]);
    expect(failed('Kari')).toEqual([[{ err: { type: 'string' } }, 'failed']]);
  });

  test('it lists at most a readable number of frames, and none without a stack', () => {
    const frames = Array.from({ length: 20 }, (_, at) => `    at f${at}`);
    const error = new Error('x');
    error.stack = ['Error: x', ...frames].join('\n');
    expect(framesOf(error)).toBe(frames.slice(0, 12).join('\n'));
    delete error.stack;
    expect(framesOf(error)).toBe('');
  });
});
