import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { limits } from '../limits.ts';
import { type Certificate, isCertified } from './certificate.ts';
import type { Client } from './clients.ts';
import type { Keys } from './keys.ts';
import type { Replay } from './replay.ts';

/** The check that a token failed. For our own log and for `npm run verify-token`; the caller never learns it (J15). */
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
  /** The client that it claims to be, if known. */
  readonly client: string | undefined;
  constructor(reason: Reason, client?: string) {
    super(reason);
    this.reason = reason;
    this.client = client;
  }
}

export type Trust = { clients: readonly Client[]; keys: Keys; clock: () => number };
/**
 * `tenant` is set only for a client with listed tenants. `once` identifies the token for the replay check, if it has a `jti`.
 */
export type Trusted = {
  client: Client;
  tenant: string | undefined;
  once: { jti: string; expiresAt: number } | undefined;
};

/**
 * Verifies a CDS client's JWT for one endpoint, from `Authorization: Bearer …` (CDS Hooks: Trusting CDS Clients;
 * conformance J2–J13), and the TLS certificate of the connection if the client's record names one (J19). `endpoints`
 * are the addresses that `aud` may name. Throws `Refusal`.
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
  const client = await signerOf(token, header, clientsOf(trust.clients, claims.iss, header.jku), trust);
  const refuse = (reason: Reason): never => {
    throw new Refusal(reason, client.name);
  };
  if (
    !audiencesOf(claims.aud).some((audience) =>
      [...endpoints, ...client.audiences].map(normalised).includes(normalised(audience)),
    )
  )
    refuse('audience');
  if (typeof claims.exp !== 'number' || (typeof claims.iat !== 'number' && !client.optionalClaims.includes('iat')))
    refuse('claims');
  const jti = typeof claims.jti === 'string' && claims.jti !== '' ? claims.jti : undefined;
  if (jti === undefined ? !client.optionalClaims.includes('jti') : jti.length > limits.jti) refuse('claims');
  checkTimes(claims as Times, Math.floor(trust.clock() / 1000), refuse);
  const { tenant } = claims;
  if (!tenantFits(client, tenant)) refuse('tenant');
  if (certificate !== 'not-looked-at' && !isCertified(client, certificate)) refuse('certificate');
  const expiresAt = ((claims.exp as number) + limits.clockSkew) * 1000;
  return {
    client,
    tenant: client.tenants && ((tenant as string | undefined) ?? client.tenants[0]),
    once: jti === undefined ? undefined : { jti, expiresAt },
  };
}

/**
 * Uses up a token, once the headers of its call have passed all checks (conformance J14). Returns whether it was used
 * before. Throws `Refusal` if its client may not use it again.
 */
export async function consumeToken({ client, once }: Trusted, replay: Replay): Promise<boolean> {
  const first = once === undefined || (await replay.use(client.name, once.jti, once.expiresAt));
  if (!first && client.replay === 'strict') throw new Refusal('replay', client.name);
  return !first;
}

function decode(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    throw new Refusal('malformed');
  }
}

/**
 * The clients that a token may belong to, by its issuer and the key address that it names. An unlisted address is never
 * asked (J5). Several clients may share an issuer and differ in their keys.
 */
function clientsOf(clients: readonly Client[], iss: unknown, jku: unknown): Client[] {
  const issuers = clients.filter((client) => client.iss === iss);
  const [first] = issuers;
  if (!first) throw new Refusal(typeof iss === 'string' ? 'issuer' : 'claims');
  const fitting = issuers.filter((client) => jku === undefined || client.jku === jku);
  if (fitting.length === 0) throw new Refusal('jku', first.name);
  return fitting;
}

/** The client whose key signed the token. If there is none, throws the refusal of the client that came closest. */
async function signerOf(
  token: string,
  { alg = '' }: { alg?: string | undefined },
  clients: Client[],
  trust: Trust,
): Promise<Client> {
  const refusals: Refusal[] = [];
  for (const client of clients) {
    try {
      if (!(client.algorithms as string[]).includes(alg)) throw new Refusal('algorithm', client.name);
      await verifySignature(token, client, trust);
      return client;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error);
    }
  }
  const nearest = CLOSEST_FIRST.map((reason) => refusals.find((refusal) => refusal.reason === reason));
  throw nearest.find((refusal) => refusal !== undefined) ?? (refusals[0] as Refusal);
}

/** Reasons for which the signature check may refuse, the closest to acceptance first. */
const CLOSEST_FIRST: Reason[] = ['expired', 'not-yet-valid', 'claims', 'signature', 'key-server', 'key', 'algorithm'];

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
      clockTolerance: limits.clockSkew,
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
  if (iat !== undefined && iat > now + limits.clockSkew) refuse('not-yet-valid');
  if (exp - (iat ?? now) > limits.tokenLife) refuse('lifetime');
}

/** A client with several tenants must name one of them; a client with one may leave it out (conformance J10). */
function tenantFits({ tenants }: Client, tenant: unknown): boolean {
  if (tenants === undefined) return true;
  return tenant === undefined ? tenants.length === 1 : tenants.includes(tenant as string);
}

function audiencesOf(aud: unknown): string[] {
  return (Array.isArray(aud) ? aud : [aud]).filter((item) => typeof item === 'string');
}

/** Ignores extra or missing slashes in the path and at its end, and the default port. */
function normalised(address: string): string {
  try {
    const url = new URL(address);
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '')}`;
  } catch {
    return address;
  }
}
