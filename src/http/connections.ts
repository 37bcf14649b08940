import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps, type ServerOptions as TlsOptions } from 'node:https';
import type { Socket } from 'node:net';
import { limits } from '../limits.ts';

const TIMES = {
  headersTimeout: limits.headersTime,
  requestTimeout: limits.callTime,
  // Interval in which Node looks for slow connections.
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: limits.keepAlive,
  maxHeaderSize: limits.headers,
};

/** An HTTP/1.1 server that bounds its connections and the calls waiting for an answer on each of them. */
export function createServer(handler: RequestListener, tls: TlsOptions | undefined): Server {
  const admit = limitCalls(handler);
  const server: Server = tls
    ? createHttps({ ...TIMES, handshakeTimeout: limits.headersTime, ...tls }, admit)
    : createHttp(TIMES, admit);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idle);
  return server;
}

/**
 * Passes calls on while few of them are open on their connection. A client may send calls without reading the answers,
 * and Node hands over all calls of a packet: some two thousand, each of which takes memory until its answer is read.
 */
function limitCalls(handler: RequestListener): RequestListener {
  const open = new WeakMap<Socket, number>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // The rest of a packet whose connection was closed.
    if (socket.destroyed) return;
    const calls = (open.get(socket) ?? 0) + 1;
    if (calls > limits.callsOfConnection) {
      skipRest(socket);
      socket.destroy();
      return;
    }
    open.set(socket, calls);
    response.on('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
    handler(request, response);
  };
}

/**
 * Makes Node skip the rest of a packet without parsing calls, which would cost ten times as much. A Node version
 * without this parser hook does parse them, and they are dropped one by one.
 */
function skipRest(socket: Socket): void {
  const { parser } = socket as Socket & { parser?: { onIncoming?: unknown } | null };
  if (parser && 'onIncoming' in parser) parser.onIncoming = () => 0;
}
