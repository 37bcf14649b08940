import Negotiator from 'negotiator';
import { type Language, languages } from '../language.ts';

/** Other Norwegian language codes, which are answered in nb. */
const READ_AS: Record<string, Language> = { no: 'nb', nn: 'nb' };

/**
 * The language of the cards for an `Accept-Language` header: the first one that we write, ignoring regions, otherwise
 * the site's. Any form of Norwegian is answered in nb (recommendations.md, further decision 11).
 */
export function negotiateLanguage(header: string | undefined, fallback: Language): Language {
  if (header === undefined) return fallback;
  for (const wanted of new Negotiator({ headers: { 'accept-language': header } }).languages()) {
    const base = wanted.toLowerCase().split('-')[0] as string;
    const language = READ_AS[base] ?? base;
    if ((languages as readonly string[]).includes(language)) return language as Language;
  }
  return fallback;
}
