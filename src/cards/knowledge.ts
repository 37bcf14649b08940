import type { Rulebook } from '../rules/knowledge.ts';
import type { CardFile, SharedCards } from './schema.ts';

/** Everything that hooks/ and cards/ say, checked and compiled. Never changes while the service runs. */
export type Knowledge = Rulebook & {
  cards: { shared: SharedCards; templates: CardFile };
  /** SHA-256 over hooks/ and cards/, hexadecimal. */
  fingerprint: string;
};
