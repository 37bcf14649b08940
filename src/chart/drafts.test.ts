import { describe, expect, test } from 'vitest';
import { dateOf } from '../dates.ts';
import { knowledge } from '../testing/app.ts';
import {
  administrationOf,
  at,
  chartOf,
  concept,
  draftIn,
  draftOf,
  line,
  orderOf,
  periodsOf,
  pieces,
  TODAY,
  times,
  until,
} from '../testing/charts.ts';
import type { Json } from '../testing/request.ts';
import { isOpen } from './periods.ts';

// How the orders that a call decides on are read (recommendations.md, 1.5, 1.6 and 3). Today is 2026-03-02.
const dosage = (...dosageInstruction: Json[]) => ({ dosageInstruction });
const OXAZEPAM = draftOf('oxazepam', { id: 'a', authoredOn: TODAY });
const OXYCODONE = draftOf('oxycodone', { id: 'b', authoredOn: TODAY });

describe('which drafts a call decides on', () => {
  const ordered = (hook: string, context: Json, drafts: Json[] = [OXAZEPAM, OXYCODONE]) =>
    chartOf([], { hook, drafts, context })
      .drafts.filter((draft) => draft.ordered)
      .map(({ id }) => id);
  const select = (...selections: string[]) => ordered('order-select', { selections });
  test.each<[what: string, selections: string[], ids: string[]]>([
    ['a reference', ['MedicationRequest/b'], ['b']],
    ['an id', ['b'], ['b']],
    ['an absolute address', ['https://fhir.example/MedicationRequest/b'], ['b']],
    ['two', ['a', 'b'], ['a', 'b']],
    ['one that is not here: all, so that they are not silenced', ['c'], ['a', 'b']],
    ['nothing: all', [], ['a', 'b']],
  ])('at order-select those selected, by %s', (_, selections, ids) => {
    expect(select(...selections)).toEqual(ids);
  });

  test('at order-select those selected by the address of the entry', () => {
    const entry = [OXAZEPAM, OXYCODONE].map((resource) => ({ fullUrl: `urn:uuid:${resource['id']}-1`, resource }));
    const draftOrders = { resourceType: 'Bundle', type: 'collection', entry };
    expect(ordered('order-select', { draftOrders, selections: ['urn:uuid:b-1'] })).toEqual(['b']);
  });

  test('an order without an id cannot be selected', () => {
    const bare = { ...OXAZEPAM, id: undefined };
    expect(ordered('order-select', { selections: ['MedicationRequest/'] }, [bare, OXYCODONE])).toEqual([
      undefined,
      'b',
    ]);
    expect(ordered('order-select', { selections: ['b'] }, [bare, OXYCODONE])).toEqual(['b']);
  });

  test('at order-sign all drafts, whatever is selected', () => {
    expect(ordered('order-sign', { selections: ['b'] })).toEqual(['a', 'b']);
  });

  test('a draft that was not selected and is unreadable raises no question', () => {
    const unread = (selections: string[]) =>
      chartOf([], {
        hook: 'order-select',
        drafts: [draftOf({ text: 'Xylofin' }, { id: 'x' }), OXYCODONE],
        context: { selections },
      }).unread.drafts.map(({ ref }) => ref);
    expect(unread(['b'])).toEqual([]);
    expect(unread(['x'])).toEqual(['MedicationRequest/x']);
  });
});

