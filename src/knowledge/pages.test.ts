import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Problem } from '../yaml.ts';
import { loadPages, translator } from './pages.ts';

function load(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'pages-'));
  mkdirSync(join(folder, 'cards', 'pages'), { recursive: true });
  writeFileSync(join(folder, 'cards', 'pages', 'forecast.yaml'), yaml);
  const problems: Problem[] = [];
  return { pages: loadPages(folder, problems), problems };
}

test('the texts of a page have their placeholders filled in', () => {
  const { pages, problems } = load(
    `count: {sv: '{n, number} kort', nb: '{n, number} kort', da: '{n, number} kort', en: '{n, number} cards'}`,
  );
  expect(problems).toEqual([]);
  expect(translator(pages['forecast'] ?? {}, 'en')('count', { n: 1234 })).toBe('1,234 cards');
  expect(() => translator(pages['forecast'] ?? {}, 'en')('other')).toThrow("no words for 'other'");
});

test.each([
  ['a missing language', `a: {sv: x, nb: x, da: x, en: x}\nb: {sv: x, nb: x, da: x}`, 2, 'b.en'],
  ['a malformed message', `a:\n  sv: 'x {'\n  nb: x\n  da: x\n  en: x`, 2, 'a.sv: not an ICU message'],
  [
    'a placeholder missing in one language',
    `a:\n  sv: '{n}'\n  nb: '{n}'\n  da: x\n  en: '{n}'`,
    4,
    'a.da: placeholders differ',
  ],
])('%s is reported with its file and line', (_what, yaml, line, message) => {
  const { problems } = load(yaml);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ file: 'cards/pages/forecast.yaml', line });
  expect(problems[0]?.message).toContain(message);
});
