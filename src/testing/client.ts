import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import type { Client } from '../trust/clients.ts';
import { PUBLIC_URL, type startService } from './app.ts';
import { pair } from './request.ts';

/** The time at which the tests' invented patients are seen, in seconds. */
export const NOW = Date.parse('2026-03-02T09:00:00Z') / 1000;

/** The address of the order-sign service. */
export const SIGN = '/cds-services/nordic-opioid-order-sign';

/** A client of the clients file with its own key, and functions that sign with it. */
export async function createClient(changes: Partial<Client> = {}, alg = 'ES384') {
  const pair = await generateKeyPair(alg, { extractable: true });
  const publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'key-1', alg, use: 'sig' };
  const client: Client = {
    name: 'ehr',
    iss: 'https://ehr.example',
    keys: [publicKey as never],
    audiences: [],
    algorithms: ['ES384', 'RS384'],
    fhirServers: ['https://fhir.ehr.example/r4'],
    fhirServerAliases: {},
    privateNetwork: false,
    origins: ['https://ehr.example'],
    replay: 'strict',
    optionalClaims: [],
    explain: false,
    silent: [],
    requestsPerMinute: 600,
    profile: { suggestions: true, oneAction: false, deleteBy: 'resourceId' },
    ...changes,
  };
  let count = 0;
  /** A token for an address; claims or header fields set to undefined are left out. */
  const token = async (
    path: string,
    claims: JWTPayload = {},
    header: Partial<JWTHeaderParameters> = {},
  ): Promise<string> => {
    count += 1;
    const payload = {
      iss: client.iss,
      aud: `${PUBLIC_URL}${path}`,
      exp: NOW + 300,
      iat: NOW,
      jti: `token-${count}`,
      ...claims,
    };
    const headers = { alg, kid: 'key-1', typ: 'JWT', ...header };
    return new SignJWT(withoutUndefined(payload))
      .setProtectedHeader(withoutUndefined(headers) as JWTHeaderParameters)
      .sign(pair.privateKey);
  };
  return { client, publicKey, token };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

/** The result of a call at `path` in production: `accepted`, the logged reason for its 401, or another status. */
export async function verdictOn(
  service: Awaited<ReturnType<typeof startService>>,
  token: string,
  path = SIGN,
): Promise<string> {
  const { status, headers } = await service.http.post(path).set('authorization', `Bearer ${token}`).send(pair());
  if (status === 200) return 'accepted';
  const line = service.log
    .map((text) => JSON.parse(text))
    .find(({ msg, reqId }) => msg === 'answered' && reqId === headers['x-request-id']);
  return status === 401 ? line.refused : `status ${status}`;
}
