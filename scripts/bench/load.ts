import { createHistogram } from 'node:perf_hooks';
import { Pool } from 'undici';
import type { Body } from './bodies.ts';
import { cpuOf, type Server } from './server.ts';

/** The result of one stretch of load. Times in milliseconds. */
export type Stretch = { perSecond: number; p50: number; p99: number; p999: number; cpu: number };

/** Sends one body over so many connections, each sending its next call after its answer. Throws if one fails. */
export async function load(server: Server, body: Body, connections: number, seconds: number): Promise<Stretch> {
  const pool = new Pool(server.url, { connections, pipelining: 1 });
  const histogram = createHistogram();
  const options = {
    method: 'POST' as const,
    path: `/cds-services/nordic-opioid-${body.hook}`,
    headers: { 'content-type': 'application/json' },
    body: body.text,
  };
  const end = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const begin = performance.now();
      const answer = await pool.request(options);
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`${server.name} answered ${answer.statusCode} to ${body.name}`);
      histogram.record(Math.max(1, Math.round((performance.now() - begin) * 1e6)));
    }
  };
  const before = cpuOf(server);
  const begin = performance.now();
  await Promise.all(Array.from({ length: connections }, client));
  const took = (performance.now() - begin) / 1000;
  const cpu = cpuOf(server) - before;
  await pool.close();
  const at = (percent: number) => histogram.percentile(percent) / 1e6;
  return { perSecond: histogram.count / took, p50: at(50), p99: at(99), p999: at(99.9), cpu: cpu / histogram.count };
}
