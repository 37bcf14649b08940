import { describe, expect, test } from 'vitest';
import { assess } from '../answer.ts';
import { readRequest } from '../http/wire.ts';
import { knowledge } from '../testing/app.ts';
import { callOf, dispenseOf, draftOf, orderOf, statementOf, TODAY } from '../testing/charts.ts';
import { encounter, type Json } from '../testing/request.ts';
import { traceOf } from './trace.ts';

function trace(record: Json[], drafts: Json[] = [], prefetch: Json = {}) {
  const body = callOf(record, { drafts, prefetch });
  const { call, hookInstance } = readRequest(body, body['hook'] as never);
  const { chart, results } = assess({ call, hookInstance, language: 'en', today: TODAY }, knowledge);
  return traceOf(chart, results);
}
const since = (authoredOn: string) => ({ authoredOn });
const AGONIST = orderOf('methadone', { id: 'a', ...since('2026-02-01') });

describe('what a trace says about the record', () => {
  test('an empty record has its parts and the rules', () => {
    const found = trace([]);
    expect(Object.keys(found)).toEqual(['today', 'sections', 'rules']);
    expect(found.today).toBe(TODAY);
    expect(new Set(Object.values(found.sections))).toEqual(new Set(['complete']));
  });

  test('drafts are listed as they were read', () => {
    const { drafts } = trace(
      [],
      [draftOf('oxazepam', { dosageInstruction: [{ timing: { repeat: { boundsPeriod: { end: '2026-03-05' } } } }] })],
    );
    expect(drafts).toEqual([
      {
        ...{ ref: 'MedicationRequest/draft-1', name: 'oxazepam', substance: 'oxazepam', lists: expect.any(Array) },
        ...{ identifiedBy: 'atc', ordered: true, changed: false, taper: false },
        ...{ start: TODAY, stop: '2026-03-05', stopFrom: 'bounds' },
      },
    ]);
  });

  test('treatments are listed with their periods and their entries, newest first', () => {
    const supply = { daysSupply: { value: 5, code: 'd' } };
    const { treatments } = trace([
      dispenseOf('oxazepam', { id: 'old', whenHandedOver: '2026-02-01', ...supply }),
      statementOf('oxazepam', { id: 'undated' }),
      dispenseOf('oxazepam', { id: 'new', whenHandedOver: '2026-02-20', ...supply }),
    ]);
    expect(treatments?.map(({ entries, periods }) => ({ entries, periods }))).toEqual([
      {
        entries: [
          {
            ref: 'MedicationDispense/new',
            kind: 'dispense',
            start: '2026-02-20',
            stop: '2026-02-24',
            stopFrom: 'days-supply',
          },
          {
            ref: 'MedicationDispense/old',
            kind: 'dispense',
            start: '2026-02-01',
            stop: '2026-02-05',
            stopFrom: 'days-supply',
          },
          { ref: 'MedicationStatement/undated', kind: 'statement', degree: 'presumed' },
        ],
        periods: [
          { from: '2026-02-01', to: '2026-02-05', degree: 'taken' },
          { from: '2026-02-20', to: '2026-02-24', degree: 'taken' },
          { from: '2026-03-02', degree: 'presumed' },
        ],
      },
    ]);
  });

  test('a trace keeps the newest fifty entries and the last fifty periods', () => {
    const days = Array.from(
      { length: 60 },
      (_, at) =>
        `2025-${String(1 + Math.floor(at / 10)).padStart(2, '0')}-${String(1 + (at % 10) * 2).padStart(2, '0')}`,
    );
    const [treatment] =
      trace(
        days.map((whenHandedOver, at) =>
          dispenseOf('oxazepam', { id: `d${at}`, whenHandedOver, daysSupply: { value: 1, code: 'd' } }),
        ),
      ).treatments ?? [];
    expect(treatment?.entries.map(({ start }) => start)).toEqual(days.slice(10).reverse());
    expect(treatment?.periods.map(({ from }) => from)).toEqual(days.slice(10));
  });

  test('only a rule that is switched off says why', () => {
    const { rules } = trace([], [draftOf('oxycodone')]);
    const off = rules.filter(({ outcome }) => outcome === 'switched-off');
    expect(off.length).toBeGreaterThan(0);
    for (const one of rules) expect('off' in one).toBe(off.includes(one));
    for (const { off: why } of off) expect(why).toBeTruthy();
  });

  test('what could not be judged and what was left out is listed', () => {
    const found = trace([orderOf('Zzyzx', { id: 'x', ...since('2026-02-01') })], [draftOf('Qwerty')]);
    expect(found.unread).toEqual([
      { ref: 'MedicationRequest/draft-1', name: 'Qwerty' },
      { ref: 'MedicationRequest/x', name: 'Zzyzx' },
    ]);
    expect(found.leftOut?.map(({ why }) => why)).toEqual(['unrecognised', 'unrecognised']);
  });
});

describe('what a trace says about a rule', () => {
  const ruleOf = (found: ReturnType<typeof trace>, id: string) => found.rules.find(({ rule }) => rule === id);
  test('a rule that fires has each fact with its role and the resources it rests on', () => {
    const found = ruleOf(trace([AGONIST], [draftOf('oxazepam')]), 'laro-sedative-ordered');
    expect(found).toMatchObject({ guideline: 'laro-benzodiazepines', recommendation: 'L1', outcome: 'fires' });
    expect(Object.keys(found ?? {})).toEqual(['rule', 'guideline', 'recommendation', 'outcome', 'facts']);
    const pair = found?.facts.find(({ fact }) => fact === 'pair');
    expect(pair).toEqual({
      ...{ fact: 'pair', role: 'when', outcome: 'holds' },
      resources: ['MedicationRequest/a', 'MedicationRequest/draft-1'],
    });
    const roles = new Set(found?.facts.map(({ role }) => role));
    expect([roles.has('when'), roles.has('otherwise')]).toEqual([true, true]);
    expect(
      found?.facts
        .filter(({ outcome }) => outcome === 'does-not-hold')
        .every((fact) => !('resources' in fact) && !('missing' in fact)),
    ).toBe(true);
  });

  test('a superseded rule names the one that supersedes it', () => {
    const found = ruleOf(trace([AGONIST], [draftOf('oxazepam')]), 'benzodiazepine-stop-date');
    expect([found?.outcome, found?.by]).toEqual(['superseded', 'laro-sedative-ordered']);
  });

  test('an undecided rule names what is missing', () => {
    const found = trace([], [draftOf('oxazepam')], { medications: undefined });
    const undecided = ruleOf(found, 'laro-sedative-ordered');
    expect([undecided?.outcome, undecided?.missing]).toEqual(['not-known', ['medications']]);
    expect(undecided?.facts.find(({ fact }) => fact === 'pair')).toMatchObject({
      outcome: 'not-known',
      missing: ['medications'],
    });
    expect(found.sections.medications).toBe('missing');
  });

  test('a rule about use over time has its courses', () => {
    const use = ['2025-12-01', '2026-01-01', '2026-02-01'].map((whenHandedOver, at) =>
      dispenseOf('oxazepam', { id: `d${at}`, whenHandedOver, daysSupply: { value: 31, code: 'd' } }),
    );
    const courses = trace(use, [], { encounter: encounter('AMB') }).rules.flatMap(({ facts }) =>
      facts.flatMap((fact) => fact.courses ?? []),
    );
    expect(courses).toContainEqual({ start: '2025-12-01', end: '2026-03-03' });
  });
});
