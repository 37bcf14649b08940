import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dateOfInstant, plusDays } from '../dates.ts';
import { openDatabase, type Place } from '../journal/database.ts';
import { count } from '../journal/figures.ts';
import { migrate } from '../journal/migrations.ts';
import { type CardRow, createStore, type FeedbackRow, type SilentRow, type Tally } from '../journal/store.ts';
import { summarise } from '../journal/summary.ts';
import { languages } from '../language.ts';
import { root } from '../testing/app.ts';
import { noPostgres, type Postgres, startPostgres } from '../testing/postgres.ts';

const TODAY = dateOfInstant(Date.now(), 'Europe/Stockholm');
const day = (back: number) => plusDays(TODAY, -back);
const ago = (back: number) => Date.now() - back * 86_400_000;

/*
 * A journal that is counted by hand. In the last 30 days, at order-sign 40 calls and 10 refused, with the chart open 100:
 *
 *   a-rule   order-sign    A (accepted), B (overridden, agreed), C (overridden twice, agreed then no reason),
 *                          D (accepted, later overridden: handled), E (nothing)
 *   a-rule   patient-view  F (overridden, a reason of the client's own)
 *   b-rule   patient-view  G (accepted, two suggestions), H and I (nothing)
 *
 * and before that J of a-rule, overridden. Of another client K of a-rule, accepted.
 *
 * On trial: b-rule in 40 of the 100 calls with the chart open, where it would have given P; c-rule in all 50 at order-sign,
 * where it would have given L, M and N, and O before that; d-rule in the same 50, where it would have given nothing. L is of the patient two, N of three, M and O of one.
 */
const cards: [string, string, string, number][] = [
  ['A', 'a-rule', 'order-sign', 1],
  ['B', 'a-rule', 'order-sign', 1],
  ['C', 'a-rule', 'order-sign', 2],
  ['D', 'a-rule', 'order-sign', 2],
  ['E', 'a-rule', 'order-sign', 2],
  ['F', 'a-rule', 'patient-view', 2],
  ['G', 'b-rule', 'patient-view', 1],
  ['H', 'b-rule', 'patient-view', 29],
  ['I', 'b-rule', 'patient-view', 30],
  ['J', 'a-rule', 'order-sign', 31],
];
const silent: [string, string, string, number, string | null][] = [
  ['L', 'c-rule', 'order-sign', 1, 'hash-two'],
  ['M', 'c-rule', 'order-sign', 1, 'hash-one'],
  ['N', 'c-rule', 'order-sign', 2, 'hash-three'],
  ['O', 'c-rule', 'order-sign', 31, 'hash-one'],
  ['P', 'b-rule', 'patient-view', 3, null],
];
const SYSTEM = 'http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes';
const said: [string, 'accepted' | 'overridden', string | null, string | null][] = [
  ['A', 'accepted', 's-A', null],
  ['B', 'overridden', null, 'expert-contradicts'],
  ['C', 'overridden', null, 'expert-contradicts'],
  ['C', 'overridden', null, null],
  ['D', 'accepted', 's-D', null],
  ['D', 'overridden', null, 'action-completed'],
  ['F', 'overridden', null, 'own-code'],
  ['G', 'accepted', 's-G', null],
  ['G', 'accepted', 'of another card', null],
  ['J', 'overridden', null, 'expert-contradicts'],
  ['Z', 'overridden', null, null],
];

