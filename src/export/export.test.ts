import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import type {
  Bundle,
  CodeSystem,
  FhirResource,
  Library,
  PlanDefinition,
  PlanDefinitionAction,
  ValueSet,
} from 'fhir/r4.js';
import fhirpath from 'fhirpath';
import { afterAll, describe, expect, test } from 'vitest';
import type { Knowledge } from '../cards/knowledge.ts';
import { answerFile, readTestBundles } from '../cli/bundles.ts';
import { plusDays } from '../dates.ts';
import { objects } from '../fhir/json.ts';
import { deliveredSite } from '../knowledge/load.ts';
import { languages } from '../language.ts';
import { compileExpression } from '../rules/expression.ts';
import { viewsOf } from '../rules/facts.ts';
import { findingsOf, type RuleResult } from '../rules/result.ts';
import { knowledge, knowledgeOf, root } from '../testing/app.ts';
import { notR4 } from '../testing/r4.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { exportBundle } from './bundle.ts';
import type { Context } from './context.ts';
import { nameOf, ownFunctions } from './functions.ts';

const exported = (changes: Partial<Context> = {}) =>
  exportBundle({ knowledge, language: 'en', base: 'urn:nordic-opioid-cds', date: undefined, ...changes });
const bundle = exported();
const resourcesOf = (of: Bundle) => (of.entry ?? []).map(({ resource }) => resource as FhirResource);
const all = <T extends FhirResource>(type: T['resourceType'], of: Bundle = bundle) =>
  resourcesOf(of).filter((resource): resource is T => resource.resourceType === type);
const planOf = (rule: string, of: Bundle = bundle) =>
  all<PlanDefinition>('PlanDefinition', of).find(({ identifier }) => identifier?.[0]?.value === rule) as PlanDefinition;
const libraryOf = (id: string, of: Bundle = bundle) =>
  all<Library>('Library', of).find((library) => library.id === `nordic-opioid-${id}`) as Library;
/** The expressions of a Library, by name. */
const contentOf = (library: Library) =>
  new Map(
    library.content?.map(({ id, data }) => [id as string, Buffer.from(data as string, 'base64').toString('utf8')]),
  );

/** Every value of a resource, with its key. */
function* walk(value: unknown, key = ''): Generator<[string, unknown]> {
  yield [key, value];
  if (Array.isArray(value)) for (const item of value) yield* walk(item, key);
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) yield* walk(item, name);
}

/** References to other definitions, wherever they are. */
function canonicalsOf(resource: FhirResource): string[] {
  const keys = ['library', 'resource', 'definitionCanonical', 'valueCanonical', 'valueSet', 'reference'];
  return [...walk(resource)].flatMap(([key, value]) =>
    typeof value !== 'string'
      ? []
      : keys.includes(key) || (key === 'url' && value.includes('nordic-opioid'))
        ? [value]
        : [],
  );
}

