import { describe, expect, test } from 'vitest';
import { searchset } from '../testing/fhir-server.ts';
import { bundle, encounter, type Json, medicine, order, prescription } from '../testing/request.ts';
import { createBudgets, fetchBounds } from './budget.ts';
import { type Access, completePrefetch, type FetchLimits } from './complete.ts';
import { FetchFailed, type FetchJson, type FetchOptions } from './fetch-json.ts';
import { partOf, prefetchOf, readPrefetch, type Section, sections } from './prefetch.ts';
import type { ResultWindow } from './queries.ts';

const BASE = 'https://fhir.example/r4';
const NEEDED: Section[] = ['medications', 'conditions'];
const LIST = 'MedicationRequest?patient=kari&_include=MedicationRequest:medication';

const ACCESS: Access = {
  base: BASE,
  aliases: [],
  authorization: 'Bearer t',
  privateNetwork: false,
  client: 'ehr',
};

type Answers = Record<string, unknown>;
type Setting = {
  prefetch?: unknown;
  keys?: readonly Section[];
  drafts?: Json[];
  /** Answers by what follows the base; undefined hangs until aborted; an Error fails. */
  answers?: Answers;
  limits?: Partial<FetchLimits>;
  access?: Partial<Access>;
  results?: ResultWindow;
  context?: { patientId: string; encounterId: string | undefined };
};

/** Completes a prefetch against an in-memory server, which holds only what is given. */
async function complete(setting: Setting) {
  const asked: { path: string; url: string; options: FetchOptions }[] = [];
  const fetchJson: FetchJson = (url, options) => {
    const path = url.startsWith(`${BASE}/`) ? url.slice(BASE.length + 1) : url;
    const plain = path.replace('&_count=500', '');
    asked.push({ path, url, options });
    const { answers = {} } = setting;
    if (!(plain in answers)) return Promise.reject(new FetchFailed('status', 404));
    const body = answers[plain];
    if (body instanceof Error) return Promise.reject(body);
    if (body !== undefined) return Promise.resolve({ body, maxAge: undefined });
    return new Promise((_, reject) => {
      options.signal?.addEventListener('abort', () => reject(new FetchFailed('too-late')));
    });
  };
  const { prefetch, outcomes } = await completePrefetch(
    setting.prefetch,
    [...(setting.keys ?? ['medications'])],
    NEEDED,
    setting.context ?? { patientId: 'kari', encounterId: 'visit' },
    (setting.drafts ?? []) as never,
    {
      access: { ...ACCESS, ...setting.access },
      limits: { softMs: 100, hardMs: 300, maxPages: 5, post: false, ...setting.limits },
      fetchJson,
      budget: createBudgets()('ehr'),
      results: setting.results,
    },
  );
  const read = readPrefetch(prefetch, 'medications');
  return {
    asked,
    paths: asked.map(({ path }) => path),
    prefetch,
    outcomes,
    state: read.state,
    ids: read.resources.map(({ id }) => id),
    lookup: read.lookup,
  };
}

const methadone = prescription('methadone-1', 'methadone');
const atorvastatin = prescription('a', 'atorvastatin');

