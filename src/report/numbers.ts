import { type Language, locales } from '../language.ts';

/** A number as the language writes it: thousands apart; where it is not whole, one decimal from 10 on and two below. */
export function formatNumber(value: number, language: Language): string {
  const digits = decimals(value);
  return format(value, language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A number of an axis: as short as it can be written. */
export function formatTick(value: number, language: Language): string {
  return format(value, language, { maximumFractionDigits: 4 });
}

/** How much more or less, with its sign. */
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

/** Round numbers from 0 to at least `most`, four to six of them, for an axis. */
export function ticksUpTo(most: number): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  // Multiplied, not summed: 0.1 + 0.2 is not 0.3.
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}
