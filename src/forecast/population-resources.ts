import { type LocalDate, plusDays } from '../dates.ts';
import type { Json, Resource } from '../fhir/json.ts';
import type { Course, Population } from './population-schema.ts';
import type { Random } from './random.ts';

/** Marks every resource as that of an invented patient. */
export const SYNTHETIC = {
  security: [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST', display: 'test health data' },
  ],
  tag: [{ system: 'urn:nordic-opioid-cds:tag', code: 'synthetic', display: 'Synthetic: no such person exists' }],
};

/** What has been written about a patient so far, and the means to write more. */
export type Pen = {
  population: Population;
  random: Random;
  patient: string;
  /** Completed years at the start of the period. */
  age: number;
  written: { at: string; resource: Resource }[];
  counts: Map<string, number>;
  conditions: Map<string, string>;
};

/** Writes an encounter of that day and returns its id. */
export function visit(pen: Pen, day: LocalDate, settings: Course['settings']): string {
  const { random } = pen;
  const setting = random.pick(settings ?? pen.population.settings);
  const stay = setting === 'IMP' ? random.between(1, 9) : 0;
  const hour = random.between(8, 15);
  return write(pen, 'Encounter', timeOf(day, hour, 0), {
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: setting },
    subject: subject(pen),
    period: { start: timeOf(day, hour, 0), end: timeOf(plusDays(day, stay), hour + 1, 0) },
  });
}

export type Order = {
  key: string;
  day: LocalDate;
  encounter: string;
  before: string | undefined;
  condition: string | undefined;
  halved: boolean;
  stopped: boolean;
};

/** Writes a prescription in its state at the end of the period, and returns its id. */
export function writeOrder(pen: Pen, course: Course, order: Order): string {
  const { random, population } = pen;
  const medicine = population.medicines[order.key] as Population['medicines'][string];
  const days = random.between(...course.days);
  const [units, times] = medicine.dose;
  const dose = order.halved ? units / 2 : units;
  const coding = medicine.atc
    ? [{ system: 'http://www.whocc.no/atc', code: medicine.atc, display: medicine.name }]
    : medicine.local
      ? [{ system: 'urn:example:house-products', code: medicine.local, display: medicine.name }]
      : [];
  const named = coding.length === 0 || (medicine.atc !== undefined && random.chance(population.withoutCode));
  const last = plusDays(order.day, days - 1);
  const bounds: Json = random.chance(course.end) ? { boundsPeriod: { start: order.day, end: last } } : {};
  const repeat = {
    ...bounds,
    frequency: Math.max(1, Math.round(times)),
    period: times < 1 ? Math.round(1 / times) : 1,
    periodUnit: 'd',
  };
  const counted = random.chance(course.quantity);
  const quantity = { value: Math.ceil(days * dose * times), unit: medicine.unit };
  const ended = order.stopped ? 'stopped' : last < population.period.end ? 'completed' : 'active';
  const written = timeOf(order.day, 15, random.between(30, 59));
  return write(pen, 'MedicationRequest', written, {
    // A prescription without a readable end is often left active.
    status: ended === 'completed' && !counted && !('boundsPeriod' in bounds) && random.chance(0.5) ? 'active' : ended,
    intent: 'order',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'community' }] },
    ],
    medicationCodeableConcept: named ? { text: medicine.name } : { coding, text: medicine.name },
    subject: subject(pen),
    encounter: { reference: `Encounter/${order.encounter}` },
    authoredOn: written,
    requester: { reference: `Practitioner/synthetic-${random.between(1, 40)}` },
    ...(order.condition !== undefined &&
      random.chance(course.reason) && {
        reasonReference: [{ reference: `Condition/${order.condition}` }],
      }),
    ...(order.before !== undefined && { priorPrescription: { reference: `MedicationRequest/${order.before}` } }),
    dosageInstruction: [
      {
        text: `${dose} ${medicine.unit} x ${times}`,
        timing: { repeat },
        doseAndRate: [{ doseQuantity: { value: dose, unit: medicine.unit } }],
      },
    ],
    ...(counted && { dispenseRequest: { quantity } }),
  });
}

/** Writes a problem, once. */
export function writeCondition(pen: Pen, key: string, day: LocalDate): string {
  const known = pen.conditions.get(key);
  if (known !== undefined) return known;
  const { icd10, snomed, name } = pen.population.conditions[key] as Population['conditions'][string];
  const onset = plusDays(day, -pen.random.between(0, 400));
  const id = write(pen, 'Condition', day, {
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: { coding: codings({ icd10, snomed }), text: name },
    subject: subject(pen),
    onsetDateTime: onset,
    recordedDate: day,
  });
  pen.conditions.set(key, id);
  return id;
}

export function writeResult(pen: Pen, key: string, day: LocalDate, positive: boolean): void {
  const { loinc, npu, name, unit, normal, raised, upper } = pen.population.results[
    key
  ] as Population['results'][string];
  const [least, most] = (positive ? raised : normal) ?? [0, 0];
  const value =
    unit === undefined
      ? { valueCodeableConcept: { text: positive ? 'positive' : 'negative' } }
      : {
          valueQuantity: { value: Math.round((least + pen.random.next() * (most - least)) * 100) / 100, unit },
          referenceRange: [{ high: { value: upper ?? most, unit } }],
        };
  write(pen, 'Observation', timeOf(day, 9, 0), {
    status: 'final',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
    ],
    code: { coding: codings({ loinc, npu }), text: name },
    subject: subject(pen),
    effectiveDateTime: timeOf(day, 9, 0),
    issued: timeOf(plusDays(day, 1), 12, 0),
    ...value,
  });
}

export function writeProcedure(pen: Pen, key: string, day: LocalDate): void {
  const { icd10, snomed, name } = pen.population.procedures[key] as Population['procedures'][string];
  write(pen, 'Procedure', day, {
    status: 'completed',
    code: { coding: codings({ icd10, snomed }), text: name },
    subject: subject(pen),
    performedDateTime: day,
  });
}

export function writeAppointment(pen: Pen, booked: LocalDate, day: LocalDate): void {
  write(pen, 'Appointment', timeOf(booked, 15, 0), {
    status: 'booked',
    created: booked,
    start: timeOf(day, 10, 0),
    end: timeOf(day, 10, 30),
    participant: [{ actor: subject(pen), status: 'accepted' }],
  });
}

const SYSTEMS: Record<string, string> = {
  icd10: 'http://hl7.org/fhir/sid/icd-10',
  snomed: 'http://snomed.info/sct',
  loinc: 'http://loinc.org',
  npu: 'http://npu-terminology.org',
};

function codings(codes: Record<string, string | undefined>): Json[] {
  return Object.entries(codes).flatMap(([system, code]) =>
    code === undefined ? [] : [{ system: SYSTEMS[system] as string, code }],
  );
}

function subject({ patient }: Pen): { reference: string } {
  return { reference: `Patient/${patient}` };
}

/** A time in UTC within local working hours. */
function timeOf(day: LocalDate, hour: number, minute: number): string {
  return `${day}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`;
}

function write(pen: Pen, resourceType: string, at: string, content: Omit<Resource, 'resourceType'>): string {
  const number = (pen.counts.get(resourceType) ?? 0) + 1;
  pen.counts.set(resourceType, number);
  const id = `${pen.patient}-${resourceType.toLowerCase()}-${number}`;
  pen.written.push({ at, resource: { resourceType, id, meta: SYNTHETIC, ...content } });
  return id;
}
