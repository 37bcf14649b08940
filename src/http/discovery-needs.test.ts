import { describe, expect, test } from 'vitest';
import type { Knowledge } from '../cards/knowledge.ts';
import { partOf, type Section } from '../fhir/prefetch.ts';
import type { Hook } from '../rules/schema.ts';
import { knowledge as delivered } from '../testing/app.ts';
import { discover, hookOfService, neededSections } from './discovery.ts';

type Given = { hooks?: Hook[]; needs?: Section[]; off?: string };
/** Knowledge with one rule for each of these, which needs these parts of the record. */
function knowledgeOf(...rules: Given[]): Knowledge {
  const none = { unless: [], without: [], about: [], unclear: [], indicators: [], said: [], suggest: [] };
  const usage = { version: 'V.', needed: 'N {keys}.', sharpening: 'S {keys}.', safety: 'F.' };
  const titles = { 'patient-view': 'chart', 'order-select': 'select', 'order-sign': 'sign' };
  return {
    site: delivered.site,
    rules: rules.map(({ hooks = ['order-sign'], off }, at) => ({
      ...none,
      guideline: 'g',
      hooks,
      off,
      when: [`${at}`, 'gone'],
    })),
    guidelines: [
      {
        file: { id: 'g' },
        facts: new Map(rules.map(({ needs = [] }, at) => [`${at}`, { sections: new Set(needs) }])),
      },
    ],
    cards: { shared: { services: { titles, description: 'D', usage } } },
  } as unknown as Knowledge;
}

describe('PT11: what a service requests', () => {
  test.each<[what: string, rules: Given[], sections: Section[]]>([
    ['nothing', [{}], []],
    [
      'the patient, problems and visit as well',
      [{ needs: ['observations'] }],
      ['patient', 'conditions', 'encounter', 'observations'],
    ],
    [
      'the whole medication list',
      [{ needs: ['medications'] }],
      ['patient', 'medications', 'statements', 'dispenses', 'administrations', 'conditions', 'encounter'],
    ],
    [
      'what any of its rules needs, once and in the order of the record',
      [{ needs: ['carePlans', 'procedures'] }, { needs: ['procedures'] }],
      ['patient', 'conditions', 'encounter', 'procedures', 'carePlans'],
    ],
    ['nothing for a rule of another hook', [{ hooks: ['patient-view'], needs: ['observations'] }], []],
    ['nothing for a rule that is off', [{ off: 'site', needs: ['observations'] }], []],
  ])('%s', (_, rules, sections) => {
    expect(neededSections(knowledgeOf(...rules), 'order-sign')).toEqual(sections);
  });
});

describe('DI3: the services of a site', () => {
  test.each<[what: string, rules: Given[], services: string[]]>([
    ['none without rules', [], []],
    ['those of its rules', [{ hooks: ['order-sign', 'patient-view'] }], ['patient-view', 'order-sign']],
    ['not those of rules that are off', [{ hooks: ['order-select'], off: 'site' }, {}], ['order-sign']],
  ])('%s', (_, rules, services) => {
    expect(discover(knowledgeOf(...rules)).services.map(({ hook }) => hook)).toEqual(services);
  });

  test('each has its words and templates, and names those it requires', () => {
    const sections: Section[] = ['patient', 'conditions', 'encounter', 'observations'];
    expect(discover(knowledgeOf({ needs: ['observations'] })).services).toEqual([
      {
        hook: 'order-sign',
        id: 'nordic-opioid-order-sign',
        title: 'sign',
        description: 'D',
        version: '2.0.1',
        hookVersion: '1.0',
        prefetch: Object.fromEntries(sections.map((section) => [section, partOf[section].query])),
        usageRequirements: 'V. N "conditions". S "patient", "encounter", "observations". F.',
      },
    ]);
    expect(discover(knowledgeOf({})).services[0]).toMatchObject({ prefetch: {}, usageRequirements: 'V. N . F.' });
  });
});

test.each<[id: string, hook: Hook | undefined]>([
  ['nordic-opioid-order-sign', 'order-sign'],
  ['nordic-opioid-patient-view', 'patient-view'],
  ['order-sign', undefined],
  ['nordic-opioid-order-dispatch', undefined],
  ['', undefined],
])('the hook of the service %j is %s', (id, hook) => {
  expect(hookOfService(id)).toBe(hook);
});
