import { afterAll, beforeEach, expect, test } from 'vitest';
import { json, startFhirServer, startScriptedServer, status } from '../testing/fhir-server.ts';
import { prescription } from '../testing/request.ts';
import { TAG } from './parity/record.ts';
import { run } from './parity.ts';

const TOKEN = 'tester';
const server = await startFhirServer();
afterAll(() => server.close());
beforeEach(() => server.add(TOKEN, []));

/** The output of the command and its exit code. */
async function parity(...words: string[]) {
  const lines: string[] = [];
  const code = await run(['--fhir', server.base, ...words], TOKEN, (line) => lines.push(line));
  return { code, said: lines.join('\n') };
}

/** The resources on the server: by type, or everything ever written to it. */
async function held(type: string): Promise<{ total: number }> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const bundle = (await (await fetch(`${server.base}/${type}?_count=1000`, { headers })).json()) as {
    entry?: unknown[];
  };
  return { total: bundle.entry?.length ?? 0 };
}

// One bundle of each kind: a card with a suggestion, silence, 412, a medicine by reference, a list in two parts.
const SOME =
  '^(laro-benzodiazepines/zopiclone-in-laro-outpatient|opioid-start/oxycodone-without-stop-date|not-checked/chart-opened-list-absent|naltrexone/)';

test('FS14, F7: the bundles’ patients get the expected answers from a FHIR server, by GET and by POST', async () => {
  for (const more of [[], ['--post']]) {
    const { code, said } = await parity('--yes', '--only', SOME, ...more);
    expect(said).toMatch(/\b(\d+) of \1 answers are the same from the server as expected/);
    expect(code).toBe(0);
  }
  const methods = new Set(server.seen.map(({ method, path }) => `${method} ${path.split('/').at(-1)?.split('?')[0]}`));
  expect(methods).toContain('POST _search');
});

test('it leaves nothing behind, and writes only ids of its own with our tag', async () => {
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

test('a server with patients left from an earlier run is refused until they are deleted', async () => {
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

test('it asks before writing, and does not write without a terminal', async () => {
  const before = server.seen.length;
  const { code, said } = await parity('--only', SOME);
  expect([code, said]).toEqual([2, expect.stringContaining('--yes')]);
  expect(server.seen.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('differing answers are reported with which, how and why', async () => {
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
  ['no server', [], 'Usage'],
  ['an invalid address', ['--fhir', 'file:///etc/passwd'], '--fhir'],
  ['an unknown option', ['--fhir', 'http://127.0.0.1:9/r4', '--force'], '--force'],
])('%s is reported in words, with exit code 2', async (_, words, said) => {
  const lines: string[] = [];
  expect(await run(words, undefined, (line) => lines.push(line))).toBe(2);
  expect(lines.join('\n')).toContain(said);
});

test('a failing FHIR server is reported with its status', async () => {
  const other = await startScriptedServer({}, status(503));
  const lines: string[] = [];
  expect(await run(['--fhir', other.base, '--yes'], undefined, (line) => lines.push(line))).toBe(2);
  expect(lines.join('\n')).toContain('HTTP 503');
  await other.close();
});
