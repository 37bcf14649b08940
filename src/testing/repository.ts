import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './app.ts';

/**
 * A copy of the repository's hooks/ and cards/ for a test to break, with the test bundles of one folder. Call `remove`
 * at the end.
 */
export function copyOfRepository(bundles?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-cds-'));
  mkdirSync(join(folder, 'test-bundles'));
  for (const part of ['hooks', 'cards', ...(bundles === undefined ? [] : [`test-bundles/${bundles}`])])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  // Ignores the hospital's own settings.
  writeFileSync(join(folder, 'hooks/site.yaml'), 'timeZone: Europe/Stockholm\nlanguage: sv\noff: []\n');
  return {
    folder,
    /** Replaces the first `text` in a file, and returns its line. */
    replace(file: string, text: string, by: string): number {
      const whole = readFileSync(join(folder, file), 'utf8');
      const at = whole.indexOf(text);
      if (at < 0) throw new Error(`${file} holds no '${text}'`);
      writeFileSync(join(folder, file), whole.slice(0, at) + by + whole.slice(at + text.length));
      return whole.slice(0, at).split('\n').length;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
