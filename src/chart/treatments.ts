import type { Codes } from '../codes/load.ts';
import type { Product } from '../codes/schema.ts';
import { type Day, dateOf, monthsAfter, OPEN } from '../dates.ts';
import type { EntryKind, Prescribed, Reason, Timeline, Treatment } from './chart.ts';
import { type Entry, type EntryContext, type EntryPeriods, periodsOf } from './entries.ts';
import { type Medicine, productOf } from './medicine.ts';
import { degreeBetween, merged, periodFrom, type Span, until } from './periods.ts';

/** An entry with its purpose: its own, or that of the order it names, or of the newest of its substance that gives one. */
export type Purposed = {
  entry: Entry;
  reasons: Reason[];
  says: string[];
  lists: string[];
  key: string;
  product: Product | undefined;
};

/** What a class expression sees of an entry. */
export type Classifiable = Pick<
  Treatment,
  'lists' | 'form' | 'identifiedBy' | 'reasons' | 'says' | 'name' | 'substance'
>;
/** The classes of one medicine for one purpose in this patient, from hooks/classes.yaml. */
export type Classify = (item: Classifiable) => string[];

/** Gives each entry its purpose, its classes, and the key of the treatment that it is part of. */
export function withPurpose(entries: Entry[], classify: Classify, codes: Codes): Purposed[] {
  const orders = new Map(entries.filter(({ id }) => id !== undefined).map((entry) => [entry.id as string, entry]));
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const before = newest.get(substanceOf(entry));
    if (entry.givesReason && (before === undefined || (entry.start ?? 0) >= (before.start ?? 0)))
      newest.set(substanceOf(entry), entry);
  }
  const known = new Map<Medicine, Map<string, string[]>>();
  return entries.map((entry) => {
    const { medicine } = entry;
    const named = entry.names
      .map((id) => orders.get(id))
      .find((order) => order?.givesReason && substanceOf(order) === substanceOf(entry));
    const giving = entry.givesReason ? entry : (named ?? newest.get(substanceOf(entry)));
    const reasons = giving?.reasons ?? [];
    const inherited =
      giving === entry ? [] : (giving?.says ?? []).filter((name) => codes.reading.says.get(name)?.purpose);
    const says = inherited.length > 0 ? [...new Set([...entry.says, ...inherited])] : entry.says;
    const alike = known.get(medicine) ?? new Map<string, string[]>();
    known.set(medicine, alike);
    const purpose = reasons.length === 0 && says.length === 0 ? '' : JSON.stringify([reasons, says]);
    const { lists: own, substance, identifiedBy } = medicine.classified;
    const classes =
      alike.get(purpose) ??
      classify({ lists: own, form: medicine.form, identifiedBy, reasons, says, name: medicine.name, substance });
    alike.set(purpose, classes);
    const lists = classes.length === 0 ? own : [...own, ...classes];
    const dosed = medicine.strengths.length > 0 ? [] : entry.lines.flatMap(({ milligrams }) => milligrams ?? []);
    return {
      entry,
      reasons,
      says,
      lists,
      key: `${substanceOf(entry)}|${classes.join()}`,
      product: productOf(lists, medicine, dosed, codes),
    };
  });
}

function substanceOf({ medicine }: Entry): string {
  return medicine.classified.substance ?? medicine.classified.lists.join();
}

/** What this call's drafts do to an entry of the record (recommendations.md, 1.6). */
export type Change =
  /** It no longer counts from that day on, since a draft of the same treatment takes its place. */
  | { kind: 'replaced'; from: Day }
  /** It ends on that day, which is a known end. */
  | { kind: 'ended'; on: Day };

/** A LARO treatment and the like that no medicine names. */
export type Otherwise = { ref: string; kind: EntryKind; spans: Span[]; name: string | undefined };

export type TreatmentContext = EntryContext & {
  /** The class whose treatment goes on between supplies. */
  continues: string;
  /** Days on which an implant was taken out, by list of procedures. */
  removals: (list: string) => Day[];
};

