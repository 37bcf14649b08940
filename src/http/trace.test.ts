import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, startService } from '../testing/app.ts';
import { createClient, SIGN } from '../testing/client.ts';
import { type Json, pair } from '../testing/request.ts';

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const EXTENSION = 'org.nordic-opioid-cds';
const explained = (body: Json): Json => ({ ...body, extension: { [EXTENSION]: { explain: true, now: '2026-03-02' } } });
const bundle = (name: string): Json =>
  JSON.parse(readFileSync(join(root, 'test-bundles', `${name}.request.json`), 'utf8'));
const withoutList = (): Json => ({ ...pair(), prefetch: { ...pair().prefetch, medications: undefined } });

test('the trace lists drafts and treatments as read', async () => {
  const { body } = await service.call(explained(pair()));
  const { drafts, treatments } = body.extension[EXTENSION].trace;
  expect(drafts).toMatchObject([{ ref: 'MedicationRequest/pregabalin-1', ordered: true, start: '2026-03-02' }]);
  expect(treatments).toMatchObject([
    { ref: 'MedicationRequest/methadone-1', degree: 'taken', start: '2026-02-02', identifiedBy: 'atc' },
  ]);
});

test('a fact that rests on courses has their first and last days', async () => {
  const { body } = await service.call(explained(bundle('opioid-taper/gap-of-30-days')));
  const rule = body.extension[EXTENSION].trace.rules.find(({ rule }: Json) => rule === 'opioid-long-term');
  const fact = rule.facts.find(({ fact }: Json) => fact === 'longUse');
  expect(fact).toMatchObject({ outcome: 'holds', courses: [{ start: '2025-06-01', end: '2026-03-02' }] });
});

test('a 412 names the undecided rules if the caller asks', async () => {
  const { status, body } = await service.call(explained(withoutList()));
  expect([status, body.extension.length, body.extension[0].url]).toEqual([412, 1, 'urn:nordic-opioid-cds:trace']);
  const trace = JSON.parse(body.extension[0].valueString);
  expect(trace.rules.filter(({ outcome }: Json) => outcome === 'not-known').length).toBeGreaterThan(0);
  expect((await service.call(withoutList())).body).not.toHaveProperty('extension');
});

test('S5: in production a 412 is explained only to clients that may ask', async () => {
  const [may, mayNot] = await Promise.all([
    createClient({ name: 'tester', iss: 'https://tester.example', explain: true }),
    createClient(),
  ]);
  const production = await startService({ mode: 'production', clients: [may.client, mayNot.client] });
  const ask = async (token: string) =>
    (await production.call(explained(withoutList()), { authorization: `Bearer ${token}` })).body;
  expect(await ask(await may.token(SIGN))).toHaveProperty('extension');
  expect(await ask(await mayNot.token(SIGN))).not.toHaveProperty('extension');
  await production.close();
});
