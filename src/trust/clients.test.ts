import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { serviceId } from '../brand.ts';
import { hooks } from '../rules/schema.ts';
import { root } from '../testing/app.ts';
import type { Problem } from '../yaml.ts';
import { readClients, silentFor } from './clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
const path = join(folder, 'clients.yaml');
const services = hooks.map(serviceId);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(yaml: string) {
  writeFileSync(path, yaml);
  const problems: Problem[] = [];
  const clients = readClients(path, problems, services);
  return { clients, problems };
}

/** The public half of an invented key. */
const KEY =
  '{kty: EC, crv: P-384, kid: key-1, x: 2jCG5DmKUql9YPn7F2C-0ljWEbj8O8-vn5Ih1k7Wzb-y3NpBLiG1BiRa392b1kcQ, y: 7Ragi9rT-5tSzaMbJlH_EIJl6rNFfj4V4RyFM5U2z4j1hesX5JXa8dWOsE-5wPIl}';

/** A valid file; tests add a line to its second client or replace one. */
const GOOD = `clients:
  - name: first
    iss: https://first.example
    jku: https://first.example/jwks.json
  - name: second
    iss: https://second.example
    keys:
      - ${KEY}
`;

/** The problems reported for a line of a file, found by its text. */
function saidOf(yaml: string, line: string): string[] {
  const { problems } = read(yaml);
  const number = yaml.split('\n').findIndex((text) => text.includes(line)) + 1;
  expect(number).toBeGreaterThan(0);
  expect(problems.every(({ file }) => file === path)).toBe(true);
  return problems.filter((problem) => problem.line === number).map(({ message }) => message);
}

test('J5, J8, J13, J14: a minimal record gets the safe settings', () => {
  const { clients, problems } = read(GOOD);
  expect(problems).toEqual([]);
  expect(clients).toHaveLength(2);
  expect(clients[0]).toEqual({
    name: 'first',
    iss: 'https://first.example',
    jku: 'https://first.example/jwks.json',
    audiences: [],
    algorithms: ['ES384', 'RS384'],
    fhirServers: [],
    fhirServerAliases: {},
    privateNetwork: false,
    origins: [],
    replay: 'strict',
    optionalClaims: [],
    explain: false,
    silent: [],
    requestsPerMinute: 600,
    profile: { suggestions: true, oneAction: false, deleteBy: 'resourceId' },
  });
});

test('J21: a record may hold the keys, with or without an address', () => {
  const { clients } = read(`${GOOD}    jku: https://second.example/jwks.json\n`);
  expect(clients[1]).toMatchObject({ jku: 'https://second.example/jwks.json', keys: [{ kid: 'key-1', kty: 'EC' }] });
});

