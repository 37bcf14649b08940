import { bars, lines } from '../report/chart.ts';
import { formatNumber } from '../report/numbers.ts';
import type { Block } from '../report/page.ts';
import type { Figures, Period, RuleFigure } from './figures.ts';
import { compared, figureOf, label, type Report, shown } from './report-tables.ts';

/** Maximum number of bars and of lines in a chart. The tables have everything. */
const BARS = 12;
const LINES = 6;

/** Each rule's figures over the whole time, at each hook. */
export function byRule(report: Report): Block[] {
  const { translate, rules, sites, first } = report;
  if (rules.length === 0) return [{ paragraph: translate('noCards') }];
  const charts = [
    ruleChart(report, 'chartOrders', 'orders', ({ per100Orders }) => per100Orders),
    ruleChart(report, 'chartVisits', 'visits', ({ per100Visits }) => per100Visits),
  ].flat();
  const perRule = (caption: string, value: (rule: RuleFigure) => number | undefined): Block[] => {
    const rows = rules
      .map((rule): [string, ...(number | undefined)[]] => [
        label(first, rule),
        ...sites.map(({ figures }) => figureOf(figures.rules, rule, value)),
      ])
      // A rule that never gives a card of its own at this hook has no row.
      .filter(([, ...values]) => values.some((one) => one !== undefined && one > 0));
    return rows.length > 0 ? [compared(report, translate(caption), translate('colRule'), rows)] : [];
  };
  if (sites.length > 1) {
    return [
      { paragraph: translate('byRuleText') },
      ...charts,
      ...perRule('chartOrders', ({ per100Orders }) => per100Orders),
      ...perRule('chartVisits', ({ per100Visits }) => per100Visits),
      ...perRule('colPer100Patients', ({ per100Patients }) => per100Patients),
      ...perRule('tablePatients', ({ patients }) => patients),
      ...perRule('colSilent', ({ silent }) => silent),
    ];
  }
  const columns: [string, (rule: RuleFigure) => number | undefined][] = [
    ['colCards', ({ cards }) => cards],
    ['colPer100Orders', ({ per100Orders }) => per100Orders],
    ['colPer100Visits', ({ per100Visits }) => per100Visits],
    ['colPer100Patients', ({ per100Patients }) => per100Patients],
    ['colPatients', ({ patients }) => patients],
    ['colRepeats', ({ repeats }) => repeats],
    ['colSpared', ({ superseded }) => superseded],
    ['colJoined', ({ joined }) => joined],
    ...(first.figures.silent > 0 ? [['colSilent', ({ silent }) => silent] as (typeof columns)[number]] : []),
  ];
  return [
    { paragraph: translate('byRuleText') },
    ...charts,
    {
      table: {
        caption: translate('tableRules'),
        columns: [
          { heading: translate('colRule') },
          ...columns.map(([key]) => ({ heading: translate(key), numeric: true })),
        ],
        rows: rules.map((rule) => [
          label(first, rule),
          ...columns.map(([, value]) => shown(figureOf(first.figures.rules, rule, value))),
        ]),
      },
    },
  ];
}

function ruleChart(
  { translate, rules, sites, first, language }: Report,
  title: string,
  id: string,
  value: (rule: RuleFigure) => number | undefined,
): Block[] {
  const rows = rules
    .map((rule) => ({
      label: label(first, rule),
      values: sites.map(({ figures }) => figureOf(figures.rules, rule, value) ?? 0),
    }))
    .filter(({ values }) => values.some((one) => one > 0))
    .sort((a, b) => Math.max(...b.values) - Math.max(...a.values))
    .slice(0, BARS);
  const [most] = rows;
  if (!most) return [];
  const described = { rule: most.label, value: formatNumber(Math.max(...most.values), language) };
  const series = sites.map(({ name }) => name);
  return [
    {
      chart: bars({
        id,
        title: translate(title),
        description: translate('chartText', described),
        language,
        series,
        rows,
      }),
    },
  ];
}

/** Each rule's figures year by year; for two sites, those of all rules together. */
export function byYear(report: Report): Block[] {
  const { translate, sites, first, rules, language } = report;
  const names = first.figures.periods.map(({ name }) => name);
  // A point for several years among points for one would distort the line.
  const single = first.figures.periods.filter(({ from, to }) => from === to);
  const years = single.map(({ from }) => from);
  if (rules.length === 0 || years.length === 0) return [{ paragraph: translate('noCards') }];
  const description = translate('chartYearText', { from: years[0] as string, to: years.at(-1) as string });
  const chart = (id: string, title: string, value: (rule: RuleFigure) => number | undefined): Block => {
    const drawn = rules
      .filter((rule) => (figureOf(first.figures.rules, rule, value) ?? 0) > 0)
      .sort((a, b) => (figureOf(first.figures.rules, b, value) ?? 0) - (figureOf(first.figures.rules, a, value) ?? 0))
      .slice(0, LINES);
    const series = drawn.map((rule) => ({
      name: rule,
      values: single.map((of) => figureOf(of.rules, rule, value)),
    }));
    return { chart: lines({ id, title: translate(title), description, language, labels: years, series }) };
  };
  const table = (title: string, value: (rule: RuleFigure) => number | undefined): Block => ({
    table: {
      caption: translate(title),
      columns: [{ heading: translate('colRule') }, ...names.map((heading) => ({ heading, numeric: true }))],
      rows: rules
        .filter((rule) => (figureOf(first.figures.rules, rule, value) ?? 0) > 0)
        .map((rule) => [
          label(first, rule),
          ...first.figures.periods.map((of) => shown(figureOf(of.rules, rule, value))),
        ]),
    },
  });
  if (sites.length > 1) {
    const all = (periods: Period[]) =>
      periods.map(({ rules: of, patients }) =>
        patients > 0 ? (of.reduce((sum, { cards }) => sum + cards, 0) / patients) * 100 : undefined,
      );
    const alone = ({ periods }: Figures) => periods.filter(({ from, to }) => from === to);
    const series = sites.map(({ name, figures }) => ({ name, values: all(alone(figures)) }));
    const title = `${translate('chartYearPatients')} (${translate('allRules')})`;
    return [
      { chart: lines({ id: 'years', title, description, language, labels: years, series }) },
      {
        table: {
          caption: title,
          columns: [{ heading: '' }, ...names.map((heading) => ({ heading, numeric: true }))],
          rows: sites.map(({ name, figures }) => [name, ...all(figures.periods).map(shown)]),
        },
      },
    ];
  }
  return [
    chart('year-orders', 'chartYearOrders', ({ per100Orders }) => per100Orders),
    chart('year-patients', 'chartYearPatients', ({ per100Patients }) => per100Patients),
    table('chartYearOrders', ({ per100Orders }) => per100Orders),
    table('chartYearPatients', ({ per100Patients }) => per100Patients),
  ];
}
