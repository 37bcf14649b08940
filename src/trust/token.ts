import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { type Certificate, isCertified } from './certificate.ts';
import type { Client } from './clients.ts';
import type { Keys } from './keys.ts';
import type { Replay } from './replay.ts';

/** Which check a token failed. For our own log and for `npm run verify-token`; the caller never learns it (J15). */
export type Reason =
  | 'no-token'
  | 'malformed'
  | 'type'
  | 'key-id'
  | 'claims'
  | 'issuer'
  | 'jku'
  | 'algorithm'
  | 'key'
  | 'key-server'
  | 'signature'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'lifetime'
  | 'tenant'
  | 'certificate'
  | 'replay';

export class Refusal extends Error {
  readonly reason: Reason;
  /** The client it claims to be, once known. */
  readonly client: string | undefined;
  constructor(reason: Reason, client?: string) {
    super(reason);
    this.reason = reason;
    this.client = client;
  }
}

export type Trust = { clients: readonly Client[]; keys: Keys; replay: Replay; clock: () => number };
/** `tenant` is said only for a client whose tenants are listed. */
export type Trusted = { client: Client; tenant: string | undefined; replayed: boolean };

/** Clock skew that is tolerated, and the longest life of a token, in seconds (conformance J9). */
const SKEW = 60;
const LONGEST_LIFE = 3600;

/**
 * Verifies a CDS client's JWT for one endpoint: `Authorization: Bearer …` (CDS Hooks: Trusting CDS Clients; conformance
 * J2–J14), and the TLS certificate of the connection where the client's record names one (J19). `endpoints` are the
 * addresses that its `aud` may name. Throws `Refusal`.
 */
export async function verifyToken(
  authorization: string | undefined,
  endpoints: string[],
  trust: Trust,
  certificate: Certificate | 'not-looked-at' | undefined,
): Promise<Trusted> {
  const token = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw new Refusal('no-token');
  const { header, claims } = decode(token);
  if (typeof header.typ !== 'string' || header.typ.toUpperCase() !== 'JWT') throw new Refusal('type');
  if (typeof header.kid !== 'string' || header.kid === '') throw new Refusal('key-id');
  const client = clientOf(trust.clients, claims.iss, header.jku);
  const refuse = (reason: Reason): never => {
    throw new Refusal(reason, client.name);
  };
  if (!(client.algorithms as string[]).includes(header.alg ?? '')) refuse('algorithm');
  await verifySignature(token, client, trust);
  if (
    !audiencesOf(claims.aud).some((audience) =>
      [...endpoints, ...client.audiences].map(normalised).includes(normalised(audience)),
    )
  )
    refuse('audience');
  if (typeof claims.exp !== 'number' || (typeof claims.iat !== 'number' && !client.optionalClaims.includes('iat')))
    refuse('claims');
  const jti = typeof claims.jti === 'string' && claims.jti !== '' ? claims.jti : undefined;
  if (jti === undefined && !client.optionalClaims.includes('jti')) refuse('claims');
  checkTimes(claims as Times, Math.floor(trust.clock() / 1000), refuse);
  const { tenant } = claims;
  if (!tenantFits(client, tenant)) refuse('tenant');
  if (certificate !== 'not-looked-at' && !isCertified(client, certificate)) refuse('certificate');
  const expiresAt = ((claims.exp as number) + SKEW) * 1000;
  const first = jti === undefined || (await trust.replay.use(client.iss, jti, expiresAt));
  if (!first && client.replay === 'strict') refuse('replay');
  return { client, tenant: client.tenants && (tenant as string | undefined), replayed: !first };
}

function decode(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    throw new Refusal('malformed');
  }
}

/** The client by issuer and by the key address that the token names; an address that is not listed is never asked (J5). */
function clientOf(clients: readonly Client[], iss: unknown, jku: unknown): Client {
  const candidates = clients.filter((client) => client.iss === iss);
  const [first] = candidates;
  if (!first) throw new Refusal(typeof iss === 'string' ? 'issuer' : 'claims');
  const fitting = candidates.find((client) => jku === undefined || client.jku === jku);
  if (!fitting) throw new Refusal('jku', first.name);
  return fitting;
}

async function verifySignature(token: string, client: Client, { keys, clock }: Trust): Promise<void> {
  const local = client.keys && createLocalJWKSet({ keys: client.keys } as unknown as JSONWebKeySet);
  let set: Awaited<ReturnType<Keys['of']>>;
  try {
    set = local ?? (await keys.of(client.jku as string, client.privateNetwork));
  } catch {
    throw new Refusal('key-server', client.name);
  }
  try {
    await jwtVerify(token, set, {
      algorithms: client.algorithms,
      clockTolerance: SKEW,
      currentDate: new Date(clock()),
    });
  } catch (error) {
    throw new Refusal(reasonOf(error), client.name);
  }
}

function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' && error.reason === 'check_failed' ? 'not-yet-valid' : 'claims';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return 'key';
  return 'signature';
}

type Times = { exp: number; iat?: number };

function checkTimes({ exp, iat }: Times, now: number, refuse: (reason: Reason) => never): void {
  if (iat !== undefined && iat > now + SKEW) refuse('not-yet-valid');
  if (exp - (iat ?? now) > LONGEST_LIFE) refuse('lifetime');
}

/** A client of several tenants must name one of them; a client of one may leave it out (conformance J10). */
function tenantFits({ tenants }: Client, tenant: unknown): boolean {
  if (tenants === undefined) return true;
  return tenant === undefined ? tenants.length === 1 : tenants.includes(tenant as string);
}

function audiencesOf(aud: unknown): string[] {
  return (Array.isArray(aud) ? aud : [aud]).filter((item) => typeof item === 'string');
}

/** Addresses are the same with a slash more or less, in the path or at its end, and with a port that goes without saying. */
function normalised(address: string): string {
  try {
    const url = new URL(address);
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '')}`;
  } catch {
    return address;
  }
}
