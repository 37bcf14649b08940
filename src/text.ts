import { readFileSync } from 'node:fs';

/**
 * The text of a file, or of standard input (0). A byte order mark says how it is written and is no part of it; PowerShell's `>`
 * writes UTF-16. Without a mark it is UTF-8. Throws what reading a file throws.
 */
export function readText(file: string | 0): string {
  const bytes = readFileSync(file);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // Drops a mark of UTF-8.
  return new TextDecoder().decode(bytes);
}
