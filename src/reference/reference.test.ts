import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { serviceId } from '../brand.ts';
import { readTestBundles } from '../cli/bundles.ts';
import { type ErrorCode, errors } from '../errors.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { hooks } from '../rules/schema.ts';
import { knowledge, knowledgeOf, root, startService } from '../testing/app.ts';
import type { Json } from '../testing/request.ts';
import { type Document, type Operation, resolve } from './document.ts';

/** Every declared route of an app. Pages for people exist only in the sandbox and are not part of the API. */
const routes: { method: string; url: string }[] = [];
vi.mock('fastify', async (importOriginal) => {
  const original = await importOriginal<typeof import('fastify')>();
  const watched = (options: object) => {
    const app = original.fastify(options) as unknown as ReturnType<typeof fastify>;
    app.addHook('onRoute', ({ method, url }: { method: string | string[]; url: string }) => {
      for (const one of [method].flat()) routes.push({ method: one, url });
    });
    return app;
  };
  return { ...original, default: watched };
});
/** Routes used only by the pages of a sandbox. */
const OF_PAGES = ['no-patient', 'no-record', 'no-settings'];
const told = (Object.keys(errors) as ErrorCode[]).filter((code) => !OF_PAGES.includes(code));
const PAGES = /^\/(docs|workbench\/.*)?$/;

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-reference-'));
let journal: Journal;
let service: Awaited<ReturnType<typeof startService>>;
let production: Awaited<ReturnType<typeof startService>>;
let document: Document;
let served: Document;
let sandboxRoutes: typeof routes;
let productionRoutes: typeof routes;

beforeAll(async () => {
  const limits = () => ({ day: '2000-01-01', received: 0, patients: 0, tokens: 0, review: 0 });
  journal = await openJournal({
    place: { folder },
    clock: () => Date.parse('2026-03-02T09:00:00Z'),
    limits,
    warn: () => undefined,
  });
  service = await startService({ journal });
  sandboxRoutes = routes.splice(0);
  production = await startService({ mode: 'production', testBundles: join(folder, 'none') });
  productionRoutes = routes.splice(0);
  document = (await service.http.get('/openapi.json')).body;
  served = (await production.http.get('/openapi.json')).body;
});
afterAll(async () => {
  await service.close();
  await production.close();
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

const operationsOf = (of: Document) =>
  Object.entries(of.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );

/** A validator for the document's schemas: JSON Schema 2020-12, as in OpenAPI 3.1. */
function validatorOf(of: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'api', components: of.components });
  const rooted = (schema: object): object =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/'));
  return (schema: object, value: unknown): string[] => {
    const validate = ajv.compile(rooted(schema));
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1, in a sandbox and in production', async () => {
    for (const of of [document, served]) {
      const validator = new Validator();
      expect(await validator.validate(structuredClone(of) as never)).toEqual({ valid: true });
      expect(validator.version).toBe('3.1');
    }
  });

  test('has every route of the service and no other', () => {
    const ids = service.app.findRoute({ method: 'GET', url: '/cds-services' }) ? document.paths : {};
    const services = Object.keys(ids).flatMap((path) => /^\/cds-services\/([^/]+)$/.exec(path)?.[1] ?? []);
    expect(services).toEqual(hooks.map(serviceId));
    const expected = (declared: typeof routes) =>
      declared
        .filter(({ method }) => !['HEAD', 'OPTIONS'].includes(method))
        .flatMap(({ method, url }) =>
          url.includes(':id')
            ? services.map((id) => `${method} ${url.replace(':id', id)}`)
            : [`${method} ${url.replace(':rule', '{rule}')}`],
        )
        .sort();
    const described = (of: Document) =>
      operationsOf(of)
        .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
        .sort();
    expect(productionRoutes.length).toBeGreaterThan(5);
    // Production has no pages, so nothing is left out of the comparison.
    expect(described(served)).toEqual(expected(productionRoutes));
    expect(described(document)).toEqual(expected(sandboxRoutes.filter(({ url }) => !PAGES.test(url))));
    expect(sandboxRoutes.some(({ url }) => url === '/docs')).toBe(true);
  });

  test('lists the services that discovery lists, with their templates', async () => {
    const { body } = await service.http.get('/cds-services');
    for (const { id, hook, prefetch } of body.services) {
      expect(document.paths[`/cds-services/${id}`]?.post?.operationId).toBe(id);
      const { properties = {} } = document.components.schemas[`Call-${hook}`]?.properties?.['prefetch'] ?? {};
      const described = Object.entries(properties).map(([key, { description }]) => [key, description]);
      expect(Object.fromEntries(described)).toEqual(prefetch);
    }
    const off = knowledge.rules.filter(({ hooks }) => hooks.includes('order-select')).map(({ id }) => id);
    const without = await startService({ knowledge: knowledgeOf(root, { ...deliveredSite, off }) });
    const { paths } = (await without.http.get('/openapi.json')).body as Document;
    expect(Object.keys(paths).filter((path) => path.includes('order-select'))).toEqual([]);
    await without.close();
  });

  test('lists every error of the table, and where a token is required', () => {
    for (const code of told) {
      const response = document.components.responses[errors[code].status];
      const example = resolve(document, response?.content?.['application/json']?.examples?.[code] ?? { $ref: '' });
      expect((example as { value: Json }).value, code).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ code: errors[code].issue, details: { text: errors[code].text } }],
      });
    }
    for (const { path, method, operation } of operationsOf(served)) {
      const needs = method === 'post';
      expect(operation.security, path).toEqual(needs ? [{ clientToken: [] }] : []);
      expect('401' in operation.responses && '403' in operation.responses, path).toBe(needs);
    }
    expect(served.components.securitySchemes['clientToken']).toMatchObject({ scheme: 'bearer', bearerFormat: 'JWT' });
    expect(operationsOf(document).flatMap(({ operation }) => operation.security)).toEqual([]);
  });

  test('is public in production, cached like discovery, and refuses other methods', async () => {
    const { status, headers } = await production.http.get('/openapi.json');
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=60']);
    const again = await production.http.get('/openapi.json').set('if-none-match', headers['etag'] as string);
    expect([again.status, again.text]).toEqual([304, '']);
    expect(served.servers).toEqual([{ url: 'https://cds.example', description: 'Production' }]);
    expect((await service.http.post('/openapi.json').send({})).status).toBe(405);
  });
});

