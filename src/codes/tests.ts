import type { CodeFile } from './schema.ts';
import { wordsOf } from './words.ts';

export type Presence = 'positive' | 'negative';
type Quantity = { value: number; unit: string };

/** What is known of a list of tests: the medicines that it looks for, its limits, and what single codes of it ask. */
export type TestList = {
  of: string | undefined;
  /** From where a screening is positive, and above which a confirmation is. */
  cutoff: Quantity | undefined;
  limit: Quantity | undefined;
  /** `system|code` of confirmations. */
  confirmations: Set<string>;
  /** `system|code` → the one substance that it asks for. */
  substances: Map<string, string>;
  /** `system|code` → a name that all codes share which ask the same. */
  same: Map<string, string>;
  /** Beginnings of words by which a text names the class, with the substance where they name one. */
  words: { begins: string; substance: string | undefined }[];
};

/** Words by which a text names a class: the last of them is a beginning. `order`: as they stand in the lists. */
export type Named = { list: string; words: string[]; substance: string | undefined; order: number };

export type Toxicology = NonNullable<CodeFile['toxicology']>;

export type Tests = {
  lists: Map<string, TestList>;
  /** What a text may name, by the first letters of its first word, `length` of them. */
  named: { length: number; phrases: Map<string, Named[]> };
  toxicology: Toxicology;
  /** `list|system|code` → what a coded value of that result says. */
  values: Map<string, Presence>;
  /** `system|code`, and beginnings of texts in lower case, longest first → what any result says. */
  codes: Map<string, Presence>;
  begins: [string, Presence][];
};

const NO_TOXICOLOGY: Toxicology = {
  panelWords: [],
  confirmationWords: [],
  metabolites: {},
  detectionDays: {},
  detectionDefault: 14,
  molarMass: {},
  lightest: 250,
};

/** `namesOf`: the names of the substances of a list of medicines, each with its substance. */
export function compileTests(files: CodeFile[], namesOf: (list: string) => [string, string][]): Tests {
  const tests: Tests = {
    lists: new Map(),
    named: { length: 0, phrases: new Map() },
    toxicology: files.flatMap(({ toxicology }) => toxicology ?? [])[0] ?? NO_TOXICOLOGY,
    values: new Map(),
    codes: new Map(),
    begins: [],
  };
  for (const { results, interpretation } of files) {
    for (const [name, concept] of Object.entries(results ?? {})) addList(tests, name, concept, namesOf);
    for (const presence of ['positive', 'negative'] as const) {
      const said = interpretation?.[presence];
      for (const code of said?.codes ?? []) tests.codes.set(`interpretation|${code}`, presence);
      for (const code of said?.snomed ?? []) tests.codes.set(`snomed|${code}`, presence);
      for (const code of said?.loinc ?? []) tests.codes.set(`loinc|${code}`, presence);
      for (const text of said?.begins ?? []) tests.begins.push([text.toLowerCase(), presence]);
    }
  }
  tests.begins.sort(([a], [b]) => b.length - a.length);
  tests.named = namedIn(tests.lists);
  return tests;
}

function namedIn(lists: Tests['lists']): Tests['named'] {
  const all = [...lists].flatMap(([list, { words }]) =>
    words.map(({ begins, substance }) => ({ list, words: begins.split(' '), substance })),
  );
  const length = Math.min(3, ...all.map(({ words }) => (words[0] as string).length));
  const phrases = all.map((phrase, order) => ({ ...phrase, order }));
  return { length, phrases: Map.groupBy(phrases, ({ words }) => (words[0] as string).slice(0, length)) };
}

type Concept = NonNullable<CodeFile['results']>[string];

function addList(tests: Tests, name: string, concept: Concept, namesOf: (list: string) => [string, string][]): void {
  const screens = new Set(keysOf(concept.screens));
  const confirmations = new Set(keysOf(concept.confirmations));
  const substances = new Map<string, string>();
  for (const [substance, codes] of Object.entries(concept.substances ?? {})) {
    for (const key of keysOf(codes)) {
      substances.set(key, substance);
      if (!screens.has(key)) confirmations.add(key);
    }
  }
  const names = concept.of === undefined ? [] : namesOf(concept.of);
  tests.lists.set(name, {
    of: concept.of,
    cutoff: concept.cutoff,
    limit: concept.limit,
    confirmations,
    substances,
    same: new Map((concept.same ?? []).flatMap((codes, at) => codes.map((code) => [code, `${name}-${at}`] as const))),
    words: [
      ...(concept.words ?? []).map((word) => ({ begins: wordsOf(word).join(' '), substance: undefined })),
      ...names.map(([word, substance]) => ({ begins: wordsOf(word).join(' '), substance })),
    ].filter(({ begins }) => begins !== ''),
  });
  for (const [answer, presence] of [
    ['yes', 'positive'],
    ['no', 'negative'],
  ] as const)
    for (const key of keysOf(concept.values?.[answer])) tests.values.set(`${name}|${key}`, presence);
}

function keysOf(codes: Partial<Record<string, string[]>> | undefined): string[] {
  return Object.entries(codes ?? {}).flatMap(([system, list]) => (list ?? []).map((code) => `${system}|${code}`));
}
