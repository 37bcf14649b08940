import { randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PUBLIC_URL } from '../testing/app.ts';
import { createClient } from '../testing/client.ts';
import { noPostgres, type Postgres, startPostgres } from '../testing/postgres.ts';
import { type Process, startProcess } from '../testing/process.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { type Json, prescription, request } from '../testing/request.ts';

/* Three processes that share only a PostgreSQL database. */
describe.skipIf(noPostgres !== undefined)('three processes on one PostgreSQL', () => {
  const VIEW = '/cds-services/nordic-opioid-patient-view';
  const CURRENT = 'laro-sedative-current';
  let postgres: Postgres;
  let copy: ReturnType<typeof copyOfRepository>;
  let client: Awaited<ReturnType<typeof createClient>>;
  let processes: [Process, Process, Process];

  beforeAll(async () => {
    postgres = await startPostgres();
    copy = copyOfRepository();
    appendFileSync(
      join(copy.folder, 'hooks/site.yaml'),
      `\nquiet:\n  days: {${CURRENT}: 30}\n  accepted: [agreed-with-specialist]\n`,
    );
    client = await createClient();
    const clients = join(copy.folder, 'clients.yaml');
    writeFileSync(clients, JSON.stringify({ clients: [client.client] }));
    const PATIENT_KEY = randomBytes(32).toString('hex');
    // All at once: the tables are created once.
    processes = (await Promise.all(
      [1, 2, 3].map(() =>
        startProcess({
          MODE: 'production',
          HOST: '127.0.0.1',
          PUBLIC_URL,
          CLIENTS: clients,
          KNOWLEDGE: copy.folder,
          DATABASE_URL: postgres.url,
          PATIENT_KEY,
        }),
      ),
    )) as typeof processes;
  }, 120_000);
  afterAll(async () => {
    await Promise.all((processes ?? []).map(({ end }) => end('SIGTERM')));
    postgres?.remove();
    copy?.remove();
  });

  const now = () => Math.floor(Date.now() / 1000);
  const token = (path: string) => client.token(path, { iat: now(), exp: now() + 300, jti: crypto.randomUUID() });
  const post = async ({ url }: Process, path: string, body: Json, bearer?: string) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer ?? (await token(path))}` },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Json };
  };

  test('J14: a token used at one is refused at the others', async () => {
    const body = request('patient-view', { prefetch: {} });
    for (const first of processes) {
      const once = await token(VIEW);
      expect((await post(first, VIEW, body, once)).status).toBe(200);
      for (const each of processes) expect((await post(each, VIEW, body, once)).status).toBe(401);
    }
  });

  test('J14: of three asked at once with one token, one accepts it', async () => {
    for (let round = 0; round < 20; round++) {
      const once = await token(VIEW);
      const body = request('patient-view', { prefetch: {} });
      const answers = await Promise.all(processes.map((each) => post(each, VIEW, body, once)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    }
  });

  test('a card overridden at one is quiet at the others', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const running = { authoredOn: today, dosageInstruction: [{ text: 'as before' }] };
    const record = [prescription('methadone-1', 'methadone', running), prescription('oxazepam-1', 'oxazepam', running)];
    const view = () => ({ ...request('patient-view', { record }), hookInstance: crypto.randomUUID() });
    type Card = { uuid: string; source: { topic: { code: string } }; overrideReasons: Json[] };
    const cardsAt = async (each: Process) => (await post(each, VIEW, view())).body['cards'] as Card[];
    const [one, two, three] = processes;
    const [card] = (await cardsAt(one)) as [Card];
    expect(card.source.topic.code).toBe(CURRENT);
    expect(await cardsAt(two)).toHaveLength(1);
    const reason = card.overrideReasons.find(({ code }) => code === 'expert-contradicts');
    const item = {
      card: card.uuid,
      outcome: 'overridden',
      outcomeTimestamp: new Date().toISOString(),
      overrideReason: { reason },
    };
    // Given at another: the shared journal knows the card as soon as it is written.
    const send = async () => (await post(two, `${VIEW}/feedback`, { feedback: [item] })).body['results'];
    await expect.poll(send, { timeout: 10_000 }).toEqual([{ status: expect.stringMatching(/stored|repeated/) }]);
    for (const each of [one, two, three]) expect(await cardsAt(each)).toEqual([]);
  });

  test('J14: while the database is away each process remembers tokens itself, and answers', async () => {
    postgres.crash();
    const [one] = processes;
    const once = await token(VIEW);
    const body = request('patient-view', { prefetch: {} });
    expect((await post(one, VIEW, body, once)).status).toBe(200);
    expect((await post(one, VIEW, body, once)).status).toBe(401);
    const ready = await (await fetch(`${one.url}/ready`)).json();
    expect(ready).toMatchObject({ ready: true, journal: 'down' });
    postgres.start();
    await expect
      .poll(async () => (await fetch(`${one.url}/ready`)).json(), { timeout: 15_000 })
      .toMatchObject({ ready: true, journal: 'up' });
  }, 60_000);
});
