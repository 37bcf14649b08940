import { isResource, parseJson, type Resource } from '../fhir/json.ts';
import { type InputFile, isWhole } from './input.ts';
import { piecesOf } from './lines.ts';
import { type Named, note } from './named.ts';
import { isRead, mayBeRead } from './resources.ts';

/** What could not be read, and where. Never contains data. */
export type Damage = { file: string; line: number; why: DamageKind };
type DamageKind =
  | 'no-json'
  | 'no-resource'
  | 'too-long'
  | 'too-large'
  | 'damaged'
  | 'several-patients'
  | 'no-patient'
  | 'medicines';

/** What was left out: lines of any patient, which every share meets, and patients of this share. */
export type Damages = { lines: Named<Damage>; patients: Named<Damage> };

/** A bundle or a resource of the input, and its position. `bytes` is how much of all input was read with it. */
export type Value = { file: number; line: number; bytes: number; text: string; value: Resource };

/** Maximum size of a line, and of what is read of one patient, in bytes: a hundred thousand resources. */
export const LIMIT = 32 * 1024 * 1024;

/**
 * The bundles and resources of the files, in their order. Types that no rule reads are skipped by the beginning of
 * their line, before anything is measured. What cannot be read is noted in `damage` and left out.
 */
export async function* valuesOf(files: InputFile[], damage: Named<Damage>): AsyncGenerator<Value> {
  let before = 0;
  for (const [at, file] of files.entries()) {
    const tell = (line: number, why: DamageKind) => note(damage, { file: file.name, line, why });
    try {
      for await (const piece of piecesOf(file.path, LIMIT, isWhole(file), mayBeRead)) {
        if ('tooLong' in piece) {
          tell(piece.line, 'too-long');
          continue;
        }
        const { text, line } = piece;
        if (text === '') continue;
        const value = parseJson(text);
        if (!isResource(value)) tell(line, value === undefined ? 'no-json' : 'no-resource');
        else if (value.resourceType === 'Bundle' || isRead(value))
          yield { file: at, line, bytes: before + piece.bytes, text, value };
      }
    } catch {
      tell(0, 'damaged');
    }
    before += file.size;
  }
}
