import { z } from 'zod';
import type { TreatmentParameters } from '../chart/parameters.ts';
import { languages } from '../language.ts';
import { inOrder, spanKeys } from '../span.ts';

export const hooks = ['patient-view', 'order-select', 'order-sign'] as const;
export type Hook = (typeof hooks)[number];

/** Indicators of cards, the least urgent first (CDS Hooks: Card Attributes, `indicator`). */
export const indicators = ['info', 'warning', 'critical'] as const;
export type Indicator = (typeof indicators)[number];

/** The highest indicator for each kind of source (recommendations.md, "Kinds of source cap"). */
export const loudest = {
  guideline: 'critical',
  'product-information': 'critical',
  'evidence-summary': 'info',
  consultation: 'info',
  opinion: 'info',
} as const satisfies Record<string, Indicator>;
export const sourceKinds = Object.keys(loudest) as (keyof typeof loudest)[];
export type SourceKind = keyof typeof loudest;

const id = z.string().regex(/^[a-z][a-z0-9-]{0,99}$/, 'an id consists of lower-case letters, digits and hyphens');
const recommendationId = z.string().regex(/^[A-Z][0-9]+$/, 'a recommendation has a name such as L1 or S2');
const factName = z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'a fact has a name in camelCase');
const expression = z.string().min(1);
const indicator = z.enum(indicators);
const facts = z.record(factName, expression);

const sourceSchema = z.strictObject({
  kind: z.enum(sourceKinds as [SourceKind, ...SourceKind[]]),
  publisher: z.string().min(1),
  title: z.string().min(1),
  language: z.enum(languages),
  date: z
    .string()
    .regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'write a date as 2026, 2026-03 or 2026-03-14')
    .optional(),
  url: z.url({ protocol: /^https$/ }).optional(),
});
export type Source = z.infer<typeof sourceSchema>;

const parameterSchema = z.union([
  z.strictObject({ value: z.number(), min: z.number(), max: z.number(), source: z.string().optional() }),
  z.strictObject({
    value: z.array(z.number()).min(1),
    min: z.number(),
    max: z.number(),
    source: z.string().optional(),
  }),
]);

/**
 * What a card may offer: remove a draft; set its stop date, for each of several lengths; set its quantity to what the
 * fact's medicines need; create a resource from `hooks/templates.yaml`. `if`: only if that fact holds.
 */
const suggestionSchema = z.union([
  z.strictObject({ id, remove: factName }),
  z.strictObject({ id, setStop: factName, days: factName, recommended: factName.optional() }),
  z.strictObject({ id, setQuantity: factName, days: factName }),
  z.strictObject({ id, create: id, if: factName.optional() }),
]);
export type SuggestionRule = z.infer<typeof suggestionSchema>;

/** The facts whose medicines a suggestion is about, or that are its condition. */
export function factsOfSuggestion(suggestion: SuggestionRule): string[] {
  if ('remove' in suggestion) return [suggestion.remove];
  if ('setStop' in suggestion) return [suggestion.setStop];
  if ('setQuantity' in suggestion) return [suggestion.setQuantity];
  return suggestion.if === undefined ? [] : [suggestion.if];
}

const country = z.enum(['SE', 'NO', 'DK']);

const weaker = z.union([id, z.literal('*')]);

const ruleSchema = z.strictObject({
  id,
  recommendation: recommendationId,
  hooks: z.array(z.enum(hooks)).min(1),
  when: z.array(factName).min(1),
  unless: z.array(factName).default([]),
  without: z.array(factName).default([]),
  indicator: z.union([
    indicator,
    z.intersection(z.partialRecord(indicator, z.array(factName)), z.looseObject({ else: indicator })),
  ]),
  about: z.array(factName).min(1),
  suggest: z.array(suggestionSchema).default([]),
  select: z.enum(['any', 'at-most-one']).default('at-most-one'),
  supersedes: z
    .strictObject({
      /** Always; if about the same drugs; if about the same orders. */
      always: z.array(id).default([]),
      sameDrugs: z.array(weaker).default([]),
      sameOrders: z.array(weaker).default([]),
      except: z.array(id).default([]),
    })
    .prefault({}),
  /** Facts that would make it fire if their medicines or results were certain. */
  unclear: z.array(factName).default([]),
  family: id.optional(),
  rides: z.boolean().default(false),
  countries: z.array(country).optional(),
  /** Off by default: a site switches it on. */
  off: z.boolean().default(false),
});

/** One guideline: `hooks/x.yaml`. */
export const guidelineSchema = z.strictObject({
  id,
  /** Order of its cards among those with the same indicator. */
  position: z.int().min(1),
  title: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  status: z.enum(['draft', 'active', 'retired']),
  countries: z.array(country).optional(),
  source: sourceSchema,
  /** What the source recommends, in our words: id → section of the source and sentence. The trace starts here. */
  recommendations: z.record(
    recommendationId,
    z.strictObject({ section: z.string().min(1), says: z.string().min(1), added: z.string().optional() }),
  ),
  parameters: z.record(factName, parameterSchema).default({}),
  facts: facts.default({}),
  rules: z.array(ruleSchema).min(1),
});
export type GuidelineFile = z.infer<typeof guidelineSchema>;

