import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Chart } from '../chart/chart.ts';
import type { Section } from '../fhir/prefetch.ts';
import { knowledge } from '../testing/app.ts';
import { anyDrafts, anyRecord, at, chartOf, draftOf, orderOf } from '../testing/charts.ts';
import { condition, type Json } from '../testing/request.ts';
import { findings, viewsOf } from './facts.ts';

const SEED = 20260302;
const SECTIONS = ['medications', 'conditions', 'observations', 'procedures'] as const;
const TYPES: Record<(typeof SECTIONS)[number], string> = {
  medications: 'MedicationRequest',
  conditions: 'Condition',
  observations: 'Observation',
  procedures: 'Procedure',
};

/** Every fact of the knowledge: its guideline, its name, the sections it rests on, and its outcome. */
function outcomes(chart: Chart) {
  const views = viewsOf(chart, 'medications');
  return knowledge.guidelines.flatMap((guideline) => {
    const look = findings(guideline, views);
    return [...guideline.facts].map(([name, { sections }]) => ({
      fact: `${guideline.file.id}.${name}`,
      sections,
      outcome: look(name).outcome,
    }));
  });
}

const classesOf = ({ drafts, treatments }: Chart, all: boolean) =>
  JSON.stringify([...drafts, ...(all ? treatments : [])].map(({ lists }) => lists));

const without = (record: Json[], section: (typeof SECTIONS)[number]) =>
  record.filter(({ resourceType }) => resourceType !== TYPES[section]);

/** A diagnosis or procedure that alone implies a treatment: it adds to the medication list, and its absence is only traced. */
const tellsOfTreatment = (resource: Json) => /"(F11\.22|310653000)"/.test(JSON.stringify(resource['code']));

describe('what is not known while a part of the record is missing', () => {
  // A fact must be right about itself: whatever the missing part may hold, the fact does not hold.
  test(`a fact that does not hold stays so with any content of the missing part (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        anyRecord,
        fc.array(anyRecord, { minLength: 1, maxLength: 3 }),
        fc.option(anyDrafts, { nil: [] }),
        fc.constantFrom(...SECTIONS),
        (record, contents, drafts, section) => {
          const rest = without(record, section);
          const hook = drafts.length > 0 ? 'order-sign' : 'patient-view';
          const missing = chartOf(rest, { drafts, hook, prefetch: { [section]: undefined } });
          const silent = outcomes(missing).filter(
            ({ sections, outcome }) => sections.has(section) && outcome === 'does-not-hold',
          );
          for (const content of contents) {
            const added = content.filter((one) => one['resourceType'] === TYPES[section] && !tellsOfTreatment(one));
            const full = chartOf([...rest, ...added.map((one) => ({ ...one, id: `added-${one['id']}` }))], {
              drafts,
              hook,
            });
            // The identity of a medicine may rest on the missing part too; the facts then concern other medicines.
            const changed =
              classesOf(full, section !== 'medications') !== classesOf(missing, section !== 'medications');
            if (changed) continue;
            const holds = new Set(
              outcomes(full)
                .filter(({ outcome }) => outcome === 'holds')
                .map(({ fact }) => fact),
            );
            expect(silent.filter(({ fact }) => holds.has(fact)).map(({ fact }) => fact)).toEqual([]);
          }
        },
      ),
      { seed: SEED, numRuns: 150 },
    );
  });

  test.each<[string, Json, boolean]>([
    ['an opioid', draftOf('oxycodone'), true],
    ['a benzodiazepine', draftOf('oxazepam'), true],
    ['an agonist', draftOf('methadone'), true],
    ['an antagonist', draftOf('naltrexone'), true],
    ['another medicine', draftOf('atorvastatin'), false],
    ['paracetamol', draftOf('paracetamol'), false],
  ])('%s ordered without a medication list leaves something unknown: %s', (_, draft, open) => {
    const chart = chartOf([], { drafts: [draft], prefetch: { medications: undefined } });
    const rules = knowledge.rules.filter(({ hooks, off }) => off === undefined && hooks.includes('order-sign'));
    const unknown = new Set(outcomes(chart).flatMap(({ fact, outcome }) => (outcome === 'not-known' ? [fact] : [])));
    const asked = rules.some(({ guideline, when }) => when.some((fact) => unknown.has(`${guideline}.${fact}`)));
    if (open) expect(asked).toBe(true);
    const decisive = rules.filter(
      ({ guideline, when }) =>
        when.some((fact) => unknown.has(`${guideline}.${fact}`)) &&
        when.every(
          (fact) =>
            unknown.has(`${guideline}.${fact}`) ||
            outcomes(chart).some((found) => found.fact === `${guideline}.${fact}` && found.outcome === 'holds'),
        ),
    );
    expect(decisive.length > 0).toBe(open);
  });

  test.each<[Section, string]>([
    ['conditions', 'not-known'],
    ['medications', 'not-known'],
    ['patient', 'not-known'],
  ])('the missing part is named: %s', (section) => {
    const chart = chartOf([], { hook: 'patient-view', prefetch: { [section]: undefined } });
    const views = viewsOf(chart, 'medications');
    const named = knowledge.guidelines.flatMap((guideline) =>
      [...guideline.facts.keys()]
        .map((name) => findings(guideline, views)(name))
        .filter(({ outcome }) => outcome === 'not-known'),
    );
    expect(named.length).toBeGreaterThan(0);
    for (const { missing } of named) expect(missing).toEqual([section]);
  });

  test('in a complete record with complete dates everything is known', () => {
    const record = [
      orderOf('methadone', { authoredOn: at(-20) }),
      orderOf('oxazepam', { id: 'b', authoredOn: at(-9) }),
    ];
    const found = outcomes(chartOf(record, { drafts: [draftOf('oxycodone')] }));
    expect(found.filter(({ outcome }) => outcome === 'holds').length).toBeGreaterThan(0);
    expect(found.filter(({ outcome }) => outcome === 'not-known')).toEqual([]);
  });

  test('a date known only by month leaves open what depends on its day', () => {
    // Within 24 months of 2026-03-02, or outside.
    const unknown = (onsetDateTime: string) =>
      outcomes(chartOf([condition('c', 'F10.2', { onsetDateTime })], { hook: 'patient-view' })).filter(
        ({ outcome }) => outcome === 'not-known',
      ).length;
    expect([unknown('2024-03-01'), unknown('2024-03-02'), unknown('2024-04')]).toEqual([0, 0, 0]);
    expect(unknown('2024-03')).toBeGreaterThan(0);
  });

  test('with an incomplete list, what is found holds and what is not found is not known', () => {
    const entry = (id: string) => ({ resource: orderOf('methadone', { id, authoredOn: at(-20) }) });
    const partial = { resourceType: 'Bundle', type: 'searchset', entry: [entry('a')], total: 2 };
    const found = outcomes(chartOf([], { drafts: [draftOf('oxazepam')], prefetch: { medications: partial } }));
    const of = (outcome: string) => found.filter((one) => one.sections.has('medications') && one.outcome === outcome);
    expect(of('holds').length).toBeGreaterThan(0);
    expect(of('not-known').length).toBeGreaterThan(0);
  });
});
