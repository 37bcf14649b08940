import { z } from 'zod';
import { type Section, sections } from '../fhir/prefetch.ts';
import { languages, type Texts } from '../language.ts';
import { type Hook, hooks, type SourceKind, sourceKinds } from '../rules/schema.ts';

const words = z.string().trim().min(1);
const keys = words.includes('{keys}');
/** A text in every language; a missing or an unknown one is an error. */
const texts = z.strictObject(
  Object.fromEntries(languages.map((language) => [language, words])),
) as unknown as z.ZodType<Texts>;
const coding = z.strictObject({ code: z.string().min(1), system: z.url(), display: texts });

const part = z.strictObject({ if: z.string().optional(), text: texts });

const cardSchema = z.strictObject({
  summary: texts,
  /** In its place, the first whose fact holds. */
  summaries: z.array(z.strictObject({ if: z.string(), text: texts })).default([]),
  /** Paragraphs in order; one with `if` is shown where that fact holds. */
  detail: z.array(part).min(1),
  suggestions: z.record(z.string(), z.strictObject({ label: texts, description: texts })).default({}),
  overrideReasons: z.array(z.string()).default([]),
});
export type CardTemplate = z.infer<typeof cardSchema>;

/** One file of `cards/`: a template for each rule id. */
export const cardFileSchema = z.record(z.string(), cardSchema);
export type CardFile = z.infer<typeof cardFileSchema>;

/** `cards/shared.yaml`: what cards of all guidelines say alike. */
export const sharedSchema = z.strictObject({
  sourceKinds: z.record(z.enum(sourceKinds as [SourceKind, ...SourceKind[]]), texts),
  sourceLine: texts,
  /** In place of the date of a source that is always read in its current version. */
  undated: texts,
  identifiedByName: texts,
  /** The link to the page about a card's advice. */
  aboutAdvice: texts,
  discontinuedLines: texts,
  terms: z.record(z.string(), texts),
  overrideReasons: z.record(z.string(), coding),
  notChecked: z.strictObject({
    source: texts,
    /** By what comes first: orders that were not read, orders of others, treatments in doubt, medicines nobody knows, … */
    summary: z.strictObject({
      unread: texts,
      orders: texts,
      drugs: texts,
      unrecognised: texts,
      results: texts,
      record: texts,
    }),
    missing: texts,
    unclear: texts,
    unrecognised: texts,
    unreadOrder: texts,
    result: texts,
    preliminary: texts,
    otherPatient: texts,
    nameless: texts,
  }),
  /** What a resource that a card offers to create is called, by its template in hooks/. */
  orders: z.record(z.string(), texts),
  /** How a medicine is listed: ordered now, taken since a date, taken, ended. */
  drugLines: z.strictObject({
    ordered: texts,
    changed: texts,
    since: texts,
    noEnd: texts,
    until: texts,
    current: texts,
    onHold: texts,
    possible: texts,
    unclear: texts,
    ended: texts,
    lastDose: texts,
    implanted: texts,
  }),
  /** A treatment that a diagnosis, procedure, care plan or heading tells of, and no medicine names. */
  otherwise: z.strictObject({ name: texts, line: texts }),
  /** Added to a suggestion: a text that names a length must be changed by hand; the quantity comes down. */
  textLeft: texts,
  quantityCut: texts,
  /** What discovery says of the services, to vendors; it has no language but one. `{keys}` are prefetch keys. */
  services: z.strictObject({
    /** When each hook is, in a report. */
    hooks: z.strictObject(Object.fromEntries(hooks.map((hook) => [hook, texts]))) as unknown as z.ZodType<
      Record<Hook, Texts>
    >,
    titles: z.strictObject(Object.fromEntries(hooks.map((hook) => [hook, words]))) as unknown as z.ZodType<
      Record<Hook, string>
    >,
    description: words,
    usage: z.strictObject({ version: words, needed: keys, sharpening: keys, safety: words }),
  }),
  /** What the parts of the record are called. */
  sections: z.strictObject(Object.fromEntries(sections.map((section) => [section, texts]))) as unknown as z.ZodType<
    Record<Section, Texts>
  >,
});
export type SharedCards = z.infer<typeof sharedSchema>;
