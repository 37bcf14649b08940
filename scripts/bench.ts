import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { helpIfAsked } from '../src/cli/words.ts';
import { bodies } from './bench/bodies.ts';
import { growth } from './bench/growth.ts';
import { load, type Stretch } from './bench/load.ts';
import { parts as partsAlone } from './bench/parts.ts';
import { memoryOf, type Server, start, stop } from './bench/server.ts';
import { ruleCost, stages } from './bench/stages.ts';
import { startWithCodes } from './bench/start.ts';
import { median, spread, table } from './bench/words.ts';

helpIfAsked(`Usage: npm run bench [-- --rounds 4] [--seconds 1] [--only NAME] [--out FILE]

Measures the service beside a bare server, in one run on one machine. Everything is a ratio to bare Fastify that parses the same
body.

  --rounds N   rounds of each server, by turns (4); half as many with 1 and 64 connections
  --seconds N  length of a round (1)
  --only NAME  only the bodies of that name
  --out FILE   also write the tables there
`);

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const folder = mkdtempSync(join(tmpdir(), 'cds-bench-'));
const measured = bodies().filter(({ name }) => name.includes(values.only));
const parts: string[] = [];
const journal: string[][] = [];
const say = (text: string) => {
  parts.push(text);
  process.stdout.write(`${text}\n\n`);
};

const node = `Node ${process.versions.node}`;
say(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 1024 ** 3)} GiB, ${node}, ${process.platform} ${process.arch}. Rounds of ${seconds} s, ${rounds} each, taken by turns; the client runs on the same machine.`,
);

const bare = await start('Fastify', ['scripts/bench/baseline.ts', 'bare']);
const service = await start('the service', ['src/server.ts'], { DATA_DIR: join(folder, 'journal') });
const silent = await start('without journal', ['src/server.ts'], { JOURNAL: 'off' });
const servers: Server[] = [
  bare,
  await start('one rule by hand', ['scripts/bench/baseline.ts', 'by-hand']),
  await start('one rule, fhirpath.js', ['scripts/bench/baseline.ts', 'interpreted']),
  service,
  silent,
];

/**
 * V8 optimises the service's code for some tens of thousands of calls: it runs for days, so that it is measured afterwards. The
 * first body takes longest, because most of the code is the same for all.
 */
async function warmUp(server: Server, patience: number): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  for (const [at, body] of measured.entries())
    for (let second = 0; second < (at === 0 ? 5 : 1) * patience; second++) {
      const stretch = await load(server, body, 16, 1);
      if (at === 0) stretches.push(stretch);
    }
  return stretches;
}
for (const server of servers) {
  const own = [service, silent].includes(server);
  const stretches = await warmUp(server, own ? 3 : 1);
  if (server !== service) continue;
  const shown = [1, 2, 3, 5, 10, 15];
  say(
    `### Warming up\n\nProcessor time of a call of ${measured[0]?.name} in the seconds after the start, 16 connections.\n\n${table(
      ['second', ...shown.map(String)],
      [['ms', ...shown.map((second) => stretches[second - 1]?.cpu.toFixed(2) ?? '')]],
    )}`,
  );
}

/** One table: each body on each server by turns. */
async function compare(connections: number, among: Server[], times: number): Promise<void> {
  const rows: string[][] = [];
  for (const body of measured) {
    const found = new Map<Server, Stretch[]>(among.map((server) => [server, []]));
    for (let round = 0; round < times; round++)
      for (const server of among) found.get(server)?.push(await load(server, body, connections, seconds));
    const of = (server: Server, key: keyof Stretch) => (found.get(server) as Stretch[]).map((stretch) => stretch[key]);
    if (among.includes(silent)) {
      const withJournal = of(service, 'p99').map((value, at) => value / (of(silent, 'p99')[at] as number));
      journal.push([body.name, median(withJournal).toFixed(2), spread(withJournal)]);
    }
    for (const server of among) {
      const ratios = (key: keyof Stretch) => of(server, key).map((value, at) => value / (of(bare, key)[at] as number));
      rows.push([
        server === among[0] ? `${body.name} (${Math.round(body.text.length / 1000)} kB)` : '',
        server.name,
        median(of(server, 'perSecond')).toFixed(0),
        `${median(ratios('perSecond')).toFixed(2)} (${spread(ratios('perSecond'))})`,
        median(of(server, 'p50')).toFixed(1),
        median(of(server, 'p99')).toFixed(1),
        median(ratios('p99')).toFixed(2),
        median(of(server, 'cpu')).toFixed(2),
      ]);
    }
  }
  say(
    `### ${connections} connection${connections === 1 ? '' : 's'}\n\n${table(['body', 'server', 'calls/s', 'to Fastify', 'p50 ms', 'p99 ms', 'p99 to Fastify', 'CPU ms/call'], rows)}`,
  );
}
await compare(16, servers, rounds);
await compare(1, [bare, service], rounds / 2);
await compare(64, [bare, service], rounds / 2);
say(
  `### Journal\n\np99 with the journal to p99 without, 16 connections.\n\n${table(['body', 'median', 'rounds'], journal)}`,
);
say(
  `### Memory\n\n${table(
    ['server', 'most, MiB'],
    servers.map((server) => [server.name, memoryOf(server, 'VmHWM').toFixed(0)]),
  )}`,
);
for (const server of servers) await stop(server);

say(
  `### Stages\n\nMicroseconds of processor time, in one process.\n\n${table(['body', 'parse', 'shape', 'chart', 'rules', 'cards', 'write'], stages(measured))}`,
);
say(`### Rules about other drugs\n\n${ruleCost(measured)}`);
say(`### Parts alone\n\n${table(['what', 'a second'], await partsAlone())}`);
say(`### Start\n\n${await startWithCodes(folder, 100_000)}`);
say(`### Growth\n\n${await growth(60_000)}`);
rmSync(folder, { recursive: true });
if (values.out !== undefined) writeFileSync(values.out, `${parts.join('\n\n')}\n`);