test('a service can use the example of the documentation', () => {
  const problems: Problem[] = [];
  expect(readClients(join(root, 'docs/clients.example.yaml'), problems, services).length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});

test('every setting can be given', () => {
  const { clients, problems } = read(`${GOOD}    audiences: [sand_man]
    algorithms: [ES256]
    tenants: [north]
    fhirServers: [https://fhir.second.example/r4]
    fhirServerAliases: {https://fhir.second.example/r4: [http://inner.second.example:8080/fhir]}
    privateNetwork: true
    origins: [https://second.example]
    replay: warn
    optionalClaims: [jti, iat]
    services: [nordic-opioid-order-sign]
    explain: true
    silent: [{tenants: [north], rules: [a-rule], from: 2026-03-02, to: 2026-03-02}, {}]
    requestsPerMinute: 1
    profile: {selectionBehavior: any, suggestions: false, oneAction: true}
`);
  expect(problems).toEqual([]);
  expect(clients[1]).toMatchObject({ replay: 'warn', tenants: ['north'], profile: { selectionBehavior: 'any' } });
});

test.each([
  ['J12', 'algorithms: [none]'],
  ['J12', 'algorithms: [HS256]'],
  ['J12', 'algorithms: [ES384, HS512]'],
  ['J13', 'algorithms: []'],
  ['J10', 'tenants: []'],
  ['J10', "tenants: ['']"],
  ['J10', 'tenant: north'],
  ['J8', "audiences: ['']"],
  ['J14', 'replay: no'],
  ['J14', 'replay: off'],
  ['J4', 'optionalClaims: [exp]'],
  ['J4', 'optionalClaims: [iss]'],
  ['J4', 'optionalClaims: [aud]'],
  ['J5', 'jku: second.example/jwks.json'],
  ['J5', 'jku: file:///etc/passwd'],
  ['F1', 'fhirServers: [ftp://fhir.example]'],
  ['F1', 'fhirServers: https://fhir.example'],
  ['F8', 'fhirServerAliases: [http://inner.example]'],
  ['F8', 'fhirServerAliases: {https://fhir.second.example/r4: []}'],
  ['F8', 'fhirServerAliases: {https://fhir.second.example/r4: [inner.example]}'],
  ['C3', 'origins: ["*"]'],
  ['C3', 'origins: [second.example]'],
  ['J16', 'services: nordic-opioid-order-sign'],
  ['E1', 'explain: yes please'],
  ['trial', 'silent: true'],
  ['trial', 'silent: [{tenant: north}]'],
  ['trial', 'silent: [{tenants: []}]'],
  ['trial', 'silent: [{from: 2026-03}]'],
  ['trial', 'silent: [{from: 2026-02-30}]'],
  ['trial', 'silent: [{from: 2026-03-03, to: 2026-03-02}]'],
  ['limits', 'requestsPerMinute: 0'],
  ['limits', 'requestsPerMinute: -1'],
  ['limits', 'requestsPerMinute: 1.5'],
  ['K12', 'profile: {selectionBehavior: all}'],
  ['K12', 'profile: {oneActions: true}'],
  ['A11', 'profile: {deleteBy: id}'],
  ['J1', 'trusted: true'],
])('%s: %s is reported with its line, and no client is served', (_, line) => {
  expect(saidOf(`${GOOD}    ${line}\n`, line).join()).not.toBe('');
  expect(read(`${GOOD}    ${line}\n`).clients).toEqual([]);
});

test.each(['Second', 'second client', '-second', 'sécond', `a${'b'.repeat(50)}`])(
  'the name %j is reported with its line',
  (name) => {
    expect(saidOf(GOOD.replace('name: second', `name: ${name}`), `name: ${name}`)).toHaveLength(1);
  },
);

test('J5, J21: a client without jku and keys is reported', () => {
  const { problems, clients } = read(GOOD.replace('    jku: https://first.example/jwks.json\n', ''));
  expect(problems.map(({ line, message }) => [line, message])).toEqual([[2, 'clients.0: jku or keys is required']]);
  expect(clients).toEqual([]);
});

test.each([
  ['J12, a symmetric key', 'kty: EC', 'kty: oct, k: c2VjcmV0', 'kty'],
  ['J11, a key without kid', 'kid: key-1, ', '', 'kid'],
  ['J11, an empty kid', 'kid: key-1', "kid: ''", 'kid'],
  ['a private key', 'kid: key-1', 'kid: key-1, d: c2VjcmV0', 'private'],
  ['an RSA private key', 'kty: EC', 'kty: RSA, n: bg, e: AQAB, d: c2VjcmV0', 'private'],
])('%s is reported with its line, and the key itself is not repeated', (_, text, by, word) => {
  const yaml = GOOD.replace(KEY, KEY.replace(text, by));
  const { problems } = read(yaml);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.map(({ line }) => line)).toEqual(problems.map(() => 8));
  expect(problems.map(({ message }) => message).join()).toContain(word);
  expect(JSON.stringify(problems)).not.toContain('c2VjcmV0');
});

test('T1: every address without https is reported', () => {
  const yaml = `${GOOD}    fhirServers:
      - http://fhir.second.example/r4
`;
  expect(saidOf(yaml, 'http://fhir.second.example')).toEqual(['second: http://fhir.second.example/r4: https only']);
  const { problems } = read(
    `${GOOD.replace('jku: https:', 'jku: http:')}    fhirServers: [http://fhir.second.example/r4]\n    origins: [http://second.example]\n`,
  );
  expect(problems.map(({ message }) => message)).toEqual([
    'first: http://first.example/jwks.json: https only',
    'second: http://fhir.second.example/r4: https only',
    'second: http://second.example: https only',
  ]);
});

test('F8: an alias of a server that the client does not list is reported', () => {
  const yaml = `${GOOD}    fhirServerAliases: {https://fhir.second.example/r4: [http://inner.example]}\n`;
  expect(saidOf(yaml, 'fhirServerAliases')).toEqual([
    'second: https://fhir.second.example/r4 is not one of its fhirServers',
  ]);
});

