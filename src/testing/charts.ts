import fc from 'fast-check';
import { assess } from '../answer.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Chart, Draft, Drug, Treatment } from '../chart/chart.ts';
import { isOpen, type Span } from '../chart/periods.ts';
import { dateOf, type LocalDate, plusDays } from '../dates.ts';
import { partOf, sections } from '../fhir/prefetch.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge as delivered } from './app.ts';
import { vocabulary } from './examples.ts';
import { bundle, condition, type Json, medicine, request } from './request.ts';

/** The day on which the tests' invented patients are seen. */
export const TODAY: LocalDate = '2026-03-02';

/** The day this many days after today; before it if negative. */
export const at = (days: number): LocalDate => plusDays(TODAY, days);

type Options = {
  hook?: string;
  drafts?: Json[];
  today?: LocalDate;
  knowledge?: Knowledge;
  prefetch?: Json;
  /** Replaces single fields of the call's context. */
  context?: Json;
};

/** A call about a patient whose record has these resources, each under the key of its type. */
export function callOf(record: Json[], { hook, drafts = [], prefetch = {}, context = {} }: Options = {}): Json {
  const byKey: Record<string, Json[]> = {};
  for (const resource of record) {
    const key = sections.find((section) => partOf[section].type === resource['resourceType']) as string;
    byKey[key] ??= [];
    byKey[key].push(resource);
  }
  const lists = Object.entries(byKey).map(([key, resources]) => [key, bundle(resources, 'searchset')]);
  return request(hook ?? (drafts.length > 0 ? 'order-sign' : 'patient-view'), {
    drafts,
    prefetch: { ...Object.fromEntries(lists), ...prefetch },
    context,
  });
}

/** The chart of a patient whose record has these resources. */
export function chartOf(record: Json[], options: Options = {}): Chart {
  const { today = TODAY, knowledge = delivered } = options;
  const body = callOf(record, options);
  const { call, hookInstance } = readRequest(body, body['hook'] as never);
  return assess({ call, hookInstance, language: 'en', today }, knowledge).chart;
}

/** The only treatment of a record with these resources, if there is one. */
export function treatmentOf(record: Json[], options: Options = {}): Treatment | undefined {
  const { treatments } = chartOf(record, options);
  if (treatments.length > 1) throw new Error(`${treatments.length} treatments in place of one`);
  return treatments[0];
}

/** The only draft of a call. */
export function draftIn(draft: Json, record: Json[] = [], options: Options = {}): Draft | undefined {
  return chartOf(record, { ...options, drafts: [draft] }).drafts[0];
}

/** Periods in readable form: `taken 2026-02-01..2026-03-05, presumed 2026-03-06..`. */
function periodsIn(spans: readonly Span[]): string {
  return spans
    .map(({ start, end, degree }) => `${degree} ${dateOf(start)}..${isOpen(end) ? '' : dateOf(end)}`)
    .join(', ');
}

export function periodsOf(drug: Drug | undefined): string | undefined {
  return drug && periodsIn(drug.timeline.spans);
}

/** A medicine by its name in test-bundles/medicines.json, by its ATC code, or as text. */
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
/** A dose of so many pieces. */
export const pieces = (value: number): Json => ({ doseAndRate: [{ doseQuantity: { value, unit: 'tablett' } }] });
export const times = (frequency: number): Json => ({ frequency, period: 1, periodUnit: 'd' });
export const until = (end: string, start?: string): Json => ({
  boundsPeriod: { ...(start !== undefined && { start }), end },
});

/** Days near the boundaries of the rules, and any day of recent months. */
const day: fc.Arbitrary<LocalDate> = fc
  .oneof(
    fc.integer({ min: -60, max: 10 }),
    fc.constantFrom(-800, -400, -365, -181, -121, -120, -91, -90, -30, -29, -28, -15, -14, -11, -10, -3, -1, 0, 1, 30),
  )
  .map(at);
const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const some = <T>(values: readonly T[]) => fc.constantFrom(...values);
const conceptOf = ([code, text]: [string, string]): Json => ({
  coding: [{ system: 'http://www.whocc.no/atc', code }],
  text,
});

const repeat: fc.Arbitrary<Json> = fc.oneof(
  fc.constant({}),
  day.map((end) => until(end)),
  fc.integer({ min: 1, max: 60 }).map((value) => ({ boundsDuration: { value, code: 'd' } })),
  fc.integer({ min: 1, max: 60 }).map((count) => ({ ...times(1), count })),
  fc.integer({ min: 1, max: 4 }).map(times),
);
const dosageLine: fc.Arbitrary<Json> = fc
  .record({
    repeat,
    dose: fc.integer({ min: 1, max: 2 }),
    asNeeded: fc.boolean(),
    text: some(['', ...vocabulary.dosageTexts]),
  })
  .map(({ repeat: own, dose, asNeeded, text }) =>
    line(own, { ...pieces(dose), ...(asNeeded && { asNeededBoolean: true }), ...(text !== '' && { text }) }),
  );
