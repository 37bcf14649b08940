import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createServer } from './connections.ts';

describe('S7: the calls of a packet', () => {
  /** A server without a network, and a connection on which calls come in. */
  function connection() {
    const handled: unknown[] = [];
    const server = createServer((request) => handled.push(request), undefined);
    const socket = {
      destroyed: false,
      destroy: () => {
        socket.destroyed = true;
      },
      parser: { onIncoming: () => 1 } as { onIncoming?: () => number } | null,
    };
    const call = () => {
      const response = new EventEmitter();
      server.emit('request', { socket }, response);
      return response;
    };
    return { handled, socket, call };
  }

  test('with one more than the limit the connection is closed, and the rest is not parsed into calls', () => {
    const { handled, socket, call } = connection();
    for (let at = 0; at < limits.callsOfConnection; at++) call();
    expect([handled.length, socket.destroyed, socket.parser?.onIncoming?.()]).toEqual([8, false, 1]);
    call();
    expect([handled.length, socket.destroyed, socket.parser?.onIncoming?.()]).toEqual([8, true, 0]);
    call();
    expect(handled).toHaveLength(8);
  });

  test('a call that is answered makes room for another, and for one only', () => {
    const { handled, socket, call } = connection();
    const responses = Array.from({ length: limits.callsOfConnection }, call);
    responses[0]?.emit('close');
    call();
    expect([handled.length, socket.destroyed]).toEqual([9, false]);
    call();
    expect([handled.length, socket.destroyed]).toEqual([9, true]);
  });

  test.each([[null], [{}]])('nothing is added to a parser that is %j', (parser) => {
    const { socket, call } = connection();
    socket.parser = parser;
    for (let at = 0; at <= limits.callsOfConnection; at++) call();
    expect([socket.destroyed, socket.parser]).toEqual([true, parser]);
  });

  test('connections are counted each by itself', () => {
    const server = createServer(() => undefined, undefined);
    const sockets = Array.from({ length: 9 }, () => ({ destroyed: false, destroy: () => expect.fail('closed') }));
    for (const socket of sockets) server.emit('request', { socket }, new EventEmitter());
  });
});

test.each([[undefined], [{}]])('S7: a server bounds how long and how much it waits for, with TLS options %j', (tls) => {
  const server = createServer(() => undefined, tls);
  const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, timeout } = server;
  // docs/hospital-it.md has them as a table.
  expect({ headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, timeout }).toEqual({
    headersTimeout: 10_000,
    requestTimeout: 15_000,
    keepAliveTimeout: 72_000,
    maxConnections: 1000,
    timeout: 60_000,
  });
  expect('setSecureContext' in server).toBe(tls !== undefined);
  server.close();
});
