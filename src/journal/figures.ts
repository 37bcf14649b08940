import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import { aboutCard, type Tables, type TallyKind } from './tables.ts';

/** The first day (a local date of the site), and optionally one client or tenant. */
export type Asked = { since: string; client?: string | undefined; tenant?: string | undefined };

/** The journal's counts as they come from the database: one array per query. */
export type Counts = {
  shown: { rule: string; hook: string; day: string; cards: number }[];
  outcomes: { rule: string; hook: string; day: string; outcome: 'accepted' | 'overridden'; cards: number }[];
  /** Cards with feedback: one that was accepted and overridden counts once. */
  withFeedback: { rule: string; hook: string; cards: number }[];
  reasons: { rule: string; hook: string; code: string | null; system: string | null; cards: number }[];
  /** One per accepted suggestion; `offers` is the card's JSON of its suggestions' offers. */
  accepted: { rule: string; hook: string; suggestion: string | null; offers: string }[];
  tallies: { hook: string; kind: TallyKind; rule: string; count: number }[];
  /** Cards that rules on trial would have given. */
  silent: { rule: string; hook: string; cards: number }[];
  /**
   * For each rule on trial the patients whose hash is kept, by the first day on which it would have given them a card,
   * however long ago.
   */
  review: { rule: string; day: string; patient: string }[];
  /** Items of feedback about cards that are not in the journal. */
  strays: number;
};

/** Queries everything that the report needs. Cards and their feedback belong to the day on which the card was given. */
export async function count(database: Kysely<Tables>, { since, client, tenant }: Asked): Promise<Counts> {
  const cards = () =>
    database
      .selectFrom('cards')
      .where('cards.day', '>=', since)
      .$if(client !== undefined, (query) => query.where('cards.client', '=', client as string))
      .$if(tenant !== undefined, (query) => query.where('cards.tenant', '=', tenant as string));
  const silent = () =>
    database
      .selectFrom('silent_cards')
      .$if(client !== undefined, (query) => query.where('client', '=', client as string))
      .$if(tenant !== undefined, (query) => query.where('tenant', '=', tenant as string));
  const withFeedback = () => cards().innerJoin('feedback', aboutCard);
  // Two clients or tenants may have cards with the same id.
  const each = sql<number>`count(distinct cards.client || '/' || cards.tenant || '/' || cards.uuid)`.as('cards');
  const [shown, outcomes, withFeedbackOf, reasons, accepted, tallies, silently, review, strays] = await Promise.all([
    cards()
      .select(['rule', 'hook', 'day', (eb: ExpressionBuilder<Tables, 'cards'>) => eb.fn.countAll<number>().as('cards')])
      .groupBy(['rule', 'hook', 'day'])
      .execute(),
    withFeedback()
      .select(['rule', 'hook', 'day', 'outcome', each])
      .groupBy(['rule', 'hook', 'day', 'outcome'])
      .execute(),
    withFeedback().select(['rule', 'hook', each]).groupBy(['rule', 'hook']).execute(),
    withFeedback()
      .where('outcome', '=', 'overridden')
      .select(['rule', 'hook', 'reason_code as code', 'reason_system as system', each])
      .groupBy(['rule', 'hook', 'reason_code', 'reason_system'])
      .execute(),
    withFeedback()
      .where('outcome', '=', 'accepted')
      .select(['rule', 'hook', 'suggestion', 'suggestions as offers'])
      .execute(),
    database
      .selectFrom('tallies')
      .where('day', '>=', since)
      .$if(client !== undefined, (query) => query.where('client', '=', client as string))
      .$if(tenant !== undefined, (query) => query.where('tenant', '=', tenant as string))
      .select(['hook', 'kind', 'rule', (eb) => eb.fn.sum<number>('count').as('count')])
      .groupBy(['hook', 'kind', 'rule'])
      .execute(),
    silent()
      .where('day', '>=', since)
      .select(['rule', 'hook', (eb) => eb.fn.countAll<number>().as('cards')])
      .groupBy(['rule', 'hook'])
      .execute(),
    silent()
      .where('patient', 'is not', null)
      .select(['rule', 'patient', (eb) => eb.fn.min('day').as('day')])
      .groupBy(['rule', 'patient'])
      .orderBy('rule')
      .orderBy((eb) => eb.fn.min('issued_at'))
      .orderBy('patient')
      .execute(),
    database
      .selectFrom('feedback')
      .leftJoin('cards', aboutCard)
      .where('cards.uuid', 'is', null)
      .where('feedback.received_at', '>=', Date.parse(since))
      .$if(client !== undefined, (query) => query.where('feedback.client', '=', client as string))
      .$if(tenant !== undefined, (query) => query.where('feedback.tenant', '=', tenant as string))
      .select((eb) => eb.fn.countAll<number>().as('items'))
      .executeTakeFirstOrThrow(),
  ]);
  // PostgreSQL returns a sum as numeric, which arrives as text.
  const counted = tallies.map((tally) => ({ ...tally, count: Number(tally.count) }));
  return {
    shown,
    outcomes,
    withFeedback: withFeedbackOf,
    reasons,
    accepted,
    tallies: counted,
    silent: silently,
    review: review.map(({ rule, day, patient }) => ({ rule, day, patient: patient as string })),
    strays: strays.items,
  };
}
