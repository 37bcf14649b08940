import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root } from '../testing/app.ts';
import { copyOfRepository } from '../testing/repository.ts';
import { check } from './check.ts';

let copy: ReturnType<typeof copyOfRepository>;
beforeEach(() => {
  copy = copyOfRepository();
});
/** For tests that damage bundles. */
function copyWithBundles() {
  copy.remove();
  copy = copyOfRepository('laro-benzodiazepines');
}
afterEach(() => copy.remove());

/** What the check reports about one line of the damaged copy. */
function saidOf(file: string, line: number): string {
  const { problems } = check(copy.folder);
  return problems
    .filter((problem) => problem.file === file && problem.line === line)
    .map(({ message }) => message)
    .join('\n');
}

test('the check finds no problem in the repository', () => {
  const { problems, rules, bundles, reach } = check(root);
  expect(problems).toEqual([]);
  expect(reach).toMatch(/^results: the rules read (the last \d+ days|the whole history)/);
  expect(rules).toBeGreaterThan(0);
  expect(bundles).toBeGreaterThan(rules);
});

const LARO = 'hooks/laro-benzodiazepines.yaml';
const START = 'hooks/opioid-start.yaml';
const CARDS = 'cards/laro-benzodiazepines.yaml';

test.each([
  ['a misspelt field', LARO, "where('inpatient' in setting)", "where('inpatient' in seting)", 'seting'],
  ['an unknown variable', LARO, "'patient-view', %setting", "'patient-view', %sitting", '%sitting'],
  ['an unknown function', LARO, "memberOf('sedative')", "membrOf('sedative')", 'membrOf'],
  ['invalid FHIRPath', LARO, "memberOf('sedative')", "memberOf('sedative'", ''],
  ['an unknown code list', LARO, "memberOf('sedative')", "memberOf('sedatives')", 'sedatives'],
  ['an unknown fact', LARO, 'when: [pair]', 'when: [pairs]', 'pairs'],
  ['an unknown rule', LARO, 'always: [laro-relapse,', 'always: [laro-relapsed,', 'laro-relapsed'],
  ['an indicator above the source’s cap', START, 'indicator: info', 'indicator: warning', 'info'],
  [
    'a summary that is too long',
    CARDS,
    'undvik {orderedOfPair}',
    `${'undvik '.repeat(16)}{orderedOfPair}`,
    'at most 139',
  ],
  ['a placeholder that may be empty', CARDS, 'LARO ({laroOfPair})', 'LARO ({comorbidity})', 'comorbidity'],
  ['a malformed message', CARDS, 'LARO ({laroOfPair})', 'LARO ({laroOfPair)', ''],
])('%s is reported with file and line', (_, file, text, by, word) => {
  // Problems of lists and long texts are reported at the line of the key or the value.
  const line = copy.replace(file, text, by);
  const { problems } = check(copy.folder);
  const near = problems.filter((problem) => problem.file === file && problem.line >= line - 1 && problem.line <= line);
  expect(near.map(({ message }) => message).join('\n')).toContain(word);
  expect(near).not.toEqual([]);
});

test('an unknown key is reported with its line', () => {
  const line = copy.replace(LARO, '    when: [pair]', '    whan: [x]\n    when: [pair]');
  const { problems } = check(copy.folder);
  const said = problems.filter(({ file }) => file === LARO);
  expect(said.map(({ message }) => message).join()).toContain('whan');
  expect(said.some((problem) => Math.abs(problem.line - line) <= 5)).toBe(true);
});

test('a missing language is reported with its line', () => {
  const line = copy.replace(
    CARDS,
    "        da: 'Journalen viser {comorbidity}",
    "        dk: 'Journalen viser {comorbidity}",
  );
  const { problems } = check(copy.folder);
  const said = problems.filter(({ file }) => file === CARDS);
  expect(said.map(({ message }) => message).join()).toMatch(/text(\.da)?:/);
  expect(said.some((problem) => Math.abs(problem.line - line) <= 2)).toBe(true);
});

test('invalid YAML is reported with its line', () => {
  const line = copy.replace(LARO, 'unless: [laroGoing]', 'unless: [laroGoing');
  expect(check(copy.folder).problems.filter(({ file }) => file === LARO)[0]?.line).toBeGreaterThanOrEqual(line);
});

test('a repeated key is reported with its line', () => {
  const line = copy.replace(LARO, 'status: active', 'status: active\nstatus: draft');
  expect(saidOf(LARO, line + 1)).toMatch(/unique|status/);
});

test('a site’s parameter that is out of bounds or unknown is reported with its line', () => {
  const line = copy.replace(
    'hooks/site.yaml',
    'off: []',
    'off: []\nparameters:\n  opioid-start:\n    recommendedDays: 300\n    longestDay: 5\n  opioid-stop:\n    recommendedDays: 5',
  );
  expect(saidOf('hooks/site.yaml', line + 3)).toMatch(/between 1 and 30/);
  expect(saidOf('hooks/site.yaml', line + 4)).toMatch(/longestDay/);
  expect(
    check(copy.folder)
      .problems.map(({ message }) => message)
      .join(),
  ).toContain('opioid-stop: there is no such guideline');
});

