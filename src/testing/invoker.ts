import fastify, { type FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import { FetchFailed } from '../fhir/fetch-json.ts';
import { sandboxClient } from '../http/auth.ts';
import { type InvokeOptions, invokeRoute } from '../http/invoke.ts';
import { answerProblems } from '../http/problems.ts';
import type { Client } from '../trust/clients.ts';
import { knowledge, NOW } from './app.ts';
import type { Json } from './examples.ts';

/** The one FHIR server that the calls of `invoker` may name. */
export const SERVER = 'https://fhir.example/r4';

export type Options = Partial<InvokeOptions> & { client?: Partial<Client>; tenant?: string };

/** The route of a service with stand-ins for all around it, which note what they are asked. */
export async function invoker({ client = {}, tenant, ...options }: Options = {}) {
  const audits: unknown[] = [];
  const counted: Record<string, unknown[][]> = {};
  const turns: unknown[] = [];
  const lines: string[] = [];
  let ended = 0;
  let said: Json = {};
  const count =
    (name: string) =>
    (...values: unknown[]) => {
      counted[name] = [...(counted[name] ?? []), values];
    };
  const names = ['prefetch', 'fetched', 'answered', 'silencesUnknown'];
  const logger = pino({ level: 'warn', base: null }, { write: (line: string) => void lines.push(line) });
  const app = fastify({ loggerInstance: logger as FastifyBaseLogger });
  for (const name of ['client', 'tenant', 'logFields', 'sent']) app.decorateRequest(name);
  app.addHook('onRequest', async (call) => {
    call.client = { ...sandboxClient([SERVER]), ...client };
    call.tenant = tenant;
    said = call.logFields = {};
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (call, bytes, done) => {
    call.sent = { bytes: bytes as Buffer, json: JSON.parse(String(bytes).replace(/^\ufeff/, '')) };
    done(null, call.sent);
  });
  answerProblems(app);
  invokeRoute(app, {
    knowledge,
    clock: () => NOW,
    sandbox: true,
    fetchJson: () => Promise.reject(new FetchFailed('status', 403)),
    budgets: () => ({ take: () => true, takeResources: () => true, end: () => ended++ }) as never,
    origins: [],
    metrics: Object.fromEntries(names.map((name) => [name, count(name)])) as never,
    audit: { info: (...line: unknown[]) => audits.push(line) } as never,
    auditKey: undefined,
    journaling: undefined,
    advice: undefined,
    turn: async (holds) => void turns.push(holds),
    ...options,
  });
  await app.ready();
  const send = async (body: Json | string, headers: Record<string, string> = {}) => {
    const hook = typeof body === 'string' ? 'order-sign' : body['hook'];
    const answer = await app.inject({
      method: 'POST',
      url: `/cds-services/nordic-opioid-${hook}`,
      headers: { 'content-type': 'application/json', 'accept-language': 'en', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const json = answer.json() as { cards?: { source: { topic: { code: string } } }[]; [key: string]: unknown };
    const topics = json.cards?.map(({ source }) => source.topic.code);
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json, topics, said };
  };
  return { app, send, audits, counted, turns, lines, ended: () => ended };
}
