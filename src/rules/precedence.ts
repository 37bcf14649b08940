import type { RuleResult } from './evaluate.ts';

/**
 * One card a problem: a rule that fires silences the rules it supersedes wherever they speak about one of its drugs
 * (recommendations.md, "One card a problem"). A rule that is itself superseded silences nothing.
 */
export function supersede(results: RuleResult[]): RuleResult[] {
  const firing = results.filter(({ outcome }) => outcome === 'fires');
  const stronger = (weaker: RuleResult) =>
    firing.filter(
      (result) =>
        result.rule.supersedes.includes(weaker.rule.id) &&
        result.about.some(({ ref }) => weaker.about.some((drug) => drug.ref === ref)),
    );
  const standing = firing.filter((result) => stronger(result).length === 0);
  return results.map((result) => {
    const by =
      result.outcome === 'fires' ? stronger(result).find((candidate) => standing.includes(candidate)) : undefined;
    return by ? { ...result, outcome: 'superseded' as const, supersededBy: by.rule.id } : result;
  });
}
