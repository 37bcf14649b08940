import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { knowledge } from '../testing/app.ts';
import { at, chartOf, concept, draftOf, orderOf, statementOf, TODAY, treatmentOf } from '../testing/charts.ts';
import { bundle, condition, encounter, type Json } from '../testing/request.ts';
import { fieldNames } from './chart.ts';

// How the parts of a call become one chart. The evaluation date is 2026-03-02.
const OXAZEPAM = { code: concept('N05BA04') };
const subject = { reference: 'Patient/kari' };
const pointing = (reference: string, more: Json = {}): Json => {
  const { medicationCodeableConcept: _, ...order } = orderOf('oxazepam', { authoredOn: at(-3), ...more });
  return { ...order, medicationReference: { reference } };
};
const medication = (more: Json = {}): Json => ({ resourceType: 'Medication', id: 'm', ...OXAZEPAM, ...more });
const entries = (...entry: Json[]) => ({ resourceType: 'Bundle', type: 'searchset', entry });
const substances = (prefetch: Json, context: Json = {}) =>
  chartOf([], { prefetch, context }).treatments.map(({ substance }) => substance);

describe('a referenced resource is looked up wherever it was sent', () => {
  const SERVER = 'https://fhir.example/r4/';
  test.each<[what: string, reference: string, entry: Json, found: boolean]>([
    ['by its type and id', 'Medication/m', { resource: medication() }, true],
    ['by another id', 'Medication/n', { resource: medication() }, false],
    ['by another type', 'Substance/m', { resource: medication() }, false],
    ['by one of its versions', 'Medication/m/_history/12', { resource: medication() }, true],
    ['by its id alone', 'm', { resource: medication() }, false],
    ['by an address, if its entry has none', `${SERVER}Medication/m`, { resource: medication() }, true],
    ['by an address and a version', `${SERVER}Medication/m/_history/12`, { resource: medication() }, true],
    ['by its own address', `${SERVER}Medication/m`, { fullUrl: `${SERVER}Medication/m`, resource: medication() }, true],
    [
      'by an address, if its entry has another',
      'https://other.example/Medication/m',
      { fullUrl: `${SERVER}Medication/m`, resource: medication() },
      false,
    ],
    ['by a local name of its entry', 'urn:uuid:1', { fullUrl: 'urn:uuid:1', resource: medication() }, true],
    ['by another local name', 'urn:uuid:2', { fullUrl: 'urn:uuid:1', resource: medication() }, false],
    [
      'by its type and id, although its entry has an address',
      'Medication/m',
      { fullUrl: `${SERVER}Medication/m`, resource: medication() },
      true,
    ],
  ])('%s', (_, reference, entry, found) => {
    const expected = found ? ['oxazepam'] : [];
    expect(substances({ medications: entries({ resource: pointing(reference) }, entry) })).toEqual(expected);
    // Also under another key of the prefetch.
    expect(substances({ medications: bundle([pointing(reference)], 'searchset'), conditions: entries(entry) })).toEqual(
      expected,
    );
  });

  const drafts = (draft: Json, entry: Json) =>
    chartOf([], {
      hook: 'order-sign',
      context: { draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: draft }, entry] } },
    }).drafts.map(({ substance }) => substance);
  test.each<[what: string, reference: string, entry: Json, found: boolean]>([
    ['by its type and id', 'Medication/m', { resource: medication() }, true],
    ['by an address', `${SERVER}Medication/m`, { resource: medication() }, true],
    ['by a local name of its entry', 'urn:uuid:1', { fullUrl: 'urn:uuid:1', resource: medication() }, true],
    ['by another', 'urn:uuid:2', { fullUrl: 'urn:uuid:1', resource: medication() }, false],
    ['by another id', 'Medication/n', { resource: medication() }, false],
  ])('among the drafts: %s', (_, reference, entry, found) => {
    expect(drafts(pointing(reference, { id: 'd', status: 'draft' }), entry)).toEqual(found ? ['oxazepam'] : []);
  });

  test('of two entries with one name the first counts', () => {
    const other = medication({ code: concept('N05CF01') });
    const draft = pointing('Medication/m', { id: 'd', status: 'draft' });
    const both = (one: Json, two: Json) =>
      chartOf([], { hook: 'order-sign', context: { draftOrders: bundle([draft, one, two]) } }).drafts[0]?.substance;
    expect(both(medication(), other)).toBe('oxazepam');
    expect(both(other, medication())).toBe('zopiclone');
  });

  test('the record takes precedence over the drafts', () => {
    const draft = pointing('Medication/m', { id: 'd', status: 'draft' });
    const chart = chartOf([], {
      hook: 'order-sign',
      context: { draftOrders: bundle([draft, medication({ code: concept('N05CF01') })]) },
      prefetch: { medications: bundle([medication()], 'searchset') },
    });
    expect(chart.drafts.map(({ substance }) => substance)).toEqual(['oxazepam']);
  });
});

