import type { Element, Extension } from 'fhir/r4.js';
import { type Language, languages, type Texts } from '../language.ts';

/** A text of a resource: the value under its key, and FHIR's extensions under `_key`. */
type Said<K extends string> = { [key in K]: string } & { [key in `_${K}`]?: Element };

const TRANSLATION = 'http://hl7.org/fhir/StructureDefinition/translation';
const LANGUAGE = 'http://hl7.org/fhir/StructureDefinition/language';

/** A text in the resource's language, with the other languages as FHIR's standard translation extension. */
export function said<K extends string>(key: K, texts: Texts, language: Language): Said<K> {
  const others = languages.filter((other) => other !== language);
  const extension = others.map(
    (other): Extension => ({
      url: TRANSLATION,
      extension: [
        { url: 'lang', valueCode: other },
        { url: 'content', valueString: texts[other] },
      ],
    }),
  );
  return { [key]: texts[language], [`_${key}`]: { extension } } as Said<K>;
}

/** A text that exists only in English; resources in other languages mark it so. */
export function inEnglish<K extends string>(key: K, text: string, language: Language): Said<K> {
  const marked = { [`_${key}`]: { extension: [{ url: LANGUAGE, valueCode: 'en' }] } };
  return { [key]: text, ...(language !== 'en' && marked) } as Said<K>;
}

/** Joins texts as paragraphs. */
export function paragraphs(texts: Texts[]): Texts {
  return Object.fromEntries(
    languages.map((language) => [language, texts.map((text) => text[language]).join('\n\n')]),
  ) as Texts;
}
