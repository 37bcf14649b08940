import pkg from '../../package.json' with { type: 'json' };
import { type Language, languages } from '../language.ts';
import { escapeHtml, type Markup } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { guidelineOf, type Rule } from '../rules/knowledge.ts';
import { type PageContext, partsOf, summaryOf } from './rule.ts';

/** The name of each language in that language. */
const NAMES: Record<Language, string> = { sv: 'Svenska', nb: 'Norsk', da: 'Dansk', en: 'English' };

/** The page about one rule: the basis of its card, without any patient. Pure. */
export function rulePage(rule: Rule, context: PageContext): string {
  const { knowledge, language, translate } = context;
  const { file } = guidelineOf(knowledge, rule);
  return page({
    language,
    title: summaryOf(rule, context),
    subtitle: `${translate('about')} · ${rule.id} · ${file.title}`,
    nav: navigation(context, [{ href: `/advice?lang=${language}`, text: translate('all') }], `/advice/${rule.id}`),
    sections: partsOf(rule, context).map(({ heading, html, key }) => ({
      heading,
      id: key,
      blocks: [{ markup: { html } }],
    })),
    footer: footerOf(context, `${file.title} ${file.version}`),
  });
}

/** Every rule on one page, for a committee to read from top to bottom, also on paper. Pure. */
export function indexPage(context: PageContext): string {
  const { knowledge, language, translate } = context;
  const contents = knowledge.guidelines.map(
    ({ file, rules }) =>
      `<li><span lang="en">${escapeHtml(file.title)}</span><ul>${rules
        .map(
          (rule) =>
            `<li><a href="#${rule.id}">${escapeHtml(summaryOf(rule, context))}</a>${rule.off === undefined ? '' : ` <small>${escapeHtml(translate('offShort'))}</small>`}</li>`,
        )
        .join('\n')}</ul></li>`,
  );
  const served = knowledge.rules.filter(({ off }) => off === undefined).length;
  return page({
    language,
    title: translate('title'),
    subtitle: translate('subtitle', { rules: knowledge.rules.length, served }),
    nav: navigation(context, [], '/advice'),
    sections: [
      {
        heading: translate('contents'),
        id: 'contents',
        blocks: [
          { paragraph: translate('intro') },
          { paragraph: translate('english') },
          { markup: { html: `<ul class="contents">${contents.join('\n')}</ul>` } },
        ],
      },
      ...knowledge.guidelines.map(({ file, rules }) => ({
        heading: file.title,
        id: `guideline-${file.id}`,
        blocks: rules.map((rule) => ({ markup: { html: ruleHtml(rule, context) } })),
      })),
    ],
    footer: footerOf(context),
  });
}

function ruleHtml(rule: Rule, context: PageContext): string {
  const parts = partsOf(rule, context).map(({ heading, html }) => `<h4>${escapeHtml(heading)}</h4>\n${html}`);
  const more = `<a href="/advice/${rule.id}?lang=${context.language}"><code>${escapeHtml(rule.id)}</code></a>`;
  return `<article class="rule"><h3 id="${rule.id}">${escapeHtml(summaryOf(rule, context))}</h3>\n<p>${more}</p>\n${parts.join('\n')}</article>`;
}

/** Links to the same page in other languages, and to other pages. */
function navigation(
  { language, translate }: PageContext,
  links: { href: string; text: string }[],
  path: string,
): Markup {
  const others = languages.map(
    (one) =>
      `<a href="${path}?lang=${one}" hreflang="${one}" lang="${one}"${one === language ? ' aria-current="true"' : ''}>${NAMES[one]}</a>`,
  );
  const ways = links.map(({ href, text }) => `<a href="${href}">${escapeHtml(text)}</a>`);
  return {
    html: `<nav class="ways" aria-label="${escapeHtml(translate('languages'))}">${[...ways, ...others].join('\n')}</nav>`,
  };
}

function footerOf({ knowledge, translate }: PageContext, guideline?: string): string[] {
  return [
    ...(guideline === undefined ? [] : [guideline]),
    translate('version', { version: pkg.version, fingerprint: knowledge.fingerprint }),
    translate('noPatient'),
  ];
}
