import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFetchJson } from '../fhir/fetch-json.ts';
import { root, startService } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { startFhirServer } from '../testing/fhir-server.ts';
import { order, prescription } from '../testing/request.ts';

type Service = Awaited<ReturnType<typeof startService>>;

const PATHS = [
  '/',
  '/workbench/page.js',
  '/workbench/page.css',
  '/workbench/icon.svg',
  '/workbench/patients',
  '/workbench/patient?name=opioid-start/five-days',
  '/workbench/rules',
  '/workbench/medicines?search=x',
];

describe('the workbench in a sandbox', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  test('the page is served, and its policy allows only its own script, style, picture and calls', async () => {
    const { status, headers, text } = await service.http.get('/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(headers['content-security-policy'])
      .split('; ')
      .map((line) => line.split(' '));
    expect(policy[0]).toEqual(['default-src', "'none'"]);
    expect(new Set(policy.flatMap(([, ...sources]) => sources))).toEqual(new Set(["'none'", "'self'"]));
    expect(text).not.toMatch(/<script(?![^>]* src="\/)|<style|\sstyle=|\son\w+=|https?:/);
  });

  test('everything the page loads is served with its content type', async () => {
    const { text } = await service.http.get('/');
    const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(loaded).toHaveLength(3);
    for (const path of loaded) {
      const { status, headers } = await service.http.get(path);
      expect([status, headers['x-content-type-options']], path).toEqual([200, 'nosniff']);
    }
  });

  test('its script is a single module without unresolved imports', async () => {
    const { text } = await service.http.get('/workbench/page.js');
    expect(text).not.toMatch(/\bfrom\s*["']|\bimport\s*[("']|process\.env/);
  });

  test('every patient is listed with the description of its folder', async () => {
    const { body } = await service.http.get('/workbench/patients');
    expect(body.patients.length).toBeGreaterThan(800);
    const one = body.patients.find(({ name }: { name: string }) => name === 'opioid-start/five-days');
    expect(one).toMatchObject({ folder: 'opioid-start', hook: 'order-sign', cards: [] });
    expect(one.about).not.toBe('opioid-start');
  });

  test('every example is a patient on the list', async () => {
    const { body } = await service.http.get('/workbench/patients');
    const names = body.patients.map(({ name }: { name: string }) => name);
    expect(body.examples.length).toBeGreaterThan(5);
    for (const { patient } of body.examples) expect(names).toContain(patient);
  });

  test('a patient is served as in its file', async () => {
    const { body, headers } = await service.http.get('/workbench/patient?name=opioid-start/five-days');
    expect(headers['content-type']).toContain('application/json');
    expect((await service.call(body)).body).toEqual({ cards: [] });
  });

  test.each([
    '../package',
    'opioid-start/../../package',
    'opioid-start/%2e%2e/%2e%2e/package',
    'opioid-start%2f..%2f..%2fpackage',
    'opioid-start\\five-days',
    '/etc/passwd',
    'opioid-start/five-days%00',
    'opioid-start',
    'opioid-start/nobody',
    '',
  ])('the name %j is not found', async (name) => {
    const { status, body } = await service.http.get(`/workbench/patient?name=${name}`);
    expect([status, body.resourceType]).toEqual([404, 'OperationOutcome']);
  });

  test('a repeated name parameter is rejected', async () => {
    const twice = 'name=opioid-start/five-days&name=opioid-start/five-days';
    expect((await service.http.get(`/workbench/patient?${twice}`)).status).toBe(404);
  });

  test('each rule is described in words, with its facts', async () => {
    const { body } = await service.http.get('/workbench/rules');
    const rule = body.rules['opioid-stop-date'];
    expect(rule.says).toMatch(/stop date/);
    expect(Object.keys(rule.facts)).toContain('openEnded');
  });

  test('a medicine is found by a prefix of its name in any language, its brand or its code', async () => {
    const found = async (search: string) =>
      (await service.http.get(`/workbench/medicines?search=${encodeURIComponent(search)}`)).body.medicines;
    expect((await found('oxikod'))[0]).toMatchObject({ code: 'N02AA05', system: 'http://www.whocc.no/atc' });
    expect((await found('OXYCO'))[0]).toMatchObject({ code: 'N02AA05' });
    expect((await found('oxynorm'))[0]).toMatchObject({ name: 'oxynorm', code: 'N02AA05' });
    expect((await found('n02aa05')).map(({ code }: { code: string }) => code)).toContain('N02AA05');
    expect((await found('zopik'))[0].lists).toContain('sedative');
    expect(await found('nothing is called so')).toEqual([]);
    expect(await found('')).toEqual([]);
    expect((await found('o')).length).toBeLessThanOrEqual(20);
  });

  test('each substance is listed once, however many spellings match', async () => {
    const { body } = await service.http.get('/workbench/medicines?search=oxycodon');
    const codes = body.medicines.map(({ code }: { code: string }) => code);
    expect(codes.filter((code: string) => code === 'N02AA05')).toHaveLength(1);
  });

  test('another method is 405 and names the allowed one', async () => {
    const { status, headers } = await service.http.post('/workbench/rules').send({});
    expect([status, headers['allow']]).toEqual([405, 'GET']);
  });

  const STRANGERS: [string, Record<string, string>][] = [
    ['a page of another origin', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }],
    ['an older browser sending another origin', { origin: 'https://elsewhere.example' }],
    ['a name rebound to this machine', { host: 'rebound.example' }],
  ];
  test.each(STRANGERS)('routes for its own page refuse %s', async (_, headers) => {
    const url = '/workbench/record';
    const payload = { hook: 'patient-view', fhirServer: 'http://127.0.0.1:1/r4', patientId: 'kari' };
    const refused = 'host' in headers ? 421 : 403;
    expect((await service.app.inject({ method: 'POST', url, headers, payload })).statusCode).toBe(refused);
    expect((await service.app.inject({ url: '/workbench/patients', headers })).statusCode).toBe(refused);
  });

  test('without test bundles the page is served without patients', async () => {
    const empty = await startService({ testBundles: join(root, 'no-such-folder') });
    expect((await empty.http.get('/')).status).toBe(200);
    expect((await empty.http.get('/workbench/patients')).body).toEqual({ patients: [], examples: [] });
    expect((await empty.http.get('/workbench/patient?name=opioid-start/five-days')).status).toBe(404);
    await empty.close();
  });

  test('a patient file added while the service runs is listed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cds-bundles-'));
    const other = await startService({ testBundles: folder });
    expect((await other.http.get('/workbench/patients')).body.patients).toEqual([]);
    writeFileSync(join(folder, 'ada.request.json'), JSON.stringify({ hook: 'patient-view' }));
    writeFileSync(join(folder, 'ada.expected.yaml'), 'note: New here.\ncards: []\n');
    const { body } = await other.http.get('/workbench/patients');
    expect(body.patients).toMatchObject([{ name: 'ada', hook: 'patient-view', note: 'New here.' }]);
    await other.close();
    rmSync(folder, { recursive: true });
  });
});

