import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { startService } from '../testing/app.ts';
import { type CertificateFiles, canCertify, certify, read } from '../testing/certificates.ts';
import { createClient, SIGN } from '../testing/client.ts';
import { pair } from '../testing/request.ts';

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
const toClose: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const close of toClose.reverse()) await close();
});

/** A service that asks for certificates of one authority, and clients that require them. */
async function start() {
  const make = (name: string, subject: string, names: string, by?: CertificateFiles) =>
    certify(folder, name, subject, names, by);
  const own = make('own', '/CN=localhost', 'IP:127.0.0.1');
  const authority = make('authority', '/CN=Authority', 'DNS:authority.example');
  const listed = make('listed', '/CN=ehr.example/O=Hospital', 'DNS:a.ehr.example,DNS:b.ehr.example', authority);
  const shown = {
    listed: read(listed),
    other: read(make('other', '/CN=other.example', 'DNS:other.example', authority)),
    // The right names, but no authority that vouches for them.
    forged: read(make('forged', '/CN=ehr.example', 'DNS:a.ehr.example')),
    none: {},
  };
  const { fingerprint256 } = new X509Certificate(shown.listed.cert);
  const records: Record<string, string[] | undefined> = {
    fingerprint: ['00'.repeat(32), fingerprint256],
    'bare fingerprint': [fingerprint256.replaceAll(':', '').toLowerCase()],
    'common name': ['ehr.example'],
    'DNS name': ['b.ehr.example'],
    'other name': ['hospital.example', 'EHR', '*.ehr.example', 'authority.example', 'Hospital'],
    nothing: undefined,
  };
  const clients = Object.fromEntries(
    await Promise.all(
      Object.entries(records).map(async ([name, certificates]) => {
        const changes = {
          name,
          iss: `https://${encodeURIComponent(name)}.example`,
          ...(certificates && { certificates }),
        };
        return [name, await createClient(changes)] as const;
      }),
    ),
  );
  const service = await startService({
    mode: 'production',
    clients: Object.values(clients).map(({ client }) => client),
    tls: { ...read(own), ca: read(authority).cert },
  });
  toClose.push(service.close);
  const { port } = service.app.server.address() as AddressInfo;
  const agents = new Map<string, Agent>();
  const send = async (path: string, certificate: keyof typeof shown, authorization?: string) => {
    const agent =
      agents.get(certificate) ?? new Agent({ keepAlive: false, rejectUnauthorized: false, ...shown[certificate] });
    agents.set(certificate, agent);
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
    const method = path === SIGN ? 'POST' : 'GET';
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent });
    call.end(method === 'POST' ? JSON.stringify(pair()) : undefined);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const text = Buffer.concat(await response.toArray()).toString();
    const id = response.headers['x-request-id'];
    // The line is written after the answer; only refusals carry their number.
    const line = await vi.waitFor(() => {
      const found = service.log.map((entry) => JSON.parse(entry)).find(({ reqId }) => reqId === id);
      if (!found && id !== undefined) throw new Error(`no line for ${id}`);
      return found;
    });
    return { status: response.statusCode, refused: line?.refused, text };
  };
  return {
    clients,
    send,
    call: async (client: string, certificate: keyof typeof shown) =>
      send(SIGN, certificate, `Bearer ${await clients[client]?.token(SIGN)}`),
  };
}

const running = canCertify ? await start() : undefined;

test('J19: a client with certificates in its record needs one of them as well as its token', async ({ skip }) => {
  const { call, send } = running ?? skip('openssl is not installed, so there is no certificate');
  for (const client of ['fingerprint', 'bare fingerprint', 'common name', 'DNS name']) {
    // Twice, since the second connection resumes the first one's TLS session.
    for (let time = 0; time < 2; time++) expect(await call(client, 'listed'), client).toMatchObject({ status: 200 });
    for (const shown of ['other', 'forged', 'none'] as const)
      expect(await call(client, shown), client).toMatchObject({ status: 401, refused: 'certificate' });
  }
  for (const shown of ['listed', 'other', 'forged', 'none'] as const)
    expect(await call('other name', shown)).toMatchObject({ status: 401, refused: 'certificate' });
  // From outside it looks like any other refusal, and a certificate alone grants nothing.
  const withoutToken = await send(SIGN, 'listed');
  expect(withoutToken).toMatchObject({ status: 401, refused: 'no-token' });
  expect((await call('fingerprint', 'other')).text).toBe(withoutToken.text);
});

test('J19, DI14: clients without certificates in their record, and open routes, need none', async ({ skip }) => {
  const { call, send } = running ?? skip('openssl is not installed, so there is no certificate');
  for (const shown of ['listed', 'forged', 'none'] as const) {
    expect(await call('nothing', shown)).toMatchObject({ status: 200 });
    expect(await send('/cds-services', shown)).toMatchObject({ status: 200 });
  }
});

test('J14, J19: a token sent without its certificate is not used up', async ({ skip }) => {
  const { clients, send } = running ?? skip('openssl is not installed, so there is no certificate');
  const authorization = `Bearer ${await clients['fingerprint']?.token(SIGN)}`;
  const seen = [];
  for (const shown of ['none', 'listed', 'listed'] as const) seen.push((await send(SIGN, shown, authorization)).status);
  expect(seen).toEqual([401, 200, 401]);
});
