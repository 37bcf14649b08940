import { isObject } from './wire.ts';

/** First and last line of a printed resource, counted from 0. */
export type Range = [first: number, last: number];

export type Printed = { lines: string[]; ranges: Map<string, Range[]> };

/** JSON as printed by `JSON.stringify` with two spaces, and the lines of each resource in it. */
export function printJson(value: unknown): Printed {
  const lines: string[] = [];
  const ranges = new Map<string, Range[]>();
  print(value, '', '', '', { lines, ranges });
  return { lines, ranges };
}

function print(value: unknown, indent: string, before: string, after: string, to: Printed): void {
  const first = to.lines.length;
  const inner = `${indent}  `;
  const line = (text: string) => to.lines.push(`${indent}${text}`);
  if (Array.isArray(value) && value.length > 0) {
    line(`${before}[`);
    for (const [at, item] of value.entries()) print(item, inner, '', at < value.length - 1 ? ',' : '', to);
    line(`]${after}`);
  } else if (isObject(value) && Object.keys(value).length > 0) {
    const keys = Object.keys(value);
    line(`${before}{`);
    for (const [at, key] of keys.entries())
      print(value[key], inner, `${JSON.stringify(key)}: `, at < keys.length - 1 ? ',' : '', to);
    line(`}${after}`);
    if (typeof value['resourceType'] === 'string') {
      const ref = `${value['resourceType']}/${typeof value['id'] === 'string' ? value['id'] : ''}`;
      to.ranges.set(ref, [...(to.ranges.get(ref) ?? []), [first, to.lines.length - 1]]);
    }
  } else line(`${before}${JSON.stringify(value)}${after}`);
}
