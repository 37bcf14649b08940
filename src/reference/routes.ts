import type { FastifyInstance } from 'fastify';
import type { Knowledge } from '../cards/knowledge.ts';
import { cachedRoute } from '../http/discovery.ts';
import { pageHeaders } from '../report/page.ts';
import type { Document } from './document.ts';
import { type ExampleCall, readExamples } from './examples.ts';
import { describeApi } from './openapi.ts';
import { referencePage } from './page.ts';

export type ReferenceOptions = {
  knowledge: Knowledge;
  mode: 'sandbox' | 'production';
  publicUrl: string | undefined;
  /** Base address of the links on the examples' cards, if any. */
  advice: string | undefined;
  /** The folder of the invented patients. It may be absent, as in the image. */
  testBundles: string;
};

/** Fallback for an invalid Host header. */
const HOST = /^[a-z0-9.:[\]-]+$/i;

/**
 * `GET /openapi.json`: the API description, open to everyone like discovery, because it discloses nothing more. `GET
 * /docs`, in a sandbox: the same as a page.
 */
export function referenceRoutes(app: FastifyInstance, { testBundles, ...options }: ReferenceOptions): void {
  let made: { document: Document; examples: ExampleCall[] } | undefined;
  // Made on first use: most processes never need it, and tests start many.
  const describe = () => {
    if (made) return made;
    const examples = readExamples(testBundles, options.knowledge, options.advice);
    made = { examples, document: describeApi({ ...options, examples }) };
    return made;
  };
  cachedRoute(app, '/openapi.json', () => JSON.stringify(describe().document));
  if (options.mode !== 'sandbox') return;
  app.get('/docs', (request, reply) => {
    const host = HOST.test(request.host) ? request.host : '127.0.0.1:3000';
    return reply
      .headers({ ...pageHeaders, 'cache-control': 'no-store' })
      .type('text/html; charset=utf-8')
      .send(referencePage(describe().document, describe().examples, `${request.protocol}://${host}`));
  });
}
