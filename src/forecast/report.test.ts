import { beforeAll, expect, test } from 'vitest';
import { loadPages, type Translate, translator } from '../knowledge/pages.ts';
import { languages } from '../language.ts';
import { root } from '../testing/app.ts';
import { forecastOf, invented, ndjson, scratch } from '../testing/forecast.ts';
import { figuresOf } from './figures.ts';
import { forecastPage } from './report.ts';
import type { Forecast } from './run.ts';
import { forecastTable } from './table.ts';
import { emptyCounts } from './tally.ts';

const files = scratch();
const words = loadPages(root, [])['forecast'] ?? {};
let one: Forecast;
let two: Forecast;

beforeAll(async () => {
  const [first = [], ...others] = invented(60);
  const odd = {
    resourceType: 'MedicationRequest',
    id: 'odd',
    status: 'active',
    intent: 'order',
    subject: { reference: `Patient/${first[0]?.['id']}` },
  };
  const named = Array.from({ length: 45 }, (_, at) => ({
    ...odd,
    id: `n${at}`,
    authoredOn: '2024-01-01',
    medicationCodeableConcept: { text: `<b>mixture ${at}` },
  }));
  const input = files.write('in.ndjson', ndjson([[...first, odd, ...named], ...others]));
  one = await forecastOf(input);
  const other = files.write(
    'other.yaml',
    'country: DK\noff: [opioid-long-term]\nquiet: {days: {opioid-stop-date: 30}, accepted: [benefit-outweighs]}\n',
  );
  two = await forecastOf(input, {
    sites: [
      { name: 'here', path: other },
      { name: 'there', path: files.write('there.yaml', '{}') },
    ],
  });
  files.remove();
}, 60_000);

function written(
  found: Forecast,
  language: (typeof languages)[number],
  translate: Translate = translator(words, language),
): string {
  return forecastPage(
    found,
    found.sites.map((site) => ({ ...site, figures: figuresOf(site) })),
    language,
    translate,
  );
}

test.each(languages)(
  'the report in %s has no unfilled placeholder, no undefined value and no markup from the input',
  (language) => {
    for (const found of [one, two]) {
      const html = written(found, language);
      expect(html).not.toMatch(/\{\w+|undefined|NaN|<b>mixture/);
      expect(html).toContain('opioid-stop-date (S1)');
      expect(html).toContain('&lt;b&gt;mixture');
    }
  },
);

test('every text of the page is used, and every reason for skipping has a text', () => {
  const used = new Set<string>();
  const translate: Translate = (key, values) => {
    used.add(key);
    return translator(words, 'en')(key, values);
  };
  const skips = [
    'order-undated',
    'order-not-signed',
    'encounter-undated',
    'medication-undated',
    'undated-taken-as-always',
    'fhir-version',
  ];
  const site = one.sites[0] as Forecast['sites'][number];
  const year = Object.keys(site.tally.calls).at(-1) as string;
  const onTrial = { 'opioid-plan': { [year]: { 'order-sign': { ...emptyCounts(), silent: 3 } } } };
  const tally = {
    ...site.tally,
    rules: { ...site.tally.rules, ...onTrial },
    skipped: Object.fromEntries(skips.map((why) => [why, 1])),
  };
  const trial = { ...one, sites: [{ ...site, tally }] };
  for (const found of [trial, two]) written(found, 'en', translate);
  expect(forecastTable([{ ...site, tally, figures: figuresOf({ ...site, tally }) }])).toMatch(
    /would not be shown +3$/m,
  );
  const none = { ...tally, rules: {}, unrecognised: {} };
  written({ ...one, sites: [{ ...site, tally: none }] }, 'en', translate);
  expect(Object.keys(words).filter((key) => !used.has(key))).toEqual([]);
});

test('a share is relative to the calls at which the rule may speak, and a year to its own', () => {
  const site = one.sites[0] as Forecast['sites'][number];
  const figures = figuresOf(site);
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  expect(figures.orders).toBe(sum(figures.periods.map(({ orders }) => orders)));
  expect(figures.cards).toBe(sum(figures.periods.flatMap(({ rules }) => rules.map(({ cards }) => cards))));
  const start = figures.rules.find(({ rule }) => rule === 'opioid-stop-date');
  expect(start?.per100Orders).toBeCloseTo(((start?.cards ?? 0) / figures.orders) * 100);
  expect(start?.per100Visits).toBeUndefined();
});

test('the last ten years have a column each, and earlier ones share one', () => {
  const site = one.sites[0] as Forecast['sites'][number];
  const years = Array.from({ length: 40 }, (_, at) => String(1980 + at));
  const of = <T>(value: T) => Object.fromEntries(years.map((year) => [year, value]));
  const counts = { ...emptyCounts(), cards: 1 };
  const tally = {
    ...site.tally,
    calls: of({ 'order-sign': 4 }),
    patientsByYear: of(2),
    rules: { 'opioid-stop-date': of({ 'order-sign': counts }) },
    patientsByRule: { 'opioid-stop-date': { ...of(1), all: 5 } },
  };
  const figures = figuresOf({ ...site, tally });
  expect(figures.periods.map(({ name }) => name)).toEqual(['1980–2009', ...years.slice(30)]);
  const [earlier, first] = figures.periods;
  const rule = (period = earlier) => period?.rules.find(({ rule }) => rule === 'opioid-stop-date');
  expect([earlier?.orders, earlier?.patients, rule()?.cards, rule()?.per100Orders]).toEqual([120, 60, 30, 25]);
  expect([first?.orders, rule(first)?.per100Orders]).toEqual([4, 25]);
  const found = { ...one, sites: [{ ...site, tally, figures }] };
  for (const text of [forecastTable(found.sites), written(found, 'sv')]) {
    expect(text).toContain('1980–2009');
    expect(text).not.toMatch(/\b1999\b/);
  }
});

test('an input without orders gives a table that says so and divides by nothing', () => {
  const site = one.sites[0] as Forecast['sites'][number];
  const bare = { ...site, tally: { ...site.tally, calls: {}, rules: {}, patientsByYear: {}, callsWithCard: {} } };
  const table = forecastTable([{ ...bare, figures: figuresOf(bare) }]);
  expect(table).not.toMatch(/NaN|Infinity/);
  expect(table).toMatch(/^rule: none$/m);
});
