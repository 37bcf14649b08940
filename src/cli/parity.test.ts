import { afterAll, beforeEach, expect, test } from 'vitest';
import { json, startFhirServer, startScriptedServer, status } from '../testing/fhir-server.ts';
import { prescription } from '../testing/request.ts';
import { TAG } from './parity/record.ts';
import { run } from './parity.ts';

const TOKEN = 'tester';
const server = await startFhirServer();
afterAll(() => server.close());
beforeEach(() => server.add(TOKEN, []));

/** What the command says and its exit code. */
async function parity(...words: string[]) {
  const lines: string[] = [];
  const code = await run(['--fhir', server.base, ...words], TOKEN, (line) => lines.push(line));
  return { code, said: lines.join('\n') };
}

/** What the server has: by type, or all that was ever written to it. */
async function held(type: string): Promise<{ total: number }> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const bundle = (await (await fetch(`${server.base}/${type}?_count=1000`, { headers })).json()) as {
    entry?: unknown[];
  };
  return { total: bundle.entry?.length ?? 0 };
}

// One bundle of each kind: a card with a suggestion, silence, 412, a medicine by reference, a list from two parts.
const SOME =
  '^(laro-benzodiazepines/zopiclone-in-laro-outpatient|opioid-start/oxycodone-without-stop-date|not-checked/chart-opened-list-absent|naltrexone/)';

test('FS14, F7: the patients of the bundles get from a FHIR server the answers that are expected, by GET and by POST', async () => {
  for (const more of [[], ['--post']]) {
    const { code, said } = await parity('--yes', '--only', SOME, ...more);
    expect(said).toMatch(/\b(\d+) of \1 answers are the same from the server as expected/);
    expect(code).toBe(0);
  }
  const methods = new Set(server.seen.map(({ method, path }) => `${method} ${path.split('/').at(-1)?.split('?')[0]}`));
  expect(methods).toContain('POST _search');
});

test('it leaves nothing behind, and writes under ids of its own and our tag only', async () => {
  await server.add(TOKEN, [{ resourceType: 'Patient', id: 'kari' }, prescription('m', 'methadone')]);
  const before = server.seen.length;
  await parity('--yes', '--only', SOME);
  expect([await held('Patient'), await held('MedicationRequest')]).toEqual([{ total: 1 }, { total: 1 }]);
  const written = server.seen
    .slice(before)
    .filter(({ method, path }) => method === 'POST' && path === '')
    .flatMap(
      ({ body }) => JSON.parse(body).entry as { request: { method: string; url: string }; resource: Resource }[],
    );
  expect(written.length).toBeGreaterThan(100);
  const deleted = server.seen.slice(before).filter(({ method }) => method === 'DELETE');
  expect(new Set(deleted.map(({ path }) => path))).toEqual(new Set(written.map(({ request }) => request.url)));
  for (const { request, resource } of written) {
    expect(request.url).toMatch(/^[A-Za-z]+\/p[0-9a-f]{8}-\d+-\d+$/);
    expect(resource.meta.tag).toEqual([TAG]);
  }
});
type Resource = { meta: { tag: object[] } };

test('a server on which patients of an earlier run are left is refused, until they are deleted', async () => {
  await server.add(TOKEN, [
    { resourceType: 'Patient', id: 'left', meta: { tag: [TAG] } },
    { resourceType: 'Patient', id: 'own' },
  ]);
  const refused = await parity('--yes', '--only', SOME);
  expect([refused.code, refused.said]).toEqual([2, expect.stringContaining('--clean')]);
  expect((await parity('--yes', '--clean')).code).toBe(0);
  expect(await held('Patient')).toEqual({ total: 1 });
  expect((await parity('--yes', '--only', SOME)).code).toBe(0);
});

test('it asks before it writes, and without a terminal it does not', async () => {
  const before = server.seen.length;
  const { code, said } = await parity('--only', SOME);
  expect([code, said]).toEqual([2, expect.stringContaining('--yes')]);
  expect(server.seen.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('where answers differ it says which, how and why', async () => {
  const trace = { sections: { medications: 'partial', conditions: 'complete' } };
  const other = await startScriptedServer({}, json({ cards: [], extension: { 'org.nordic-opioid-cds': { trace } } }));
  const words = ['--yes', '--service', other.origin, '--only', '^laro-benzodiazepines/zopiclone-in-laro-outpatient$'];
  const { code, said } = await parity(...words);
  await other.close();
  expect(code).toBe(1);
  expect(said).toMatch(/zopiclone-in-laro-outpatient: cards: expected \["laro-sedative-ordered"\], got \[\]/);
  expect(said).toContain('incomplete: medications partial');
  expect(said).toContain('0 of 1 answers');
});

test.each([
  ['no server is named', [], 'Usage'],
  ['the address is none', ['--fhir', 'file:///etc/passwd'], '--fhir'],
  ['an option is not known', ['--fhir', 'http://127.0.0.1:9/r4', '--force'], '--force'],
])('%s: said in words, exit code 2', async (_, words, said) => {
  const lines: string[] = [];
  expect(await run(words, undefined, (line) => lines.push(line))).toBe(2);
  expect(lines.join('\n')).toContain(said);
});

test('what is not a FHIR R4 server, and one that refuses, is named with its status', async () => {
  const other = await startScriptedServer({}, status(503));
  const lines: string[] = [];
  expect(await run(['--fhir', other.base, '--yes'], undefined, (line) => lines.push(line))).toBe(2);
  expect(lines.join('\n')).toContain('HTTP 503');
  await other.close();
});
