import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { accessibilityProblems, chromiumPath, openBrowser } from '../testing/browser.ts';

if (chromiumPath === undefined) console.warn('No Chromium here: the tests of /advice in a browser are skipped.');

describe.skipIf(chromiumPath === undefined)('/advice in a browser', { timeout: 120_000 }, () => {
  let service: Awaited<ReturnType<typeof startService>>;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let origin: string;
  beforeAll(async () => {
    service = await startService();
    origin = `http://127.0.0.1:${(service.app.server.address() as { port: number }).port}`;
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  const index = { path: '/advice?lang=en', heading: 'The advice and what it rests on' };
  const rule = { path: '/advice/laro-sedative-ordered?lang=sv', heading: /LARO/ };
  test.each([
    ['index', 'light', 1440],
    ['index', 'dark', 360],
    ['rule', 'dark', 1440],
    ['rule', 'light', 360],
  ] as const)(
    'the %s in %s at %i px passes its own style policy and axe, and nothing overflows',
    async (which, colorScheme, width) => {
      const { page, troubles, close } = await browser.visit(origin, {
        ...(which === 'index' ? index : rule),
        colorScheme,
        viewport: { width, height: 900 },
      });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      // Without its style the header would have no border.
      expect(await page.evaluate('getComputedStyle(document.querySelector("header")).borderBottomWidth')).toBe('3px');
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(troubles).toEqual([]);
      await close();
    },
  );

  test('links lead from the index to a rule, and to the rule in another language and back', async () => {
    const { page, troubles, close } = await browser.visit(origin, index);
    await page.getByRole('link', { name: 'opioid-stop-date', exact: true }).click();
    await page.getByRole('heading', { level: 2, name: 'What the source says' }).waitFor();
    await page.getByRole('link', { name: 'Dansk' }).click();
    await page.getByRole('heading', { level: 2, name: 'Hvad kilden siger' }).waitFor();
    await page.getByRole('link', { name: 'Alle råd' }).click();
    await page.getByRole('heading', { level: 1, name: 'Rådene og hvad de bygger på' }).waitFor();
    expect(troubles).toEqual([]);
    await close();
  });

  test('the index prints as a PDF of several pages, without navigation', async () => {
    const { page, close } = await browser.visit(origin, index);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav.ways').isVisible()).toBe(false);
    const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
    expect(pdf.startsWith('%PDF')).toBe(true);
    expect(pdf.match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(5);
    await close();
  });
});
