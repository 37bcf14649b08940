import { type Language, locales } from '../language.ts';

/** Formats a number for the language, with thousands separators. Fractions have one decimal from 10 on and two below. */
export function formatNumber(value: number, language: Language): string {
  const digits = decimals(value);
  return format(value, language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Formats an axis number as short as possible. */
export function formatTick(value: number, language: Language): string {
  return format(value, language, { maximumFractionDigits: 4 });
}

/** Formats a difference with its sign. */
export function formatDifference(value: number, language: Language): string {
  const digits = decimals(value);
  return format(value, language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'exceptZero',
  });
}

function decimals(value: number): number {
  return Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1;
}

function format(value: number, language: Language, options: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(locales[language], options).format(value);
}

/** Four to six round numbers from 0 to at least `most`, for an axis. */
export function ticksUpTo(most: number): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  // Multiplied, not summed: 0.1 + 0.2 is not 0.3.
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}
