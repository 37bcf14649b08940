import { conceptListsOf } from '../codes/classify.ts';
import type { Codes } from '../codes/load.ts';
import { firstDay, type LocalDate, lastDay, localDate, yearsBetween } from '../dates.ts';
import { type JsonObject, object, objects, type Resource, string } from '../fhir/json.ts';
import type { Activity, Chart, Condition, Setting } from './chart.ts';
import { refOf } from './orders.ts';

/** Clinical statuses with which a condition counts; without one it does too. */
const ACTIVE = ['active', 'recurrence', 'relapse'];
const NOT_TRUE = ['refuted', 'entered-in-error'];

/** A condition that stands in a code list. Onset decides before the recorded date. */
export function readCondition(resource: Resource, codes: Codes, timeZone: string): Condition[] {
  if (codesOf(resource['verificationStatus']).some((code) => NOT_TRUE.includes(code))) return [];
  const lists = conceptListsOf(resource['code'], codes.conditions, codes);
  if (lists.length === 0) return [];
  const status = codesOf(resource['clinicalStatus']);
  const onset = firstDate(
    [resource['onsetDateTime'], object(resource['onsetPeriod'])['start'], resource['recordedDate']],
    timeZone,
  );
  const active = status.length === 0 || status.some((code) => ACTIVE.includes(code));
  return [{ ref: refOf(resource), lists, active, ...(onset !== undefined && { onset }) }];
}

function codesOf(concept: unknown): string[] {
  return objects(concept)
    .flatMap((item) => objects(item['coding']))
    .map((coding) => string(coding['code']))
    .filter((code) => code !== undefined);
}

/** Statuses of what did not or will not happen. */
const VOID = ['entered-in-error', 'not-done', 'cancelled', 'revoked', 'noshow', 'stopped', 'unknown', 'health-unknown'];

/**
 * What was done, planned or booked, and relatives' illnesses: with the code lists they stand in, of procedures or of
 * conditions, and the day they are about.
 */
export function readActivities(resources: Resource[], codes: Codes, timeZone: string, today: LocalDate): Activity[] {
  return resources
    .filter((resource) => !VOID.includes(string(resource['status']) ?? '') && resource['doNotPerform'] !== true)
    .map((resource) => {
      const date = firstDate(datesOf(resource, today), timeZone);
      return { ref: refOf(resource), lists: activityLists(resource, codes), ...(date !== undefined && { date }) };
    });
}

function activityLists(resource: Resource, codes: Codes): string[] {
  // R4 has a CodeableConcept, R5 a CodeableReference.
  const own = objects(resource['code']).flatMap((code) => ('concept' in code ? objects(code['concept']) : [code]));
  const relatives = objects(resource['condition']).flatMap((condition) => objects(condition['code']));
  return [
    ...conceptListsOf(own, codes.procedures, codes),
    ...conceptListsOf([...own, ...relatives], codes.conditions, codes),
  ];
}

/** What goes on without an end is about today. */
function datesOf(resource: Resource, today: LocalDate): unknown[] {
  const period = (name: string) => object(resource[name]);
  const ongoing = resource['status'] === 'in-progress' && period('performedPeriod')['end'] === undefined;
  return [
    ...(ongoing && 'performedPeriod' in resource ? [today] : []),
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

/** The class of the encounter that the call is about; without one, of an encounter that is going on. */
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
  return values.map((value) => localDate(value, timeZone)).find((date) => date !== undefined);
}
