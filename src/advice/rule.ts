import type { Knowledge } from '../cards/knowledge.ts';
import { sections } from '../fhir/prefetch.ts';
import type { Say } from '../knowledge/pages.ts';
import { type Language, locales } from '../language.ts';
import { escapeHtml } from '../report/markup.ts';
import { neededForSilence } from '../rules/evaluate.ts';
import { factsOfRule, type Guideline, guidelineOf, type Rule } from '../rules/knowledge.ts';
import type { Proof } from '../rules/proof.ts';
import { markdownHtml } from './markdown.ts';
import { nameInWords, offerWithoutPatient, textWithoutPatient } from './words.ts';

/** What the pages are made of: the rules, what proves them, and the words of one language around them. */
export type Around = { knowledge: Knowledge; proof: Proof; language: Language; say: Say };

/** A part of what is said of a rule: its heading, and HTML under it. */
export type Part = { key: string; heading: string; html: string };

/** The rule's summary as a heading, without a patient. */
export function summaryOf(rule: Rule, around: Around): string {
  const template = around.knowledge.cards.templates[rule.id];
  return template ? textWithoutPatient(template.summary, rule, around) : rule.id;
}

/** Everything that is said of one rule, in the order in which somebody who doubts the card asks. */
export function partsOf(rule: Rule, around: Around): Part[] {
  const part = (key: string, html: string): Part => ({ key, heading: around.say(key), html });
  return [
    part('source', sourceHtml(rule, around)),
    part('added', addedHtml(rule, around)),
    part('card', cardHtml(rule, around)),
    part('when', whenHtml(rule, around)),
    part('settings', settingsHtml(rule, around)),
    part('blind', blindHtml(rule, around)),
    part('reasons', reasonsHtml(rule, around)),
    part('proof', proofHtml(rule, around)),
  ];
}

