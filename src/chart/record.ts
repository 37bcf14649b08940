import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { compileWording, sayOneOf, saysIn, sentencesOf } from '../codes/words.ts';
import { type Day, firstDay, type LocalDate, lastDay, localDate, monthsAfter, OPEN, yearsBetween } from '../dates.ts';
import { idOf, type JsonObject, object, objects, type Resource, reference, string, typeOf } from '../fhir/json.ts';
import type { Activity, Chart, Condition, Setting } from './chart.ts';
import { firstDayOf, lastDayOf } from './dosage.ts';
import { refOf } from './entries.ts';
import type { Once } from './once.ts';
import type { Otherwise } from './treatments.ts';

/** Clinical statuses with which a condition counts. It also counts without one. */
const ACTIVE = ['active', 'recurrence', 'relapse'];
const NOT_TRUE = ['refuted', 'entered-in-error'];
/** Such a diagnosis may make a rule fire but never silences one (recommendations.md, 2.4). */
const NOT_SURE = ['unconfirmed', 'provisional', 'differential'];

/** Reads a condition that is in a code list. Onset takes precedence over the recorded date. */
export function readCondition(resource: Resource, codes: Codes, timeZone: string): Condition[] {
  const verification = codesOf(resource['verificationStatus']);
  if (verification.some((code) => NOT_TRUE.includes(code))) return [];
  const lists = conceptListsOf(resource['code'], codes.conditions, codes);
  if (lists.length === 0) return [];
  const status = codesOf(resource['clinicalStatus']);
  const onset = firstDate(
    [resource['onsetDateTime'], object(resource['onsetPeriod'])['start'], resource['recordedDate']],
    timeZone,
  );
  const active = status.length === 0 || status.some((code) => ACTIVE.includes(code));
  return [
    {
      ref: refOf(resource),
      lists,
      active,
      confirmed: !verification.some((code) => NOT_SURE.includes(code)),
      remission: status.includes('remission'),
      ...(onset !== undefined && { onset }),
    },
  ];
}

/** Evidence of a treatment without a named medicine: a diagnosis, a procedure or a care plan (recommendations.md, 2.3). */
export type OtherwiseOptions = {
  codes: Codes;
  timeZone: string;
  today: Day;
  /** The code lists of conditions and procedures that are evidence, and the words of a text that is. */
  lists: { conditions: string; procedures: string };
  says: string[];
  /** How long a treatment that has ended may still go on, in months. */
  possibleMonths: number;
  once: Once;
};

export function readOtherwise(
  { conditions, procedures, carePlans }: { conditions: Resource[]; procedures: Resource[]; carePlans: Resource[] },
  options: OtherwiseOptions,
): Otherwise[] {
  return [
    ...conditions.flatMap((resource) =>
      options.once('otherwise', resource, () => otherwiseOfCondition(resource, options)),
    ),
    ...procedures.flatMap((resource) => otherwiseOfActivity(resource, 'procedure', options)),
    ...carePlans.flatMap((resource) => otherwiseOfActivity(resource, 'plan', options)),
  ];
}

function otherwiseOfCondition(resource: Resource, options: OtherwiseOptions): Otherwise[] {
  const { codes, timeZone, lists } = options;
  const verification = codesOf(resource['verificationStatus']);
  const status = codesOf(resource['clinicalStatus']);
  if (verification.some((code) => NOT_TRUE.includes(code))) return [];
  if (status.length > 0 && !status.some((code) => ACTIVE.includes(code))) return [];
  const coded = conceptListsOf(resource['code'], codes.conditions, codes).includes(lists.conditions);
  const said = !coded && sayOneOf(namesOf(resource), options.says, codes.reading.says);
  if (!coded && !said) return [];
  const sure = !verification.some((code) => NOT_SURE.includes(code));
  const start = firstDayOf(
    resource['onsetDateTime'] ?? object(resource['onsetPeriod'])['start'] ?? resource['recordedDate'],
    timeZone,
  );
  return [
    {
      ref: refOf(resource),
      kind: 'problem',
      name: undefined,
      spans: [{ start: start ?? 0, end: OPEN, degree: sure ? 'presumed' : 'possible' }],
    },
  ];
}

