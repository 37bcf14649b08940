import { describe, expect, test } from 'vitest';
import { dateOf } from '../dates.ts';
import {
  administrationOf,
  at,
  chartOf,
  concept,
  dispenseOf,
  draftOf,
  line,
  orderOf,
  periodsOf,
  pieces,
  statementOf,
  TODAY,
  times,
  until,
} from '../testing/charts.ts';
import { condition, type Json } from '../testing/request.ts';
import type { Drug, Result } from './chart.ts';
import { during, endedSince, startingAnew, together, useOf, within } from './relate.ts';

const lines = (...dosageInstruction: Json[]) => ({ dosageInstruction });
const from = (start: string, end?: string) =>
  end === undefined ? { authoredOn: start } : { authoredOn: start, ...lines(line(until(end, start))) };

const opioid = (more: Json, id = 'opioid') => orderOf('oxycodone', { id, ...more });
const sedative = (more: Json, id = 'sedative') => orderOf('oxazepam', { id, ...more });
const opioidDraft = (more: Json) => draftOf('oxycodone', more);
const antagonistDraft = (more: Json) => draftOf('naltrexone', more);

/** The single pair, in words: its degree, and whether only washout joins it. */
function pairIn(record: Json[], drafts: Json[], lengthening?: 'clearance' | number): string {
  const chart = chartOf(record, { drafts });
  const all = [...chart.drafts, ...chart.treatments];
  const [first] = chart.drafts.length > 0 ? chart.drafts : chart.treatments;
  if (!first) return 'no pair';
  const pairs = together(
    [first],
    all.filter((drug) => drug !== first),
    lengthening,
  );
  const [pair] = pairs;
  return pair ? `${pair.degree}${pair.washout ? ', washout' : ''}` : 'no pair';
}

describe('1.5: together with the chart open: any day from today on', () => {
  test.each<[string, Json, Json, string]>([
    ['both taken', from(at(-30)), from(at(-5)), 'taken'],
    ['they share today', from(at(-30), at(0)), from(at(-5)), 'taken'],
    ['they shared yesterday', from(at(-30), at(-1)), from(at(-5)), 'no pair'],
    ['one begins tomorrow', from(at(-30)), from(at(1)), 'taken'],
    ['one ends tomorrow, the other begins then', from(at(-30), at(1)), from(at(1)), 'taken'],
    ['one ends tomorrow, the other begins the day after', from(at(-30), at(1)), from(at(2)), 'no pair'],
    ['one presumed', from('2024-01-01'), from(at(-5)), 'presumed'],
    ['one possible', { ...from(at(-30)), status: 'stopped' }, from(at(-5)), 'possible'],
    [
      'presumed today and taken before: the degree of a shared day',
      { ...from(at(-30)), dispenseRequest: { expectedSupplyDuration: { value: 10, code: 'd' } } },
      from(at(-5)),
      'presumed',
    ],
    ['taken on a later day', { ...from('2024-01-01') }, from(at(30)), 'presumed'],
    ['on hold', { ...from(at(-30)), status: 'on-hold' }, from(at(-5)), 'presumed'],
  ])('%s', (_, one, other, expected) => {
    expect(pairIn([opioid(one), sedative(other)], [])).toBe(expected);
  });
});

describe('1.5: together with a draft: any day of its own period', () => {
  test.each<[string, Json, Json, string]>([
    ['from today, open-ended', from(at(-30)), { authoredOn: TODAY }, 'taken'],
    ['without a date it begins today', from(at(-30), at(0)), {}, 'taken'],
    ['a draft dated before today begins today', from(at(-30), at(-1)), from(at(-10), at(10)), 'no pair'],
    ['it begins on the last day of the other', from(at(-30), at(5)), from(at(5), at(9)), 'taken'],
    ['it begins the day after', from(at(-30), at(5)), from(at(6), at(9)), 'no pair'],
    ['it ends on the first day of the other', from(at(9)), from(at(5), at(9)), 'taken'],
    ['it ends the day before', from(at(10)), from(at(5), at(9)), 'no pair'],
    ['it has no end: the other begins in a year', from(at(365)), from(at(5)), 'taken'],
    [
      'days of supply do not end it',
      from(at(30)),
      { authoredOn: TODAY, dispenseRequest: { expectedSupplyDuration: { value: 5, code: 'd' } } },
      'taken',
    ],
    [
      'a quantity does not end it',
      from(at(30)),
      {
        authoredOn: TODAY,
        ...lines(line(times(1), pieces(1))),
        dispenseRequest: { quantity: { value: 5, unit: 'st' } },
      },
      'taken',
    ],
    [
      'a length in the text does not end it',
      from(at(30)),
      { authoredOn: TODAY, ...lines({ text: '1 tablett i 5 dagar' }) },
      'taken',
    ],
    ['a count ends it', from(at(30)), { authoredOn: TODAY, ...lines(line({ ...times(1), count: 5 })) }, 'no pair'],
    [
      'a count ends it on its last day',
      from(at(4)),
      { authoredOn: TODAY, ...lines(line({ ...times(1), count: 5 })) },
      'taken',
    ],
    ['a single event ends it', from(at(1)), { authoredOn: TODAY, ...lines({ timing: { event: [TODAY] } }) }, 'no pair'],
    [
      'a duration ends it',
      from(at(5)),
      { authoredOn: TODAY, ...lines(line({ boundsDuration: { value: 5, code: 'd' } })) },
      'no pair',
    ],
    ['the other is only possible', { ...from(at(-30)), status: 'stopped' }, { authoredOn: TODAY }, 'possible'],
    ['the other is presumed', from('2020-01-01'), { authoredOn: TODAY }, 'presumed'],
  ])('%s', (_, one, draft, expected) => {
    expect(pairIn([sedative(one)], [opioidDraft(draft)])).toBe(expected);
  });

  test('two drafts', () => {
    const two = (one: Json, other: Json) =>
      pairIn([], [opioidDraft({ id: 'a', ...one }), draftOf('oxazepam', { id: 'b', ...other })]);
    expect(two({}, {})).toBe('taken');
    expect(two(from(at(1), at(5)), from(at(5), at(9)))).toBe('taken');
    expect(two(from(at(1), at(5)), from(at(6), at(9)))).toBe('no pair');
  });

  test('one product is never both partners', () => {
    const chart = chartOf([], { drafts: [opioidDraft({})] });
    expect(together(chart.drafts, chart.drafts)).toEqual([]);
  });
});

