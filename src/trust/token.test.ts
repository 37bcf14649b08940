import { type CryptoKey, exportSPKI, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { PUBLIC_URL, startService } from '../testing/app.ts';
import { createClient, NOW, SIGN, verdictOn } from '../testing/client.ts';
import { pair } from '../testing/request.ts';
import type { Client } from './clients.ts';
import { type Refusal, verifyToken } from './token.ts';

const ehr = await createClient();
const rsa = await createClient({ name: 'rsa', iss: 'https://rsa.example' }, 'RS384');
const byHand = await createClient({ name: 'by-hand', iss: 'https://by-hand.example', audiences: ['sand_man'] });
const noJti = await createClient({ name: 'no-jti', iss: 'https://no-jti.example', optionalClaims: ['jti'] });
const noIat = await createClient({ name: 'no-iat', iss: 'https://no-iat.example', optionalClaims: ['iat'] });
const region = await createClient({ name: 'region', iss: 'https://region.example', tenants: ['north', 'south'] });
const house = await createClient({ name: 'house', iss: 'https://house.example', tenants: ['north'] });
const hand = [ehr, rsa, byHand, noJti, noIat, region, house];

const service = await startService({ mode: 'production', clients: hand.map(({ client }) => client) });
afterAll(() => service.close());

const verdict = (token: string, path?: string) => verdictOn(service, token, path);
/** The verdict on a token of the usual client with these claims and header fields. */
const claiming = async (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
  verdict(await ehr.token(SIGN, claims as JWTPayload, header));

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const usual = { iss: 'https://ehr.example', aud: `${PUBLIC_URL}${SIGN}`, exp: NOW + 300, iat: NOW, jti: 'by hand' };
/** A three-part token as an attacker writes it. */
const forged = (header: object, signature = '') =>
  `${part({ kid: 'key-1', typ: 'JWT', ...header })}.${part(usual)}.${signature}`;

test('J2, J21: a token signed with the key in the client’s record is accepted', async () => {
  expect(await claiming({})).toBe('accepted');
});

test('J3: kid is required and must be a string', async () => {
  for (const kid of [undefined, '', 7, null, ['key-1']])
    expect(await claiming({}, { kid }), JSON.stringify(kid)).toBe('key-id');
});

test.each(['JWT', 'jwt', 'Jwt'])('J3: typ %s is accepted', async (typ) => {
  expect(await claiming({}, { typ })).toBe('accepted');
});

test.each([undefined, '', 'JOSE', 'at+jwt', 'application/jwt', 'JWT ', 7, null, ['JWT']])(
  'J3: typ %j is refused',
  async (typ) => {
    expect(await claiming({}, { typ })).toBe('type');
  },
);

test.each([
  ['iss', 'claims'],
  ['aud', 'audience'],
  ['exp', 'claims'],
  ['iat', 'claims'],
  ['jti', 'claims'],
])('J4: a token without %s is refused', async (claim, reason) => {
  expect(await claiming({ [claim]: undefined })).toBe(reason);
});

test.each([
  ['iss', 7],
  ['iss', ['https://ehr.example']],
  ['iss', null],
  ['exp', String(NOW + 300)],
  ['exp', null],
  ['exp', {}],
  ['iat', String(NOW)],
  ['iat', null],
  ['jti', ''],
  ['jti', 7],
  ['jti', null],
])('J4: %s = %j is refused', async (claim, value) => {
  expect(await claiming({ [claim]: value })).toBe('claims');
});

test('J9: an nbf that is not a number is refused', async () => {
  expect(['claims', 'not-yet-valid']).toContain(await claiming({ nbf: 'now' }));
});

test('J4: a client may leave out jti or iat only if its record allows that very claim', async () => {
  expect(await verdict(await noJti.token(SIGN, { jti: undefined as never }))).toBe('accepted');
  expect(await verdict(await noJti.token(SIGN, { iat: undefined as never }))).toBe('claims');
  expect(await verdict(await noIat.token(SIGN, { iat: undefined as never }))).toBe('accepted');
  expect(await verdict(await noIat.token(SIGN, { jti: undefined as never }))).toBe('claims');
  // If sent, the claim is still checked.
  expect(await verdict(await noIat.token(SIGN, { iat: 'x' as never }))).toBe('claims');
  expect(await verdict(await noIat.token(SIGN, { iat: NOW + 61 }))).toBe('not-yet-valid');
});

test('J9: without iat the lifetime counts from now', async () => {
  const lasting = (seconds: number) => noIat.token(SIGN, { iat: undefined as never, exp: NOW + seconds });
  expect(await verdict(await lasting(3600))).toBe('accepted');
  expect(await verdict(await lasting(3601))).toBe('lifetime');
});

test.each(['https://evil.example', 'https://ehr.example/', 'https://EHR.example', 'http://ehr.example', 'ehr', ''])(
  'J5: issuer %j is unknown',
  async (iss) => {
    expect(await claiming({ iss })).toBe('issuer');
  },
);

test('J5, J11: one client cannot sign for another', async () => {
  expect(await verdict(await byHand.token(SIGN, { iss: 'https://ehr.example' }))).toBe('signature');
});

test.each([
  ['the address', `${PUBLIC_URL}${SIGN}`],
  ['the address alone in a list', [`${PUBLIC_URL}${SIGN}`]],
  ['a list that includes it', ['https://other.example', `${PUBLIC_URL}${SIGN}`]],
  ['a trailing slash', `${PUBLIC_URL}${SIGN}/`],
  ['slashes doubled', `${PUBLIC_URL}/${SIGN}`],
  ['doubled slashes inside', `${PUBLIC_URL}/cds-services//nordic-opioid-order-sign`],
  ['the default port', `${PUBLIC_URL}:443${SIGN}`],
  ['scheme and host in capitals', `HTTPS://CDS.EXAMPLE${SIGN}`],
])('J6: the audience %s is accepted', async (_, aud) => {
  expect(await claiming({ aud })).toBe('accepted');
});

test.each([
  ['another service', `${PUBLIC_URL}/cds-services/nordic-opioid-order-select`],
  ['discovery', `${PUBLIC_URL}/cds-services`],
  ['the server', PUBLIC_URL],
  ['another server', `https://evil.example${SIGN}`],
  ['a server whose name begins with ours', `https://cds.example.evil.example${SIGN}`],
  ['our name as the user of another server', `https://cds.example@evil.example${SIGN}`],
  ['another port', `${PUBLIC_URL}:8443${SIGN}`],
  ['http', `http://cds.example${SIGN}`],
  ['only the path', SIGN],
  ['the path in capitals', `${PUBLIC_URL}${SIGN.toUpperCase()}`],
  ['a longer path', `${PUBLIC_URL}${SIGN}-2`],
  ['a path that ends in the service’s', `${PUBLIC_URL}${SIGN}/x`],
  ['a path that resolves elsewhere', `${PUBLIC_URL}${SIGN}/../nordic-opioid-order-select`],
  ['its feedback', `${PUBLIC_URL}${SIGN}/feedback`],
  ['a list of others', ['https://other.example', `${PUBLIC_URL}/cds-services`]],
  ['an empty list', []],
  ['a list in a list', [[`${PUBLIC_URL}${SIGN}`]]],
  ['nothing', ''],
  ['null', null],
  ['a number', 7],
  ['an object', { 0: `${PUBLIC_URL}${SIGN}` }],
  ['another client’s word', 'sand_man'],
])('J6, J8: the audience %s is refused', async (_, aud) => {
  expect(await claiming({ aud })).toBe('audience');
});

test('J6, T11: a call with an extra slash accepts a token for the address', async () => {
  for (const path of [`${SIGN}/`, `/${SIGN}`, '/cds-services//nordic-opioid-order-sign'])
    expect(await verdict(await ehr.token(SIGN), path), path).toBe('accepted');
  expect(await verdict(await ehr.token(SIGN), `${SIGN}?debug=1`)).toBe('accepted');
});

test('J6: the audience is the public address and not the one behind the proxy', async () => {
  const proxied = await startService({
    mode: 'production',
    clients: [ehr.client],
    publicUrl: 'https://proxy.example/opioids',
  });
  const at = async (aud: string) => verdictOn(proxied, await ehr.token(SIGN, { aud }));
  expect(await at(`https://proxy.example/opioids${SIGN}`)).toBe('accepted');
  expect(await at(`https://proxy.example${SIGN}`)).toBe('audience');
  const { headers } = await proxied.http.get('/health').set('host', 'cds.example');
  expect(headers['content-type']).toContain('json');
  // Neither the listening address nor the caller's Host header counts.
  const { address, port } = proxied.app.server.address() as { address: string; port: number };
  expect(await at(`http://${address}:${port}${SIGN}`)).toBe('audience');
  const { status } = await proxied.http
    .post(SIGN)
    .set({
      host: 'evil.example',
      authorization: `Bearer ${await ehr.token(SIGN, { aud: `https://evil.example${SIGN}` })}`,
    })
    .send(pair());
  expect(status).toBe(401);
  await proxied.close();
});

test('J7: feedback accepts only its own address and that of its service', async () => {
  const at = async (aud: string) => verdict(await ehr.token('', { aud: `${PUBLIC_URL}${aud}` }), `${SIGN}/feedback`);
  expect(await at(`${SIGN}/feedback`)).not.toBe('audience');
  expect(await at(SIGN)).not.toBe('audience');
  expect(await at('/cds-services/nordic-opioid-order-select')).toBe('audience');
  expect(await at('/cds-services/nordic-opioid-order-select/feedback')).toBe('audience');
});

test('J8: an audience added in a client’s record is accepted from that client', async () => {
  expect(await verdict(await byHand.token(SIGN, { aud: 'sand_man' }))).toBe('accepted');
  expect(await verdict(await byHand.token(SIGN, { aud: ['x', 'sand_man'] }))).toBe('accepted');
  expect(await verdict(await byHand.token(SIGN))).toBe('accepted');
  expect(await verdict(await byHand.token(SIGN, { aud: 'sand_woman' }))).toBe('audience');
});

test.each([
  ['exp 59 s ago', { iat: NOW - 300, exp: NOW - 59 }, 'accepted'],
  ['exp 60 s ago', { iat: NOW - 300, exp: NOW - 60 }, 'expired'],
  ['exp 61 s ago', { iat: NOW - 300, exp: NOW - 61 }, 'expired'],
  ['exp 0', { iat: NOW - 300, exp: 0 }, 'expired'],
  ['exp below 0', { iat: NOW - 300, exp: -1 }, 'expired'],
  ['exp in milliseconds', { exp: (NOW + 300) * 1000 }, 'lifetime'],
  ['iat in 60 s', { iat: NOW + 60 }, 'accepted'],
  ['iat in 61 s', { iat: NOW + 61 }, 'not-yet-valid'],
  ['nbf in 60 s', { nbf: NOW + 60 }, 'accepted'],
  ['nbf in 61 s', { nbf: NOW + 61 }, 'not-yet-valid'],
  ['a lifetime of an hour', { iat: NOW - 1800, exp: NOW + 1800 }, 'accepted'],
  ['a lifetime of an hour and a second', { iat: NOW - 1800, exp: NOW + 1801 }, 'lifetime'],
  ['a lifetime of an hour that begins now', { exp: NOW + 3600 }, 'accepted'],
  ['a lifetime of days that is nearly over', { iat: NOW - 86_400, exp: NOW + 10 }, 'lifetime'],
  ['Epic’s times', { iat: NOW, nbf: NOW - 300, exp: NOW + 900, sub: 'client-id' }, 'accepted'],
])('J9: %s', async (_, claims, reason) => {
  expect(await claiming(claims)).toBe(reason);
});

test('J9: times are checked against the service’s clock', async () => {
  let now = NOW;
  const later = await startService({ mode: 'production', clients: [ehr.client], clock: () => now * 1000 + 999 });
  const made = await Promise.all([ehr.token(SIGN), ehr.token(SIGN), ehr.token(SIGN)]);
  const verdicts: string[] = [];
  for (const [at, seconds] of [0, 359, 360].entries()) {
    now = NOW + seconds;
    verdicts.push(await verdictOn(later, made[at] as string));
  }
  await later.close();
  expect(verdicts).toEqual(['accepted', 'accepted', 'expired']);
});

test('J10: a client with several tenants names one of its own', async () => {
  const of = async (tenant?: string) => verdict(await region.token(SIGN, { tenant }));
  expect(await of('north')).toBe('accepted');
  expect(await of('south')).toBe('accepted');
  for (const other of ['east', 'North', 'north ', '', undefined]) expect(await of(other), other).toBe('tenant');
});

test('J10: a client with one tenant may leave it out but not name another', async () => {
  const of = async (tenant?: string) => verdict(await house.token(SIGN, { tenant }));
  expect(await of('north')).toBe('accepted');
  expect(await of()).toBe('accepted');
  expect(await of('east')).toBe('tenant');
});

test.each([[['east']], [7], [{ id: 'east' }], [true], [null]])(
  'J10: the tenant %j, which is not the client’s own, is refused',
  async (tenant) => {
    expect(await verdict(await house.token(SIGN, { tenant }))).toBe('tenant');
  },
);

test('J10, J15: the tenant is in the log', async () => {
  await verdict(await region.token(SIGN, { tenant: 'south' }));
  const told = service.log.map((line) => JSON.parse(line)).filter(({ tenant }) => tenant !== undefined);
  expect(told.at(-1)).toMatchObject({ msg: 'answered', client: 'region', tenant: 'south', status: 200 });
});

test('J11: a wrong key or an unknown kid is refused', async () => {
  const stranger = await createClient();
  expect(await verdict(await stranger.token(SIGN))).toBe('signature');
  expect(await claiming({}, { kid: 'key-2' })).toBe('key');
});

test('J11: a token with a changed byte is refused', async () => {
  const [header, claims, signature] = (await ehr.token(SIGN)).split('.') as [string, string, string];
  const other = part({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), jti: 'another' });
  expect(await verdict(`${header}.${other}.${signature}`)).toBe('signature');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[5] = (bytes[5] as number) ^ 1;
  expect(await verdict(`${header}.${claims}.${bytes.toString('base64url')}`)).toBe('signature');
  expect(await verdict(`${header}.${claims}.${signature.slice(0, -4)}`)).toBe('signature');
});

test('J11: a key sent in the token is not used', async () => {
  const stranger = await createClient();
  const { publicKey: jwk } = stranger;
  for (const header of [{ jwk }, { x5c: ['MIIB'] }, { x5u: 'https://evil.example/x5u' }])
    expect(await verdict(await stranger.token(SIGN, {}, header as never)), Object.keys(header)[0]).toBe('signature');
});

test('J3: a header that requires an unknown extension is refused', async () => {
  const token = forged({ alg: 'ES384', crit: ['exp'], exp: NOW }, 'AAAA');
  expect(await verdict(token)).toBe('signature');
});

test.each(['none', 'None', 'NONE', 'nOnE', '', undefined, null, 7])('J12: alg %j is refused', async (alg) => {
  expect(['algorithm', 'malformed']).toContain(await verdict(forged({ alg })));
  expect(['algorithm', 'malformed']).toContain(await verdict(forged({ alg }, 'AAAA')));
});

test('J12: alg ES384 with an empty or all-zero signature is refused', async () => {
  expect(await verdict(forged({ alg: 'ES384' }))).toBe('signature');
  expect(await verdict(forged({ alg: 'ES384' }, Buffer.alloc(96).toString('base64url')))).toBe('signature');
});

test.each(['HS256', 'HS384', 'HS512'])('J12: %s with the public key as the secret is refused', async (alg) => {
  for (const { publicKey, client } of [ehr, rsa]) {
    const key = (await importJWK(publicKey, publicKey.alg, { extractable: true })) as CryptoKey;
    for (const secret of [await exportSPKI(key), (await exportSPKI(key)).trim(), JSON.stringify(publicKey)]) {
      const token = await new SignJWT({ ...usual, iss: client.iss })
        .setProtectedHeader({ alg, kid: 'key-1', typ: 'JWT' })
        .sign(Buffer.from(secret));
      expect(await verdict(token)).toBe('algorithm');
    }
  }
});

test('J13: RS384 and ES384 are both accepted by default', async () => {
  expect(await verdict(await rsa.token(SIGN))).toBe('accepted');
  expect(await verdict(await ehr.token(SIGN))).toBe('accepted');
});

test('J13: only the algorithms in the client’s record are accepted', async () => {
  const [usually, ours] = [
    await createClient({ name: 'a', iss: 'https://a.example' }, 'ES256'),
    await createClient({ name: 'b', iss: 'https://b.example', algorithms: ['ES256'] }, 'ES256'),
  ];
  const narrow = await createClient({ name: 'c', iss: 'https://c.example', algorithms: ['ES256'] });
  const other = await startService({
    mode: 'production',
    clients: [usually, ours, narrow].map(({ client }) => client),
  });
  expect(await verdictOn(other, await usually.token(SIGN))).toBe('algorithm');
  expect(await verdictOn(other, await ours.token(SIGN))).toBe('accepted');
  expect(await verdictOn(other, await narrow.token(SIGN))).toBe('algorithm');
  await other.close();
});

test('J13: the algorithm must match the key', async () => {
  const { client, token, publicKey } = await createClient({ algorithms: ['RS256', 'RS384', 'ES384'] }, 'RS384');
  const wrongly = await startService({
    mode: 'production',
    clients: [
      { ...client, keys: [{ ...publicKey, alg: 'RS256' } as never] },
      { ...client, name: 'enc', iss: 'https://enc.example', keys: [{ ...publicKey, use: 'enc' } as never] },
    ],
  });
  expect(await verdictOn(wrongly, await token(SIGN))).toBe('key');
  // An encryption key signs nothing.
  expect(await verdictOn(wrongly, await token(SIGN, { iss: 'https://enc.example' }))).toBe('key');
  await wrongly.close();
  // The header says ES384, but the key with this kid is RSA.
  expect(
    await verdict(
      forged({ alg: 'ES384' }, 'AAAA').replace(/\.[^.]+\./, `.${part({ ...usual, iss: 'https://rsa.example' })}.`),
    ),
  ).toBe('key');
});

test.each([
  ['two parts', 'a.b'],
  ['four parts', `${forged({ alg: 'ES384' }, 'AAAA')}.x`],
  ['five parts (encrypted)', `${part({ alg: 'dir', enc: 'A256GCM', kid: 'key-1', typ: 'JWT' })}.a.b.c.d`],
  ['one word', 'garbage'],
  ['invalid base64', 'ä.ö.å'.normalize('NFD').replace(/[^\x20-\x7e]/g, '%')],
  ['a header that is not JSON', `${Buffer.from('{').toString('base64url')}.${part(usual)}.AAAA`],
  ['a header that is a list', `${part([])}.${part(usual)}.AAAA`],
  ['claims that are null', `${part({ alg: 'ES384', kid: 'key-1', typ: 'JWT' })}.${part(null)}.AAAA`],
  ['claims that are a string', `${part({ alg: 'ES384', kid: 'key-1', typ: 'JWT' })}.${part('x')}.AAAA`],
])('J1, J3: %s is refused', async (_, token) => {
  expect(['malformed', 'type']).toContain(await verdict(token));
});

test('J5, J21: two clients with one issuer, one by jku and one by keys, are told apart in either order', async () => {
  const jku = 'https://shared.example/jwks.json';
  const byJku = await createClient({ name: 'by-jku', iss: 'https://shared.example', jku });
  const byKeys = await createClient({ name: 'by-keys', iss: 'https://shared.example' });
  const remote = { ...byJku.client, keys: undefined };
  const fetchJson = async () => ({ body: { keys: [byJku.publicKey] }, maxAge: 60 });
  for (const clients of [
    [remote, byKeys.client],
    [byKeys.client, remote],
  ]) {
    const shared = await startService({ mode: 'production', clients, fetchJson: fetchJson as never });
    const answered = (name: string) =>
      shared.log.map((line) => JSON.parse(line)).filter(({ client, audit }) => audit && client === name).length;
    expect(await verdictOn(shared, await byJku.token(SIGN, {}, { jku }))).toBe('accepted');
    expect(await verdictOn(shared, await byJku.token(SIGN))).toBe('accepted');
    expect(await verdictOn(shared, await byKeys.token(SIGN))).toBe('accepted');
    expect([answered('by-jku'), answered('by-keys')]).toEqual([2, 1]);
    // One client's keys do not sign with the other's address, and a stranger signs for neither.
    expect(await verdictOn(shared, await byKeys.token(SIGN, {}, { jku }))).toBe('signature');
    const stranger = await createClient({ iss: 'https://shared.example' });
    expect(await verdictOn(shared, await stranger.token(SIGN))).toBe('signature');
    await shared.close();
  }
});

test('J10: a client with one tenant is that tenant, whether its token names it or not', async () => {
  const told = async (claims: JWTPayload) => {
    service.log.length = 0;
    expect(await verdict(await house.token(SIGN, claims))).toBe('accepted');
    return service.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'answered').tenant;
  };
  expect([await told({}), await told({ tenant: 'north' })]).toEqual(['north', 'north']);
});

