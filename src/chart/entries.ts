import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import type { Product } from '../codes/schema.ts';
import { saysIn, sentencesOf } from '../codes/words.ts';
import { type Day, monthsAfter, OPEN } from '../dates.ts';
import {
  idOf,
  type JsonObject,
  keyPart,
  number,
  object,
  objects,
  type Resource,
  reference,
  string,
} from '../fhir/json.ts';
import type { EntryKind, LeftOut, Prescribed, Reason, Setting, StopSource } from './chart.ts';
import {
  type Dose,
  dosages,
  endOfDuration,
  endOfLines,
  firstDayOf,
  type Line,
  lastDayOf,
  readLines,
  repeatsOf,
  startInExtension,
  sumOfDoses,
  unitOf,
  wholeDays,
} from './dosage.ts';
import { digest, type Medicine } from './medicine.ts';
import type { TreatmentParameters } from './parameters.ts';
import type { Degree, Span } from './periods.ts';

/** What is needed to read an entry besides the resource itself. */
export type EntryContext = {
  codes: Codes;
  timeZone: string;
  today: Day;
  parameters: TreatmentParameters;
  /** Whether `dispenseRequest.validityPeriod.end` means the end of treatment at this site. Usually it does not. */
  validityPeriodEndsTreatment: boolean;
  /** The lists of a condition that an order refers to as its reason. */
  conditionLists: (reference: string) => string[];
  encounterSetting: Setting | undefined;
  /** Dosages already read, by their text. */
  dosages: Map<string, Dosage>;
};

type Status = 'active' | 'on-hold' | 'completed' | 'stopped' | 'unknown';

/** The data that decide when an entry was in force, and its amount. */
export type Timing = {
  resource: Resource;
  ref: string;
  kind: EntryKind;
  status: Status;
  /** It has an unknown modifier, which may reverse its meaning. */
  modified: boolean;
  asNeeded: boolean;
  lines: Line[];
  start: Day | undefined;
  /** The last day on which it may begin, if its start is known by its month or year. */
  startAtTheLatest: Day | undefined;
  stated: { day: Day; from: StopSource } | undefined;
  computed: { day: Day; from: StopSource } | undefined;
  /** Last day on which it was signed, handed over, asserted or given; not after today. */
  lastSign: Day | undefined;
  dated: boolean;
  quantity: { value: number; unit: string } | undefined;
  repeats: number;
  dailyDose: number | undefined;
};

/** One order, statement, dispense or administration on record, before its purpose is known. */
export type Entry = Timing & {
  id: string | undefined;
  medicine: Medicine;
  reasons: Reason[];
  says: string[];
  /** It has its own reason, coded or in words; otherwise it uses another entry's. */
  givesReason: boolean;
  /** Ids of the orders that it refers to. */
  names: string[];
  requester: string | undefined;
  setting: Setting | undefined;
};

export function refOf(resource: Resource): string {
  return `${resource.resourceType}/${string(resource['id']) ?? ''}`;
}

const KINDS: Record<string, EntryKind> = {
  MedicationRequest: 'order',
  MedicationStatement: 'statement',
  MedicationDispense: 'dispense',
  MedicationAdministration: 'administration',
};

/** Statuses of the four resources, R4 and R5. Other statuses do not count as taken. */
const STATUS: Record<string, Status> = {
  active: 'active',
  recorded: 'active',
  'in-progress': 'active',
  'on-hold': 'on-hold',
  completed: 'completed',
  stopped: 'stopped',
  ended: 'stopped',
  unknown: 'unknown',
  intended: 'unknown',
};
const NOTHING = ['draft', 'cancelled', 'entered-in-error', 'not-taken', 'not-done', 'declined', 'preparation'];

/** Why an entry of the record does not count, if so (recommendations.md, 1.2). */
export function countsForNothing(resource: Resource): LeftOut['why'] | undefined {
  const kind = KINDS[resource.resourceType];
  const status = string(resource['status']) ?? '';
  if (resource['doNotPerform'] === true) return 'not-performed';
  if (kind === 'dispense') {
    if (['cancelled', 'declined', 'entered-in-error'].includes(status)) return 'status';
    return status === 'completed' || status === 'in-progress' || string(resource['whenHandedOver']) !== undefined
      ? undefined
      : 'status';
  }
  if (NOTHING.includes(status)) return status === 'not-done' || status === 'not-taken' ? 'not-performed' : 'status';
  if (adherenceOf(resource) === 'none') return 'not-performed';
  const intent = string(resource['intent']);
  if (intent === 'proposal' || (intent === 'plan' && !isReported(resource))) return 'intent';
  return undefined;
}

