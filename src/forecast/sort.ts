import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { medicationPointer, type Resource, reference, string } from '../fhir/json.ts';
import type { InputFile } from './input.ts';
import { piecesOf } from './lines.ts';
import { addNamed, type Named, noneNamed, note } from './named.ts';
import { type PatientText, patientOf } from './patients.ts';
import { contentsOf } from './resources.ts';
import { mineOf, partOf, type Share } from './share.ts';
import { type Damage, type Damages, LIMIT, valuesOf } from './values.ts';

/** Target size of a part in bytes: its patients are assembled in memory. */
const PART = 16 * 1024 * 1024;
const PARTS = 4096;
/** Bytes held in memory before they are written to the parts. */
const WAITING = 16 * 1024 * 1024;
/** Maximum bytes of medicines without a patient, kept to be added to the orders that reference them. */
const SHARED = 64 * 1024 * 1024;

export type SortOptions = {
  files: InputFile[];
  /** For the copy, which is made unless a complete one with this key exists. */
  folder: string;
  key: string;
  share: Share;
  damages: Damages;
  /** Bytes of input read so far. */
  progress: (bytes: number) => void;
};

/** The patient of a line, its file number and line, and the medicine that it references. */
type Label = [patient: string, file: number, line: number, medicine?: string];
type Copy = { key: string; parts: number; damage: Named<Damage> };

/**
 * The patients of files whose resources do not lie together, such as a Bulk Data export with one file per type. The
 * share's patients are copied into parts by their id, and each part is assembled in memory, so that memory stays
 * constant and the disk holds the share once. Medicines without a patient are added to the orders that reference them.
 * What cannot be read is noted in `damages` and left out.
 */
export async function* sortedPatients(options: SortOptions): AsyncGenerator<PatientText> {
  const { files, folder, damages } = options;
  const copy = keptCopy(options) ?? (await makeCopy(options));
  addNamed(damages.lines, copy.damage);
  const medicines = readMedicines(folder);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  for (let part = 0; part < copy.parts; part++) {
    const path = join(folder, nameOf(part));
    if (!existsSync(path)) continue;
    const patients = await readPart(path);
    for (const [number, { label, size: held, texts, pointed }] of patients.entries()) {
      const bytes = (size * (part + (number + 1) / patients.length)) / copy.parts;
      const [patient, at, line] = label;
      const file = (files[at] as InputFile).name;
      if (held > LIMIT) note(damages.patients, { file, line, why: 'too-large' });
      else {
        const beside = [...pointed].flatMap((ref) => medicines.get(ref) ?? []);
        yield { file, line, patient, texts: [...texts, ...beside], size: held, bytes };
      }
    }
  }
}

function nameOf(part: number): string {
  return `part-${String(part).padStart(4, '0')}`;
}

function keptCopy({ folder, key }: SortOptions): Copy | undefined {
  try {
    const copy = JSON.parse(readFileSync(join(folder, 'complete'), 'utf8')) as Copy;
    return copy.key === key ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** Copies every line of the share to the part of its patient. */
async function makeCopy({ files, folder, key, share, progress }: SortOptions): Promise<Copy> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const size = files.reduce((sum, file) => sum + file.size * (file.name.endsWith('.gz') ? 10 : 1), 0);
  const parts = Math.min(PARTS, Math.max(1, Math.ceil(size / share.count / PART)));
  const damage: Named<Damage> = noneNamed();
  const mine = mineOf(share);
  const waiting = new Map<string, string[]>();
  let held = 0;
  let shared = 0;
  const flush = () => {
    for (const [name, lines] of waiting) appendFileSync(join(folder, name), lines.join(''), { mode: 0o600 });
    waiting.clear();
    held = 0;
  };
  const put = (name: string, line: string) => {
    const lines = waiting.get(name) ?? [];
    waiting.set(name, lines);
    lines.push(line);
    held += line.length;
    if (held > WAITING) flush();
  };
  for await (const { file, line, bytes, text, value } of valuesOf(files, damage)) {
    progress(bytes);
    const bundle = value.resourceType === 'Bundle';
    // A file with one value may spread it over many lines; other lines are copied as they are.
    const textOf = (resource: Resource) => (bundle || text.includes('\n') ? JSON.stringify(resource) : text);
    for (const resource of contentsOf(value)) {
      const patient = patientOf(resource);
      if (patient !== undefined) {
        if (!mine(patient)) continue;
        const medicine = medicineOf(resource);
        const label: Label = medicine === undefined ? [patient, file, line] : [patient, file, line, medicine];
        put(nameOf(partOf(patient, parts)), `${JSON.stringify(label)}\t${textOf(resource)}\n`);
      } else if (resource.resourceType === 'Medication') {
        const own = textOf(resource);
        shared += own.length;
        if (shared > SHARED) note(damage, { file: (files[file] as InputFile).name, line, why: 'medicines' });
        else put(MEDICINES, `${own}\n`);
      }
    }
  }
  flush();
  const copy: Copy = { key, parts, damage };
  writeFileSync(join(folder, 'complete'), JSON.stringify(copy), { mode: 0o600 });
  return copy;
}

const MEDICINES = 'medicines';

/** By reference. */
function readMedicines(folder: string): Map<string, string> {
  const path = join(folder, MEDICINES);
  if (!existsSync(path)) return new Map();
  const texts = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(texts.map((text) => [`Medication/${string((JSON.parse(text) as Resource)['id']) ?? ''}`, text]));
}

/** The `Medication/x` that a resource references, if any. */
function medicineOf(resource: Resource): string | undefined {
  return /(?:^|\/)(Medication\/[^/]+)/.exec(reference(medicationPointer(resource)) ?? '')?.[1];
}

type Gathered = { label: Label; size: number; texts: string[]; pointed: Set<string> };

/** The patients of a part, in their order. Of one that is too large only the size is kept. */
async function readPart(path: string): Promise<Gathered[]> {
  const patients = new Map<string, Gathered>();
  for await (const piece of piecesOf(path, Number.POSITIVE_INFINITY, false, () => true)) {
    if (!('text' in piece) || piece.text === '') continue;
    const tab = piece.text.indexOf('\t');
    const label = JSON.parse(piece.text.slice(0, tab)) as Label;
    const text = piece.text.slice(tab + 1);
    const [patient, , , medicine] = label;
    const found = patients.get(patient) ?? { label, size: 0, texts: [], pointed: new Set() };
    patients.set(patient, found);
    found.size += text.length;
    if (found.size > LIMIT) found.texts = [];
    else found.texts.push(text);
    if (medicine !== undefined) found.pointed.add(medicine);
  }
  return [...patients.values()];
}
