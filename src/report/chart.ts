import type { Language } from '../language.ts';
import { escapeHtml, type Markup } from './markup.ts';
import { formatNumber, formatTick, ticksUpTo } from './numbers.ts';

type Described = {
  /** Unique on its page: a letter, then letters, digits and hyphens. */
  id: string;
  /** Shown above the chart. */
  title: string;
  /** A sentence that describes the chart to those who cannot see it. */
  description: string;
  language: Language;
};

export type Bars = Described & {
  /** One name per value of a row. */
  series: string[];
  rows: { label: string; values: number[] }[];
  /** Stacked on one bar, or one bar per value. */
  stacked?: boolean;
};

export type Lines = Described & {
  /** Labels of the horizontal axis: years, months, days. */
  labels: string[];
  /** One value per label; an undefined value interrupts the line. */
  series: { name: string; values: (number | undefined)[] }[];
  /** A value holds until the next one, as for a count. */
  step?: boolean;
};

/** Number of colours and patterns; further series start again from the first. */
const SERIES_COUNT = 6;
/** Length of the longest bar, in percent: leaves room for its number. */
const LONGEST_BAR = 84;
const BAR_HEIGHT = 18;

/**
 * Horizontal bars, one row per category with its name above and the numbers on the bars. Widths are percentages of the
 * drawing and heights are pixels, so that the text keeps its size on a phone.
 */
export function bars(chart: Bars): Markup {
  const { series, rows, stacked = false, language } = chart;
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  const most = Math.max(...rows.flatMap(({ values }) => (stacked ? [total(values)] : values)), 0) || 1;
  const height = 24 + (stacked ? 1 : series.length) * (BAR_HEIGHT + 3) + 8;
  const drawn = rows.map(({ label, values }, at) => {
    const top = at * height;
    const name = `<text x="0" y="${top + 15}">${escapeHtml(shortened(label))}</text>`;
    const bar = stacked
      ? stackedBar(chart.id, values, most, top + 22, language)
      : values
          .map((value, of) => plainBar(chart.id, value, of, most, top + 22 + of * (BAR_HEIGHT + 3), language))
          .join('');
    const axis = `<line class="axis" x1="0" x2="0" y1="${top + 20}" y2="${top + height - 8}"/>`;
    return name + bar + axis;
  });
  return figure(
    chart,
    series.length > 1 ? series.map((name, at) => swatch(chart.id, name, at)) : [],
    [patterns(chart.id, series.length), ...drawn],
    Math.max(rows.length * height, 30),
  );
}

function plainBar(id: string, value: number, of: number, most: number, top: number, language: Language): string {
  const width = share(value, most);
  return `${rectangle(id, 0, width, of, top)}<text class="value" x="${width}%" dx="6" y="${top + 14}">${formatNumber(value, language)}</text>`;
}

function stackedBar(id: string, values: number[], most: number, top: number, language: Language): string {
  let from = 0;
  const parts = values.map((value, of) => {
    const width = share(value, most);
    const x = from;
    from += width;
    // A number that does not fit its part appears only in the table.
    const text = `<text class="value on" x="${round(x + width / 2)}%" y="${top + 14}">${formatNumber(value, language)}</text>`;
    return rectangle(id, round(x), width, of, top) + (width >= 8 ? text : '');
  });
  const sum = values.reduce((all, value) => all + value, 0);
  return `${parts.join('')}<text class="value" x="${round(from)}%" dx="6" y="${top + 14}">${formatNumber(sum, language)}</text>`;
}

function rectangle(id: string, x: number, width: number, of: number, top: number): string {
  return width > 0
    ? `<rect x="${x}%" width="${width}%" y="${top}" height="${BAR_HEIGHT}" fill="url(#${id}-p${of % SERIES_COUNT})"/>`
    : '';
}

/** Height of the plot and of the space above and below it, in pixels. */
const PLOT_HEIGHT = 200;
const SPACE_ABOVE = 24;
const SPACE_BELOW = 26;
/** Space to the left of the plot for the axis numbers, and to its right, in percent of the width. */
const LEFT_PERCENT = 13;
const RIGHT_PERCENT = 3;