/** Entries of one substance and one purpose as one treatment each, in the order in which the record lists them. */
export function treatmentsOf(
  entries: Purposed[],
  otherwise: Otherwise[],
  changes: Map<string, Change>,
  context: TreatmentContext,
): Treatment[] {
  const groups = new Map<string, Purposed[]>();
  for (const purposed of entries) {
    const group = groups.get(purposed.key);
    if (group) group.push(purposed);
    else groups.set(purposed.key, [purposed]);
  }
  const treatments = [...groups.values()].map((group) => treatmentOf(group, changes, context));
  return otherwise.length > 0 ? [...treatments, otherwiseTreatment(otherwise, context)] : treatments;
}

type Part = {
  purposed: Purposed;
  periods: EntryPeriods;
  effect: Span[];
  cleared: Timeline['cleared'];
  continued: Span | undefined;
  implant: Timeline['implant'];
  replaced: boolean;
};

function treatmentOf(group: Purposed[], changes: Map<string, Change>, context: TreatmentContext): Treatment {
  const { today, parameters } = context;
  const continues = (group[0] as Purposed).lists.includes(context.continues);
  const parts = group.map((purposed) => partOf(purposed, continues, changes.get(purposed.entry.ref), context));
  const strict = merged(parts.flatMap(({ periods, effect }) => [...periods.spans, ...effect]));
  const spans = continues
    ? merged([...strict, ...parts.flatMap(({ continued }) => (continued ? [continued] : []))])
    : strict;
  const counting = parts.filter(({ periods, effect }) => periods.spans.length > 0 || effect.length > 0);
  const main = mainOf(counting.length > 0 ? counting : parts, today);
  const { entry, reasons, says, product } = main.purposed;
  const degree = degreeBetween(spans, today, OPEN);
  const signs = counting.map(({ purposed }) => purposed.entry.lastSign).filter((day) => day !== undefined);
  const lastSign = signs.length > 0 ? signs.reduce((a, b) => Math.max(a, b)) : undefined;
  const implants = parts.flatMap(({ implant }) => (implant ? [implant] : []));
  const inForce = counting.filter(({ periods }) => degreeBetween(periods.spans, today, OPEN) !== undefined);
  const period = periodFrom(spans, today);
  const past = spans.at(-1);
  const start = period?.start ?? past?.start;
  const stop =
    period?.end ??
    spans.reduce<Day | undefined>((last, { end }) => (last === undefined || end > last ? end : last), undefined);
  const { medicine } = entry;
  return {
    ref: entry.ref,
    id: entry.id,
    name: medicine.name,
    substance: medicine.classified.substance,
    lists: group.length === 1 ? main.purposed.lists : [...new Set(group.flatMap(({ lists }) => lists))],
    identifiedBy: medicine.classified.identifiedBy,
    draft: false,
    ordered: false,
    form:
      group.length === 1
        ? medicine.form
        : [
            ...new Set(
              group.flatMap(
                ({
                  entry: {
                    medicine: { form },
                  },
                }) => form,
              ),
            ),
          ],
    asNeeded: inForce.length > 0 && inForce.every(({ purposed }) => purposed.entry.asNeeded),
    reasons,
    says,
    requester: entry.requester,
    setting: entry.setting,
    ...(start !== undefined && entry.dated && { start: dateOf(start) }),
    ...(stop !== undefined && stop < OPEN && { stop: dateOf(stop) }),
    ...(degree && { degree }),
    fresh:
      lastSign === undefined
        ? counting.some(({ purposed }) => purposed.entry.dated)
        : today - lastSign <= parameters.freshDays,
    vague: product?.vague === true,
    ...(product && { afterDays: product.afterDays }),
    otherwise: false,
    prescribed: prescribedOf(counting, main, today),
    ...(entry.dailyDose !== undefined && { dailyDose: entry.dailyDose }),
    endKnown: parts.every(({ periods }) => periods.endKnown),
    onHold: inForce.length > 0 && inForce.every(({ purposed }) => purposed.entry.status === 'on-hold'),
    once: counting.length === 1 && main.purposed.entry.kind === 'administration',
    ...(lastSign !== undefined && { lastSign: dateOf(lastSign) }),
    entries: parts.map(({ purposed, periods, replaced }) => ({
      ref: purposed.entry.ref,
      kind: purposed.entry.kind,
      ...traceOf(periods.spans, purposed.entry, today),
      ...(replaced && { replaced: true as const }),
    })),
    supplies: unionOf(parts.flatMap(({ periods }) => (periods.supply ? [periods.supply] : []))),
    timeline: {
      today,
      parameters,
      spans,
      strict,
      cleared: joined(parts.flatMap(({ cleared }) => cleared)),
      ...(implants[0] && { implant: implants[0] }),
    },
  };
}

