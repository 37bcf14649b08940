import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Answer, type Assessment, answerFrom, assessByTurns } from '../answer.ts';
import { brand } from '../brand.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { negotiateLanguage } from '../cards/language.ts';
import type { Chart } from '../chart/chart.ts';
import { dateOfInstant, isPartial, type LocalDate, localDate } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import type { Budgets } from '../fhir/budget.ts';
import { readBundle } from '../fhir/bundle.ts';
import { completePrefetch, type Outcome } from '../fhir/complete.ts';
import type { FetchJson } from '../fhir/fetch-json.ts';
import { mayHaveExactNumbers, object, parseExactly } from '../fhir/json.ts';
import type { Standing } from '../fhir/patient.ts';
import { type Prefetch, prefetchOf, type Section } from '../fhir/prefetch.ts';
import { hashOfPatient } from '../journal/patient.ts';
import { JournalFailed } from '../journal/thread.ts';
import { neededForSilence } from '../rules/evaluate.ts';
import { leaveOut } from '../rules/quiet.ts';
import { resultWindow } from '../rules/reach.ts';
import { type Hook, hooks } from '../rules/schema.ts';
import { traceOf } from '../rules/trace.ts';
import { silentFor } from '../trust/clients.ts';
import { accessOf, isForeignPage } from './access.ts';
import { hookOfService, neededSections } from './discovery.ts';
import { type Caller, findSilences, type Journaling, recordAnswer, wouldHaveShown } from './journal.ts';
import type { Metrics } from './metrics.ts';
import { logFailure } from './problems.ts';
import { fitCard } from './profile.ts';
import type { Turn } from './turns.ts';
import { type Request, readRequest } from './wire.ts';

export type InvokeOptions = {
  knowledge: Knowledge;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  /** In a sandbox a request may set its evaluation date and use any FHIR server on this machine. */
  sandbox: boolean;
  fetchJson: FetchJson;
  budgets: Budgets;
  /** Web pages besides its own for which a sandbox asks FHIR servers. */
  origins: readonly string[];
  metrics: Metrics;
  /** Gets one line for each answered call: the client, the rules that fired, the fingerprint of the knowledge. */
  audit: Pick<Logger, 'info'>;
  /** Key of the patient hash in the audit line; without one the line has no patient. */
  auditKey: string | undefined;
  journaling: Journaling | undefined;
  /** Base address of the advice pages, if cards link there. */
  advice: string | undefined;
  /** Awaited before each long part of an answer. */
  turn: Turn;
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `POST /cds-services/{id}`: answers one service. */
export function invokeRoute(app: FastifyInstance, options: InvokeOptions): void {
  const { knowledge, metrics } = options;
  const rules = knowledge.rules.map(({ id }) => id);
  const sections = Object.fromEntries(hooks.map((hook) => [hook, neededSections(knowledge, hook)])) as Record<
    Hook,
    Section[]
  >;
  app.post<{ Params: { id: string } }>('/cds-services/:id', { config: { rateLimit: {} } }, async (request, reply) => {
    const hook = hookOfService(request.params.id);
    if (!hook) throw new ServiceError('no-service');
    const call = readRequest(request.sent?.json, hook);
    const { client } = request;
    // For correlation only. Free text might contain anything, so it is not logged.
    Object.assign(request.logFields, {
      service: request.params.id,
      hook,
      ...(UUID.test(call.hookInstance) && { hookInstance: call.hookInstance }),
    });
    metrics.prefetch(client.name, call.call.prefetch, sections[hook]);
    const today = evaluationDate(call, options);
    const prefetch = await complete(call, request, sections[hook], today, options);
    const language = negotiateLanguage(request.headers['accept-language'], knowledge.site.language);
    const exactDrafts = () => draftsAsSent(request.sent?.bytes);
    const question = {
      call: { ...call.call, prefetch, exactDrafts },
      hookInstance: call.hookInstance,
      language,
      today,
      silent: silentFor(client, request.tenant, today, rules),
      advice: options.advice,
    };
    const caller = { client, tenant: request.tenant };
    const assessed = await assessByTurns(question, knowledge, (chart) => takeTurnIfLong(chart, options.turn));
    const results = await applySilences(assessed, call, caller, options, request);
    const found = answerFrom({ ...assessed, results }, question, knowledge);
    metrics.answered(found);
    if (options.journaling) tryToRecord(found, call, caller, options.journaling, request.log);
    logAnswer(found, call, request, options);
    const explained = call.options.explain && (options.sandbox || client.explain);
    const trace = explained ? traceOf(found.chart, found.results) : undefined;
    if ('missing' in found) {
      throw new ServiceError(
        ...missingData(found.missing, prefetch.standing),
        {},
        trace && [{ url: brand.traceExtension, valueString: JSON.stringify(trace) }],
      );
    }
    const extension = trace ? { extension: { [brand.extension]: { trace } } } : {};
    // Serialised here: a response schema would drop unknown elements of orders that come back (T14).
    return reply
      .headers({ 'cache-control': 'no-store', 'content-language': language, vary: 'Accept-Language, Origin' })
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ cards: found.cards.map((card) => fitCard(card, client.profile)), ...extension }));
  });
}

