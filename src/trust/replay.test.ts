import { afterAll, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { PUBLIC_URL, startService } from '../testing/app.ts';
import { createClient, NOW, SIGN, verdictOn } from '../testing/client.ts';
import { pair } from '../testing/request.ts';
import { createReplay, sharedReplay } from './replay.ts';

const ehr = await createClient();
const other = await createClient({ name: 'other', iss: 'https://other.example' });
const inferno = await createClient({ name: 'inferno', iss: 'https://inferno.example', replay: 'warn' });
const noJti = await createClient({ name: 'no-jti', iss: 'https://no-jti.example', optionalClaims: ['jti'] });
const clients = [ehr, other, inferno, noJti].map(({ client }) => client);

let now = NOW;
const service = await startService({ mode: 'production', clients, clock: () => now * 1000 });
afterAll(() => service.close());

const verdict = (token: string, path?: string) => verdictOn(service, token, path);

test('J14: a token is valid for one call', async () => {
  const token = await ehr.token(SIGN);
  expect(await verdict(token)).toBe('accepted');
  expect(await verdict(token)).toBe('replay');
  expect(await verdict(token)).toBe('replay');
});

test('J14: a token sent several times at once is accepted once', async () => {
  const token = await ehr.token(SIGN);
  const verdicts = await Promise.all(Array.from({ length: 8 }, () => verdict(token)));
  expect(verdicts.filter((said) => said === 'accepted')).toHaveLength(1);
  expect(verdicts.filter((said) => said === 'replay')).toHaveLength(7);
});

test('J14: another token with a used jti is refused, whatever characters the jti has', async () => {
  for (const jti of ['a'.repeat(64), crypto.randomUUID(), ' ', '\0', 'x'.repeat(limits.jti)]) {
    expect(await verdict(await ehr.token(SIGN, { jti }))).toBe('accepted');
    expect(await verdict(await ehr.token(SIGN, { jti, exp: NOW + 301 }))).toBe('replay');
  }
});

test('J14: a jti longer than the limit is refused', async () => {
  expect(await verdict(await ehr.token(SIGN, { jti: 'x'.repeat(limits.jti + 1) }))).toBe('claims');
});

test('J14: a call that is rate-limited or refused for its headers does not use up its token', async () => {
  const slow = await createClient({ name: 'slow', iss: 'https://slow.example', requestsPerMinute: 1 });
  const busy = await startService({ mode: 'production', clients: [slow.client], clock: () => now * 1000 });
  const token = await slow.token(SIGN);
  const send = (headers: Record<string, string>, by = token) =>
    busy.http
      .post(SIGN)
      .set({ authorization: `Bearer ${by}`, 'content-type': 'application/json', ...headers })
      .send(JSON.stringify(pair()));
  const told = [];
  for (const headers of [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=iso-8859-1' },
    { 'content-encoding': 'gzip' },
  ])
    told.push((await send(headers)).status);
  expect(told).toEqual([415, 429, 429]);
  await busy.close();

  const free = await startService({ mode: 'production', clients: [ehr.client], clock: () => now * 1000 });
  const once = await ehr.token(SIGN);
  const by = (headers: Record<string, string>) =>
    free.http
      .post(SIGN)
      .set({ authorization: `Bearer ${once}`, 'content-type': 'application/json', ...headers })
      .send(JSON.stringify(pair()));
  expect((await by({ 'content-type': 'application/json; charset=iso-8859-1' })).status).toBe(415);
  expect((await by({ 'content-encoding': 'gzip' })).status).toBe(415);
  expect((await by({})).status).toBe(200);
  expect((await by({})).status).toBe(401);
  await free.close();
});

test('J14: beyond its limit the store forgets the oldest jti, and up to it none', async () => {
  const replay = createReplay(() => 0, 3);
  const use = (jti: string) => replay.use('ehr', jti, 1000);
  for (const jti of ['a', 'b', 'c']) expect(await use(jti)).toBe(true);
  for (const jti of ['a', 'b', 'c']) expect(await use(jti)).toBe(false);
  expect(await use('d')).toBe(true);
  expect([await use('b'), await use('c'), await use('d'), await use('a')]).toEqual([false, false, false, true]);
});

test('J14: expired entries are removed, once a minute', async () => {
  let clock = 0;
  const replay = createReplay(() => clock * 1000, 3);
  const use = (jti: string, expires: number) => replay.use('ehr', jti, expires * 1000);
  for (const [jti, expires] of [
    ['a', 100],
    ['b', 61],
    ['c', 100],
  ] as const)
    expect(await use(jti, expires)).toBe(true);
  clock = 62;
  // The second has been removed, so the fourth does not displace the first.
  expect([await use('d', 100), await use('a', 100), await use('c', 100)]).toEqual([true, false, false]);
});

test('J14: a jti used again after it expired is new, and then valid once', async () => {
  let clock = 0;
  const replay = createReplay(() => clock * 1000, 3);
  expect(await replay.use('ehr', 'a', 10_000)).toBe(true);
  clock = 10;
  expect(await replay.use('ehr', 'a', 10_000)).toBe(false);
  clock = 11;
  expect([await replay.use('ehr', 'a', 20_000), await replay.use('ehr', 'a', 20_000)]).toEqual([true, false]);
});

test('J14: each process asks the shared store, and uses its own memory while the store is down', async () => {
  const asked: [id: string, expiresAt: number][] = [];
  let answer: () => Promise<boolean> = async () => true;
  const replay = sharedReplay(
    (id, expiresAt) => {
      asked.push([id, expiresAt]);
      return answer();
    },
    createReplay(() => 0),
  );
  expect([await replay.use('ehr', 'a', 1000), await replay.use('ehr', 'a', 1000)]).toEqual([true, false]);
  answer = async () => false;
  expect(await replay.use('ehr', 'b', 1000)).toBe(false);
  answer = () => Promise.reject(new Error('away'));
  expect([await replay.use('ehr', 'c', 2000), await replay.use('ehr', 'c', 2000)]).toEqual([true, false]);
  expect(asked.map(([, expiresAt]) => expiresAt)).toEqual([1000, 1000, 2000]);
  expect(new Set(asked.map(([id]) => id)).size).toBe(3);
  for (const [id] of asked) expect(id).toMatch(/^[0-9a-f]{64}$/);
});

test('J14: a jti used by one client is still valid for another with the same issuer', async () => {
  const one = await createClient({ name: 'one', iss: 'https://shared.example', jku: 'https://one.example/jwks' });
  const two = await createClient({ name: 'two', iss: 'https://shared.example' });
  const both = await startService({ mode: 'production', clients: [one.client, two.client], clock: () => now * 1000 });
  expect(await verdictOn(both, await one.token(SIGN, { jti: 'same' }))).toBe('accepted');
  expect(await verdictOn(both, await two.token(SIGN, { jti: 'same' }))).toBe('accepted');
  await both.close();
});

test('J14: a token for two services is valid for one call to either', async () => {
  const select = '/cds-services/nordic-opioid-order-select';
  const token = await ehr.token(SIGN, { aud: [`${PUBLIC_URL}${SIGN}`, `${PUBLIC_URL}${select}`] });
  expect(await verdict(token)).toBe('accepted');
  expect(await verdict(token, select)).toBe('replay');
});

test('J14: a jti used by one client is still valid for another', async () => {
  expect(await verdict(await ehr.token(SIGN, { jti: 'shared' }))).toBe('accepted');
  expect(await verdict(await other.token(SIGN, { jti: 'shared' }))).toBe('accepted');
});

test('J14: a caller that cannot sign cannot use up a jti', async () => {
  const stranger = await createClient();
  const jti = 'wanted';
  expect(await verdict(await stranger.token(SIGN, { jti }))).toBe('signature');
  expect(await verdict(await ehr.token(SIGN, { jti, aud: 'https://evil.example' }))).toBe('audience');
  expect(await verdict(await ehr.token(SIGN, { jti, exp: NOW - 60 }))).toBe('expired');
  expect(await verdict(await ehr.token(SIGN, { jti }))).toBe('accepted');
});

test('J14: a client on warn may reuse a token, and the log says so', async () => {
  const token = await inferno.token(SIGN);
  expect(await verdict(token)).toBe('accepted');
  const told = () => service.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  expect(told().at(-1)).not.toHaveProperty('replayed');
  expect(await verdict(token)).toBe('accepted');
  expect(told().at(-1)).toMatchObject({ client: 'inferno', replayed: true, status: 200 });
});

test('J14: a jti that is optional and sent is still valid once', async () => {
  const bare = await noJti.token(SIGN, { jti: undefined as never });
  expect([await verdict(bare), await verdict(bare)]).toEqual(['accepted', 'accepted']);
  const token = await noJti.token(SIGN);
  expect([await verdict(token), await verdict(token)]).toEqual(['accepted', 'replay']);
});

test('J14: a jti is remembered exactly as long as its token could be accepted', async () => {
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
