import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The names of all files and folders below a folder, sorted, with `/` on every system. None if there is no folder. */
export function namesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.map((name) => name.replaceAll('\\', '/')).sort();
}

/** For `sort`: by the characters of two texts, the same on every machine. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The text of a file, or of standard input (0). A byte order mark decides the encoding and is removed; PowerShell's `>`
 * writes UTF-16. Without a mark it is UTF-8. Throws the errors of reading a file.
 */
export function readText(file: string | 0): string {
  const bytes = readFileSync(file);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  // Also removes a UTF-8 byte order mark.
  return new TextDecoder().decode(bytes);
}
