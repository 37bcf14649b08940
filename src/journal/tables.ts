import type { Generated } from 'kysely';

/**
 * The journal's tables. Moments are milliseconds since 1970 in UTC, days are local dates of the site. No table holds a
 * name, an id of a patient, or an order.
 */
export type Tables = {
  cards: CardTable;
  silent_cards: SilentCardTable;
  feedback: FeedbackTable;
  tallies: TallyTable;
  tokens: TokenTable;
};

/** One card that was given. A client, its tenant and the card's id are the key: tenants share nothing. */
type CardTable = {
  client: string;
  /** Which of the client's hospitals; empty where its tenants are not listed. */
  tenant: string;
  uuid: string;
  day: string;
  issued_at: number;
  hook: string;
  rule: string;
  indicator: string;
  /** JSON: uuid of each suggestion → what it offers. */
  suggestions: string;
  /** Fingerprint of the knowledge, its first twelve digits. */
  knowledge: string;
  /** Keyed hash of organisation and patient, after the id of its key; erased when no quiet period can need it. */
  patient: string | null;
  /** JSON of a `Basis` (rules/quiet.ts) and its version; erased with `patient`. */
  basis: string | null;
  /** 1 where the client asked to have it left out when the orders are signed. */
  kept: number;
};

/** One card that a rule on trial would have given, and that nobody saw. Keys as of cards; a table of its own, since none was shown. */
type SilentCardTable = Pick<
  CardTable,
  'client' | 'tenant' | 'uuid' | 'day' | 'issued_at' | 'hook' | 'rule' | 'indicator' | 'knowledge'
> & {
  /** Keyed hash of a patient whose chart may be read, where the site asks for that; of each rule's first patients alone. */
  patient: string | null;
};

/** What a prescriber did with a card: one row for each suggestion that was accepted, one for an override. */
type FeedbackTable = {
  /** Hash of client, tenant, card, outcome, suggestion and moment: the same item again is the same row. */
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

/** Counts of a day: calls by hook, cards that were left out by rule, and calls in which a rule was on trial. */
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
 * `answered` and `refused` (412) calls; cards left out as `quiet`, or at signing as a `repeat`; by rule, calls of its hooks in
 * which it was on `trial`, whatever it came to.
 */
export type TallyKind = 'answered' | 'refused' | 'quiet' | 'repeat' | 'trial';

type TokenTable = { id: string; expires_at: number };