describe('whose resource it is', () => {
  test('a resource whose subject is an entry other than the patient belongs to another', () => {
    const group = { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Group', id: 'kari' } };
    const mine = { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient', id: 'kari' } };
    const others = { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient', id: 'ola' } };
    const owned = (entry: Json) =>
      substances({
        medications: entries({ resource: orderOf('oxazepam', { subject: { reference: 'urn:uuid:1' } }) }, entry),
      });
    expect([owned(mine), owned(others), owned(group)]).toEqual([['oxazepam'], [], []]);
  });

  test.each<[reference: string, own: boolean]>([
    ['Patient/kari', true],
    ['kari', true],
    ['https://fhir.example/Patient/kari', true],
    ['Patient/kari/_history/3', true],
    ['urn:uuid:kari', true],
    ['Patient/ola', false],
    ['ola', false],
    ['Group/kari', false],
    ['https://fhir.example/Group/kari', false],
  ])('by a reference to %s, without the patient itself', (reference, own) => {
    const chart = chartOf([orderOf('oxazepam', { subject: { reference } })], { prefetch: { patient: undefined } });
    expect(chart.treatments).toHaveLength(own ? 1 : 0);
  });

  test.each<[what: string, more: Json, own: boolean]>([
    ['patient', { patient: subject }, true],
    ['patient, another', { patient: { reference: 'Patient/ola' } }, false],
    ['subject takes precedence over patient', { subject, patient: { reference: 'Patient/ola' } }, true],
    ['neither', {}, true],
  ])('by %s', (_, more, own) => {
    const relative = { resourceType: 'FamilyMemberHistory', id: 'f', status: 'completed', ...more };
    const chart = chartOf([relative]);
    expect(chart.familyHistory).toHaveLength(own ? 1 : 0);
    expect(chart.leftOut).toEqual(own ? [] : [{ what: 'record', why: 'other-patient', ref: 'FamilyMemberHistory/f' }]);
  });

  test.each<[what: string, participant: unknown, own: boolean]>([
    ['the patient among others', [{ actor: { reference: 'Practitioner/n' } }, { actor: subject }], true],
    ['another patient', [{ actor: { reference: 'Patient/ola' } }], false],
    ['the patient by an address', [{ actor: { reference: 'https://fhir.example/Patient/kari' } }], true],
    ['a type that only ends like it', [{ actor: { reference: 'NoPatient/ola' } }], true],
    ['nobody', [{ status: 'accepted' }], true],
  ])('an appointment: %s', (_, participant, own) => {
    const appointment = { resourceType: 'Appointment', id: 'a', status: 'booked', participant };
    expect(chartOf([appointment]).appointments).toHaveLength(own ? 1 : 0);
  });

  test('left-out resources are reported as an order, a medicine or another part of the record', () => {
    const other = { subject: { reference: 'Patient/ola' } };
    const chart = chartOf(
      [
        orderOf('oxazepam', other),
        statementOf('oxazepam', other),
        condition('c', 'F11.2', other),
        condition('d', 'F11.2', { clinicalStatus: 'active' }),
      ],
      { drafts: [draftOf('oxazepam', other), draftOf('oxazepam', { id: 'e', requester: { agent: {} } })] },
    );
    expect(chart.leftOut.map(({ what, why, ref }) => [what, why, ref])).toEqual([
      ['medication', 'other-patient', 'MedicationRequest/MedicationRequest-1'],
      ['medication', 'other-patient', 'MedicationStatement/MedicationStatement-1'],
      ['record', 'fhir-version', 'Condition/d'],
      ['record', 'other-patient', 'Condition/c'],
      ['order', 'fhir-version', 'MedicationRequest/e'],
      ['order', 'other-patient', 'MedicationRequest/draft-1'],
    ]);
    expect(chart.unread.drafts).toEqual([{ ref: 'MedicationRequest/e', name: undefined }]);
  });
});

describe('drafted referrals', () => {
  const referral = (more: Json) => ({
    ...{ resourceType: 'ServiceRequest', id: 'r', status: 'draft', intent: 'order', authoredOn: TODAY, subject },
    ...more,
  });
  test('drafted referrals count beside those of the record, only for this patient, and no other draft does', () => {
    const refs = (...drafts: Json[]) =>
      chartOf([referral({ id: 'old', status: 'active' })], { drafts }).referrals.map(({ ref }) => ref);
    expect(refs(draftOf('oxazepam'), referral({}))).toEqual(['ServiceRequest/old', 'ServiceRequest/r']);
    expect(refs(draftOf('oxazepam'), referral({ subject: { reference: 'Patient/ola' } }))).toEqual([
      'ServiceRequest/old',
    ]);
    expect(refs(draftOf('oxazepam'), referral({ resourceType: 'Task' }))).toEqual(['ServiceRequest/old']);
    expect(chartOf([], { drafts: [referral({})] }).procedures).toEqual([]);
  });
});

describe('the FHIR version of the answer', () => {
  const r5 = (order: Json): Json => {
    const { medicationCodeableConcept, ...rest } = order;
    return { ...rest, medication: { concept: medicationCodeableConcept } };
  };
  test.each<[what: string, record: Json[], drafts: Json[], version: 'R4' | 'R5']>([
    ['nothing', [], [], 'R4'],
    ['orders of R4', [orderOf('oxazepam')], [draftOf('oxazepam')], 'R4'],
    ['a draft of R5', [], [r5(draftOf('oxazepam'))], 'R5'],
    ['an order of R5', [r5(orderOf('oxazepam'))], [], 'R5'],
    ['an order of R5 among others', [orderOf('oxazepam'), r5(orderOf('oxazepam', { id: 'b' }))], [], 'R5'],
    ['an order of R5, a draft of R4', [r5(orderOf('oxazepam'))], [draftOf('oxazepam')], 'R5'],
  ])('%s', (_, record, drafts, version) => {
    expect(chartOf(record, { drafts }).version).toBe(version);
  });
});

describe('what cannot be used at all', () => {
  const mine = orderOf('oxazepam');
  const stu3 = (order: Json) => ({ ...order, requester: { agent: {} } });
  test.each<[what: string, record: Json[], drafts: Json[], unusable: boolean]>([
    ['nothing', [], [], false],
    ['every draft', [], [stu3(draftOf('oxazepam'))], true],
    ['one draft of two', [], [stu3(draftOf('oxazepam')), draftOf('oxazepam', { id: 'b' })], false],
    ['every entry of the list', [stu3(mine)], [draftOf('oxazepam')], true],
    [
      'every draft, and others left out for another reason',
      [orderOf('atorvastatin')],
      [stu3(draftOf('oxazepam'))],
      true,
    ],
    ['every draft, with a list', [mine], [stu3(draftOf('oxazepam'))], true],
    ['a condition', [mine, condition('c', 'F11.2', { clinicalStatus: 'active' })], [], false],
    ['another patient’s entries', [{ ...mine, subject: { reference: 'Patient/ola' } }], [], false],
  ])('%s', (_, record, drafts, unusable) => {
    expect(chartOf(record, { drafts }).unusable).toBe(unusable);
  });
});

test('a part of the record in another version is incomplete or missing', () => {
  const sections = (...record: Json[]) => chartOf(record).sections;
  const foreign = condition('d', 'F11.2', { clinicalStatus: 'active' });
  expect(sections(condition('c', 'F11.2')).conditions).toBe('complete');
  expect(sections(condition('c', 'F11.2'), foreign).conditions).toBe('partial');
  expect(sections(foreign).conditions).toBe('partial');
  expect(sections(condition('c', 'F11.2', { subject: { reference: 'Patient/ola' } })).conditions).toBe('missing');
  expect(chartOf([], { prefetch: { conditions: undefined } }).sections.conditions).toBe('missing');
});

describe('where the patient is', () => {
  const setting = (value: unknown, context: Json = {}) =>
    chartOf([], { prefetch: { encounter: value }, context }).setting;
  test('a call without an encounter is about the one in progress', () => {
    const bare = { encounterId: undefined };
    expect(setting(encounter('IMP'), bare)).toBe('inpatient');
    expect(setting({ ...encounter('IMP'), status: 'finished' }, bare)).toBeUndefined();
    expect(setting({ ...encounter('IMP'), status: 'finished' })).toBe('inpatient');
  });

  test('the first known of several classes counts', () => {
    const classes = ['PRENC', 'IMP', 'AMB'].map((code) => ({ coding: [{ code }] }));
    expect(setting({ ...encounter('IMP'), class: classes })).toBe('inpatient');
    expect(setting({ ...encounter('IMP'), class: { display: 'x' } })).toBeUndefined();
  });
});

test('the age is that of the call’s patient', () => {
  const born = (id: string, birthDate: string) => ({ resourceType: 'Patient', id, birthDate });
  const age = (patient: unknown) => chartOf([], { prefetch: { patient } }).age;
  expect(age(bundle([born('ola', '2000-01-01'), born('kari', '1981-01-01')]))).toEqual({ least: 45, most: 45 });
  expect(age(born('ola', '2000-01-01'))).toBeUndefined();
});

test('the patient of the call', () => {
  expect(chartOf([]).subject).toEqual({ patient: 'kari', encounter: 'visit' });
  expect(chartOf([], { context: { encounterId: undefined } }).subject).toEqual({ patient: 'kari' });
});

describe('a record beyond the limits is refused with the limit', () => {
  const refused = (work: () => unknown, diagnostic: string) =>
    expect(work).toThrow(expect.objectContaining({ code: 'too-many', diagnostics: [diagnostic] }));
  const numbered = (count: number, order: Json) =>
    Array.from({ length: count }, (_, at) => ({ ...order, id: `o${at}` }));
  test('draft orders', () => {
    const drafts = (count: number) => chartOf([], { drafts: numbered(count, draftOf('atorvastatin')) });
    expect(drafts(limits.drafts).leftOut).toHaveLength(limits.drafts);
    refused(() => drafts(limits.drafts + 1), `draft orders: at most ${limits.drafts}`);
  });

  test('dosage lines of the record and the drafts together', () => {
    const many = (count: number) => ({ dosageInstruction: Array.from({ length: count }, () => ({})) });
    const said = `dosage lines and dates in them: at most ${limits.dosages}`;
    const full = numbered(limits.dosages / 1000, orderOf('atorvastatin', many(1000)));
    refused(() => chartOf(full, { drafts: [draftOf('atorvastatin', many(1))] }), said);
    refused(() => chartOf([...full, orderOf('atorvastatin', { id: 'more', ...many(1) })]), said);
    expect(chartOf(full).leftOut).toHaveLength(full.length);
  });

  test('resources of the record and the drafts together', () => {
    const nothing = { resourceType: 'Observation', status: 'x' };
    const record = Array.from({ length: limits.resources - 3 }, () => nothing);
    // The call's own patient and encounter count too.
    expect(chartOf(record, { drafts: [draftOf('atorvastatin')] }).drafts).toEqual([]);
    refused(
      () => chartOf(record, { drafts: [draftOf('atorvastatin'), draftOf('atorvastatin', { id: 'b' })] }),
      `resources: at most ${limits.resources}`,
    );
  });

  test('medicines, problems and results in code lists', () => {
    const dispenses = numbered(limits.listed - 2, {
      ...{ resourceType: 'MedicationDispense', status: 'completed', whenHandedOver: at(-3), subject },
      medicationCodeableConcept: concept('N05BA04'),
    });
    const result = (id: string) => ({
      ...{ resourceType: 'Observation', id, status: 'final', subject, effectiveDateTime: at(-1) },
      code: { coding: [{ system: 'http://loinc.org', code: '16201-6' }] },
    });
    const record = [...dispenses, condition('c', 'F11.2'), result('r')];
    expect(chartOf(record).treatments).toHaveLength(1);
    const said = `medicines, problems and results in code lists: at most ${limits.listed}`;
    refused(() => chartOf([...record, condition('d', 'F11.2')]), said);
    refused(() => chartOf([...record, result('s')]), said);
  });
});

describe('an entry sent twice, and one that was taken back', () => {
  const left = (record: Json[], drafts: Json[] = []) => {
    const { treatments, leftOut } = chartOf(record, { drafts });
    return [treatments.flatMap(({ entries }) => entries().map(({ ref }) => ref)), leftOut.map(({ why }) => why)];
  };
  const one = orderOf('oxazepam', { id: 'a' });
  const said = statementOf('oxazepam', { id: 'a' });
  const ORDER = 'MedicationRequest/a';
  test.each<[what: string, record: Json[], drafts: Json[], left: unknown[]]>([
    ['once', [one], [], [[ORDER], []]],
    ['twice', [one, one], [], [[ORDER], ['twice']]],
    ['of two kinds', [one, said], [], [[ORDER, 'MedicationStatement/a'], []]],
    [
      'two without an id',
      [
        { ...one, id: undefined },
        { ...one, id: undefined },
      ],
      [],
      [['MedicationRequest/', 'MedicationRequest/'], []],
    ],
    ['first as invalid', [{ ...one, status: 'cancelled' }, one], [], [[ORDER], ['status']]],
    ['taken back by a draft', [one], [{ ...one, status: 'entered-in-error' }], [[], ['status', 'twice']]],
    [
      'another kind with that id',
      [said],
      [{ ...one, status: 'entered-in-error' }],
      [['MedicationStatement/a'], ['status']],
    ],
  ])('%s', (_, record, drafts, expected) => {
    expect(left(record, drafts)).toEqual(expected);
  });
});

describe('unrecognised medicines on record', () => {
  const unread = (more: Json) => chartOf([orderOf({ text: 'Xylofin' }, more)]).unread.treatments;
  test.each<[what: string, more: Json, told: boolean]>([
    ['in force', { authoredOn: at(-3) }, true],
    ['begins tomorrow', { authoredOn: at(1) }, true],
    ['presumed', { authoredOn: '2020-01-01' }, true],
    ['only possible', { authoredOn: at(-3), status: 'unknown' }, false],
    ['ended yesterday', { authoredOn: at(-3), status: 'stopped', statusChanged: at(-1) }, false],
  ])('%s', (_, more, told) => {
    expect(unread(more)).toEqual(told ? [{ ref: 'MedicationRequest/MedicationRequest-1', name: 'Xylofin' }] : []);
  });

  test('a heading for agonist treatment that ended at an unknown time may continue for 24 months', () => {
    const heading = (authoredOn: string) =>
      treatmentOf([orderOf({ text: 'LARO-preparat' }, { authoredOn, status: 'stopped' })])?.degree;
    expect(heading('2024-03-02')).toBe('possible');
    expect(heading('2024-03-01')).toBeUndefined();
  });
});

test('the dispensing period is an end on record only if the site says so, and is then a planned one', () => {
  const site = { ...knowledge, site: { ...knowledge.site, validityPeriodEndsTreatment: true } };
  const validity = { dispenseRequest: { validityPeriod: { end: at(-1) } } };
  const found = (more: Json) =>
    treatmentOf([orderOf('oxazepam', { authoredOn: at(-9), ...more })], { knowledge: site });
  expect([found(validity)?.degree, found(validity)?.endKnown]).toEqual([undefined, true]);
  expect(found({})?.degree).toBe('taken');
  expect(found({ ...validity, status: 'stopped' })?.endKnown).toBe(false);
});

describe('the fields that a fact may use', () => {
  /** Fields of functions that relate two medicines, and of the trace: no fact sees them. */
  const HIDDEN = ['prescribed', 'timeline', 'entries', 'supplies'];
  test('are those of a chart', () => {
    const chart = chartOf(
      [
        orderOf({ ...concept('N07BC01'), text: 'Sublocade 300 mg' }, { authoredOn: at(-9) }),
        condition('c', 'F11.2', { onsetDateTime: '2020-01-01' }),
        {
          ...{ resourceType: 'Observation', status: 'final', id: 'o', subject, effectiveDateTime: at(-1) },
          code: { coding: [{ system: 'http://loinc.org', code: '16201-6' }] },
          valueQuantity: { value: 90, unit: 'ug/L' },
          referenceRange: [{ high: { value: 80 } }],
        },
        { resourceType: 'Procedure', id: 'p', status: 'completed', performedDateTime: at(-1), subject },
      ],
      {
        drafts: [
          draftOf('oxazepam', {
            dosageInstruction: [
              {
                timing: { repeat: { frequency: 1, period: 1, periodUnit: 'd', count: 5 } },
                doseQuantity: { value: 1 },
              },
            ],
            dispenseRequest: { quantity: { value: 5 } },
            reasonCode: [concept('N05BA04')],
          }),
        ],
      },
    );
    const { drafts, treatments, conditions, results, procedures } = chart;
    const shown = [...drafts, ...treatments, ...conditions, ...results, ...procedures, ...(drafts[0]?.reasons ?? [])];
    const fields = new Set(shown.flatMap(Object.keys));
    expect(fields.size).toBeGreaterThan(40);
    expect([...fields].filter((field) => !fieldNames.has(field)).sort()).toEqual([...HIDDEN].sort());
  });

  test('are those of pairs and courses, without what only a site knows', () => {
    for (const field of ['one', 'other', 'washout', 'certain', 'end', 'drugs', 'smallestPackage', 'afterDays'])
      expect(fieldNames).toContain(field);
  });
});