/** `hooks/classes.yaml`: what a medicine is in this patient, by its code lists, its own reason and facts of the record. */
export const classesSchema = z.strictObject({ facts: facts.default({}), classes: z.record(id, expression) });

/** `hooks/treatments.yaml`: how entries of a record become treatments. */
const parameterOfTreatments = z.strictObject({ value: z.int(), min: z.int(), max: z.int(), source: z.string() });
const treatmentParameters = [
  'openMonths',
  'freshDays',
  'betweenDays',
  'possibleMonths',
  'possibleMonthsContinuing',
  'completedDays',
  'dispenseDays',
  'dispensePossibleDays',
  'continuationDays',
  'supplyDays',
  'supplyWindowDays',
  'wardDays',
  'singleUnits',
  'singleDays',
] as const satisfies (keyof TreatmentParameters)[];
export const treatmentsSchema = z.strictObject({
  continues: z.strictObject({
    class: id,
    conditions: id,
    procedures: id,
    says: z.strictObject({ medicines: z.array(id), others: z.array(id) }),
    removal: z.array(id),
  }),
  besides: z.strictObject({ except: z.array(id) }),
  parameters: z.strictObject(
    Object.fromEntries(treatmentParameters.map((name) => [name, parameterOfTreatments])) as Record<
      keyof TreatmentParameters,
      typeof parameterOfTreatments
    >,
  ),
});
export type TreatmentsFile = z.infer<typeof treatmentsSchema>;

/** `hooks/templates.yaml`: resources that a card may offer to create, without texts; subject and encounter are added. */
export const templatesSchema = z.strictObject({
  templates: z.record(
    id,
    z.looseObject({
      resourceType: z.enum(['ServiceRequest', 'MedicationRequest']),
      status: z.literal('draft'),
      intent: z.enum(['proposal', 'order']),
    }),
  ),
});
export type Template = z.infer<typeof templatesSchema>['templates'][string];

/** `hooks/site.yaml`: the one file that a hospital changes. */
export const siteSchema = z.strictObject({
  timeZone: z.string().refine(isTimeZone, 'not a time zone of the IANA database').default('Europe/Stockholm'),
  language: z.enum(languages).default('sv'),
  country: country.optional(),
  off: z.array(id).default([]),
  /** Rules that are off by default and on here. */
  on: z.array(id).default([]),
  /** Rules on trial: they run and the journal records what they would have shown, but their cards are not shown. */
  silent: z
    .strictObject({
      rules: z.record(id, z.strictObject(spanKeys).refine(...inOrder)).default({}),
      /** Number of patients, the first of each rule, whose keyed hash the journal stores for chart review. */
      chartReview: z.int().min(0).max(200).default(0),
    })
    .prefault({}),
  parameters: z.record(id, z.record(factName, z.union([z.number(), z.array(z.number()).min(1)]))).default({}),
  validityPeriodEndsTreatment: z.boolean().default(false),
  uncheckable: z.enum(['refuse', 'card']).default('refuse'),
  /** Whether a card names an unrecognised medicine, or only the trace. */
  unrecognised: z.enum(['card', 'trace']).default('card'),
  /** Whether each card links to the page about its advice, if PUBLIC_URL is set. */
  adviceLink: z.boolean().default(true),
  /** The prefetch key that has the medication list. */
  medicationList: z.enum(['medications', 'statements']).default('medications'),
  quiet: z
    .strictObject({
      /** Rule → number of days for which its card is left out after an override with a reason in `accepted`. */
      days: z.record(id, z.int().min(1).max(365)).default({}),
      /** Keys of `overrideReasons` in cards/shared.yaml that mean "known and accepted". */
      accepted: z.array(id).default([]),
      /** For how many hours a card shown at order-select is left out at order-sign, if the client asks for that. */
      repeatHours: z.int().min(1).max(24).default(12),
    })
    .prefault({}),
  journal: z
    .strictObject({
      keepDays: z.int().min(1).max(3650).default(730),
      comments: z.boolean().default(false),
      /** Override rate in percent above which the report lists a rule first. */
      overrideLimit: z.int().min(1).max(100).default(60),
    })
    .prefault({}),
  fetch: z
    .strictObject({
      softMs: z.int().min(0).max(10_000).default(400),
      hardMs: z.int().min(100).max(30_000).default(4000),
      maxPages: z.int().min(1).max(200).default(20),
      post: z.boolean().default(false),
    })
    .refine(({ softMs, hardMs }) => softMs <= hardMs, { message: 'softMs must not be above hardMs' })
    .prefault({}),
});
export type Site = z.infer<typeof siteSchema>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
