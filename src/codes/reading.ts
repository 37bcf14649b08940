import type { CodeFile } from './schema.ts';
import { type CompiledWording, compileWording, wordsOf } from './words.ts';

/** How texts of orders are read: units of time and of counting, lengths, and purposes. */
export type Reading = {
  /** A unit in lower case → its number of days or months. */
  durations: Map<string, { days: number } | { months: number }>;
  countingUnits: Set<string>;
  length: { notAfter: Set<string>; notWith: Set<string>; ranges: Set<string>; notFollowedBy: string[][] };
  /** Language → its words of time, and how it writes a last day: `till och med {end}`. */
  lastDay: { words: Set<string>; text: string }[];
  /** What a text may say, by the name that facts use. */
  says: Map<string, CompiledWording>;
};

const LENGTHS = {
  seconds: { days: 1 / 86400 },
  minutes: { days: 1 / 1440 },
  hours: { days: 1 / 24 },
  days: { days: 1 },
  weeks: { days: 7 },
  months: { months: 1 },
  years: { months: 12 },
};

export function compileReading(files: CodeFile[]): Reading {
  const reading = files.flatMap((file) => file.reading ?? [])[0];
  const lower = (words: string[] | undefined) => new Set((words ?? []).map((word) => word.toLowerCase()));
  return {
    durations: new Map(
      Object.entries(LENGTHS).flatMap(([unit, length]) =>
        [...lower(reading?.durations[unit as keyof typeof LENGTHS])].map((word) => [word, length] as const),
      ),
    ),
    countingUnits: lower(reading?.countingUnits),
    length: {
      notAfter: lower(reading?.length.notAfter),
      notWith: lower(reading?.length.notWith),
      ranges: lower(reading?.length.ranges),
      notFollowedBy: (reading?.length.notFollowedBy ?? []).map(wordsOf),
    },
    lastDay: Object.values(reading?.lastDay ?? {}).map(({ words, text }) => ({ words: lower(words), text })),
    says: new Map(
      files.flatMap(({ says }) =>
        Object.entries(says ?? {}).map(([name, wording]) => [name, compileWording(wording)] as const),
      ),
    ),
  };
}
