import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Knowledge } from '../cards/knowledge.ts';
import { ServiceError } from '../errors.ts';
import { UnusableFhir } from '../fhir/versions.ts';
import { compileKnowledge, deliveredSite, type KnowledgeFiles, readKnowledge } from '../knowledge/load.ts';
import { loadPages } from '../knowledge/pages.ts';
import { coverageGaps, type Observed } from '../rules/coverage.ts';
import { proofOf } from '../rules/proof.ts';
import { reachOfResults } from '../rules/reach.ts';
import { siteSchema } from '../rules/schema.ts';
import { type Answered, answerAt, differencesByRule, type RuleDifference } from '../tuning/compare.ts';
import { type Problem, problemsText, readYaml } from '../yaml.ts';
import { answerFile, compare, REVIEW, readTestBundles, type TestBundle } from './bundles.ts';
import { traceability } from './traceability.ts';
import { helpIfAsked, section } from './words.ts';

const USAGE = `Usage: npm run check [-- FOLDER] [--dry] [--against FILE]

Checks that hooks/, cards/ and test-bundles/ fit together, and that a pair of test bundles proves each fact of each rule. Where
nothing is wrong it writes docs/traceability.md and docs/proof.json.

  FOLDER          what to check (this project)
  --dry           write nothing
  --against FILE  say which cards would change with another site.yaml
`;

/**
 * Checks a folder with hooks/, cards/ and test-bundles/: loads them, runs every bundle, and checks coverage. Without
 * problems they are consistent, and `trace` and `proof` are what docs/ should say. Without test bundles, as in the image,
 * the rules are loaded but not proved. `reach`: how far back the rules read results, with the site's own settings.
 */
export function check(folder: string) {
  const files = readKnowledge(folder);
  const { knowledge, problems: ofFiles, remarks } = compileKnowledge(files);
  const problems: Problem[] = [...ofFiles];
  loadPages(folder, problems);
  const bundles = readTestBundles(join(folder, 'test-bundles'), problems);
  const found = {
    problems,
    remarks,
    rules: knowledge?.rules.length ?? 0,
    bundles: bundles.length,
    reach: knowledge && reachInWords(knowledge),
  };
  if (!knowledge || !existsSync(join(folder, 'test-bundles'))) return { ...found, trace: undefined, proof: undefined };
  const sites = new Map<string, Knowledge>();
  const observed = bundles.flatMap((bundle) => {
    const there = knowledgeAt(files, bundle, sites, problems);
    return there ? answerBundle(bundle, there, problems) : [];
  });
  for (const { rule, message } of coverageGaps(knowledge, observed)) {
    problems.push({ file: `hooks/${rule.guideline}.yaml`, line: rule.line, message: `${rule.id}: ${message}` });
  }
  const notes = new Map(bundles.map(({ name, expected }) => [name, expected.note]));
  return {
    ...found,
    trace: traceability(knowledge, observed),
    proof: `${JSON.stringify(proofOf(knowledge, observed, notes), null, 2)}\n`,
  };
}

function reachInWords(knowledge: Knowledge): string {
  const { days, lists } = reachOfResults(knowledge);
  if (days === undefined) return 'results: the rules read the whole history';
  const ofAnyAge = lists.length > 0 ? `, and at any age: ${lists.join(', ')}` : '';
  return `results: the rules read the last ${days} days${ofAnyAge}`;
}

/** The knowledge of a bundle's site, compiled once per site. */
function knowledgeAt(
  files: KnowledgeFiles,
  bundle: TestBundle,
  sites: Map<string, Knowledge>,
  problems: Problem[],
): Knowledge | undefined {
  const key = JSON.stringify(bundle.expected.site ?? {});
  const known = sites.get(key);
  if (known) return known;
  const loaded = compileKnowledge(files, { ...deliveredSite, ...bundle.expected.site });
  for (const { message } of loaded.problems) problems.push({ file: bundle.file, line: 1, message: `site: ${message}` });
  if (loaded.knowledge) sites.set(key, loaded.knowledge);
  return loaded.knowledge;
}

