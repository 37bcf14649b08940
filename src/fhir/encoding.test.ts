import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type Reply, startScriptedServer } from '../testing/fhir-server.ts';
import { type Budget, createBudgets, fetchBounds } from './budget.ts';
import { createFetchJson, type FetchFailed } from './fetch-json.ts';

let reply: Reply = () => undefined;
const server = await startScriptedServer({}, (response, seen) => reply(response, seen));
const fetchJson = createFetchJson();
afterAll(async () => {
  await fetchJson.close();
  await server.close();
});

/** What is read from an answer with these headers and bytes: its value, or why there is none. */
async function read(headers: Record<string, string>, bytes: Buffer, budget?: Budget): Promise<unknown> {
  reply = (response) => void response.writeHead(200, headers).end(bytes);
  const options = { client: 'ehr', privateNetwork: true, timeoutMs: 5000, accept: 'application/fhir+json' };
  try {
    return (await fetchJson(`${server.base}/x`, { ...options, ...(budget && { budget }) })).body;
  } catch (error) {
    return (error as FetchFailed).failure;
  }
}

const codings = {
  identity: (bytes: Buffer) => bytes,
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
/** Charsets that FHIR servers declare, rightly or wrongly, and the encoding of a text in each. */
const charsets: Record<string, (text: string) => Buffer> = {
  'utf-8': (text) => Buffer.from(text, 'utf8'),
  'UTF-8': (text) => Buffer.from(`\ufeff${text}`, 'utf8'),
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  'iso-8859-1': (text) => Buffer.from(text, 'latin1'),
};
const latin = fc.string({ unit: fc.integer({ min: 0xa0, max: 0xff }).map((code) => String.fromCharCode(code)) });
const anything = fc.string({ unit: 'grapheme' });

test('F2, F11: the request names the content codings that are read', async () => {
  await read({}, Buffer.from('{}'));
  expect(server.seen.at(-1)?.headers['accept-encoding']).toBe('gzip, br, deflate');
});

test('FS7, F10: text is decoded correctly, whatever its declared charset and coding', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(charsets)),
      fc.constantFrom(...(Object.keys(codings) as (keyof typeof codings)[])),
      latin,
      anything,
      async (charset, coding, letters, text) => {
        const body = { text: charset === 'iso-8859-1' ? letters : text };
        const bytes = (charsets[charset] as (text: string) => Buffer)(JSON.stringify(body));
        const headers = { 'content-type': `application/fhir+json; charset=${charset}`, 'content-encoding': coding };
        expect(await read(headers, codings[coding](bytes))).toEqual(body);
      },
    ),
    { numRuns: 150 },
  );
});

test('FS7, F10: bytes invalid in their charset are refused and never become other letters', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(undefined, 'application/fhir+json', 'application/json; charset=utf-8'),
      latin.filter((text) => text !== ''),
      async (type, text) => {
        const bytes = Buffer.from(JSON.stringify({ text }), 'latin1');
        const found = await read(type === undefined ? {} : { 'content-type': type }, bytes);
        // Some sequences of Latin-1 letters happen to be valid UTF-8.
        const asUtf8 = bytes.toString('utf8');
        expect(found).toEqual(asUtf8.includes('\ufffd') ? 'encoding' : JSON.parse(asUtf8));
      },
    ),
    { numRuns: 100 },
  );
});

test.each([
  ['an unknown charset', { 'content-type': 'application/json; charset=klingon' }, Buffer.from('{}')],
  ['a coding that was not requested', { 'content-encoding': 'zstd' }, Buffer.from('{}')],
  ['two codings', { 'content-encoding': 'gzip, br' }, gzipSync('{}')],
  ['an uncompressed answer that is declared as compressed', { 'content-encoding': 'gzip' }, Buffer.from('{"a": 1}')],
  [
    'a compressed answer that is cut off',
    { 'content-encoding': 'gzip' },
    gzipSync(`"${'x'.repeat(5000)}"`).subarray(0, 30),
  ],
])('F10: %s', async (_, headers, bytes) => {
  expect(await read(headers, bytes)).toBe('encoding');
});

test('FS7, F9: a small answer that decompresses to a large one is aborted', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
  expect(bomb.length).toBeLessThan(100_000);
  expect(await read({ 'content-encoding': 'gzip' }, bomb)).toBe('too-large');
});

test('FS10, F9: bytes and parts are counted over all answers of a call; the limit is allowed and one more is not', async () => {
  const bounds = { ...fetchBounds, call: { bytes: 100, parts: 10, resources: 1 } };
  const fifty = Buffer.from(`"${'x'.repeat(48)}"`);
  const budget = createBudgets(bounds)('ehr');
  expect([await read({}, fifty, budget), await read({}, fifty, budget)]).toEqual(['x'.repeat(48), 'x'.repeat(48)]);
  expect(await read({}, Buffer.from('1'), budget)).toBe('too-large');
  expect(await read({}, Buffer.from('[1,2,3,4,5,6,7,8,9,10]'), createBudgets(bounds)('ehr'))).toHaveLength(10);
  expect(await read({}, Buffer.from('[1,2,3,4,5,6,7,8,9,10,11]'), createBudgets(bounds)('ehr'))).toBe('too-large');
});

test('F9: one client’s use leaves room for another and is released afterwards', async () => {
  const bounds = {
    ...fetchBounds,
    call: { ...fetchBounds.call, bytes: 100 },
    client: { bytes: 100 },
    all: { bytes: 150 },
  };
  const budgets = createBudgets(bounds);
  const eighty = Buffer.from(`"${'x'.repeat(78)}"`);
  const [first, second, other] = [budgets('ehr'), budgets('ehr'), budgets('other')];
  expect(await read({}, eighty, first)).toHaveLength(78);
  expect(await read({}, eighty, second)).toBe('too-large');
  expect(await read({}, Buffer.from('"x"'), other)).toBe('x');
  expect(await read({}, eighty, other)).toBe('too-large');
  first.end();
  expect(await read({}, eighty, budgets('ehr'))).toHaveLength(78);
});
