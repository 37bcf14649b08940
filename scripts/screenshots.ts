import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { reportPage } from '../src/cli/report-page.ts';
import { helpIfAsked } from '../src/cli/words.ts';
import { plusDays } from '../src/dates.ts';
import { figuresOf } from '../src/forecast/figures.ts';
import { randomOf } from '../src/forecast/random.ts';
import { forecastPage } from '../src/forecast/report.ts';
import type { Counts } from '../src/journal/figures.ts';
import { summarise } from '../src/journal/summary.ts';
import { loadPages, translator } from '../src/knowledge/pages.ts';
import { knowledge, root, startService } from '../src/testing/app.ts';
import { openBrowser } from '../src/testing/browser.ts';
import { forecastOf, invented, ndjson, scratch } from '../src/testing/forecast.ts';
import { pair } from '../src/testing/request.ts';

helpIfAsked(`Usage: npm run screenshots [-- --only NAME]

Takes the pictures of the workbench, the advice pages, the report and the forecast that docs/ shows. Needs Chromium; CHROMIUM
names its path.

  --only NAME  only the pictures with NAME in their name
`);

const { only } = parseArgs({ options: { only: { type: 'string', default: '' } } }).values;

const service = await startService({ logLevel: 'silent' });
const { port } = service.app.server.address() as { port: number };
// Warm up: the first calls are slower.
for (let count = 0; count < 20; count++) await service.call(pair());
const browser = await openBrowser();

type Options = Parameters<typeof browser.visit>[1];

async function picture(name: string, patient: string, options: Options = {}, act?: (page: Page) => Promise<unknown>) {
  if (!`workbench-${name}`.includes(only)) return;
  const { page, close } = await browser.visit(`http://127.0.0.1:${port}`, {
    path: `/#patient=${patient}`,
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  await page.getByText(/^\d{3} · \d+ ms · /).waitFor();
  await act?.(page);
  const path = join(root, `docs/workbench-${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  console.log(path);
  await close();
}

await picture('light', 'laro-benzodiazepines/zopiclone-in-laro-outpatient', { colorScheme: 'light' });
await picture('dark', 'precedence/three-problems-without-laro', { colorScheme: 'dark' });
await picture('accept', 'opioid-start/oxycodone-without-stop-date', { colorScheme: 'light' }, async (page) => {
  const preview = page.getByRole('button', { name: /^Preview the change: Stop after 5/ });
  await preview.click();
  await page.locator('figure.diff').scrollIntoViewIfNeeded();
});
await picture('phone', 'opioid-start/oxycodone-without-stop-date', {
  colorScheme: 'light',
  viewport: { width: 360, height: 780 },
});

/** One picture of a page in both themes, on a wide screen and on a phone. */
async function fourfold(
  name: string,
  height: number,
  options: Options,
  act?: (page: Page, phone: boolean) => Promise<unknown>,
) {
  if (!name.includes(only)) return;
  const shots: Record<string, string> = {};
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 360]) {
      const { page, close } = await browser.visit(`http://127.0.0.1:${port}`, {
        viewport: { width, height },
        colorScheme,
        ...options,
      });
      await act?.(page, width < 1000);
      const shot = await page.screenshot({ animations: 'disabled', caret: 'hide' });
      shots[`${colorScheme}${width}`] = `<img src="data:image/png;base64,${shot.toString('base64')}">`;
      await close();
    }
  const style =
    'body { margin: 0; display: grid; grid-template-columns: 1280px 360px; gap: 16px; background: #7d8791; } img { display: block; }';
  const images = ['light1280', 'light360', 'dark1280', 'dark360'].map((key) => shots[key]).join('');
  await drawn(name, `<style>${style}</style>${images}`, { width: 1656, height: 2 * height + 16 });
}

