import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBundle } from '../fhir/bundle.ts';
import { isResource, type Resource, string } from '../fhir/json.ts';
import { type InputFile, isWhole } from './input.ts';
import { type Piece, piecesOf } from './lines.ts';
import { type Damage, LIMIT, patientOf } from './patients.ts';

/** Bytes of input that one part should hold: it is sorted in memory. */
const PART = 16 * 1024 * 1024;
/** Bytes that wait in memory before they are written to the parts. */
const WAITING = 16 * 1024 * 1024;
/** Bytes of shared medicines that are kept to be put beside the orders that point to them. */
const SHARED = 64 * 1024 * 1024;

/**
 * Writes a copy of the input into a folder, with the resources of a patient together: what a Bulk Data export, a file
 * for each type, needs before it can be replayed. Patients are dealt out to parts by their id, and each part is sorted by
 * itself, so that memory stays flat. Medicines that belong to nobody are written beside the orders that point to them.
 * The same input gives the same copy. What cannot be read is told to `damage` and left out.
 */
export async function regroup(
  files: InputFile[],
  folder: string,
  key: string,
  damage: (found: Damage) => void,
): Promise<void> {
  const marker = join(folder, 'complete');
  const kept = existsSync(marker)
    ? (JSON.parse(readFileSync(marker, 'utf8')) as { key: string; damage: Damage[] })
    : undefined;
  if (kept?.key === key) {
    for (const found of kept.damage) damage(found);
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const size = files.reduce((sum, file) => sum + file.size * (file.name.endsWith('.gz') ? 10 : 1), 0);
  const parts = Math.min(4096, Math.max(1, Math.ceil(size / PART)));
  const found: Damage[] = [];
  const medicines = await deal(files, folder, parts, (one) => {
    found.push(one);
    damage(one);
  });
  for (let part = 0; part < parts; part++) sortPart(join(folder, nameOf(part)), medicines);
  writeFileSync(marker, JSON.stringify({ key, damage: found }), { mode: 0o600 });
}

function nameOf(part: number): string {
  return `part-${String(part).padStart(4, '0')}.ndjson`;
}

/** Every line to the part of its patient. Gives the medicines that belong to nobody, by reference. */
async function deal(
  files: InputFile[],
  folder: string,
  parts: number,
  damage: (found: Damage) => void,
): Promise<Map<string, string>> {
  const medicines = new Map<string, string>();
  const waiting = new Map<number, string[]>();
  let held = 0;
  let shared = 0;
  const flush = () => {
    for (const [part, texts] of waiting) appendFileSync(join(folder, nameOf(part)), texts.join(''), { mode: 0o600 });
    waiting.clear();
    held = 0;
  };
  const put = (resource: Resource, file: string, line: number) => {
    const text = `${JSON.stringify(resource)}\n`;
    const patient = patientOf(resource);
    if (patient !== undefined) {
      const part = createHash('sha256').update(patient).digest().readUInt32BE(0) % parts;
      const texts = waiting.get(part) ?? [];
      waiting.set(part, texts);
      texts.push(text);
      held += text.length;
      if (held > WAITING) flush();
    } else if (resource.resourceType === 'Medication') {
      shared += text.length;
      if (shared > SHARED) damage({ file, line, why: 'too-large' });
      else medicines.set(`Medication/${string(resource['id']) ?? ''}`, text);
    }
  };
  for (const file of files) {
    const at = (line: number, why: Damage['why']) => damage({ file: file.name, line, why });
    try {
      for await (const piece of piecesOf(file.path, LIMIT, isWhole(file)))
        putPiece(piece, at, (resource) => put(resource, file.name, piece.line));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === 'write') throw error;
      at(0, 'damaged');
    }
  }
  flush();
  return medicines;
}

function putPiece(
  piece: Piece,
  at: (line: number, why: Damage['why']) => void,
  put: (resource: Resource) => void,
): void {
  if ('tooLong' in piece) at(piece.line, 'too-long');
  else if (piece.text !== '') {
    let value: unknown;
    try {
      value = JSON.parse(piece.text);
    } catch {
      at(piece.line, 'no-json');
      return;
    }
    if (!isResource(value)) at(piece.line, 'no-resource');
    else if (value.resourceType !== 'Bundle') put(value);
    else for (const { resource } of readBundle(value).entries) put(resource);
  }
}

const POINTS_TO = /"reference":"(?:[^"]*\/)?(Medication\/[^"/]+)/g;

function sortPart(path: string, medicines: Map<string, string>): void {
  if (!existsSync(path)) return;
  const patients = new Map<string, string[]>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    if (text === '') continue;
    const patient = patientOf(JSON.parse(text) as Resource) as string;
    const texts = patients.get(patient) ?? [];
    patients.set(patient, texts);
    texts.push(text);
  }
  rmSync(path);
  for (const texts of patients.values()) {
    const pointed = new Set(texts.flatMap((text) => [...text.matchAll(POINTS_TO)].map((match) => match[1] as string)));
    // After the first of the patient's own, so that they lie within the patient.
    const beside = [...pointed].map((ref) => medicines.get(ref) ?? '').join('');
    const [first, ...rest] = texts;
    appendFileSync(path, `${first}\n${beside}${rest.map((text) => `${text}\n`).join('')}`, { mode: 0o600 });
  }
}
