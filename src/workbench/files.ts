import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = new URL('./page/', import.meta.url);

/** Whether the page and its libraries are installed. The image leaves them out, since only a sandbox shows them. */
export function hasPage(): boolean {
  return existsSync(folder);
}

/** A static file of the page. */
export function pageFile(name: 'index.html' | 'icon.svg'): Buffer {
  return readFileSync(new URL(name, folder));
}

/** In cascade order. */
const styles = ['base', 'controls', 'frame', 'ask', 'cards', 'why', 'timeline', 'json', 'settings', 'narrow'];

export function pageStyle(): string {
  return styles.map((name) => readFileSync(new URL(`style/${name}.css`, folder), 'utf8')).join('\n');
}

/** The cache, keyed by a hash of the sources, so that a changed page or library is bundled again. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/workbench/', import.meta.url));

let script: Promise<string> | undefined;

/**
 * The page's script: its TypeScript and libraries as one module. Bundled in another process on first use, and cached on disk
 * for the next start.
 */
export function pageScript(): Promise<string> {
  script ??= readScript().catch((error) => {
    script = undefined;
    throw error;
  });
  return script;
}

async function readScript(): Promise<string> {
  const path = join(cache, `${await hashOfSources()}.js`);
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return kept;
  const text = await bundle();
  // If nothing can be written, the next start bundles again.
  await keep(path, text).catch(() => undefined);
  return text;
}

/** Includes package.json, which has the versions of the libraries. */
async function hashOfSources(): Promise<string> {
  const page = fileURLToPath(folder);
  const names = (await readdir(page, { recursive: true })).filter((name) => /\.tsx?$/.test(name)).sort();
  const files = [
    ...names.map((name) => join(page, name)),
    fileURLToPath(new URL('../../package.json', import.meta.url)),
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file)).update('\0');
  return hash.digest('hex');
}

/** Keeps only this file. It is renamed into place, so that no other start reads half of it. */
async function keep(path: string, text: string): Promise<void> {
  await rm(cache, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await writeFile(`${path}.${process.pid}`, text);
  await rename(`${path}.${process.pid}`, path);
}

async function bundle(): Promise<string> {
  const esbuild = createRequire(import.meta.url).resolve('esbuild-wasm/bin/esbuild');
  const options = ['--bundle', '--format=esm', '--target=es2022', '--minify', '--jsx=automatic'];
  options.push('--jsx-import-source=preact', '--legal-comments=none', '--log-level=silent');
  const words = [esbuild, fileURLToPath(new URL('main.tsx', folder)), ...options];
  const bundling = promisify(execFile)(process.execPath, words, { maxBuffer: 16 * 1024 * 1024 });
  // Calls take precedence.
  const { pid } = bundling.child;
  if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  return (await bundling).stdout;
}
