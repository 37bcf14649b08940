import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JWTPayload } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { createFetchJson, FetchFailed, type FetchJson, type FetchOptions } from '../fhir/fetch-json.ts';
import { startService } from '../testing/app.ts';
import { createClient, NOW, SIGN, verdictOn } from '../testing/client.ts';
import type { Client } from './clients.ts';
import { createKeys } from './keys.ts';

const JKU = 'https://ehr.example/jwks.json';
const DAY = 86_400;

const old = await createClient({ jku: JKU, keys: undefined });
const next = await createClient();
const key1 = old.publicKey;
const key2 = { ...next.publicKey, kid: 'key-2' };

const open: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((service) => service.close()));
});

type Answer = { body: unknown; maxAge: number | undefined } | 'down';
const keys = (...list: unknown[]): Answer => ({ body: { keys: list }, maxAge: undefined });
const lasting = (maxAge: number | undefined, ...list: unknown[]): Answer => ({ body: { keys: list }, maxAge });

/** A production service whose clock and key server the test controls. */
async function startWith(first: Answer, clients: Client[] = [old.client]) {
  const hand = { answer: first, seconds: 0 };
  const fetched: { url: string; options: FetchOptions }[] = [];
  const fetchJson: FetchJson = async (url, options) => {
    fetched.push({ url, options });
    const { answer } = hand;
    // As over a network, the answer comes later.
    await new Promise((done) => setImmediate(done));
    if (answer === 'down') throw new FetchFailed('unreachable');
    return answer;
  };
  const service = await startService({
    mode: 'production',
    clients,
    fetchJson,
    clock: () => (NOW + hand.seconds) * 1000,
  });
  open.push(service);
  const call = (signer: typeof old, claims: JWTPayload, kid: string) => {
    const iat = NOW + hand.seconds;
    return signer.token(SIGN, { iat, exp: iat + 300, ...claims }, { kid }).then((token) => verdictOn(service, token));
  };
  return {
    service,
    fetched,
    /** Sets what the key server answers from now on. */
    says: (answer: Answer) => {
      hand.answer = answer;
    },
    /** Seconds since the test began. */
    at: (seconds: number) => {
      hand.seconds = seconds;
    },
    old: (kid = 'key-1', claims: JWTPayload = {}) => call(old, claims, kid),
    next: (kid = 'key-2', claims: JWTPayload = {}) => call(next, claims, kid),
  };
}

test('J11, J17: the keys are fetched once, from the listed address, and no secret is sent', async () => {
  const { old, fetched } = await startWith(keys(key1));
  expect([await old(), await old(), await old()]).toEqual(['accepted', 'accepted', 'accepted']);
  expect(fetched.map(({ url }) => url)).toEqual([JKU]);
  expect(fetched[0]?.options).toMatchObject({ privateNetwork: false });
  expect(fetched[0]?.options.authorization).toBeUndefined();
  expect(fetched[0]?.options.timeoutMs).toBeLessThanOrEqual(5000);
});

test('J17: simultaneous calls share one fetch', async () => {
  const { old, fetched } = await startWith(keys(key1));
  expect(new Set(await Promise.all(Array.from({ length: 10 }, () => old())))).toEqual(new Set(['accepted']));
  expect(fetched).toHaveLength(1);
});

test('J17: a slow key server gets one request at a time', async () => {
  const waiting: (() => void)[] = [];
  const fetchJson: FetchJson = () =>
    new Promise((done) => waiting.push(() => done({ body: { keys: [key1] }, maxAge: undefined })));
  const cache = createKeys(fetchJson, () => NOW * 1000);
  const first = Array.from({ length: 3 }, () => cache.of(JKU, false));
  const other = cache.of('https://other.example/jwks.json', false);
  expect(waiting).toHaveLength(2);
  for (const done of waiting) done();
  await Promise.all([...first, other]);
  expect(waiting).toHaveLength(2);
});

test('J17: a key server inside the hospital’s network is called if the client’s record says it is there', async () => {
  const { old: call, fetched } = await startWith(keys(key1), [{ ...old.client, privateNetwork: true }]);
  expect(await call()).toBe('accepted');
  expect(fetched[0]?.options.privateNetwork).toBe(true);
});

