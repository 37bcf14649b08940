import { answerFrom, assess, chartOptions } from '../../src/answer.ts';
import type { Knowledge } from '../../src/cards/knowledge.ts';
import { readChart } from '../../src/chart/read.ts';
import { prefetchOf } from '../../src/fhir/prefetch.ts';
import { shapeOf } from '../../src/http/shape.ts';
import { readRequest } from '../../src/http/wire.ts';
import { limits } from '../../src/limits.ts';
import { evaluate } from '../../src/rules/evaluate.ts';
import { compileExpression } from '../../src/rules/expression.ts';
import type { Fact, Guideline } from '../../src/rules/knowledge.ts';
import { knowledge } from '../../src/testing/app.ts';
import type { Body } from './bodies.ts';
import { median } from './words.ts';

const TODAY = '2026-03-02';

/** Processor time of some work that has been optimised, in microseconds: the least of three rounds. */
function warmCost(work: () => unknown, times: number): number {
  for (let round = 0; round < 6; round++) cost(work, times);
  return Math.min(...Array.from({ length: 3 }, () => cost(work, times)));
}

/** Processor time of some work, in microseconds. */
function cost(work: () => unknown, times: number): number {
  const before = process.cpuUsage();
  for (let at = 0; at < times; at++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function readingOf({ text, hook }: Body) {
  const { call } = readRequest(JSON.parse(text), hook);
  const options = chartOptions(knowledge, TODAY);
  return { call, chart: readChart(call, options), options };
}

export function stages(bodies: Body[]): string[][] {
  return bodies.map((body) => {
    const { call, chart, options } = readingOf(body);
    const bytes = Buffer.from(body.text);
    const times = Math.max(20, Math.round(3e7 / body.text.length));
    const question = { call, hookInstance: 'bench', language: 'sv' as const, today: TODAY };
    const results = evaluate(knowledge, chart);
    const answer = answerFrom({ chart, results }, question, knowledge);
    const parts = [
      () => JSON.parse(body.text),
      () => shapeOf(bytes, limits),
      // A new prefetch each time, because a call caches what was read of a key.
      () => readChart({ ...call, prefetch: prefetchOf(call.prefetch.values, call.patientId) }, options),
      () => evaluate(knowledge, chart),
      () => answerFrom({ chart, results }, question, knowledge),
      () => JSON.stringify('cards' in answer ? answer.cards : []),
    ];
    return [body.name, ...parts.map((part) => warmCost(part, times).toFixed(0))];
  });
}

/** The cost of having every rule twice, the second time about drugs that are not in the chart. */
export function ruleCost(bodies: Body[]): string {
  const doubled: Knowledge = {
    ...knowledge,
    guidelines: [...knowledge.guidelines, ...knowledge.guidelines.map(aboutOthers)],
  };
  const rows = bodies.map((body) => {
    const { call } = readingOf(body);
    const question = { call, hookInstance: 'bench', language: 'sv' as const, today: TODAY };
    const whole = (rules: Knowledge) => () => {
      JSON.parse(body.text);
      assess({ ...question, call: { ...call, prefetch: prefetchOf(call.prefetch.values, call.patientId) } }, rules);
    };
    const times = Math.max(5, Math.round(1e7 / body.text.length));
    const ratios = Array.from({ length: 60 }, () => cost(whole(doubled), times) / cost(whole(knowledge), times));
    // The first half warms up.
    return `${body.name}: ${((median(ratios.slice(30)) - 1) * 100).toFixed(1)} %`;
  });
  return `Processor time of parsing, chart and rules with all ${knowledge.rules.length} rules once more, about drugs of no chart: ${rows.join('; ')}.`;
}

function aboutOthers(guideline: Guideline): Guideline {
  const other = (fact: Fact): Fact => ({
    ...fact,
    expression: compileExpression(fact.expression.text.replaceAll("memberOf('", "memberOf('other-")),
  });
  return { ...guideline, facts: new Map([...guideline.facts].map(([name, fact]) => [name, other(fact)])) };
}