/** Orders and statements in force today, as they are written; the entry that tells most is always among them. */
function prescribedOf(parts: Part[], main: Part, today: Day): Prescribed[] {
  const isPrescribed = ({ purposed: { entry }, periods }: Part) =>
    (entry.kind === 'order' || entry.kind === 'statement') && degreeBetween(periods.spans, today, today) === 'taken';
  return parts.filter((part) => part === main || isPrescribed(part)).map(({ purposed: { entry } }) => entry.written);
}

function traceOf(spans: Span[], { start, stated, computed }: Entry, today: Day) {
  const degree = degreeBetween(spans, today, OPEN);
  const end = stated ?? computed;
  return {
    ...(degree && { degree }),
    ...(start !== undefined && { start }),
    ...(end && { stop: end.day, stopFrom: end.from }),
  };
}

function partOf(purposed: Purposed, continues: boolean, change: Change | undefined, context: TreatmentContext): Part {
  const { entry, product } = purposed;
  const { parameters } = context;
  let periods = periodsOf(entry, product, continues, context);
  if (change?.kind === 'replaced')
    periods = {
      ...periods,
      spans: until(periods.spans, change.from - 1),
      ends: undefined,
      doses: until(periods.doses, change.from - 1),
    };
  if (change?.kind === 'ended')
    periods = {
      ...periods,
      spans: until(periods.spans, change.on),
      doses: until(periods.doses, change.on),
      endKnown: true,
      ends: { day: change.on, degree: 'presumed' },
    };
  if (product?.implant) return implantPart(purposed, periods, product.implant, change, context);
  const effectDays = product?.effectDays;
  const effect = effectDays
    ? periods.doses.map(({ start, end, degree }) => ({ start, end: end + effectDays, degree }))
    : [];
  const { ends } = periods;
  const continued =
    continues && ends && effectDays === undefined
      ? { start: ends.day + 1, end: ends.day + parameters.betweenDays, degree: ends.degree }
      : undefined;
  const acting = effectDays !== undefined && periods.doses.length > 0 ? periods.doses : periods.spans;
  const cleared = product ? acting.map((span) => ({ ...span, afterDays: product.afterDays })) : [];
  return {
    purposed,
    periods,
    effect,
    cleared,
    continued: parameters.betweenDays > 0 ? continued : undefined,
    implant: undefined,
    replaced: change?.kind === 'replaced',
  };
}