const text = (words: string) => `<p>${escapeHtml(words)}</p>`;
/** Words of the rule files, which are English. */
const english = (words: string) => `<span lang="en">${escapeHtml(words)}</span>`;
const list = (items: string[]) => `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

function sourceHtml(rule: Rule, { knowledge, language, say }: Around): string {
  const { source, section, recommendation } = rule;
  const { sourceKinds, undated } = knowledge.cards.shared;
  const title = `<cite lang="${source.language}">${escapeHtml(source.title)}</cite>`;
  const linked = source.url === undefined ? title : `<a href="${escapeHtml(source.url)}">${title}</a>`;
  const says = guidelineOf(knowledge, rule).file.recommendations[recommendation]?.says ?? '';
  return [
    `<p class="kind">${escapeHtml(sourceKinds[source.kind][language])}</p>`,
    `<p>${escapeHtml(source.publisher)}: ${linked}, ${escapeHtml(source.date ?? undated[language])}. ${escapeHtml(say('section', { section }).replace(/([^.?!])$/, '$1.'))}</p>`,
    `<blockquote lang="en">${escapeHtml(says)}</blockquote>`,
    text(say(`cap-${source.kind === 'guideline' || source.kind === 'product-information' ? 'loud' : 'info'}`)),
  ].join('\n');
}

function addedHtml(rule: Rule, { knowledge, say }: Around): string {
  const guideline = guidelineOf(knowledge, rule);
  const added = guideline.file.recommendations[rule.recommendation]?.added;
  const own = parametersOf(rule, guideline)
    .map((name) => [name, guideline.file.parameters[name]?.source] as const)
    .filter(([, source]) => source?.startsWith('ours'));
  if (added === undefined && own.length === 0) return text(say('addedNothing'));
  return [
    added === undefined ? '' : `<p>${english(added)}</p>`,
    own.length === 0
      ? ''
      : `${text(say('addedNumbers'))}${list(own.map(([name, source = '']) => english(`${nameInWords(name)}${source.replace(/^ours(: )?/, ' – ').replace(/ – $/, '')}`)))}`,
  ].join('\n');
}

/** All that the card may say, as it says it: the figures of the evidence stand here. */
function cardHtml(rule: Rule, around: Around): string {
  const { knowledge, say, language } = around;
  const template = knowledge.cards.templates[rule.id];
  if (!template) return '';
  const guideline = guidelineOf(knowledge, rule);
  const where = (fact: string) => `<p class="where">${escapeHtml(say('where'))} ${factHtml(fact, guideline)}</p>`;
  const summaries = template.summaries.map(
    (summary) =>
      `${where(summary.if)}<p><strong>${escapeHtml(textWithoutPatient(summary.text, rule, around))}</strong></p>`,
  );
  const detail = template.detail.map(
    (part) =>
      `${part.if === undefined ? '' : where(part.if)}${markdownHtml(textWithoutPatient(part.text, rule, around))}`,
  );
  const offers = Object.values(template.suggestions).map(({ description }) =>
    escapeHtml(offerWithoutPatient(description[language], say)),
  );
  return [
    text(say('cardText')),
    `<div class="spoken"><p><strong>${escapeHtml(summaryOf(rule, around))}</strong></p>`,
    ...summaries,
    ...detail,
    '</div>',
    offers.length === 0 ? '' : `${text(say('offers'))}${list(offers)}`,
  ].join('\n');
}

function factHtml(fact: string, guideline: Guideline): string {
  const { comment } = guideline.facts.get(fact) ?? {};
  return `${english(nameInWords(fact))}${comment === undefined ? '' : ` <small lang="en">(${escapeHtml(comment)})</small>`}`;
}

/** Another rule, by its summary. */
function linkHtml(id: string, around: Around): string {
  const rule = around.knowledge.rules.find((other) => other.id === id);
  const text = rule ? summaryOf(rule, around) : id;
  return `<a href="/advice/${id}?lang=${around.language}">${escapeHtml(text)}</a>`;
}

/** The deciding facts as the rule file has them, for whoever wants to know exactly. */
function expressionsHtml(rule: Rule, guideline: Guideline, say: Say): string {
  const lines = [...rule.when, ...rule.unless, ...rule.without].map(
    (name) =>
      `<dt>${escapeHtml(nameInWords(name))}</dt><dd><code>${escapeHtml(guideline.facts.get(name)?.expression.text.trim() ?? '')}</code></dd>`,
  );
  return `<details><summary>${escapeHtml(say('exactly'))}</summary><dl lang="en">${lines.join('\n')}</dl></details>`;
}

/** A rule on trial at this site, with its dates: the page is the same on every day. */
function trialHtml(rule: Rule, { knowledge, say }: Around): string {
  const span = knowledge.site.silent.rules[rule.id];
  if (!span || rule.off !== undefined) return '';
  return text(say('trial', { from: span.from ?? '…', to: span.to ?? '…' }));
}

function whenHtml(rule: Rule, around: Around): string {
  const { knowledge, say } = around;
  const guideline = guidelineOf(knowledge, rule);
  const facts = (key: string, names: string[]) =>
    names.length === 0 ? '' : `${text(say(key))}${list(names.map((name) => factHtml(name, guideline)))}`;
  const loud = rule.indicators.map(({ indicator, facts: names }) => {
    const how = escapeHtml(say(`indicator-${indicator}`));
    if (names.length === 0) return rule.indicators.length > 1 ? `${how}, ${escapeHtml(say('otherwise'))}` : how;
    return `${how} ${escapeHtml(say('where'))} ${names.map((name) => factHtml(name, guideline)).join(` ${escapeHtml(say('or'))} `)}`;
  });
  const weaker = [...new Set([...rule.supersedes.always, ...rule.supersedes.sameDrugs, ...rule.supersedes.sameOrders])];
  return [
    `<p class="state ${rule.off === undefined ? 'on' : 'off'}">${escapeHtml(say(`state-${rule.off ?? 'on'}`))}</p>`,
    trialHtml(rule, around),
    `${text(say('moments'))}${list(rule.hooks.map((hook) => escapeHtml(say(hook))))}`,
    facts('must', rule.when),
    facts('unless', rule.unless),
    facts('without', rule.without),
    expressionsHtml(rule, guideline, say),
    `${text(say('loudness'))}${list(loud)}`,
    rule.rides ? text(say('rides')) : '',
    weaker.length === 0
      ? ''
      : `${text(say('silences'))}${list(weaker.map((id) => (id === '*' ? escapeHtml(say('everyOther')) : linkHtml(id, around))))}`,
  ].join('\n');
}

/** The parameters that a rule rests on: named by it, by its card, or by a fact of either, however far. */
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

function settingsHtml(rule: Rule, { knowledge, language, say }: Around): string {
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
    const asDelivered = changed
      ? ` <small>${escapeHtml(say('delivered', { value: number(delivered.value) }))}</small>`
      : '';
    return `<tr><th scope="row">${english(nameInWords(name))}</th><td>${number(here)}${asDelivered}</td><td>${number(delivered.min)}–${number(delivered.max)}</td><td>${english(delivered.source ?? '')}</td></tr>`;
  });
  const heads = ['parameter', 'here', 'bounds', 'origin'].map((key) => `<th scope="col">${escapeHtml(say(key))}</th>`);
  const country = site.country === undefined ? say('countryNone') : say('country', { country: say(site.country) });
  const national = guideline.file.rules.find(({ id }) => id === rule.id)?.countries ?? guideline.file.countries;
  return [
    rows.length === 0
      ? text(say('noParameters'))
      : `<div class="scroll" role="region" aria-label="${escapeHtml(`${say('settings')}: ${rule.id}`)}" tabindex="0"><table><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`,
    text(country),
    national === undefined ? '' : text(say('national', { countries: national.map((one) => say(one)).join(', ') })),
  ].join('\n');
}

function blindHtml(rule: Rule, { knowledge, language, say }: Around): string {
  const guideline = guidelineOf(knowledge, rule);
  const used = new Set(factsOfRule(rule).flatMap((name) => [...(guideline.facts.get(name)?.sections ?? [])]));
  const named = (keys: readonly string[]) =>
    sections
      .filter((key) => keys.includes(key))
      .map((key) => escapeHtml(knowledge.cards.shared.sections[key][language]));
  const needed = neededForSilence(knowledge.site);
  return [
    text(say('sees')),
    list(named([...used])),
    text(say('needs', { parts: named(needed).join(', ') })),
    list([say('blindElsewhere'), say('blindText'), say('blindTaken'), say('blindNames')].map(escapeHtml)),
  ].join('\n');
}

function reasonsHtml(rule: Rule, { knowledge, language, say }: Around): string {
  const reasons = (knowledge.cards.templates[rule.id]?.overrideReasons ?? []).flatMap((key) => {
    const reason = knowledge.cards.shared.overrideReasons[key];
    return reason ? [escapeHtml(reason.display[language])] : [];
  });
  return reasons.length === 0 ? text(say('noReasons')) : `${text(say('reasonsText'))}${list(reasons)}`;
}

function proofHtml(rule: Rule, { knowledge, proof, say }: Around): string {
  const found = proof[rule.id];
  if (!found) return text(say('noProof'));
  const guideline = guidelineOf(knowledge, rule);
  const patient = ({ name, note }: { name: string; note: string }) =>
    `<span lang="en">${escapeHtml(note)}</span> <small><code>${escapeHtml(name)}</code></small>`;
  const rows = found.pairs.map(
    ({ fact, speaks, silent }) =>
      `<tr><th scope="row">${guideline.facts.has(fact) ? english(nameInWords(fact)) : escapeHtml(fact)}</th><td>${patient(speaks)}</td><td>${patient(silent)}</td></tr>`,
  );
  const heads = ['fact', 'speaks', 'silent'].map((key) => `<th scope="col">${escapeHtml(say(key))}</th>`);
  return [
    text(say('proofText', { patients: found.patients })),
    `<div class="scroll" role="region" aria-label="${escapeHtml(`${say('proof')}: ${rule.id}`)}" tabindex="0"><table class="proof"><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`,
  ].join('\n');
}
