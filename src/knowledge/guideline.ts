import { fieldNames } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import { compileExpression, type Expression } from '../rules/expression.ts';
import { sectionOf, sectionOfVariable } from '../rules/facts.ts';
import { type Fact, factsOfRule, type Guideline, type IndicatorCase, type Rule } from '../rules/knowledge.ts';
import {
  factsOfSuggestion,
  type GuidelineFile,
  indicators,
  loudest,
  type Site,
  type SuggestionRule,
} from '../rules/schema.ts';
import { type Problem, type Report, reporterOf, type YamlFile } from '../yaml.ts';
import { type CardFiles, factsOfCard } from './cards.ts';

/** What facts may refer to besides the facts above them, and what rules may refer to. */
export type Context = {
  site: Site | undefined;
  lists: Set<string>;
  templates: Set<string>;
  cards: CardFiles | undefined;
};

/** Compiles one guideline and reports all its problems. */
export function compileGuideline(file: YamlFile<GuidelineFile>, context: Context, problems: Problem[]): Guideline {
  const { data } = file;
  const report = reporterOf(file, problems);
  const own = context.site?.parameters[data.id];
  const parameters = Object.fromEntries(
    Object.entries(data.parameters).map(([name, parameter]) => [name, own?.[name] ?? parameter.value]),
  );
  const facts = compileFacts(file, parameters, context, report);
  const rules = data.rules.map((rule, at) => compileRule(data, rule, file.line(['rules', at, 'id']), context, facts));
  const guideline: Guideline = { file: data, parameters, facts, rules };
  for (const [at, rule] of rules.entries()) {
    checkRule(guideline, rule, context, (path, message) => report(['rules', at, ...path], message));
  }
  checkUse(guideline, context, report);
  return guideline;
}

function compileFacts(
  { data, comment }: YamlFile<GuidelineFile>,
  parameters: Guideline['parameters'],
  context: Context,
  report: Report,
): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const [name, text] of Object.entries(data.facts)) {
    const path = ['facts', name];
    if (name in sectionOfVariable || name in parameters) report(path, 'the chart or a parameter already has this name');
    const variables = new Set([...Object.keys(sectionOfVariable), ...Object.keys(parameters), ...facts.keys()]);
    const expression = compileChecked(text, context.lists, variables, (message) => report(path, message));
    if (/\.(empty|not)\(\)\s*$/.test(text)) {
      report(
        path,
        'write a fact for what is found and put it under `unless` or `without`: unknown must not count as absent',
      );
    }
    const sections = expression && sectionsOf(expression, facts, context.site);
    if (sections) facts.set(name, { name, expression, comment: comment(path), sections });
  }
  return facts;
}

/** Compiles an expression and reports every unknown name in it. */
export function compileChecked(
  text: string,
  lists: Set<string>,
  variables: Set<string>,
  report: (message: string) => void,
): Expression | undefined {
  try {
    const expression = compileExpression(text);
    for (const name of expression.variables) {
      if (!variables.has(name)) report(`'%${name}' is not a fact above, a parameter or part of the chart`);
    }
    for (const name of expression.lists) if (!lists.has(name)) report(`'${name}' is not a code list or class`);
    for (const name of expression.members) if (!fieldNames.has(name)) report(`'${name}' is not a field of the chart`);
    return expression;
  } catch (error) {
    report((error as Error).message.split('\n')[0] as string);
    return undefined;
  }
}

/** The parts of the record that an expression needs. The site decides where the medication list is. */
function sectionsOf(expression: Expression, facts: Map<string, Fact>, site: Site | undefined): Set<Section> {
  const variables = [...expression.variables];
  const own = variables
    .map((name) => sectionOf(name, site?.medicationList ?? 'medications'))
    .filter((section) => section !== undefined);
  return new Set([...own, ...variables.flatMap((name) => [...(facts.get(name)?.sections ?? [])])]);
}

function compileRule(
  file: GuidelineFile,
  rule: GuidelineFile['rules'][number],
  line: number,
  { site, cards }: Context,
  facts: Map<string, Fact>,
): Rule {
  const template = cards?.templates[rule.id];
  const { off: _delivered, ...own } = rule;
  return {
    ...own,
    guideline: file.id,
    line,
    section: file.recommendations[rule.recommendation]?.section ?? '',
    source: file.source,
    indicators: indicatorCases(rule.indicator),
    family: rule.family,
    said: [
      ...[...(template?.summaries ?? []), ...(template?.detail ?? [])].flatMap((part) =>
        part.if && facts.has(part.if) ? [part.if] : [],
      ),
      ...rule.suggest.flatMap((suggestion) => ('if' in suggestion && suggestion.if ? [suggestion.if] : [])),
    ],
    off: whyOff(file, rule, site),
  };
}

