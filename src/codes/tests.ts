import type { CodeFile } from './schema.ts';
import { wordsOf } from './words.ts';

export type Presence = 'positive' | 'negative';
type Quantity = { value: number; unit: string };

/** A list of tests: the medicines that it looks for, its limits, and what its single codes ask for. */
export type TestList = {
  of: string | undefined;
  /** The cut-off of a screening, and the limit of a confirmation. */
  cutoff: Quantity | undefined;
  limit: Quantity | undefined;
  /** `system|code` of confirmations. */
  confirmations: Set<string>;
  /** `system|code` → the single substance that it asks for. */
  substances: Map<string, string>;
  /** `system|code` → a name shared by all codes that ask the same. */
  same: Map<string, string>;
  /** Beginnings of words that name the class in a text, with the substance if they name one. */
  words: { begins: string; substance: string | undefined }[];
};

/** Words of a text with a meaning; the last may be the beginning of a word. */
type Phrase = { words: string[] };
/** Words that name a class in a text. `order`: their position in the lists. */
type Named = Phrase & { list: string; substance: string | undefined; order: number };
/** Phrases by the first `length` letters of their first word. */
type Index<P extends Phrase> = { letters: number; phrases: Map<string, P[]> };

export type Toxicology = NonNullable<CodeFile['toxicology']>;

export type Tests = {
  lists: Map<string, TestList>;
  /** The names of tests in texts, and the words that only say drug test. */
  named: Index<Named>;
  panel: Index<Phrase>;
  toxicology: Toxicology;
  /** `list|system|code` → the meaning of a coded value of that result. */
  values: Map<string, Presence>;
  /** `system|code`, and beginnings of texts in lower case, longest first → the meaning for any result. */
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

/** `namesOf`: the names of the substances in a list of medicines, each with its substance. */
export function compileTests(files: CodeFile[], namesOf: (list: string) => [string, string][]): Tests {
  const tests: Tests = {
    lists: new Map(),
    named: indexOf([]),
    panel: indexOf([]),
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
  const named = [...tests.lists].flatMap(([list, { words }]) =>
    words.map(({ begins, substance }) => ({ list, words: begins.split(' '), substance })),
  );
  tests.named = indexOf(named.map((phrase, order) => ({ ...phrase, order })));
  tests.panel = indexOf(tests.toxicology.panelWords.map((text) => ({ words: wordsOf(text) })));
  return tests;
}

function indexOf<P extends Phrase>(phrases: P[]): Index<P> {
  const first = ({ words }: P) => words[0] ?? '';
  // The first of several words is a whole word, and a short one has its own letters.
  const letters = Math.min(
    3,
    ...phrases.filter(({ words }) => words.length === 1).map((phrase) => first(phrase).length),
  );
  return { letters, phrases: Map.groupBy(phrases, (phrase) => first(phrase).slice(0, letters)) };
}

/** The phrases among the first words of a text; the name of a test is no longer. */
export function phrasesIn<P extends Phrase>(words: string[], { letters, phrases }: Index<P>): P[] {
  let found: P[] | undefined;
  for (let at = 0; at < words.length && at < MOST_WORDS; at++) {
    const candidates = phrases.get((words[at] as string).slice(0, letters));
    if (candidates === undefined) continue;
    for (const phrase of candidates) {
      if (!standsAt(words, at, phrase.words)) continue;
      found ??= [];
      found.push(phrase);
    }
  }
  return found ?? NONE;
}

const MOST_WORDS = 40;
const NONE: never[] = [];

export function standsAt(words: string[], at: number, phrase: string[]): boolean {
  return phrase.every((part, offset) =>
    offset === phrase.length - 1 ? words[at + offset]?.startsWith(part) : words[at + offset] === part,
  );
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
