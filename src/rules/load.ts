import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CardFiles, checkCards, factsOfCard, loadCards } from '../cards/load.ts';
import type { CardTemplate } from '../cards/schema.ts';
import type { Section } from '../chart/chart.ts';
import { fieldNames } from '../chart/fields.ts';
import { loadCodes } from '../codes/load.ts';
import { sectionOfVariable } from './evaluate.ts';
import { compileExpression, type Expression } from './expression.ts';
import type { Fact, Guideline, IndicatorCase, Knowledge, Rule } from './knowledge.ts';
import {
  classesSchema,
  type GuidelineFile,
  guidelineSchema,
  indicators,
  loudest,
  type Site,
  siteSchema,
} from './schema.ts';
import { type Problem, readYaml, type YamlFile } from './yaml.ts';

/** Files of hooks/ that are no guideline. */
const NOT_GUIDELINES = ['site.yaml', 'classes.yaml'];

export type Loaded = { knowledge: Knowledge; problems: [] } | { knowledge: undefined; problems: Problem[] };

/**
 * Loads hooks/ and cards/ of a folder. Every problem is found before any is said, each with file and line; knowledge
 * with a problem is not served.
 */
export function loadKnowledge(folder: string): Loaded {
  const problems: Problem[] = [];
  const hooksFolder = join(folder, 'hooks');
  const site = readYaml(join(hooksFolder, 'site.yaml'), 'hooks/site.yaml', siteSchema, problems);
  const codes = loadCodes(join(hooksFolder, 'codes'), 'hooks/codes', problems);
  const lists = new Set([
    ...codes.lists.keys(),
    ...codes.conditions.names,
    ...codes.procedures.names,
    ...codes.results.names,
  ]);
  const classes = compileClasses(hooksFolder, lists, problems);
  const cards = loadCards(join(folder, 'cards'), problems);
  const guidelines = readdirSync(hooksFolder)
    .filter((name) => name.endsWith('.yaml') && !NOT_GUIDELINES.includes(name))
    .sort()
    .map((name) => readYaml(join(hooksFolder, name), `hooks/${name}`, guidelineSchema, problems))
    .filter((file) => file !== undefined)
    .map((file) => compileGuideline(file, site?.data, lists, cards, problems));
  if (site) checkSite(site, guidelines, problems);
  checkReferences(guidelines, problems);
  if (!site || !cards) return { knowledge: undefined, problems: sorted(problems) };
  const knowledge: Knowledge = {
    site: site.data,
    codes,
    classes,
    guidelines: guidelines.map(({ guideline }) => guideline),
    rules: guidelines.flatMap(({ guideline }) => guideline.rules),
    cards: { shared: cards.shared.data, templates: cards.templates },
    fingerprint: fingerprint(folder),
  };
  checkCards(knowledge, cards, problems);
  return problems.length > 0 ? { knowledge: undefined, problems: sorted(problems) } : { knowledge, problems: [] };
}

type Compiled = { guideline: Guideline; file: YamlFile<GuidelineFile> };

function compileClasses(folder: string, lists: Set<string>, problems: Problem[]): Map<string, Expression> {
  const classes = new Map<string, Expression>();
  const file = readYaml(join(folder, 'classes.yaml'), 'hooks/classes.yaml', classesSchema, problems);
  for (const [name, text] of Object.entries(file?.data.classes ?? {})) {
    const say = (message: string) =>
      problems.push({
        file: 'hooks/classes.yaml',
        line: file?.line(['classes', name]) ?? 1,
        message: `${name}: ${message}`,
      });
    if (lists.has(name)) say('a code list has this name already');
    const expression = compile(text, lists, new Set(Object.keys(sectionOfVariable)), say);
    if (expression) classes.set(name, expression);
    lists.add(name);
  }
  return classes;
}

