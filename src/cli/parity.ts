import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createApp } from '../app.ts';
import { brand, serviceId } from '../brand.ts';
import type { Card } from '../cards/render.ts';
import { readConfig } from '../config.ts';
import { createFetchJson } from '../fhir/fetch-json.ts';
import { type JsonObject, object, objects, string } from '../fhir/json.ts';
import { compileKnowledge, deliveredSite, readKnowledge } from '../knowledge/load.ts';
import { type Problem, problemsText } from '../yaml.ts';
import { differences, type Expected, observeShown, readTestBundles, type TestBundle } from './bundles.ts';
import { type Placed, place } from './parity/record.ts';
import { type TestServer, testServer, wordsOf } from './parity/server.ts';
import { helpIfAsked, messageOf } from './words.ts';

const USAGE = `Usage: npm run parity -- --fhir URL [--service URL] [--only REGEX] [--post] [--yes] [--clean]

Loads the invented patients of test-bundles/ into a FHIR R4 server for tests, one after the other, asks the service about each without
prefetch, compares with what the bundle expects, and deletes them again. What differs is printed, and why.

  --fhir URL      base address of the server. A token for it, if it wants one, stands in the environment variable FHIR_TOKEN
  --service URL   a running sandbox to ask. Left out, the service is started here, for each hospital that the bundles play in
  --only REGEX    only bundles whose name fits
  --post          searches by POST (only where the service is started here)
  --yes           do not ask before writing to the server
  --clean         delete what an earlier run left on the server, and do nothing else

It asks before it writes, and refuses a server on which invented patients are left over. Never name a server with real patients.
`;

type Options = {
  fhir: string;
  service: string | undefined;
  only: RegExp;
  post: boolean;
  yes: boolean;
  clean: boolean;
};

/** The result of a call, and possible reasons for a difference. */
type CallResult = { got: Omit<Expected, 'note'>; why: string[]; ms: number };
type Service = { ask: (placed: Placed, bundle: TestBundle) => Promise<CallResult>; close: () => Promise<void> };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the command. Returns its exit code: 0 all the same, 1 something differs, 2 it could not run. */
export async function run(words: string[], token: string | undefined, print: (line: string) => void): Promise<number> {
  try {
    const options = readOptions(words);
    const server = testServer(options.fhir, token);
    print(`${options.fhir}: ${await server.describe()}`);
    const leftOver = await server.leftOver();
    if (options.clean) return await clean(server, leftOver, options, print);
    if (leftOver.length > 0)
      throw new Error(`${leftOver.length} resources of an earlier run are on this server: --clean deletes them`);
    return await compareAll(server, options, token, print);
  } catch (error) {
    print(messageOf(error));
    return 2;
  }
}

function readOptions(words: string[]): Options {
  const { values } = parseArgs({
    args: words,
    options: {
      fhir: { type: 'string' },
      service: { type: 'string' },
      only: { type: 'string', default: '' },
      post: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
    },
  });
  const address = (name: string, text: string) => {
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
      throw new Error(`--${name}: '${text}' is not an http or https address`);
    return text.replace(/\/+$/, '');
  };
  if (values.fhir === undefined) throw new Error(USAGE);
  return {
    ...values,
    fhir: address('fhir', values.fhir),
    service: values.service === undefined ? undefined : address('service', values.service),
    only: new RegExp(values.only),
  };
}

async function clean(server: TestServer, found: string[], options: Options, print: (line: string) => void) {
  if (found.length > 0 && !(await agreed(`Delete ${found.length} resources that carry our tag?`, options))) return 2;
  await server.remove(found);
  print(`${found.length} resources deleted`);
  return 0;
}

