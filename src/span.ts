import { z } from 'zod';
import { isPartial, type LocalDate, localDate } from './dates.ts';

/** Days from the first to the last, both of them included. Open where one is not said. */
export type Span = { from?: LocalDate | undefined; to?: LocalDate | undefined };

const day = z
  .string()
  .refine((text) => localDate(text, 'UTC') === text && !isPartial(text), 'write a date as 2026-03-14')
  .optional();

/** The keys of a span in a file that people write. */
export const spanKeys = { from: day, to: day };

/** For `refine`: what is over before it begins was written wrong. */
export const inOrder = [
  ({ from, to }: Span) => from === undefined || to === undefined || from <= to,
  { message: 'from must not be after to' },
] as const;

/** Whether a day lies in a span. Days of the site, whole ones. */
export function liesIn(today: LocalDate, { from, to }: Span): boolean {
  return (from === undefined || from <= today) && (to === undefined || today <= to);
}