/** An implant acts for its months, and is presumed to until it is taken out (recommendations.md, 1.4). */
function implantPart(
  purposed: Purposed,
  periods: EntryPeriods,
  { effectMonths, certainMonths, longestMonths, removal }: NonNullable<Product['implant']>,
  change: Change | undefined,
  { removals }: TreatmentContext,
): Part {
  const [dose] = periods.doses;
  const inserted = dose?.start ?? periods.spans[0]?.start ?? 0;
  const removed = removals(removal)
    .filter((day) => day >= inserted)
    .sort((a, b) => a - b)[0];
  const degree = dose?.degree ?? periods.spans[0]?.degree ?? 'presumed';
  const effect: Span[] = [
    { start: inserted, end: monthsAfter(inserted, effectMonths), degree },
    {
      start: monthsAfter(inserted, effectMonths) + 1,
      end: monthsAfter(inserted, longestMonths),
      degree: degree === 'possible' ? 'possible' : 'presumed',
    },
  ];
  const afterDays = purposed.product?.afterDays ?? 0;
  const left = removed === undefined ? effect : until(effect, removed);
  return {
    purposed,
    periods: { ...periods, spans: [], endKnown: removed !== undefined },
    effect: left,
    cleared: removed === undefined ? [] : left.map((span) => ({ ...span, afterDays })),
    continued: undefined,
    implant:
      removed === undefined
        ? { certain: monthsAfter(inserted, certainMonths), perhaps: monthsAfter(inserted, longestMonths) }
        : undefined,
    replaced: change?.kind === 'replaced',
  };
}

const RANK = { taken: 3, presumed: 2, possible: 1 } as const;

/** The entry that tells most of a treatment: in force today, of the highest degree, an order before a supply, the newest. */
function mainOf(parts: Part[], today: Day): Part {
  const rank = ({ periods, effect, purposed }: Part) => {
    const degree = degreeBetween([...periods.spans, ...effect], today, OPEN);
    return (degree ? RANK[degree] * 2 : 0) + (purposed.entry.kind === 'order' ? 1 : 0);
  };
  let best = parts[0] as Part;
  let bestRank = rank(best);
  for (const part of parts.slice(1)) {
    const own = rank(part);
    const newer = (part.purposed.entry.start ?? 0) - (best.purposed.entry.start ?? 0);
    if (
      own > bestRank ||
      (own === bestRank && (newer > 0 || (newer === 0 && part.purposed.entry.ref < best.purposed.entry.ref)))
    ) {
      best = part;
      bestRank = own;
    }
  }
  return best;
}

/** Supplies that touch or overlap are one. */
function unionOf(supplies: { start: Day; end: Day }[]): { start: Day; end: Day }[] {
  return merged(supplies.map((supply) => ({ ...supply, degree: 'taken' as const }))).map(({ start, end }) => ({
    start,
    end,
  }));
}

function joined(cleared: Timeline['cleared']): Timeline['cleared'] {
  const byDays = new Map<number, Span[]>();
  for (const { afterDays, start, end, degree } of cleared) {
    const spans = byDays.get(afterDays);
    if (spans) spans.push({ start, end, degree });
    else byDays.set(afterDays, [{ start, end, degree }]);
  }
  return [...byDays].flatMap(([afterDays, spans]) => merged(spans).map((span) => ({ ...span, afterDays })));
}

function otherwiseTreatment(otherwise: Otherwise[], { today, continues, parameters }: TreatmentContext): Treatment {
  const spans = merged(otherwise.flatMap((one) => one.spans));
  const degree = degreeBetween(spans, today, OPEN);
  const first = otherwise[0] as Otherwise;
  const start = periodFrom(spans, today)?.start ?? spans[0]?.start;
  return {
    ref: first.ref,
    id: undefined,
    name: first.name,
    substance: undefined,
    lists: [continues],
    identifiedBy: 'code',
    draft: false,
    ordered: false,
    form: [],
    asNeeded: false,
    reasons: [],
    says: [],
    requester: undefined,
    setting: undefined,
    ...(start !== undefined && start > 0 && { start: dateOf(start) }),
    ...(degree && { degree }),
    fresh: true,
    vague: true,
    otherwise: true,
    prescribed: [{ product: continues, dosage: '' }],
    endKnown: false,
    onHold: false,
    once: false,
    entries: otherwise.map(({ ref, kind, spans: own }) => ({ ref, kind, ...(own[0] && { degree: own[0].degree }) })),
    supplies: [],
    timeline: { today, parameters, spans, strict: spans, cleared: [] },
  };
}
