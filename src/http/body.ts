import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Arrival, createArrivals } from './arrivals.ts';
import { createGate, overloaded } from './gate.ts';
import { shapeOf } from './shape.ts';
import type { Turn } from './turns.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body, if the call has one. */
    sent: Sent | undefined;
    /** Releases the room that this call's body occupies. */
    release: (() => void) | undefined;
  }
}

/**
 * A body: its bytes, for values that go back digit by digit, and the JSON in them. Emptied when the answer is sent. Nothing
 * else that outlives a pause may refer to either: what waited for its turn is old to the garbage collector, and what a dead
 * old object refers to, such as the result of a promise, stays until all memory is collected.
 */
export type Sent = { bytes: Buffer; json: unknown };

const MEDIA_TYPES = ['application/json', 'application/fhir+json'];

/**
 * Reads JSON in both media types that carry it (conformance T6, T7), in strict UTF-8. There is a limit before each
 * step: bytes arriving, the structure of the text, bodies being processed at once. `isBusy`: whether the process is
 * under pressure; checked again once a body has had its turn.
 */
export function readJson(app: FastifyInstance, bodyLimit: number, turn: Turn, isBusy: () => boolean): void {
  const arrivals = createArrivals(limits.bodiesArriving);
  const working = createGate(limits.bodiesAtWork);
  // Keys that would change an object's prototype are ignored like any unknown key (conformance T12).
  const parse = app.getDefaultJsonParser('remove', 'remove') as FastifyBodyParser<string>;
  app.decorateRequest('release');
  app.decorateRequest('sent');

  const read = async (request: FastifyRequest, payload: IncomingMessage): Promise<Sent> => {
    const { name } = request.client;
    const sent = { bytes: NOTHING, json: undefined };
    request.sent = sent;
    const arrival = arrivals(name, limits.turn);
    let weight: number;
    try {
      await receive(payload, bodyLimit, arrival.take, sent);
      // Long work takes turns, so that other calls get served in between.
      if (sent.bytes.length > LARGE_BODY) await turn();
      weight = weightOf(sent.bytes);
      request.release = await working.enter(name, weight, limits.turn);
    } finally {
      arrival.leave();
    }
    if (weight > LARGE_BODY) await turn();
    // The body may have waited behind long work.
    if (isBusy()) throw overloaded();
    let wrong = false;
    // Calls back at once.
    void parse(request, textOf(sent.bytes), (error, value) => {
      wrong = error !== null;
      sent.json = value;
    });
    if (wrong) throw new ServiceError('not-json');
    // The next step, evaluating the JSON, takes a turn of its own.
    if (weight > LARGE_BODY) await turn('body');
    return sent;
  };

  // Otherwise Fastify accepts text/plain and answers 400 instead of 415.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(MEDIA_TYPES, read);
  app.addHook('onSend', async (request) => {
    request.release?.();
    request.release = undefined;
    // Neither a slowly read answer nor an old object may keep a body in memory.
    if (request.sent) discard(request.sent);
  });
}

/** Reads all bytes of a body. Rejects with a `ServiceError` if there are too many, if no room came, or if the body ends early. */
function receive(payload: IncomingMessage, bodyLimit: number, take: Arrival['take'], sent: Sent): Promise<void> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = () => payload.off('data', add).off('end', end).off('error', fail).off('close', fail);
    const refuse = (error: unknown) => {
      stop();
      reject(error);
    };
    // The connection broke, so no one will read the answer.
    const fail = () => refuse(new ServiceError('not-json'));
    const end = () => {
      stop();
      sent.bytes = Buffer.concat(chunks.splice(0), length);
      resolve();
    };
    const add = (chunk: Buffer) => {
      length += chunk.length;
      if (length > bodyLimit) return refuse(new ServiceError('too-large'));
      chunks.push(chunk);
      const room = take(chunk.length);
      if (!room) return;
      payload.pause();
      room.then(() => payload.resume(), refuse);
    };
    payload.on('data', add).on('end', end).on('error', fail).on('close', fail);
  });
}

/** The weight of a body while it is processed. Throws a `ServiceError` for a body beyond the limits. */
function weightOf(json: Buffer): number {
  const { depth, values } = shapeOf(json, limits);
  if (depth > limits.depth) throw new ServiceError('too-deep', [`at most ${limits.depth} levels`]);
  if (values > limits.values)
    throw new ServiceError('too-many', [`objects, lists and texts in the body: at most ${limits.values}`]);
  if (!isUtf8(json)) throw new ServiceError('not-utf8');
  return Math.max(json.length, values * limits.bodiesAtWork.perValue);
}

/** Empties a body. Frees the memory of a large one at once, which otherwise counts towards the next full collection. */
function discard(sent: Sent): void {
  const { bytes } = sent;
  sent.bytes = NOTHING;
  sent.json = undefined;
  // Only a large Buffer has its memory for itself.
  if (bytes.length > LARGE_BODY && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

/** Size in bytes from which a body takes turns. */
const LARGE_BODY = 256 * 1024;

const NOTHING = Buffer.alloc(0);

/** The text of a body without its byte order mark, which has no meaning in UTF-8. */
function textOf(json: Buffer): string {
  const marked = json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf;
  return json.toString('utf8', marked ? 3 : 0);
}

/**
 * Refuses a body by its headers before the token is used up: another media type, character set or content coding, or
 * too many bytes. Throws a `ServiceError`.
 */
export function checkBodyHeaders({ headers }: FastifyRequest, bodyLimit: number): void {
  const empty = headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0);
  if (empty && headers['content-type'] === undefined) return;
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  if (!MEDIA_TYPES.includes(type.trim())) throw new ServiceError('not-json-type');
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1]);
  if (charset.some((name) => name !== undefined && !['utf-8', 'utf8'].includes(name)))
    throw new ServiceError('not-json-type', ['charset: UTF-8 only']);
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding !== 'identity')
    throw new ServiceError('not-json-type', ['Content-Encoding: send the body uncompressed'], {
      'accept-encoding': 'identity',
    });
  if (Number(headers['content-length']) > bodyLimit) throw new ServiceError('too-large');
}