const dosage = fc.array(dosageLine, { maxLength: 2 });
const reason = perhaps(some(vocabulary.reasons));
const reasonCode = (code: string | undefined): Json =>
  code === undefined ? {} : { reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code }] }] };
const dispenseRequest = perhaps(
  fc.record({ quantity: fc.integer({ min: 1, max: 120 }), days: perhaps(fc.integer({ min: 1, max: 60 })) }),
);
const requestOf = (supply: { quantity: number; days: number | undefined } | undefined): Json =>
  supply === undefined
    ? {}
    : {
        dispenseRequest: {
          quantity: { value: supply.quantity, unit: 'tablett' },
          ...(supply.days !== undefined && { expectedSupplyDuration: { value: supply.days, code: 'd' } }),
        },
      };
const medicineText = some(vocabulary.medicines).map(conceptOf);
const undated = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 8 });

const anyOrder = fc
  .record({
    medication: medicineText,
    status: some(['active', 'active', 'active', 'on-hold', 'completed', 'stopped', 'unknown', 'cancelled']),
    authoredOn: undated(day),
    dosageInstruction: dosage,
    reason,
    supply: dispenseRequest,
    lastUpdated: perhaps(day),
  })
  .map(({ medication, status, authoredOn, dosageInstruction, reason: code, supply, lastUpdated }) =>
    orderOf(medication, {
      status,
      authoredOn,
      ...(dosageInstruction.length > 0 && { dosageInstruction }),
      ...reasonCode(code),
      ...requestOf(supply),
      ...(lastUpdated !== undefined && { meta: { lastUpdated } }),
    }),
  );
const anyStatement = fc
  .record({
    medication: medicineText,
    status: some(['active', 'completed', 'intended', 'stopped']),
    effectiveDateTime: undated(day),
  })
  .map(({ medication, ...more }) => statementOf(medication, more));
const anyDispense = fc
  .record({
    medication: medicineText,
    whenHandedOver: undated(day),
    daysSupply: perhaps(fc.integer({ min: 1, max: 40 })),
  })
  .map(({ medication, whenHandedOver, daysSupply }) =>
    dispenseOf(medication, {
      whenHandedOver,
      ...(daysSupply !== undefined && { daysSupply: { value: daysSupply, code: 'd' } }),
    }),
  );
const anyAdministration = fc
  .record({ medication: medicineText, effectiveDateTime: day })
  .map(({ medication, effectiveDateTime }) => administrationOf(medication, { effectiveDateTime }));
const anyProblem = fc
  .record({
    code: some(vocabulary.problems),
    onset: undated(
      fc.oneof(
        day,
        day.map((date) => date.slice(0, 7)),
      ),
    ),
  })
  .map(({ code, onset }) => condition('problem', code, onset === undefined ? {} : { onsetDateTime: onset }));
const anyResult = fc
  .record({
    test: some(vocabulary.tests),
    date: day,
    value: some<Json>([
      { valueString: 'POS' },
      { valueString: 'NEG' },
      { valueQuantity: { value: 250, unit: 'ug/L' } },
      { valueInteger: 25 },
    ]),
  })
  .map(({ test: [system, code], date, value }) => ({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system, code }] },
    subject: { reference: 'Patient/kari' },
    effectiveDateTime: date,
    ...value,
  }));
const anyProcedure = fc
  .record({ code: some(vocabulary.procedures), status: some(['completed', 'in-progress']), date: day })
  .map(({ code, status, date }) => ({
    resourceType: 'Procedure',
    status,
    code: { coding: [{ system: 'http://snomed.info/sct', code }] },
    subject: { reference: 'Patient/kari' },
    performedDateTime: date,
  }));

const numbered = (resources: Json[]): Json[] =>
  resources.map((resource, number) => ({ ...resource, id: `g${number}` }));

/** A record of up to ten entries, mostly medicines. */
export const anyRecord: fc.Arbitrary<Json[]> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: anyOrder },
      { weight: 1, arbitrary: anyStatement },
      { weight: 2, arbitrary: anyDispense },
      { weight: 1, arbitrary: anyAdministration },
      { weight: 2, arbitrary: anyProblem },
      { weight: 2, arbitrary: anyResult },
      { weight: 1, arbitrary: anyProcedure },
    ),
    { maxLength: 10 },
  )
  .map(numbered);

/** One or two orders to check. */
export const anyDrafts: fc.Arbitrary<Json[]> = fc
  .array(anyOrder, { minLength: 1, maxLength: 2 })
  .map((orders) => orders.map((order, number) => ({ ...order, id: `draft-${number}`, status: 'draft' })));

/** A call of any hook about a generated patient. */
export const anyCall: fc.Arbitrary<{ record: Json[]; drafts: Json[]; hook: string }> = fc.oneof(
  fc.record({ record: anyRecord, drafts: fc.constant<Json[]>([]), hook: fc.constant('patient-view') }),
  fc.record({ record: anyRecord, drafts: anyDrafts, hook: fc.constantFrom('order-sign', 'order-select') }),
);