describe('the bundle', () => {
  test.each([
    ['with English texts and a URN base', {}],
    [
      'with Swedish texts, a web address as base and a date',
      { language: 'sv', base: 'https://fhir.example/r4', date: '2026-03-02' },
    ],
    ['with Norwegian texts', { language: 'nb' }],
    ['with Danish texts', { language: 'da' }],
  ] as [string, Partial<Context>][])('is valid R4, %s', (_, changes) => {
    const made = exported(changes);
    expect(notR4(made)).toEqual([]);
    expect(resourcesOf(made).flatMap((resource) => notR4(resource))).toEqual([]);
    for (const resource of resourcesOf(made)) expect(resource.id).toMatch(/^[A-Za-z0-9.-]{1,64}$/);
    expect(new Set(made.entry?.map(({ request }) => request?.url)).size).toBe(made.entry?.length);
    expect(new Set(made.entry?.map(({ fullUrl }) => fullUrl)).size).toBe(made.entry?.length);
  });

  test.each([[{}], [{ base: 'https://fhir.example/r4' }]])('refers only to its own resources (%j)', (changes) => {
    const made = exported(changes);
    const versions = new Map(
      resourcesOf(made).map((resource) => [(resource as PlanDefinition).url, (resource as PlanDefinition).version]),
    );
    const named = resourcesOf(made).flatMap(canonicalsOf);
    expect(named.length).toBeGreaterThan(400);
    const strays = named.filter((canonical) => {
      const [url, version] = canonical.split('|');
      return !versions.has(url) || (version !== undefined && versions.get(url) !== version);
    });
    expect(strays).toEqual([]);
  });

  test('uses only codes that our own code systems define', () => {
    const systems = all<CodeSystem>('CodeSystem');
    expect(systems.map(({ url }) => url)).toEqual([
      'urn:nordic-opioid-cds:rule',
      'urn:nordic-opioid-cds:override-reason',
      'urn:nordic-opioid-cds:order',
    ]);
    const defined = new Set(systems.flatMap(({ url, concept = [] }) => concept.map(({ code }) => `${url}|${code}`)));
    const named = resourcesOf(bundle).flatMap((resource) =>
      [...walk(resource)].flatMap(([, value]) => {
        const { system, code } = (value ?? {}) as { system?: string; code?: string };
        return system?.startsWith('urn:nordic-opioid-cds:') && code !== undefined ? [`${system}|${code}`] : [];
      }),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((code) => !defined.has(code))).toEqual([]);
  });

  test('is accepted by an independent FHIR repository, also the second time', async () => {
    const router = new FhirRouter();
    const repository = new MemoryRepository();
    for (const _ of ['first', 'again']) {
      const [, answer] = await router.handleRequest(
        { method: 'POST', url: '/', pathname: '', params: {}, query: {}, body: bundle } as never,
        repository,
      );
      const statuses = (answer as Bundle).entry?.map(({ response }) => response?.status as string) ?? [];
      expect(statuses).toHaveLength(bundle.entry?.length as number);
      expect(statuses.filter((status) => !['200', '201', '304'].includes(status))).toEqual([]);
      for (const type of ['PlanDefinition', 'ValueSet', 'CodeSystem', 'Library'] as const) {
        const kept = await repository.searchResources({ resourceType: type, count: 1000 });
        expect(kept.map(({ id }) => id).sort()).toEqual(
          all(type)
            .map(({ id }) => id)
            .sort(),
        );
      }
    }
    const kept = await repository.readResource('PlanDefinition', 'nordic-opioid-opioid-stop-date');
    expect(kept).toMatchObject(planOf('opioid-stop-date') as never);
  });
});

/** The first group of every match of a pattern. */
const wordsOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, word]) => word as string);

/** The rules that a plan silences, by the extension of that name. */
function supersededBy(plan: PlanDefinition, name: string): string[] {
  return (plan.extension ?? [])
    .filter(({ url }) => url.endsWith(`:nordic-opioid-${name}`))
    .map(({ valueCanonical }) => valueCanonical?.replace(/^.*:nordic-opioid-/, '') as string)
    .sort();
}

