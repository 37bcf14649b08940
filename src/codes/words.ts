/**
 * What a text may say: words and phrases, of which `smärt-` is the beginning of a word. `except`: words that look like it.
 * `notAfter`: what takes it back where it stands before it in the sentence; `notWith`: where it stands anywhere in it.
 */
export type Wording = {
  any: string[];
  except: string[];
  notAfter: string[];
  notWith: string[];
  /** It says what a medicine is for: a coded reason decides before it. */
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

/** Longer texts are notes: what is looked for stands at their beginning, and a call must not wait for the rest. */
const LONGEST_TEXT = 2000;

/** Whether a text says it, in one of its sentences. */
export function saysIn(text: string, wording: CompiledWording): boolean {
  return text
    .slice(0, LONGEST_TEXT)
    .split(/[.;!?\n]/)
    .some((sentence) => saysInSentence(wordsOf(sentence), wording));
}

function saysInSentence(words: string[], { any, except, notAfter, notWith }: CompiledWording): boolean {
  for (let at = 0; at < words.length; at++) {
    if (!standsAt(words, at, any) || standsAt(words, at, except)) continue;
    const before = words.slice(0, at);
    if (before.some((_, place) => standsAt(words, place, notAfter))) continue;
    if (words.some((_, place) => standsAt(words, place, notWith))) continue;
    return true;
  }
  return false;
}

function standsAt(words: string[], at: number, phrases: Phrase[]): boolean {
  return phrases.some(({ words: phrase, begins }) =>
    phrase.every((word, offset) => {
      const found = words[at + offset];
      return begins && offset === phrase.length - 1 ? found?.startsWith(word) : found === word;
    }),
  );
}

/** Lower-case words of a text; everything that is neither letter nor digit parts them. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
