import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** A line of a file as text, or a mark that it is longer than `limit` bytes. `bytes` is the position in the file. */
export type Piece = { line: number; bytes: number } & ({ text: string } | { tooLong: true });

/** Decides by the beginning of a line whether it is wanted. The rest of an unwanted line is skipped. */
export type Wanted = (head: string) => boolean;

const NEWLINE = 10;
/** Number of bytes at the beginning of a line used for that. */
const HEAD = 256;

/**
 * The wanted lines of a file of any size, one after the other. Holds at most one line in memory, and nothing of a line that is
 * too long or unwanted. Reads gzip if the name ends in .gz. Damage ends with an error, after the lines before it.
 */
async function* linesOf(path: string, limit: number, wanted: Wanted): AsyncGenerator<Piece> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const unpacked = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  // `pipe` does not forward errors.
  if (unpacked !== file) file.on('error', (error) => unpacked.destroy(error));
  let parts: Buffer[] = [];
  let held = 0;
  let tooLong = false;
  let skipped = false;
  let chosen = false;
  let line = 1;
  const choose = () => {
    chosen = true;
    skipped = !wanted(headOf(parts));
    if (skipped) parts = [];
  };
  const end = (): Piece | undefined => {
    if (!chosen && held > 0) choose();
    const at = { line: line++, bytes: file.bytesRead };
    const found: Piece | undefined = skipped
      ? undefined
      : tooLong
        ? { ...at, tooLong }
        : { ...at, text: textOf(parts) };
    parts = [];
    held = 0;
    tooLong = false;
    skipped = false;
    chosen = false;
    return found;
  };
  const hold = (part: Buffer) => {
    held += part.length;
    if (skipped || tooLong) return;
    if (part.length > 0) parts.push(part);
    if (!chosen && held >= HEAD) choose();
    if (held > limit && !skipped) {
      tooLong = true;
      parts = [];
    }
  };
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        hold(chunk.subarray(from, at));
        from = at + 1;
        const found = end();
        if (found) yield found;
      }
      hold(chunk.subarray(from));
    }
    const last = held > 0 ? end() : undefined;
    if (last) yield last;
  } finally {
    file.destroy();
  }
}

/** The wanted JSON values of a file: one per line or, if it is `whole`, a single one over all lines. */
export function piecesOf(path: string, limit: number, whole: boolean, wanted: Wanted): AsyncGenerator<Piece> {
  return whole ? wholeFile(path, limit, wanted) : linesOf(path, limit, wanted);
}

async function* wholeFile(path: string, limit: number, wanted: Wanted): AsyncGenerator<Piece> {
  const texts: string[] = [];
  let size = 0;
  let bytes = 0;
  for await (const piece of linesOf(path, limit, (head) => texts.length > 0 || wanted(head))) {
    // The first line was not wanted, so the file is not.
    if (texts.length === 0 && piece.line > 1) return;
    bytes = piece.bytes;
    size += 'text' in piece ? piece.text.length : limit + 1;
    texts.push('text' in piece ? piece.text : '');
    if (size > limit) break;
  }
  const text = texts.join('\n');
  if (texts.length === 0 || !wanted(text.slice(0, HEAD))) return;
  yield size > limit ? { line: 1, bytes, tooLong: true } : { line: 1, bytes, text };
}

function headOf(parts: Buffer[]): string {
  const [first] = parts;
  const head = first && first.length >= HEAD ? first : Buffer.concat(parts);
  return head.subarray(0, HEAD).toString('utf8');
}

function textOf(parts: Buffer[]): string {
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  return whole
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trim();
}
