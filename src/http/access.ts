import type { Access } from '../fhir/complete.ts';
import { object, string } from '../fhir/json.ts';
import type { Client } from '../trust/clients.ts';

/** Why a call's FHIR server is not asked; for the log. */
export type NoAccess = 'none-named' | 'not-listed' | 'no-token' | 'expired' | 'other-patient';

/**
 * What a call allows: its `fhirServer`, if it is listed for the client, with its token (CDS Hooks: FHIR Resource Access;
 * conformance F1, F3–F5, F8, R7). A sandbox may ask servers of this machine and open ones without a token.
 */
export function accessOf(body: unknown, patientId: string, client: Client, sandbox: boolean): Access | NoAccess {
  const request = object(body);
  const named = string(request['fhirServer']);
  if (named === undefined) return 'none-named';
  const base = baseOf(named);
  if (
    base === undefined ||
    !(client.fhirServers.some((listed) => baseOf(listed) === base) || (sandbox && isLoopback(base)))
  )
    return 'not-listed';
  const authorization = object(request['fhirAuthorization']);
  const token = string(authorization['access_token']);
  const type = string(authorization['token_type']);
  const life = authorization['expires_in'];
  const scope = authorization['scope'];
  const whole =
    Number.isInteger(life) &&
    string(authorization['subject']) !== undefined &&
    (scope === undefined || typeof scope === 'string');
  const usable = token !== undefined && /^[\x21-\x7e]+$/.test(token) && type?.toLowerCase() === 'bearer' && whole;
  if (!usable && !sandbox) return 'no-token';
  if (usable && (life as number) <= 0) return 'expired';
  const patient = authorization['patient'];
  if (
    patient !== undefined &&
    patient !== null &&
    (typeof patient !== 'string' || patient.replace(/^Patient\//, '') !== patientId)
  ) {
    return 'other-patient';
  }
  return { base, authorization: usable ? `Bearer ${token}` : undefined, privateNetwork: client.privateNetwork };
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
