import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { Client } from 'undici';
import { helpIfAsked } from '../src/cli/words.ts';
import { prescription, request } from '../src/testing/request.ts';

helpIfAsked(`Usage: npm run trial -- client FOLDER
       npm run trial -- FOLDER --url http://ADDRESS [--audience https://cds.hospital.example] [--connections 8] [--seconds 30]

The first writes FOLDER/clients.yaml for the service, and FOLDER/key.json. The second sends signed calls to a service that runs
elsewhere, to see what is lost while its processes and its database come and go: each connection sends one call after the other
and repeats none. Afterwards feedback is sent about every card, and the token of one call once more. Invented patients only.
docs/deploy.md tells what it showed.
`);

const ALG = 'ES384';
const KID = 'trial';
const ISS = 'https://trial.example';
const VIEW = '/cds-services/nordic-opioid-patient-view';
/** Feedback items per call. */
const ITEMS = 20;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    audience: { type: 'string', default: 'https://cds.hospital.example' },
    connections: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '30' },
  },
});
const [first, second] = positionals;
if (first === 'client' && second !== undefined) await makeClient(second);
else if (first !== undefined && values.url !== undefined) await tryOut(first, values.url);
else console.error('A folder and an address are needed: npm run trial -- --help');

async function makeClient(folder: string): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair(ALG, { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: KID, alg: ALG, use: 'sig' }];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'key.json'), JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
  const client = { name: 'trial', iss: ISS, keys, requestsPerMinute: 1_000_000 };
  writeFileSync(join(folder, 'clients.yaml'), `${JSON.stringify({ clients: [client] })}\n`);
}

async function tryOut(folder: string, url: string): Promise<void> {
  const key = await importJWK(JSON.parse(readFileSync(join(folder, 'key.json'), 'utf8')), ALG);
  const token = (path: string) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: ISS, aud: `${values.audience}${path}`, iat: now, exp: now + 300, jti: randomUUID() })
      .setProtectedHeader({ alg: ALG, kid: KID, typ: 'JWT' })
      .sign(key);
  };
  const post = async (on: Client, path: string, body: object, bearer?: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer ?? (await token(path))}` };
    const answer = await on.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
    return { status: answer.statusCode, text: await answer.body.text() };
  };

  const answers = new Map<string, number>();
  const count = (what: string) => answers.set(what, (answers.get(what) ?? 0) + 1);
  const cards: string[] = [];
  const running = { authoredOn: new Date().toISOString().slice(0, 10), dosageInstruction: [{ text: 'as before' }] };
  const record = [prescription('methadone-1', 'methadone', running), prescription('oxazepam-1', 'oxazepam', running)];
  const until = Date.now() + Number(values.seconds) * 1000;
  let slowest = 0;
  const caller = async () => {
    const on = new Client(url);
    while (Date.now() < until) {
      const begin = performance.now();
      try {
        const { status, text } = await post(on, VIEW, {
          ...request('patient-view', { record }),
          hookInstance: randomUUID(),
        });
        count(String(status));
        if (status === 200) for (const card of JSON.parse(text).cards) cards.push(card.uuid);
      } catch (error) {
        count(`lost (${(error as { code?: string }).code})`);
        await wait(50);
      }
      slowest = Math.max(slowest, performance.now() - begin);
    }
    await on.close();
  };
  await Promise.all(Array.from({ length: Number(values.connections) }, caller));
  console.log(
    `calls     ${[...answers].map(([what, times]) => `${what}: ${times}`).join(', ')}, slowest ${Math.round(slowest)} ms`,
  );

  // By now the last cards are written.
  await wait(1000);
  const said = new Map<string, number>();
  for (let at = 0; at < cards.length; at += ITEMS) {
    const items = cards.slice(at, at + ITEMS);
    for (const status of await feedback(items)) said.set(status, (said.get(status) ?? 0) + 1);
  }
  console.log(
    `feedback  on ${cards.length} cards: ${[...said].map(([what, times]) => `${what}: ${times}`).join(', ')}`,
  );

  const bearer = await token(VIEW);
  const statuses: number[] = [];
  for (let time = 0; time < 6; time++) {
    const on = new Client(url);
    statuses.push((await post(on, VIEW, request('patient-view', { record }), bearer)).status);
    await on.close();
  }
  console.log(`one token ${statuses.join(', ')}`);

  async function feedback(uuids: string[]): Promise<string[]> {
    const outcomeTimestamp = new Date().toISOString();
    const items = uuids.map((card) => ({ card, outcome: 'overridden', outcomeTimestamp }));
    for (;;) {
      const on = new Client(url);
      try {
        const { status, text } = await post(on, `${VIEW}/feedback`, { feedback: items });
        if (status === 200) return JSON.parse(text).results.map(statusOf);
        if (status !== 503) return uuids.map(() => String(status));
      } catch {
        // The pod is gone: send again, as a record system does.
      } finally {
        await on.close();
      }
      await wait(500);
    }
  }
}

function statusOf({ status, unknownCard }: { status: string; unknownCard?: true }): string {
  return unknownCard ? `${status}, unknownCard` : status;
}
