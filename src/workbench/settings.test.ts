import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { knowledgeOf, startService } from '../testing/app.ts';
import { accessibilityProblems, chromiumPath, openBrowser } from '../testing/browser.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { siteFile } from '../tuning/site-file.ts';

// The patients of one guideline suffice and are answered quickly.
const copy = copyOfRepository('opioid-start');
let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  const comment = '# Ours: keep this line.\n';
  const site = join(copy.folder, 'hooks/site.yaml');
  writeFileSync(site, `${comment}${readFileSync(site, 'utf8')}`);
  service = await startService({
    knowledge: knowledgeOf(copy.folder),
    folder: copy.folder,
    testBundles: join(copy.folder, 'test-bundles'),
  });
});
afterAll(async () => {
  await service.close();
  copy.remove();
});

const plain = { country: null, off: [], on: [], trial: [], parameters: {} };
const tried = (settings: object) => service.http.post('/workbench/settings').send(settings);

type Difference = {
  rule: string;
  before: number;
  after: number;
  appears: string[];
  vanishes: string[];
  changes: string[];
};
const differenceOf = (body: { differences: Difference[] }, rule: string) =>
  body.differences.find((difference) => difference.rule === rule);

describe('GET /workbench/settings', () => {
  test('it lists every rule and parameter that a site may set, with bounds and the site’s value', async () => {
    const { status, body } = await service.http.get('/workbench/settings');
    expect(status).toBe(200);
    expect(body.settings).toEqual(plain);
    const start = body.guidelines.find(({ id }: { id: string }) => id === 'opioid-start');
    expect(start.parameters).toContainEqual(expect.objectContaining({ name: 'recommendedDays', min: 1, max: 30 }));
    expect(start.rules).toContainEqual(
      expect.objectContaining({ id: 'opioid-depot', offByDefault: true, countries: ['DK'] }),
    );
    expect(body.guidelines.at(-1)).toMatchObject({ id: 'treatments', rules: [] });
  });
});

describe('POST /workbench/settings', () => {
  test('unchanged settings change no answer', async () => {
    const { body } = await tried(plain);
    expect(body.patients).toBeGreaterThan(50);
    expect(body.differences).toEqual([]);
  });

  test('settings switch rules off and on and change a number in a card', async () => {
    const off = await tried({ ...plain, off: ['opioid-stop-date'] });
    const stop = differenceOf(off.body, 'opioid-stop-date');
    expect(stop?.vanishes).toHaveLength(stop?.before ?? 0);
    expect(stop?.after).toBe(0);
    const on = await tried({ ...plain, country: 'DK', on: ['opioid-depot'] });
    expect(differenceOf(on.body, 'opioid-depot')?.appears.length).toBeGreaterThan(0);
    const days = await tried({ ...plain, parameters: { 'opioid-start': { courseDays: [2, 4], recommendedDays: 4 } } });
    expect(differenceOf(days.body, 'opioid-stop-date')?.changes).toContain('opioid-start/oxycodone-without-stop-date');
  });

  test('the returned site.yaml has the settings, keeps the rest, and is accepted by the service', async () => {
    const settings = {
      country: 'NO',
      off: ['opioid-plan'],
      on: [],
      trial: ['opioid-laxative'],
      parameters: { 'opioid-start': { recommendedDays: 3 } },
    };
    const { body } = await tried(settings);
    expect(body.site).toContain('# Ours: keep this line.');
    const { on: _none, trial: _trial, ...others } = settings;
    const written = { ...others, silent: { rules: { 'opioid-laxative': {} } } };
    expect(parse(body.site)).toEqual({ timeZone: 'Europe/Stockholm', language: 'sv', ...written });
    const again = knowledgeOf(copy.folder, parse(body.site));
    expect(again.site).toMatchObject(written);
  });

  test('a rule on trial gives no card', async () => {
    const { body } = await tried({ ...plain, trial: ['opioid-stop-date'] });
    const stop = differenceOf(body, 'opioid-stop-date');
    expect(stop).toMatchObject({ after: 0, appears: [], changes: [] });
    expect(stop?.vanishes.length).toBeGreaterThan(0);
  });

  test.each<[string, trial: string[], written: object]>([
    ['keep their dates', ['opioid-plan'], { rules: { 'opioid-plan': { to: '2026-05-31' } }, chartReview: 5 }],
    [
      'are added without dates',
      ['opioid-plan', 'opioid-laxative'],
      { rules: { 'opioid-plan': { to: '2026-05-31' }, 'opioid-laxative': {} }, chartReview: 5 },
    ],
    ['are removed', [], { chartReview: 5 }],
  ])('rules on trial in a site.yaml %s', (_what, trial, written) => {
    const text = 'silent:\n  rules: {opioid-plan: {to: 2026-05-31}}\n  chartReview: 5\n';
    expect(parse(siteFile(text, { ...plain, trial }))).toEqual({ silent: written });
  });

  test('invalid bounds, rules and shapes are reported and not tried', async () => {
    const { status, body } = await tried({
      ...plain,
      off: ['no-such-rule'],
      parameters: { 'opioid-start': { recommendedDays: 99 } },
    });
    expect(status).toBe(200);
    expect(body.problems.join('\n')).toContain("there is no rule 'no-such-rule'");
    expect(body.problems.join('\n')).toContain('must be between 1 and 30');
    for (const wrong of [
      {},
      { ...plain, country: 'FI' },
      { ...plain, off: Array(201).fill('x') },
      { ...plain, quiet: {} },
    ]) {
      const refused = await tried(wrong);
      expect(refused.status).toBe(400);
      expect(refused.body.issue[0].details.text).toBe('The site settings are not valid.');
    }
  });

  test('it accepts only our own page, and does not exist in production', async () => {
    const foreign = await tried(plain).set('origin', 'http://127.0.0.1:1').set('sec-fetch-site', 'cross-site');
    expect(foreign.status).toBe(403);
    const production = await startService({ mode: 'production' });
    expect((await production.http.get('/workbench/settings')).status).toBe(401);
    await production.close();
  });
});

