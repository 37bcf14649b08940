import { conceptListsOf, systemKey } from '../codes/classify.ts';
import { type Codes, codeKey } from '../codes/load.ts';
import { type Presence, phrasesIn, standsAt, type TestList, type Tests } from '../codes/tests.ts';
import { wordsOf } from '../codes/words.ts';
import { dayOf, localDate } from '../dates.ts';
import { type JsonObject, keyPart, number, object, objects, type Resource, reference, string } from '../fhir/json.ts';
import type { Result, Treatment } from './chart.ts';
import type { Once } from './once.ts';

/** Statuses of final results, and of preliminary ones, which only raise a question. */
const REPORTED = ['final', 'amended', 'corrected', 'appended'];
const PRELIMINARY = ['preliminary', 'registered'];

export type ResultOptions = { codes: Codes; timeZone: string; once: Once };

/** A result with the question that was asked, and the sample. */
type Read = Result & { question: string; sample: string | undefined };

/** Reads Observations into results, and relates them to each other (recommendations.md, 5). */
export function readResults(observations: Resource[], options: ResultOptions): Result[] {
  const recognise = recogniser(options.codes);
  return relate(
    observations.flatMap((observation) =>
      options.once('result', observation, () => readObservation(observation, options, recognise)),
    ),
    options.codes.tests,
  );
}

/**
 * Reads an Observation, the components of a panel, and contained members, as far as they are in our lists. The date is the day
 * it is about (`effective[x]`), never the day it was issued; a result without one is left out, because its age is unknown.
 */
function readObservation(observation: Resource, options: ResultOptions, recognise: Recogniser): Read[] {
  const status = string(observation['status']) ?? '';
  const preliminary = PRELIMINARY.includes(status);
  if (!preliminary && !REPORTED.includes(status)) return [];
  const members = objects(observation['contained']).filter(({ resourceType }) => resourceType === 'Observation');
  const parts = [observation, ...objects(observation['component']), ...members].flatMap((part) => {
    const asked = recognise(part);
    return asked ? [{ part, asked }] : [];
  });
  // Most results are in no list; their dates need not be read.
  if (parts.length === 0) return [];
  const period = object(observation['effectivePeriod']);
  const when =
    string(observation['effectiveDateTime']) ??
    string(observation['effectiveInstant']) ??
    string(period['end']) ??
    string(period['start']);
  const date = localDate(when, options.timeZone);
  if (when === undefined || date === undefined) return [];
  const about = {
    ref: `${observation.resourceType}/${string(observation['id']) ?? ''}`,
    date,
    at: Date.parse(when) || Date.parse(date),
    sample: reference(observation['specimen']),
    preliminary,
    overruled: false,
    refuted: false,
    laterNegative: false,
    explained: false,
  };
  return parts.map(({ part, asked }) => {
    const confirmation = asked.confirmation || isConfirmedBy(part, observation, options.codes);
    return {
      ...about,
      lists: asked.lists,
      question: asked.question,
      confirmation,
      ...(asked.substance !== undefined && { substance: asked.substance }),
      ...readValue(part, { ...asked, confirmation }, options.codes),
    };
  });
}

/** What a code or a text asks for: lists, a single substance, and how specific the method is. */
type Asked = { lists: string[]; substance: string | undefined; confirmation: boolean; question: string };
type Recogniser = (part: JsonObject) => Asked | undefined;

/**
 * Recognises a test by its code; otherwise by the words of its display or text; if these only say drug test, by those
 * of its value.
 */
function recogniser(codes: Codes): Recogniser {
  const known = new Map<string, Asked | undefined>();
  return (part) => {
    const code = object(part['code']);
    const codings = objects(code['coding']);
    const [first] = codings;
    const key =
      codings.length < 2
        ? `${keyPart(first?.['system'])}\0${keyPart(first?.['code'])}\0${keyPart(first?.['display'])}\0${keyPart(code['text'])}`
        : undefined;
    if (key !== undefined && known.has(key)) {
      const before = known.get(key);
      return before?.question === PANEL ? byValue(part, codes) : before;
    }
    const asked = byCode(part['code'], codes) ?? byText(textsOf(code), codes);
    if (key !== undefined) known.set(key, asked);
    return asked?.question === PANEL ? byValue(part, codes) : asked;
  };
}

