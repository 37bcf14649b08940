import { type Figures, figureOf, type Rate, speaking } from './figures.ts';
import { burdens } from './replay.ts';
import type { SiteForecast } from './run.ts';

type Row = (string | number | undefined)[];

/** The columns of one site's rules. */
const COLUMNS: [heading: string, rate: Rate][] = [
  ['cards', 'cards'],
  ['per 100 orders', 'per100Orders'],
  ['per 100 visits', 'per100Visits'],
  ['per 100 patients a year', 'per100Patients'],
  ['patients', 'patients'],
  ['repeats', 'repeats'],
  ['spared', 'superseded'],
  ['joined', 'joined'],
  ['on trial', 'silent'],
];

/** The figures as text for a terminal. Pure. */
export function forecastTable(sites: (Pick<SiteForecast, 'name' | 'tally'> & { figures: Figures })[]): string {
  const figures = sites.map((site) => site.figures);
  const [first] = figures as [Figures];
  const several = sites.length > 1;
  const rules = speaking(figures);
  const each = (name: string, value: (of: Figures) => number | undefined): Row => [
    name,
    ...figures.map(value),
    ...difference(figures.map(value)),
  ];
  const trial = figures.some(({ silent }) => silent > 0);
  const columns = COLUMNS.filter(([, rate]) => trial || rate !== 'silent');
  const heading = (title: string): Row => [title, ...sites.map(({ name }) => name), ...(several ? ['difference'] : [])];
  const perRule = (title: string, rate: Rate): string =>
    table([heading(title), ...rules.map((rule) => each(rule, (of) => figureOf(of.rules, rule, rate)))]);
  const blocks = [
    table([
      heading(''),
      each('patients', (of) => of.patients),
      each('patient years', (of) => of.patientYears),
      each('orders signed', (of) => of.orders),
      each('visits opened', (of) => of.visits),
      each('cards', (of) => of.cards),
      each('of 100 orders, with a card', (of) => of.ordersWithCard),
      each('of 100 visits, with a card', (of) => of.visitsWithCard),
      each('cards per 100 patients a year', (of) => of.cardsPer100Patients),
      each('patients with a card', (of) => of.patientsWithCard),
      each('repeats: same rule, same medicines, same patient', (of) => of.repeats),
      each('  of these within 30 days', (of) => of.repeats30),
      each('  of these within 90 days', (of) => of.repeats90),
      each('spared by the quiet period of the site, at most', (of) => of.quiet),
      each('spared by precedence', (of) => of.superseded),
      each('joined the card of their family', (of) => of.joined),
      ...(trial ? [each('cards of rules on trial, which would not be shown', (of) => of.silent)] : []),
      each('cards that say what was not checked', (of) => of.notChecked),
      each('no answer, medication list incomplete', (of) => of.refusals),
    ]),
    several
      ? perRule('cards per 100 orders signed', 'per100Orders')
      : table([
          ['rule', ...columns.map(([title]) => title)],
          ...rules.map((rule): Row => [rule, ...columns.map(([, rate]) => figureOf(first.rules, rule, rate))]),
        ]),
    ...(several
      ? [
          perRule('cards per 100 patients a year', 'per100Patients'),
          perRule('patients', 'patients'),
          perRule('repeats', 'repeats'),
          perRule('spared by precedence', 'superseded'),
          ...(trial ? [perRule('cards on trial', 'silent')] : []),
        ]
      : [
          yearTable('cards per 100 orders, by year', first, rules, 'per100Orders'),
          yearTable('cards per 100 patients, by year', first, rules, 'per100Patients'),
        ]),
    table([
      ['cards in a year', ...sites.map(({ name }) => `patient years: ${name}`)],
      ...burdens.map((burden): Row => [burden, ...sites.map(({ tally }) => tally.burden[burden] ?? 0)]),
    ]),
    table([
      ['medicine not recognised', 'system', 'code', 'orders'],
      ...first.unrecognised.slice(0, 20).map(({ name, system, code, orders }): Row => [name, system, code, orders]),
    ]),
    table([
      ['not replayed', ...sites.map(({ name }) => name)],
      ...Object.keys(sites[0]?.tally.skipped ?? {}).map(
        (why): Row => [why, ...sites.map(({ tally }) => tally.skipped[why] ?? 0)],
      ),
    ]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function yearTable(title: string, { periods }: Figures, rules: string[], rate: Rate): string {
  return table([
    [title, ...periods.map(({ name }) => name)],
    ...rules.map((rule): Row => [rule, ...periods.map((of) => figureOf(of.rules, rule, rate))]),
  ]);
}

/** For two sites, how much more the second has. */
function difference(values: (number | undefined)[]): Row {
  const [first, second] = values;
  return values.length < 2 ? [] : [first === undefined || second === undefined ? undefined : second - first];
}

function table(rows: Row[]): string {
  if (rows.length < 2) return `${rows[0]?.[0] ?? ''}: none`;
  const cells = rows.map((row) => row.map(text));
  const widths = cells.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(all[at] ?? 0, cell.length)), []);
  const textual = (at: number) => at === 0 || rows.slice(1).some((row) => typeof row[at] === 'string');
  return cells
    .map((row) =>
      row
        .map((cell, at) => (textual(at) ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function text(cell: Row[number]): string {
  if (typeof cell !== 'number') return cell ?? '-';
  return Number.isInteger(cell) ? String(cell) : cell.toFixed(Math.abs(cell) < 10 ? 2 : 1);
}
