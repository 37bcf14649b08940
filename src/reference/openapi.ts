import { z } from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import type { Knowledge } from '../cards/knowledge.ts';
import { type ErrorCode, errors, outcomeOf } from '../errors.ts';
import { discover, type Service } from '../http/discovery.ts';
import { itemSchema } from '../http/feedback.ts';
import { callSchemas } from '../http/wire.ts';
import { languages } from '../language.ts';
import { limits } from '../limits.ts';
import { answers } from './answers.ts';
import type { Document, Example, Media, Operation, Reference, Response, Schema } from './document.ts';
import { type ExampleCall, titleOf } from './examples.ts';

export type DescriptionOptions = {
  knowledge: Knowledge;
  mode: 'sandbox' | 'production';
  /** Where clients reach the service, in production. */
  publicUrl: string | undefined;
  examples: ExampleCall[];
};

const JSON_TYPE = 'application/json';
const UNCHANGED: Response = { description: 'Unchanged since the ETag in If-None-Match.' };

/** Errors that may occur at any address. */
const ANYWHERE: ErrorCode[] = ['no-http', 'too-slow', 'expectation', 'headers-too-large', 'internal', 'overloaded'];
const UNREADABLE: ErrorCode[] = ['not-json', 'not-utf8', 'too-deep', 'too-large', 'too-many', 'not-json-type'];
const ANY_BODY: ErrorCode[] = [...UNREADABLE, 'rate-limited'];
const ANY_CLIENT: ErrorCode[] = ['unauthenticated', 'not-entitled'];
const CALL: ErrorCode[] = ['envelope', 'missing-data', 'unusable-fhir'];
const FEEDBACK: ErrorCode[] = ['not-feedback', 'no-journal', 'journal-late', 'much-feedback'];
/** Errors for unknown addresses and methods, and for foreign host names. */
const ELSEWHERE: ErrorCode[] = ['no-service', 'no-advice', 'no-method', 'unknown-method', 'wrong-host'];

/** The service in OpenAPI 3.1, from the schemas that check requests and the table of errors. Pure. */
export function describeApi({ knowledge, mode, publicUrl, examples }: DescriptionOptions): Document {
  const production = mode === 'production';
  const { services } = discover(knowledge);
  const security = production ? [{ clientToken: [] }] : [];
  const clientErrors = production ? ANY_CLIENT : [];
  return {
    openapi: '3.1.1',
    info: {
      title: 'Nordic Opioid CDS',
      version: pkg.version,
      description: [
        `A CDS Hooks service. ${knowledge.cards.shared.services.description}`,
        'Any other address is answered with 404, another method with 405, an unknown one with 501; every error is a FHIR OperationOutcome.',
        production
          ? 'Calls and feedback need a token that your own system signs (CDS Hooks: Trusting CDS Clients).'
          : 'This is a sandbox, for invented patients: it needs no token.',
      ].join('\n\n'),
      license: { name: pkg.license, identifier: pkg.license },
    },
    servers: [
      production && publicUrl !== undefined
        ? { url: publicUrl, description: 'Production' }
        : { url: '/', description: 'Sandbox' },
    ],
    tags: [
      { name: 'Services', description: 'What a record system calls.' },
      { name: 'Feedback', description: 'What happened to the cards.' },
      { name: 'Operation', description: 'For those who run the service.' },
    ],
    paths: {
      '/cds-services': { get: discovery(services) },
      ...Object.fromEntries(
        services.flatMap((service) => [
          [`/cds-services/${service.id}`, { post: call(service, examples, security, clientErrors) }],
          [`/cds-services/${service.id}/feedback`, { post: feedback(service, examples, security, clientErrors) }],
        ]),
      ),
      '/advice': { get: advice('advice-index', 'The basis of all cards') },
      '/advice/{rule}': {
        get: {
          ...advice('advice', 'The basis of a rule’s card'),
          parameters: [
            {
              name: 'rule',
              in: 'path',
              required: true,
              description: 'The code of the card’s topic.',
              schema: { type: 'string', examples: knowledge.rules.slice(0, 1).map(({ id }) => id) },
            },
            LANG,
          ],
        },
      },
      '/openapi.json': {
        get: asked('openapi', 'This description', {
          '200': { description: 'OpenAPI 3.1.', content: { [JSON_TYPE]: { schema: { type: 'object' } } } },
          '304': UNCHANGED,
        }),
      },
      '/health': {
        get: asked('health', 'Whether the process is alive', { '200': body('It is alive, in this mode.', 'Health') }),
      },
      '/ready': {
        get: asked('ready', 'Whether the service may be called', {
          '200': body('Ready for calls.', 'Ready'),
          '503': notReady(),
        }),
      },
      '/metrics': {
        get: asked('metrics', 'Counts and times, for Prometheus', {
          '200': {
            description: 'Prometheus text format. No patient data.',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
        }),
      },
    },
    components: {
      schemas: schemas(services),
      responses: responses([...ANYWHERE, ...ELSEWHERE, ...ANY_BODY, ...CALL, ...FEEDBACK, ...ANY_CLIENT]),
      examples: Object.fromEntries(
        examples.flatMap((example) => [
          [keyOf(example, 'request'), { summary: titleOf(example), value: example.request }],
          [keyOf(example, 'answer'), { summary: titleOf(example), value: example.response }],
        ]),
      ),
      securitySchemes: {
        clientToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A JWT that you sign with a key known to the hospital: iss, aud (the address called), exp, iat, jti. A new one for each call.',
        },
      },
    },
  };
}