function isReported(resource: Resource): boolean {
  return resource['reportedBoolean'] === true || resource['reported'] === true || 'reportedReference' in resource;
}

/** The adherence of an R5 statement. */
function adherenceOf(resource: Resource): 'none' | 'on-hold' | undefined {
  if (resource['adherence'] === undefined) return undefined;
  const codes = objects(object(object(resource['adherence'])['code'])['coding']).map(({ code }) => string(code) ?? '');
  if (codes.some((code) => /^(not-taking|stopped|never)/.test(code))) return 'none';
  return codes.some((code) => code.startsWith('on-hold')) ? 'on-hold' : undefined;
}

/**
 * Reads one entry of the record, as far as possible without the others. `undatedStart`: the first day of an entry
 * without a date, if it has one; a draft begins today.
 */
export function readEntry(resource: Resource, medicine: Medicine, context: EntryContext, undatedStart?: Day): Entry {
  const { timing, dosage } = timingWithDosage(resource, context, undatedStart);
  const { reasons, says } = readPurpose(resource, dosage, context);
  return Object.assign(timing, {
    id: string(resource['id']),
    medicine,
    reasons,
    says,
    givesReason: reasons.length > 0 || says.some((name) => context.codes.reading.says.get(name)?.purpose),
    names: namedOrders(resource),
    requester: reference(resource['requester']) ?? reference(resource['informationSource']),
    setting: settingOf(resource, timing.kind, context),
  });
}

/** When an entry was in force, whatever it is and whatever it was for. */
export function readTiming(resource: Resource, context: EntryContext): Timing {
  return timingWithDosage(resource, context).timing;
}

function timingWithDosage(
  resource: Resource,
  context: EntryContext,
  undatedStart?: Day,
): { timing: Timing; dosage: Dosage } {
  const { codes, timeZone, today } = context;
  const kind = (KINDS[resource.resourceType] ?? 'order') as EntryKind;
  const period = object(resource['effectivePeriod'] ?? resource['occurencePeriod'] ?? resource['occurrencePeriod']);
  const moment = resource['effectiveDateTime'] ?? resource['occurenceDateTime'] ?? resource['occurrenceDateTime'];
  const given = resource['whenHandedOver'] ?? resource['whenPrepared'];
  const own = kind === 'dispense' ? given : kind === 'order' ? undefined : (period['start'] ?? moment);
  const authored = resource['authoredOn'] ?? resource['dateAsserted'];
  const orderStart =
    firstDayOf(own, timeZone) ?? startInExtension(resource, timeZone) ?? firstDayOf(authored, timeZone) ?? undatedStart;
  const dosage = readDosage(resource, orderStart, context);
  const { lines, asNeeded } = dosage;
  const lineStart = dosage.dated ? least(...lines.map((line) => line.start)) : undefined;
  const start = kind === 'order' ? (lineStart ?? orderStart) : (orderStart ?? lineStart);
  const status =
    kind === 'dispense'
      ? 'completed'
      : adherenceOf(resource) === 'on-hold'
        ? 'on-hold'
        : (STATUS[string(resource['status']) ?? ''] ?? 'unknown');
  const supply = supplyOf(resource, kind);
  const stated = statedEnd(resource, kind, lines, period, status, context);
  const computed = computedEnd(supply, kind, dosage, start, codes.reading);
  let lastSign: Day | undefined;
  let dated = false;
  const sign = (day: Day | undefined, isDate = true) => {
    if (day === undefined) return;
    dated ||= isDate;
    if (day <= today && (lastSign === undefined || day > lastSign)) lastSign = day;
  };
  sign(start);
  if (authored !== undefined) sign(firstDayOf(authored, timeZone));
  if (moment !== undefined) sign(firstDayOf(moment, timeZone));
  if (dosage.dated) for (const { events } of lines) for (const day of [events?.first, events?.latest]) sign(day);
  sign(stated?.day, false);
  sign(computed?.day, false);
  if (stated && stated.day >= today && (start === undefined || start <= today)) sign(today, false);
  const timing: Timing = {
    resource,
    ref: refOf(resource),
    kind,
    status,
    modified: resource['modifierExtension'] !== undefined && objects(resource['modifierExtension']).length > 0,
    asNeeded,
    lines,
    start,
    startAtTheLatest:
      start === orderStart && isShort(own ?? authored) ? (lastDayOf(own ?? authored, timeZone) ?? start) : start,
    stated,
    computed,
    lastSign,
    dated,
    quantity:
      supply.amount === undefined
        ? undefined
        : { value: supply.amount * (1 + supply.repeats), unit: unitOf(supply.quantity, codes.reading) },
    repeats: supply.repeats,
    dailyDose: dosage.high?.value,
  };
  return { timing, dosage };
}