describe('which keys are requested', () => {
  test('P1, P3, F9: each absent key is requested by its filled-in template, searches with a page size', async () => {
    const { paths } = await complete({ keys: sections });
    const expected = Object.values(partOf).map(({ query: template }) => {
      const query = template.replace('{{context.patientId}}', 'kari').replace('{{context.encounterId}}', 'visit');
      return query.includes('?') ? `${query}&_count=500` : query;
    });
    expect(new Set(paths)).toEqual(new Set(expected));
    expect(paths).toHaveLength(sections.length);
  });

  test('P1: only the keys of the hook are requested', async () => {
    expect((await complete({ keys: ['medications', 'patient'] })).paths.sort()).toEqual([
      `${LIST}&_count=500`,
      'Patient/kari',
    ]);
  });

  test.each([
    ['null', null],
    ['an empty Bundle', bundle([], 'searchset')],
    ['a Bundle without entries', { resourceType: 'Bundle', type: 'searchset', total: 0 }],
    ['a whole list', bundle([methadone], 'searchset')],
    ['a bare resource', methadone],
  ])('P4, P5, P9: %s is not requested again', async (_, medications) => {
    const { asked, prefetch, outcomes } = await complete({ prefetch: { medications } });
    expect(asked).toEqual([]);
    expect(outcomes).toEqual([]);
    expect(prefetch).toEqual({ medications });
  });

  test.each(['<html>', 7, [], {}, bundle([encounter('AMB')])])('P12, P13: %j is requested', async (medications) => {
    const answers = { [LIST]: searchset([methadone]) };
    const { state, ids } = await complete({ prefetch: { medications }, answers });
    expect([state, ids]).toEqual(['complete', ['methadone-1']]);
  });

  test.each([undefined, null, 'x', 7, []])('P3: every key is missing from a prefetch that is %j', async (prefetch) => {
    expect((await complete({ prefetch, answers: { [LIST]: searchset([methadone]) } })).ids).toEqual(['methadone-1']);
  });

  test('P15: unknown keys are passed on and not requested', async () => {
    const prefetch = { medications: null, item1: { resourceType: 'OperationOutcome' } };
    expect(await complete({ prefetch })).toMatchObject({ asked: [], prefetch });
  });

  test('P1: without an encounter id no encounter is requested', async () => {
    const context = { patientId: 'kari', encounterId: undefined };
    expect(await complete({ keys: ['encounter'], context })).toMatchObject({ asked: [], outcomes: [] });
  });

  test.each([
    ['a&status=x', 'a%26status%3Dx'],
    ['a b', 'a%20b'],
    ['a?b#c', 'a%3Fb%23c'],
    ['$&', '%24%26'],
    ['æ', '%C3%A6'],
  ])('P1, F8: the id "%s" cannot change the query', async (patientId, written) => {
    const context = { patientId, encounterId: undefined };
    const { paths } = await complete({ keys: ['patient', 'conditions'], context });
    expect(paths.sort()).toEqual([`Condition?patient=${written}&_count=500`, `Patient/${written}`]);
  });
});

describe('how they are requested', () => {
  test('F2, F11: every call carries the token and states what it accepts', async () => {
    const pointing = { ...methadone, medicationCodeableConcept: undefined };
    const { asked } = await complete({
      keys: sections,
      drafts: [{ ...pointing, medicationReference: { reference: 'Medication/d' } }],
      answers: {
        [LIST]: searchset(
          [{ ...pointing, medicationReference: { reference: 'Medication/m' } }],
          `${BASE}/MedicationRequest?page=2`,
        ),
        'MedicationRequest?page=2': searchset([atorvastatin]),
      },
    });
    const paths = asked.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['MedicationRequest?page=2', 'Medication/d', 'Medication/m']));
    for (const { options } of asked)
      expect(options).toMatchObject({
        authorization: 'Bearer t',
        accept: 'application/fhir+json',
        privateNetwork: false,
        signal: expect.any(AbortSignal),
      });
  });

  test('F11: with POST searches enabled, searches are posted and reads are not', async () => {
    const { asked } = await complete({ keys: ['medications', 'patient'], limits: { post: true } });
    expect(asked.map(({ path, options }) => [path, options.form]).sort()).toEqual([
      ['MedicationRequest/_search', 'patient=kari&_include=MedicationRequest:medication&_count=500'],
      ['Patient/kari', undefined],
    ]);
  });
});

