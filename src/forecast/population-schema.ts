import { z } from 'zod';

const share = z.number().min(0).max(1);
const weights = z.record(z.string(), z.number().nonnegative());
const range = z.tuple([z.number(), z.number()]);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

const medicine = z.strictObject({
  atc: z.string().optional(),
  /** A local product code, unknown elsewhere. */
  local: z.string().optional(),
  name: z.string(),
  /** Units per dose, doses per day. */
  dose: range,
  unit: z.string(),
});

const concept = z.strictObject({
  icd10: z.string().optional(),
  snomed: z.string().optional(),
  name: z.string(),
});

const result = z.strictObject({
  loinc: z.string().optional(),
  npu: z.string().optional(),
  name: z.string(),
  /** A number with a reference range; without these the result is positive or negative. */
  unit: z.string().optional(),
  normal: range.optional(),
  raised: range.optional(),
  upper: z.number().optional(),
});

const course = z.strictObject({
  perYear: z.number().nonnegative().optional(),
  per1000: z.number().nonnegative().optional(),
  ages: range.optional(),
  medicines: weights.optional(),
  conditions: weights.optional(),
  orders: range.default([1, 1]),
  every: z.number().positive().default(30),
  days: range.default([30, 30]),
  end: share.default(0),
  quantity: share.default(0),
  reason: share.default(0),
  taper: share.default(0),
  stopped: share.default(0),
  settings: weights.optional(),
  also: z.record(z.string(), share).default({}),
  follow: share.default(0),
  /** By kind: number per year, and the share that is positive. */
  results: z.record(z.string(), range).default({}),
  procedures: z.record(z.string(), share).default({}),
});
export type Course = z.infer<typeof course>;

/** `test-bundles/population.yaml`: what the invented patients have and are given, and how many of them. */
export const populationSchema = z
  .strictObject({
    period: z.strictObject({ start: day, end: day }),
    ages: z.array(z.tuple([z.number(), z.number(), z.number()])).min(1),
    female: share,
    visits: z.number().nonnegative(),
    settings: weights,
    withoutCode: share,
    medicines: z.record(z.string(), medicine),
    conditions: z.record(z.string(), concept),
    results: z.record(z.string(), result),
    procedures: z.record(z.string(), concept),
    courses: z.record(z.string(), course),
  })
  .superRefine((population, context) => {
    const known = (path: string[], names: string[], among: Record<string, unknown>) => {
      for (const name of names)
        if (!(name in among)) context.addIssue({ code: 'custom', path, message: `there is no '${name}'` });
    };
    for (const [name, of] of Object.entries(population.courses)) {
      known(['courses', name, 'medicines'], Object.keys(of.medicines ?? {}), population.medicines);
      known(['courses', name, 'conditions'], Object.keys(of.conditions ?? {}), population.conditions);
      known(['courses', name, 'results'], Object.keys(of.results), population.results);
      known(['courses', name, 'procedures'], Object.keys(of.procedures), population.procedures);
      known(['courses', name, 'also'], Object.keys(of.also), population.courses);
    }
  });
export type Population = z.infer<typeof populationSchema>;