function compile(
  text: string,
  lists: Set<string>,
  variables: Set<string>,
  say: (message: string) => void,
): Expression | undefined {
  try {
    const expression = compileExpression(text);
    for (const name of expression.variables)
      if (!variables.has(name)) say(`'%${name}' is no fact above, parameter or part of the chart`);
    for (const name of expression.lists) if (!lists.has(name)) say(`'${name}' is no code list or class`);
    for (const name of expression.members) if (!fieldNames.has(name)) say(`'${name}' is no field of the chart`);
    return expression;
  } catch (error) {
    say((error as Error).message.split('\n')[0] as string);
    return undefined;
  }
}

function compileGuideline(
  file: YamlFile<GuidelineFile>,
  site: Site | undefined,
  lists: Set<string>,
  cards: CardFiles | undefined,
  problems: Problem[],
): Compiled {
  const { data } = file;
  const say = (path: PropertyKey[], message: string) =>
    problems.push({ file: file.file, line: file.line(path), message: `${path.join('.')}: ${message}` });
  const parameters = Object.fromEntries(
    Object.entries(data.parameters).map(([name, parameter]) => [
      name,
      site?.parameters[data.id]?.[name] ?? parameter.value,
    ]),
  );
  const facts = new Map<string, Fact>();
  for (const [name, text] of Object.entries(data.facts)) {
    const path = ['facts', name];
    if (name in sectionOfVariable || name in parameters) say(path, 'the chart or a parameter has this name already');
    const known = new Set([...Object.keys(sectionOfVariable), ...Object.keys(parameters), ...facts.keys()]);
    const expression = compile(text, lists, known, (message) => say(path, message));
    if (expression && /\.(empty|not)\(\)\s*$/.test(text))
      say(path, 'say what is found and put it under `unless`: what is not known must not count as absent');
    if (expression) facts.set(name, { name, expression, sections: sectionsOf(expression, facts) });
  }
  const guideline: Guideline = { file: data, parameters, facts, rules: [] };
  const saidBy = (id: string) =>
    cards?.templates[id] ? factsOfCard(cards.templates[id]).filter((name) => facts.has(name)) : [];
  guideline.rules = data.rules.map((rule) => compileRule(data, rule, site, saidBy(rule.id)));
  for (const [at, rule] of guideline.rules.entries())
    checkRule(guideline, rule, (key, message) => say(['rules', at, ...key], message));
  const used = usedNames(guideline, cards);
  for (const name of facts.keys()) if (!used.has(name)) say(['facts', name], 'no rule and no card uses this fact');
  for (const name of Object.keys(parameters))
    if (!used.has(name)) say(['parameters', name], 'nothing uses this parameter');
  return { guideline, file };
}

function sectionsOf(expression: Expression, facts: Map<string, Fact>): Set<Section> {
  const own = [...expression.variables]
    .map((name) => sectionOfVariable[name])
    .filter((section) => section !== undefined);
  const inherited = [...expression.variables].flatMap((name) => [...(facts.get(name)?.sections ?? [])]);
  return new Set([...own, ...inherited]);
}

function compileRule(
  file: GuidelineFile,
  rule: GuidelineFile['rules'][number],
  site: Site | undefined,
  said: string[],
): Rule {
  const off =
    file.status !== 'active'
      ? 'status'
      : file.countries && site?.country && !file.countries.includes(site.country)
        ? 'country'
        : site?.off.includes(rule.id)
          ? 'site'
          : undefined;
  return {
    ...rule,
    guideline: file.id,
    section: rule.section,
    source: file.source,
    indicators: indicatorCases(rule.indicator),
    said,
    off,
  };
}

function indicatorCases(indicator: GuidelineFile['rules'][number]['indicator']): IndicatorCase[] {
  if (typeof indicator === 'string') return [{ indicator, facts: [] }];
  const cases = [...indicators]
    .reverse()
    .flatMap((level) => (indicator[level] ? [{ indicator: level, facts: indicator[level] }] : []));
  return [...cases, { indicator: indicator.else, facts: [] }];
}

