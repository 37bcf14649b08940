import type { LookupAddress } from 'node:dns';
import { afterEach, expect, test, vi } from 'vitest';
import { json, startScriptedServer } from '../testing/fhir-server.ts';
import { createFetchJson, type FetchFailed } from './fetch-json.ts';

// Which addresses names resolve to here, and how often they were looked up.
const dns = vi.hoisted(() => ({
  addresses: [] as string[][],
  lookups: 0,
  /** Names whose DNS server never answers, and those being looked up. */
  slow: [] as string[],
  busy: [] as string[],
}));
vi.mock('node:dns', async (original) => {
  const real = await original<typeof import('node:dns')>();
  const lookup = (name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
    if (dns.slow.includes(name)) return void dns.busy.push(name);
    const found = dns.addresses[Math.min(dns.lookups, dns.addresses.length - 1)] ?? [];
    dns.lookups += 1;
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { ...real, default: { ...real, lookup }, lookup };
});

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close();
});

/** Requests a server by a name that resolves to these addresses, one list per look-up. */
async function asking(...addresses: string[][]) {
  Object.assign(dns, { addresses, lookups: 0 });
  const server = await startScriptedServer({}, json({ resourceType: 'Patient' }));
  const fetchJson = createFetchJson();
  cleanup.push(server.close, fetchJson.close);
  const ask = (privateNetwork: boolean) =>
    fetchJson(`http://fhir.ehr.example:${server.port}/r4/x`, {
      client: 'ehr',
      privateNetwork,
      timeoutMs: 5000,
      accept: 'x',
    }).then(
      () => 'fetched',
      (error: FetchFailed) => error.failure,
    );
  return { server, ask };
}

test.each([
  ['127.0.0.1'],
  ['10.0.0.1'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  ['fd00::1'],
  ['93.184.216.34', '127.0.0.1'],
  ['127.0.0.1', '93.184.216.34'],
])('F8: a name that resolves to %s %s is not connected to for an outside client', async (...addresses) => {
  const { server, ask } = await asking(addresses.filter(Boolean));
  expect(await ask(false)).toBe('refused-address');
  expect(server.connections()).toBe(0);
});

test.each([['169.254.169.254'], ['::ffff:169.254.169.254'], ['0.0.0.0'], ['127.0.0.1', '169.254.169.254']])(
  'F8: a name that resolves to %s %s is never connected to',
  async (...addresses) => {
    const { server, ask } = await asking(addresses.filter(Boolean));
    expect(await ask(true)).toBe('refused-address');
    expect(server.connections()).toBe(0);
  },
);

test('F8: the address checked is the one connected to, after a single look-up', async () => {
  const { server, ask } = await asking(['127.0.0.1'], ['169.254.169.254']);
  expect(await ask(true)).toBe('fetched');
  expect([dns.lookups, server.connections()]).toEqual([1, 1]);
});

test('F8: a connection inside the hospital’s network is not reused for an outside client', async () => {
  const { server, ask } = await asking(['127.0.0.1']);
  expect(await ask(true)).toBe('fetched');
  expect(await ask(false)).toBe('refused-address');
  expect([server.connections(), server.seen.length]).toEqual([1, 1]);
});

test('F8: a name that does not resolve fails', async () => {
  const { ask } = await asking([]);
  expect(await ask(true)).toBe('refused-address');
});

test('FS11, F9: a client’s slow names occupy one look-up, however many calls wait, and delay no other client', async () => {
  Object.assign(dns, { addresses: [['127.0.0.1']], lookups: 0, slow: ['slow.example', 'slower.example'], busy: [] });
  const server = await startScriptedServer({}, json({ resourceType: 'Patient' }));
  const fetchJson = createFetchJson();
  cleanup.push(server.close, fetchJson.close);
  const ask = (client: string, host: string) =>
    fetchJson(`http://${host}:${server.port}/r4/x`, { client, privateNetwork: true, timeoutMs: 500, accept: 'x' }).then(
      () => 'fetched',
      (error: FetchFailed) => error.failure,
    );
  const waiting = Array.from({ length: 40 }, (_, at) => ask('slow', at % 2 ? 'slow.example' : 'slower.example'));
  expect(await ask('quick', 'fhir.ehr.example')).toBe('fetched');
  expect(dns.busy).toHaveLength(1);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['timeout']));
  expect(dns.busy).toHaveLength(1);
});
