import type { Journal } from '../journal/journal.ts';
import type { FeedbackRow } from '../journal/store.ts';
import { knowledgeOf, NOW, root, startService } from './app.ts';
import { SIGN } from './client.ts';

export const FEEDBACK = `${SIGN}/feedback`;
/** When the user did something with a card. */
export const AT = '2026-03-02T09:05:00Z';

/** Knowledge of a site that keeps comments, and where one reason silences a card. */
export const noting = knowledgeOf(root, { journal: { comments: true }, quiet: { accepted: ['epilepsy'] } });

export type Row = Record<string, unknown>;
type Answer = { status: number; results: Row[]; diagnostics: string[]; retryAfter: string | undefined };
type Options = Parameters<typeof startService>[0];
type Stored = (rows: FeedbackRow[]) => { added: string[]; known: string[] };
const allNew: Stored = (rows) => {
  const ids = rows.map(({ id }) => id);
  return { added: ids, known: ids };
};

/** A service whose journal keeps the rows that it is given, and says what `stored` says. */
export async function startReceiver(options: Options = {}) {
  const calls: FeedbackRow[][] = [];
  const journal = {
    addFeedback: async (given: FeedbackRow[]) => {
      calls.push(given);
      return receiver.stored(given);
    },
    useToken: async () => true,
    figures: () => ({ state: 'up', queued: 0, written: 0, dropped: 0 }),
  } as unknown as Journal;
  const service = await startService({ journal, knowledge: noting, clock: () => NOW, ...options });
  const receiver = {
    stored: allNew,
    calls,
    http: service.http,
    close: service.close,
    rows: () => calls.flat(),
    lines: () => service.log.map((line) => JSON.parse(line)),
    audit: () => receiver.lines().filter(({ msg }) => msg === 'audit'),
    send: async (body: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
      const {
        status,
        body: answer,
        headers: got,
      } = await service.http
        .post(FEEDBACK)
        .set(headers)
        .send(body as object);
      const diagnostics = (answer.issue ?? []).map((issue: { diagnostics?: string }) => issue.diagnostics);
      return { status, results: answer.results, diagnostics, retryAfter: got['retry-after'] };
    },
    /** Sends a body that a client library would change. */
    sendAsIs: async (body: unknown) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await service.app.inject({
        method: 'POST',
        url: FEEDBACK,
        headers,
        payload: JSON.stringify(body),
      });
      const issues = (answer.json().issue ?? []) as Row[];
      return { status: answer.statusCode, diagnostics: issues.map(({ diagnostics }) => diagnostics) };
    },
    /** Forgets what it was sent. */
    forget: () => {
      receiver.stored = allNew;
      calls.length = 0;
      service.log.length = 0;
    },
  };
  return receiver;
}

/** An item of feedback about a card. */
export const override = (more: Row = {}): Row => ({ card: 'c', outcome: 'overridden', outcomeTimestamp: AT, ...more });
export const accept = (ids: unknown[], more: Row = {}): Row => ({
  ...override(more),
  outcome: 'accepted',
  acceptedSuggestions: ids,
});
