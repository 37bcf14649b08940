import { z } from 'zod';
import { languages, type Texts } from '../language.ts';

const codes = z.array(z.string().min(1));
const names = z.strictObject(
  Object.fromEntries(languages.map((language) => [language, z.string().min(1)])),
) as unknown as z.ZodType<Texts>;
/** Systems in which problems, procedures and results are coded. */
export const conceptSystems = ['icd10', 'icd10cm', 'icpc2', 'snomed', 'loinc', 'npu', 'nlk', 'sks', 'local'] as const;
const bySystem = z.partialRecord(z.enum(conceptSystems), codes);
const quantity = z.strictObject({ value: z.number(), unit: z.string() });
const days = z.int().min(0).max(3650);
const concept = z.strictObject({
  ...(Object.fromEntries(conceptSystems.map((system) => [system, codes.optional()])) as Record<
    (typeof conceptSystems)[number],
    z.ZodOptional<typeof codes>
  >),
  /** Systems in which codes of the same form have another meaning. */
  notIn: z.array(z.enum(['icd10cm'])).optional(),
  /** The list of medicines that a test looks for. */
  of: z.string().optional(),
  /** The cut-off of a screening and the limit of a confirmation, for results without a reference range. */
  cutoff: quantity.optional(),
  limit: quantity.optional(),
  /**
   * The codes that are confirmations of the class, those that ask for one substance, and those among them that only screen.
   */
  confirmations: bySystem.optional(),
  substances: z.record(z.string(), bySystem).optional(),
  screens: bySystem.optional(),
  /** Codes that ask the same question: a later answer to one supersedes an earlier one to another. */
  same: z.array(codes).optional(),
  /** Beginnings of words that name the class in a text. */
  words: codes.optional(),
  values: z.strictObject({ yes: bySystem, no: bySystem }).optional(),
  except: bySystem.optional(),
  unverified: bySystem.optional(),
});
export const formSystems = ['edqm', 'snomed', 'rxnorm'] as const;
const formCodes = { edqm: codes.optional(), snomed: codes.optional(), rxnorm: codes.optional() };
const said = z.strictObject({
  codes: codes.default([]),
  snomed: codes.default([]),
  loinc: codes.default([]),
  begins: codes.default([]),
});
/** What a text may say; `pain-` is the beginning of a word (see words.ts). */
const wording = z.strictObject({
  any: codes,
  except: codes.default([]),
  notAfter: codes.default([]),
  notWith: codes.default([]),
  purpose: z.literal(true).optional(),
});
/** How a product acts over time; the first that matches a medicine of the list decides. */
const product = z.strictObject({
  of: z.string(),
  /** It matches if one of these does: words of its name, strengths in mg, forms. Without any it always matches. */
  names: codes.optional(),
  strengths: z.array(z.number()).optional(),
  forms: codes.optional(),
  /** The strength must match in addition to name or form. */
  every: z.literal(true).optional(),
  /** It matches if strength, form and brand are all unknown. */
  bare: z.literal(true).optional(),
  /** Number of days for which it counts as taken after a dose. Makes the product a depot, whose doses come from supplies. */
  effectDays: days.optional(),
  /** Number of days after the last dose for which it still matters to its antagonist or agonist. */
  afterDays: days,
  implant: z
    .strictObject({
      /** In months: counts as taken; is certain to act; is presumed to act until a removal, at most. */
      effectMonths: z.int(),
      certainMonths: z.int(),
      longestMonths: z.int(),
      removal: z.string(),
    })
    .optional(),
  /** The record does not say which product it is. */
  vague: z.literal(true).optional(),
});
export type Product = z.infer<typeof product>;

/** One file of `hooks/codes/`. Any key may appear in any file; see hooks/README.md for their meaning. */
export const codeFileSchema = z.strictObject({
  lists: z
    .record(
      z.string(),
      z.union([z.strictObject({ atc: codes, except: codes.optional() }), z.strictObject({ includes: codes })]),
    )
    .optional(),
  substances: z
    .record(
      z.string(),
      z.strictObject({
        atc: codes.min(1),
        names,
        also: codes.optional(),
        brands: z.record(z.string(), z.string()).optional(),
        rxnorm: codes.optional(),
        snomed: codes.optional(),
        unverified: z.strictObject({ rxnorm: codes.optional(), snomed: codes.optional() }).optional(),
      }),
    )
    .optional(),
  combinations: z
    .record(
      z.string(),
      z.strictObject({ of: codes.min(2), atc: codes.min(1), names, rxnorm: codes.optional(), also: codes.optional() }),
    )
    .optional(),
  salts: codes.optional(),
  formEndings: codes.optional(),
  others: codes.optional(),
  products: z.array(product).optional(),
  toxicology: z
    .strictObject({
      panelWords: codes,
      /** Words of a confirmation method. */
      confirmationWords: codes.default([]),
      metabolites: z.record(z.string(), codes),
      detectionDays: z.record(z.string(), days),
      detectionDefault: days,
      molarMass: z.record(z.string(), z.number()),
      lightest: z.number(),
    })
    .optional(),
  reimbursement: z.record(z.string(), codes).optional(),
  says: z.record(z.string(), wording).optional(),
  reading: z
    .strictObject({
      durations: z.strictObject({
        seconds: codes,
        minutes: codes,
        hours: codes,
        days: codes,
        weeks: codes,
        months: codes,
        years: codes,
      }),
      countingUnits: codes,
      length: z.strictObject({ notAfter: codes, notWith: codes, notFollowedBy: codes, ranges: codes }),
      lastDay: z.record(z.enum(languages), z.strictObject({ words: codes, text: z.string().includes('{end}') })),
    })
    .optional(),
  conditions: z.record(z.string(), concept).optional(),
  procedures: z.record(z.string(), concept).optional(),
  results: z.record(z.string(), concept).optional(),
  interpretation: z.strictObject({ positive: said, negative: said }).optional(),
  settings: z
    .strictObject({
      encounterClass: z.strictObject({ inpatient: codes, outpatient: codes, virtual: codes }),
      orderCategory: z.strictObject({ inpatient: codes, outpatient: codes }),
    })
    .optional(),
  forms: z
    .record(
      z.string(),
      z.strictObject({ ...formCodes, words: codes.optional(), unverified: z.strictObject(formCodes).optional() }),
    )
    .optional(),
  systems: z.record(z.string(), codes.min(1)).optional(),
});

export type CodeFile = z.infer<typeof codeFileSchema>;