/** The draft orders with the digits of their numbers: read anew where one of them goes back changed, and has such digits. */
function draftsAsSent(sent: Buffer | undefined): unknown {
  if (!sent || !mayHaveExactNumbers(sent.toString('latin1'))) return undefined;
  return object(object(parseExactly(sent.toString('utf8').replace(/^\uFEFF/, '')))['context'])['draftOrders'];
}

/** Number of record entries from which an answer takes turns with other calls. */
const LONG_RECORD = 300;

async function takeTurnIfLong({ treatments, drafts, conditions, results }: Chart, turn: Turn): Promise<void> {
  if (treatments.length + drafts.length + conditions.length + results.length > LONG_RECORD) await turn('body');
}

/** The error for missing parts of the record. */
export function missingData(
  missing: Section[],
  standing: Standing = 'known',
): [code: 'missing-data', diagnostics: string[]] {
  const why = {
    known: [],
    'not-known': ['context.patientId: no patient was found with this id'],
    elsewhere: [REPLACED],
  }[standing];
  return ['missing-data', [...missing.map((key) => `prefetch key missing or incomplete: ${key}`), ...why]];
}

const REPLACED = 'context.patientId: another record has replaced this one (Patient.link)';

/** The results without the cards that this patient's prescribers need not see again. */
async function applySilences(
  assessed: Assessment,
  call: Request,
  caller: Caller,
  { journaling, metrics }: InvokeOptions,
  { log }: Pick<FastifyRequest, 'log'>,
): Promise<Assessment['results']> {
  if (!journaling) return assessed.results;
  try {
    return leaveOut(assessed.results, await findSilences(assessed, call, caller, journaling));
  } catch (error) {
    // Whatever the journal does or contains, no card is lost.
    metrics.silencesUnknown();
    if (error instanceof JournalFailed)
      log.warn({ reason: error.reason }, 'the journal did not say in time which cards to leave out');
    else logFailure(log, error, 'reading the journal failed');
    return assessed.results;
  }
}

/** Records the answer in the journal. A failure does not affect the answer. */
function tryToRecord(
  found: Answer,
  call: Request,
  caller: Caller,
  journaling: Journaling,
  log: FastifyRequest['log'],
): void {
  try {
    recordAnswer(found, call, caller, journaling);
  } catch (error) {
    logFailure(log, error, 'writing an answer to the journal failed');
  }
}

function evaluationDate({ options }: Request, { sandbox, knowledge, clock }: InvokeOptions): LocalDate {
  const { timeZone } = knowledge.site;
  const requestedDate = sandbox ? localDate(options.now, timeZone) : undefined;
  return requestedDate !== undefined && !isPartial(requestedDate) ? requestedDate : dateOfInstant(clock(), timeZone);
}

