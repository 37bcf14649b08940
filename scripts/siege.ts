import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as ask, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { helpIfAsked } from '../src/cli/words.ts';
import { openDatabase } from '../src/journal/database.ts';
import { migrate } from '../src/journal/migrations.ts';
import { hashOfPatient } from '../src/journal/patient.ts';
import { createStore } from '../src/journal/store.ts';
import { PUBLIC_URL } from '../src/testing/app.ts';
import { createClient } from '../src/testing/client.ts';
import { condition, type Json, order, pair, prescription, request } from '../src/testing/request.ts';
import { table } from './bench/words.ts';

helpIfAsked(`Usage: npm run siege [-- --seconds 5] [--connections 16] [--heap 256] [--only 4]

Tries whether calls that are made to do harm end or stall the service. Starts it as processes of its own with a small heap, throws
each row of docs/reliability.md at it, and asks /health beside them. Ends with 1 where a process ended, /health took over a second
of the service's own, memory went over 512 MiB, or an answer is wrong.

  --seconds N      how long for each row (5)
  --connections N  connections at once (16)
  --heap N         the heap of the service in MiB (256)
  --only N         only this row
`);

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '16' },
    heap: { type: 'string', default: '256' },
    only: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);

/** Limits, in MiB and milliseconds. */
const MOST_MEMORY = 512;
const LONGEST_HEALTH = 1000;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cds-siege-'));
const MIB = 1024 * 1024;
const SIGN = '/cds-services/nordic-opioid-order-sign';
const VIEW = '/cds-services/nordic-opioid-patient-view';
const CURRENT = 'laro-sedative-current';
const PATIENT_KEY = randomBytes(32).toString('hex');

// What is sent

const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const drugs = ['methadone', 'oxycodone', 'oxazepam', 'pregabalin', 'zopiclone', 'morphine', 'diazepam'];
const drug = (at: number) => drugs[at % drugs.length] as string;
const json = (body: Json) => JSON.stringify(body);
/** JSON with a placeholder replaced by text. */
const written = (body: Json, text: string) => json(body).replace('"HERE"', text);
const filled = (bytes: number, part: string) => `[${many(Math.floor(bytes / (part.length + 1)), () => part).join()}]`;

const usual = json(pair());
const override = (card: string) => ({ card, outcome: 'overridden', outcomeTimestamp: new Date().toISOString() });
const accepted = (card: string, suggestions: unknown) => ({
  ...override(card),
  outcome: 'accepted',
  acceptedSuggestions: suggestions,
});

type Call = {
  body: string;
  path?: string;
  headers?: Record<string, string>;
  /** Correct statuses. 503 is always correct: the call was put off. */
  right: number[];
};
type Row = {
  row: string;
  what: string;
  calls?: Call[];
  /** Sends something other than calls. */
  raw?: () => Promise<void>;
  production?: boolean;
};

/** A page of an endless FHIR server on this machine: some 15 MB, with a link to the next. */
const page = Buffer.from(
  json({
    resourceType: 'Bundle',
    type: 'searchset',
    link: [{ relation: 'next', url: 'NEXT' }],
    entry: many(10_000, (at) => ({
      resource: { ...prescription(`m${at}`, 'methadone'), note: [{ text: 'x'.repeat(1000) }] },
    })),
  } as Json),
);
let asked = 0;
const fhir = createServer((incoming, response) => {
  asked += 1;
  incoming.resume();
  const next = `http://127.0.0.1:${(fhir.address() as AddressInfo).port}/fhir/MedicationRequest?page=${asked}`;
  response.writeHead(200, { 'content-type': 'application/fhir+json' });
  response.end(page.toString().replace('NEXT', next));
});
fhir.listen(0, '127.0.0.1');
await delay(50);
const fhirServer = `http://127.0.0.1:${(fhir.address() as AddressInfo).port}/fhir`;

const client = await createClient({ requestsPerMinute: 1_000_000 });
const now = () => Math.floor(Date.now() / 1000);
const longTokens = await Promise.all(
  many(200, (at) => client.token(SIGN, { iat: now(), exp: now() + 3500, jti: `${at}${'x'.repeat(9000)}` })),
);
const manyTokens = await Promise.all(
  many(2000, (at) => client.token(SIGN, { iat: now(), exp: now() + 3500, jti: `${at}${'x'.repeat(200)}` })),
);

