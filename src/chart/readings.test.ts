import { describe, expect, test } from 'vitest';
import { knowledge } from '../testing/app.ts';
import {
  administrationOf,
  chartOf,
  concept,
  dispenseOf,
  draftIn,
  draftOf,
  line,
  orderOf,
  periodsOf,
  pieces,
  statementOf,
  times,
  treatmentOf,
  until,
} from '../testing/charts.ts';
import { bundle, condition, type Json } from '../testing/request.ts';
import type { Chart, Draft, Treatment } from './chart.ts';

// How each element without a row in the other tables of this room is read. The evaluation date is 2026-03-02.
const ATC = 'http://www.whocc.no/atc';
const ICD = 'http://hl7.org/fhir/sid/icd-10';
const SNOMED = 'http://snomed.info/sct';
const coded = (system: string, code: string): Json => ({ coding: [{ system, code }] });
const subject = { reference: 'Patient/kari' };
const SINCE = { authoredOn: '2026-02-01' };

type Row<T> = [element: string, given: Json, read: T];
/** Each row as a test; `look` selects what is examined. */
function reads<T>(what: string, look: (given: Json) => T, rows: Row<T>[]): void {
  describe(what, () => {
    test.each(rows)('%s', (_, given, read) => {
      expect(look(given)).toEqual(read);
    });
  });
}

const first =
  <K extends keyof Treatment>(kind: typeof orderOf, ...fields: K[]) =>
  (more: Json): unknown => {
    const treatment = treatmentOf([kind('oxazepam', more)]);
    return fields.length === 1 ? treatment?.[fields[0] as K] : fields.map((field) => treatment?.[field]);
  };
const order = (...fields: (keyof Treatment)[]) => first(orderOf, ...fields);
const statement = (...fields: (keyof Treatment)[]) => first(statementOf, ...fields);

reads('MedicationRequest: who ordered it, and where', order('requester', 'setting'), [
  ['requester', { requester: { reference: 'Practitioner/nils' } }, ['Practitioner/nils', undefined]],
  ['requester without a reference', { requester: { display: 'Nils' } }, [undefined, undefined]],
  ['category inpatient', { category: [{ coding: [{ code: 'inpatient' }] }] }, [undefined, 'inpatient']],
  [
    'category in a list of codings',
    { category: [{ coding: [{ code: 'x' }, { code: 'outpatient' }] }] },
    [undefined, 'outpatient'],
  ],
  ['category as one object', { category: { coding: { code: 'inpatient' } } }, [undefined, 'inpatient']],
  ['category without codings', { category: [{ text: 'inpatient' }] }, [undefined, undefined]],
]);

reads(
  'what was handed over, though its dispense is a draft: not where the patient is now',
  first(dispenseOf, 'setting'),
  [['status draft', { status: 'draft', whenHandedOver: '2026-03-01' }, undefined]],
);

reads('MedicationStatement: whose word it is', statement('requester'), [
  ['informationSource', { informationSource: { reference: 'Patient/kari' } }, 'Patient/kari'],
]);

reads('MedicationStatement: dates and statuses', (more) => periodsOf(treatmentOf([statementOf('oxazepam', more)])), [
  [
    'effectiveDateTime takes precedence over dateAsserted',
    { effectiveDateTime: '2026-02-10', dateAsserted: '2026-02-01' },
    'taken 2026-02-10..2027-02-10, presumed 2027-02-11..',
  ],
  [
    'dateAsserted after effectiveDateTime is a sign of life',
    { effectiveDateTime: '2025-02-10', dateAsserted: '2026-02-01' },
    'taken 2025-02-10..2027-02-01, presumed 2027-02-02..',
  ],
  ['dateAsserted alone', { dateAsserted: '2026-02-01' }, 'taken 2026-02-01..2027-02-01, presumed 2027-02-02..'],
  [
    'a future dateAsserted is not a sign of life',
    { effectiveDateTime: '2026-02-01', dateAsserted: '2026-03-03' },
    'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
  ],
  [
    'effectivePeriod takes precedence over effectiveDateTime',
    { effectivePeriod: { start: '2026-02-05' }, effectiveDateTime: '2026-02-10' },
    'taken 2026-02-05..2027-02-10, presumed 2027-02-11..',
  ],
  [
    'occurrencePeriod',
    { occurrencePeriod: { start: '2026-02-05', end: '2026-03-05' } },
    'taken 2026-02-05..2026-03-05',
  ],
  ['occurrenceDateTime', { occurrenceDateTime: '2026-02-05' }, 'taken 2026-02-05..2027-02-05, presumed 2027-02-06..'],
  [
    'a count of doses without a date: its end is unknown',
    { dosage: [line({ ...times(1), count: 5 })] },
    'presumed 2026-03-02..',
  ],
  ['status intended', { status: 'intended', effectiveDateTime: '2026-02-01' }, 'possible 2026-02-01..2027-02-01'],
  [
    'status intended, in the future: its months count from then',
    { status: 'intended', effectiveDateTime: '2026-03-11' },
    'possible 2026-03-11..2027-03-11',
  ],
  [
    'status intended, with an end',
    { status: 'intended', effectivePeriod: { start: '2026-02-01', end: '2026-03-05' } },
    'possible 2026-02-01..2026-03-05',
  ],
  ['status on-hold', { status: 'on-hold', effectiveDateTime: '2026-02-01' }, 'presumed 2026-02-01..'],
  ['an unknown status', { status: 'x', effectiveDateTime: '2026-02-01' }, 'possible 2026-02-01..2027-02-01'],
]);

reads('MedicationRequest: dates', (more) => periodsOf(treatmentOf([orderOf('oxazepam', more)])), [
  [
    'effectiveDateTime and occurrenceDateTime are not among its elements',
    { authoredOn: '2026-02-01', effectiveDateTime: '2026-02-10', occurrenceDateTime: '2026-02-10' },
    'taken 2026-02-01..2027-02-10, presumed 2027-02-11..',
  ],
  [
    'authoredOn is a sign of life, even if its line begins before',
    { authoredOn: '2026-02-10', dosageInstruction: [line({ boundsPeriod: { start: '2026-02-01' } })] },
    'taken 2026-02-01..2027-02-10, presumed 2027-02-11..',
  ],
  [
    'an empty modifierExtension modifies nothing',
    { ...SINCE, modifierExtension: [] },
    'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
  ],
  [
    'one line without a sequence number: all run in parallel',
    {
      ...SINCE,
      dosageInstruction: [
        line({ boundsDuration: { value: 10, code: 'd' } }, { sequence: 1 }),
        line({ boundsDuration: { value: 5, code: 'd' } }, { sequence: 2 }),
        line({ boundsDuration: { value: 30, code: 'd' } }),
      ],
    },
    'taken 2026-02-01..2026-03-02',
  ],
]);

test('two orders with the same duration each end by their own start', () => {
  const lasts = { dosageInstruction: [line({ boundsDuration: { value: 10, code: 'd' } })] };
  const record = [
    orderOf('oxazepam', { id: 'a', authoredOn: '2026-02-01', ...lasts }),
    orderOf('zopiclone', { id: 'b', authoredOn: '2026-02-05', ...lasts }),
  ];
  expect(chartOf(record).treatments.map(periodsOf)).toEqual([
    'taken 2026-02-01..2026-02-10',
    'taken 2026-02-05..2026-02-14',
  ]);
});

reads(
  'MedicationStatement: adherence',
  (code) =>
    periodsOf(
      treatmentOf([statementOf('oxazepam', { dateAsserted: '2026-02-01', adherence: { code: { coding: [code] } } })]),
    ),
  [
    ['stopped-as-intended', { code: 'stopped-as-intended' }, undefined],
    ['on-hold-as-intended', { code: 'on-hold-as-intended' }, 'presumed 2026-02-01..'],
    ['unknown', { code: 'unknown' }, 'taken 2026-02-01..2027-02-01, presumed 2027-02-02..'],
    [
      'a code that only contains such a word',
      { code: 'has-never-stopped' },
      'taken 2026-02-01..2027-02-01, presumed 2027-02-02..',
    ],
  ],
);

reads(
  'MedicationDispense: dates',
  (more) => periodsOf(treatmentOf([dispenseOf('oxazepam', { daysSupply: { value: 10, code: 'd' }, ...more })])),
  [
    ['whenHandedOver', { whenHandedOver: '2026-02-20' }, 'taken 2026-02-20..2026-03-01'],
    ['whenPrepared', { whenPrepared: '2026-02-20' }, 'taken 2026-02-20..2026-03-01'],
    [
      'whenHandedOver before whenPrepared',
      { whenHandedOver: '2026-02-20', whenPrepared: '2026-02-10' },
      'taken 2026-02-20..2026-03-01',
    ],
    ['effectiveDateTime is not one of its elements', { effectiveDateTime: '2026-02-20' }, 'possible 2026-03-02..'],
    ['in progress and prepared', { status: 'in-progress', whenPrepared: '2026-02-20' }, 'taken 2026-02-20..2026-03-01'],
    [
      'a start in an extension',
      { extension: [{ url: 'https://x/start', valueDate: '2026-02-20' }] },
      'taken 2026-02-20..2026-03-01',
    ],
    [
      'repeats are ignored',
      { whenHandedOver: '2026-02-20', dispenseRequest: { numberOfRepeatsAllowed: 3 }, numberOfRepeatsAllowed: 3 },
      'taken 2026-02-20..2026-03-01',
    ],
  ],
);

