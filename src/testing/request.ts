import { sections } from '../fhir/prefetch.ts';
import { type Drug, examples, type Json, medicines } from './examples.ts';

export type { Json };

const ATC = 'http://www.whocc.no/atc';

/** A CodeableConcept of a medicine. */
export function medicine(drug: Drug): Json {
  const known = medicines[drug];
  if (!known) throw new Error(`test-bundles/medicines.json has no ${drug}`);
  const [code, display] = known;
  return { coding: [{ system: ATC, code, display }], text: display };
}

/** A draft order of the invented patient `kari`. */
export function order(id: string, drug: Drug, more: Json = {}): Json {
  return {
    resourceType: 'MedicationRequest',
    id,
    status: 'draft',
    intent: 'order',
    medicationCodeableConcept: medicine(drug),
    subject: { reference: 'Patient/kari' },
    authoredOn: '2026-03-02',
    ...more,
  };
}

/** An active prescription on record. */
export function prescription(id: string, drug: Drug, more: Json = {}): Json {
  return order(id, drug, { status: 'active', authoredOn: '2026-02-02', ...more });
}

/** A dosage line with an end date. */
export function dosageUntil(end: string, start?: string): Json {
  return { timing: { repeat: { boundsPeriod: { ...(start !== undefined && { start }), end } } } };
}

export function condition(id: string, code: string, more: Json = {}): Json {
  return {
    resourceType: 'Condition',
    id,
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] },
    subject: { reference: 'Patient/kari' },
    ...more,
  };
}

export function encounter(code: string): Json {
  return {
    resourceType: 'Encounter',
    id: 'visit',
    status: 'in-progress',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
    subject: { reference: 'Patient/kari' },
  };
}

export function bundle(resources: Json[], type = 'collection'): Json {
  return { resourceType: 'Bundle', type, entry: resources.map((resource) => ({ resource })) };
}

/** Parts of the record known to be empty, so that nothing is missing. */
const others = sections.filter((key) => !['patient', 'medications', 'conditions', 'encounter'].includes(key));

type Parts = {
  drafts?: Json[];
  selections?: unknown[];
  /** The medication list of the record. */
  record?: Json[];
  conditions?: Json[];
  /** Replaces single keys of the prefetch; undefined removes one. */
  prefetch?: Json;
  /** Replaces single fields of the context; undefined removes one. */
  context?: Json;
};

/** A complete CDS Hooks call about the invented patient `kari`, an outpatient of 45. */
export function request(hook: string, parts: Parts = {}): Json & { context: Json; prefetch: Json } {
  const { drafts = [], record = [], conditions = [] } = parts;
  const orders = hook === 'patient-view' ? {} : { draftOrders: bundle(drafts) };
  const selections = parts.selections ?? drafts.map(({ id }) => `MedicationRequest/${id}`);
  return {
    hook,
    hookInstance: '9a7b2c1e-0d5f-4a3b-8c6d-1e2f3a4b5c6d',
    context: {
      userId: 'Practitioner/nils',
      patientId: 'kari',
      encounterId: 'visit',
      ...orders,
      ...(hook === 'order-select' && { selections }),
      ...parts.context,
    },
    prefetch: {
      patient: { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' },
      medications: bundle(record, 'searchset'),
      conditions: bundle(conditions, 'searchset'),
      encounter: encounter('AMB'),
      ...Object.fromEntries(others.map((key) => [key, bundle([], 'searchset')])),
      ...parts.prefetch,
    },
  };
}

/** The usual case of the tests: an agonist is taken, a gabapentinoid is ordered. One card, `laro-sedative-ordered`. */
export function pair(hook = 'order-sign', parts: Parts = {}) {
  return request(hook, {
    drafts: [order(`${examples.gabapentinoid}-1`, examples.gabapentinoid)],
    record: [prescription(`${examples.agonist}-1`, examples.agonist)],
    ...parts,
  });
}
