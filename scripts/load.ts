import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { readTestBundles } from '../src/cli/bundles.ts';
import { helpIfAsked } from '../src/cli/words.ts';

helpIfAsked(`Usage: npm run load [-- --rate 50] [--connections 20] [--seconds 20]

Measures how long calls take while others are on their way. Starts the service as a process of its own and sends it the test
bundles, on connections that stay open.

  --rate N         calls a second (50)
  --connections N  connections at once (20)
  --seconds N      how long (20)
`);

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '50' },
    connections: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
  },
});
const [rate, connections, seconds] = [values.rate, values.connections, values.seconds].map(Number) as [
  number,
  number,
  number,
];

const root = fileURLToPath(new URL('..', import.meta.url));
const child = spawn(process.execPath, ['src/server.ts'], {
  cwd: root,
  env: { ...process.env, PORT: '0', LOG_LEVEL: 'silent' },
  stdio: ['ignore', 'ignore', 'pipe'],
});
const origin = await new Promise<string>((done, fail) => {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    const address = /answers at (http:\S+)/.exec(said)?.[1];
    if (address) done(address);
  });
  child.once('exit', () => fail(new Error(said)));
});

const bundles = readTestBundles(`${root}/test-bundles`, []);
const pool = new Pool(origin, { connections });
const times: number[] = [];
const statuses = new Map<number, number>();
async function send(at: number): Promise<void> {
  const { body, hook } = bundles[at % bundles.length] as (typeof bundles)[number];
  const begin = performance.now();
  const response = await pool.request({
    method: 'POST',
    path: `/cds-services/nordic-opioid-${hook}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...(body as object), hookInstance: randomUUID() }),
  });
  await response.body.text();
  times.push(performance.now() - begin);
  statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
}

for (let at = 0; at < 200; at++) await send(at);
times.length = 0;
statuses.clear();
const underWay: Promise<void>[] = [];
const begin = performance.now();
for (let at = 0; at < rate * seconds; at++) {
  const wait = begin + (at * 1000) / rate - performance.now();
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  underWay.push(send(at));
}
await Promise.all(underWay);
const took = (performance.now() - begin) / 1000;
times.sort((a, b) => a - b);
const share = (part: number) => `${(times[Math.ceil(times.length * part) - 1] as number).toFixed(1)} ms`;
console.log(
  `${times.length} calls in ${took.toFixed(1)} s, ${connections} connections: ${Math.round(times.length / took)} a second`,
);
console.log(
  `half within ${share(0.5)}, 95 % within ${share(0.95)}, 99 % within ${share(0.99)}, all within ${share(1)}`,
);
console.log([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '));
await pool.close();
child.kill('SIGTERM');