/** Why a rule is off. National advice is given only if the site is in that country. */
function whyOff(file: GuidelineFile, rule: GuidelineFile['rules'][number], site: Site | undefined): Rule['off'] {
  const countries = rule.countries ?? file.countries;
  if (file.status !== 'active') return 'status';
  if (countries && !(site?.country && countries.includes(site.country))) return 'country';
  if (rule.off && !site?.on.includes(rule.id)) return 'delivered';
  return site?.off.includes(rule.id) ? 'site' : undefined;
}

function indicatorCases(indicator: GuidelineFile['rules'][number]['indicator']): IndicatorCase[] {
  if (typeof indicator === 'string') return [{ indicator, facts: [] }];
  const cases = [...indicators]
    .reverse()
    .flatMap((level) => (indicator[level] ? [{ indicator: level, facts: indicator[level] }] : []));
  return [...cases, { indicator: indicator.else, facts: [] }];
}

function checkRule(guideline: Guideline, rule: Rule, context: Context, report: Report): void {
  const named: [string, string[]][] = [
    ['when', rule.when],
    ['unless', rule.unless],
    ['without', rule.without],
    ['about', rule.about],
    ['unclear', rule.unclear],
    ['indicator', rule.indicators.flatMap(({ facts }) => facts)],
    ['suggest', rule.suggest.flatMap(factsOfSuggestion)],
  ];
  for (const [key, names] of named) {
    // A fact that does not compile has already been reported.
    for (const name of names)
      if (!(name in guideline.file.facts)) report([key], `'${name}' is not a fact of this guideline`);
  }
  if (!(rule.recommendation in guideline.file.recommendations)) {
    report(['recommendation'], `'${rule.recommendation}' is not among the guideline's recommendations`);
  }
  const limit = indicators.indexOf(loudest[rule.source.kind]);
  for (const { indicator } of rule.indicators) {
    if (indicators.indexOf(indicator) > limit) {
      report(['indicator'], `a source of kind '${rule.source.kind}' allows at most '${indicators[limit]}'`);
    }
  }
  for (const suggestion of rule.suggest)
    checkSuggestion(guideline, suggestion, context, (message) => report(['suggest'], message));
}

function checkSuggestion(
  guideline: Guideline,
  suggestion: SuggestionRule,
  context: Context,
  report: (message: string) => void,
): void {
  const { parameters } = guideline;
  if ('create' in suggestion && !context.templates.has(suggestion.create))
    report(`'${suggestion.create}' is not in hooks/templates.yaml`);
  if ('setQuantity' in suggestion && typeof parameters[suggestion.days] !== 'number')
    report(`'${suggestion.days}' is not a parameter with a number of days`);
  if (!('setStop' in suggestion)) return;
  const days = parameters[suggestion.days];
  if (!Array.isArray(days)) report(`'${suggestion.days}' is not a parameter with a list of days`);
  else if (suggestion.recommended !== undefined && !days.includes(parameters[suggestion.recommended] as number)) {
    report(`'${suggestion.recommended}' is not one of '${suggestion.days}'`);
  }
}

function checkUse(guideline: Guideline, { cards }: Context, report: Report): void {
  const used = new Set([
    ...guideline.rules.flatMap((rule) => [
      ...factsOfRule(rule),
      ...(cards?.templates[rule.id] ? factsOfCard(cards.templates[rule.id] as CardFiles['templates'][string]) : []),
      ...rule.suggest.flatMap((suggestion) => [
        ...('days' in suggestion ? [suggestion.days] : []),
        ...('recommended' in suggestion && suggestion.recommended ? [suggestion.recommended] : []),
      ]),
    ]),
    ...[...guideline.facts.values()].flatMap(({ expression }) => [...expression.variables]),
  ]);
  for (const name of guideline.facts.keys())
    if (!used.has(name)) report(['facts', name], 'no rule and no card uses this fact');
  for (const name of Object.keys(guideline.parameters))
    if (!used.has(name)) report(['parameters', name], 'nothing uses this parameter');
  const served = new Set(guideline.rules.map(({ recommendation }) => recommendation));
  for (const id of Object.keys(guideline.file.recommendations)) {
    if (!served.has(id)) report(['recommendations', id], 'no rule implements this recommendation');
  }
}
