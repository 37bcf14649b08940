import { assess } from '../../src/answer.ts';
import { readRequest } from '../../src/http/wire.ts';
import type { Hook } from '../../src/rules/schema.ts';
import { knowledge } from '../../src/testing/app.ts';
import { type Json, medicines, unrelatedMedicines } from '../../src/testing/examples.ts';
import { bundle, condition, order, prescription, request } from '../../src/testing/request.ts';

export type Body = { name: string; hook: Hook; text: string };

/** A prescription as record systems write it: some 950 bytes, by default of a medicine in no list. */
function written(at: number, drug?: string): Json {
  const name = unrelatedMedicines[at % unrelatedMedicines.length] as string;
  const own = {
    coding: [
      { system: 'urn:oid:1.2.752.129.2.1.5.1', code: `2009${String(at).padStart(10, '0')}`, display: `${name} 10 mg` },
      { system: 'http://www.whocc.no/atc', code: `C10AA${String(at % 90).padStart(2, '0')}`, display: name },
    ],
    text: `${name} 10 mg filmdragerad tablett`,
  };
  return {
    meta: { versionId: '3', lastUpdated: '2026-02-02T08:11:23.417+01:00' },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/medicationrequest-category', code: 'community' }] },
    ],
    ...(drug === undefined && { medicationCodeableConcept: own }),
    encounter: { reference: `Encounter/${at}` },
    requester: { reference: `Practitioner/${at % 7}`, display: 'A Practitioner' },
    dosageInstruction: [
      {
        text: '1 tablett 1 gang dagligen',
        timing: {
          repeat: {
            frequency: 1,
            period: 1,
            periodUnit: 'd',
            boundsPeriod: { start: '2026-01-10', end: '2026-12-10' },
          },
        },
        route: { coding: [{ system: 'http://standardterms.edqm.eu', code: '20053000', display: 'Oral use' }] },
        doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett' } }],
      },
    ],
    dispenseRequest: { quantity: { value: 100, unit: 'tablett' }, numberOfRepeatsAllowed: 3 },
  };
}

const known = Object.keys(medicines)[0] as string;
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const list = (count: number): Json[] => many(count, (at) => prescription(`list-${at}`, known, written(at)));
const drafts = (): Json[] => [order('draft-0', known, written(9999))];

/** Ten years of supervised agonist treatment: a dispense a day. */
const supervised = (count: number): Json[] =>
  many(count, (at) => {
    const day = new Date(Date.UTC(2026, 2, 1) - at * 86_400_000).toISOString();
    return {
      ...prescription(`dispense-${at}`, 'methadone'),
      resourceType: 'MedicationDispense',
      status: 'completed',
      authoredOn: undefined,
      intent: undefined,
      daysSupply: { value: 1, unit: 'd' },
      quantity: { value: 60, unit: 'mg' },
      whenHandedOver: day,
      performer: [{ actor: { reference: `Practitioner/${at % 5}` } }],
    };
  });

const observation = (at: number): Json => ({
  resourceType: 'Observation',
  id: `observation-${at}`,
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] },
  ],
  code: {
    coding: [
      {
        system: 'http://loinc.org',
        code: `${10000 + (at % 800)}-9`,
        display: 'Some test [Mass/volume] in Serum or Plasma',
      },
    ],
    text: 'S-Test',
  },
  subject: { reference: 'Patient/kari' },
  encounter: { reference: `Encounter/${at % 60}` },
  effectiveDateTime: new Date(Date.UTC(2026, 1, 28) - at * 8_000_000).toISOString(),
  issued: new Date(Date.UTC(2026, 1, 28) - at * 8_000_000).toISOString(),
  performer: [{ reference: 'Organization/laboratory', display: 'The Laboratory' }],
  valueQuantity: { value: (at * 7) % 300, unit: 'mmol/l', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
  interpretation: [
    {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation', code: 'N', display: 'Normal' },
      ],
    },
  ],
  referenceRange: [{ low: { value: 3.5, unit: 'mmol/l' }, high: { value: 5.1, unit: 'mmol/l' }, text: '3.5-5.1' }],
});
const problem = (at: number): Json =>
  condition(`condition-${at}`, `J${String(at % 90).padStart(2, '0')}.${at % 9}`, {
    recordedDate: '2024-02-02',
    onsetDateTime: '2024-02-01',
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
    },
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
    ],
  });

/** The measured requests. Those without a card have no medicine of our lists, like most requests. */
export function bodies(): Body[] {
  const ordered = (id: string, drug: string, more: Json = {}) =>
    order(id, drug, { ...written(1, drug), dosageInstruction: [], ...more });
  return [
    make('order-select, 20 medicines', 'order-select', 0, { drafts: drafts(), record: list(20) }),
    make('order-select, 200 medicines', 'order-select', 0, { drafts: drafts(), record: list(200) }),
    make('patient-view, 200 medicines, 300 problems, 1000 results', 'patient-view', 0, {
      record: list(200),
      conditions: many(300, problem),
      prefetch: { observations: bundle(many(1000, observation), 'searchset') },
    }),
    make('one rule fires, 20 medicines', 'order-select', 1, {
      drafts: [ordered('draft-0', 'oxazepam')],
      record: [...list(19), prescription('list-19', 'methadone', written(2, 'methadone'))],
    }),
    make('six rules speak, 20 medicines', 'order-sign', 6, {
      drafts: [
        ordered('draft-0', 'oxycodone', {
          dosageInstruction: [
            {
              timing: { repeat: { frequency: 4, period: 1, periodUnit: 'd' } },
              doseAndRate: [{ doseQuantity: { value: 1, unit: 'tablett' } }],
            },
          ],
          dispenseRequest: { quantity: { value: 100, unit: 'tablett' } },
        }),
        ordered('draft-1', 'oxazepam'),
      ],
      record: [
        ...list(19),
        prescription('list-19', 'zopiclone', { ...written(3, 'zopiclone'), authoredOn: '2025-03-02' }),
      ],
    }),
    make('ten years of daily dispensing', 'order-sign', 1, {
      drafts: [ordered('draft-0', 'oxazepam')],
      record: [prescription('list-0', 'methadone', { authoredOn: '2016-03-01' })],
      prefetch: {
        dispenses: bundle(supervised(3650), 'searchset'),
        observations: bundle(many(40, observation), 'searchset'),
      },
    }),
  ];
}

/** Throws if another number of rules fires, because the name would be wrong. */
function make(name: string, hook: Hook, speak: number, parts: Parameters<typeof request>[1]): Body {
  const body = { ...request(hook, parts), extension: { 'org.nordic-opioid-cds': { now: '2026-03-02' } } };
  const { call } = readRequest(body, hook);
  const { results } = assess({ call, hookInstance: '', language: 'en', today: '2026-03-02' }, knowledge);
  const found = results.filter(({ outcome }) => outcome === 'fires' || outcome === 'joins').length;
  if (found !== speak) throw new Error(`${name}: ${found} rules speak`);
  return { name, hook, text: JSON.stringify(body) };
}
