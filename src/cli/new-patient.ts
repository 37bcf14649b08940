import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { isObject } from '../fhir/json.ts';
import { compileKnowledge, deliveredSite, readKnowledge } from '../knowledge/load.ts';
import { type Problem, problemsText } from '../yaml.ts';
import { answerFile, type Expected, observe, REVIEW, readTestBundles } from './bundles.ts';
import { runCommand } from './words.ts';

const USAGE = `Usage: npm run new-patient -- FROM TO [--set PATH=VALUE]...
       npm run new-patient -- PATIENT

The first makes an invented patient of another one, such as opioid-start/five-days: a request, with what
--set changes in it, and what the service answers to it. The second writes again what the service answers, after you have changed
the request by hand. Both are for you to read: npm run check refuses them until you have said in the note what the patient shows.

  --set PATH=VALUE  for example context.draftOrders.entry.0.resource.status=active; VALUE is JSON or a text, nothing takes it away
  --folder FOLDER   that holds hooks/, cards/ and test-bundles/ (this project)
`;

if (import.meta.main) await runCommand(USAGE, run);

function run(words: string[]): void {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { set: { type: 'string', multiple: true, default: [] }, folder: { type: 'string' } },
  });
  const [from, to = from, ...more] = positionals.map(nameOf);
  if (from === undefined || to === undefined || more.length > 0) throw new Error(USAGE);
  const folder = values.folder ?? fileURLToPath(new URL('../..', import.meta.url));
  const pathOf = (name: string, what: string) => join(folder, 'test-bundles', `${name}.${what}`);
  if (to !== from && existsSync(pathOf(to, 'request.json'))) throw new Error(`There is a patient ${to} already.`);
  const text = readFileSync(pathOf(from, 'request.json'), 'utf8');
  const request = values.set.length === 0 ? text : changed(text, values.set);
  const expected = expectedOf(folder, from, JSON.parse(request));
  mkdirSync(dirname(pathOf(to, 'request.json')), { recursive: true });
  writeFileSync(pathOf(to, 'request.json'), request);
  writeFileSync(pathOf(to, 'expected.yaml'), stringify({ ...expected, note: `${REVIEW}, made from ${from}` }));
  process.stdout.write(`test-bundles/${to}.request.json\ntest-bundles/${to}.expected.yaml\n`);
}

/** The name `folder/patient`, also from the path of one of its files. */
function nameOf(word: string): string {
  const name = /^(?:.*test-bundles\/)?([a-z0-9-]+\/[a-z0-9-]+)(?:\.request\.json|\.expected\.yaml)?$/.exec(word)?.[1];
  if (name === undefined) throw new Error(`'${word}' is no patient such as opioid-start/five-days`);
  return name;
}

/** The service's answer to a request, at the site of the patient that it was made from. */
function expectedOf(folder: string, from: string, body: unknown): Expected {
  const problems: Problem[] = [];
  const origin = readTestBundles(join(folder, 'test-bundles'), problems).find(({ name }) => name === from);
  const site = origin?.expected.site;
  const { knowledge, problems: found } = compileKnowledge(readKnowledge(folder), { ...deliveredSite, ...site });
  if (!origin || !knowledge) throw new Error(problemsText([...problems, ...found]));
  const { answer } = answerFile(body, knowledge, knowledge.site.language, '');
  return { note: '', ...(site && { site }), ...observe(answer) };
}

function changed(text: string, changes: string[]): string {
  const body: unknown = JSON.parse(text);
  for (const change of changes) {
    const [, path = '', value = ''] = /^([^=]+)=(.*)$/s.exec(change) ?? [];
    const keys = path.split('.');
    const last = keys.pop() as string;
    const place = keys.reduce(
      (at: unknown, key) => (isObject(at) || Array.isArray(at) ? at[key as never] : undefined),
      body,
    );
    if (last === '' || !(isObject(place) || Array.isArray(place)))
      throw new Error(`--set ${change}: there is no ${path}`);
    if (value !== '') Object.assign(place, { [last]: readValue(value) });
    else if (Array.isArray(place)) place.splice(Number(last), 1);
    else delete place[last];
  }
  return `${JSON.stringify(body, undefined, 2)}\n`;
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
