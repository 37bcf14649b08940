import { bars, lines } from '../report/chart.ts';
import { formatNumber } from '../report/numbers.ts';
import { type Block, columns } from '../report/page.ts';
import { type Figures, figureOf, type Period, type Rate } from './figures.ts';
import { compared, label, type Report, shown } from './report-tables.ts';

/** Maximum number of bars and of lines in a chart. The tables have everything. */
const BARS = 12;
const LINES = 6;

/** Each rule's figures over the whole time, at each hook. */
export function byRule(report: Report): Block[] {
  const { translate, rules, sites, first } = report;
  if (rules.length === 0) return [{ paragraph: translate('noCards') }];
  const charts = [
    ruleChart(report, 'chartOrders', 'orders', 'per100Orders'),
    ruleChart(report, 'chartVisits', 'visits', 'per100Visits'),
  ].flat();
  const perRule = (caption: string, rate: Rate): Block[] => {
    const rows = rules
      .map((rule): [string, ...(number | undefined)[]] => [
        label(first, rule),
        ...sites.map(({ figures }) => figureOf(figures.rules, rule, rate)),
      ])
      // A rule that never gives a card of its own at this hook has no row.
      .filter(([, ...values]) => values.some((one) => one !== undefined && one > 0));
    return rows.length > 0 ? [compared(report, translate(caption), translate('colRule'), rows)] : [];
  };
  if (sites.length > 1) {
    return [
      { paragraph: translate('byRuleText') },
      ...charts,
      ...perRule('chartOrders', 'per100Orders'),
      ...perRule('chartVisits', 'per100Visits'),
      ...perRule('colPer100Patients', 'per100Patients'),
      ...perRule('tablePatients', 'patients'),
      ...perRule('colSilent', 'silent'),
    ];
  }
  const rates: [string, Rate][] = [
    ['colCards', 'cards'],
    ['colPer100Orders', 'per100Orders'],
    ['colPer100Visits', 'per100Visits'],
    ['colPer100Patients', 'per100Patients'],
    ['colPatients', 'patients'],
    ['colRepeats', 'repeats'],
    ['colSpared', 'superseded'],
    ['colJoined', 'joined'],
  ];
  if (first.figures.silent > 0) rates.push(['colSilent', 'silent']);
  return [
    { paragraph: translate('byRuleText') },
    ...charts,
    {
      table: {
        caption: translate('tableRules'),
        columns: columns(
          [translate('colRule')],
          rates.map(([key]) => translate(key)),
        ),
        rows: rules.map((rule) => [
          label(first, rule),
          ...rates.map(([, rate]) => shown(figureOf(first.figures.rules, rule, rate))),
        ]),
      },
    },
  ];
}

function ruleChart(
  { translate, rules, sites, first, language }: Report,
  title: string,
  id: string,
  rate: Rate,
): Block[] {
  const rows = rules
    .map((rule) => ({
      label: label(first, rule),
      values: sites.map(({ figures }) => figureOf(figures.rules, rule, rate) ?? 0),
    }))
    .filter(({ values }) => values.some((one) => one > 0))
    .sort((a, b) => Math.max(...b.values) - Math.max(...a.values))
    .slice(0, BARS);
  const [most] = rows;
  if (!most) return [];
  const described = { rule: most.label, value: formatNumber(Math.max(...most.values), language) };
  const description = translate('chartText', described);
  const series = sites.map(({ name }) => name);
  return [{ chart: bars({ id, title: translate(title), description, language, series, rows }) }];
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
  const total = (rule: string, rate: Rate) => figureOf(first.figures.rules, rule, rate) ?? 0;
  const chart = (id: string, title: string, rate: Rate): Block => {
    const drawn = rules
      .filter((rule) => total(rule, rate) > 0)
      .sort((a, b) => total(b, rate) - total(a, rate))
      .slice(0, LINES);
    const series = drawn.map((rule) => ({ name: rule, values: single.map((of) => figureOf(of.rules, rule, rate)) }));
    return { chart: lines({ id, title: translate(title), description, language, labels: years, series }) };
  };
  const table = (title: string, rate: Rate): Block => ({
    table: {
      caption: translate(title),
      columns: columns([translate('colRule')], names),
      rows: rules
        .filter((rule) => total(rule, rate) > 0)
        .map((rule) => [
          label(first, rule),
          ...first.figures.periods.map((of) => shown(figureOf(of.rules, rule, rate))),
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
          columns: columns([''], names),
          rows: sites.map(({ name, figures }) => [name, ...all(figures.periods).map(shown)]),
        },
      },
    ];
  }
  return [
    chart('year-orders', 'chartYearOrders', 'per100Orders'),
    chart('year-patients', 'chartYearPatients', 'per100Patients'),
    table('chartYearOrders', 'per100Orders'),
    table('chartYearPatients', 'per100Patients'),
  ];
}
