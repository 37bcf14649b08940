import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import supertest from 'supertest';
import { type AppOptions, createApp } from '../app.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { readConfig } from '../config.ts';
import { FetchFailed, type FetchJson } from '../fhir/fetch-json.ts';
import { deliveredSite, loadKnowledge } from '../knowledge/load.ts';
import { loadPages } from '../knowledge/pages.ts';
import { readProof } from '../rules/proof.ts';
import { problemsText } from '../yaml.ts';
import type { Json } from './request.ts';

/** The folder that contains hooks/, cards/ and test-bundles/. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The repository's own hooks/ and cards/ with the default site, so that a hospital's settings do not fail the tests. */
export const knowledge = knowledgeOf(root, deliveredSite);

/** The time at which the tests' invented patients are seen; 2026-03-02 in Stockholm. */
export const NOW = Date.parse('2026-03-02T09:00:00Z');

/** The public address of the service in production. */
export const PUBLIC_URL = 'https://cds.example';

/** A sandbox without any variable of the environment. */
const defaults = readConfig({});

export const BODY_LIMIT = defaults.bodyLimit;

type Options = Partial<AppOptions['config']> &
  Partial<Omit<AppOptions, 'config' | 'logger' | 'advice'>> & { logLevel?: string };

export type Sent = { method: string; url: string; headers: Record<string, string>; body: string };
/** The answer to a call, and what was logged meanwhile. */
export type Answered = { status: number; type: string; text: string; logged: string; milliseconds: number };

/** Fails every fetch that a test does not expect. */
const fetchNothing: FetchJson = () => Promise.reject(new FetchFailed('unreachable'));

/**
 * The service on a free port of this machine, with a fixed clock and a readable log. A sandbox by default; in
 * production `clients` may call it as `https://cds.example`.
 */
export async function startService(options: Options = {}) {
  const {
    knowledge: other,
    clock = () => NOW,
    clients = [],
    fetchJson = fetchNothing,
    journal,
    folder = root,
    testBundles = join(root, 'test-bundles'),
    maxEventLoopDelay = 0,
    logLevel = 'trace',
    ...config
  } = options;
  const lines: string[] = [];
  const logger = pino({ level: logLevel, base: null }, { write: (line: string) => void lines.push(line) });
  const app = await createApp({
    knowledge: other ?? knowledge,
    config: { ...defaults, publicUrl: PUBLIC_URL, ...config },
    clients,
    logger,
    clock,
    fetchJson,
    journal,
    advice: { words: loadPages(root, [])['advice'] ?? {}, proof: readProof(join(root, 'docs/proof.json')) },
    folder,
    testBundles,
    maxEventLoopDelay,
  });
  const http = supertest(await app.listen({ host: '127.0.0.1', port: 0 }));
  return {
    app,
    http,
    /** Sends a call to the service of its hook. */
    call: (body: Json, headers: Record<string, string> = {}) => http.post(pathOf(body)).set(headers).send(body),
    /** Sends a call without the network. */
    inject: async ({ method, url, headers, body }: Sent): Promise<Answered> => {
      lines.length = 0;
      const begin = performance.now();
      const response = await app.inject({
        method: method as 'POST',
        url,
        headers,
        ...(!['GET', 'HEAD'].includes(method) && { payload: body }),
      });
      return {
        status: response.statusCode,
        type: String(response.headers['content-type'] ?? ''),
        text: response.body,
        logged: lines.join(''),
        milliseconds: performance.now() - begin,
      };
    },
    /** The log so far, line by line. */
    log: lines,
    close: () => app.close(),
  };
}

/** The service's address for a call, by its hook. */
export function pathOf(body: Json): string {
  return `/cds-services/nordic-opioid-${body['hook']}`;
}

/** The knowledge of a folder, with some keys of its site.yaml replaced. */
export function knowledgeOf(folder: string, site?: Record<string, unknown>): Knowledge {
  const { knowledge: loaded, problems } = loadKnowledge(folder, site);
  if (!loaded) throw new Error(problemsText(problems));
  return loaded;
}
