import type { Knowledge } from '../cards/knowledge.ts';
import { dateOfInstant } from '../dates.ts';
import { ServiceError } from '../errors.ts';
import type { Budgets } from '../fhir/budget.ts';
import { completePrefetch, type Outcome } from '../fhir/complete.ts';
import type { FetchJson } from '../fhir/fetch-json.ts';
import { idOf, isId, type JsonObject, object, string } from '../fhir/json.ts';
import type { Context } from '../fhir/queries.ts';
import { accessOf, type NoAccess } from '../http/access.ts';
import { neededSections } from '../http/discovery.ts';
import { neededForSilence } from '../rules/evaluate.ts';
import { resultWindow } from '../rules/reach.ts';
import { hooks } from '../rules/schema.ts';
import type { Client } from '../trust/clients.ts';

const reasons: Record<NoAccess, string> = {
  'none-named': 'fhirServer: the address of a FHIR server is required',
  'not-listed': 'fhirServer: a sandbox only asks servers on this machine and those in FHIR_SERVERS',
  'no-token': 'fhirAuthorization: a token is required',
  expired: 'fhirAuthorization: the token has expired',
  'other-patient': 'fhirAuthorization: the token is for another patient',
  'foreign-page': 'fhirServer: not allowed for a page of another origin',
};

export type RecordOptions = { knowledge: Knowledge; fetchJson: FetchJson; budgets: Budgets; clock: () => number };

/** What a FHIR server returned for each prefetch key, and the outcome of each query. */
export type FetchedRecord = { prefetch: JsonObject; outcomes: Outcome[] };

/**
 * Fetches a patient from a FHIR server with the service's own prefetch templates, as a record system would before a
 * call. Only servers that this client's calls may name are asked.
 */
export async function fetchRecord(
  body: unknown,
  client: Client,
  { knowledge, fetchJson, budgets, clock }: RecordOptions,
): Promise<FetchedRecord> {
  const wanted = object(body);
  const hook = hooks.find((candidate) => candidate === wanted['hook']);
  const context = contextOf(wanted);
  if (!hook) throw new ServiceError('no-record', [`hook: one of ${hooks.join(', ')}`]);
  const access = accessOf(wanted, context.patientId, client, true);
  if (typeof access === 'string') throw new ServiceError('no-record', [reasons[access]]);
  const sections = neededSections(knowledge, hook);
  // No call is waiting yet, so optional keys may take as long as required ones.
  const limits = { ...knowledge.site.fetch, softMs: knowledge.site.fetch.hardMs };
  const results = resultWindow(knowledge, dateOfInstant(clock(), knowledge.site.timeZone));
  const budget = budgets(client.name);
  try {
    const fetching = { access, limits, fetchJson, budget, results };
    return await completePrefetch({}, sections, neededForSilence(knowledge.site), context, [], fetching);
  } finally {
    budget.end();
  }
}

function contextOf(wanted: JsonObject): Context {
  const patientId = idOf(string(wanted['patientId'])?.trim() ?? '');
  const encounter = string(wanted['encounterId'])?.trim();
  const encounterId = encounter === undefined ? undefined : idOf(encounter);
  if (!isId(patientId)) throw new ServiceError('no-record', ['patientId: the id of a patient is required']);
  if (encounterId !== undefined && !isId(encounterId))
    throw new ServiceError('no-record', ['encounterId: must be a FHIR id']);
  return { patientId, encounterId };
}