/** Whether a date is known only by its month or year. */
function isShort(value: unknown): boolean {
  return typeof value === 'string' && value.length < 10;
}

/** The dosage of an entry, as far as it is shared by entries with the same text. */
type Dosage = {
  lines: Line[];
  asNeeded: boolean;
  high: Dose | undefined;
  low: Dose | undefined;
  texts: string[];
  /** What the texts say, beside a coded reason or without one: found when asked for. */
  says: (coded: boolean) => string[];
  /** It contains dates, so it belongs to this entry only. */
  dated: boolean;
};

/**
 * Reads a dosage. Ten years of supplies share one text, which is read once. A dosage with dates, or that depends on the
 * start, is not shared.
 */
function readDosage(resource: Resource, start: Day | undefined, context: EntryContext): Dosage {
  const { codes, timeZone, today, dosages: known } = context;
  const written = keyOfDosage(resource['dosageInstruction'] ?? resource['dosage']);
  const before = known.get(written);
  if (before) return before;
  const lines = readLines(resource, start, { reading: codes.reading, timeZone, today });
  const dated = /"(bounds[A-Z]\w*|count|event|extension)":/.test(written);
  const texts = lines.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const dosage: Dosage = {
    lines,
    asNeeded: lines.some((line) => line.asNeeded),
    high: sumOfDoses(lines, 'high'),
    low: sumOfDoses(lines, 'low'),
    texts,
    says: saysOf(texts, codes),
    dated,
  };
  if (!dated) known.set(written, dosage);
  return dosage;
}

function saysOf(texts: string[], codes: Codes): Dosage['says'] {
  const found: [plain?: string[], coded?: string[]] = [];
  return (coded) => {
    found[Number(coded)] ??= saidIn(texts, codes, coded);
    return found[Number(coded)] as string[];
  };
}

/** The key of a dosage. The usual one, a line with a text, a dose and a frequency, is not serialised. */
function keyOfDosage(dosage: unknown): string {
  if (dosage === undefined) return '';
  if (!Array.isArray(dosage) || dosage.length !== 1) return JSON.stringify(dosage);
  const line = object(dosage[0]);
  for (const key in line) if (!USUAL.has(key)) return JSON.stringify(dosage);
  const timing = object(line['timing']);
  const [dose = NO_DOSE] = objects(line['doseAndRate']);
  const repeat = object(timing['repeat']);
  const quantity = object(dose['doseQuantity']);
  for (const key in timing) if (key !== 'repeat') return JSON.stringify(dosage);
  for (const key in repeat) if (!OFTEN.has(key)) return JSON.stringify(dosage);
  for (const key in dose) if (key !== 'doseQuantity' && key !== 'type') return JSON.stringify(dosage);
  const { frequency, period, periodUnit } = repeat;
  const { value, unit, code } = quantity;
  const often = `${keyPart(frequency)}\0${keyPart(period)}\0${keyPart(periodUnit)}`;
  const much = `${keyPart(value)}\0${keyPart(unit)}\0${keyPart(code)}`;
  return `${keyPart(line['text'])}\0${keyPart(line['asNeededBoolean'])}\0${often}\0${much}`;
}

const NO_DOSE: JsonObject = {};
const USUAL = new Set(['text', 'timing', 'doseAndRate', 'asNeededBoolean', 'route', 'method', 'id']);
const OFTEN = new Set(['frequency', 'period', 'periodUnit']);

