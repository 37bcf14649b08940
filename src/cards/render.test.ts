import { describe, expect, test } from 'vitest';
import type { Drug } from '../chart/chart.ts';
import { dayOf } from '../dates.ts';
import { drugOf, inAll, knowledgeWith, renderingOf, resultOf } from '../testing/rendering.ts';
import { type Card, renderCards } from './render.ts';
import type { Rendering } from './rendering.ts';

const drugLines = {
  ordered: inAll('{drug} ordered'),
  changed: inAll('{drug} changed'),
  since: inAll('{drug} since {start, date, long}'),
  noEnd: inAll('{drug} from {year} without end'),
  until: inAll('{drug} {start, date, long} until {stop, date, long}'),
  current: inAll('{drug} current'),
  onHold: inAll('{drug} on hold'),
  possible: inAll('{drug} since {start, date, long}, perhaps'),
  unclear: inAll('{drug} perhaps'),
  ended: inAll('{drug} ended {stop, date, long}'),
  lastDose: inAll('{drug} last dose {dose, date, long}'),
  implanted: inAll('{drug} implanted {dose, date, long}'),
};
const shared = {
  drugLines,
  sourceKinds: { guideline: inAll('Guideline'), opinion: inAll('Opinion') },
  sourceLine: inAll('{kind} by {publisher}: {title}, {date}'),
  undated: inAll('current'),
  identifiedByName: inAll('(by name)'),
  otherwise: { name: inAll('unknown'), line: inAll('{drug} according to the record') },
  aboutAdvice: { ...inAll('about'), da: 'om' },
  overrideReasons: {
    known: { code: 'k', system: 'urn:s', display: { ...inAll('known'), da: 'kendt' } },
    other: { code: 'o', system: 'urn:s', display: inAll('other') },
  },
};
const card = (more: object = {}) => ({
  summary: inAll('summary'),
  summaries: [],
  detail: [{ text: inAll('paragraph') }],
  suggestions: {},
  overrideReasons: [],
  ...more,
});
type Results = Parameters<typeof renderCards>[0];

/** The cards for these results, with this card for each rule. */
function cardsOf(results: Results, template: object = {}, more: Partial<Rendering> = {}, templates = {}): Card[] {
  const knowledge = knowledgeWith({ shared, templates: { r: card(template), ...templates } });
  return renderCards(results, renderingOf({}, { knowledge, ...more }));
}
const cardOf = (...given: Parameters<typeof cardsOf>) => cardsOf(...given)[0] as Card;
const holds = { outcome: 'holds' as const };

const timeline = { today: dayOf('2026-03-02') };
const treatment = (more: object = {}) =>
  drugOf('Alfa', {
    ref: 'MedicationRequest/taken',
    draft: false,
    degree: 'taken',
    start: '2026-02-01',
    timeline,
    ...more,
  });
const draft = (more: object = {}) => drugOf('Alfa', { draft: true, start: '2026-03-02', ...more });