describe('why drafts are left out', () => {
  const left = (draft: Json) => chartOf([], { drafts: [draft] }).leftOut;
  const ref = 'MedicationRequest/a';
  test.each<[what: string, draft: Json, why: string[]]>([
    ['a draft', OXAZEPAM, []],
    ['cancelled', { ...OXAZEPAM, status: 'cancelled' }, ['status']],
    ['stopped', { ...OXAZEPAM, status: 'stopped' }, ['status']],
    ['completed', { ...OXAZEPAM, status: 'completed' }, ['status']],
    ['ended', { ...OXAZEPAM, status: 'ended' }, ['status']],
    ['entered in error', { ...OXAZEPAM, status: 'entered-in-error' }, ['status']],
    ['not to be performed', { ...OXAZEPAM, doNotPerform: true }, ['not-performed']],
    ['to be performed', { ...OXAZEPAM, doNotPerform: false }, []],
    ['of an unknown status', { ...OXAZEPAM, status: 'x' }, ['status']],
    ['that is unrecognised', draftOf({ text: 'Xylofin' }, { id: 'a' }), ['unrecognised']],
    ['of another medicine', draftOf('atorvastatin', { id: 'a' }), ['other-medicine']],
    [
      'of an unknown status, and unrecognised',
      draftOf({ text: 'Xylofin' }, { id: 'a', status: 'x' }),
      ['status', 'unrecognised'],
    ],
  ])('%s', (_, draft, why) => {
    expect(left(draft)).toEqual(why.map((one) => ({ what: 'order', why: one, ref })));
  });

  test('a draft left out for two reasons is reported once', () => {
    const { unread } = chartOf([], { drafts: [draftOf({ text: 'Xylofin' }, { id: 'a', status: 'x' })] });
    expect(unread.drafts).toEqual([{ ref, name: 'Xylofin' }]);
  });

  test('other kinds of orders are not read', () => {
    const other = { ...OXAZEPAM, resourceType: 'DeviceRequest' };
    const chart = chartOf([], { drafts: [other, OXYCODONE] });
    expect([chart.drafts.map(({ id }) => id), chart.leftOut]).toEqual([['b'], []]);
  });

  test('a draft without an id ends nothing', () => {
    const record = [orderOf('oxazepam', { id: undefined, authoredOn: at(-9) })];
    const chart = chartOf(record, { drafts: [{ ...OXAZEPAM, id: undefined, status: 'stopped' }] });
    expect(chart.treatments[0]?.degree).toBe('taken');
    expect(chart.treatments[0]?.timeline.spans.some(({ end }) => isOpen(end))).toBe(true);
  });
});

test('an action may point to no order that shares its id with another', () => {
  const resources = (...drafts: Json[]) => [...chartOf([], { drafts }).resources.keys()];
  const other = (id: string, text: string) => draftOf('oxazepam', { id, ...dosage({ text }) });
  expect(resources(OXAZEPAM, OXYCODONE)).toEqual(['MedicationRequest/a', 'MedicationRequest/b']);
  expect(resources(other('a', '1'), other('a', '2'), OXYCODONE)).toEqual(['MedicationRequest/b']);
  expect(resources(other('a', '1'), other('a', '2'), other('a', '3'))).toEqual([]);
  expect(chartOf([], { drafts: [other('a', '1'), other('a', '2'), other('a', '3')] }).drafts).toHaveLength(3);
});

test('two orders without an id are two, even if they are equal', () => {
  const bare = { ...OXAZEPAM, id: undefined };
  expect(chartOf([], { drafts: [bare, structuredClone(bare)] }).drafts).toHaveLength(2);
});

describe('1.6: a draft of an unlisted medicine that replaces an order', () => {
  const running = orderOf('oxazepam', { id: 'running', authoredOn: at(-9) });
  const periods = (more: Json, hook?: string) => {
    const chart = chartOf([running], { drafts: [draftOf('atorvastatin', more)], ...(hook !== undefined && { hook }) });
    return [periodsOf(chart.treatments[0]), chart.treatments[0]?.endKnown];
  };
  const replaces = { priorPrescription: { reference: 'MedicationRequest/running' } };
  test.each<[what: string, more: Json, periods: string, known: boolean]>([
    ['ends it the day before', { authoredOn: TODAY, ...replaces }, 'taken 2026-02-21..2026-03-01', true],
    ['by its id', { id: 'running', authoredOn: at(5) }, `taken 2026-02-21..${at(4)}`, true],
    ['begins today if it has no date', replaces, 'taken 2026-02-21..2026-03-01', true],
    ['begins today if it was dated before', { authoredOn: at(-5), ...replaces }, 'taken 2026-02-21..2026-03-01', true],
    ['another order ends nothing', { authoredOn: TODAY }, 'taken 2026-02-21..2027-02-21, presumed 2027-02-22..', false],
    [
      'names nothing by an empty reference',
      { authoredOn: TODAY, priorPrescription: { display: 'x' } },
      'taken 2026-02-21..2027-02-21, presumed 2027-02-22..',
      false,
    ],
  ])('%s', (_, more, expected, known) => {
    expect(periods(more)).toEqual([expected, known]);
  });

  test('an unrecognised draft ends nothing', () => {
    const chart = chartOf([running], { drafts: [draftOf({ text: 'Xylofin' }, { id: 'running', authoredOn: TODAY })] });
    expect(chart.treatments[0]?.endKnown).toBe(false);
  });

  test('an administration with that id is not an order', () => {
    const given = { ...administrationOf('oxazepam', { effectiveDateTime: at(-1), status: 'unknown' }), id: 'given' };
    const change = (more: Json) => chartOf([given], { drafts: [draftOf('oxazepam', { id: 'given', ...more })] });
    expect(change({ authoredOn: TODAY }).drafts[0]?.changed).toBe(false);
    expect(change({ status: 'stopped' }).treatments[0]?.endKnown).toBe(false);
  });
});

