import { createHash } from 'node:crypto';
import { subjectOf } from '../chart/record.ts';
import { readBundle } from '../fhir/bundle.ts';
import { idOf, isResource, type Resource, string } from '../fhir/json.ts';
import { type InputFile, isWhole } from './input.ts';
import { piecesOf } from './lines.ts';

/** One patient's record as JSON texts, and where it begins. `bytes` is how much of all input was read with it. */
export type PatientText = { file: string; line: number; patient: string; texts: string[]; size: number; bytes: number };

/** What could not be read, where. Says nothing of what it held. */
export type Damage = { file: string; line: number; why: DamageKind };
export type DamageKind =
  | 'no-json'
  | 'no-resource'
  | 'too-long'
  | 'too-large'
  | 'damaged'
  | 'several-patients'
  | 'no-patient';

/** So many resources that are nobody's may stand before a patient. */
const LEADING = 1000;

/** The input cannot be counted as it lies. The message is for whoever started the forecast. */
export class UnusableInput extends Error {}

/** Of one line, and of one patient, in bytes: tens of thousands of resources. */
export const LIMIT = 16 * 1024 * 1024;

/**
 * The patients of the files, each whole, in the order in which they lie. A line is a bundle of one patient, or a resource;
 * resources of one patient follow each other, also over the end of a file. Throws `UnusableInput` where a patient comes
 * back after another one: counted in two halves, the figures would be wrong.
 */
export async function* patientsOf(files: InputFile[], damage: (found: Damage) => void): AsyncGenerator<PatientText> {
  const seen = new Set<number>();
  let open: PatientText | undefined;
  let overfull = false;
  // What belongs to nobody, such as a Medication, and stands before the patient it is for.
  let leading: string[] = [];
  let before = 0;

  const close = (): PatientText[] => {
    const done = open;
    open = undefined;
    if (done && overfull) damage({ file: done.file, line: done.line, why: 'too-large' });
    const whole = done && !overfull ? [done] : [];
    overfull = false;
    return whole;
  };

  for (const file of files) {
    const at = (line: number, why: DamageKind) => damage({ file: file.name, line, why });
    const met = { patients: false, medicines: false };
    const begin = (patient: string, line: number, bytes: number): void => {
      const key = keyOf(patient);
      if (seen.has(key)) throw new UnusableInput(comesBack(file.name, line));
      seen.add(key);
      open = { file: file.name, line, patient, texts: leading, size: 0, bytes };
      leading = [];
    };
    const add = (text: string, bytes: number): void => {
      if (!open) return;
      open.size += text.length;
      open.bytes = bytes;
      if (open.size > LIMIT) {
        overfull = true;
        open.texts = [];
      } else open.texts.push(text);
    };
    try {
      for await (const piece of piecesOf(file.path, LIMIT, isWhole(file))) {
        const bytes = before + piece.bytes;
        if ('tooLong' in piece) {
          at(piece.line, 'too-long');
          continue;
        }
        if (piece.text === '') continue;
        const value = parse(piece.text);
        if (!isResource(value)) {
          at(piece.line, value === undefined ? 'no-json' : 'no-resource');
          continue;
        }
        met.medicines ||= value.resourceType === 'Medication';
        if (value.resourceType === 'Bundle') {
          const patient = patientOfBundle(value);
          if (typeof patient !== 'string') {
            at(piece.line, patient > 1 ? 'several-patients' : 'no-patient');
            continue;
          }
          yield* close();
          begin(patient, piece.line, bytes);
          add(piece.text, bytes);
          yield* close();
          continue;
        }
        const patient = patientOf(value);
        met.patients ||= patient !== undefined;
        if (patient !== undefined && patient !== open?.patient) {
          yield* close();
          begin(patient, piece.line, bytes);
        }
        if (open) add(piece.text, bytes);
        else leading.push(piece.text);
        if (leading.length > LEADING) throw new UnusableInput(standApart(file.name));
      }
      // They would be put beside one patient and lacked by all others.
      if (met.medicines && !met.patients) throw new UnusableInput(standApart(file.name));
    } catch (error) {
      if (error instanceof UnusableInput) throw error;
      at(0, 'damaged');
    }
    before += file.size;
  }
  yield* close();
}

function comesBack(file: string, line: number): string {
  return [
    `${file}:${line}: a patient who was read before comes back, so the resources of a patient do not lie together.`,
    'Counted in parts the figures would be wrong, so nothing was counted. A Bulk Data export has one file for each type:',
    'run again with --regroup, which first sorts a copy by patient.',
  ].join('\n');
}

function standApart(file: string): string {
  return `${file}: medicines stand apart from the patients whose orders point to them: run again with --regroup.`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whose resource it is, by id. Nobody's: a Medication, a Practitioner. */
export function patientOf(resource: Resource): string | undefined {
  return resource.resourceType === 'Patient' ? string(resource['id']) : subjectOf(resource);
}

/** The one patient of a bundle, or how many there are. */
function patientOfBundle(bundle: Resource): string | number {
  const resources = readBundle(bundle).entries.map(({ resource }) => resource);
  const persons = new Set(resources.filter(({ resourceType }) => resourceType === 'Patient').map(patientOf));
  const all = persons.size > 0 ? persons : new Set(resources.map(patientOf));
  const named = [...all].filter((patient) => patient !== undefined);
  return named.length === 1 ? (named[0] as string) : named.length;
}

/** 48 bits tell a hundred thousand patients apart with a chance of one in fifty thousand that two are taken for one. */
function keyOf(patient: string): number {
  return createHash('sha256').update(idOf(patient)).digest().readUIntBE(0, 6);
}
