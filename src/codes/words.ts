/**
 * What a text may say: words and phrases; `pain-` is the beginning of a word. `except`: similar words. `notAfter`:
 * words that negate it if they come earlier in the sentence; `notWith`: if they are anywhere in it.
 */
export type Wording = {
  any: string[];
  except: string[];
  notAfter: string[];
  notWith: string[];
  /** It states the purpose of a medicine: a coded reason takes precedence. */
  purpose?: true | undefined;
};

type Phrase = { words: string[]; begins: boolean };
export type CompiledWording = Record<Exclude<keyof Wording, 'purpose'>, Phrase[]> & { purpose: boolean };

export function compileWording(wording: Wording): CompiledWording {
  const phrases = (texts: string[]) =>
    texts.map((text) => ({ words: wordsOf(text), begins: text.endsWith('-') })).filter(({ words }) => words.length > 0);
  return {
    any: phrases(wording.any),
    except: phrases(wording.except),
    notAfter: phrases(wording.notAfter),
    notWith: phrases(wording.notWith),
    purpose: wording.purpose === true,
  };
}

/** Number of characters read. Longer texts are notes whose beginning has what matters, and reading on would delay the call. */
const LONGEST_TEXT = 2000;

/** The words of each sentence of a text: what `saysIn` looks through, for however many wordings. */
export function sentencesOf(text: string): string[][] {
  return text
    .slice(0, LONGEST_TEXT)
    .split(/[.;!?\n]/)
    .map(wordsOf);
}

/** Whether any sentence of a text says it. */
export function saysIn(sentences: string[][], { any, except, notAfter, notWith }: CompiledWording): boolean {
  return sentences.some((words) => {
    for (let at = 0; at < words.length; at++) {
      if (!standsAt(words, at, any) || standsAt(words, at, except)) continue;
      if (words.some((_, place) => place < at && standsAt(words, place, notAfter))) continue;
      if (words.some((_, place) => standsAt(words, place, notWith))) continue;
      return true;
    }
    return false;
  });
}

/** Whether one of several texts says one of several things, by their names. */
export function sayOneOf(texts: string[], names: string[], says: ReadonlyMap<string, CompiledWording>): boolean {
  const read = texts.map(sentencesOf);
  return names.some((name) => {
    const wording = says.get(name);
    return wording !== undefined && read.some((text) => saysIn(text, wording));
  });
}

/** Whether one of the phrases is at a position. Most fail at their first word, so that is compared first. */
function standsAt(words: string[], at: number, phrases: Phrase[]): boolean {
  for (const { words: phrase, begins } of phrases) {
    const last = phrase.length - 1;
    let offset = 0;
    while (offset < last && words[at + offset] === phrase[offset]) offset++;
    if (offset < last) continue;
    const found = words[at + last];
    if (begins ? found?.startsWith(phrase[last] as string) : found === phrase[last]) return true;
  }
  return false;
}

/** The lower-case words of a text, split at anything that is neither a letter nor a digit. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
