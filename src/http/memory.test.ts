import { afterAll, expect, test } from 'vitest';
import { allocateYoung, collector } from '../memory.ts';
import { pathOf, startService } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { bundle, order, request } from '../testing/request.ts';

// As server.ts does.
allocateYoung();
const service = await startService({ logLevel: 'silent' });
afterAll(() => service.close());
const collect = collector();

// What outlives its call is copied by each small collection and again by the next, and every later call waits for it.
test('V2: what a call brought dies with it, at the next small collection', async () => {
  const note = Array.from({ length: 40 }, (_, at) => ({ text: `Line ${at} of a note` }));
  const results = Array.from({ length: 100 }, (_, at) => ({ resourceType: 'Observation', id: `o-${at}`, note }));
  const body = request('order-select', {
    drafts: [order('draft', examples.benzodiazepine)],
    prefetch: { observations: bundle(results) },
  });
  const payload = JSON.stringify(body);
  const ask = async () => {
    for (let at = 0; at < 10; at++) {
      const { statusCode } = await service.app.inject({
        method: 'POST',
        url: pathOf(body),
        headers: { 'content-type': 'application/json' },
        payload,
      });
      expect(statusCode).toBe(200);
    }
    collect({ type: 'minor' });
    return process.memoryUsage().heapUsed;
  };
  for (let round = 0; round < 10; round++) await ask();
  let added = 0;
  for (let round = 0, before = await ask(); round < 30; round++) {
    const now = await ask();
    // A full collection in between takes away what was kept: what it takes does not count.
    added += Math.max(0, now - before);
    before = now;
  }
  expect(added / 300).toBeLessThan(payload.length / 2);
});
