// Takes the pictures of the workbench that docs/ shows:  npm run screenshots
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root, startService } from '../src/testing/app.ts';
import { openBrowser } from '../src/testing/browser.ts';
import { pair } from '../src/testing/request.ts';

const service = await startService({ logLevel: 'silent' });
const { port } = service.app.server.address() as { port: number };
// The first calls are slower than those that a tester sees.
for (let count = 0; count < 20; count++) await service.call(pair());
const browser = await openBrowser();

type Options = Parameters<typeof browser.visit>[1];

async function picture(name: string, patient: string, options: Options = {}, act?: (page: Page) => Promise<unknown>) {
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
await browser.close();
await service.close();
