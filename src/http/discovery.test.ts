import { afterAll, expect, test } from 'vitest';
import { hooks } from '../rules/schema.ts';
import { knowledge, knowledgeOf, startService } from '../testing/app.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { pair } from '../testing/request.ts';

type Service = { hook: string; id: string; prefetch: Record<string, string>; [field: string]: unknown };

const service = await startService();
afterAll(() => service.close());

const discovered = await service.http.get('/cds-services');
const services: Service[] = discovered.body.services;
const templates = services.flatMap(({ id, prefetch }) =>
  Object.entries(prefetch).map(([key, template]) => ({ id, key, template })),
);

test('DI1, DI2, DI14, T2: anyone gets the list of services as JSON', () => {
  expect(discovered.status).toBe(200);
  expect(discovered.headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/);
  expect(Object.keys(JSON.parse(discovered.text))).toEqual(['services']);
  expect(services).toBeInstanceOf(Array);
});

test('DI4, DI5, DI7: there is a service for each hook, with every field in words', () => {
  expect(services.map(({ hook }) => hook)).toEqual([...hooks]);
  for (const each of services) {
    for (const field of ['hook', 'id', 'title', 'description', 'usageRequirements'])
      expect(each[field], field).toEqual(expect.stringMatching(/\S/));
  }
});

test('DI16, T3: it has only the fields of the specification, and nothing empty', () => {
  const fields = ['hook', 'id', 'title', 'description', 'version', 'hookVersion', 'prefetch', 'usageRequirements'];
  for (const each of services) {
    expect(Object.keys(each).filter((field) => !fields.includes(field))).toEqual([]);
    expect(Object.values(each).filter((value) => value === null || value === '')).toEqual([]);
  }
});

test('DI8, DI9: the version of CDS Hooks is a semantic version, and that of each hook the published one', () => {
  for (const each of services) {
    expect(each['version']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(each['hookVersion']).toBe('1.0');
  }
});

test('DI10, DI11: every id is unique, fits a path and answers calls of its hook', async () => {
  expect(new Set(services.map(({ id }) => id)).size).toBe(services.length);
  for (const { id, hook } of services) {
    expect(id).toMatch(/^[a-z0-9-]{1,100}$/);
    const { status } = await service.http.post(`/cds-services/${id}`).send(pair(hook));
    expect(status).toBe(200);
  }
});

test('DI3, DI13: with every rule switched off there are no services, which is not an error', async () => {
  const copy = copyOfRepository();
  copy.replace('hooks/site.yaml', 'off: []', `off: [${knowledge.rules.map(({ id }) => id).join(', ')}]`);
  const silent = await startService({ knowledge: knowledgeOf(copy.folder) });
  copy.remove();
  const { status, text } = await silent.http.get('/cds-services');
  await silent.close();
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ services: [] });
});

test('DI15: everyone gets the same bytes, with an ETag', async () => {
  const again = await service.http
    .get('/cds-services')
    .set('accept-language', 'da')
    .set('origin', 'https://ehr.example');
  expect(again.text).toBe(discovered.text);
  expect(again.headers['etag']).toBe(discovered.headers['etag']);
  expect(discovered.headers['cache-control']).toMatch(/max-age=\d+/);
  const unchanged = await service.http.get('/cds-services').set('if-none-match', discovered.headers['etag'] as string);
  expect(unchanged.status).toBe(304);
  expect(unchanged.text).toBe('');
});

test.each<[what: string, header: (etag: string) => string, status: number]>([
  ['the ETag', (etag) => etag, 304],
  ['the ETag as weakened by a proxy', (etag) => `W/${etag}`, 304],
  ['a list with the ETag', (etag) => `"other" , W/${etag}`, 304],
  ['any ETag', () => '*', 304],
  ['another ETag', () => '"other"', 200],
  ['the ETag without its quotes', (etag) => etag.slice(1, -1), 200],
  ['nothing', () => '', 200],
])('DI15: If-None-Match: %s', async (_, header, status) => {
  const etag = discovered.headers['etag'] as string;
  const answer = await service.http.get('/cds-services').set('if-none-match', header(etag));
  expect([answer.status, answer.headers['etag']]).toEqual([status, etag]);
});

