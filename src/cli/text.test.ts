import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../testing/app.ts';
import { examples } from '../testing/examples.ts';
import { order, pair } from '../testing/request.ts';
import { readYaml } from '../yaml.ts';

const folder = mkdtempSync(join(tmpdir(), 'cds-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const drafts = [order('x', examples.gabapentinoid, { note: [{ text: 'Bjørn ønsker å vente' }] })];
const request = JSON.stringify(pair('order-sign', { drafts }));

/** Encodings as written by PowerShell's `>`, Windows editors and others. */
const written: [string, (text: string) => Buffer][] = [
  ['UTF-8 with a byte order mark', (text) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16, little-endian', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-16, big-endian', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
];

const run = (command: string, file: string, input = '') =>
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, `src/cli/${command}.ts`), file], {
    encoding: 'utf8',
    input,
  });

test.each(written)('explain and rekey read a request encoded as %s', (name, write) => {
  const file = join(folder, `${name.replace(/\W/g, '-')}.json`);
  writeFileSync(file, write(request));
  const rekeyed = run('rekey', file);
  expect(JSON.parse(rekeyed).context).toEqual(JSON.parse(request).context);
  expect(run('explain', file)).toMatch(/laro-sedative-ordered/);
});

test.each(written)('a YAML file may be encoded as %s', (name, write) => {
  const file = join(folder, `${name.replace(/\W/g, '-')}.yaml`);
  writeFileSync(file, write('name: Sjúkrahús Ø\n'));
  const anything = { safeParse: (data: unknown) => ({ success: true, data }) };
  expect(readYaml(file, file, anything as never, [])?.data).toEqual({ name: 'Sjúkrahús Ø' });
});