describe('P7: pages', () => {
  const page = (ids: string[], next?: string) =>
    searchset(
      ids.map((id) => prescription(id, 'atorvastatin')),
      next,
    );

  test('P7, F1: the pages of a fetched list are followed to the end', async () => {
    const answers = {
      [LIST]: page(['1'], `${BASE}/MedicationRequest?page=2`),
      'MedicationRequest?page=2': page(['2'], `${BASE}/MedicationRequest?page=3`),
      'MedicationRequest?page=3': page(['3']),
    };
    const { state, ids, outcomes } = await complete({ answers });
    expect([state, ids]).toEqual(['complete', ['1', '2', '3']]);
    expect(outcomes).toEqual([{ key: 'medications', outcome: 'fetched' }]);
  });

  test('P7: if the first page of a list was sent, only the rest is fetched', async () => {
    const prefetch = { medications: page(['1'], `${BASE}/MedicationRequest?page=2`) };
    const { paths, state, ids } = await complete({ prefetch, answers: { 'MedicationRequest?page=2': page(['2']) } });
    expect([paths, state, ids]).toEqual([['MedicationRequest?page=2'], 'complete', ['1', '2']]);
  });

  test.each(['?page=2', 'MedicationRequest?page=2', '/r4/MedicationRequest?page=2'])(
    'P7: the relative link %s is resolved on the same server',
    async (next) => {
      const { asked } = await complete({ prefetch: { medications: page(['1'], next) } });
      expect(asked.map(({ url }) => new URL(url).origin)).toEqual(['https://fhir.example']);
    },
  );

  test.each([
    'https://other.example/r4/MedicationRequest?page=2',
    'https://fhir.example:8443/r4/MedicationRequest?page=2',
    'http://fhir.example/r4/MedicationRequest?page=2',
    'https://fhir.example@other.example/r4/MedicationRequest?page=2',
    'https://fhir.example.other.example/r4/MedicationRequest?page=2',
    '//other.example/r4/MedicationRequest?page=2',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'javascript:alert(1)',
  ])('P7, F2, F8: the link %s is not followed, and the list is incomplete', async (next) => {
    const sent = await complete({ prefetch: { medications: page(['1'], next) } });
    expect([sent.asked, sent.state, sent.ids]).toEqual([[], 'partial', ['1']]);
    const fetched = await complete({ answers: { [LIST]: page(['1'], next) } });
    expect(fetched.asked).toHaveLength(1);
    expect([fetched.state, fetched.ids]).toEqual(['partial', ['1']]);
  });

  test.each([1, 2, 5])('P7, F9: at most %i pages are read', async (maxPages) => {
    const answers: Answers = { [LIST]: page(['1'], '?page=2') };
    for (let at = 2; at < 20; at++) answers[`?page=${at}`] = page([String(at)], `?page=${at + 1}`);
    const { asked, state, ids } = await complete({ answers, limits: { maxPages } });
    expect(asked).toHaveLength(maxPages);
    expect([state, ids.length]).toEqual(['partial', maxPages]);
  });

  test('P7: a list with exactly the allowed number of pages is complete', async () => {
    const answers = { [LIST]: page(['1'], '?page=2'), '?page=2': page(['2']) };
    const { state, ids } = await complete({ answers, limits: { maxPages: 2 } });
    expect([state, ids]).toEqual(['complete', ['1', '2']]);
  });

  test('P7: circular links end, and the list is incomplete', async () => {
    const answers = {
      [LIST]: page(['1'], `${BASE}/MedicationRequest?page=2`),
      'MedicationRequest?page=2': page(['2'], `${BASE}/${LIST}`),
    };
    const { asked, state } = await complete({ answers });
    expect([asked.length, state]).toEqual([5, 'partial']);
  });

  test.each([
    ['missing', new FetchFailed('status', 404)],
    ['refused', new FetchFailed('status', 403)],
    ['not JSON', new FetchFailed('not-json')],
    ['an OperationOutcome', { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }],
    ['another resource', methadone],
    ['an array', [methadone]],
    ['null', null],
  ])('P7, F10: if the next page is %s, the list is incomplete', async (_, second) => {
    const { state, ids } = await complete({ answers: { [LIST]: page(['1'], '?page=2'), '?page=2': second } });
    expect([state, ids]).toEqual(['partial', ['1']]);
  });

  test('P6, P7: a page with an error among its entries makes the list incomplete', async () => {
    const second = bundle([atorvastatin, { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }]);
    const { state, ids } = await complete({ answers: { [LIST]: page(['1'], '?page=2'), '?page=2': second } });
    expect([state, ids]).toEqual(['partial', ['1', 'a']]);
  });
});

describe('F10: what the server fails to return', () => {
  test.each([
    ['refused-address'],
    ['unreachable'],
    ['timeout'],
    ['redirect'],
    ['status'],
    ['not-json'],
    ['too-large'],
    ['circuit-open'],
  ] as const)('F10: %s leaves the key missing and is reported', async (failure) => {
    const { prefetch, outcomes, state } = await complete({ answers: { [LIST]: new FetchFailed(failure) } });
    expect(state).toBe('absent');
    expect(prefetch).toEqual({});
    expect(outcomes).toEqual([{ key: 'medications', outcome: failure }]);
  });

  test.each([
    ['an OperationOutcome', { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] }],
    ['an array', []],
    ['a text', 'x'],
    ['null', null],
    ['an object', {}],
    ['a Bundle without a type', { entry: [{ resource: methadone }] }],
  ])('F10, P6: with status 200 %s is not FHIR', async (_, body) => {
    const { outcomes, state } = await complete({ answers: { [LIST]: body } });
    expect([state, outcomes]).toEqual(['absent', [{ key: 'medications', outcome: 'no-fhir' }]]);
  });

  test('F10, P13: a search answered with other resources is not a list', async () => {
    for (const body of [encounter('AMB'), bundle([encounter('AMB')]), { resourceType: 'CapabilityStatement' }])
      expect((await complete({ answers: { [LIST]: body } })).state).toBe('failed');
  });

  test('F10: an unreadable value that was sent stays unchanged if its request fails', async () => {
    const prefetch = { medications: '<html>' };
    expect((await complete({ prefetch })).prefetch).toEqual(prefetch);
  });

  test('F10: a key that fails does not hold back the others', async () => {
    const answers = { 'Condition?patient=kari': bundle([]) };
    const { prefetch, outcomes } = await complete({ keys: ['medications', 'conditions', 'procedures'], answers });
    expect(Object.keys(prefetch)).toEqual(['conditions']);
    expect(new Set(outcomes.map(({ key, outcome }) => `${key}: ${outcome}`))).toEqual(
      new Set(['medications: status', 'conditions: fetched', 'procedures: status']),
    );
  });
});

