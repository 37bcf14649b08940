import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { helpIfAsked } from '../src/cli/words.ts';
import { root, startService } from '../src/testing/app.ts';
import { openBrowser } from '../src/testing/browser.ts';
import { pair } from '../src/testing/request.ts';

helpIfAsked(`Usage: npm run screenshots

Takes the pictures of the workbench and of the advice pages that docs/ shows. Needs Chromium; CHROMIUM names its path.
`);

const service = await startService({ logLevel: 'silent' });
const { port } = service.app.server.address() as { port: number };
// Warm up: the first calls are slower.
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

/** One picture of a page in both themes, on a wide screen and on a phone. */
async function fourfold(
  name: string,
  height: number,
  options: Options,
  act?: (page: Page, phone: boolean) => Promise<unknown>,
) {
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
  const { page, close } = await browser.visit(`http://127.0.0.1:${port}`, {
    path: '/advice',
    heading: /./,
    viewport: { width: 1656, height: 2 * height + 16 },
  });
  await page.goto('about:blank');
  await page.setContent(
    `<style>body { margin: 0; display: grid; grid-template-columns: 1280px 360px; gap: 16px; background: #7d8791; } img { display: block; }</style>${['light1280', 'light360', 'dark1280', 'dark360'].map((key) => shots[key]).join('')}`,
  );
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
await browser.close();
await service.close();
