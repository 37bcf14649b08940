import { z } from 'zod';
import { parseJson } from '../fhir/json.ts';
import { addNamed, type Named, noneNamed } from './named.ts';
import { UnusableInput } from './patients.ts';
import type { Forecast } from './run.ts';
import type { Share } from './share.ts';
import { addTally, emptyTally, finished, tallySchema } from './tally.ts';

const count = z.int().min(0);
const found = { file: z.string(), line: count };

const rule = z.strictObject({
  id: z.string(),
  recommendation: z.string(),
  hooks: z.array(z.string()),
  off: z.boolean(),
  quietDays: z.number().optional(),
});

/** The file of a shard: its sums, without any patient, and what they belong to. */
const shardFile = z.strictObject({
  forecastShard: z.strictObject({ index: z.int().min(1), count: z.int().min(1) }),
  key: z.string(),
  replay: z.strictObject({ hooks: z.array(z.string()), absent: z.array(z.string()) }),
  files: count,
  damage: z.strictObject({ count, named: z.array(z.strictObject({ ...found, why: z.string() })) }),
  failures: z.strictObject({ count, named: z.array(z.strictObject({ ...found, error: z.string() })) }),
  sites: z
    .array(z.strictObject({ name: z.string(), fingerprint: z.string(), rules: z.array(rule), tally: tallySchema }))
    .min(1),
});

type ShardFile = Omit<Forecast, 'resumed'> & { forecastShard: Share };

export function shardText({ resumed: _, ...found }: Forecast, share: Share): string {
  return `${JSON.stringify({ forecastShard: share, ...found } satisfies ShardFile)}\n`;
}

/**
 * The forecast that one run would have given, from the files of all its shards. Throws `UnusableInput` if one is
 * missing, duplicate, of another forecast or not a shard.
 */
export function mergeShards(files: { name: string; text: string }[]): Forecast {
  const shards = files.map(({ name, text }) => ({ name, ...readShard(name, text) }));
  shards.sort((a, b) => a.forecastShard.index - b.forecastShard.index);
  const [first] = shards;
  if (!first) throw new UnusableInput('There is no shard to merge.');
  for (const [at, { name, key, forecastShard }] of shards.entries()) {
    const before = shards[at - 1];
    if (key !== first.key)
      throw new UnusableInput(
        `${name}: not from the same forecast as ${first.name}: its input, rules or options differ.`,
      );
    if (before?.forecastShard.index === forecastShard.index)
      throw new UnusableInput(`${before.name} and ${name} are the same shard, ${forecastShard.index}.`);
  }
  const there = new Set(shards.map(({ forecastShard }) => forecastShard.index));
  const all = Array.from({ length: first.forecastShard.count }, (_, at) => at + 1);
  const missing = all.filter((index) => !there.has(index));
  if (missing.length > 0) throw new UnusableInput(`Of ${all.length} shards these are missing: ${missing.join(', ')}.`);
  const { key, replay, sites } = first;
  return {
    key,
    replay,
    files: first.files,
    sites: sites.map((site, at) => {
      const sum = emptyTally();
      for (const shard of shards) addTally(sum, (shard.sites[at] as ShardFile['sites'][number]).tally);
      return { ...site, tally: finished(sum) };
    }),
    damage: joined(shards.map(({ damage }) => damage)),
    failures: joined(shards.map(({ failures }) => failures)),
    resumed: 0,
  };
}

function joined<T extends { file: string; line: number }>(lists: Named<T>[]): Named<T> {
  const sum = noneNamed<T>();
  for (const list of lists) addNamed(sum, list);
  return sum;
}

function readShard(name: string, text: string): ShardFile {
  const value = parseJson(text);
  if (value === undefined) throw new UnusableInput(`${name}: not valid JSON, so not a shard of a forecast.`);
  const parsed = shardFile.safeParse(value);
  // JSON leaves out undefined values, such as a rule's quiet days.
  if (parsed.success) return parsed.data as unknown as ShardFile;
  const [problem] = parsed.error.issues;
  throw new UnusableInput(
    `${name}: not a shard of a forecast (${problem?.path.join('.') || 'the file'}: ${problem?.message})`,
  );
}
