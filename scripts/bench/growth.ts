import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/journal/journal.ts';
import { collector } from '../../src/memory.ts';
import { startService } from '../../src/testing/app.ts';
import { bodies } from './bodies.ts';

/** The heap after collection, early and after many calls, with the journal on. */
export async function growth(calls: number): Promise<string> {
  const collect = collector();
  const folder = mkdtempSync(join(tmpdir(), 'cds-growth-'));
  const limits = () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 });
  const journal = await openJournal({ place: { folder }, clock: Date.now, limits, warn: () => {} });
  const service = await startService({ journal, logLevel: 'silent' });
  service.log.push = () => 0;
  const heap = () => {
    collect();
    collect();
    return process.memoryUsage().heapUsed / 1024 ** 2;
  };
  const sent = bodies().filter(({ text }) => text.length < 100_000);
  const ask = async (count: number) => {
    for (let at = 0; at < count; at++) {
      const { hook, text } = sent[at % sent.length] as (typeof sent)[number];
      const payload = text.replace(/"hookInstance":"[^"]*"/, `"hookInstance":"${crypto.randomUUID()}"`);
      await service.app.inject({
        method: 'POST',
        url: `/cds-services/nordic-opioid-${hook}`,
        headers: { 'content-type': 'application/json' },
        payload,
      });
    }
  };
  const early = calls / 10;
  await ask(early);
  const before = heap();
  await ask(calls - early);
  const after = heap();
  await service.close();
  await journal.close();
  rmSync(folder, { recursive: true });
  return `Heap after collection: ${before.toFixed(1)} MiB after ${early.toLocaleString('en')} calls, ${after.toFixed(1)} MiB after ${calls.toLocaleString('en')} (${(100 * (after / before - 1)).toFixed(1)} %).`;
}
