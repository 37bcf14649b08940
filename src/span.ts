import { z } from 'zod';
import { isPartial, type LocalDate, localDate } from './dates.ts';

/** From the first to the last day, both included. Open where a day is absent. */
export type Span = { from?: LocalDate | undefined; to?: LocalDate | undefined };

const day = z
  .string()
  .refine((text) => localDate(text, 'UTC') === text && !isPartial(text), 'write a date as 2026-03-14')
  .optional();

/** The keys of a span in a settings file. */
export const spanKeys = { from: day, to: day };

/** For `refine`: a span must not end before it begins. */
export const inOrder = [
  ({ from, to }: Span) => from === undefined || to === undefined || from <= to,
  { message: 'from must not be after to' },
] as const;

/** Whether a local day is in a span. */
export function liesIn(today: LocalDate, { from, to }: Span): boolean {
  return (from === undefined || from <= today) && (to === undefined || today <= to);
}
