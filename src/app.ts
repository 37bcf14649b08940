import cors from '@fastify/cors';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { discoveryRoute } from './http/discovery.ts';
import { invokeRoute } from './http/invoke.ts';
import { logCalls } from './http/log.ts';
import { answerFrameworkError, answerProblems } from './http/problems.ts';
import type { Knowledge } from './rules/knowledge.ts';

export type AppOptions = {
  knowledge: Knowledge;
  config: Pick<Config, 'bodyLimit' | 'corsOrigins' | 'explain'>;
  logger: Logger;
  clock: () => number;
};

/** The wiring: every plugin and every route, named once. Listens nowhere. */
export async function createApp({ knowledge, config, logger, clock }: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    // The routes write one line for each call; Fastify's own lines would write addresses and queries.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    frameworkErrors: (error, request, reply) => void answerFrameworkError(error, request as never, reply as never),
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 100 },
  });
  // Only JSON is read; without this Fastify takes text/plain and answers 400 for it instead of 415 (T6).
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/fhir+json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  // Before everything that may refuse a request: a browser must be able to read the refusal (C2, C4).
  await app.register(cors, {
    origin: config.corsOrigins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Accept-Language'],
  });
  logCalls(app);
  answerProblems(app);
  discoveryRoute(app, knowledge);
  invokeRoute(app, { knowledge, clock, explain: config.explain });
  return app;
}
