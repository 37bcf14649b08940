import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Problem } from '../yaml.ts';

/** The meaning of a national or local drug code. */
export type Drug = { atc: string; form?: string; smallestPackage?: number };

/** A complete ATC code of level 2 to 5 (a substance), in upper case. */
export const ATC_CODE = /^[A-Z]\d{2}(?:[A-Z](?:[A-Z](?:\d{2})?)?)?$/;

/**
 * Reads a site's drug codes: `system,code,atc[,form][,smallest_package]` with a heading line, commas or semicolons, as
 * spreadsheets save them. A row that is not valid is reported with its line and left out; the rest is loaded. `keyOf`
 * returns our key of a system's URI, or the URI itself.
 */
export function readDrugs(
  path: string,
  file: string,
  keyOf: (uri: string) => string,
  drugs: Map<string, Drug>,
  remarks: Problem[],
): void {
  // Few products differ in class, form and package: equal ones are shared, so that a large table stays small.
  const shared = new Map<string, Drug>();
  let column: Record<string, number> | undefined;
  const row = (cells: string[], { lines }: { lines: number }): null => {
    if (!column) {
      column = Object.fromEntries(cells.map((name, at) => [name.toLowerCase(), at]));
      return null;
    }
    const cell = (name: string) => cells[column?.[name] ?? -1] ?? '';
    const fault = faultOf(cell);
    if (fault !== undefined) {
      remarks.push({ file, line: lines, message: fault });
      return null;
    }
    const key = `${cell('atc')}|${cell('form')}|${cell('smallest_package')}`;
    const drug = shared.get(key) ?? {
      atc: cell('atc'),
      ...(cell('form') !== '' && { form: cell('form') }),
      ...(cell('smallest_package') !== '' && { smallestPackage: Number(cell('smallest_package')) }),
    };
    shared.set(key, drug);
    drugs.set(`${keyOf(cell('system'))}|${cell('code').toUpperCase()}`, drug);
    return null;
  };
  try {
    parse(readFileSync(path), {
      bom: true,
      delimiter: [',', ';'],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: row,
    });
  } catch (error) {
    remarks.push({
      file,
      line: (error as { lines?: number }).lines ?? 1,
      message: `not CSV from here on: ${(error as Error).message}`,
    });
  }
  if (!column || !('system' in column && 'code' in column && 'atc' in column)) {
    remarks.push({
      file,
      line: 1,
      message: 'the first line must name the columns: system,code,atc[,form][,smallest_package]',
    });
  }
}

function faultOf(cell: (name: string) => string): string | undefined {
  for (const name of ['system', 'code', 'atc']) if (cell(name) === '') return `${name} is empty`;
  if (!ATC_CODE.test(cell('atc'))) return `atc: '${cell('atc')}' is not an ATC code`;
  const size = cell('smallest_package');
  return size === '' || Number(size) > 0 ? undefined : `smallest_package: '${size}' is not a number above 0`;
}
