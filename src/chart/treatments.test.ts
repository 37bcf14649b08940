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
  treatmentOf,
  until,
} from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';
import type { Treatment } from './chart.ts';

// What becomes of the entries of a treatment (recommendations.md, 1.1 to 1.6). Today is 2026-03-02.
const ICD = 'http://hl7.org/fhir/sid/icd-10';
const because = (code: string) => ({ reasonCode: [{ coding: [{ system: ICD, code }] }] });
const dosage = (...dosageInstruction: Json[]) => ({ dosageInstruction });
const supply = (value: number) => ({ dispenseRequest: { expectedSupplyDuration: { value, code: 'd' } } });
const ended = (start: string, end: string) => ({ authoredOn: start, ...dosage(line(until(end, start))) });
const order = (id: string, more: Json) => orderOf('oxazepam', { id, ...more });
const statement = (id: string, more: Json) => statementOf('oxazepam', { id, ...more });
const dispense = (id: string, more: Json) => dispenseOf('oxazepam', { id, ...more });
const given = (id: string, effectiveDateTime: string) => administrationOf('oxazepam', { id, effectiveDateTime });

type Row<T> = [what: string, record: Json[], expected: T];
/** Each row as a test of a record's only treatment. */
function holds<T>(look: (treatment: Treatment | undefined) => T, rows: Row<T>[]): void {
  test.each(rows)('%s', (_, record, expected) => {
    expect(look(treatmentOf(record))).toEqual(expected);
  });
}

describe('1.1: which entries are one treatment', () => {
  const substances = (...codes: string[]) =>
    chartOf(codes.map((code, number) => orderOf(code, { id: `o${number}`, authoredOn: at(-5) }))).treatments.map(
      ({ substance }) => substance,
    );
  test('entries of one substance are one treatment, and two substances of one class are two', () => {
    expect(substances('N05BA06', 'N05BA12')).toEqual(['lorazepam', 'alprazolam']);
    expect(substances('N05BA06', 'N05BA06')).toEqual(['lorazepam']);
  });

  test('codes of a class that no list specifies are separate if their lists differ', () => {
    expect(substances('N05BA99', 'N05CF99')).toEqual([undefined, undefined]);
    expect(substances('N05BA99', 'N05BA98')).toEqual([undefined]);
  });

  test('the treatments are in the order of the record', () => {
    expect(substances('N05BA12', 'N02AA01', 'N05BA06')).toEqual(['alprazolam', 'morphine', 'lorazepam']);
  });
});

describe('1.1: where an entry without a reason takes its purpose from', () => {
  const asked = (...others: Json[]) =>
    chartOf([orderOf('morphine', { id: 'asked', authoredOn: at(-9) }), ...others])
      .treatments.find(({ entries }) => entries().some(({ ref }) => ref.endsWith('/asked')))
      ?.lists.includes('laro-medicine');
  const pain = (id: string, authoredOn?: string) => orderOf('morphine', { id, authoredOn, ...because('R52.2') });
  const dependence = (id: string, authoredOn?: string) => orderOf('morphine', { id, authoredOn, ...because('F11.2') });
  test.each<[what: string, others: Json[], laro: boolean]>([
    ['nowhere', [], false],
    ['the newest', [pain('a', at(-8)), dependence('b', at(-7))], true],
    ['the newest, in any order', [dependence('b', at(-7)), pain('a', at(-8))], true],
    ['of two on one day the last in the record', [pain('a', at(-8)), dependence('b', at(-8))], true],
    ['of two on one day the last, in the other order', [dependence('b', at(-8)), pain('a', at(-8))], false],
    ['one without a date is older than any', [dependence('a', at(-900)), pain('b')], true],
    ['not one of another substance', [orderOf('oxycodone', { id: 'a', ...because('F11.2') })], false],
  ])('%s', (_, others, laro) => {
    expect(asked(...others)).toBe(laro);
  });

  test('a named order of another substance, or without a reason, gives none', () => {
    const named = (other: Json) =>
      asked(
        dispenseOf('morphine', {
          id: 'asked',
          whenHandedOver: at(-2),
          authorizingPrescription: [{ reference: 'MedicationRequest/named' }],
        }),
        { ...other, id: 'named' },
        pain('a', at(-300)),
      );
    expect(named(orderOf('oxycodone', { authoredOn: at(-3), ...because('F11.2') }))).toBe(false);
    expect(named(orderOf('morphine', { authoredOn: at(-3) }))).toBe(false);
  });

  test('a named order that is missing gives none', () => {
    const dispense = dispenseOf('morphine', {
      id: 'asked',
      whenHandedOver: at(-2),
      authorizingPrescription: [{ reference: 'MedicationRequest/gone' }],
    });
    expect(asked(dispense, dependence('a', at(-300)))).toBe(true);
  });

  test('only words for a purpose are taken over', () => {
    const found = treatmentOf([
      order('a', { authoredOn: at(-20), ...dosage({ text: 'mot epilepsi, nedtrappning' }) }),
      order('b', { authoredOn: at(-2) }),
    ]);
    expect([found?.id, found?.says]).toEqual(['b', ['seizure']]);
  });

  test('an entry keeps its own words beside those taken over', () => {
    const found = treatmentOf([
      order('a', { authoredOn: at(-20), ...dosage({ text: 'mot epilepsi' }) }),
      order('b', { authoredOn: at(-2), ...dosage({ text: 'nedtrappning' }) }),
    ]);
    expect([found?.id, found?.says]).toEqual(['b', ['taper', 'seizure']]);
  });
});

