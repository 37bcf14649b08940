import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Knowledge } from '../cards/knowledge.ts';
import type { TreatmentParameters } from '../chart/parameters.ts';
import { type Codes, loadCodes } from '../codes/load.ts';
import type { Classes } from '../rules/classes.ts';
import type { Expression } from '../rules/expression.ts';
import { classVariables, sectionOfVariable } from '../rules/facts.ts';
import type { Guideline } from '../rules/knowledge.ts';
import {
  classesSchema,
  type GuidelineFile,
  guidelineSchema,
  type Site,
  siteSchema,
  type Template,
  type TreatmentsFile,
  templatesSchema,
  treatmentsSchema,
} from '../rules/schema.ts';
import { type Problem, type Report, readYaml, readYamlFiles, reporterOf, type YamlFile } from '../yaml.ts';
import { type CardFiles, checkCards, loadCards } from './cards.ts';
import { compileChecked, compileGuideline } from './guideline.ts';

/** Files of hooks/ that are not guidelines. */
const NOT_GUIDELINES = ['site.yaml', 'classes.yaml', 'templates.yaml', 'treatments.yaml'];

/** `remarks`: rows of drug tables that were left out; the rest is still served. */
export type Loaded = { remarks: Problem[] } & (
  | { knowledge: Knowledge; problems: [] }
  | { knowledge: undefined; problems: Problem[] }
);

/** The contents of a folder's files, read once; `compileKnowledge` turns them into what a hospital serves. */
export type KnowledgeFiles = {
  site: YamlFile<Site> | undefined;
  codes: Codes;
  lists: Set<string>;
  classes: Classes;
  treatments: YamlFile<TreatmentsFile> | undefined;
  templates: Record<string, Template>;
  cards: CardFiles | undefined;
  guidelines: YamlFile<GuidelineFile>[];
  fingerprint: string;
  problems: Problem[];
  remarks: Problem[];
};

/**
 * Loads hooks/ and cards/ of a folder. Finds all problems before reporting them, each with file and line; knowledge
 * with a problem is not served. `site` replaces keys of hooks/site.yaml.
 */
export function loadKnowledge(folder: string, site: Record<string, unknown> = {}): Loaded {
  return compileKnowledge(readKnowledge(folder), site);
}

export function readKnowledge(folder: string): KnowledgeFiles {
  const problems: Problem[] = [];
  const remarks: Problem[] = [];
  const hooks = join(folder, 'hooks');
  const codes = loadCodes(join(hooks, 'codes'), 'hooks/codes', problems, remarks);
  const concepts = [codes.conditions, codes.procedures, codes.results].flatMap(({ names }) => [...names]);
  const lists = new Set([...codes.lists.keys(), ...concepts]);
  const classes = compileClasses(hooks, lists, problems);
  const treatments = readYaml(join(hooks, 'treatments.yaml'), 'hooks/treatments.yaml', treatmentsSchema, problems);
  if (treatments) checkTreatments(treatments, codes, lists, problems);
  const templates = readYaml(join(hooks, 'templates.yaml'), 'hooks/templates.yaml', templatesSchema, problems);
  const guidelines = readYamlFiles(hooks, 'hooks', guidelineSchema, problems, NOT_GUIDELINES);
  return {
    site: readYaml(join(hooks, 'site.yaml'), 'hooks/site.yaml', siteSchema, problems),
    codes,
    lists,
    classes,
    treatments,
    templates: templates?.data.templates ?? {},
    cards: loadCards(join(folder, 'cards'), problems),
    guidelines,
    fingerprint: fingerprint(folder),
    problems,
    remarks,
  };
}

export function compileKnowledge(files: KnowledgeFiles, changes: Record<string, unknown> = {}): Loaded {
  const problems = [...files.problems];
  const { cards, remarks } = files;
  const site = files.site && changedSite(files.site, changes, problems);
  const context = { site: site?.data, lists: files.lists, templates: new Set(Object.keys(files.templates)), cards };
  const guidelines = files.guidelines
    .map((file) => compileGuideline(file, context, problems))
    .sort((a, b) => a.file.position - b.file.position || (a.file.id < b.file.id ? -1 : 1));
  const { treatments } = files;
  if (site)
    checkSite(site, guidelines, treatments?.data, Object.keys(cards?.shared.data.overrideReasons ?? {}), problems);
  checkReferences(files.guidelines, problems);
  if (!site || !cards || !treatments) return { knowledge: undefined, problems: sorted(problems), remarks };
  const knowledge: Knowledge = {
    site: site.data,
    codes: files.codes,
    classes: files.classes,
    treatments: { ...treatments.data, parameters: treatmentParameters(treatments.data, site.data) },
    guidelines,
    rules: guidelines.flatMap(({ rules }) => rules),
    templates: files.templates,
    cards: { shared: cards.shared.data, templates: cards.templates },
    fingerprint: files.fingerprint,
  };
  checkCards(knowledge, cards, problems);
  return problems.length > 0
    ? { knowledge: undefined, problems: sorted(problems), remarks }
    : { knowledge, problems: [], remarks };
}

