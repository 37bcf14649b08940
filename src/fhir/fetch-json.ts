import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import {
  type BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { Agent, type Dispatcher, request } from 'undici';
import { literalAddress, mayConnect } from './address.ts';
import type { Budget } from './budget.ts';
import { isTooDeep } from './depth.ts';
import { checkedLookup, createNames, REFUSED } from './names.ts';

export type FetchOptions = {
  /** The calling client. Connections, name look-ups and circuits are separate for each client. */
  client: string;
  privateNetwork: boolean;
  timeoutMs: number;
  accept: string;
  signal?: AbortSignal;
  authorization?: string;
  /** If set, sent as a form by POST. */
  form?: string;
  /** Bounds the answer further; otherwise only `MAX_RESPONSE` applies. */
  budget?: Budget;
  /**
   * The circuit breaker of this server. `counts`: whether a failure here counts towards opening it. Failures of
   * addresses that the client chose do not: they would close the server to its other calls.
   */
  circuit?: { server: string; counts: boolean };
};

/** Why nothing came back, for metrics and the log. Never contains an address, a token or a body. */
export type Failure =
  | 'refused-address'
  | 'unreachable'
  | 'timeout'
  | 'redirect'
  | 'status'
  | 'not-json'
  | 'encoding'
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

/** The largest answer that is read, in bytes, both compressed and uncompressed. */
const MAX_RESPONSE = 16 * 1024 * 1024;
/** Maximum number of servers whose failures are remembered; a sandbox may be asked for any server on this machine. */
const MAX_CIRCUITS = 1000;

/**
 * Fetches JSON from another server: no redirects, every address checked after DNS at the moment of connecting, size and
 * time of the answer bounded, and a circuit breaker for servers that keep failing. Clients do not affect each other.
 */
export function createFetchJson(): FetchJson & { close: () => Promise<void> } {
  const agents = new Map<string, { privateAgent: Agent; publicAgent: Agent }>();
  const agentsOf = (client: string) => {
    const known = agents.get(client) ?? agentsFor();
    agents.set(client, known);
    return known;
  };
  const breakers = new Map<string, CircuitBreakerPolicy>();
  const breakerOf = (client: string, server: string): CircuitBreakerPolicy => {
    const key = `${client} ${server}`;
    const known =
      breakers.get(key) ??
      circuitBreaker(handleWhen(isServersFault), { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) });
    breakers.set(key, known);
    const [oldest] = breakers.keys();
    if (breakers.size > MAX_CIRCUITS && oldest !== undefined) breakers.delete(oldest);
    return known;
  };
  const fetchJson: FetchJson = async (url, options) => {
    const { client, privateNetwork, circuit } = options;
    const literal = literalAddress(new URL(url).hostname);
    if (literal !== undefined && !mayConnect(literal, privateNetwork)) throw new FetchFailed('refused-address');
    const { privateAgent, publicAgent } = agentsOf(client);
    const asked = () => ask(url, options, privateNetwork ? privateAgent : publicAgent);
    const breaker = circuit && breakerOf(client, circuit.server);
    if (!breaker) return asked();
    if (!circuit.counts) {
      if (breaker.state === CircuitState.Open) throw new FetchFailed('circuit-open');
      return asked();
    }
    try {
      return await breaker.execute(asked);
    } catch (error) {
      if (error instanceof FetchFailed) throw error;
      throw new FetchFailed((error as BrokenCircuitError).isBrokenCircuitError ? 'circuit-open' : 'unreachable');
    }
  };
  return Object.assign(fetchJson, {
    close: async () => {
      await Promise.all(
        [...agents.values()].flatMap(({ privateAgent, publicAgent }) => [privateAgent.close(), publicAgent.close()]),
      );
    },
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
        'accept-encoding': 'gzip, br, deflate',
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
    const text = decode(await bytesOf(response, options.budget), headerOf(response, 'content-type'));
    const maxAge = /max-age=(\d{1,9})/.exec(headerOf(response, 'cache-control'))?.[1];
    return { body: parse(text), maxAge: maxAge === undefined ? undefined : Number(maxAge) };
  } catch (error) {
    if (options.signal?.aborted) throw new FetchFailed('too-late');
    throw failureOf(error);
  }
}

type Response = Dispatcher.ResponseData;

function headerOf({ headers }: Response, name: string): string {
  return String(headers[name] ?? '').trim();
}

/** The uncompressed body. Stops as soon as it exceeds its bound: a small body may decompress to any size. */
async function bytesOf(response: Response, budget: Budget | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const read = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > MAX_RESPONSE || budget?.take(chunk.length, partsIn(chunk)) === false)
        throw new FetchFailed('too-large');
      chunks.push(chunk);
    }
  };
  const coding = headerOf(response, 'content-encoding').toLowerCase();
  const unpacker = unpackers[coding];
  if (!unpacker) {
    response.body.on('error', () => undefined).destroy();
    throw new FetchFailed('encoding');
  }
  const unpack = unpacker();
  // Aborting ends the body and the rest with it.
  if (unpack) await pipeline(response.body, unpack, read);
  else await pipeline(response.body, read);
  return Buffer.concat(chunks, size);
}

const unpackers: Record<string, () => Transform | undefined> = {
  '': () => undefined,
  identity: () => undefined,
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** Counts objects, lists and commas, a measure of the memory that the parsed JSON takes. */
function partsIn(chunk: Buffer): number {
  let parts = 0;
  for (const byte of chunk) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) parts++;
  return parts;
}

/**
 * Decodes a body as UTF-8 or as the charset that its server names. Invalid bytes are refused: in an order that goes
 * back they would have become other letters.
 */
function decode(bytes: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new FetchFailed('encoding');
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
  // Not compressed as announced, or truncated.
  if (/^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT)/.test(code ?? '')) return new FetchFailed('encoding');
  return new FetchFailed('unreachable');
}

/** Whether a failure is the server's own and counts towards opening its circuit. `too-late` does not: we stopped waiting. */
function isServersFault(error: unknown): boolean {
  const failed = error instanceof FetchFailed ? error : undefined;
  if (!failed) return true;
  return ['unreachable', 'timeout'].includes(failed.failure) || ((failed.status ?? 0) >= 500 && failed.status !== 501);
}

function agentsFor(): { privateAgent: Agent; publicAgent: Agent } {
  const names = createNames();
  const agentFor = (privateNetwork: boolean) =>
    new Agent({
      connect: { lookup: checkedLookup(names, privateNetwork), timeout: 2000 },
      maxResponseSize: MAX_RESPONSE,
      // The call's own deadline decides; these only prevent sockets from staying open for ever.
      headersTimeout: 31_000,
      bodyTimeout: 31_000,
      connections: 32,
    });
  return { privateAgent: agentFor(true), publicAgent: agentFor(false) };
}