function otherwiseOfActivity(resource: Resource, kind: 'procedure' | 'plan', options: OtherwiseOptions): Otherwise[] {
  const { timeZone, today, possibleMonths } = options;
  const status = string(resource['status']) ?? '';
  if (['entered-in-error', 'not-done', 'revoked', 'draft', 'preparation'].includes(status)) return [];
  if (!options.once('otherwise', resource, () => tellsOfTreatment(resource, options))) return [];
  const period = object(resource['performedPeriod'] ?? resource['occurrencePeriod'] ?? resource['period']);
  const done = resource['performedDateTime'] ?? resource['occurrenceDateTime'];
  const end = lastDayOf(period['end'] ?? done, timeZone);
  const start = firstDayOf(period['start'] ?? done ?? resource['created'], timeZone) ?? end ?? 0;
  const open = done === undefined && (end === undefined || end >= today) && !['completed', 'stopped'].includes(status);
  if (open) return [{ ref: refOf(resource), kind, name: undefined, spans: [{ start, end: OPEN, degree: 'presumed' }] }];
  const last = end ?? (start > 0 ? start : undefined);
  if (last === undefined) return [];
  return [
    {
      ref: refOf(resource),
      kind,
      name: undefined,
      spans: [{ start: Math.min(start, last), end: monthsAfter(last, possibleMonths), degree: 'possible' }],
    },
  ];
}

function tellsOfTreatment(resource: Resource, options: OtherwiseOptions): boolean {
  const { codes, lists } = options;
  const concepts = [
    resource['code'],
    ...objects(resource['category']),
    ...objects(resource['activity']).map((activity) => object(activity['detail'])['code']),
  ];
  return (
    concepts.some((concept) => conceptListsOf(concept, codes.procedures, codes).includes(lists.procedures)) ||
    sayOneOf(namesOf(resource), options.says, codes.reading.says)
  );
}

/** Titles, texts and displays that name something in a record. */
function namesOf(resource: Resource): string[] {
  const names: string[] = [];
  const add = (name: unknown) => {
    const text = string(name);
    // A name that is written twice says no more.
    if (text !== undefined && !names.includes(text)) names.push(text);
  };
  add(resource['title']);
  for (const concept of [...objects(resource['code']), ...objects(resource['category'])]) {
    add(concept['text']);
    for (const { display } of objects(concept['coding'])) add(display);
  }
  return names;
}

/** The days on which a procedure of a list was done, by its code or by its text. */
export function daysOfProcedure(
  procedures: Resource[],
  list: string,
  says: string[],
  { codes, timeZone }: { codes: Codes; timeZone: string },
): Day[] {
  return procedures
    .filter((resource) => !VOID.includes(string(resource['status']) ?? ''))
    .filter((resource) => {
      if (conceptListsOf(resource['code'], codes.procedures, codes).includes(list)) return true;
      const names = namesOf(resource).map(sentencesOf);
      return (
        says.length > 0 &&
        says.every((key) => names.some((name) => saysIn(name, codes.reading.says.get(key) ?? NO_WORDING)))
      );
    })
    .map((resource) =>
      firstDayOf(
        resource['performedDateTime'] ??
          object(resource['performedPeriod'])['start'] ??
          resource['occurrenceDateTime'] ??
          object(resource['occurrencePeriod'])['start'],
        timeZone,
      ),
    )
    .filter((day) => day !== undefined);
}

const NO_WORDING = compileWording({ any: [], except: [], notAfter: [], notWith: [] });

function codesOf(concept: unknown): string[] {
  const codes: string[] = [];
  for (const item of objects(concept)) {
    for (const coding of objects(item['coding'])) {
      const code = string(coding['code']);
      if (code !== undefined) codes.push(code);
    }
  }
  return codes;
}

/** Statuses of things that did not or will not happen. */
const VOID = ['entered-in-error', 'not-done', 'cancelled', 'revoked', 'noshow', 'stopped', 'unknown', 'health-unknown'];