test('J5: only the listed address is ever called, and not for a token already refused', async () => {
  const { service, fetched } = await startWith(keys(key1));
  const verdicts = [
    await verdictOn(service, await old.token(SIGN, {}, { jku: 'https://evil.example/jwks.json' })),
    await verdictOn(service, await old.token(SIGN, {}, { jku: `${JKU}?x` })),
    await verdictOn(service, await old.token(SIGN, {}, { jku: `${JKU}/` })),
    await verdictOn(service, await old.token(SIGN, {}, { jku: JKU.toUpperCase() })),
    await verdictOn(service, await old.token(SIGN, {}, { jku: null as never })),
    await verdictOn(service, await old.token(SIGN, {}, { jku: [JKU] as never })),
    await verdictOn(service, await old.token(SIGN, { iss: 'https://evil.example' }, { jku: JKU })),
    await verdictOn(service, await old.token(SIGN, {}, { typ: 'JOSE' })),
    await verdictOn(service, await (await createClient({}, 'ES256')).token(SIGN)),
  ];
  expect(verdicts).toEqual(['jku', 'jku', 'jku', 'jku', 'jku', 'jku', 'issuer', 'type', 'algorithm']);
  expect(fetched).toEqual([]);
});

test('J5: a token may name the listed address', async () => {
  const { service, fetched } = await startWith(keys(key1));
  expect(await verdictOn(service, await old.token(SIGN, {}, { jku: JKU }))).toBe('accepted');
  expect(fetched.map(({ url }) => url)).toEqual([JKU]);
});

test('J5: an address listed for another client is refused', async () => {
  const jku = 'https://other.example/jwks.json';
  const other = { ...next.client, name: 'other', iss: 'https://other.example', jku, keys: undefined };
  const { service, fetched } = await startWith(keys(key1), [old.client, other]);
  expect(await verdictOn(service, await old.token(SIGN, {}, { jku }))).toBe('jku');
  expect(fetched).toEqual([]);
});

test('J5, J21: a client with keys in its record has no address', async () => {
  const { service, fetched } = await startWith(keys(key1), [next.client]);
  expect(await verdictOn(service, await next.token(SIGN, {}, { jku: JKU }))).toBe('jku');
  expect(await verdictOn(service, await next.token(SIGN))).toBe('accepted');
  expect(fetched).toEqual([]);
});

test('J5, J11: two key servers of one issuer are told apart by the address in the token', async () => {
  const second = 'https://ehr.example/second.json';
  const fetchJson: FetchJson = async (url) => ({
    body: { keys: [url === JKU ? key1 : { ...next.publicKey, kid: 'key-1' }] },
    maxAge: undefined,
  });
  const clients = [old.client, { ...old.client, name: 'second', jku: second }];
  const service = await startService({ mode: 'production', clients, fetchJson });
  open.push(service);
  expect(await verdictOn(service, await old.token(SIGN, {}, { jku: JKU }))).toBe('accepted');
  expect(await verdictOn(service, await next.token(SIGN, {}, { jku: second }))).toBe('accepted');
  expect(await verdictOn(service, await old.token(SIGN, {}, { jku: second }))).toBe('signature');
  expect(await verdictOn(service, await next.token(SIGN, {}, { jku: JKU }))).toBe('signature');
});

test('J11: the key is chosen by its kid', async () => {
  const { old, next } = await startWith(keys(key1, key2));
  expect([await old('key-1'), await next('key-2')]).toEqual(['accepted', 'accepted']);
  expect([await old('key-2'), await next('key-1')]).toEqual(['signature', 'signature']);
});

test('J17: a new key works after the cool-down, before the cache expires', async () => {
  const { old, next, says, at, fetched } = await startWith(lasting(3600, key1));
  expect(await old()).toBe('accepted');
  says(lasting(3600, key1, key2));
  at(29);
  expect(await next()).toBe('key');
  expect(fetched).toHaveLength(1);
  at(31);
  expect(await next()).toBe('accepted');
  expect(await old()).toBe('accepted');
  expect(fetched).toHaveLength(2);
});

test('J17: a removed key is refused once the set is fetched again', async () => {
  const { old, next, says, at } = await startWith(lasting(3600, key1));
  expect(await old()).toBe('accepted');
  says(lasting(3600, key2));
  at(31);
  expect(await next()).toBe('accepted');
  expect(await old()).toBe('key');
});

