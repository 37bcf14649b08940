import type { Knowledge } from '../cards/knowledge.ts';
import { sections } from '../fhir/prefetch.ts';
import type { Translate } from '../knowledge/pages.ts';
import { type Language, locales } from '../language.ts';
import { escapeHtml } from '../report/markup.ts';
import { neededForSilence } from '../rules/evaluate.ts';
import { factsOfRule, type Guideline, guidelineOf, type Rule } from '../rules/knowledge.ts';
import type { Proof } from '../rules/proof.ts';
import { markdownHtml } from './markdown.ts';
import { nameInWords, offerWithoutPatient, textWithoutPatient } from './words.ts';

/** What the pages are made from: the rules, their proof, and the page's texts in one language. */
export type PageContext = { knowledge: Knowledge; proof: Proof; language: Language; translate: Translate };

/** A section about a rule: its heading and its HTML. */
export type Part = { key: string; heading: string; html: string };

/** The rule's summary as a heading, without a patient. */
export function summaryOf(rule: Rule, context: PageContext): string {
  const template = context.knowledge.cards.templates[rule.id];
  return template ? textWithoutPatient(template.summary, rule, context) : rule.id;
}

/** All sections about one rule, in the order in which a doubting reader asks. */
export function partsOf(rule: Rule, context: PageContext): Part[] {
  const part = (key: string, html: string): Part => ({ key, heading: context.translate(key), html });
  return [
    part('source', sourceHtml(rule, context)),
    part('added', addedHtml(rule, context)),
    part('card', cardHtml(rule, context)),
    part('when', whenHtml(rule, context)),
    part('settings', settingsHtml(rule, context)),
    part('blind', blindHtml(rule, context)),
    part('reasons', reasonsHtml(rule, context)),
    part('proof', proofHtml(rule, context)),
  ];
}

const text = (words: string) => `<p>${escapeHtml(words)}</p>`;
/** Texts of the rule files, which are in English. */
const english = (words: string) => `<span lang="en">${escapeHtml(words)}</span>`;
const list = (items: string[]) => `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

function tableHtml(name: string, heads: string[], rows: string[], translate: Translate, attributes = ''): string {
  const head = heads.map((key) => `<th scope="col">${escapeHtml(translate(key))}</th>`).join('');
  return `<div class="scroll" role="region" aria-label="${escapeHtml(name)}" tabindex="0"><table${attributes}><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function sourceHtml(rule: Rule, { knowledge, language, translate }: PageContext): string {
  const { source, section, recommendation } = rule;
  const { sourceKinds, undated } = knowledge.cards.shared;
  const title = `<cite lang="${source.language}">${escapeHtml(source.title)}</cite>`;
  const linked = source.url === undefined ? title : `<a href="${escapeHtml(source.url)}">${title}</a>`;
  const says = guidelineOf(knowledge, rule).file.recommendations[recommendation]?.says ?? '';
  return [
    `<p class="kind">${escapeHtml(sourceKinds[source.kind][language])}</p>`,
    `<p>${escapeHtml(source.publisher)}: ${linked}, ${escapeHtml(source.date ?? undated[language])}. ${escapeHtml(translate('section', { section }).replace(/([^.?!])$/, '$1.'))}</p>`,
    `<blockquote lang="en">${escapeHtml(says)}</blockquote>`,
    text(translate(`cap-${source.kind === 'guideline' || source.kind === 'product-information' ? 'loud' : 'info'}`)),
  ].join('\n');
}

function addedHtml(rule: Rule, { knowledge, translate }: PageContext): string {
  const guideline = guidelineOf(knowledge, rule);
  const added = guideline.file.recommendations[rule.recommendation]?.added;
  const own = parametersOf(rule, guideline)
    .map((name) => [name, guideline.file.parameters[name]?.source] as const)
    .filter(([, source]) => source?.startsWith('ours'));
  if (added === undefined && own.length === 0) return text(translate('addedNothing'));
  return [
    added === undefined ? '' : `<p>${english(added)}</p>`,
    own.length === 0
      ? ''
      : `${text(translate('addedNumbers'))}${list(own.map(([name, source = '']) => english(`${nameInWords(name)}${source.replace(/^ours(: )?/, ' – ').replace(/ – $/, '')}`)))}`,
  ].join('\n');
}

