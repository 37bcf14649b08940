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
  // Node looks for slow connections in this interval.
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: limits.keepAlive,
  maxHeaderSize: limits.headers,
};

/** A server of HTTP/1.1 that bounds its connections, and on each of them the calls that wait for their answer. */
export function createServer(handler: RequestListener, tls: TlsOptions | undefined): Server {
  const admit = admission(handler);
  const server: Server = tls
    ? createHttps({ ...TIMES, handshakeTimeout: limits.headersTime, ...tls }, admit)
    : createHttp(TIMES, admit);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idle);
  return server;
}

/**
 * Passes calls on while their connection has few of them open. A client may send calls without reading the answers, and
 * Node hands over all that one packet holds: some two thousand, each of which costs memory until its answer is read.
 */
function admission(handler: RequestListener): RequestListener {
  const open = new WeakMap<Socket, number>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // The rest of a packet whose connection was closed for it.
    if (socket.destroyed) return;
    const calls = (open.get(socket) ?? 0) + 1;
    if (calls > limits.callsOfConnection) {
      passOver(socket);
      socket.destroy();
      return;
    }
    open.set(socket, calls);
    response.on('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
    handler(request, response);
  };
}

/**
 * Has Node read the rest of a packet without making calls of it, which costs ten times as much. A Node without this hook of its
 * parser makes them, and they are passed over one by one.
 */
function passOver(socket: Socket): void {
  const { parser } = socket as Socket & { parser?: { onIncoming?: unknown } | null };
  if (parser && 'onIncoming' in parser) parser.onIncoming = () => 0;
}