describe('F9: deadlines', () => {
  const condition = 'Condition?patient=kari';

  test('F9: optional keys are waited for until the soft limit', async () => {
    const { prefetch, outcomes } = await complete({
      keys: ['medications', 'procedures', 'patient'],
      answers: { [LIST]: searchset([methadone]), 'Procedure?patient=kari': undefined, 'Patient/kari': undefined },
      // Waiting for the hard limit would exceed the test's timeout.
      limits: { softMs: 20, hardMs: 1_000_000 },
    });
    expect(Object.keys(prefetch)).toEqual(['medications']);
    expect(outcomes).toContainEqual({ key: 'medications', outcome: 'fetched' });
    expect(outcomes).toContainEqual({ key: 'procedures', outcome: 'too-late' });
  });

  test('F9: required keys are waited for until the hard limit', async () => {
    const { prefetch, outcomes } = await complete({
      keys: ['medications', 'conditions'],
      answers: { [LIST]: undefined, [condition]: bundle([]) },
      limits: { softMs: 20, hardMs: 200 },
    });
    expect(Object.keys(prefetch)).toEqual(['conditions']);
    expect(outcomes).toContainEqual({ key: 'medications', outcome: 'too-late' });
  });

  test('F9: there is no waiting if every answer is fast', async () => {
    const { state } = await complete({
      answers: { [LIST]: searchset([]) },
      limits: { softMs: 1_000_000, hardMs: 1_000_000 },
    });
    expect(state).toBe('complete');
  });

  test('F9: an answer that was already sent no longer changes', async () => {
    const late: (() => void)[] = [];
    const fetchJson: FetchJson = () =>
      new Promise((resolve) => late.push(() => resolve({ body: searchset([methadone]), maxAge: undefined })));
    const completing = completePrefetch(
      {},
      ['medications'],
      NEEDED,
      { patientId: 'kari', encounterId: undefined },
      [],
      {
        access: ACCESS,
        limits: { softMs: 10, hardMs: 100, maxPages: 5, post: false },
        fetchJson,
        budget: createBudgets()('ehr'),
      },
    );
    setTimeout(() => {
      for (const answer of late) answer();
    }, 400);
    expect((await completing).prefetch).toEqual({});
  });

  test('F9: all keys are requested at once', async () => {
    const answers = Object.fromEntries(
      sections.map((section) => [
        partOf[section].query.replace('{{context.patientId}}', 'kari').replace('{{context.encounterId}}', 'visit'),
        undefined,
      ]),
    );
    expect((await complete({ keys: sections, answers })).asked).toHaveLength(sections.length);
  });
});

