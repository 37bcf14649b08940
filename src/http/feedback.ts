import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Knowledge } from '../cards/knowledge.ts';
import { ServiceError } from '../errors.ts';
import { object, objects, string } from '../fhir/json.ts';
import type { Journal } from '../journal/journal.ts';
import type { FeedbackRow } from '../journal/store.ts';
import { JournalFailed } from '../journal/thread.ts';
import { limits } from '../limits.ts';
import { hookOfService } from './discovery.ts';
import { placeOf } from './journal.ts';
import type { Metrics } from './metrics.ts';

export type FeedbackOptions = {
  /** Without a journal, no feedback is acknowledged. */
  journal: Journal | undefined;
  knowledge: Knowledge;
  /** Gets a line for each stored override. */
  audit: Pick<Logger, 'info'>;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  metrics: Metrics;
};

/** The result of one item. `repeated`: stored before. `unknownCard`: this service gave this client no card with this id. */
type Result =
  | { status: 'stored' | 'repeated'; unknownCard?: true; commentCut?: true }
  | { status: 'rejected'; problems: string[] };

/** One item as stored in the journal, or what is wrong with it. */
type Item = { rows: FeedbackRow[]; cut: boolean } | { problems: string[] };

const id = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,100}$/, 'must be an id');

/** The schema of one item, also for the API description. */
export const itemSchema = z
  .looseObject({
    card: id.describe('The uuid of the card.'),
    outcome: z
      .preprocess(
        (value) => (typeof value === 'string' ? value.trim().toLowerCase() : value),
        z.enum(['accepted', 'overridden']),
      )
      .describe('What the user did with the card.'),
    outcomeTimestamp: z.iso
      .datetime({ offset: true, error: 'must be an RFC 3339 date and time with a time zone' })
      .describe('When it happened, with the time zone.'),
    acceptedSuggestions: z
      .array(z.union([id.transform((text) => ({ id: text })), z.looseObject({ id })]))
      .max(limits.feedbackSuggestions)
      .nullish()
      .transform((value) => value ?? [])
      .describe('The uuids of the accepted suggestions. Required when the outcome is accepted.'),
    // Read leniently below: a mistake in a reason must not lose what the user did.
    overrideReason: z
      .unknown()
      .optional()
      .meta({
        description: 'Why the card was overridden: an object.',
        // Without types: other values are ignored.
        properties: {
          reason: {
            description: "One of the card's overrideReasons, or your own: a Coding.",
            properties: { code: { description: 'A text.' }, system: { description: 'A text.' } },
          },
          userComment: { description: 'Free text. Stored only if the hospital wants it.' },
        },
      }),
  })
  .refine(({ outcome, acceptedSuggestions }) => outcome !== 'accepted' || acceptedSuggestions.length > 0, {
    path: ['acceptedSuggestions'],
    message: 'required when the outcome is accepted',
  })
  .meta({
    if: { required: ['outcome'], properties: { outcome: { const: 'accepted' } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
    then: { required: ['acceptedSuggestions'], properties: { acceptedSuggestions: { type: 'array', minItems: 1 } } },
  });

/**
 * `POST /cds-services/{id}/feedback` (CDS Hooks: Feedback; conformance FB1–FB11). 200 with a result for each item once
 * all valid ones are committed; 400 if none is valid; 503 if they could not be committed.
 */
export function feedbackRoute(app: FastifyInstance, options: FeedbackOptions): void {
  const { journal, clock, metrics, knowledge } = options;
  const budget = createBudget(clock);
  app.post<{ Params: { id: string } }>(
    '/cds-services/:id/feedback',
    { config: { rateLimit: {} } },
    async (request, reply) => {
      const service = request.params.id;
      if (!hookOfService(service)) throw new ServiceError('no-service');
      const place = placeOf(request);
      const where = { ...place, service, received_at: clock() };
      const given = itemsOf(request.sent?.json);
      checkRows(given);
      const items = given.map((item) => readItem(item, where, knowledge.site.journal.comments));
      if (items.length > 0 && items.every((item) => 'problems' in item))
        throw new ServiceError('not-feedback', problemsOf(items));
      const rows = items.flatMap((item) => ('rows' in item ? item.rows : []));
      budget.check(place.client, rows.length);
      const { results, added } = await keep(items, rows, journal);
      budget.use(place.client, added.size);
      for (const { status } of results) metrics.feedback(service, status);
      auditOverrides(rows, added, request, options);
      Object.assign(request.logFields, { service, hook: hookOfService(service), items: results.length });
      return reply.header('cache-control', 'no-store').send({ results });
    },
  );
}

/** Checks the number of rows before reading the items. */
function checkRows(items: unknown[]): void {
  const rows = items.reduce<number>((sum, item) => {
    const suggestions = object(item)['acceptedSuggestions'];
    const number = Array.isArray(suggestions) ? suggestions.length : 1;
    // An item with more suggestions is rejected on its own.
    return sum + (number > limits.feedbackSuggestions ? 1 : Math.max(1, number));
  }, 0);
  if (rows > limits.feedbackRows)
    throw new ServiceError('not-feedback', [
      `feedback: at most ${limits.feedbackRows} cards and accepted suggestions in one call`,
    ]);
}

/** What is wrong with the items, up to the limit. */
function problemsOf(items: Item[]): string[] {
  const all = items.flatMap((item, at) =>
    'problems' in item ? item.problems.map((text) => `feedback.${at}.${text}`) : [],
  );
  return all.length > limits.problems ? [...all.slice(0, limits.problems - 1), 'and more'] : all;
}

const DAY = 86_400_000;

/** Counts the rows that a client adds in a day (UTC), in this process. */
function createBudget(clock: () => number) {
  let today = 0;
  let used = new Map<string, number>();
  const usedBy = (client: string) => {
    const day = Math.floor(clock() / DAY);
    if (day !== today) used = new Map();
    today = day;
    return used.get(client) ?? 0;
  };
  return {
    /** Throws a `ServiceError` if this many more rows would exceed the limit. */
    check: (client: string, rows: number): void => {
      if (usedBy(client) + rows <= limits.feedbackRowsOfDay) return;
      const seconds = Math.ceil((DAY - (clock() % DAY)) / 1000);
      throw new ServiceError(
        'much-feedback',
        [`feedback: at most ${limits.feedbackRowsOfDay} cards and accepted suggestions in a day`],
        { 'retry-after': String(seconds) },
      );
    },
    use: (client: string, rows: number): void => {
      used.set(client, usedBy(client) + rows);
    },
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Writes an audit line for each stored override, because it may keep the card away from the next prescriber. It contains the
 * card id only if it is a UUID, and the reason only if it is one of ours: any other text could name a patient.
 */
function auditOverrides(
  rows: FeedbackRow[],
  added: Set<string>,
  { id: reqId, client, tenant }: FastifyRequest,
  { audit, knowledge }: FeedbackOptions,
): void {
  const { overrideReasons } = knowledge.cards.shared;
  const reasons = Object.entries(overrideReasons).flatMap(([key, reason]) => (reason ? [{ key, ...reason }] : []));
  const logFields = new Set<string>();
  for (const { id, outcome, card, service, reason_code, reason_system } of rows) {
    if (outcome !== 'overridden' || !added.has(id) || logFields.has(id)) continue;
    logFields.add(id);
    const reason = reasons.find(({ code, system }) => code === reason_code && (reason_system ?? system) === system);
    const accepted = reason !== undefined && knowledge.site.quiet.accepted.includes(reason.key);
    audit.info(
      {
        reqId,
        client: client.name,
        ...(tenant !== undefined && { tenant }),
        service,
        outcome,
        ...(UUID.test(card) && { card }),
        ...(reason && { reason: reason.code, accepted }),
        knowledge: knowledge.fingerprint,
      },
      'audit',
    );
  }
}

/** Early clients send a single item without the list (conformance FB2). */
function itemsOf(body: unknown): unknown[] {
  const given = object(body)['feedback'];
  if (Array.isArray(given)) {
    if (given.length > limits.feedbackItems)
      throw new ServiceError('not-feedback', [`feedback: at most ${limits.feedbackItems} items`]);
    return given;
  }
  if (given === undefined && 'card' in object(body)) return [body];
  if (typeof given === 'object' && given !== null) return [given];
  throw new ServiceError('not-feedback', ['feedback: must be a list']);
}

function readItem(
  value: unknown,
  where: Pick<FeedbackRow, 'client' | 'tenant' | 'service' | 'received_at'>,
  comments: boolean,
): Item {
  // Before the schema checks each of them.
  const suggestionsGiven = object(value)['acceptedSuggestions'];
  if (Array.isArray(suggestionsGiven) && suggestionsGiven.length > limits.feedbackSuggestions)
    return { problems: [`acceptedSuggestions: at most ${limits.feedbackSuggestions}`] };
  const parsed = itemSchema.safeParse(value);
  if (!parsed.success)
    return {
      problems: parsed.error.issues
        .slice(0, limits.problems)
        .map(({ path, message }) => `${path.join('.') || 'item'}: ${message}`),
    };
  const { card, outcome, outcomeTimestamp, acceptedSuggestions } = parsed.data;
  const { reason, comment } = readReason(parsed.data);
  const said = comments ? comment : undefined;
  const at = Date.parse(outcomeTimestamp);
  const suggestions = outcome === 'accepted' ? [...new Set(acceptedSuggestions.map((item) => item.id))] : [null];
  const rows = suggestions.map((suggestion) => ({
    id: hash(where.client, where.tenant, card, outcome, suggestion ?? '', String(at)),
    ...where,
    card,
    outcome,
    suggestion,
    at,
    reason_code: outcome === 'overridden' ? (reason.code ?? null) : null,
    reason_system: outcome === 'overridden' ? (reason.system ?? null) : null,
    comment: said?.slice(0, limits.comment) ?? null,
  }));
  return { rows, cut: (said?.length ?? 0) > limits.comment };
}

/** `overrideReason.reason` is a Coding; drafts of the specification had it one level higher, or as a list. */
function readReason(item: Record<string, unknown>): {
  reason: { code?: string | undefined; system?: string | undefined };
  comment: string | undefined;
} {
  const given = objects(item['overrideReason'])[0] ?? objects(item['overrideReasons'])[0] ?? {};
  const coding = objects(given['reason'])[0] ?? given;
  return {
    reason: { code: plain(coding['code'])?.slice(0, 200), system: plain(coding['system'])?.slice(0, 500) },
    comment: plain(given['userComment']) ?? plain(item['userComment']),
  };
}

/** A text without control characters, which databases may refuse. */
function plain(value: unknown): string | undefined {
  const text = string(value)
    ?.replace(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim();
  return text === '' ? undefined : text;
}

async function keep(
  items: Item[],
  rows: FeedbackRow[],
  journal: Journal | undefined,
): Promise<{ results: Result[]; added: Set<string> }> {
  const stored = rows.length === 0 ? { added: [], known: [] } : await commit(rows, journal);
  const all = new Set(stored.added);
  const added = new Set(rows.map(({ id }) => id).filter((id) => all.has(id)));
  const known = new Set(stored.known);
  const results = items.map((item): Result => {
    if ('problems' in item) return { status: 'rejected', problems: item.problems };
    // Of two equal items in one call, the journal reports only the first as new; both are stored by then.
    const status = item.rows.some((row) => added.has(row.id)) ? 'stored' : 'repeated';
    const unknown = item.rows.some((row) => !known.has(row.id));
    return { status, ...(unknown && { unknownCard: true }), ...(item.cut && { commentCut: true }) };
  });
  return { results, added };
}

/** Failures after which the database may have stored the rows. */
const OPEN_ENDED = ['timeout', 'thread'];

async function commit(rows: FeedbackRow[], journal: Journal | undefined) {
  const failed = (code: 'no-journal' | 'journal-late') => new ServiceError(code, [], { 'retry-after': '5' });
  if (!journal) throw failed('no-journal');
  // A statement may contain each row only once.
  const distinct = [...new Map(rows.map((row) => [row.id, row])).values()];
  return journal.addFeedback(distinct).catch((error: unknown) => {
    const reason = error instanceof JournalFailed ? error.reason : '';
    throw failed(OPEN_ENDED.includes(reason) ? 'journal-late' : 'no-journal');
  });
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