describe('1.5: washout and blockade, in both directions', () => {
  const gone = (days: number) => from(at(-60), at(-days));
  test.each<[string, Json[], Json[], string]>([
    ['the opioid ended 10 days before the antagonist', [opioid(gone(10))], [antagonistDraft({})], 'taken, washout'],
    ['11 days before', [opioid(gone(11))], [antagonistDraft({})], 'no pair'],
    [
      'the antagonist ended 3 days before the opioid',
      [orderOf('naltrexone', gone(3))],
      [opioidDraft({})],
      'taken, washout',
    ],
    ['4 days before', [orderOf('naltrexone', gone(4))], [opioidDraft({})], 'no pair'],
    ['counted from the start of the draft', [opioid(gone(5))], [antagonistDraft(from(at(5)))], 'taken, washout'],
    ['a day later', [opioid(gone(5))], [antagonistDraft(from(at(6)))], 'no pair'],
    ['they share a day: no washout', [opioid(from(at(-30)))], [antagonistDraft({})], 'taken'],
    [
      'only possible, but every end reaches the draft: it counts as taken',
      [opioid({ ...from(at(-9)), status: 'stopped', meta: { lastUpdated: at(-5) } })],
      [antagonistDraft({})],
      'taken, washout',
    ],
    [
      'only possible, and its earliest end does not reach it',
      [opioid({ ...from(at(-30)), status: 'stopped', meta: { lastUpdated: at(-5) } })],
      [antagonistDraft({})],
      'possible, washout',
    ],
    [
      'methadone between supplies counts by its washout',
      [orderOf('methadone', gone(14))],
      [antagonistDraft({})],
      'taken, washout',
    ],
    ['not by the days between supplies', [orderOf('methadone', gone(15))], [antagonistDraft({})], 'no pair'],
  ])('%s', (_, record, drafts, expected) => {
    expect(pairIn(record, drafts, 'clearance')).toBe(expected);
  });

  test('treatments that overlapped are not lengthened', () => {
    const naltrexone = (more: Json) => orderOf('naltrexone', { id: 'naltrexone', ...more });
    expect(pairIn([opioid(gone(5)), naltrexone(from(at(-4)))], [], 'clearance')).toBe('taken, washout');
    expect(pairIn([opioid(gone(5)), naltrexone(from(at(-5)))], [], 'clearance')).toBe('no pair');
  });

  test('the degree is that at its end', () => {
    // The earliest end of a dispense of unknown length is day 30. Lengthened by 10 days it reaches the draft, or not.
    const dispensed = (day: number) =>
      pairIn([dispenseOf('oxycodone', { whenHandedOver: at(day) })], [antagonistDraft({})], 'clearance');
    expect(dispensed(-39)).toBe('taken, washout');
    expect(dispensed(-41)).toBe('possible');
    const onHold = opioid({ ...from(at(-60)), status: 'on-hold' });
    expect(pairIn([onHold], [antagonistDraft({})], 'clearance')).toBe('presumed');
  });

  test('a treatment presumed at its end is presumed after it, however early it may have ended', () => {
    const chart = chartOf([opioid({ id: 'running', ...from(at(-5)), status: 'on-hold' })], {
      drafts: [antagonistDraft({ id: 'running' })],
    });
    expect(together(chart.treatments, chart.drafts, 'clearance')).toMatchObject([
      { degree: 'presumed', washout: true, afterDays: 10 },
    ]);
  });

  test('the lower degree of the two counts, also after the end of one', () => {
    const onHold = orderOf('naltrexone', { id: 'naltrexone', ...from(at(-4)), status: 'on-hold' });
    expect(pairIn([opioid(gone(5)), onHold], [], 'clearance')).toBe('presumed, washout');
  });

  test('one is possible today, and would be over long before the other if it had ended at once', () => {
    const stopped = (start: string) => opioid({ ...from(start), status: 'stopped' });
    expect(pairIn([stopped(at(-11))], [antagonistDraft({})], 'clearance')).toBe('possible');
    expect(pairIn([stopped(at(-10))], [antagonistDraft({})], 'clearance')).toBe('taken, washout');
    expect(pairIn([stopped(at(-10))], [antagonistDraft(from(at(1)))], 'clearance')).toBe('possible');
    expect(pairIn([stopped(TODAY)], [antagonistDraft(from(TODAY, TODAY))], 'clearance')).toBe('taken, washout');
    // Without clearance it is as the record has it.
    expect(pairIn([stopped(at(-10))], [antagonistDraft({})])).toBe('possible');
  });

  test('two that are only possible are certain only where both are', () => {
    const naltrexone = (start: string) =>
      orderOf('naltrexone', { id: 'naltrexone', ...from(start), status: 'stopped' });
    const stopped = opioid({ ...from(at(-3)), status: 'stopped' });
    expect(pairIn([stopped, naltrexone(at(-3))], [], 'clearance')).toBe('taken, washout');
    expect(pairIn([stopped, naltrexone(at(-4))], [], 'clearance')).toBe('possible');
    expect(pairIn([naltrexone(at(-4)), stopped], [], 'clearance')).toBe('possible');
  });

  test('what the other was before today makes it no more certain', () => {
    const stopped = opioid({ ...from(at(-30)), status: 'stopped' });
    const twice = [
      orderOf('naltrexone', { id: 'a', ...from(at(-100), at(-90)) }),
      orderOf('naltrexone', { id: 'b', ...from(at(-3)) }),
    ];
    expect(pairIn([stopped, ...twice], [], 'clearance')).toBe('possible');
  });

  test('the higher degree of two periods that reach the other counts', () => {
    // Presumed for 30 days, possible for 70 more: thus lengthened, each possible end reaches today.
    const dispensed = (day: number) =>
      pairIn([dispenseOf('oxycodone', { whenHandedOver: at(day) })], [draftOf('buprenorphine', {})], 90);
    expect(dispensed(-115)).toBe('taken, washout');
    expect(dispensed(-130)).toBe('possible, washout');
  });

  test('a number of days may replace it for one that is only possible', () => {
    const stopped = (start: string) => opioid({ ...from(start), status: 'stopped' });
    expect(pairIn([stopped(at(-2))], [draftOf('buprenorphine', {})], 2)).toBe('taken, washout');
    expect(pairIn([stopped(at(-3))], [draftOf('buprenorphine', {})], 2)).toBe('possible');
  });

  test('the days of the ended one are reported, and for a certain pair those of either', () => {
    const joined = (record: Json[], draft: Json) => {
      const chart = chartOf(record, { drafts: [draft] });
      return together(chart.treatments, chart.drafts, 'clearance')[0];
    };
    expect(joined([opioid(gone(5))], antagonistDraft({}))?.afterDays).toBe(10);
    expect(joined([orderOf('naltrexone', gone(2))], opioidDraft({}))?.afterDays).toBe(3);
    expect(joined([opioid(from(at(-30)))], antagonistDraft({}))).not.toHaveProperty('afterDays');
    const stopped = opioid({ ...from(at(-9)), status: 'stopped' });
    expect(joined([stopped], antagonistDraft({}))?.afterDays).toBe(3);
    expect(joined([stopped], draftOf('oxazepam'))).toMatchObject({ degree: 'taken', afterDays: 10 });
  });

  test('one that begins after the other ended, and was used before with a pause, counts by its last end', () => {
    const twice = [opioid(from(at(-60), at(-40))), opioid(from(at(-20), at(-8)), 'again')];
    expect(pairIn(twice, [antagonistDraft({})], 'clearance')).toBe('taken, washout');
    const early = [opioid(from(at(-60), at(-40))), opioid(from(at(-20), at(-11)), 'again')];
    expect(pairIn(early, [antagonistDraft({})], 'clearance')).toBe('no pair');
  });

  test('one that begins only after the other is not lengthened backwards', () => {
    expect(pairIn([opioid(from(at(7)))], [antagonistDraft(from(at(2), at(4)))], 'clearance')).toBe('taken, washout');
    expect(pairIn([opioid(from(at(8)))], [antagonistDraft(from(at(2), at(4)))], 'clearance')).toBe('no pair');
  });

  test('a number of days may replace the washout', () => {
    expect(pairIn([opioid(gone(2))], [draftOf('buprenorphine', {})], 2)).toBe('taken, washout');
    expect(pairIn([opioid(gone(3))], [draftOf('buprenorphine', {})], 2)).toBe('no pair');
  });
});

