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

test('commas or semicolons, a byte order mark, quotes, columns in any order', () => {
  const plain = read('system,code,atc,form,smallest_package\nnpl,1,N05CF01,tablett,10\n');
  const excel = read('\ufeffcode;atc;system;smallest_package;form\n"1";N05CF01;npl;10;"tablett"\n');
  expect(plain).toEqual(excel);
  expect(plain.drugs.get('npl|1')).toEqual({ atc: 'N05CF01', form: 'tablett', smallestPackage: 10 });
});

test('a row that cannot be used is named with its line, and the rest is loaded', () => {
  const { drugs, remarks } = read(
    'system,code,atc,smallest_package\nnpl,1,N05CF01,10\nnpl,,N05CF01,\nnpl,3,NOPE,\nnpl,4,N05BA01,few\nnpl,5,N05BA01,\n',
  );
  expect([...drugs.keys()]).toEqual(['npl|1', 'npl|5']);
  expect(remarks.map(({ file, line }) => `${file}:${line}`)).toEqual(['drugs.csv:3', 'drugs.csv:4', 'drugs.csv:5']);
});

test('a table without the columns it needs is reported', () => {
  expect(read('code,name\n1,Zopiklon\n').remarks.map(({ line }) => line)).toContain(1);
  expect(read('').remarks).toHaveLength(1);
});