/**
 * The default site, which replaces any hospital's own: test bundles prove the rules and not a hospital's settings, so
 * they use it unless they set keys themselves.
 */
export const deliveredSite: Readonly<Record<string, unknown>> = { ...siteSchema.parse({}), country: undefined };

function changedSite(file: YamlFile<Site>, changes: Record<string, unknown>, problems: Problem[]): YamlFile<Site> {
  const changed = siteSchema.safeParse({ ...file.data, ...changes });
  if (changed.success) return { ...file, data: changed.data };
  const report = reporterOf(file, problems);
  for (const { path, message } of changed.error.issues) report(path, message);
  return file;
}

function treatmentParameters({ parameters }: TreatmentsFile, site: Site): TreatmentParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { value }]) => [name, site.parameters[TREATMENTS]?.[name] ?? value]),
  ) as TreatmentParameters;
}

/** The name of treatments.yaml among the guidelines whose parameters a site may set. */
const TREATMENTS = 'treatments';

function checkTreatments(file: YamlFile<TreatmentsFile>, codes: Codes, lists: Set<string>, problems: Problem[]): void {
  const { continues, besides } = file.data;
  const report = reporterOf(file, problems);
  if (!lists.has(continues.class)) report(['continues', 'class'], `'${continues.class}' is not a code list or class`);
  if (!codes.conditions.names.has(continues.conditions))
    report(['continues', 'conditions'], `'${continues.conditions}' is not a list of conditions`);
  if (!codes.procedures.names.has(continues.procedures))
    report(['continues', 'procedures'], `'${continues.procedures}' is not a list of procedures`);
  for (const name of [...continues.says.medicines, ...continues.says.others, ...continues.removal])
    if (!codes.reading.says.has(name)) report(['continues'], `'${name}' is not under \`says\` in hooks/codes`);
  for (const name of besides.except)
    if (!lists.has(name)) report(['besides', 'except'], `'${name}' is not a code list or class`);
  for (const [name, parameter] of Object.entries(file.data.parameters))
    checkParameter(parameter, parameter.value, (message) => report(['parameters', name], message));
}

function compileClasses(folder: string, lists: Set<string>, problems: Problem[]): Classes {
  const classes = new Map<string, Expression>();
  const classFacts = new Map<string, Expression>();
  const file = readYaml(join(folder, 'classes.yaml'), 'hooks/classes.yaml', classesSchema, problems);
  const reporterFor = (key: string, name: string) => (message: string) =>
    problems.push({
      file: 'hooks/classes.yaml',
      line: file?.line([key, name]) ?? 1,
      message: `${name}: ${message}`,
    });
  const variables = new Set([...Object.keys(sectionOfVariable), ...classVariables]);
  for (const [name, text] of Object.entries(file?.data.facts ?? {})) {
    const report = reporterFor('facts', name);
    if (variables.has(name)) report('the chart or a fact already has this name');
    const expression = compileChecked(text, lists, variables, report);
    if (expression) classFacts.set(name, expression);
    variables.add(name);
  }
  for (const [name, text] of Object.entries(file?.data.classes ?? {})) {
    const report = reporterFor('classes', name);
    if (lists.has(name)) report('a code list already has this name');
    const expression = compileChecked(`where(${text}\n)`, lists, variables, report);
    if (expression) classes.set(name, expression);
    lists.add(name);
  }
  return { classes, facts: classFacts };
}

