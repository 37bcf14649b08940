import type { Knowledge } from '../cards/knowledge.ts';

/** A rule explained for a reader of its trace. */
export type RuleInWords = {
  guideline: string;
  recommendation: string;
  section: string;
  says: string;
  source: string;
  /** Each fact of its guideline as hooks/ defines it. */
  facts: Record<string, string>;
};

/** Every rule by its id, with its texts from hooks/. */
export function describeRules(knowledge: Knowledge): Record<string, RuleInWords> {
  return Object.fromEntries(
    knowledge.guidelines.flatMap(({ file, rules }) =>
      rules.map((rule) => [
        rule.id,
        {
          guideline: file.title,
          recommendation: rule.recommendation,
          section: rule.section,
          says: file.recommendations[rule.recommendation]?.says ?? '',
          source: `${rule.source.publisher}: ${rule.source.title}`,
          facts: file.facts,
        },
      ]),
    ),
  );
}
