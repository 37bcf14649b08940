import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get as getSecure } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely, createServer as createSecureServer, type SecureVersion } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { PUBLIC_URL, root } from './testing/app.ts';
import { canCertify, certify } from './testing/certificates.ts';
import { createClient, SIGN } from './testing/client.ts';
import { pair } from './testing/request.ts';

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Keys as `openssl rand -hex 32` writes them. */
const KEYS = [randomBytes(32), randomBytes(32)].map((key) => key.toString('hex')) as [string, string];

const production = { MODE: 'production', CLIENTS: 'clients.yaml', PUBLIC_URL: 'https://cds.example' };
const readWith = (environment: Record<string, string | undefined>) => () => readConfig(environment);

test('without environment variables the service is a sandbox on this machine', () => {
  expect(readConfig({})).toMatchObject({
    mode: 'sandbox',
    host: '127.0.0.1',
    port: 3000,
    clients: undefined,
    publicUrl: undefined,
    bodyLimit: 8 * 1024 * 1024,
    fhirServers: [],
    origins: [],
    tls: undefined,
    auditKey: undefined,
  });
});

test('an empty variable counts as not set', () => {
  const empty = { MODE: '', HOST: '', PORT: '', CLIENTS: '', PUBLIC_URL: '', TLS_CERT: '', TLS_KEY: '', AUDIT_KEY: '' };
  expect(readConfig(empty)).toEqual(readConfig({}));
  expect(readWith({ ...production, CLIENTS: '' })).toThrow(/^CLIENTS: /);
});

test.each(['127.0.0.1', '::1', 'localhost'])('J1: a sandbox may listen on %s', (HOST) => {
  expect(readConfig({ HOST }).host).toBe(HOST);
});

test.each(['0.0.0.0', '::', '10.0.0.5', '192.168.1.2', 'cds.example', '127.0.0.1.evil.example', ' 127.0.0.1', '*'])(
  'J1: a sandbox refuses to listen on %j, whatever the other settings',
  (HOST) => {
    expect(readWith({ HOST })).toThrow(/^HOST: a sandbox has no authentication/);
    expect(readWith({ ...production, MODE: 'sandbox', HOST })).toThrow(/HOST/);
  },
);

test.each(['Production', 'prod', 'dev', 'none'])(
  'J1: MODE %s is rejected and does not fall back to sandbox',
  (MODE) => {
    expect(readWith({ ...production, MODE })).toThrow(/MODE/);
  },
);

test('J1, J6: production listens on all addresses and requires clients and a public address', () => {
  expect(readConfig(production)).toMatchObject({ mode: 'production', host: '0.0.0.0', publicUrl: PUBLIC_URL });
  expect(readConfig({ ...production, HOST: '127.0.0.1' }).host).toBe('127.0.0.1');
  expect(readWith({ ...production, CLIENTS: undefined })).toThrow(/^CLIENTS: required/);
  expect(readWith({ ...production, PUBLIC_URL: undefined })).toThrow(/^PUBLIC_URL: required/);
  expect(readWith({ MODE: 'production' })).toThrow(/^CLIENTS: .*\nPUBLIC_URL: .*$/);
});

test.each(['http://cds.example', 'cds.example', 'ftp://cds.example', 'https//cds.example', '/cds'])(
  'T1, J6: in production the public address cannot be %s',
  (url) => {
    expect(readWith({ ...production, PUBLIC_URL: url })).toThrow(/PUBLIC_URL/);
  },
);

test.each([
  ['https://cds.example/', 'https://cds.example'],
  ['https://cds.example//', 'https://cds.example'],
  ['https://cds.example/opioids/', 'https://cds.example/opioids'],
  ['https://cds.example:8443', 'https://cds.example:8443'],
])('J6: the public address %s is normalised to %s', (given, kept) => {
  expect(readConfig({ ...production, PUBLIC_URL: given }).publicUrl).toBe(kept);
});

