const MIB = 1024 * 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * Every limit on input, in one place. docs/hospital-it.md shows them as a table, and limits.test.ts compares the two.
 * Sizes are in bytes and times in milliseconds unless the comment says otherwise.
 */
export const limits = {
  /** Open connections of one process. More are closed as they arrive. */
  connections: 1000,
  /** Calls waiting for their answer on one connection. A connection with more is closed. */
  callsOfConnection: 8,
  /** How long a connection may be silent during a call or while its answer is not read, and between calls. */
  idle: MINUTE,
  keepAlive: 72 * SECOND,
  /** All headers of a call together, enforced by Node. */
  headers: 16 * 1024,
  /** Time until the headers of a call, and the whole call, must have arrived. */
  headersTime: 10 * SECOND,
  callTime: 15 * SECOND,

  /** A body, in MiB, unless BODY_LIMIT_MIB says otherwise. */
  bodyMib: 8,
  /** Levels of nested JSON. A FHIR resource inside a Bundle inside a call has some thirty. */
  depth: 200,
  /** Objects, lists and texts in a body: 8 MiB of real records have some 800 000. */
  values: 850_000,
  /** Bodies arriving and not yet read, of all clients and of one. */
  bodiesArriving: { all: 24 * MIB, client: 16 * MIB },
  /**
   * Bodies read and not yet answered, of all clients and of one; a heavier one is read alone. JSON of many small parts takes
   * up to twenty times its size in memory, so a body weighs its bytes or `perValue` bytes for each value, whichever is more.
   */
  bodiesAtWork: { all: 12 * MIB, client: 8 * MIB, perValue: 12 },
  /** How long a body waits for its turn before the call is refused with 503. */
  turn: 2 * SECOND,
  /** Event-loop delay from which calls are refused with 503. */
  eventLoopDelay: SECOND,

  /** Draft orders of a call. */
  drafts: 500,
  /** Resources of a call, sent and fetched. */
  resources: 50_000,
  /** Medicines, problems and results in code lists. Ten years of daily dispensing with a visit each have 8000. */
  listed: 10_000,
  /** Items in any list inside an entry of the record. */
  listOfEntry: 1000,
  /** Dosage lines and dates in them, all entries together. */
  dosages: 20_000,

  /** Feedback: items per call, suggestions per item, rows per call, rows per client and day (UTC). */
  feedbackItems: 1000,
  feedbackSuggestions: 100,
  feedbackRows: 2000,
  feedbackRowsOfDay: 50_000,
  /** Feedback rows waiting for the database, and rows written in one commit. */
  feedbackWaiting: 20_000,
  feedbackCommit: 5000,
  /** Problems listed in a refusal or a rejected item. */
  problems: 20,
  /** Characters of a stored comment. */
  comment: 1000,

  /** Characters of the claim `jti`. */
  jti: 256,
  /** Used tokens in the memory of a process; beyond that the oldest are forgotten. */
  tokens: 500_000,
  /** Maximum life of a token, and clock difference allowed, in seconds. */
  tokenLife: 3600,
  clockSkew: 60,

  /** Cards and used tokens waiting while the journal is unavailable; beyond that the oldest are dropped. */
  cardsWaiting: 50_000,
  tokensWaiting: 50_000,
  /** How long an answer, and feedback, waits for the journal. */
  journalForAnswer: 150,
  journalForFeedback: 5 * SECOND,

  /** The time window of `requestsPerMinute`. */
  rateWindow: MINUTE,
} as const;