test('FS15, DI6, PT12: the medication list is requested at every hook, and other data only if a rule needs them', () => {
  for (const { prefetch } of services) {
    expect(prefetch['administrations']).toMatch(/^MedicationAdministration\?patient=/);
    expect(prefetch['medications']).toMatch(/^MedicationRequest\?patient=\{\{context\.patientId\}\}/);
    for (const template of Object.values(prefetch)) expect(template).toMatch(/\S/);
  }
});

test('PT1–PT5: tokens are plain context fields that every hook of the service has', () => {
  for (const { template } of templates) {
    const tokens = template.match(/\{\{.*?\}\}/g) ?? [];
    expect(tokens.length).toBeGreaterThan(0);
    for (const token of tokens) expect(token).toMatch(/^\{\{context\.(patientId|encounterId|userId)\}\}$/);
    expect(template.replace(/\{\{.*?\}\}/g, '')).not.toMatch(/[{}%()|]/);
    expect(template).not.toMatch(/[A-Za-z]+\/\{\{context\.userId\}\}/);
  }
});

test('PT7–PT9: reads and searches are of the common subset, with at most one _include and no repeated parameter', () => {
  for (const { template } of templates) {
    const [path, query] = template.split('?') as [string, string?];
    expect(path).toMatch(query === undefined ? /^[A-Z][A-Za-z]+\/\{\{context\.\w+\}\}$/ : /^[A-Z][A-Za-z]+$/);
    const names = (query ?? '')
      .split('&')
      .filter(Boolean)
      .map((part) => part.split('=')[0] as string);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names)
      expect(['patient', 'date', 'code', 'category', 'status', '_count', '_sort', '_include']).toContain(name);
  }
});

test('PT10: templates are short and contain no code lists', () => {
  for (const { template } of templates) {
    expect(template.length).toBeLessThan(200);
    // Only the kinds of results are listed, never codes.
    expect(template.replace(/category=[a-z,-]+/, '')).not.toMatch(/,|\|/);
  }
});

test('PT11: a site does not request a part of the record that its rules do not need', async () => {
  const copy = copyOfRepository();
  const others = knowledge.rules.map(({ id }) => id).filter((id) => id !== 'laro-sedative-current');
  copy.replace('hooks/site.yaml', 'off: []', `off: [${others.join(', ')}]`);
  const small = await startService({ knowledge: knowledgeOf(copy.folder) });
  copy.remove();
  const { body } = await small.http.get('/cds-services');
  await small.close();
  // That rule needs medicines, problems and more, but no appointments or relatives; every call asks whether the patient is known.
  const { prefetch } = body.services.find(({ hook }: Service) => hook === 'patient-view');
  expect(Object.keys(prefetch)).toEqual(expect.arrayContaining(['patient', 'medications', 'conditions']));
  for (const key of ['appointments', 'familyHistory']) expect(prefetch).not.toHaveProperty(key);
  const all = services.find(({ hook }) => hook === 'patient-view')?.prefetch ?? {};
  expect(Object.keys(all).length).toBeGreaterThan(Object.keys(prefetch).length);
});

test('V1, V4, V7: the list names the FHIR version, the data and the hooks needed for safety', () => {
  for (const each of services) {
    expect(`${each['description']} ${each['usageRequirements']}`).toContain('FHIR R4');
    expect(each['usageRequirements']).toMatch(/Required: "medications"/);
    expect(each['usageRequirements']).toContain('412');
    expect(each['usageRequirements']).toMatch(/safety.*order-sign/);
    expect(each['usageRequirements']).toContain('_include');
    for (const key of Object.keys(each.prefetch)) expect(each['usageRequirements']).toContain(`"${key}"`);
  }
});
