import { z } from 'zod';
import { languages, type Texts } from '../language.ts';

const codes = z.array(z.string().min(1));
const names = z.strictObject(
  Object.fromEntries(languages.map((language) => [language, z.string().min(1)])),
) as unknown as z.ZodType<Texts>;
/** Systems in which problems, procedures and results are coded. */
export const conceptSystems = ['icd10', 'icpc2', 'snomed', 'loinc', 'npu', 'nlk', 'sks', 'local'] as const;
const bySystem = z.partialRecord(z.enum(conceptSystems), codes);
const concept = z.strictObject({
  ...(Object.fromEntries(conceptSystems.map((system) => [system, codes.optional()])) as Record<
    (typeof conceptSystems)[number],
    z.ZodOptional<typeof codes>
  >),
  cutoff: z.strictObject({ value: z.number(), unit: z.string() }).optional(),
  values: z.strictObject({ yes: bySystem, no: bySystem }).optional(),
  except: bySystem.optional(),
  unverified: bySystem.optional(),
});
export const formSystems = ['edqm', 'snomed', 'rxnorm'] as const;
const formCodes = { edqm: codes.optional(), snomed: codes.optional(), rxnorm: codes.optional() };
const words = z.strictObject({ codes: codes.default([]), snomed: codes.default([]), words: codes.default([]) });

/** One file of `hooks/codes/`. Every key may stand in any file; see hooks/README.md for what each means. */
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
  conditions: z.record(z.string(), concept).optional(),
  procedures: z.record(z.string(), concept).optional(),
  results: z.record(z.string(), concept).optional(),
  interpretation: z.strictObject({ positive: words, negative: words }).optional(),
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