test('a repeated client name is reported at the second client', () => {
  const yaml = GOOD.replace('name: second', 'name: first # again');
  expect(saidOf(yaml, '# again')).toEqual(['first: another client has this name']);
});

test('J5: a repeated pair of issuer and address is reported at the second client', () => {
  const twin = '  - name: third\n    iss: https://first.example # again\n    jku: https://first.example/jwks.json\n';
  expect(saidOf(`${GOOD}${twin}`, '# again')).toEqual(['third: another client has this issuer and jku']);
  expect(read(`${GOOD}${twin.replace('jwks.json', 'other.json')}`).problems).toEqual([]);
});

const SANDBOX_KEY = KEY.replace(/x: [^,]+/, 'x: dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB');

// The complete keys, as in lib/inferno/dsl/jwks.json of inferno-framework/inferno-core, with other ids.
const INFERNO_KEY =
  '{kty: EC, crv: P-384, x: JQKTsV6PT5Szf4QtDA1qrs0EJ1pbimQmM2SKvzOlIAqlph3h1OHmZ2i7MXahIF2C, ' +
  'y: bRWWQRJBgDa6CTgwofYrHjVGcO-A7WNEnu4oJA5OUJPPPpczgx1g2NsfinK-D2Rw, kid: key-1}';
const INFERNO_RSA_KEY =
  '{kty: RSA, e: AQAB, kid: key-1, n: vjbIzTqiY8K8zApeNng5ekNNIxJfXAue9BjoMrZ9Qy9m7yIA-tf6muEupEXWhq70tC7vIGLqJJ4O8m7yi' +
  'H8H2qklX2mCAMg3xG3nbykY2X7JXtW9P8VIdG0sAMt5aZQnUGCgSS3n0qaooGn2LUlTGIR88Qi-4Nrao9_3Ki3UCiICeCiAE224jGCg0OlQU6qj2gEB3' +
  'o-DWJFlG_dz1y-Mxo5ivaeM0vWuodjDrp-aiabJcSF_dx26sdC9dZdBKXFDq0t19I9S9AyGpGDJwzGRtWHY6LsskNHLvo8Zb5AsJ9eRZKpnh30SYBZI' +
  '9WHtzU85M9WQqdScR69Vyp-6Uhfbvw}';

test.each([
  ['the public sandbox', 'iss: https://second.example', 'iss: https://sandbox.cds-hooks.org'],
  ['the public sandbox with a trailing slash', 'iss: https://second.example', 'iss: https://sandbox.cds-hooks.org/'],
  ['Inferno', 'iss: https://second.example', 'iss: https://inferno.healthit.gov/suites/custom/crd_server'],
  [
    'an Inferno hosted elsewhere',
    'iss: https://second.example',
    'iss: https://inferno.second.example/custom/crd_server',
  ],
  ['the sandbox’s key', KEY, SANDBOX_KEY],
  ['the sandbox’s key id', 'kid: key-1', 'kid: 44823f3d-0b01-4a6c-a80e-b9d3e8a7226f'],
  ['Inferno’s key', KEY, INFERNO_KEY],
  ['Inferno’s RSA key', KEY, INFERNO_RSA_KEY],
  ['Inferno’s key id', 'kid: key-1', 'kid: 4b49a739d1eb115b3225f4cf9beb6d1b'],
  ['Inferno’s id for its RSA key', 'kid: key-1', 'kid: b41528b6f37a9500edb8a905a595bdd7'],
])('J18: %s is never trusted in production', (_, text, by) => {
  const yaml = GOOD.replace(text, by);
  expect(saidOf(yaml, yaml.includes('iss: https://second') ? 'iss: https://second' : by)).toEqual([
    'second: a published test key: not allowed in production',
  ]);
});

test.each([
  'https://sandbox.cds-hooks.org/.well-known/jwks.json',
  'https://inferno.example/custom/crd_server/jwks.json',
])('J18: keys from %s are never trusted in production', (jku) => {
  expect(read(`${GOOD}    jku: ${jku}\n`).problems.map(({ message }) => message)).toEqual([
    'second: a published test key: not allowed in production',
  ]);
});

