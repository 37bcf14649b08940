const MIB = 1024 * 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * Every limit on what comes from outside, in one place. docs/hospital-it.md shows them as a table, and limits.test.ts holds
 * the two together. Sizes are bytes and times milliseconds unless the comment says otherwise.
 */
export const limits = {
  /** Open connections of one process. More are closed as they arrive. */
  connections: 1000,
  /** Calls on one connection that wait for their answer. A connection that sends more is closed. */
  callsOfConnection: 8,
  /** How long a connection may stay silent while a call is on its way or its answer waits to be read, and between calls. */
  idle: MINUTE,
  keepAlive: 72 * SECOND,
  /** All headers of a call together; Node refuses more. */
  headers: 16 * 1024,
  /** How long the headers of a call, and the whole call, may take to arrive. */
  headersTime: 10 * SECOND,
  callTime: 15 * SECOND,

  /** A body, in MiB, unless BODY_LIMIT_MIB says otherwise. */
  bodyMib: 8,
  /** Levels of nested JSON: a FHIR resource inside a Bundle inside a call has some thirty. */
  depth: 200,
  /** Objects, lists and texts in a body: 8 MiB of real records have some 800 000. */
  values: 850_000,
  /** Bodies that have begun to arrive and are not read yet, of all clients and of one. */
  bodiesArriving: { all: 24 * MIB, client: 16 * MIB },
  /**
   * Bodies that are read and not answered yet, of all clients and of one; one that weighs more is read alone. JSON takes up to
   * twenty times its size in memory where it is made of small parts, so a body weighs its bytes, or so many for each value if
   * that is more.
   */
  bodiesAtWork: { all: 12 * MIB, client: 8 * MIB, perValue: 12 },
  /** How long a body waits for its turn before the call is put off. */
  turn: 2 * SECOND,
  /** Delay of the event loop from which calls are put off. */
  eventLoopDelay: SECOND,

  /** Draft orders of a call. */
  drafts: 500,
  /** Resources of a call, sent and fetched. */
  resources: 50_000,
  /** Medicines, problems and results that stand in code lists. Ten years of daily dispensing with a visit each are 8000. */
  listed: 10_000,
  /** Items of any list inside an entry of the record. */
  listOfEntry: 1000,
  /** Dosage lines, and dates in them, of all entries together. */
  dosages: 20_000,

  /** Feedback: items of a call, suggestions of an item, rows of a call, rows of a client in a day (UTC). */
  feedbackItems: 1000,
  feedbackSuggestions: 100,
  feedbackRows: 2000,
  feedbackRowsOfDay: 50_000,
  /** Rows of feedback that wait for the database, and that are written at once. */
  feedbackWaiting: 20_000,
  feedbackCommit: 5000,
  /** Problems that a refusal or a rejected item names. */
  problems: 20,
  /** Characters of a comment that are kept. */
  comment: 1000,

  /** Characters of the claim `jti`. */
  jti: 256,
  /** Used tokens that a process remembers; then the oldest are forgotten. */
  tokens: 500_000,
  /** Life of a token, and how far clocks may differ, in seconds. */
  tokenLife: 3600,
  clockSkew: 60,

  /** Cards that wait while the journal is away; then the oldest are dropped. Used tokens wait as well. */
  cardsWaiting: 50_000,
  tokensWaiting: 50_000,
  /** How long an answer waits for the journal; how long feedback does. */
  journalForAnswer: 150,
  journalForFeedback: 5 * SECOND,

  /** The time window of `requestsPerMinute`. */
  rateWindow: MINUTE,
} as const;
