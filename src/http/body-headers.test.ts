import type { FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import type { ServiceError } from '../errors.ts';
import { checkBodyHeaders } from './body.ts';

/** How the headers of a body are refused: the code, what is named, and headers of the answer. */
function refusalOf(headers: Record<string, string>): unknown {
  try {
    checkBodyHeaders({ headers } as unknown as FastifyRequest, 100);
    return undefined;
  } catch (error) {
    const { code, diagnostics, headers: more } = error as ServiceError;
    return [code, ...diagnostics, ...(Object.keys(more).length > 0 ? [more] : [])];
  }
}
const TYPE = ['not-json-type'];
const CHARSET = ['not-json-type', 'charset: UTF-8 only'];
const CODING = ['not-json-type', 'Content-Encoding: send the body uncompressed', { 'accept-encoding': 'identity' }];

describe('T6: a body may be refused by its headers', () => {
  const json = 'application/json';
  test.each<[headers: Record<string, string>, refusal: unknown]>([
    [{}, undefined],
    [{ 'content-length': '0' }, undefined],
    [{ 'content-length': '1' }, TYPE],
    [{ 'content-length': 'x' }, undefined],
    [{ 'transfer-encoding': 'chunked' }, TYPE],
    [{ 'content-type': json }, undefined],
    [{ 'content-type': 'text/plain' }, TYPE],
    [{ 'content-type': '' }, TYPE],
    [{ 'content-type': ' Application/FHIR+JSON ; x=y' }, undefined],
    [{ 'content-type': 'application/json+x' }, TYPE],
    [{ 'content-type': `${json}; charset=utf-8` }, undefined],
    [{ 'content-type': `${json};charset="UTF8"` }, undefined],
    [{ 'content-type': `${json}; charset = utf-8 ` }, undefined],
    [{ 'content-type': `${json}; charset=iso-8859-1` }, CHARSET],
    [{ 'content-type': `${json}; x=y; charset=utf-16` }, CHARSET],
    [{ 'content-type': `${json}; charset=` }, CHARSET],
    [{ 'content-type': `${json}; xcharset=utf-16` }, undefined],
    [{ 'content-type': `${json}; charset=utf-16 x` }, undefined],
    [{ 'content-type': json, 'content-encoding': 'identity' }, undefined],
    [{ 'content-type': json, 'content-encoding': ' Identity ' }, undefined],
    [{ 'content-type': json, 'content-encoding': 'gzip' }, CODING],
    [{ 'content-type': json, 'content-length': '100' }, undefined],
    [{ 'content-type': json, 'content-length': '101' }, ['too-large']],
  ])('%j: %j', (headers, refusal) => {
    expect(refusalOf(headers)).toEqual(refusal);
  });
});
