import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { Client } from '../trust/clients.ts';
import type { Replay } from '../trust/replay.ts';
import { Refusal, type Trust, type Trusted, useUp, verifyToken } from '../trust/token.ts';
import { certificateOf } from './certificate.ts';
import { hookOfService } from './discovery.ts';
import { unauthenticated } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls: a client of the file, or in a sandbox `sandbox`. */
    client: Client;
    /** Which of a client's hospitals, where its token says so. */
    tenant: string | undefined;
    /** What its token showed, in production. */
    trusted: Trusted | undefined;
  }
}

/** Routes that anybody may ask: they hold no patient's data. */
const OPEN = ['/cds-services', '/openapi.json', '/health', '/ready', '/metrics'];
const OPEN_PAGES = /^\/advice(\/[^/]+)?$/;

/**
 * In production every call but discovery and the operational routes needs a client's token, before anything else is said:
 * whether a service exists, whether a body would fit (conformance J1, J2, J20). All refusals are the same 401 (J15).
 */
export function requireTokens(app: FastifyInstance, trust: Trust, publicUrl: string): void {
  app.addHook('onRequest', async (request) => {
    const path = (request.url.split('?')[0] as string).replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
    const open = ['GET', 'HEAD'].includes(request.method) && (OPEN.includes(path) || OPEN_PAGES.test(path));
    if (open || request.method === 'OPTIONS') return;
    const { authorization } = request.headers;
    request.trusted = await orRefused(request, () =>
      verifyToken(authorization, endpointsOf(publicUrl, path), trust, certificateOf(request)),
    );
    const { client, tenant } = request.trusted;
    request.client = client;
    request.tenant = tenant;
    Object.assign(request.told, { client: client.name, ...(tenant !== undefined && { tenant }) });
    const service = serviceOf(request);
    if (service === undefined) return;
    if (!hookOfService(service)) throw new ServiceError('no-service');
    if (request.client.services?.includes(service) === false) throw new ServiceError('not-entitled');
  });
}

/**
 * Uses the token of a call up: after the limits and what is said of the body, so that a call that was put off or could not be
 * read may come again with its token.
 */
export function useUpTokens(app: FastifyInstance, replay: Replay): void {
  app.addHook('preParsing', async (request) => {
    const { trusted } = request;
    if (trusted && (await orRefused(request, () => useUp(trusted, replay)))) request.told['replayed'] = true;
  });
}

/** A refusal is told to the log and is the same 401 to the caller. */
async function orRefused<T>({ told }: FastifyRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    Object.assign(told, { refused: error.reason, ...(error.client !== undefined && { client: error.client }) });
    throw unauthenticated();
  }
}

/** The service that the router found: however the address was written, this is what will answer. */
function serviceOf(request: FastifyRequest): string | undefined {
  const { id } = request.params as { id?: string };
  return request.routeOptions.url?.startsWith('/cds-services/:id') ? id : undefined;
}

/** The addresses that a token may name: the one called; for feedback also that of its service (J7). */
function endpointsOf(publicUrl: string, path: string): string[] {
  const address = `${publicUrl}${path}`;
  return path.endsWith('/feedback') ? [address, address.slice(0, -'/feedback'.length)] : [address];
}

/** The one client of a sandbox: it may do everything and is asked for nothing. */
export function sandboxClient(fhirServers: string[]): Client {
  return {
    name: 'sandbox',
    iss: '',
    audiences: [],
    algorithms: ['ES384'],
    fhirServers,
    fhirServerAliases: {},
    privateNetwork: true,
    origins: [],
    replay: 'warn',
    optionalClaims: [],
    explain: true,
    silent: [],
    requestsPerMinute: 1_000_000,
    profile: { suggestions: true, oneAction: false, deleteBy: 'resourceId' },
  };
}

export function useSandboxClient(app: FastifyInstance, client: Client): void {
  app.addHook('onRequest', async (request) => {
    request.client = client;
  });
}