/**
 * Things done, planned or booked, and relatives' illnesses, each with its code lists of procedures or conditions and its date.
 */
export function readActivities(
  resources: Resource[],
  { codes, timeZone, date: today, once }: { codes: Codes; timeZone: string; date: LocalDate; once: Once },
): Activity[] {
  return resources
    .filter((resource) => !VOID.includes(string(resource['status']) ?? '') && resource['doNotPerform'] !== true)
    .map((resource) => {
      const { lists, dated } = once('activity', resource, () => ({
        lists: activityLists(resource, codes),
        dated: firstDate(datesOf(resource), timeZone),
      }));
      const date = isOngoing(resource) ? today : dated;
      return { ref: refOf(resource), lists, ...(date !== undefined && { date }) };
    });
}

function activityLists(resource: Resource, codes: Codes): string[] {
  // R4 has a CodeableConcept, R5 a CodeableReference. Care plans use `category`, referrals also `reason`.
  const own = [
    ...objects(resource['code']),
    ...objects(resource['category']),
    ...objects(resource['reasonCode']),
  ].flatMap((code) => ('concept' in code ? objects(code['concept']) : [code]));
  const relatives = objects(resource['condition']).flatMap((condition) => objects(condition['code']));
  return [
    ...conceptListsOf(own, codes.procedures, codes),
    ...conceptListsOf([...own, ...relatives], codes.conditions, codes),
  ];
}

/** The dates of a resource. Something without an end is about today. */
function isOngoing(resource: Resource): boolean {
  return (
    resource['status'] === 'in-progress' &&
    'performedPeriod' in resource &&
    object(resource['performedPeriod'])['end'] === undefined
  );
}

function datesOf(resource: Resource): unknown[] {
  const period = (name: string) => object(resource[name]);
  return [
    resource['performedDateTime'],
    period('performedPeriod')['end'],
    period('performedPeriod')['start'],
    resource['occurrenceDateTime'],
    period('occurrencePeriod')['end'],
    period('occurrencePeriod')['start'],
    resource['start'],
    period('period')['start'],
    resource['authoredOn'],
    resource['created'],
    resource['date'],
  ];
}

/** The class of the call's encounter or, without one, of an encounter in progress. */
export function settingOfEncounter(
  encounters: Resource[],
  encounterId: string | undefined,
  codes: Codes,
): Setting | undefined {
  const encounter = encounters.find((candidate) =>
    encounterId === undefined ? candidate['status'] === 'in-progress' : string(candidate['id']) === encounterId,
  );
  // R4 has one Coding, R5 a list of CodeableConcepts.
  const classes = objects(encounter?.['class']).flatMap((item): JsonObject[] =>
    'coding' in item ? objects(item['coding']) : [item],
  );
  return classes
    .map((coding) => codes.encounterClass.get(string(coding['code']) ?? ''))
    .find((found) => found !== undefined) as Setting | undefined;
}

export function readAge(patient: Resource | undefined, today: LocalDate, timeZone: string): Chart['age'] {
  const born = localDate(patient?.['birthDate'], timeZone);
  if (born === undefined || lastDay(born) > today) return undefined;
  return { least: yearsBetween(lastDay(born), today), most: yearsBetween(firstDay(born), today) };
}

function firstDate(values: unknown[], timeZone: string): LocalDate | undefined {
  for (const value of values) {
    const date = localDate(value, timeZone);
    if (date !== undefined) return date;
  }
  return undefined;
}

/** The subject of a resource: `Patient/x`, `x`, an absolute URL. Undefined if there is none. */
export function subjectOf(resource: Resource): string | undefined {
  // An appointment lists its patients as participants.
  if (resource.resourceType === 'Appointment') {
    const actors = objects(resource['participant']).map(({ actor }) => reference(actor) ?? '');
    return actors.find((actor) => /(^|\/)Patient\//.test(actor));
  }
  return reference(resource['subject']) ?? reference(resource['patient']);
}

/** The id of the patient that a reference names; the whole reference if it names something else. */
export function patientOf(ref: string): string {
  const type = typeOf(ref);
  return type === undefined || type === 'Patient' ? idOf(ref) : ref;
}