describe.skipIf(chromiumPath === undefined)('the tab Settings in a browser', { timeout: 180_000 }, () => {
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let origin: string;
  beforeAll(async () => {
    origin = `http://127.0.0.1:${(service.app.server.address() as { port: number }).port}`;
    browser = await openBrowser();
    await service.http.get('/workbench/page.js');
  }, 180_000);
  afterAll(() => browser?.close());

  test.each([
    ['light', 1440],
    ['dark', 360],
  ] as const)(
    'a changed number, rule or country shows whose cards differ and can be saved: %s, %i px',
    async (colorScheme, width) => {
      const { page, troubles, close } = await browser.visit(origin, { colorScheme, viewport: { width, height: 900 } });
      const phone = width < 1000;
      const pane = (name: string) => (phone ? page.getByRole('button', { name, exact: true }).click() : undefined);
      await page.getByRole('tab', { name: 'Settings' }).click();
      await page.getByText('Starting an opioid', { exact: true }).click();
      const days = page.getByRole('textbox', { name: 'recommended days' });
      await days.fill('99');
      await pane('Cards');
      await page.getByText(/must be between 1 and 30/).waitFor();
      await pane('Ask');
      await days.fill('3');
      await page.getByRole('checkbox', { name: /^opioid-smallest-package/ }).uncheck();
      await page.getByRole('checkbox', { name: 'On trial: opioid-laxative' }).check();
      await page.getByLabel('Country').selectOption('DK');
      await pane('Cards');
      await page.getByText(/patients evaluated: \d+ cards appear, \d+ vanish, \d+ change\./).waitFor();
      const row = page.getByRole('row').filter({ hasText: 'opioid-smallest-package' });
      await row.getByText(/^−\d+$/).waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await accessibilityProblems(page)).toEqual([]);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save site.yaml' }).click(),
      ]);
      const site = parse(readFileSync(await download.path(), 'utf8'));
      expect(download.suggestedFilename()).toBe('site.yaml');
      expect(site).toMatchObject({
        country: 'DK',
        off: ['opioid-smallest-package'],
        silent: { rules: { 'opioid-laxative': {} } },
        parameters: { 'opioid-start': { recommendedDays: 3 } },
      });
      await page.getByText(/^Whose opioid-smallest-package/).click();
      await page
        .getByRole('button', { name: /^opioid-start\// })
        .first()
        .click();
      await page.getByRole('heading', { level: 2, name: /./ }).first().waitFor();
      await page.getByText(/^\d{3} · \d+ ms · /).waitFor();
      await pane('Ask');
      await page.getByRole('tab', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Reset to the site’s settings' }).click();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(troubles).toEqual([]);
      await close();
    },
  );
});
