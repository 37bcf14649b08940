import type { IncomingHttpHeaders } from 'node:http';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import type { Client } from '../trust/clients.ts';
import { accessOf, isForeignPage, isLocalHost, requireLocalHost } from './access.ts';

const client = {
  name: 'ehr',
  fhirServers: ['https://fhir.example/r4/'],
  fhirServerAliases: { 'https://fhir.example/r4/': ['http://inner:8080/fhir/', 'no address'] },
  privateNetwork: true,
} as unknown as Client;
const SERVER = 'https://fhir.example/r4';
const TOKEN = { access_token: 'abc', token_type: 'Bearer', expires_in: 300, scope: 'x', subject: 'cds' };
const access = (fhirServer: unknown, fhirAuthorization: unknown = TOKEN, sandbox = false, patientId = 'kari') =>
  accessOf({ fhirServer, fhirAuthorization }, patientId, client, sandbox);
const GIVEN = {
  base: SERVER,
  aliases: ['http://inner:8080/fhir'],
  authorization: 'Bearer abc',
  privateNetwork: true,
  client: 'ehr',
};

describe('F1, F4, F8: the server a call may use', () => {
  test.each<[server: unknown, read: unknown]>([
    [undefined, 'none-named'],
    ['', 'none-named'],
    [7, 'none-named'],
    [SERVER, GIVEN],
    [`${SERVER}/`, GIVEN],
    [`${SERVER}//`, GIVEN],
    ['HTTPS://FHIR.example/r4', GIVEN],
    ['https://fhir.example:443/r4', GIVEN],
    ['https://fhir.example/R4', 'not-listed'],
    ['https://fhir.example', 'not-listed'],
    ['http://fhir.example/r4', 'not-listed'],
    ['https://fhir.example/r4/x', 'not-listed'],
    [`${SERVER}?x=1`, 'not-listed'],
    [`${SERVER}#x`, 'not-listed'],
    ['https://a@fhir.example/r4', 'not-listed'],
    ['https://:b@fhir.example/r4', 'not-listed'],
    ['ftp://fhir.example/r4', 'not-listed'],
    ['no address', 'not-listed'],
    ['http://127.0.0.1:8080', 'not-listed'],
  ])('%s', (server, read) => {
    expect(access(server)).toEqual(read);
  });

  test.each<[server: string, base: string | undefined]>([
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
    ['http://localhost/fhir', 'http://localhost/fhir'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['http://127.0.0.2', undefined],
    ['http://localhost.example', undefined],
    ['http://a@127.0.0.1', undefined],
  ])('in a sandbox, without a token: %s', (server, base) => {
    const read = access(server, null, true);
    expect(read).toEqual(base === undefined ? 'not-listed' : { ...GIVEN, base, aliases: [], authorization: undefined });
  });
});

describe('F3: the token the server may be called with', () => {
  test.each<[what: string, authorization: unknown, read: unknown]>([
    ['whole', TOKEN, GIVEN],
    ['none', null, 'no-token'],
    ['no object', 'abc', 'no-token'],
    ['without its string', { ...TOKEN, access_token: undefined }, 'no-token'],
    ['with a space', { ...TOKEN, access_token: 'a b' }, 'no-token'],
    ['with a line break', { ...TOKEN, access_token: 'a\r\nx: y' }, 'no-token'],
    ['beyond ASCII', { ...TOKEN, access_token: 'å' }, 'no-token'],
    ['of another type', { ...TOKEN, token_type: 'mac' }, 'no-token'],
    ['without a type', { ...TOKEN, token_type: undefined }, 'no-token'],
    ['with its type in mixed case', { ...TOKEN, token_type: 'bEARER' }, GIVEN],
    ['without a lifetime', { ...TOKEN, expires_in: undefined }, GIVEN],
    ['with its lifetime as a string', { ...TOKEN, expires_in: '300' }, 'no-token'],
    ['with a lifetime of half a second', { ...TOKEN, expires_in: 0.5 }, 'no-token'],
    ['with a lifetime of null', { ...TOKEN, expires_in: null }, 'no-token'],
    ['with a lifetime of one second', { ...TOKEN, expires_in: 1 }, GIVEN],
    ['with a lifetime of 0', { ...TOKEN, expires_in: 0 }, 'expired'],
    ['with a negative lifetime', { ...TOKEN, expires_in: -1 }, 'expired'],
    ['without a subject', { ...TOKEN, subject: undefined }, 'no-token'],
    ['without a scope', { ...TOKEN, scope: undefined }, GIVEN],
    ['with its scope as a list', { ...TOKEN, scope: ['x'] }, 'no-token'],
    ['for this patient', { ...TOKEN, patient: 'kari' }, GIVEN],
    ['for this patient, by reference', { ...TOKEN, patient: 'Patient/kari' }, GIVEN],
    ['for no patient', { ...TOKEN, patient: null }, GIVEN],
    ['for another patient', { ...TOKEN, patient: 'ola' }, 'other-patient'],
    ['for a patient that is not a string', { ...TOKEN, patient: 7 }, 'other-patient'],
    ['for another type', { ...TOKEN, patient: 'Group/kari' }, 'other-patient'],
  ])('%s', (_, authorization, read) => {
    expect(access(SERVER, authorization)).toEqual(read);
  });

  test('in a sandbox an unusable token is left out, but one that is expired or for another patient is refused', () => {
    expect(access(SERVER, { ...TOKEN, token_type: 'mac' }, true)).toEqual({ ...GIVEN, authorization: undefined });
    expect(access(SERVER, { ...TOKEN, token_type: 'mac', expires_in: 0 }, true)).toEqual({
      ...GIVEN,
      authorization: undefined,
    });
    expect(access(SERVER, { ...TOKEN, expires_in: 0 }, true)).toBe('expired');
    expect(access(SERVER, { patient: 'ola' }, true)).toBe('other-patient');
  });
});

describe('FS12: pages of other origins', () => {
  const HOST = { host: '127.0.0.1:3000' };
  test.each<[headers: IncomingHttpHeaders, isForeign: boolean]>([
    [{}, false],
    [HOST, false],
    [{ ...HOST, origin: 'http://127.0.0.1:3000' }, false],
    [{ ...HOST, origin: 'https://127.0.0.1:3000' }, false],
    [{ ...HOST, origin: 'http://127.0.0.1:3001' }, true],
    [{ ...HOST, origin: 'https://evil.example' }, true],
    [{ ...HOST, origin: 'null' }, true],
    [{ ...HOST, origin: 'https://listed.example', 'sec-fetch-site': 'cross-site' }, false],
    [{ ...HOST, 'sec-fetch-site': 'same-origin' }, false],
    [{ ...HOST, 'sec-fetch-site': 'none' }, false],
    [{ ...HOST, 'sec-fetch-site': 'same-site' }, true],
    [{ ...HOST, 'sec-fetch-site': 'cross-site' }, true],
    [{ origin: 'http://127.0.0.1:3000' }, true],
  ])('%j is foreign: %s', (headers, isForeign) => {
    expect(isForeignPage(headers, ['https://listed.example'])).toBe(isForeign);
  });

  test.each<[host: string, is: boolean]>([
    ['127.0.0.1', true],
    ['127.0.0.1:3000', true],
    ['LOCALHOST:1', true],
    ['[::1]:3000', true],
    ['127.0.0.1.evil.example', false],
    ['evil.example', false],
    ['xlocalhost', false],
    ['localhost:a', false],
    ['', false],
  ])('%s is this machine: %s', (host, is) => {
    expect(isLocalHost(host)).toBe(is);
  });
});

describe('FS12: the names under which a sandbox answers', () => {
  test.each<[host: string | undefined, answered: boolean]>([
    ['127.0.0.1:3000', true],
    ['localhost', true],
    ['page.example', true],
    ['page.example:8443', true],
    ['page.example:9', false],
    ['other.example', false],
  ])('%j: %s', async (host, answered) => {
    const app = fastify();
    requireLocalHost(app, ['https://page.example', 'https://page.example:8443/x', 'no address']);
    app.setErrorHandler((error, _request, reply) => reply.code(421).send((error as { code: string }).code));
    app.get('/', async () => 'answered');
    const { body } = await app.inject({ url: '/', headers: { host: host as string } });
    expect(body).toBe(answered ? 'answered' : 'wrong-host');
    await app.close();
  });
});
