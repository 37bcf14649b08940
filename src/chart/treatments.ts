import { isDeepStrictEqual } from 'node:util';
import type { Codes } from '../codes/load.ts';
import type { Product } from '../codes/schema.ts';
import { type Day, dateOf, monthsAfter, OPEN } from '../dates.ts';
import type { EntryKind, Reason, Timeline, Treatment } from './chart.ts';
import { type Entry, type EntryContext, type EntryPeriods, periodsOf, writtenOf } from './entries.ts';
import { type Medicine, productOf } from './medicine.ts';
import {
  type Degree,
  degreeBetween,
  higher,
  lastDayOf,
  lastPeriodOf,
  merged,
  periodFrom,
  type Span,
  until,
} from './periods.ts';

/**
 * An entry with its purpose: its own, that of the order it refers to, or that of the newest entry of its substance with one.
 */
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

/** Gives each entry its purpose, its classes, and the key of its treatment. */
export function withPurpose(entries: Entry[], classify: Classify, codes: Codes): Purposed[] {
  const orders = new Map(entries.filter(({ id }) => id !== undefined).map((entry) => [entry.id as string, entry]));
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const before = newest.get(substanceOf(entry));
    if (entry.givesReason && (before === undefined || (entry.start ?? 0) >= (before.start ?? 0)))
      newest.set(substanceOf(entry), entry);
  }
  const known = new Map<Medicine, Map<string, Read>>();
  return entries.map((entry) => {
    const { medicine } = entry;
    const giving = entry.givesReason ? entry : (namedBy(entry, orders) ?? newest.get(substanceOf(entry)));
    const reasons = giving?.reasons ?? [];
    const inherited =
      giving === entry ? [] : (giving?.says ?? []).filter((name) => codes.reading.says.get(name)?.purpose);
    const says = inherited.length > 0 ? [...new Set([...entry.says, ...inherited])] : entry.says;
    const dosed = medicine.strengths.length > 0 ? NONE : dosedMilligrams(entry);
    const alike = known.get(medicine) ?? new Map<string, Read>();
    if (alike.size === 0) known.set(medicine, alike);
    const purpose = reasons.length + says.length + dosed.length === 0 ? '' : JSON.stringify([reasons, says, dosed]);
    const read = alike.get(purpose) ?? classified(entry, reasons, says, dosed, classify, codes);
    alike.set(purpose, read);
    return { entry, reasons, says, ...read };
  });
}

type Read = Pick<Purposed, 'lists' | 'key' | 'product'>;

const NONE: number[] = [];

function dosedMilligrams({ lines }: Entry): number[] {
  return lines.some(({ milligrams }) => milligrams !== undefined)
    ? lines.flatMap(({ milligrams }) => milligrams ?? [])
    : NONE;
}

function namedBy(entry: Entry, orders: Map<string, Entry>): Entry | undefined {
  for (const id of entry.names) {
    const order = orders.get(id);
    if (order?.givesReason && substanceOf(order) === substanceOf(entry)) return order;
  }
  return undefined;
}

function classified(
  entry: Entry,
  reasons: Reason[],
  says: string[],
  dosed: number[],
  classify: Classify,
  codes: Codes,
): Read {
  const { medicine } = entry;
  const { form, name } = medicine;
  const { lists: own, substance, identifiedBy } = medicine.classified;
  const classes = classify({ lists: own, form, identifiedBy, reasons, says, name, substance });
  const lists = classes.length === 0 ? own : [...own, ...classes];
  return {
    lists,
    key: `${substanceOf(entry)}|${classes.join()}`,
    product: productOf(lists, medicine, dosed, codes),
  };
}

function substanceOf({ medicine }: Entry): string {
  return medicine.classified.substance ?? medicine.classified.lists.join();
}

/** How this call's drafts change an entry of the record (recommendations.md, 1.6). */
export type Change =
  /** It no longer counts from that day on, because a draft of the same treatment replaces it. */
  | { kind: 'replaced'; from: Day }
  /** It ends on that day, which is a known end. */
  | { kind: 'ended'; on: Day };

/** A treatment, such as LARO, without a named medicine. */
export type Otherwise = { ref: string; kind: EntryKind; spans: Span[]; name: string | undefined };

export type TreatmentContext = EntryContext & {
  /** The class whose treatments go on between supplies. */
  continues: string;
  /** Days on which an implant was removed, by list of procedures. */
  removals: (list: string) => Day[];
};

/** Groups entries of one substance and one purpose into treatments, in the order of the record. */
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