/** The question of a text that only says drug test. */
const PANEL = 'panel';

function byCode(code: unknown, codes: Codes): Asked | undefined {
  const lists = conceptListsOf(code, codes.results, codes);
  if (lists.length === 0) return undefined;
  const keys = objects(object(code)['coding']).flatMap((coding) => {
    const system = systemKey(coding, codes);
    const own = codeKey(string(coding['code']) ?? '');
    return system === 'nlk' ? [`nlk|${own}`, `npu|${own}`] : system ? [`${system}|${own}`] : [];
  });
  const tests = lists.map((list) => codes.tests.lists.get(list)).filter((test) => test !== undefined);
  const substance = first(tests, (test) =>
    keys.map((key) => test.substances.get(key)).find((found) => found !== undefined),
  );
  const same = first(tests, (test) => keys.map((key) => test.same.get(key)).find((found) => found !== undefined));
  return {
    lists,
    substance,
    confirmation: tests.some((test) => keys.some((key) => test.confirmations.has(key))),
    question: substance ? `substance|${substance}` : (same ?? keys[0] ?? lists.join()),
  };
}

function first<T, R>(items: T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function byText(texts: string[], codes: Codes): Asked | undefined {
  let panel = false;
  for (const text of texts) {
    const words = wordsOf(text);
    const named = classesIn(words, codes.tests);
    if (named) return { ...named, question: named.substance ? `substance|${named.substance}` : words.join(' ') };
    panel ||= phrasesIn(words, codes.tests.panel).length > 0;
  }
  return panel ? { lists: [], substance: undefined, confirmation: false, question: PANEL } : undefined;
}

function byValue(part: JsonObject, codes: Codes): Asked | undefined {
  const texts = [string(part['valueString']), ...objects(part['valueCodeableConcept']).flatMap(textsOf)].filter(
    (text) => text !== undefined,
  );
  for (const text of texts) {
    const named = classesIn(wordsOf(text), codes.tests);
    if (named) return { ...named, question: named.lists.join() };
  }
  return undefined;
}

/** The classes that words name, whole or by their beginnings. A name in a list with a limit asks for that substance. */
function classesIn(words: string[], { lists, named }: Tests): Omit<Asked, 'question'> | undefined {
  const hits = phrasesIn(words, named);
  if (hits.length === 0) return undefined;
  const found = hits.toSorted((one, other) => one.order - other.order);
  const one = found.find(({ list, substance }) => substance !== undefined && lists.get(list)?.limit);
  return {
    lists: [...new Set(found.map(({ list }) => list))],
    substance: one?.substance,
    confirmation: one !== undefined,
  };
}

function beginsIn(words: string[], begins: string): boolean {
  const phrase = begins.split(' ');
  return words.some((_, at) => standsAt(words, at, phrase));
}

function textsOf(concept: JsonObject): string[] {
  return [...objects(concept['coding']).map(({ display }) => string(display)), string(concept['text'])].filter(
    (text) => text !== undefined,
  );
}

/** Whether the words describe a confirmation method. */
function isConfirmedBy(part: JsonObject, observation: Resource, { tests }: Codes): boolean {
  const texts = [part['method'], observation['method']].flatMap((method) => objects(method).flatMap(textsOf));
  return texts.some((text) => {
    const joined = wordsOf(text).join(' ');
    return tests.toxicology.confirmationWords.some((words) => joined.includes(words));
  });
}

/** The outcome, positive or negative, and the value. */
function readValue(part: JsonObject, asked: Asked, codes: Codes): Partial<Result> {
  const { tests } = codes;
  const quantity = quantityOf(part);
  const limit = upperLimitOf(part, quantity?.unit);
  const outcome = saidOutcome(part, asked, codes) ?? (quantity && outcomeOfQuantity(quantity, limit, asked, tests));
  return {
    ...(outcome && { outcome }),
    ...(quantity && { value: quantity.value }),
    ...(quantity?.unit !== undefined && { unit: quantity.unit }),
    ...(quantity && limit !== undefined && limit > 0 && { timesUpperLimit: quantity.value / limit }),
  };
}

/** The outcome by codes and words, in order of trust. */
function saidOutcome(part: JsonObject, asked: Asked, codes: Codes): Presence | undefined {
  const { tests } = codes;
  const byCodes = (concepts: JsonObject[]) => {
    for (const coding of concepts.flatMap((concept) => objects(concept['coding']))) {
      const system = systemKey(coding, codes);
      const code = codeKey(string(coding['code']) ?? '');
      const found =
        first(asked.lists, (list) => tests.values.get(`${list}|${system}|${code}`)) ??
        tests.codes.get(`${system}|${code}`);
      if (found) return found;
    }
    return undefined;
  };
  const values = objects(part['valueCodeableConcept']);
  const interpretations = objects(part['interpretation']);
  const coded = byCodes(values) ?? byCodes(interpretations);
  if (coded) return coded;
  if (typeof part['valueBoolean'] === 'boolean') return part['valueBoolean'] ? 'positive' : 'negative';
  const presence = arbitrary(part, asked, tests);
  if (presence) return presence;
  const texts = [string(part['valueString']), ...values.flatMap(textsOf), ...interpretations.flatMap(textsOf)].filter(
    (text) => text !== undefined,
  );
  return first(texts, (text) => saidIn(text, asked, tests));
}

/** 0 or 1 as the result of a test for presence. */
function arbitrary(part: JsonObject, { lists }: Asked, tests: Tests): Presence | undefined {
  if (!lists.some((list) => tests.lists.get(list)?.of !== undefined)) return undefined;
  const quantity = object(part['valueQuantity']);
  const unit = (string(quantity['code']) ?? string(quantity['unit']))?.toLowerCase();
  const value =
    number(part['valueInteger']) ??
    (unit === undefined || /arb|^1$|^\{/.test(unit) ? number(quantity['value']) : undefined);
  if (value === 0) return 'negative';
  return value === 1 ? 'positive' : undefined;
}

/** The beginning of a text decides; a text that names the class itself is positive unless it says no. */
function saidIn(text: string, { lists }: Asked, tests: Tests): Presence | undefined {
  const plain = text.normalize('NFC').trim().toLowerCase();
  if (!/^[<>]?=?\s*-?\d/.test(plain)) {
    const begun = tests.begins.find(([begins]) => plain.startsWith(begins));
    if (begun) return begun[1];
  }
  const named = lists.some((list) =>
    tests.lists.get(list)?.words.some(({ begins }) => beginsIn(wordsOf(plain), begins)),
  );
  if (!named) return undefined;
  const words = wordsOf(plain);
  const rests = words.map((_, at) => words.slice(at).join(' '));
  return rests.some((rest) =>
    tests.begins.some(([begins, presence]) => presence === 'negative' && begins.length > 1 && rest.startsWith(begins)),
  )
    ? 'negative'
    : 'positive';
}

type Measured = { value: number; comparator: string | undefined; unit: string | undefined };

/** A quantity, or one in a text: `<200`, `900 mikrogram/L`. */
function quantityOf(part: JsonObject): Measured | undefined {
  const quantity = object(part['valueQuantity']);
  const value = number(quantity['value']) ?? number(part['valueInteger']) ?? number(part['valueDecimal']);
  if (value !== undefined)
    return {
      value,
      comparator: string(quantity['comparator']),
      unit: unitOf(string(quantity['code']) ?? string(quantity['unit'])),
    };
  return quantityIn(string(part['valueString']));
}

function quantityIn(text: string | undefined): Measured | undefined {
  const found = /^\s*([<>]=?)?\s*(\d{1,9}(?:[.,]\d{1,6})?)\s*([^\d\s][^\s]{0,30})?/.exec(text ?? '');
  if (!found) return undefined;
  return { value: Number((found[2] as string).replace(',', '.')), comparator: found[1], unit: unitOf(found[3]) };
}

/** The upper limit of the reference range, in the value's own unit; from a quantity or a text. */
function upperLimitOf(part: JsonObject, unit: string | undefined): number | undefined {
  for (const range of objects(part['referenceRange'])) {
    const high = object(range['high']);
    const value = number(high['value']);
    const own = unitOf(string(high['code']) ?? string(high['unit']));
    if (value !== undefined && (own === undefined || own === unit)) return value;
    const said = quantityIn(string(range['text']));
    if (said?.comparator?.startsWith('<') && (said.unit === undefined || said.unit === unit)) return said.value;
  }
  return undefined;
}

/** Normalises a unit: lower case, u for micro, short names: `ug/l`, `umol/l`. */
function unitOf(unit: string | undefined): string | undefined {
  return unit
    ?.trim()
    .toLowerCase()
    .replace(/[µμ]/g, 'u')
    .replace(/^mikrogram|^microgram(s)?|^mcg/, 'ug')
    .replace(/^mikromol|^micromol(es)?/, 'umol')
    .replace(/^nanogram(s)?/, 'ng')
    .replace(/^milligram(s)?/, 'mg')
    .replace(/\/liter$|\/litre$/, '/l')
    .replace(/^\[?iu\]?(?=\/)/, 'u');
}

const MASS_PER_MICROGRAM_A_LITRE: Record<string, number> = {
  'ug/l': 1,
  'ng/ml': 1,
  'mg/l': 1000,
  'ug/ml': 1000,
  'ng/l': 0.001,
};
const MICROMOLES_A_LITRE: Record<string, number> = { 'umol/l': 1, 'nmol/l': 0.001, 'mmol/l': 1000 };

/**
 * Compares a screening with its reference range, otherwise the cut-off; a confirmation with its own limit, otherwise with 0.
 */
function outcomeOfQuantity(
  measured: Measured,
  range: number | undefined,
  asked: Asked,
  tests: Tests,
): Presence | undefined {
  const test = first(asked.lists, (list) => {
    const found = tests.lists.get(list);
    return found && (found.cutoff || found.limit || found.of) ? found : undefined;
  });
  if (!asked.confirmation) {
    // A reference range includes its upper limit; a cut-off itself is positive.
    if (range !== undefined) return compare(measured, range, false);
    return test?.cutoff && against(measured, test.cutoff, asked, tests);
  }
  if (test?.limit) return against(measured, test.limit, asked, tests);
  return compare(measured, 0, false);
}

function against(
  measured: Measured,
  limit: NonNullable<TestList['limit']>,
  asked: Asked,
  { toxicology }: Tests,
): Presence | undefined {
  const to = MASS_PER_MICROGRAM_A_LITRE[unitOf(limit.unit) ?? ''];
  const unit = measured.unit ?? '';
  const from = MASS_PER_MICROGRAM_A_LITRE[unit];
  if (to === undefined) return unit === unitOf(limit.unit) ? compare(measured, limit.value, true) : undefined;
  const bound = limit.value * to;
  if (from !== undefined) return compare({ ...measured, value: measured.value * from }, bound, true);
  const moles = MICROMOLES_A_LITRE[unit];
  if (moles === undefined) return undefined;
  const mass = asked.substance === undefined ? undefined : toxicology.molarMass[asked.substance];
  if (mass !== undefined) return compare({ ...measured, value: measured.value * moles * mass }, bound, true);
  // No substance of the class is lighter, so a value above the bound with the lightest one is above it.
  return compare({ ...measured, value: measured.value * moles * toxicology.lightest }, bound, true) === 'positive'
    ? 'positive'
    : undefined;
}

/** "> 100" says nothing about a limit of 200; "< 50" is below it. */
function compare({ value, comparator }: Measured, limit: number, from: boolean): Presence | undefined {
  if (comparator?.startsWith('<')) return value <= limit ? 'negative' : undefined;
  const above = from ? value >= limit : value > limit;
  if (comparator?.startsWith('>')) return value >= limit ? 'positive' : undefined;
  return above ? 'positive' : 'negative';
}

/** Marks what a later answer, or a confirmation of the same sample, contradicts, and positives with a later negative. */
function relate(results: Read[], { lists }: Tests): Result[] {
  const telling = results.filter(({ preliminary }) => !preliminary);
  const lastNegative = new Map<string, number>();
  const confirmed = new Map<string, Read[]>();
  for (const result of telling) {
    if (result.outcome !== 'negative') continue;
    const keys = [result.question, ...result.lists.map((list) => `list|${list}`)];
    for (const key of keys) lastNegative.set(key, Math.max(lastNegative.get(key) ?? 0, result.at));
    if (result.confirmation)
      for (const key of samplesOf(result)) confirmed.set(key, [...(confirmed.get(key) ?? []), result]);
  }
  return results.map((result) => {
    const { question, sample: _, ...own } = result;
    if (own.outcome !== 'positive' || !own.lists.some((list) => lists.get(list)?.of !== undefined)) return own;
    const later = (lastNegative.get(question) ?? 0) > own.at;
    const sameSample = samplesOf(result).some((key) =>
      confirmed
        .get(key)
        ?.some(
          (other) =>
            !own.confirmation &&
            other.lists.some((list) => own.lists.includes(list)) &&
            (other.substance === undefined || other.substance === own.substance),
        ),
    );
    const laterNegative = own.lists.some((list) => (lastNegative.get(`list|${list}`) ?? 0) > own.at);
    return { ...own, overruled: later || sameSample, refuted: sameSample, laterNegative };
  });
}

function samplesOf({ sample, at }: Read): string[] {
  return [`at|${at}`, ...(sample === undefined ? [] : [`of|${sample}`])];
}

/**
 * A prescribed medicine explains a positive of its class, or of its substance if the test asks for one, while it is
 * taken or presumed and for its detection days afterwards.
 */
export function explain(results: Result[], treatments: Treatment[], { tests: { lists, toxicology } }: Codes): Result[] {
  return results.map((result) => {
    const { outcome, substance, date } = result;
    if (outcome !== 'positive' || date.length < 10) return result;
    const classes = result.lists.map((list) => lists.get(list)?.of).filter((list) => list !== undefined);
    const day = dayOf(date);
    const explained = treatments.some((treatment) => {
      const given = treatment.substance;
      const fits =
        substance === undefined
          ? classes.some((list) => treatment.lists.includes(list))
          : given === substance || (given !== undefined && toxicology.metabolites[given]?.includes(substance) === true);
      if (!fits) return false;
      const days =
        (given === undefined ? undefined : toxicology.detectionDays[given]) ??
        first(treatment.lists, (list) => toxicology.detectionDays[list]) ??
        toxicology.detectionDefault;
      return treatment.timeline.strict.some(
        ({ start, end, degree }) => degree !== 'possible' && start <= day && day <= end + days,
      );
    });
    return explained ? { ...result, explained } : result;
  });
}

/**
 * Of results in the same code list, those not superseded by a newer one; for scores and values. Results without a
 * meaning supersede nothing; of two at the same time the positive one stays.
 */
export function newestOf(results: readonly Result[]): Result[] {
  const telling = results.filter(
    ({ outcome, value, preliminary }) => !preliminary && (outcome !== undefined || value !== undefined),
  );
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