describe('the name and state of a medicine', () => {
  test.each<[what: string, drug: Drug, line: string]>([
    ['a new order', draft(), 'Alfa ordered'],
    ['an order that changes another', draft({ changed: true }), 'Alfa changed'],
    ['a current medicine', treatment(), 'Alfa since 1 February 2026'],
    ['without a start', treatment({ start: undefined }), 'Alfa current'],
    ['with a future end', treatment({ stop: '2026-03-10' }), 'Alfa 1 February 2026 until 10 March 2026'],
    ['with an end and no start', treatment({ start: undefined, stop: '2026-03-10' }), 'Alfa current'],
    [
      'until the end of today',
      treatment({ stop: '2026-03-02', endKnown: true }),
      'Alfa 1 February 2026 until 2 March 2026',
    ],
    ['until yesterday', treatment({ stop: '2026-03-01', endKnown: true }), 'Alfa ended 1 March 2026'],
    [
      'until yesterday at the latest',
      treatment({ stop: '2026-03-01', endKnown: false }),
      'Alfa 1 February 2026 until 1 March 2026',
    ],
    [
      'ended, whatever its degree',
      treatment({ stop: '2026-03-01', endKnown: true, degree: undefined }),
      'Alfa ended 1 March 2026',
    ],
    [
      'presumed, with a last sign of use',
      treatment({ degree: 'presumed', lastSign: '2025-03-01' }),
      'Alfa from 2026 without end',
    ],
    ['presumed, without a last sign of use', treatment({ degree: 'presumed' }), 'Alfa since 1 February 2026'],
    ['taken, with a last sign of use', treatment({ lastSign: '2026-02-20' }), 'Alfa since 1 February 2026'],
    [
      'presumed, with an end',
      treatment({ degree: 'presumed', lastSign: '2025-03-01', stop: '2026-03-10' }),
      'Alfa 1 February 2026 until 10 March 2026',
    ],
    ['only possible', treatment({ degree: 'possible' }), 'Alfa since 1 February 2026, perhaps'],
    ['without a degree', treatment({ degree: undefined }), 'Alfa since 1 February 2026, perhaps'],
    ['only possible, without a start', treatment({ degree: 'possible', start: undefined }), 'Alfa perhaps'],
    ['on hold', treatment({ onHold: true }), 'Alfa on hold'],
    [
      'on hold and only possible',
      treatment({ onHold: true, degree: 'possible' }),
      'Alfa since 1 February 2026, perhaps',
    ],
    ['a depot', treatment({ lastDose: '2026-02-20' }), 'Alfa last dose 20 February 2026'],
    [
      'an implant',
      treatment({ lastDose: '2026-02-20', timeline: { ...timeline, implant: {} } }),
      'Alfa implanted 20 February 2026',
    ],
    ['a draft of a depot', draft({ lastDose: '2026-02-20' }), 'Alfa ordered'],
    ['a treatment without a medicine', treatment({ otherwise: true }), 'unknown according to the record'],
    [
      'a treatment without a medicine, with a name',
      treatment({ otherwise: true, identifiedBy: 'name' }),
      'unknown according to the record',
    ],
    ['recognised by its name', draft({ identifiedBy: 'name' }), 'Alfa ordered (by name)'],
    ['recognised by its code', draft({ identifiedBy: 'atc' }), 'Alfa ordered'],
    ['named as in the record', draft({ name: 'Alfa_*x*' }), 'Alfa x (Alfa\\_\\*x\\*) ordered'],
    ['named as in the record, in other case', draft({ name: 'ALFA +' }), 'ALFA + ordered'],
    ['without a recorded name', draft({ name: undefined, ref: 'x' }), 'x ordered'],
  ])('%s', (_, drug, line) => {
    expect(cardOf([resultOf({ about: [drug] })]).detail).toBe(
      ['paragraph', `- ${line}`, 'Guideline by P: T, 2026'].join('\n\n'),
    );
  });

  test('the name in the code list is put before the recorded one, unless they are equal', () => {
    const known = [...knowledgeWith({}).codes.substances][0];
    const [substance, { names }] = known as NonNullable<typeof known>;
    const lineOf = (name: string) =>
      cardOf([resultOf({ about: [draft({ substance, name })] })]).detail?.split('\n\n')[1];
    expect(lineOf('Alfa')).toBe(`- ${names.en} (Alfa) ordered`);
    expect(lineOf(names.en.toUpperCase())).toBe(`- ${names.en} ordered`);
  });

  test('two entries of one line are listed once, two of one medicine twice, and an empty one leaves no gap', () => {
    const about = [draft(), draft({ ref: 'y' }), treatment()];
    expect(cardOf([resultOf({ about })]).detail?.split('\n\n')[1]).toBe('- Alfa ordered\n- Alfa since 1 February 2026');
    expect(cardOf([resultOf()]).detail).toBe('paragraph\n\nGuideline by P: T, 2026');
  });
});