describe('what a draft says', () => {
  const all = draftIn(
    draftOf('oxazepam', {
      ...{ id: 'a', authoredOn: at(1), requester: { reference: 'Practitioner/nils' } },
      ...dosage(line({ ...times(2), boundsDuration: { value: 5, code: 'd' } }, pieces(1))),
      dispenseRequest: { quantity: { value: 20, unit: 'st' }, numberOfRepeatsAllowed: 1 },
    }),
  );
  test('all its fields are read', () => {
    expect(all).toMatchObject({
      ...{ ref: 'MedicationRequest/a', id: 'a', name: 'oxazepam', substance: 'oxazepam', identifiedBy: 'atc' },
      ...{ draft: true, ordered: true, changed: false, taper: false, single: false, dosed: true, asNeeded: false },
      ...{ requester: 'Practitioner/nils', setting: 'outpatient', start: at(1), stop: at(5), stopFrom: 'bounds' },
      ...{ length: 5, quantity: 40, pieces: 40, repeats: 1, dailyDose: 2, degree: 'taken', fresh: true, vague: false },
      ...{ otherwise: false, onHold: false, once: false, form: [], reasons: [] },
    });
    expect(all?.prescribed.map(({ dailyDose }) => dailyDose)).toEqual([2]);
  });

  test('missing fields are absent', () => {
    const bare = draftIn(draftOf('oxazepam'));
    for (const field of [
      'stop',
      'stopFrom',
      'length',
      'quantity',
      'pieces',
      'dailyDose',
      'smallestPackage',
      'afterDays',
    ])
      expect(bare).not.toHaveProperty(field);
  });

  test.each<[what: string, more: Json, dailyDose: number | undefined]>([
    ['without a quantity', dosage(line(times(2), pieces(1))), 2],
    [
      'in the unit of the quantity',
      { ...dosage(line(times(2), pieces(1))), dispenseRequest: { quantity: { value: 5, unit: 'st' } } },
      2,
    ],
    [
      'not in another unit: the two could not be compared',
      { ...dosage(line(times(2), pieces(1))), dispenseRequest: { quantity: { value: 5, unit: 'ml' } } },
      undefined,
    ],
  ])('the daily dose: %s', (_, more, dailyDose) => {
    expect(draftIn(draftOf('oxazepam', more))?.dailyDose).toBe(dailyDose);
  });

  test('a depot that the record leaves uncertain is read as uncertain', () => {
    expect(draftIn(draftOf(concept('N07BC01')))).toMatchObject({ vague: true, afterDays: 14 });
    expect(draftIn(draftOf('methadone'))).toMatchObject({ vague: false, afterDays: 14 });
  });

  test.each<[what: string, more: Json, single: boolean]>([
    ['one unit', { dispenseRequest: { quantity: { value: 1, unit: 'st' } } }, true],
    [
      'one unit, and a repeat',
      { dispenseRequest: { quantity: { value: 1, unit: 'st' }, numberOfRepeatsAllowed: 1 } },
      false,
    ],
    [
      'half a unit, and a repeat',
      { dispenseRequest: { quantity: { value: 0.5, unit: 'st' }, numberOfRepeatsAllowed: 1 } },
      false,
    ],
    ['two units', { dispenseRequest: { quantity: { value: 2, unit: 'st' } } }, false],
    ['1 ml', { dispenseRequest: { quantity: { value: 1, unit: 'ml' } } }, false],
    ['one of two lines', dosage(line({ count: 1 }), line(times(1))), true],
  ])('a single dose: %s', (_, more, single) => {
    expect(draftIn(draftOf('oxazepam', more))?.single).toBe(single);
  });
});

