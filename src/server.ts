import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type AppOptions, createApp } from './app.ts';
import { serviceId } from './brand.ts';
import { helpIfAsked } from './cli/words.ts';
import { readConfig } from './config.ts';
import { dateOfInstant } from './dates.ts';
import { createFetchJson } from './fhir/fetch-json.ts';
import { framesOf } from './http/problems.ts';
import type { Place } from './journal/database.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import type { JournalFailed } from './journal/thread.ts';
import { loadKnowledge } from './knowledge/load.ts';
import { loadPages } from './knowledge/pages.ts';
import { limits } from './limits.ts';
import { allocateYoung, releaseStartupMemory } from './memory.ts';
import { readProof } from './rules/proof.ts';
import { hooks, type Site } from './rules/schema.ts';
import { namesBelow } from './text.ts';
import { readClients } from './trust/clients.ts';
import { hasPage, pageScript } from './workbench/files.ts';
import { type Problem, problemsText } from './yaml.ts';

helpIfAsked(`Usage: npm start

Starts a sandbox for invented patients, without authentication, on this machine only. PORT=3101 npm start takes another port.
MODE=production serves the clients of a file. docs/hospital-it.md lists every variable of the environment.
`);
allocateYoung();
const config = read();
const { knowledge, problems: found, remarks } = loadKnowledge(config.knowledge);
const problems: Problem[] = [...found];
const pages = loadPages(config.knowledge, problems);
const clients =
  config.clients === undefined
    ? []
    : readClients(
        config.clients,
        problems,
        hooks.map(serviceId),
        config.tls?.ca !== undefined,
        knowledge?.rules.map(({ id }) => id),
      );
if (!knowledge || problems.length > 0) fail(problemsText(problems));

const logger = pino({ level: config.logLevel, base: null });
for (const remark of remarks) logger.warn(remark, 'left out');
if (Object.keys(knowledge.site.quiet.days).length > 0 && (!config.journal || config.patientKeys.length === 0))
  fail('hooks/site.yaml sets a quiet period: that needs the journal, and PATIENT_KEY to recognise patients');
if (knowledge.site.silent.chartReview > 0 && (!config.journal || config.patientKeys.length === 0))
  fail('hooks/site.yaml asks for a chart review: that needs the journal and PATIENT_KEY');
const journal = config.journal && (await open(config.journal, knowledge.site));
const fetchJson = createFetchJson();
const app = await create({
  knowledge,
  config,
  clients,
  logger,
  clock: Date.now,
  fetchJson,
  journal,
  advice: pages['advice'] && { words: pages['advice'], proof: readProof(join(config.knowledge, 'docs', 'proof.json')) },
  folder: config.knowledge,
  testBundles: join(config.knowledge, 'test-bundles'),
  maxEventLoopDelay: limits.eventLoopDelay,
});
app.addHook('onClose', () => fetchJson.close());
app.addHook('onClose', () => journal?.close());
let failed = false;
const grace = closeWithGrace(
  { delay: 10_000 + config.drainSeconds * 1000, logger, skip: ['uncaughtException', 'unhandledRejection'] },
  async ({ signal }) => {
    if (!failed) logger.info({ signal }, 'stopping');
    // A load balancer that asks /ready learns of it before the port closes.
    app.draining.value = true;
    if (!failed) await delay(config.drainSeconds * 1000);
    await app.close();
    if (failed) process.exit(1);
  },
);
// At a second error close-with-grace would end the process at once, with calls still unanswered.
for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, (error: unknown) => {
    const { name, stack } = error instanceof Error ? error : new Error('not an Error object');
    logger.fatal(
      { err: { type: name, stack: framesOf({ name, message: '', stack: stack ?? '' }) } },
      'the process failed',
    );
    if (failed) return;
    failed = true;
    if (!app.draining.value) grace.close();
  });
const address = await listen();
// After the first answers.
setTimeout(releaseStartupMemory, 1000).unref();
// Bundle the workbench before anyone opens it. In another process, so that calls do not wait for it.
if (config.mode === 'sandbox' && hasPage()) pageScript().catch(() => undefined);
if (config.mode === 'sandbox') logger.warn('sandbox: no authentication, this machine only');
process.stderr.write(
  config.mode === 'sandbox'
    ? welcome(address)
    : `Nordic Opioid CDS answers at ${address} as ${config.publicUrl}, to ${clients.length} clients\n`,
);

/** Retention: as long as the site says; patient hashes only as long as the longest quiet period needs them. */
async function open(place: Place, { timeZone, journal: { keepDays }, quiet, silent }: Site): Promise<Journal> {
  const DAY = 86_400_000;
  const patientDays = Math.max(1, ...Object.values(quiet.days));
  const kept = () => {
    const now = Date.now();
    return {
      day: dateOfInstant(now - keepDays * DAY, timeZone),
      received: now - keepDays * DAY,
      patients: now - patientDays * DAY,
      tokens: now,
      review: silent.chartReview,
    };
  };
  try {
    return await openJournal({
      place,
      clock: Date.now,
      limits: kept,
      warn: (fields, message) => logger.warn(fields, message),
    });
  } catch (error) {
    const where = 'folder' in place ? `DATA_DIR ${place.folder}` : 'DATABASE_URL';
    return fail(
      `The journal cannot be opened: ${where} (${(error as JournalFailed).reason}). Name a folder that can be written, or set JOURNAL=off`,
    );
  }
}

/** Node reads certificate and key when the server is created, and its errors do not name the file. */
async function create(options: AppOptions): Promise<FastifyInstance> {
  try {
    return await createApp(options);
  } catch (error) {
    if (!config.tls) throw error;
    return fail(`TLS_CERT, TLS_KEY or TLS_CLIENT_CA cannot be used: ${(error as Error).message}`);
  }
}

async function listen(): Promise<string> {
  try {
    return await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program is using that port; choose another one with PORT' : code;
    return fail(`Cannot listen on ${config.host}:${config.port}: ${why}`);
  }
}

/** Suggestions for a first try. The image has no test bundles to send, and no workbench. */
function welcome(address: string): string {
  const folder = join(config.knowledge, 'test-bundles');
  const example = namesBelow(folder).find(
    (name) =>
      name.endsWith('.request.json') &&
      readFileSync(join(folder, name), 'utf8').includes('"order-sign"') &&
      readFileSync(join(folder, name.replace(/request\.json$/, 'expected.yaml')), 'utf8').includes(
        'indicator: warning',
      ),
  );
  const lines = [
    `Nordic Opioid CDS answers at ${address}`,
    'SANDBOX: no authentication, for invented patients on this machine only',
    '',
    ...(hasPage() ? [`  Workbench  ${address}/`] : []),
    `  Services   curl ${address}/cds-services`,
    `  The API    ${address}/docs`,
    ...(example === undefined
      ? []
      : [
          `  A card     curl -d @test-bundles/${example} -H 'content-type: application/json' \\`,
          `               -H 'accept-language: en' ${address}/cds-services/${serviceId('order-sign')}`,
          `  Why        npm run explain -- test-bundles/${example}`,
        ]),
    '  Stop       Ctrl-C',
  ];
  return `\n${lines.join('\n')}\n\n`;
}

function read() {
  try {
    return readConfig(process.env);
  } catch (error) {
    return fail(`The environment variables are not valid:\n${(error as Error).message}`);
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
