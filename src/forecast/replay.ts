import { type Answer, answer } from '../answer.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { plainText } from '../cards/markdown.ts';
import { notCheckedTopic } from '../cards/not-checked.ts';
import type { LeftOut } from '../chart/chart.ts';
import { type Once, remembering } from '../chart/once.ts';
import { daysBetween, type LocalDate } from '../dates.ts';
import { medicationPointer, object, objects, type Resource, reference, string } from '../fhir/json.ts';
import { type Section, wholeRecord } from '../fhir/prefetch.ts';
import { UnusableFhir } from '../fhir/versions.ts';
import { type Basis, basesOf, saysNothingNew } from '../rules/quiet.ts';
import type { RuleResult } from '../rules/result.ts';
import { type History, type HistoryOptions, historyOf, type Moment, recordAt } from './history.ts';
import { emptyCounts, emptyTally, type RuleCounts, type Tally } from './tally.ts';

export type ReplayOptions = {
  hooks: readonly string[];
  /** Parts of the record that the input lacks: they count as not sent, instead of empty. */
  absent: readonly Section[];
};

/** One patient's history under one site's rules: what the service would have answered at each moment. */
export function replayPatient(
  patient: string,
  resources: Resource[],
  knowledge: Knowledge,
  options: ReplayOptions,
): Tally {
  const tally = emptyTally();
  tally.patients = 1;
  for (const { resourceType } of resources) count(tally.resources, resourceType);
  const history = historyOf(resources, options.hooks, historyOptions(knowledge));
  if (objects(object(history.patient?.['meta'])['security']).some(({ code }) => code === 'HTEST')) tally.synthetic = 1;
  for (const why of history.skipped) count(tally.skipped, why);
  if (history.undated > 0) tally.skipped['undated-taken-as-always'] = history.undated;
  const seen: Seen = { before: new Map(), shown: new Map(), years: new Map(), leftOut: new Map() };
  const once = remembering();
  for (const moment of history.moments) {
    const found = answerAt(patient, history, moment, knowledge, { absent: options.absent, once });
    if (typeof found === 'string') count(tally.skipped, found);
    else countAnswer(tally, seen, moment, found, knowledge.site.quiet.days);
  }
  finish(tally, seen, resources);
  return tally;
}

type Seen = {
  /** Rule and medicines → the day on which this patient last got the card. */
  before: Map<string, LocalDate>;
  /** Rule → the cards that would have been shown under the site's quiet period, with the day. */
  shown: Map<string, { day: LocalDate; basis: Basis }[]>;
  /** Year → rule → its cards. Has every year with a call. */
  years: Map<string, Map<string, number>>;
  /** What was left out of the charts, once each. */
  leftOut: Map<string, LeftOut['why']>;
};

/** An order's end is read as by the service. */
function historyOptions({ codes, site, treatments }: Knowledge): HistoryOptions {
  const { timeZone, validityPeriodEndsTreatment } = site;
  return { codes, timeZone, validityPeriodEndsTreatment, parameters: treatments.parameters };
}

function answerAt(
  patient: string,
  history: History,
  moment: Moment,
  knowledge: Knowledge,
  { absent, once }: { absent: readonly Section[]; once: Once },
): Answer | string {
  const record = recordAt(history, moment);
  const encounterId = string(record.get('encounter')?.[0]?.['id']);
  for (const section of absent) record.delete(section);
  const draft = { ...moment.resource, status: 'draft', statusChanged: undefined };
  const call = {
    hook: moment.hook,
    patientId: patient,
    encounterId,
    draftOrders: moment.hook === 'order-sign' ? draft : undefined,
    selections: [],
    prefetch: wholeRecord(record, history.included, patient),
  };
  try {
    const { language, silent } = knowledge.site;
    // A rule on trial is on trial on every day of the history, whatever its dates.
    const question = { call, hookInstance: '', language, today: moment.day, silent: Object.keys(silent.rules), once };
    return answer(question, knowledge);
  } catch (error) {
    if (error instanceof UnusableFhir) return 'fhir-version';
    throw error;
  }
}