async function fill(place: Place): Promise<void> {
  const database = openDatabase(place);
  await migrate(database);
  const store = createStore(database);
  const base = { client: 'ehr', tenant: '', indicator: 'info', knowledge: 'x', patient: null, basis: null, kept: 0 };
  const row = ([uuid, rule, hook, back]: (typeof cards)[number]): CardRow => ({
    ...base,
    uuid,
    rule,
    hook,
    day: day(back),
    issued_at: ago(back),
    suggestions: JSON.stringify({ [`s-${uuid}`]: 'stop-date/5' }),
  });
  const tally = (hook: string, kind: Tally['kind'], times: number, rule = '', back = 1, client = 'ehr'): Tally => ({
    day: day(back),
    client,
    tenant: '',
    hook,
    kind,
    rule,
    count: times,
  });
  const unseen = silent.map(([uuid, rule, hook, back, patient]): SilentRow => {
    const { suggestions: _s, basis: _b, kept: _k, ...given } = row([uuid, rule, hook, back]);
    return { ...given, patient };
  });
  await store.append(
    [...cards.map(row), { ...row(['K', 'a-rule', 'order-sign', 1]), client: 'other' }, ...unseen],
    [
      tally('order-sign', 'answered', 20),
      tally('order-sign', 'answered', 20, '', 5),
      tally('order-sign', 'refused', 10),
      tally('order-sign', 'answered', 999, '', 31),
      tally('order-sign', 'answered', 7, '', 1, 'other'),
      tally('patient-view', 'answered', 100),
      tally('patient-view', 'quiet', 3, 'b-rule'),
      tally('order-sign', 'repeat', 2, 'a-rule'),
      tally('patient-view', 'trial', 40, 'b-rule'),
      tally('order-sign', 'trial', 50, 'd-rule'),
      tally('order-sign', 'trial', 30, 'c-rule'),
      tally('order-sign', 'trial', 20, 'c-rule', 5),
      tally('order-sign', 'trial', 60, 'c-rule', 31),
      tally('order-sign', 'trial', 7, 'c-rule', 1, 'other'),
    ],
  );
  const feedback = said.map(
    ([card, outcome, suggestion, reason], at): FeedbackRow => ({
      id: `f${at}`,
      client: 'ehr',
      tenant: '',
      card,
      service: 'service',
      outcome,
      suggestion,
      at: at,
      received_at: Date.now(),
      reason_code: reason,
      reason_system: reason === null || reason === 'own-code' ? null : SYSTEM,
      comment: null,
    }),
  );
  await store.addFeedback([...feedback, { ...(feedback[0] as FeedbackRow), id: 'k', client: 'other', card: 'K' }]);
  await database.destroy();
}

const expected = {
  since: day(30),
  until: TODAY,
  calls: [
    { hook: 'order-sign', answered: 40, refused: 10 },
    { hook: 'patient-view', answered: 100, refused: 0 },
  ],
  strays: 1,
  // This site does not ask for patients.
  review: [],
  rules: [
    {
      rule: 'a-rule',
      shown: 6,
      accepted: 2,
      overridden: 4,
      withoutFeedback: 1,
      overrideRate: 4 / 5,
      per100: 600 / 150,
      trial: 0,
      silent: 0,
      quiet: 0,
      repeats: 2,
      aboveLimit: true,
      hooks: [
        {
          hook: 'order-sign',
          shown: 5,
          accepted: 2,
          overridden: 3,
          withoutFeedback: 1,
          overrideRate: 3 / 4,
          per100: 10,
          quiet: 0,
          repeats: 2,
        },
        {
          hook: 'patient-view',
          shown: 1,
          accepted: 0,
          overridden: 1,
          withoutFeedback: 0,
          overrideRate: 1,
          per100: 1,
          quiet: 0,
          repeats: 0,
        },
      ],
      reasons: [
        { code: 'expert-contradicts', system: SYSTEM, cards: 2 },
        { code: null, system: null, cards: 1 },
        { code: 'action-completed', system: SYSTEM, cards: 1 },
        { code: 'own-code', system: null, cards: 1 },
      ],
      offers: [{ offer: 'stop-date/5', times: 2 }],
    },
    {
      rule: 'b-rule',
      shown: 3,
      accepted: 1,
      overridden: 0,
      withoutFeedback: 2,
      overrideRate: 0,
      // In the 60 calls without the trial.
      per100: 5,
      trial: 40,
      silent: 1,
      silentPer100: 2.5,
      quiet: 3,
      repeats: 0,
      aboveLimit: false,
      hooks: [
        {
          hook: 'patient-view',
          shown: 3,
          accepted: 1,
          overridden: 0,
          withoutFeedback: 2,
          overrideRate: 0,
          per100: 5,
          trial: 40,
          silent: 1,
          silentPer100: 2.5,
          quiet: 3,
          repeats: 0,
        },
      ],
      reasons: [],
      offers: expect.arrayContaining([
        { offer: 'stop-date/5', times: 1 },
        { offer: '?', times: 1 },
      ]),
    },
    {
      rule: 'c-rule',
      shown: 0,
      accepted: 0,
      overridden: 0,
      withoutFeedback: 0,
      trial: 50,
      silent: 3,
      silentPer100: 6,
      hooks: [{ hook: 'order-sign', shown: 0, trial: 50, silent: 3, silentPer100: 6 }],
    },
    { rule: 'd-rule', shown: 0, trial: 50, silent: 0, silentPer100: 0 },
  ],
};

