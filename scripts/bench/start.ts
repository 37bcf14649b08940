import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { root } from '../../src/testing/app.ts';
import { memoryOf, start, stop } from './server.ts';
import { median } from './words.ts';

/** Time from the start of the process to its first answer, and its idle memory, with a drug table. */
export async function startWithCodes(folder: string, rows: number): Promise<string> {
  const knowledge = join(folder, 'knowledge');
  for (const part of ['hooks', 'cards']) cpSync(join(root, part), join(knowledge, part), { recursive: true });
  const lines = Array.from(
    { length: rows },
    (_, at) => `https://hospital.example/drugs,${at},C10AA${String(at % 90).padStart(2, '0')}`,
  );
  writeFileSync(join(knowledge, 'hooks/codes/products.csv'), ['system,code,atc', ...lines].join('\n'));
  const measure = async (environment: Record<string, string>) => {
    const times: number[] = [];
    let idle = 0;
    for (let round = 0; round < 5; round++) {
      const begin = performance.now();
      const server = await start('start', ['src/server.ts'], {
        DATA_DIR: join(folder, `start-${round}`),
        ...environment,
      });
      await (await fetch(`${server.url}/cds-services`)).text();
      times.push(performance.now() - begin);
      await wait(2000);
      idle = memoryOf(server, 'VmRSS');
      await stop(server);
    }
    return { first: median(times), idle };
  };
  const plain = await measure({});
  const large = await measure({ KNOWLEDGE: knowledge });
  const words = ({ first, idle }: typeof plain) =>
    `${(first / 1000).toFixed(2)} s to the first answer, ${idle.toFixed(0)} MiB after two idle seconds`;
  return `As delivered ${words(plain)}; with ${rows.toLocaleString('en')} drug codes of the site ${words(large)}.`;
}