describe('a record of a FHIR server', () => {
  let service: Service;
  let server: Awaited<ReturnType<typeof startFhirServer>>;
  const fetchJson = createFetchJson();
  beforeAll(async () => {
    server = await startFhirServer();
    await server.add('open', [
      { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' },
      prescription('methadone-1', 'methadone'),
      order('other', 'oxycodone', { status: 'active', subject: { reference: 'Patient/nils' } }),
    ]);
    service = await startService({ fetchJson });
  });
  afterAll(async () => {
    await service.close();
    await server.close();
    await fetchJson.close();
  });
  const ask = (body: object) => service.http.post('/workbench/record').send(body);
  const token = { access_token: 'open', token_type: 'Bearer', expires_in: 300, subject: 'workbench' };
  const wanted = (more: object = {}) => ({
    hook: 'patient-view',
    fhirServer: server.base,
    patientId: 'kari',
    fhirAuthorization: token,
    ...more,
  });

  test('a record is requested only by the templates of discovery', async () => {
    const { status, body } = await ask(wanted());
    expect(status).toBe(200);
    const { services } = (await service.http.get('/cds-services')).body;
    const templates = services.find(({ hook }: { hook: string }) => hook === 'patient-view').prefetch;
    // Results are requested twice: those of one year, and two kinds at any age.
    const asked = new Set(
      server.paths().map((path) => path.replace(/(&date=ge[^&]+|&code=[^&]+)?(&_count=500)?$/, '')),
    );
    const fitting = Object.values(templates as Record<string, string>)
      .filter((template) => !template.includes('encounterId'))
      .map((template) => template.replace('{{context.patientId}}', 'kari'));
    expect(asked).toEqual(new Set(fitting));
    expect(body.prefetch.patient.id).toBe('kari');
    expect(body.prefetch.medications.entry).toHaveLength(1);
    expect(body.outcomes).toContainEqual({ key: 'medications', outcome: 'fetched' });
  });

  test('an invalid token is reported for each key', async () => {
    const { body } = await ask(wanted({ fhirAuthorization: { ...token, access_token: 'wrong' } }));
    expect(body.outcomes).toContainEqual({ key: 'patient', outcome: 'status', status: 401 });
    expect(body.prefetch).toEqual({});
  });

  test.each([
    [{ fhirServer: 'https://fhir.elsewhere.example/r4' }, /servers on this machine/],
    [{ fhirServer: 'http://10.0.0.1/r4' }, /servers on this machine/],
    [{ fhirServer: 'file:///etc/passwd' }, /servers on this machine/],
    [{ fhirServer: 7 }, /address of a FHIR server/],
    [{ patientId: '' }, /patientId/],
    [{ patientId: { a: 1 } }, /patientId/],
    [{ hook: 'order-dispatch' }, /hook: one of/],
    [{ fhirAuthorization: { ...token, patient: 'nils' } }, /another patient/],
    [{ fhirAuthorization: { ...token, expires_in: 0 } }, /expired/],
  ])('%j is refused with a reason', async (more, reason) => {
    const before = server.seen.length;
    const { status, body } = await ask(wanted(more));
    expect(status).toBe(400);
    expect(body.issue[0].diagnostics).toMatch(reason);
    expect(server.seen.length).toBe(before);
  });

  test('a body that is not an object is refused', async () => {
    expect((await service.http.post('/workbench/record').send([1])).status).toBe(400);
    expect((await service.http.post('/workbench/record').type('text/plain').send('x')).status).toBe(415);
  });
});

describe('the workbench in production', () => {
  test('it does not exist: 401 without a token, 404 with one', async () => {
    const { client, token } = await createClient();
    const service = await startService({ mode: 'production', clients: [client] });
    for (const path of PATHS) {
      expect((await service.http.get(path)).status, path).toBe(401);
      const bearer = await token(path.split('?')[0] as string);
      const { status, body } = await service.http.get(path).set('authorization', `Bearer ${bearer}`);
      expect([status, body.resourceType], path).toEqual([404, 'OperationOutcome']);
    }
    await service.close();
  });
});
