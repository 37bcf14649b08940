import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { readText } from './text.ts';

/** A mistake in a settings file, reported with file and line. */
export type Problem = { file: string; line: number; message: string };

export function problemsText(problems: readonly Problem[]): string {
  return problems.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n');
}

export type Report = (path: PropertyKey[], message: string) => void;

/** Reports problems of a file, each at its path. */
export function reporterOf({ file, line }: Pick<YamlFile<unknown>, 'file' | 'line'>, problems: Problem[]): Report {
  return (path, message) => problems.push({ file, line: line(path), message: `${path.join('.')}: ${message}` });
}

/** A YAML file as data, with the line of each path and the comment above each key as one line. */
export type YamlFile<T> = {
  file: string;
  data: T;
  line: (path: readonly PropertyKey[]) => number;
  comment: (path: readonly PropertyKey[]) => string | undefined;
};

/** Reads the YAML files of a folder, in the order of their names, without some. `shown` is the folder's name in messages. */
export function readYamlFiles<T>(
  folder: string,
  shown: string,
  schema: z.ZodType<T>,
  problems: Problem[],
  without: readonly string[] = [],
): YamlFile<T>[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && !without.includes(name))
    .sort()
    .map((name) => readYaml(join(folder, name), `${shown}/${name}`, schema, problems))
    .filter((file) => file !== undefined);
}

/**
 * Reads a YAML file and checks its structure. Undefined if it is not valid; each reason is added to `problems`. `file`
 * is the file's name in messages.
 */
export function readYaml<T>(
  path: string,
  file: string,
  schema: z.ZodType<T>,
  problems: Problem[],
): YamlFile<T> | undefined {
  const lines = new LineCounter();
  let text: string;
  try {
    text = readText(path);
  } catch {
    problems.push({ file, line: 1, message: 'the file cannot be read' });
    return undefined;
  }
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    for (const error of document.errors) {
      problems.push({ file, line: lines.linePos(error.pos[0]).line, message: error.message.split('\n')[0] as string });
    }
    return undefined;
  }
  const line = (at: readonly PropertyKey[]): number => {
    for (let depth = at.length; depth > 0; depth--) {
      const node = document.getIn(at.slice(0, depth), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const comment = (at: readonly PropertyKey[]): string | undefined => {
    const map = document.getIn(at.slice(0, -1), true);
    const key = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === at.at(-1))?.key : null;
    // A paragraph separated from the key by an empty line belongs to what comes before.
    const own = isScalar(key) ? key.commentBefore?.split('\n\n').at(-1) : undefined;
    return own
      ?.split('\n')
      .map((text) => text.trim())
      .join(' ');
  };
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return { file, data: parsed.data, line, comment };
  for (const issue of parsed.error.issues) {
    const at = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] as string] : issue.path;
    problems.push({ file, line: line(at), message: `${issue.path.join('.') || 'the file'}: ${issue.message}` });
  }
  return undefined;
}