test('T1: certificate and key must be set together', () => {
  expect(readWith({ ...production, TLS_CERT: '/cert.pem' })).toThrow(/set both TLS_CERT and TLS_KEY, or neither/);
  expect(readWith({ ...production, TLS_KEY: '/key.pem' })).toThrow(/set both TLS_CERT and TLS_KEY, or neither/);
  const [TLS_CERT, TLS_KEY] = [file('cert.txt', 'certificate'), file('key.txt', 'key')];
  expect(readConfig({ ...production, TLS_CERT, TLS_KEY }).tls).toEqual({
    cert: Buffer.from('certificate'),
    key: Buffer.from('key'),
  });
});

test('T1: an unreadable certificate is reported with its variable and file', () => {
  const environment = { TLS_CERT: 'none.pem', TLS_KEY: 'none.pem' };
  expect(() => readConfig(environment)).toThrow(/TLS_CERT: .*none\.pem/);
});

test('J19: client certificates can be required only in production, by a service that terminates TLS itself', () => {
  const TLS_CLIENT_CA = file('ca.txt', 'authority');
  const [TLS_CERT, TLS_KEY] = [file('cert.txt', 'certificate'), file('key.txt', 'key')];
  expect(readConfig({ ...production, TLS_CERT, TLS_KEY, TLS_CLIENT_CA }).tls?.ca).toEqual(Buffer.from('authority'));
  for (const environment of [
    { ...production, TLS_CLIENT_CA },
    { TLS_CERT, TLS_KEY, TLS_CLIENT_CA },
  ])
    expect(readWith(environment)).toThrow(/TLS_CLIENT_CA: only in production, with TLS_CERT and TLS_KEY/);
});

test.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PORT', 'http'],
  ['LOG_LEVEL', 'verbose'],
  ['BODY_LIMIT_MIB', '0'],
  ['BODY_LIMIT_MIB', '-1'],
  ['BODY_LIMIT_MIB', 'big'],
  ['BODY_LIMIT_MIB', '1025'],
  ['AUDIT_KEY', 'short'],
  ['AUDIT_KEY', ' '.repeat(64)],
  ['AUDIT_KEY', 'change-me-change-me-change-me-change-me-change-me'],
  ['AUDIT_KEY', '0'.repeat(64)],
  ['AUDIT_KEY', '0123'.repeat(16)],
  ['AUDIT_KEY', KEYS[0].slice(2)],
  ['PATIENT_KEY', 'short'],
  ['PATIENT_KEY', `${KEYS[0]},short`],
  ['PATIENT_KEY', `${KEYS[0]},${KEYS[0]}`],
  ['DATABASE_URL', 'mysql://db/cds'],
  ['DATABASE_URL', 'db'],
  ['JOURNAL', 'no'],
])('%s=%s is rejected, and the variable is named', (name, value) => {
  expect(readWith({ [name]: value })).toThrow(new RegExp(`^${name}: `));
});

test('a key is 32 random bytes in hexadecimal or base64; the patient key may have a predecessor', () => {
  const base64 = randomBytes(32).toString('base64');
  const { auditKey, patientKeys } = readConfig({ AUDIT_KEY: base64, PATIENT_KEY: `${KEYS[0]}, ${KEYS[1]}` });
  expect([auditKey, patientKeys]).toEqual([base64, KEYS]);
  expect(readConfig({}).patientKeys).toEqual([]);
});

test('the log and the journal must not share a key, which would link them', () => {
  for (const PATIENT_KEY of [KEYS[0], `${KEYS[1]},${KEYS[0]}`])
    expect(readWith({ AUDIT_KEY: KEYS[0], PATIENT_KEY })).toThrow('PATIENT_KEY: all keys must differ');
});

