import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { Client } from '../trust/clients.ts';
import { Refusal, type Trust, verifyToken } from '../trust/token.ts';
import { certificateOf } from './certificate.ts';
import { hookOfService } from './discovery.ts';
import { unauthenticated } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls: a client of the file, or in a sandbox `sandbox`. */
    client: Client;
    /** Which of a client's hospitals, where its token says so. */
    tenant: string | undefined;
  }
}

/** Routes that anybody may ask: they hold no patient's data. */
const OPEN = ['/cds-services', '/openapi.json', '/health', '/ready', '/metrics'];

/**
 * In production every call but discovery and the operational routes needs a client's token, before anything else is said:
 * whether a service exists, whether a body would fit (conformance J1, J2, J20). All refusals are the same 401 (J15).
 */
export function requireTokens(app: FastifyInstance, trust: Trust, publicUrl: string): void {
  app.addHook('onRequest', async (request) => {
    const path = (request.url.split('?')[0] as string).replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
    const open = ['GET', 'HEAD'].includes(request.method) && OPEN.includes(path);
    if (open || request.method === 'OPTIONS') return;
    try {
      const { client, replayed, tenant } = await verifyToken(
        request.headers.authorization,
        endpointsOf(publicUrl, path),
        trust,
        certificateOf(request),
      );
      request.client = client;
      request.tenant = tenant;
      Object.assign(request.told, {
        client: client.name,
        ...(tenant !== undefined && { tenant }),
        ...(replayed && { replayed }),
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      Object.assign(request.told, {
        refused: error.reason,
        ...(error.client !== undefined && { client: error.client }),
      });
      throw unauthenticated();
    }
    const service = serviceOf(request);
    if (service === undefined) return;
    if (!hookOfService(service)) throw new ServiceError('no-service');
    if (request.client.services?.includes(service) === false) throw new ServiceError('not-entitled');
  });
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
    requestsPerMinute: 1_000_000,
    profile: { suggestions: true, oneAction: false },
  };
}

export function useSandboxClient(app: FastifyInstance, client: Client): void {
  app.addHook('onRequest', async (request) => {
    request.client = client;
  });
}
