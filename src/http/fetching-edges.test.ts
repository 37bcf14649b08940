import { afterEach, describe, expect, test } from 'vitest';
import { mayConnect } from '../fhir/address.ts';
import { createBudgets } from '../fhir/budget.ts';
import { completePrefetch } from '../fhir/complete.ts';
import { createFetchJson, FetchFailed, type FetchJson } from '../fhir/fetch-json.ts';
import { knowledge, pathOf, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { faults, json, type Reply, searchset, startScriptedServer, status } from '../testing/fhir-server.ts';
import { bundle, encounter, type Json, order, prescription, request } from '../testing/request.ts';

const TOKEN = 'very-secret-access-token';
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close();
});

/** The production answer to a call whose FHIR server follows a script: the topics of the cards, or the status. */
async function answerOf(
  body: Json,
  script: Record<string, Reply>,
  { more = {}, fetch = {}, calls = 1 }: { more?: Json; fetch?: Json; calls?: number } = {},
) {
  const server = await startScriptedServer({
    'Patient/kari': json({ resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' }),
    'Encounter/visit': json(encounter('AMB')),
    ...script,
  });
  const { client, token } = await createClient({ fhirServers: [server.base], privateNetwork: true });
  const fetchJson = createFetchJson();
  const site = { ...knowledge.site, fetch: { ...knowledge.site.fetch, ...fetch } };
  const service = await startService({
    mode: 'production',
    clients: [client],
    knowledge: { ...knowledge, site },
    fetchJson,
  });
  cleanup.push(server.close, fetchJson.close, service.close);
  const fhirAuthorization = {
    access_token: TOKEN,
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'patient/*.rs',
    subject: 'cds',
  };
  let response: Awaited<ReturnType<typeof service.call>> | undefined;
  for (let call = 0; call < calls; call++) {
    const authorization = `Bearer ${await token(pathOf(body))}`;
    response = await service.call(
      { ...body, prefetch: undefined, fhirServer: server.base, fhirAuthorization, ...more },
      { authorization },
    );
  }
  const cards = (response?.body.cards ?? []) as { source: { topic: { code: string } } }[];
  const found = response?.status === 200 ? cards.map(({ source }) => source.topic.code) : response?.status;
  const fetched = service.log.map((line) => JSON.parse(line)).findLast(({ msg }) => msg === 'answered')?.fetched;
  return { found, server, fetched };
}

const zopiclone = order('z', 'zopiclone', {
  dosageInstruction: [{ timing: { repeat: { boundsPeriod: { end: '2026-03-09' } } } }],
});
const methadone = prescription('m', 'methadone');
const atorvastatin = prescription('a', 'atorvastatin');
const single = request('order-sign', { drafts: [zopiclone] });
const list = (resources: Json[], next?: string) => json(searchset(resources, next));
const { medicationCodeableConcept: code, ...bare } = methadone;
const pointing = (reference: string, more: Json = {}) => ({ ...bare, medicationReference: { reference }, ...more });
const NEXT = 'MedicationRequest?page=2';
const ola = { subject: { reference: 'Patient/ola' } };

describe('an unreadable value never counts as silence', () => {
  test('P13, F10: a list of another patient is not a list', async () => {
    const { found } = await answerOf(single, {
      MedicationRequest: list([
        { ...methadone, ...ola },
        { ...atorvastatin, ...ola },
      ]),
    });
    expect(found).toBe(412);
  });

  test('P13, P2: the same holds for a prefetch', async () => {
    const service = await startService();
    cleanup.push(service.close);
    const prefetch = { medications: bundle([{ ...methadone, ...ola }]) };
    const response = await service.call(request('order-sign', { drafts: [zopiclone], prefetch }));
    expect(response.status).toBe(412);
  });

  test.each([
    ['404', status(404)],
    ['500', status(500)],
    ['HTML', faults.html],
    ['dropped', faults.drop],
  ])('H15, F10: a draft whose medicine is answered by %s is unknown, and the answer says so', async (_, reply) => {
    const draft = pointing('Medication/mm', { id: 'd', status: 'draft' });
    const { found } = await answerOf(request('order-sign', { drafts: [draft] }), {
      MedicationRequest: list([prescription('z', 'zopiclone')]),
      'Medication/mm': reply,
    });
    expect(found).not.toEqual([]);
  });

  test('H15, F10: if the whole server is down, the list is missing and the draft is unknown', async () => {
    const draft = pointing('Medication/mm', { id: 'd', status: 'draft' });
    const { found } = await answerOf(request('order-sign', { drafts: [draft] }), {
      MedicationRequest: status(500),
      Condition: status(500),
      'Medication/mm': status(500),
    });
    expect(found).not.toEqual([]);
  });

  test('H15: a dispensed medicine given only by reference is looked up', async () => {
    const dispense = {
      resourceType: 'MedicationDispense',
      id: 'disp',
      status: 'completed',
      subject: { reference: 'Patient/kari' },
      medicationReference: { reference: 'Medication/mm' },
      whenHandedOver: '2026-02-25',
      daysSupply: { value: 30, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' },
    };
    const script = {
      MedicationDispense: list([dispense]),
      'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code }),
    };
    const { found } = await answerOf(single, script);
    expect(found).not.toEqual([]);
  });

  test('H15: a stated medicine given only by reference is looked up', async () => {
    const statement = {
      resourceType: 'MedicationStatement',
      id: 'st',
      status: 'active',
      subject: { reference: 'Patient/kari' },
      medicationReference: { reference: 'Medication/mm' },
      effectivePeriod: { start: '2026-02-01' },
    };
    const script = {
      MedicationStatement: list([statement]),
      'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code }),
    };
    const { found } = await answerOf(single, script);
    expect(found).toEqual(['laro-sedative-ordered']);
  });

  test('H15, F8: a medicine of another server is not taken for this server’s with the same id', async () => {
    const { found, server } = await answerOf(single, {
      MedicationRequest: list([pointing('https://formulary.example/fhir/Medication/mm')]),
      'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code: atorvastatin['medicationCodeableConcept'] }),
    });
    expect(found).toEqual(['not-checked']);
    expect(server.paths()).not.toContain('Medication/mm');
  });

  test('P7: there are fewer entries than total, and no next link', async () => {
    const { found } = await answerOf(single, {
      MedicationRequest: json({ ...searchset([atorvastatin]), total: 3 }),
    });
    expect(found).toBe(412);
  });

  test.each([[[{ relation: 'next' }]], [[{ relation: 'next', url: '' }]], [[{ relation: 'next', url: 7 }]]])(
    'P7: a next link has no address: %j',
    async (link) => {
      const { found } = await answerOf(single, { MedicationRequest: json({ ...searchset([atorvastatin]), link }) });
      expect(found).toBe(412);
    },
  );

  test.each([
    ['text', 'x'],
    ['null entries', [null]],
    ['no resources', [{ fullUrl: 'x' }]],
    ['resources without a type', [{ resource: { id: 'x' } }]],
  ])('F10, R10: a list whose entries are %s is unreadable', async (_, entry) => {
    const { found } = await answerOf(single, { MedicationRequest: json({ resourceType: 'Bundle', entry }) });
    expect(found).toBe(412);
  });
});

describe('a finding is reported whatever else fails', () => {
  test('P7, P14, F9: the first page shows methadone, and the second never arrives', async () => {
    const { found } = await answerOf(
      single,
      {
        MedicationRequest: (response, seen) => void setTimeout(() => list([methadone], NEXT)(response, seen), 150),
        [NEXT]: faults.hang,
      },
      { fetch: { softMs: 50, hardMs: 500 } },
    );
    expect(found).toEqual(['laro-sedative-ordered', 'not-checked']);
  });

  test('P7, P14: the first page shows methadone, and the link is not an address', async () => {
    const { found } = await answerOf(single, { MedicationRequest: list([methadone], 'http://[bad') });
    expect(found).toEqual(['laro-sedative-ordered', 'not-checked']);
  });

  test('H15, P9: a bare prescription refers to its medicine', async () => {
    const { found } = await answerOf(
      single,
      { 'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code }) },
      { more: { prefetch: { ...single.prefetch, medications: pointing('Medication/mm') } } },
    );
    expect(found).toEqual(['laro-sedative-ordered']);
  });

  test('H15, P10: a prescription in a pre-1.0 wrapper refers to its medicine', async () => {
    const medications = { response: { status: '200' }, resource: bundle([pointing('Medication/mm')]) };
    const { found } = await answerOf(
      single,
      { 'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code }) },
      { more: { prefetch: { ...single.prefetch, medications } } },
    );
    expect(found).toEqual(['laro-sedative-ordered']);
  });

  test('H15, P6, P14: one of two drafts gives its medicine only by reference, the client failed and the server refuses', async () => {
    const draft = pointing('Medication/mm', { id: 'd', status: 'draft' });
    const medications = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
    const body = request('order-sign', { drafts: [draft, zopiclone] });
    const { found } = await answerOf(
      body,
      { MedicationRequest: status(403), 'Medication/mm': json({ resourceType: 'Medication', id: 'mm', code }) },
      { more: { prefetch: { ...body.prefetch, medications } } },
    );
    expect(found).toEqual(['laro-sedative-ordered', 'not-checked']);
  });

  test('H15, P14, F9: the drafts’ medicines are looked up while the list hangs', async () => {
    const draft = pointing('Medication/mm', { id: 'd', status: 'draft' });
    const slow: Reply = (response, seen) =>
      void setTimeout(() => json({ resourceType: 'Medication', id: 'mm', code })(response, seen), 100);
    const { found } = await answerOf(
      request('order-sign', { drafts: [draft, zopiclone] }),
      { MedicationRequest: faults.hang, 'Medication/mm': slow },
      { fetch: { softMs: 50, hardMs: 500 } },
    );
    expect(found).toEqual(['laro-sedative-ordered', 'not-checked']);
  });

  test('F9: types unknown to a server (501) do not stop it from being asked for the list', async () => {
    const not = status(501);
    const { found } = await answerOf(
      single,
      {
        MedicationRequest: list([methadone]),
        MedicationStatement: not,
        MedicationDispense: not,
        Observation: not,
        Procedure: not,
        ServiceRequest: not,
        Appointment: not,
        CarePlan: not,
        FamilyMemberHistory: not,
      },
      { calls: 4 },
    );
    expect(found).toEqual(['laro-sedative-ordered']);
  });
});

describe('an incomplete authorization is not used', () => {
  test.each([
    ['a lifetime in letters', { expires_in: '300' }],
    ['a lifetime of "0"', { expires_in: '0' }],
    ['a lifetime of null', { expires_in: null }],
    ['a lifetime of half a second', { expires_in: 0.5 }],
    ['a patient that is a number', { patient: 7 }],
    ['a patient that is an object', { patient: { id: 'ola' } }],
    ['a subject that is a number', { subject: 7 }],
    ['no subject', { subject: undefined }],
    ['a scope that is a list', { scope: ['patient/*.rs'] }],
  ])('F3: %s: not used', async (_, more) => {
    const fhirAuthorization = {
      access_token: TOKEN,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'patient/*.rs',
      subject: 'cds',
      ...more,
    };
    const { server } = await answerOf(single, {}, { more: { fhirAuthorization } });
    expect(server.connections()).toBe(0);
  });
});

describe('counting and fetching', () => {
  test('P13, P16: another patient’s appointment is not a follow-up of this patient', async () => {
    const oxycodone = order('o', 'oxycodone');
    const at = (patient: string) => ({
      resourceType: 'Appointment',
      id: 'ap',
      status: 'booked',
      start: '2026-03-03T09:00:00+01:00',
      participant: [{ actor: { reference: `Patient/${patient}` }, status: 'accepted' }],
    });
    const service = await startService();
    cleanup.push(service.close);
    const followUp = async (appointments: Json[]) => {
      const prefetch = { appointments: bundle(appointments) };
      const { text } = await service.call(request('order-sign', { drafts: [oxycodone], prefetch }));
      return text.includes('ServiceRequest');
    };
    expect(await followUp([])).toBe(true);
    expect(await followUp([at('kari')])).toBe(false);
    expect(await followUp([at('ola')])).toBe(true);
  });

  test('P6: nothing is fetched for a key that the client reports as failed', async () => {
    const medications = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
    const { server } = await answerOf(single, {}, { more: { prefetch: { ...single.prefetch, medications } } });
    expect(server.connections()).toBe(0);
  });

  test('F10: a list that failed completely is not counted as fetched', async () => {
    const error = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
    const medications = bundle([methadone, error]);
    const { fetched } = await answerOf(single, {}, { more: { prefetch: { ...single.prefetch, medications } } });
    expect(fetched?.medications).not.toBe('fetched');
  });

  test('F10: a list whose next page failed is not counted as fetched', async () => {
    const { fetched } = await answerOf(single, { MedicationRequest: list([methadone], NEXT), [NEXT]: status(500) });
    expect(fetched?.medications).not.toBe('fetched');
  });

  test('F10: a list of another type is not counted as fetched', async () => {
    const { fetched } = await answerOf(single, { MedicationRequest: list([encounter('AMB')]) });
    expect(fetched?.medications).not.toBe('fetched');
  });

  test.each(['..', '.'])('F8: the id "%s" stays within its path segment', async (patientId) => {
    const urls: string[] = [];
    const fetchJson: FetchJson = (url) => {
      urls.push(new URL(url).pathname);
      return Promise.reject(new FetchFailed('status'));
    };
    await completePrefetch({}, ['patient'], [], { patientId, encounterId: undefined }, [], {
      access: {
        base: 'https://fhir.example/r4',
        aliases: [],
        authorization: 'Bearer t',
        privateNetwork: false,
        client: 'ehr',
      },
      limits: { softMs: 10, hardMs: 100, maxPages: 1, post: false },
      fetchJson,
      budget: createBudgets()('ehr'),
    });
    for (const path of urls) expect(path).toMatch(/^\/r4\/Patient\/./);
  });

  test.each(['::7f00:1', '::a9fe:a9fe', '::a00:1'])('F8: %s is not an ordinary address', (address) => {
    expect(mayConnect(address, false)).toBe(false);
  });

  test('P7, P11: pages of a Bundle without its type are followed', async () => {
    const { resourceType: _, ...page } = searchset([atorvastatin], NEXT);
    const { found } = await answerOf(
      single,
      { [NEXT]: list([methadone]) },
      { more: { prefetch: { ...single.prefetch, medications: page } } },
    );
    expect(found).toEqual(['laro-sedative-ordered']);
  });

  test('P7, P10: pages in a pre-1.0 wrapper are followed', async () => {
    const medications = { response: { status: '200' }, resource: searchset([atorvastatin], NEXT) };
    const { found } = await answerOf(
      single,
      { [NEXT]: list([methadone]) },
      { more: { prefetch: { ...single.prefetch, medications } } },
    );
    expect(found).toEqual(['laro-sedative-ordered']);
  });
});
