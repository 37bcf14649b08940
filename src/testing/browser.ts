import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine: the one that CHROMIUM names, otherwise Debian's; undefined if there is none. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM'] ?? '', ...PLACES].find(
  (path) => path !== '' && existsSync(path),
);

/** A headless Chromium with an empty profile that makes no requests of its own. */
export async function openBrowser() {
  if (chromiumPath === undefined) throw new Error('There is no Chromium here: set CHROMIUM to its path.');
  const folder = mkdtempSync(join(tmpdir(), 'cds-chromium-'));
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      // Greyscale text: the same everywhere, and smaller pictures.
      '--disable-lcd-text',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    /** Opens a new window on a page of `origin`, and collects what goes wrong in it. */
    visit: (origin: string, options: Options = {}) => visit(browser, origin, options),
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `heading`: shows that the page has loaded; the workbench's by default. */
type Options = BrowserContextOptions & { path?: string; heading?: string | RegExp };
type Opened = { newContext: (options: BrowserContextOptions) => Promise<BrowserContext> };

async function visit(browser: Opened, origin: string, { path = '/', heading = 'Workbench', ...options }: Options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    // The page itself shows refusals of the service; ignore the browser's message.
    const refused = /^Failed to load resource: the server responded with a status of 4/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !refused) troubles.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) troubles.push(`external request: ${request.url()}`);
  });
  await page.goto(`${origin}${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  return { page, context, troubles, close: () => context.close() };
}

/**
 * What axe finds wrong with a page in its current state: all of WCAG 2.2 A and AA, and anything serious. Can be limited
 * to colours.
 */
export async function accessibilityProblems(page: Page, only: 'all' | 'colours' = 'all'): Promise<string[]> {
  // Through the debugger, because the page's policy blocks foreign scripts.
  await page.evaluate(axe.source);
  const runOnly = only === 'colours' ? ', runOnly: ["color-contrast", "link-in-text-block"]' : '';
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ["violations"]${runOnly} })`)) as {
    violations: { id: string; impact: string; tags: string[]; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations
    .filter(({ impact, tags }) => tags.some((tag) => /^wcag2/.test(tag)) || ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
