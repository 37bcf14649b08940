import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { PUBLIC_URL, root } from '../testing/app.ts';
import { createClient, NOW, SIGN } from '../testing/client.ts';

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ehr = await createClient();
const region = await createClient({ name: 'region', iss: 'https://region.example', tenants: ['north', 'south'] });
const remote = await createClient({
  name: 'remote',
  iss: 'https://remote.example',
  // A local address, which is refused before anything is sent.
  jku: 'https://127.0.0.1:1/jwks',
  keys: undefined,
});
const stranger = await createClient();
const otherKind = await createClient({}, 'ES256');

// Every JSON file is also a YAML file.
const clients = join(folder, 'clients.yaml');
writeFileSync(clients, JSON.stringify({ clients: [ehr, region, remote].map(({ client }) => client) }));

function run(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = ['--disable-warning=ExperimentalWarning', 'src/cli/verify-token.ts', ...words];
  return new Promise((done) => {
    execFile(process.execPath, program, { cwd: root }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
const verify = (token: string, now = String(NOW)) =>
  run(token, '--clients', clients, '--url', `${PUBLIC_URL}${SIGN}`, '--now', now);

test('J2, J21: a valid token is reported with its header and claims but not its signature', async () => {
  const token = await ehr.token(SIGN, { sub: 'epic' });
  const { code, stdout, stderr } = await verify(token);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.trim().split('\n').at(-1)).toBe('valid: client ehr');
  expect(stdout).toContain('"sub":"epic"');
  expect(stdout).not.toContain(token.split('.')[2]);
});

test('J10: the tenant of a valid token is reported', async () => {
  const { code, stdout } = await verify(await region.token(SIGN, { tenant: 'south' }));
  expect([code, stdout.trim().split('\n').at(-1)]).toEqual([0, 'valid: client region, tenant south']);
});

const of = (claims: JWTPayload, header: object = {}, { token } = ehr) => token(SIGN, claims, header);
const left = { exp: undefined } as never;

test.concurrent.each<[reason: string, token: () => string | Promise<string>, word: string]>([
  ['no-token', () => '', 'empty'],
  ['no-token', () => 'a b', 'blanks'],
  ['malformed', () => 'a.b', 'three parts'],
  ['type', () => of({}, { typ: 'JOSE' }), 'typ'],
  ['key-id', () => of({}, { kid: undefined }), 'kid'],
  ['claims', () => of(left), 'exp'],
  ['issuer', () => of({ iss: 'https://evil.example' }), 'iss'],
  ['jku', () => of({}, { jku: 'https://evil.example' }), 'jku'],
  ['algorithm', () => of({}, {}, otherKind), 'alg'],
  ['key', () => of({}, { kid: 'key-2' }), 'kid'],
  ['key-server', () => of({ iss: remote.client.iss }, {}, remote), 'fetched'],
  ['signature', () => of({}, {}, stranger), 'signature'],
  ['audience', () => of({ aud: `${PUBLIC_URL}/cds-services` }), 'aud'],
  ['expired', () => of({ exp: NOW - 60 }), 'exp'],
  ['not-yet-valid', () => of({ iat: NOW + 61 }), 'iat'],
  ['not-yet-valid', () => of({ nbf: NOW + 61 }), 'nbf'],
  ['lifetime', () => of({ exp: NOW + 3601 }), 'hour'],
  ['tenant', () => of({ iss: region.client.iss, tenant: 'east' }, {}, region), 'tenant'],
])('J3–J13: a refusal says %s, and what is required', async (reason, make, word) => {
  const token = await make();
  const { code, stdout, stderr } = await verify(token);
  expect([code, stderr]).toEqual([1, '']);
  const last = stdout.trim().split('\n').at(-1) as string;
  expect(last).toMatch(new RegExp(`^refused \\(${reason}\\): .*${word}`));
  const signature = token.split('.')[2];
  if (signature) expect(stdout).not.toContain(signature);
});

test('J9: without --now the machine’s clock counts', async () => {
  const { code, stdout } = await run(await ehr.token(SIGN), '--clients', clients, '--url', `${PUBLIC_URL}${SIGN}`);
  expect([code, stdout]).toEqual([1, expect.stringContaining('refused (expired)')]);
});

test('J6: the token is checked against the called address', async () => {
  const token = await ehr.token('/cds-services');
  const { stdout } = await run(
    token,
    '--clients',
    clients,
    '--url',
    `${PUBLIC_URL}/cds-services/`,
    '--now',
    String(NOW),
  );
  expect(stdout).toContain('valid: client ehr');
});

test('J14: a token can be verified twice', async () => {
  const token = await ehr.token(SIGN);
  expect([(await verify(token)).code, (await verify(token)).code]).toEqual([0, 0]);
});

test.concurrent.each([
  ['no arguments', []],
  ['no client file', ['token', '--url', 'https://cds.example/x']],
  ['no address', ['token', '--clients', 'clients.yaml']],
  ['an unknown option', ['token', '--key', 'x']],
])('called with %s it prints its usage and exits with 2', async (_, words) => {
  const { code, stdout, stderr } = await run(...words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toBe('');
});

test('problems of the client file are reported with file and line', async () => {
  const other = join(folder, 'other.yaml');
  writeFileSync(
    other,
    'clients:\n  - name: ehr\n    iss: https://ehr.example\n    trusted: true\n    jku: https://ehr.example/jwks\n',
  );
  const { code, stderr } = await run(await ehr.token(SIGN), '--clients', other, '--url', `${PUBLIC_URL}${SIGN}`);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`${other}:4: `);
});

test.each(['tomorrow', '2026-03-02', '2026-03-02T09:00:00Z'])(
  'J9: --now %s is reported as not a time in seconds rather than as a refused token',
  async (now) => {
    const { code, stdout, stderr } = await verify(await ehr.token(SIGN), now);
    expect(stdout).not.toContain('refused');
    expect(stderr).toContain('--now');
    expect(code).toBe(2);
  },
);

test('without a client file the token is not judged', async () => {
  const address = `${PUBLIC_URL}${SIGN}`;
  const { code, stdout, stderr } = await run(await ehr.token(SIGN), '--clients', 'none.yaml', '--url', address);
  expect(stdout).not.toContain('refused');
  expect(stderr).toContain('none.yaml');
  expect(code).toBe(2);
});
