import { assess } from '../answer.ts';
import type { Chart, Draft, Drug, Treatment } from '../chart/chart.ts';
import { isOpen, type Span } from '../chart/periods.ts';
import { dateOf, type LocalDate, plusDays } from '../dates.ts';
import { readRequest } from '../http/wire.ts';
import type { Knowledge } from '../rules/knowledge.ts';
import { knowledge as delivered } from './app.ts';
import { bundle, type Json, medicine, request } from './request.ts';

/** The day on which the invented patients of the tests live. */
export const TODAY: LocalDate = '2026-03-02';

/** So many days before (below 0) or after today. */
export const at = (days: number): LocalDate => plusDays(TODAY, days);

const KEYS: Record<string, string> = {
  MedicationRequest: 'medications',
  MedicationStatement: 'statements',
  MedicationDispense: 'dispenses',
  MedicationAdministration: 'administrations',
  Condition: 'conditions',
  Observation: 'observations',
  Procedure: 'procedures',
  CarePlan: 'carePlans',
  ServiceRequest: 'referrals',
  Appointment: 'appointments',
  FamilyMemberHistory: 'familyHistory',
};

type Options = { hook?: string; drafts?: Json[]; today?: LocalDate; knowledge?: Knowledge; prefetch?: Json };

/** A call about a patient whose record holds these resources, each under the key of its type. */
export function callOf(record: Json[], { hook, drafts = [], prefetch = {} }: Options = {}): Json {
  const byKey: Record<string, Json[]> = {};
  for (const resource of record) {
    const key = KEYS[resource['resourceType'] as string] as string;
    byKey[key] = [...(byKey[key] ?? []), resource];
  }
  const sections = Object.entries(byKey).map(([key, resources]) => [key, bundle(resources, 'searchset')]);
  return request(hook ?? (drafts.length > 0 ? 'order-sign' : 'patient-view'), {
    drafts,
    prefetch: { ...Object.fromEntries(sections), ...prefetch },
  });
}

/** The chart of a patient whose record holds these resources. */
export function chartOf(record: Json[], options: Options = {}): Chart {
  const { today = TODAY, knowledge = delivered } = options;
  const body = callOf(record, options);
  const { call, hookInstance } = readRequest(body, body['hook'] as never);
  return assess({ call, hookInstance, language: 'en', today }, knowledge).chart;
}

/** The one treatment of a record that holds these resources, if there is one. */
export function treatmentOf(record: Json[], options: Options = {}): Treatment | undefined {
  const { treatments } = chartOf(record, options);
  if (treatments.length > 1) throw new Error(`${treatments.length} treatments in place of one`);
  return treatments[0];
}

/** The one draft of a call. */
export function draftIn(draft: Json, record: Json[] = [], options: Options = {}): Draft | undefined {
  return chartOf(record, { ...options, drafts: [draft] }).drafts[0];
}

/** Periods as a reader writes them: `taken 2026-02-01..2026-03-05, presumed 2026-03-06..`. */
export function periodsIn(spans: readonly Span[]): string {
  return spans
    .map(({ start, end, degree }) => `${degree} ${dateOf(start)}..${isOpen(end) ? '' : dateOf(end)}`)
    .join(', ');
}

export function periodsOf(drug: Drug | undefined): string | undefined {
  return drug && periodsIn(drug.timeline.spans);
}

/** A medicine by its name in test-bundles/medicines.json, by its ATC code, or by a text. */
export function concept(written: string | Json): Json {
  if (typeof written !== 'string') return written;
  if (/^[A-Z]\d{2}[A-Z]{2}\d{2}$/.test(written))
    return { coding: [{ system: 'http://www.whocc.no/atc', code: written }] };
  return /^[a-z]+$/.test(written) && isKnown(written) ? medicine(written) : { text: written };
}

function isKnown(name: string): boolean {
  try {
    medicine(name);
    return true;
  } catch {
    return false;
  }
}

const entry =
  (resourceType: string, base: Json) =>
  (written: string | Json, more: Json = {}): Json => ({
    resourceType,
    id: `${resourceType}-1`,
    medicationCodeableConcept: concept(written),
    subject: { reference: 'Patient/kari' },
    ...base,
    ...more,
  });

/** An order of the record, active and without a date. */
export const orderOf = entry('MedicationRequest', { status: 'active', intent: 'order' });
/** A draft of the call, without a date. */
export const draftOf = entry('MedicationRequest', { id: 'draft-1', status: 'draft', intent: 'order' });
export const statementOf = entry('MedicationStatement', { status: 'active' });
export const dispenseOf = entry('MedicationDispense', { status: 'completed' });
export const administrationOf = entry('MedicationAdministration', { status: 'completed' });

/** A dosage line with this `timing.repeat`. */
export const line = (repeat: Json, more: Json = {}): Json => ({ timing: { repeat }, ...more });
/** So many pieces each time. */
export const pieces = (value: number): Json => ({ doseAndRate: [{ doseQuantity: { value, unit: 'tablett' } }] });
export const times = (frequency: number): Json => ({ frequency, period: 1, periodUnit: 'd' });
export const until = (end: string, start?: string): Json => ({
  boundsPeriod: { ...(start !== undefined && { start }), end },
});
