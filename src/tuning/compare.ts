import type { Knowledge } from '../cards/knowledge.ts';
import { answerFile, observeShown, type TestBundle } from '../cli/bundles.ts';
import { ServiceError } from '../errors.ts';
import { UnusableFhir } from '../fhir/versions.ts';

/** The cards of a patient at one site: for each rule its card as one text, for comparison. */
export type Answered = { patient: string; cards: Map<string, { indicator: string; text: string }> };

/** How one rule's cards differ between two sites. Names of patients, each once. */
export type RuleDifference = {
  rule: string;
  before: number;
  after: number;
  appears: string[];
  vanishes: string[];
  changes: string[];
};

/** Stands for a rule if a call has no answer because data are missing. */
const REFUSED = '(no answer: data missing)';

/** Evaluates an invented patient at a site, on the day and at the hook of its file, ignoring the site that the file names. */
export function answerAt(bundle: TestBundle, knowledge: Knowledge): Answered {
  const patient = bundle.name;
  try {
    const { answer } = answerFile(bundle.body, knowledge, 'en', '');
    if ('missing' in answer)
      return { patient, cards: new Map([[REFUSED, { indicator: '', text: answer.missing.join() }]]) };
    const cards = answer.cards.map((card) => {
      const { summary, detail, indicator } = card;
      const labels = card.suggestions?.map(({ label }) => label);
      return [
        card.source.topic.code,
        { indicator, text: JSON.stringify([indicator, summary, detail, labels, observeShown(card)]) },
      ] as const;
    });
    return { patient, cards: new Map(cards) };
  } catch (error) {
    // A call that is refused at both sites shows no difference.
    if (!(error instanceof ServiceError || error instanceof UnusableFhir)) throw error;
    return { patient, cards: new Map() };
  }
}

/** What appears, vanishes and changes from the first site to the second, by rule. Rules without a difference are left out. */
export function differencesByRule(first: Answered[], second: Answered[]): RuleDifference[] {
  const found = new Map<string, RuleDifference>();
  const of = (rule: string): RuleDifference => {
    const known = found.get(rule) ?? { rule, before: 0, after: 0, appears: [], vanishes: [], changes: [] };
    found.set(rule, known);
    return known;
  };
  for (const [at, { patient, cards: before }] of first.entries()) {
    const after = second[at]?.cards ?? new Map();
    for (const rule of new Set([...before.keys(), ...after.keys()])) {
      const difference = of(rule);
      const [old, now] = [before.get(rule), after.get(rule)];
      if (old) difference.before++;
      if (now) difference.after++;
      if (!old) difference.appears.push(patient);
      else if (!now) difference.vanishes.push(patient);
      else if (old.text !== now.text) difference.changes.push(patient);
    }
  }
  return [...found.values()]
    .filter(({ appears, vanishes, changes }) => appears.length + vanishes.length + changes.length > 0)
    .sort((a, b) => (a.rule < b.rule ? -1 : 1));
}