let folder: string;
let postgres: Postgres | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cds-report-'));
  await fill({ folder });
  if (noPostgres === undefined) {
    postgres = await startPostgres();
    await fill({ url: postgres.url });
  }
}, 60_000);
afterAll(() => {
  postgres?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function report(words: string[], environment: Record<string, string> = { DATA_DIR: folder }) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/report.ts'), ...words],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], ...environment } },
  );
  return { status, stdout, stderr };
}

describe('the figures counted by hand', () => {
  test('agree with SQLite', () => {
    const { status, stdout, stderr } = report(['--format', 'json', '--client', 'ehr']);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject(expected);
  });

  test.skipIf(noPostgres !== undefined)('agree with PostgreSQL', () => {
    const { stdout, stderr } = report(['--format', 'json', '--client', 'ehr'], { DATABASE_URL: postgres?.url ?? '' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject(expected);
  });

  test('are given per day, with each card on the day it was shown', () => {
    const { periods, rules } = JSON.parse(report(['--format', 'json', '--client', 'ehr']).stdout);
    expect(periods).toHaveLength(31);
    const [a, b] = rules;
    expect(a.over.shown.slice(-4)).toEqual([0, 4, 2, 0]);
    expect(a.over.overridden.slice(-4)).toEqual([0, 3, 1, 0]);
    expect(a.over.accepted.slice(-4)).toEqual([0, 1, 1, 0]);
    expect([b.over.shown[0], b.over.shown[1]]).toEqual([1, 1]);
  });

  test('cover all clients and longer periods on request', () => {
    const all = JSON.parse(report(['--format', 'json', '--since', '5w']).stdout);
    expect(all.rules[0]).toMatchObject({ rule: 'a-rule', shown: 8, accepted: 3, overridden: 5, withoutFeedback: 1 });
    expect(all.calls[0]).toEqual({ hook: 'order-sign', answered: 1046, refused: 10 });
  });

  test('say that no card was shown on a day without calls', () => {
    const { stdout } = report(['--since', TODAY]);
    expect(stdout).toContain('No card was shown.');
    expect(report(['--since', TODAY, '--format', 'html']).stdout).toContain('No card was shown in this period.');
  });

  test('are grouped by week after 45 days and by month after 400, without losing or repeating a card', async () => {
    const database = openDatabase({ folder });
    for (const [since, step] of [
      [day(60), 7],
      [day(800), 28],
    ] as const) {
      const { periods, rules } = summarise(await count(database, { since }), since, TODAY, 1);
      const gaps = periods.slice(1, -1).map((period, at) => Date.parse(periods[at + 2] as string) - Date.parse(period));
      expect(Math.min(...gaps) / 86_400_000).toBeGreaterThanOrEqual(step);
      for (const { shown, over } of rules) expect(over.shown.reduce((all, cards) => all + cards, 0)).toBe(shown);
    }
    await database.destroy();
  });
});

test.each(['{"s-1":', 'null', '{"s-1": 7}'])(
  'a journal row with malformed suggestions (%s) does not break the report: its offer is unknown',
  async (suggestions) => {
    const own = mkdtempSync(join(tmpdir(), 'cds-report-shape-'));
    await fill({ folder: own });
    const database = openDatabase({ folder: own });
    await database.updateTable('cards').set({ suggestions }).where('uuid', '=', 'A').execute();
    await database.destroy();
    const { status, stdout } = report(['--format', 'json', '--client', 'ehr'], { DATA_DIR: own });
    rmSync(own, { recursive: true, force: true });
    expect(status).toBe(0);
    const [a] = JSON.parse(stdout).rules;
    expect([a.shown, a.accepted]).toEqual([6, 2]);
    expect(a.offers).toEqual([
      { offer: '?', times: 1 },
      { offer: 'stop-date/5', times: 1 },
    ]);
  },
);

test('the table lists the rule above the limit first, and reasons in words', () => {
  const { stdout } = report(['--client', 'ehr']);
  const lines = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '));
  expect(lines).toContain('! a-rule  6  4.0  2  4  80 %  1  0  2');
  expect(lines).toContain('b-rule  3  5.0  1  0  0 %  2  3  0');
  expect(lines.indexOf('! a-rule  6  4.0  2  4  80 %  1  0  2')).toBeLessThan(
    lines.indexOf('b-rule  3  5.0  1  0  0 %  2  3  0'),
  );
  expect(lines).toContain('a-rule  2  Agreed with a specialist');
  expect(lines).toContain('a-rule  1  own-code');
  expect(lines).toContain('1 item of feedback is about a card that the journal does not have.');
});

describe('rules on trial', () => {
  const asking = () => {
    const knowledge = join(folder, 'asking');
    for (const part of ['hooks', 'cards']) cpSync(join(root, part), join(knowledge, part), { recursive: true });
    appendFileSync(join(knowledge, 'hooks/site.yaml'), '\nsilent: {chartReview: 2}\n');
    return { KNOWLEDGE: knowledge };
  };

  test('they are listed beside the shown cards, and the report says that their effect is unknown', () => {
    const { stdout } = report(['--client', 'ehr']);
    const lines = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/g, '  '));
    expect(lines).toContain('shown  in 100 calls  calls on trial  would have been shown  in 100 calls on trial');
    expect(lines).toContain('b-rule  3  5.0  40  1  2.5');
    expect(lines).toContain('c-rule  0  –  50  3  6.0');
    expect(lines).toContain('On trial and without any card: d-rule.');
    expect(stdout).toContain('The service does not know');
    expect(stdout).not.toContain('hash-');
    // A card that nobody saw does not count as a card.
    expect(lines.filter((line) => line.startsWith('c-rule'))).toHaveLength(1);
  });

  // The first patients in the journal, even from before the period of the report.
  const first = [
    { rule: 'c-rule', day: day(31), patient: 'hash-one' },
    { rule: 'c-rule', day: day(2), patient: 'hash-three' },
  ];
  const review = (environment: Record<string, string>, ...words: string[]) =>
    JSON.parse(report(['--format', 'json', ...words], environment).stdout).review;

  test('the first patients of each rule are listed if the site asks for them', () => {
    const environment = { DATA_DIR: folder, ...asking() };
    expect(review(environment, '--client', 'ehr')).toEqual(first);
    expect(review(environment, '--tenant', 'ward-b')).toEqual([]);
    expect(report([], environment).stdout).toContain(`c-rule  ${day(31)}  hash-one`);
  });

  test.skipIf(noPostgres !== undefined)('PostgreSQL lists the same patients', () => {
    expect(review({ DATABASE_URL: postgres?.url ?? '', ...asking() })).toEqual(first);
  });

  test('the page covers a period with a trial but without cards', async () => {
    const lone = join(folder, 'lone');
    const database = openDatabase({ folder: lone });
    await migrate(database);
    const tally = { day: day(1), client: 'ehr', tenant: 'a', hook: 'order-sign', count: 4 };
    await createStore(database).append(
      [],
      [
        { ...tally, kind: 'answered', rule: '' },
        { ...tally, kind: 'trial', rule: 'c-rule' },
      ],
    );
    await database.destroy();
    const html = report(['--format', 'html', '--client', 'ehr', '--tenant', 'a'], { DATA_DIR: lone }).stdout;
    expect(html).toContain('No card was shown in this period.');
    expect(html).toContain('On trial and without any card: c-rule.');
    expect(html).toContain('ehr, a only');
  });
});

