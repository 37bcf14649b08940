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

// What outlives its call is copied by each small collection, and every later call waits for that.
function call(results: number) {
  const note = Array.from({ length: 40 }, (_, at) => ({ text: `Line ${at} of a note` }));
  const observations = Array.from({ length: results }, (_, at) => ({
    resourceType: 'Observation',
    id: `o-${at}`,
    note,
  }));
  const body = request('order-select', {
    drafts: [order('draft', examples.benzodiazepine)],
    prefetch: { observations: bundle(observations) },
  });
  const payload = JSON.stringify(body);
  const send = async () => {
    const { statusCode } = await service.app.inject({
      method: 'POST',
      url: pathOf(body),
      headers: { 'content-type': 'application/json' },
      payload,
    });
    expect(statusCode).toBe(200);
  };
  return { payload, send };
}

test('V2: the data of a call are freed with it, at the next small collection', async () => {
  const { payload, send } = call(100);
  const ask = async () => {
    for (let at = 0; at < 10; at++) await send();
    collect({ type: 'minor' });
    return process.memoryUsage().heapUsed;
  };
  for (let round = 0; round < 10; round++) await ask();
  let added = 0;
  for (let round = 0, before = await ask(); round < 30; round++) {
    const now = await ask();
    // A full collection in between frees retained data, and is not counted.
    added += Math.max(0, now - before);
    before = now;
  }
  expect(added / 300).toBeLessThan(payload.length / 2);
});

// Waiting calls are old to the collector, and what a dead old object refers to stays until a full collection.
test('V2: the data of a call that waited are freed with it too, and its bytes at once', async () => {
  const { payload, send } = call(300);
  const ask = async () => {
    collect({ type: 'major' });
    const before = process.memoryUsage();
    const calls = Array.from({ length: 12 }, send);
    for (let round = 0; round < 2; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect({ type: 'minor' });
    }
    await Promise.all(calls);
    const bytes = process.memoryUsage().arrayBuffers - before.arrayBuffers;
    collect({ type: 'minor' });
    return { bytes: bytes / 12, objects: (process.memoryUsage().heapUsed - before.heapUsed) / 12 };
  };
  for (let round = 0; round < 3; round++) await ask();
  const kept = [await ask(), await ask(), await ask(), await ask(), await ask()];
  // Other objects may happen to be in use at a collection, so the minimum counts.
  expect(Math.min(...kept.map(({ objects }) => objects))).toBeLessThan(payload.length / 2);
  expect(Math.min(...kept.map(({ bytes }) => bytes))).toBeLessThan(payload.length / 2);
});
