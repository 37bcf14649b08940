import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Knowledge } from '../cards/knowledge.ts';
import { negotiateLanguage } from '../cards/language.ts';
import { ServiceError } from '../errors.ts';
import { object, string } from '../fhir/json.ts';
import { type PageWords, translator } from '../knowledge/pages.ts';
import { type Language, languages } from '../language.ts';
import { pageHeaders } from '../report/page.ts';
import type { Proof } from '../rules/proof.ts';
import { indexPage, rulePage } from './page.ts';
import type { PageContext } from './rule.ts';

export type AdviceOptions = {
  knowledge: Knowledge;
  proof: Proof;
  /** cards/pages/advice.yaml. */
  words: PageWords;
};

const HEADERS = { ...pageHeaders, 'cache-control': 'public, max-age=60', vary: 'Accept-Language' };

/**
 * `GET /advice` and `GET /advice/<rule>`: the basis of the cards. Open to everyone like discovery: the pages contain no
 * patient data, and a browser that follows a card's link has no token.
 */
export function adviceRoutes(app: FastifyInstance, { knowledge, proof, words }: AdviceOptions): void {
  const kept = new Map<string, { html: string; etag: string }>();
  /** Made on first use and cached: there is one per rule and language, and they do not change while the service runs. */
  const pageOf = (name: string, language: Language, make: (context: PageContext) => string) => {
    const key = `${name}?${language}`;
    const known = kept.get(key);
    if (known) return known;
    const html = make({ knowledge, proof, language, translate: translator(words, language) });
    const made = { html, etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"` };
    kept.set(key, made);
    return made;
  };
  const send = (request: FastifyRequest, reply: FastifyReply, name: string, make: (context: PageContext) => string) => {
    const language = languageOf(request, knowledge.site.language);
    const { html, etag } = pageOf(name, language, make);
    reply.headers({ ...HEADERS, etag, 'content-language': language });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('text/html; charset=utf-8').send(html);
  };
  app.get('/advice', (request, reply) => send(request, reply, '', indexPage));
  app.get<{ Params: { rule: string } }>('/advice/:rule', (request, reply) => {
    const rule = knowledge.rules.find(({ id }) => id === request.params.rule);
    if (!rule) throw new ServiceError('no-advice');
    return send(request, reply, rule.id, (context) => rulePage(rule, context));
  });
}

/** The language in the address, otherwise the browser's, otherwise the site's. */
function languageOf({ query, headers }: FastifyRequest, fallback: Language): Language {
  const wanted = string(object(query)['lang']);
  return languages.find((language) => language === wanted) ?? negotiateLanguage(headers['accept-language'], fallback);
}