test('J11, J17: unknown kids cause one fetch per cool-down, however many arrive', async () => {
  const { old, at, fetched } = await startWith(lasting(3600, key1));
  expect(await old()).toBe('accepted');
  const unknown = () => Promise.all(Array.from({ length: 10 }, (_, at) => old(`unknown-${at}`)));
  const perRound: number[] = [];
  for (const seconds of [0, 10, 29, 31, 45, 60, 62]) {
    at(seconds);
    const before = fetched.length;
    expect(new Set([...(await unknown()), ...(await unknown())])).toEqual(new Set(['key']));
    perRound.push(fetched.length - before);
  }
  expect(perRound).toEqual([0, 0, 0, 1, 0, 0, 1]);
});

test('J17: unknown kids while the key server is down cause one fetch per cool-down, and known keys still work', async () => {
  const { old, says, at, fetched } = await startWith(lasting(3600, key1));
  expect(await old()).toBe('accepted');
  says('down');
  at(31);
  for (let count = 0; count < 5; count++) expect(await old('unknown')).toBe('key');
  expect(await old()).toBe('accepted');
  expect(fetched).toHaveLength(2);
});

test.each([
  ['none', 60, undefined],
  ['0', 60, 0],
  ['5 s', 60, 5],
  ['10 min', 600, 600],
  ['an hour', 3600, 3600],
  ['a day', 3600, DAY],
  ['a lifetime', 3600, 999_999_999],
])('J17: with a max-age of %s the keys are kept for %i s', async (_, kept, maxAge) => {
  const { old, at, fetched } = await startWith(lasting(maxAge, key1));
  expect(await old()).toBe('accepted');
  at(kept - 1);
  expect(await old()).toBe('accepted');
  expect(fetched).toHaveLength(1);
  at(kept);
  expect(await old()).toBe('accepted');
  expect(fetched).toHaveLength(2);
});

test('J17: old keys stay valid for a day while the key server is down, with one fetch per cool-down', async () => {
  const { old, says, at, fetched } = await startWith(keys(key1));
  expect(await old()).toBe('accepted');
  says('down');
  for (const seconds of [60, 60, 61, 89]) {
    at(seconds);
    expect(await old()).toBe('accepted');
  }
  expect(fetched).toHaveLength(2);
  for (const seconds of [91, 3600, 43_200, 60 + DAY - 1]) {
    at(seconds);
    expect(await old(), String(seconds)).toBe('accepted');
  }
  at(60 + DAY + 31);
  expect(await old()).toBe('key-server');
});

test('J17: the keys of a server that comes back after more than a day are accepted', async () => {
  const { old, next, says, at } = await startWith(keys(key1));
  expect(await old()).toBe('accepted');
  says('down');
  at(2 * DAY);
  expect(await old()).toBe('key-server');
  says(keys(key2));
  at(2 * DAY + 31);
  expect(await next()).toBe('accepted');
  expect(await old()).toBe('key');
});

test('J17: a key server that is down from the start causes refusals until it is up', async () => {
  const { old, says, at } = await startWith('down');
  expect(await old()).toBe('key-server');
  says(keys(key1));
  at(31);
  expect(await old()).toBe('accepted');
});

test.each([
  ['an EC private key', { ...key1, d: 'secret' }],
  ['an RSA private key as well', { kty: 'RSA', kid: 'r', n: 'x', e: 'AQAB', d: 'secret' }],
  ['a symmetric key as well', { kty: 'oct', kid: 'o', k: 'secret' }],
])('J17: a set with %s is refused as a whole', async (_, bad) => {
  const { old, service } = await startWith(keys(key1, bad));
  expect(await old()).toBe('key-server');
  expect(service.log.join('')).not.toContain('secret');
});

test.each<[string, unknown]>([
  ['a value that is not an object', 'x'],
  ['null', null],
  ['a list', [key1]],
  ['an object without keys', {}],
  ['keys that are not a list', { keys: key1 }],
  ['keys that are strings', { keys: ['x', null, 7] }],
])('J17: %s is refused as a key set and does not replace a valid one', async (_, body) => {
  const { old, says, at } = await startWith(keys(key1));
  expect(await old()).toBe('accepted');
  says({ body, maxAge: undefined });
  at(61);
  expect(await old()).toBe('accepted');
  const fresh = await startWith({ body, maxAge: undefined });
  expect(await fresh.old()).toBe('key-server');
});