async function agreed(question: string, { yes }: Options): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Error('There is no terminal to ask for confirmation: pass --yes');
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question(`${question} [y/N] `);
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function compareAll(
  server: TestServer,
  options: Options,
  token: string | undefined,
  print: (line: string) => void,
): Promise<number> {
  const problems: Problem[] = [];
  const bundles = readTestBundles(join(root, 'test-bundles'), problems).filter(({ name }) => options.only.test(name));
  if (problems.length > 0) throw new Error(problemsText(problems));
  const patients = await server.patients();
  const question = `${bundles.length} invented patients will be written to ${options.fhir}, which has ${patients ?? 'an unknown number of'} patients, and deleted again. Go on?`;
  if (!(await agreed(question, options))) return 2;
  const run = `p${randomBytes(4).toString('hex')}`;
  const counts = { same: 0, different: 0, loaded: 0, incomparable: 0, elsewhere: 0 };
  const times: number[] = [];
  const services = servicesFor(options, token);
  let stopped = false;
  const stop = () => {
    stopped = true;
  };
  process.once('SIGINT', stop);
  try {
    for (const [at, bundle] of bundles.entries()) {
      if (stopped) break;
      const placed = place(bundle, `${run}-${at}`);
      const service = await services.of(bundle);
      if (!placed) counts.incomparable++;
      else if (!service) counts.elsewhere++;
      else {
        const found = await compareOne(server, service, placed, bundle);
        if (found.ms !== undefined) times.push(found.ms);
        if (found.differing.length === 0) counts.same++;
        else if (placed.endedWhenLoaded) counts.loaded++;
        else counts.different++;
        for (const line of found.differing) print(`${bundle.name}: ${line}`);
        if (found.differing.length > 0)
          for (const line of placed.endedWhenLoaded ? [LOADED, ...found.why] : found.why) print(`    ${line}`);
      }
    }
  } finally {
    process.removeListener('SIGINT', stop);
    await services.close();
  }
  times.sort((a, b) => a - b);
  const share = (part: number) => Math.round(times[Math.floor(part * (times.length - 1))] ?? 0);
  print(
    [
      `${counts.same} of ${counts.same + counts.different} answers are the same from the server as expected`,
      ...(counts.loaded > 0 ? [`${counts.loaded} are not, because the server sets meta.lastUpdated itself`] : []),
      ...(counts.incomparable > 0 ? [`${counts.incomparable} bundles test the prefetch itself, or use FHIR R5`] : []),
      ...(counts.elsewhere > 0 ? [`${counts.elsewhere} belong to a hospital with other settings`] : []),
      ...(times.length > 0
        ? [`a call took ${share(0.5)} ms (median), one in twenty took ${share(0.95)} ms or more`]
        : []),
      ...(stopped ? ['stopped before the end'] : []),
    ].join('; '),
  );
  return counts.different > 0 || stopped ? 1 : 0;
}

const LOADED = 'meta.lastUpdated says how long an ended order may have been taken, and the server sets it itself';

async function compareOne(
  server: TestServer,
  service: Service,
  placed: Placed,
  bundle: TestBundle,
): Promise<{ differing: string[]; why: string[]; ms?: number }> {
  try {
    await server.load(placed.resources);
  } catch (error) {
    return { differing: ['the server rejected it'], why: [messageOf(error)] };
  }
  try {
    const { got, why, ms } = await service.ask(placed, bundle);
    return { differing: differences(shownOf(bundle.expected), got), why, ms };
  } finally {
    await server.remove(placed.resources.map(({ resourceType, id }) => `${resourceType}/${id}`).reverse());
  }
}

/** A client does not see the drugs by which a rule was met. */
function shownOf({ cards, ...expected }: Expected): Expected {
  return { ...expected, ...(cards && { cards: cards.map(({ drugs: _, ...card }) => card) }) };
}

/** The service for each hospital of the bundles: started here, or a running one, which belongs to one hospital. */
function servicesFor({ fhir, service, post }: Options, token: string | undefined) {
  const started = new Map<string, Promise<Service>>();
  const running = service === undefined ? undefined : asking(service, fhir, token, () => []);
  return {
    of: async ({ expected: { site = {} } }: TestBundle): Promise<Service | undefined> => {
      if (running) return Object.keys(site).length === 0 ? { ask: running, close: async () => {} } : undefined;
      const key = JSON.stringify(site);
      const known = started.get(key) ?? start(site, fhir, token, post);
      started.set(key, known);
      return known;
    },
    close: async () => {
      for (const each of started.values()) await (await each).close();
    },
  };
}

