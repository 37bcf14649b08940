import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answer } from './answer.ts';
import type { Card } from './cards/render.ts';
import { answerFile, readTestBundles } from './cli/bundles.ts';
import { dateOfInstant, type LocalDate } from './dates.ts';
import { readRequest } from './http/wire.ts';
import { knowledge, root } from './testing/app.ts';
import { anyCall, at, callOf, concept, dispenseOf, orderOf, statementOf } from './testing/charts.ts';
import { vocabulary } from './testing/examples.ts';
import { dosageUntil, type Json, medicine, order, pair, prescription, request } from './testing/request.ts';

const SEED = 20260302;

// Bundles of other hospitals have their own knowledge and are left out.
const bundles = readTestBundles(join(root, 'test-bundles'), []).filter(({ expected }) => expected.site === undefined);
const anyBundle = fc.constantFrom(...bundles);

type Body = { context: { draftOrders?: Json }; prefetch?: Record<string, Json | null> };
const answerOf = (body: unknown) => answerFile(body, knowledge, 'en', '2026-03-02').answer;

/** What was decided: the rules, their indicators and substances, or what is missing. The order is ignored. */
function decided(body: unknown): unknown {
  const found = answerOf(body);
  if ('missing' in found) return found.missing;
  return found.cards
    .map(({ source, indicator }) => {
      const about = found.results.find(({ rule }) => rule.id === source.topic.code)?.about ?? [];
      return [source.topic.code, indicator, ...[...new Set(about.map(({ substance }) => substance))].sort()].join(' ');
    })
    .sort();
}

/** A copy of a body in which every Bundle's entries are changed. */
function withEntries(
  body: unknown,
  change: (entries: Json[], where: 'drafts' | 'medications' | 'other') => Json[],
): Body {
  const copy = structuredClone(body) as Body;
  const apply = (bundle: Json | null | undefined, where: 'drafts' | 'medications' | 'other') => {
    if (bundle && Array.isArray(bundle['entry'])) bundle['entry'] = change(bundle['entry'], where);
  };
  apply(copy.context.draftOrders, 'drafts');
  for (const [key, bundle] of Object.entries(copy.prefetch ?? {})) apply(bundle, key === 'medications' ? key : 'other');
  return copy;
}

