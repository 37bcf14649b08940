import { IntlMessageFormat } from 'intl-messageformat';
import { type Language, locales } from '../language.ts';

/** A parsed ICU message: its placeholders and its formatter. */
export type Message = { placeholders: Set<string>; format: (values: Values) => string };
type Values = Record<string, string | number | Date>;

/** A part of a message: its text for these values, inside a plural for this number. */
type Part = (values: Values, number?: number) => string;

/** A node of the library's syntax tree, with the fields that are read here. */
type Element = {
  type: number;
  value?: unknown;
  style?: unknown;
  options?: Record<string, { value: Element[] }>;
  offset?: number;
  pluralType?: Intl.PluralRuleType;
};

/** TYPE of @formatjs/icu-messageformat-parser. */
const LITERAL = 0;
const ARGUMENT = 1;
const NUMBER = 2;
const DATE = 3;
const SELECT = 5;
const POUND = 7;

/** Local dates have no time zone: they are midnights in UTC and formatted in UTC. */
const formats = {
  date: Object.fromEntries(
    (['short', 'medium', 'long', 'full'] as const).map((style) => [
      style,
      { ...IntlMessageFormat.formats.date[style], timeZone: 'UTC' },
    ]),
  ),
};

const known: Record<Language, Map<string, Message>> = { en: new Map(), sv: new Map(), nb: new Map(), da: new Map() };

/** Parses an ICU message, once per text in cards/. Throws an Error if it is not valid. */
export function message(text: string, language: Language): Message {
  let found = known[language].get(text);
  if (found === undefined) {
    found = compile(parse(text, language), language);
    known[language].set(text, found);
  }
  return found;
}

/** Formats a message with the library. The compiled form must give the same. */
export function parse(text: string, language: Language): IntlMessageFormat {
  // Angle brackets are plain text here, never a tag.
  return new IntlMessageFormat(text, locales[language], formats, { ignoreTag: true });
}

/** Compiles the library's syntax tree to closures. A message with an unknown element is left to the library. */
function compile(format: IntlMessageFormat, language: Language): Message {
  const elements = format.getAst() as Element[];
  const placeholders = new Set<string>();
  collect(elements, placeholders);
  const compiled = sequence(elements, language);
  return { placeholders, format: compiled ?? ((values) => String(format.format(values))) };
}

function collect(elements: Element[], placeholders: Set<string>): void {
  for (const element of elements) {
    if (element.type !== LITERAL && typeof element.value === 'string') placeholders.add(element.value);
    for (const option of Object.values(element.options ?? {})) collect(option.value, placeholders);
  }
}

function sequence(elements: Element[], language: Language): Part | undefined {
  const parts: Part[] = [];
  for (const element of elements) {
    const part = partOf(element, language);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  if (parts.length === 1) return parts[0];
  return (values, number) => {
    let text = '';
    for (const part of parts) text += part(values, number);
    return text;
  };
}

function partOf(element: Element, language: Language): Part | undefined {
  const { type, value, style } = element;
  if (type === LITERAL) {
    const text = String(value);
    return () => text;
  }
  if (type === POUND) {
    const { format } = numberFormat(language);
    return (_values, number) => (number === undefined ? '' : format(number));
  }
  const name = String(value);
  if (type === ARGUMENT) return (values) => String(given(values, name));
  if (type === NUMBER && style === null) {
    const { format } = numberFormat(language);
    return (values) => format(given(values, name) as number);
  }
  if (type === DATE && typeof style === 'string' && style in formats.date) {
    const { format } = dateFormat(language, style);
    return (values) => format(given(values, name) as Date);
  }
  return choice(element, name, language);
}

/** `{name, select, …}` and `{name, plural, …}`: the option of the value, otherwise `other`. Undefined for what has no options. */
function choice({ type, options = {}, offset = 0, pluralType }: Element, name: string, language: Language) {
  const parts = new Map<string, Part>();
  for (const [key, option] of Object.entries(options)) {
    const part = sequence(option.value, language);
    if (part === undefined) return undefined;
    parts.set(key, part);
  }
  const other = parts.get('other');
  if (other === undefined) return undefined;
  if (type === SELECT) return (values: Values) => (parts.get(String(given(values, name))) ?? other)(values);
  const rules = new Intl.PluralRules(locales[language], { type: pluralType ?? 'cardinal' });
  return (values: Values) => {
    const value = given(values, name) as number;
    const number = value - offset;
    return (parts.get(`=${value}`) ?? parts.get(rules.select(number)) ?? other)(values, number);
  };
}

function given(values: Values, name: string): string | number | Date {
  const value = values[name];
  if (value === undefined) throw new Error(`no value for {${name}}`);
  return value;
}

/** Formats are large, so there is one per language and style, shared by all messages. */
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(language: Language): Intl.NumberFormat {
  return once(language, () => new Intl.NumberFormat(locales[language]));
}

function dateFormat(language: Language, style: string): Intl.DateTimeFormat {
  return once(`${language} ${style}`, () => new Intl.DateTimeFormat(locales[language], formats.date[style]));
}

function once<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
  const found = made.get(key) ?? make();
  made.set(key, found);
  return found as T;
}
