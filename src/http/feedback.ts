import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { object, objects, string } from '../fhir/json.ts';
import type { Journal } from '../journal/journal.ts';
import type { FeedbackRow } from '../journal/store.ts';
import { hookOfService } from './discovery.ts';
import type { Metrics } from './metrics.ts';

export type FeedbackOptions = {
  /** Without a journal nothing is acknowledged. */
  journal: Journal | undefined;
  /** Whether `userComment` is kept: free text may name a patient. */
  comments: boolean;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  metrics: Metrics;
};

/** What became of one item: `repeated` was kept before; `unknownCard`: no card of this id was given, or not here. */
type Result =
  | { status: 'stored' | 'repeated'; unknownCard?: true; commentCut?: true }
  | { status: 'rejected'; problems: string[] };

/** One item as the journal keeps it, or what is wrong with it. */
type Item = { rows: FeedbackRow[]; cut: boolean } | { problems: string[] };

const ITEMS = 1000;
const COMMENT = 1000;

const id = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,100}$/, 'must be an id');

const itemSchema = z
  .looseObject({
    card: id.describe('The uuid of the card.'),
    outcome: z
      .preprocess(
        (value) => (typeof value === 'string' ? value.trim().toLowerCase() : value),
        z.enum(['accepted', 'overridden']),
      )
      .describe('What the user did with the card.'),
    outcomeTimestamp: z.iso
      .datetime({ offset: true, error: 'must be a moment of RFC 3339, with its time zone' })
      .describe('When, with the time zone.'),
    acceptedSuggestions: z
      .array(z.union([id.transform((text) => ({ id: text })), z.looseObject({ id })]))
      .nullish()
      .transform((value) => value ?? [])
      .describe('The uuids of the suggestions that were taken. Required with accepted.'),
    // Read with care below: no slip in a reason is worth losing what the user did.
    overrideReason: z
      .unknown()
      .optional()
      .meta({
        description: 'Why the card was overridden.',
        type: ['object', 'array', 'null'],
        properties: {
          reason: {
            type: 'object',
            description: "One of the card's overrideReasons, or your own.",
            properties: { code: { type: 'string' }, system: { type: 'string' } },
          },
          userComment: { type: 'string', description: 'Kept only where the hospital wants it.' },
        },
      }),
  })
  .refine(({ outcome, acceptedSuggestions }) => outcome !== 'accepted' || acceptedSuggestions.length > 0, {
    path: ['acceptedSuggestions'],
    message: 'required with the outcome accepted',
  });

/** The body of feedback, of the schema that checks each item, for the API's description. */
export const feedbackSchema = z.looseObject({
  feedback: z.array(itemSchema).max(ITEMS).describe('Each item is kept or rejected by itself.'),
});

/**
 * `POST /cds-services/{id}/feedback` (CDS Hooks: Feedback; conformance FB1–FB11). 200 with a result for each item once all
 * valid ones are committed; 400 where none is valid; 503 where they could not be committed.
 */
export function feedbackRoute(app: FastifyInstance, options: FeedbackOptions): void {
  const { journal, clock, metrics } = options;
  app.post<{ Params: { id: string } }>(
    '/cds-services/:id/feedback',
    { config: { rateLimit: {} } },
    async (request, reply) => {
      const service = request.params.id;
      if (!hookOfService(service)) throw new ServiceError('no-service');
      const items = itemsOf(request.body).map((item) =>
        readItem(item, { client: request.client.name, service, received_at: clock() }, options.comments),
      );
      if (items.length > 0 && items.every((item) => 'problems' in item))
        throw new ServiceError(
          'not-feedback',
          items.flatMap((item, at) =>
            'problems' in item ? item.problems.map((text) => `feedback.${at}.${text}`) : [],
          ),
        );
      const rows = items.flatMap((item) => ('rows' in item ? item.rows : []));
      const results = await keep(items, rows, journal);
      for (const { status } of results) metrics.feedback(service, status);
      Object.assign(request.told, { service, hook: hookOfService(service), items: results.length });
      return reply.header('cache-control', 'no-store').send({ results });
    },
  );
}

/** Early clients send one item without the list (conformance FB2). */
function itemsOf(body: unknown): unknown[] {
  const given = object(body)['feedback'];
  if (Array.isArray(given)) {
    if (given.length > ITEMS) throw new ServiceError('not-feedback', [`feedback: at most ${ITEMS} items`]);
    return given;
  }
  if (given === undefined && 'card' in object(body)) return [body];
  if (typeof given === 'object' && given !== null) return [given];
  throw new ServiceError('not-feedback', ['feedback: must be a list']);
}

function readItem(
  value: unknown,
  where: Pick<FeedbackRow, 'client' | 'service' | 'received_at'>,
  comments: boolean,
): Item {
  const parsed = itemSchema.safeParse(value);
  if (!parsed.success)
    return { problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'item'}: ${message}`) };
  const { card, outcome, outcomeTimestamp, acceptedSuggestions } = parsed.data;
  const { reason, comment } = readReason(parsed.data);
  const said = comments ? comment : undefined;
  const at = Date.parse(outcomeTimestamp);
  const suggestions = outcome === 'accepted' ? [...new Set(acceptedSuggestions.map((item) => item.id))] : [null];
  const rows = suggestions.map((suggestion) => ({
    id: hash(where.client, card, outcome, suggestion ?? '', String(at)),
    ...where,
    card,
    outcome,
    suggestion,
    at,
    reason_code: outcome === 'overridden' ? (reason.code ?? null) : null,
    reason_system: outcome === 'overridden' ? (reason.system ?? null) : null,
    comment: said?.slice(0, COMMENT) ?? null,
  }));
  return { rows, cut: (said?.length ?? 0) > COMMENT };
}

/** `overrideReason.reason` is a Coding; drafts of the specification had it one level higher, or a list of them. */
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

/** A text without control characters, which no database takes gladly. */
function plain(value: unknown): string | undefined {
  const text = string(value)
    ?.replace(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim();
  return text === '' ? undefined : text;
}

async function keep(items: Item[], rows: FeedbackRow[], journal: Journal | undefined): Promise<Result[]> {
  const stored = rows.length === 0 ? { added: [], cards: [] } : await commit(rows, journal);
  const added = new Set(stored.added);
  const known = new Set(stored.cards);
  return items.map((item): Result => {
    if ('problems' in item) return { status: 'rejected', problems: item.problems };
    // Of two equal items in one call the first is new to the journal; both are kept by then.
    const status = item.rows.some((row) => added.has(row.id)) ? 'stored' : 'repeated';
    const unknown = item.rows.some(({ card }) => !known.has(card));
    return { status, ...(unknown && { unknownCard: true }), ...(item.cut && { commentCut: true }) };
  });
}

async function commit(rows: FeedbackRow[], journal: Journal | undefined) {
  const failed = () => new ServiceError('no-journal', [], { 'retry-after': '5' });
  if (!journal) throw failed();
  // A statement takes each row once.
  const distinct = [...new Map(rows.map((row) => [row.id, row])).values()];
  return journal.addFeedback(distinct).catch(() => {
    throw failed();
  });
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