/** Everything that the card may say, including the figures of the evidence. */
function cardHtml(rule: Rule, context: PageContext): string {
  const { knowledge, translate, language } = context;
  const template = knowledge.cards.templates[rule.id];
  if (!template) return '';
  const guideline = guidelineOf(knowledge, rule);
  const where = (fact: string) => `<p class="where">${escapeHtml(translate('where'))} ${factHtml(fact, guideline)}</p>`;
  const summaries = template.summaries.map(
    (summary) =>
      `${where(summary.if)}<p><strong>${escapeHtml(textWithoutPatient(summary.text, rule, context))}</strong></p>`,
  );
  const detail = template.detail.map(
    (part) =>
      `${part.if === undefined ? '' : where(part.if)}${markdownHtml(textWithoutPatient(part.text, rule, context))}`,
  );
  const offers = Object.values(template.suggestions).map(({ description }) =>
    escapeHtml(offerWithoutPatient(description[language], translate)),
  );
  return [
    text(translate('cardText')),
    `<div class="spoken"><p><strong>${escapeHtml(summaryOf(rule, context))}</strong></p>`,
    ...summaries,
    ...detail,
    '</div>',
    offers.length === 0 ? '' : `${text(translate('offers'))}${list(offers)}`,
  ].join('\n');
}

function factHtml(fact: string, guideline: Guideline): string {
  const { comment } = guideline.facts.get(fact) ?? {};
  return `${english(nameInWords(fact))}${comment === undefined ? '' : ` <small lang="en">(${escapeHtml(comment)})</small>`}`;
}

/** A link to another rule, with its summary. */
function linkHtml(id: string, context: PageContext): string {
  const rule = context.knowledge.rules.find((other) => other.id === id);
  const text = rule ? summaryOf(rule, context) : id;
  return `<a href="/advice/${id}?lang=${context.language}">${escapeHtml(text)}</a>`;
}

/** The deciding facts as written in the rule file, for readers who want the exact conditions. */
function expressionsHtml(rule: Rule, guideline: Guideline, translate: Translate): string {
  const lines = [...rule.when, ...rule.unless, ...rule.without].map(
    (name) =>
      `<dt>${escapeHtml(nameInWords(name))}</dt><dd><code>${escapeHtml(guideline.facts.get(name)?.expression.text.trim() ?? '')}</code></dd>`,
  );
  return `<details><summary>${escapeHtml(translate('exactly'))}</summary><dl lang="en">${lines.join('\n')}</dl></details>`;
}

/** A rule on trial at this site, with its dates, because the page is the same on every day. */
function trialHtml(rule: Rule, { knowledge, translate }: PageContext): string {
  const span = knowledge.site.silent.rules[rule.id];
  if (!span || rule.off !== undefined) return '';
  return text(translate('trial', { from: span.from ?? '…', to: span.to ?? '…' }));
}

function whenHtml(rule: Rule, context: PageContext): string {
  const { knowledge, translate } = context;
  const guideline = guidelineOf(knowledge, rule);
  const facts = (key: string, names: string[]) =>
    names.length === 0 ? '' : `${text(translate(key))}${list(names.map((name) => factHtml(name, guideline)))}`;
  const loud = rule.indicators.map(({ indicator, facts: names }) => {
    const how = escapeHtml(translate(`indicator-${indicator}`));
    if (names.length === 0) return rule.indicators.length > 1 ? `${how}, ${escapeHtml(translate('otherwise'))}` : how;
    return `${how} ${escapeHtml(translate('where'))} ${names.map((name) => factHtml(name, guideline)).join(` ${escapeHtml(translate('or'))} `)}`;
  });
  const weaker = [...new Set([...rule.supersedes.always, ...rule.supersedes.sameDrugs, ...rule.supersedes.sameOrders])];
  return [
    `<p class="state ${rule.off === undefined ? 'on' : 'off'}">${escapeHtml(translate(`state-${rule.off ?? 'on'}`))}</p>`,
    trialHtml(rule, context),
    `${text(translate('moments'))}${list(rule.hooks.map((hook) => escapeHtml(translate(hook))))}`,
    facts('must', rule.when),
    facts('unless', rule.unless),
    facts('without', rule.without),
    expressionsHtml(rule, guideline, translate),
    `${text(translate('loudness'))}${list(loud)}`,
    rule.rides ? text(translate('rides')) : '',
    weaker.length === 0
      ? ''
      : `${text(translate('silences'))}${list(weaker.map((id) => (id === '*' ? escapeHtml(translate('everyOther')) : linkHtml(id, context))))}`,
  ].join('\n');
}