describe('the text of a card', () => {
  const [alfa, beta, gamma, delta, epsilon] = ['Alfa', 'Beta', 'Gamma', 'Delta', 'Epsilon'].map((name) => drugOf(name));
  const about = (value: unknown[]) => resultOf({ findings: { fact: { ...holds, value } } });
  const five = [alfa, beta, gamma, delta, epsilon];

  test.each<[room: number, list: string]>([
    [40, 'Alfa, Beta, Gamma, Delta +1'],
    [27, 'Alfa, Beta, Gamma, Delta +1'],
    [26, 'Alfa, Beta, Gamma +2'],
    [20, 'Alfa, Beta, Gamma +2'],
    [19, 'Alfa, Beta +3'],
    [13, 'Alfa, Beta +3'],
    [12, 'Alfa +4'],
    [3, 'Alfa +4'],
  ])('with room for %s characters its summary names %s', (room, list) => {
    // At most 139 characters, of which the names take so many.
    const rest = `${'x'.repeat(138 - room)} `;
    expect(cardOf([about(five)], { summary: inAll(`${rest}{fact}`) }).summary).toBe(`X${rest.slice(1)}${list}`);
  });

  test('its summary begins with a capital letter, and is the first alternative whose fact holds', () => {
    const summaries = ['one', 'two', 'three'].map((fact) => ({ if: fact, text: inAll(`because of ${fact}`) }));
    const given = (...facts: string[]) =>
      cardOf([resultOf({ findings: Object.fromEntries(facts.map((fact) => [fact, holds])) })], { summaries }).summary;
    expect(given()).toBe('Summary');
    expect(given('two', 'three')).toBe('Because of two');
  });

  test('its detail has the paragraphs whose fact holds, and those without a fact', () => {
    const detail = [
      { if: 'one', text: inAll('first') },
      { text: inAll('second {fact}') },
      { if: 'two', text: inAll('third') },
    ];
    const result = resultOf({
      findings: { fact: { ...holds, value: five }, two: holds, one: { outcome: 'not-known' } },
    });
    expect(cardOf([result], { detail }).detail).toBe(
      'second Alfa, Beta, Gamma, Delta and Epsilon\n\nthird\n\nGuideline by P: T, 2026',
    );
  });

  test.each<[what: string, source: object, shown: object, line: string]>([
    [
      'with a date',
      { kind: 'opinion', publisher: 'P', title: 'T', date: '2025' },
      { label: 'P: T' },
      'Opinion by P: T, 2025',
    ],
    ['without one', { kind: 'guideline', publisher: 'P', title: 'T' }, { label: 'P: T' }, 'Guideline by P: T, current'],
    [
      'with an address',
      { kind: 'guideline', publisher: 'P', title: 'T', date: '2025', url: 'https://p.example' },
      { label: 'P: T', url: 'https://p.example' },
      'Guideline by P: T, 2025',
    ],
  ])('its source, %s', (_, source, shown, line) => {
    const given = cardOf([resultOf({ rule: { source } })]);
    const topic = { code: 'r', system: 'urn:nordic-opioid-cds:rule', display: 'The guideline' };
    expect(given.source).toEqual({ ...shown, topic });
    expect(given.detail).toBe(`paragraph\n\n${line}`);
  });

  test('its override reasons are in the reader’s language, and unknown ones are left out', () => {
    const overrideReasons = ['other', 'gone', 'known'];
    expect(cardOf([resultOf()], { overrideReasons }, { language: 'da' }).overrideReasons).toEqual([
      { code: 'o', system: 'urn:s', display: 'other' },
      { code: 'k', system: 'urn:s', display: 'kendt' },
    ]);
    expect(cardOf([resultOf()], { overrideReasons: ['gone'] })).not.toHaveProperty('overrideReasons');
  });

  test('it has a link if there are advice pages', () => {
    const links = cardOf([resultOf()], {}, { advice: 'https://cds.example/advice', language: 'da' }).links;
    expect(links).toEqual([{ label: 'om', url: 'https://cds.example/advice/r?lang=da', type: 'absolute' }]);
    expect(cardOf([resultOf()])).not.toHaveProperty('links');
  });

  test('a rule without a card is an error', () => {
    expect(() => cardsOf([resultOf({ rule: { id: 'other' } })])).toThrow('no card for other');
  });
});

describe('which rules give a card', () => {
  const templates = {
    two: card({ detail: [{ text: inAll('of two') }] }),
    three: card({ detail: [{ text: inAll('of three') }] }),
  };
  const rule = (id: string, more: object = {}) => resultOf({ rule: { id }, ...more });

  test('rules that fire give a card, each with the rules that join it', () => {
    const results = [
      rule('two', { outcome: 'joins', by: 'r', about: [draft()] }),
      rule('r', { about: [treatment()], indicator: 'warning' }),
      rule('three', { outcome: 'joins', by: 'other' }),
      rule('three', { outcome: 'superseded', by: 'r' }),
    ];
    const cards = cardsOf(results, {}, {}, templates);
    expect(cards.map(({ source, indicator }) => [source.topic.code, indicator])).toEqual([['r', 'warning']]);
    expect(cards[0]?.detail).toBe(
      'paragraph\n\nof two\n\n- Alfa since 1 February 2026\n- Alfa ordered\n\nGuideline by P: T, 2026',
    );
  });

  test('cards are in the order of the results', () => {
    const codes = cardsOf([rule('two'), rule('r')], {}, {}, templates).map(({ source }) => source.topic.code);
    expect(codes).toEqual(['two', 'r']);
  });

  test('the id of a card depends on the call, the patient, the rule and the medicines, each once', () => {
    const id = (results: Results, more: Partial<Rendering> = {}) => cardOf(results, {}, more, templates).uuid;
    const usual = id([rule('r', { about: [draft()] })]);
    const others = [
      id([rule('two', { about: [draft()] })]),
      id([rule('r', { about: [draft({ ref: 'y' })] })]),
      id([rule('r', { about: [draft(), draft({ substance: 'other' })] })]),
      id([rule('r', { about: [draft()] })], { hookInstance: 'call-2' }),
      id([rule('r', { about: [draft()] })], { chart: renderingOf({ subject: { patient: 'liv' } }).chart }),
    ];
    expect(new Set([usual, ...others]).size).toBe(6);
    expect(id([rule('r', { about: [draft()] }), rule('two', { outcome: 'joins', by: 'r', about: [draft()] })])).toBe(
      usual,
    );
  });

  test('a card without suggestions does not mention them', () => {
    expect(Object.keys(cardOf([resultOf()]))).toEqual(['uuid', 'summary', 'detail', 'indicator', 'source']);
  });
});
