import type { Knowledge } from '../cards/knowledge.ts';
import type { Rendering } from '../cards/rendering.ts';
import type { Chart, Drug } from '../chart/chart.ts';
import type { Texts } from '../language.ts';
import type { Finding } from '../rules/facts.ts';
import type { RuleResult } from '../rules/result.ts';
import { knowledge } from './app.ts';

/** One text in every language. */
export const inAll = (text: string): Texts => ({ sv: text, nb: text, da: text, en: text });

type Words = {
  /** Replaces texts of cards/shared.yaml. */
  shared?: object;
  /** The cards by rule, and the parameters of the one guideline. */
  templates?: object;
  parameters?: Record<string, number | number[]>;
  /** Replaces settings of hooks/site.yaml, and resources that cards may create. */
  site?: object;
  create?: object;
};

/** Knowledge with the words of a test, so that nobody who changes cards/ changes the test. Its one guideline is `g`. */
export function knowledgeWith({ shared, templates, parameters = {}, site, create }: Words): Knowledge {
  const guideline = { file: { id: 'g', title: 'The guideline' }, parameters, facts: new Map(), rules: [] };
  return {
    ...knowledge,
    site: { ...knowledge.site, ...site },
    guidelines: [guideline],
    templates: { ...create },
    cards: { shared: { ...knowledge.cards.shared, ...shared }, templates: { ...templates } },
  } as unknown as Knowledge;
}

/** What the cards of an English answer about a chart are made from. */
export function renderingOf(chart: Partial<Chart>, more: Partial<Rendering> = {}): Rendering {
  return {
    knowledge,
    chart: {
      hook: 'order-sign',
      today: '2026-03-02',
      drafts: [],
      treatments: [],
      leftOut: [],
      unread: { drafts: [], treatments: [] },
      resources: new Map(),
      subject: { patient: 'kari' },
      version: 'R4',
      ...chart,
    } as Chart,
    language: 'en',
    hookInstance: 'call-1',
    removed: new Set(),
    exact: () => undefined,
    advice: undefined,
    ...more,
  };
}

/** A medicine that no list of ours names. */
export function drugOf(name: string, more: object = {}): Drug {
  return {
    ref: `MedicationRequest/${name}`,
    name,
    lists: [],
    otherwise: false,
    timeline: {},
    ...more,
  } as unknown as Drug;
}

type Given = Partial<Omit<RuleResult, 'rule' | 'finding'>> & {
  rule?: object;
  findings?: Record<string, Partial<Finding>>;
};

/** A rule `r` of the guideline `g` that fires, with these findings; every other fact does not hold. */
export function resultOf({ rule, findings = {}, ...more }: Given = {}): RuleResult {
  const none = { outcome: 'does-not-hold', value: [], resources: [], courses: [], missing: [] };
  return {
    rule: {
      id: 'r',
      guideline: 'g',
      suggest: [],
      select: 'any',
      source: { kind: 'guideline', publisher: 'P', title: 'T', date: '2026' },
      ...rule,
    },
    outcome: 'fires',
    indicator: 'info',
    about: [],
    missing: [],
    unclear: [],
    finding: (fact: string) => ({ fact, ...none, ...findings[fact] }),
    ...more,
  } as unknown as RuleResult;
}
