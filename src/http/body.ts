import type { FastifyBodyParser, FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';
import { isTooDeep, MAX_DEPTH } from '../fhir/depth.ts';

/** Reads JSON, in both media types that carry it (conformance T6, T7). Others are refused. */
export function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error') as FastifyBodyParser<string>;
  const parser: FastifyBodyParser<string> = (request, text, done) =>
    parse(request, text, (error, value) => {
      if (error) done(error);
      else if (isTooDeep(value)) done(new ServiceError('too-deep', [`at most ${MAX_DEPTH} levels`]));
      else done(null, value);
    });
  // Without this Fastify takes text/plain, and answers 400 for it instead of 415.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', 'application/fhir+json'], { parseAs: 'string' }, parser);
}