/** How an order is written, as digests, to detect a changed order. */
export function writtenOf({ medicine, resource, dailyDose }: Entry): Prescribed {
  return {
    product: medicine.product,
    dosage: digest(dosages(resource)),
    ...(dailyDose !== undefined && { dailyDose }),
  };
}

/** Days of supply, quantity and repeats of an order or dispense. */
export type Supply = { days: JsonObject; quantity: JsonObject; amount: number | undefined; repeats: number };

export function supplyOf(resource: Resource, kind: EntryKind): Supply {
  const request = kind === 'dispense' ? resource : object(resource['dispenseRequest']);
  const quantity = object(request['quantity']);
  return {
    days: object(kind === 'dispense' ? resource['daysSupply'] : request['expectedSupplyDuration']),
    quantity,
    amount: number(quantity['value']),
    repeats: kind === 'dispense' ? 0 : repeatsOf(request),
  };
}

function statedEnd(
  resource: Resource,
  kind: EntryKind,
  lines: Line[],
  period: JsonObject,
  status: Status,
  { timeZone, today, validityPeriodEndsTreatment }: EntryContext,
): Entry['stated'] {
  const effective = kind === 'dispense' ? undefined : lastDayOf(period['end'], timeZone);
  if (effective !== undefined) return { day: effective, from: 'effective-period' };
  const changed = status === 'stopped' ? lastDayOf(resource['statusChanged'], timeZone) : undefined;
  if (changed !== undefined && changed <= today) return { day: changed, from: 'status-changed' };
  const bounds = endOfLines(lines);
  if (bounds?.from === 'bounds') return { day: bounds.day, from: 'bounds' };
  const validity = lastDayOf(object(object(resource['dispenseRequest'])['validityPeriod'])['end'], timeZone);
  return validity !== undefined && validityPeriodEndsTreatment ? { day: validity, from: 'validity-period' } : undefined;
}

/** When a supply runs out, at the lowest dose; unknown for as-needed use. */
function computedEnd(
  { days, quantity, amount, repeats }: Supply,
  kind: EntryKind,
  { lines, asNeeded, low }: Dosage,
  start: Day | undefined,
  reading: Codes['reading'],
): Entry['computed'] {
  const end = endOfLines(lines);
  if (end && end.from !== 'bounds' && kind !== 'dispense') return { day: end.day, from: end.from };
  if (start === undefined) return undefined;
  const supplied = endOfDuration(start, days, reading, 1 + repeats, true);
  if (supplied !== undefined) return { day: supplied, from: 'days-supply' };
  if (asNeeded || amount === undefined || !low || unitOf(quantity, reading) !== low.unit) return undefined;
  const lasts = wholeDays((amount * (1 + repeats)) / low.value);
  return lasts === undefined ? undefined : { day: start + lasts - 1, from: 'quantity' };
}

const NO_IDS: string[] = [];
const NAMES_ORDERS = ['authorizingPrescription', 'basedOn', 'request', 'priorPrescription', 'replaces', 'partOf'];

function namedOrders(resource: Resource): string[] {
  let ids = NO_IDS;
  for (const key of NAMES_ORDERS) {
    if (resource[key] === undefined) continue;
    if (ids === NO_IDS) ids = [];
    for (const pointer of objects(resource[key])) {
      const ref = reference(pointer);
      if (ref !== undefined) ids.push(idOf(ref));
    }
  }
  return ids;
}

/** Ids of the orders that a draft replaces. */
export function replacedOrders(draft: Resource): string[] {
  return ['priorPrescription', 'replaces']
    .flatMap((key) => objects(draft[key]))
    .map((pointer) => reference(pointer) ?? '')
    .filter((ref) => ref !== '')
    .map(idOf);
}