describe('2.2: reasons, and what texts say about the purpose', () => {
  const coded = (code: string, more: Json = {}) => ({
    coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code, ...more }],
  });
  const read = (more: Json) => {
    const draft = draftIn(draftOf('oxycodone', more));
    return [draft?.reasons.map(({ lists }) => lists[0]), draft?.says];
  };
  const BOTH = dosage({ text: 'mot smärta, nedtrappning' });
  test.each<[what: string, more: Json, reasons: unknown[], says: string[]]>([
    ['nothing', {}, [], []],
    ['a dosage', BOTH, [], ['pain', 'taper']],
    ['the second of two lines', dosage({ text: 'x' }, { text: 'nedtrappning' }), [], ['taper']],
    [
      'a listed coded reason: the texts do not count for the purpose',
      { reasonCode: [coded('F11.2')], ...BOTH },
      ['opioid-or-other-dependence'],
      ['taper'],
    ],
    [
      'one of two listed coded reasons',
      { reasonCode: [coded('J06.9'), coded('F11.2')], ...BOTH },
      [undefined, 'opioid-or-other-dependence'],
      ['taper'],
    ],
    ['an unlisted coded reason', { reasonCode: [coded('J06.9')], ...BOTH }, [undefined], ['pain', 'taper']],
    [
      'its display, and the dosage',
      { reasonCode: [coded('J06.9', { display: 'Epilepsi' })], ...dosage({ text: 'nedtrappning' }) },
      [undefined],
      ['seizure', 'taper'],
    ],
    ['its text', { reasonCode: [{ text: 'Smärta' }] }, [undefined], ['pain']],
    ['one of two texts', { reasonCode: [{ text: 'Smärta' }, { text: 'x' }] }, [undefined, undefined], ['pain']],
    [
      'the text of a listed reason',
      { reasonCode: [{ ...coded('F11.2'), text: 'Smärta' }] },
      ['opioid-or-other-dependence'],
      [],
    ],
    [
      'an extension that is not a reason',
      { extension: [{ url: 'x', valueString: 'y' }], ...BOTH },
      [],
      ['pain', 'taper'],
    ],
    ['a reference to nothing', { reasonReference: [{ display: 'Smärta' }], ...BOTH }, [undefined], ['pain', 'taper']],
  ])('%s', (_, more, reasons, says) => {
    expect(read(more)).toEqual([reasons, says]);
  });

  test('a referenced reason is that of the condition', () => {
    const reasons = (reference: string) =>
      draftIn(draftOf('oxycodone', { reasonReference: [{ reference }, { reference }] }), [
        { resourceType: 'Condition', id: 'a', subject: { reference: 'Patient/kari' }, code: coded('F11.2') },
        { resourceType: 'Condition', id: 'b', subject: { reference: 'Patient/kari' }, code: coded('R52.2') },
      ])?.reasons.map(({ lists }) => lists[0]);
    expect(reasons('Condition/a')).toEqual(['opioid-or-other-dependence', 'opioid-or-other-dependence']);
    expect(reasons('https://fhir.example/Condition/b')).toEqual(['pain', 'pain']);
    expect(reasons('Condition/c')).toEqual([undefined, undefined]);
  });
});