/** The parameters of a rule: used by the rule, its card, or directly or indirectly by a fact of either. */
function parametersOf(rule: Rule, { file, facts, parameters }: Guideline): string[] {
  const seen = new Set<string>();
  const look = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const other of facts.get(name)?.expression.variables ?? []) look(other);
  };
  for (const name of factsOfRule(rule)) look(name);
  for (const suggestion of rule.suggest) {
    if ('days' in suggestion) look(suggestion.days);
    if ('recommended' in suggestion && suggestion.recommended !== undefined) look(suggestion.recommended);
  }
  return Object.keys(parameters).filter((name) => seen.has(name) && name in file.parameters);
}

function settingsHtml(rule: Rule, { knowledge, language, translate }: PageContext): string {
  const { site } = knowledge;
  const guideline = guidelineOf(knowledge, rule);
  const number = (value: number | number[]) =>
    [value]
      .flat()
      .map((one) => new Intl.NumberFormat(locales[language]).format(one))
      .join(', ');
  const rows = parametersOf(rule, guideline).map((name) => {
    const delivered = guideline.file.parameters[name] as Guideline['file']['parameters'][string];
    const here = guideline.parameters[name] as number | number[];
    const changed = number(here) !== number(delivered.value);
    const atDefaults = changed
      ? ` <small>${escapeHtml(translate('delivered', { value: number(delivered.value) }))}</small>`
      : '';
    return `<tr><th scope="row">${english(nameInWords(name))}</th><td>${number(here)}${atDefaults}</td><td>${number(delivered.min)}–${number(delivered.max)}</td><td>${english(delivered.source ?? '')}</td></tr>`;
  });
  const country =
    site.country === undefined ? translate('countryNone') : translate('country', { country: translate(site.country) });
  const national = guideline.file.rules.find(({ id }) => id === rule.id)?.countries ?? guideline.file.countries;
  return [
    rows.length === 0
      ? text(translate('noParameters'))
      : tableHtml(`${translate('settings')}: ${rule.id}`, ['parameter', 'here', 'bounds', 'origin'], rows, translate),
    text(country),
    national === undefined
      ? ''
      : text(translate('national', { countries: national.map((one) => translate(one)).join(', ') })),
  ].join('\n');
}

function blindHtml(rule: Rule, { knowledge, language, translate }: PageContext): string {
  const guideline = guidelineOf(knowledge, rule);
  const used = new Set(factsOfRule(rule).flatMap((name) => [...(guideline.facts.get(name)?.sections ?? [])]));
  const named = (keys: readonly string[]) =>
    sections
      .filter((key) => keys.includes(key))
      .map((key) => escapeHtml(knowledge.cards.shared.sections[key][language]));
  const needed = neededForSilence(knowledge.site);
  return [
    text(translate('sees')),
    list(named([...used])),
    text(translate('needs', { parts: named(needed).join(', ') })),
    list(
      [translate('blindElsewhere'), translate('blindText'), translate('blindTaken'), translate('blindNames')].map(
        escapeHtml,
      ),
    ),
  ].join('\n');
}

function reasonsHtml(rule: Rule, { knowledge, language, translate }: PageContext): string {
  const reasons = (knowledge.cards.templates[rule.id]?.overrideReasons ?? []).flatMap((key) => {
    const reason = knowledge.cards.shared.overrideReasons[key];
    return reason ? [escapeHtml(reason.display[language])] : [];
  });
  return reasons.length === 0 ? text(translate('noReasons')) : `${text(translate('reasonsText'))}${list(reasons)}`;
}

function proofHtml(rule: Rule, { knowledge, proof, translate }: PageContext): string {
  const found = proof[rule.id];
  if (!found) return text(translate('noProof'));
  const guideline = guidelineOf(knowledge, rule);
  const patient = ({ name, note }: { name: string; note: string }) =>
    `<span lang="en">${escapeHtml(note)}</span> <small><code>${escapeHtml(name)}</code></small>`;
  const rows = found.pairs.map(
    ({ fact, speaks, silent }) =>
      `<tr><th scope="row">${guideline.facts.has(fact) ? english(nameInWords(fact)) : escapeHtml(fact)}</th><td>${patient(speaks)}</td><td>${patient(silent)}</td></tr>`,
  );
  return [
    text(translate('proofText', { patients: found.patients })),
    tableHtml(`${translate('proof')}: ${rule.id}`, ['fact', 'speaks', 'silent'], rows, translate, ' class="proof"'),
  ].join('\n');
}
