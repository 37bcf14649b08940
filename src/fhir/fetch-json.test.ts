import { afterEach, describe, expect, test, vi } from 'vitest';
import { faults, json, type Reply, redirect, startScriptedServer, status } from '../testing/fhir-server.ts';
import { createFetchJson, FetchFailed, type FetchOptions } from './fetch-json.ts';

const TOKEN = 'Bearer very-secret-token';
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of cleanup.splice(0).reverse()) await close();
});

/** A server with one answer, and a client that calls it with short timeouts. */
async function asking(reply: Reply | Record<string, Reply>) {
  const server = await startScriptedServer(
    typeof reply === 'function' ? {} : reply,
    typeof reply === 'function' ? reply : json({}),
  );
  const fetchJson = createFetchJson();
  cleanup.push(server.close, fetchJson.close);
  const ask = (url = `${server.base}/x`, more: Partial<FetchOptions> = {}) =>
    fetchJson(url, {
      client: 'ehr',
      circuit: { server: new URL(url).origin, counts: true },
      privateNetwork: true,
      timeoutMs: 5000,
      accept: 'application/fhir+json',
      authorization: TOKEN,
      ...more,
    });
  return { server, ask, failure: async (...given: Parameters<typeof ask>) => failureOf(ask(...given)) };
}

async function failureOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FetchFailed);
  const { failure, message, stack } = error as FetchFailed;
  expect(`${message} ${stack} ${JSON.stringify(error)}`).not.toMatch(/secret|127\.0\.0\.1|localhost/);
  return failure;
}

describe('successful answers', () => {
  test('F2, F11: a GET states what it accepts and who calls', async () => {
    const { server, ask } = await asking(json({ resourceType: 'Bundle' }));
    expect(await ask()).toEqual({ body: { resourceType: 'Bundle' }, maxAge: undefined });
    expect(server.seen).toMatchObject([
      { method: 'GET', path: 'x', headers: { accept: 'application/fhir+json', authorization: TOKEN } },
    ]);
  });

  test('F1: without a token none is sent', async () => {
    const { server, ask } = await asking(json({}));
    const fetchJson = createFetchJson();
    cleanup.push(fetchJson.close);
    await fetchJson(`${server.base}/x`, {
      client: 'ehr',
      privateNetwork: true,
      timeoutMs: 5000,
      accept: 'application/json',
    });
    await ask();
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, TOKEN]);
  });

  test('F11: a form is posted', async () => {
    const { server, ask } = await asking(json({}));
    await ask(undefined, { form: 'patient=a%26b&_count=500' });
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        body: 'patient=a%26b&_count=500',
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: TOKEN },
      },
    ]);
  });

  test.each([
    ['max-age=60', 60],
    ['public, max-age=0', 0],
    ['no-store', undefined],
  ])('an answer may be kept for as long as its server says: %s', async (header, maxAge) => {
    const { ask } = await asking((response) => response.writeHead(200, { 'cache-control': header }).end('{}'));
    expect(await ask()).toEqual({ body: {}, maxAge });
  });
});

describe('F10: failures', () => {
  test.each([201, 204, 400, 401, 403, 404, 405, 410, 429, 500, 501, 502, 503, 504])(
    'F10: status %i is not data, whatever its body',
    async (code) => {
      const { failure } = await asking(status(code));
      expect(await failure()).toBe('status');
    },
  );

  test.each([
    ['html', 'not-json'],
    ['truncated', 'not-json'],
    ['empty', 'not-json'],
    ['drop', 'unreachable'],
    ['cutOff', 'unreachable'],
    ['endless', 'too-large'],
    ['nested', 'too-large'],
  ] as const)('F10: %s is %s', async (fault, expected) => {
    const { failure } = await asking(faults[fault]);
    expect(await failure()).toBe(expected);
  });

  test.each([
    ['hang', 'timeout'],
    ['stall', 'timeout'],
  ] as const)('F9: a server that does %s is given up', async (fault, expected) => {
    const { failure } = await asking(faults[fault]);
    expect(await failure(undefined, { timeoutMs: 200 })).toBe(expected);
  });

  test('F9: a failure whose body never ends is aborted too', async () => {
    const { failure } = await asking(faults.stallAt500);
    expect(['status', 'timeout']).toContain(await failure(undefined, { timeoutMs: 200 }));
  });

  test('F9: a caller that has given up gets no answer, and the server is not blamed', async () => {
    const { server, failure, ask } = await asking({ slow: faults.hang, fast: json({}) });
    for (let count = 0; count < 6; count++) {
      const stop = new AbortController();
      const asked = failure(`${server.base}/slow`, { signal: stop.signal });
      await vi.waitFor(() => expect(server.seen).toHaveLength(count + 1));
      stop.abort();
      expect(await asked).toBe('too-late');
    }
    expect((await ask(`${server.base}/fast`)).body).toEqual({});
  });

  test('F10: a server that does not listen is a failure', async () => {
    const { server, failure } = await asking(json({}));
    await server.close();
    expect(await failure()).toBe('unreachable');
  });
});

