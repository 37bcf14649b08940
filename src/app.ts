import type { ServerOptions } from 'node:https';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import underPressure from '@fastify/under-pressure';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { adviceRoutes } from './advice/routes.ts';
import type { Knowledge } from './cards/knowledge.ts';
import type { Config } from './config.ts';
import { ServiceError } from './errors.ts';
import { createBudgets } from './fhir/budget.ts';
import type { FetchJson } from './fhir/fetch-json.ts';
import { requireLocalHost } from './http/access.ts';
import { consumeTokens, requireTokens, sandboxClient, useSandboxClient } from './http/auth.ts';
import { checkBodyHeaders, readJson } from './http/body.ts';
import { createServer } from './http/connections.ts';
import { discoveryRoute } from './http/discovery.ts';
import { feedbackRoute } from './http/feedback.ts';
import { overloaded } from './http/gate.ts';
import { healthRoutes } from './http/health.ts';
import { invokeRoute } from './http/invoke.ts';
import { logCalls } from './http/log.ts';
import { createMetrics, metricsRoute } from './http/metrics.ts';
import { answerClientError, answerFrameworkErrors, answerProblems, refuseExpectations } from './http/problems.ts';
import { createTurns } from './http/turns.ts';
import type { Journal } from './journal/journal.ts';
import type { PageWords } from './knowledge/pages.ts';
import { limits } from './limits.ts';
import { referenceRoutes } from './reference/routes.ts';
import type { Proof } from './rules/proof.ts';
import type { Client } from './trust/clients.ts';
import { createKeys } from './trust/keys.ts';
import { createReplay, sharedReplay } from './trust/replay.ts';
import { hasPage } from './workbench/files.ts';
import { workbenchRoutes } from './workbench/routes.ts';

export type AppOptions = {
  knowledge: Knowledge;
  config: Pick<
    Config,
    'mode' | 'bodyLimit' | 'publicUrl' | 'fhirServers' | 'origins' | 'tls' | 'auditKey' | 'patientKeys'
  >;
  /** The clients that may call, in production. */
  clients: readonly Client[];
  logger: Logger;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  fetchJson: FetchJson;
  /** Stores cards and feedback, and used tokens for all processes that share it. */
  journal?: Journal | undefined;
  /** For the advice pages: their texts, and the proof of the rules. Without it there are no pages and no links to them. */
  advice?: { words: PageWords; proof: Proof } | undefined;
  /** The folder that contains hooks/ and cards/, for the workbench's settings. */
  folder: string;
  /** The folder of the invented patients, for the workbench and the API examples; it may be absent. */
  testBundles: string;
  /** Event-loop delay in milliseconds from which calls are put off; 0 means never. */
  maxEventLoopDelay?: number;
};

/** Connections without a valid certificate are accepted for the open routes; http/auth.ts refuses the rest. */
function tlsOptions(tls: NonNullable<Config['tls']>): ServerOptions {
  return { ...tls, minVersion: 'TLSv1.2', requestCert: tls.ca !== undefined, rejectUnauthorized: false };
}

/** Origins whose scripts may read a sandbox's answers: pages on this machine, and the public CDS Hooks sandbox. */
const THIS_MACHINE = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
const PUBLIC_SANDBOX = 'https://sandbox.cds-hooks.org';