describe('examples', () => {
  test('are test bundles: a card, silence and missing data per service, or none without bundles', () => {
    const kinds = Object.keys(document.components.examples).filter((name) => name.endsWith('-request'));
    expect(kinds.sort()).toEqual(
      [...hooks].sort().flatMap((hook) => ['card', 'missing', 'silence'].map((kind) => `${hook}-${kind}-request`)),
    );
    const bundles = readTestBundles(join(root, 'test-bundles'), []).map(({ body }) => JSON.stringify(body));
    for (const name of kinds) expect(bundles).toContain(JSON.stringify(document.components.examples[name]?.value));
    expect(served.components.examples).toEqual({});
  });

  test('fit their schemas, are accepted by the running service and get the shown answers', async () => {
    const problems = validatorOf(document);
    let tried = 0;
    for (const { path, operation } of operationsOf(document)) {
      const media = operation.requestBody?.content['application/json'];
      for (const [kind, given] of Object.entries(media?.examples ?? {})) {
        const { value } = resolve(document, given) as { value: Json };
        expect(problems(media?.schema as object, value), `${path} ${kind}`).toEqual([]);
        const { status, body } = await service.http.post(path).set('accept-language', 'en').send(value);
        const described = operation.responses[status];
        const { schema, examples = {} } = described?.content?.['application/json'] ?? { schema: {} };
        expect(problems(schema, body), `${path} ${kind} ${status}`).toEqual([]);
        if (examples[kind]) expect(body).toEqual((resolve(document, examples[kind]) as { value: Json }).value);
        else expect([path, body.results?.[0].status]).toEqual([path, 'stored']);
        tried += 1;
      }
      for (const [status, { content = {} }] of Object.entries(operation.responses))
        for (const { schema, examples = {} } of Object.values(content))
          for (const example of Object.values(examples))
            expect(
              problems(schema, (resolve(document, example) as { value: Json }).value),
              `${path} ${status}`,
            ).toEqual([]);
    }
    expect(tried).toBe(3 * hooks.length);
  });
});