function checkSite(
  site: YamlFile<Site>,
  guidelines: Guideline[],
  treatments: TreatmentsFile | undefined,
  reasons: string[],
  problems: Problem[],
): void {
  const report = reporterOf(site, problems);
  const rules = guidelines.flatMap((guideline) => guideline.rules.map(({ id }) => id));
  for (const key of ['off', 'on'] as const)
    for (const [at, id] of site.data[key].entries())
      if (!rules.includes(id)) report([key, at], `there is no rule '${id}'`);
  for (const id of Object.keys(site.data.silent.rules)) {
    if (!rules.includes(id)) report(['silent', 'rules', id], `there is no rule '${id}'`);
    else if (site.data.off.includes(id)) report(['silent', 'rules', id], 'it is switched off under `off`');
  }
  for (const [id, values] of Object.entries(site.data.parameters)) {
    const parameters: GuidelineFile['parameters'] | undefined =
      id === TREATMENTS ? treatments?.parameters : guidelines.find(({ file }) => file.id === id)?.file.parameters;
    if (!parameters) report(['parameters', id], 'there is no such guideline');
    for (const [name, value] of Object.entries(values)) {
      if (parameters) checkParameter(parameters[name], value, (message) => report(['parameters', id, name], message));
    }
  }
  checkQuiet(site.data.quiet, guidelines, reasons, report);
}

function checkQuiet(
  { days, accepted }: Site['quiet'],
  guidelines: Guideline[],
  reasons: string[],
  report: Report,
): void {
  const rules = guidelines.flatMap((guideline) => guideline.rules);
  for (const id of Object.keys(days)) {
    const rule = rules.find((candidate) => candidate.id === id);
    if (!rule) report(['quiet', 'days', id], `there is no rule '${id}'`);
    else if (rule.indicators.some(({ indicator }) => indicator === 'critical'))
      report(['quiet', 'days', id], 'a critical card is never left out');
    else if (rule.rides) report(['quiet', 'days', id], 'it gives no card of its own');
  }
  if (Object.keys(days).length > 0 && accepted.length === 0)
    report(['quiet', 'accepted'], 'name the override reasons that mean "known and accepted"');
  for (const [at, key] of accepted.entries())
    if (!reasons.includes(key)) report(['quiet', 'accepted', at], `there is no override reason '${key}'`);
}

function checkParameter(
  parameter: GuidelineFile['parameters'][string] | undefined,
  value: number | number[],
  report: (message: string) => void,
): void {
  if (!parameter) {
    report('there is no such parameter');
    return;
  }
  const list = Array.isArray(parameter.value);
  if (Array.isArray(value) !== list) report(list ? 'must be a list of numbers' : 'must be one number');
  const outside = [value].flat().some((number) => number < parameter.min || number > parameter.max);
  if (outside) report(`must be between ${parameter.min} and ${parameter.max}`);
}

function checkReferences(files: YamlFile<GuidelineFile>[], problems: Problem[]): void {
  const rules = files.flatMap(({ data }) => data.rules);
  const recommendations = files.flatMap(({ data }) => Object.keys(data.recommendations));
  for (const file of files) {
    const report = reporterOf(file, problems);
    for (const id of Object.keys(file.data.recommendations)) {
      if (recommendations.filter((other) => other === id).length > 1)
        report(['recommendations', id], 'another guideline has this id');
    }
    for (const [at, rule] of file.data.rules.entries()) {
      if (rules.filter(({ id }) => id === rule.id).length > 1)
        report(['rules', at, 'id'], `another rule is called '${rule.id}'`);
      const { always, sameDrugs, sameOrders, except } = rule.supersedes;
      for (const weaker of [...always, ...sameDrugs, ...sameOrders, ...except]) {
        if (weaker !== '*' && !rules.some(({ id }) => id === weaker))
          report(['rules', at, 'supersedes'], `there is no rule '${weaker}'`);
      }
      if (rule.rides && !rules.some((other) => other.family === rule.family && !other.rides)) {
        report(['rules', at, 'rides'], 'no rule in its family gives a card for it to ride on');
      }
    }
  }
}

/** Changes with anything that affects decisions or cards; the texts of reports (cards/pages/) do not. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const part of ['hooks', 'cards']) {
    const names = readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' }).filter(
      (name) => /\.(yaml|csv)$/.test(name) && !/^cards\/pages\b/.test(`${part}/${name}`),
    );
    for (const name of names.sort())
      hash
        .update(`${part}/${name}\0`)
        .update(readFileSync(join(folder, part, name)))
        .update('\0');
  }
  return hash.digest('hex');
}

function sorted(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line);
}
