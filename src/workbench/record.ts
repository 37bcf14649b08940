import { ServiceError } from '../errors.ts';
import { completePrefetch, type Outcome } from '../fhir/complete.ts';
import type { FetchJson } from '../fhir/fetch-json.ts';
import { idOf, type JsonObject, object, string } from '../fhir/json.ts';
import { accessOf, type NoAccess } from '../http/access.ts';
import { neededSections } from '../http/discovery.ts';
import { NEEDED_FOR_SILENCE } from '../rules/evaluate.ts';
import type { Knowledge } from '../rules/knowledge.ts';
import { hooks } from '../rules/schema.ts';
import type { Client } from '../trust/clients.ts';

const reasons: Record<NoAccess, string> = {
  'none-named': 'fhirServer: the address of a FHIR server is needed',
  'not-listed': 'fhirServer: a sandbox asks servers of this machine, and those that FHIR_SERVERS names',
  'no-token': 'fhirAuthorization: a token is needed',
  expired: 'fhirAuthorization: the token has expired',
  'other-patient': 'fhirAuthorization: the token is for another patient',
};

/** What a FHIR server has for each prefetch key, and what became of each query. */
export type FetchedRecord = { prefetch: JsonObject; outcomes: Outcome[] };

/**
 * Asks a FHIR server for a patient by the service's own prefetch templates, as a record system would before it calls. Only
 * servers that a call of this client could name are asked.
 */
export async function fetchRecord(
  body: unknown,
  client: Client,
  knowledge: Knowledge,
  fetchJson: FetchJson,
): Promise<FetchedRecord> {
  const wanted = object(body);
  const hook = hooks.find((candidate) => candidate === wanted['hook']);
  const patient = string(wanted['patientId']);
  if (!hook) throw new ServiceError('no-record', [`hook: one of ${hooks.join(', ')}`]);
  if (patient === undefined) throw new ServiceError('no-record', ['patientId: the id of a patient is needed']);
  const patientId = idOf(patient.trim());
  const encounter = string(wanted['encounterId']);
  const access = accessOf(wanted, patientId, client, true);
  if (typeof access === 'string') throw new ServiceError('no-record', [reasons[access]]);
  const sections = neededSections(knowledge, hook);
  // Nobody waits for an answer yet: what only sharpens it may take as long as what it needs.
  const limits = { ...knowledge.site.fetch, softMs: knowledge.site.fetch.hardMs };
  const context = { patientId, encounterId: encounter === undefined ? undefined : idOf(encounter.trim()) };
  return completePrefetch({}, sections, NEEDED_FOR_SILENCE, context, [], { access, limits, fetchJson });
}