function checkRule(guideline: Guideline, rule: Rule, say: (key: PropertyKey[], message: string) => void): void {
  const named: [string, string[]][] = [
    ['when', rule.when],
    ['unless', rule.unless],
    ['about', rule.about],
    ['indicator', rule.indicators.flatMap(({ facts }) => facts)],
    ['suggest', rule.suggest.map((suggestion) => ('remove' in suggestion ? suggestion.remove : suggestion.setStop))],
  ];
  for (const [key, names] of named)
    for (const name of names) if (!guideline.facts.has(name)) say([key], `'${name}' is no fact of this guideline`);
  const limit = indicators.indexOf(loudest[rule.source.kind]);
  for (const { indicator } of rule.indicators) {
    if (indicators.indexOf(indicator) > limit)
      say(['indicator'], `a source of kind '${rule.source.kind}' gives at most '${indicators[limit]}'`);
  }
  for (const suggestion of rule.suggest) {
    if (!('setStop' in suggestion)) continue;
    const days = guideline.parameters[suggestion.days];
    if (!Array.isArray(days)) say(['suggest'], `'${suggestion.days}' is no parameter with a list of days`);
    else if (!days.includes(guideline.parameters[suggestion.recommended] as number))
      say(['suggest'], `'${suggestion.recommended}' is not one of '${suggestion.days}'`);
  }
}

function usedNames(guideline: Guideline, cards: CardFiles | undefined): Set<string> {
  const rules = guideline.rules.flatMap((rule) => [
    ...rule.when,
    ...rule.unless,
    ...rule.about,
    ...rule.indicators.flatMap(({ facts }) => facts),
    ...(cards?.templates[rule.id] ? factsOfCard(cards.templates[rule.id] as CardTemplate) : []),
    ...rule.suggest.flatMap((suggestion) => ('setStop' in suggestion ? [suggestion.days, suggestion.recommended] : [])),
  ]);
  const facts = [...guideline.facts.values()].flatMap(({ expression }) => [...expression.variables]);
  return new Set([...rules, ...facts]);
}

function checkSite(site: YamlFile<Site>, guidelines: Compiled[], problems: Problem[]): void {
  const say = (path: PropertyKey[], message: string) =>
    problems.push({ file: site.file, line: site.line(path), message: `${path.join('.')}: ${message}` });
  const rules = guidelines.flatMap(({ guideline }) => guideline.rules.map(({ id }) => id));
  for (const [at, id] of site.data.off.entries()) if (!rules.includes(id)) say(['off', at], `there is no rule '${id}'`);
  for (const [id, values] of Object.entries(site.data.parameters)) {
    const parameters = guidelines.find(({ guideline }) => guideline.file.id === id)?.guideline.file.parameters;
    if (!parameters) say(['parameters', id], 'there is no such guideline');
    for (const [name, value] of Object.entries(values)) {
      const parameter = parameters?.[name];
      const path = ['parameters', id, name];
      if (parameters && !parameter) say(path, 'there is no such parameter');
      if (!parameter) continue;
      if (Array.isArray(value) !== Array.isArray(parameter.value))
        say(path, Array.isArray(value) ? 'one number is asked for' : 'a list of numbers is asked for');
      if ([value].flat().some((number) => number < parameter.min || number > parameter.max))
        say(path, `must lie between ${parameter.min} and ${parameter.max}`);
    }
  }
}

function checkReferences(guidelines: Compiled[], problems: Problem[]): void {
  const rules = guidelines.flatMap(({ guideline }) => guideline.rules);
  for (const { guideline, file } of guidelines) {
    for (const [at, rule] of guideline.rules.entries()) {
      const say = (key: string, message: string) =>
        problems.push({ file: file.file, line: file.line(['rules', at, key]), message: `${rule.id}: ${message}` });
      if (rules.filter(({ id }) => id === rule.id).length > 1) say('id', 'another rule has this id');
      for (const weaker of rule.supersedes)
        if (!rules.some(({ id }) => id === weaker)) say('supersedes', `there is no rule '${weaker}'`);
    }
  }
}

function fingerprint(folder: string): string {
  const hash = createHash('sha256');
  for (const part of ['hooks', 'cards']) {
    for (const name of readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(yaml|csv)$/.test(name))
      .sort()) {
      hash
        .update(`${part}/${name}\0`)
        .update(readFileSync(join(folder, part, name)))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

function sorted(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line);
}