describe('1.1: treatments that count', () => {
  test('those from today on count; with drafts, those on one of their days', () => {
    const { treatments, drafts } = chartOf([sedative(from(at(-30), at(3)))], { drafts: [opioidDraft(from(at(4)))] });
    expect(within(treatments, [])).toHaveLength(1);
    expect(within(treatments, drafts)).toHaveLength(0);
  });

  test('each has its highest degree on those days', () => {
    const supplied = { ...from(at(-1)), dispenseRequest: { expectedSupplyDuration: { value: 3, code: 'd' } } };
    const degreeOn = (draft: Json) => {
      const { treatments, drafts } = chartOf([sedative(supplied)], { drafts: [opioidDraft(draft)] });
      return within(treatments, drafts)[0]?.degree;
    };
    expect(degreeOn(from(at(1), at(4)))).toBe('taken');
    expect(degreeOn(from(at(2), at(4)))).toBe('presumed');
  });
});

describe('1.1: treatments that count, lengthened', () => {
  const found = (record: Json[], drafts: Json[], lengthening?: 'clearance' | number) => {
    const chart = chartOf(record, { drafts });
    return within(chart.treatments, chart.drafts, lengthening).map(({ degree }) => degree);
  };
  const gone = (days: number) => opioid(from(at(-60), at(-days)));
  test.each<
    [what: string, record: Json[], drafts: Json[], lengthening: 'clearance' | number | undefined, degrees: unknown[]]
  >([
    ['not lengthened', [gone(1)], [], undefined, []],
    ['by clearance: 10 days before today', [gone(10)], [], 'clearance', ['taken']],
    ['11 days before today', [gone(11)], [], 'clearance', []],
    ['10 days before a draft', [gone(5)], [antagonistDraft(from(at(5), at(9)))], 'clearance', ['taken']],
    ['11 days before it', [gone(5)], [antagonistDraft(from(at(6), at(9)))], 'clearance', []],
    ['by a number of days', [gone(2)], [], 2, ['taken']],
    ['one day more', [gone(3)], [], 2, []],
    ['days between supplies count', [orderOf('methadone', from(at(-60), at(-14)))], [], undefined, ['presumed']],
    ['but not beside a lengthening', [orderOf('methadone', from(at(-60), at(-14)))], [], 5, []],
    ['it begins after the draft ended', [opioid(from(at(9)))], [antagonistDraft(from(at(2), at(8)))], 'clearance', []],
    ['it begins on its last day', [opioid(from(at(8)))], [antagonistDraft(from(at(2), at(8)))], 'clearance', ['taken']],
    [
      'possible, and every end reaches today',
      [opioid({ ...from(at(-10)), status: 'stopped', meta: { lastUpdated: at(-3) } })],
      [],
      'clearance',
      ['taken'],
    ],
    [
      'possible, and the first end does not',
      [opioid({ ...from(at(-11)), status: 'stopped', meta: { lastUpdated: at(-3) } })],
      [],
      'clearance',
      ['possible'],
    ],
    [
      'with two drafts, on a day of either',
      [gone(-4)],
      [antagonistDraft(from(at(5), at(9))), antagonistDraft({ ...from(at(3), at(3)), id: 'b' })],
      undefined,
      ['taken'],
    ],
  ])('%s', (_, record, drafts, lengthening, degrees) => {
    expect(found(record, drafts, lengthening)).toEqual(degrees);
  });

  test('of two that count the higher degree is reported, in any order', () => {
    const record = [orderOf('methadone', { ...from(at(-60), at(-5)) })];
    expect(found(record, [], undefined)).toEqual(['presumed']);
    expect(found(record, [], 'clearance')).toEqual(['taken']);
  });

  test('one that already has that degree is reported unchanged', () => {
    const { treatments } = chartOf([opioid(from(at(-9)))]);
    expect(within(treatments, [])[0]).toBe(treatments[0]);
  });
});

