import type { Knowledge } from '../cards/knowledge.ts';
import { compileKnowledge, type KnowledgeFiles, readKnowledge } from '../knowledge/load.ts';
import type { Rule } from '../rules/knowledge.ts';
import { siteSchema } from '../rules/schema.ts';
import { problemsText, readYaml } from '../yaml.ts';
import { UnusableInput } from './patients.ts';

/** The site whose settings the rules follow: hooks/site.yaml, or another such file. */
export type SiteChoice = { name: string; path?: string };

/** What the figures need from a rule, as plain data that can be passed between threads. */
export type RuleInfo = Pick<Rule, 'id' | 'recommendation' | 'hooks'> & {
  off: boolean;
  /** Days for which its card is left out after an accepted override; undefined if the site sets none. */
  quietDays: number | undefined;
};

export function rulesOf({ rules, site }: Knowledge): RuleInfo[] {
  return rules.map(({ id, recommendation, hooks, off }) => ({
    id,
    recommendation,
    hooks,
    off: off !== undefined,
    quietDays: site.quiet.days[id],
  }));
}

/** The rules of a folder as a site serves them. Throws with every problem, each with file and line. */
export function loadSite(folder: string, { name, path }: SiteChoice): Knowledge {
  const read = readKnowledge(folder);
  const problems = read.problems;
  const site = path === undefined ? read.site : readYaml(path, name, siteSchema, problems);
  const { knowledge, problems: found } = compileKnowledge({ ...read, site } as KnowledgeFiles);
  if (!knowledge) throw new UnusableInput(problemsText(found));
  return knowledge;
}
