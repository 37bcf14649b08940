import type { Extension, PlanDefinition, PlanDefinitionAction, RelatedArtifact } from 'fhir/r4.js';
import { brand } from '../brand.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { message } from '../cards/message.ts';
import type { CardTemplate } from '../cards/schema.ts';
import { languages, type Texts } from '../language.ts';
import { factsOfRule, type Guideline, guidelineOf, type Rule } from '../rules/knowledge.ts';
import type { Indicator } from '../rules/schema.ts';
import { reasonCoding } from './code-systems.ts';
import { type Context, canonical, header, imprint } from './context.ts';
import { extensionUrl } from './extensions.ts';
import { jurisdictionOf, sectionsOf } from './libraries.ts';
import { expressionOf, holds, listed } from './logic.ts';
import { suggestionActions } from './suggestions.ts';
import { inEnglish, paragraphs, said } from './words.ts';

/** The indicator of a card as FHIR's urgency of an action. */
const PRIORITY = { info: 'routine', warning: 'urgent', critical: 'stat' } as const satisfies Record<Indicator, string>;

const ECA_RULE = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }],
};

/**
 * One PlanDefinition per rule, as CPG-on-FHIR has one per recommendation: a rule has its own hooks, conditions and
 * card, so a repository can version, find and switch it off separately.
 */
export function planDefinitions(context: Context): PlanDefinition[] {
  return context.knowledge.rules.map((rule) => planDefinition(context, rule));
}

function planDefinition(context: Context, rule: Rule): PlanDefinition {
  const { knowledge, language } = context;
  const guideline = guidelineOf(knowledge, rule);
  const { file } = guideline;
  const recommendation = file.recommendations[rule.recommendation] as Guideline['file']['recommendations'][string];
  const countries = file.rules.find(({ id }) => id === rule.id)?.countries ?? file.countries;
  const usage = whyNotServed(rule, knowledge.site.country);
  const extension = relations(context, rule);
  return {
    ...header(context, 'PlanDefinition', rule.id),
    ...(extension.length > 0 && { extension }),
    identifier: [{ system: brand.topicSystem, value: rule.id }],
    version: file.version,
    ...inEnglish('title', `${file.title}: ${rule.id}`, language),
    type: ECA_RULE,
    status: statusOf(rule, file.status),
    ...imprint(context),
    ...inEnglish('description', recommendation.says, language),
    ...(countries && { jurisdiction: jurisdictionOf(countries) }),
    ...(recommendation.added !== undefined && inEnglish('purpose', recommendation.added, language)),
    ...(usage !== undefined && inEnglish('usage', usage, language)),
    relatedArtifact: [citation(context, rule)],
    library: [`${canonical(context, 'Library', file.id)}|${file.version}`],
    action: [card(context, rule, guideline)],
  };
}

/** A rule that is not served here is not active: a repository that runs active definitions would give its card. */
function statusOf({ off }: Rule, status: Guideline['file']['status']): 'active' | 'draft' | 'retired' {
  if (off === undefined) return 'active';
  return status === 'draft' || off === 'delivered' ? 'draft' : 'retired';
}

function whyNotServed({ off }: Rule, country: string | undefined): string | undefined {
  if (off === 'site') return 'Switched off at this site.';
  if (off === 'delivered') return 'Off by default: a site can switch it on.';
  if (off === 'country') return `Not given in ${country}.`;
  return undefined;
}

/** The relations of a rule to others. */
function relations(context: Context, rule: Rule): Extension[] {
  const { always, sameDrugs, sameOrders, except } = rule.supersedes;
  const silenced = (name: 'supersedes' | 'supersedes-same-drugs' | 'supersedes-same-orders', weaker: string[]) =>
    context.knowledge.rules
      .filter(({ id }) => id !== rule.id && !except.includes(id) && (weaker.includes('*') || weaker.includes(id)))
      .map(({ id }) => ({
        url: extensionUrl(context, name),
        valueCanonical: canonical(context, 'PlanDefinition', id),
      }));
  return [
    ...silenced('supersedes', always),
    ...silenced('supersedes-same-drugs', sameDrugs),
    ...silenced('supersedes-same-orders', sameOrders),
    ...rule.unclear.map((fact) => ({ url: extensionUrl(context, 'unclear'), valueString: fact })),
    ...(rule.family === undefined ? [] : [{ url: extensionUrl(context, 'family'), valueString: rule.family }]),
    ...(rule.rides ? [{ url: extensionUrl(context, 'rides'), valueBoolean: true }] : []),
  ];
}