describe('the schemas', () => {
  test('accept what the service answers: every test bundle, and the routes without a body', async () => {
    const problems = validatorOf(document);
    const ofStatus = (path: string, method: 'get' | 'post', status: number) =>
      document.paths[path]?.[method]?.responses[status]?.content?.['application/json']?.schema as object;
    for (const { name, body, hook, expected } of readTestBundles(join(root, 'test-bundles'), [])) {
      const path = `/cds-services/nordic-opioid-${hook}`;
      const request = document.paths[path]?.post?.requestBody?.content['application/json']?.schema as object;
      expect(problems(request, body), name).toEqual([]);
      if (expected.site) continue;
      const { status, body: answer } = await service.http.post(path).send(body as Json);
      expect(problems(ofStatus(path, 'post', status), answer), name).toEqual([]);
    }
    for (const path of ['/cds-services', '/health', '/ready', '/openapi.json']) {
      const { status, body } = await service.http.get(path);
      expect(problems(ofStatus(path, 'get', status), body), path).toEqual([]);
    }
  });

  test('reject what the service refuses', async () => {
    const problems = validatorOf(document);
    const path = '/cds-services/nordic-opioid-order-sign';
    const schema = document.paths[path]?.post?.requestBody?.content['application/json']?.schema as object;
    const whole = document.components.examples['order-sign-card-request']?.value as Json & { context: Json };
    const { hookInstance: _none, ...without } = whole;
    const spoilt: Json[] = [
      without,
      { ...whole, hook: 'order-select' },
      { ...whole, context: { ...whole.context, patientId: 7 } },
      { ...whole, context: { patientId: 'x' } },
      { ...whole, prefetch: [] },
      { ...whole, fhirAuthorization: {} },
      { ...whole, fhirAuthorization: {}, fhirServer: null },
    ];
    for (const body of spoilt) {
      expect(problems(schema, body).length).toBeGreaterThan(0);
      expect((await service.http.post(path).send(body)).status).toBe(400);
    }
    const feedback = document.paths[`${path}/feedback`]?.post?.requestBody?.content['application/json'];
    const good = { card: 'x', outcome: 'overridden', outcomeTimestamp: '2026-03-02T09:05:00Z' };
    const { outcomeTimestamp: _, ...bare } = good;
    for (const [body, status] of [
      [{ feedback: [{ ...good, outcomeTimestamp: 'yesterday' }] }, 400],
      [{ feedback: [{ ...good, outcome: 'accepted' }] }, 400],
      [{ feedback: [{ ...good, outcome: 'accepted', acceptedSuggestions: [] }] }, 400],
      [{ feedback: [{ ...good, outcome: 'accepted', acceptedSuggestions: null }] }, 400],
      [{ feedback: bare }, 400],
      [{ feedback: 7 }, 400],
      [{ feedback: null, ...good }, 400],
      [{}, 400],
      [bare, 400],
      [{ feedback: [] }, 200],
      [{ feedback: [bare, good] }, 200],
      [{ feedback: [{ ...good, outcome: 'accepted', acceptedSuggestions: ['a', { id: 'b' }] }] }, 200],
      [{ feedback: good }, 200],
      [good, 200],
    ] as [Json, number][]) {
      const described = problems(feedback?.schema as object, body).length === 0;
      const answer = await service.http.post(`${path}/feedback`).send(body);
      expect([answer.status, described], JSON.stringify(body)).toEqual([status, status === 200]);
    }
  });
});

describe('/docs', () => {
  test('contains the whole description, without scripts or external requests', async () => {
    const { status, headers, text } = await service.http.get('/docs');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
    expect(text).not.toMatch(/<script|<link|<img|\bon[a-z]+=|url\(|@import|style="/i);
    expect(text).toContain('curl -d @test-bundles/');
    for (const { path, operation } of operationsOf(document)) {
      expect(text).toContain(` ${path}</code></h3>`);
      expect(text).toContain(`id="${operation.operationId}"`);
    }
    for (const name of Object.keys(document.components.schemas)) expect(text).toContain(`<code>${name}</code>`);
    for (const code of told) expect(text).toContain(errors[code].text.replaceAll('"', '&quot;'));
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(targets.filter((id) => !ids.includes(id as string))).toEqual([]);
  });

  test('writes no markup from a request into the page', async () => {
    const { text } = await service.http.get('/docs').set('host', 'a"><u>');
    expect(text).not.toContain('<u>');
  });

  test('exists only in the sandbox, also without test bundles', async () => {
    expect((await production.http.get('/docs')).status).toBe(401);
    const bare = await startService({ testBundles: join(folder, 'none') });
    const { status, text } = await bare.http.get('/docs');
    expect(status).toBe(200);
    expect(text).not.toContain('@test-bundles');
    await bare.close();
  });
});
