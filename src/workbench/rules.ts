import type { Knowledge } from '../cards/knowledge.ts';

/** Every rule by its id, with its texts from hooks/ and all facts of its guideline, for a reader of its trace. */
export function describeRules(knowledge: Knowledge) {
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