function citation({ knowledge, language }: Context, { source, section }: Rule): RelatedArtifact {
  const words = (of: keyof Texts) => sourceLine(knowledge, source, of);
  const texts = Object.fromEntries(languages.map((of) => [of, words(of)])) as Texts;
  return {
    type: 'citation',
    label: section,
    display: `${source.publisher}: ${source.title}`,
    ...said('citation', texts, language),
    ...(source.url !== undefined && { url: source.url }),
  };
}

function sourceLine(
  { cards }: Knowledge,
  { kind, publisher, title, date }: Rule['source'],
  language: keyof Texts,
): string {
  const { sourceKinds, sourceLine: line, undated } = cards.shared;
  const values = { kind: sourceKinds[kind][language], publisher, title, date: date ?? undated[language] };
  return message(line[language], language).format(values);
}

/** The card: when it is given, what it says, what it offers. */
function card(context: Context, rule: Rule, guideline: Guideline): PlanDefinitionAction {
  const { knowledge, language } = context;
  const template = knowledge.cards.templates[rule.id] as CardTemplate;
  const library = canonical(context, 'Library', guideline.file.id);
  const always = template.detail.filter((part) => part.if === undefined).map(({ text }) => text);
  const suggestions = suggestionActions(context, rule, guideline, template, library);
  const [first, ...louder] = [...rule.indicators].reverse() as [Rule['indicators'][number], ...Rule['indicators']];
  const reasons = template.overrideReasons.flatMap((key) => {
    const valueCoding = reasonCoding(context, key);
    return valueCoding ? [{ url: extensionUrl(context, 'override-reason'), valueCoding }] : [];
  });
  return {
    id: 'card',
    ...(reasons.length > 0 && { extension: reasons }),
    prefix: rule.recommendation,
    ...said('title', template.summary, language),
    ...(always.length > 0 && said('description', paragraphs(always), language)),
    ...inEnglish('textEquivalent', inWords(rule), language),
    priority: PRIORITY[first.indicator],
    documentation: [citation(context, rule)],
    trigger: rule.hooks.map((name) => ({ type: 'named-event', name })),
    condition: conditionsOf(rule).map(({ expression, description }) => ({
      kind: 'applicability',
      expression: expressionOf(library, expression, description),
    })),
    input: sectionsOf(factsOfRule(rule).flatMap((name) => [...(guideline.facts.get(name)?.sections ?? [])])),
    ...(louder.length > 0 && {
      dynamicValue: [{ path: 'action.priority', expression: expressionOf(library, priority(rule)) }],
    }),
    action: [
      detail(context, template, library),
      ...(suggestions.length > 0
        ? [
            {
              id: 'suggestions',
              groupingBehavior: 'logical-group' as const,
              selectionBehavior: rule.select,
              action: suggestions,
            },
          ]
        : []),
    ],
  };
}

/** The conditions of the card: facts under `when` hold, those under `unless` and `without` do not. */
function conditionsOf({ when, unless, without }: Rule): { expression: string; description: string }[] {
  const not = (fact: string, description: string) => ({ expression: `${holds(fact)}.not()`, description });
  return [
    ...when.map((fact) => ({ expression: holds(fact), description: `${fact} holds` })),
    ...unless.map((fact) => not(fact, `${fact} does not hold, or is not known to hold`)),
    ...without.map((fact) =>
      not(fact, `${fact} is known not to hold; if the data that it needs are missing, the rule is not decided`),
    ),
  ];
}

function inWords({ hooks, when, unless, without }: Rule): string {
  return [
    `At ${listed([...hooks], 'or')}, where ${listed(when, 'and')} ${when.length > 1 ? 'hold' : 'holds'}`,
    ...(without.length > 0 ? [`and it is known that ${listed(without, 'or')} does not`] : []),
    ...(unless.length > 0 ? [`unless ${listed(unless, 'or')} holds`] : []),
  ].join(', ');
}

/** The highest priority whose fact holds. */
function priority({ indicators }: Rule): string {
  return indicators.reduceRight(
    (otherwise, { indicator, facts }) =>
      facts.length === 0
        ? `'${PRIORITY[indicator]}'`
        : `iif(${facts.map(holds).join(' or ')}, '${PRIORITY[indicator]}', ${otherwise})`,
    '',
  );
}

/** The paragraphs of the card in order, each with its condition. */
function detail({ language }: Context, template: CardTemplate, library: string): PlanDefinitionAction {
  return {
    id: 'detail',
    groupingBehavior: 'logical-group',
    selectionBehavior: 'all',
    action: template.detail.map((part, at) => ({
      id: `detail-${at + 1}`,
      ...said('description', part.text, language),
      ...(part.if !== undefined && {
        condition: [
          { kind: 'applicability' as const, expression: expressionOf(library, holds(part.if), `${part.if} holds`) },
        ],
      }),
    })),
  };
}
