import { describe, expect, test } from 'vitest';
import type { Chart, Draft } from '../chart/chart.ts';
import type { JsonObject, Resource } from '../fhir/json.ts';
import type { SuggestionRule } from '../rules/schema.ts';
import { chartOf, draftOf, line, pieces, times, until } from '../testing/charts.ts';
import { examples, type Json } from '../testing/examples.ts';
import { inAll, knowledgeWith, renderingOf, resultOf } from '../testing/rendering.ts';
import { medicine } from '../testing/request.ts';
import type { Rendering } from './rendering.ts';
import { type Suggestion, suggestionsOf } from './suggestions.ts';

const drug = (name: string, more: Json = {}) =>
  draftOf(medicine(name), { id: name, authoredOn: '2026-03-02', ...more });
const opioid = (more: Json = {}) => drug(examples.opioid, more);
const agonist = (more: Json = {}) => drug(examples.agonist, more);
const REF = `MedicationRequest/${examples.opioid}`;

const words = (label: string, description: string) => ({ label: inAll(label), description: inAll(description) });
const knowledge = knowledgeWith({
  parameters: { lengths: [3, 5], usual: 5 },
  templates: {
    r: {
      suggestions: {
        remove: words('remove {drug}', 'without {drug}'),
        stop: words('{days} days', '{drug} to {end, date, long}'),
        quantity: words('{quantity} of {drug}', 'the quantity of {drug} is {quantity}'),
        create: words('add', 'added'),
      },
    },
  },
  shared: {
    textLeft: inAll('The text stays.'),
    quantityCut: inAll('{drug} cut to {quantity}.'),
    discontinuedLines: inAll('{count} left out.'),
    orders: { test: { ...inAll('a test'), sv: 'ett prov' } },
  },
  create: { test: { resourceType: 'ServiceRequest', code: {} }, unnamed: { resourceType: 'ServiceRequest', code: {} } },
});

type Options = { record?: Json[]; change?: (draft: Draft) => object; more?: Partial<Rendering>; outcome?: string };

/** The suggestions of a card about these drafts. */
function offersFor(suggest: SuggestionRule[], drafts: Json[], options: Options = {}): Suggestion[] {
  const { record = [], change = () => ({}), more = {} } = options;
  const chart = chartOf(record, { drafts });
  const about = chart.drafts.map((draft) => ({ ...draft, ...change(draft) }));
  const fact = { outcome: (options.outcome ?? 'holds') as never, resources: about.map(({ ref }) => ref) };
  const result = resultOf({ rule: { suggest }, about, findings: { fact } });
  return suggestionsOf([result], renderingOf(chart, { knowledge, ...more }), 'card');
}
const updated = (offers: Suggestion[]): JsonObject[] =>
  offers.flatMap(({ actions }) => actions.flatMap((action) => (action.type === 'update' ? [action.resource] : [])));