/** Response headers that scripts of an allowed page may read (docs/integrator.md). */
const EXPOSED = ['Retry-After', 'X-Request-Id', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'];

/** Registers every plugin and route. Does not listen. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { knowledge, config, clients, logger, clock, fetchJson, journal } = options;
  const sandbox = config.mode === 'sandbox';
  const metrics = createMetrics(journal);
  const tls = config.tls && tlsOptions(config.tls);
  const base: FastifyServerOptions = {
    loggerInstance: logger as FastifyBaseLogger,
    // The routes write one line per call; Fastify's own lines would contain addresses and queries.
    logController: new LogController({ disableRequestLogging: true }),
    serverFactory: (handler) => createServer(handler, tls),
    clientErrorHandler: answerClientError,
    frameworkErrors: answerFrameworkErrors(!sandbox, metrics),
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 100 },
  };
  // Fastify needs `https` to know its own address.
  const app = fastify({ ...base, ...(tls && { https: tls }) } as FastifyServerOptions) as FastifyInstance;
  const turn = createTurns();
  readJson(
    app,
    config.bodyLimit,
    turn,
    () => options.maxEventLoopDelay !== undefined && app.isUnderPressure?.() === true,
  );
  // Before anything that may refuse a request: browsers must be able to read the refusal (C2, C4).
  await app.register(cors, {
    origin: sandbox
      ? [THIS_MACHINE, PUBLIC_SANDBOX, ...config.origins]
      : [...new Set(clients.flatMap(({ origins }) => origins.map((url) => new URL(url).origin)))],
    methods: ['GET', 'POST'],
    // Preflight requests without the usual browser headers are answered too.
    strictPreflight: false,
    // No allowedHeaders: any request header that a page asks for, such as tracing headers, is allowed and ignored.
    exposedHeaders: EXPOSED,
  });
  logCalls(app, metrics);
  answerProblems(app);
  if (sandbox) requireLocalHost(app, config.origins);
  if (options.maxEventLoopDelay) {
    await app.register(underPressure, {
      maxEventLoopDelay: options.maxEventLoopDelay,
      pressureHandler: (request) => {
        // A busy process is alive and must not be restarted.
        if (['/health', '/metrics'].includes(request.routeOptions.url ?? '')) return;
        throw overloaded();
      },
    });
  }
  const own = createReplay(clock);
  const replay = journal ? sharedReplay(journal.useToken, own) : own;
  const trust = { clients, keys: createKeys(fetchJson, clock), clock };
  if (sandbox) useSandboxClient(app, sandboxClient(config.fhirServers));
  else requireTokens(app, trust, config.publicUrl ?? '');
  refuseExpectations(app);
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => request.client.name,
    max: (request) => request.client.requestsPerMinute,
    timeWindow: limits.rateWindow,
    errorResponseBuilder: (_request, { ttl }) =>
      new ServiceError('rate-limited', [], { 'retry-after': String(Math.ceil(ttl / 1000)) }),
  });
  app.addHook('preParsing', async (request) => checkBodyHeaders(request, config.bodyLimit));
  consumeTokens(app, replay);
  discoveryRoute(app, knowledge);
  const linked = options.advice && knowledge.site.adviceLink && config.publicUrl !== undefined;
  const advice = linked ? `${config.publicUrl}/advice` : undefined;
  referenceRoutes(app, {
    knowledge,
    mode: config.mode,
    publicUrl: config.publicUrl,
    advice,
    testBundles: options.testBundles,
  });
  if (options.advice) adviceRoutes(app, { knowledge, ...options.advice });
  healthRoutes(app, {
    mode: config.mode,
    fingerprint: knowledge.fingerprint,
    clients: clients.length,
    journal: () => journal?.figures().state,
  });
  metricsRoute(app, metrics);
  // Audit lines are written whatever the log level.
  const audit = logger.child({ audit: true }, { level: 'info' });
  const journaling = journal && { journal, patientKeys: config.patientKeys, knowledge, clock };
  const fetching = { fetchJson, budgets: createBudgets(), origins: config.origins };
  invokeRoute(app, {
    knowledge,
    clock,
    sandbox,
    ...fetching,
    metrics,
    audit,
    auditKey: config.auditKey,
    journaling,
    advice,
    turn,
  });
  feedbackRoute(app, { journal, knowledge, audit, clock, metrics });
  if (sandbox && hasPage())
    workbenchRoutes(app, { knowledge, folder: options.folder, testBundles: options.testBundles, clock, ...fetching });
  return app;
}
