import type { Generated, JoinBuilder } from 'kysely';

/**
 * The journal's tables. Times are milliseconds since 1970 in UTC, days are local dates of the site. No table contains a
 * name, a patient id, or an order.
 */
export type Tables = {
  cards: CardTable;
  silent_cards: SilentCardTable;
  feedback: FeedbackTable;
  tallies: TallyTable;
  tokens: TokenTable;
};

/** A card that was given. The key is the client, its tenant and the card's id: tenants share nothing. */
type CardTable = {
  client: string;
  /** The client's tenant; empty if its tenants are not listed. */
  tenant: string;
  uuid: string;
  day: string;
  issued_at: number;
  hook: string;
  rule: string;
  indicator: string;
  /** JSON: uuid of each suggestion → its offer. */
  suggestions: string;
  /** The first twelve digits of the knowledge's fingerprint. */
  knowledge: string;
  /** Keyed hash of organisation and patient, preceded by the id of its key; erased when no quiet period can need it. */
  patient: string | null;
  /** JSON of a `Basis` (rules/quiet.ts) and its version; erased with `patient`. */
  basis: string | null;
  /** 1 if the client asked to leave it out when the orders are signed. */
  kept: number;
};

/** A card that a rule on trial would have given. Same key as for cards, in a separate table because it was not shown. */
type SilentCardTable = Pick<
  CardTable,
  'client' | 'tenant' | 'uuid' | 'day' | 'issued_at' | 'hook' | 'rule' | 'indicator' | 'knowledge'
> & {
  /** Keyed hash of a patient for chart review, if the site asks for that; only of each rule's first patients. */
  patient: string | null;
};

/** What a prescriber did with a card: one row per accepted suggestion, one for an override. */
type FeedbackTable = {
  /** Hash of client, tenant, card, outcome, suggestion and time: the same item again is the same row. */
  id: string;
  client: string;
  tenant: string;
  card: string;
  service: string;
  outcome: 'accepted' | 'overridden';
  suggestion: string | null;
  at: number;
  received_at: number;
  reason_code: string | null;
  reason_system: string | null;
  comment: string | null;
};

/** Counts per day: calls by hook, cards left out by rule, and calls in which a rule was on trial. */
type TallyTable = {
  day: string;
  client: string;
  tenant: Generated<string>;
  hook: string;
  kind: TallyKind;
  rule: string;
  count: Generated<number>;
};

/**
 * `answered` and `refused` (412) calls; cards left out as `quiet`, or at signing as a `repeat`; by rule, calls of its
 * hooks in which it was on `trial`, whatever its outcome.
 */
export type TallyKind = 'answered' | 'refused' | 'quiet' | 'repeat' | 'trial';

type TokenTable = { id: string; expires_at: number };

/** For a join: the card that feedback is about. */
export function aboutCard(join: JoinBuilder<Tables, 'cards' | 'feedback'>) {
  return join
    .onRef('feedback.client', '=', 'cards.client')
    .onRef('feedback.tenant', '=', 'cards.tenant')
    .onRef('feedback.card', '=', 'cards.uuid');
}
