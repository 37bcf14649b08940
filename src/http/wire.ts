import { z } from 'zod';
import { brand } from '../brand.ts';
import type { Call } from '../chart/read.ts';
import { ServiceError } from '../errors.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, object } from '../fhir/json.ts';
import { prefetchOf } from '../fhir/prefetch.ts';
import { limits } from '../limits.ts';
import { type Hook, hooks } from '../rules/schema.ts';

/**
 * The CDS Hooks request envelope. Unknown fields are ignored at every level (conformance T12). The FHIR inside is not checked
 * here; the chart reads it with care (H10). `null` counts as absent where clients send it so (R8, R9). The schemas only check:
 * with a `transform` zod keeps maps of every object that it has read, which costs more than everything else.
 */
const text = z.string().trim().min(1);

const requestSchema = z.looseObject({
  hook: text.describe('The hook that triggered this call. It must be the hook of the called service.'),
  hookInstance: text.describe('A universally unique identifier (UUID) for this hook call. Each call has its own.'),
  fhirServer: z.string().nullish().describe('Base address of the FHIR server. Required with fhirAuthorization.'),
  fhirAuthorization: z
    .looseObject({})
    .nullish()
    .describe('OAuth 2.0 bearer token for that server: access_token, token_type, expires_in, scope, subject, patient.'),
  context: z.looseObject({}),
  prefetch: z
    .looseObject({})
    .nullish()
    .describe(
      'FHIR data under the keys of the service, found with its templates. null under a key: the search found nothing.',
    ),
  extension: z.looseObject({}).nullish().describe('Extensions. A sandbox reads org.nordic-opioid-cds: now, explain.'),
});

const resourceOrBundle = z
  .looseObject({}, { error: 'must be a FHIR Bundle' })
  .describe('FHIR Bundle of the unsigned orders. R4; R5 is also accepted.');
/** A FHIR id, alone or at the end of a reference (H2). Nothing could be fetched for anything else. */
const ID = /^\s*(?:.*[/:#])?[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]*)?\s*$/;
const patientId = z
  .string()
  .regex(ID, 'must be a FHIR id')
  .describe('The FHIR id of the patient, with or without Patient/.');
const encounterId = z
  .string()
  .regex(new RegExp(`${ID.source}|^\\s*$`), 'must be a FHIR id')
  .nullish()
  .describe('The FHIR id of the encounter.');
const contextSchemas = {
  'patient-view': z.looseObject({ patientId, encounterId }),
  'order-select': z.looseObject({
    patientId,
    encounterId,
    draftOrders: resourceOrBundle,
    selections: z
      .array(z.unknown())
      .meta({ maxItems: limits.drafts })
      .describe('The orders just selected, as MedicationRequest/x. May be empty.'),
  }),
  'order-sign': z.looseObject({ patientId, encounterId, draftOrders: resourceOrBundle }),
} as const satisfies Record<Hook, z.ZodType>;

/** The whole call of each hook, from the schemas that check it, for the API description. */
export const callSchemas = Object.fromEntries(hooks.map((hook) => [hook, callOf(hook)])) as Record<
  Hook,
  ReturnType<typeof callOf>
>;

function callOf(hook: Hook) {
  const { shape } = requestSchema;
  const whole = z.looseObject({ ...shape, hook: z.literal(hook).describe('The hook.'), context: contextSchemas[hook] });
  return whole.meta({
    // The same check as in readRequest.
    if: { required: ['fhirAuthorization'], properties: { fhirAuthorization: { type: 'object' } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
    then: { required: ['fhirServer'], properties: { fhirServer: { type: 'string' } } },
  });
}

export type Request = {
  call: Call;
  hookInstance: string;
  options: {
    explain: boolean;
    now: string | undefined;
    /** Record the cards of order-select, and leave out at order-sign those recorded before (PDDI-CDS, conformance E4). */
    keepForRepeats: boolean;
    leaveOutRepeats: boolean;
  };
};

/** HL7 PDDI-CDS: Extension subsection of the service specification. */
const PDDI = 'pddi-configuration-items';

/**
 * Checks a request for the service of one hook. Throws a `ServiceError` `envelope` that names each missing or ill-typed
 * field, never its contents.
 */
export function readRequest(body: unknown, hook: Hook): Request {
  const request = parse(requestSchema, body, '');
  if (request.hook !== hook) throw new ServiceError('envelope', [`hook: this service answers ${hook}`]);
  if (request.fhirAuthorization && typeof request.fhirServer !== 'string')
    throw new ServiceError('envelope', ['fhirServer: required with fhirAuthorization']);
  const context = parse(contextSchemas[hook], withSelections(request.context), 'context.');
  // A field that only another hook has is unknown here, and may hold anything.
  const { shape } = contextSchemas[hook];
  const selections = 'selections' in shape ? (context['selections'] as unknown[]) : [];
  if (selections.length > limits.drafts)
    throw new ServiceError('envelope', [`context.selections: at most ${limits.drafts}`]);
  const draftOrders = 'draftOrders' in shape ? context['draftOrders'] : undefined;
  if ('draftOrders' in shape && !holdsOrders(draftOrders))
    throw new ServiceError('envelope', ['context.draftOrders: must be a FHIR Bundle of orders']);
  const patientId = idOf(context.patientId.trim());
  const encounterId = context.encounterId?.trim();
  const options = object(request.extension?.[brand.extension]);
  const pddi = object(request.extension?.[PDDI]);
  return {
    call: {
      hook,
      patientId,
      encounterId: encounterId ? idOf(encounterId) : undefined,
      draftOrders,
      selections: selections.filter((item) => typeof item === 'string'),
      prefetch: prefetchOf(request.prefetch, patientId),
    },
    hookInstance: request.hookInstance,
    options: {
      explain: options['explain'] === true,
      now: typeof options['now'] === 'string' ? options['now'] : undefined,
      keepForRepeats: pddi['cache-for-order-sign-filtering'] === true,
      leaveOutRepeats: pddi['filter-out-repeated-alerts'] === true,
    },
  };
}

/** Whether a value is a Bundle or a single order. Anything else must not count as "no drafts" (recommendations.md, 7). */
function holdsOrders(value: unknown): boolean {
  const { entries, failed } = readBundle(value);
  if (failed && entries.length === 0) return false;
  const { resourceType } = object(value);
  return typeof resourceType !== 'string' || resourceType === 'Bundle' || ORDERS.test(resourceType);
}

const ORDERS = /(Request|Order|Prescription|RequestGroup|RequestOrchestration)$/;

/** An early sandbox sends a single selection under a singular name (conformance H4). */
function withSelections(context: Record<string, unknown>): Record<string, unknown> {
  return typeof context['selection'] === 'string' && !('selections' in context)
    ? { ...context, selections: [context['selection']] }
    : context;
}

function parse<T>(schema: z.ZodType<T>, value: unknown, prefix: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ServiceError('envelope', [
    ...new Set(parsed.error.issues.map((issue) => `${prefix}${issue.path.join('.') || 'body'}: ${issue.message}`)),
  ]);
}