test('a site’s unknown rule, time zone and key are reported with their lines', () => {
  const off = copy.replace('hooks/site.yaml', 'off: []', 'off: [laro-sedative]');
  expect(saidOf('hooks/site.yaml', off)).toContain('laro-sedative');
  const zone = copy.replace('hooks/site.yaml', 'Europe/Stockholm', 'Europe/Sthlm');
  expect(saidOf('hooks/site.yaml', zone)).toMatch(/time zone/);
  copy.replace('hooks/site.yaml', 'language: sv', 'langauge: sv');
  expect(
    check(copy.folder)
      .problems.map(({ message }) => message)
      .join(),
  ).toContain('langauge');
});

test('all problems are reported at once, sorted by file and line', () => {
  copy.replace(LARO, "memberOf('sedative')", "memberOf('sedatives')");
  copy.replace(START, 'indicator: info', 'indicator: critical');
  copy.replace(CARDS, 'LARO ({laroOfPair})', 'LARO ({lara})');
  const files = check(copy.folder).problems.map(({ file }) => file);
  for (const file of [LARO, START, CARDS]) expect(files).toContain(file);
  expect(files).toEqual([...files].sort());
});

test('a bundle whose answer differs from the expected one is reported', () => {
  copyWithBundles();
  const file = 'test-bundles/laro-benzodiazepines/zopiclone-in-laro-outpatient';
  copy.replace(`${file}.expected.yaml`, 'warning', 'info');
  expect(saidOf(`${file}.request.json`, 1)).toContain('indicator');
});

test('a bundle with a missing date or request, or with invalid contents, is reported', () => {
  copyWithBundles();
  const file = 'test-bundles/laro-benzodiazepines/zopiclone-in-laro-outpatient';
  copy.replace(`${file}.request.json`, '"now"', '"then"');
  expect(saidOf(`${file}.request.json`, 1)).toContain('date');
  copy.replace(`${file}.request.json`, '{', '');
  expect(saidOf(`${file}.request.json`, 1)).toContain('JSON');
  rmSync(join(copy.folder, `${file}.request.json`));
  expect(saidOf(`${file}.expected.yaml`, 1)).toContain('request');
});

test('a rule without test bundles is reported as not proved', () => {
  const gaps = () =>
    check(copy.folder)
      .problems.filter(({ file }) => file === LARO)
      .map(({ message }) => message);
  const unproved = 'laro-sedative-ordered: no test bundle fires it at order-sign';
  expect(gaps()).toContain(unproved);
  expect(gaps()).toContain("laro-sedative-ordered: no pair of test bundles shows that 'pair' decides");
  copyWithBundles();
  expect(gaps()).not.toContain(unproved);
});

test('removing the only proof of a fact leaves a gap', () => {
  copyWithBundles();
  const folder = join(copy.folder, 'test-bundles/laro-benzodiazepines');
  const gaps = () => check(copy.folder).problems.filter(({ file }) => file === LARO).length;
  const before = gaps();
  const inpatient = readdirSync(folder).filter((name) => /inpatient|ward|discharge/.test(name));
  expect(inpatient.length).toBeGreaterThan(0);
  for (const name of inpatient) rmSync(join(folder, name));
  expect(gaps()).toBeGreaterThan(before);
});

describe('npm run check -- --against', () => {
  const against = (yaml: string) => {
    copyWithBundles();
    const other = join(copy.folder, 'other-site.yaml');
    writeFileSync(other, yaml);
    const program = join(root, 'src/cli/check.ts');
    const words = ['--disable-warning=ExperimentalWarning', program, copy.folder, '--against', other];
    const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    return {
      status,
      lines: stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    };
  };

  test('it lists per rule the cards that appear, vanish and change, with the patients', () => {
    const { status, lines } = against(
      'off: [laro-sedative-ordered]\ncountry: SE\nparameters: {laro-benzodiazepines: {toxicologyDays: 180}}\n',
    );
    expect(status).toBe(0);
    const row = (rule: string) => lines.find(([name, count]) => name === rule && /^\d+$/.test(count ?? ''));
    const [, here, there, appear, vanish, change] = row('laro-sedative-ordered')?.map(Number) ?? [];
    expect(here).toBeGreaterThan(10);
    expect([there, appear, vanish, change]).toEqual([0, 0, here, 0]);
    // Only in Sweden.
    expect(row('laro-one-year')?.slice(1, 3).map(Number)[0]).toBe(0);
    expect(Number(row('laro-one-year')?.[3])).toBeGreaterThan(0);
    // The card states the number of days.
    expect(Number(row('laro-relapse')?.[5])).toBeGreaterThan(0);
    expect(lines).toContainEqual([
      'laro-sedative-ordered',
      'vanishes',
      expect.stringMatching(/^laro-benzodiazepines\//),
    ]);
  });

  test('it says if nothing changes, and reports problems of the other file', () => {
    const same = against('timeZone: Europe/Stockholm\noff: []\n');
    expect(same.status).toBe(0);
    expect(same.lines.flat().join()).toMatch(/every card is the same$/);
    const wrong = against('off: []\nparameters:\n  laro-benzodiazepines: {endedDays: 999}\n');
    expect(wrong.status).toBe(1);
    expect(wrong.lines.flat().join()).toMatch(/other-site\.yaml:3: .*endedDays: must be between 7 and 180/);
  });
});

test('docs/traceability.md and docs/proof.json are up to date', () => {
  const { trace, proof, problems } = check(root);
  expect(problems).toEqual([]);
  // `npm run check` writes them.
  expect(readFileSync(join(root, 'docs/traceability.md'), 'utf8')).toBe(trace);
  expect(readFileSync(join(root, 'docs/proof.json'), 'utf8')).toBe(proof);
});
