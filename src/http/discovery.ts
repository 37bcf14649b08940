import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { serviceId } from '../brand.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { partOf, type Section, sections } from '../fhir/prefetch.ts';
import { neededForSilence } from '../rules/evaluate.ts';
import { factsOfRule, guidelineOf } from '../rules/knowledge.ts';
import { type Hook, hooks } from '../rules/schema.ts';

/** CDS Hooks: Discovery, `services[]`. */
export type Service = {
  hook: Hook;
  id: string;
  title: string;
  description: string;
  version: string;
  hookVersion: string;
  prefetch: Record<string, string>;
  usageRequirements: string;
};

/** The implemented version of CDS Hooks, and of each hook, from its metadata table (conformance DI8, DI9). */
const SPECIFICATION = '2.0.1';
const HOOK_VERSION = '1.0';

export function hookOfService(id: string): Hook | undefined {
  return hooks.find((hook) => serviceId(hook) === id);
}

/** The services of this site: hooks that at least one active rule uses. */
export function discover(knowledge: Knowledge): { services: Service[] } {
  return {
    services: hooks.filter((hook) => rulesOf(knowledge, hook).length > 0).map((hook) => describe(knowledge, hook)),
  };
}

function describe(knowledge: Knowledge, hook: Hook): Service {
  const needed = neededSections(knowledge, hook);
  const inevitable = neededForSilence(knowledge.site);
  const required = needed.filter((section) => inevitable.includes(section));
  const optional = needed.filter((section) => !inevitable.includes(section));
  const { titles, description, usage } = knowledge.cards.shared.services;
  return {
    hook,
    id: serviceId(hook),
    title: titles[hook],
    description,
    version: SPECIFICATION,
    hookVersion: HOOK_VERSION,
    prefetch: Object.fromEntries(needed.map((section) => [section, partOf[section].query])),
    usageRequirements: [
      usage.version,
      usage.needed.replace('{keys}', listed(required)),
      ...(optional.length > 0 ? [usage.sharpening.replace('{keys}', listed(optional))] : []),
      usage.safety,
    ].join(' '),
  };
}

function listed(sections: Section[]): string {
  return sections.map((section) => `"${section}"`).join(', ');
}

function rulesOf(knowledge: Knowledge, hook: Hook) {
  return knowledge.rules.filter((rule) => rule.off === undefined && rule.hooks.includes(hook));
}

/** Asks only for what the rules of this hook need (conformance PT11). */
export function neededSections(knowledge: Knowledge, hook: Hook): Section[] {
  const used = new Set<Section>();
  for (const rule of rulesOf(knowledge, hook)) {
    const { facts } = guidelineOf(knowledge, rule);
    for (const name of factsOfRule(rule)) for (const section of facts.get(name)?.sections ?? []) used.add(section);
  }
  // Shows whether the server knows the patient.
  if (used.size > 0) used.add('patient');
  // The problem list tells pain from dependence; the encounter gives the setting of an order.
  if (used.size > 0) for (const section of ['conditions', 'encounter'] as const) used.add(section);
  // Statements, dispenses and administrations add to the medication list.
  if (used.has('medications'))
    for (const section of ['statements', 'dispenses', 'administrations'] as const) used.add(section);
  return sections.filter((section) => used.has(section));
}

/** `GET /cds-services`: the same bytes for everyone, so that clients may cache them (conformance DI15). */
export function discoveryRoute(app: FastifyInstance, knowledge: Knowledge): void {
  const body = JSON.stringify(discover(knowledge));
  cachedRoute(app, '/cds-services', () => body);
}

/** A route with the same answer for everyone and an ETag for caching. `body` is called once. */
export function cachedRoute(app: FastifyInstance, path: string, body: () => string): void {
  let kept: { text: string; etag: string } | undefined;
  const keep = (text: string) => ({
    text,
    etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
  });
  app.get(path, (request, reply) => {
    kept ??= keep(body());
    const { text, etag } = kept;
    reply.headers({ etag, 'cache-control': 'public, max-age=60' });
    const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (known.includes(etag) || known.includes('*')) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(text);
  });
}
