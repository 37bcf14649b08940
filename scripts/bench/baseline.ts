// What the service is measured against: Fastify servers that read and parse the same body.
//   node scripts/bench/baseline.ts bare|by-hand|interpreted
// `bare` decides nothing. `by-hand` is the one rule that a team writes in an afternoon: two ATC codes side by side. `interpreted`
// is the same rule in FHIRPath, as fhirpath.js evaluates it.
import fastify from 'fastify';
import fhirpath from 'fhirpath';

type Resource = {
  status?: string;
  medicationCodeableConcept?: { coding?: { system?: string; code?: string }[] };
};
type Bundle = { entry?: { resource: Resource }[] } | undefined;
type Call = { context: { draftOrders?: Bundle }; prefetch?: Record<string, Bundle> };

const card = {
  uuid: '00000000-0000-0000-0000-000000000000',
  summary: 'A card that says the same to everyone',
  detail: 'x'.repeat(700),
  indicator: 'info',
  source: { label: 'Nobody', topic: { code: 'none', system: 'urn:none' } },
};
const ATC = 'http://www.whocc.no/atc';
const AGONISTS = /^N07BC0[12]/;
const SEDATIVES = /^N05(BA|CD|CF)/;

const has = (bundle: Bundle, wanted: RegExp) =>
  (bundle?.entry ?? []).some(
    ({ resource }) =>
      resource.status !== 'stopped' &&
      resource.medicationCodeableConcept?.coding?.some(
        ({ system, code }) => system === ATC && code !== undefined && wanted.test(code),
      ),
  );

const expression = (wanted: string) =>
  fhirpath.compile(
    `entry.resource.where(status != 'stopped').medicationCodeableConcept.coding.where(system = '${ATC}' and code.matches('${wanted}')).exists()`,
  ) as (bundle: unknown) => boolean[];
const agonist = expression('^N07BC0[12].*');
const sedative = expression('^N05(BA|CD|CF).*');

const rules: Record<string, (call: Call) => boolean> = {
  bare: () => true,
  'by-hand': ({ context, prefetch }) => has(context.draftOrders, SEDATIVES) && has(prefetch?.['medications'], AGONISTS),
  interpreted: ({ context, prefetch }) =>
    sedative(context.draftOrders ?? {})[0] === true && agonist(prefetch?.['medications'] ?? {})[0] === true,
};
const rule = rules[process.argv[2] ?? ''];
if (!rule) throw new Error('use: node scripts/bench/baseline.ts bare|by-hand|interpreted');

const app = fastify({ bodyLimit: 8 * 1024 * 1024 });
app.post('/cds-services/:id', async ({ body }) => ({ cards: rule(body as Call) ? [card] : [] }));
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.stderr.write(`answers at ${address}\n`);
