import { conceptListsOf, type InterpretationOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { localDate } from '../dates.ts';
import { type JsonObject, number, object, objects, type Resource, string } from '../fhir/json.ts';
import type { Result } from './chart.ts';

/** Only results that a laboratory stands by. */
const REPORTED = ['final', 'amended', 'corrected'];

export type ResultOptions = { codes: Codes; timeZone: string; interpret: InterpretationOf };

/**
 * Reads an Observation, and each component of a panel, that stands in a code list. Its date is the day it is about
 * (`effective[x]`), never the day it was issued; a result without one is left out, since nobody can tell its age.
 */
export function readResults(observation: Resource, options: ResultOptions): Result[] {
  if (!REPORTED.includes(string(observation['status']) ?? '')) return [];
  const parts = [observation, ...objects(observation['component'])].flatMap((part) => {
    const lists = conceptListsOf(part['code'], options.codes.results, options.codes);
    return lists.length === 0 ? [] : [{ part, lists }];
  });
  // Most results are of no list: then their dates need not be read.
  if (parts.length === 0) return [];
  const period = object(observation['effectivePeriod']);
  const when =
    string(observation['effectiveDateTime']) ??
    string(observation['effectiveInstant']) ??
    string(period['end']) ??
    string(period['start']);
  const date = localDate(when, options.timeZone);
  if (when === undefined || date === undefined) return [];
  const id = {
    ref: `${observation.resourceType}/${string(observation['id']) ?? ''}`,
    date,
    at: Date.parse(when) || Date.parse(date),
  };
  return parts.map(({ part, lists }) => ({ ...id, lists, ...readValue(part, lists, options) }));
}

function readValue(part: JsonObject, lists: string[], { codes, interpret }: ResultOptions): Partial<Result> {
  const quantity = object(part['valueQuantity']);
  const value = number(quantity['value']) ?? number(part['valueInteger']) ?? number(part['valueDecimal']);
  const unit = unitOf(quantity);
  const upper = objects(part['referenceRange'])
    .map((range) => object(range['high']))
    .find((high) => number(high['value']) !== undefined);
  const limit = upper && (unitOf(upper) === undefined || unitOf(upper) === unit) ? number(upper['value']) : undefined;
  const outcome =
    interpret(part, lists) ?? outcomeOfNumber(value, string(quantity['comparator']), unit, limit, lists, codes);
  return {
    ...(outcome && { outcome }),
    ...(value !== undefined && { value }),
    ...(unit !== undefined && { unit }),
    ...(value !== undefined && limit !== undefined && limit > 0 && { timesUpperLimit: value / limit }),
  };
}

/** A number against its reference range, else against the cut-off of its code list in the same unit. */
function outcomeOfNumber(
  value: number | undefined,
  comparator: string | undefined,
  unit: string | undefined,
  limit: number | undefined,
  lists: string[],
  codes: Codes,
): Result['outcome'] {
  if (value === undefined) return undefined;
  const cutoff = lists
    .map((list) => codes.cutoffs.get(list))
    .find((found) => found !== undefined && sameUnit(found.unit, unit));
  const against = limit ?? cutoff?.value;
  if (against === undefined) return undefined;
  // "< 50" says only that it lies below 50; a reference range includes its upper limit, a cut-off is positive from there.
  if (comparator?.startsWith('<')) return value <= against ? 'negative' : undefined;
  if (comparator?.startsWith('>')) return value >= against ? 'positive' : undefined;
  return (limit === undefined ? value >= against : value > against) ? 'positive' : 'negative';
}

function unitOf(quantity: JsonObject): string | undefined {
  return (string(quantity['code']) ?? string(quantity['unit']))
    ?.toLowerCase()
    .replace(/[\u00b5\u03bc]/g, 'u')
    .replace(/\[?iu\]?(?=\/)/, 'u');
}

/** Micrograms in a litre are nanograms in a millilitre. */
function sameUnit(a: string, b: string | undefined): boolean {
  const canonical = (unit: string | undefined) => unit?.toLowerCase().replace('ng/ml', 'ug/l');
  return canonical(a) === canonical(b);
}

/**
 * Of results that stand in the same code list, those that no newer one overrules. Results that say nothing overrule
 * nothing; of two at the same moment the positive one stays.
 */
export function newestOf(results: readonly Result[]): Result[] {
  const telling = results.filter(({ outcome, value }) => outcome !== undefined || value !== undefined);
  const newest = new Map<string, { at: number; positive: boolean }>();
  for (const { lists, at, outcome } of telling) {
    for (const list of lists) {
      const known = newest.get(list);
      const positive = outcome === 'positive';
      if (!known || at > known.at) newest.set(list, { at, positive });
      else if (at === known.at) known.positive ||= positive;
    }
  }
  return telling.filter(({ lists, at, outcome }) =>
    lists.every((list) => {
      const last = newest.get(list);
      return at === last?.at && !(last.positive && outcome === 'negative');
    }),
  );
}