describe('the export is complete', () => {
  test('each rule is a PlanDefinition with hooks, citation, urgency and relations', () => {
    expect(all('PlanDefinition')).toHaveLength(knowledge.rules.length);
    for (const rule of knowledge.rules) {
      const plan = planOf(rule.id);
      const [card] = plan.action as [PlanDefinitionAction];
      expect(card.trigger).toEqual(rule.hooks.map((name) => ({ type: 'named-event', name })));
      expect(card.prefix).toBe(rule.recommendation);
      const [citation] = plan.relatedArtifact ?? [];
      expect(citation).toMatchObject({ type: 'citation', label: rule.section });
      expect(citation?.citation).toContain(rule.source.title);
      expect(citation?.url).toBe(rule.source.url);
      expect(card.condition).toHaveLength(rule.when.length + rule.unless.length + rule.without.length);
      expect(card.dynamicValue?.length ?? 0).toBe(rule.indicators.length > 1 ? 1 : 0);
      const { always, sameDrugs, sameOrders, except } = rule.supersedes;
      for (const [name, weaker] of [
        ['supersedes', always],
        ['supersedes-same-drugs', sameDrugs],
        ['supersedes-same-orders', sameOrders],
      ] as const) {
        const expected = weaker.includes('*') ? knowledge.rules.map(({ id }) => id) : weaker;
        expect(supersededBy(plan, name)).toEqual(
          expected.filter((id) => id !== rule.id && !except.includes(id)).sort(),
        );
      }
    }
  });

  test('each fact, parameter and class is in a Library, as written', () => {
    for (const { file, facts, parameters } of knowledge.guidelines) {
      const content = contentOf(libraryOf(file.id));
      expect([...content.keys()]).toEqual([...Object.keys(parameters), ...facts.keys()]);
      for (const [name, { expression }] of facts) expect(content.get(name)).toBe(expression.text.trim());
      for (const [name, value] of Object.entries(parameters))
        expect(fhirpath.evaluate({}, content.get(name) as string)).toEqual([value].flat());
    }
    const { classes, facts } = knowledge.classes;
    const content = contentOf(libraryOf('classes'));
    expect([...content.keys()]).toEqual([...facts.keys(), ...classes.keys()]);
    for (const [name, { text }] of [...facts, ...classes]) expect(content.get(name)).toBe(text.trim());
  });

  test('the parameters of treatments are in a Library on which all users of treatments depend', () => {
    const library = libraryOf('treatments');
    const content = [...contentOf(library)].map(([name, text]) => [name, Number(text)]);
    expect(Object.fromEntries(content)).toEqual(knowledge.treatments.parameters);
    for (const { file, facts } of knowledge.guidelines) {
      const asks = [...facts.values()].some(
        ({ expression: { variables } }) => variables.has('treatments') || variables.has('before'),
      );
      const related = libraryOf(file.id).relatedArtifact?.map(({ resource }) => resource) ?? [];
      expect(related.includes(library.url), file.id).toBe(asks);
    }
  });

  test('each Library describes every function it calls and every variable it names', () => {
    const fhirpathOwn =
      'where select exists all empty not first last tail skip take count distinct iif intersect exclude union combine ofType is sum min max abs ceiling and or in'.split(
        ' ',
      );
    let described = 0;
    for (const library of all<Library>('Library')) {
      const content = contentOf(library);
      const said = wordsOf(library.description ?? '', /^- `(\w+)\(/gm);
      const given = [...(library.parameter ?? []).map(({ name }) => name), ...content.keys()];
      for (const [name, text] of content) {
        const code = text.replaceAll(/'[^']*'/g, "''");
        const called = wordsOf(code, /(\w+)\s*\(/g);
        expect(
          called.filter((word) => !fhirpathOwn.includes(word) && !said.includes(word)),
          name,
        ).toEqual([]);
        const named = wordsOf(code, /%(\w+)/g);
        expect(
          named.filter((word) => !given.includes(word)),
          name,
        ).toEqual([]);
      }
      described += said.length;
    }
    expect(described).toBeGreaterThan(10);
    // Every described function exists.
    for (const name of Object.keys(ownFunctions).map(nameOf))
      expect(() => compileExpression(`%treatments.${name}()`), name).not.toThrow();
  });

  test('a list of tests gives its positive cut-off and its confirmation codes', () => {
    let said = 0;
    for (const [name, { cutoff, limit, confirmations }] of knowledge.codes.tests.lists) {
      const description = all<ValueSet>('ValueSet').find(
        ({ id }) => id === `nordic-opioid-results-${name}`,
      )?.description;
      for (const quantity of [cutoff, limit])
        if (quantity) expect(description).toContain(`${quantity.value} ${quantity.unit}`);
      for (const key of confirmations) expect(description).toContain(key.replace('|', ' '));
      if (cutoff) said += 1;
    }
    expect(said).toBeGreaterThan(0);
  });

  test('each list used with memberOf is named beside the facts', () => {
    for (const { file, facts } of knowledge.guidelines) {
      const labels = new Set(libraryOf(file.id).relatedArtifact?.map(({ label }) => label));
      const asked = [...facts.values()].flatMap(({ expression }) => [...expression.lists]);
      expect(asked.filter((name) => !labels.has(name))).toEqual([]);
    }
  });

  test('each list is a ValueSet with all its codes', () => {
    const { codes } = knowledge;
    const setOf = (kind: string, name: string) =>
      all<ValueSet>('ValueSet').find(({ id }) => id === `nordic-opioid-${kind}-${name}`) as ValueSet;
    /** Codes and prefixes; those of ICD-10 without dots. */
    const written = (set: ValueSet, part: 'include' | 'exclude') =>
      (set.compose?.[part] ?? []).flatMap(({ system, concept = [], filter = [] }) => [
        ...concept.map(({ code }) => `${system}|${code}`),
        ...filter.map(({ value }) => `${system}|${value.replace(/\.\*$/, '').replaceAll('.', '')}`),
      ]);
    const uri = new Map([...codes.systems].reverse().map(([address, key]) => [key, address]));
    const address = (key: string) => (uri.get(key) ?? key).replace(/^(?=[\d.]+$)/, 'urn:oid:');
    /** ICD-10-CM is read with the prefixes of ICD-10, except in some lists. */
    const expected = (map: Map<string, string[]>, name: string, american: boolean) =>
      [...map]
        .filter(([, names]) => names.includes(name))
        .flatMap(([key]) => (key.includes('|') ? [key] : [`icd10|${key}`, `icd10cm|${key}`]))
        .filter((key) => american || !key.startsWith('icd10cm|'))
        .map((key) => key.replace(/^(.*)\|/, (_, system) => `${address(system)}|`));
    for (const kind of ['conditions', 'procedures', 'results'] as const) {
      for (const name of codes[kind].names) {
        const set = setOf(kind, name);
        const { exact, prefixes, except, notIcd10cm } = codes[kind];
        const of = (map: Map<string, string[]>) => expected(map, name, !notIcd10cm.has(name));
        expect(written(set, 'include').sort()).toEqual([...of(exact), ...of(prefixes)].sort());
        // FHIR has no list that only excludes, so one without codes yet has no exclusions either.
        expect(written(set, 'exclude').sort()).toEqual(set.compose ? of(except).sort() : []);
      }
    }
    for (const [name, parts] of codes.lists) {
      const set = setOf('medicines', name);
      if (parts.length > 1) {
        expect(set.compose?.include.map(({ valueSet }) => valueSet)).toHaveLength(parts.length);
        continue;
      }
      const [{ prefixes, except }] = parts as [(typeof parts)[number]];
      expect(written(set, 'include')).toEqual(
        expect.arrayContaining(prefixes.map((code) => `${address('atc')}|${code}`)),
      );
      expect(written(set, 'exclude')).toEqual(except.map((code) => `${address('atc')}|${code}`));
    }
    // A substance's other codes are listed wherever its first ATC code is.
    const [key, substance] = [...codes.substanceOfCode][0] as [string, { names: { sv: string } }];
    const [system, code] = key.split('|') as [string, string];
    const concepts = all<ValueSet>('ValueSet').flatMap(({ compose }) =>
      (compose?.include ?? []).flatMap((part) => (part.system === address(system) ? (part.concept ?? []) : [])),
    );
    expect(concepts.find((concept) => concept.code === code)?.designation).toContainEqual({
      language: 'sv',
      value: substance.names.sv,
    });
    expect(setOf('forms', 'patch').compose?.include.length).toBeGreaterThan(0);
    expect(setOf('settings', 'inpatient').compose?.include.length).toBeGreaterThan(0);
    expect(setOf('results', 'positive').compose?.include.length).toBeGreaterThan(0);
  });

  test.each(languages)('each text of cards/ is present in %s, in its own element or as a translation', (language) => {
    for (const base of languages) {
      const made = exported({ language: base });
      const said = new Set<string>();
      for (const resource of resourcesOf(made)) {
        for (const [, value] of walk(resource)) {
          const { url, extension } = (value ?? {}) as {
            url?: string;
            extension?: { valueCode?: string; valueString?: string }[];
          };
          if (url === 'http://hl7.org/fhir/StructureDefinition/translation' && extension?.[0]?.valueCode === language)
            said.add(extension[1]?.valueString as string);
          if (base === language && typeof value === 'string') said.add(value);
          const designation = (value ?? {}) as { language?: string; value?: string };
          if (designation.language === language && designation.value) said.add(designation.value);
        }
      }
      const { shared, templates } = knowledge.cards;
      const texts = [
        ...Object.values(templates).flatMap(({ summary, detail, suggestions }) => [
          summary[language],
          ...detail.map(({ text }) => text[language]),
          ...Object.values(suggestions).flatMap(({ label, description }) => [label[language], description[language]]),
        ]),
        ...Object.values(shared.orders).map((order) => order[language]),
        ...Object.values(shared.overrideReasons).map(({ display }) => display[language]),
      ];
      expect(texts.filter((text) => !said.has(text))).toEqual([]);
    }
  });
});

const bundles = readTestBundles(join(root, 'test-bundles'), []);
const sites = new Map<string, { knowledge: Knowledge; bundle: Bundle }>();

function at(site: Record<string, unknown> | undefined) {
  const key = JSON.stringify(site);
  const before = sites.get(key);
  if (before) return before;
  const there = knowledgeOf(root, { ...deliveredSite, ...site });
  const known = { knowledge: there, bundle: exported({ knowledge: there }) };
  sites.set(key, known);
  return known;
}

/** The result of every test bundle, with the export of its site. */
const played = bundles.map(({ name, body, expected }) => {
  const there = at(expected.site);
  const { answer } = answerFile(body, there.knowledge, 'en', '');
  return { name, answer, ...there };
});

function valuesOf(result: RuleResult): Record<string, unknown[]> {
  return Object.fromEntries(findingsOf(result).map(({ fact, value }) => [fact, value]));
}

function isSo(expression: string, variables: Record<string, unknown>): boolean {
  const value: unknown = fhirpath.evaluate({}, expression, variables);
  return Array.isArray(value) && value.length === 1 && value[0] === true;
}

describe('the exported conditions agree with the service', () => {
  test('every rule has the same outcome, urgency and paragraphs in every test bundle', () => {
    const seen = { held: 0, not: 0, raised: 0 };
    for (const { name, answer, bundle: made } of played) {
      for (const result of answer.results) {
        const [card] = planOf(result.rule.id, made).action as [PlanDefinitionAction];
        const values = valuesOf(result);
        const met = (card.condition ?? []).every(({ expression }) => isSo(expression?.expression as string, values));
        if (['fires', 'joins', 'superseded', 'rides-only'].includes(result.outcome)) {
          seen.held += 1;
          expect(met, `${name}: ${result.rule.id}`).toBe(true);
          const [louder] = card.dynamicValue ?? [];
          const priority = louder
            ? (fhirpath.evaluate({}, louder.expression?.expression as string, values) as string[])[0]
            : card.priority;
          if (louder) seen.raised += 1;
          expect({ routine: 'info', urgent: 'warning', stat: 'critical' }[priority as string], name).toBe(
            result.indicator,
          );
        } else if (result.outcome === 'does-not-hold') {
          seen.not += 1;
          expect(met, `${name}: ${result.rule.id}`).toBe(false);
        }
      }
    }
    expect(seen.held).toBeGreaterThan(100);
    expect(seen.not).toBeGreaterThan(100);
    expect(seen.raised).toBeGreaterThan(10);
  });

  test('fhirpath.js finds the same with the exported facts as the service in the test bundles', () => {
    let compared = 0;
    // Every tenth bundle, since fhirpath.js is slow.
    for (const { name, answer, knowledge: there, bundle: made } of played.filter((_, at) => at % 10 === 0)) {
      const views = viewsOf(answer.chart, there.site.medicationList).chart.all;
      for (const { file, facts, parameters } of there.guidelines) {
        const result = answer.results.find(({ rule }) => rule.guideline === file.id);
        if (!result) continue;
        const variables: Record<string, unknown> = { ...views, ...parameters };
        for (const [fact, text] of contentOf(libraryOf(file.id, made))) {
          if (!facts.has(fact)) continue;
          variables[fact] = compileExpression(text).interpret('all', (variable) => variables[variable]);
          expect(refsOf(variables[fact]), `${name}: ${fact}`).toEqual(refsOf(result.finding(fact).value));
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });

  test('stop dates and quantities equal those that the cards suggest', () => {
    let compared = 0;
    for (const { name, answer, bundle: made } of played) {
      if (!('cards' in answer)) continue;
      for (const result of answer.results.filter(({ outcome }) => outcome === 'fires')) {
        const card = answer.cards.find(({ source }) => source.topic.code === result.rule.id);
        const actions = planOf(result.rule.id, made).action?.[0]?.action?.find(
          ({ id }) => id === 'suggestions',
        )?.action;
        for (const { id = '', dynamicValue = [] } of actions ?? []) {
          const [value] = dynamicValue;
          const offer = id.replace(/^suggestion-/, '').replace(/-(\d+)$/, '/$1');
          const offered = card?.suggestions?.filter((suggestion) => suggestion.offer === offer) ?? [];
          if (!value || offered.length === 0) continue;
          const found = offered.flatMap(({ actions: changes }) =>
            changes.map((change) => {
              const resource = (change as { resource: Record<string, unknown> }).resource;
              const medicine = result.about.find(({ draft, id: of }) => draft && of === resource['id']);
              const text = value.expression?.expression as string;
              const wanted = evaluate(text, medicine, { today: answer.chart.today, ...parametersOf(result, made) });
              const [line] = objects(resource['dosageInstruction']);
              const end = (line as { timing?: { repeat?: { boundsPeriod?: { end?: string } } } })?.timing?.repeat
                ?.boundsPeriod?.end;
              const quantity = (resource['dispenseRequest'] as { quantity?: { value?: number } })?.quantity?.value;
              return { wanted, given: offer.includes('/') ? end : quantity };
            }),
          );
          for (const { wanted, given } of found) expect(wanted, `${name}: ${offer}`).toEqual([given]);
          compared += found.length;
        }
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

/** A value, reduced to what distinguishes its items. */
function refsOf(value: unknown): unknown[] {
  return [value].flat().map((item) => {
    if (typeof item !== 'object' || item === null) return item;
    const { ref, one, other, degree, start, end } = item as Record<string, unknown>;
    return [ref, refsOf(one ?? []), refsOf(other ?? []), degree, start, end];
  });
}

function parametersOf({ rule }: RuleResult, of: Bundle): Record<string, unknown> {
  const { parameters } = knowledge.guidelines.find(({ file }) => file.id === rule.guideline) ?? { parameters: {} };
  const content = contentOf(libraryOf(rule.guideline, of));
  return Object.fromEntries(
    Object.keys(parameters).map((name) => [name, fhirpath.evaluate({}, content.get(name) as string)]),
  );
}

/** FHIRPath with the only function of ours that dynamic values call. */
function evaluate(text: string, input: unknown, variables: Record<string, unknown>): unknown {
  const userInvocationTable = {
    plusDays: { fn: ([date]: string[], days: number) => (date ? plusDays(date, days) : []), arity: { 1: ['Number'] } },
  };
  return fhirpath.compile(text, undefined, { userInvocationTable } as never)(input as never, variables);
}

describe('the export of a site', () => {
  test('has the site’s parameters, country and switched-off rules', () => {
    const there = knowledgeOf(root, {
      ...deliveredSite,
      country: 'SE',
      off: ['opioid-stop-date'],
      parameters: { 'opioid-start': { longestDays: 5, courseDays: [2, 5] } },
    });
    const made = exported({ knowledge: there });
    expect(planOf('opioid-stop-date', made)).toMatchObject({ status: 'retired', usage: 'Switched off at this site.' });
    expect(planOf('opioid-in-person', made)).toMatchObject({
      status: 'retired',
      usage: 'Not given in SE.',
      jurisdiction: [{ coding: [{ system: 'urn:iso:std:iso:3166', code: 'DK' }] }],
    });
    expect(planOf('laro-one-year', made).status).toBe('active');
    const active = all<PlanDefinition>('PlanDefinition', made).filter(({ status }) => status === 'active');
    expect(active).toHaveLength(there.rules.filter(({ off }) => off === undefined).length);
    const content = contentOf(libraryOf('opioid-start', made));
    expect([content.get('longestDays'), content.get('courseDays')]).toEqual(['5', '2 | 5']);
    const stops = planOf('opioid-stop-date', made).action?.[0]?.action?.[1]?.action?.map(({ id }) => id);
    expect(stops).toEqual(['suggestion-stop-2', 'suggestion-stop-5']);
  });

  test('has the site’s own drug codes in its lists', () => {
    const { folder, remove } = copyOfRepository();
    writeFileSync(
      join(folder, 'hooks/codes/own.csv'),
      `system,code,atc\nhttps://hospital.example/drugs,4711,N05CF01\n`,
    );
    const made = exported({ knowledge: knowledgeOf(folder) });
    const set = all<ValueSet>('ValueSet', made).find(({ identifier }) => identifier?.[0]?.value === 'z-drug');
    expect(set?.compose?.include).toContainEqual({
      system: 'https://hospital.example/drugs',
      concept: [{ code: '4711' }],
    });
    remove();
  });

  test('marks a draft guideline as a draft', () => {
    const { folder, replace, remove } = copyOfRepository();
    replace('hooks/opioid-taper.yaml', 'status: active', 'status: draft');
    expect(planOf('opioid-long-term', exported({ knowledge: knowledgeOf(folder) })).status).toBe('draft');
    remove();
  });
});

describe('npm run export', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-export-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/export.ts'), ...words], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });

  test('gives the same bytes each time, on standard output and in a file', () => {
    const out = join(folder, 'rules.json');
    const first = run('--format', 'plan-definition', '--date', '2026-03-02');
    const second = run('--format', 'plan-definition', '--date', '2026-03-02', '--out', out);
    expect([first.status, second.status, first.stderr, second.stderr, second.stdout]).toEqual([0, 0, '', '', '']);
    expect(readFileSync(out, 'utf8')).toBe(first.stdout);
    const made = JSON.parse(first.stdout) as Bundle;
    expect(made.type).toBe('transaction');
    expect(
      resourcesOf(made).every(
        (resource) => (resource as PlanDefinition).date === '2026-03-02' || resource.resourceType === 'Bundle',
      ),
    ).toBe(true);
  });

  test.each([
    [[], '--format: needed, one of plan-definition'],
    [['--format', 'cql'], "--format: 'cql' is not one of plan-definition"],
    [['--format', 'plan-definition', '--language', 'fi'], "--language: 'fi' is not one of sv, nb, da, en"],
    [['--format', 'plan-definition', '--date', '2026-03'], "--date: '2026-03' is not a date such as 2026-03-02"],
    [['--format', 'plan-definition', '--base', 'fhir'], "--base: 'fhir' cannot begin a canonical address"],
    [
      ['--format', 'plan-definition', '--out', join(folder, 'no/such/file')],
      `There is no file ${join(folder, 'no/such/file')}.`,
    ],
  ])('%j is refused with a one-line message', (words, message) => {
    const { status, stdout, stderr } = run(...words);
    expect([status, stdout, stderr]).toEqual([1, '', `${message}\n`]);
  });
});
