import { answer } from '../src/answer.ts';
import { helpIfAsked } from '../src/cli/words.ts';
import { readRequest } from '../src/http/wire.ts';
import type { Hook } from '../src/rules/schema.ts';
import { knowledge } from '../src/testing/app.ts';
import { condition, order, prescription, request } from '../src/testing/request.ts';

helpIfAsked(`Usage: npm run cost

Measures how long an answer takes as the record grows, in processor time: medicines of our lists, alone and with as many
problems, each of which is the reason of one of them.
`);

const sizes = [10, 50, 100, 500, 1000, 2500, 4900];
const drugs = ['methadone', 'oxycodone', 'oxazepam', 'pregabalin', 'zopiclone', 'morphine', 'diazepam'];
const problems = ['F11.2', 'F41.1', 'C50.9', 'F10.2', 'K72.9', 'G40.9', 'Z51.5', 'M54.5'];
const many = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
const pick = (items: string[], at: number) => items[at % items.length] as string;
const day = (at: number) => new Date(Date.UTC(2026, 1, 20) - (at % 3000) * 86_400_000).toISOString().slice(0, 10);

const medicines = (count: number) =>
  many(count, (at) =>
    prescription(`m${at}`, pick(drugs, at), {
      authoredOn: day(at),
      requester: { reference: `Practitioner/p${at}` },
      reasonReference: [{ reference: `Condition/c${at}` }],
    }),
  );
const conditions = (count: number) =>
  many(count, (at) => condition(`c${at}`, pick(problems, at), { onsetDateTime: day(at) }));

function milliseconds(hook: Hook, count: number, withProblems: boolean): number {
  const drafts = [order('d1', 'oxycodone'), order('d2', 'zopiclone')];
  const record = { drafts, record: medicines(count), ...(withProblems && { conditions: conditions(count) }) };
  const { call } = readRequest(request(hook, record), hook);
  const times = many(3, () => {
    const begin = process.threadCpuUsage();
    answer({ call, hookInstance: 'cost', language: 'en', today: '2026-03-02' }, knowledge);
    const { user, system } = process.threadCpuUsage(begin);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

console.log(`milliseconds for   ${sizes.map((size) => String(size).padStart(7)).join('')}`);
for (const withProblems of [false, true]) {
  console.log(withProblems ? 'medicines and as many problems' : 'medicines');
  for (const hook of ['patient-view', 'order-select', 'order-sign'] as const) {
    for (let warm = 0; warm < 5; warm++) milliseconds(hook, 10, withProblems);
    const times = sizes.map((size) => milliseconds(hook, size, withProblems).toFixed(0).padStart(7));
    console.log(`  ${hook.padEnd(17)}${times.join('')}`);
  }
}
