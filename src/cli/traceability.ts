import type { Knowledge } from '../cards/knowledge.ts';
import { decidingPairs, type Observed } from '../rules/coverage.ts';
import type { Guideline, Rule } from '../rules/knowledge.ts';

/**
 * docs/traceability.md: from each source and its section to the recommendation, the rule, its facts, its card and the
 * pairs of test bundles that prove each fact. Written by `npm run check`; a test fails if it is stale.
 */
export function traceability(knowledge: Knowledge, observed: Observed[]): string {
  return [
    '# Traceability',
    '',
    'Written by `npm run check` from hooks/, cards/ and test-bundles/; do not edit. A rule implements every',
    'recommendation of a source, every rule comes from a recommendation, and for every fact of a rule two test bundles that',
    'differ only in that fact show that it decides. The bundles are run over HTTP in all four languages by',
    '[src/test-bundles.test.ts](../src/test-bundles.test.ts), and the proof is asked for by',
    '[src/cli/check.test.ts](../src/cli/check.test.ts).',
    '',
    ...knowledge.guidelines.flatMap((guideline) => [...guidelineLines(guideline, observed), '']),
  ].join('\n');
}

function guidelineLines(guideline: Guideline, observed: Observed[]): string[] {
  const { file, rules } = guideline;
  const { source } = file;
  const where = source.url ? `[${source.title}](${source.url})` : source.title;
  return [
    `## ${file.title}`,
    '',
    `Source: ${source.publisher}, ${where}${source.date ? `, ${source.date}` : ''} (${source.kind}).`,
    `Rules: [hooks/${file.id}.yaml](../hooks/${file.id}.yaml). Words: [cards/${file.id}.yaml](../cards/${file.id}.yaml).`,
    '',
    ...Object.entries(file.recommendations).flatMap(([id, recommendation]) => [
      `### ${id}: ${recommendation.says.trim()}`,
      '',
      `Section of the source: ${recommendation.section}.${recommendation.added ? ` Added: ${recommendation.added}` : ''}`,
      '',
      ...rules.filter((rule) => rule.recommendation === id).flatMap((rule) => [...ruleLines(rule, observed), '']),
    ]),
  ].slice(0, -1);
}

function ruleLines(rule: Rule, observed: Observed[]): string[] {
  const pairs = decidingPairs(rule, observed);
  const role = (fact: string) => (['when', 'unless', 'without'] as const).find((key) => rule[key].includes(fact));
  const limits = [
    ...(rule.family ? [`one card with the family ${rule.family}${rule.rides ? ', never alone' : ''}`] : []),
    ...silencing(rule),
    ...(rule.off === 'delivered' ? ['off by default'] : []),
  ];
  return [
    `**\`${rule.id}\`** at ${rule.hooks.join(', ')}: ${rule.indicators.map(({ indicator, facts }) => (facts.length > 0 ? `${indicator} where ${facts.join(' or ')}` : indicator)).join(', else ')}.${limits.length > 0 ? ` ${limits.join('; ')}.` : ''}`,
    '',
    '| fact | | speaks in | silent in |',
    '|---|---|---|---|',
    ...pairs.map(({ fact, speaks, silent }) => `| ${fact} | ${role(fact)} | ${link(speaks)} | ${link(silent)} |`),
  ];
}

/** Which rules it supersedes, and where. */
function silencing({ supersedes: { always, sameDrugs, sameOrders, except } }: Rule): string[] {
  const without = except.length > 0 ? ` (not ${except.join(', ')})` : '';
  const silences = (weaker: string[], where: string) => {
    if (weaker.length === 0) return [];
    const names = weaker.map((id) => (id === '*' ? `every other rule${without}` : id));
    return [`silences ${names.join(', ')}${where}`];
  };
  return [
    ...silences(always, ''),
    ...silences(sameDrugs, ' about its own drugs'),
    ...silences(sameOrders, ' about its own orders'),
  ];
}

function link(bundle: string): string {
  return `[${bundle.split('/')[1]}](../test-bundles/${bundle}.request.json)`;
}