/** Completes the prefetch from the FHIR server. */
async function complete(
  { call }: Request,
  { sent, client, headers, logFields }: FastifyRequest,
  sections: Section[],
  today: LocalDate,
  { knowledge, fetchJson, budgets, origins, metrics, sandbox }: InvokeOptions,
): Promise<Prefetch> {
  const named = accessOf(sent?.json, call.patientId, client, sandbox);
  const access = typeof named !== 'string' && sandbox && isForeignPage(headers, origins) ? 'foreign-page' : named;
  if (typeof access === 'string') {
    if (access !== 'none-named') logFields['fhirServer'] = access;
    return logStanding(call.prefetch, logFields);
  }
  const drafts =
    call.draftOrders === undefined ? [] : readBundle(call.draftOrders).entries.map(({ resource }) => resource);
  const limits = knowledge.site.fetch;
  const needed = neededForSilence(knowledge.site).filter((section) => sections.includes(section));
  const budget = budgets(client.name);
  try {
    const { prefetch, outcomes } = await completePrefetch(call.prefetch.values, sections, needed, call, drafts, {
      access,
      limits,
      fetchJson,
      budget,
      results: resultWindow(knowledge, today),
    });
    metrics.fetched(outcomes);
    if (outcomes.length > 0)
      logFields['fetched'] = Object.fromEntries(outcomes.map((each) => [each.key, describeOutcome(each)]));
    return logStanding(prefetchOf(prefetch, call.patientId), logFields);
  } finally {
    budget.end();
  }
}

/** An outcome with its status or host, for troubleshooting: `status 403`, `next-elsewhere inner.example:8080`. */
function describeOutcome({ outcome, status, host }: Outcome): string {
  return [outcome, status, host].filter((part) => part !== undefined).join(' ');
}

/** Logs if the server does not know the patient, because that explains why everything is missing. */
function logStanding(prefetch: Prefetch, logFields: Record<string, unknown>): Prefetch {
  if (prefetch.standing !== 'known') logFields['patientRecord'] = prefetch.standing;
  return prefetch;
}

/** Fills the log line and the audit line of an answered call. Never with patient data. */
function logAnswer(
  found: Answer,
  { call }: Request,
  { id, client, tenant, logFields }: Pick<FastifyRequest, 'id' | 'client' | 'tenant' | 'logFields'>,
  { knowledge: { fingerprint }, audit, auditKey }: InvokeOptions,
): void {
  const fired = found.results
    .filter(({ outcome }) => outcome === 'fires' || outcome === 'joins')
    .map(({ rule }) => rule.id);
  const silent = found.results
    .filter(({ outcome }) => outcome === 'quiet' || outcome === 'repeat')
    .map(({ rule }) => rule.id);
  const trial = wouldHaveShown(found.results).map(({ rule }) => rule.id);
  const leftOut = countBy(found.chart.leftOut.map(({ what, why }) => `${what}:${why}`));
  const unseen = { ...(silent.length > 0 && { silent }), ...(trial.length > 0 && { trial }) };
  Object.assign(logFields, { fired, ...unseen, leftOut, knowledge: fingerprint.slice(0, 12) });
  const result = {
    ...('missing' in found ? { missing: found.missing } : { fired }),
    ...unseen,
  };
  const patient = auditKey && hashOfPatient(auditKey, 'audit', { client: client.name, tenant }, call.patientId);
  const { hook, hookInstance } = logFields;
  audit.info(
    {
      reqId: id,
      client: client.name,
      ...(tenant !== undefined && { tenant }),
      hook,
      hookInstance,
      ...result,
      knowledge: fingerprint,
      ...(patient && { patient }),
    },
    'audit',
  );
}

function countBy(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
