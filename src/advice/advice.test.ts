import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliveredSite } from '../knowledge/load.ts';
import { languages } from '../language.ts';
import { knowledge, knowledgeOf, root, startService } from '../testing/app.ts';
import { pair } from '../testing/request.ts';

let service: Awaited<ReturnType<typeof startService>>;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** The visible text of a page. */
const textOf = (html: string) =>
  html
    .replace(/<style>.*?<\/style>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

describe('GET /advice/<rule>', () => {
  test.each(languages)('every rule has a page in %s without placeholders or missing words', async (language) => {
    for (const { id } of knowledge.rules) {
      const { status, headers, text } = await service.http.get(`/advice/${id}?lang=${language}`);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['content-language']).toBe(language);
      expect(text).toContain(`<html lang="${language}">`);
      expect(textOf(text), id).not.toMatch(/undefined|\{[a-zA-Z]+[},]|\[\]/);
      expect(text.match(/<section /g)).toHaveLength(8);
    }
  });

  test('the page names the source and its kind, our additions, the reasons and the patients that prove the rule', async () => {
    const { text } = await service.http.get('/advice/laro-sedative-current?lang=en');
    const shown = textOf(text);
    const guideline = knowledge.guidelines.find(({ rules }) => rules.some(({ id }) => id === 'laro-sedative-current'));
    const { says = '', added = '' } = guideline?.file.recommendations['L2'] ?? {};
    for (const words of [says, added, guideline?.file.source.publisher, knowledge.fingerprint, guideline?.file.version])
      expect(shown).toContain(words);
    expect(shown).toContain('Guideline');
    for (const key of knowledge.cards.templates['laro-sedative-current']?.overrideReasons ?? [])
      expect(shown).toContain(knowledge.cards.shared.overrideReasons[key]?.display.en);
    expect(text).toMatch(/<code>[a-z-]+\/[a-z0-9-]+<\/code>/);
  });

  test('the page shows the site’s thresholds, country and state', async () => {
    const here = await startService({
      knowledge: knowledgeOf(root, {
        ...deliveredSite,
        country: 'NO',
        off: ['opioid-sedative'],
        silent: { rules: { 'opioid-stop-date': { from: '2026-03-01' } } },
        parameters: { 'laro-benzodiazepines': { endedDays: 45 } },
      }),
    });
    const page = async (rule: string) => textOf((await here.http.get(`/advice/${rule}?lang=en`)).text);
    expect(await page('laro-sedative-current')).toMatch(/ended days 45 \(default 30\) 7–180/);
    expect(await page('laro-sedative-current')).toContain('Country: Norway.');
    expect(await page('laro-sedative-current')).toContain('The rule is on here.');
    expect(await page('opioid-sedative')).toContain('This hospital has switched the rule off.');
    expect(await page('laro-one-year')).toContain('The rule is for another country and gives no card here.');
    expect(await page('opioid-stop-date')).toContain('on silent trial here (2026-03-01 to …)');
    await here.close();
    const inDenmark = knowledgeOf(root, { ...deliveredSite, country: 'DK' });
    const delivered = inDenmark.rules.find(({ off }) => off === 'delivered')?.id;
    const denmark = await startService({ knowledge: inDenmark });
    expect(textOf((await denmark.http.get(`/advice/${delivered}?lang=en`)).text)).toContain('off by default');
    await denmark.close();
  });

  test('the language comes from the address, then the browser, then the site', async () => {
    const languageOf = async (path: string, accept?: string) => {
      const asked = service.http.get(path);
      if (accept !== undefined) asked.set('accept-language', accept);
      return (await asked).headers['content-language'];
    };
    expect(await languageOf('/advice?lang=da', 'nb')).toBe('da');
    expect(await languageOf('/advice', 'nb-NO')).toBe('nb');
    expect(await languageOf('/advice?lang=fr', 'nn')).toBe('nb');
    expect(await languageOf('/advice')).toBe('sv');
    expect(await languageOf('/advice?lang=en&lang=da', 'en')).toBe('en');
  });

  test('an unknown rule is 404, and the page repeats nothing of the address', async () => {
    const { status, text } = await service.http.get('/advice/%3Cscript%3E');
    expect(status).toBe(404);
    expect(text).toContain('There is no rule with this name');
    expect(text).not.toContain('script');
  });

  test('the page can be cached, and a revalidation is answered with 304', async () => {
    const { headers } = await service.http.get('/advice?lang=sv');
    const again = await service.http.get('/advice?lang=sv').set('if-none-match', headers['etag'] ?? '');
    expect(again.status).toBe(304);
    expect(again.text).toBe('');
  });
});

test('the index lists every rule once, with a link to its page', async () => {
  const { text } = await service.http.get('/advice?lang=en');
  for (const { id } of knowledge.rules) {
    expect(text.split(`<h3 id="${id}">`)).toHaveLength(2);
    expect(text).toContain(`href="/advice/${id}?lang=en"`);
  }
  expect(text).not.toContain('<script');
});

test('in production the pages are public like discovery, and neighbouring addresses are not', async () => {
  const production = await startService({ mode: 'production' });
  expect((await production.http.get('/advice')).status).toBe(200);
  expect((await production.http.get('/advice/opioid-sedative')).status).toBe(200);
  for (const path of ['/advice/opioid-sedative/x', '/advices', '/advice-x'])
    expect((await production.http.get(path)).status).toBe(401);
  expect((await production.http.post('/advice')).status).toBe(401);
  await production.close();
});

test('the link of a card leads to the page of its rule in the card’s language', async () => {
  const { body } = await service.call(pair(), { 'accept-language': 'nb' });
  const [{ links, source }] = body.cards;
  const { pathname, search } = new URL(links[0].url);
  const { status, headers, text } = await service.http.get(`${pathname}${search}`);
  expect(status).toBe(200);
  expect(headers['content-language']).toBe('nb');
  expect(text).toContain(source.topic.code);
});
