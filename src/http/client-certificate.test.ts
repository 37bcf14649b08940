import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import type { Certificate } from '../trust/certificate.ts';
import { certificateOf } from './certificate.ts';

type Shown = { subject?: string; subjectAltName?: string; fingerprint256?: string };

/** A call on a TLS connection with this client certificate. */
function callWith(shown: Shown | undefined, authorized = true): FastifyRequest {
  const socket = Object.create(TLSSocket.prototype, {
    authorized: { value: authorized },
    getPeerX509Certificate: {
      value: () => shown && { subject: '', fingerprint256: 'AA:BB', ...shown },
    },
  });
  return { raw: { socket } } as unknown as FastifyRequest;
}

test.each<[what: string, shown: Shown, names: string[]]>([
  ['the common name', { subject: 'O=Hospital\nCN=ehr.example' }, ['ehr.example']],
  ['every common name', { subject: 'CN=ehr.example\nO=Hospital\nCN=other.example' }, ['ehr.example', 'other.example']],
  ['no other part of the subject', { subject: 'O=CN=ehr.example\nDNQ=x' }, []],
  ['a common name of several words', { subject: 'CN=The record system' }, ['The record system']],
  ['DNS names', { subjectAltName: 'DNS:a.example, IP Address:127.0.0.1, DNS:b.example' }, ['a.example', 'b.example']],
  ['no addresses', { subjectAltName: 'URI:DNS:a.example, email:x@a.example' }, []],
  ['no name that Node puts in quotes', { subjectAltName: 'DNS:"a.example, DNS:b"' }, []],
  ['no name with a space', { subjectAltName: 'DNS:a b' }, []],
  ['both kinds', { subject: 'CN=a', subjectAltName: 'DNS:b' }, ['a', 'b']],
  ['none', {}, []],
])('the names of a certificate: %s', (_, shown, names) => {
  expect(certificateOf(callWith(shown))).toEqual({ fingerprint: 'AA:BB', names } satisfies Certificate);
});

test.each<[what: string, request: FastifyRequest]>([
  ['from an untrusted authority', callWith({ subject: 'CN=ehr.example' }, false)],
  ['that was not shown', callWith(undefined)],
  ['on a connection without TLS', { raw: { socket: {} } } as unknown as FastifyRequest],
])('a certificate %s does not count', (_, request) => {
  expect(certificateOf(request)).toBeUndefined();
});
