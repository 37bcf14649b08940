import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Journal, openJournal } from './journal/journal.ts';
import { root, startService } from './testing/app.ts';
import { createClient, NOW, SIGN } from './testing/client.ts';

/** Runs the examples of the integration guides as written. */

const SANDBOX = 'http://127.0.0.1:3000';
const PRODUCTION = 'https://cds.hospital.example';

type Fence = { language: string; text: string; line: number };
/** A command, and the answer shown below it, if any. */
type Example = { name: string; command: string; shown: Fence | undefined };

function fencesOf(text: string): (Fence & { end: number })[] {
  const found: (Fence & { end: number })[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', language = ''] = /^( *)```(\w*)$/.exec(lines[at] as string) ?? [];
    if (language === '') continue;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    found.push({ language, text: lines.slice(at + 1, end).join('\n'), line: at + 1, end });
    at = end;
  }
  return found;
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.split('\n');
  const fences = fencesOf(text);
  return fences.flatMap((fence, at) => {
    if (fence.language !== 'sh' || !/^curl /m.test(fence.text)) return [];
    const next = fences[at + 1];
    const follows = next && lines.slice(fence.end + 1, next.line - 1).every((line) => line.trim() === '');
    const shown = follows && ['json', 'http'].includes(next.language) ? next : undefined;
    return [{ name: `${file}:${fence.line}`, command: fence.text, shown }];
  });
}

/** JSON in which `…` stands for what is left out of a string, object or list, or for a whole value. */
function parseShown(text: string): unknown {
  const stack: string[] = [];
  let out = '';
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string;
    if (inText && sign === '\\') {
      out += text.slice(at, at + 2);
      at += 1;
      continue;
    }
    if (sign === '"') inText = !inText;
    else if (!inText && '{['.includes(sign)) stack.push(sign);
    else if (!inText && '}]'.includes(sign)) stack.pop();
    else if (!inText && sign === '…') {
      const isValue = out.trimEnd().endsWith(':');
      out += stack.at(-1) === '{' && !isValue ? '"…": "…"' : '"…"';
      continue;
    }
    out += sign;
  }
  return JSON.parse(out);
}

/** Where an answer differs from the one shown. */
function differences(shown: unknown, real: unknown, path = 'answer'): string[] {
  if (shown === '…') return real === undefined ? [`${path}: missing`] : [];
  if (typeof shown === 'string' && shown.includes('…')) {
    const parts = shown.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const fits = typeof real === 'string' && new RegExp(`^${parts.join('.*')}$`, 's').test(real);
    return fits ? [] : [`${path}: ${JSON.stringify(real)} is not ${shown}`];
  }
  if (Array.isArray(shown)) {
    if (!Array.isArray(real)) return [`${path}: no list`];
    const open = shown.at(-1) === '…';
    const items = open ? shown.slice(0, -1) : shown;
    if (open ? real.length < items.length : real.length !== items.length) return [`${path}: ${real.length} items`];
    return items.flatMap((item, at) => differences(item, real[at], `${path}.${at}`));
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof real !== 'object' || real === null) return [`${path}: no object`];
    const { '…': open, ...fields } = shown as Record<string, unknown>;
    const extra = open === undefined ? Object.keys(real).filter((key) => !(key in fields)) : [];
    return [
      ...extra.map((key) => `${path}.${key}: not shown`),
      ...Object.entries(fields).flatMap(([key, value]) =>
        differences(value, (real as Record<string, unknown>)[key], `${path}.${key}`),
      ),
    ];
  }
  return shown === real ? [] : [`${path}: ${JSON.stringify(real)} is not ${JSON.stringify(shown)}`];
}

type Answer = { status: number; headers: Map<string, string>; body: string };

function readHttp(text: string): Answer {
  const [head = '', ...rest] = text.replaceAll('\r\n', '\n').split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const headers = lines.map((line): [string, string] => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers: new Map(headers), body: rest.join('\n\n') };
}

const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-docs-'));
let journal: Journal;
let sandbox: Awaited<ReturnType<typeof startService>>;
let production: Awaited<ReturnType<typeof startService>>;
let token: string;

const addressOf = (service: typeof sandbox) => `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`;

