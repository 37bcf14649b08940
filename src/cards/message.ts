import { IntlMessageFormat } from 'intl-messageformat';
import { type Language, locales } from '../language.ts';

/** An ICU message, parsed once: the placeholders it names and the text it gives. */
export type Message = { placeholders: Set<string>; format: (values: Record<string, string | number | Date>) => string };

type Element = { type: number; value?: unknown; options?: Record<string, { value: Element[] }>; children?: Element[] };

const LITERAL = 0;
const POUND = 7;

/** Local dates have no time zone: they are midnights in UTC and are written in UTC. */
const formats = {
  date: Object.fromEntries(
    (['short', 'medium', 'long', 'full'] as const).map((style) => [
      style,
      { ...IntlMessageFormat.formats.date[style], timeZone: 'UTC' },
    ]),
  ),
};

const known = new Map<string, Message>();

/** Parses an ICU message, once: there are as many as cards/ has texts. Throws an Error where it is none. */
export function message(text: string, language: Language): Message {
  const key = `${language}\0${text}`;
  const parsed = known.get(key) ?? parse(text, language);
  known.set(key, parsed);
  return parsed;
}

function parse(text: string, language: Language): Message {
  // Markup in angle brackets is text for a reader here, never a tag.
  const format = new IntlMessageFormat(text, locales[language], formats, { ignoreTag: true });
  const placeholders = new Set<string>();
  collect(format.getAst() as Element[], placeholders);
  return { placeholders, format: (values) => String(format.format(values)) };
}

function collect(elements: Element[], placeholders: Set<string>): void {
  for (const element of elements) {
    if (element.type !== LITERAL && element.type !== POUND && typeof element.value === 'string')
      placeholders.add(element.value);
    for (const option of Object.values(element.options ?? {})) collect(option.value, placeholders);
    collect(element.children ?? [], placeholders);
  }
}