describe('MedicationDispense: what it hands over', () => {
  const DISPENSE = {
    resourceType: 'MedicationDispense',
    id: 'd',
    status: 'completed',
    whenHandedOver: '2026-02-20',
    subject,
  };
  test('without a medicine it is left out and reported as unrecognised', () => {
    const chart = chartOf([DISPENSE]);
    expect(chart.treatments).toEqual([]);
    expect(chart.leftOut).toEqual([{ what: 'medication', why: 'no-medicine', ref: 'MedicationDispense/d' }]);
    expect(chart.unread.treatments).toEqual([{ ref: 'MedicationDispense/d', name: undefined }]);
  });

  test('without a medicine, and used up, it is only left out', () => {
    const chart = chartOf([{ ...DISPENSE, daysSupply: { value: 5, code: 'd' } }]);
    expect([chart.leftOut.length, chart.unread.treatments]).toEqual([1, []]);
  });

  test('it names its order in authorizingPrescription and takes its purpose', () => {
    const pain = { reasonCode: [coded(ICD, 'R52.2')], authoredOn: '2025-01-01' };
    const dependence = { reasonCode: [coded(ICD, 'F11.2')], authoredOn: '2026-01-01' };
    const record = (authorizingPrescription?: Json[]) => [
      orderOf('N02AA01', { ...pain, id: 'pain' }),
      orderOf('N02AA01', { ...dependence, id: 'dependence' }),
      dispenseOf('N02AA01', {
        whenHandedOver: '2026-02-20',
        ...(authorizingPrescription && { authorizingPrescription }),
      }),
    ];
    const classOf = (resources: Json[]) =>
      chartOf(resources)
        .treatments.find(({ entries }) => entries().some(({ kind }) => kind === 'dispense'))
        ?.lists.includes('laro-medicine');
    expect(classOf(record())).toBe(true);
    expect(classOf(record([{ reference: 'MedicationRequest/pain' }]))).toBe(false);
    expect(classOf(record([{ reference: 'MedicationRequest/dependence' }]))).toBe(true);
  });
});

test.each(['authorizingPrescription', 'basedOn', 'request', 'priorPrescription', 'replaces', 'partOf'])(
  '%s names an order, whose purpose is taken',
  (element) => {
    const pain = orderOf('N02AA01', { id: 'pain', authoredOn: '2025-01-01', reasonCode: [coded(ICD, 'R52.2')] });
    const other = orderOf('N02AA01', { id: 'other', authoredOn: '2026-01-01', reasonCode: [coded(ICD, 'F11.2')] });
    const given = administrationOf('N02AA01', {
      effectiveDateTime: '2026-03-01',
      [element]: [{ reference: 'MedicationRequest/pain' }],
    });
    const treatment = chartOf([pain, other, given]).treatments.find(({ entries }) => entries().length === 2);
    expect(treatment?.lists).toContain('opioid-for-pain');
  },
);

reads(
  'MedicationAdministration: dates and statuses',
  (more) => periodsOf(treatmentOf([administrationOf('oxazepam', more)])),
  [
    [
      'effectivePeriod without an end, in progress: until today',
      { status: 'in-progress', effectivePeriod: { start: '2026-02-20' } },
      'taken 2026-02-20..2026-03-02',
    ],
    [
      'in progress, with a dosage line: its first day',
      { status: 'in-progress', effectiveDateTime: '2026-02-20', dosage: { text: 'x' } },
      'taken 2026-02-20..2026-02-20',
    ],
    [
      'in progress since today',
      { status: 'in-progress', effectiveDateTime: '2026-03-02' },
      'taken 2026-03-02..2026-03-02',
    ],
    [
      'stopped: what was given stays given',
      { status: 'stopped', effectiveDateTime: '2026-02-20' },
      'taken 2026-02-20..2026-02-20',
    ],
    ['unknown', { status: 'unknown', effectiveDateTime: '2026-02-20' }, 'possible 2026-02-20..2027-02-20'],
    ['on hold', { status: 'on-hold', effectiveDateTime: '2026-02-20' }, 'taken 2026-02-20..2026-02-20'],
    ['without any date', {}, 'possible 2026-03-02..2027-03-02'],
    ['not-done', { status: 'not-done', effectiveDateTime: '2026-02-20' }, undefined],
  ],
);

reads('entries that say nothing of what is taken: why', (given) => chartOf([given]).leftOut.map(({ why }) => why), [
  ['doNotPerform', orderOf('oxazepam', { ...SINCE, doNotPerform: true }), ['not-performed']],
  ['doNotPerform false', orderOf('oxazepam', { ...SINCE, doNotPerform: false }), []],
  ['status draft', orderOf('oxazepam', { status: 'draft' }), ['status']],
  ['status cancelled', orderOf('oxazepam', { status: 'cancelled' }), ['status']],
  ['status entered-in-error', orderOf('oxazepam', { status: 'entered-in-error' }), ['status']],
  ['status declined', orderOf('oxazepam', { status: 'declined' }), ['status']],
  ['status preparation', orderOf('oxazepam', { status: 'preparation' }), ['status']],
  ['status not-taken', statementOf('oxazepam', { status: 'not-taken' }), ['not-performed']],
  ['status not-done', administrationOf('oxazepam', { status: 'not-done' }), ['not-performed']],
  ['dispense cancelled', dispenseOf('oxazepam', { status: 'cancelled', whenHandedOver: '2026-02-20' }), ['status']],
  ['dispense declined', dispenseOf('oxazepam', { status: 'declined', whenHandedOver: '2026-02-20' }), ['status']],
  [
    'dispense entered-in-error',
    dispenseOf('oxazepam', { status: 'entered-in-error', whenHandedOver: '2026-02-20' }),
    ['status'],
  ],
  [
    'dispense in preparation',
    dispenseOf('oxazepam', { status: 'preparation', whenPrepared: '2026-02-20' }),
    ['status'],
  ],
  ['intent proposal', orderOf('oxazepam', { intent: 'proposal' }), ['intent']],
  ['intent plan', orderOf('oxazepam', { intent: 'plan' }), ['intent']],
  ['intent plan, reportedBoolean', orderOf('oxazepam', { intent: 'plan', reportedBoolean: true }), []],
  ['intent plan, reportedBoolean false', orderOf('oxazepam', { intent: 'plan', reportedBoolean: false }), ['intent']],
  ['intent plan, reported (R5)', orderOf('oxazepam', { intent: 'plan', reported: true }), []],
  ['intent plan, reportedReference', orderOf('oxazepam', { intent: 'plan', reportedReference: { display: 'x' } }), []],
  ['intent proposal, reportedBoolean', orderOf('oxazepam', { intent: 'proposal', reportedBoolean: true }), ['intent']],
  ['intent instance-order', orderOf('oxazepam', { intent: 'instance-order' }), []],
  [
    'adherence not-taking',
    statementOf('oxazepam', { adherence: { code: { coding: [{ code: 'not-taking' }] } } }),
    ['not-performed'],
  ],
]);