describe('1.4: how certain an implant still acts', () => {
  const sixmo = administrationOf({ ...concept('N07BC01'), text: 'Sixmo' }, { effectiveDateTime: '2025-08-02' });
  const pairs = (draft: Json) => {
    const chart = chartOf([sixmo], { drafts: [draft] });
    const { drafts, treatments } = chart;
    return [together(treatments, drafts, 'clearance')[0], together(drafts, treatments, 'clearance')[0]];
  };
  test.each<[what: string, start: string | undefined, certain: boolean]>([
    ['today', undefined, true],
    ['on the last day of its seven months', '2026-03-02', true],
    ['on the day after', '2026-03-03', false],
    ['a draft that was dated before begins today', '2026-02-01', true],
  ])('%s, whichever of the two is the implant', (_, start, certain) => {
    const draft = antagonistDraft(start === undefined ? {} : from(start));
    expect(pairs(draft).map((pair) => pair?.certain)).toEqual([certain, certain]);
  });

  test('a pair without an implant does not report it', () => {
    const { treatments, drafts } = chartOf([opioid(from(at(-9)))], { drafts: [antagonistDraft({})] });
    expect(together(treatments, drafts, 'clearance')[0]).not.toHaveProperty('certain');
  });
});

describe('1.5: what is not a pair', () => {
  test('one product sent twice is not a pair, and two products with one reference are', () => {
    const { drafts } = chartOf([], { drafts: [opioidDraft({}), draftOf('oxazepam')] });
    const [one, other] = drafts as [Drug, Drug];
    expect(one.ref).toBe(other.ref);
    expect(together([one], [{ ...one }])).toEqual([]);
    expect(together([one], [other])).toHaveLength(1);
    expect(together([one], [{ ...one, ref: 'MedicationRequest/b' } as Drug])).toHaveLength(1);
  });

  test('each of some is paired with each of the others', () => {
    const { treatments, drafts } = chartOf([opioid(from(at(-9))), sedative(from(at(-9)))], {
      drafts: [antagonistDraft({}), draftOf('zopiclone', { id: 'b' })],
    });
    expect(together(treatments, drafts).map(({ one, other }) => [one.substance, other.substance])).toEqual([
      ['oxycodone', 'naltrexone'],
      ['oxycodone', 'zopiclone'],
      ['oxazepam', 'naltrexone'],
      ['oxazepam', 'zopiclone'],
    ]);
  });
});

