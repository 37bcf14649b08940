import { z } from 'zod';
import { type ErrorCode, errors } from '../errors.ts';
import { hooks, indicators } from '../rules/schema.ts';

/** The answers of the service, for the API description; tests check real answers against it. */
const coding = z.object({ code: z.string(), system: z.string(), display: z.string() });
const resource = z.looseObject({ resourceType: z.string() });

const action = z
  .union([
    z.object({
      type: z.literal('delete'),
      description: z.string(),
      resourceId: z.string(),
      resource: z.string().optional().describe('The same, for clients of CDS Hooks 1.0.'),
    }),
    z.object({ type: z.enum(['create', 'update']), description: z.string(), resource }),
  ])
  .describe('delete names a draft of the call; create and update contain the whole resource.');

const suggestion = z.object({
  label: z.string().describe('The text of a button.'),
  uuid: z.uuid().describe('For feedback.'),
  isRecommended: z.boolean().optional(),
  actions: z.array(action),
});

const card = z.object({
  uuid: z.uuid().describe('For feedback. The same for the same hookInstance, patient, rule and medicines.'),
  summary: z.string().max(139).describe('What to do, in plain text.'),
  detail: z.string().optional().describe('Why, in GitHub-flavoured Markdown.'),
  indicator: z.enum(indicators),
  source: z.object({
    label: z.string().describe('Publisher and title of the document.'),
    url: z.url().optional(),
    topic: coding.partial({ display: true }).describe('The rule. Its code does not change.'),
  }),
  suggestions: z.array(suggestion).optional(),
  selectionBehavior: z.enum(['any', 'at-most-one']).optional(),
  overrideReasons: z.array(coding).optional().describe('Override reasons, for feedback.'),
  links: z
    .array(z.object({ label: z.string(), url: z.url(), type: z.literal('absolute') }))
    .optional()
    .describe('The page about this advice. It contains no patient data.'),
});

const cards = z.object({
  cards: z
    .array(card)
    .describe('The most urgent first. Empty: all the data needed were there, and there is nothing to say.'),
  extension: z.looseObject({}).optional().describe('The trace, if requested and allowed.'),
});

const services = z.object({
  services: z.array(
    z.object({
      hook: z.enum(hooks),
      id: z.string(),
      title: z.string(),
      description: z.string(),
      version: z.string(),
      hookVersion: z.string(),
      prefetch: z.record(z.string(), z.string()),
      usageRequirements: z.string(),
    }),
  ),
});

const results = z.object({
  results: z
    .array(
      z.union([
        z.object({
          status: z.enum(['stored', 'repeated']),
          unknownCard: z.literal(true).optional().describe('Stored, but you were given no card with this id.'),
          commentCut: z.literal(true).optional(),
        }),
        z.object({ status: z.literal('rejected'), problems: z.array(z.string()) }),
      ]),
    )
    .describe('One per item, in order.'),
});

/** FHIR names the extensions of its resources by URL. */
const fhirExtension = z.looseObject({ url: z.string() });
const issueCodes = [...new Set((Object.keys(errors) as ErrorCode[]).map((code) => errors[code].issue))];
const outcome = z.object({
  resourceType: z.literal('OperationOutcome'),
  extension: z.array(fhirExtension).optional().describe('With 412: the trace, if requested and allowed.'),
  issue: z.array(
    z.object({
      severity: z.literal('error'),
      code: z.enum(issueCodes),
      details: z.object({ text: z.string() }),
      diagnostics: z.string().optional().describe('Names of fields, keys and versions, never their contents.'),
    }),
  ),
});

const health = z.object({
  status: z.literal('ok'),
  mode: z.enum(['sandbox', 'production']),
  authentication: z.string(),
  knowledge: z.string().describe('SHA-256 over rules, lists and words.'),
});

const ready = z.object({
  ready: z.boolean(),
  knowledge: z.string(),
  clients: z.int(),
  journal: z.enum(['none', 'starting', 'up', 'down']),
});

/** By their names in the description. */
export const answers = {
  Cards: cards,
  Card: card,
  Suggestion: suggestion,
  Services: services,
  FeedbackResults: results,
  OperationOutcome: outcome,
  Health: health,
  Ready: ready,
};