describe('H15: medicines given only by reference', () => {
  const { medicationCodeableConcept: code, ...bare } = methadone;
  const pointing = (ref: string, id = 'methadone-1') => ({ ...bare, id, medicationReference: { reference: ref } });
  const medication = (id: string) => ({ resourceType: 'Medication', id, code });

  test.each(['Medication/m', `${BASE}/Medication/m`, 'Medication/m/_history/2', `${BASE}/Medication/m/_history/2`])(
    'H15: %s is read once and looked up',
    async (ref) => {
      const { paths, lookup, state, ids } = await complete({
        prefetch: { medications: bundle([pointing(ref), pointing(ref, 'b')]) },
        answers: { 'Medication/m': medication('m') },
      });
      expect(paths).toEqual(['Medication/m']);
      expect(lookup().get('Medication/m')).toMatchObject({ code });
      expect([state, ids]).toEqual(['complete', ['methadone-1', 'b']]);
    },
  );

  test('H15: the medicine of an R5 order is read too', async () => {
    const { paths } = await complete({
      prefetch: { medications: bundle([{ ...bare, medication: { reference: { reference: 'Medication/m' } } }]) },
    });
    expect(paths).toEqual(['Medication/m']);
  });

  test('H15: a medicine that was sent or included is not read', async () => {
    const sent = bundle([pointing('Medication/m'), medication('m')]);
    expect((await complete({ prefetch: { medications: sent } })).asked).toEqual([]);
    const { paths } = await complete({ answers: { [LIST]: sent } });
    expect(paths).toEqual([`${LIST}&_count=500`]);
  });

  test.each(['#m', 'urn:uuid:5f0e1d2c-aaaa-4bbb-8ccc-ddddeeeeffff', 'Group/m', 'Medication/', 'Medication/a?b=c', ''])(
    'H15, F8: the reference "%s" is never requested',
    async (ref) => {
      expect((await complete({ prefetch: { medications: bundle([pointing(ref)]) } })).asked).toEqual([]);
    },
  );

  test('H15: at most 50 medicines are read', async () => {
    const orders = Array.from({ length: 60 }, (_, at) => pointing(`Medication/m${at}`, `o${at}`));
    const { asked } = await complete({ prefetch: { medications: bundle(orders) } });
    expect(asked).toHaveLength(50);
  });

  test('H15: the medicines of drafts come first', async () => {
    const orders = Array.from({ length: 60 }, (_, at) => pointing(`Medication/m${at}`, `o${at}`));
    const { paths } = await complete({
      prefetch: { medications: bundle(orders) },
      drafts: [pointing('Medication/draft')],
    });
    expect(paths).toContain('Medication/draft');
  });

  test.each([
    ['absent', {}, 'partial'],
    ['null', { medications: null }, 'complete'],
    ['an empty list', { medications: bundle([]) }, 'complete'],
    ['a text', { medications: '<html>' }, 'partial'],
  ])(
    'H15, P14: if the list is %s, a draft’s medicine is added and changes nothing about the list',
    async (_, prefetch, state) => {
      const drafts = [pointing('Medication/m')];
      const found = await complete({ prefetch, drafts, answers: { 'Medication/m': medication('m') } });
      expect(found.state).toBe(state);
      expect(found.ids).toEqual([]);
      expect(found.lookup().get('Medication/m')).toMatchObject({ code });
    },
  );

  test('H15, F10: an answer that is no Medication is ignored', async () => {
    const { prefetch } = await complete({
      prefetch: { medications: bundle([pointing('Medication/m')]) },
      answers: { 'Medication/m': { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] } },
    });
    expect(readPrefetch(prefetch, 'medications').lookup().has('Medication/m')).toBe(false);
  });

  test('H15, F9: a Medication that never arrives does not delay the list', async () => {
    const { state, ids } = await complete({
      prefetch: { medications: bundle([pointing('Medication/m')]) },
      answers: { 'Medication/m': undefined },
    });
    expect([state, ids]).toEqual(['complete', ['methadone-1']]);
  });

  test('H15, P8: no medicine is read for an order that names its own', async () => {
    const drafts = [order('z', 'zopiclone', { medicationCodeableConcept: medicine('zopiclone') })];
    expect((await complete({ prefetch: { medications: bundle([methadone]) }, drafts })).asked).toEqual([]);
  });
});