/** Coded reasons, and what the texts say. A coded reason in a list takes precedence over text. */
function readPurpose(
  resource: Resource,
  dosage: Dosage,
  { codes, conditionLists }: EntryContext,
): { reasons: Reason[]; says: string[] } {
  if (!WITH_REASONS.some((key) => resource[key] !== undefined))
    return { reasons: NO_REASONS, says: dosage.says(false) };
  const concepts = [
    ...objects(resource['reasonCode']),
    ...objects(resource['reason']).flatMap((reason) => objects(reason['concept'])),
  ];
  const references = [
    ...objects(resource['reasonReference']),
    ...objects(resource['reason']).flatMap((reason) => objects(reason['reference'])),
  ];
  const reasons = [
    ...concepts.map((concept) => [
      ...conceptListsOf(concept, codes.conditions, codes),
      ...reimbursementLists(concept, codes),
    ]),
    ...references.map((item) => conditionLists(reference(item) ?? '')),
    ...reimbursementsOf(resource, codes),
  ].map((lists) => ({ lists }));
  if (reasons.some(({ lists }) => lists.length > 0)) return { reasons, says: dosage.says(true) };
  const texts = concepts
    .flatMap((concept) => [
      string(concept['text']),
      ...objects(concept['coding']).map(({ display }) => string(display)),
    ])
    .filter((text) => text !== undefined);
  const says = texts.length === 0 ? dosage.says(false) : saidIn([...texts, ...dosage.texts], codes, false);
  return { reasons, says };
}

const NO_REASONS: Reason[] = [];
const WITH_REASONS = ['reasonCode', 'reasonReference', 'reason', 'extension'];

/** With a coded reason the texts say nothing about the purpose, but may still mention a taper. */
function saidIn(texts: string[], { reading }: Codes, coded: boolean): string[] {
  if (texts.length === 0) return [];
  const read = texts.map(sentencesOf);
  const found: string[] = [];
  for (const [name, wording] of reading.says)
    if (!(coded && wording.purpose) && read.some((text) => saysIn(text, wording))) found.push(name);
  return found;
}

/** Reimbursement codes that stand for a reason, whatever their system. */
function reimbursementLists(concept: JsonObject, { reimbursement }: Codes): string[] {
  return objects(concept['coding']).flatMap((coding) => reimbursement.get(string(coding['code'])?.trim() ?? '') ?? []);
}

/** The same in extensions, as in Norwegian prescriptions. */
function reimbursementsOf(resource: Resource, codes: Codes): string[][] {
  return objects(resource['extension'])
    .flatMap((extension) => [extension, ...objects(extension['extension'])])
    .flatMap((extension) => [
      ...objects(extension['valueCodeableConcept']),
      ...objects(extension['valueCoding']).map((coding) => ({ coding: [coding] })),
    ])
    .map((concept) => reimbursementLists(concept, codes))
    .filter((lists) => lists.length > 0);
}

/** The order's own category takes precedence over the encounter's class; with several categories outpatient care wins. */
function settingOf(
  resource: Resource,
  kind: EntryKind,
  { codes, encounterSetting }: EntryContext,
): Setting | undefined {
  if (resource['category'] === undefined)
    return kind === 'order' && resource['status'] === 'draft' ? encounterSetting : undefined;
  const settings = objects(resource['category'])
    .flatMap((category) => objects(category['coding']))
    .map((coding) => codes.orderCategory.get(string(coding['code']) ?? ''));
  if (settings.includes('outpatient')) return encounterSetting === 'virtual' ? 'virtual' : 'outpatient';
  if (settings.includes('inpatient')) return 'inpatient';
  return kind === 'order' && resource['status'] === 'draft' ? encounterSetting : undefined;
}

/** The days on which an entry counts, with their degrees. */
export type EntryPeriods = {
  spans: Span[];
  /** Days of supply, for use over time. */
  supply: { start: Day; end: Day } | undefined;
  /** It ended, or will end, on a known day. */
  endKnown: boolean;
  /** For treatments that go on between supplies: its last day, with the degree after it. */
  ends: { day: Day; degree: Degree } | undefined;
  /** Doses of a depot; for one without a date, the days on which it may have been given. */
  doses: Span[];
};

/**
 * The table of recommendations.md, 1.2, row by row. `continues`: a treatment that goes on between supplies may also go
 * on longer if its end is unknown.
 */
