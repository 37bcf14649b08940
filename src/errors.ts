import type { Extension, OperationOutcome } from 'fhir/r4.js';

/**
 * The only table of errors: cause → HTTP status, FHIR issue code, and text for the caller. Diagnostics name fields,
 * keys and limits, never their contents (conformance S5).
 */
export const errors = {
  'not-json': { status: 400, issue: 'structure', text: 'The body is not valid JSON.' },
  'not-utf8': { status: 400, issue: 'structure', text: 'The body is not valid UTF-8.' },
  'too-deep': { status: 400, issue: 'structure', text: 'The body is nested too deeply.' },
  envelope: { status: 400, issue: 'invalid', text: 'The request is not a CDS Hooks request.' },
  'not-feedback': { status: 400, issue: 'invalid', text: 'The body is not CDS Hooks feedback.' },
  unauthenticated: { status: 401, issue: 'login', text: 'A valid client token is required.' },
  'not-entitled': { status: 403, issue: 'forbidden', text: 'This client may not call this service.' },
  'wrong-host': {
    status: 421,
    issue: 'forbidden',
    text: 'A sandbox answers only to the host names of its own machine.',
  },
  'no-service': {
    status: 404,
    issue: 'not-found',
    text: 'There is no such service. GET /cds-services lists them.',
  },
  'no-advice': { status: 404, issue: 'not-found', text: 'There is no rule with this name. GET /advice lists them.' },
  'no-patient': { status: 404, issue: 'not-found', text: 'There is no invented patient with this name.' },
  'no-settings': { status: 400, issue: 'invalid', text: 'The site settings are not valid.' },
  'no-record': { status: 400, issue: 'invalid', text: 'The record cannot be fetched.' },
  'no-method': { status: 405, issue: 'not-supported', text: 'This address does not support that method.' },
  'unknown-method': { status: 501, issue: 'not-supported', text: 'This service does not support that method.' },
  'missing-data': {
    status: 412,
    issue: 'incomplete',
    text: 'FHIR data that the answer needs are missing, so the service cannot say that there is nothing to warn about.',
  },
  'too-slow': { status: 408, issue: 'timeout', text: 'The request took too long to arrive.' },
  'headers-too-large': { status: 431, issue: 'too-long', text: 'The headers are too large.' },
  'no-http': { status: 400, issue: 'structure', text: 'The request is not valid HTTP.' },
  'too-large': { status: 413, issue: 'too-long', text: 'The body is too large.' },
  'too-many': { status: 413, issue: 'too-costly', text: 'The record is too large to be evaluated.' },
  'not-json-type': {
    status: 415,
    issue: 'not-supported',
    text: 'Send uncompressed JSON in UTF-8 with Content-Type application/json.',
  },
  'unusable-fhir': {
    status: 422,
    issue: 'not-supported',
    text: 'The FHIR version is not supported: send FHIR R4 (R5 is also accepted).',
  },
  expectation: {
    status: 417,
    issue: 'not-supported',
    text: 'The Expect header may only say 100-continue.',
  },
  'rate-limited': { status: 429, issue: 'throttled', text: 'Too many calls. Try again later.' },
  overloaded: { status: 503, issue: 'transient', text: 'The service is too busy. Try again later.' },
  'no-journal': {
    status: 503,
    issue: 'transient',
    text: 'The feedback was not stored, because the journal cannot be reached. Send it again later.',
  },
  'journal-late': {
    status: 503,
    issue: 'transient',
    text: 'The feedback may not have been stored. Send it again later: nothing is stored twice.',
  },
  'much-feedback': {
    status: 429,
    issue: 'throttled',
    text: 'The daily limit for feedback has been reached. Send it again tomorrow.',
  },
  internal: {
    status: 500,
    issue: 'exception',
    text: 'The service failed. The log gives the cause under this request id.',
  },
} as const;

export type ErrorCode = keyof typeof errors;

export class ServiceError extends Error {
  readonly code: ErrorCode;
  /** Details for the caller: field names, keys, versions. Never data. */
  readonly diagnostics: string[];
  readonly headers: Record<string, string>;
  /** Further content of the OperationOutcome, for a caller who asked for it. */
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

/** FHIR OperationOutcome with one issue per detail (CDS Hooks 3.0 ballot: HTTP Status Codes). */
export function outcomeOf(code: ErrorCode, diagnostics: string[]): OperationOutcome {
  const { issue, text } = errors[code];
  const base = { severity: 'error' as const, code: issue, details: { text } };
  const issues = diagnostics.length === 0 ? [base] : diagnostics.map((detail) => ({ ...base, diagnostics: detail }));
  return { resourceType: 'OperationOutcome', issue: issues };
}