const said = (offers: Suggestion[]) => offers.flatMap(({ actions }) => actions.map(({ description }) => description));
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe('which drafts of a card an action may change', () => {
  const REMOVE: SuggestionRule[] = [{ id: 'remove', remove: 'fact' }];
  const removed = (...given: [drafts: Json[], options?: Options]) =>
    offersFor(REMOVE, ...given).flatMap(({ actions }) =>
      actions.map((action) => (action.type === 'delete' ? action.resourceId : action.type)),
    );

  test('A11: each draft is removed by a suggestion of its own', () => {
    expect(offersFor(REMOVE, [opioid(), agonist()])).toEqual(
      [examples.opioid, examples.agonist].map((name) => ({
        label: `remove ${name}`,
        uuid: UUID,
        offer: 'remove',
        actions: [{ type: 'delete', description: `without ${name}`, resourceId: `MedicationRequest/${name}` }],
      })),
    );
  });

  test.each<[what: string, drafts: Json[], options: Options]>([
    ['A16: one without an id', [opioid({ id: undefined })], {}],
    ['A16: two with the same id', [opioid(), agonist({ id: examples.opioid })], {}],
    ['A12: one that changes an order of the record', [opioid()], { change: () => ({ changed: true }) }],
    ['a treatment', [opioid()], { change: () => ({ draft: false }) }],
    ['one that an earlier card suggests to remove', [opioid()], { more: { removed: new Set([REF]) } }],
  ])('not removed: %s', (_, drafts, options) => {
    expect(removed(drafts, options)).toEqual([]);
  });

  test('a draft not named by the fact is kept, and so is one that the card is not about', () => {
    const chart = chartOf([], { drafts: [opioid(), agonist()] });
    const offers = (about: Draft[], resources: string[]) =>
      suggestionsOf(
        [resultOf({ rule: { suggest: REMOVE }, about, findings: { fact: { resources } } })],
        renderingOf(chart, { knowledge }),
        'card',
      ).length;
    expect(offers(chart.drafts, [REF])).toBe(1);
    expect(offers(chart.drafts, [])).toBe(0);
    expect(offers(chart.drafts.slice(1), [REF])).toBe(0);
  });

  test('a second rule of the answer does not suggest the same again', () => {
    const taken = new Set<string>();
    expect(removed([opioid()], { more: { removed: taken } })).toEqual([REF]);
    expect([...taken]).toEqual([REF]);
    expect(removed([opioid(), agonist()], { more: { removed: taken } })).toEqual([
      `MedicationRequest/${examples.agonist}`,
    ]);
  });

  test('the ids of suggestions depend on their card, kind and draft', () => {
    const [one, two] = offersFor(REMOVE, [opioid(), agonist()]).map(({ uuid }) => uuid);
    expect(one).not.toBe(two);
    expect(offersFor(REMOVE, [opioid()])[0]?.uuid).toBe(one);
  });
});

