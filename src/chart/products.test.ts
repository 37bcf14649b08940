import { describe, expect, test } from 'vitest';
import { plusMonths } from '../dates.ts';
import {
  administrationOf,
  at,
  chartOf,
  concept,
  dispenseOf,
  draftOf,
  line,
  orderOf,
  statementOf,
  TODAY,
  times,
  treatmentOf,
  until,
} from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';
import type { Pair } from './chart.ts';
import { together } from './relate.ts';

// recommendations.md, 1.4. `coded`: an ATC code beside the text, as a record writes it.
const coded = (code: string, text?: string): Json => ({ ...concept(code), ...(text !== undefined && { text }) });

const given = (product: Json, day: string, more: Json = {}) =>
  administrationOf(product, { effectiveDateTime: day, ...more });

/** What connects a product of the record with a draft. */
function joined(record: Json[], draft: Json): Pair | undefined {
  const { treatments, drafts } = chartOf(record, { drafts: [draft] });
  return together(treatments, drafts, 'clearance')[0];
}

describe('1.4: opioid-free before naltrexone or nalmefene', () => {
  test.each<[string, Json, days: number]>([
    ['oxycodone', coded('N02AA05'), 10],
    ['a codeine cough medicine', coded('R05DA04'), 10],
    ['a fentanyl patch', coded('N02AB03', 'Durogesic depotplåster 25 mikrogram/timme'), 10],
    ['a buprenorphine patch', coded('N02AE01', 'Norspan depotplåster 10 mikrogram/timme'), 10],
    ['opium for diarrhoea', coded('A07DA02', 'Dropizol'), 10],
    ['methadone', coded('N07BC02'), 14],
    ['levomethadone', coded('N07BC05'), 14],
    ['sublingual buprenorphine', coded('N07BC01', 'Subutex sublingual resoriblett 8 mg'), 14],
    ['buprenorphine film', coded('N07BC51', 'Suboxone sublingualfilm 8 mg/2 mg'), 14],
    ['N07BC01 alone', coded('N07BC01'), 14],
    ['weekly Buvidal', coded('N07BC01', 'Buvidal 16 mg'), 30],
    ['weekly depot by its form', coded('N07BC01', 'Buprenorfin depotinjektionsvätska 24 mg'), 30],
    ['monthly Buvidal', coded('N07BC01', 'Buvidal 64 mg'), 90],
    ['monthly Buvidal', coded('N07BC01', 'Buvidal 128 mg depotinjektionsvätska, lösning'), 90],
    ['a monthly depot by its strength only', coded('N07BC01', 'Buprenorfin 96 mg'), 90],
    ['Buvidal of unknown strength', coded('N07BC01', 'Buvidal'), 90],
    ['Sublocade', coded('N07BC01', 'Sublocade 100 mg'), 180],
    ['Subutex depot', coded('N07BC01', 'Subutex depot injektionsvätska 300 mg'), 180],
    ['300 mg of buprenorphine', coded('N07BC01', 'Buprenorfin 300 mg'), 180],
  ])('%s: %j to day %d', (_, product, days) => {
    for (const antagonist of ['N07BB04', 'N07BB05']) {
      const draft = draftOf(coded(antagonist), { authoredOn: TODAY });
      const pair = joined([given(product, at(-days))], draft);
      expect(pair?.degree).toBe('taken');
      expect(pair?.afterDays ?? days).toBe(days);
      expect(joined([given(product, at(-days - 1))], draft)).toBeUndefined();
    }
  });

  test('8 mg is a weekly depot only with brand or form', () => {
    const draft = draftOf(coded('N07BB04'), { authoredOn: TODAY });
    const pair = (text: string) => joined([given(coded('N07BC01', text), at(-15))], draft);
    expect(pair('Buprenorfin sublingual resoriblett 8 mg')).toBeUndefined();
    expect(pair('Buprenorfin depotinjektion 8 mg')).toBeDefined();
    expect(pair('Buvidal 8 mg')).toBeDefined();
  });

  test('the days count from the last dose of an order, not from its end on paper', () => {
    const draft = draftOf(coded('N07BB04'), { authoredOn: TODAY });
    const ended = (stop: string) =>
      orderOf(coded('N02AA05'), { authoredOn: at(-60), dosageInstruction: [line(until(stop))] });
    expect(joined([ended(at(-10))], draft)).toMatchObject({ washout: true, degree: 'taken' });
    expect(joined([ended(at(-11))], draft)).toBeUndefined();
  });
});

