import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { readTestBundles } from '../cli/bundles.ts';
import { parseJson } from '../fhir/json.ts';
import { readPrefetch, type Section } from '../fhir/prefetch.ts';
import { limits } from '../limits.ts';
import { type Answered, pathOf, root, type Sent, startService } from './app.ts';
import { examples, unrelatedMedicines } from './examples.ts';
import { type Json, order, pair, prescription, request } from './request.ts';
import { startTokenFuzzing, type TokenPlan, tokenCases } from './token-mutations.ts';
import { wireProblems } from './wire-conformance.ts';

/** Requests to start from: every test bundle, and some from the tests. */
const bases = [
  ...readTestBundles(join(root, 'test-bundles'), []).map(({ name, body }) => ({ name, body: body as Json })),
  { name: 'pair at order-select', body: pair('order-select') },
  {
    name: 'two drafts',
    body: request('order-sign', { drafts: [order('x', examples.opioid), order('z', examples.gabapentinoid)] }),
  },
  {
    name: 'a server to ask',
    body: {
      ...pair(),
      fhirServer: 'https://fhir.example/r4',
      fhirAuthorization: { access_token: 'x', token_type: 'Bearer', expires_in: 300, scope: 'user/*.rs', subject: 'x' },
    },
  },
  {
    name: 'open chart',
    body: request('patient-view', {
      record: [prescription('m', examples.agonist), prescription('o', examples.benzodiazepine)],
    }),
  },
];

/** A word that only a card may repeat: no other answer and no log line. */
const CANARY = 'Kanarie-Fogel-7c1f';
/** Replaced in the text of the body, since JSON.stringify would not write it. */
const HUGE = '@huge@';
/** Prefix of unknown fields that must have no effect. They come back in orders and are removed there. */
const UNKNOWN = 'zz';

/** An HTTP call. `calm` is the unchanged call that must give the same bytes, or the same decisions. */
export type Case = Sent & {
  kind: Kind;
  base: string;
  calm?: { url: string; body: string; same: 'answer' | 'decisions' };
  /** Sent in production with this token; calls without it go to a sandbox. */
  token?: TokenPlan;
};
export type Kind = 'structure' | 'text' | 'irrelevant' | 'transport' | 'token';

const JSON_HEADERS = { 'content-type': 'application/json', 'accept-language': 'en' };

// Broken in structure

const junk: unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, 5e-324, -1e21, 2 ** 53, HUGE],
  ...['', ' ', '\u0000\u001f\u007f', '\u202eabc\u2066', '\ud800', '\ufeff', '𝒳'.repeat(300), 'x'.repeat(100_000)],
  // Texts on which a careless regular expression takes quadratic time.
  ...['/', ' ', 'a/', '/_history/', '1', '(', '['].map((part) => `${part.repeat(100_000 / part.length)}x`),
  `https://fhir.example/${'/'.repeat(100_000)}x`,
  ...['NaN', '-0', '1e999', '[object Object]', '__proto__', '../../etc/passwd', '#', 'urn:uuid:', '/', '{a}', '{'],
  ...['0000', '9999-12-31', '0000-01-01', '2026-02-30', '2026-13', '2026-00-10', '+275760-09-13', '-000001-01-01'],
  ...['2026-03-02T25:61:61Z', '2026-03-02T10:00:00+99:99', '2026-03-29T02:30:00', '9999-12-31T23:59:59-12:00'],
  ...['2026-W09', CANARY, `Patient/${CANARY}`, [CANARY], { [CANARY]: CANARY }, { resourceType: CANARY }],
  ...[[], {}, [[]], [null], { a: {} }, { value: HUGE, code: 'd' }, { value: 36525, code: 'a' }],
  Array.from({ length: 3000 }, () => ({})),
  Array.from({ length: 100 }).reduce((inner) => ({ resource: inner, entry: [inner], item: [inner] }).item, 'deep'),
  {
    resourceType: 'Bundle',
    entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ diagnostics: CANARY }] } }],
  },
];

