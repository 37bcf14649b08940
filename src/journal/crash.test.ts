import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pathOf, root } from '../testing/app.ts';
import { noPostgres, startPostgres } from '../testing/postgres.ts';
import { type Process, startProcess } from '../testing/process.ts';
import { openDatabase, type Place } from './database.ts';

/*
 * Acknowledged feedback survives a kill of the process, or of its database, in the middle of its work. Set CDS_ITEMS to send
 * more and CDS_AWAY to keep the database away for longer; docs/reliability.md has the figures.
 */

const ITEMS = Number(process.env['CDS_ITEMS'] ?? 3000);
/** How long the database stays away, in milliseconds. */
const AWAY = Number(process.env['CDS_AWAY'] ?? 2000);
const folder = mkdtempSync(join(tmpdir(), 'cds-crash-'));
const processes: Process[] = [];
afterAll(async () => {
  await Promise.all(processes.map((service) => service.end('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
});

async function start(place: Place): Promise<Process> {
  const where = 'url' in place ? { DATABASE_URL: place.url } : { DATA_DIR: place.folder };
  const service = await startProcess({ ...where, LOG_LEVEL: 'warn' });
  processes.push(service);
  return service;
}

const call = readFileSync(
  join(root, 'test-bundles/laro-benzodiazepines/zopiclone-in-laro-outpatient.request.json'),
  'utf8',
);

/** Sends items from eight clients until `enough`; returns those acknowledged. Cards are requested in between. */
async function load({ url }: Process, prefix: string, enough: (acknowledged: number) => boolean, most = ITEMS) {
  const acknowledged: string[] = [];
  let sent = 0;
  let refused = 0;
  const client = async () => {
    while (sent < most) {
      const ids = Array.from({ length: 3 }, () => `${prefix}-${sent++}`);
      const feedback = ids.map((card) => ({ card, outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }));
      const post = (path: string, body: string) =>
        fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      try {
        const answer = await post('/cds-services/nordic-opioid-order-sign/feedback', JSON.stringify({ feedback }));
        if (answer.status === 200) acknowledged.push(...ids);
        else {
          expect(answer.status).toBe(503);
          refused += ids.length;
          // A refused client waits before it sends the next item.
          await new Promise((wake) => setTimeout(wake, 20));
        }
        const cards = await post(pathOf(JSON.parse(call)), call);
        expect(cards.status).toBe(200);
      } catch (error) {
        // The connection of a killed process.
        if (!(error instanceof TypeError)) throw error;
        return;
      }
      if (enough(acknowledged.length)) return;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return { acknowledged, sent, refused };
}

async function found(place: Place): Promise<Set<string>> {
  const database = openDatabase(place);
  const rows = await database.selectFrom('feedback').select('card').execute();
  await database.destroy();
  return new Set(rows.map(({ card }) => card));
}

async function killWhileLoaded(place: Place, name: string) {
  const service = await start(place);
  // Killed in the middle, while something is on its way.
  const half = ITEMS / 2;
  const { acknowledged, sent } = await load(service, 'first', (count) => {
    if (count >= half) service.child.kill('SIGKILL');
    return false;
  });
  expect(acknowledged.length).toBeGreaterThanOrEqual(half);
  expect(acknowledged.length).toBeLessThan(ITEMS);
  const again = await start(place);
  const rows = await found(place);
  const lost = acknowledged.filter((card) => !rows.has(card));
  console.info(
    `${name}: ${sent} sent, ${acknowledged.length} acknowledged, ${rows.size} found after kill -9, ${lost.length} lost`,
  );
  expect(lost).toEqual([]);
  // It continues where it was.
  const more = await load(again, 'second', (count) => count >= 30);
  const after = await found(place);
  expect(more.acknowledged.filter((card) => !after.has(card))).toEqual([]);
}

test('SQLite: kill -9 under load loses no acknowledged feedback', async () => {
  await killWhileLoaded({ folder }, 'SQLite');
}, 120_000);

test.skipIf(noPostgres !== undefined)(
  'PostgreSQL: kill -9 under load loses no acknowledged feedback',
  async () => {
    const server = await startPostgres();
    await killWhileLoaded({ url: server.url }, 'PostgreSQL');
    server.remove();
  },
  120_000,
);

test.skipIf(noPostgres !== undefined)(
  'PostgreSQL: a crash of its server under load loses nothing acknowledged, and calls are answered throughout',
  async () => {
    const server = await startPostgres();
    const place = { url: server.url };
    const service = await start(place);
    let crashed = false;
    let back: number | undefined;
    const { acknowledged, sent, refused } = await load(
      service,
      'item',
      (count) => {
        if (!crashed && count > ITEMS / 4) {
          crashed = true;
          server.crash();
          setTimeout(() => {
            server.start();
            back = 0;
          }, AWAY);
        }
        // Until as many again are acknowledged after it came back.
        if (back === 0) back = count;
        return back !== undefined && count > back + ITEMS / 4;
      },
      Number.POSITIVE_INFINITY,
    );
    const rows = await found(place);
    const lost = acknowledged.filter((card) => !rows.has(card));
    console.info(
      `PostgreSQL crashed and restarted: ${sent} sent, ${acknowledged.length} acknowledged, ${refused} refused, ${rows.size} found, ${lost.length} lost`,
    );
    expect(crashed).toBe(true);
    expect(refused).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    await service.end('SIGTERM');
    server.remove();
  },
  120_000,
);