test.each([
  ['nothing', '', 1],
  ['an empty list', 'clients: []\n', 1],
  ['not a list', 'clients: all\n', 1],
  ['an unknown key', 'klients: []\n', 1],
  ['a bare list', '- name: first\n', 1],
  ['invalid YAML', `${GOOD}    tenants: [north\n`, 9],
  ['a repeated key', `${GOOD}    iss: https://third.example\n`, 9],
])('a file with %s is reported with its line and admits nobody', (_, yaml, line) => {
  const { clients, problems } = read(yaml);
  expect(clients).toEqual([]);
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) expect(Math.abs(problem.line - line), JSON.stringify(problem)).toBeLessThanOrEqual(1);
});

test('a missing file is reported', () => {
  const problems: Problem[] = [];
  expect(readClients(join(folder, 'none.yaml'), problems, services)).toEqual([]);
  expect(problems).toEqual([{ file: join(folder, 'none.yaml'), line: 1, message: 'the file cannot be read' }]);
});

test('all problems of a file are reported at once', () => {
  const { problems } = read(`${GOOD}    replay: never
    requestsPerMinute: 0
    trusted: true
  - name: third
    iss: ''
    keys: []
`);
  expect(problems.map(({ line }) => line).sort((a, b) => a - b)).toEqual([9, 10, 11, 13, 14]);
});

const LISTS = `clients:
  - name: second
    iss: https://second.example
    jku: https://second.example/jwks.json
    fhirServers:
      - https://fhir.second.example/a
      - https://fhir.second.example/b
    origins: [https://second.example]
`;

test.each([
  ['jku', 'jku: https:', 'jku: http:', 4],
  ['second FHIR server', 'https://fhir.second.example/b', 'http://fhir.second.example/b', 7],
  ['origin', '[https:', '[http:', 8],
])('T1: the line of a %s without https is reported', (_, text, by, line) => {
  expect(read(LISTS.replace(text, by)).problems.map((problem) => problem.line)).toEqual([line]);
});

test.each([
  ['in capitals', 'jku: https://second.example', 'jku: https://SANDBOX.cds-hooks.org'],
  ['with its port', 'jku: https://second.example', 'jku: https://sandbox.cds-hooks.org:443'],
  ['with a doubled slash (Inferno)', 'jku: https://second.example', 'jku: https://inferno.example/custom//crd_server'],
])('J18: keys of a test server are rejected even if its address is written %s', (_, text, by) => {
  expect(
    read(LISTS.replace(text, by))
      .problems.map(({ message }) => message)
      .join(),
  ).toContain('a published test key');
});

test('J19: certificates in a record are reported if clients are not asked for any', () => {
  const path = join(folder, 'certified.yaml');
  writeFileSync(path, `${LISTS}    certificates: [ehr.second.example]\n`);
  const problems: Problem[] = [];
  readClients(path, problems, services, false);
  expect(problems).toEqual([
    { file: path, line: 9, message: 'second: clients are not asked for certificates: set TLS_CLIENT_CA' },
  ]);
  readClients(path, problems, services, true);
  expect(problems).toHaveLength(1);
});

test('J16: an unknown service is reported', () => {
  expect(read(`${LISTS}    services: [nordic-opioid-order-sing]\n`).problems.map(({ line }) => line)).toEqual([9]);
});

test('a trial with an unlisted tenant or an unknown rule is reported with its line', () => {
  const path = join(folder, 'trial.yaml');
  writeFileSync(
    path,
    `${LISTS}    tenants: [north]
    silent:
      - tenants: [north, south]
      - rules:
          - a-rule
          - b-rule
`,
  );
  const problems: Problem[] = [];
  readClients(path, problems, services, true, ['a-rule']);
  expect(problems).toEqual([
    { file: path, line: 11, message: "second: 'south' is not listed under tenants" },
    { file: path, line: 14, message: "second: there is no rule 'b-rule'" },
  ]);
});

test('a trial applies to its tenants, its rules and its days', () => {
  const rules = ['a', 'b'];
  const silent = [{ tenants: ['north'], rules: ['a'], from: '2026-03-02', to: '2026-03-03' }, { tenants: ['south'] }];
  const of = (tenant: string | undefined, day: string) => silentFor({ silent }, tenant, day, rules);
  expect(['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04'].map((day) => of('north', day))).toEqual([
    [],
    ['a'],
    ['a'],
    [],
  ]);
  expect(of('south', '2026-03-01')).toEqual(rules);
  expect(of('east', '2026-03-02')).toEqual([]);
  expect(of(undefined, '2026-03-02')).toEqual([]);
  expect(silentFor({ silent: [{}] }, undefined, '2026-03-02', rules)).toEqual(rules);
});