describe('what a server refuses', () => {
  const QUERY = 'MedicationRequest?patient=kari';
  const refused = new FetchFailed('status', 400);
  /** Answers by the query as requested, page size included. */
  const completeLiterally = async (answer: (search: string) => unknown, more: Partial<Setting> = {}) => {
    const asked: string[] = [];
    const fetchJson: FetchJson = (url, { form }) => {
      const search = form ?? url.split('?')[1] ?? '';
      asked.push(search);
      const body = answer(search);
      return body instanceof Error ? Promise.reject(body) : Promise.resolve({ body, maxAge: undefined });
    };
    const { keys = ['medications'], limits, results } = more;
    const { prefetch, outcomes } = await completePrefetch(
      {},
      [...keys],
      NEEDED,
      { patientId: 'kari', encounterId: undefined },
      [],
      {
        access: ACCESS,
        limits: { softMs: 100, hardMs: 300, maxPages: 5, post: false, ...limits },
        fetchJson,
        budget: createBudgets()('ehr'),
        results,
      },
    );
    return { asked, outcomes, read: (key: Section) => readPrefetch(prefetch, key) };
  };

  test.each([
    ['_include', /_include/],
    ['_count', /_count/],
    ['_include and _count', /_include|_count/],
  ])('FS6, PT8, F10: %s refused with 400 is requested without it, by GET and by POST', async (_, pattern) => {
    for (const post of [false, true]) {
      const { read, outcomes, asked } = await completeLiterally(
        (search) => (pattern.test(search) ? refused : searchset([methadone])),
        { limits: { post } },
      );
      expect(read('medications').resources.map(({ id }) => id)).toEqual(['methadone-1']);
      expect(outcomes).toEqual([{ key: 'medications', outcome: 'fetched' }]);
      for (const search of asked) expect(search).toContain('patient=kari');
    }
  });

  test('F10: a server that refuses every form of a query is reported with its status, after each was tried once', async () => {
    const { asked, outcomes } = await completeLiterally(() => refused);
    expect(outcomes).toEqual([{ key: 'medications', outcome: 'status', status: 400 }]);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.at(-1)).toBe(QUERY.split('?')[1]);
  });

  test.each([401, 403, 404, 422, 500])(
    'F10: status %i does not concern the form of a query, so it is requested once',
    async (status) => {
      const { asked, outcomes } = await completeLiterally(() => new FetchFailed('status', status));
      expect(asked).toHaveLength(1);
      expect(outcomes).toEqual([{ key: 'medications', outcome: 'status', status }]);
    },
  );

  const results: ResultWindow = { since: '2025-02-21', codes: ['72166-2'] };
  const result = (id: string) => ({ resourceType: 'Observation', id, status: 'final' });
  const observed = (answer: (search: string) => unknown) =>
    completeLiterally(answer, { keys: ['observations'], results });

  test('FS4, F9: results are requested as far back as rules read them, or by code at any age, and counted once', async () => {
    const { asked, read } = await observed((search) =>
      searchset(/date=ge2025-02-21/.test(search) ? [result('new'), result('both')] : [result('both'), result('old')]),
    );
    expect(asked).toHaveLength(2);
    expect(asked.find((search) => search.includes('code='))).toMatch(/&code=72166-2&_count=500$/);
    const { state, resources } = read('observations');
    expect([state, resources.map(({ id }) => id)]).toEqual(['complete', ['new', 'both', 'old']]);
  });

  test.each([['date'], ['code'], ['date|_count'], ['date|code|_count']])(
    'FS6, F10: a server that refuses %s is asked for all results',
    async (parameters) => {
      const pattern = new RegExp(`(${parameters})=`);
      const { read, asked } = await observed((search) =>
        pattern.test(search) ? refused : searchset(/date|code/.test(search) ? [] : [result('old')]),
      );
      const { state, resources } = read('observations');
      expect([state, resources.map(({ id }) => id)]).toEqual(['complete', ['old']]);
      expect(asked.some((search) => !/date=|code=/.test(search))).toBe(true);
    },
  );

  test('P14: if only one of the result searches succeeds, the results are incomplete and reported as such', async () => {
    const { read, outcomes } = await observed((search) =>
      search.includes('code=') ? new FetchFailed('status', 500) : searchset([result('new')]),
    );
    const { state, resources } = read('observations');
    expect([state, resources.map(({ id }) => id)]).toEqual(['partial', ['new']]);
    expect(outcomes).toEqual([{ key: 'observations', outcome: 'status', status: 500 }]);
  });
});