const rows: Row[] = [
  {
    row: '1',
    what: 'an unpaired surrogate in patientId and encounterId, with a FHIR server',
    calls: ['patientId', 'encounterId'].map((field) => ({
      body: written(
        { ...request('order-sign', { context: { [field]: 'HERE' } }), fhirServer, prefetch: {} },
        '"\\ud800"',
      ),
      right: [400, 412],
    })),
  },
  {
    row: '2',
    what: 'feedback of 7.8 MiB: one item with suggestions without end, invalid items, valid ones',
    calls: [
      written({ feedback: [accepted('x', 'HERE')] }, filled(7.8 * MIB, '"a"')),
      written({ feedback: [accepted('x', 'HERE')] }, filled(7.8 * MIB, '{}')),
      written({ feedback: 'HERE' }, filled(1.9 * MIB, '{}')),
      json({
        feedback: many(1000, () =>
          accepted(
            'x',
            many(40, () => 7),
          ),
        ),
      }),
      json({
        feedback: many(1000, (at) =>
          accepted(
            `c${at}`,
            many(100, (id) => `s${id}`),
          ),
        ),
      }),
    ].map((body) => ({ body, path: `${SIGN}/feedback`, right: [400, 413] })),
  },
  { row: '3', what: 'calls by the thousand on connections that are not read', raw: pipelines },
  {
    row: '4',
    what: 'bodies at the limit: empty objects and lists, dates, drafts, distinct keys, the longest record',
    calls: [
      written({ ...pair(), extra: 'HERE' }, filled(7.9 * MIB, '{}')),
      written({ ...pair(), extra: 'HERE' }, filled(1.4 * MIB, '[]')),
      `{${many(550_000, (at) => `"${at.toString(36)}":{}`).join()}}`,
      written(
        pair('order-sign', {
          record: [prescription('m', 'methadone', { dosageInstruction: [{ timing: { event: 'HERE' } }] })],
        }),
        filled(6 * MIB, '"2026-03-09"'),
      ),
      json(request('order-sign', { drafts: many(10_000, (at) => order(`d${at}`, drug(at))) })),
      json(request('order-sign', { drafts: many(500, (at) => order(`d${at}`, drug(at))) })),
      json(pair('order-sign', { record: many(9900, (at) => prescription(`m${at}`, drug(at))) })),
      json(
        pair('order-sign', {
          record: many(4900, (at) => prescription(`m${at}`, drug(at))),
          conditions: many(4900, (at) => condition(`c${at}`, 'F11.2')),
        }),
      ),
      `{"hook":"${'x'.repeat(7.9 * MIB)}"}`,
    ].map((body) => ({ body, right: [200, 400, 413] })),
  },
  {
    row: '5',
    what: 'a FHIR server that sends pages of 15 MB without end',
    calls: [
      { body: json({ ...request('patient-view'), fhirServer, prefetch: {} }), path: VIEW, right: [200, 412, 413] },
    ],
  },
  {
    row: '6',
    what: 'calls of a foreign web page, with a FHIR server of this machine',
    calls: [
      {
        body: json({ ...request('patient-view'), fhirServer, prefetch: {} }),
        path: VIEW,
        headers: { origin: 'https://evil.example' },
        right: [403, 412],
      },
    ],
  },
  {
    row: '8, 17',
    what: 'quiet periods over 200 000 rows, some of another shape',
    calls: [
      {
        body: json(
          request('patient-view', { record: [prescription('m', 'methadone'), prescription('s', 'oxazepam')] }),
        ),
        path: VIEW,
        right: [200],
      },
      { body: json({ feedback: [override(randomUUID())] }), path: `${SIGN}/feedback`, right: [200] },
    ],
  },
  {
    row: '10',
    what: 'tokens with a jti of 9 kB, and many tokens, in production',
    production: true,
    calls: [
      ...longTokens.map((token) => ({ body: usual, headers: { authorization: `Bearer ${token}` }, right: [401] })),
      ...manyTokens.map((token) => ({ body: usual, headers: { authorization: `Bearer ${token}` }, right: [200, 401] })),
    ],
  },
  {
    row: '4, 3',
    what: 'bodies at the limit and pipelines without a token, in production',
    production: true,
    raw: pipelines,
    calls: [{ body: filled(7.9 * MIB, '{}'), right: [401] }],
  },
];

// The service

type Service = { child: ChildProcess; port: number; ended: boolean };

