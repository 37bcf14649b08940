import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine: the one that CHROMIUM names, else Debian's; undefined where there is none. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM'] ?? '', ...PLACES].find(
  (path) => path !== '' && existsSync(path),
);

/** A headless Chromium without a past, which asks nobody anything of its own accord. */
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
      // Letters in grey: the same everywhere, and smaller as pictures.
      '--disable-lcd-text',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    /** A window of its own on a page of `origin`, and what went wrong in it. */
    visit: (origin: string, options: Options = {}) => visit(browser, origin, options),
    close: async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `heading`: by what a page is known to be there; the workbench unless told otherwise. */
type Options = BrowserContextOptions & { path?: string; heading?: string | RegExp };
type Opened = { newContext: (options: BrowserContextOptions) => Promise<BrowserContext> };

async function visit(browser: Opened, origin: string, { path = '/', heading = 'Workbench', ...options }: Options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(45_000);
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    // What the service refuses the page shows itself; the browser notes it too.
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
 * What axe finds wrong with a page as it stands: everything of WCAG 2.2 A and AA, and whatever else is serious. Colours may
 * be looked at alone.
 */
export async function accessibilityProblems(page: Page, only: 'all' | 'colours' = 'all'): Promise<string[]> {
  // Through the debugger: the page's own policy lets no foreign script in.
  await page.evaluate(axe.source);
  const runOnly = only === 'colours' ? ', runOnly: ["color-contrast", "link-in-text-block"]' : '';
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ["violations"]${runOnly} })`)) as {
    violations: { id: string; impact: string; tags: string[]; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations
    .filter(({ impact, tags }) => tags.some((tag) => /^wcag2/.test(tag)) || ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
