import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../testing/app.ts';

/** A copy of the workbench with its own cache. */
const folder = mkdtempSync(join(tmpdir(), 'cds-page-'));
const cache = join(folder, 'node_modules/.cache/workbench');
beforeAll(() => {
  cpSync(join(root, 'src/workbench'), join(folder, 'src/workbench'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['esbuild-wasm', 'preact', 'marked', 'dompurify', 'diff'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The script served by a newly started service. */
function script(): string {
  const files = pathToFileURL(join(folder, 'src/workbench/files.ts')).href;
  const program = `process.stdout.write(await (await import('${files}')).pageScript())`;
  return execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
    },
  );
}

test('the script is bundled once for all starts, and again after the page has changed', () => {
  expect(script().length).toBeGreaterThan(10_000);
  const [name = ''] = readdirSync(cache);
  writeFileSync(join(cache, name), 'kept');
  expect(script()).toBe('kept');
  appendFileSync(join(folder, 'src/workbench/page/main.tsx'), "\nconsole.log('changed');\n");
  expect(script()).toContain('changed');
  expect(readdirSync(cache)).toHaveLength(1);
  expect(readdirSync(cache)).not.toContain(name);
}, 120_000);