async function start(
  site: Record<string, unknown>,
  fhir: string,
  token: string | undefined,
  post: boolean,
): Promise<Service> {
  const { knowledge, problems } = compileKnowledge(readKnowledge(root), { ...deliveredSite, ...site });
  if (!knowledge) throw new Error(problemsText(problems));
  // Compare what the server has, not how busy it is.
  const fetching = { ...knowledge.site.fetch, softMs: knowledge.site.fetch.hardMs, post };
  const fetchJson = createFetchJson();
  let last = '';
  const write = (line: string) => {
    if (line.includes('"answered"')) last = line;
  };
  const app = await createApp({
    knowledge: { ...knowledge, site: { ...knowledge.site, fetch: fetching } },
    config: { ...readConfig({}), fhirServers: [fhir] },
    clients: [],
    logger: pino({ base: null }, { write }),
    clock: Date.now,
    fetchJson,
    folder: root,
    testBundles: join(root, 'test-bundles'),
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  /** The outcome of each key that was not simply fetched. */
  const why = () =>
    Object.entries(object(object(JSON.parse(last || '{}'))['fetched']))
      .filter(([, outcome]) => outcome !== 'fetched')
      .map(([key, outcome]) => `${key}: ${outcome}`);
  return {
    ask: asking(address, fhir, token, why),
    close: async () => {
      await app.close();
      await fetchJson.close();
    },
  };
}

function asking(address: string, fhirServer: string, token: string | undefined, why: () => string[]): Service['ask'] {
  return async ({ body, inOwnIds }, { hook }) => {
    const begun = performance.now();
    const response = await fetch(`${address}/cds-services/${serviceId(hook)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'accept-language': 'en' },
      body: JSON.stringify({
        ...body,
        extension: explained(object(body['extension'])),
        fhirServer,
        ...(token !== undefined && {
          fhirAuthorization: { access_token: token, token_type: 'Bearer', expires_in: 300, subject: 'parity' },
        }),
      }),
    });
    const text = inOwnIds(await response.text());
    const ms = performance.now() - begun;
    const answer = object(JSON.parse(text));
    const { sections = {} } = traceIn(answer);
    const parts = Object.entries(object(sections)).filter(([, state]) => state !== 'complete');
    const known = parts.length > 0 ? [`incomplete: ${parts.map(([key, state]) => `${key} ${state}`).join(', ')}`] : [];
    return { got: observed(response.status, answer), why: [...why(), ...known], ms };
  };
}

function explained(extension: JsonObject): JsonObject {
  return { ...extension, [brand.extension]: { ...object(extension[brand.extension]), explain: true } };
}

function traceIn(answer: JsonObject): JsonObject {
  const [outcome] = objects(answer['extension']);
  const text = string(outcome?.['valueString']);
  if (text !== undefined) return object(JSON.parse(text));
  return object(object(object(answer['extension'])[brand.extension])['trace']);
}

function observed(status: number, answer: JsonObject): Omit<Expected, 'note'> {
  if (status === 200) return { cards: objects(answer['cards']).map((card) => observeShown(card as unknown as Card)) };
  const said = objects(answer['issue']).map(wordsOf);
  const keys = said.flatMap((text) => /^prefetch key missing or incomplete: (\w+)$/.exec(text)?.[1] ?? []);
  return { missing: status === 412 ? keys : [`HTTP ${status}`, ...said] };
}

if (import.meta.main) {
  helpIfAsked(USAGE);
  process.exitCode = await run(process.argv.slice(2), process.env['FHIR_TOKEN'], (line) =>
    process.stdout.write(`${line}\n`),
  );
}
