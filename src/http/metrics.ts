import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Answer } from '../answer.ts';
import type { Completed } from '../fhir/complete.ts';
import type { Prefetch, Section } from '../fhir/prefetch.ts';
import type { Figures, Journal } from '../journal/journal.ts';
import { wouldHaveShown } from './journal.ts';

/** Figures about calls, by service, client, key and rule: never by patient. */
export type Metrics = {
  registry: Registry;
  call: (service: string, status: number, seconds: number) => void;
  prefetch: (client: string, prefetch: Prefetch, sections: Section[]) => void;
  fetched: (outcomes: Completed['outcomes']) => void;
  answered: (answer: Answer) => void;
  feedback: (service: string, result: string) => void;
  /** The journal did not say in time what may be left out, so that everything was shown. */
  notSilenced: () => void;
};

export function createMetrics(journal?: Pick<Journal, 'figures'>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const calls = new Counter({
    name: 'cds_requests_total',
    help: 'Calls by service and HTTP status',
    labelNames: ['service', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'cds_request_seconds',
    help: 'Time to answer by service',
    labelNames: ['service'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const cards = new Counter({
    name: 'cds_cards_total',
    help: 'Cards by rule and indicator',
    labelNames: ['rule', 'indicator'],
    registers,
  });
  const unseen = new Counter({
    name: 'cds_silent_cards_total',
    help: 'Cards that rules on trial would have given, by rule and indicator: nobody saw them',
    labelNames: ['rule', 'indicator'],
    registers,
  });
  const keys = new Counter({
    name: 'cds_prefetch_total',
    help: 'Prefetch keys by client, key and what was sent',
    labelNames: ['client', 'key', 'state'],
    registers,
  });
  const fetches = new Counter({
    name: 'cds_fhir_fetch_total',
    help: 'Fetches from FHIR servers by key and outcome',
    labelNames: ['key', 'outcome'],
    registers,
  });
  const leftOut = new Counter({
    name: 'cds_left_out_total',
    help: 'Orders and medicines left out, by reason',
    labelNames: ['what', 'why'],
    registers,
  });
  const silenced = new Counter({
    name: 'cds_silenced_total',
    help: 'Cards left out by rule: quiet after an override, or shown when the order was selected',
    labelNames: ['rule', 'why'],
    registers,
  });
  const notSilenced = new Counter({
    name: 'cds_silence_unknown_total',
    help: 'Answers that show everything because the journal did not say what may be left out',
    registers,
  });
  const items = new Counter({
    name: 'cds_feedback_total',
    help: 'Items of feedback by service and what became of them',
    labelNames: ['service', 'result'],
    registers,
  });
  if (journal) journalGauges(journal, registers);
  return {
    registry,
    call: (service, status, time) => {
      calls.inc({ service, status });
      seconds.observe({ service }, time);
    },
    prefetch: (client, prefetch, sections) => {
      for (const key of sections) keys.inc({ client, key, state: prefetch.section(key).state });
    },
    fetched: (outcomes) => {
      for (const { key, outcome } of outcomes) fetches.inc({ key, outcome });
    },
    answered: (answer) => {
      for (const { what, why } of answer.chart.leftOut) leftOut.inc({ what, why });
      for (const card of 'cards' in answer ? answer.cards : [])
        cards.inc({ rule: card.source.topic.code, indicator: card.indicator });
      for (const { rule, indicator } of wouldHaveShown(answer.results)) unseen.inc({ rule: rule.id, indicator });
      for (const { rule, outcome } of answer.results)
        if (outcome === 'quiet' || outcome === 'repeat') silenced.inc({ rule: rule.id, why: outcome });
    },
    feedback: (service, result) => items.inc({ service, result }),
    notSilenced: () => notSilenced.inc(),
  };
}

/** Read from the journal when they are asked for. */
function journalGauges(journal: Pick<Journal, 'figures'>, registers: Registry[]): void {
  const gauge = (name: string, help: string, value: (figures: Figures) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(journal.figures()));
      },
    });
  gauge('cds_journal_up', 'Whether the journal can be reached', ({ state }) => (state === 'up' ? 1 : 0));
  gauge('cds_journal_queued', 'Cards that wait to be written', ({ queued }) => queued);
  gauge('cds_journal_written', 'Cards written since the start', ({ written }) => written);
  gauge(
    'cds_journal_dropped',
    'Cards dropped since the start, because the journal was away for too long',
    ({ dropped }) => dropped,
  );
}

/** `GET /metrics`: Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