const kinds = ['drop', 'replace', 'replace', 'replace', 'twice', 'nest', 'unnest', 'swap', 'key', 'add'] as const;
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(),
  other: fc.nat(),
  junk: fc.oneof(fc.constantFrom(...junk), fc.jsonValue({ maxDepth: 3 })),
  key: fc.constantFrom('__proto__', 'toString', 'constructor', 'prototype', 'length', 'resourceType', CANARY, ''),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Place = { holder: Record<string, unknown>; key: string };

/** Every node below the root. */
export function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null || found.length > 3000) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    placesOf(holder[key], found);
  }
  return found;
}

function mutate(body: Json, { kind, at, other, key, ...step }: Step): void {
  const junk = structuredClone(step.junk);
  const places = placesOf(body);
  const place = places[at % places.length];
  const second = places[other % places.length];
  if (!place || !second) return;
  const { holder } = place;
  const value = holder[place.key];
  if (kind === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(place.key), 1);
    else delete holder[place.key];
  } else if (kind === 'replace') holder[place.key] = junk;
  else if (kind === 'twice') holder[place.key] = Array.isArray(value) ? [...value, ...value] : [value, value];
  else if (kind === 'nest') holder[place.key] = other % 2 === 0 ? [value] : { [key]: value };
  else if (kind === 'unnest' && typeof value === 'object' && value !== null)
    holder[place.key] = Object.values(value)[0];
  else if (kind === 'swap') {
    holder[place.key] = structuredClone(second.holder[second.key]);
    second.holder[second.key] = structuredClone(value);
  } else {
    const target =
      [value, holder].find((item) => typeof item === 'object' && item !== null && !Array.isArray(item)) ?? body;
    // An own property, even if the name is __proto__.
    Object.defineProperty(target, kind === 'key' ? key : 'extension', {
      value: junk,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

const structure: fc.Arbitrary<Case> = fc
  .tuple(fc.constantFrom(...bases), fc.array(step, { minLength: 1, maxLength: 4 }))
  .map(([{ name, body: base }, steps]) => {
    const body = structuredClone(base);
    for (const each of steps) mutate(body, each);
    const text = JSON.stringify(body).replaceAll(`"${HUGE}"`, '1e999');
    return { kind: 'structure', base: name, method: 'POST', url: pathOf(base), headers: JSON_HEADERS, body: text };
  });

// Broken in the text

const text: fc.Arbitrary<Case> = fc
  .tuple(fc.constantFrom(...bases), fc.nat(), fc.nat({ max: 20 }), fc.string({ unit: 'binary', maxLength: 8 }))
  .map(([{ name, body }, at, cut, insert]) => {
    const whole = JSON.stringify(body);
    const from = at % whole.length;
    const broken = whole.slice(0, from) + insert + whole.slice(from + cut);
    return { kind: 'text', base: name, method: 'POST', url: pathOf(body), headers: JSON_HEADERS, body: broken };
  });

// Changed where it must not matter

type Numbers = { at: number; other: number; junk: unknown };
type Change = (body: Json, numbers: Numbers) => Same;
type Same = 'answer' | 'decisions';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pick = <T>(items: readonly T[], at: number): T => items[at % items.length] as T;
const objectsIn = (value: unknown): Json[] => [
  ...(isObject(value) ? [value] : []),
  ...placesOf(value).flatMap(({ holder, key }) => (isObject(holder[key]) ? [holder[key]] : [])),
];

/** A pseudo-random rank for a position, good enough for shuffling. */
const rank = (seed: number, at: number): number => ((seed + 1) * 2654435761 * (at + 7)) % 4294967291;
const shuffled = <T>(items: readonly T[], seed: number): T[] =>
  items
    .map((item, at) => ({ item, rank: rank(seed, at) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);

/** The entry lists of Bundles that were read as data. In other Bundles more entries may change the answer. */
function recordLists(body: Json, sections: readonly Section[]): { section: Section; entries: Json[] }[] {
  return sections.flatMap((section) => {
    const value = isObject(body['prefetch']) ? body['prefetch'][section] : undefined;
    if (!isObject(value) || value['resourceType'] !== 'Bundle' || !isObject(body['context'])) return [];
    if (!['complete', 'partial'].includes(readPrefetch(body['prefetch'], section).state)) return [];
    if (value['entry'] === undefined) value['entry'] = [];
    if (!Array.isArray(value['entry'])) return [];
    const entries = value['entry'] as Json[];
    // If the whole list is another patient's, it is not this patient's list either.
    const own =
      entries.length === 0 ||
      entries.some((entry) => [undefined, patientOf(body)].includes(subjectIn(entry) as string));
    return own ? [{ section, entries }] : [];
  });
}

function draftList(body: Json): Json[] {
  const drafts = (body['context'] as Json)['draftOrders'];
  return isObject(drafts) && Array.isArray(drafts['entry']) ? (drafts['entry'] as Json[]) : [];
}

const patientOf = (body: Json) =>
  `Patient/${String((body['context'] as Json)['patientId'])
    .split('/')
    .at(-1)}`;
const subjectIn = ({ resource }: Json): unknown =>
  isObject(resource) && isObject(resource['subject']) ? resource['subject']['reference'] : undefined;
const insert = <T>(list: T[], at: number, item: T): void => void list.splice(at % (list.length + 1), 0, item);

const SEARCHES: readonly Section[] = ['medications', 'statements', 'dispenses', 'conditions', 'observations'];
const foreignTypes = ['Practitioner', 'Organization', 'AllergyIntolerance', 'Immunization', 'Location', 'Provenance'];
const foreignDrafts = ['NutritionOrder', 'DeviceRequest', 'VisionPrescription', 'CommunicationRequest'];
/** An order in the request's FHIR version, because two versions in one request are refused. */
function inVersionOf(body: Json, resource: Json): Json {
  const { medicationCodeableConcept: concept, ...rest } = resource;
  return /"concept":|"class":\[\{"coding"/.test(JSON.stringify(body)) ? { ...rest, medication: { concept } } : resource;
}

/** A prescription of a medicine in no list. */
function unrelatedOrder(at: number, other: number, subject: string, draft: boolean): Json {
  const name = pick(unrelatedMedicines, at);
  const named = order(`unrelated-${at}`, pick(examples.unrelated, other), {
    subject: { reference: subject },
    ...(other % 3 === 0 && { medicationCodeableConcept: { text: name } }),
  });
  return draft
    ? named
    : { ...named, status: pick(['active', 'completed', 'on-hold'], other), authoredOn: '2026-01-15' };
}

const changes: Record<string, Change> = {
  'unknown field': (body, { at, junk }) => {
    pick(objectsIn(body), at)[`${UNKNOWN}Field`] = structuredClone(junk);
    return 'answer';
  },
  'elements of every resource': (body, { at }) => {
    const resource = pick(
      objectsIn(body['prefetch']).filter((item) => typeof item['resourceType'] === 'string'),
      at,
    );
    if (!resource || resource['resourceType'] === 'OperationOutcome') return 'answer';
    // For an ended order, the last change limits how long it may have been taken.
    const over = ['stopped', 'completed'].includes(String(resource['status']));
    const extra: Json = {
      meta: {
        versionId: '7',
        ...(!over && { lastUpdated: '2026-03-01T10:00:00Z' }),
        profile: ['http://example.org/fhir/profile'],
      },
      language: 'sv',
      ...(resource['resourceType'] !== 'Bundle' && {
        text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${examples.narrative}</div>` },
        identifier: [{ system: 'urn:oid:1.2.3', value: examples.code }],
        _status: { extension: [{ url: 'http://example.org/x', valueString: examples.narrative }] },
      }),
    };
    for (const [key, value] of Object.entries(extra)) resource[key] ??= value;
    return 'answer';
  },
  'included resources of other types': (body, { at, other }) => {
    const lists = recordLists(body, SEARCHES);
    const resource = { resourceType: pick(foreignTypes, other), id: `foreign-${at}` };
    if (lists.length > 0) insert(pick(lists, at).entries, other, { resource, search: { mode: 'include' } });
    return 'answer';
  },
  'drafts of other types': (body, { at, other }) => {
    const resource = {
      resourceType: pick(foreignDrafts, other),
      id: `foreign-${at}`,
      status: 'draft',
      intent: 'order',
      [pick(['subject', 'patient'], at)]: { reference: patientOf(body) },
    };
    if (draftList(body).length > 0) insert(draftList(body), at, { resource });
    return 'answer';
  },
  'medicines of no list': (body, { at, other }) => {
    const [list] = recordLists(body, ['medications']);
    if (list)
      insert(list.entries, other, { resource: inVersionOf(body, unrelatedOrder(at, other, patientOf(body), false)) });
    return 'answer';
  },
  'drafts of no list': (body, { at, other }) => {
    if (body['hook'] !== 'order-sign') return 'answer';
    const drafts = draftList(body);
    if (drafts.length > 0)
      insert(drafts, other, { resource: inVersionOf(body, unrelatedOrder(at, other, patientOf(body), true)) });
    return 'decisions';
  },
  'findings of no list': (body, { at, other }) => {
    const [list] = shuffled(recordLists(body, Object.keys(examples.findingsOfNoList) as Section[]), at);
    const reference = patientOf(body);
    if (list)
      insert(list.entries, other, {
        resource: {
          ...structuredClone(examples.findingsOfNoList[list.section]),
          id: `beside-${at}`,
          [list.section === 'familyHistory' ? 'patient' : 'subject']: { reference },
        },
      });
    return 'answer';
  },
  'prescriptions of another patient': (body, { at, other }) => {
    const [list] = recordLists(body, ['medications']);
    const drug = pick([examples.agonist, examples.benzodiazepine, examples.opioid], other);
    const subject = { reference: 'Patient/nobody-of-the-bundles' };
    const resource = prescription(`foreign-${at}`, drug, { subject });
    const own = list?.entries.some((entry) => subjectIn(entry) === patientOf(body));
    if (list && own) insert(list.entries, other, { resource: inVersionOf(body, resource) });
    return 'answer';
  },
  'order of entries': (body, { at }) => {
    for (const item of objectsIn(body)) if (Array.isArray(item['entry'])) item['entry'] = shuffled(item['entry'], at);
    return 'decisions';
  },
  'order of codings': (body, { at }) => {
    for (const item of objectsIn(body))
      if (Array.isArray(item['coding'])) item['coding'] = shuffled(item['coding'], at);
    return 'decisions';
  },
  'codings of a system that nobody knows': (body, { at, other }) => {
    const lists = objectsIn(body).flatMap(({ coding }) => (Array.isArray(coding) && coding.length > 0 ? [coding] : []));
    if (lists.length > 0) insert(pick(lists, at), other, { system: 'urn:oid:1.2.752.99999.1', code: `local-${at}` });
    return 'decisions';
  },
  'order of keys': (body, { at }) => {
    for (const item of objectsIn(body)) {
      const entries = shuffled(Object.entries(item), at);
      for (const [key] of entries) delete item[key];
      for (const [key, value] of entries) item[key] = value;
    }
    return 'answer';
  },
  'prefetch keys that were not asked for': (body, { at, other, junk }) => {
    const agonist = { resource: prescription('m', examples.agonist, { subject: { reference: patientOf(body) } }) };
    const value = other % 2 === 0 ? { resourceType: 'Bundle', type: 'searchset', entry: [agonist] } : junk;
    if (isObject(body['prefetch']))
      body['prefetch'][pick(['medicationRequests', 'item1', 'Medications', 'medications2', ''], at)] = value;
    return 'answer';
  },
  'entries of the record twice': (body, { at }) => {
    const lists = recordLists(body, SEARCHES).filter(({ entries }) => entries.length > 0);
    const list = pick(lists, at);
    if (list) list.entries.push(structuredClone(pick(list.entries, at)));
    return 'answer';
  },
  'addresses of entries': (body) => {
    for (const item of objectsIn(body)) {
      for (const entry of Array.isArray(item['entry']) ? item['entry'].filter(isObject) : []) {
        const { resource } = entry;
        if (!isObject(resource) || typeof resource['id'] !== 'string') continue;
        entry['fullUrl'] ??= `https://fhir.example/r4/${resource['resourceType']}/${resource['id']}`;
        entry['search'] ??= { mode: 'match', score: 1 };
      }
    }
    return 'answer';
  },
  'elements of a Bundle': (body, { at }) => {
    const bundle = pick(
      objectsIn(body).filter((item) => item['resourceType'] === 'Bundle'),
      at,
    );
    if (!bundle) return 'answer';
    bundle['id'] ??= 'b-1';
    const entries = Array.isArray(bundle['entry'])
      ? bundle['entry'].map((entry) => (isObject(entry) ? entry : {}))
      : [];
    bundle['total'] ??= entries.filter(({ search }) => !isObject(search) || search['mode'] !== 'include').length;
    bundle['timestamp'] ??= '2026-03-02T09:00:00+01:00';
    bundle['type'] = pick(['searchset', 'collection', 'batch-response', 'transaction'], at);
    const link = Array.isArray(bundle['link']) ? bundle['link'] : [];
    bundle['link'] = [{ relation: 'self', url: 'https://fhir.example/r4/MedicationRequest?patient=x' }, ...link];
    return 'answer';
  },
  'user, server and ids in another form': (body, { at }) => {
    const context = body['context'] as Json;
    context['userId'] = pick(['Practitioner/other', 'PractitionerRole/other', 'other', undefined], at);
    if (at % 2 === 0) context['patientId'] = patientOf(body);
    if (at % 3 === 0 && typeof context['encounterId'] === 'string' && !context['encounterId'].includes('/'))
      context['encounterId'] = `Encounter/${context['encounterId']}`;
    body['fhirServer'] ??= pick([null, 'https://fhir.example/r4', 'http://169.254.169.254/latest'], at);
    return 'answer';
  },
  'another hookInstance': (body, { at }) => {
    body['hookInstance'] = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
    return 'decisions';
  },
};

const style = fc.record({
  space: fc.constantFrom('', ' ', '\t', '\n', '\r\n  '),
  numbers: fc.constantFrom('plain', 'exponent', 'decimals'),
  escapes: fc.constantFrom('none', 'foreign', 'all'),
  tail: fc.constantFrom('', '\n', ' \t\r\n'),
});
type Style = typeof style extends fc.Arbitrary<infer T> ? T : never;

/** The same JSON in another notation. */
function write(value: unknown, style: Style): string {
  const { space } = style;
  if (typeof value === 'string') return writeString(value, style);
  if (typeof value === 'number' && style.numbers === 'exponent') return value.toExponential().replace('e', 'E');
  if (typeof value === 'number' && style.numbers === 'decimals' && Number.isSafeInteger(value)) return `${value}.000`;
  if (Array.isArray(value)) return `[${space}${value.map((item) => write(item ?? null, style)).join(`${space},`)}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const items = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${items.map(([key, item]) => `${space}${writeString(key, style)}${space}:${space}${write(item, style)}`).join(',')}${space}}`;
}

function writeString(value: string, { escapes }: Style): string {
  const written = JSON.stringify(value);
  const hex = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  if (escapes === 'all' && value.length < 1000)
    return `"${[...Array(value.length).keys()].map((at) => hex(value[at] as string)).join('')}"`;
  return escapes === 'foreign' ? written.replace(/[^\x20-\x7e]/g, hex) : written;
}

/** Values for an unknown field. A list that is too long is refused anywhere. */
const harmless = junk.filter(
  (item) => !JSON.stringify(item).includes(HUGE) && !(Array.isArray(item) && item.length > limits.listOfEntry),
);

const irrelevant: fc.Arbitrary<Case> = fc
  .record({
    base: fc.constantFrom(...bases),
    steps: fc.array(
      fc.record({
        name: fc.constantFrom(...Object.keys(changes)),
        at: fc.nat({ max: 1e9 }),
        other: fc.nat({ max: 1e9 }),
        junk: fc.oneof(fc.constantFrom(...harmless), fc.jsonValue()),
      }),
      { maxLength: 5 },
    ),
    style,
    type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'application/fhir+json'),
    address: fc.constantFrom('', '/', '?x=1', '//'),
  })
  .map(({ base, steps, style, type, address }) => {
    const body = structuredClone(base.body);
    const same = steps.map(({ name, ...numbers }) => (changes[name] as Change)(body, numbers));
    const url = address === '//' ? pathOf(base.body).replaceAll('/', '//') : `${pathOf(base.body)}${address}`;
    return {
      kind: 'irrelevant',
      base: `${base.name}: ${steps.map(({ name }) => name).join(', ') || 'written otherwise'}`,
      method: 'POST',
      url,
      headers: { ...JSON_HEADERS, 'content-type': type },
      body: write(body, style) + style.tail,
      calm: {
        url: pathOf(base.body),
        body: JSON.stringify(base.body),
        same: same.includes('decisions') ? 'decisions' : 'answer',
      },
    };
  });

// Broken on the way

const transport: fc.Arbitrary<Case> = fc
  .record({
    base: fc.constantFrom(...bases),
    method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
    url: fc.oneof(
      fc.constantFrom(
        '/',
        '/cds-services',
        '/cds-services/',
        '/health',
        '/ready',
        '/metrics',
        '/%zz',
        '/cds-services/%00',
      ),
      fc.webPath().map((path) => `/${path}`.replace(/^\/{2,}/, '/')),
      fc.webPath().map((path) => `/cds-services/${path}`),
      fc.constant(undefined),
    ),
    type: fc.constantFrom(
      ...['application/json', 'application/json;charset=latin1', 'text/plain', 'application/xml', 'nonsense', '*/*'],
      ...['application/json, text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded', ''],
    ),
    headers: fc.dictionary(
      fc.constantFrom(
        'accept',
        'accept-language',
        'origin',
        'authorization',
        'if-none-match',
        'x-request-id',
        'cookie',
      ),
      fc.oneof(
        fc.constantFrom(CANARY, '*', 'null', `Bearer ${CANARY}`, '"x"', 'en;q=9,'),
        fc.string({ unit: 'grapheme-ascii' }),
      ),
    ),
    body: fc.oneof(fc.constantFrom('', '{}', '[]', 'null', CANARY), fc.constant(undefined)),
  })
  .map(({ base, method, url, type, headers, body }) => ({
    kind: 'transport',
    base: base.name,
    method,
    url: url ?? pathOf(base.body),
    headers: { ...headers, ...(type !== '' && { 'content-type': type }) },
    body: ['GET', 'HEAD'].includes(method) ? '' : (body ?? JSON.stringify(base.body)),
  }));

// With tokens

const token = tokenCases(
  bases.map(({ name, body }) => ({ name, url: pathOf(body), body: JSON.stringify(body) })),
  // HTTP headers are limited to 16 KiB.
  junk.filter((item) => JSON.stringify(item).length < 4000),
  CANARY,
);

export const cases: Record<Kind, fc.Arbitrary<Case>> = { structure, text, irrelevant, transport, token };

/** The documented statuses (docs/integrator.md, "Answers and status codes"). */
const documented: Record<Kind, number[]> = {
  structure: [200, 400, 412, 413, 422],
  text: [200, 400, 412, 422],
  irrelevant: [200, 412],
  transport: [200, 304, 400, 404, 405, 412, 415, 422],
  token: [200, 400, 401, 404, 412, 422],
};

/**
 * The service in this process; reports what is wrong with its answers. With `slow`, no call may take more milliseconds
 * than that, because it blocks all others.
 */
export async function startFuzzing(slow = Number.POSITIVE_INFINITY) {
  const service = await startService();
  const production = await startTokenFuzzing(CANARY);
  const calmAnswers = new Map<string, Answered>();

  const calm = async (call: NonNullable<Case['calm']>): Promise<Answered> => {
    const known =
      calmAnswers.get(call.body) ?? (await service.inject({ ...call, method: 'POST', headers: JSON_HEADERS }));
    calmAnswers.set(call.body, known);
    return known;
  };

  return {
    /** Sends a call and lists everything that is wrong with its answer. */
    judge: async (call: Case): Promise<Answered & { faults: string[] }> => {
      if (call.token) {
        const answer = await production.judge(call);
        if (answer.milliseconds > slow) answer.faults.push(`over ${slow} ms`);
        if (!documented.token.includes(answer.status))
          answer.faults.push(`status ${answer.status} is not documented for this`);
        return answer;
      }
      const answer = await service.inject(call);
      const faults = [
        ...(answer.milliseconds > slow ? [`over ${slow} ms`] : []),
        ...faultsOf(call, answer),
        ...(call.calm ? differences(call.calm, answer, await calm(call.calm)) : []),
      ];
      return { ...answer, faults };
    },
    close: async () => {
      await Promise.all([service.close(), production.close()]);
    },
  };
}

function faultsOf(call: Case, { status, type, text, logged }: Answered): string[] {
  const faults: string[] = [];
  const preflight = call.method === 'OPTIONS' && status === 204;
  if (!documented[call.kind].includes(status) && !preflight) faults.push(`status ${status} is not documented for this`);
  if (logged.includes(CANARY)) faults.push('the log repeats what was sent');
  if (/"level":[56]0/.test(logged)) faults.push('the log tells a failure');
  if (
    call.method === 'HEAD' ||
    preflight ||
    status === 304 ||
    (status === 200 && ['/', '/metrics'].includes((call.url.split('?')[0] as string).replace(/\/{2,}/g, '/')))
  )
    return faults;
  if (!type.startsWith('application/json')) return [...faults, `content type ${type || 'missing'}`];
  const parsed = parseJson(text) as Json | undefined;
  if (parsed === undefined) return [...faults, 'no JSON'];
  if (status === 200)
    return [...faults, ...(call.method === 'POST' ? wireProblems(text, parseJson(call.body) as Json) : [])];
  if (parsed['resourceType'] !== 'OperationOutcome') faults.push('no OperationOutcome');
  if (!Array.isArray(parsed['issue']) || parsed['issue'].length === 0) faults.push('no issue');
  if (text.includes(CANARY)) faults.push('the refusal repeats what was sent');
  return faults;
}

function differences({ same }: NonNullable<Case['calm']>, answer: Answered, calm: Answered): string[] {
  if (answer.status !== calm.status) return [`status ${answer.status}, undisturbed ${calm.status}`];
  const view = (value: Json | undefined) => (same === 'answer' ? known(value) : decisionsOf(known(value) as Json));
  const [one, other] = [answer, calm].map(({ text }) => view(parseJson(text) as Json | undefined));
  return isDeepStrictEqual(one, other)
    ? []
    : [`${same} differ: ${JSON.stringify(one)}, undisturbed ${JSON.stringify(other)}`];
}

/** A copy without the planted fields. */
function known(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(known);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.startsWith(UNKNOWN))
      .map(([key, item]) => [key, known(item)]),
  );
}

/** The decisions of an answer: rules, indicators and suggestions, or what is missing. Ignores order and wording. */
function decisionsOf(answer: Json | undefined): string[] {
  const list = (value: unknown) => (Array.isArray(value) ? value : []);
  const actionOf = ({ type, resourceId, resource }: { type: string; resourceId?: string; resource?: Json }) => {
    const ends = objectsIn(resource?.['dosageInstruction']).flatMap(({ end }) =>
      end === undefined ? [] : [`ends ${end}`],
    );
    const { quantity } = (resource?.['dispenseRequest'] ?? {}) as { quantity?: Json };
    const what = type === 'create' ? resource?.['resourceType'] : `${resource?.['resourceType']}/${resource?.['id']}`;
    return [type, resourceId ?? what, ...ends.sort(), `quantity ${quantity?.['value']}`].join(' ');
  };
  const cards = list(answer?.['cards']).map(({ source, indicator, suggestions }) => {
    const offered = list(suggestions).map(
      ({ actions, isRecommended }) => `${list(actions).map(actionOf).sort().join('+')}${isRecommended ? '!' : ''}`,
    );
    return [source.topic.code, indicator, ...offered.sort()].join(' | ');
  });
  return [...cards, ...list(answer?.['issue']).map(({ diagnostics }) => String(diagnostics))].sort();
}
