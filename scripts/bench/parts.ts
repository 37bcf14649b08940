import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBudgets } from '../../src/fhir/budget.ts';
import { completePrefetch } from '../../src/fhir/complete.ts';
import { createFetchJson } from '../../src/fhir/fetch-json.ts';
import { sections } from '../../src/fhir/prefetch.ts';
import { openDatabase, type Place } from '../../src/journal/database.ts';
import { migrate } from '../../src/journal/migrations.ts';
import { createStore } from '../../src/journal/store.ts';
import { PUBLIC_URL } from '../../src/testing/app.ts';
import { createClient, NOW, SIGN } from '../../src/testing/client.ts';
import { noPostgres, startPostgres } from '../../src/testing/postgres.ts';
import { bundle, prescription } from '../../src/testing/request.ts';
import { createReplay } from '../../src/trust/replay.ts';
import { verifyToken } from '../../src/trust/token.ts';

/** Rate per second of some work, done by so many at once. */
async function rate(work: (at: number) => Promise<unknown>, atOnce: number, seconds = 3): Promise<number> {
  let done = 0;
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const worker = async () => {
    while (performance.now() < end) await work(done++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done / ((performance.now() - begin) / 1000);
}

/** The parts of a call besides reading and deciding, each measured alone: rows of a table. */
export async function parts(): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'cds-parts-'));
  const rows: string[][] = [];
  rows.push(...(await journal('SQLite', { folder })));
  if (noPostgres === undefined) {
    const server = await startPostgres();
    rows.push(...(await journal('PostgreSQL', { url: server.url })));
    server.remove();
  }
  rmSync(folder, { recursive: true });
  rows.push(...(await tokens()), ...(await fetching()));
  return rows;
}

async function journal(name: string, place: Place): Promise<string[][]> {
  const database = openDatabase(place);
  await migrate(database);
  const store = createStore(database);
  const at = Date.now();
  const card = () => ({
    client: 'ehr',
    tenant: '',
    uuid: crypto.randomUUID(),
    day: '2026-03-02',
    issued_at: at,
    hook: 'order-sign',
    rule: 'a-rule',
    indicator: 'info',
    suggestions: '{"0b9a":"remove"}',
    knowledge: 'abcdef123456',
    patient: null,
    basis: null,
    kept: 0,
  });
  const cards = await rate(() => store.append(Array.from({ length: 300 }, card), []), 2);
  const item = (id: string) => ({
    id,
    client: 'ehr',
    tenant: '',
    card: id,
    service: 's',
    outcome: 'overridden' as const,
    suggestion: null,
    at,
    received_at: at,
    reason_code: 'code',
    reason_system: 'urn:s',
    comment: null,
  });
  const single = await rate(() => store.addFeedback([item(crypto.randomUUID())]), 1);
  const used = await rate(() => store.useToken(crypto.randomUUID(), at + 60_000, at), 4);
  await database.destroy();
  return [
    [`${name}: cards written, in batches of 300`, (cards * 300).toFixed(0)],
    [`${name}: feedback committed, one by one`, single.toFixed(0)],
    [`${name}: tokens looked up, four at once`, used.toFixed(0)],
  ];
}

async function tokens(): Promise<string[][]> {
  const rows: string[][] = [];
  for (const alg of ['ES384', 'RS384']) {
    const { client, token } = await createClient({}, alg);
    const clock = () => NOW * 1000;
    const trust = {
      clients: [client],
      keys: { of: () => Promise.reject(new Error()) },
      replay: createReplay(clock),
      clock,
    };
    const made = await Promise.all(Array.from({ length: 4000 }, () => token(SIGN)));
    const perSecond = await rate(
      // Repeated tokens are verified in the same way before they are refused.
      (at) =>
        verifyToken(`Bearer ${made[at % made.length]}`, [`${PUBLIC_URL}${SIGN}`], trust, undefined).catch(() => {}),
      4,
      1,
    );
    rows.push([`tokens verified, ${alg}, keys in the file`, perSecond.toFixed(0)]);
  }
  return rows;
}

async function fetching(): Promise<string[][]> {
  const list = JSON.stringify(
    bundle(
      Array.from({ length: 20 }, (_, at) => prescription(`m${at}`, 'paracetamol')),
      'searchset',
    ),
  );
  const server = createServer((_incoming, response) =>
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(list),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fetchJson = createFetchJson();
  const access = { base, aliases: [], authorization: undefined, privateNetwork: true, client: 'bench' };
  const budgets = createBudgets();
  const limits = { softMs: 5000, hardMs: 5000, maxPages: 20, post: false };
  const call = { patientId: 'kari', encounterId: 'visit' };
  const perSecond = await rate(async () => {
    const budget = budgets('bench');
    const completed = await completePrefetch({}, [...sections], [...sections], call, [], {
      access,
      limits,
      fetchJson,
      budget,
    });
    budget.end();
    return completed;
  }, 8);
  await fetchJson.close();
  server.close();
  return [
    [`calls whose ${sections.length} keys are all fetched, from a server in the same process`, perSecond.toFixed(0)],
  ];
}
