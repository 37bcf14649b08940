import { isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Site } from '../rules/schema.ts';

const name = z.string().max(100);
const number = z.number();

/** Settings to try: keys of hooks/site.yaml that decide which cards are given. `country: null` means no country. */
export const settingsSchema = z.strictObject({
  country: z.enum(['SE', 'NO', 'DK']).nullable(),
  off: z.array(name).max(200),
  on: z.array(name).max(200),
  /** Rules on trial. Those that the site has on trial keep their dates. */
  trial: z.array(name).max(200),
  parameters: z.record(name, z.record(name, z.union([number, z.array(number).min(1).max(20)]))),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The settings as keys that replace those of a site. */
export function siteOf({ country, trial, ...others }: Settings, { silent }: Site): Partial<Site> {
  return {
    ...others,
    country: country ?? undefined,
    silent: { ...silent, rules: onTrial(trial, silent.rules) },
  };
}

/** Rules on trial: with their dates if they have some, otherwise until they are removed. */
function onTrial<T>(rules: string[], dated: Record<string, T>): Record<string, T | Record<string, never>> {
  return Object.fromEntries(rules.map((rule) => [rule, dated[rule] ?? {}]));
}

/** The text of a site.yaml with these settings. Everything else in it stays, including comments. */
export function siteFile(text: string, { country, off, on, trial, parameters }: Settings): string {
  const document = parseDocument(text);
  // A file with only comments has no map to set a key in.
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  const set = (key: string, value: unknown, empty: boolean) => {
    if (empty && !document.has(key)) return;
    if (empty && key !== 'off') document.delete(key);
    else document.set(key, document.createNode(value));
  };
  set('country', country, country === null);
  set('off', off, off.length === 0);
  set('on', on, on.length === 0);
  set('parameters', parameters, Object.keys(parameters).length === 0);
  const trials = ['silent', 'rules'];
  const had = document.hasIn(trials);
  const dated = had ? (document.toJS() as Site).silent.rules : {};
  if (trial.length > 0) document.setIn(trials, document.createNode(onTrial(trial, dated)));
  else if (had) document.deleteIn(trials);
  return document.toString({ lineWidth: 0 });
}