test.each(languages)('the page in %s is a single file that requests nothing from the network', (language) => {
  const out = join(folder, `report-${language}.html`);
  expect(report(['--format', 'html', '--language', language, '--out', out])).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  const html = readFileSync(out, 'utf8');
  expect(html).toContain(`<html lang="${language}">`);
  expect(html).not.toMatch(/<script|<link|<img|url\((?!#)|https?:\/\/(?!www\.w3\.org)/);
  expect(html).toMatch(/▲ a-rule/);
  expect(html).not.toContain('undefined');
});

describe('invalid requests are reported', () => {
  test.each([
    [['--format', 'pdf'], /--format: 'pdf' is not one of table, json, html/],
    [['--language', 'fi'], /--language: 'fi' is not one of/],
    [['--since', 'yesterday'], /--since: 'yesterday' is neither a span such as 30d/],
    [['--since', '2999-01-01'], /--since: /],
    [['--nothing'], /--nothing/],
  ])('%j', (words, message) => {
    const { status, stdout, stderr } = report(words);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });

  test('a missing journal is reported', () => {
    const missing = report([], { DATA_DIR: join(folder, 'none') });
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('There is no journal in')]);
    expect(report([], { JOURNAL: 'off' }).stderr).toContain('JOURNAL=off');
    const away = report([], { DATABASE_URL: 'postgres://cds@127.0.0.1:1/cds' });
    expect([away.status, away.stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });
});