describe('results of days on which something was taken or presumed', () => {
  const { treatments } = chartOf([
    opioid(from('2026-01-10', '2026-02-28')),
    sedative({ ...from('2026-01-10'), status: 'stopped' }),
    orderOf('zopiclone', { id: 'z', ...from('2025-06-01', '2025-06-30') }),
  ]);
  const kept = (...dates: string[]) =>
    during(
      dates.map((date) => ({ date }) as Result),
      treatments,
    ).map(({ date }) => date);
  test.each<[date: string, kept: boolean]>([
    ['2026-01-09', false],
    ['2026-01-10', true],
    ['2026-02-28', true],
    ['2026-03-01', false],
    ['2026-02', true],
    ['2026-01', false],
    ['2026', false],
    ['2025-06', true],
    ['2025-05', false],
  ])('of %s: %s', (date, expected) => {
    expect(kept(date)).toEqual(expected ? [date] : []);
  });

  test('a presumed treatment counts, and a possible one does not', () => {
    const on = (status: string) =>
      during([{ date: at(-1) } as Result], chartOf([sedative({ ...from(at(-9)), status })]).treatments).length;
    expect([on('active'), on('on-hold'), on('stopped')]).toEqual([1, 1, 0]);
  });

  test('those of several results that fit count, and none without a treatment', () => {
    expect(kept('2026-01-09', '2026-02-01', '2026-02-02')).toEqual(['2026-02-01', '2026-02-02']);
    expect(during([{ date: at(-1) } as Result], [])).toEqual([]);
  });
});

describe('1.6: changed orders', () => {
  const running = (more: Json = {}) => orderOf('oxazepam', { id: 'running', ...from('2025-12-01'), ...more });
  const change = (draft: Json, record: Json[] = [running()]) => chartOf(record, { drafts: [draft] });
  const refs = (chart: ReturnType<typeof change>) =>
    chart.treatments.map((treatment) => `${treatment.substance}: ${periodsOf(treatment)}`);

  test.each<[string, Json]>([
    ['its id', { id: 'running' }],
    ['the prior prescription it names', { priorPrescription: { reference: 'MedicationRequest/running' } }],
    ['an absolute address', { priorPrescription: { reference: 'https://fhir.example/r4/MedicationRequest/running' } }],
    ['replaces', { replaces: [{ reference: 'MedicationRequest/running' }] }],
  ])('by %s: the copy in the record does not count beside it', (_, more) => {
    const chart = change(draftOf('oxazepam', { authoredOn: TODAY, ...more }));
    expect(chart.drafts[0]?.changed).toBe(true);
    expect(refs(chart)).toEqual(['oxazepam: taken 2025-12-01..2026-03-01']);
    expect(chart.treatments[0]?.degree).toBeUndefined();
    expect(chart.treatments[0]?.entries()[0]?.replaced).toBe(true);
    // The earlier dates stay as in the record.
    expect(chart.before[0]?.degree).toBe('taken');
  });

  test('an order that names none is new', () => {
    const chart = change(draftOf('oxazepam', { authoredOn: TODAY }));
    expect(chart.drafts[0]?.changed).toBe(false);
    expect(chart.treatments[0]?.degree).toBe('taken');
  });

  test('with another substance the copy ends the day before the draft begins', () => {
    const chart = change(draftOf('diazepam', { id: 'running', authoredOn: at(5) }));
    expect(refs(chart)).toEqual([`oxazepam: taken 2025-12-01..${at(4)}`]);
    expect(chart.treatments[0]?.endKnown).toBe(true);
  });

  test('with another substance washout counts from there', () => {
    const record = [orderOf('oxycodone', { id: 'running', ...from('2025-12-01') })];
    const pair = (start: string) => {
      const chart = change(draftOf('naltrexone', { id: 'running', authoredOn: start }), record);
      return together(chart.treatments, chart.drafts, 'clearance')[0];
    };
    expect(pair(TODAY)).toMatchObject({ washout: true, degree: 'taken', afterDays: 10 });
  });

  test('from methadone to buprenorphine: treatment continues between supplies from there', () => {
    const record = [orderOf('methadone', { id: 'running', ...from('2025-12-01') })];
    const chart = change(draftOf('buprenorphine', { id: 'running', authoredOn: TODAY }), record);
    expect(periodsOf(chart.treatments[0])).toBe(`taken 2025-12-01..2026-03-01, presumed 2026-03-02..${at(13)}`);
  });

  test.each<[string, Json]>([
    ['stopped', { status: 'stopped' }],
    ['ended', { status: 'ended' }],
    ['cancelled', { status: 'cancelled' }],
    ['completed', { status: 'completed' }],
    ['not to be performed', { doNotPerform: true }],
  ])('a draft that is %s ends the entry today, and is not ordered', (_, more) => {
    const chart = change(draftOf('oxazepam', { id: 'running', ...more }));
    expect(chart.drafts).toEqual([]);
    expect(refs(chart)).toEqual(['oxazepam: taken 2025-12-01..2026-03-02']);
    expect(chart.treatments[0]?.endKnown).toBe(true);
  });

  test('a draft that marks an entry as an error removes it', () => {
    const chart = change(draftOf('oxazepam', { id: 'running', status: 'entered-in-error' }));
    expect([chart.drafts, chart.treatments, chart.before]).toEqual([[], [], []]);
  });

  test('a changed order continues itself', () => {
    const chart = change(draftOf('oxazepam', { id: 'running', authoredOn: TODAY }));
    expect(startingAnew(chart.drafts, chart.treatments)).toEqual([]);
  });

  test('the copy’s period until today counts for use over time', () => {
    const chart = change(draftOf('oxazepam', { id: 'running', authoredOn: TODAY }));
    expect(useOf(chart.treatments, 30)[0]?.start).toBe('2025-12-01');
  });
});