async function start(environment: Record<string, string>): Promise<Service> {
  const child = spawn(
    process.execPath,
    // As the image starts it.
    [
      `--max-old-space-size=${values.heap}`,
      '--max-semi-space-size=16',
      '--disable-warning=ExperimentalWarning',
      'src/server.ts',
    ],
    {
      cwd: root,
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', PATIENT_KEY, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  children.push(child);
  const service: Service = { child, port: 0, ended: false };
  let said = '';
  service.port = await new Promise((done, fail) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-4000);
      const port = /answers at https?:\/\/[^\s:]+:(\d+)/.exec(said)?.[1];
      if (port) done(Number(port));
    });
    child.once('exit', () => {
      service.ended = true;
      if (!stopped) console.log(said);
      fail(new Error(said));
    });
  });
  return service;
}

/** Writes the repository's rules with a quiet period, and a journal with many rows, some of them invalid. */
async function prepare(): Promise<void> {
  for (const part of ['hooks', 'cards']) cpSync(join(root, part), join(folder, part), { recursive: true });
  const site = join(folder, 'hooks/site.yaml');
  appendFileSync(site, `\nquiet:\n  days: {${CURRENT}: 30}\n  accepted: [agreed-with-specialist]\n`);
  writeFileSync(join(folder, 'clients.yaml'), json({ clients: [client.client] } as never));
  const database = openDatabase({ folder: join(folder, 'journal') });
  await migrate(database);
  const store = createStore(database);
  const patient = hashOfPatient(PATIENT_KEY, 'journal', { client: 'sandbox', tenant: undefined }, 'kari');
  const card = {
    client: 'sandbox',
    tenant: '',
    day: '2026-03-02',
    issued_at: Date.now(),
    hook: 'patient-view',
    rule: CURRENT,
    indicator: 'warning',
    suggestions: '{}',
    knowledge: 'x',
    kept: 0,
  };
  const strange = [
    'null',
    '7',
    '{',
    '{"version":9}',
    '{"version":1,"basis":{}}',
    '{"version":1,"basis":{"indicator":"warning","rules":null}}',
  ];
  for (let from = 0; from < 200_000; from += 20_000) {
    const part = many(20_000, (at) => from + at);
    await store.append(
      part.map((at) => ({
        ...card,
        uuid: `u${at}`,
        patient: at % 1000 === 0 ? patient : `p${at % 5000}`,
        basis: strange[(at / 1000) % strange.length] ?? '{}',
      })),
      [],
    );
    await store.addFeedback(
      part.map((at) => ({
        id: `f${at}`,
        client: 'sandbox',
        tenant: '',
        card: `u${at}`,
        service: 'x',
        outcome: 'overridden' as const,
        suggestion: null,
        at: Date.now(),
        received_at: Date.now(),
        reason_code: 'expert-contradicts',
        reason_system: null,
        comment: null,
      })),
    );
  }
  await database.destroy();
}

/** Memory in MiB, now or at its peak; 0 if the system does not report it or the process has ended. */
function memoryOf({ child }: Service, key: 'VmRSS' | 'VmHWM'): number {
  try {
    const [, kib = 0] = new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0;
  }
}

// The siege

let service: Service;
/** All processes that were started. */
const children: ChildProcess[] = [];
let stopped = false;
const agent = new Agent({ keepAlive: true, maxSockets: connections });

function send({ body, path = SIGN, headers = {} }: Call): Promise<number> {
  return new Promise((resolve) => {
    const options = {
      port: service.port,
      path,
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    };
    const call = ask(options, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode as number));
    });
    // The service may refuse before the body is written.
    call.on('error', () => resolve(0));
    call.end(body);
  });
}