/** The contribution of one entry to its treatment. */
type Part = {
  periods: EntryPeriods;
  effect: Span[];
  cleared: Span[];
  continued: Span | undefined;
  implant: Timeline['implant'];
};

function treatmentOf(group: Purposed[], changes: Map<string, Change>, context: TreatmentContext): Treatment {
  const { today, parameters } = context;
  const continues = (group[0] as Purposed).lists.includes(context.continues);
  const partOfEntry = (purposed: Purposed) => partOf(purposed, continues, changes.get(purposed.entry.ref), context);
  // One pass, because daily supplies come in thousands and little of each is kept.
  const recorded: Span[] = [];
  const effects: Span[] = [];
  const continued: Span[] = [];
  const supplies: Span[] = [];
  const cleared = new Map<number, Span[]>();
  let main: Purposed | undefined;
  let mainRank = -1;
  let lastSign: Day | undefined;
  let lastDose: Day | undefined;
  let implant: Timeline['implant'];
  /** Orders and statements in force today. */
  const prescribing: Entry[] = [];
  let counting = 0;
  let counted: Entry | undefined;
  let inForce = 0;
  const all = { dated: false, onHold: true, administered: true, endKnown: true, once: true };
  /** Only as needed: all that is in force, or all there was where nothing is. */
  const asNeeded = { now: true, ever: true };
  for (const purposed of group) {
    const { entry, product } = purposed;
    const part = partOfEntry(purposed);
    const { spans, supply, endKnown } = part.periods;
    for (const span of spans) recorded.push(span);
    for (const span of part.effect) effects.push(span);
    for (const { start, degree } of part.periods.doses)
      if (degree !== 'possible' && start <= today && (lastDose === undefined || start > lastDose)) lastDose = start;
    if (part.continued) continued.push(part.continued);
    // Where the start is known by its month, there may be no day on which it was certainly in use.
    if (supply && supply.start <= supply.end) supplies.push({ start: supply.start, end: supply.end, degree: 'taken' });
    if (product && part.cleared.length > 0) pushAll(cleared, product.afterDays, part.cleared);
    implant ??= part.implant;
    all.endKnown &&= endKnown;
    const counts = spans.length > 0 || part.effect.length > 0;
    const now = degreeBetween(spans, today, OPEN);
    const rank = rankOf(counts, higher(now, degreeBetween(part.effect, today, OPEN)), entry);
    if (main === undefined || rank > mainRank || (rank === mainRank && isNewer(entry, main.entry))) {
      main = purposed;
      mainRank = rank;
    }
    if (!counts) continue;
    counting++;
    counted ??= entry;
    all.once &&= isAlike(entry, counted);
    all.dated ||= entry.dated;
    all.administered &&= entry.kind === 'administration';
    asNeeded.ever &&= entry.asNeeded;
    if (entry.lastSign !== undefined && (lastSign === undefined || entry.lastSign > lastSign))
      lastSign = entry.lastSign;
    if (now === undefined) continue;
    if ((entry.kind === 'order' || entry.kind === 'statement') && degreeBetween(spans, today, today) === 'taken')
      prescribing.push(entry);
    inForce++;
    asNeeded.now &&= entry.asNeeded;
    all.onHold &&= entry.status === 'on-hold';
  }
  const { entry, reasons, says, product, lists } = main as Purposed;
  const records = merged(recorded);
  const strict = effects.length > 0 ? merged([...records, ...effects]) : records;
  const spans = continued.length > 0 ? merged([...strict, ...continued]) : strict;
  const degree = degreeBetween(spans, today, OPEN);
  const period = periodFrom(spans, today);
  const start = period?.start ?? lastPeriodOf(strict)?.start;
  // For display: neither an effect nor days between supplies are an end on record.
  const stop = periodFrom(records, today)?.end ?? lastDayOf(records);
  const { medicine } = entry;
  return {
    ref: entry.ref,
    id: entry.id,
    name: medicine.name,
    substance: medicine.classified.substance,
    lists: union(group, (purposed) => purposed.lists, lists),
    identifiedBy: medicine.classified.identifiedBy,
    draft: false,
    ordered: false,
    form: union(group, (purposed) => purposed.entry.medicine.form, medicine.form),
    asNeeded: inForce > 0 ? asNeeded.now : counting > 0 && asNeeded.ever,
    reasons,
    says,
    requester: entry.requester,
    setting: entry.setting,
    ...(start !== undefined && entry.dated && { start: dateOf(start) }),
    ...(stop !== undefined && stop < OPEN && { stop: dateOf(stop) }),
    ...(degree && { degree }),
    fresh: lastSign === undefined ? all.dated : today - lastSign <= parameters.freshDays,
    vague: product?.vague === true,
    ...(product && { afterDays: product.afterDays }),
    otherwise: false,
    prescribed: prescribing.concat(prescribing.includes(entry) ? [] : entry).map(writtenOf),
    ...(entry.dailyDose !== undefined && { dailyDose: entry.dailyDose }),
    endKnown: all.endKnown,
    onHold: inForce > 0 && all.onHold,
    once: all.once && entry.kind === 'administration',
    ...(lastSign !== undefined && { lastSign: dateOf(lastSign) }),
    ...(lastDose !== undefined && { lastDose: dateOf(lastDose) }),
    administered: counting > 0 && all.administered,
    entries: () =>
      group.map((purposed) => {
        const { periods, effect } = partOfEntry(purposed);
        return {
          ref: purposed.entry.ref,
          kind: purposed.entry.kind,
          ...traceOf([...periods.spans, ...effect], purposed.entry, today),
          ...(changes.get(purposed.entry.ref)?.kind === 'replaced' && { replaced: true as const }),
        };
      }),
    supplies: merged(supplies).map(({ start: from, end }) => ({ start: from, end })),
    timeline: {
      today,
      parameters,
      spans,
      strict,
      cleared: [...cleared].flatMap(([afterDays, own]) => merged(own).map((span) => ({ ...span, afterDays }))),
      ...(implant && { implant }),
    },
  };
}