function schemas(services: Service[]): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const { hook } of services) registry.add(callSchemas[hook], { id: callName(hook) });
  registry.add(itemSchema, { id: 'FeedbackItem' });
  for (const [id, schema] of Object.entries(answers)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` }).schemas;
  const named = Object.entries(made).map(([name, { $schema: _dialect, $id: _id, ...schema }]) => [name, schema]);
  const found = Object.fromEntries(named) as Record<string, Schema>;
  for (const { hook, prefetch } of services) withTemplates(found[callName(hook)] as Schema, prefetch);
  return { ...found, Feedback: feedbackBody() };
}

/** A list with at least one valid item, or empty; and as early clients send it, a single item. */
function feedbackBody(): Schema {
  const item = to('schemas', 'FeedbackItem');
  return {
    type: 'object',
    properties: {
      feedback: {
        description: 'Each item is stored or rejected separately; if all would be rejected, the call is.',
        anyOf: [
          { type: 'array', maxItems: limits.feedbackItems, contains: item },
          { type: 'array', maxItems: 0 },
          item,
        ],
      },
    },
    if: { required: ['feedback'] },
    else: item,
  };
}

/** Adds the prefetch keys of a call, with the templates of discovery. */
function withTemplates(schema: Schema, prefetch: Record<string, string>): void {
  const found = (schema.properties?.['prefetch'] ?? {}) as Schema;
  found.properties = Object.fromEntries(
    Object.entries(prefetch).map(([key, template]) => [key, { description: template }]),
  );
}

function callName(hook: Service['hook']): string {
  return `Call-${hook}`;
}

function to(kind: 'schemas' | 'examples', name: string): Reference {
  return { $ref: `#/components/${kind}/${name}` };
}

function keyOf({ hook, kind }: ExampleCall, part: 'request' | 'answer'): string {
  return `${hook}-${kind}-${part}`;
}

function discovery(services: Service[]): Operation {
  return {
    operationId: 'discover',
    tags: ['Services'],
    summary: 'The services',
    description: 'The same for everyone. May be cached for 60 seconds; If-None-Match is answered with 304.',
    security: [],
    responses: {
      '200': {
        description: 'The services, with the prefetch templates of each.',
        content: {
          [JSON_TYPE]: {
            schema: to('schemas', 'Services'),
            examples: { services: { summary: 'the services', value: { services } } },
          },
        },
      },
      '304': UNCHANGED,
      ...responses(ANYWHERE),
    },
  };
}

function call(
  { id, hook, title, usageRequirements }: Service,
  all: ExampleCall[],
  security: Operation['security'],
  clientErrors: ErrorCode[],
): Operation {
  const examples = all.filter((example) => example.hook === hook);
  // A refused call is not an example of what to send.
  const sent = examples.filter(({ status }) => status === 200);
  const answered = responses([...CALL, ...ANY_BODY, ...clientErrors, ...ANYWHERE]);
  const missing = answered['412']?.content?.[JSON_TYPE]?.examples;
  for (const example of examples)
    if (missing && example.status === 412) missing[example.kind] = to('examples', keyOf(example, 'answer'));
  return {
    operationId: id,
    tags: ['Services'],
    summary: title,
    description: usageRequirements,
    security,
    parameters: [
      {
        name: 'Accept-Language',
        in: 'header',
        required: false,
        description: "Language of the cards; otherwise the site's.",
        schema: { type: 'string', examples: [...languages] },
      },
    ],
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: {
          schema: to('schemas', callName(hook)),
          ...given(sent.map((example) => [example.kind, to('examples', keyOf(example, 'request'))])),
        },
        'application/fhir+json': { schema: to('schemas', callName(hook)) },
      },
    },
    responses: {
      '200': {
        description: 'The cards, or none.',
        headers: {
          'content-language': {
            description: 'The language of the cards.',
            schema: { type: 'string', enum: [...languages] },
          },
        },
        content: {
          [JSON_TYPE]: {
            schema: to('schemas', 'Cards'),
            ...given(sent.map((example) => [example.kind, to('examples', keyOf(example, 'answer'))])),
          },
        },
      },
      ...answered,
    },
  };
}