beforeAll(async () => {
  const limits = () => ({ day: '2000-01-01', received: 0, patients: 0, tokens: 0, review: 0 });
  journal = await openJournal({ place: { folder }, clock: () => NOW * 1000, limits, warn: () => undefined });
  sandbox = await startService({ journal, publicUrl: undefined });
  const ehr = await createClient();
  token = await ehr.token('', { aud: `${PRODUCTION}${SIGN}` });
  production = await startService({ mode: 'production', publicUrl: PRODUCTION, clients: [ehr.client] });
});
afterAll(async () => {
  await sandbox.close();
  await production.close();
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(command: string): Promise<string> {
  const there = command.replaceAll(SANDBOX, addressOf(sandbox)).replaceAll(PRODUCTION, addressOf(production));
  // Only curl's own progress output is turned off.
  const script = `curl() { command curl --silent --show-error "$@"; }\n${there}`;
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], TOKEN: token };
    execFile('bash', ['-c', script], { cwd: root, env, encoding: 'utf8' }, (error, stdout, stderr) =>
      error ? reject(new Error(`${command}\n${stderr}`)) : resolve(stdout),
    );
  });
}

const examples = ['README.md', 'docs/integrate.md', 'docs/integrator.md'].flatMap(examplesOf);

describe('the examples of the guides', () => {
  test('most examples show their answer, and all their addresses are tried here', () => {
    expect(examples.length).toBeGreaterThan(9);
    expect(examples.filter(({ shown }) => !shown)).toEqual([]);
    const addresses = examples.flatMap(({ command }) => command.match(/https?:\/\/[^/\s'"]+(?=\/cds-services)/g) ?? []);
    expect(addresses).toHaveLength(examples.length);
    expect(addresses.filter((address) => ![SANDBOX, PRODUCTION].includes(address))).toEqual([]);
  });

  // In order, since feedback is about the cards of the examples before it.
  test.each(examples)('$name answers as shown', async ({ command, shown }) => {
    const output = await run(command);
    if (!shown) throw new Error('no answer is shown');
    if (shown.language === 'json') {
      expect(differences(parseShown(shown.text), JSON.parse(output))).toEqual([]);
      return;
    }
    const expected = readHttp(shown.text);
    const real = readHttp(output);
    expect(real.status).toBe(expected.status);
    for (const [name, value] of expected.headers) expect(real.headers.get(name), name).toBe(value);
    if (expected.body !== '') expect(differences(parseShown(expected.body), JSON.parse(real.body))).toEqual([]);
  });
});

describe('the comparison of answers', () => {
  const shown = '{"cards": [{"uuid": "a…", "n": 1, …}, …], "x": …}';
  test.each([
    [{ cards: [{ uuid: 'abc', n: 1, more: true }, {}], x: null }, []],
    [{ cards: [{ uuid: 'abc', n: 1 }], x: 0 }, []],
    [{ cards: [{ uuid: 'bc', n: 1 }], x: 0 }, ['answer.cards.0.uuid: "bc" is not a…']],
    [{ cards: [{ uuid: 'abc', n: 2 }], x: 0 }, ['answer.cards.0.n: 2 is not 1']],
    [{ cards: [], x: 0 }, ['answer.cards: 0 items']],
    [{ cards: [{ uuid: 'a', n: 1 }] }, ['answer.x: missing']],
    [{ cards: [{ uuid: 'a', n: 1 }], x: 0, y: 0 }, ['answer.y: not shown']],
  ])('reports every difference: %j', (real, problems) => {
    expect(differences(parseShown(shown), real)).toEqual(problems);
  });
});

test('every link in the guides leads to an existing file and heading', () => {
  const slug = (heading: string) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[`*]/g, '')
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-');
  const headings = (file: string) =>
    new Set(
      [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading as string)),
    );
  const broken = ['docs/integrate.md', 'docs/integrator.md', 'docs/hospital-it.md', 'README.md'].flatMap((file) => {
    const links = [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    return links.flatMap(([link, path = '', anchor]) => {
      const target = path === '' ? file : join(file.includes('/') ? 'docs' : '', path);
      try {
        if (anchor === undefined) readFileSync(join(root, target));
        else if (!headings(target).has(anchor)) return [`${file}: ${link}`];
        return [];
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EISDIR' ? [] : [`${file}: ${link}`];
      }
    });
  });
  expect(broken).toEqual([]);
});
