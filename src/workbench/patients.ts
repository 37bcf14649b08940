import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Knowledge } from '../cards/knowledge.ts';
import { type Expected, readTestBundles } from '../cli/bundles.ts';
import { namesBelow } from '../text.ts';
import { readYaml } from '../yaml.ts';

/**
 * Lists the patients of a folder as it is now, so that a reload shows a new one; empty if there is no folder. Reads
 * them again only after a change, because a thousand patients take a while.
 */
export function createPatientList(folder: string, knowledge: Knowledge) {
  let read: { state: string; patients: ReturnType<typeof listPatients> } | undefined;
  return () => {
    const state = stateOf(folder);
    if (read?.state !== state) read = { state, patients: listPatients(folder, knowledge) };
    return read.patients;
  };
}

function stateOf(folder: string): string {
  return namesBelow(folder)
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
    .join();
}

/** Each patient with its folder, which is about one topic. */
function listPatients(folder: string, knowledge: Knowledge) {
  const titles = new Map(knowledge.guidelines.map(({ file }) => [file.id, file.title]));
  return readTestBundles(folder, []).map(({ name, hook, expected }) => {
    const place = name.split('/')[0] as string;
    return { name, folder: place, about: titles.get(place) ?? words(place), hook, ...shown(expected) };
  });
}

function shown({ note, cards, missing, site }: Expected) {
  return {
    note,
    ...(cards && { cards: cards.map(({ rule, indicator }) => ({ rule, indicator })) }),
    ...(missing && { missing }),
    // Settings that differ for this patient: the answer here may be another one.
    ...(site && { site: Object.keys(site) }),
  };
}

/** `not-checked` as a heading: `Not checked`. */
function words(slug: string): string {
  const text = slug.replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const examplesSchema = z.array(z.strictObject({ title: z.string().min(1), patient: z.string().min(1) }));

/** The patients to start with, named by `examples.yaml`. */
export function listExamples(folder: string): z.infer<typeof examplesSchema> {
  return readYaml(join(folder, 'examples.yaml'), 'test-bundles/examples.yaml', examplesSchema, [])?.data ?? [];
}

/** The request of one patient, as in its file. A name has no dots, so it cannot leave the folder. */
export function readPatient(folder: string, name: string): string | undefined {
  if (!/^[a-z0-9-]+(\/[a-z0-9-]+)+$/.test(name)) return undefined;
  const path = join(folder, `${name}.request.json`);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
