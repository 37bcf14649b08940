import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesBelow } from '../text.ts';

/** A file to read: its name in messages, its path and its size. */
export type InputFile = { name: string; path: string; size: number; changed: number };

const READ = /\.(json|ndjson)(\.gz)?$/i;

/** The files of a folder and its subfolders, sorted by name; or the single file. */
export function inputFiles(path: string): InputFile[] {
  const found = statSync(path).isDirectory()
    ? namesBelow(path)
        .filter((name) => READ.test(name))
        .map((name) => ({ name, path: join(path, name) }))
    : [{ name: path, path }];
  return found
    .map((file) => ({ ...file, stats: statSync(file.path) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ name, path, stats }) => ({ name, path, size: stats.size, changed: stats.mtimeMs }));
}

/** Whether a file has one JSON value, instead of one per line. */
export function isWhole(file: InputFile): boolean {
  return /\.json(\.gz)?$/i.test(file.name);
}
