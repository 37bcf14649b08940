import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knowledgeOf, startService } from '../testing/app.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { bundle, dosageUntil, type Json, order, prescription, request } from '../testing/request.ts';
import { loadKnowledge } from './load.ts';

let copy: ReturnType<typeof copyOfRepository>;
beforeAll(() => {
  copy = copyOfRepository();
});
afterAll(() => copy.remove());

const NPL = 'urn:oid:1.2.752.129.2.1.5.2';
const TABLE = `system;code;atc;form;smallest_package
http://electronichealth.se/identifier/nplpackid;20060824100052;N02AA05;depottablett;14
http://electronichealth.se/identifier/nplpackid;20060824100053;not-atc;;
https://hospital.example/drugs;77;N05CF01;;
`;

/** An order for a product by the hospital's own code only. */
function product(system: string, code: string, more: Json = {}): Json {
  return { ...order('draft', 'paracetamol', more), medicationCodeableConcept: { coding: [{ system, code }] } };
}

const orderSign = (drafts: Json[]) => request('order-sign', { drafts });

const topics = (body: { cards: { source: { topic: { code: string } } }[] }) =>
  body.cards.map(({ source }) => source.topic.code);

describe('a hospital’s own drug codes', () => {
  test('a product known only by them is recognised by any alias of its system, and a bad row is reported and skipped', async () => {
    writeFileSync(join(copy.folder, 'hooks/codes/products.csv'), TABLE);
    const loaded = loadKnowledge(copy.folder);
    expect(loaded.problems).toEqual([]);
    expect(loaded.remarks).toEqual([
      { file: 'hooks/codes/products.csv', line: 3, message: "atc: 'not-atc' is not an ATC code" },
    ]);
    const service = await startService({ knowledge: knowledgeOf(copy.folder) });
    const opioid = await service.call(orderSign([product(NPL, '20060824100052')]));
    const sedative = await service.call(orderSign([product('https://hospital.example/drugs', '77')]));
    const unknown = await service.call(orderSign([product(NPL, '20060824100053')]));
    await service.close();
    expect(topics(opioid.body)).toEqual(['opioid-stop-date']);
    expect(topics(sedative.body)).toEqual(['benzodiazepine-stop-date']);
    expect(topics(unknown.body)).toEqual(['not-checked']);
  });

  test('the smallest package is suggested if known, alone and with a stop date', async () => {
    writeFileSync(join(copy.folder, 'hooks/codes/products.csv'), TABLE);
    const service = await startService({ knowledge: knowledgeOf(copy.folder) });
    const dispenseRequest = { quantity: { value: 98, unit: 'tablett' }, numberOfRepeatsAllowed: 2 };
    const { body } = await service.call(orderSign([product(NPL, '20060824100052', { dispenseRequest })]));
    await service.close();
    const changed = body.cards[0].suggestions.map(
      ({ actions }: { actions: { resource: Json }[] }) => actions[0]?.resource['dispenseRequest'],
    );
    const smallest = { quantity: { value: 14, unit: 'tablett' }, numberOfRepeatsAllowed: 0 };
    // Three stop dates, each with the quantity, and the quantity alone; the others create.
    expect(changed.slice(0, 4)).toEqual([smallest, smallest, smallest, smallest]);
  });
});

describe('a hospital’s own codes for problems, procedures and results', () => {
  test('a file beside ours adds to our lists', async () => {
    const yaml = `systems: {local: ['https://hospital.example/lab']}\nresults: {benzodiazepine-test: {local: [U-BENZO]}}\n`;
    writeFileSync(join(copy.folder, 'hooks/codes/hospital.yaml'), yaml);
    const service = await startService({ knowledge: knowledgeOf(copy.folder) });
    const observation = {
      resourceType: 'Observation',
      id: 'screen',
      status: 'final',
      code: { coding: [{ system: 'https://hospital.example/lab', code: 'U-BENZO' }] },
      subject: { reference: 'Patient/kari' },
      effectiveDateTime: '2026-02-27',
      valueString: 'Positiv',
    };
    const parts = {
      record: [prescription('laro', 'methadone')],
      prefetch: { observations: bundle([observation], 'searchset') },
    };
    const { body } = await service.call(request('patient-view', parts));
    await service.close();
    expect(topics(body)).toEqual(['laro-relapse']);
  });
});

