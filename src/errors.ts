import type { Extension, OperationOutcome } from 'fhir/r4.js';

/**
 * The only table of errors: what went wrong → HTTP status, FHIR issue code, and what the caller is told. Diagnostics
 * name fields, keys and limits, never what they held (conformance S5).
 */
export const errors = {
  'not-json': { status: 400, issue: 'structure', text: 'The body is not valid JSON.' },
  'not-utf8': { status: 400, issue: 'structure', text: 'The body is not valid UTF-8.' },
  'too-deep': { status: 400, issue: 'structure', text: 'The body is nested too deeply.' },
  envelope: { status: 400, issue: 'invalid', text: 'The request is not a CDS Hooks request.' },
  'not-feedback': { status: 400, issue: 'invalid', text: 'This is no CDS Hooks feedback.' },
  unauthenticated: { status: 401, issue: 'login', text: 'A valid client token is needed.' },
  'not-entitled': { status: 403, issue: 'forbidden', text: 'This client may not call this service.' },
  'wrong-host': {
    status: 421,
    issue: 'forbidden',
    text: 'A sandbox answers by the names of its own machine.',
  },
  'no-service': {
    status: 404,
    issue: 'not-found',
    text: 'There is no such service here. GET /cds-services lists them.',
  },
  'no-advice': { status: 404, issue: 'not-found', text: 'There is no rule of this name. GET /advice lists them.' },
  'no-patient': { status: 404, issue: 'not-found', text: 'There is no invented patient of this name.' },
  'no-settings': { status: 400, issue: 'invalid', text: 'These are no settings of a site.' },
  'no-record': { status: 400, issue: 'invalid', text: 'The record cannot be asked for.' },
  'no-method': { status: 405, issue: 'not-supported', text: 'This address does not answer that method.' },
  'unknown-method': { status: 501, issue: 'not-supported', text: 'No address here answers that method.' },
  'missing-data': {
    status: 412,
    issue: 'incomplete',
    text: 'FHIR data that the answer rests on are missing, so "nothing to warn about" cannot be said.',
  },
  'too-slow': { status: 408, issue: 'timeout', text: 'The request took too long to arrive.' },
  'headers-too-large': { status: 431, issue: 'too-long', text: 'The headers are too large.' },
  'no-http': { status: 400, issue: 'structure', text: 'This is no HTTP request.' },
  'too-large': { status: 413, issue: 'too-long', text: 'The body is too large.' },
  'too-many': { status: 413, issue: 'too-costly', text: 'The record is larger than what can be looked at.' },
  'not-json-type': {
    status: 415,
    issue: 'not-supported',
    text: 'Send JSON in UTF-8, not compressed: Content-Type application/json.',
  },
  'unusable-fhir': {
    status: 422,
    issue: 'not-supported',
    text: 'The FHIR version is not supported: send FHIR R4 (R5 is read too).',
  },
  expectation: {
    status: 417,
    issue: 'not-supported',
    text: 'The header Expect names something other than 100-continue.',
  },
  'rate-limited': { status: 429, issue: 'throttled', text: 'Too many calls. Try again later.' },
  overloaded: { status: 503, issue: 'transient', text: 'The service is too busy. Try again later.' },
  'no-journal': {
    status: 503,
    issue: 'transient',
    text: 'Feedback cannot be kept at the moment, and was not. Send it again later.',
  },
  'journal-late': {
    status: 503,
    issue: 'transient',
    text: 'It is not known whether the feedback was kept. Send it again later: what was kept is not kept twice.',
  },
  'much-feedback': {
    status: 429,
    issue: 'throttled',
    text: 'More feedback than is kept in a day. Send it again tomorrow.',
  },
  internal: {
    status: 500,
    issue: 'exception',
    text: 'The service failed. The log has the cause under this request id.',
  },
} as const;

export type ErrorCode = keyof typeof errors;

export class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Details for the caller: field names, keys, versions. Never data. */
  readonly diagnostics: string[];
  readonly headers: Record<string, string>;
  /** What else the OperationOutcome says, to a caller who asked for it. */
  readonly extension: Extension[];

  constructor(
    code: ErrorCode,
    diagnostics: string[] = [],
    headers: Record<string, string> = {},
    extension: Extension[] = [],
  ) {
    super(code);
    this.code = code;
    this.diagnostics = diagnostics;
    this.headers = headers;
    this.extension = extension;
  }
}

/** FHIR OperationOutcome with an issue for each detail (CDS Hooks 3.0 ballot: HTTP Status Codes). */
export function outcomeOf(code: ErrorCode, diagnostics: string[]): OperationOutcome {
  const { issue, text } = errors[code];
  const base = { severity: 'error' as const, code: issue, details: { text } };
  const issues = diagnostics.length === 0 ? [base] : diagnostics.map((detail) => ({ ...base, diagnostics: detail }));
  return { resourceType: 'OperationOutcome', issue: issues };
}