describe('1.5: the period of a draft together with others', () => {
  const period = (medicine: string | Json, more: Json) =>
    draftIn(draftOf(medicine, more))?.timeline.spans.map(
      ({ start, end, degree }) => `${degree} ${dateOf(start)}..${isOpen(end) ? '' : dateOf(end)}`,
    );
  test.each<[what: string, more: Json, period: string]>([
    ['open', { authoredOn: TODAY }, 'taken 2026-03-02..'],
    ['a stated end', { authoredOn: TODAY, ...dosage(line(until(at(4)))) }, `taken 2026-03-02..${at(4)}`],
    [
      'a stated end before today: today',
      { authoredOn: at(-9), ...dosage(line(until(at(-4)))) },
      'taken 2026-03-02..2026-03-02',
    ],
    ['a count', { authoredOn: TODAY, ...dosage(line({ ...times(1), count: 5 })) }, `taken 2026-03-02..${at(4)}`],
    ['an event', { authoredOn: TODAY, ...dosage({ timing: { event: [at(3)] } }) }, `taken ${at(3)}..${at(3)}`],
    [
      'days of supply do not end it',
      { authoredOn: TODAY, dispenseRequest: { expectedSupplyDuration: { value: 5, code: 'd' } } },
      'taken 2026-03-02..',
    ],
    [
      'a length in the text does not end it',
      { authoredOn: TODAY, ...dosage({ text: 'i 5 dagar' }) },
      'taken 2026-03-02..',
    ],
  ])('%s', (_, more, expected) => {
    expect(period('oxazepam', more)).toEqual([expected]);
  });

  test('the dispensing period ends it if the site says so', () => {
    const site = { ...knowledge, site: { ...knowledge.site, validityPeriodEndsTreatment: true } };
    const draft = draftOf('oxazepam', { authoredOn: TODAY, dispenseRequest: { validityPeriod: { end: at(9) } } });
    expect(draftIn(draft, [], { knowledge: site })?.timeline.spans[0]?.end).toBe(
      draftIn(draftOf('oxazepam', dosage(line(until(at(9))))))?.timeline.spans[0]?.end,
    );
    expect(isOpen(draftIn(draft)?.timeline.spans[0]?.end ?? 0)).toBe(true);
  });

  test('a depot acts for its days after its end, and an open one stays open', () => {
    const SUBLOCADE = { ...concept('N07BC01'), text: 'Sublocade 300 mg' };
    expect(period(SUBLOCADE, { authoredOn: TODAY, ...dosage(line({ count: 1 })) })).toEqual([
      'taken 2026-03-02..2026-03-02',
      `taken 2026-03-02..${at(56)}`,
    ]);
    expect(period(SUBLOCADE, { authoredOn: TODAY })).toEqual(['taken 2026-03-02..', 'taken 2026-03-02..']);
  });

  test('its clearance counts from the first dose of a depot, and otherwise from its period', () => {
    const cleared = (medicine: string | Json, more: Json) =>
      draftIn(draftOf(medicine, more))?.timeline.cleared.map(
        ({ start, end, afterDays }) => `${dateOf(start)}..${isOpen(end) ? '' : dateOf(end)} +${afterDays}`,
      );
    const five = dosage(line({ boundsDuration: { value: 5, code: 'd' } }));
    expect(cleared({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { authoredOn: TODAY, ...five })).toEqual([
      '2026-03-02..2026-03-02 +180',
    ]);
    // The dose of an antagonist depot counts too, though it has no effect of its own.
    expect(cleared({ ...concept('N07BB04'), text: 'Vivitrol' }, { authoredOn: TODAY, ...five })).toEqual([
      '2026-03-02..2026-03-02 +30',
    ]);
    expect(cleared('oxycodone', { authoredOn: TODAY, ...five })).toEqual([`2026-03-02..${at(4)} +10`]);
    expect(cleared('oxazepam', { authoredOn: TODAY, ...five })).toEqual([]);
  });
});

describe('3: the end of a draft: what is not read', () => {
  const stop = (more: Json) => draftIn(draftOf('oxycodone', { authoredOn: TODAY, ...more }))?.stop;
  test.each<[what: string, more: Json, stop: string | undefined]>([
    [
      'a dose of 0',
      { ...dosage(line(times(3), pieces(0))), dispenseRequest: { quantity: { value: 15, unit: 'st' } } },
      undefined,
    ],
    [
      'a quantity of 0',
      { ...dosage(line(times(3), pieces(1))), dispenseRequest: { quantity: { value: 0, unit: 'st' } } },
      undefined,
    ],
    ['one of two texts without a length', dosage({ text: 'i 5 dagar' }, { text: 'enligt läkare' }), undefined],
    ['one of two lines without a text', dosage({ text: 'i 5 dagar' }, { asNeededBoolean: true }), undefined],
    ['the longer of two texts, in either order', dosage({ text: 'i 9 dagar' }, { text: 'i 5 dagar' }), at(8)],
  ])('%s', (_, more, expected) => {
    expect(stop(more)).toBe(expected);
  });
});