export function periodsOf(
  entry: Timing,
  product: Product | undefined,
  continues: boolean,
  context: EntryContext,
): EntryPeriods {
  const { today, parameters } = context;
  const { status, start, stated, computed } = entry;
  const lastUpdated = () => lastDayOf(object(entry.resource['meta'])['lastUpdated'], context.timeZone);
  const depot = product?.effectDays !== undefined;
  const from = start ?? Math.min(today, stated?.day ?? today, computed?.day ?? today);
  const limit = () => limitOf(entry, continues, context);
  if (entry.modified) {
    const end = Math.max(from, monthsAfter(entry.lastSign ?? today, parameters.possibleMonths));
    return {
      spans: [span(from, end, 'possible')],
      supply: undefined,
      endKnown: false,
      ends: undefined,
      doses: depot ? [span(from, from, 'possible')] : [],
    };
  }
  if (entry.kind === 'administration' && status !== 'unknown') return ofAdministration(entry, from, depot, context);
  if (entry.kind === 'dispense') return ofDispense(entry, from, depot, context);
  const doses = depot ? dosesOf(entry, from, context) : [];
  const end = stated?.day ?? computed?.day;
  switch (status) {
    case 'active': {
      if (stated) return known(from, stated.day, doses);
      if (computed)
        return {
          spans: [span(from, computed.day, 'taken'), span(Math.max(from, computed.day + 1), OPEN, 'presumed')],
          supply: { start: startOfUse(entry, from), end: Math.max(from, computed.day) },
          endKnown: false,
          ends: undefined,
          doses,
        };
      const believed =
        entry.lastSign === undefined
          ? start !== undefined && start > today
            ? monthsAfter(start, parameters.openMonths)
            : undefined
          : monthsAfter(entry.lastSign, parameters.openMonths);
      const supply =
        singleSupply(entry, from, parameters) ??
        (start === undefined || start > today ? undefined : { start: startOfUse(entry, from), end: today });
      return {
        spans:
          believed === undefined
            ? [span(from, OPEN, 'presumed')]
            : [span(from, Math.max(from, believed), 'taken'), span(Math.max(from, believed + 1), OPEN, 'presumed')],
        supply,
        endKnown: false,
        ends: undefined,
        doses,
      };
    }
    case 'on-hold': {
      if (stated && stated.day < today) return known(from, stated.day, doses);
      const signed = entry.lastSign ?? from;
      return {
        spans: [span(from, stated?.day ?? OPEN, 'presumed')],
        supply:
          start === undefined || start > today
            ? undefined
            : { start: startOfUse(entry, from), end: Math.max(from, signed) },
        endKnown: false,
        ends: undefined,
        doses,
      };
    }
    case 'completed':
      if (end !== undefined) return known(from, end, doses);
      return possible(entry, from, limit, completedBy(lastUpdated(), parameters), doses);
    case 'stopped':
      if (stated && stated.from !== 'bounds' && stated.from !== 'validity-period')
        return known(from, stated.day, doses);
      return possible(entry, from, limit, least(end, lastUpdated()), doses);
    default:
      // Unlike for a stopped order, the time of the last change says nothing about the end here.
      return possible(entry, from, limit, end, doses);
  }
}

/** After the last package is dispensed it is often still taken. */
function completedBy(lastUpdated: Day | undefined, { completedDays }: TreatmentParameters): Day | undefined {
  return lastUpdated === undefined ? undefined : lastUpdated + completedDays;
}

function span(start: Day, end: Day, degree: Degree): Span {
  return { start, end: Math.max(start, end), degree };
}

function least(...days: (Day | undefined)[]): Day | undefined {
  return days.reduce<Day | undefined>(
    (first, day) => (day !== undefined && (first === undefined || day < first) ? day : first),
    undefined,
  );
}

/** A start known by its month or year counts from the last possible day, so that use is never longer than proven. */
function startOfUse({ startAtTheLatest }: Timing, from: Day): Day {
  return Math.max(from, startAtTheLatest ?? from);
}

function known(from: Day, end: Day, doses: EntryPeriods['doses']): EntryPeriods {
  const last = Math.max(from, end);
  return {
    spans: [span(from, last, 'taken')],
    supply: { start: from, end: last },
    endKnown: true,
    ends: { day: last, degree: 'presumed' },
    doses,
  };
}

/** How long an entry with an unknown end may go on. OPEN without any date. */
function limitOf(entry: Timing, continues: boolean, { parameters, today }: EntryContext): Day {
  if (!entry.dated && entry.lastSign === undefined) return OPEN;
  const months = continues ? parameters.possibleMonthsContinuing : parameters.possibleMonths;
  return monthsAfter(entry.lastSign ?? Math.max(today, entry.start ?? today), months);
}

