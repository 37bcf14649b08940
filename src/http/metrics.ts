import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Answer } from '../answer.ts';
import type { Completed } from '../fhir/complete.ts';
import type { Prefetch, Section } from '../fhir/prefetch.ts';
import type { Figures, Journal } from '../journal/journal.ts';
import { wouldHaveShown } from './journal.ts';

/** Metrics of calls by service, client, key and rule, never by patient. */
export type Metrics = {
  registry: Registry;
  call: (service: string, status: number, seconds: number) => void;
  prefetch: (client: string, prefetch: Prefetch, sections: Section[]) => void;
  fetched: (outcomes: Completed['outcomes']) => void;
  answered: (answer: Answer) => void;
  feedback: (service: string, result: string) => void;
  /** The journal did not say in time which cards to leave out, so all were shown. */
  silencesUnknown: () => void;
};

export function createMetrics(journal?: Pick<Journal, 'figures'>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const count = (name: string, help: string, ...labelNames: string[]) => counter(name, help, labelNames, registers);
  const calls = count('cds_requests_total', 'Calls by service and HTTP status', 'service', 'status');
  const seconds = new Histogram({
    name: 'cds_request_seconds',
    help: 'Time to answer by service',
    labelNames: ['service'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const cards = count('cds_cards_total', 'Cards by rule and indicator', 'rule', 'indicator');
  const unseen = count(
    'cds_silent_cards_total',
    'Cards that rules on trial would have given, by rule and indicator. They were not shown',
    'rule',
    'indicator',
  );
  const keys = count('cds_prefetch_total', 'Prefetch keys by client, key and what was sent', 'client', 'key', 'state');
  const fetches = count('cds_fhir_fetch_total', 'Fetches from FHIR servers by key and outcome', 'key', 'outcome');
  const leftOut = count('cds_left_out_total', 'Orders and medicines left out, by reason', 'what', 'why');
  const silenced = count(
    'cds_silenced_total',
    'Cards left out by rule: quiet after an override, or shown when the order was selected',
    'rule',
    'why',
  );
  const silencesUnknown = count(
    'cds_silence_unknown_total',
    'Answers that show every card because the journal did not say in time which to leave out',
  );
  const items = count('cds_feedback_total', 'Feedback items by service and outcome', 'service', 'result');
  if (journal) journalGauges(journal, registers);
  return {
    registry,
    call: (service, status, time) => {
      calls(service, String(status));
      seconds.observe({ service }, time);
    },
    prefetch: (client, prefetch, sections) => {
      for (const key of sections) keys(client, key, prefetch.section(key).state);
    },
    fetched: (outcomes) => {
      for (const { key, outcome } of outcomes) fetches(key, outcome);
    },
    answered: (answer) => {
      for (const { what, why } of answer.chart.leftOut) leftOut(what, why);
      for (const card of 'cards' in answer ? answer.cards : []) cards(card.source.topic.code, card.indicator);
      for (const { rule, indicator } of wouldHaveShown(answer.results)) unseen(rule.id, indicator);
      for (const { rule, outcome } of answer.results)
        if (outcome === 'quiet' || outcome === 'repeat') silenced(rule.id, outcome);
    },
    feedback: (service, result) => items(service, result),
    silencesUnknown: () => silencesUnknown(),
  };
}

/** Counts by the values of its labels, which Prometheus' library looks up only when the figures are asked for. */
function counter(
  name: string,
  help: string,
  labelNames: string[],
  registers: Registry[],
): (...values: string[]) => void {
  const waiting = new Map<string, { values: string[]; count: number }>();
  new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      for (const { values, count } of waiting.values())
        this.inc(Object.fromEntries(labelNames.map((label, at) => [label, values[at] as string])), count);
      waiting.clear();
    },
  });
  return (...values) => {
    const key = values.join('\0');
    const found = waiting.get(key);
    if (found) found.count++;
    else waiting.set(key, { values, count: 1 });
  };
}

/** Read from the journal on each scrape. */
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
  gauge('cds_journal_queued', 'Cards waiting to be written', ({ queued }) => queued);
  gauge('cds_journal_written', 'Cards written since the start', ({ written }) => written);
  gauge(
    'cds_journal_dropped',
    'Cards dropped since the start, because the journal could not be reached for too long',
    ({ dropped }) => dropped,
  );
}

/** `GET /metrics`: Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