describe('P7: links of a server that uses another name', () => {
  const page = (id: string, next?: string) => searchset([prescription(id, 'atorvastatin')], next);

  test('P7, F8: a link to an unlisted host is not followed, and its host is reported', async () => {
    const { outcomes, state } = await complete({
      answers: { [LIST]: page('1', 'http://inner.example:8080/fhir?p=2') },
    });
    expect(state).toBe('partial');
    expect(outcomes).toEqual([{ key: 'medications', outcome: 'next-elsewhere', host: 'inner.example:8080' }]);
  });

  test.each([
    ['http://inner.example:8080/fhir?p=2', '?p=2'],
    ['http://inner.example:8080/fhir/MedicationRequest?p=2', 'MedicationRequest?p=2'],
  ])('P7, F2: %s at a listed alias is requested at the listed address', async (next, path) => {
    const address = path.startsWith('?') ? `${BASE}${path}` : path;
    const { paths, asked, state } = await complete({
      access: { aliases: ['http://inner.example:8080/fhir'] },
      answers: { [LIST]: page('1', next), [address]: page('2') },
    });
    expect(paths).toContain(address);
    for (const { url } of asked) expect(new URL(url).host).toBe('fhir.example');
    expect(state).toBe('complete');
  });

  test.each([
    'http://inner.example:8080/fhirx?p=2',
    'http://inner.example:8080/other?p=2',
    'http://inner.example/fhir?p=2',
    'http://inner.example.evil.example:8080/fhir?p=2',
  ])('P7, F8: %s is not an address of the alias', async (next) => {
    const { asked, outcomes } = await complete({
      access: { aliases: ['http://inner.example:8080/fhir'] },
      answers: { [LIST]: page('1', next) },
    });
    expect(asked).toHaveLength(1);
    expect(outcomes[0]?.outcome).toBe('next-elsewhere');
  });

  test('H15: a medicine referenced by an alias is looked up at the listed address', async () => {
    const { medicationCodeableConcept: code, ...bare } = methadone;
    const pointing = { ...bare, medicationReference: { reference: 'http://inner.example:8080/fhir/Medication/m' } };
    const { paths } = await complete({
      access: { aliases: ['http://inner.example:8080/fhir'] },
      prefetch: { medications: bundle([pointing]) },
      answers: { 'Medication/m': { resourceType: 'Medication', id: 'm', code } },
    });
    expect(paths).toEqual(['Medication/m']);
  });
});

describe('P7, F9: pages requested ahead', () => {
  /** Pages of one entry each, with the server's links as in `address`; how many were requested at once. */
  async function paged(pages: number, address: (page: number) => string, maxPages = 50, broken = 0) {
    let [busy, most] = [0, 0];
    const asked: string[] = [];
    const fetchJson: FetchJson = async (url) => {
      asked.push(url);
      busy += 1;
      most = Math.max(most, busy);
      await new Promise((wake) => setTimeout(wake, 5));
      busy -= 1;
      const found = Array.from({ length: pages }, (_, at) => at + 1).find(
        (at) => at > 1 && `${BASE}/${address(at)}` === url,
      );
      const at = found ?? (url.includes(LIST) ? 1 : undefined);
      if (at === undefined || at === broken) throw new FetchFailed('status', 404);
      const next = at < pages ? `${BASE}/${address(at + 1)}` : undefined;
      return { body: searchset([prescription(`m${at}`, 'atorvastatin')], next), maxAge: undefined };
    };
    const { prefetch } = await completePrefetch(
      {},
      ['medications'],
      NEEDED,
      { patientId: 'kari', encounterId: undefined },
      [],
      {
        access: ACCESS,
        limits: { softMs: 5000, hardMs: 5000, maxPages, post: false },
        fetchJson,
        budget: createBudgets()('ehr'),
      },
    );
    const { state, resources } = readPrefetch(prefetch, 'medications');
    return { state, ids: resources.map(({ id }) => id), asked, most };
  }
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => `m${at + 1}`);

  test.each([
    ['an offset', (page: number) => `?_getpages=3f0c&_getpagesoffset=${(page - 1) * 500}&_count=500`],
    ['a page number', (page: number) => `MedicationRequest?page=${page}`],
  ])('FS5, P7: pages linked by %s are requested several at once, each once and in order', async (_, address) => {
    const { state, ids, asked, most } = await paged(12, address);
    expect([state, ids]).toEqual(['complete', numbered(12)]);
    expect(most).toBeGreaterThan(1);
    expect(new Set(asked).size).toBe(asked.length);
    // Pages beyond the end were requested on a guess.
    expect(asked.length).toBeLessThanOrEqual(12 + 3);
  });

  test.each([
    ['tokens', (page: number) => `?token=${['a', 'qx', 'f9', 'k', 'zz', 'm'][page - 1]}`],
    ['numbers that jump', (page: number) => `?page=${[1, 2, 7, 8, 20, 3][page - 1]}`],
    ['two numbers', (page: number) => `?page=${page}&seed=${page * 7}`],
  ])('FS5, P7: links with %s are followed one by one', async (_, address) => {
    const { state, ids } = await paged(6, address);
    expect([state, ids]).toEqual(['complete', numbered(6)]);
  });

  test('no page beyond the limit is requested ahead', async () => {
    const { state, ids, asked } = await paged(20, (page) => `?page=${page}`, 5);
    expect([state, ids, asked.length]).toEqual(['partial', numbered(5), 5]);
  });

  test('a page that fails ends the list there, also if it was requested ahead', async () => {
    const { state, ids } = await paged(9, (page) => `?page=${page}`, 50, 7);
    expect([state, ids]).toEqual(['partial', numbered(6)]);
  });
});