function answerBundle(bundle: TestBundle, knowledge: Knowledge, problems: Problem[]): Observed[] {
  const report = (message: string) => problems.push({ file: bundle.file, line: 1, message });
  try {
    // Without its own date a bundle would prove something else every day.
    const { request, answer } = answerFile(bundle.body, knowledge, knowledge.site.language, '');
    if (request.options.now === undefined) report('extension: the evaluation date is missing');
    for (const difference of compare(bundle, answer)) report(difference);
    if (bundle.expected.note.startsWith(REVIEW))
      report('note: say what this patient shows, once you have seen that the cards are right');
    return [{ bundle: bundle.name, hook: bundle.hook, results: answer.results }];
  } catch (error) {
    if (!(error instanceof ServiceError || error instanceof UnusableFhir)) throw error;
    report(error instanceof ServiceError ? error.diagnostics.join('; ') : error.message);
    return [];
  }
}

/**
 * What another site.yaml would change: evaluates every invented patient at the folder's own site and at the other, and
 * compares the cards by rule. Or what is wrong with the files.
 */
function compareWith(
  folder: string,
  other: string,
): { problems: Problem[] } | { patients: number; differences: RuleDifference[] } {
  const files = readKnowledge(folder);
  const own = compileKnowledge(files);
  const found: Problem[] = [];
  const site = readYaml(other, other, siteSchema, found);
  if (!own.knowledge || !site) return { problems: [...own.problems, ...found] };
  const there = compileKnowledge({ ...files, site });
  const bundles = readTestBundles(join(folder, 'test-bundles'), found);
  if (!there.knowledge || found.length > 0) return { problems: [...there.problems, ...found] };
  const [first, second] = [own.knowledge, there.knowledge].map((at) => bundles.map((bundle) => answerAt(bundle, at)));
  return { patients: bundles.length, differences: differencesByRule(first as Answered[], second as Answered[]) };
}

/** Prints what the other site would change. */
function runAgainst(folder: string, other: string): number {
  const found = compareWith(folder, other);
  if ('problems' in found) {
    process.stdout.write(`${problemsText(found.problems)}\n`);
    return 1;
  }
  process.stdout.write(differencesText(found.patients, found.differences, other));
  return 0;
}

/** Number of patients named for each rule and kind of change. */
const NAMED = 5;

/** The differences as a table, and below it a few patients of each. */
function differencesText(patients: number, differences: RuleDifference[], other: string): string {
  const asked = `${patients} invented patients evaluated with hooks/site.yaml and with ${other}`;
  if (differences.length === 0) return `${asked}: every card is the same\n`;
  const rows = differences.map(({ rule, before, after, appears, vanishes, changes }) =>
    [rule, before, after, appears.length, vanishes.length, changes.length].map(String),
  );
  const named = differences.flatMap(({ rule, appears, vanishes, changes }) =>
    Object.entries({ appears, vanishes, changes }).flatMap(([what, names]) => {
      const rest = names.length > NAMED ? [`... ${names.length - NAMED} more`] : [];
      return [...names.slice(0, NAMED), ...rest].map((name) => [rule, what, name]);
    }),
  );
  const head = ['rule', 'cards here', 'there', 'appear', 'vanish', 'change'];
  return `${[asked, section('Cards by rule', [head, ...rows]), section('Patients', named)].join('\n\n')}\n`;
}

/** Prints the result, and writes docs/traceability.md and docs/proof.json unless `dry`. */
function run(folder: string, dry: boolean): number {
  const { problems, remarks, rules, bundles, trace, proof, reach } = check(folder);
  const proved = trace === undefined ? '; without test bundles the rules are loaded but not proved' : '';
  const summary =
    problems.length === 0
      ? `${rules} rules, ${bundles} test bundles: no problem found${proved}\n`
      : `${problems.length} problem${problems.length === 1 ? '' : 's'}\n`;
  process.stdout.write(
    [
      ...remarks.map((remark) => `left out: ${problemsText([remark])}\n`),
      ...problems.map((problem) => `${problemsText([problem])}\n`),
      ...(reach === undefined ? [] : [`${reach}\n`]),
      summary,
    ].join(''),
  );
  const docs = join(folder, 'docs');
  if (!dry && trace !== undefined && proof !== undefined && problems.length === 0 && existsSync(docs)) {
    writeFileSync(join(docs, 'traceability.md'), trace);
    writeFileSync(join(docs, 'proof.json'), proof);
  }
  return problems.length === 0 ? 0 : 1;
}

// Last, because this code uses everything above.
if (import.meta.main) {
  helpIfAsked(USAGE);
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { dry: { type: 'boolean', default: false }, against: { type: 'string' } },
  });
  const folder = positionals[0] ?? fileURLToPath(new URL('../..', import.meta.url));
  process.exitCode = values.against === undefined ? run(folder, values.dry) : runAgainst(folder, values.against);
}