describe('A13: one end per course length', () => {
  const STOP: SuggestionRule[] = [{ id: 'stop', setStop: 'fact', days: 'lengths', recommended: 'usual' }];
  const ends = (offers: Suggestion[]) =>
    updated(offers).map((order) => JSON.stringify(order).match(/"end":"([^"]+)/)?.[1]);

  test('each length is a suggestion, and one is recommended', () => {
    const offers = offersFor(STOP, [opioid()]);
    expect(offers).toEqual([
      { label: '3 days', uuid: UUID, offer: 'stop/3', isRecommended: false, actions: [expect.anything()] },
      { label: '5 days', uuid: UUID, offer: 'stop/5', isRecommended: true, actions: [expect.anything()] },
    ]);
    expect(new Set(offers.map(({ uuid }) => uuid)).size).toBe(2);
    expect(said(offers)).toEqual([`${examples.opioid} to 4 March 2026`, `${examples.opioid} to 6 March 2026`]);
    expect(ends(offers)).toEqual(['2026-03-04', '2026-03-06']);
  });

  test('none is recommended if the guideline recommends none', () => {
    const [offer] = offersFor([{ id: 'stop', setStop: 'fact', days: 'lengths' }], [opioid()]);
    expect(offer).not.toHaveProperty('isRecommended');
  });

  test.each<[what: string, more: Json, end: string[]]>([
    ['the day of the order', { authoredOn: '2026-02-28' }, ['2026-03-02', '2026-03-04']],
    ['today, if the order has none', { authoredOn: undefined }, ['2026-03-04', '2026-03-06']],
    ['the first day of the calendar, if that is earlier', { authoredOn: '1960-01-01' }, ['1970-01-03', '1970-01-05']],
  ])('it counts from %s', (_, more, end) => {
    expect(ends(offersFor(STOP, [opioid(more)]))).toEqual(end);
  });

  test('a suggestion ends every order, each from its own first day, or there is none', () => {
    const later = agonist({ authoredOn: '2026-03-04' });
    const offers = offersFor(STOP, [opioid(), later]);
    expect(offers.map(({ label, actions }) => [label, actions.length])).toEqual([
      ['3 days', 2],
      ['5 days', 2],
    ]);
    expect(ends(offers)).toEqual(['2026-03-04', '2026-03-06', '2026-03-06', '2026-03-08']);
    expect(offersFor(STOP, [opioid(), agonist({ dosageInstruction: { text: 'x' } })])).toEqual([]);
    expect(offersFor(STOP, [opioid({ id: undefined })])).toEqual([]);
  });

  test('a changed order is returned digit by digit if it was sent, and otherwise as it was read', () => {
    const exact = (): Resource => ({ resourceType: 'MedicationRequest', exactly: true });
    expect(updated(offersFor(STOP, [opioid()], { more: { exact } }))[0]).toMatchObject({ exactly: true });
    expect(updated(offersFor(STOP, [opioid()]))[0]).toMatchObject({ id: examples.opioid });
  });

  const dose = line(times(2), pieces(1));
  const packed = (value: number, more: Json = {}) =>
    opioid({ dosageInstruction: [dose], dispenseRequest: { quantity: { value, unit: 'tablett' } }, ...more });
  const quantities = (offers: Suggestion[]) =>
    updated(offers).map((order) => (order['dispenseRequest'] as { quantity: { value: number } }).quantity.value);

  test.each<[what: string, draft: Json, said: string[]]>([
    ['nothing more', opioid(), ['', '']],
    [
      'that a text is kept',
      opioid({ dosageInstruction: [{ text: '10 days, then 5 days' }] }),
      [' The text stays.', ' The text stays.'],
    ],
    [
      'that a line is left out',
      opioid({ dosageInstruction: [line(until('2026-03-04')), line(until('2026-03-08', '2026-03-05'))] }),
      [' 1 left out.', ''],
    ],
    ['that the quantity is less', packed(8), [` ${examples.opioid} cut to 6.`, '']],
    [
      'that the quantity is less, and a line is left out',
      packed(30, {
        dosageInstruction: [
          line({ ...times(2), ...until('2026-03-06') }, pieces(1)),
          line({ ...times(2), ...until('2026-03-08', '2026-03-05') }, pieces(1)),
        ],
      }),
      [` 1 left out. ${examples.opioid} cut to 6.`, ` ${examples.opioid} cut to 14.`],
    ],
  ])('the description says %s', (_, draft, more) => {
    expect(said(offersFor(STOP, [draft]))).toEqual([
      `${examples.opioid} to 4 March 2026${more[0]}`,
      `${examples.opioid} to 6 March 2026${more[1]}`,
    ]);
  });

  describe('a card that also finds the quantity too large', () => {
    const BOTH: SuggestionRule[] = [...STOP, { id: 'quantity', setQuantity: 'fact', days: 'usual' }];
    const stops = (draft: Json, smallestPackage?: number) =>
      offersFor(BOTH, [draft], { change: () => ({ smallestPackage }) }).filter(({ offer }) => offer.startsWith('stop'));

    test.each<[what: string, quantity: number, pack: number | undefined, now: number[]]>([
      ['what the days require', 30, undefined, [6, 10]],
      ['the smallest package, if it is less', 30, 4, [4, 4]],
      ['what the days require, if that is less', 30, 8, [6, 8]],
      ['the smallest package of an order below what the days require', 5, 4, [4, 4]],
      ['what was ordered, if it is no more', 5, 5, [5, 5]],
      ['what was ordered, if it is less than a package', 5, 10, [5, 5]],
    ])('is answered by %s: of %s with packages of %s', (_, quantity, pack, now) => {
      expect(quantities(stops(packed(quantity), pack))).toEqual(now);
    });

    test('the description uses the words of the quantity rule', () => {
      expect(said(stops(packed(30), 4))[0]).toBe(
        `${examples.opioid} to 4 March 2026 the quantity of ${examples.opioid} is 4`,
      );
      expect(said(stops(packed(5)))[0]).toBe(`${examples.opioid} to 4 March 2026`);
    });

    test('a package is not considered if the quantity is not too large', () => {
      const offers = offersFor(STOP, [packed(30)], { change: () => ({ smallestPackage: 4 }) });
      expect(quantities(offers)).toEqual([6, 10]);
    });

    test('a package does not add a quantity to an order without one', () => {
      const [order] = updated(stops(opioid(), 4));
      expect(order).not.toHaveProperty('dispenseRequest');
    });
  });
});