describe('what a server does not know', () => {
  test.each([404, 410])('P2: a Patient answered with %i is reported as not found', async (status) => {
    const { prefetch } = await complete({
      keys: ['patient', 'medications', 'conditions'],
      answers: {
        'Patient/kari': new FetchFailed('status', status),
        [LIST]: searchset([]),
        'Condition?patient=kari': searchset([]),
      },
    });
    expect(prefetchOf(prefetch, 'kari').standing).toBe('not-known');
  });

  test.each([401, 403, 429, 500])('P2: a Patient answered with %i says nothing about the record', async (status) => {
    const { prefetch } = await complete({
      keys: ['patient'],
      answers: { 'Patient/kari': new FetchFailed('status', status) },
    });
    expect(prefetchOf(prefetch, 'kari').standing).toBe('known');
  });

  test('F9: if all required keys are empty, the patient is waited for until the hard limit', async () => {
    const slow = new Promise<never>((_, reject) => setTimeout(() => reject(new FetchFailed('status', 404)), 100));
    const empty = searchset([]);
    const fetchJson: FetchJson = (url) =>
      url.includes('Patient/') ? slow : Promise.resolve({ body: empty, maxAge: undefined });
    const { prefetch } = await completePrefetch(
      {},
      ['patient', 'medications', 'conditions'],
      NEEDED,
      { patientId: 'kari', encounterId: undefined },
      [],
      {
        access: ACCESS,
        limits: { softMs: 5, hardMs: 10_000, maxPages: 5, post: false },
        fetchJson,
        budget: createBudgets()('ehr'),
      },
    );
    expect(prefetchOf(prefetch, 'kari').standing).toBe('not-known');
  });
});

describe('R10: no request throws unhandled', () => {
  test.each(['\ud800', 'a\udfff', '..', ''])(
    'the id %j leaves no rejection unhandled, and the call is answered',
    async (id) => {
      const left: unknown[] = [];
      const note = (reason: unknown) => left.push(reason);
      process.on('unhandledRejection', note);
      const context = { patientId: id, encounterId: id };
      const { prefetch } = await complete({ keys: sections, context, limits: { softMs: 20, hardMs: 40 } });
      await new Promise((wake) => setTimeout(wake, 5));
      process.off('unhandledRejection', note);
      expect(left).toEqual([]);
      expect(readPrefetch(prefetch, 'medications').state).toBe('absent');
    },
  );
});

describe('the total of all answers to a call', () => {
  const many = (count: number, from: number) =>
    searchset(
      Array.from({ length: count }, (_, at) => prescription(`m${from + at}`, 'atorvastatin')),
      `?page=${from}`,
    );

  test('FS10, F9: resources are counted over all keys, and what exceeds the limit is not known', async () => {
    let from = 0;
    const asked: string[] = [];
    const fetchJson: FetchJson = async (url) => {
      asked.push(url);
      from += 1000;
      return { body: many(1000, from), maxAge: undefined };
    };
    const bounds = { ...fetchBounds, call: { ...fetchBounds.call, resources: 5000 } };
    const { prefetch, outcomes } = await completePrefetch(
      {},
      ['medications', 'statements', 'conditions'],
      NEEDED,
      { patientId: 'kari', encounterId: undefined },
      [],
      {
        access: ACCESS,
        limits: { softMs: 5000, hardMs: 5000, maxPages: 200, post: false },
        fetchJson,
        budget: createBudgets(bounds)('ehr'),
      },
    );
    const held = (['medications', 'statements', 'conditions'] as const).flatMap((key) => asEntries(prefetch[key]));
    expect(held.length).toBeLessThanOrEqual(5000);
    expect(asked.length).toBeLessThan(20);
    expect(outcomes.every(({ outcome }) => outcome !== 'fetched')).toBe(true);
  });

  const asEntries = (value: unknown): unknown[] =>
    ((value as { entry?: unknown[] } | undefined)?.entry ?? []) as unknown[];
});
