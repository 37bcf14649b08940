import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFetchJson } from '../fhir/fetch-json.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { root, startService } from '../testing/app.ts';
import { accessibilityProblems, chromiumPath, openBrowser } from '../testing/browser.ts';
import { startFhirServer } from '../testing/fhir-server.ts';
import { bundle, condition, prescription, request } from '../testing/request.ts';

if (chromiumPath === undefined)
  console.warn('No Chromium here: the tests of the workbench in a browser are skipped. CHROMIUM names another path.');

const WARNING = 'laro-benzodiazepines/zopiclone-in-laro-outpatient';
const STOP_DATE = 'opioid-start/oxycodone-without-stop-date';
const MANY = 'precedence/three-problems-without-laro';
const MISSING = 'not-checked/chart-opened-list-absent';
const SILENT = 'opioid-start/five-days';

describe.skipIf(chromiumPath === undefined)('the workbench in a browser', { timeout: 180_000 }, () => {
  let folder: string;
  let journal: Journal;
  let service: Awaited<ReturnType<typeof startService>>;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let origin: string;
  const fetchJson = createFetchJson();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cds-workbench-'));
    journal = await openJournal({
      place: { folder },
      clock: () => Date.parse('2026-03-02T09:00:00Z'),
      limits: () => ({ day: '', received: 0, patients: 0, tokens: 0, review: 0 }),
      warn: () => {},
    });
    service = await startService({ journal, fetchJson });
    const { port } = service.app.server.address() as { port: number };
    origin = `http://127.0.0.1:${port}`;
    browser = await openBrowser();
    // The script is bundled on the first request.
    await service.http.get('/workbench/page.js');
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
    await journal?.close();
    await fetchJson.close();
    rmSync(folder, { recursive: true, force: true });
  });

  type Options = Parameters<typeof browser.visit>[1] & { patient?: string };

  /** Opens the page, runs the steps, and expects no error in the console or on the network. */
  async function scenario(act: (page: Page) => Promise<void>, { patient, ...options }: Options = {}) {
    const path = patient === undefined ? '/' : `/#patient=${patient}`;
    const { page, troubles, close } = await browser.visit(origin, { path, ...options });
    if (patient !== undefined) await answered(page);
    await act(page);
    expect(troubles).toEqual([]);
    await close();
  }

  const answered = (page: Page) => page.getByText(/^\d{3} · \d+ ms · /).waitFor();
  const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true }).click();
  const cards = (page: Page) => page.getByRole('article');
  const summaries = (page: Page) => cards(page).getByRole('heading', { level: 3 }).allTextContents();
  const text = (page: Page) => page.getByLabel('The request').innerText();
  /** The displayed request, as data. */
  const shownRequest = async (page: Page) => {
    await tab(page, 'Request');
    return JSON.parse((await text(page)).replace(/^\s*\d+(?=[\s{}\]"])/gm, ''));
  };

  test('a patient of each guideline can be chosen from the list and gets the expected answer', () =>
    scenario(async (page) => {
      const groups = page.locator('details.group');
      await groups.first().waitFor();
      expect(await groups.count()).toBeGreaterThanOrEqual(8);
      for (const group of await groups.all()) {
        await group.locator('summary').click();
        const patient = group
          .getByRole('button')
          .filter({ hasText: /info|warning|critical/ })
          .first();
        const name = await patient.locator('.patient-name').innerText();
        await patient.click();
        await page.getByRole('heading', { level: 2, name, exact: true }).waitFor();
        await page.getByText('This is what its test bundle expects').waitFor();
        expect(await cards(page).count()).toBeGreaterThan(0);
        await group.locator('summary').click();
      }
    }));

  test('the search finds patients by rule, by card and by words of their note', () =>
    scenario(async (page) => {
      const search = page.getByRole('searchbox');
      await search.fill('laro-sedative-ordered warning zopiclone outpatient visit');
      await page.getByRole('button', { name: 'Zopiclone in laro outpatient' }).click();
      await page.getByRole('heading', { level: 2, name: 'Zopiclone in laro outpatient' }).waitFor();
      await search.fill('no such patient');
      await page.getByText('No patient has all these words.').waitFor();
    }));

  test('a patient in the address is opened, even if the page is already open', () =>
    scenario(
      async (page) => {
        await page.getByRole('button', { name: 'Dansk', exact: true }).click();
        await page.locator('article h3[lang="da"]').waitFor();
        await page.evaluate(`location.hash = 'patient=${STOP_DATE}'`);
        await page.getByRole('heading', { level: 2, name: 'Oxycodone without stop date' }).waitFor();
        await page.locator('article h3[lang="da"]', { hasText: 'Oxycodon' }).waitFor();
      },
      { patient: WARNING },
    ));

  test('the cards are in the chosen language and marked with it', () =>
    scenario(
      async (page) => {
        const seen = new Set<string>();
        for (const [name, language] of [
          ['Svenska', 'sv'],
          ['Norsk', 'nb'],
          ['Dansk', 'da'],
          ['English', 'en'],
        ] as const) {
          await page.getByRole('button', { name, exact: true }).click();
          const heading = page.locator(`article h3[lang="${language}"]`);
          await heading.waitFor();
          seen.add(await heading.innerText());
          await tab(page, 'Response');
          await page.locator('dd', { hasText: new RegExp(`^${language}$`) }).waitFor();
        }
        expect(seen.size).toBe(4);
        await page.getByRole('button', { name: 'Dansk', exact: true }).click();
        await page.locator('article h3[lang="da"]').waitFor();
        await page.reload();
        await page.locator('article h3[lang="da"]').waitFor();
      },
      { patient: WARNING },
    ));

  test('accepting a suggestion previews the diff, changes the drafts, sends feedback and removes the card', () =>
    scenario(
      async (page) => {
        await page.getByRole('button', { name: 'Preview the change: Stop after 5 days: 6 March 2026' }).click();
        const diff = cards(page).locator('figure.diff');
        await diff.getByText('"end": "2026-03-06"').waitFor();
        expect(await diff.locator('.added').count()).toBeGreaterThan(0);
        await cards(page).getByRole('button', { name: 'Stop after 5 days: 6 March 2026', exact: true }).click();
        await page.getByRole('heading', { name: 'No card' }).waitFor();
        await page.getByText('Feedback accepted (200): stored').waitFor();
        await page.getByText('What changed in the draft orders').click();
        await page.locator('.deed').getByText('"end": "2026-03-06"').waitFor();
        const { context } = await shownRequest(page);
        const [{ resource }] = context.draftOrders.entry;
        expect(resource.dosageInstruction[0].timing.repeat.boundsPeriod).toEqual({ end: '2026-03-06' });
      },
      { patient: STOP_DATE },
    ));

  test('accepting a removal deletes the draft', () =>
    scenario(
      async (page) => {
        await cards(page).getByRole('button', { name: 'Remove zopiclone', exact: true }).click();
        await page.getByRole('heading', { name: 'No card' }).waitFor();
        expect((await shownRequest(page)).context.draftOrders.entry).toEqual([]);
      },
      { patient: WARNING },
    ));

  test('overriding with a reason sends feedback and marks the card', () =>
    scenario(
      async (page) => {
        const sent = page.waitForRequest((one) => one.url().endsWith('/feedback'));
        await page.getByLabel('Reason').selectOption({ label: 'Benefit outweighs the risk' });
        await page.getByRole('button', { name: 'Override', exact: true }).click();
        await page.getByText('Overridden: Benefit outweighs the risk').waitFor();
        await page.getByText('Feedback accepted (200): stored').waitFor();
        expect(await cards(page).getByText('Overridden').count()).toBe(1);
        const { feedback } = (await sent).postDataJSON();
        expect(feedback[0].overrideReason.reason.code).toBe('risk-benefit-ratio');
        expect(feedback[0].outcome).toBe('overridden');
      },
      { patient: WARNING },
    ));

  test('rejected feedback is not shown as accepted', () =>
    scenario(
      async (page) => {
        await page.route('**/feedback', (route) => route.fulfill({ status: 404, json: {} }));
        await page.getByRole('button', { name: 'Override', exact: true }).click();
        await page.getByText('Feedback not accepted (404).').waitFor();
      },
      { patient: WARNING },
    ));

  test('a broken request gets a clear error at its place and is kept', () =>
    scenario(async (page) => {
      await tab(page, 'Paste');
      const area = page.getByRole('textbox', { name: /CDS Hooks request/ });
      await area.fill('{"hook": "order-sign", ');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByText(/^This is not JSON: /).waitFor();
      expect(await area.inputValue()).toBe('{"hook": "order-sign", ');
      await area.fill('{"a": 1}');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByText(/it has no "hook"/).waitFor();
      await area.fill('{"hook": "order-sign", "hookInstance": "x", "context": {"patientId": 7}}');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByRole('heading', { name: '400: The request is not a CDS Hooks request.' }).waitFor();
      await page.getByText('context.draftOrders: must be a FHIR Bundle').waitFor();
      await page.getByRole('button', { name: 'Edit the request' }).click();
      expect(await area.inputValue()).toContain('"patientId": 7');
      await area.fill('{"hook": "order-dispatch", "hookInstance": "x", "context": {}}');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page
        .getByText(/This service has no hook "order-dispatch"/)
        .first()
        .waitFor();
    }));

  test('a pasted request is answered, and can be edited and sent again', () =>
    scenario(async (page) => {
      await tab(page, 'Paste');
      const area = page.getByRole('textbox', { name: /CDS Hooks request/ });
      await area.fill(readFileSync(join(root, `test-bundles/${WARNING}.request.json`), 'utf8'));
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await cards(page).first().waitFor();
      await tab(page, 'Request');
      await page.getByRole('button', { name: 'Edit', exact: true }).click();
      await area.fill(
        (await area.inputValue()).replace('"status": "draft"', '"status": "draft", "doNotPerform": true'),
      );
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByRole('heading', { name: 'No card' }).waitFor();
    }));

  test.each([
    [
      'a request',
      readFileSync(join(root, `test-bundles/${WARNING}.request.json`), 'utf8'),
      'Agonist treatment (methadone)',
    ],
    [
      'a Bundle of one patient',
      JSON.stringify(
        bundle([
          { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' },
          prescription('methadone-1', 'methadone'),
          prescription('zopiclone-1', 'zopiclone'),
          condition('dependence', 'F11.2'),
        ]),
      ),
      'Agonist treatment (methadone)',
    ],
  ])('a dropped file is accepted: %s', (_, content, summary) =>
    scenario(async (page) => {
      await page.locator('details.group').first().waitFor();
      const data = await page.evaluateHandle(
        `(() => { const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(content)}], 'mine.json')); return data; })()`,
      );
      await page.dispatchEvent('main', 'dragover', { dataTransfer: data });
      await page.getByText('Drop the file').waitFor();
      await page.dispatchEvent('main', 'drop', { dataTransfer: data });
      await page.getByRole('heading', { level: 2, name: 'mine.json' }).waitFor();
      await cards(page).first().waitFor();
      expect((await summaries(page)).join()).toContain(summary);
    }),
  );

  test('the request for a patient of a FHIR server is built and sent, and missing data are reported', async () => {
    const server = await startFhirServer();
    await server.add('key', [
      { resourceType: 'Patient', id: 'kari', birthDate: '1981-01-01' },
      prescription('methadone-1', 'methadone'),
      prescription('zopiclone-1', 'zopiclone'),
    ]);
    await scenario(async (page) => {
      await tab(page, 'Server');
      await page.getByLabel('FHIR server').fill(server.base);
      await page.getByLabel('Patient id').fill('kari');
      await page.getByLabel('Access token').fill('wrong');
      await page.getByRole('button', { name: 'Build the request and ask' }).click();
      await page.getByRole('heading', { name: 'Not checked: data are missing' }).waitFor();
      await page.getByLabel('Access token').fill('key');
      await page.getByRole('button', { name: 'Build the request and ask' }).click();
      await cards(page).first().waitFor();
      await page.locator('.outcomes', { hasText: 'medications fetched' }).waitFor();
      expect(JSON.stringify(await shownRequest(page))).not.toContain('access_token');
      await page.getByLabel('FHIR server').fill('https://fhir.elsewhere.example');
      await page.getByRole('button', { name: 'Build the request and ask' }).click();
      await page.getByText(/a sandbox only asks servers on this machine/).waitFor();
    });
    await server.close();
  });

  test('in the order form typing sends order-select and the button sends order-sign', () =>
    scenario(
      async (page) => {
        await tab(page, 'Order');
        const box = page.getByRole('combobox', { name: /Medicine/ });
        await box.pressSequentially('diazep');
        await page.getByRole('option', { name: /^diazepam N05BA01/ }).waitFor();
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Enter');
        expect(await box.inputValue()).toBe('diazepam');
        await page.getByRole('heading', { level: 3, name: /^Diazepam/ }).waitFor();
        expect(await shownRequest(page)).toMatchObject({
          hook: 'order-select',
          context: { selections: ['MedicationRequest/order-form-1'] },
        });
        await page.getByLabel('Stop (last day)').fill('2026-03-08');
        await page.getByRole('heading', { name: 'No card' }).waitFor();
        await page.getByLabel('Stop (last day)').fill('2026-02-01');
        await page.getByLabel('Start').fill('2026-03-02');
        await page.getByText('The stop date is before the start date.').waitFor();
        await page.getByLabel('Stop (last day)').fill('');
        await page.getByRole('button', { name: 'Sign the order' }).click();
        await page.getByRole('heading', { level: 3, name: /^Diazepam/ }).waitFor();
        await page.waitForFunction(`document.querySelector('.json')?.textContent.includes('"order-sign"')`);
        await page.getByRole('button', { name: 'Remove  diazepam' }).click();
        await page.getByRole('heading', { name: 'No card' }).waitFor();
      },
      { patient: 'benzodiazepine-taper/melatonin-without-stop-date' },
    ));

  test('an order on no code list is shown as not judged', () =>
    scenario(
      async (page) => {
        await tab(page, 'Order');
        await page.getByRole('combobox', { name: /Medicine/ }).pressSequentially('quuxoline');
        await page.getByText('Not in any code list. It is sent as text only.').waitFor();
        await page.getByText(/Not judged: MedicationRequest\/order-form-1/).waitFor();
      },
      { patient: SILENT },
    ));

  test('the reason for a card shows each fact and marks the resource it rests on in the request', () =>
    scenario(
      async (page) => {
        await page.getByRole('button', { name: 'Why this card: laro-sedative-ordered' }).click();
        const rule = page.locator('details.rule[open]', { hasText: 'laro-sedative-ordered' }).first();
        await rule.getByText('Patients in LARO').waitFor();
        expect(await rule.getByRole('row').allInnerTexts()).toEqual(
          expect.arrayContaining([
            expect.stringMatching(/when\s+pair\s+found/),
            expect.stringMatching(/inpatient order\s+not found/),
          ]),
        );
        await rule.getByRole('button', { name: 'MedicationRequest/metadon-1' }).first().click();
        const marked = await page.locator('.json .line.marked').allInnerTexts();
        const resource = JSON.parse(
          marked
            .map((line) => line.replace(/^\s*\d+/, ''))
            .join('')
            .replace(/^[^{]*/, '')
            .replace(/,\s*$/, ''),
        );
        expect(resource).toMatchObject({ resourceType: 'MedicationRequest', id: 'metadon-1' });
        await expect.poll(() => page.evaluate(`document.activeElement.getAttribute('aria-label')`)).toBe('The request');
      },
      { patient: WARNING },
    ));

  test('medicines over time: degrees, overlaps, courses and today are drawn and listed in a table', () =>
    scenario(
      async (page) => {
        const drawing = page.locator('.drawing svg');
        await drawing.waitFor();
        // Both count as taken for a while after their last sign of life, and as presumed from then on.
        expect(await drawing.locator('.bar.taken').count()).toBe(2);
        expect(await drawing.locator('.bar.presumed').count()).toBe(2);
        expect(await drawing.locator('.overlap').count()).toBe(1);
        expect(await drawing.locator('.course').count()).toBe(2);
        expect(await drawing.locator('.today').count()).toBe(1);
        await page.getByText('As a table').click();
        const rows = await page
          .getByRole('region', { name: /as a table/ })
          .getByRole('row')
          .allInnerTexts();
        expect(rows.filter((row) => /^Overlap/.test(row))).toHaveLength(1);
        expect(rows.filter((row) => /^Course/.test(row))).toHaveLength(2);
        expect(rows.filter((row) => /MedicationRequest\/.*\ttaken$/.test(row))).toHaveLength(2);
        expect(rows.filter((row) => /MedicationRequest\/.*no end known\tpresumed$/.test(row))).toHaveLength(2);
        expect(rows.filter((row) => /\ttoday\ttaken/.test(row))).toHaveLength(2);
      },
      { patient: MANY },
    ));

  test('medicines over time: possible treatments are drawn differently, and entries are shown on request', () =>
    scenario(async (page) => {
      const supply = {
        resourceType: 'MedicationDispense',
        id: 'supply',
        status: 'completed',
        medicationCodeableConcept: prescription('x', 'methadone')['medicationCodeableConcept'],
        subject: { reference: 'Patient/kari' },
        whenHandedOver: '2026-02-10',
        daysSupply: { value: 7, unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' },
      };
      const body = request('patient-view', {
        record: [prescription('methadone-1', 'methadone', { status: 'stopped' })],
        prefetch: { dispenses: bundle([supply], 'searchset') },
      });
      const extension = { 'org.nordic-opioid-cds': { now: '2026-03-02' } };
      await tab(page, 'Paste');
      await page.getByRole('textbox', { name: /CDS Hooks request/ }).fill(JSON.stringify({ ...body, extension }));
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.locator('.drawing svg .bar.possible').first().waitFor();
      await page.getByRole('listitem').filter({ hasText: 'possible: ended at an unknown time' }).waitFor();
      const entries = page.getByRole('region', { name: /Record entries/ });
      expect(await entries.isVisible()).toBe(false);
      await page.getByText('Record entries behind them').click();
      expect((await entries.getByRole('row').allInnerTexts()).slice(1)).toEqual([
        expect.stringMatching(/MedicationDispense\/supply\tdispense\t2026-02-10\t2026-02-16 \(days-supply\)\tover/),
        expect.stringMatching(/MedicationRequest\/methadone-1\torder\t2026-02-02\tno end known\tpossible/),
      ]);
      await entries.getByRole('button', { name: 'MedicationDispense/supply' }).click();
      await page.locator('.json .line.marked', { hasText: '"supply"' }).waitFor();
    }));

  test('medicines over time: the stop dates offered by the card are drawn, one of them as recommended', () =>
    scenario(
      async (page) => {
        await page.locator('.drawing svg').waitFor();
        expect(await page.locator('.drawing .proposed').count()).toBe(3);
        expect(await page.locator('.drawing .proposed.recommended').count()).toBe(1);
        await page.getByText('As a table').click();
        await page
          .getByRole('row', { name: /2026-03-06 proposed: Stop after 5 days: 6 March 2026 \(recommended\)/ })
          .waitFor();
      },
      { patient: STOP_DATE },
    ));

  test('missing data are shown as not checked, with the undecided rules', () =>
    scenario(
      async (page) => {
        await page.getByRole('heading', { name: 'Not checked: data are missing' }).waitFor();
        await page.getByRole('heading', { name: /Could not be decided/ }).waitFor();
        await page.getByText('The medication list was not sent.', { exact: true }).waitFor();
        await page.getByRole('button', { name: 'What if the search had found nothing?' }).click();
        await page.getByRole('heading', { name: 'No card' }).waitFor();
        expect((await shownRequest(page)).prefetch.medications).toBeNull();
      },
      { patient: MISSING },
    ));

  test('the same patient can be sent again with another hook and another day', () =>
    scenario(
      async (page) => {
        const { hookInstance } = await shownRequest(page);
        await page.getByLabel('Hook').selectOption('patient-view');
        await page.getByRole('heading', { name: 'No card' }).waitFor();
        await page.getByLabel('Hook').selectOption('order-sign');
        await cards(page).first().waitFor();
        await page.getByLabel('Day').fill('2030-01-01');
        await expect
          .poll(async () => (await shownRequest(page)).extension['org.nordic-opioid-cds'].now)
          .toBe('2030-01-01');
        expect((await shownRequest(page)).hookInstance).not.toBe(hookInstance);
      },
      { patient: WARNING },
    ));

  test('"Copy as curl" gives a command that returns the same answer', async () => {
    const quote = 'it\'s $HOME `id` \\ "x"';
    await scenario(
      async (page) => {
        await tab(page, 'Request');
        await page.getByRole('button', { name: 'Edit', exact: true }).click();
        const area = page.getByRole('textbox', { name: /CDS Hooks request/ });
        const changed = JSON.parse(await area.inputValue());
        changed.context.draftOrders.entry[0].resource.note = [{ text: quote }];
        await area.fill(JSON.stringify(changed));
        await page.getByRole('button', { name: 'Ask', exact: true }).click();
        await cards(page).first().waitFor();
        await tab(page, 'Response');
        await page.locator('.json').waitFor();
        await tab(page, 'Request');
        await page.getByRole('button', { name: 'Copy as curl' }).click();
        await page.getByText('Copied').first().waitFor();
        const command = (await page.evaluate('navigator.clipboard.readText()')) as string;
        expect(command).toMatch(/^curl /);
        const answer = JSON.parse(await run(command));
        expect(answer.cards.map(({ summary }: { summary: string }) => summary)).toEqual(await summaries(page));
      },
      { patient: WARNING, permissions: ['clipboard-read', 'clipboard-write'] },
    );
  });

  /** Runs a command in a shell beside this process, which must stay free to answer it. */
  async function run(command: string): Promise<string> {
    return new Promise((resolve, reject) =>
      execFile('bash', ['-c', command], (error, stdout) => (error ? reject(error) : resolve(stdout))),
    );
  }

  test('card text is shown as text and structure only, and neither runs nor loads anything', () =>
    scenario(async (page) => {
      const card = {
        uuid: '1',
        indicator: 'info',
        summary: '<img src=x onerror=alert(1)>',
        detail:
          '**bold** <script>alert(1)</script><img src="https://elsewhere.example/x.png" onerror="alert(1)"><style>*{display:none}</style><a href="javascript:alert(1)">x</a>\n\n[y](javascript:alert(1))\n\n![z](https://elsewhere.example/z.png)',
        source: { label: '<b>label</b>', url: 'javascript:alert(1)', topic: { code: 'hostile', system: 's' } },
      };
      await page.route('**/cds-services/nordic-*', (route) => route.fulfill({ json: { cards: [card] } }));
      page.on('dialog', () => expect.unreachable());
      await page.getByRole('button', { name: /A warning about an order/ }).click();
      const article = cards(page);
      await article.getByText('bold').waitFor();
      expect(await article.locator('img, script, style, iframe').count()).toBe(0);
      expect(await article.locator('[href^="javascript"], [onerror], [style]').count()).toBe(0);
      expect(await article.getByRole('heading', { level: 3 }).innerText()).toBe('<img src=x onerror=alert(1)>');
    }));

  test('an unreachable service is reported, and the request is kept', async () => {
    const { page, close } = await browser.visit(origin, { path: `/#patient=${WARNING}` });
    await answered(page);
    await page.route('**/cds-services/**', (route) => route.abort());
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText('The service does not answer.').first().waitFor();
    await page.unroute('**/cds-services/**');
    await page.getByRole('button', { name: 'Send again' }).click();
    await cards(page).first().waitFor();
    await close();
  });

  test('without patients the page still accepts pasted requests', async () => {
    const bare = await startService({ testBundles: join(folder, 'none') });
    const { port } = bare.app.server.address() as { port: number };
    const { page, troubles, close } = await browser.visit(`http://127.0.0.1:${port}`);
    await page.getByText('No patients here').waitFor();
    await tab(page, 'Paste');
    await page.getByRole('textbox', { name: /CDS Hooks request/ }).fill(JSON.stringify(request('patient-view')));
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByRole('heading', { name: 'No card' }).waitFor();
    expect(troubles).toEqual([]);
    await close();
    await bare.close();
  });

  test('the keyboard alone reaches a card, its preview, its acceptance and its reasons', () =>
    scenario(async (page) => {
      await page.getByRole('button', { name: /An order without a stop date/ }).waitFor();
      const focused = () =>
        page.evaluate(
          `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? '').trim()`,
        ) as Promise<string>;
      /** Presses Tab until an element is focused, and expects the focus to be visible. */
      const tabTo = async (wanted: RegExp) => {
        for (let presses = 0; presses < 80; presses++) {
          await page.keyboard.press('Tab');
          if (wanted.test(await focused())) {
            const outline = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`);
            expect(outline, String(wanted)).not.toBe('none');
            return;
          }
        }
        expect.unreachable(`never focused: ${wanted}`);
      };
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Skip to the cards');
      await page.keyboard.press('Enter');
      await tabTo(/^An order without a stop date/);
      await page.keyboard.press('Enter');
      await answered(page);
      await tabTo(/^Preview the change: Stop after 5/);
      await page.keyboard.press('Space');
      await cards(page).locator('figure.diff').waitFor();
      await page.keyboard.press('Shift+Tab');
      expect(await focused()).toMatch(/^Stop after 5 days/);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'No card' }).waitFor();
      await tabTo(/^Why$/);
      await page.keyboard.press('ArrowRight');
      expect(await focused()).toBe('Request');
      await page.keyboard.press('End');
      await page.getByRole('tab', { name: 'Response', selected: true }).waitFor();
    }));

  const widths = [320, 360, 768, 1024, 1120, 1280, 1440, 2560];
  test.each(widths)('at %i px nothing is cut off and nothing scrolls sideways', (width) =>
    scenario(
      async (page) => {
        const sideways = () =>
          page.evaluate(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          ) as Promise<number>;
        const pane = async (name: string) => {
          if (width <= 760) await page.getByRole('navigation').getByRole('button', { name }).click();
        };
        await pane('Cards');
        await page.getByRole('button', { name: /^Preview the change: Stop after 5/ }).click();
        expect(await sideways(), 'cards').toBe(0);
        await pane('Ask');
        for (const name of ['Paste', 'Server', 'Order', 'Patients']) {
          await tab(page, name);
          expect(await sideways(), name).toBe(0);
        }
        await pane('Why');
        await page.getByText('As a table').click();
        expect(await sideways(), 'Why').toBe(0);
        for (const name of ['Response', 'Request']) {
          await tab(page, name);
          expect(await sideways(), name).toBe(0);
        }
      },
      { patient: STOP_DATE, viewport: { width, height: 800 } },
    ),
  );

  test('light and dark follow the system or the choice, which is remembered', async () => {
    const ground = (page: Page) =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor') as Promise<string>;
    const brightness = (colour: string) => Number(/\d+/.exec(colour)?.[0]);
    await scenario(async (page) => expect(brightness(await ground(page))).toBeGreaterThan(200), {
      colorScheme: 'light',
    });
    await scenario(
      async (page) => {
        expect(brightness(await ground(page))).toBeLessThan(60);
        await page.getByLabel('Theme').selectOption('light');
        expect(brightness(await ground(page))).toBeGreaterThan(200);
        await page.reload();
        await page.getByLabel('Theme').waitFor();
        expect(brightness(await ground(page))).toBeGreaterThan(200);
      },
      { colorScheme: 'dark' },
    );
  });

  describe.each(['light', 'dark'] as const)('axe finds no violation, %s', (colorScheme) => {
    // The dark theme differs only in colours.
    const problems = (page: Page) => accessibilityProblems(page, colorScheme === 'dark' ? 'colours' : 'all');
    test.each([
      ['the welcome', undefined],
      ['a warning', WARNING],
      ['stop dates', STOP_DATE],
      ['many cards', MANY],
      ['silence', SILENT],
      ['missing data', MISSING],
    ])('%s', (_, patient) =>
      scenario(
        async (page) => {
          if (patient === undefined) await page.getByRole('button', { name: /A critical card/ }).waitFor();
          expect(await problems(page)).toEqual([]);
        },
        { colorScheme, ...(patient !== undefined && { patient }) },
      ),
    );

    test('all tabs, an open preview, an action, an open fact, the table and an error', () =>
      scenario(
        async (page) => {
          await page.getByRole('button', { name: /^Preview the change: Stop after 5/ }).click();
          await page.locator('.fact summary').first().click();
          await page.getByText('As a table').click();
          expect(await problems(page)).toEqual([]);
          await page.getByRole('button', { name: 'Override', exact: true }).click();
          await page.getByText(/^Overridden: /).waitFor();
          await tab(page, 'Order');
          await page.getByRole('combobox', { name: /Medicine/ }).pressSequentially('diaz');
          await page.locator('.combobox [role=option]').first().waitFor();
          await page.keyboard.press('ArrowDown');
          await tab(page, 'Request');
          expect(await problems(page)).toEqual([]);
          await tab(page, 'Server');
          await tab(page, 'Response');
          expect(await problems(page)).toEqual([]);
          await tab(page, 'Paste');
          await page.getByRole('textbox', { name: /CDS Hooks request/ }).fill('{');
          await page.getByRole('button', { name: 'Ask', exact: true }).click();
          await page.getByText(/^This is not JSON/).waitFor();
          expect(await problems(page)).toEqual([]);
        },
        { colorScheme, patient: STOP_DATE },
      ));

    test('on a phone', () =>
      scenario(
        async (page) => {
          for (const name of ['Ask', 'Cards', 'Why']) {
            await page.getByRole('navigation').getByRole('button', { name }).click();
            expect(await problems(page)).toEqual([]);
          }
        },
        { colorScheme, patient: STOP_DATE, viewport: { width: 360, height: 740 } },
      ));
  });
});