describe('1.4: opioids blocked after', () => {
  test.each<[string, Json, days: number]>([
    ['naltrexone by mouth', coded('N07BB04', 'Naltrexon 50 mg tablett'), 3],
    ['naltrexone with bupropion', coded('A08AA62'), 3],
    ['low-dose naltrexone', { text: 'LDN 4,5 mg kapsel' }, 3],
    ['nalmefene', coded('N07BB05'), 7],
    ['naltrexone depot by brand', coded('N07BB04', 'Vivitrol'), 30],
    ['naltrexone depot by strength', coded('N07BB04', 'Naltrexon 380 mg'), 30],
    ['naltrexone depot by form', coded('N07BB04', 'Naltrexon depotinjektionsvätska'), 30],
    ['a naltrexone implant', coded('N07BB04', 'Naltrexon implantat'), 180],
  ])('%s: %j to day %d', (_, product, days) => {
    const draft = draftOf(coded('N02AA05'), { authoredOn: TODAY });
    const pair = joined([given(product, at(-days))], draft);
    expect(pair).toMatchObject({ degree: 'taken', washout: true, afterDays: days });
    expect(joined([given(product, at(-days - 1))], draft)).toBeUndefined();
  });
});

describe('1.4: a dose of a depot counts as taken', () => {
  test.each<[string, Json, days: number]>([
    ['weekly Buvidal', coded('N07BC01', 'Buvidal 32 mg'), 14],
    ['monthly Buvidal', coded('N07BC01', 'Buvidal 160 mg'), 56],
    ['Buvidal of unknown strength', coded('N07BC01', 'Buvidal depotinjektionsvätska'), 56],
    ['Sublocade', coded('N07BC01', 'Sublocade 300 mg'), 56],
  ])('%s: %j until day %d, without days between supplies', (_, product, days) => {
    expect(treatmentOf([given(product, at(-days))])?.degree).toBe('taken');
    expect(treatmentOf([given(product, at(-days - 1))])?.degree).toBeUndefined();
  });

  const DEPOT = coded('N07BC01', 'Buvidal 96 mg');
  const dose = (entry: Json) =>
    treatmentOf([entry])?.timeline.cleared.map(({ start, end, degree }) => [start, end, degree]);
  const day = (date: string) => Date.parse(date) / 86_400_000;
  const on = (date: string, degree = 'taken') => [[day(date), day(date), degree]];
  const weekly = { frequency: 1, period: 4, periodUnit: 'wk' };
  const lines = (...dosageInstruction: Json[]) => ({ dosageInstruction });
  test.each<[string, Json, unknown]>([
    ['an administration', given(DEPOT, '2026-02-02'), on('2026-02-02')],
    ['a dispense', dispenseOf(DEPOT, { whenHandedOver: '2026-02-02', daysSupply: { value: 28 } }), on('2026-02-02')],
    [
      'one event',
      orderOf(DEPOT, { authoredOn: '2026-01-20', ...lines({ timing: { event: ['2026-02-02'] } }) }),
      on('2026-02-02'),
    ],
    [
      'the last past event',
      orderOf(DEPOT, {
        authoredOn: '2026-01-01',
        ...lines({ timing: { event: ['2026-01-05', '2026-02-02', '2026-03-09'] } }),
      }),
      on('2026-02-02'),
    ],
    ['a count of 1', orderOf(DEPOT, { authoredOn: '2026-02-02', ...lines(line({ count: 1 })) }), on('2026-02-02')],
    [
      'a count of 1 in a completed order',
      orderOf(DEPOT, { status: 'completed', authoredOn: '2026-02-02', ...lines(line({ count: 1 })) }),
      on('2026-02-02'),
    ],
    [
      'a statement for one day',
      statementOf(DEPOT, { status: 'completed', effectiveDateTime: '2026-02-02' }),
      on('2026-02-02'),
    ],
    ['an order with none of these: its start', orderOf(DEPOT, { authoredOn: '2026-02-02' }), on('2026-02-02')],
    [
      'a recurring order: the last due day not after today',
      orderOf(DEPOT, { authoredOn: '2026-01-05', ...lines(line(weekly)) }),
      on('2026-03-02'),
    ],
    [
      'a recurring order: the due day is tomorrow',
      orderOf(DEPOT, { authoredOn: '2026-01-06', ...lines(line(weekly)) }),
      on('2026-02-03'),
    ],
    [
      'a recurring order: not after its end',
      orderOf(DEPOT, { authoredOn: '2026-01-05', ...lines(line({ ...weekly, ...until('2026-02-20') })) }),
      on('2026-02-02'),
    ],
    [
      'a stopped order: its end',
      orderOf(DEPOT, {
        status: 'stopped',
        authoredOn: '2026-01-05',
        statusChanged: '2026-02-10',
        ...lines(line(weekly)),
      }),
      on('2026-02-10'),
    ],
  ])('%s', (_, entry, expected) => {
    expect(dose(entry)).toEqual(expected);
  });

  test('the dose of an order stopped at an unknown time is possible', () => {
    const stopped = orderOf(DEPOT, { status: 'stopped', authoredOn: '2026-01-05', ...lines(line(weekly)) });
    const found = treatmentOf([stopped]);
    expect(found?.degree).toBe('possible');
    expect(new Set(found?.timeline.cleared.map(({ degree }) => degree))).toEqual(new Set(['possible']));
  });
});

