import { createHash, createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Journal } from '../journal/journal.ts';
import { startService } from '../testing/app.ts';
import { pair, request } from '../testing/request.ts';

const PATIENT = (pair()['context'] as { patientId: string }).patientId;
const KEY = 'an invented key of tests';
const idOf = (key: string) => createHash('sha256').update(`key id\0${key}`).digest('hex').slice(0, 8);

async function auditOf(options: Parameters<typeof startService>[0], ...bodies: ReturnType<typeof pair>[]) {
  const service = await startService(options);
  for (const body of bodies) await service.call(body);
  await service.close();
  const lines = service.log.map((line) => JSON.parse(line));
  return { audit: lines.filter(({ audit }) => audit), answered: lines.filter(({ msg }) => msg === 'answered') };
}

test('an answered call leaves one audit line with the rules, the knowledge and a keyed hash of the patient', async () => {
  const { audit, answered } = await auditOf({ auditKey: KEY }, pair());
  expect(audit).toHaveLength(1);
  expect(audit[0]).toMatchObject({
    level: 30,
    reqId: answered[0].reqId,
    client: 'sandbox',
    hook: 'order-sign',
    fired: ['laro-sedative-ordered'],
    knowledge: expect.stringMatching(/^[0-9a-f]{64}$/),
    patient: `${idOf(KEY)}.${createHmac('sha256', KEY).update(`audit\0sandbox\0${PATIENT}`).digest('hex')}`,
  });
  expect(JSON.stringify(audit)).not.toContain(PATIENT);
});

test('without a key the audit line says nothing about the patient', async () => {
  const { audit } = await auditOf({}, pair());
  expect(audit[0]).not.toHaveProperty('patient');
});

test('a call refused for missing data is in the audit with what was missing', async () => {
  const { audit } = await auditOf({}, { ...request('patient-view'), prefetch: {} });
  expect(audit).toMatchObject([{ missing: expect.arrayContaining(['medications']) }]);
});

test('audit lines are written at any log level', async () => {
  const { audit, answered } = await auditOf({ logLevel: 'error', auditKey: KEY }, pair());
  expect(answered).toEqual([]);
  expect(audit).toHaveLength(1);
});

test('while the process stops, /ready refuses and calls are still answered, on connections that close', async () => {
  const { app, http, call, close } = await startService();
  expect((await http.get('/ready')).status).toBe(200);
  app.draining.value = true;
  const ready = await http.get('/ready');
  expect([ready.status, ready.body.ready]).toEqual([503, false]);
  expect((await http.get('/health')).status).toBe(200);
  const answer = await call(pair());
  expect(answer.body.cards).toHaveLength(1);
  expect(answer.headers['connection']).toBe('close');
  await close();
});

test('/ready reports the state of the journal', async () => {
  const figures = () => ({ state: 'starting', queued: 0, written: 0, dropped: 0 });
  const { http, close } = await startService({ journal: { figures } as Journal });
  const { status, body } = await http.get('/ready');
  expect([status, body]).toEqual([503, expect.objectContaining({ ready: false, journal: 'starting' })]);
  await close();
});

test('S7: an overloaded process puts calls off with Retry-After, and still reports itself alive', async () => {
  const { http, close } = await startService({ maxEventLoopDelay: 1 });
  // The plugin measures every second; the loop is blocked until it has noticed.
  let answer = await http.get('/cds-services');
  for (let count = 0; count < 100 && answer.status === 200; count++) {
    hold(60);
    answer = await http.get('/cds-services');
  }
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
  hold(60);
  expect((await http.get('/health')).status).toBe(200);
  await close();
});

/** Blocks this thread for some milliseconds. */
function hold(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test.each([
  ['headers of 20 KB', `GET /cds-services HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['bytes that are not HTTP', 'Anna Andersson 19121212-1212\r\n\r\n', 400],
  ['an unknown method', 'ANDERSSON /cds-services HTTP/1.1\r\nhost: x\r\n\r\n', 501],
])('%s are refused with an OperationOutcome that repeats nothing', async (_, sent, status) => {
  const { app, close, log } = await startService();
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(sent);
  let answer = '';
  for await (const part of socket) answer += part;
  await close();
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ resourceType: 'OperationOutcome' });
  expect(`${answer}${log.join('')}`).not.toMatch(/aaaa|Andersson/);
});