describe('J5, J21: of several clients with one issuer, the log has the refusal of the closest match', async () => {
  const signer = await createClient({ name: 'signer' });
  const otherKey = await createClient({ name: 'other-key' });
  const otherKid = { ...otherKey.client, name: 'other-kid', keys: [{ ...otherKey.publicKey, kid: 'key-2' } as never] };
  const otherAlgorithm = { ...signer.client, name: 'other-algorithm', algorithms: ['RS384'] } as Client;
  const { keys: _, ...bare } = otherKey.client;
  const server = { ...bare, name: 'server', jku: 'https://keys.example/jwks' } as Client;
  const keys = { of: () => Promise.reject(new Error('away')) };
  const refusalOf = (clients: Client[], claims: JWTPayload) =>
    signer
      .token(SIGN, claims)
      .then((token) =>
        verifyToken(
          `Bearer ${token}`,
          [`${PUBLIC_URL}${SIGN}`],
          { clients, keys, clock: () => NOW * 1000 },
          'not-looked-at',
        ),
      )
      .then(
        ({ client }) => client.name,
        (error: Refusal) => `${error.reason} ${error.client}`,
      );
  test.each<[what: string, clients: Client[], claims: JWTPayload, refusal: string]>([
    ['the signer', [otherAlgorithm, otherKid, otherKey.client, signer.client], {}, 'signer'],
    ['expired', [otherAlgorithm, otherKid, otherKey.client, signer.client], { exp: NOW - 100 }, 'expired signer'],
    ['not yet valid', [otherKey.client, signer.client], { nbf: NOW + 100 }, 'not-yet-valid signer'],
    ['another claim', [otherKey.client, signer.client], { nbf: 'x' as never }, 'claims signer'],
    ['a signature by another key', [otherAlgorithm, otherKid, otherKey.client], {}, 'signature other-key'],
    ['a signature rather than a key server that is down', [server, otherKey.client], {}, 'signature other-key'],
    [
      'a key server that is down',
      [otherAlgorithm, otherKid, { ...server, keys: undefined } as Client],
      {},
      'key-server server',
    ],
    ['an unknown key id', [otherAlgorithm, otherKid], {}, 'key other-kid'],
    ['an algorithm', [otherAlgorithm], {}, 'algorithm other-algorithm'],
  ])('%s', async (_what, clients, claims, refusal) => {
    expect(await refusalOf(clients, claims)).toBe(refusal);
    expect(await refusalOf(clients.toReversed(), claims)).toBe(refusal);
  });

  test.each<[authorization: string | undefined, reason: string]>([
    [undefined, 'no-token'],
    ['', 'no-token'],
    ['Bearer', 'no-token'],
    ['Bearer ', 'no-token'],
    ['Bearer a b', 'no-token'],
    ['x Bearer a', 'no-token'],
    ['Basic a', 'no-token'],
    ['bearer   a', 'malformed'],
  ])('Authorization: %s is %s', async (authorization, reason) => {
    const trust = { clients: [signer.client], keys, clock: () => NOW * 1000 };
    await expect(verifyToken(authorization, [], trust, 'not-looked-at')).rejects.toMatchObject({ reason });
  });

  test('J19: a certificate that is not the client’s is refused, and none is needed if certificates are not checked', async () => {
    const certified = { ...signer.client, certificates: ['ehr.example'] } as Client;
    const trust = { clients: [certified], keys, clock: () => NOW * 1000 };
    const by = async (certificate: Parameters<typeof verifyToken>[3]) =>
      verifyToken(`Bearer ${await signer.token(SIGN)}`, [`${PUBLIC_URL}${SIGN}`], trust, certificate).then(
        () => 'accepted',
        ({ reason }: Refusal) => reason,
      );
    expect([
      await by('not-looked-at'),
      await by(undefined),
      await by({ fingerprint: 'ab', names: ['other.example'] }),
      await by({ fingerprint: 'ab', names: ['ehr.example'] }),
    ]).toEqual(['accepted', 'certificate', 'certificate', 'accepted']);
  });
});
