import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Problem } from '../yaml.ts';
import { type Drug, readDrugs } from './drugs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drugs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(text: string): { drugs: Map<string, Drug>; remarks: Problem[] } {
  const drugs = new Map<string, Drug>();
  const remarks: Problem[] = [];
  writeFileSync(join(folder, 'drugs.csv'), text);
  readDrugs(join(folder, 'drugs.csv'), 'drugs.csv', (uri) => uri, drugs, remarks);
  return { drugs, remarks };
}

test('a table is read with commas or semicolons, a byte order mark, quotes and columns in any order', () => {
  const plain = read('system,code,atc,form,smallest_package\nnpl,1,N05CF01,tablett,10\n');
  const excel = read('\ufeffcode;atc;system;smallest_package;form\n"1";N05CF01;npl;10;"tablett"\n');
  expect(plain).toEqual(excel);
  expect(plain.drugs.get('npl|1')).toEqual({ atc: 'N05CF01', form: 'tablett', smallestPackage: 10 });
});

test('an unusable row is reported with its line, and the others are loaded', () => {
  const { drugs, remarks } = read(
    'system,code,atc,smallest_package\nnpl,1,N05CF01,10\nnpl,,N05CF01,\nnpl,3,NOPE,\nnpl,4,N05BA01,few\nnpl,5,N05BA01,\n',
  );
  expect([...drugs.keys()]).toEqual(['npl|1', 'npl|5']);
  expect(remarks.map(({ file, line }) => `${file}:${line}`)).toEqual(['drugs.csv:3', 'drugs.csv:4', 'drugs.csv:5']);
});

test('a table that lacks required columns is reported', () => {
  expect(read('code,name\n1,Zopiklon\n').remarks.map(({ line }) => line)).toContain(1);
  expect(read('').remarks).toHaveLength(1);
});

test.each<[atc: string, isOne: boolean]>([
  ['N05CF01', true],
  ['N05CF', true],
  ['N05C', true],
  ['N05', true],
  ['N', false],
  ['N0', false],
  ['N05CF0', false],
  ['N05CF011', false],
  ['xN05CF01', false],
  ['n05cf01', false],
])('%s is a valid ATC code: %s', (atc, isOne) => {
  const { drugs, remarks } = read(`system,code,atc\nnpl,1,${atc}\n`);
  expect([drugs.size, remarks.length]).toEqual(isOne ? [1, 0] : [0, 1]);
  if (!isOne) expect(remarks).toEqual([{ file: 'drugs.csv', line: 2, message: `atc: '${atc}' is not an ATC code` }]);
});

test('an empty cell leaves the field out of the drug, and codes are compared in capitals', () => {
  const { drugs, remarks } = read(
    'system,code,atc,form,smallest_package\nnpl,a1,N05CF01,,\nnpl,b,N05CF01,tablett,0\n,c,N05CF01,,\nnpl,d,,,\n',
  );
  expect([...drugs]).toEqual([['npl|A1', { atc: 'N05CF01' }]]);
  expect(remarks.map(({ message }) => message)).toEqual([
    "smallest_package: '0' is not a number above 0",
    'system is empty',
    'atc is empty',
  ]);
});

test('a malformed CSV file is reported with the line, and the rows before it are loaded', () => {
  const { drugs, remarks } = read('system,code,atc\nnpl,1,N05CF01\nnpl,"2,N05CF01\n');
  expect([...drugs.keys()]).toEqual(['npl|1']);
  expect(remarks).toEqual([
    { file: 'drugs.csv', line: expect.any(Number), message: expect.stringMatching(/^not CSV from here on: ./) },
  ]);
});

test('the required columns of a table are listed', () => {
  for (const heading of ['system,code', 'system,atc', 'code,atc', 'x'])
    expect(read(`${heading}\n`).remarks).toEqual([
      {
        file: 'drugs.csv',
        line: 1,
        message: 'the first line must name the columns: system,code,atc[,form][,smallest_package]',
      },
    ]);
});
