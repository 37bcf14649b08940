import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { startService } from '../testing/app.ts';

const service = await startService();
afterAll(() => service.close());
const { port } = service.app.server.address() as AddressInfo;

const CALL = 'GET /ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';

/** What a connection receives until it falls silent or is closed. */
async function told(text: string): Promise<{ answers: number; closed: boolean }> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let received = '';
  let closed = false;
  socket.on('data', (part) => {
    received += part;
  });
  socket.on('close', () => {
    closed = true;
  });
  socket.on('error', () => {});
  socket.write(text);
  const count = () => received.split('HTTP/1.1 200').length - 1;
  const wanted = text.split(CALL).length - 1;
  for (let wait = 0; wait < 200 && !closed && count() < wanted; wait++) await delay(10);
  socket.destroy();
  return { answers: count(), closed };
}

test('S7: up to the limit unanswered calls are answered, and one more closes the connection', async () => {
  expect(await told(CALL.repeat(limits.callsOfConnection))).toEqual({
    answers: limits.callsOfConnection,
    closed: false,
  });
  expect((await told(CALL.repeat(limits.callsOfConnection + 1))).closed).toBe(true);
});

test('S7: consecutive calls on a connection are not counted together', async () => {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  for (let at = 0; at < 3 * limits.callsOfConnection; at++) {
    socket.write(CALL);
    const [answer] = await once(socket, 'data');
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  }
  socket.destroy();
});

test('S7: thousands of calls on unread connections do no harm, and others are answered', async () => {
  const sockets = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => {}).pause();
    socket.write('GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(1500));
  }
  const open = () => new Promise<number>((done) => service.app.server.getConnections((_, count) => done(count)));
  // A client that does not read cannot see that the connection was closed; the server no longer holds any of them.
  while ((await open()) > 5) await delay(20);
  for (const socket of sockets) socket.destroy();
  expect((await service.http.get('/health')).status).toBe(200);
});

test('S7: a connection beyond the limit is closed, and the others are served', async () => {
  const bounded = await startService();
  const { port: at } = bounded.app.server.address() as AddressInfo;
  const open = async (): Promise<Socket> => {
    const socket = connect(at, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const sockets: Socket[] = [];
  for (let count = 0; count < limits.connections; count++) sockets.push(await open());
  const last = sockets.at(-1) as Socket;
  last.write(CALL);
  const [answer] = await once(last, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
  await once(await open(), 'close');
  for (const socket of sockets) socket.destroy();
  await bounded.close();
});
