import type { Knowledge } from '../cards/knowledge.ts';
import { type Outcome, onTrial, type RuleSummary, type Summary, shownRules } from '../journal/summary.ts';
import type { Translate } from '../knowledge/pages.ts';
import { type Language, locales, type Texts } from '../language.ts';
import { bars, lines } from '../report/chart.ts';
import { type Block, type Cell, columns, page, type Section } from '../report/page.ts';

export type PageOptions = {
  translate: Translate;
  language: Language;
  knowledge: Pick<Knowledge, 'cards' | 'rules' | 'site'>;
  client: string | undefined;
};

/** Number of lines that a reader can tell apart. */
const LINES = 5;

/** The summary as a self-contained HTML file. Pure. */
export function reportPage(summary: Summary, options: PageOptions): string {
  const { translate, language, client } = options;
  const { since, until } = summary;
  const span = { since: dateIn(since, language), until: dateIn(until, language) };
  return page({
    language,
    title: translate('title'),
    subtitle: client === undefined ? translate('subtitle', span) : translate('subtitleClient', { ...span, client }),
    sections: [
      inShort(summary, options),
      ...(shownRules(summary).length > 0
        ? [outcomes(summary, options), table(summary, options), reasons(summary, options)]
        : []),
      ...(summary.rules.some((rule) => rule.trial > 0) ? [trial(summary, options)] : []),
      ...(summary.rules.length > 0 ? [meaning(summary, options)] : []),
    ],
    footer: [translate('footer')],
  });
}

function inShort({ calls, rules, strays }: Summary, { translate, language, knowledge }: PageOptions): Section {
  const sum = (value: (rule: RuleSummary) => number) => rules.reduce((all, rule) => all + value(rule), 0);
  const shown = sum((rule) => rule.shown);
  const withFeedback = sum((rule) => rule.shown - rule.withoutFeedback);
  const refused = calls.reduce((all, call) => all + call.refused, 0);
  const asked = calls.reduce((all, call) => all + call.answered, 0) + refused;
  const rate = withFeedback > 0 ? sum((rule) => rule.overridden) / withFeedback : undefined;
  const limit = knowledge.site.journal.overrideLimit;
  const said = strays > 0 ? [{ paragraph: translate('strays', { count: strays }) }] : [];
  return {
    heading: translate('short'),
    blocks: [
      {
        figures: [
          { value: asked, label: translate('calls'), note: translate('callsNote', { refused }) },
          {
            value: shown,
            label: translate('cards'),
            ...(asked > 0 && { note: translate('cardsNote', { per100: rounded((100 * shown) / asked) }) }),
          },
          { value: withFeedback, label: translate('withFeedback'), note: translate('withFeedbackNote') },
          { value: percent(rate, language), label: translate('overrideRate'), note: translate('overrideRateNote') },
        ],
      },
      {
        paragraph:
          shown === 0
            ? translate('nothing')
            : translate('aboveLimit', { count: rules.filter((rule) => rule.aboveLimit).length, limit }),
      },
      ...(shown === 0 ? [] : [{ paragraph: translate('readingHint') }]),
      ...said,
    ],
  };
}

function outcomes(summary: Summary, { translate, language }: PageOptions): Section {
  const { periods } = summary;
  const rules = shownRules(summary);
  const most = rules.toSorted((a, b) => b.shown - a.shown).slice(0, LINES);
  const labels = periods.map((day) => dateIn(day, language, 'short'));
  const over = (id: string, title: string, values: (rule: RuleSummary) => number[]) => ({
    chart: lines({
      id,
      title: translate(title),
      description: translate('overTimeDescription'),
      language,
      labels,
      series: most.map((rule) => ({ name: rule.rule, values: values(rule) })),
      step: true,
    }),
  });
  return {
    heading: translate('outcomes'),
    blocks: [
      {
        chart: bars({
          id: 'outcomes',
          title: translate('outcomesChart'),
          description: translate('outcomesDescription'),
          language,
          stacked: true,
          series: [translate('accepted'), translate('overridden'), translate('withoutFeedback')],
          // A card that was accepted and then overridden counts by its last outcome.
          rows: rules.map((rule) => ({
            label: nameOf(rule),
            values: [rule.shown - rule.withoutFeedback - rule.overridden, rule.overridden, rule.withoutFeedback],
          })),
        }),
      },
      ...(periods.length > 1
        ? [
            over('shown', 'overTime', (rule) => rule.over.shown),
            over('overridden', 'rateOverTime', (rule) => rule.over.overridden),
          ]
        : []),
    ],
  };
}

function table(summary: Summary, options: PageOptions): Section {
  const { translate, language } = options;
  const rules = shownRules(summary);
  const quiet = rules.some((rule) => rule.quiet > 0 || rule.repeats > 0);
  const keys = ['shown', 'per100', 'acceptedColumn', 'overriddenColumn', 'rateColumn', 'withoutFeedbackColumn'];
  if (quiet) keys.push('quietColumn', 'repeatColumn');
  const row = (name: string, item: Outcome): Cell[] => [
    name,
    item.shown,
    per100(item.per100),
    item.accepted,
    item.overridden,
    percent(item.overrideRate, language),
    item.withoutFeedback,
    ...(quiet ? [item.quiet, item.repeats] : []),
  ];
  const rows = rules.flatMap((rule) => [
    row(nameOf(rule), rule),
    ...(rule.hooks.length > 1 ? rule.hooks.map((at) => row(`– ${hookIn(at.hook, options)}`, at)) : []),
  ]);
  const headings = columns(
    [translate('rule')],
    keys.map((key) => translate(key)),
  );
  return {
    heading: translate('rules'),
    blocks: [
      { table: { caption: translate('rulesCaption'), columns: headings, rows } },
      ...(quiet ? [{ paragraph: translate('quietNote') }] : []),
    ],
  };
}