const start = (more: Json) => {
  const { start: day, stop, length } = draftIn(draftOf('oxycodone', more)) ?? ({} as Draft);
  return [day, stop, length];
};
const TEN = { boundsDuration: { value: 10, code: 'd' } };
reads('a draft: when it begins, and its end counted from there', start, [
  ['no authoredOn: today', { dosageInstruction: [line(TEN)] }, ['2026-03-02', '2026-03-11', 10]],
  ['authoredOn', { authoredOn: '2026-03-05', dosageInstruction: [line(TEN)] }, ['2026-03-05', '2026-03-14', 10]],
  ['authoredOn by month', { authoredOn: '2026-03', dosageInstruction: [line(TEN)] }, ['2026-03-01', '2026-03-10', 10]],
  ['authoredOn by year', { authoredOn: '2026', dosageInstruction: [line(TEN)] }, ['2026-01-01', '2026-01-10', 10]],
  ['an invalid authoredOn', { authoredOn: 'x', dosageInstruction: [line(TEN)] }, ['2026-03-02', '2026-03-11', 10]],
  [
    'boundsPeriod.start',
    { dosageInstruction: [line(until('2026-03-14', '2026-03-05'))] },
    ['2026-03-05', '2026-03-14', 10],
  ],
  [
    'boundsPeriod.start by month, with a duration',
    { dosageInstruction: [line({ boundsPeriod: { start: '2026-03' }, ...TEN })] },
    ['2026-03-01', '2026-03-10', 10],
  ],
  [
    'boundsRange: its high',
    { dosageInstruction: [line({ boundsRange: { low: { value: 5, code: 'd' }, high: { value: 10, code: 'd' } } })] },
    ['2026-03-02', '2026-03-11', 10],
  ],
  [
    'boundsRange without a high',
    { dosageInstruction: [line({ boundsRange: { low: { value: 5, code: 'd' } } })] },
    ['2026-03-02', undefined, undefined],
  ],
  [
    'boundsRange beside boundsPeriod: the period counts',
    { dosageInstruction: [line({ ...until('2026-03-05'), boundsRange: { high: { value: 10, code: 'd' } } })] },
    ['2026-03-02', '2026-03-05', 4],
  ],
  [
    'an extension that names a start: valueDateTime',
    { extension: [{ url: 'https://x/Start', valueDateTime: '2026-03-05' }] },
    ['2026-03-05', undefined, undefined],
  ],
  [
    'valueDate',
    { extension: [{ url: 'https://x/startDate', valueDate: '2026-03-05' }] },
    ['2026-03-05', undefined, undefined],
  ],
  [
    'valuePeriod',
    { extension: [{ url: 'https://x/start', valuePeriod: { start: '2026-03-05' } }] },
    ['2026-03-05', undefined, undefined],
  ],
  [
    'an extension with another name',
    { extension: [{ url: 'https://x/end', valueDate: '2026-03-05' }] },
    ['2026-03-02', undefined, undefined],
  ],
  [
    'an extension of the line',
    { dosageInstruction: [line(TEN, { extension: [{ url: 'https://x/start', valueDate: '2026-03-05' }] })] },
    ['2026-03-05', '2026-03-14', 10],
  ],
  [
    'an extension of its timing',
    {
      dosageInstruction: [
        { timing: { repeat: TEN, extension: [{ url: 'https://x/start', valueDate: '2026-03-05' }] } },
      ],
    },
    ['2026-03-05', '2026-03-14', 10],
  ],
  [
    'an extension of its bounds',
    {
      dosageInstruction: [
        line({
          boundsDuration: { ...TEN.boundsDuration, extension: [{ url: 'https://x/start', valueDate: '2026-03-05' }] },
        }),
      ],
    },
    ['2026-03-05', '2026-03-14', 10],
  ],
  [
    'an extension beside its bounds',
    {
      dosageInstruction: [
        line({ ...TEN, _boundsDuration: { extension: [{ url: 'https://x/start', valueDate: '2026-03-05' }] } }),
      ],
    },
    ['2026-03-05', '2026-03-14', 10],
  ],
  [
    'an extension of its repeat',
    { dosageInstruction: [line({ ...TEN, extension: [{ url: 'https://x/start', valueDate: '2026-03-05' }] })] },
    ['2026-03-05', '2026-03-14', 10],
  ],
]);

describe('a start known by month', () => {
  const supply = { dispenseRequest: { expectedSupplyDuration: { value: 10, code: 'd' } } };
  test.each<[what: string, more: Json, supplies: unknown]>([
    ['no day of such a short supply is certain', { authoredOn: '2026-01', ...supply }, []],
    ['no day of one that may begin later this month', { authoredOn: '2026-03' }, []],
    ['no day of one on hold', { authoredOn: '2026-01', status: 'on-hold' }, []],
    ['a whole date', { authoredOn: '2026-01-01', ...supply }, [{ start: '2026-01-01', end: '2026-01-10' }]],
    [
      'a line that begins on a whole date',
      { authoredOn: '2026-01', dosageInstruction: [line({ boundsPeriod: { start: '2026-01-05' } })] },
      [{ start: '2026-01-05', end: '2026-03-02' }],
    ],
    [
      'the last possible day counts',
      { authoredOn: '2026-01', dispenseRequest: { expectedSupplyDuration: { value: 40, code: 'd' } } },
      [{ start: '2026-01-31', end: '2026-02-09' }],
    ],
  ])('%s: use is never made longer than proven', (_, more, supplies) => {
    const treatment = treatmentOf([orderOf('oxazepam', more)]);
    const days = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);
    expect(treatment?.supplies.map(({ start: from, end }) => ({ start: days(from), end: days(end) }))).toEqual(
      supplies,
    );
  });
});

const dose = (...dosageInstruction: Json[]) => draftIn(draftOf('oxycodone', { dosageInstruction }))?.dailyDose;
const quantityOf = (value: number, unit: string) => ({ doseAndRate: [{ doseQuantity: { value, unit } }] });
reads<number | undefined>('the dose of a day', ({ lines }) => dose(...(lines as Json[])), [
  ['doseQuantity, and how often', { lines: [line(times(2), pieces(1))] }, 2],
  ['two lines', { lines: [line(times(2), pieces(1)), line(times(1), pieces(2))] }, 4],
  [
    'two lines in different units',
    { lines: [line(times(2), pieces(1)), line(times(1), quantityOf(5, 'ml'))] },
    undefined,
  ],
  [
    'two lines in one unit that is not a piece',
    { lines: [line(times(1), quantityOf(5, 'ml')), line(times(2), quantityOf(5, 'ML'))] },
    15,
  ],
  [
    'different names for pieces are equivalent',
    { lines: [line(times(1), quantityOf(1, 'tablett')), line(times(1), quantityOf(1, 'st'))] },
    2,
  ],
  ['a line without a dose', { lines: [line(times(2), pieces(1)), line(times(1))] }, undefined],
  ['a line without a frequency', { lines: [line(times(2), pieces(1)), pieces(1)] }, undefined],
  ['frequencyMax', { lines: [line({ ...times(1), frequencyMax: 3 }, pieces(1))] }, 3],
  ['no frequency: once', { lines: [line({ period: 1, periodUnit: 'd' }, pieces(1))] }, 1],
  ['period', { lines: [line({ frequency: 1, period: 2, periodUnit: 'd' }, pieces(1))] }, 0.5],
  ['periodUnit h', { lines: [line({ frequency: 1, period: 8, periodUnit: 'h' }, pieces(1))] }, 3],
  ['periodUnit wk', { lines: [line({ frequency: 7, period: 1, periodUnit: 'wk' }, pieces(1))] }, 1],
  ['a period of 0', { lines: [line({ frequency: 1, period: 0, periodUnit: 'd' }, pieces(1))] }, undefined],
  ['a frequency of 0', { lines: [line({ frequency: 0, period: 1, periodUnit: 'd' }, pieces(1))] }, undefined],
  ['a dose of 0', { lines: [line(times(1), pieces(0))] }, undefined],
  ['a negative dose', { lines: [line(times(1), pieces(-1))] }, undefined],
  ['a frequency of 0 at the lowest', { lines: [line({ ...times(0), frequencyMax: 2 }, pieces(1))] }, undefined],
  ['a frequencyMax of 0', { lines: [line({ ...times(2), frequencyMax: 0 }, pieces(1))] }, undefined],
  ['a periodMax of 0', { lines: [line({ ...times(2), periodMax: 0 }, pieces(1))] }, undefined],
  [
    'a periodMax: the highest dose is that of the shortest period',
    { lines: [line({ ...times(2), periodMax: 2 }, pieces(1))] },
    2,
  ],
  ['a negative period', { lines: [line({ frequency: 1, period: -1, periodUnit: 'd' }, pieces(1))] }, undefined],
  ['periodUnit mo: of 30 days', { lines: [line({ frequency: 60, period: 1, periodUnit: 'mo' }, pieces(1))] }, 2],
  ['periodUnit in any case', { lines: [line({ frequency: 2, period: 1, periodUnit: 'D' }, pieces(1))] }, 2],
  ['a period without a unit', { lines: [line({ frequency: 2, period: 1 }, pieces(1))] }, undefined],
  [
    'maxDosePerPeriod of a month of 30 days',
    { lines: [line({}, { maxDosePerPeriod: { numerator: { value: 60 }, denominator: { value: 1, code: 'mo' } } })] },
    2,
  ],
  [
    'maxDosePerPeriod without a number of days: one day',
    { lines: [line({}, { maxDosePerPeriod: { numerator: { value: 4 }, denominator: { unit: 'D' } } })] },
    4,
  ],
  [
    'maxDosePerPeriod in another unit than the dose of another line',
    {
      lines: [
        line(times(1), pieces(1)),
        line({}, { maxDosePerPeriod: { numerator: { value: 4, unit: 'ml' }, denominator: { value: 1, code: 'd' } } }),
      ],
    },
    undefined,
  ],
  [
    'doseRange: its high',
    { lines: [line(times(1), { doseAndRate: [{ doseRange: { low: { value: 1 }, high: { value: 2 } } }] })] },
    2,
  ],
  [
    'doseRange: without a high',
    { lines: [line(times(1), { doseAndRate: [{ doseRange: { low: { value: 1 } } }] })] },
    undefined,
  ],
  ['doseAndRate as an object', { lines: [line(times(1), { doseAndRate: { doseQuantity: { value: 3 } } })] }, 3],
  ['doseQuantity of the line', { lines: [line(times(1), { doseQuantity: { value: 3 } })] }, 3],
  [
    'maxDosePerPeriod takes precedence',
    {
      lines: [
        line(times(1), {
          ...pieces(1),
          maxDosePerPeriod: { numerator: { value: 4 }, denominator: { value: 1, unit: 'd' } },
        }),
      ],
    },
    4,
  ],
  [
    'maxDosePerPeriod of a week',
    { lines: [line({}, { maxDosePerPeriod: { numerator: { value: 14 }, denominator: { value: 1, code: 'wk' } } })] },
    2,
  ],
  [
    'maxDosePerPeriod of two days',
    { lines: [line({}, { maxDosePerPeriod: [{ numerator: { value: 4 }, denominator: { value: 2, code: 'd' } }] })] },
    2,
  ],
  [
    'maxDosePerPeriod without a unit',
    {
      lines: [
        line(times(1), { ...pieces(1), maxDosePerPeriod: { numerator: { value: 4 }, denominator: { value: 1 } } }),
      ],
    },
    1,
  ],
  [
    'maxDosePerPeriod of 0',
    {
      lines: [
        line(times(1), {
          ...pieces(1),
          maxDosePerPeriod: { numerator: { value: 0 }, denominator: { value: 1, code: 'd' } },
        }),
      ],
    },
    1,
  ],
]);