/** Opens one connection after the other that sends calls and reads no answer. */
async function pipelines(): Promise<void> {
  const calls = ['/openapi.json', '/cds-services', '/nope'].map((path) =>
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`.repeat(1500),
  );
  await Promise.all(
    many(connections, async (at) => {
      while (!stopped) {
        const socket = connect(service.port, '127.0.0.1').on('error', () => {});
        socket.pause();
        socket.write(calls[at % calls.length] as string);
        await delay(200);
        socket.destroy();
      }
    }),
  );
}

/** In milliseconds: the longest /health call, and the longest without the time taken by other programs. */
type Health = { longest: number; own: number };

/** Asks /health from a separate thread, with a new connection each time. */
function watch({ port, child }: Service): () => Promise<Health> {
  const watcher = new Worker(
    `const { request } = require('node:http'); const { parentPort, workerData } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    // Linux says how long a thread was ready to run and did not.
    const waited = () => {
      try { return Number(readFileSync('/proc/' + workerData.pid + '/schedstat', 'utf8').split(' ')[1]) / 1e6; } catch { return 0; }
    };
    let longest = 0, own = 0, stopped = false;
    parentPort.once('message', () => { stopped = true; });
    (async () => {
      while (!stopped) {
        const begin = performance.now(), before = waited();
        await new Promise((done) => request({ port: workerData.port, path: '/health', agent: false }, (response) =>
          response.resume().on('close', done)).on('error', done).end());
        const took = performance.now() - begin;
        longest = Math.max(longest, took);
        own = Math.max(own, took - Math.max(0, waited() - before));
        await new Promise((done) => setTimeout(done, 20));
      }
      parentPort.postMessage({ longest, own });
    })();`,
    { eval: true, workerData: { port, pid: child.pid } },
  );
  return async () => {
    watcher.postMessage('stop');
    const [health] = (await once(watcher, 'message')) as [Health];
    await watcher.terminate();
    return health;
  };
}

// Always end the processes that were started.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

let wrong = 0;
let exits = 0;
let longest = 0;
let most = 0;
const told: string[][] = [];

async function throwRow({ row, what, calls = [], raw }: Row): Promise<void> {
  stopped = false;
  const statuses = new Map<number, number>();
  let bad = 0;
  let memory = 0;
  const sampling = setInterval(() => {
    memory = Math.max(memory, memoryOf(service, 'VmRSS'));
  }, 50);
  const health = watch(service);
  let next = 0;
  const senders =
    calls.length === 0
      ? []
      : many(connections, async () => {
          while (!stopped && !service.ended) {
            const call = calls[next++ % calls.length] as Call;
            const status = await send(call);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (![...call.right, 503, 0].includes(status)) bad += 1;
          }
        });
  const rawly = raw?.();
  await delay(seconds * 1000);
  stopped = true;
  await Promise.all([...senders, rawly]);
  const { longest: slowest, own } = await health();
  clearInterval(sampling);
  wrong += bad;
  longest = Math.max(longest, own);
  most = Math.max(most, memory);
  const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status || 'cut off'}: ${count}`);
  told.push([
    row,
    what,
    answers.join(', ') || '-',
    String(bad),
    service.ended ? 'ENDED' : '-',
    `${own.toFixed(0)} (${slowest.toFixed(0)}) ms`,
    `${memory.toFixed(0)} MiB`,
  ]);
  console.log(told.at(-1)?.join(' | '));
}

await prepare();
const KNOWLEDGE = folder;
const production = { MODE: 'production', PUBLIC_URL, CLIENTS: join(folder, 'clients.yaml') };
for (const mode of [false, true]) {
  const begin = () =>
    start({ KNOWLEDGE, DATA_DIR: join(folder, mode ? 'journal-of-production' : 'journal'), ...(mode && production) });
  const chosen = rows.filter(
    (row) => Boolean(row.production) === mode && (values.only === '' || row.row.split(', ').includes(values.only)),
  );
  if (chosen.length === 0) continue;
  service = await begin();
  // Let it settle, like a service that has run for a while.
  await delay(2000);
  for (const row of chosen) {
    await throwRow(row);
    if (service.ended) {
      exits += 1;
      service = await begin();
    }
  }
  most = Math.max(most, memoryOf(service, 'VmHWM'));
  service.child.kill('SIGTERM');
  await once(service.child, 'exit');
}
fhir.close();
fhir.closeAllConnections();
agent.destroy();
rmSync(folder, { recursive: true, force: true });

console.log(
  `\n${table(['row', 'what', 'answers', 'wrong', 'ended', 'longest /health (with other programs)', 'memory'], told)}\n`,
);
console.log(
  `${connections} connections, ${seconds} s a row, heap of ${values.heap} MiB: ${exits} exits, longest /health ${longest.toFixed(0)} ms, most memory ${most.toFixed(0)} MiB, ${wrong} wrong answers`,
);
process.exitCode = exits > 0 || wrong > 0 || longest > LONGEST_HEALTH || most > MOST_MEMORY ? 1 : 0;