describe('3: use over time', () => {
  const courses = (...record: Json[]) =>
    useOf(chartOf(record.map((entry, number) => ({ ...entry, id: `e${number}` }))).treatments, 30).map(
      ({ start, end }) => `${start}..${end}`,
    );
  const supplied = (authoredOn: string, days: number, more: Json = {}) =>
    orderOf('oxazepam', {
      authoredOn,
      dispenseRequest: { expectedSupplyDuration: { value: days, code: 'd' } },
      ...more,
    });
  const few = (value: number, more: Json = {}) => ({
    authoredOn: '2026-01-01',
    ...lines(line(times(1), { asNeededBoolean: true, ...pieces(1) })),
    dispenseRequest: { quantity: { value, unit: 'st' }, ...more },
  });

  test.each<[string, Json[], string[]]>([
    ['supplies that touch', [supplied('2026-01-01', 10), supplied('2026-01-11', 10)], ['2026-01-01..2026-01-20']],
    ['a gap of 30 days', [supplied('2026-01-01', 10), supplied('2026-02-10', 10)], ['2026-01-01..2026-02-19']],
    [
      'a gap of 31 days ends it',
      [supplied('2026-01-01', 10), supplied('2026-02-11', 10)],
      ['2026-01-01..2026-01-10', '2026-02-11..2026-02-20'],
    ],
    [
      'across a switch within the class',
      [
        supplied('2026-01-01', 10),
        {
          ...supplied('2026-01-11', 10),
          ...orderOf('diazepam', {
            authoredOn: '2026-01-11',
            dispenseRequest: { expectedSupplyDuration: { value: 10, code: 'd' } },
          }),
        },
      ],
      ['2026-01-01..2026-01-20'],
    ],
    [
      'an active entry without an end counts until today',
      [orderOf('oxazepam', { authoredOn: '2025-06-01' })],
      ['2025-06-01..2026-03-02'],
    ],
    [
      'on hold: until its last sign of life',
      [orderOf('oxazepam', { authoredOn: '2025-06-01', status: 'on-hold' })],
      ['2025-06-01..2025-06-01'],
    ],
    [
      'a possible treatment supplies nothing',
      [orderOf('oxazepam', { authoredOn: '2025-06-01', status: 'stopped' })],
      [],
    ],
    [
      'a start known by month counts from its last day',
      [orderOf('oxazepam', { authoredOn: '2025-06' })],
      ['2025-06-30..2026-03-02'],
    ],
    ['what begins tomorrow does not count yet', [orderOf('oxazepam', { authoredOn: '2026-03-03' })], []],
    ['30 units as needed: 30 days', [orderOf('oxazepam', few(30))], ['2026-01-01..2026-01-30']],
    ['31 units as needed: until today', [orderOf('oxazepam', few(31))], ['2026-01-01..2026-03-02']],
    [
      'repeated: until today',
      [orderOf('oxazepam', few(15, { numberOfRepeatsAllowed: 1 }))],
      ['2026-01-01..2026-03-02'],
    ],
    [
      'a statement and its order are one use',
      [
        supplied('2026-01-01', 10),
        statementOf('oxazepam', { effectivePeriod: { start: '2026-01-05', end: '2026-01-15' } }),
      ],
      ['2026-01-01..2026-01-15'],
    ],
  ])('%s', (_, record, expected) => {
    expect(courses(...record)).toEqual(expected);
  });

  test('a supply inside another does not end it', () => {
    expect(courses(supplied('2026-01-01', 50), supplied('2026-01-05', 2))).toEqual(['2026-01-01..2026-02-19']);
  });

  test('a course lists its medicines once: by start, then by end, then by name', () => {
    const drugs = (...record: Json[]) =>
      useOf(chartOf(record).treatments, 30).map(({ drugs: own }) => own.map(({ ref }) => ref.split('/')[1]));
    const one = (id: string, drug: string, start: string, end: string) => orderOf(drug, { id, ...from(start, end) });
    expect(
      drugs(one('a', 'oxazepam', '2026-01-02', '2026-01-05'), one('b', 'diazepam', '2026-01-01', '2026-01-05')),
    ).toEqual([['b', 'a']]);
    expect(
      drugs(one('a', 'oxazepam', '2026-01-01', '2026-01-09'), one('b', 'diazepam', '2026-01-01', '2026-01-05')),
    ).toEqual([['b', 'a']]);
    expect(
      drugs(one('b', 'oxazepam', '2026-01-01', '2026-01-05'), one('a', 'diazepam', '2026-01-01', '2026-01-05')),
    ).toEqual([['a', 'b']]);
    expect(
      drugs(
        one('a', 'oxazepam', '2026-01-01', '2026-01-02'),
        one('b', 'diazepam', '2026-01-03', '2026-01-04'),
        one('c', 'oxazepam', '2026-01-05', '2026-01-06'),
        one('d', 'oxazepam', '2026-02-20', '2026-02-22'),
      ),
    ).toEqual([['d', 'b'], ['d']]);
  });

  test('a draft is not use yet', () => {
    expect(useOf(chartOf([], { drafts: [draftOf('oxazepam')] }).drafts, 30)).toEqual([]);
  });

  test('without tolerance, supplies that touch are one, and a day between separates them', () => {
    const days = (second: string) =>
      useOf(
        chartOf([
          orderOf('oxazepam', from('2026-01-01', '2026-01-05')),
          orderOf('diazepam', { id: 'b', ...from(second, '2026-01-20') }),
        ]).treatments,
        0,
      ).length;
    expect([days('2026-01-05'), days('2026-01-06'), days('2026-01-07')]).toEqual([1, 1, 2]);
  });
});

