import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const schema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Folder that holds hooks/ and cards/. */
  KNOWLEDGE: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL('..', import.meta.url))),
  BODY_LIMIT_MIB: z.coerce.number().positive().max(1024).default(8),
  /** Origins that browsers may call from, comma-separated, or `*`. Default: any, while only this machine can call. */
  CORS_ORIGINS: z.string().optional(),
  /** Whether a request may ask for the trace and set the evaluation date. Default: only while only this machine can call. */
  EXPLAIN: flag.optional(),
});

export type Config = {
  host: string;
  port: number;
  logLevel: string;
  knowledge: string;
  bodyLimit: number;
  corsOrigins: '*' | string[];
  explain: boolean;
};

/** Reads the environment once. Throws an Error that names every variable that does not fit. */
export function readConfig(environment: Record<string, string | undefined>): Readonly<Config> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const { data } = parsed;
  const onlyThisMachine = ['127.0.0.1', '::1', 'localhost'].includes(data.HOST);
  const origins = data.CORS_ORIGINS ?? (onlyThisMachine ? '*' : '');
  return Object.freeze({
    host: data.HOST,
    port: data.PORT,
    logLevel: data.LOG_LEVEL,
    knowledge: data.KNOWLEDGE,
    bodyLimit: Math.floor(data.BODY_LIMIT_MIB * 1024 * 1024),
    corsOrigins:
      origins === '*'
        ? '*'
        : origins
            .split(',')
            .map((origin) => origin.trim())
            .filter(Boolean),
    explain: data.EXPLAIN ?? onlyThisMachine,
  });
}
