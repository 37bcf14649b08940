import { parseArgs } from 'node:util';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { serviceId } from '../brand.ts';
import { createFetchJson } from '../fhir/fetch-json.ts';
import { hooks } from '../rules/schema.ts';
import { readClients } from '../trust/clients.ts';
import { createKeys } from '../trust/keys.ts';
import { type Reason, Refusal, verifyToken } from '../trust/token.ts';
import { type Problem, problemsText } from '../yaml.ts';
import { helpIfAsked, messageOf } from './words.ts';

const USAGE = `Usage: npm run verify-token -- TOKEN --clients clients.yaml --url https://cds.example/cds-services/ID [--now SECONDS]

Checks a client's token as the service would for a call to that address, and says which check fails. Replay is not checked.
`;

/** What each check requires, for the person who makes the tokens. */
const REQUIREMENTS: Record<Reason, string> = {
  'no-token': 'the token is empty or contains blanks',
  malformed: 'it must be a signed JWT of three parts: header, claims, signature',
  type: 'header typ must be JWT',
  'key-id': 'header kid must name the key',
  claims: 'claims iss, aud, exp, iat and jti must be present and of the right type, and jti at most 256 characters',
  issuer: 'claim iss must be that of a client in the file',
  jku: 'header jku must be the one listed for the client, or absent',
  algorithm: 'header alg must be one of those listed for the client',
  key: 'the client’s key set has no key with this kid and algorithm',
  'key-server': 'the client’s key set could not be fetched',
  signature: 'the signature does not match the key',
  audience: 'claim aud must be the called address',
  expired: 'claim exp is in the past',
  'not-yet-valid': 'claim iat or nbf is in the future',
  lifetime: 'claim exp must be at most an hour after iat',
  tenant: 'claim tenant must be one of those listed for the client',
  certificate: 'the TLS certificate must be one of those listed for the client',
  replay: 'this token has already been used',
};

helpIfAsked(USAGE);
process.exitCode = await run(process.argv.slice(2));

async function run(words: string[]): Promise<number> {
  const fetchJson = createFetchJson();
  try {
    const options = { clients: { type: 'string' }, url: { type: 'string' }, now: { type: 'string' } } as const;
    const { positionals, values } = parseArgs({ args: words, allowPositionals: true, options });
    const [token] = positionals;
    if (token === undefined || values.clients === undefined || values.url === undefined) throw new Error(USAGE);
    if (values.now !== undefined && !/^\d{1,12}$/.test(values.now))
      throw new Error(`--now must be in seconds since 1970, as exp and iat are, not '${values.now}'`);
    const problems: Problem[] = [];
    const clients = readClients(values.clients, problems, hooks.map(serviceId));
    if (problems.length > 0) throw new Error(problemsText(problems));
    const clock = () => (values.now === undefined ? Date.now() : Number(values.now) * 1000);
    process.stdout.write(describe(token));
    const trust = { clients, keys: createKeys(fetchJson, clock), clock };
    const { client, tenant } = await verifyToken(`Bearer ${token}`, [values.url], trust, 'not-looked-at');
    process.stdout.write(`valid: client ${client.name}${tenant === undefined ? '' : `, tenant ${tenant}`}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) {
      process.stderr.write(`${messageOf(error)}\n`);
      return 2;
    }
    process.stdout.write(
      `refused (${error.reason}): ${REQUIREMENTS[error.reason]}${error.client === undefined ? '' : ` [client ${error.client}]`}\n`,
    );
    return 1;
  } finally {
    await fetchJson.close();
  }
}

/** Header and claims as far as they can be read; without the signature. */
function describe(token: string): string {
  try {
    return `header ${JSON.stringify(decodeProtectedHeader(token))}\nclaims ${JSON.stringify(decodeJwt(token))}\n`;
  } catch {
    return '';
  }
}
