import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const src = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => /(?<!\.test)\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(src, name), 'utf8') }));
const sources = files.filter(({ name }) => !name.startsWith('testing/'));
const helpers = files.filter(({ name }) => name.startsWith('testing/'));

/** What each room may import: rooms of src/ or single top-level files. The straight line runs downwards. */
const base = ['dates.ts', 'span.ts', 'language.ts', 'brand.ts', 'yaml.ts', 'errors.ts', 'limits.ts', 'text.ts'];
const mayImport: Record<string, string[]> = {
  fhir: ['fhir', 'limits.ts'],
  codes: ['codes', 'fhir', ...base],
  chart: ['chart', 'codes', 'fhir', ...base],
  rules: ['rules', 'chart', 'codes', 'fhir/prefetch.ts', ...base],
  cards: ['cards', 'rules', 'chart', 'codes', 'fhir', ...base],
  knowledge: [
    'knowledge',
    'cards',
    'rules',
    'chart/chart.ts',
    'chart/parameters.ts',
    'codes',
    'fhir/prefetch.ts',
    ...base,
  ],
  trust: ['trust', 'fhir', ...base],
  // Its thread releases the memory left over from its start.
  journal: ['journal', 'memory.ts', ...base],
  report: ['report', ...base],
  // Replays history with answer.ts; reads files and serves nothing.
  forecast: ['forecast', 'answer.ts', 'report', 'knowledge', 'cards', 'rules', 'chart', 'codes', 'fhir', ...base],
  // Expresses the knowledge in FHIR; decides and renders nothing.
  export: ['export', 'cards', 'rules', 'codes', 'fhir', ...base],
  http: ['http', 'answer.ts', 'cards', 'chart/chart.ts', 'chart/read.ts', 'fhir', 'journal', 'rules', 'trust', ...base],
  // What the rules say, for readers: made from the same files that decide.
  advice: [
    'advice',
    'knowledge/pages.ts',
    'report',
    'cards',
    'rules',
    'fhir/json.ts',
    'fhir/prefetch.ts',
    '../package.json',
    ...base,
  ],
  // The API in OpenAPI, made from what http/ checks with, and its page.
  reference: [
    'reference',
    'http',
    'answer.ts',
    'fhir',
    'cards/knowledge.ts',
    'rules',
    'report',
    '../package.json',
    ...base,
  ],
  cli: [
    'cli',
    'http/wire.ts',
    // The integration tester's tool starts the service that it tests.
    'app.ts',
    'answer.ts',
    'config.ts',
    'forecast',
    'export',
    'report',
    'journal',
    'knowledge',
    'tuning',
    'cards',
    'chart',
    'fhir',
    'rules',
    'trust',
    ...base,
  ],
  // What other settings would change, for the workbench and the command line.
  tuning: ['tuning', 'cli/bundles.ts', 'cards/knowledge.ts', 'rules', 'fhir/versions.ts', ...base],
  // Patients are read as the command line reads them; a record is requested as a call would.
  workbench: [
    'workbench',
    'cli/bundles.ts',
    'knowledge/load.ts',
    'tuning',
    'http/access.ts',
    'http/discovery.ts',
    'fhir',
    'codes',
    'cards/knowledge.ts',
    'rules',
    'trust/clients.ts',
    ...base,
  ],
};

function importsOf(file: { name: string; text: string }): string[] {
  const own = [...file.text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => path as string);
  return own.map((path) => relative(src, resolve(dirname(join(src, file.name)), path)).replaceAll('\\', '/'));
}

test('each room imports only what it may', () => {
  const strays = sources.flatMap((file) => {
    const room = file.name.split('/')[0] as string;
    const allowed = mayImport[room];
    if (!file.name.includes('/') || !allowed) return [];
    return importsOf(file)
      .filter((path) => !allowed.some((place) => path === place || path.startsWith(`${place}/`)))
      .map((path) => `${file.name} → ${path}`);
  });
  expect(strays).toEqual([]);
});

test('the workbench page runs in the browser and imports nothing from the service', () => {
  const page = sources.filter(({ name }) => name.startsWith('workbench/page/'));
  expect(page.length).toBeGreaterThan(20);
  const strays = page.flatMap((file) => [
    ...importsOf(file).filter((path) => !path.startsWith('workbench/page/')),
    ...[...file.text.matchAll(/from '(node:[^']+)'/g)].map(([, name]) => `${file.name} → ${name}`),
  ]);
  expect(strays).toEqual([]);
});

/** Groups of files that import each other in a circle, including types. */
test('no import is circular', () => {
  const imports = new Map(sources.map((file) => [file.name, importsOf(file)]));
  const reached = (from: string): Set<string> => {
    const found = new Set<string>();
    const open = [from];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const name of imports.get(next) ?? []) {
        if (!found.has(name)) open.push(name);
        found.add(name);
      }
    return found;
  };
  expect(imports.get('app.ts')).toContain('http/invoke.ts');
  expect([...imports.keys()].filter((name) => reached(name).has(name))).toEqual([]);
});

test('every room has a rule', () => {
  const rooms = new Set(
    sources.filter(({ name }) => name.includes('/')).map(({ name }) => name.split('/')[0] as string),
  );
  expect([...rooms].filter((room) => !(room in mayImport))).toEqual([]);
});

test('only server.ts and the command line read the environment, and hand it to config.ts', () => {
  const readers = sources.filter(({ text }) => /process\.env/.test(text)).map(({ name }) => name);
  expect(readers.filter((name) => !name.startsWith('cli/'))).toEqual(['server.ts']);
});

test('the clock is read only where a process starts, and is an argument everywhere else', () => {
  const readers = sources
    .filter(({ text }) => /Date\.now|new Date\(\)|performance\.now/.test(text))
    .map(({ name }) => name);
  // The workbench page is a separate program, which runs in a browser.
  const own = (name: string) => name === 'server.ts' || name.startsWith('cli/') || name.startsWith('workbench/page/');
  expect(readers.filter((name) => !own(name))).toEqual([]);
});

test('src/ names no drug and no diagnosis, and holds no text for clinicians', () => {
  const codes = /\b[A-V]\d{2}[A-Z]{2}\d{2}\b|\b[A-Z]\d{2}\.\d\b/;
  expect(files.filter(({ text }) => codes.test(text)).map(({ name }) => name)).toEqual([]);
  expect(files.filter(({ text }) => /[åäöæøÅÄÖÆØ]/.test(text)).map(({ name }) => name)).toEqual([]);
});

test('no drug of the code lists is named in src/, including its test helpers', () => {
  const codes = fileURLToPath(new URL('../hooks/codes', import.meta.url));
  const lists = readdirSync(codes).filter((name) => name.endsWith('.yaml'));
  const names = lists.flatMap((name) => Object.keys(parse(readFileSync(join(codes, name), 'utf8')).substances ?? {}));
  expect(names.length).toBeGreaterThan(100);
  const strays = [...sources, ...helpers].flatMap(({ name, text }) => {
    const words = new Set(text.toLowerCase().match(/[a-z]+/g));
    return names.filter((drug) => words.has(drug)).map((drug) => `${name}: ${drug}`);
  });
  expect(strays).toEqual([]);
});
