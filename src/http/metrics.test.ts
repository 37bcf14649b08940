import { describe, expect, test } from 'vitest';
import type { Answer } from '../answer.ts';
import type { Journal } from '../journal/journal.ts';
import { createMetrics } from './metrics.ts';

/** The values of a metric, without the labels that all share. */
async function figuresOf({ registry }: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}
const answerOf = (parts: object): Answer => ({ chart: { leftOut: [] }, results: [], cards: [], ...parts }) as never;
const result = (id: string, outcome: string, more: object = {}) => ({
  rule: { id },
  outcome,
  indicator: 'info',
  ...more,
});

describe('what is counted', () => {
  type Metrics = ReturnType<typeof createMetrics>;
  test.each<[name: string, count: (metrics: Metrics) => void, figures: string[]]>([
    [
      'cds_requests_total',
      ({ call }) => {
        call('s', 200, 1);
        call('s', 200, 1);
        call('s', 412, 1);
        call('t', 200, 1);
      },
      ['{service="s",status="200"} 2', '{service="s",status="412"} 1', '{service="t",status="200"} 1'],
    ],
    ['cds_request_seconds_sum', ({ call }) => call('s', 200, 0.25), ['{service="s"} 0.25']],
    [
      'cds_request_seconds_bucket',
      ({ call }) => call('s', 200, 0.2),
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, '+Inf'].map(
        (limit) => `{le="${limit}",service="s"} ${Number(limit === '+Inf' || Number(limit) >= 0.2)}`,
      ),
    ],
    [
      'cds_prefetch_total',
      ({ prefetch }) =>
        prefetch('c', { section: (key: string) => ({ state: key === 'patient' ? 'absent' : 'complete' }) } as never, [
          'patient',
          'conditions',
        ]),
      ['{client="c",key="patient",state="absent"} 1', '{client="c",key="conditions",state="complete"} 1'],
    ],
    [
      'cds_fhir_fetch_total',
      ({ fetched }) =>
        fetched([
          { key: 'medications', outcome: 'fetched' },
          { key: 'patient', outcome: 'status' },
        ] as never),
      ['{key="medications",outcome="fetched"} 1', '{key="patient",outcome="status"} 1'],
    ],
    [
      'cds_left_out_total',
      ({ answered }) => answered(answerOf({ chart: { leftOut: [{ what: 'order', why: 'status', ref: 'x' }] } })),
      ['{what="order",why="status"} 1'],
    ],
    [
      'cds_cards_total',
      ({ answered }) =>
        answered(
          answerOf({
            cards: [{ source: { topic: { code: 'r' } }, indicator: 'warning' }],
            results: [result('r', 'fires')],
          }),
        ),
      ['{rule="r",indicator="warning"} 1'],
    ],
    [
      'cds_silent_cards_total',
      ({ answered }) =>
        answered(
          answerOf({ results: [result('r', 'silent'), result('s', 'silent', { by: 'r' }), result('t', 'fires')] }),
        ),
      ['{rule="r",indicator="info"} 1'],
    ],
    [
      'cds_silenced_total',
      ({ answered }) =>
        answered(
          answerOf({
            results: [result('r', 'quiet'), result('s', 'repeat'), result('t', 'superseded'), result('u', 'fires')],
          }),
        ),
      ['{rule="r",why="quiet"} 1', '{rule="s",why="repeat"} 1'],
    ],
    ['cds_feedback_total', ({ feedback }) => feedback('s', 'stored'), ['{service="s",result="stored"} 1']],
    ['cds_silence_unknown_total', ({ silencesUnknown }) => silencesUnknown(), [' 1']],
  ])('%s', async (name, count, figures) => {
    const metrics = createMetrics();
    count(metrics);
    expect(await figuresOf(metrics, name)).toEqual(figures.map((figure) => `${name}${figure}`));
  });

  test('a refused answer counts no cards', async () => {
    const metrics = createMetrics();
    const { cards: _, ...refused } = answerOf({ missing: ['medications'] }) as never as { cards: unknown };
    metrics.answered(refused as Answer);
    expect(await figuresOf(metrics, 'cds_cards_total')).toEqual([]);
  });

  test('counting continues after the metrics were read', async () => {
    const metrics = createMetrics();
    for (const figure of [1, 2, 3]) {
      metrics.feedback('s', 'stored');
      expect(await figuresOf(metrics, 'cds_feedback_total')).toEqual([
        `cds_feedback_total{service="s",result="stored"} ${figure}`,
      ]);
    }
  });
});

const NAMES = [
  'cds_requests_total counter',
  'cds_request_seconds histogram',
  'cds_cards_total counter',
  'cds_silent_cards_total counter',
  'cds_prefetch_total counter',
  'cds_fhir_fetch_total counter',
  'cds_left_out_total counter',
  'cds_silenced_total counter',
  'cds_silence_unknown_total counter',
  'cds_feedback_total counter',
];
const OF_JOURNAL = ['up', 'queued', 'written', 'dropped'].map((name) => `cds_journal_${name} gauge`);

test('every metric is described, and those of the journal exist if it does', async () => {
  const figures = () => ({ state: 'up' as const, queued: 1, written: 2, dropped: 3 });
  for (const [metrics, names] of [
    [createMetrics(), NAMES],
    [createMetrics({ figures }), [...NAMES, ...OF_JOURNAL]],
  ] as const) {
    const lines = (await metrics.registry.metrics()).split('\n');
    expect(lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.slice(7))).toEqual(names);
    const helps = lines.filter((line) => line.startsWith('# HELP'));
    expect(helps).toHaveLength(names.length);
    for (const help of helps) expect(help).toMatch(/^# HELP \w+ [A-Z]\w+ \w+/);
  }
});

test.each<[state: ReturnType<Journal['figures']>['state'], up: number]>([
  ['up', 1],
  ['down', 0],
  ['starting', 0],
])('a journal that is %s is reported so when the metrics are read', async (state, up) => {
  let written = 1;
  const metrics = createMetrics({ figures: () => ({ state, queued: 4, written: written++, dropped: 5 }) });
  await metrics.registry.metrics();
  const lines = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('cds_journal'));
  expect(lines[0]).toBe(`cds_journal_up ${up}`);
  expect(lines[1]).toBe('cds_journal_queued 4');
  expect(Number(lines[2]?.split(' ')[1])).toBeGreaterThan(4);
  expect(lines[3]).toBe('cds_journal_dropped 5');
});