describe('F8: addresses', () => {
  test.each([301, 302, 303, 307, 308])('F8: a redirect by %i is not followed', async (code) => {
    const inner = await startScriptedServer({});
    cleanup.push(inner.close);
    for (const to of [`${inner.base}/x`, 'http://169.254.169.254/latest/meta-data/']) {
      const { server, failure } = await asking(redirect(to, code));
      expect(await failure()).toBe('redirect');
      expect(server.seen).toHaveLength(1);
    }
    expect(inner.connections()).toBe(0);
  });

  test.each([
    'http://127.0.0.1:PORT/r4/x',
    'http://127.1:PORT/r4/x',
    'http://2130706433:PORT/r4/x',
    'http://0x7f000001:PORT/r4/x',
    'http://0177.0.0.1:PORT/r4/x',
    'http://127.0.0.1.:PORT/r4/x',
    'http://[::ffff:127.0.0.1]:PORT/r4/x',
    'http://[::ffff:7f00:1]:PORT/r4/x',
    'http://[::1]:PORT/r4/x',
    'http://localhost:PORT/r4/x',
    'http://LOCALHOST:PORT/r4/x',
    'http://user:password@127.0.0.1:PORT/r4/x',
    'http://user:password@localhost:PORT/r4/x',
  ])('F8: %s is not connected to for an outside client', async (address) => {
    const { server, failure } = await asking(json({}));
    const url = address.replace('PORT', String(server.port));
    expect(await failure(url, { privateNetwork: false })).toBe('refused-address');
    expect(server.connections()).toBe(0);
  });

  test.each([
    'http://0.0.0.0:PORT/r4/x',
    'http://0:PORT/r4/x',
    'http://[::]:PORT/r4/x',
    'http://[::ffff:0:0]:PORT/r4/x',
  ])('F8: %s leads to the local machine on many systems and is refused for everyone', async (address) => {
    const { server, failure } = await asking(json({}));
    expect(await failure(address.replace('PORT', String(server.port)))).toBe('refused-address');
    expect(server.connections()).toBe(0);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[fe80::1]/',
  ])('F8: %s is refused for a client inside the hospital’s network', async (url) => {
    const { failure } = await asking(json({}));
    expect(await failure(url)).toBe('refused-address');
  });

  test('F8: a name is resolved and its address checked when connecting', async () => {
    const { server, ask } = await asking(json({ resourceType: 'Patient' }));
    const url = `http://localhost:${server.port}/r4/x`;
    expect((await ask(url)).body).toEqual({ resourceType: 'Patient' });
    expect(server.connections()).toBe(1);
  });
});

describe('F9: a server that fails repeatedly', () => {
  const failures = async (asked: () => Promise<string>, count: number) => {
    const found: string[] = [];
    for (let at = 0; at < count; at++) found.push(await asked());
    return found;
  };

  test.each([
    ['drop', faults.drop, 'unreachable'],
    ['500', status(500), 'status'],
    ['503', status(503), 'status'],
  ] as const)('F9: after five times %s the server is left alone', async (_, reply, expected) => {
    const { server, failure } = await asking(reply);
    expect(await failures(failure, 5)).toEqual(Array(5).fill(expected));
    const [seen, connections] = [server.seen.length, server.connections()];
    expect(await failures(failure, 5)).toEqual(Array(5).fill('circuit-open'));
    expect([server.seen.length, server.connections()]).toEqual([seen, connections]);
  });

  test('F9: after five calls without an answer the server is left alone', async () => {
    const { server, failure } = await asking(faults.hang);
    const impatient = () => failure(undefined, { timeoutMs: 50 });
    expect(await failures(impatient, 5)).toEqual(Array(5).fill('timeout'));
    const connections = server.connections();
    expect(await impatient()).toBe('circuit-open');
    expect(server.connections()).toBe(connections);
  });

  test('F9: another server is still called', async () => {
    const other = await startScriptedServer({}, json({ resourceType: 'Patient' }));
    cleanup.push(other.close);
    const { failure, ask } = await asking(faults.drop);
    await failures(failure, 6);
    expect((await ask(`${other.base}/x`)).body).toEqual({ resourceType: 'Patient' });
  });

  test('F9: four failures are forgotten after a success', async () => {
    const { server, failure, ask } = await asking({ bad: status(500), good: json({}) });
    for (let round = 0; round < 3; round++) {
      expect(await failures(() => failure(`${server.base}/bad`), 4)).toEqual(Array(4).fill('status'));
      await ask(`${server.base}/good`);
    }
  });

  test.each([401, 403, 404, 410, 429])('F10: status %i concerns the call and not the server', async (code) => {
    const { failure } = await asking(status(code));
    expect(await failures(failure, 8)).toEqual(Array(8).fill('status'));
  });

  test('F9: after a pause the server is tried once, and used again if it answers', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let well = false;
    const { server, failure, ask } = await asking((response, seen) =>
      well ? json({})(response, seen) : status(500)(response, seen),
    );
    await failures(failure, 6);
    vi.setSystemTime(Date.now() + 60_000);
    expect(await failures(failure, 2)).toEqual(['status', 'circuit-open']);
    expect(server.seen).toHaveLength(6);
    vi.setSystemTime(Date.now() + 60_000);
    well = true;
    expect((await ask()).body).toEqual({});
    expect((await ask()).body).toEqual({});
  });
});