test('every invalid variable is named in one message', () => {
  const bad = { MODE: 'prod', PORT: 'x', LOG_LEVEL: 'loud', AUDIT_KEY: 'x' };
  const said = (() => {
    try {
      readConfig(bad);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  })();
  expect(said.split('\n').map((line) => line.split(':')[0])).toEqual(['MODE', 'PORT', 'LOG_LEVEL', 'AUDIT_KEY']);
});

test('the journal is a local file, PostgreSQL or absent', () => {
  expect(readConfig({}).journal).toEqual({ folder: join(root, 'data') });
  expect(readConfig({ DATA_DIR: '/data' }).journal).toEqual({ folder: '/data' });
  const url = 'postgres://cds@db.example/cds';
  expect(readConfig({ DATA_DIR: '/data', DATABASE_URL: url }).journal).toEqual({ url });
  expect(readConfig({ DATABASE_URL: url, JOURNAL: 'off' }).journal).toBeUndefined();
});

test('an invalid patient key or database address is not repeated in the message', () => {
  expect(readWith({ PATIENT_KEY: 'hemmelig' })).not.toThrow(/hemmelig/);
  expect(readWith({ DATABASE_URL: 'hemmelig://x:hemmelig@db' })).not.toThrow(/hemmelig/);
});

test('an invalid audit key is not repeated in the message', () => {
  expect(readWith({ AUDIT_KEY: 'hemmelig' })).not.toThrow(/hemmelig/);
});

test('F1: the FHIR servers of a sandbox are separated by commas', () => {
  expect(readConfig({ FHIR_SERVERS: ' https://a.example/r4 ,, http://b.example ' }).fhirServers).toEqual([
    'https://a.example/r4',
    'http://b.example',
  ]);
});

/** Starts the service as its own process. */
function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/server.ts'], {
    cwd: root,
    env: { PATH: process.env['PATH'], JOURNAL: 'off', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return {
    child,
    ended,
    said: () => said,
    /** Waits until the process has written something. */
    async until(words: RegExp): Promise<RegExpMatchArray> {
      for (;;) {
        const match = said.match(words);
        if (match) return match;
        const alive = await Promise.race([
          ended.then(() => false),
          ...[child.stdout, child.stderr].map((stream) => once(stream, 'data').then(() => true)),
        ]);
        if (!alive && !words.test(said)) throw new Error(`ended without ${words}: ${said}`);
      }
    },
    /** The port it listens on. */
    async port(): Promise<number> {
      return Number((await this.until(/answers at https?:\/\/127\.0\.0\.1:(\d+)/))[1]);
    },
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

const { client, token } = await createClient();
const clients = file('clients.yaml', JSON.stringify({ clients: [client] }));

test.concurrent('J1: production without a client file exits with 1 and names what is missing', async () => {
  const { code, said } = await start({ MODE: 'production', PUBLIC_URL, PORT: '0' }).ended;
  expect(code).toBe(1);
  expect(said).toContain('CLIENTS: required in production');
  expect(said).not.toContain('answers at');
});

test.concurrent('J1: production with a client file that does not exist exits with 1 and names it', async () => {
  const missing = join(folder, 'nobody.yaml');
  const { code, said } = await start({ MODE: 'production', PUBLIC_URL, PORT: '0', CLIENTS: missing }).ended;
  expect([code, said]).toEqual([1, `${missing}:1: the file cannot be read\n`]);
});

test.concurrent('J18: production with a published test key exits with 1 and names its line', async () => {
  const open = file(
    'open.yaml',
    'clients:\n  - name: sandbox\n    iss: https://sandbox.cds-hooks.org\n    jku: https://sandbox.cds-hooks.org/.well-known/jwks.json\n',
  );
  const { code, said } = await start({ MODE: 'production', PUBLIC_URL, PORT: '0', CLIENTS: open }).ended;
  expect(code).toBe(1);
  expect(said).toContain(`${open}:3: sandbox: a published test key`);
});

test.concurrent('a malformed rule file makes the process exit with 1 and name the file and line', async () => {
  const hospital = join(folder, 'hospital');
  for (const part of ['hooks', 'cards']) cpSync(join(root, part), join(hospital, part), { recursive: true });
  const rules = join(hospital, 'hooks/naltrexone.yaml');
  const lines = readFileSync(rules, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.startsWith('status:'));
  writeFileSync(rules, lines.toSpliced(at, 1, 'status: perhaps').join('\n'));
  const { code, said } = await start({ PORT: '0', KNOWLEDGE: hospital }).ended;
  expect(code).toBe(1);
  expect(said).toContain(`hooks/naltrexone.yaml:${at + 1}: `);
  expect(said).not.toContain('answers at');
});

test.concurrent('a journal that cannot be opened makes the process exit with 1 and say where, and what to do', async () => {
  const taken = file('taken', '');
  const { code, said } = await start({ PORT: '0', JOURNAL: 'on', DATA_DIR: taken }).ended;
  expect(code).toBe(1);
  expect(said).toMatch(/The journal cannot be opened: DATA_DIR .*taken \(EEXIST\)\. .* JOURNAL=off/);
});

test.concurrent('a quiet period without a patient key or a journal makes the process exit with 1', async () => {
  const quiet = join(folder, 'quiet');
  for (const part of ['hooks', 'cards']) cpSync(join(root, part), join(quiet, part), { recursive: true });
  const site = 'quiet: {days: {benzodiazepine-long-term: 90}, accepted: [epilepsy]}\n';
  writeFileSync(join(quiet, 'hooks/site.yaml'), site);
  const DATA_DIR = join(folder, 'data');
  const without = [
    { JOURNAL: 'on', DATA_DIR },
    { JOURNAL: 'off', PATIENT_KEY: KEYS[0] },
  ];
  for (const environment of without) {
    const { code, said } = await start({ PORT: '0', KNOWLEDGE: quiet, ...environment }).ended;
    expect(code).toBe(1);
    expect(said).toContain('hooks/site.yaml sets a quiet period: that needs the journal, and PATIENT_KEY');
  }
  writeFileSync(join(quiet, 'hooks/site.yaml'), 'silent: {chartReview: 20}\n');
  const { code, said } = await start({ PORT: '0', KNOWLEDGE: quiet, JOURNAL: 'on', DATA_DIR }).ended;
  expect([code, said]).toEqual([1, expect.stringContaining('that needs the journal and PATIENT_KEY')]);
  writeFileSync(join(quiet, 'hooks/site.yaml'), site);
  const whole = start({ PORT: '0', KNOWLEDGE: quiet, JOURNAL: 'on', DATA_DIR, PATIENT_KEY: KEYS[0] });
  await whole.port();
  expect((await whole.stop()).code).toBe(0);
}, 60_000);

test.concurrent('J1: a sandbox refuses to start on a public interface', async () => {
  const { code, said } = await start({ HOST: '0.0.0.0', PORT: '0' }).ended;
  expect(code).toBe(1);
  expect(said).toMatch(/HOST: a sandbox has no authentication/);
  expect(said).not.toContain('answers at');
});

test.concurrent('a port in use is reported, and the process exits with 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { code, said } = await start({ PORT: String(port), LOG_LEVEL: 'silent' }).ended;
  other.close();
  expect(code).toBe(1);
  expect(said).toBe(
    `Cannot listen on 127.0.0.1:${port}: another program is using that port; choose another one with PORT\n`,
  );
});

test.concurrent('J1, J2: the production process serves only callers with a token', async () => {
  const service = start({ MODE: 'production', HOST: '127.0.0.1', PORT: '0', PUBLIC_URL, CLIENTS: clients });
  const address = `http://127.0.0.1:${await service.port()}`;
  expect(service.said()).toMatch(/as https:\/\/cds\.example, to 1 clients/);
  expect(service.said()).not.toMatch(/sandbox/i);
  const now = Math.floor(Date.now() / 1000);
  const send = async (headers: Record<string, string>) =>
    fetch(`${address}${SIGN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(pair()),
    });
  const authorization = `Bearer ${await token(SIGN, { iat: now, exp: now + 300 })}`;
  const answers = [await send({}), await send({ authorization }), await send({ authorization })];
  expect(answers.map(({ status }) => status)).toEqual([401, 200, 401]);
  const { code } = await service.stop();
  expect(code).toBe(0);
  expect(service.said()).not.toContain(authorization.split('.')[2]);
});

const own = canCertify ? certify(folder, 'own', '/CN=localhost', 'IP:127.0.0.1') : undefined;
const tls = own && { TLS_CERT: own.cert, TLS_KEY: own.key };

/** The TLS version that a handshake agrees on, or why it fails. The client itself would speak every version. */
function handshake(port: number, version: SecureVersion): Promise<string> {
  return new Promise((done) => {
    const socket = connectSecurely({
      host: '127.0.0.1',
      port,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    socket.on('secureConnect', () => {
      done(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

test.concurrent('T1: TLS 1.2 and 1.3 are served, 1.0 and 1.1 refused', async ({ skip }) => {
  const files = tls ?? skip('openssl is not installed, so there is no certificate');
  const [cert, key] = [readFileSync(files.TLS_CERT), readFileSync(files.TLS_KEY)];
  // An outdated server, to see that this test's client can speak its versions.
  const old = createSecureServer({ cert, key, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }).listen(
    0,
    '127.0.0.1',
  );
  old.on('tlsClientError', () => {});
  await once(old, 'listening');
  const { port: oldPort } = old.address() as AddressInfo;
  expect(await handshake(oldPort, 'TLSv1.1')).toBe('TLSv1.1');
  expect(await handshake(oldPort, 'TLSv1')).toBe('TLSv1');
  old.close();

  const service = start({ MODE: 'production', HOST: '127.0.0.1', PORT: '0', PUBLIC_URL, CLIENTS: clients, ...files });
  const port = await service.port();
  expect(service.said()).toContain('https://127.0.0.1');
  expect(await handshake(port, 'TLSv1.2')).toBe('TLSv1.2');
  expect(await handshake(port, 'TLSv1.3')).toBe('TLSv1.3');
  expect(await handshake(port, 'TLSv1.1')).toMatch(/PROTOCOL/);
  expect(await handshake(port, 'TLSv1')).toMatch(/PROTOCOL/);

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ca: cert, minVersion: version, maxVersion: version, agent: false } as const;
    const [response] = await once(getSecure(`https://127.0.0.1:${port}/cds-services`, options), 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
  }

  // Plain HTTP on the same port gets no answer, and nothing of it is read.
  const plain = connect(port, '127.0.0.1').setEncoding('utf8');
  let answer = '';
  plain.on('data', (text) => (answer += text)).on('error', () => {});
  plain.write(head(2, 'content-type: application/json\r\n'));
  plain.write('{}');
  // Not events.once, which rejects on the reset that may occur here.
  await new Promise((done) => plain.once('close', done));
  expect(answer).not.toMatch(/HTTP\/1\.1 (2|401)/);
  const { code } = await service.stop();
  expect(code).toBe(0);
  expect(service.said()).not.toContain('"POST"');
});

/** The head of a call for order-sign. */
function head(length: number, more = ''): string {
  return `POST ${SIGN} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${length}\r\n${more}\r\n`;
}

/** Waits until a socket has received something; fails if it closes first. */
async function received(socket: Socket, words: RegExp): Promise<string> {
  let text = '';
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    text += part;
    if (words.test(text)) return text;
  }
  throw new Error(`closed after ${JSON.stringify(text)}`);
}

const windows = process.platform === 'win32';
test.skipIf(windows).each(['close', 'keep-alive'])(
  'SIGTERM under load: calls already begun are answered, later ones are refused, and the process exits with 0 (connection: %s)',
  async (connection) => {
    const service = start({ PORT: '0' });
    const port = await service.port();
    const body = JSON.stringify(pair());
    const type = 'content-type: application/json\r\n';
    const idle = connect(port, '127.0.0.1').setEncoding('utf8');
    idle.on('error', () => {});
    idle.write('GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await received(idle, /"status":"ok"/);
    // The service has seen each of these calls, since it asks for the rest.
    const calls = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(port, '127.0.0.1').setEncoding('utf8');
        socket.write(head(Buffer.byteLength(body), `${type}connection: ${connection}\r\nexpect: 100-continue\r\n`));
        await received(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n/);
        return socket;
      }),
    );
    service.child.kill('SIGTERM');
    await service.until(/"stopping"/);
    await untilRefused(port);
    const answers = await Promise.all(
      calls.map((socket) => {
        const answer = received(socket, /\r\n\r\n\{.*\}$/s);
        socket.write(body);
        return answer;
      }),
    );
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).cards).toHaveLength(1);
    }
    const { code, said } = await service.ended;
    expect(code, said.slice(-1000)).toBe(0);
    expect(said).not.toMatch(/killed by timeout/);
    for (const socket of [...calls, idle]) socket.destroy();
  },
);

/** Calls again and again until the service takes no more calls. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } }).then(
      (response) => response.status,
      () => 'refused',
    );
    if (status === 'refused' || status === 503) return;
    expect(status).toBe(200);
  }
}
