import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errors, outcomeOf, ServiceError } from '../errors.ts';
import { UnusableFhir } from '../fhir/versions.ts';
import { limits } from '../limits.ts';
import { logCall } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Fastify's own error codes, mapped to those of our table. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'not-json-type',
  FST_ERR_CTP_EMPTY_TYPE: 'not-json-type',
};

/** Answers every error with an OperationOutcome from the table. What is not the client's fault is logged, without its data. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === 'internal') logFailure(request.log, error, 'failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(app, request)));
  // Before the body of an unknown address is read.
  app.addHook('preParsing', async (request) => {
    if (request.is404) throw notFound(app, request);
  });
}

/** Refuses an Expect header other than 100-continue. Node would refuse it too, but without a body or a log line. */
export function refuseExpectations(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', async ({ headers }) => {
    if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
      throw new ServiceError('expectation');
  });
}

/** Blames the caller only for errors known to be the caller's fault. Anything else is a fault of the service. */
function problemOf(error: FastifyError | Error): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof UnusableFhir) return new ServiceError('unusable-fhir');
  const code = 'code' in error ? FASTIFY_CODES[error.code] : undefined;
  return new ServiceError(code ?? 'internal');
}

function notFound(app: FastifyInstance, request: FastifyRequest): ServiceError {
  const url = request.url.split('?')[0] as string;
  const pattern = patternOf(url);
  const allowed = (['GET', 'POST'] as const).filter(
    (method) => pattern !== '' && app.findRoute({ method, url: pattern }),
  );
  return allowed.length > 0
    ? new ServiceError('no-method', [], { allow: allowed.join(', ') })
    : new ServiceError('no-service');
}

/** The route that an address would match with the right method; none for the root. */
function patternOf(url: string): string {
  const path = url.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  return path.replace(/^\/cds-services\/[^/]+(?=\/feedback$|$)/, '/cds-services/:id');
}

/** Answers what Node refuses before there is a request. Writes to the socket, because there is no reply object. */
export function answerClientError(error: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  const code =
    error.code === 'HPE_INVALID_METHOD' && REQUEST_LINE.test(beginning(error.rawPacket))
      ? 'unknown-method'
      : (CLIENT_ERRORS[error.code ?? ''] ?? 'no-http');
  const { status } = errors[code];
  const body = JSON.stringify(outcomeOf(code, []));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `cache-control: no-store\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}

const CLIENT_ERRORS: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'too-slow',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

/** The beginning of what was sent, as far as a request line may reach. */
function beginning(packet: unknown): string {
  return Buffer.isBuffer(packet) ? packet.toString('latin1', 0, limits.headers) : '';
}

/** The beginning of an HTTP request whose method Node does not know. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/1\.[01]\r?\n/;

/**
 * Answers errors before routing, for a malformed address. Fastify's own answer would repeat the address. No hook has
 * run, so this also logs the call, and answers as for a missing token where tokens are required (conformance J15).
 */
export function answerFrameworkErrors(needTokens: boolean, metrics: Metrics) {
  return (_error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    request.logFields = needTokens ? { refused: 'no-address' } : {};
    logCall(request, reply.code(needTokens ? 401 : 404), metrics);
    return sendProblem(reply, needTokens ? unauthenticated() : new ServiceError('no-service'));
  };
}

export function unauthenticated(): ServiceError {
  return new ServiceError('unauthenticated', [], { 'www-authenticate': 'Bearer' });
}

const RATES = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];

function sendProblem(reply: FastifyReply, problem: ServiceError): FastifyReply {
  const { extension } = problem;
  // The rest of a refused body is not read.
  if (!reply.request.raw.complete) reply.header('connection', 'close');
  // A replayed token gets further than an unknown one, and the headers must not show that (conformance J15).
  if (problem.code === 'unauthenticated') for (const name of RATES) reply.removeHeader(name);
  const body = { ...outcomeOf(problem.code, problem.diagnostics), ...(extension.length > 0 && { extension }) };
  return reply
    .code(errors[problem.code].status)
    .headers({ 'cache-control': 'no-store', 'x-request-id': reply.request.id, ...problem.headers })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body));
}

/** Logs a fault of the service. */
export function logFailure(log: FastifyBaseLogger, error: unknown, message: string): void {
  const err = error instanceof Error ? { type: error.name, stack: framesOf(error) } : { type: typeof error };
  log.error({ err }, message);
}

/** Where a failure happened. Never its message, which may quote data. */
export function framesOf(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .join('\n');
}