/** Rules on trial: cards shown elsewhere beside those not shown. */
function trial(summary: Summary, options: PageOptions): Section {
  const { translate, language } = options;
  const numbers = ['shown', 'per100', 'trialCalls', 'silent', 'silentPer100'].map((key) => translate(key));
  const headings = columns([translate('rule')], numbers);
  const row = (name: string, item: Outcome): Cell[] => [
    name,
    item.shown,
    per100(item.per100),
    item.trial,
    item.silent,
    per100(item.silentPer100),
  ];
  const { withCards: rules, without } = onTrial(summary);
  const rows = rules.flatMap((rule) => [
    row(rule.rule, rule),
    ...(rule.hooks.length > 1 ? rule.hooks.map((at) => row(`– ${hookIn(at.hook, options)}`, at)) : []),
  ]);
  const blocks: Block[] = [{ paragraph: translate('trialIntro') }];
  if (rules.length > 0)
    blocks.push(
      {
        chart: bars({
          id: 'trial',
          title: translate('trialChart'),
          description: translate('trialDescription'),
          language,
          series: [translate('shown'), translate('silent')],
          rows: rules.map(({ rule, per100: seen = 0, silentPer100 = 0 }) => ({
            label: rule,
            values: [rounded(seen), rounded(silentPer100)],
          })),
        }),
      },
      { table: { caption: translate('trialCaption'), columns: headings, rows } },
    );
  if (without.length > 0) blocks.push({ paragraph: translate('trialNone', { rules: without.join(', ') }) });
  blocks.push({ paragraph: translate('trialUnknown') });
  if (summary.review.length > 0)
    blocks.push({
      table: {
        caption: translate('reviewCaption'),
        columns: columns(['rule', 'reviewDay', 'reviewHash'].map((key) => translate(key))),
        rows: summary.review.map(({ rule, day, patient }) => [rule, dateIn(day, language), patient]),
      },
    });
  return { heading: translate('trial'), blocks };
}

function reasons({ rules }: Summary, options: PageOptions): Section {
  const { translate } = options;
  const overridden = rules.flatMap((rule) =>
    rule.reasons.map((item): Cell[] => [rule.rule, reasonIn(item, options), item.cards]),
  );
  const accepted = rules.flatMap((rule) =>
    rule.offers.map(({ offer, times }): Cell[] => [
      rule.rule,
      offer === '?' ? translate('unknownOffer') : offer,
      times,
    ]),
  );
  const blocks: Block[] = [];
  if (overridden.length > 0)
    blocks.push({
      table: {
        caption: translate('reasons'),
        columns: columns([translate('rule'), translate('reason')], [translate('times')]),
        rows: overridden,
      },
    });
  if (accepted.length > 0)
    blocks.push({
      table: {
        caption: translate('offers'),
        columns: columns([translate('rule'), translate('offer')], [translate('timesColumn')]),
        rows: accepted,
      },
    });
  return {
    heading: translate('choices'),
    blocks: blocks.length > 0 ? blocks : [{ paragraph: translate('noChoices') }],
  };
}

function meaning({ rules }: Summary, { translate, knowledge }: PageOptions): Section {
  const rows = rules.flatMap(({ rule: id }): Cell[][] => {
    const rule = knowledge.rules.find((candidate) => candidate.id === id);
    return rule ? [[id, `${rule.source.publisher}: ${rule.source.title}`, rule.recommendation]] : [];
  });
  const headings = ['rule', 'source', 'recommendation'].map((key) => translate(key));
  return {
    heading: translate('meaning'),
    blocks: [{ table: { caption: translate('meaningCaption'), columns: columns(headings), rows } }],
  };
}

/** An override reason in the words of the cards; a reason of the client's own as its code. */
export function reasonIn(
  { code, system }: RuleSummary['reasons'][number],
  { translate, language, knowledge }: Pick<PageOptions, 'translate' | 'language' | 'knowledge'>,
): string {
  if (code === null) return translate('noReason');
  const known = Object.values(knowledge.cards.shared.overrideReasons).find(
    (reason) => reason.code === code && (system === null || reason.system === system),
  );
  return known?.display[language] ?? code;
}

function nameOf({ rule, aboveLimit }: RuleSummary): string {
  return aboveLimit ? `▲ ${rule}` : rule;
}

function percent(share: number | undefined, language: Language): string {
  if (share === undefined) return '–';
  return new Intl.NumberFormat(locales[language], { style: 'percent' }).format(share);
}

function dateIn(day: string, language: Language, month: 'long' | 'short' = 'long'): string {
  const year = month === 'long' ? ('numeric' as const) : undefined;
  const shape = { day: 'numeric', month, year, timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locales[language], shape).format(new Date(day));
}

function per100(value: number | undefined): Cell {
  return value === undefined ? '–' : rounded(value);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The name of a hook; a journal row may have one that this version does not know. */
function hookIn(hook: string, { knowledge, language }: PageOptions): string {
  const names: Record<string, Texts> = knowledge.cards.shared.services.hooks;
  return Object.hasOwn(names, hook) ? (names[hook] as Texts)[language] : hook;
}
