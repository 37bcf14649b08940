import { z } from 'zod';
import { type Section, sections } from '../fhir/prefetch.ts';
import { languages, type Texts } from '../language.ts';
import { type Hook, hooks, type SourceKind, sourceKinds } from '../rules/schema.ts';

const words = z.string().trim().min(1);
const keys = words.includes('{keys}');
/** A text in every language; a missing or unknown language is an error. */
const texts = z.strictObject(
  Object.fromEntries(languages.map((language) => [language, words])),
) as unknown as z.ZodType<Texts>;
const coding = z.strictObject({ code: z.string().min(1), system: z.url(), display: texts });

const part = z.strictObject({ if: z.string().optional(), text: texts });

const cardSchema = z.strictObject({
  summary: texts,
  /** Replaces `summary`: the first whose fact holds. */
  summaries: z.array(z.strictObject({ if: z.string(), text: texts })).default([]),
  /** Paragraphs in order; one with `if` is shown if that fact holds. */
  detail: z.array(part).min(1),
  suggestions: z.record(z.string(), z.strictObject({ label: texts, description: texts })).default({}),
  overrideReasons: z.array(z.string()).default([]),
});
export type CardTemplate = z.infer<typeof cardSchema>;

/** One file of `cards/`: a template per rule id. */
export const cardFileSchema = z.record(z.string(), cardSchema);
export type CardFile = z.infer<typeof cardFileSchema>;

/** `cards/shared.yaml`: texts shared by the cards of all guidelines. */
export const sharedSchema = z.strictObject({
  sourceKinds: z.record(z.enum(sourceKinds as [SourceKind, ...SourceKind[]]), texts),
  sourceLine: texts,
  /** Replaces the date of a source that is always read in its current version. */
  undated: texts,
  identifiedByName: texts,
  /** The link to the page about a card's advice. */
  aboutAdvice: texts,
  discontinuedLines: texts,
  terms: z.record(z.string(), texts),
  overrideReasons: z.record(z.string(), coding),
  notChecked: z.strictObject({
    source: texts,
    /**
     * By the most important reason: unreadable orders, orders of other patients, uncertain treatments, unrecognised
     * medicines, …
     */
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
  /** Names of the resources that a card offers to create, by their template in hooks/. */
  orders: z.record(z.string(), texts),
  /** How a medicine is listed: ordered now, ongoing since a date, ended, … */
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
  /** A treatment known from a diagnosis, procedure, care plan or heading, without a named medicine. */
  otherwise: z.strictObject({ name: texts, line: texts }),
  /** Added to a suggestion: a length in a text must be changed by hand; the quantity is reduced. */
  textLeft: texts,
  quantityCut: texts,
  /** Texts of discovery, for vendors, in one language. `{keys}` are prefetch keys. */
  services: z.strictObject({
    /** Names of the hooks in a report. */
    hooks: z.strictObject(Object.fromEntries(hooks.map((hook) => [hook, texts]))) as unknown as z.ZodType<
      Record<Hook, Texts>
    >,
    titles: z.strictObject(Object.fromEntries(hooks.map((hook) => [hook, words]))) as unknown as z.ZodType<
      Record<Hook, string>
    >,
    description: words,
    usage: z.strictObject({ version: words, needed: keys, sharpening: keys, safety: words }),
  }),
  /** Names of the parts of the record. */
  sections: z.strictObject(Object.fromEntries(sections.map((section) => [section, texts]))) as unknown as z.ZodType<
    Record<Section, Texts>
  >,
});
export type SharedCards = z.infer<typeof sharedSchema>;
