import { expect, test } from 'vitest';
import { literalAddress, mayConnect } from './address.ts';

/** Refused for every client: cloud metadata, unspecified, broadcast, reserved, and IPv4 behind a gateway's IPv6. */
const NEVER = [
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  'fe80::1',
  'fe80::1%eth0',
  '0.0.0.0',
  '::',
  '::ffff:0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
  'ff02::1',
  '240.0.0.1',
  '192.0.0.192',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '2001:db8::1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fec0::1',
  '100::1',
  '198.18.0.1',
  '192.88.99.1',
  '2001::7f00:1',
  '::ffff:0:7f00:1',
];

/** The hospital's own network. */
const INNER = [
  '127.0.0.1',
  '127.8.8.8',
  '::1',
  '::ffff:127.0.0.1',
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  'fd00::1',
  'fc00::1',
];

const OUTER = ['93.184.216.34', '172.32.0.1', '11.0.0.1', '2606:4700::1111', '::ffff:93.184.216.34'];

test.each(NEVER)('F8: %s is never connected to', (address) => {
  expect([mayConnect(address, false), mayConnect(address, true)]).toEqual([false, false]);
});

test.each(INNER)('F8: %s is connected to only for a client inside the hospital’s network', (address) => {
  expect([mayConnect(address, false), mayConnect(address, true)]).toEqual([false, true]);
});

test.each(OUTER)('F8: %s is an ordinary address', (address) => {
  expect([mayConnect(address, false), mayConnect(address, true)]).toEqual([true, true]);
});

test.each(['', 'localhost', 'fhir.example', '127.0.0.1.example', '999.1.1.1', '[::1]', '1.2.3.4:80', ' 10.0.0.1'])(
  'F8: "%s" is not an address and is not connected to',
  (address) => {
    expect(mayConnect(address, true)).toBe(false);
  },
);

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['[::1]', '::1'],
  ['::1', '::1'],
  ['[::ffff:7f00:1]', '::ffff:7f00:1'],
  ['localhost', undefined],
  ['fhir.example', undefined],
  ['', undefined],
])('F8: the address in host "%s" is %s', (host, address) => {
  expect(literalAddress(host)).toBe(address);
});

test.each(['http://2130706433/', 'http://0x7f000001/', 'http://0177.0.0.1/', 'http://127.1/', 'http://127.0.0.1./'])(
  'F8: %s is the local machine, however it is written',
  (url) => {
    expect(literalAddress(new URL(url).hostname)).toBe('127.0.0.1');
  },
);