/** Lines or steps over time, each with its own dashes and marks, on an axis that starts at 0. */
export function lines(chart: Lines): Markup {
  const { labels, series, language } = chart;
  const ticks = ticksUpTo(Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0));
  const most = ticks.at(-1) as number;
  const y = (value: number) => round(SPACE_ABOVE + PLOT_HEIGHT - (value / most) * PLOT_HEIGHT);
  const x = (at: number) =>
    round(LEFT_PERCENT + (labels.length < 2 ? 0.5 : at / (labels.length - 1)) * (100 - LEFT_PERCENT - RIGHT_PERCENT));
  const grid = ticks.map(
    (tick) =>
      `<line class="${tick === 0 ? 'axis' : 'grid'}" x1="${LEFT_PERCENT - 2}%" x2="100%" y1="${y(tick)}" y2="${y(tick)}"/><text class="tick" x="0" y="${y(tick) + 4}">${formatTick(tick, language)}</text>`,
  );
  const every = Math.max(1, Math.ceil(labels.length / 6));
  const below = labels.map((label, at) =>
    at % every === 0
      ? `<line class="axis" x1="${x(at)}%" x2="${x(at)}%" y1="${SPACE_ABOVE + PLOT_HEIGHT}" y2="${SPACE_ABOVE + PLOT_HEIGHT + 5}"/><text class="tick" text-anchor="${anchorOf(at, labels.length)}" x="${x(at)}%" y="${SPACE_ABOVE + PLOT_HEIGHT + 19}">${escapeHtml(label)}</text>`
      : '',
  );
  const drawn = series.map(({ values }, of) => lineOf(values, of, x, y, chart.step ?? false));
  return figure(
    chart,
    series.length > 1 ? series.map(({ name }, at) => lineSwatch(name, at)) : [],
    [...grid, ...below, ...drawn],
    SPACE_ABOVE + PLOT_HEIGHT + SPACE_BELOW,
  );
}

function anchorOf(at: number, count: number): string {
  if (count < 2) return 'middle';
  return at === count - 1 ? 'end' : 'middle';
}

/** Draws each stretch as a separate line, because only lines accept percentages for their ends. */
function lineOf(
  values: (number | undefined)[],
  of: number,
  x: (at: number) => number,
  y: (value: number) => number,
  step: boolean,
): string {
  const stretches = values.flatMap((value, at) => {
    const before = values[at - 1];
    if (value === undefined || before === undefined) return [];
    const line = (from: number, to: number, x1: number, x2: number) =>
      `<line class="series c${of % SERIES_COUNT}" x1="${x1}%" x2="${x2}%" y1="${from}" y2="${to}"/>`;
    return step
      ? [line(y(before), y(before), x(at - 1), x(at)), line(y(before), y(value), x(at), x(at))]
      : [line(y(before), y(value), x(at - 1), x(at))];
  });
  // Many points are too close for marks: then only the last point of a line has one.
  const marked = (at: number) => values.length <= 40 || values[at + 1] === undefined;
  const marks = values.map((value, at) =>
    value === undefined || !marked(at) ? '' : `<svg x="${x(at)}%" y="${y(value)}" overflow="visible">${mark(of)}</svg>`,
  );
  return stretches.join('') + marks.join('');
}

function mark(of: number): string {
  const shapes = [
    '<circle r="4"',
    '<path d="M-4-4h8v8h-8z"',
    '<path d="M0-5 5 4H-5z"',
    '<path d="M0-5 5 0 0 5-5 0z"',
    '<path d="M-5-4H5L0 5z"',
    '<path d="M-4-4 4 4M-4 4 4-4"',
  ];
  return `${shapes[of % SERIES_COUNT]} class="mark c${of % SERIES_COUNT}"/>`;
}

function figure({ id, title, description }: Described, legend: string[], content: string[], height: number): Markup {
  const key = legend.length > 0 ? `<ul class="legend" aria-hidden="true">${legend.join('')}</ul>` : '';
  return {
    html: `<figure>
<figcaption>${escapeHtml(title)}</figcaption>
${key}<svg class="chart" role="img" aria-labelledby="${id}-t ${id}-d" width="100%" height="${height}">
<title id="${id}-t">${escapeHtml(title)}</title>
<desc id="${id}-d">${escapeHtml(description)}</desc>
${content.join('\n')}
</svg>
</figure>`,
  };
}

function swatch(id: string, name: string, of: number): string {
  return `<li><svg width="18" height="14"><rect width="18" height="14" fill="url(#${id}-p${of % SERIES_COUNT})"/></svg>${escapeHtml(name)}</li>`;
}

function lineSwatch(name: string, of: number): string {
  return `<li><svg width="30" height="14"><line class="series c${of % SERIES_COUNT}" x1="0" x2="30" y1="7" y2="7"/><svg x="15" y="7" overflow="visible">${mark(of)}</svg></svg>${escapeHtml(name)}</li>`;
}

/** Series differ by their pattern; colour only helps. */
function patterns(id: string, count: number): string {
  const over = [
    '',
    '<path d="M-2 2l4-4M0 8l8-8M6 10l4-4"/>',
    '<circle cx="4" cy="4" r="1.5"/>',
    '<path d="M0 4h8"/>',
    '<path d="M0 0l8 8M8 0L0 8"/>',
    '<path d="M4 0v8"/>',
  ];
  const all = Array.from(
    { length: Math.min(count, SERIES_COUNT) },
    (_, of) =>
      `<pattern id="${id}-p${of}" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="f${of}" width="8" height="8"/><g class="over">${over[of]}</g></pattern>`,
  );
  return `<defs>${all.join('')}</defs>`;
}

function share(value: number, most: number): number {
  return round((Math.max(0, value) / most) * LONGEST_BAR);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Shortens a name that is wider than a phone. */
function shortened(label: string): string {
  const letters = [...label];
  return letters.length > 46 ? `${letters.slice(0, 45).join('')}…` : label;
}
