import { z } from 'zod';
import type { LocalDate } from '../dates.ts';
import { inOrder, liesIn, spanKeys } from '../span.ts';
import { type Problem, readYaml } from '../yaml.ts';
import { isPublishedAddress, isPublishedKey } from './published.ts';

/**
 * Signature algorithms that a client may use. Symmetric ones and `none` are never allowed (CDS Hooks: Trusting CDS Clients).
 */
const ASYMMETRIC = ['ES384', 'RS384', 'ES256', 'ES512', 'RS256', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'] as const;

const httpUrl = z.url({ protocol: /^https?$/ });
const publicKey = z
  .looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: z.string().min(1) })
  .refine((key) => !('d' in key), {
    message: 'this is a private key: give only the public part',
  });

const profileSchema = z.strictObject({
  /** The `selectionBehavior` that the client supports. With another one it would reject the card. */
  selectionBehavior: z.enum(['any', 'at-most-one']).optional(),
  suggestions: z.boolean().default(true),
  /** The client applies only suggestions with a single action. */
  oneAction: z.boolean().default(false),
  /** Where the client finds what `delete` removes: `resource` for CDS Hooks 1.0, which has no `resourceId`. */
  deleteBy: z.enum(['resourceId', 'resource']).default('resourceId'),
  /** `false`: cards have no link to the page about their advice. */
  links: z.boolean().optional(),
});
export type Profile = z.infer<typeof profileSchema>;

const clientSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,49}$/, 'a name consists of lower-case letters, digits and hyphens'),
    iss: z.string().min(1),
    jku: httpUrl.optional(),
    keys: z.array(publicKey).min(1).optional(),
    audiences: z.array(z.string().min(1)).default([]),
    algorithms: z.array(z.enum(ASYMMETRIC)).min(1).default(['ES384', 'RS384']),
    tenants: z.array(z.string().min(1)).min(1).optional(),
    fhirServers: z.array(httpUrl).default([]),
    /**
     * Other addresses under which one of its servers may name itself in links and references, for example behind a
     * proxy. The service connects to the listed address instead of these.
     */
    fhirServerAliases: z.record(httpUrl, z.array(httpUrl).min(1)).default({}),
    /** Its FHIR and key servers are in the hospital's own network, so private addresses are allowed. */
    privateNetwork: z.boolean().default(false),
    origins: z.array(httpUrl).default([]),
    replay: z.enum(['strict', 'warn']).default('strict'),
    optionalClaims: z.array(z.enum(['jti', 'iat'])).default([]),
    /** TLS certificates, one of which it must show in addition to its token: SHA-256 fingerprints or names of the subject. */
    certificates: z.array(z.string().trim().min(1)).min(1).optional(),
    services: z.array(z.string()).optional(),
    /** May ask for the trace. Meant for the vendor's testers. */
    explain: z.boolean().default(false),
    /** Rules whose cards it does not see: all or some, for all or some tenants, always or between two dates. */
    silent: z
      .array(
        z
          .strictObject({
            tenants: z.array(z.string().min(1)).min(1).optional(),
            rules: z.array(z.string().min(1)).min(1).optional(),
            ...spanKeys,
          })
          .refine(...inOrder),
      )
      .default([]),
    requestsPerMinute: z.int().min(1).default(600),
    profile: profileSchema.prefault({}),
  })
  .refine((client) => client.jku !== undefined || client.keys !== undefined, { message: 'jku or keys is required' });

export type Client = z.infer<typeof clientSchema>;

const fileSchema = z.strictObject({ clients: z.array(clientSchema).min(1) });

/**
 * Reads the file of clients that may call. Every problem is reported with its line, and any problem prevents serving.
 * `services` and `rules` are the known ids; without `rules`, rule ids are not checked. `certified`: whether the server
 * asks clients for certificates.
 */
export function readClients(
  path: string,
  problems: Problem[],
  services: readonly string[],
  certified = true,
  rules?: readonly string[],
): Client[] {
  const file = readYaml(path, path, fileSchema, problems);
  if (!file) return [];
  const { clients } = file.data;
  for (const [at, client] of clients.entries()) {
    const report = (key: string, message: string, ...within: PropertyKey[]) => {
      const line = file.line(['clients', at, key, ...within]);
      problems.push({ file: path, line, message: `${client.name}: ${message}` });
    };
    if (clients.findIndex(({ name }) => name === client.name) !== at) report('name', 'another client has this name');
    if (clients.findIndex(({ iss, jku }) => iss === client.iss && jku === client.jku) !== at)
      report('iss', 'another client has this issuer and jku');
    const { iss, jku = '', keys = [] } = client;
    if ([iss, jku].some(isPublishedAddress) || keys.some(isPublishedKey))
      report('iss', 'a published test key: not allowed in production');
    for (const [index, service] of (client.services ?? []).entries()) {
      if (!services.includes(service)) report('services', `there is no service '${service}'`, index);
    }
    for (const [index, silence] of client.silent.entries()) {
      for (const [place, tenant] of (silence.tenants ?? []).entries()) {
        if (!client.tenants?.includes(tenant))
          report('silent', `'${tenant}' is not listed under tenants`, index, 'tenants', place);
      }
      for (const [place, rule] of (silence.rules ?? []).entries()) {
        if (rules && !rules.includes(rule)) report('silent', `there is no rule '${rule}'`, index, 'rules', place);
      }
    }
    if (client.certificates && !certified)
      report('certificates', 'clients are not asked for certificates: set TLS_CLIENT_CA');
    for (const address of Object.keys(client.fhirServerAliases)) {
      if (!client.fhirServers.includes(address))
        report('fhirServerAliases', `${address} is not one of its fhirServers`);
    }
    if (jku !== '' && !isHttps(jku)) report('jku', `${jku}: https only`);
    for (const key of ['fhirServers', 'origins'] as const) {
      for (const [index, url] of client[key].entries()) if (!isHttps(url)) report(key, `${url}: https only`, index);
    }
  }
  return clients;
}

/** The rules among these whose cards a client's tenant does not see on that day. */
export function silentFor(
  { silent }: Pick<Client, 'silent'>,
  tenant: string | undefined,
  today: LocalDate,
  rules: readonly string[],
): string[] {
  const here = silent.filter(
    ({ tenants, ...span }) => liesIn(today, span) && (!tenants || (tenant !== undefined && tenants.includes(tenant))),
  );
  return rules.filter((rule) => here.some((silence) => silence.rules?.includes(rule) ?? true));
}

function isHttps(url: string): boolean {
  return new URL(url).protocol === 'https:';
}
