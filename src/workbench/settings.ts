import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Knowledge } from '../cards/knowledge.ts';
import { readTestBundles, type TestBundle } from '../cli/bundles.ts';
import { ServiceError } from '../errors.ts';
import { compileKnowledge, type KnowledgeFiles, readKnowledge } from '../knowledge/load.ts';
import type { GuidelineFile } from '../rules/schema.ts';
import { type Answered, answerAt, differencesByRule, type RuleDifference } from '../tuning/compare.ts';
import { settingsSchema, siteFile, siteOf } from '../tuning/site-file.ts';

/**
 * What other settings would change: the number of patients, the differences by rule, and the site.yaml with them. Or
 * why they are not valid.
 */
export type Tried = { problems: string[] } | { patients: number; differences: RuleDifference[]; site: string };

/** Tries other settings on the folder that a sandbox's rules came from. Files are read on first use. */
export function createSettings(folder: string, knowledge: Knowledge, testBundles: string) {
  let read: { files: KnowledgeFiles; bundles: TestBundle[]; here: Answered[] | undefined } | undefined;
  const opened = () => {
    read ??= { files: readKnowledge(folder), bundles: readTestBundles(testBundles, []), here: undefined };
    return read;
  };
  let newest = 0;

  /** Evaluates all patients at one site, with pauses for other calls. Stops if a newer request arrives. */
  async function evaluateAll(bundles: TestBundle[], at: Knowledge, number: number): Promise<Answered[]> {
    const answers: Answered[] = [];
    for (const bundle of bundles) {
      if (number !== newest) throw new ServiceError('overloaded');
      answers.push(answerAt(bundle, at));
      await nextTurn();
    }
    return answers;
  }

  return {
    choices: () => choicesOf(opened().files, knowledge),
    /** Throws a `ServiceError` if the settings are not valid, or if a newer request has replaced this one. */
    async tried(body: unknown): Promise<Tried> {
      const asked = settingsSchema.safeParse(body);
      if (!asked.success)
        throw new ServiceError(
          'no-settings',
          asked.error.issues.map(({ path }) => path.join('.')),
        );
      const { files, bundles } = opened();
      newest += 1;
      const number = newest;
      const loaded = compileKnowledge(files, { ...knowledge.site, ...siteOf(asked.data, knowledge.site) });
      if (!loaded.knowledge) return { problems: loaded.problems.map(({ message }) => message) };
      const own = opened();
      own.here ??= await evaluateAll(bundles, knowledge, number);
      const there = await evaluateAll(bundles, loaded.knowledge, number);
      return {
        patients: bundles.length,
        differences: differencesByRule(own.here, there),
        site: siteFile(readFileSync(join(folder, 'hooks/site.yaml'), 'utf8'), asked.data),
      };
    },
  };
}

/** The settings as the page shows them: parameters and rules by guideline, and their current values at the site. */
function choicesOf({ guidelines, treatments }: KnowledgeFiles, { site }: Knowledge) {
  const parameters = (of: GuidelineFile['parameters']) =>
    Object.entries(of).map(([name, { value, ...others }]) => ({ name, delivered: value, ...others }));
  const { country, off, on, silent } = site;
  return {
    settings: { country: country ?? null, off, on, trial: Object.keys(silent.rules), parameters: site.parameters },
    guidelines: [
      ...guidelines
        .map(({ data }) => data)
        .sort((a, b) => a.position - b.position)
        .map((data) => ({
          id: data.id,
          title: data.title,
          parameters: parameters(data.parameters),
          rules: data.rules.map(({ id, recommendation, off: offByDefault, countries = data.countries ?? [] }) => ({
            id,
            says: data.recommendations[recommendation]?.says ?? '',
            offByDefault,
            countries,
          })),
        })),
      {
        id: 'treatments',
        title: 'How entries of the record become treatments',
        parameters: parameters(treatments?.data.parameters ?? {}),
        rules: [],
      },
    ],
  };
}
