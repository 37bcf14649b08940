import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';
import type { Access } from '../fhir/complete.ts';
import { object, string } from '../fhir/json.ts';
import type { Client } from '../trust/clients.ts';

/** Why a call's FHIR server is not asked, for the log. */
export type NoAccess = 'none-named' | 'not-listed' | 'no-token' | 'expired' | 'other-patient' | 'foreign-page';

/**
 * The FHIR access that a call allows: its `fhirServer`, if it is listed for the client, with its token (CDS Hooks: FHIR
 * Resource Access; conformance F1, F3–F5, F8, R7). A sandbox may also ask servers on this machine, and open ones
 * without a token.
 */
export function accessOf(body: unknown, patientId: string, client: Client, sandbox: boolean): Access | NoAccess {
  const request = object(body);
  const named = string(request['fhirServer']);
  if (named === undefined) return 'none-named';
  const base = baseOf(named);
  const listed = client.fhirServers.find((address) => baseOf(address) === base);
  if (base === undefined || !(listed !== undefined || (sandbox && isLoopback(base)))) return 'not-listed';
  const authorization = object(request['fhirAuthorization']);
  const token = string(authorization['access_token']);
  const type = string(authorization['token_type']);
  const life = authorization['expires_in'];
  const scope = authorization['scope'];
  const whole =
    // Some clients omit expires_in (F3); the token then lasts as long as its server allows.
    (life === undefined || Number.isInteger(life)) &&
    string(authorization['subject']) !== undefined &&
    (scope === undefined || typeof scope === 'string');
  const usable = token !== undefined && /^[\x21-\x7e]+$/.test(token) && type?.toLowerCase() === 'bearer' && whole;
  if (!usable && !sandbox) return 'no-token';
  if (usable && life !== undefined && (life as number) <= 0) return 'expired';
  const patient = authorization['patient'];
  if (
    patient !== undefined &&
    patient !== null &&
    (typeof patient !== 'string' || patient.replace(/^Patient\//, '') !== patientId)
  ) {
    return 'other-patient';
  }
  return {
    base,
    aliases: (client.fhirServerAliases[listed ?? ''] ?? []).map(baseOf).filter((alias) => alias !== undefined),
    authorization: usable ? `Bearer ${token}` : undefined,
    privateNetwork: client.privateNetwork,
    client: client.name,
  };
}

/**
 * Whether a browser sends this for a page that is neither the sandbox's own nor listed by its operator. Such a page may
 * get cards for what it sends, but must not use the sandbox to reach other servers on this machine.
 */
export function isForeignPage(headers: IncomingHttpHeaders, origins: readonly string[]): boolean {
  const { host = '', origin } = headers;
  if (origin !== undefined && origins.includes(origin)) return false;
  const site = headers['sec-fetch-site'];
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  return !sameSite || (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host);
}

/**
 * Makes a sandbox answer only to host names of this machine and of listed pages. Otherwise a page elsewhere could point
 * its own name here (DNS rebinding), and its browser would treat both as one origin.
 */
export function requireLocalHost(app: FastifyInstance, origins: readonly string[]): void {
  const hosts = origins.flatMap((origin) => (URL.canParse(origin) ? [new URL(origin).host] : []));
  app.addHook('onRequest', async ({ headers: { host = '' } }) => {
    if (!isLocalHost(host) && !hosts.includes(host)) throw new ServiceError('wrong-host');
  });
}

export function isLocalHost(host: string): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host);
}

function baseOf(address: string): string | undefined {
  try {
    const url = new URL(address);
    const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    return plain && /^https?:$/.test(url.protocol)
      ? `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, '')}`
      : undefined;
  } catch {
    return undefined;
  }
}

function isLoopback(base: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(base).hostname);
}
