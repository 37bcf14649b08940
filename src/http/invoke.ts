import type { FastifyInstance } from 'fastify';
import { answer } from '../answer.ts';
import { brand } from '../brand.ts';
import { negotiateLanguage } from '../cards/language.ts';
import { dateOfInstant, isPartial, localDate } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import type { Knowledge } from '../rules/knowledge.ts';
import { traceOf } from '../rules/trace.ts';
import { hookOfService } from './discovery.ts';
import { readRequest } from './wire.ts';

export type InvokeOptions = {
  knowledge: Knowledge;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
  /** Whether a request may ask for the trace and name its own evaluation date. */
  explain: boolean;
};

/** `POST /cds-services/{id}`: the answer of one service. */
export function invokeRoute(app: FastifyInstance, { knowledge, clock, explain }: InvokeOptions): void {
  const { site } = knowledge;
  app.post<{ Params: { id: string } }>('/cds-services/:id', (request, reply) => {
    const hook = hookOfService(request.params.id);
    if (!hook) throw new ServiceError('no-service');
    const { call, hookInstance, wish } = readRequest(request.body, hook);
    const wishedDate = explain ? localDate(wish.now, site.timeZone) : undefined;
    const today =
      wishedDate !== undefined && !isPartial(wishedDate) ? wishedDate : dateOfInstant(clock(), site.timeZone);
    const language = negotiateLanguage(request.headers['accept-language'], site.language);
    const found = answer({ call, hookInstance, language, today }, knowledge);
    const fired = found.results.filter(({ outcome }) => outcome === 'fires').map(({ rule }) => rule.id);
    // For correlation only; free text in its place could hold anything.
    const instance = UUID.test(hookInstance) ? { hookInstance } : {};
    const leftOut = countBy(found.chart.leftOut.map(({ what, why }) => `${what}:${why}`));
    Object.assign(request.told, { hook, ...instance, fired, leftOut });
    if ('missing' in found)
      throw new ServiceError(
        'missing-data',
        found.missing.map((key) => `prefetch key missing or not whole: ${key}`),
      );
    const extension =
      explain && wish.explain
        ? { extension: { [brand.extension]: { trace: traceOf(found.chart, found.results) } } }
        : {};
    // Written out here: a response schema would drop what it does not know of the orders that come back (T14).
    return reply
      .headers({ 'cache-control': 'no-store', 'content-language': language, vary: 'Accept-Language' })
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ cards: found.cards, ...extension }));
  });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function countBy(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