describe('a quantity', () => {
  const QUANTITY: SuggestionRule[] = [{ id: 'quantity', setQuantity: 'fact', days: 'usual' }];
  const course = (more: object) => () => ({ dailyDose: 2, ...more });
  test.each<[what: string, change: object, quantity: number | undefined]>([
    ['the smallest package known to the site', { smallestPackage: 7 }, 7],
    ['the doses of the recommended days', {}, 10],
    ['the doses of the course', { stopFrom: 'bounds', length: 3 }, 6],
    ['of the recommended days, if only the quantity tells the course', { stopFrom: 'quantity', length: 3 }, 10],
    ['of the recommended days, if only a text tells the course', { stopFrom: 'text', length: 3 }, 10],
    ['of the recommended days, if the source of the end is unknown', { length: 3 }, 10],
    ['a part of a unit, rounded up', { dailyDose: 0.3 }, 2],
    ['a sum with a floating-point error', { dailyDose: 1.1, stopFrom: 'bounds', length: 10 }, 11],
    ['nothing, without a dose', { dailyDose: undefined }, undefined],
  ])('%s', (_, change, quantity) => {
    const offers = offersFor(QUANTITY, [opioid()], { change: course(change) });
    expect(offers).toEqual(
      quantity === undefined
        ? []
        : [
            {
              label: `${quantity} of ${examples.opioid}`,
              uuid: UUID,
              offer: 'quantity',
              actions: [
                {
                  type: 'update',
                  description: `the quantity of ${examples.opioid} is ${quantity}`,
                  resource: { ...opioid(), dispenseRequest: { quantity: { value: quantity } } },
                },
              ],
            },
          ],
    );
  });

  test('each order gets suggestions with ids of their own', () => {
    const offers = offersFor(QUANTITY, [opioid(), agonist()], { change: course({}) });
    expect(new Set(offers.map(({ uuid }) => uuid)).size).toBe(2);
  });
});

describe('what is created', () => {
  const CREATE: SuggestionRule[] = [{ id: 'create', create: 'test' }];
  const subject = { patient: 'kari', encounter: 'visit' };
  const created = (
    suggest: SuggestionRule[],
    chart: Partial<Chart> = {},
    more: Partial<Rendering> = {},
    outcome = 'holds',
  ) =>
    suggestionsOf(
      [resultOf({ rule: { suggest }, findings: { fact: { outcome: outcome as never } } })],
      renderingOf({ subject, ...chart }, { knowledge, ...more }),
      'card',
    );

  test('a draft is for this patient, in the reader’s language', () => {
    expect(created(CREATE, {}, { language: 'sv' })).toEqual([
      {
        label: 'add',
        uuid: UUID,
        offer: 'create',
        actions: [
          {
            type: 'create',
            description: 'added',
            resource: {
              resourceType: 'ServiceRequest',
              code: { text: 'ett prov' },
              subject: { reference: 'Patient/kari' },
              encounter: { reference: 'Encounter/visit' },
            },
          },
        ],
      },
    ]);
  });

  test('a draft has the FHIR version of the call, and its own name if there are no words for it', () => {
    const code = (...given: Parameters<typeof created>) =>
      created(...given).flatMap(({ actions }) =>
        actions.flatMap((action) => ('resource' in action ? action.resource['code'] : [])),
      );
    expect(code(CREATE, { version: 'R5' })).toEqual([{ concept: { text: 'a test' } }]);
    expect(code([{ id: 'create', create: 'unnamed' }])).toEqual([{ text: 'unnamed' }]);
  });

  test.each([
    ['holds', 1],
    ['does-not-hold', 0],
    ['not-known', 0],
  ])('if its condition %s, the result is %s', (outcome, count) => {
    expect(created([{ id: 'create', create: 'test', if: 'fact' }], {}, {}, outcome)).toHaveLength(count);
    expect(created(CREATE, {}, {}, outcome)).toHaveLength(1);
  });
});

test('suggestions are in the order of the rules, and each needs its words', () => {
  const suggest: SuggestionRule[] = [
    { id: 'create', create: 'test' },
    { id: 'remove', remove: 'fact' },
  ];
  expect(offersFor(suggest, [opioid()]).map(({ offer }) => offer)).toEqual(['create', 'remove']);
  expect(() => offersFor([{ id: 'wordless', create: 'test' }], [opioid()])).toThrow(
    'no words for the suggestion wordless of r',
  );
});
