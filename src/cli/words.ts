import { styleText } from 'node:util';

/** Prints the usage and ends the process if `--help` is among the arguments. */
export function helpIfAsked(usage: string, words = process.argv.slice(2)): void {
  if (!words.includes('--help')) return;
  process.stdout.write(usage);
  process.exit(0);
}

/** Runs a command with its arguments. An error becomes one line for the user and the exit code 1. */
export async function runCommand(usage: string, run: (words: string[]) => void | Promise<void>): Promise<void> {
  helpIfAsked(usage);
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** An error in a file or in the arguments, in one line for the user. */
export function messageOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'The file is not valid JSON.';
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `There is no file ${path}.` : message;
}

/** Rows in columns under a title, for a terminal; `none` if there are no rows. The last column is not padded. */
export function section(title: string, rows: string[][], none = ''): string {
  if (rows.length === 0) return none;
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(all[at] ?? 0, cell.length)), []);
  const lines = rows.map((row) =>
    `  ${row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] as number))).join('  ')}`.trimEnd(),
  );
  return [styleText('bold', title), ...lines].join('\n');
}

/** Reads a whole number given to an option. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${option}: '${text}' is not a whole number from ${least} to ${most}`);
  return value;
}

/** Reads the value of an option that has a few known ones. */
export function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new Error(`${option}: '${value}' is not one of ${known.join(', ')}`);
  return found;
}
