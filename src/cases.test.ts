import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { deliveredSite } from './knowledge/load.ts';
import { knowledgeOf, root, startService } from './testing/app.ts';
import type { Card } from './testing/cards.ts';
import type { Json } from './testing/request.ts';

/**
 * Requests with the answers that the recommendations demand, if their folder is present beside the project: `NAME.json` files
 * and `expected.json`, which lists for each case what must and must not fire. Cases that need more than one call are not run.
 */
const folder = join(root, '../shared/cases');

type Expected = { fires: Record<string, string>; notChecked: boolean | 'may' };
type Case = Expected & {
  status: number;
  country: string | null;
  open?: string[];
  alternatives?: Expected[];
  firesIn?: Record<string, Record<string, string>>;
  special?: string;
};

const groups = ['clinical', 'wild', 'wire'].filter((name) => existsSync(join(folder, name, 'expected.json')));

const COUNTRIES = [undefined, 'SE', 'NO', 'DK'];
const services = new Map<string | undefined, Awaited<ReturnType<typeof startService>>>();
afterAll(async () => {
  for (const service of services.values()) await service.close();
});

async function serviceIn(country: string | undefined) {
  const known = services.get(country);
  if (known) return known;
  const service = await startService({
    knowledge: knowledgeOf(root, { ...deliveredSite, ...(country && { country }) }),
    logLevel: 'silent',
  });
  services.set(country, service);
  return service;
}

/** How the cards differ from the expected ones, in words. */
function differences({ fires, notChecked }: Expected, open: string[], cards: Card[]): string[] {
  const topics = cards.map(({ source, indicator }) => [source.topic.code, indicator] as const);
  const got = new Map(topics);
  const found = Object.entries(fires).flatMap(([topic, indicator]) =>
    got.get(topic) === indicator ? [] : [`${topic}: ${got.get(topic) ?? 'no card'} for ${indicator}`],
  );
  const said = got.has('not-checked');
  if (notChecked !== 'may' && notChecked !== said) found.push(`not-checked: ${said} for ${notChecked}`);
  const allowed = ['not-checked', ...open, ...Object.keys(fires)];
  return [
    ...found,
    ...[...got.keys()].filter((topic) => !allowed.includes(topic)).map((topic) => `forbidden ${topic}`),
  ];
}

function casesOf(group: string, country: string | undefined): [name: string, expected: Case][] {
  const all = JSON.parse(readFileSync(join(folder, group, 'expected.json'), 'utf8')) as Record<string, Case>;
  return Object.entries(all).filter(
    ([, { special, country: own, firesIn }]) =>
      special === undefined && (country === undefined ? !own : own === country || firesIn?.[country] !== undefined),
  );
}

describe.skipIf(groups.length === 0)('the cases beside the project (skipped if absent)', () => {
  const all = groups.flatMap((group) =>
    COUNTRIES.flatMap((country) =>
      casesOf(group, country).map(([name, expected]) => ({ group, country, name, expected })),
    ),
  );

  test.each(all)('$group $name, country $country', async ({ group, country, name, expected }) => {
    const body = JSON.parse(readFileSync(join(folder, group, `${name}.json`), 'utf8')) as Json;
    const service = await serviceIn(country);
    const { status, body: answer } = await service.call(body, { 'accept-language': 'sv' });
    expect(status).toBe(expected.status);
    if (status !== 200) return;
    const besides = country === undefined ? {} : (expected.firesIn?.[country] ?? {});
    const judged = [expected, ...(expected.alternatives ?? [])].map(({ fires, notChecked }) =>
      differences({ fires: { ...fires, ...besides }, notChecked }, expected.open ?? [], answer.cards as Card[]),
    );
    expect(judged.reduce((best, next) => (next.length < best.length ? next : best))).toEqual([]);
  });

  test('there are cases', () => {
    expect(all.length).toBeGreaterThan(100);
  });
});