/** `latest`: the latest possible end; if unknown, the limit, which does not count as an end. */
function possible(
  entry: Timing,
  from: Day,
  limit: () => Day,
  latest: Day | undefined,
  doses: EntryPeriods['doses'],
): EntryPeriods {
  const end = Math.max(from, latest ?? limit());
  return {
    spans: [span(from, end, 'possible')],
    supply: undefined,
    endKnown: false,
    ends: latest === undefined ? undefined : { day: end, degree: 'possible' },
    // For a depot stopped at an unknown time, the last dose may be on any day until then.
    doses:
      entry.status === 'completed'
        ? doses
        : doses.map((dose) => ({ ...dose, end: Math.max(dose.end, end), degree: 'possible' as const })),
  };
}

function ofAdministration(entry: Timing, from: Day, depot: boolean, { today, parameters }: EntryContext): EntryPeriods {
  const { status, stated, start } = entry;
  const doses: EntryPeriods['doses'] = depot && start !== undefined ? [span(from, from, 'taken')] : [];
  if (start === undefined)
    return {
      spans: [span(from, monthsAfter(today, parameters.possibleMonths), 'possible')],
      supply: undefined,
      endKnown: false,
      ends: undefined,
      doses,
    };
  if (status === 'active' && stated === undefined && entry.lines.length === 0 && from < today)
    return {
      spans: [span(from, Math.max(from, today), 'taken')],
      supply: { start: from, end: today },
      endKnown: true,
      ends: { day: Math.max(from, today), degree: 'presumed' },
      doses,
    };
  return known(from, stated?.day ?? from, doses);
}

function ofDispense(entry: Timing, from: Day, depot: boolean, { parameters, today }: EntryContext): EntryPeriods {
  const doses: EntryPeriods['doses'] = depot && entry.start !== undefined ? [span(from, from, 'taken')] : [];
  if (entry.start === undefined)
    return { spans: [span(today, OPEN, 'possible')], supply: undefined, endKnown: false, ends: undefined, doses: [] };
  if (entry.computed) return known(from, entry.computed.day, doses);
  const presumed = from + parameters.dispenseDays - 1;
  const last = from + parameters.dispensePossibleDays - 1;
  return {
    spans: [span(from, presumed, 'presumed'), ...(last > presumed ? [span(presumed + 1, last, 'possible')] : [])],
    supply: { start: from, end: presumed },
    endKnown: true,
    ends: { day: presumed, degree: 'presumed' },
    doses,
  };
}

/** The doses of a depot according to an order or statement (recommendations.md, 1.4). */
function dosesOf(entry: Timing, from: Day, { today }: EntryContext): EntryPeriods['doses'] {
  const { kind, lines, status, stated, start } = entry;
  if (start === undefined) return [];
  const on = (day: Day) => [span(day, day, 'taken')];
  const events = lines.flatMap((line) => (line.events ? [line.events] : []));
  if (events.length > 0) {
    const past = events.map(({ latest }) => latest).filter((day) => day !== undefined);
    return on(past.length > 0 ? Math.max(...past) : Math.min(...events.map(({ first }) => first)));
  }
  if (lines.some(({ single }) => single) || kind === 'statement') return on(from);
  if (status === 'stopped') {
    return on(stated && stated.from !== 'bounds' ? Math.max(from, stated.day) : from);
  }
  const every = lines.map((line) => line.every).find((days) => days !== undefined);
  if (every === undefined) return on(from);
  // Recurring: the last due day, at most today and at most its end.
  const until = Math.min(today, stated?.day ?? today);
  return on(until < from ? from : from + Math.floor((until - from) / every) * every);
}

/** A single as-needed order of few units, without repeats, does not count as long-term use. */
function singleSupply(
  entry: Timing,
  from: Day,
  { singleUnits, singleDays }: TreatmentParameters,
): { start: Day; end: Day } | undefined {
  const { asNeeded, quantity, repeats, kind } = entry;
  if (
    kind !== 'order' ||
    !asNeeded ||
    repeats > 0 ||
    quantity === undefined ||
    quantity.unit !== '1' ||
    quantity.value > singleUnits
  )
    return undefined;
  return { start: startOfUse(entry, from), end: startOfUse(entry, from) + singleDays - 1 };
}
