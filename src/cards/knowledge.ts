import type { Rulebook } from '../rules/knowledge.ts';
import type { CardFile, SharedCards } from './schema.ts';

/** The contents of hooks/ and cards/, checked and compiled. It does not change while the service runs. */
export type Knowledge = Rulebook & {
  cards: { shared: SharedCards; templates: CardFile };
  /** SHA-256 over hooks/ and cards/, hexadecimal. */
  fingerprint: string;
};