describe('1.4: a buprenorphine implant', () => {
  const SIXMO = coded('N07BC01', 'Sixmo 74,2 mg implantat');
  const inserted = (day: string) => given(SIXMO, day);
  const removal = (performedDateTime: string, code: Json = { text: 'Fjerning av implantat' }) => ({
    resourceType: 'Procedure',
    id: 'removal',
    status: 'completed',
    subject: { reference: 'Patient/kari' },
    code,
    performedDateTime,
  });
  const ago = (months: number, days = 0) => plusMonths(at(-days), -months);
  const naltrexone = draftOf(coded('N07BB04'), { authoredOn: TODAY });

  test('it is taken for 6 months, presumed until 24, and then over', () => {
    expect(treatmentOf([inserted(ago(6))])?.degree).toBe('taken');
    expect(treatmentOf([inserted(ago(6, 1))])?.degree).toBe('presumed');
    expect(treatmentOf([inserted(ago(24))])?.degree).toBe('presumed');
    expect(treatmentOf([inserted(ago(24, 1))])?.degree).toBeUndefined();
  });

  test('without a removal it acts with certainty for 7 months and possibly for 24', () => {
    expect(joined([inserted(ago(7))], naltrexone)?.certain).toBe(true);
    expect(joined([inserted(ago(7, 1))], naltrexone)?.certain).toBe(false);
    expect(joined([inserted(ago(24))], naltrexone)?.certain).toBe(false);
    expect(joined([inserted(ago(24, 1))], naltrexone)).toBeUndefined();
  });

  test('it is over with its removal, and opioid-free 10 days later', () => {
    const record = (day: string) => [inserted('2025-12-01'), removal(day)];
    expect(treatmentOf(record(at(0)))?.degree).toBe('taken');
    expect(treatmentOf(record(at(-1)))?.degree).toBeUndefined();
    expect(joined(record(at(-10)), naltrexone)).toMatchObject({ washout: true, degree: 'taken' });
    expect(joined(record(at(-11)), naltrexone)).toBeUndefined();
  });

  test('a removal before its insertion belongs to another implant', () => {
    expect(treatmentOf([inserted('2025-12-01'), removal('2025-11-30')])?.degree).toBe('taken');
  });

  test.each([
    ['Fjerning av implantat', true],
    ['Avlägsnande av implantat', true],
    ['Removal of implant', true],
    ['Insättning av implantat', false],
    ['Fjerning av sting', false],
    ['Implantat ikke fjernet', false],
  ])('the text %s means removal: %s', (text, out) => {
    expect(treatmentOf([inserted('2025-12-01'), removal('2026-02-01', { text })])?.degree === undefined).toBe(out);
  });

  test('a procedure that did not happen removes nothing', () => {
    const record = [inserted('2025-12-01'), { ...removal('2026-02-01'), status: 'not-done' }];
    expect(treatmentOf(record)?.degree).toBe('taken');
  });
});

test('1.4: a repeated dose counts from the last one', () => {
  const product = coded('N07BC01', 'Buvidal 128 mg');
  const doses = [at(-120), at(-92), at(-64)].map((day, number) => given(product, day, { id: `dose-${number}` }));
  const naltrexone = draftOf(coded('N07BB04'), { authoredOn: TODAY });
  expect(joined(doses, naltrexone)).toMatchObject({ degree: 'taken', washout: true, afterDays: 90 });
  expect(treatmentOf(doses)?.degree).toBeUndefined();
});

test('1.4: the effect of a drafted depot counts', () => {
  const draft = draftOf(coded('N07BC01', 'Buvidal 96 mg'), {
    authoredOn: TODAY,
    dosageInstruction: [line({ count: 1, ...times(1) })],
  });
  const later = (start: string) =>
    orderOf(coded('N05BA04'), { dosageInstruction: [line(until(at(100), start))], authoredOn: TODAY });
  const pairs = (start: string) => {
    const { treatments, drafts } = chartOf([later(start)], { drafts: [draft] });
    return together(treatments, drafts).length;
  };
  expect(pairs(at(56))).toBe(1);
  expect(pairs(at(57))).toBe(0);
});
