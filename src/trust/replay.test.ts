import { afterAll, expect, test } from 'vitest';
import { PUBLIC_URL, startService } from '../testing/app.ts';
import { createClient, NOW, SIGN, verdictOn } from '../testing/client.ts';

const ehr = await createClient();
const other = await createClient({ name: 'other', iss: 'https://other.example' });
const inferno = await createClient({ name: 'inferno', iss: 'https://inferno.example', replay: 'warn' });
const noJti = await createClient({ name: 'no-jti', iss: 'https://no-jti.example', optionalClaims: ['jti'] });
const clients = [ehr, other, inferno, noJti].map(({ client }) => client);

let now = NOW;
const service = await startService({ mode: 'production', clients, clock: () => now * 1000 });
afterAll(() => service.close());

const verdict = (token: string, path?: string) => verdictOn(service, token, path);

test('J14: a token is good for one call', async () => {
  const token = await ehr.token(SIGN);
  expect(await verdict(token)).toBe('accepted');
  expect(await verdict(token)).toBe('replay');
  expect(await verdict(token)).toBe('replay');
});

test('J14: of the same token sent many times at once one is accepted', async () => {
  const token = await ehr.token(SIGN);
  const verdicts = await Promise.all(Array.from({ length: 8 }, () => verdict(token)));
  expect(verdicts.filter((said) => said === 'accepted')).toHaveLength(1);
  expect(verdicts.filter((said) => said === 'replay')).toHaveLength(7);
});

test('J14: another token with a jti that was used is refused, whatever the jti looks like', async () => {
  for (const jti of ['a'.repeat(64), crypto.randomUUID(), ' ', '\0', 'x'.repeat(5000)]) {
    expect(await verdict(await ehr.token(SIGN, { jti }))).toBe('accepted');
    expect(await verdict(await ehr.token(SIGN, { jti, exp: NOW + 301 }))).toBe('replay');
  }
});

test('J14: a token for two services is good for one call of either', async () => {
  const select = '/cds-services/nordic-opioid-order-select';
  const token = await ehr.token(SIGN, { aud: [`${PUBLIC_URL}${SIGN}`, `${PUBLIC_URL}${select}`] });
  expect(await verdict(token)).toBe('accepted');
  expect(await verdict(token, select)).toBe('replay');
});

test('J14: the jti of one client is nothing to another', async () => {
  expect(await verdict(await ehr.token(SIGN, { jti: 'shared' }))).toBe('accepted');
  expect(await verdict(await other.token(SIGN, { jti: 'shared' }))).toBe('accepted');
});

test('J14: who cannot sign cannot use up a jti', async () => {
  const stranger = await createClient();
  const jti = 'wanted';
  expect(await verdict(await stranger.token(SIGN, { jti }))).toBe('signature');
  expect(await verdict(await ehr.token(SIGN, { jti, aud: 'https://evil.example' }))).toBe('audience');
  expect(await verdict(await ehr.token(SIGN, { jti, exp: NOW - 60 }))).toBe('expired');
  expect(await verdict(await ehr.token(SIGN, { jti }))).toBe('accepted');
});

test('J14: a client on warn may send a token again, and the log says so', async () => {
  const token = await inferno.token(SIGN);
  expect(await verdict(token)).toBe('accepted');
  const told = () => service.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  expect(told().at(-1)).not.toHaveProperty('replayed');
  expect(await verdict(token)).toBe('accepted');
  expect(told().at(-1)).toMatchObject({ client: 'inferno', replayed: true, status: 200 });
});

test('J14: where jti may be left out, one that is sent is still good for one call', async () => {
  const bare = await noJti.token(SIGN, { jti: undefined as never });
  expect([await verdict(bare), await verdict(bare)]).toEqual(['accepted', 'accepted']);
  const token = await noJti.token(SIGN);
  expect([await verdict(token), await verdict(token)]).toEqual(['accepted', 'replay']);
});

test('J14: a jti is remembered as long as its token could be accepted, and not longer', async () => {
  const at = async (seconds: number) => {
    now = NOW + seconds;
    return verdict(await ehr.token(SIGN, { jti: 'late', iat: now, exp: now + 300 }));
  };
  const token = await ehr.token(SIGN, { jti: 'late' });
  expect(await verdict(token)).toBe('accepted');
  now = NOW + 359;
  expect(await verdict(token)).toBe('replay');
  expect(await at(359)).toBe('replay');
  expect(await at(361)).toBe('accepted');
  now = NOW;
});