test('J17: an empty set removes all keys', async () => {
  const { old, says, at } = await startWith(keys(key1));
  expect(await old()).toBe('accepted');
  says(keys());
  at(61);
  expect(await old()).toBe('key');
});

test('J11: an unusable key does not affect the others in its set', async () => {
  const { old } = await startWith(keys({ kty: 'EC', kid: 'odd', crv: 'P-0' }, { kty: 'AKP', kid: 'new' }, key1));
  expect(await old('key-1')).toBe('accepted');
  expect(['key', 'signature']).toContain(await old('odd'));
});

test('J11: a key set without kids is unusable', async () => {
  const { kid: _, ...nameless } = key1;
  const { old } = await startWith(keys(nameless));
  expect(await old('key-1')).toBe('key');
  expect(await old('undefined')).toBe('key');
});

/** A key server on this machine, fetched in the service's own way. */
async function startWithServer(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const fetchJson = createFetchJson();
  const client = { ...old.client, jku: `http://127.0.0.1:${port}/jwks`, privateNetwork: true };
  const service = await startService({ mode: 'production', clients: [client], fetchJson });
  open.push(service, fetchJson, { close: async () => server.close() });
  return service;
}
const jwks = JSON.stringify({ keys: [key1] });

test('J11, J17: keys over HTTP', async () => {
  const asked: string[] = [];
  const service = await startWithServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'no token'}`);
    response.setHeader('content-type', 'application/jwk-set+json').end(jwks);
  });
  expect(await verdictOn(service, await old.token(SIGN))).toBe('accepted');
  expect(asked).toEqual(['GET /jwks no token']);
});

test('J17: a redirect is not followed', async () => {
  const asked: (string | undefined)[] = [];
  const service = await startWithServer((request, response) => {
    asked.push(request.url);
    if (request.url === '/jwks') response.writeHead(302, { location: '/elsewhere' }).end();
    else response.end(jwks);
  });
  expect(await verdictOn(service, await old.token(SIGN))).toBe('key-server');
  expect(asked).toEqual(['/jwks']);
});

test.each<[string, RequestListener]>([
  ['a failure', (_, response) => response.writeHead(500).end(jwks)],
  ['nothing found', (_, response) => response.writeHead(404).end(jwks)],
  ['invalid JSON', (_, response) => response.end('<html>')],
  ['nothing', (_, response) => response.end()],
  ['a closed connection', (request) => request.socket.destroy()],
  ['an oversized body', (_, response) => response.end(`${jwks}${' '.repeat(17 * 1024 * 1024)}`)],
])('J17: from a key server %s is refused', async (_, listener) => {
  const service = await startWithServer(listener);
  expect(await verdictOn(service, await old.token(SIGN))).toBe('key-server');
});

test('J17: keys more than a day old are refused on every call, also during the cool-down', async () => {
  const { old, says, at } = await startWith(keys(key1));
  expect(await old()).toBe('accepted');
  says('down');
  at(2 * DAY);
  expect([await old(), await old(), await old()]).toEqual(['key-server', 'key-server', 'key-server']);
});

test.each([
  ['was down from the start', 'down' as const],
  ['returns a private key', keys({ ...key1, d: 'x' })],
])('J17: a key server that %s is called once per cool-down, whoever sends tokens', async (_, answer) => {
  const { service, old: call, fetched } = await startWith(answer);
  const stranger = await createClient();
  for (let count = 0; count < 5; count++) {
    expect(await call()).toBe('key-server');
    // A token with a listed issuer is enough to make the service ask.
    expect(await verdictOn(service, await stranger.token(SIGN))).toBe('key-server');
  }
  expect(fetched).toHaveLength(1);
});

test('J18: a published test key is rejected also when a key server returns it', async () => {
  const kid = '44823f3d-0b01-4a6c-a80e-b9d3e8a7226f';
  const { old } = await startWith(keys({ ...key1, kid }));
  expect(await old(kid)).toBe('key-server');
});