describe('3: continuation', () => {
  const draft = (more: Json = {}) => draftOf('oxazepam', { authoredOn: TODAY, ...more });
  const continues = (record: Json[], drafted: Json = draft()) => {
    const chart = chartOf(record, { drafts: [drafted] });
    return startingAnew(chart.drafts, chart.treatments).length === 0;
  };
  const entry = (more: Json, drug = 'oxazepam') => orderOf(drug, more);
  const inpatient = { category: [{ coding: [{ code: 'inpatient' }] }] };
  test.each<[string, Json[], boolean]>([
    ['nothing on record', [], false],
    ['taken', [entry(from(at(-30)))], true],
    ['taken, another of the class', [entry(from(at(-30)), 'diazepam')], true],
    ['ended today', [entry(from(at(-5), at(0)))], true],
    ['ended 7 days ago', [entry(from(at(-9), at(-7)))], true],
    ['ended 8 days ago', [entry(from(at(-10), at(-8)))], false],
    ['begins tomorrow', [entry(from(at(1)))], false],
    ['presumed and fresh, another of the class', [entry({ ...from(at(-60)), status: 'on-hold' }, 'diazepam')], true],
    ['presumed and not fresh, the same', [entry(from('2023-01-01'))], true],
    ['presumed and not fresh, another of the class', [entry(from('2023-01-01'), 'diazepam')], false],
    ['possible and fresh', [entry({ ...from(at(-60)), status: 'stopped' })], true],
    ['possible and not fresh', [entry({ ...from(at(-200)), status: 'stopped' })], false],
    [
      'possible and not fresh, of two entries within 12 months',
      [entry({ ...from(at(-200)), status: 'stopped' }), entry({ ...from(at(-250)), status: 'stopped', id: 'other' })],
      true,
    ],
    [
      'the same entry twice on the list is one',
      [entry({ ...from(at(-200)), status: 'stopped' }), entry({ ...from(at(-200)), status: 'stopped', id: 'other' })],
      false,
    ],
    ['30 of the last 90 days', [entry(from(at(-60), at(-31)))], true],
    ['29 of the last 90 days', [entry(from(at(-59), at(-31)))], false],
    ['30 days, one of them 91 days ago', [entry(from(at(-91), at(-62)))], false],
    ['on a ward for 28 days', [entry({ ...from(at(-28)), ...inpatient })], false],
    ['on a ward for 29 days', [entry({ ...from(at(-29)), ...inpatient })], true],
    ['an administration yesterday', [administrationOf('oxazepam', { effectiveDateTime: at(-1) })], false],
    [
      'two of them ended 8 days ago',
      [entry(from(at(-10), at(-8))), entry({ ...from(at(-12), at(-8)), id: 'b' })],
      false,
    ],
    [
      'possible and not fresh, of two entries, one more than 12 months ago',
      [entry({ ...from(at(-200)), status: 'unknown' }), entry({ ...from(at(-366)), status: 'unknown', id: 'other' })],
      false,
    ],
    [
      '30 days of two medicines, one inside the other',
      [entry(from(at(-60), at(-31)), 'diazepam'), entry({ ...from(at(-50), at(-40)), id: 'b' }, 'N05BA12')],
      true,
    ],
    [
      '29 days of two medicines, one inside the other',
      [entry(from(at(-59), at(-31)), 'diazepam'), entry({ ...from(at(-50), at(-40)), id: 'b' }, 'N05BA12')],
      false,
    ],
    [
      '15 and 15 days of two medicines',
      [entry(from(at(-60), at(-46)), 'diazepam'), entry({ ...from(at(-29), at(-15)), id: 'b' }, 'N05BA12')],
      true,
    ],
    ['ended long ago, and changed by the draft', [entry({ ...from(at(-60), at(-40)), id: 'draft-1' })], true],
    [
      'ended long ago, and changed by the draft into another substance',
      [entry({ ...from(at(-60), at(-40)), id: 'draft-1' }, 'diazepam')],
      false,
    ],
    ['30 days, on a ward', [entry({ ...from(at(-45), at(-16)), ...inpatient }, 'diazepam')], false],
    ['30 days that are still to come', [entry(from(at(1), at(60)))], false],
  ])('%s: %j continues: %s', (_, record, expected) => {
    expect(continues(record)).toBe(expected);
  });

  test('the drafts that continue nothing are reported', () => {
    const anew = (record: Json[], ...drafts: Json[]) => {
      const chart = chartOf(record, { drafts });
      return startingAnew(chart.drafts, chart.treatments).map(({ substance }) => substance);
    };
    const both = [draft({ id: 'a' }), draftOf('zopiclone', { id: 'b', authoredOn: TODAY })];
    expect(anew([], ...both)).toEqual(['oxazepam', 'zopiclone']);
    // Stale: it continues only its own substance.
    expect(anew([entry(from('2023-01-01'))], ...both)).toEqual(['zopiclone']);
    expect(anew([entry(from(at(-9)))], ...both)).toEqual([]);
    expect(startingAnew([], chartOf([entry(from(at(-9)))]).treatments)).toEqual([]);
  });

  test('one draft does not continue another', () => {
    const { drafts } = chartOf([], { drafts: [draft({ id: 'a' }), draftOf('zopiclone', { id: 'b' })] });
    expect(startingAnew(drafts, drafts)).toEqual(drafts);
  });

  test('30 days of a stale treatment continue only its own substance', () => {
    const chart = (drug: string) => chartOf([entry(from(at(-60), at(-31)))], { drafts: [draftOf(drug)] });
    const anew = (drug: string) => {
      const { drafts, treatments } = chart(drug);
      return startingAnew(
        drafts,
        treatments.map((treatment) => ({ ...treatment, fresh: false })),
      ).length;
    };
    expect([anew('oxazepam'), anew('diazepam')]).toEqual([0, 1]);
  });
});

