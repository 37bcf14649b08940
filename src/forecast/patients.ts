import { createHash } from 'node:crypto';
import { patientOf as idOfPatient, subjectOf } from '../chart/record.ts';
import { idOf, type Resource, string } from '../fhir/json.ts';
import type { InputFile } from './input.ts';
import { note } from './named.ts';
import { contentsOf } from './resources.ts';
import type { Mine } from './share.ts';
import { type Damages, LIMIT, type Value, valuesOf } from './values.ts';

/** One patient's record as JSON texts, and where it begins. `bytes` is how much of all input was read with it. */
export type PatientText = { file: string; line: number; patient: string; texts: string[]; size: number; bytes: number };

/** Maximum number of resources without a patient before a patient. */
const LEADING = 1000;

/** The input cannot be used. The message is for the user. */
export class UnusableInput extends Error {}

/** The resources of each patient do not lie together, so counting them in this order would give wrong figures. */
export class Apart extends Error {}

/**
 * The patients of the files, each complete, in their order; for a share, only those that are `mine`. A line is a bundle
 * of one patient, or a resource; the resources of one patient follow each other, even across files. Throws `Apart` if a
 * patient appears again after another one, or if medicines are separate from their patients; patients of other shares
 * count too, so that all shares decide alike.
 */
export async function* patientsOf(files: InputFile[], mine: Mine, damages: Damages): AsyncGenerator<PatientText> {
  const seen = new Set<number>();
  let open: PatientText | undefined;
  let overfull = false;
  // Medications before the patient they belong to.
  let leading: string[] = [];
  let met = { file: -1, patients: false, medicines: false };

  const close = (): PatientText[] => {
    const done = open;
    open = undefined;
    const full = overfull;
    overfull = false;
    if (!done || !mine(done.patient)) return [];
    if (full) note(damages.patients, { file: done.file, line: done.line, why: 'too-large' });
    return full ? [] : [done];
  };
  const begin = (patient: string, { file, line, bytes }: Value): void => {
    const key = keyOf(patient);
    if (seen.has(key)) throw new Apart();
    seen.add(key);
    open = { file: (files[file] as InputFile).name, line, patient, texts: leading, size: 0, bytes };
    leading = [];
  };
  const add = (text: string, bytes: number): void => {
    if (!open) return;
    open.bytes = bytes;
    if (!mine(open.patient)) return;
    open.size += text.length;
    if (open.size > LIMIT) {
      overfull = true;
      open.texts = [];
    } else open.texts.push(text);
  };
  const standApart = () => met.medicines && !met.patients;

  for await (const found of valuesOf(files, damages.lines)) {
    const { file, line, bytes, text, value } = found;
    if (file !== met.file) {
      // They would be added to one patient and missing for all others.
      if (standApart()) throw new Apart();
      met = { file, patients: false, medicines: false };
    }
    if (value.resourceType === 'Bundle') {
      const contents = contentsOf(value);
      if (contents.length === 0) continue;
      const patient = patientOfAll(contents);
      if (typeof patient !== 'string') {
        const why = patient > 1 ? 'several-patients' : 'no-patient';
        note(damages.lines, { file: (files[file] as InputFile).name, line, why });
        continue;
      }
      yield* close();
      begin(patient, found);
      add(text, bytes);
      yield* close();
      continue;
    }
    const patient = patientOf(value);
    const medicine = value.resourceType === 'Medication';
    met.medicines ||= medicine;
    met.patients ||= patient !== undefined;
    if (patient !== undefined && patient !== open?.patient) {
      yield* close();
      begin(patient, found);
    }
    if (patient === undefined && !medicine) continue;
    if (open) add(text, bytes);
    else leading.push(text);
    if (leading.length > LEADING) throw new Apart();
  }
  if (standApart()) throw new Apart();
  yield* close();
}

/** The id of a resource's patient. A Medication or a Practitioner has none. */
export function patientOf(resource: Resource): string | undefined {
  if (resource.resourceType === 'Patient') return string(resource['id']);
  const subject = subjectOf(resource);
  return subject === undefined ? undefined : idOfPatient(subject);
}

/** The only patient of a bundle's resources, or the number of patients. */
function patientOfAll(resources: Resource[]): string | number {
  const persons = new Set(resources.filter(({ resourceType }) => resourceType === 'Patient').map(patientOf));
  const all = persons.size > 0 ? persons : new Set(resources.map(patientOf));
  const named = [...all].filter((patient) => patient !== undefined);
  return named.length === 1 ? (named[0] as string) : named.length;
}

/** A 48-bit key. For a hundred thousand patients the chance that two share one is one in fifty thousand. */
function keyOf(patient: string): number {
  return createHash('sha256').update(idOf(patient)).digest().readUIntBE(0, 6);
}