describe('which entry represents a treatment', () => {
  holds(
    (treatment) => treatment?.ref,
    [
      [
        'one in force before one that ended later',
        [order('a', { authoredOn: at(-90) }), order('b', ended(at(-9), at(-1)))],
        'MedicationRequest/a',
      ],
      [
        'a higher degree before a newer one',
        [order('a', { authoredOn: at(-90) }), order('b', { authoredOn: at(-9), status: 'on-hold' })],
        'MedicationRequest/a',
      ],
      [
        'presumed before possible',
        [order('a', { authoredOn: at(-9), status: 'stopped' }), order('b', { authoredOn: at(-90), status: 'on-hold' })],
        'MedicationRequest/b',
      ],
      [
        'an order before a statement of the same degree',
        [statement('a', { dateAsserted: at(-2) }), order('b', { authoredOn: at(-90) })],
        'MedicationRequest/b',
      ],
      [
        'a statement of a higher degree before an order',
        [statement('a', { dateAsserted: at(-2) }), order('b', { authoredOn: at(-90), status: 'on-hold' })],
        'MedicationStatement/a',
      ],
      [
        'a depot in effect before an order that ended',
        [
          orderOf({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { id: 'a', ...ended(at(-90), at(-80)) }),
          administrationOf({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { effectiveDateTime: at(-20) }),
        ],
        'MedicationAdministration/MedicationAdministration-1',
      ],
      [
        'one without a date is older than any',
        [order('b', { authoredOn: '2009-01-01', status: 'on-hold' }), order('a', { status: 'on-hold' })],
        'MedicationRequest/b',
      ],
    ],
  );

  test('an order replaced by this call from before its start no longer counts', () => {
    const record = [order('running', { authoredOn: at(3) }), order('old', ended(at(-60), at(-30)))];
    const chart = chartOf(record, { drafts: [draftOf('oxazepam', { id: 'running', authoredOn: TODAY })] });
    expect(chart.treatments[0]?.ref).toBe('MedicationRequest/old');
    expect(chart.before[0]?.ref).toBe('MedicationRequest/running');
  });
});

describe('when it began and ends, for display', () => {
  holds(
    (treatment) => [treatment?.start, treatment?.stop],
    [
      ['open', [order('a', { authoredOn: at(-9) })], [at(-9), undefined]],
      ['a stated future end', [order('a', ended(at(-9), at(4)))], [at(-9), at(4)]],
      [
        'ended: its last period',
        [order('a', ended(at(-90), at(-80))), order('b', ended(at(-40), at(-30)))],
        [at(-40), at(-30)],
      ],
      [
        'periods that touch are one',
        [order('a', ended(at(-90), at(-80))), order('b', ended(at(-79), at(3)))],
        [at(-90), at(3)],
      ],
      [
        'the period of today, not the last one',
        [order('a', ended(at(-9), at(4))), order('b', ended(at(9), at(20)))],
        [at(-9), at(4)],
      ],
      ['an end is not a start', [order('a', dosage(line(until(at(4)))))], [undefined, at(4)]],
      ['without a date it has no start', [order('a', { status: 'on-hold' })], [undefined, undefined]],
      ['days between supplies are not an end', [orderOf('methadone', ended(at(-90), at(-5)))], [at(-90), at(-5)]],
      [
        'the effect of a depot is not an end',
        [administrationOf({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { effectiveDateTime: at(-20) })],
        [at(-20), at(-20)],
      ],
    ],
  );
});

describe('its last sign of life, and whether it is fresh', () => {
  holds(
    (treatment) => [treatment?.lastSign, treatment?.fresh],
    [
      ['of one entry', [order('a', { authoredOn: at(-9) })], [at(-9), true]],
      [
        'the latest of all',
        [order('a', { authoredOn: at(-200) }), dispense('b', { whenHandedOver: at(-120) })],
        [at(-120), true],
      ],
      [
        'the latest, in any order',
        [dispense('b', { whenHandedOver: at(-120) }), order('a', { authoredOn: at(-200) })],
        [at(-120), true],
      ],
      ['none, without a date', [order('a', {})], [undefined, false]],
      ['today, with a stated future end', [order('a', ended(at(-200), at(5)))], [TODAY, true]],
      ['none yet, with start and end in the future', [order('a', ended(at(3), at(9)))], [undefined, true]],
      ['none yet, with everything in the future', [order('a', { authoredOn: at(3) })], [undefined, true]],
      [
        'one without a date beside an old one',
        [order('a', {}), order('b', { authoredOn: at(-121) })],
        [at(-121), false],
      ],
    ],
  );
});

describe('whether all of it is as needed, on hold, given or known to end', () => {
  const need = dosage({ asNeededBoolean: true });
  holds(
    (treatment) => treatment?.asNeeded,
    [
      ['as needed', [order('a', { authoredOn: at(-9), ...need })], true],
      [
        'one in force is not as needed',
        [order('a', { authoredOn: at(-9), ...need }), order('b', { authoredOn: at(-9) })],
        false,
      ],
      [
        'one that is over is ignored',
        [order('a', { authoredOn: at(-9), ...need }), order('b', ended(at(-90), at(-80)))],
        true,
      ],
      [
        'all is over, and all was as needed',
        [order('a', { authoredOn: at(-90), status: 'stopped', statusChanged: at(-9), ...need })],
        true,
      ],
      [
        'all is over, and one was not',
        [
          order('a', { authoredOn: at(-90), status: 'stopped', statusChanged: at(-9), ...need }),
          order('b', ended(at(-90), at(-80))),
        ],
        false,
      ],
    ],
  );

  holds(
    (treatment) => treatment?.onHold,
    [
      ['on hold', [order('a', { authoredOn: at(-9), status: 'on-hold' })], true],
      [
        'one that is over is ignored for on hold',
        [order('a', { authoredOn: at(-9), status: 'on-hold' }), order('b', ended(at(-90), at(-80)))],
        true,
      ],
      ['nothing in force is on hold', [order('b', ended(at(-90), at(-80)))], false],
    ],
  );

  holds(
    (treatment) => [treatment?.administered, treatment?.once],
    [
      ['given', [given('a', at(-3))], [true, true]],
      ['given twice', [given('a', at(-3)), given('b', at(-2))], [true, false]],
      [
        'given, an implant',
        [administrationOf({ ...concept('N07BC01'), text: 'Sixmo' }, { effectiveDateTime: at(-30) })],
        [true, true],
      ],
      ['given as ordered', [given('a', at(-3)), order('b', { authoredOn: at(-3) })], [false, false]],
      ['ordered', [order('b', { authoredOn: at(-3) })], [false, false]],
      [
        'the same dispense under two ids',
        [dispense('a', { whenHandedOver: at(-3) }), dispense('b', { whenHandedOver: at(-3) })],
        [false, false],
      ],
    ],
  );

  holds(
    (treatment) => treatment?.endKnown,
    [
      ['the end of every entry is known', [order('a', ended(at(-90), at(-80))), given('b', at(-3))], true],
      ['that of one entry is not known', [given('b', at(-3)), order('a', { authoredOn: at(-3) })], false],
      ['an unknown end comes first', [order('a', { authoredOn: at(-3) }), given('b', at(-3))], false],
      ['a dispense of unknown length', [dispense('a', { whenHandedOver: at(-3) })], true],
      ['a dispense without a date', [dispense('a', {})], false],
      ['an administration without a date', [administrationOf('oxazepam', {})], false],
      ['on hold, with a past end', [order('a', { status: 'on-hold', ...ended(at(-90), at(-80)) })], true],
      ['on hold, with a future end', [order('a', { status: 'on-hold', ...ended(at(-90), at(8)) })], false],
      ['a supply that runs out', [order('a', { authoredOn: at(-3), ...supply(9) })], false],
      ['in progress', [administrationOf('oxazepam', { status: 'in-progress', effectiveDateTime: at(-3) })], true],
      ['an unknown modifier', [order('a', { ...ended(at(-90), at(-80)), modifierExtension: [{ url: 'x' }] })], false],
    ],
  );
});

describe('what is prescribed today, for comparison with a changed order', () => {
  const dose = (number: number) => dosage(line(times(1), pieces(number)));
  holds(
    (treatment) => treatment?.prescribed.map(({ dailyDose }) => dailyDose),
    [
      [
        'orders and statements that are taken',
        [
          order('a', { authoredOn: at(-9), ...dose(1) }),
          statement('b', { dateAsserted: at(-9), dosage: [line(times(1), pieces(2))] }),
        ],
        [1, 2],
      ],
      [
        'not a supply',
        [
          order('a', { authoredOn: at(-9), ...dose(1) }),
          dispense('b', { whenHandedOver: at(-1), daysSupply: { value: 9 }, ...dose(2) }),
        ],
        [1],
      ],
      [
        'not what is only presumed',
        [
          order('a', { authoredOn: at(-9), ...dose(1) }),
          order('b', { authoredOn: at(-9), status: 'on-hold', ...dose(2) }),
        ],
        [1],
      ],
      [
        'not what is over',
        [
          order('a', { authoredOn: at(-9), ...dose(1) }),
          order('c', { authoredOn: at(-90), status: 'stopped', statusChanged: at(-1), ...dose(3) }),
        ],
        [1],
      ],
      [
        'also what represents it: a future one',
        [order('a', { authoredOn: at(-9), ...dose(1) }), order('b', { authoredOn: at(9), ...dose(2) })],
        [1, 2],
      ],
      [
        'if nothing is taken, what represents it',
        [order('a', { authoredOn: at(-9), status: 'on-hold', ...dose(1) })],
        [1],
      ],
      ['an unreadable dose', [order('a', { authoredOn: at(-9) })], [undefined]],
    ],
  );

  test('the daily dose is that of the entry that represents it', () => {
    const record = [order('a', { authoredOn: at(-9), ...dose(1) }), order('b', { authoredOn: at(-8), ...dose(2) })];
    expect(treatmentOf(record)?.dailyDose).toBe(2);
    expect(treatmentOf([order('a', { authoredOn: at(-9) })])).not.toHaveProperty('dailyDose');
  });

  test('a renewal compares equal whatever its end, but not with another dose or product', () => {
    const written = (medicine: string | Json, lines: Json) =>
      treatmentOf([orderOf(medicine, { authoredOn: at(-9), ...lines })])?.prescribed[0];
    const usual = written('oxazepam', dosage(line({ ...times(1), ...until(at(9)) }, pieces(1))));
    expect(written('oxazepam', dosage(line({ ...times(1), ...until(at(20)) }, pieces(1))))).toEqual(usual);
    expect(written('oxazepam', dosage(line({ ...times(2), ...until(at(9)) }, pieces(1))))?.dosage).not.toBe(
      usual?.dosage,
    );
    const other = written({ ...concept('oxazepam'), text: 'Sobril 15 mg' }, dosage(line(times(1), pieces(1))));
    expect(other?.product).not.toBe(usual?.product);
  });
});

describe('its entries in the trace', () => {
  holds(
    (treatment) =>
      treatment?.entries().map(({ start, stop, ...rest }) => ({
        ...rest,
        ...(start !== undefined && { start: dateOf(start) }),
        ...(stop !== undefined && { stop: dateOf(stop) }),
      })),
    [
      [
        'an open entry',
        [order('a', { authoredOn: at(-9) })],
        [{ ref: 'MedicationRequest/a', kind: 'order', degree: 'taken', start: at(-9) }],
      ],
      [
        'an entry that is over has no degree',
        [order('a', ended(at(-9), at(-3)))],
        [{ ref: 'MedicationRequest/a', kind: 'order', start: at(-9), stop: at(-3), stopFrom: 'bounds' }],
      ],
      [
        'a computed end',
        [order('a', { authoredOn: at(-9), ...supply(5) })],
        [
          {
            ...{ ref: 'MedicationRequest/a', kind: 'order', degree: 'presumed' },
            ...{ start: at(-9), stop: at(-5), stopFrom: 'days-supply' },
          },
        ],
      ],
      [
        'a stated end takes precedence over a computed one',
        [order('a', { ...ended(at(-9), at(3)), ...supply(5) })],
        [
          {
            ref: 'MedicationRequest/a',
            kind: 'order',
            degree: 'taken',
            start: at(-9),
            stop: at(3),
            stopFrom: 'bounds',
          },
        ],
      ],
      [
        'without a date',
        [statement('a', {})],
        [{ ref: 'MedicationStatement/a', kind: 'statement', degree: 'presumed' }],
      ],
      [
        'a depot by its effect',
        [administrationOf({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { effectiveDateTime: at(-20) })],
        [
          {
            ref: 'MedicationAdministration/MedicationAdministration-1',
            kind: 'administration',
            degree: 'taken',
            start: at(-20),
          },
        ],
      ],
    ],
  );

  test('an entry replaced by a draft says so, and one ended by a draft does not', () => {
    const entry = (drug: string) =>
      chartOf([order('running', { authoredOn: at(-9) })], {
        drafts: [draftOf(drug, { id: 'running', authoredOn: TODAY })],
      }).treatments[0]?.entries()[0];
    expect(entry('oxazepam')).toMatchObject({ replaced: true });
    expect(entry('diazepam')).not.toHaveProperty('replaced');
  });
});

describe('days of supply, for use over time', () => {
  holds(
    (treatment) => treatment?.supplies.map(({ start, end }) => `${dateOf(start)}..${dateOf(end)}`),
    [
      [
        'supplies that touch are merged',
        [
          dispense('a', { whenHandedOver: '2026-01-01', daysSupply: { value: 10 } }),
          dispense('b', { whenHandedOver: '2026-01-11', daysSupply: { value: 10 } }),
        ],
        ['2026-01-01..2026-01-20'],
      ],
      [
        'a day between separates them',
        [
          dispense('b', { whenHandedOver: '2026-01-12', daysSupply: { value: 10 } }),
          dispense('a', { whenHandedOver: '2026-01-01', daysSupply: { value: 10 } }),
        ],
        ['2026-01-01..2026-01-10', '2026-01-12..2026-01-21'],
      ],
      [
        'a dispense of unknown length: as long as it is presumed',
        [dispense('a', { whenHandedOver: '2026-01-01' })],
        ['2026-01-01..2026-01-30'],
      ],
      ['an order with a stated end', [order('a', ended('2026-01-01', '2026-01-05'))], ['2026-01-01..2026-01-05']],
      ['an order without an end: until today', [order('a', { authoredOn: '2026-01-01' })], ['2026-01-01..2026-03-02']],
      ['an order without a date: none', [order('a', {})], []],
      ['an order that begins today', [order('a', { authoredOn: TODAY })], ['2026-03-02..2026-03-02']],
      ['an order that begins tomorrow: none', [order('a', { authoredOn: at(1) })], []],
      [
        'on hold: until its last sign of life',
        [order('a', { status: 'on-hold', authoredOn: '2026-01-01', ...supply(5) })],
        ['2026-01-01..2026-01-05'],
      ],
      ['on hold from tomorrow: none', [order('a', { status: 'on-hold', authoredOn: at(1) })], []],
      ['on hold without a date: none', [order('a', { status: 'on-hold' })], []],
      [
        'in progress: until today',
        [administrationOf('oxazepam', { status: 'in-progress', effectiveDateTime: '2026-02-20' })],
        ['2026-02-20..2026-03-02'],
      ],
      ['a possible treatment: none', [order('a', { status: 'unknown', authoredOn: '2026-01-01' })], []],
    ],
  );
});

describe('a depot', () => {
  const depot = (text: string) => ({ ...concept('N07BC01'), text });
  const SUBLOCADE = depot('Sublocade 300 mg');
  const dose = (id: string, day: string, more: Json = {}) =>
    administrationOf(SUBLOCADE, { id, effectiveDateTime: day, ...more });
  holds(
    (treatment) => treatment?.lastDose,
    [
      ['the last dose, in any order', [dose('b', at(-5)), dose('a', at(-33))], at(-5)],
      ['a dose of today', [dose('a', TODAY)], TODAY],
      ['a planned dose does not count yet', [dose('a', at(-5)), orderOf(SUBLOCADE, { authoredOn: at(2) })], at(-5)],
      ['no dose of a tablet', [administrationOf('methadone', { effectiveDateTime: at(-2) })], undefined],
      [
        'no dose of a future recurring order',
        [orderOf(SUBLOCADE, { authoredOn: at(1), ...dosage(line({ frequency: 1, period: 4, periodUnit: 'wk' })) })],
        undefined,
      ],
    ],
  );

  const cleared = (...record: Json[]) =>
    chartOf(record).treatments[0]?.timeline.cleared.map(
      ({ start, end, degree, afterDays }) => `${degree} ${dateOf(start)}..${dateOf(end)} +${afterDays}`,
    );
  test.each<[what: string, entry: Json, cleared: string[]]>([
    ['an administration', dose('a', '2026-02-01'), ['taken 2026-02-01..2026-02-01 +180']],
    [
      'a future recurring order: its first day',
      orderOf(SUBLOCADE, {
        authoredOn: '2026-03-09',
        ...dosage(line({ frequency: 1, period: 4, periodUnit: 'wk' })),
      }),
      ['taken 2026-03-09..2026-03-09 +180'],
    ],
    [
      'a recurring order that begins today: today',
      orderOf(SUBLOCADE, {
        authoredOn: '2026-03-02',
        ...dosage(line({ frequency: 1, period: 4, periodUnit: 'wk' })),
      }),
      ['taken 2026-03-02..2026-03-02 +180'],
    ],
    [
      'a recurring order of several doses a day: today',
      orderOf(SUBLOCADE, {
        authoredOn: '2026-02-01',
        ...dosage(line({ frequency: 3, period: 1, periodUnit: 'd' })),
      }),
      ['taken 2026-03-02..2026-03-02 +180'],
    ],
    [
      'a recurring statement: its day',
      statementOf(SUBLOCADE, {
        effectiveDateTime: '2026-01-05',
        dosage: [line({ frequency: 1, period: 4, periodUnit: 'wk' })],
      }),
      ['taken 2026-01-05..2026-01-05 +180'],
    ],
    [
      'an event today, after an earlier one',
      orderOf(SUBLOCADE, { authoredOn: '2026-02-01', ...dosage({ timing: { event: ['2026-02-02', TODAY] } }) }),
      ['taken 2026-03-02..2026-03-02 +180'],
    ],
    [
      'only future events: the first of them',
      orderOf(SUBLOCADE, { authoredOn: '2026-02-01', ...dosage({ timing: { event: ['2026-03-20', '2026-03-09'] } }) }),
      ['taken 2026-03-09..2026-03-09 +180'],
    ],
    [
      'stopped, with a planned end only: any day until then',
      orderOf(SUBLOCADE, { status: 'stopped', ...ended('2026-02-01', '2026-02-20') }),
      ['possible 2026-02-01..2026-02-20 +180'],
    ],
    [
      'a count of 1 and a frequency: its first day',
      orderOf(SUBLOCADE, {
        authoredOn: '2026-02-01',
        ...dosage(line({ frequency: 1, period: 1, periodUnit: 'wk', count: 1 })),
      }),
      ['taken 2026-02-01..2026-02-01 +180'],
    ],
    ['given on an unknown day', administrationOf(SUBLOCADE, {}), ['possible 2026-03-02..2027-03-02 +180']],
    [
      'with an unknown modifier',
      dose('a', '2026-02-01', { modifierExtension: [{ url: 'x' }] }),
      ['possible 2026-02-01..2026-02-01 +180'],
    ],
  ])('a dose that clears: %s', (_, entry, expected) => {
    expect(cleared(entry)).toEqual(expected);
  });

  test('each dose of a product is kept', () => {
    expect(cleared(dose('a', '2026-02-01'), dose('b', '2026-01-01'), dose('c', '2025-12-01'))).toEqual([
      'taken 2025-12-01..2025-12-01 +180',
      'taken 2026-01-01..2026-01-01 +180',
      'taken 2026-02-01..2026-02-01 +180',
    ]);
  });

  test('doses of two products of one substance each keep their own days', () => {
    expect(
      cleared(dose('a', '2026-02-01'), administrationOf(depot('Buvidal 96 mg'), { effectiveDateTime: '2026-01-01' })),
    ).toEqual(['taken 2026-02-01..2026-02-01 +180', 'taken 2026-01-01..2026-01-01 +90']);
  });

  test('one medicine dosed in two strengths is two products', () => {
    const dosed = (id: string, value: number) =>
      orderOf(concept('N07BC01'), {
        id,
        authoredOn: '2026-02-01',
        ...dosage({ doseAndRate: [{ doseQuantity: { value, unit: 'mg' } }] }),
      });
    const found = chartOf([dosed('a', 96), dosed('b', 2)]).treatments[0]?.timeline.cleared;
    expect([...new Set(found?.map(({ afterDays }) => afterDays))]).toEqual([90, 14]);
  });

  test('its days between supplies do not count', () => {
    expect(periodsOf(treatmentOf([dose('a', '2026-01-01')]))).toBe('taken 2026-01-01..2026-02-26');
  });
});

describe('an implant', () => {
  const SIXMO = { ...concept('N07BC01'), text: 'Sixmo' };
  const inserted = (more: Json = {}) => administrationOf(SIXMO, { effectiveDateTime: '2025-12-01', ...more });
  const removal = (id: string, performedDateTime: string): Json => ({
    resourceType: 'Procedure',
    id,
    status: 'completed',
    subject: { reference: 'Patient/kari' },
    code: { text: 'Fjerning av implantat' },
    performedDateTime,
  });
  holds(
    (treatment) => [periodsOf(treatment), treatment?.endKnown, treatment?.timeline.implant && true],
    [
      ['it is in place', [inserted()], ['taken 2025-12-01..2026-06-01, presumed 2026-06-02..2027-12-01', false, true]],
      ['it is removed', [inserted(), removal('a', '2026-02-01')], ['taken 2025-12-01..2026-02-01', true, undefined]],
      [
        'it is removed on the day of insertion',
        [inserted(), removal('a', '2025-12-01')],
        ['taken 2025-12-01..2025-12-01', true, undefined],
      ],
      [
        'the first of two removals',
        [inserted(), removal('a', '2026-02-20'), removal('b', '2026-02-01')],
        ['taken 2025-12-01..2026-02-01', true, undefined],
      ],
      [
        'possibly in place: stopped at an unknown time',
        [orderOf(SIXMO, { status: 'unknown', authoredOn: '2025-12-01' })],
        ['possible 2025-12-01..2027-12-01', false, true],
      ],
    ],
  );

  test('its days after removal count from there, and without a removal there are none', () => {
    const cleared = (...record: Json[]) =>
      treatmentOf(record)?.timeline.cleared.map(({ end, afterDays }) => [dateOf(end), afterDays]);
    expect(cleared(inserted())).toEqual([]);
    expect(cleared(inserted(), removal('a', '2026-02-01'))).toEqual([['2026-02-01', 10]]);
  });
});

describe('1.6: an order changed by a draft', () => {
  const running = (drug: string, more: Json) => orderOf(drug, { id: 'running', ...more });
  const changed = (record: Json[], drug: string, more: Json = {}) =>
    periodsOf(
      chartOf(record, { drafts: [draftOf(drug, { id: 'running', authoredOn: TODAY, ...more })] }).treatments[0],
    );
  test.each<[what: string, record: Json[], drug: string, periods: string]>([
    [
      'replaced: until yesterday',
      [running('oxazepam', { authoredOn: at(-9) })],
      'oxazepam',
      'taken 2026-02-21..2026-03-01',
    ],
    [
      'replaced, and ended before: as it was',
      [running('oxazepam', ended('2026-02-01', '2026-02-20'))],
      'oxazepam',
      'taken 2026-02-01..2026-02-20',
    ],
    ['replaced before it began: no day of it', [running('oxazepam', { authoredOn: at(3) })], 'oxazepam', ''],
    [
      'of another substance: until the day before',
      [running('oxazepam', { authoredOn: at(-9) })],
      'diazepam',
      'taken 2026-02-21..2026-03-01',
    ],
    [
      'replaced agonist treatment has no days between supplies: it goes on',
      [running('methadone', { authoredOn: at(-9) })],
      'methadone',
      'taken 2026-02-21..2026-03-01',
    ],
  ])('%s', (_, record, drug, periods) => {
    expect(changed(record, drug)).toBe(periods);
  });

  test('a replaced depot keeps its doses until yesterday', () => {
    const SUBLOCADE = { ...concept('N07BC01'), text: 'Sublocade 300 mg' };
    const clearedBy = (authoredOn: string, drug: Json | string) =>
      chartOf([orderOf(SUBLOCADE, { id: 'running', authoredOn })], {
        drafts: [draftOf(drug, { id: 'running', authoredOn: TODAY })],
      }).treatments[0]?.timeline.cleared.map(({ end }) => dateOf(end));
    expect(clearedBy(at(-9), SUBLOCADE)).toEqual([at(-9)]);
    expect(clearedBy(TODAY, SUBLOCADE)).toEqual([]);
    expect(clearedBy(at(-9), 'methadone')).toEqual([at(-9)]);
    expect(clearedBy(TODAY, 'methadone')).toEqual([]);
  });
});

describe('2.3: a treatment without a medicine', () => {
  const problem = (id: string, more: Json): Json => ({
    resourceType: 'Condition',
    id,
    subject: { reference: 'Patient/kari' },
    code: { coding: [{ system: ICD, code: 'F11.22' }] },
    ...more,
  });
  test('all its evidence is one treatment, named by the first and beginning with the earliest', () => {
    const plan = {
      resourceType: 'CarePlan',
      id: 'plan',
      status: 'completed',
      title: 'LARO',
      subject: { reference: 'Patient/kari' },
      period: { start: '2020-01-01', end: '2026-01-01' },
    };
    const found = treatmentOf([problem('a', { recordedDate: '2022-01-01' }), plan]);
    expect(found).toMatchObject({
      ...{
        ref: 'Condition/a',
        start: '2020-01-01',
        degree: 'presumed',
        lists: ['laro-medicine'],
        identifiedBy: 'code',
      },
      ...{ fresh: true, vague: true, otherwise: true, draft: false, ordered: false, asNeeded: false, endKnown: false },
      ...{ onHold: false, once: false, administered: false, form: [], reasons: [], says: [], supplies: [] },
    });
    expect([found?.id, found?.name, found?.requester, found?.setting, found?.timeline.cleared]).toEqual([
      ...[undefined, undefined, undefined, undefined],
      [],
    ]);
    // Written as in no order.
    expect(found?.prescribed).toEqual([{ product: 'laro-medicine', dosage: '' }]);
    expect(found?.entries()).toEqual([
      { ref: 'Condition/a', kind: 'problem', degree: 'presumed' },
      { ref: 'CarePlan/plan', kind: 'plan', degree: 'possible' },
    ]);
  });

  test('a diagnosis without a date gives no start', () => {
    expect(treatmentOf([problem('a', {})])).not.toHaveProperty('start');
  });

  test('a heading on the list has its name', () => {
    const heading = statementOf({ text: 'LARO-preparat' }, { effectiveDateTime: at(-20) });
    expect(treatmentOf([heading])?.name).toBe('LARO-preparat');
  });

  test('it comes last', () => {
    const { treatments } = chartOf([problem('a', {}), order('b', { authoredOn: at(-3) })]);
    expect(treatments.map(({ otherwise }) => otherwise)).toEqual([false, true]);
  });

  test('evidence that is over gives no degree, but a start', () => {
    const done = {
      resourceType: 'Procedure',
      id: 'p',
      status: 'completed',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '310653000' }] },
      subject: { reference: 'Patient/kari' },
      performedDateTime: '2020-01-01',
    };
    const found = treatmentOf([done]);
    expect([found?.start, found?.degree]).toEqual(['2020-01-01', undefined]);
  });
});