function given(examples: [string, Reference][]): Pick<Media, 'examples'> {
  return examples.length > 0 ? { examples: Object.fromEntries(examples) } : {};
}

function feedback(
  { id, hook }: Service,
  examples: ExampleCall[],
  security: Operation['security'],
  clientErrors: ErrorCode[],
): Operation {
  const example = examples.find((candidate) => candidate.hook === hook && candidate.kind === 'card');
  const value = example && feedbackOn(example);
  return {
    operationId: `${id}-feedback`,
    tags: ['Feedback'],
    summary: `Feedback on cards of ${id}`,
    description: 'What the user did with a card. Answered once every valid item is on disk.',
    security,
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: {
          schema: to('schemas', 'Feedback'),
          ...(value !== undefined && { examples: { overridden: { summary: 'a card was overridden', value } } }),
        },
      },
    },
    responses: {
      '200': body('A result per item.', 'FeedbackResults'),
      ...responses([...FEEDBACK, ...ANY_BODY, ...clientErrors, ...ANYWHERE]),
    },
  };
}

/** Feedback that overrides an example's card with its first reason. */
function feedbackOn({ response }: ExampleCall): unknown {
  const [card] = (response as { cards: { uuid: string; overrideReasons?: { code: string; system: string }[] }[] })
    .cards;
  const { code, system } = card?.overrideReasons?.[0] ?? {};
  const outcome = { card: card?.uuid, outcome: 'overridden', outcomeTimestamp: '2026-03-02T09:05:00Z' };
  return { feedback: [{ ...outcome, ...(code !== undefined && { overrideReason: { reason: { code, system } } }) }] };
}

/** An operation without authentication. */
function asked(operationId: string, summary: string, answered: Record<string, Response>): Operation {
  const responsesTo = { ...responses(ANYWHERE), ...answered };
  return { operationId, tags: ['Operation'], summary, security: [], responses: responsesTo };
}

const LANG = {
  name: 'lang',
  in: 'query' as const,
  required: false,
  description: "Language of the page; otherwise that of Accept-Language, otherwise the site's.",
  schema: { type: 'string', examples: [...languages] },
};

/** A page about the advice, without patient data. */
function advice(operationId: string, summary: string): Operation {
  return {
    ...asked(operationId, summary, {
      '200': {
        description: 'HTML for reading and printing.',
        content: { 'text/html': { schema: { type: 'string' } } },
      },
      '304': UNCHANGED,
      ...(operationId === 'advice' && responses(['no-advice', ...ANYWHERE])),
    }),
    parameters: [LANG],
  };
}

function body(description: string, name: keyof typeof answers): Response {
  return { description, content: { [JSON_TYPE]: { schema: { ...to('schemas', name) } } } };
}

/** The answer of /ready while the service is not ready or too busy. */
function notReady(): Response {
  const media: Media = {
    schema: { anyOf: [to('schemas', 'Ready'), to('schemas', 'OperationOutcome')] },
    examples: errorExamples(['overloaded']),
  };
  return { description: 'Not ready: it is starting or stopping.', headers: RETRY, content: { [JSON_TYPE]: media } };
}

function errorExamples(codes: ErrorCode[]): Record<string, Example> {
  return Object.fromEntries(codes.map((code) => [code, { summary: errors[code].text, value: outcomeOf(code, []) }]));
}

/** The error answers, one per status, with the text of each error. */
function responses(codes: ErrorCode[]): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => errors[code].status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, list]): [string, Response] => [
        String(status),
        {
          description: list.map((code) => errors[code].text).join(' '),
          ...(HEADERS[status] && { headers: HEADERS[status] }),
          content: { [JSON_TYPE]: { schema: to('schemas', 'OperationOutcome'), examples: errorExamples(list) } },
        },
      ]),
  );
}

const RETRY = { 'retry-after': { description: 'Seconds to wait.', schema: { type: 'string' } } };
const HEADERS: Record<number, Response['headers']> = {
  401: { 'www-authenticate': { description: 'Bearer.', schema: { type: 'string' } } },
  405: { allow: { description: 'The methods that the address supports.', schema: { type: 'string' } } },
  429: RETRY,
  503: RETRY,
};