/** The first part of a page that no service sends. */
async function drawn(name: string, html: string, viewport: { width: number; height: number }) {
  const { page, close } = await browser.visit(`http://127.0.0.1:${port}`, { path: '/advice', heading: /./, viewport });
  await page.goto('about:blank');
  await page.setContent(html);
  const path = join(root, `docs/${name}.png`);
  await page.screenshot({ path });
  console.log(path);
  await close();
}

const rule = 'benzodiazepine-stop-date';
await fourfold('advice', 1300, { path: `/advice/${rule}?lang=en`, heading: /./ });
await fourfold('advice-index', 800, { path: '/advice?lang=sv', heading: /./ });
await fourfold('workbench-settings', 800, {}, async (page, phone) => {
  await page.getByRole('tab', { name: 'Settings' }).click();
  await page.getByText('Benzodiazepines, as short as possible', { exact: true }).click();
  await page.getByRole('textbox', { name: 'longest days' }).fill('42');
  await page.getByLabel('Country').selectOption('DK');
  if (phone) await page.getByRole('button', { name: 'Cards', exact: true }).click();
  await page.getByText(/patients evaluated: /).waitFor({ timeout: 120_000 });
});

const pages = loadPages(root, []);

/** A month of a hospital that does not exist: the figures that docs/hospital-it.md shows as a table. */
const SINCE = '2026-10-27';
const DAYS = 30;
const CALLS: [hook: string, answered: number, refused: number][] = [
  ['order-select', 43_762, 450],
  ['order-sign', 21_636, 210],
  ['patient-view', 25_537, 270],
];
const CARDS: [rule: string, hook: string, accepted: number, overridden: number, withoutFeedback: number][] = [
  ['benzodiazepine-long-term', 'order-sign', 86, 576, 240],
  ['benzodiazepine-long-term', 'patient-view', 99, 538, 282],
  ['opioid-stop-date', 'order-sign', 395, 426, 358],
  ['opioid-long-term', 'patient-view', 145, 290, 168],
  ['laro-sedative-ordered', 'order-sign', 151, 96, 113],
  ['not-checked', 'order-sign', 0, 0, 149],
  ['naltrexone-with-opioid', 'order-sign', 19, 3, 8],
];

function inventedMonth(): Counts {
  const random = randomOf(7, 1);
  const counts: Counts = {
    ...{ shown: [], outcomes: [], withFeedback: [], reasons: [], accepted: [], silent: [], review: [], strays: 1 },
    tallies: CALLS.flatMap(([hook, answered, refused]) => [
      { hook, kind: 'answered', rule: '', count: answered },
      { hook, kind: 'refused', rule: '', count: refused },
    ]),
  };
  for (const [rule, hook, accepted, overridden, withoutFeedback] of CARDS) {
    counts.withFeedback.push({ rule, hook, cards: accepted + overridden });
    for (let at = 0; at < accepted + overridden + withoutFeedback; at++) {
      const card = { rule, hook, day: plusDays(SINCE, random.between(1, DAYS)), cards: 1 };
      counts.shown.push(card);
      if (at < accepted) counts.outcomes.push({ ...card, outcome: 'accepted' });
      else if (at < accepted + overridden) counts.outcomes.push({ ...card, outcome: 'overridden' });
    }
  }
  return counts;
}

if ('report'.includes(only)) {
  const summary = summarise(inventedMonth(), SINCE, plusDays(SINCE, DAYS), knowledge.site.journal.overrideLimit / 100);
  const translate = translator(pages['report'] ?? {}, 'en');
  const html = reportPage(summary, { knowledge, client: undefined, language: 'en', translate });
  await drawn('report', html, { width: 1200, height: 1180 });
}
if ('forecast'.includes(only)) {
  const files = scratch();
  const found = await forecastOf(files.write('population.ndjson', ndjson(invented(1000))));
  files.remove();
  const sites = found.sites.map((site) => ({ ...site, figures: figuresOf(site) }));
  const html = forecastPage(found, sites, 'en', translator(pages['forecast'] ?? {}, 'en'));
  await drawn('forecast', html, { width: 1100, height: 1400 });
}
await browser.close();
await service.close();