function countAnswer(
  tally: Tally,
  seen: Seen,
  { hook, day }: Moment,
  found: Answer,
  quiet: Record<string, number>,
): void {
  const year = day.slice(0, 4);
  count(of(tally.calls, year), hook);
  const mine = seen.years.get(year) ?? new Map<string, number>();
  seen.years.set(year, mine);
  for (const { ref, why } of found.chart.leftOut) seen.leftOut.set(ref, why);
  if ('missing' in found || found.cards.some(({ source }) => source.topic.code === notCheckedTopic)) {
    const counts = of(of(tally.notChecked, year), hook, { cards: 0, refusals: 0 });
    if ('missing' in found) counts.refusals++;
    else counts.cards++;
  }
  let spoke = false;
  for (const result of found.results) {
    const { rule, outcome, silent } = result;
    if (silent) {
      // Only its own card is counted, not what it joins or what supersedes it.
      if (outcome === 'silent' && result.by === undefined)
        of(of(of(tally.rules, rule.id), year), hook, emptyCounts()).silent++;
      continue;
    }
    if (outcome !== 'fires' && outcome !== 'joins' && outcome !== 'superseded') continue;
    const counts = of(of(of(tally.rules, rule.id), year), hook, emptyCounts()) as RuleCounts;
    if (outcome === 'superseded') counts.superseded++;
    else if (outcome === 'joins') counts.joined++;
    else {
      spoke = true;
      counts.cards++;
      mine.set(rule.id, (mine.get(rule.id) ?? 0) + 1);
      countRepeat(counts, seen, result, day);
      const days = quiet[rule.id];
      if (days !== undefined && result.indicator !== 'critical') {
        const basis = basesOf(found.results, found.chart).get(rule.id) as Basis;
        countQuiet(counts, seen, rule.id, { day, basis }, days);
      }
    }
  }
  if (spoke) count(of(tally.callsWithCard, year), hook);
}

function countRepeat(counts: RuleCounts, seen: Seen, { rule, about }: RuleResult, day: LocalDate): void {
  const drugs = [...new Set(about.map(({ substance, name }) => substance ?? name ?? ''))].sort();
  const key = JSON.stringify([rule.id, ...drugs]);
  const before = seen.before.get(key);
  seen.before.set(key, day);
  if (before === undefined) return;
  const days = daysBetween(before, day);
  counts.repeats++;
  if (days <= 30) counts.repeats30++;
  if (days <= 90) counts.repeats90++;
}

/** A card that is left out does not start another quiet period. */
function countQuiet(
  counts: RuleCounts,
  seen: Seen,
  rule: string,
  card: { day: LocalDate; basis: Basis },
  days: number,
): void {
  const shown = seen.shown.get(rule) ?? [];
  seen.shown.set(rule, shown);
  if (shown.some(({ day, basis }) => daysBetween(day, card.day) <= days && saysNothingNew(card.basis, basis)))
    counts.quiet++;
  else shown.push(card);
}

/** Counts what is known about a patient only after all moments. */
function finish(tally: Tally, seen: Seen, resources: Resource[]): void {
  for (const [year, cards] of seen.years) {
    count(tally.patientsByYear, year);
    for (const rule of cards.keys()) count(of(tally.patientsByRule, rule), year);
    count(tally.burden, burdenOf([...cards.values()].reduce((sum, value) => sum + value, 0)));
  }
  const rules = new Set([...seen.years.values()].flatMap((cards) => [...cards.keys()]));
  for (const rule of rules) count(of(tally.patientsByRule, rule), 'all');
  if (rules.size > 0) tally.patientsWithCard = 1;
  const byRef = new Map(
    resources.map((resource) => [`${resource.resourceType}/${string(resource['id']) ?? ''}`, resource]),
  );
  for (const [ref, why] of seen.leftOut) {
    count(tally.medicines, why);
    const resource = byRef.get(ref);
    if (resource && why === 'unrecognised') count(tally.unrecognised, medicineOf(resource, byRef));
  }
}

export const burdens = ['0', '1', '2-4', '5-9', '10+'] as const;

function burdenOf(cards: number): (typeof burdens)[number] {
  if (cards < 2) return cards === 0 ? '0' : '1';
  return cards < 5 ? '2-4' : cards < 10 ? '5-9' : '10+';
}

/** A medicine as recorded, so that the site can map it: name, system, code. */
function medicineOf(resource: Resource, byRef: Map<string, Resource>): string {
  const pointer = medicationPointer(resource);
  const medication = byRef.get(reference(pointer) ?? '');
  const concept = object(
    resource['medicationCodeableConcept'] ?? object(resource['medication'])['concept'] ?? medication?.['code'],
  );
  const [coding] = objects(concept['coding']);
  const name = string(concept['text']) ?? string(coding?.['display']) ?? string(pointer?.['display']) ?? '';
  return JSON.stringify([
    plainText(name, 80),
    plainText(string(coding?.['system']) ?? ''),
    plainText(string(coding?.['code']) ?? '', 40),
  ]);
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** The value under a key of a record, created if missing. */
function of<T>(record: Record<string, T>, key: string, empty: T = {} as T): T {
  record[key] ??= empty;
  return record[key];
}
