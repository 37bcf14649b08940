import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Knowledge } from '../cards/knowledge.ts';
import { readTestBundles, type TestBundle } from '../cli/bundles.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { knowledgeOf, pathOf, root, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { startFhirServer } from '../testing/fhir-server.ts';
import type { Json } from '../testing/request.ts';
import { createFetchJson } from './fetch-json.ts';
import { idOf } from './json.ts';
import { partOf, type Section, sections } from './prefetch.ts';

const bundles = readTestBundles(join(root, 'test-bundles'), []).map((bundle) => ({
  ...bundle,
  body: bundle.body as Json & { prefetch: Json },
  record: recordOf(bundle),
}));
const usable = bundles.filter((bundle) => bundle.record !== undefined);

const server = await startFhirServer();
const fetchJson = createFetchJson();
/** Signing with ES256 is much faster than with ES384, and there are many signatures here. */
const { client, token } = await createClient(
  { fhirServers: [server.base], privateNetwork: true, requestsPerMinute: 1_000_000, algorithms: ['ES256'] },
  'ES256',
);

/** A production service for each hospital and day in which the bundles are set. */
const services = new Map<string, Awaited<ReturnType<typeof startService>>>();
const placeOf = ({ expected, body }: { expected: TestBundle['expected']; body: Json }) =>
  JSON.stringify([expected.site ?? {}, dayOf(body)]);
beforeAll(async () => {
  const known = new Map<string, Knowledge>();
  for (const place of new Set(usable.map(placeOf))) {
    const [site, day] = JSON.parse(place);
    const knowledge = known.get(JSON.stringify(site)) ?? knowledgeOf(root, { ...deliveredSite, ...site });
    known.set(JSON.stringify(site), knowledge);
    const clock = () => Date.parse(`${day}T09:00:00Z`);
    services.set(place, await startService({ mode: 'production', clients: [client], knowledge, clock, fetchJson }));
  }
});
afterAll(async () => {
  for (const service of services.values()) await service.close();
  await fetchJson.close();
  await server.close();
});

/** In production no caller may choose the day, so the service's clock is set to that of the bundle. */
function dayOf(body: Json): string {
  return (body['extension'] as Record<string, { now: string }>)['org.nordic-opioid-cds']?.now as string;
}

/**
 * The record that a bundle's prefetch was taken from: its resources, and the types that the client could not send, which
 * its server refuses. Undefined if a key is no answer of a server but a state of the prefetch itself.
 */
function recordOf({ body }: { body: unknown }): { resources: Json[]; refused: string[] } | undefined {
  const { prefetch, context } = body as { prefetch: Partial<Record<Section, unknown>>; context: Json };
  const patientId = idOf(context['patientId'] as string);
  const read = sections.map((section) => ({ section, resources: resourcesOf(section, prefetch[section]) }));
  if (read.some(({ resources }) => resources === undefined)) return undefined;
  // No server answers a search for one patient with a list about another.
  const own = (resource: Json) => subjectOf(resource) === undefined || subjectOf(resource) === `Patient/${patientId}`;
  if (read.some(({ resources = [] }) => resources.length > 0 && !resources.some(own))) return undefined;
  return {
    resources: read.flatMap(({ resources }) => resources as Json[]),
    refused: sections.filter((section) => prefetch[section] === undefined).map((section) => partOf[section].type),
  };
}

function subjectOf(resource: Json): string | undefined {
  return ((resource['subject'] ?? resource['patient']) as { reference?: string } | undefined)?.reference;
}

type Value = {
  resourceType?: string;
  resource?: Json;
  link?: { relation: string }[];
  total?: number;
  entry?: { resource: Json }[];
};

function resourcesOf(section: Section, value: unknown): Json[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object') return undefined;
  const { resourceType, resource, link = [], total = 0, entry = [] } = value as Value;
  if (resourceType === undefined && resource) return resourcesOf(section, resource);
  if (link.some(({ relation }) => relation === 'next') || total > entry.length) return undefined;
  const found = resourceType === 'Bundle' ? entry.map((item) => item.resource) : [value as Json];
  const types = [partOf[section].type, 'Medication'];
  return found.every((item) => types.includes(item['resourceType'] as string)) ? found : undefined;
}

async function answerTo(bundle: (typeof bundles)[number], more: Json) {
  const service = services.get(placeOf(bundle)) as Awaited<ReturnType<typeof startService>>;
  const iat = Date.parse(`${dayOf(bundle.body)}T09:00:00Z`) / 1000;
  const authorization = `Bearer ${await token(pathOf(bundle.body), { iat, exp: iat + 300 })}`;
  const { extension: _wish, ...body } = bundle.body;
  const response = await service.call({ ...body, ...more }, { authorization, 'accept-language': 'en' });
  return { status: response.status, body: response.body };
}

/** Other patients' resources, an unreadable value, an incomplete list: what a prefetch can be and a search cannot. */
test('F7: the bundles left out concern the prefetch itself', () => {
  const leftOut = bundles.filter(({ record }) => record === undefined).map(({ name }) => name);
  expect(leftOut).toEqual(leftOut.filter((name) => /^not-checked\/|-of-another-patient$/.test(name)));
  expect(leftOut.length).toBeLessThan(bundles.length * 0.02);
  expect(usable.length).toBeGreaterThan(800);
});

describe('F7, P1, P3, F1, F2: cards from the FHIR server equal those from the prefetch', () => {
  test.each(usable)('$name', async (bundle) => {
    const { resources, refused } = bundle.record as NonNullable<typeof bundle.record>;
    await server.add(bundle.name, resources, refused);
    const before = server.seen.length;
    const byPrefetch = await answerTo(bundle, {});
    expect(server.seen.length).toBe(before);
    const byServer = await answerTo(bundle, {
      prefetch: undefined,
      fhirServer: server.base,
      fhirAuthorization: {
        access_token: bundle.name,
        token_type: 'Bearer',
        expires_in: 300,
        scope: 'patient/*.rs',
        subject: 'cds-service',
      },
    });
    expect(server.seen.length).toBeGreaterThan(before);
    expect([200, 412]).toContain(byServer.status);
    expect(byServer).toEqual(byPrefetch);
  });
});

test('P1: an independent server understands every template as a query', async () => {
  for (const { type, query: template } of Object.values(partOf)) {
    await server.add('empty', [{ resourceType: type, id: 'x' }]);
    const query = template.replace('{{context.patientId}}', 'x').replace('{{context.encounterId}}', 'x');
    const { body } = await fetchJson(`${server.base}/${query}`, {
      client: 'ehr',
      privateNetwork: true,
      timeoutMs: 5000,
      accept: 'application/fhir+json',
      authorization: 'Bearer empty',
    });
    expect(body).toMatchObject({ resourceType: template.includes('?') ? 'Bundle' : type });
  }
});