describe('treatments: what belongs together', () => {
  test('one substance with one purpose is one treatment, whatever the source', () => {
    const record = [
      orderOf('oxazepam', { authoredOn: at(-30) }),
      statementOf('oxazepam', { dateAsserted: at(-20) }),
      dispenseOf('oxazepam', { whenHandedOver: at(-10) }),
      administrationOf('oxazepam', { effectiveDateTime: at(-1) }),
    ];
    const { treatments } = chartOf(record);
    expect(treatments).toHaveLength(1);
    expect(
      treatments[0]
        ?.entries()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['administration', 'dispense', 'order', 'statement']);
    expect(treatments[0]?.degree).toBe('taken');
  });

  test('one substance with two purposes is two treatments', () => {
    const pain = { reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'R52.9' }] }] };
    const record = [
      orderOf('methadone', { authoredOn: at(-30), id: 'a' }),
      orderOf('methadone', { authoredOn: at(-20), id: 'b', ...pain }),
    ];
    const found = chartOf(record, { prefetch: {} }).treatments;
    // The first has no reason, so it takes that of the newest entry with one.
    expect(found).toHaveLength(1);
    const dependence = { reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'F11.2' }] }] };
    expect(chartOf([{ ...record[0], ...dependence } as Json, record[1] as Json]).treatments).toHaveLength(2);
  });

  test('1.1: the degree is the highest of any entry on the day', () => {
    const record = [
      orderOf('oxazepam', { authoredOn: at(-400) }),
      orderOf('oxazepam', { authoredOn: at(-3), id: 'new', status: 'unknown' }),
    ];
    expect(chartOf(record).treatments[0]?.degree).toBe('presumed');
  });

  test('its end is known only if that of every entry is', () => {
    const ended = orderOf('oxazepam', from(at(-30), at(-10)));
    const open = orderOf('oxazepam', { ...from(at(-60)), id: 'open', status: 'stopped' });
    expect(chartOf([ended]).treatments[0]?.endKnown).toBe(true);
    expect(chartOf([ended, open]).treatments[0]?.endKnown).toBe(false);
  });

  test('it is as needed or on hold only if everything in force is', () => {
    const need = lines({ asNeededBoolean: true });
    const asNeeded = (...more: Json[]) =>
      chartOf(more.map((one, id) => orderOf('oxazepam', { ...from(at(-30)), id: `e${id}`, ...one }))).treatments[0];
    expect(asNeeded(need)?.asNeeded).toBe(true);
    expect(asNeeded(need, {})?.asNeeded).toBe(false);
    expect(asNeeded({ status: 'on-hold' })?.onHold).toBe(true);
    expect(asNeeded({ status: 'on-hold' }, {})?.onHold).toBe(false);
  });

  test('since a day: it was, or may have been, taken on or after that day and is not only in the future', () => {
    const since = (more: Json, day: string) => endedSince(chartOf([sedative(more)]).treatments, day).length > 0;
    expect(since(from(at(-60), at(-30)), at(-30))).toBe(true);
    expect(since(from(at(-60), at(-31)), at(-30))).toBe(false);
    expect(since({ ...from(at(-60)), status: 'stopped' }, at(-30))).toBe(true);
    expect(since(from(at(1)), at(-30))).toBe(false);
    expect(since(from(at(-30)), at(-30))).toBe(true);
    expect(since(from(TODAY), at(-30))).toBe(true);
    expect(since(from(at(-90), at(-60)), at(-30))).toBe(false);
    // Days between supplies do not belong to the medicine itself.
    const laro = chartOf([orderOf('methadone', from(at(-60), at(-31)))]).treatments;
    expect([endedSince(laro, at(-31)).length, endedSince(laro, at(-30)).length]).toEqual([1, 0]);
  });
});

describe('1.6 and 3: what a draft says about itself', () => {
  const draft = (more: Json) => chartOf([], { drafts: [draftOf('oxycodone', more)] }).drafts[0];
  test.each<[string, Json, unknown]>([
    ['a start of its own', from(at(3), at(7)), [at(3), at(7), 'bounds', 5]],
    ['a start before today', from(at(-3), at(7)), [at(-3), at(7), 'bounds', 11]],
    ['the day it was written', { authoredOn: at(2) }, [at(2), undefined, undefined, undefined]],
    ['today if nothing is given', {}, [TODAY, undefined, undefined, undefined]],
    [
      'a draft without authoredOn and a duration',
      lines(line({ boundsDuration: { value: 5, code: 'd' } })),
      [TODAY, at(4), 'bounds', 5],
    ],
  ])('%s', (_, more, expected) => {
    const found = draft(more);
    expect([found?.start, found?.stop, found?.stopFrom, found?.length]).toEqual(expected);
  });

  test('together with others a draft’s period never begins before today', () => {
    expect(dateOf(draft(from(at(-3), at(7)))?.timeline.spans[0]?.start ?? 0)).toBe(TODAY);
  });
});

test('2.2: a form can make an analgesic of an order recorded for dependence', () => {
  const patch = orderOf({ ...concept('N07BC01'), text: 'Buprenorfin depotplåster' }, { authoredOn: at(-3) });
  const { treatments } = chartOf([patch, condition('c', 'F11.2')]);
  expect(treatments[0]?.lists).toContain('opioid-for-pain');
  expect(treatments[0]?.lists).not.toContain('laro-medicine');
});
