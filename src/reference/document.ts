/** The parts of OpenAPI 3.1 used by the description and its page. */
export type Document = {
  openapi: '3.1.1';
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } };
  servers: { url: string; description: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Partial<Record<Method, Operation>>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Response>;
    examples: Record<string, Example>;
    securitySchemes: Record<string, Schema>;
  };
};

export type Method = 'get' | 'post';
export type Reference = { $ref: string };
export type Example = { summary: string; description?: string; value: unknown };

export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: Record<string, string[]>[];
  parameters?: {
    name: string;
    in: 'header' | 'path' | 'query';
    required: boolean;
    description: string;
    schema: Schema;
  }[];
  requestBody?: { required: true; content: Record<string, Media> };
  responses: Record<string, Response>;
};

export type Media = { schema: Schema; examples?: Record<string, Reference | Example> };
export type Response = {
  description: string;
  headers?: Record<string, { description: string; schema: Schema }>;
  content?: Record<string, Media>;
};

/** JSON Schema 2020-12, as far as it is used here. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  maxLength?: number;
  [keyword: string]: unknown;
};

/** Resolves a reference into the components. */
export function resolve<T>(document: Document, value: T | Reference): T {
  if (typeof value !== 'object' || value === null || !('$ref' in value) || typeof value.$ref !== 'string')
    return value as T;
  const [, , kind, name] = value.$ref.split('/') as [string, string, keyof Document['components'], string];
  return document.components[kind][name] as T;
}