describe('lines that differ in a single element are told apart', () => {
  const usual = {
    id: 'a',
    text: 'x',
    route: { text: 'oral' },
    method: { text: 'x' },
    asNeededBoolean: false,
    ...line(times(1), pieces(1)),
  };
  const orders = (other: Json) =>
    chartOf([
      orderOf('oxazepam', { id: 'a', ...SINCE, dosageInstruction: [usual] }),
      orderOf('zopiclone', { id: 'b', ...SINCE, dosageInstruction: [other] }),
    ]).treatments.map(({ dailyDose, asNeeded }) => [dailyDose, asNeeded]);
  test.each<[element: string, other: Json, read: [number | undefined, boolean]]>([
    ['nothing', usual, [1, false]],
    ['route', { ...usual, route: { text: 'other' } }, [1, false]],
    ['asNeededBoolean', { ...usual, asNeededBoolean: true }, [1, true]],
    ['frequency', { ...usual, ...line(times(2)) }, [2, false]],
    ['period', { ...usual, ...line({ frequency: 1, period: 2, periodUnit: 'd' }) }, [0.5, false]],
    ['periodUnit', { ...usual, ...line({ frequency: 1, period: 1, periodUnit: 'h' }) }, [24, false]],
    ['frequencyMax', { ...usual, ...line({ ...times(1), frequencyMax: 4 }) }, [4, false]],
    ['doseQuantity.value', { ...usual, ...pieces(3) }, [3, false]],
    ['doseQuantity.value as a string', { ...usual, ...quantityOf('1' as never, 'tablett') }, [undefined, false]],
    ['doseRange', { ...usual, doseAndRate: [{ doseRange: { high: { value: 5 } } }] }, [5, false]],
    ['doseAndRate as an object', { ...usual, doseAndRate: { doseQuantity: { value: 6 } } }, [6, false]],
    [
      'a second doseAndRate',
      { ...usual, doseAndRate: [{ doseQuantity: { value: 7 } }, { doseQuantity: { value: 8 } }] },
      [7, false],
    ],
    [
      'maxDosePerPeriod',
      { ...usual, maxDosePerPeriod: { numerator: { value: 9 }, denominator: { value: 1, code: 'd' } } },
      [9, false],
    ],
    ['timing.code', { ...usual, timing: { code: { text: 'x' } } }, [undefined, false]],
    [
      'doseQuantity.code',
      { ...usual, doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett', code: 'x' } }] },
      [1, false],
    ],
  ])('%s', (_, other, read) => {
    expect(orders(other)).toEqual([[1, false], read]);
  });

  test('a second line', () => {
    const dosage = (...dosageInstruction: Json[]) => ({ ...SINCE, dosageInstruction });
    const record = [
      orderOf('oxazepam', { id: 'a', ...dosage(usual) }),
      orderOf('zopiclone', { id: 'b', ...dosage(usual, usual) }),
      orderOf('diazepam', { id: 'c', ...dosage() }),
    ];
    expect(chartOf(record).treatments.map(({ dailyDose }) => dailyDose)).toEqual([1, 2, undefined]);
  });

  test('text, and the unit of the dose', () => {
    const told = (other: Json) =>
      chartOf([], {
        drafts: [
          draftOf('oxazepam', { id: 'a', dosageInstruction: [usual] }),
          draftOf('zopiclone', {
            id: 'b',
            dosageInstruction: [other],
            dispenseRequest: { quantity: { value: 5, unit: 'ml' } },
          }),
        ],
      }).drafts.map(({ taper, length }) => [taper, length]);
    expect(told({ ...usual, text: 'nedtrappning' })[1]).toEqual([true, undefined]);
    expect(told({ ...usual, doseAndRate: [{ doseQuantity: { value: 1, unit: 'ml' } }] })[1]).toEqual([false, 5]);
    expect(told({ ...usual, doseAndRate: [{ doseQuantity: { value: 1, code: 'ml' } }] })[1]).toEqual([false, 5]);
    expect(told(usual)[1]).toEqual([false, undefined]);
  });
});

reads<unknown>(
  'a draft: what its dosage lines say besides',
  ({ lines }) => {
    const draft = draftIn(draftOf('oxycodone', { dosageInstruction: lines }));
    return [draft?.asNeeded, draft?.single, draft?.dosed];
  },
  [
    ['no line', { lines: [] }, [false, false, false]],
    ['asNeededBoolean', { lines: [{ asNeededBoolean: true }] }, [true, false, true]],
    ['asNeededBoolean false', { lines: [{ asNeededBoolean: false }] }, [false, false, true]],
    ['asNeededBoolean of one line of two', { lines: [{ asNeededBoolean: true }, { text: 'x' }] }, [true, false, true]],
    ['asNeededCodeableConcept', { lines: [{ asNeededCodeableConcept: { text: 'x' } }] }, [true, false, true]],
    ['asNeeded (R5)', { lines: [{ asNeeded: true }] }, [true, false, true]],
    ['asNeededFor (R5)', { lines: [{ asNeededFor: [{ text: 'x' }] }] }, [true, false, true]],
    ['count of 1', { lines: [line({ count: 1 })] }, [false, true, true]],
    ['count of 2', { lines: [line({ count: 2 })] }, [false, false, true]],
    ['countMax takes precedence over count', { lines: [line({ count: 1, countMax: 2 })] }, [false, false, true]],
    ['one event', { lines: [{ timing: { event: ['2026-03-05'] } }] }, [false, true, true]],
    ['one event that is not a list', { lines: [{ timing: { event: '2026-03-05' } }] }, [false, true, true]],
    [
      'two events on one day',
      { lines: [{ timing: { event: ['2026-03-05T08:00:00Z', '2026-03-05T20:00:00Z'] } }] },
      [false, false, true],
    ],
    [
      'two events, one with an invalid date',
      { lines: [{ timing: { event: ['2026-03-05', 'x'] } }] },
      [false, false, true],
    ],
  ],
);

describe('the medicine of an entry', () => {
  const MEDICINE = { resourceType: 'MedicationRequest', id: 'o', status: 'active', intent: 'order', subject, ...SINCE };
  const OXAZEPAM = coded(ATC, 'N05BA04');
  const medication = (more: Json) => ({ resourceType: 'Medication', id: 'm', ...more });
  const read = (more: Json) => {
    const { treatments, leftOut } = chartOf([{ ...MEDICINE, ...more }]);
    return treatments[0]?.substance ?? leftOut[0]?.why;
  };
  const contained = (more: Json) => ({ contained: [medication(more)], medicationReference: { reference: '#m' } });
  test.each<[element: string, more: Json, read: string | undefined]>([
    ['medicationCodeableConcept', { medicationCodeableConcept: OXAZEPAM }, 'oxazepam'],
    ['medication.concept (R5)', { medication: { concept: OXAZEPAM } }, 'oxazepam'],
    ['medication without the suffix of its type', { medication: OXAZEPAM }, 'oxazepam'],
    ['medication with only a text', { medication: { text: 'Oxazepam' } }, 'oxazepam'],
    ['medicationReference: contained', contained({ code: OXAZEPAM }), 'oxazepam'],
    [
      'contained, its id with #',
      { contained: [medication({ id: '#m', code: OXAZEPAM })], medicationReference: { reference: '#m' } },
      'oxazepam',
    ],
    [
      'medication.reference (R5)',
      { contained: [medication({ code: OXAZEPAM })], medication: { reference: { reference: '#m' } } },
      'oxazepam',
    ],
    [
      'medication as a reference',
      { contained: [medication({ code: OXAZEPAM })], medication: { reference: '#m' } },
      'oxazepam',
    ],
    ['medicationReference.display', { medicationReference: { display: 'Oxazepam 10 mg' } }, 'oxazepam'],
    ['medicationReference to nothing', { medicationReference: { reference: '#m' } }, 'unresolved'],
    [
      'contained without #',
      { contained: [medication({ code: OXAZEPAM })], medicationReference: { reference: 'm' } },
      'unresolved',
    ],
    ['nothing', {}, 'no-medicine'],
    ['an empty concept', { medicationCodeableConcept: {} }, 'no-medicine'],
    ['ingredient.itemCodeableConcept', contained({ ingredient: [{ itemCodeableConcept: OXAZEPAM }] }), 'oxazepam'],
    ['ingredient.item.concept (R5)', contained({ ingredient: [{ item: { concept: OXAZEPAM } }] }), 'oxazepam'],
    [
      'ingredient.isActive true',
      contained({ ingredient: [{ isActive: true, itemCodeableConcept: OXAZEPAM }] }),
      'oxazepam',
    ],
    [
      'ingredient.isActive false',
      contained({ ingredient: [{ isActive: false, itemCodeableConcept: OXAZEPAM }] }),
      'no-medicine',
    ],
    [
      'ingredients of another medicine, all known',
      contained({
        ingredient: [{ itemCodeableConcept: coded(ATC, 'N02BE01') }, { itemCodeableConcept: { text: 'Paracetamol' } }],
      }),
      'other-medicine',
    ],
    [
      'ingredients of another medicine, one of which may be anything',
      contained({
        ingredient: [{ itemCodeableConcept: coded(ATC, 'N02BE01') }, { itemCodeableConcept: { text: 'Xylofin' } }],
      }),
      'unrecognised',
    ],
    [
      'ingredients of which one is ours and one may be anything',
      contained({ ingredient: [{ itemCodeableConcept: OXAZEPAM }, { itemCodeableConcept: { text: 'Xylofin' } }] }),
      'oxazepam',
    ],
    [
      'ingredient.itemReference.display',
      contained({ ingredient: [{ itemReference: { display: 'Oxazepam' } }] }),
      'oxazepam',
    ],
    [
      'ingredient.itemReference: a contained Substance',
      {
        contained: [
          medication({ ingredient: [{ itemReference: { reference: '#s' } }] }),
          { resourceType: 'Substance', id: 's', code: OXAZEPAM },
        ],
        medicationReference: { reference: '#m' },
      },
      'oxazepam',
    ],
    [
      'ingredient.item.reference: a Substance (R5)',
      {
        contained: [
          medication({ ingredient: [{ item: { reference: { reference: '#s' } } }] }),
          { resourceType: 'Substance', id: 's', code: { concept: OXAZEPAM } },
        ],
        medicationReference: { reference: '#m' },
      },
      'oxazepam',
    ],
    [
      'a classifying extension: valueCodeableConcept',
      { medicationCodeableConcept: { text: 'x', extension: [{ url: 'x', valueCodeableConcept: OXAZEPAM }] } },
      'oxazepam',
    ],
    [
      'a classifying extension: valueCoding',
      {
        medicationCodeableConcept: {
          text: 'x',
          extension: [{ url: 'x', valueCoding: { system: ATC, code: 'N05BA04' } }],
        },
      },
      'oxazepam',
    ],
    [
      'an extension of the Medication',
      contained({ extension: [{ url: 'x', valueCoding: { system: ATC, code: 'N05BA04' } }], code: { text: 'x' } }),
      'oxazepam',
    ],
    [
      'an extension of another system, with a name',
      {
        medicationCodeableConcept: {
          text: 'x',
          extension: [{ url: 'x', valueCoding: { system: 'http://x', code: '1', display: 'Oxazepam' } }],
        },
      },
      'unrecognised',
    ],
    [
      'an extension of another system',
      {
        medicationCodeableConcept: {
          text: 'x',
          extension: [{ url: 'x', valueCoding: { system: 'http://x', code: 'N05BA04' } }],
        },
      },
      'unrecognised',
    ],
  ])('%s', (_, more, expected) => {
    expect(read(more)).toBe(expected);
  });

  test.each<[what: string, one: Json, other: Json]>([
    [
      'two codes each, one of them different',
      {
        medicationCodeableConcept: {
          coding: [
            { system: 'http://x', code: '1' },
            { system: ATC, code: 'N05BA04' },
          ],
        },
      },
      {
        medicationCodeableConcept: {
          coding: [
            { system: 'http://x', code: '1' },
            { system: ATC, code: 'N05CF01' },
          ],
        },
      },
    ],
    [
      'one unknown code, and different references',
      {
        medicationCodeableConcept: coded('http://x', '1'),
        medicationReference: { display: 'Oxazepam' },
      },
      {
        medicationCodeableConcept: coded('http://x', '1'),
        medicationReference: { display: 'Zopiklon' },
      },
    ],
    [
      'one unknown code, and a second concept',
      { medicationCodeableConcept: [coded('http://x', '1'), OXAZEPAM] },
      { medicationCodeableConcept: [coded('http://x', '1'), coded(ATC, 'N05CF01')] },
    ],
    [
      'one unknown code, and different extensions',
      {
        medicationCodeableConcept: {
          ...coded('http://x', '1'),
          extension: [{ url: 'x', valueCoding: { system: ATC, code: 'N05BA04' } }],
        },
      },
      {
        medicationCodeableConcept: {
          ...coded('http://x', '1'),
          extension: [{ url: 'x', valueCoding: { system: ATC, code: 'N05CF01' } }],
        },
      },
    ],
    [
      'one code in two systems',
      { medicationCodeableConcept: coded(ATC, 'N05BA04') },
      { medicationCodeableConcept: { coding: [{ system: 'http://x', code: 'N05BA04', display: 'Zopiklon' }] } },
    ],
    [
      'one Medication under two names',
      { ...contained({ code: { text: 'x' } }), medicationReference: { reference: '#m', display: 'Oxazepam' } },
      { ...contained({ code: { text: 'x' } }), medicationReference: { reference: '#m', display: 'Zopiklon' } },
    ],
  ])('medicines that differ in one thing are told apart: %s', (_, one, other) => {
    const { treatments } = chartOf([
      { ...MEDICINE, id: 'a', ...one },
      { ...MEDICINE, id: 'b', ...other },
    ]);
    expect(treatments.map(({ substance }) => substance)).toEqual(['oxazepam', 'zopiclone']);
  });

  test.each<[what: string, more: Json, name: string | undefined]>([
    ['its text', { medicationCodeableConcept: { ...OXAZEPAM, text: 'Sobril' } }, 'Sobril'],
    [
      'otherwise its display',
      { medicationCodeableConcept: { coding: [{ system: ATC, code: 'N05BA04', display: 'Oxazepam 5' }] } },
      'Oxazepam 5',
    ],
    ['otherwise its code', { medicationCodeableConcept: OXAZEPAM }, 'N05BA04'],
    ['the name in the reference', { medicationReference: { display: 'Oxazepam 10 mg' } }, 'Oxazepam 10 mg'],
    [
      'the name of its Medication before that',
      {
        ...contained({ code: { ...OXAZEPAM, text: 'Sobril' } }),
        medicationReference: { reference: '#m', display: 'x' },
      },
      'Sobril',
    ],
    [
      'the name of an ingredient',
      contained({ ingredient: [{ itemCodeableConcept: { ...OXAZEPAM, text: 'oxazepamum' } }] }),
      'oxazepamum',
    ],
    ['an ingredient known only by its code', contained({ ingredient: [{ itemCodeableConcept: OXAZEPAM }] }), undefined],
  ])('its name: %s', (_, more, name) => {
    expect(chartOf([{ ...MEDICINE, ...more }]).treatments.map((treatment) => treatment.name)).toEqual([name]);
  });

  test('another medicine, known by code or name, is left out and raises no question', () => {
    for (const written of [coded(ATC, 'N02BE01'), { text: 'Paracetamol 500 mg' }]) {
      const chart = chartOf([{ ...MEDICINE, medicationCodeableConcept: written }]);
      expect(chart.leftOut).toEqual([{ what: 'medication', why: 'other-medicine', ref: 'MedicationRequest/o' }]);
      expect(chart.unread.treatments).toEqual([]);
    }
  });

  test('products are told apart by each code and each name', () => {
    const product = (written: Json) => draftIn(draftOf(written))?.prescribed[0]?.product;
    const usual = product(OXAZEPAM);
    expect(product(structuredClone(OXAZEPAM))).toBe(usual);
    expect(product(coded(ATC, 'N05BA01'))).not.toBe(usual);
    expect(product({ ...OXAZEPAM, text: 'Sobril' })).not.toBe(usual);
  });

  test('a large Medication under ever new names is refused, and under one name it is read', () => {
    const large = medication({ code: OXAZEPAM, ingredient: [{ isActive: false, id: 'x'.repeat(4_000_000) }] });
    const orders = (...names: string[]) =>
      names.map((display, number) => ({
        ...MEDICINE,
        id: `o${number}`,
        medicationReference: { reference: 'Medication/m', display },
      }));
    const treatments = (...names: string[]) =>
      chartOf([], { prefetch: { medications: bundle([...orders(...names), large], 'searchset') } }).treatments;
    expect(treatments('a', 'a', 'a', 'a')).toHaveLength(1);
    expect(treatments('a', 'b', 'c')).toHaveLength(1);
    expect(() => treatments('a', 'b', 'c', 'd')).toThrow('too-many');
  });

  test('a Medication sent with the record is looked up', () => {
    const found = chartOf([], {
      prefetch: {
        medications: bundle(
          [{ ...MEDICINE, medicationReference: { reference: 'Medication/m' } }, medication({ code: OXAZEPAM })],
          'searchset',
        ),
      },
    });
    expect(found.treatments.map(({ substance }) => substance)).toEqual(['oxazepam']);
  });

  // A depot with 96 mg has a different effect from a tablet.
  const strength = (more: Json) =>
    contained({ code: coded(ATC, 'N07BC01'), ingredient: [{ itemCodeableConcept: { text: 'x' }, ...more }] });
  const mg = (value: number) => ({ value, unit: 'mg' });
  test.each<[element: string, more: Json, afterDays: number | undefined]>([
    ['ingredient.strength: its numerator', strength({ strength: { numerator: mg(96), denominator: mg(1) } }), 90],
    [
      'ingredient.strength of 100 mg',
      strength({ strength: { numerator: { value: 100, code: 'mg', unit: 'x' } } }),
      180,
    ],
    ['ingredient.strength in another unit', strength({ strength: { numerator: { value: 96, unit: 'g' } } }), 14],
    ['ingredient.strengthRatio (R5)', strength({ strengthRatio: { numerator: mg(96) } }), 90],
    ['ingredient.strengthQuantity (R5)', strength({ strengthQuantity: mg(96) }), 90],
    ['no strength', strength({}), 14],
    ['a strength in its text', { medicationCodeableConcept: { ...coded(ATC, 'N07BC01'), text: 'x 96 mg' } }, 90],
    [
      'a strength in its text, with a comma',
      { medicationCodeableConcept: { ...coded(ATC, 'N07BC01'), text: 'x 96,0mg' } },
      90,
    ],
    [
      'a strength in its display',
      { medicationCodeableConcept: { coding: [{ system: ATC, code: 'N07BC01', display: 'x 96 MG' }] } },
      90,
    ],
    [
      'a dose in mg',
      {
        medicationCodeableConcept: coded(ATC, 'N07BC01'),
        dosageInstruction: [{ doseAndRate: [{ doseQuantity: mg(96) }] }],
      },
      90,
    ],
    [
      'a dose in another unit',
      {
        medicationCodeableConcept: coded(ATC, 'N07BC01'),
        dosageInstruction: [{ doseAndRate: [{ doseQuantity: { value: 96, unit: 'ml' } }] }],
      },
      14,
    ],
    [
      'a dose and a strength',
      { ...strength({ strengthQuantity: mg(100) }), dosageInstruction: [{ doseAndRate: [{ doseQuantity: mg(96) }] }] },
      180,
    ],
  ])('%s', (_, more, afterDays) => {
    expect(chartOf([{ ...MEDICINE, ...more }]).treatments[0]?.afterDays).toBe(afterDays);
  });

  const METHADONE = coded(ATC, 'N07BC02');
  test.each<[element: string, more: Json, form: string[]]>([
    ['form', contained({ code: { ...coded(ATC, 'N02AE01') }, form: { text: 'depotplaster' } }), ['patch']],
    ['doseForm (R5)', contained({ code: { ...coded(ATC, 'N02AE01') }, doseForm: { text: 'depotplaster' } }), ['patch']],
    ['no form', contained({ code: METHADONE }), []],
  ])('%s', (_, more, form) => {
    expect(chartOf([{ ...MEDICINE, ...more }]).treatments[0]?.form).toEqual(form);
  });

  test.each<[what: string, more: Json, vague: boolean]>([
    ['only the code', { medicationCodeableConcept: coded(ATC, 'N07BC01') }, true],
    ['a form', contained({ code: coded(ATC, 'N07BC01'), form: { text: 'sublingual resoriblett' } }), false],
    ['a strength', { medicationCodeableConcept: { ...coded(ATC, 'N07BC01'), text: 'x 8 mg' } }, false],
    ['a brand', { medicationCodeableConcept: { ...coded(ATC, 'N07BC01'), text: 'Buvidal' } }, false],
    ['another substance', { medicationCodeableConcept: METHADONE }, false],
  ])('whether the record leaves open that it is a depot: %s', (_, more, vague) => {
    expect(chartOf([{ ...MEDICINE, ...more }]).treatments[0]?.vague).toBe(vague);
  });
});

describe('Condition', () => {
  const VERIFICATION = (code: string) => ({ verificationStatus: { coding: [{ code }] } });
  const CLINICAL = (code: string) => ({ clinicalStatus: { coding: [{ code }] } });
  const read = (more: Json): unknown => {
    const [found] = chartOf([condition('c', 'F11.2', more)]).conditions;
    return found && [found.active, found.confirmed, found.remission, found.onset];
  };
  test.each<[element: string, more: Json, read: unknown]>([
    ['clinicalStatus active', CLINICAL('active'), [true, true, false, undefined]],
    ['clinicalStatus recurrence', CLINICAL('recurrence'), [true, true, false, undefined]],
    ['clinicalStatus relapse', CLINICAL('relapse'), [true, true, false, undefined]],
    ['clinicalStatus inactive', CLINICAL('inactive'), [false, true, false, undefined]],
    ['clinicalStatus remission', CLINICAL('remission'), [false, true, true, undefined]],
    ['clinicalStatus resolved', CLINICAL('resolved'), [false, true, false, undefined]],
    [
      'clinicalStatus in two codes, of which one is active',
      { clinicalStatus: { coding: [{ code: 'active' }, { code: 'x' }] } },
      [true, true, false, undefined],
    ],
    [
      'verificationStatus in two codes, one of them provisional',
      { verificationStatus: { coding: [{ code: 'x' }, { code: 'provisional' }] } },
      [true, false, false, undefined],
    ],
    [
      'verificationStatus in two codes, one of them refuted',
      { verificationStatus: { coding: [{ code: 'x' }, { code: 'refuted' }] } },
      undefined,
    ],
    ['an unlisted code', { code: coded(ICD, 'J06.9') }, undefined],
    ['no clinicalStatus', { clinicalStatus: undefined }, [true, true, false, undefined]],
    ['verificationStatus confirmed', VERIFICATION('confirmed'), [true, true, false, undefined]],
    ['verificationStatus unconfirmed', VERIFICATION('unconfirmed'), [true, false, false, undefined]],
    ['verificationStatus provisional', VERIFICATION('provisional'), [true, false, false, undefined]],
    ['verificationStatus differential', VERIFICATION('differential'), [true, false, false, undefined]],
    ['verificationStatus refuted', VERIFICATION('refuted'), undefined],
    ['verificationStatus entered-in-error', VERIFICATION('entered-in-error'), undefined],
    ['onsetDateTime', { onsetDateTime: '2020-01', recordedDate: '2021-01-01' }, [true, true, false, '2020-01']],
    [
      'onsetPeriod',
      { onsetPeriod: { start: '2020-01-02' }, recordedDate: '2021-01-01' },
      [true, true, false, '2020-01-02'],
    ],
    ['recordedDate', { recordedDate: '2021-01-01T10:00:00Z' }, [true, true, false, '2021-01-01']],
    ['an invalid onsetDateTime', { onsetDateTime: 'x', recordedDate: '2021-01-01' }, [true, true, false, '2021-01-01']],
  ])('%s', (_, more, expected) => {
    expect(read(more)).toEqual(expected);
  });
});

describe('Procedure, ServiceRequest, CarePlan, Appointment, FamilyMemberHistory', () => {
  const CBT = coded(SNOMED, '304891004');
  const sections = {
    Procedure: 'procedures',
    ServiceRequest: 'referrals',
    CarePlan: 'carePlans',
    Appointment: 'appointments',
    FamilyMemberHistory: 'familyHistory',
  } as const;
  const read = (resourceType: keyof typeof sections, more: Json): Chart['procedures'] => {
    const participant = { participant: [{ actor: { reference: 'Patient/kari' } }], patient: subject };
    return chartOf([
      { resourceType, id: 'x', ...(resourceType === 'Appointment' ? participant : { subject }), ...more },
    ])[sections[resourceType]];
  };
  test.each(['entered-in-error', 'not-done', 'cancelled', 'revoked', 'noshow', 'stopped', 'unknown', 'health-unknown'])(
    'status %s means that it did not or will not happen',
    (status) => {
      for (const type of ['Procedure', 'ServiceRequest', 'Appointment', 'FamilyMemberHistory'] as const) {
        expect(read(type, { status })).toEqual([]);
        expect(read(type, { status: 'completed' })).toHaveLength(1);
      }
    },
  );

  test('doNotPerform', () => {
    expect(read('ServiceRequest', { status: 'active', doNotPerform: true })).toEqual([]);
  });

  test.each<[element: string, type: keyof typeof sections, more: Json, date: string | undefined]>([
    ['performedDateTime', 'Procedure', { performedDateTime: '2026-02-01' }, '2026-02-01'],
    ['performedPeriod.end', 'Procedure', { performedPeriod: { start: '2026-01-01', end: '2026-02-01' } }, '2026-02-01'],
    ['performedPeriod.start', 'Procedure', { performedPeriod: { start: '2026-01-01' } }, '2026-01-01'],
    [
      'performedPeriod in progress without an end: today',
      'Procedure',
      { status: 'in-progress', performedPeriod: { start: '2026-01-01' } },
      '2026-03-02',
    ],
    [
      'performedPeriod in progress with an end',
      'Procedure',
      { status: 'in-progress', performedPeriod: { end: '2026-02-01' } },
      '2026-02-01',
    ],
    [
      'in progress without a period',
      'Procedure',
      { status: 'in-progress', performedDateTime: '2026-02-01' },
      '2026-02-01',
    ],
    [
      'occurrenceDateTime',
      'ServiceRequest',
      { occurrenceDateTime: '2026-02-01', authoredOn: '2026-01-01' },
      '2026-02-01',
    ],
    [
      'occurrencePeriod.end',
      'ServiceRequest',
      { occurrencePeriod: { start: '2026-01-01', end: '2026-02-01' } },
      '2026-02-01',
    ],
    ['occurrencePeriod.start', 'ServiceRequest', { occurrencePeriod: { start: '2026-01-01' } }, '2026-01-01'],
    ['authoredOn', 'ServiceRequest', { authoredOn: '2026-01-01' }, '2026-01-01'],
    ['start', 'Appointment', { start: '2026-04-01T08:00:00Z', created: '2026-01-01' }, '2026-04-01'],
    ['period.start', 'CarePlan', { period: { start: '2026-01-01' }, created: '2025-01-01' }, '2026-01-01'],
    ['created', 'CarePlan', { created: '2025-01-01' }, '2025-01-01'],
    ['date', 'FamilyMemberHistory', { date: '2025-01-01' }, '2025-01-01'],
    ['none', 'Procedure', {}, undefined],
  ])('the day of a %s', (_, type, more, date) => {
    expect(read(type, more)[0]?.date).toBe(date);
  });

  test.each<[element: string, type: keyof typeof sections, more: Json]>([
    ['code', 'Procedure', { code: CBT }],
    ['code (R5)', 'ServiceRequest', { code: { concept: CBT } }],
    ['category', 'CarePlan', { category: [CBT] }],
    ['reasonCode', 'ServiceRequest', { reasonCode: [coded(ICD, 'F11.2')] }],
    ['condition.code', 'FamilyMemberHistory', { condition: [{ code: coded(ICD, 'F11.2') }] }],
  ])('its subject: %s', (_, type, more) => {
    expect(read(type, more)[0]?.lists.length).toBeGreaterThan(0);
    expect(read(type, {})[0]?.lists).toEqual([]);
  });
});

describe('agonist treatment without a medicine', () => {
  const OMT = coded(SNOMED, '310653000');
  const known = (more: Json) => periodsOf(treatmentOf([{ id: 'x', subject, ...more }]));
  const plan = (more: Json) => known({ resourceType: 'CarePlan', status: 'active', ...more });
  test.each<[element: string, more: Json, read: string | undefined]>([
    ['category', { category: [OMT], created: '2026-01-01' }, 'presumed 2026-01-01..'],
    ['activity.detail.code', { activity: [{ detail: { code: OMT } }], created: '2026-01-01' }, 'presumed 2026-01-01..'],
    ['activity without detail', { activity: [{ code: OMT }], created: '2026-01-01' }, undefined],
    ['title', { title: 'LAR', created: '2026-01-01' }, 'presumed 2026-01-01..'],
    ['the text of its category', { category: [{ text: 'LAR' }], created: '2026-01-01' }, 'presumed 2026-01-01..'],
    [
      'the display of its category',
      { category: [{ coding: [{ display: 'LAR' }] }], created: '2026-01-01' },
      'presumed 2026-01-01..',
    ],
    ['a title that denies it', { title: 'Ej LAR', created: '2026-01-01' }, undefined],
    [
      'period.start',
      { category: [OMT], period: { start: '2026-01-05' }, created: '2026-01-01' },
      'presumed 2026-01-05..',
    ],
    [
      'period.end ahead',
      { category: [OMT], period: { start: '2026-01-05', end: '2026-04-01' } },
      'presumed 2026-01-05..',
    ],
    [
      'period.end today',
      { category: [OMT], period: { start: '2026-01-05', end: '2026-03-02' } },
      'presumed 2026-01-05..',
    ],
    [
      'period.end past',
      { category: [OMT], period: { start: '2026-01-05', end: '2026-02-01' } },
      'possible 2026-01-05..2027-02-01',
    ],
    [
      'status completed',
      { status: 'completed', category: [OMT], period: { start: '2026-01-05' } },
      'possible 2026-01-05..2027-01-05',
    ],
    [
      'status stopped',
      { status: 'stopped', category: [OMT], period: { start: '2026-01-05' } },
      'possible 2026-01-05..2027-01-05',
    ],
    ['status completed without a date', { status: 'completed', category: [OMT] }, undefined],
    [
      'status completed, created: no other day is known',
      { status: 'completed', category: [OMT], created: '2026-01-01' },
      'possible 2026-01-01..2027-01-01',
    ],
    ['only an end', { category: [OMT], period: { end: '2026-02-01' } }, 'possible 2026-02-01..2027-02-01'],
    [
      'an end before its start',
      { category: [OMT], period: { start: '2026-02-10', end: '2026-02-01' } },
      'possible 2026-02-01..2027-02-01',
    ],
    ['an end by its month', { category: [OMT], period: { end: '2026-02' } }, 'possible 2026-02-28..2027-02-28'],
    ['status revoked', { status: 'revoked', category: [OMT] }, undefined],
    ['status draft', { status: 'draft', category: [OMT] }, undefined],
    ['status preparation', { status: 'preparation', category: [OMT] }, undefined],
    ['status not-done', { status: 'not-done', category: [OMT] }, undefined],
    ['status entered-in-error', { status: 'entered-in-error', category: [OMT] }, undefined],
  ])('CarePlan: %s', (_, more, expected) => {
    expect(plan(more)).toBe(expected);
  });

  test.each<[element: string, more: Json, read: string | undefined]>([
    ['performedDateTime', { performedDateTime: '2026-01-05' }, 'possible 2026-01-05..2027-01-05'],
    [
      'performedPeriod',
      { performedPeriod: { start: '2026-01-05', end: '2026-02-01' } },
      'possible 2026-01-05..2027-02-01',
    ],
    [
      'performedPeriod without an end',
      { status: 'in-progress', performedPeriod: { start: '2026-01-05' } },
      'presumed 2026-01-05..',
    ],
    [
      'occurrencePeriod (R5)',
      { status: 'in-progress', occurrencePeriod: { start: '2026-01-05' } },
      'presumed 2026-01-05..',
    ],
    ['occurrenceDateTime (R5)', { occurrenceDateTime: '2026-01-05' }, 'possible 2026-01-05..2027-01-05'],
    [
      'performedDateTime, in progress: that day',
      { status: 'in-progress', performedDateTime: '2026-01-05' },
      'possible 2026-01-05..2027-01-05',
    ],
    ['a future performedDateTime', { performedDateTime: '2026-04-05' }, 'possible 2026-04-05..2027-04-05'],
    [
      'performedPeriod takes precedence over performedDateTime',
      { status: 'in-progress', performedPeriod: { start: '2026-01-02' }, performedDateTime: '2026-01-05' },
      'possible 2026-01-02..2027-01-05',
    ],
  ])('Procedure: %s', (_, more, expected) => {
    expect(known({ resourceType: 'Procedure', status: 'completed', code: OMT, ...more })).toBe(expected);
  });
});

describe('results', () => {
  const SCREEN = coded('http://loinc.org', '3390-2');
  const observation = (more: Json) =>
    chartOf([
      {
        resourceType: 'Observation',
        id: 'r',
        status: 'final',
        code: SCREEN,
        effectiveDateTime: '2026-02-27',
        subject,
        ...more,
      },
    ]).results;
  test.each<[element: string, more: Json, read: object]>([
    ['valueInteger', { valueInteger: 250 }, { value: 250 }],
    ['valueDecimal', { valueDecimal: 2.5 }, { value: 2.5 }],
    [
      'valueQuantity',
      { valueQuantity: { value: 250, code: 'ug/L', unit: 'x' } },
      { value: 250, unit: 'ug/l', outcome: 'positive' },
    ],
    [
      'referenceRange in the same unit',
      { valueQuantity: { value: 90, unit: 'ug/L' }, referenceRange: [{ high: { value: 80, unit: 'ug/L' } }] },
      { outcome: 'positive', timesUpperLimit: 1.125 },
    ],
    ['specimen is not read', { valueString: 'POS', specimen: { reference: 'Specimen/x' } }, { outcome: 'positive' }],
  ])('%s', (_, more, expected) => {
    expect(observation(more)).toMatchObject([expected]);
  });

  test('a referenceRange in another unit gives no limit', () => {
    const [found] = observation({
      valueQuantity: { value: 90, unit: 'ug/L' },
      referenceRange: [{ high: { value: 80, unit: 'nmol/L' } }],
    });
    expect([found?.outcome, found?.timesUpperLimit]).toEqual(['negative', undefined]);
  });
});

test('a name in the record is used for the medicine', () => {
  expect(treatmentOf([orderOf({ ...concept('N05BA04'), text: 'Sobril 15 mg' }, SINCE)])?.name).toBe('Sobril 15 mg');
});

test.each<[element: string, extension: Json]>([
  ['valueCoding', { valueCoding: { code: '-90' } }],
  ['valueCodeableConcept', { valueCodeableConcept: { coding: [{ code: ' -90 ' }] } }],
  ['an extension inside', { extension: [{ url: 'y', valueCoding: { code: '-90' } }] }],
])('a reimbursement code is a reason: %s', (_, extension) => {
  const reasons = (more: Json) => treatmentOf([orderOf('N02AA01', { ...SINCE, ...more })])?.reasons;
  expect(reasons({ extension: [{ url: 'x', ...extension }] })).toEqual([{ lists: ['palliative-care'] }]);
  expect(reasons({ extension: [{ url: 'x', valueCoding: { code: '1' } }] })).toEqual([]);
  expect(reasons({ extension: [{ url: 'x', valueCoding: { display: '-90' } }] })).toEqual([]);
});

test('reasons of R4, of R5 and of reimbursement all count', () => {
  const found = treatmentOf([
    orderOf('N02AA01', {
      ...SINCE,
      reasonCode: [coded(ICD, 'R52.2')],
      reasonReference: [{ reference: 'Condition/c' }],
      reason: [{ concept: coded(ICD, 'C50.9') }, { reference: { reference: 'Condition/c' } }],
      extension: [{ url: 'x', valueCoding: { code: '-90' } }],
    }),
    condition('c', 'M17.1'),
  ]);
  expect(found?.reasons.map(({ lists }) => lists[0])).toEqual([
    'pain',
    'malignant-disease',
    'pain',
    'pain',
    'palliative-care',
  ]);
});

describe('removal of an implant: the day of the procedure', () => {
  const implant = administrationOf({ ...concept('N07BC01'), text: 'Sixmo' }, { effectiveDateTime: '2026-01-01' });
  const removed = (more: Json) =>
    periodsOf(
      treatmentOf([
        implant,
        {
          resourceType: 'Procedure',
          id: 'p',
          status: 'completed',
          code: { text: 'fjerning av implantat' },
          subject,
          ...more,
        },
      ]),
    );
  const OPEN = removed({ performedDateTime: '2025-12-31' });
  test.each<[element: string, more: Json, isRead: boolean]>([
    ['performedDateTime', { performedDateTime: '2026-02-01' }, true],
    ['performedPeriod.start', { performedPeriod: { start: '2026-02-01', end: '2026-02-03' } }, true],
    ['occurrenceDateTime (R5)', { occurrenceDateTime: '2026-02-01' }, true],
    ['occurrencePeriod.start (R5)', { occurrencePeriod: { start: '2026-02-01' } }, true],
    ['none', {}, false],
    ['before the insertion', { performedDateTime: '2025-12-31' }, false],
    ['status not-done', { status: 'not-done', performedDateTime: '2026-02-01' }, false],
  ])('%s', (_, more, isRead) => {
    const periods = removed({
      ...more,
      code: { coding: [{ system: SNOMED, code: '384781000' }], text: 'implant removal' },
    });
    if (isRead) expect(periods).toMatch(/\.\.2026-02-01$/);
    else expect(periods).toBe(OPEN);
  });

  test.each<[what: string, code: Json, out: boolean]>([
    ['two texts, each with one of the words', { text: 'fjerning', coding: [{ display: 'implantat' }] }, true],
    ['only one of the words', { text: 'fjerning' }, false],
    ['only the other', { text: 'implantat' }, false],
    ['nothing', {}, false],
  ])('its text means LARO: %s', (_, code, out) => {
    expect(removed({ performedDateTime: '2026-02-01', code })?.endsWith('..2026-02-01')).toBe(out);
  });

  test('a code listed by a site counts without a word', () => {
    const { codes } = knowledge;
    const exact = new Map([...codes.procedures.exact, ['snomed|1', ['implant-removal']]] as const);
    const site = { ...knowledge, codes: { ...codes, procedures: { ...codes.procedures, exact } } };
    const procedure = {
      ...{ resourceType: 'Procedure', id: 'p', status: 'completed', performedDateTime: '2026-02-01', subject },
      code: coded(SNOMED, '1'),
    };
    const end = (own: typeof site) => treatmentOf([implant, procedure], { knowledge: own })?.endKnown;
    expect([end(knowledge), end(site)]).toEqual([false, true]);
  });
});

describe('which end of a draft is computed', () => {
  const stopFrom = (...dosageInstruction: Json[]) => draftIn(draftOf('oxycodone', { dosageInstruction }))?.stopFrom;
  const counted = line({ ...times(1), count: 5 });
  const bounded = line(until('2026-03-20'));
  const event = { timing: { event: ['2026-03-10'] } };
  test.each<[what: string, lines: Json[], from: string | undefined]>([
    ['bounds', [bounded], 'bounds'],
    ['a count', [counted], 'count'],
    ['an event', [event], 'event'],
    ['bounds, then a count', [bounded, counted], 'count'],
    ['a count, then bounds', [counted, bounded], 'count'],
    ['an event, then bounds', [event, bounded], 'event'],
    ['an event, then a count', [event, counted], 'count'],
    ['bounds, and a line without an end', [bounded, line(times(1))], undefined],
  ])('%s', (_, lines, from) => {
    expect(stopFrom(...lines)).toBe(from);
  });
});

test('a quantity with repeats lasts longer in proportion', () => {
  const stop = (dispenseRequest: Json) =>
    draftIn(draftOf('oxycodone', { dosageInstruction: [line(times(2), pieces(1))], dispenseRequest }))?.stop;
  const quantity = { value: 10, unit: 'st' };
  expect([
    stop({ quantity }),
    stop({ quantity, numberOfRepeatsAllowed: 2 }),
    stop({ quantity, numberOfRepeatsAllowed: -1 }),
  ]).toEqual(['2026-03-06', '2026-03-16', '2026-03-06']);
});

describe('a depot', () => {
  const depot = (kind: typeof orderOf, more: Json) => kind({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, more);
  test('its last dose is reported, unless it only may have been given', () => {
    expect(treatmentOf([depot(administrationOf, { effectiveDateTime: '2026-02-01' })])?.lastDose).toBe('2026-02-01');
    expect(treatmentOf([depot(orderOf, { authoredOn: '2026-02-01', status: 'unknown' })])?.lastDose).toBeUndefined();
    expect(
      treatmentOf([
        depot(administrationOf, { effectiveDateTime: '2026-02-01' }),
        depot(administrationOf, { id: 'b', effectiveDateTime: '2026-01-01' }),
      ])?.lastDose,
    ).toBe('2026-02-01');
  });

  test('stopped at an unknown time, its last dose may be on any day; completed, it keeps its day', () => {
    const periods = (status: string) => periodsOf(treatmentOf([depot(orderOf, { authoredOn: '2026-02-01', status })]));
    expect(periods('completed')).not.toBe(periods('stopped'));
    expect(periods('completed')).toContain('taken 2026-02-01..2026-03-29');
    expect(periods('stopped')).not.toContain('taken');
  });
});

test('of equally informative entries the newest leads, and of two on one day the first by name', () => {
  const one = (id: string, authoredOn: string) => orderOf('oxazepam', { id, authoredOn });
  const leads = (...entries: Json[]) => treatmentOf(entries)?.id;
  expect(leads(one('a', '2026-02-01'), one('b', '2026-02-02'))).toBe('b');
  expect(leads(one('b', '2026-02-02'), one('a', '2026-02-01'))).toBe('b');
  expect(leads(one('b', '2026-02-01'), one('a', '2026-02-01'))).toBe('a');
  expect(leads(one('a', '2026-02-01'), one('b', '2026-02-01'))).toBe('a');
});

test('a treatment that only may continue begins where it began', () => {
  const plan = {
    resourceType: 'CarePlan',
    id: 'x',
    status: 'completed',
    category: [coded(SNOMED, '310653000')],
    subject,
  };
  expect(treatmentOf([{ ...plan, period: { start: '2020-01-01', end: '2020-02-01' } }])?.start).toBe('2020-01-01');
});

test('one foreign order among others leaves the rest readable', () => {
  const foreign = { resourceType: 'MedicationOrder', id: 'f', subject };
  const mine = orderOf('oxazepam', SINCE);
  const list = (...resources: Json[]) => chartOf([], { prefetch: { medications: bundle(resources, 'searchset') } });
  const stu3 = { ...mine, requester: { agent: { reference: 'Practitioner/x' } } };
  expect([list(mine).unusable, list(mine, stu3).unusable, list(stu3).unusable, list(stu3, foreign).unusable]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  const otherPatient = { ...mine, id: 'o', subject: { reference: 'Patient/ola' } };
  expect(list(otherPatient, stu3).unusable).toBe(true);
});

test('if one of two codes of a classification is ours, it decides', () => {
  const both = (...atc: string[]) => ({ coding: atc.map((code) => ({ system: ATC, code })) });
  for (const codes of [
    ['N02BE01', 'N05BA04'],
    ['N05BA04', 'N02BE01'],
  ])
    expect(treatmentOf([orderOf(both(...codes), SINCE)])?.lists.length).toBeGreaterThan(0);
  expect(treatmentOf([orderOf(both('N02BE01', 'A02BC01'), SINCE)])).toBeUndefined();
});
