import type { Translate } from '../knowledge/pages.ts';
import type { Language } from '../language.ts';
import { formatDifference } from '../report/numbers.ts';
import { type Block, type Cell, columns } from '../report/page.ts';
import type { Figures } from './figures.ts';
import type { Forecast, SiteForecast } from './run.ts';

export type ReportSite = SiteForecast & { figures: Figures };

/** The data of every part of the page. */
export type Report = {
  found: Forecast;
  sites: ReportSite[];
  first: ReportSite;
  /** Rules with any count, most cards first. */
  rules: string[];
  language: Language;
  translate: Translate;
};

export type Measure = [string, (of: Figures) => number | undefined];

/** One row per measure, one column per site, and the difference of two. */
export function measures(report: Report, caption: string, rows: Measure[]): Block {
  const { translate, sites } = report;
  return compared(
    report,
    translate(caption),
    translate('colMeasure'),
    rows.map(([key, value]) => [translate(key), ...sites.map(({ figures }) => value(figures))]),
    sites.length > 1 ? undefined : translate('colCount'),
  );
}

/** Rows with a value for each site. */
export function compared(
  { translate, sites, language }: Report,
  caption: string,
  heading: string,
  rows: [string, ...(number | undefined)[]][],
  only?: string,
): Block {
  const names = only === undefined ? sites.map(({ name }) => name) : [only];
  const several = names.length > 1;
  return {
    table: {
      caption,
      columns: columns([heading], [...names, ...(several ? [translate('colDifference')] : [])]),
      rows: rows.map(([name, ...values]): Cell[] => [
        name,
        ...values.map(shown),
        ...(several ? [difference(values, language)] : []),
      ]),
    },
  };
}

export function shown(value: number | undefined): Cell {
  return value ?? '–';
}

function difference([first, second]: (number | undefined)[], language: Language): Cell {
  return first === undefined || second === undefined ? '–' : formatDifference(second - first, language);
}

/** The name of a rule: its id, and its recommendation. */
export function label({ figures }: ReportSite, id: string): string {
  const rule = figures.rules.find((one) => one.rule === id);
  return rule ? `${id} (${rule.recommendation})` : id;
}
