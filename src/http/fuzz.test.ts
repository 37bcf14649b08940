import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { readTestBundles } from '../cli/bundles.ts';
import { pathOf, root, startService } from '../testing/app.ts';
import { type Json, order, pair, prescription, request } from '../testing/request.ts';
import { wireProblems } from '../testing/wire-conformance.ts';

const SEED = 20260302;

const service = await startService();
afterAll(() => service.close());

const bases = [
  ...readTestBundles(join(root, 'test-bundles'), []).map(({ body }) => body as Json),
  pair('order-select'),
  request('order-sign', { drafts: [order('x', 'oxycodone'), order('z', 'pregabalin')] }),
  request('patient-view', { record: [prescription('m', 'methadone'), prescription('o', 'oxazepam')] }),
];

/** A word that no answer but a card, and no line of the log, may repeat. */
const CANARY = 'Kanarie-Fogel-7c1f';
/** Written over in the text of the body, since JSON.stringify would not write it. */
const HUGE = '@huge@';

const junk: unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, 5e-324, -1e21, 2 ** 53, HUGE],
  ...[
    '',
    ' ',
    '\u0000\u001f\u007f',
    '\u202eabc\u2066',
    '\ud800',
    '\ufeff',
    '𝒳'.repeat(300),
    CANARY,
    `Patient/${CANARY}`,
  ],
  ...[
    'x'.repeat(100_000),
    'NaN',
    '-0',
    '1e999',
    '[object Object]',
    '__proto__',
    '../../etc/passwd',
    '#',
    'urn:uuid:',
    '/',
    '{a}',
    '{',
  ],
  ...['0000', '9999-12-31', '0000-01-01', '2026-02-30', '2026-13', '2026-00-10', '+275760-09-13', '-000001-01-01'],
  ...[
    '2026-03-02T25:61:61Z',
    '2026-03-02T10:00:00+99:99',
    '2026-03-29T02:30:00',
    '9999-12-31T23:59:59-12:00',
    '2026-W09',
    CANARY,
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    { a: {} },
    [CANARY],
    { [CANARY]: CANARY },
    { value: HUGE, code: 'd' },
    { value: 36525, code: 'a' },
  ],
  Array.from({ length: 3000 }, () => ({})),
  Array.from({ length: 100 }).reduce((inner) => ({ resource: inner, entry: [inner], item: [inner] }).item, 'deep'),
  { resourceType: CANARY },
  {
    resourceType: 'Bundle',
    entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ diagnostics: CANARY }] } }],
  },
];

const kinds = ['drop', 'replace', 'replace', 'replace', 'twice', 'nest', 'unnest', 'swap', 'key', 'add'] as const;
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(),
  other: fc.nat(),
  junk: fc.oneof(fc.constantFrom(...junk), fc.jsonValue({ maxDepth: 3 })),
  key: fc.constantFrom('__proto__', 'toString', 'constructor', 'prototype', 'length', 'resourceType', CANARY, ''),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Place = { holder: Record<string, unknown>; key: string };

/** Every node below the root. */
function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null || found.length > 3000) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    placesOf(holder[key], found);
  }
  return found;
}

function mutate(body: Json, { kind, at, other, key, ...step }: Step): void {
  const junk = structuredClone(step.junk);
  const places = placesOf(body);
  const place = places[at % places.length];
  const second = places[other % places.length];
  if (!place || !second) return;
  const { holder } = place;
  const value = holder[place.key];
  if (kind === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(place.key), 1);
    else delete holder[place.key];
  } else if (kind === 'replace') holder[place.key] = junk;
  else if (kind === 'twice') holder[place.key] = Array.isArray(value) ? [...value, ...value] : [value, value];
  else if (kind === 'nest') holder[place.key] = other % 2 === 0 ? [value] : { [key]: value };
  else if (kind === 'unnest' && typeof value === 'object' && value !== null)
    holder[place.key] = Object.values(value)[0];
  else if (kind === 'swap') {
    holder[place.key] = structuredClone(second.holder[second.key]);
    second.holder[second.key] = structuredClone(value);
  } else {
    const target =
      [value, holder].find((item) => typeof item === 'object' && item !== null && !Array.isArray(item)) ?? body;
    // An own key even where its name is __proto__.
    Object.defineProperty(target, kind === 'key' ? key : 'extension', {
      value: junk,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** A base with some mutations, as the text of a body. */
const mutated = fc
  .tuple(fc.constantFrom(...bases), fc.array(step, { minLength: 1, maxLength: 4 }))
  .map(([base, steps]) => {
    const body = structuredClone(base);
    for (const each of steps) mutate(body, each);
    return { path: pathOf(base), text: JSON.stringify(body).replaceAll(`"${HUGE}"`, '1e999') };
  });

async function send(url: string, payload: string) {
  const before = service.log.length;
  const response = await service.app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json', 'accept-language': 'en' },
  });
  return { status: response.statusCode, text: response.body, logged: service.log.slice(before).join('') };
}

test(`R10, T2, T3, S5: whatever is broken in a request, the answer is whole (seed ${SEED})`, async () => {
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(mutated, async ({ path, text }) => {
      const answer = await send(path, text);
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      const body = JSON.parse(answer.text);
      if (answer.status === 200) expect(wireProblems(answer.text, JSON.parse(text))).toEqual([]);
      else {
        expect([400, 412, 422]).toContain(answer.status);
        expect(body.resourceType).toBe('OperationOutcome');
        expect(body.issue.length).toBeGreaterThan(0);
        expect(answer.text).not.toContain(CANARY);
      }
      expect(answer.logged).not.toContain(CANARY);
      expect(answer.logged).not.toContain('"level":50');
    }),
    { seed: SEED, numRuns: 800 },
  );
  // The mutations reach every kind of answer, so the property is not about refusals only.
  for (const status of [200, 400, 412]) expect(seen.get(status) ?? 0, String(status)).toBeGreaterThan(15);
}, 60_000);

test(`R10, T7: whatever is broken in the text of a request, the answer is whole (seed ${SEED})`, async () => {
  const texts = bases.slice(-3).map((base) => ({ path: pathOf(base), text: JSON.stringify(base) }));
  const broken = fc.tuple(
    fc.constantFrom(...texts),
    fc.nat(),
    fc.nat({ max: 20 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(broken, async ([{ path, text }, at, cut, insert]) => {
      const from = at % text.length;
      const answer = await send(path, text.slice(0, from) + insert + text.slice(from + cut));
      expect([200, 400, 412, 422]).toContain(answer.status);
      if (answer.status !== 200) expect(JSON.parse(answer.text).resourceType).toBe('OperationOutcome');
    }),
    { seed: SEED, numRuns: 300 },
  );
}, 60_000);