describe(`for every test bundle (seed ${SEED})`, () => {
  test('S9: the order of entries changes no decision', () => {
    fc.assert(
      fc.property(anyBundle, fc.infiniteStream(fc.nat()), ({ body }, numbers) => {
        const shuffle = (entries: Json[]) =>
          entries
            .map((entry) => ({ entry, at: numbers.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ entry }) => entry);
        expect(decided(withEntries(body, shuffle))).toEqual(decided(body));
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('S9: medicines on no list change nothing', () => {
    const unrelated = (at: number) => prescription(`unrelated-${at}`, at % 2 === 0 ? 'atorvastatin' : 'paracetamol');
    fc.assert(
      fc.property(anyBundle, fc.integer({ min: 1, max: 40 }), ({ body }, count) => {
        // A list of another type, or an incomplete one, may become complete through what is added.
        fc.pre(!/"missing"/.test(JSON.stringify(Object.keys(answerOf(body)))));
        const patient = (body as { context: { patientId: string } }).context.patientId;
        const subject = { reference: `Patient/${patient.split('/').at(-1)}` };
        const added = Array.from({ length: count }, (_, at) => ({ resource: { ...unrelated(at), subject } }));
        const more = withEntries(body, (entries, where) =>
          where === 'medications' ? [...added, ...entries] : entries,
        );
        const [before, after] = [answerOf(body), answerOf(more)];
        expect('cards' in after ? after.cards : after.missing).toEqual(
          'cards' in before ? before.cards : before.missing,
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('S9: an entry of the record that is sent twice counts once', () => {
    fc.assert(
      fc.property(anyBundle, ({ body }) => {
        const twice = withEntries(body, (entries, where) => (where === 'drafts' ? entries : [...entries, ...entries]));
        const [before, after] = [answerOf(body), answerOf(twice)];
        expect('cards' in after ? after.cards : after.missing).toEqual(
          'cards' in before ? before.cards : before.missing,
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('S9, K1: the same call gives the same answer, and a new hookInstance gives new ids', () => {
    const ids = (cards: Card[]) =>
      cards.flatMap(({ uuid, suggestions = [] }) => [uuid, ...suggestions.map((item) => item.uuid)]);
    fc.assert(
      fc.property(anyBundle, fc.uuid(), ({ body }, hookInstance) => {
        const cardsOf = (call: unknown) => {
          const found = answerOf(call);
          return 'cards' in found ? found.cards : [];
        };
        const first = cardsOf(body);
        expect(cardsOf(structuredClone(body))).toEqual(first);
        const other = cardsOf({ ...(body as Json), hookInstance });
        expect(other.map(({ summary }) => summary)).toEqual(first.map(({ summary }) => summary));
        expect(ids(other).filter((id) => ids(first).includes(id))).toEqual([]);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe(`for generated patients (seed ${SEED})`, () => {
  type Patient = { record: Json[]; drafts: Json[]; hook: string };
  const answerTo = ({ record, drafts, hook }: Patient) => callOf(record, { drafts, hook });
  const same = (one: Patient, other: Patient): void => {
    expect(decided(answerTo(other))).toEqual(decided(answerTo(one)));
  };
  const sameCards = (one: Patient, other: Patient): void => {
    const [before, after] = [answerOf(answerTo(one)), answerOf(answerTo(other))];
    expect('cards' in after ? after.cards : after.missing).toEqual('cards' in before ? before.cards : before.missing);
  };

  test('S9: the order of entries changes no decision', () => {
    fc.assert(
      fc.property(
        anyCall.chain((patient) =>
          fc.tuple(fc.constant(patient), fc.shuffledSubarray(patient.record, { minLength: patient.record.length })),
        ),
        ([patient, record]) => same(patient, { ...patient, record }),
      ),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('1.2: an entry sent twice counts once', () => {
    fc.assert(
      fc.property(anyCall, ({ record, ...rest }) =>
        sameCards({ record, ...rest }, { ...rest, record: [...record, ...structuredClone(record)] }),
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('1.2: two entries that differ only in their id count once', () => {
    fc.assert(
      fc.property(anyCall, ({ record, ...rest }) => {
        const medicines = record.filter(({ resourceType }) => String(resourceType).startsWith('Medication'));
        const again = medicines.map((entry) => ({ ...entry, id: `again-${entry['id']}` }));
        same({ record, ...rest }, { ...rest, record: [...record, ...again] });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('irrelevant entries change nothing', () => {
    const irrelevant = fc
      .record({
        medicine: fc.constantFrom(...vocabulary.irrelevant),
        status: fc.constantFrom('active', 'stopped', 'completed'),
        day: fc.integer({ min: -400, max: 10 }),
      })
      .map(({ medicine: [code, text], status, day }) =>
        orderOf({ ...concept(code), text }, { status, authoredOn: at(day) }),
      );
    fc.assert(
      fc.property(anyCall, fc.array(irrelevant, { minLength: 1, maxLength: 5 }), ({ record, ...rest }, others) => {
        const added = others.map((one, number) => ({ ...one, id: `other-${number}` }));
        sameCards({ record, ...rest }, { ...rest, record: [...record, ...added] });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  // Depots are left out: there each dispense is a dose.
  const supplied = fc.constantFrom(...vocabulary.medicines.filter(([, text]) => !/depotinjektion/.test(text)));

  test('days of supply split into two adjacent parts change no decision', () => {
    fc.assert(
      fc.property(
        anyCall,
        supplied,
        fc.integer({ min: -90, max: 0 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        ({ record, ...rest }, [code, text], last, first, second) => {
          const dispensed = (id: string, start: number, value: number) =>
            dispenseOf({ ...concept(code), text }, { id, whenHandedOver: at(start), daysSupply: { value, code: 'd' } });
          const whole = [dispensed('whole', last - first, first + second)];
          const parts = [dispensed('one', last - first, first), dispensed('two', last, second)];
          same({ ...rest, record: [...record, ...whole] }, { ...rest, record: [...record, ...parts] });
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('a statement with no later date than its order changes no decision', () => {
    fc.assert(
      fc.property(
        anyCall,
        supplied,
        fc.integer({ min: -200, max: 0 }),
        fc.option(fc.integer({ min: -300, max: -1 }), { nil: undefined }),
        ({ record, ...rest }, [code, text], day, asserted) => {
          const medicine = { ...concept(code), text };
          const order = orderOf(medicine, { id: 'order', authoredOn: at(day) });
          const statement = statementOf(medicine, {
            id: 'statement',
            basedOn: [{ reference: 'MedicationRequest/order' }],
            ...(asserted !== undefined && { dateAsserted: at(Math.min(day, asserted)), effectiveDateTime: at(day) }),
          });
          same({ ...rest, record: [...record, order] }, { ...rest, record: [...record, order, statement] });
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe('an accepted suggestion is no longer needed', () => {
  type Update = { resource: Json; resourceId?: string };
  const updatesOf = (card: Card) =>
    (card.suggestions ?? [])
      .map(({ actions }) => actions.filter(({ type }) => type === 'update') as unknown as Update[])
      .filter((updates) => updates.length > 0);
  const dosagesOf = (orders: Json[]) => JSON.stringify(orders.map(({ dosageInstruction }) => dosageInstruction));
  const draftsIn = (body: unknown) =>
    (((body as Body).context.draftOrders?.['entry'] ?? []) as { resource: Json }[]).map(({ resource }) => resource);
  const idsOf = (updates: Update[]) => updates.map(({ resource }) => resource['id']);

  test('3, S1, S2, B2: an order with the suggested stop date or quantity gets no further card on that topic, in every test bundle', () => {
    let accepted = 0;
    for (const { name, body } of bundles) {
      const found = answerOf(body);
      if (!('cards' in found)) continue;
      for (const card of found.cards) {
        const all = new Set(updatesOf(card).flatMap(idsOf));
        for (const updates of updatesOf(card)) {
          const before = draftsIn(body).filter(({ id }) => idsOf(updates).includes(id));
          // Where the card also concerns the end, a suggestion that sets only the quantity leaves the end unchanged.
          const quantityOnly = dosagesOf(before) === dosagesOf(updates.map(({ resource }) => resource));
          if (quantityOnly && updatesOf(card).length > 1) continue;
          accepted += 1;
          const again = answerOf(
            withEntries(body, (entries, where) =>
              entries.map((entry) => {
                const change = updates.find(({ resource }) => resource['id'] === (entry['resource'] as Json)?.['id']);
                return where === 'drafts' && change ? { ...entry, resource: change.resource } : entry;
              }),
            ),
          );
          // Without a medication list nothing else is known, and the answer is 412.
          const still = ('cards' in again ? again.cards : []).filter(
            ({ source }) => source.topic.code === card.source.topic.code,
          );
          const asked = still.flatMap((other) => updatesOf(other).flatMap(idsOf));
          expect(
            asked.filter((id) => idsOf(updates).includes(id)),
            name,
          ).toEqual([]);
          if (all.size === idsOf(updates).length) expect(still, name).toEqual([]);
        }
      }
    }
    expect(accepted).toBeGreaterThan(300);
  }, 60_000);
});

describe('a medicine is recognised however it is coded', () => {
  const SNOMED = 'http://snomed.info/sct';
  const RXNORM = 'http://www.nlm.nih.gov/research/umls/rxnorm';
  const ATC = 'http://www.whocc.no/atc';
  const pregabalin = knowledge.codes.substances.get('pregabalin');
  const codeOf = (system: string) =>
    [...knowledge.codes.substanceOfCode]
      .find(([key, found]) => key.startsWith(system) && found === pregabalin)?.[0]
      .split('|')[1];

  /** The cards for pregabalin coded in this way, without the remark on how it was recognised. */
  function cards(medicationCodeableConcept: Json) {
    const found = answerOf(
      pair('order-sign', { drafts: [order('pregabalin-1', 'pregabalin', { medicationCodeableConcept })] }),
    );
    if (!('cards' in found)) throw new Error('no cards');
    const remark = ' (recognised by its name only, please check)';
    return {
      cards: JSON.parse(JSON.stringify(found.cards).replaceAll(remark, '')) as Card[],
      remarked: JSON.stringify(found.cards).includes(remark),
    };
  }
  const usual = cards(medicine('pregabalin'));

  test.each([
    ['today’s ATC code', { coding: [{ system: ATC, code: 'N02BF02' }] }],
    ['the ATC code used until 2022', { coding: [{ system: ATC, code: 'N03AX16' }] }],
    ['SNOMED CT', { coding: [{ system: SNOMED, code: codeOf('snomed') }] }],
    ['RxNorm', { coding: [{ system: RXNORM, code: codeOf('rxnorm') }] }],
    ['an OID as system', { coding: [{ system: 'urn:oid:2.16.840.1.113883.6.73', code: 'N02BF02' }] }],
  ])('H15: %s gives the same card', (_, concept) => {
    const { cards: found, remarked } = cards({ ...concept, text: 'pregabalin' });
    expect(found).toEqual(usual.cards);
    expect(found).toHaveLength(1);
    expect(remarked).toBe(false);
  });

  test('H15: a name gives the same card, which says that it was recognised by name', () => {
    const { cards: found, remarked } = cards({ text: 'pregabalin' });
    expect(found).toEqual(usual.cards);
    expect(remarked).toBe(true);
  });

  test('H15: a brand gives the same card under the same name', () => {
    const {
      cards: [card],
    } = cards({ text: 'Lyrica 75 mg' });
    expect(card?.summary).toBe(usual.cards[0]?.summary);
    expect(card?.detail).toContain('Lyrica 75 mg');
  });
});

describe('the date is the site’s', () => {
  const at = (instant: string): LocalDate => dateOfInstant(Date.parse(instant), 'Europe/Stockholm');
  const onDate = (body: Json, today: LocalDate) => {
    const { call, hookInstance } = readRequest(body, 'order-sign');
    const found = answer({ call, hookInstance, language: 'en', today }, knowledge);
    return 'cards' in found ? found.cards : [];
  };
  // An opioid for pain: an agonist treatment would continue between two supplies.
  const record = [prescription('m', 'oxycodone', { dosageInstruction: [dosageUntil('2026-03-02')] })];
  const body = pair('order-sign', { record });

  test('a medicine is taken until midnight in Stockholm, not in Greenwich', () => {
    expect(onDate(body, at('2026-03-02T22:59:59Z'))).toHaveLength(1);
    expect(onDate(body, at('2026-03-02T23:00:00Z'))).toHaveLength(0);
  });

  test('an instant counts towards its calendar day in Stockholm', () => {
    const until = (end: string) =>
      pair('order-sign', { record: [prescription('m', 'oxycodone', { dosageInstruction: [dosageUntil(end)] })] });
    expect(onDate(until('2026-03-02T23:30:00Z'), '2026-03-03')).toHaveLength(1);
    expect(onDate(until('2026-03-02T22:30:00Z'), '2026-03-03')).toHaveLength(0);
    expect(onDate(until('2026-03-03T00:30:00+01:00'), '2026-03-03')).toHaveLength(1);
  });

  test('a stop date is counted from the day in Stockholm on which the order was written', () => {
    const late = request('order-sign', { drafts: [order('x', 'oxycodone', { authoredOn: '2026-03-01T23:30:00Z' })] });
    const [card] = onDate(late, '2026-03-02');
    expect(card?.suggestions?.[0]?.label).toContain('4 March 2026');
  });
});
