import { z } from 'zod';
import type { Answer, Assessment } from '../answer.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import { uuidOf } from '../cards/rendering.ts';
import { dateOfInstant } from '../dates.ts';
import type { Journal } from '../journal/journal.ts';
import { hashOfPatient } from '../journal/patient.ts';
import type { CardRow, PastCard, SilentRow, Tally } from '../journal/store.ts';
import { type Basis, basesOf, saysNothingNew } from '../rules/quiet.ts';
import { indicators } from '../rules/schema.ts';
import type { Client } from '../trust/clients.ts';
import type { Request } from './wire.ts';

export type Journaling = {
  journal: Journal;
  /** Keys of the patient hash: the current one, then earlier ones. Without any, no card is left out. */
  patientKeys: readonly string[];
  knowledge: Knowledge;
  /** Milliseconds since 1970 in UTC. */
  clock: () => number;
};

export type Silence = 'quiet' | 'repeat';

/** The calling client, and the tenant if it serves several hospitals. */
export type Caller = { client: Client; tenant: string | undefined };

/**
 * Version of a basis in the journal. A row may come from another version of this service or from a backup: a basis with
 * another structure is ignored, and its card is shown again.
 */
const VERSION = 1;
const kept = z.object({
  version: z.literal(VERSION),
  basis: z.object({
    indicator: z.enum(indicators),
    rules: z.array(z.string()),
    facts: z.array(z.string()),
    products: z.record(z.string(), z.object({ dosages: z.array(z.string()), dose: z.number().optional() })),
    positive: z.number().optional(),
  }),
});

function writeBasis(basis: Basis): string {
  return JSON.stringify({ version: VERSION, basis });
}

function readBasis(text: string): Basis | undefined {
  try {
    return kept.parse(JSON.parse(text)).basis as Basis;
  } catch {
    return undefined;
  }
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * The cards of an answer that were accepted before or shown moments ago, by rule. Rejects if the journal does not
 * answer; then everything is shown.
 */
export async function findSilences(
  { chart, results }: Assessment,
  { call, options }: Request,
  caller: Caller,
  { journal, patientKeys, knowledge, clock }: Journaling,
): Promise<Map<string, Silence>> {
  const { days, repeatHours } = knowledge.site.quiet;
  const repeats = call.hook === 'order-sign' && options.leaveOutRepeats;
  if (patientKeys.length === 0 || (!repeats && Object.keys(days).length === 0)) return new Map();
  const bases = basesOf(results, chart);
  const rules = [...bases.keys()].filter((rule) => repeats || rule in days);
  if (rules.length === 0) return new Map();
  const now = clock();
  const longest = Math.max(repeats ? repeatHours * HOUR : 0, ...rules.map((rule) => (days[rule] ?? 0) * DAY));
  const patients = patientKeys.map((key) => patientOf(key, caller, call.patientId));
  const past = await journal.past({ ...placeOf(caller), patients }, rules, now - longest);
  const silent = new Map<string, Silence>();
  for (const card of past) {
    const [shown, before] = [bases.get(card.rule), readBasis(card.basis)];
    if (!shown || !before || !saysNothingNew(shown, before)) continue;
    const since = now - (days[card.rule] ?? 0) * DAY;
    if (wasAccepted(card, since, knowledge)) silent.set(card.rule, 'quiet');
    else if (repeats && card.kept && card.hook === 'order-select' && card.issuedAt >= now - repeatHours * HOUR)
      silent.set(card.rule, silent.get(card.rule) ?? 'repeat');
  }
  return silent;
}

/** Whether the last action on a card was to override it with a reason that means "known and accepted". */
function wasAccepted({ feedback }: PastCard, since: number, { site, cards }: Knowledge): boolean {
  const last = feedback.toSorted((a, b) => b.at - a.at)[0];
  if (last === undefined || last.outcome !== 'overridden' || last.at < since) return false;
  return site.quiet.accepted.some((key) => {
    const reason = cards.shared.overrideReasons[key];
    return reason !== undefined && last.code === reason.code && (last.system ?? reason.system) === reason.system;
  });
}

/** Records an answer in the journal. */
export function recordAnswer(
  found: Answer,
  { call, hookInstance, options }: Request,
  caller: Caller,
  { journal, patientKeys, knowledge, clock }: Journaling,
): void {
  const now = clock();
  const [patientKey] = patientKeys;
  const { site, fingerprint } = knowledge;
  const where = { ...placeOf(caller), day: dateOfInstant(now, site.timeZone), hook: call.hook };
  const digits = fingerprint.slice(0, 12);
  const kept = call.hook === 'order-select' && options.keepForRepeats;
  const cards = 'cards' in found ? found.cards : [];
  const bases = patientKey === undefined || cards.length === 0 ? undefined : basesOf(found.results, found.chart);
  const rows = cards.map(({ uuid, indicator, source, suggestions = [] }): CardRow => {
    const rule = source.topic.code;
    const basis = kept || rule in site.quiet.days ? bases?.get(rule) : undefined;
    const known = patientKey !== undefined && basis !== undefined;
    return {
      ...where,
      uuid,
      issued_at: now,
      rule,
      indicator,
      suggestions: JSON.stringify(Object.fromEntries(suggestions.map((offered) => [offered.uuid, offered.offer]))),
      knowledge: digits,
      patient: known ? patientOf(patientKey, caller, call.patientId) : null,
      basis: known ? writeBasis(basis) : null,
      kept: kept && known ? 1 : 0,
    };
  });
  const unseen = wouldHaveShown(found.results).map(
    ({ rule, indicator, about }): SilentRow => ({
      ...where,
      // A repeated call gives the same card id, as it would if the card were shown.
      uuid: uuidOf('silent', hookInstance, call.patientId, rule.id, ...about.map(({ ref }) => ref)),
      issued_at: now,
      rule: rule.id,
      indicator,
      knowledge: digits,
      patient:
        patientKey !== undefined && site.silent.chartReview > 0 ? patientOf(patientKey, caller, call.patientId) : null,
    }),
  );
  const counted = found.results.flatMap(({ rule, outcome, silent }): Omit<Tally, 'count'>[] =>
    silent || outcome === 'quiet' || outcome === 'repeat'
      ? [{ ...where, kind: silent ? 'trial' : (outcome as Silence), rule: rule.id }]
      : [],
  );
  const answered = { ...where, kind: 'cards' in found ? 'answered' : 'refused', rule: '' } as const;
  journal.issued([...rows, ...unseen], [answered, ...counted]);
}

/** The cards of rules on trial: one for each rule that would lead a card, counted like shown cards. */
export function wouldHaveShown(results: Answer['results']): Answer['results'] {
  return results.filter(({ outcome, by }) => outcome === 'silent' && by === undefined);
}

function patientOf(key: string, { client, tenant }: Caller, patientId: string): string {
  return hashOfPatient(key, 'journal', { client: client.name, tenant }, patientId);
}

/** The owner of cards and feedback: tenants of one client share nothing. */
export function placeOf({ client, tenant = '' }: Caller): { client: string; tenant: string } {
  return { client: client.name, tenant };
}
