import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { type Answered, type Sent, startService } from './app.ts';
import { createClient, NOW } from './client.ts';
import type { Case } from './mutations.ts';

const FORGERIES = ['another-key', 'nobody', 'the-public-key', 'a-flipped-bit'] as const;

/** How a call's token is changed before it is sent. */
export type TokenPlan =
  | { kind: 'valid' | 'replayed' }
  | { kind: 'claim' | 'header'; name: string; value: unknown }
  | { kind: 'signature'; by: (typeof FORGERIES)[number]; at: number }
  | { kind: 'text'; at: number; cut: number; insert: string }
  | { kind: 'authorization'; value: string | undefined };

/** Stands for "drop this", which JSON cannot express. */
const DROP = '@drop@';
/** Claims that a valid token requires. */
const NEEDED = ['iss', 'aud', 'exp', 'iat', 'jti'];

/** Calls in production with a valid token, an invalid one, or none. */
export function tokenCases(bases: { name: string; url: string; body: string }[], junk: unknown[], canary: string) {
  const value = fc.oneof(
    fc.constantFrom(DROP, ...junk),
    fc.jsonValue({ maxDepth: 2 }),
    fc.integer({ min: -4000, max: 4000 }),
  );
  const plan: fc.Arbitrary<TokenPlan> = fc.oneof(
    fc.record({ kind: fc.constantFrom('valid' as const, 'valid' as const, 'replayed' as const) }),
    fc.record({
      kind: fc.constant('claim' as const),
      name: fc.constantFrom(...NEEDED, 'nbf', 'sub', 'tenant', 'jku', '__proto__', canary),
      value,
    }),
    fc.record({
      kind: fc.constant('header' as const),
      name: fc.constantFrom('alg', 'kid', 'typ', 'jku', 'jwk', 'x5u', 'crit', 'b64', 'zip', 'enc', '__proto__', canary),
      value: fc.oneof(value, fc.constantFrom('none', 'None', 'HS256', 'HS384', 'RS384', 'ES256', 'jwt', 'JWE')),
    }),
    fc.record({
      kind: fc.constant('signature' as const),
      by: fc.constantFrom(...FORGERIES),
      at: fc.nat(),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      at: fc.nat(),
      cut: fc.nat({ max: 20 }),
      // Spaces before a token are not part of it.
      insert: fc.string({ unit: 'grapheme-ascii', maxLength: 6 }).map((text) => text.replaceAll(' ', '~')),
    }),
    fc.record({
      kind: fc.constant('authorization' as const),
      value: fc.constantFrom(
        undefined,
        '',
        'Bearer',
        'Bearer ',
        `Basic ${canary}`,
        canary,
        `Bearer ${canary}`,
        'Bearer a.b.c',
        `Bearer ${'a.'.repeat(3000)}`,
      ),
    }),
  );
  return fc
    .record({
      base: fc.constantFrom(...bases),
      plan,
      // A token for one address, sent to another; and bodies that must not be read without a token.
      address: fc.constantFrom('', '', '', '', '/', '?x=1', 'x', '%zz', '/feedback'),
      body: fc.oneof(
        { arbitrary: fc.constant(undefined), weight: 4 },
        { arbitrary: fc.constantFrom('', '{', '[]', canary), weight: 1 },
      ),
    })
    .map(
      ({ base, plan, address, body }): Case => ({
        kind: 'token',
        base: `${base.name}: ${JSON.stringify(plan).slice(0, 200)}`,
        method: 'POST',
        url: `${base.url}${address}`,
        headers: { 'content-type': 'application/json' },
        body: body ?? base.body,
        token: plan,
      }),
    );
}

