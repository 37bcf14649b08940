import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** A line of a file as text, or that it is longer than `limit` bytes. `bytes` is how far the file has been read. */
export type Piece = { line: number; bytes: number } & ({ text: string } | { tooLong: true });

const NEWLINE = 10;

/**
 * The lines of a file, one after the other, whatever its size: never more than one line is held, and of one that is too
 * long nothing. Reads gzip where the name ends in .gz. What is damaged ends with an error, after the lines before it.
 */
async function* linesOf(path: string, limit: number): AsyncGenerator<Piece> {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const unpacked = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  // `pipe` passes no errors on.
  if (unpacked !== file) file.on('error', (error) => unpacked.destroy(error));
  let parts: Buffer[] = [];
  let held = 0;
  let tooLong = false;
  let line = 1;
  const end = (): Piece => {
    const at = { line: line++, bytes: file.bytesRead };
    const found: Piece = tooLong ? { ...at, tooLong } : { ...at, text: textOf(parts) };
    parts = [];
    held = 0;
    tooLong = false;
    return found;
  };
  const hold = (part: Buffer) => {
    held += part.length;
    if (held > limit) {
      tooLong = true;
      parts = [];
    } else if (part.length > 0) parts.push(part);
  };
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        hold(chunk.subarray(from, at));
        from = at + 1;
        yield end();
      }
      hold(chunk.subarray(from));
    }
    if (held > 0) yield end();
  } finally {
    file.destroy();
  }
}

/** A file's JSON values: one a line, or, where it is `whole`, one over all its lines. */
export function piecesOf(path: string, limit: number, whole: boolean): AsyncGenerator<Piece> {
  return whole ? wholeFile(path, limit) : linesOf(path, limit);
}

async function* wholeFile(path: string, limit: number): AsyncGenerator<Piece> {
  const texts: string[] = [];
  let size = 0;
  let bytes = 0;
  for await (const piece of linesOf(path, limit)) {
    bytes = piece.bytes;
    size += 'text' in piece ? piece.text.length : limit + 1;
    if (size > limit) break;
    if ('text' in piece) texts.push(piece.text);
  }
  yield size > limit ? { line: 1, bytes, tooLong: true } : { line: 1, bytes, text: texts.join('\n') };
}

function textOf(parts: Buffer[]): string {
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  return whole
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trim();
}
