import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { createServer } from './connections.ts';

describe('S7: pipelined calls', () => {
  /** A server without a network, and a connection on which calls arrive. */
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

  test('one call over the limit closes the connection, and the rest is not parsed', () => {
    const { handled, socket, call } = connection();
    for (let at = 0; at < limits.callsOfConnection; at++) call();
    expect([handled.length, socket.destroyed, socket.parser?.onIncoming?.()]).toEqual([8, false, 1]);
    call();
    expect([handled.length, socket.destroyed, socket.parser?.onIncoming?.()]).toEqual([8, true, 0]);
    call();
    expect(handled).toHaveLength(8);
  });

  test('an answered call makes room for exactly one other', () => {
    const { handled, socket, call } = connection();
    const responses = Array.from({ length: limits.callsOfConnection }, call);
    responses[0]?.emit('close');
    call();
    expect([handled.length, socket.destroyed]).toEqual([9, false]);
    call();
    expect([handled.length, socket.destroyed]).toEqual([9, true]);
  });

  test.each([[null], [{}]])('a parser that is %j is left alone', (parser) => {
    const { socket, call } = connection();
    socket.parser = parser;
    for (let at = 0; at <= limits.callsOfConnection; at++) call();
    expect([socket.destroyed, socket.parser]).toEqual([true, parser]);
  });

  test('each connection is counted separately', () => {
    const server = createServer(() => undefined, undefined);
    const sockets = Array.from({ length: 9 }, () => ({ destroyed: false, destroy: () => expect.fail('closed') }));
    for (const socket of sockets) server.emit('request', { socket }, new EventEmitter());
  });
});

test.each([[undefined], [{}]])('S7: a server limits its connections and timeouts, with TLS options %j', (tls) => {
  const server = createServer(() => undefined, tls);
  const { headersTimeout, requestTimeout, keepAliveTimeout, maxConnections, timeout } = server;
  // docs/hospital-it.md lists them in a table.
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