/** The service in production with one client; reports what is wrong with its answers to calls with tokens. */
export async function startTokenFuzzing(canary: string) {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const others = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES384', use: 'sig' };
  const { client } = await createClient({ keys: [jwk as never], requestsPerMinute: 1_000_000_000 });
  const service = await startService({ mode: 'production', clients: [client] });
  let count = 0;

  const write = (plan: TokenPlan, audience: string): string | undefined => {
    if (plan.kind === 'authorization') return plan.value;
    count += 1;
    const claims: Record<string, unknown> = {
      iss: client.iss,
      aud: audience,
      iat: NOW,
      exp: NOW + 300,
      jti: `fuzz-${count}`,
    };
    const header: Record<string, unknown> = { alg: 'ES384', kid: 'key-1', typ: 'JWT' };
    if (plan.kind === 'claim') change(claims, plan.name, plan.value);
    if (plan.kind === 'header') change(header, plan.name, plan.value);
    if (plan.kind === 'signature' && plan.by === 'nobody') header['alg'] = 'none';
    if (plan.kind === 'signature' && plan.by === 'the-public-key') header['alg'] = 'HS384';
    const text = `${part(JSON.stringify(header))}.${part(JSON.stringify(claims))}`;
    const by = plan.kind === 'signature' ? plan.by : undefined;
    const key = { key: (by === 'another-key' ? others : keys).privateKey, dsaEncoding: 'ieee-p1363' } as const;
    let signature = sign('sha384', Buffer.from(text), key);
    if (by === 'nobody') signature = Buffer.alloc(0);
    if (by === 'the-public-key')
      signature = createHmac('sha384', keys.publicKey.export({ format: 'pem', type: 'spki' }))
        .update(text)
        .digest();
    if (plan.kind === 'signature' && by === 'a-flipped-bit') {
      const at = plan.at % (signature.length * 8);
      signature[at >> 3] = (signature[at >> 3] as number) ^ (1 << (at & 7));
    }
    const token = `${text}.${signature.toString('base64url')}`;
    if (plan.kind !== 'text') return `Bearer ${token}`;
    const from = plan.at % token.length;
    const changed = `${token.slice(0, from)}${plan.insert}${token.slice(from + plan.cut)}`;
    // A letter may have been replaced by itself.
    return `Bearer ${changed === token && plan.cut > 0 ? `x${token}` : changed}`;
  };

  const send = (call: Sent, authorization: string | undefined) =>
    service.inject({ ...call, headers: { ...call.headers, ...(authorization !== undefined && { authorization }) } });
  const refusal = await send({ url: '/cds-services/x', method: 'POST', headers: {}, body: '' }, undefined);

  return {
    close: service.close,
    judge: async (call: Case): Promise<Answered & { faults: string[] }> => {
      const plan = call.token as TokenPlan;
      // The address that the token is for; the call may go elsewhere.
      const audience = `https://cds.example${(call.url.split('?')[0] as string).replace(/(?:x|%zz|\/feedback|\/)$/, '')}`;
      const authorization = write(plan, audience);
      if (plan.kind === 'replayed') await send(call, authorization);
      const answer = await send(call, authorization);
      const elsewhere = /(?:x|%zz)$/.test(call.url.split('?')[0] as string);
      const faults = [
        ...(mustBeRefused(plan, elsewhere) && answer.status !== 401
          ? [`status ${answer.status} without a good token`]
          : []),
        ...(plan.kind === 'valid' && !elsewhere && answer.status === 401 ? ['a good token is refused'] : []),
        ...(answer.status === 401 && answer.text !== refusal.text ? ['a refusal unlike the others'] : []),
        ...(answer.status === 401 && !/"refused":"[a-z-]+"/.test(answer.logged) ? ['the log says no reason'] : []),
        ...(answer.status !== 200 && answer.text.includes(canary) ? ['the refusal repeats what was sent'] : []),
        ...(answer.logged.includes(canary) ? ['the log repeats what was sent'] : []),
        ...(secretsOf(authorization).some((secret) => answer.logged.includes(secret) || answer.text.includes(secret))
          ? ['a part of the token is repeated']
          : []),
        ...(/"level":[56]0/.test(answer.logged) ? ['the log tells a failure'] : []),
        ...(answer.type.startsWith('application/json') ? [] : [`content type ${answer.type}`]),
      ];
      return { ...answer, faults };
    },
  };
}

function change(object: Record<string, unknown>, name: string, value: unknown): void {
  if (value === DROP) delete object[name];
  // Numeric claims are times; a small number is an offset from now.
  else
    Object.defineProperty(object, name, {
      value: typeof value === 'number' && Math.abs(value) <= 4000 ? NOW + value : value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/** Plans after which no call may be answered. For other changes of claims or header fields the service decides. */
function mustBeRefused(plan: TokenPlan, elsewhere: boolean): boolean {
  if (elsewhere || ['replayed', 'signature', 'authorization'].includes(plan.kind)) return true;
  if (plan.kind === 'text') return plan.cut > 0 || plan.insert !== '';
  return plan.kind === 'claim' && plan.value === DROP && NEEDED.includes(plan.name);
}

function part(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Parts of a token long enough to recognise it by. */
function secretsOf(authorization: string | undefined): string[] {
  return (authorization ?? '').split(/[ .]/).filter((piece) => piece.length > 30);
}
