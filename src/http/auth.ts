import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { Client } from '../trust/clients.ts';
import type { Replay } from '../trust/replay.ts';
import { consumeToken, Refusal, type Trust, type Trusted, verifyToken } from '../trust/token.ts';
import { certificateOf } from './certificate.ts';
import { hookOfService } from './discovery.ts';
import { unauthenticated } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The calling client: one in the clients file, or `sandbox` in a sandbox. */
    client: Client;
    /** Which of a client's hospitals, if its token names one. */
    tenant: string | undefined;
    /** The verified token, in production. */
    trusted: Trusted | undefined;
  }
}

/** Routes that need no token: they contain no patient data. */
const OPEN = ['/cds-services', '/openapi.json', '/health', '/ready', '/metrics'];
const OPEN_PAGES = /^\/advice(\/[^/]+)?$/;

/**
 * In production every call except discovery and the operational routes needs a client's token, before anything else is checked
 * or disclosed, such as whether a service exists (conformance J1, J2, J20). All refusals are the same 401 (J15).
 */
export function requireTokens(app: FastifyInstance, trust: Trust, publicUrl: string): void {
  app.addHook('onRequest', async (request) => {
    const path = (request.url.split('?')[0] as string).replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
    const open = ['GET', 'HEAD'].includes(request.method) && (OPEN.includes(path) || OPEN_PAGES.test(path));
    if (open || request.method === 'OPTIONS') return;
    const { authorization } = request.headers;
    request.trusted = await refuseAs401(request, () =>
      verifyToken(authorization, endpointsOf(publicUrl, path), trust, certificateOf(request)),
    );
    const { client, tenant } = request.trusted;
    request.client = client;
    request.tenant = tenant;
    Object.assign(request.logFields, { client: client.name, ...(tenant !== undefined && { tenant }) });
    const service = serviceOf(request);
    if (service === undefined) return;
    if (!hookOfService(service)) throw new ServiceError('no-service');
    if (request.client.services?.includes(service) === false) throw new ServiceError('not-entitled');
  });
}

/**
 * Uses up a call's token after the limits and the body headers were checked, so that a call that was put off or could
 * not be read may be sent again with its token.
 */
export function consumeTokens(app: FastifyInstance, replay: Replay): void {
  app.addHook('preParsing', async (request) => {
    const { trusted } = request;
    if (trusted && (await refuseAs401(request, () => consumeToken(trusted, replay))))
      request.logFields['replayed'] = true;
  });
}

/** Logs the reason of a refusal; the caller always gets the same 401. */
async function refuseAs401<T>({ logFields }: FastifyRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    Object.assign(logFields, { refused: error.reason, ...(error.client !== undefined && { client: error.client }) });
    throw unauthenticated();
  }
}

/** The service found by the router: the one that will answer, however the address was written. */
function serviceOf(request: FastifyRequest): string | undefined {
  const { id } = request.params as { id?: string };
  return request.routeOptions.url?.startsWith('/cds-services/:id') ? id : undefined;
}

/** The addresses that a token may name: the one called, and for feedback also that of its service (J7). */
function endpointsOf(publicUrl: string, path: string): string[] {
  const address = `${publicUrl}${path}`;
  return path.endsWith('/feedback') ? [address, address.slice(0, -'/feedback'.length)] : [address];
}

/** The only client of a sandbox. It may do everything and needs no token. */
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