function pushAll(map: Map<number, Span[]>, key: number, spans: Span[]): void {
  const known = map.get(key);
  if (!known) map.set(key, [...spans]);
  else for (const span of spans) known.push(span);
}

/** Whether two entries are the same, sent again under another id. */
function isAlike({ resource }: Entry, other: Entry): boolean {
  return resource === other.resource || isDeepStrictEqual({ ...resource, id: 0 }, { ...other.resource, id: 0 });
}

/** All values of a group, each once. Usually its members share one list. */
function union(group: Purposed[], listOf: (purposed: Purposed) => string[], own: string[]): string[] {
  let all: Set<string> | undefined;
  for (const purposed of group) {
    const list = listOf(purposed);
    if (list === own) continue;
    all ??= new Set(own);
    for (const item of list) all.add(item);
  }
  return all ? [...all] : own;
}

const RANK = { taken: 3, presumed: 2, possible: 1 } as const;

/** Ranks entries by how informative they are: in force today, higher degree, an order before a supply. */
function rankOf(counts: boolean, degree: Degree | undefined, { kind }: Entry): number {
  return (counts ? 10 : 0) + (degree ? RANK[degree] * 2 : 0) + (kind === 'order' ? 1 : 0);
}

/** The newer of two equally informative entries; on the same day always the same one, whatever their order. */
function isNewer(a: Entry, b: Entry): boolean {
  const later = (a.start ?? 0) - (b.start ?? 0);
  return later > 0 || (later === 0 && a.ref < b.ref);
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
  if (product?.implant) return implantPart(periods, product.implant, context);
  const effectDays = product?.effectDays;
  const effect = effectDays
    ? periods.doses.map(({ start, end, degree }) => ({ start, end: end + effectDays, degree }))
    : NO_SPANS;
  const { ends } = periods;
  const continued =
    continues && ends && effectDays === undefined && parameters.betweenDays > 0
      ? { start: ends.day + 1, end: ends.day + parameters.betweenDays, degree: ends.degree }
      : undefined;
  const cleared = effectDays !== undefined && periods.doses.length > 0 ? periods.doses : periods.spans;
  return { periods, effect, cleared, continued, implant: undefined };
}

const NO_SPANS: Span[] = [];

/** An implant acts for its months, and is presumed to act until it is removed (recommendations.md, 1.4). */
function implantPart(
  periods: EntryPeriods,
  { effectMonths, certainMonths, longestMonths, removal }: NonNullable<Product['implant']>,
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
  const left = removed === undefined ? effect : until(effect, removed);
  return {
    periods: { ...periods, spans: [], endKnown: removed !== undefined },
    effect: left,
    cleared: removed === undefined ? [] : left,
    continued: undefined,
    implant:
      removed === undefined
        ? { certain: monthsAfter(inserted, certainMonths), perhaps: monthsAfter(inserted, longestMonths) }
        : undefined,
  };
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
    administered: false,
    entries: () =>
      otherwise.map(({ ref, kind, spans: own }) => ({ ref, kind, ...(own[0] && { degree: own[0].degree }) })),
    supplies: [],
    timeline: { today, parameters, spans, strict: spans, cleared: [] },
  };
}
