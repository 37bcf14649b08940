import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import {
  type BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { Agent, type Dispatcher, request } from 'undici';
import { literalAddress, mayConnect } from './address.ts';
import { isTooDeep } from './depth.ts';

export type FetchOptions = {
  privateNetwork: boolean;
  timeoutMs: number;
  accept: string;
  signal?: AbortSignal;
  authorization?: string;
  /** Sent as a form by POST. */
  form?: string;
};

/** Why nothing came back: for metrics and the log. Never holds an address, a token or a body. */
export type Failure =
  | 'refused-address'
  | 'unreachable'
  | 'timeout'
  | 'redirect'
  | 'status'
  | 'not-json'
  | 'too-large'
  | 'circuit-open'
  | 'too-late'
  | 'no-fhir';

export class FetchFailed extends Error {
  readonly failure: Failure;
  readonly status: number | undefined;
  constructor(failure: Failure, status?: number) {
    super(failure);
    this.failure = failure;
    this.status = status;
  }
}

export type FetchJson = (url: string, options: FetchOptions) => Promise<{ body: unknown; maxAge: number | undefined }>;

/** The largest answer that is read. */
const MAX_RESPONSE = 16 * 1024 * 1024;

/**
 * Fetches JSON from another server: without redirects, every address checked after DNS and at the moment of connecting,
 * the answer's size and time bounded, and a server that fails again and again left alone for a while.
 */
export function createFetchJson(): FetchJson & { close: () => Promise<void> } {
  const agents = { inner: agentFor(true), outer: agentFor(false) };
  const breakers = new Map<string, CircuitBreakerPolicy>();
  const breakerFor = (origin: string): CircuitBreakerPolicy => {
    const known =
      breakers.get(origin) ??
      circuitBreaker(handleWhen(isServersFault), { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) });
    breakers.set(origin, known);
    return known;
  };
  const fetchJson: FetchJson = async (url, options) => {
    const { origin, hostname } = new URL(url);
    const literal = literalAddress(hostname);
    if (literal !== undefined && !mayConnect(literal, options.privateNetwork)) throw new FetchFailed('refused-address');
    try {
      return await breakerFor(origin).execute(() =>
        ask(url, options, options.privateNetwork ? agents.inner : agents.outer),
      );
    } catch (error) {
      if (error instanceof FetchFailed) throw error;
      throw new FetchFailed((error as BrokenCircuitError).isBrokenCircuitError ? 'circuit-open' : 'unreachable');
    }
  };
  return Object.assign(fetchJson, {
    close: async () => void (await Promise.all([agents.inner.close(), agents.outer.close()])),
  });
}

async function ask(
  url: string,
  options: FetchOptions,
  dispatcher: Dispatcher,
): Promise<{ body: unknown; maxAge: number | undefined }> {
  const signals = [AbortSignal.timeout(options.timeoutMs), ...(options.signal ? [options.signal] : [])];
  try {
    const response = await request(url, {
      dispatcher,
      method: options.form === undefined ? 'GET' : 'POST',
      headers: {
        accept: options.accept,
        ...(options.authorization !== undefined && { authorization: options.authorization }),
        ...(options.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(options.form !== undefined && { body: options.form }),
      signal: AbortSignal.any(signals),
    });
    if (response.statusCode !== 200) {
      await response.body.dump({ limit: 65536 });
      throw new FetchFailed(
        response.statusCode >= 300 && response.statusCode < 400 ? 'redirect' : 'status',
        response.statusCode,
      );
    }
    const text = await response.body.text();
    const maxAge = /max-age=(\d{1,9})/.exec(String(response.headers['cache-control'] ?? ''))?.[1];
    return { body: parse(text), maxAge: maxAge === undefined ? undefined : Number(maxAge) };
  } catch (error) {
    if (options.signal?.aborted) throw new FetchFailed('too-late');
    throw failureOf(error);
  }
}

function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FetchFailed('not-json');
  }
  if (isTooDeep(value)) throw new FetchFailed('too-large');
  return value;
}

function failureOf(error: unknown): FetchFailed {
  if (error instanceof FetchFailed) return error;
  const { name, code, cause } = error as { name?: string; code?: string; cause?: { code?: string } };
  if (name === 'TimeoutError' || name === 'AbortError' || code?.includes('TIMEOUT')) return new FetchFailed('timeout');
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return new FetchFailed('too-large');
  if (code === REFUSED || cause?.code === REFUSED) return new FetchFailed('refused-address');
  return new FetchFailed('unreachable');
}

/** Failures that are the server's own: they count towards leaving it alone. Not `too-late`: then we stopped waiting. */
function isServersFault(error: unknown): boolean {
  const failed = error instanceof FetchFailed ? error : undefined;
  if (!failed) return true;
  return ['unreachable', 'timeout'].includes(failed.failure) || ((failed.status ?? 0) >= 500 && failed.status !== 501);
}

const REFUSED = 'ERR_ADDRESS_REFUSED';

/** The check stands where the connection is made, so that a name cannot change its address in between. */
function agentFor(privateNetwork: boolean): Agent {
  const checked: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => !mayConnect(address, privateNetwork))) {
        return callback(Object.assign(new Error('address refused'), { code: REFUSED }), '', 0);
      }
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
  return new Agent({
    connect: { lookup: checked, timeout: 2000 },
    maxResponseSize: MAX_RESPONSE,
    // The call's own deadline decides; these only keep a socket from staying for ever.
    headersTimeout: 31_000,
    bodyTimeout: 31_000,
    connections: 32,
  });
}