describe('hooks/site.yaml', () => {
  const draft = orderSign([order('draft', 'oxycodone')]);

  test('a rule switched off is silent, its data are not requested, and the trace says why', async () => {
    const { knowledge } = loadKnowledge(copy.folder, { off: ['opioid-stop-date'] });
    const service = await startService({ ...(knowledge && { knowledge }) });
    const { body } = await service.call({ ...draft, extension: { 'org.nordic-opioid-cds': { explain: true } } });
    await service.close();
    expect(body.cards).toEqual([]);
    const rules = body.extension['org.nordic-opioid-cds'].trace.rules as {
      rule: string;
      outcome: string;
      off?: string;
    }[];
    expect(rules.find(({ rule }) => rule === 'opioid-stop-date')).toMatchObject({
      outcome: 'switched-off',
      off: 'site',
    });
    expect(rules.find(({ rule }) => rule === 'opioid-plan')?.outcome).toBe('rides-only');
  });

  test('a threshold is set by the site', async () => {
    const { knowledge } = loadKnowledge(copy.folder, {
      parameters: { 'opioid-start': { courseDays: [2, 4], recommendedDays: 4 } },
    });
    const service = await startService({ ...(knowledge && { knowledge }) });
    const { body } = await service.call(draft, { 'accept-language': 'en' });
    await service.close();
    const labels = body.cards[0].suggestions
      .slice(0, 2)
      .map((suggestion: Json) => [suggestion['label'], suggestion['isRecommended']]);
    expect(labels).toEqual([
      ['Stop after 2 days: 3 March 2026', false],
      ['Stop after 4 days: 5 March 2026', true],
    ]);
  });

  test('an invalid value is refused with its key', () => {
    const messages = (site: Record<string, unknown>) =>
      loadKnowledge(copy.folder, site)
        .problems.map(({ message }) => message)
        .join('\n');
    expect(messages({ parameters: { 'opioid-start': { recommendedDays: 99 } } })).toContain('must be between 1 and 30');
    expect(messages({ parameters: { 'opioid-start': { recommendedDays: 6 } } })).toContain(
      "'recommendedDays' is not one of 'courseDays'",
    );
    expect(messages({ off: ['no-such-rule'] })).toContain("there is no rule 'no-such-rule'");
    expect(messages({ timeZone: 'Mars/Olympus' })).toContain('timeZone');
  });

  test('a missing list gives 412 or, if the site chooses, a card that says so', async () => {
    const { prefetch: _, ...blind } = orderSign([
      order('draft', 'zopiclone', { dosageInstruction: [dosageUntil('2026-03-08')] }),
    ]);
    const { knowledge } = loadKnowledge(copy.folder, { uncheckable: 'card' });
    const refusing = await startService();
    const telling = await startService({ ...(knowledge && { knowledge }) });
    const refused = await refusing.call(blind);
    const told = await telling.call(blind);
    await refusing.close();
    await telling.close();
    expect(refused.status).toBe(412);
    expect(told.status).toBe(200);
    expect(topics(told.body)).toEqual(['not-checked']);
  });
});

test('a rule on trial must exist and be active, and its first day must not be after its last', () => {
  const problemsWith = (site: Json) =>
    loadKnowledge(copy.folder, site).problems.map(({ file, message }) => `${file}: ${message}`);
  const trial = (id: string, span: Json = {}, site: Json = {}) => ({ ...site, silent: { rules: { [id]: span } } });
  expect(problemsWith(trial('opioid-sedative', { from: '2026-03-02', to: '2026-05-31' }))).toEqual([]);
  expect(problemsWith(trial('nothing'))).toEqual(["hooks/site.yaml: silent.rules.nothing: there is no rule 'nothing'"]);
  expect(problemsWith(trial('opioid-sedative', {}, { off: ['opioid-sedative'] }))).toEqual([
    'hooks/site.yaml: silent.rules.opioid-sedative: it is switched off under `off`',
  ]);
  expect(problemsWith(trial('opioid-sedative', { from: '2026-03-02', to: '2026-03-01' }))).toEqual([
    'hooks/site.yaml: silent.rules.opioid-sedative: from must not be after to',
  ]);
  expect(problemsWith(trial('opioid-sedative', { from: '2026-02-29' }))).toEqual([
    'hooks/site.yaml: silent.rules.opioid-sedative.from: write a date as 2026-03-14',
  ]);
});

describe('a quiet period', () => {
  const problemsWith = (quiet: Json) =>
    loadKnowledge(copy.folder, { quiet }).problems.map(({ file, message }) => `${file}: ${message}`);
  const accepted = ['epilepsy'];

  test('only existing rules with cards of their own and existing reasons are accepted', () => {
    expect(problemsWith({ days: { 'benzodiazepine-long-term': 90 }, accepted })).toEqual([]);
    expect(problemsWith({ days: { nothing: 90 }, accepted: ['because'] })).toEqual([
      "hooks/site.yaml: quiet.days.nothing: there is no rule 'nothing'",
      "hooks/site.yaml: quiet.accepted.0: there is no override reason 'because'",
    ]);
    expect(problemsWith({ days: { 'benzodiazepine-long-term': 90 } })).toEqual([
      'hooks/site.yaml: quiet.accepted: name the override reasons that mean "known and accepted"',
    ]);
  });

  test.each([
    ['no days', 0],
    ['more than a year', 366],
    ['a fraction of a day', 1.5],
  ])('of %s is refused', (_name, days) => {
    expect(problemsWith({ days: { 'benzodiazepine-long-term': days }, accepted })).toEqual([
      expect.stringContaining('quiet.days.benzodiazepine-long-term: '),
    ]);
  });
});
