import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startService } from '../testing/app.ts';
import { accessibilityProblems, chromiumPath, openBrowser } from '../testing/browser.ts';

if (chromiumPath === undefined) console.warn('No Chromium here: the tests of /docs in a browser are skipped.');

describe.skipIf(chromiumPath === undefined)('/docs in a browser', { timeout: 120_000 }, () => {
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

  test.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    'it passes its own style policy and axe, and nothing overflows: %s, %i px',
    async (colorScheme, width) => {
      const { page, troubles, close } = await browser.visit(origin, {
        path: '/docs',
        heading: 'Nordic Opioid CDS API',
        colorScheme,
        viewport: { width, height: 900 },
      });
      for (const summary of await page.locator('summary').all()) await summary.click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      // Without its style the page would be only as wide as its text.
      expect(await page.evaluate('getComputedStyle(document.querySelector("header")).borderBottomWidth')).toBe('3px');
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(troubles).toEqual([]);
      await close();
    },
  );
});
