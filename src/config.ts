import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Place } from './journal/database.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A key of 32 random bytes or more, hexadecimal or in base64, as `openssl rand` writes them. */
function isKey(text: string): boolean {
  const bytes = Buffer.from(text, /^([0-9a-f]{2})+$/i.test(text) ? 'hex' : 'base64');
  // Of 32 random bytes some 30 are distinct; a repeated word or zeros have few distinct bytes.
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && bytes.length >= 32 && new Set(bytes).size >= 16;
}
const NO_KEY = 'must be 32 random bytes: openssl rand -hex 32';

const schema = z
  .object({
    /** `sandbox`: this machine only, no authentication. `production`: only the clients in the file, with their tokens. */
    MODE: z.enum(['sandbox', 'production']).default('sandbox'),
    HOST: z.string().min(1).optional(),
    PORT: z.coerce.number().int().min(0).max(65535).default(3000),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    /** Folder that contains hooks/ and cards/. */
    KNOWLEDGE: z.string().min(1).default(ROOT),
    /** File of clients that may call (production). */
    CLIENTS: z.string().min(1).optional(),
    /** Address at which clients reach the service, and the audience of their tokens (production). */
    PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
    BODY_LIMIT_MIB: z.coerce.number().positive().max(1024).default(8),
    /** FHIR servers that a sandbox may ask, comma-separated; those on this machine are always allowed. */
    FHIR_SERVERS: z.string().optional(),
    /** Origins of web pages for which a sandbox asks FHIR servers, and whose scripts may read its answers, comma-separated. */
    ORIGINS: z.string().optional(),
    /** Certificate and key files, if the service itself does TLS. */
    TLS_CERT: z.string().min(1).optional(),
    TLS_KEY: z.string().min(1).optional(),
    /** CA certificates for client certificates, if the service asks for them (production). */
    TLS_CLIENT_CA: z.string().min(1).optional(),
    /** Key of the patient hash in the audit line; without one the line has no patient. */
    AUDIT_KEY: z.string().refine(isKey, NO_KEY).optional(),
    /** Where the journal is stored: a folder on this machine, or PostgreSQL for several processes. */
    DATA_DIR: z.string().min(1).optional(),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/, error: 'must be the address of a PostgreSQL database' })
      .optional(),
    /** `off`: nothing is stored, and feedback is answered with 503. */
    JOURNAL: z.enum(['on', 'off']).default('on'),
    /**
     * Key of the hash by which the journal recognises patients; without one no card is ever left out. To change it: the
     * new one, a comma, the old one.
     */
    PATIENT_KEY: z
      .string()
      .transform((keys) => keys.split(',').map((key) => key.trim()))
      .refine((keys) => keys.every(isKey), NO_KEY)
      .optional(),
    /** Seconds between the stop signal and closing the port, for load balancers that ask /ready. */
    DRAIN_SECONDS: z.coerce.number().min(0).max(120).default(0),
  })
  .superRefine((given, context) => {
    const report = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((given.TLS_CERT === undefined) !== (given.TLS_KEY === undefined))
      report('TLS_CERT', 'set both TLS_CERT and TLS_KEY, or neither');
    if (given.TLS_CLIENT_CA !== undefined && (given.TLS_CERT === undefined || given.MODE !== 'production'))
      report('TLS_CLIENT_CA', 'only in production, with TLS_CERT and TLS_KEY');
    const keys = [given.AUDIT_KEY, ...(given.PATIENT_KEY ?? [])].filter((key) => key !== undefined);
    // One key for both would link the log to the journal.
    if (new Set(keys).size < keys.length) report('PATIENT_KEY', 'all keys must differ, AUDIT_KEY included');
    if (given.MODE === 'production') {
      if (given.CLIENTS === undefined) report('CLIENTS', 'required in production: the file of clients that may call');
      if (given.PUBLIC_URL === undefined)
        report('PUBLIC_URL', 'required in production: the address that tokens name as audience');
      else if (!given.PUBLIC_URL.startsWith('https:')) report('PUBLIC_URL', 'https only in production');
    } else if (!isLocalHost(given.HOST ?? LOOPBACK)) {
      report(
        'HOST',
        'a sandbox has no authentication and listens on this machine only: set MODE=production, or leave HOST out',
      );
    }
  });

export type Config = ReturnType<typeof readConfig>;

const LOOPBACK = '127.0.0.1';

/** Reads the environment once. Throws an Error that names every variable that is not valid. */
export function readConfig(environment: Record<string, string | undefined>) {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const { data } = parsed;
  return Object.freeze({
    mode: data.MODE,
    host: data.HOST ?? (data.MODE === 'production' ? '0.0.0.0' : LOOPBACK),
    port: data.PORT,
    logLevel: data.LOG_LEVEL,
    knowledge: data.KNOWLEDGE,
    clients: data.CLIENTS,
    /** Without a trailing slash; undefined in a sandbox. */
    publicUrl: data.PUBLIC_URL?.replace(/\/+$/, ''),
    bodyLimit: Math.floor(data.BODY_LIMIT_MIB * 1024 * 1024),
    fhirServers: listIn(data.FHIR_SERVERS),
    origins: listIn(data.ORIGINS),
    /** With `ca`, the service asks clients for certificates. */
    tls:
      data.TLS_CERT === undefined
        ? undefined
        : {
            cert: readPem('TLS_CERT', data.TLS_CERT),
            key: readPem('TLS_KEY', data.TLS_KEY as string),
            ...(data.TLS_CLIENT_CA !== undefined && { ca: readPem('TLS_CLIENT_CA', data.TLS_CLIENT_CA) }),
          },
    auditKey: data.AUDIT_KEY,
    journal: data.JOURNAL === 'off' ? undefined : placeOf(data.DATABASE_URL, data.DATA_DIR),
    /** The current key first. */
    patientKeys: data.PATIENT_KEY ?? [],
    drainSeconds: data.DRAIN_SECONDS,
  });
}

function listIn(text = ''): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

/** Where the journal is, for the server and for `npm run report`. */
function placeOf(url: string | undefined, folder = join(ROOT, 'data')): Place {
  return url === undefined ? { folder } : { url };
}

function readPem(variable: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`${variable}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function isLocalHost(host: string): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(host);
}
