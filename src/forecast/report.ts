import { partOf } from '../fhir/prefetch.ts';
import type { Translate } from '../knowledge/pages.ts';
import type { Language } from '../language.ts';
import { bars } from '../report/chart.ts';
import { formatNumber } from '../report/numbers.ts';
import { type Block, type Cell, columns, page, type Section } from '../report/page.ts';
import { speaking } from './figures.ts';
import { burdens } from './replay.ts';
import { byRule, byYear } from './report-rules.ts';
import { type Measure, measures, type Report, type ReportSite } from './report-tables.ts';
import type { Forecast } from './run.ts';

/** Number of medicine names shown; the JSON has all. */
const NAMES = 40;

/** The forecast as one page for a committee. Pure. */
export function forecastPage(found: Forecast, sites: ReportSite[], language: Language, translate: Translate): string {
  const first = sites[0] as ReportSite;
  const { figures, tally } = first;
  const report: Report = {
    found,
    sites,
    first,
    rules: speaking(sites.map((site) => site.figures)),
    language,
    translate,
  };
  const [from = '', to = ''] = [figures.years[0], figures.years.at(-1)];
  const { patients, orders, visits } = figures;
  return page({
    language,
    title: translate('title'),
    subtitle: translate('subtitle', { patients, orders, visits, from, to }),
    sections: [
      section(report, 'short', [
        ...(tally.synthetic === tally.patients ? [{ paragraph: translate('synthetic') }] : []),
        { paragraph: translate('shortText') },
        ...inShort(report),
      ]),
      section(report, 'byRule', byRule(report)),
      section(report, 'byYear', byYear(report)),
      section(report, 'burden', burdenBlocks(report)),
      section(report, 'repeats', [
        { paragraph: translate('repeatsText') },
        measures(report, 'repeats', [
          ['rowRepeats', (of) => of.repeats],
          ['rowRepeats30', (of) => of.repeats30],
          ['rowRepeats90', (of) => of.repeats90],
          ['rowQuiet', (of) => of.quiet],
          ['rowSpared', (of) => of.superseded],
          ['rowJoined', (of) => of.joined],
          ...(sites.some(({ figures }) => figures.silent > 0) ? [['rowSilent', (of) => of.silent] as Measure] : []),
        ]),
        {
          paragraph: translate(
            sites.some(({ rules }) => rules.some(({ quietDays }) => quietDays)) ? 'quiet' : 'quietNone',
          ),
        },
      ]),
      section(report, 'notChecked', [
        { paragraph: translate('notCheckedText') },
        measures(report, 'notChecked', [
          ['rowNotChecked', (of) => of.notChecked],
          ['rowRefusals', (of) => of.refusals],
        ]),
      ]),
      section(report, 'unrecognised', unrecognised(report)),
      section(report, 'limits', [
        {
          list: ['Behaviour', 'Stopped', 'Changed', 'Others', 'Select', 'Visits'].map((what) =>
            translate(`limit${what}`),
          ),
        },
      ]),
      section(report, 'input', inputBlocks(report)),
    ],
    footer: [
      translate('footerRules', { fingerprint: first.fingerprint, hooks: found.replay.hooks.join(', ') }),
      translate('footerLocal'),
    ],
  });
}

function section({ translate }: Report, heading: string, blocks: Block[]): Section {
  return { heading: translate(heading), blocks };
}

function inShort(report: Report): Block[] {
  const { sites, translate, first, language } = report;
  const number = (value: number | undefined) => (value === undefined ? '–' : formatNumber(value, language));
  const { figures } = first;
  if (sites.length === 1) {
    return [
      {
        figures: [
          { value: number(figures.ordersWithCard), label: translate('ordersWithCard') },
          { value: number(figures.visitsWithCard), label: translate('visitsWithCard') },
          { value: number(figures.cardsPer100Patients), label: translate('cardsPer100Patients') },
          {
            value: figures.patientsWithCard,
            label: translate('patientsWithCard'),
            note: translate('ofPatients', { patients: figures.patients }),
          },
        ],
      },
    ];
  }
  return [
    { paragraph: translate('compared', { first: first.name, second: sites[1]?.name ?? '' }) },
    measures(report, 'overview', [
      ['ordersWithCard', (of) => of.ordersWithCard],
      ['visitsWithCard', (of) => of.visitsWithCard],
      ['cardsPer100Patients', (of) => of.cardsPer100Patients],
      ['patientsWithCard', (of) => of.patientsWithCard],
    ]),
  ];
}

function burdenBlocks({ translate, sites, first, language }: Report): Block[] {
  const rows = burdens.map((range) => ({
    label: translate('burdenRow', { range: range.replace('-', '–') }),
    values: sites.map(({ tally }) => tally.burden[range] ?? 0),
  }));
  const described = { none: first.tally.burden['0'] ?? 0, all: first.figures.patientYears };
  const description = translate('chartBurdenText', described);
  const series = sites.map(({ name }) => name);
  return [
    { paragraph: translate('burdenText') },
    { chart: bars({ id: 'burden', title: translate('chartBurden'), description, language, series, rows }) },
  ];
}

function unrecognised({ translate, first }: Report): Block[] {
  const { unrecognised: all } = first.figures;
  if (all.length === 0) return [{ paragraph: translate('unrecognisedNone') }];
  return [
    { paragraph: translate('unrecognisedText') },
    {
      table: {
        caption: translate('tableUnrecognised'),
        columns: columns(
          ['colName', 'colSystem', 'colCode'].map((key) => translate(key)),
          [translate('colOrders')],
        ),
        rows: all
          .slice(0, NAMES)
          .map(({ name, system, code, orders }) => [name || '–', system || '–', code || '–', orders]),
      },
    },
    ...(all.length > NAMES ? [{ paragraph: translate('unrecognisedMore', { count: all.length - NAMES }) }] : []),
  ];
}

function inputBlocks({ translate, found, first: { tally } }: Report): Block[] {
  const none = Object.values(partOf)
    .map(({ type }) => type)
    .filter((type) => !tally.resources[type]);
  return [
    {
      table: {
        caption: translate('tableInput'),
        columns: columns([translate('colMeasure')], [translate('colCount')]),
        rows: [
          [translate('rowFiles'), found.files],
          ...Object.entries(tally.resources),
          [translate('rowDamage'), found.damage.count],
          [translate('rowFailures'), found.failures.count],
          ...Object.entries(tally.skipped).map(([why, count]): Cell[] => [translate(`skip-${why}`), count]),
        ],
      },
    },
    ...(none.length > 0 ? [{ paragraph: translate('absentTypes', { types: none.join(', ') }) }] : []),
  ];
}
