import pkg from '../../package.json' with { type: 'json' };
import { type Language, languages } from '../language.ts';
import { escapeHtml, type Markup } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { guidelineOf, type Rule } from '../rules/knowledge.ts';
import { type Around, partsOf, summaryOf } from './rule.ts';

/** Each language by its own name. */
const NAMES: Record<Language, string> = { sv: 'Svenska', nb: 'Norsk', da: 'Dansk', en: 'English' };

/** The page about one rule: what its card rests on, without any patient. Pure. */
export function rulePage(rule: Rule, around: Around): string {
  const { knowledge, language, say } = around;
  const { file } = guidelineOf(knowledge, rule);
  return page({
    language,
    title: summaryOf(rule, around),
    subtitle: `${say('about')} · ${rule.id} · ${file.title}`,
    nav: navigation(around, [{ href: `/advice?lang=${language}`, text: say('all') }], `/advice/${rule.id}`),
    sections: partsOf(rule, around).map(({ heading, html, key }) => ({
      heading,
      id: key,
      blocks: [{ markup: { html } }],
    })),
    footer: footerOf(around, `${file.title} ${file.version}`),
  });
}

/** Every rule on one page, for a committee that reads them from top to bottom, on paper too. Pure. */
export function indexPage(around: Around): string {
  const { knowledge, language, say } = around;
  const contents = knowledge.guidelines.map(
    ({ file, rules }) =>
      `<li><span lang="en">${escapeHtml(file.title)}</span><ul>${rules
        .map(
          (rule) =>
            `<li><a href="#${rule.id}">${escapeHtml(summaryOf(rule, around))}</a>${rule.off === undefined ? '' : ` <small>${escapeHtml(say('offShort'))}</small>`}</li>`,
        )
        .join('\n')}</ul></li>`,
  );
  const served = knowledge.rules.filter(({ off }) => off === undefined).length;
  return page({
    language,
    title: say('title'),
    subtitle: say('subtitle', { rules: knowledge.rules.length, served }),
    nav: navigation(around, [], '/advice'),
    sections: [
      {
        heading: say('contents'),
        id: 'contents',
        blocks: [
          { paragraph: say('intro') },
          { paragraph: say('english') },
          { markup: { html: `<ul class="contents">${contents.join('\n')}</ul>` } },
        ],
      },
      ...knowledge.guidelines.map(({ file, rules }) => ({
        heading: file.title,
        id: `guideline-${file.id}`,
        blocks: rules.map((rule) => ({ markup: { html: ruleHtml(rule, around) } })),
      })),
    ],
    footer: footerOf(around),
  });
}

function ruleHtml(rule: Rule, around: Around): string {
  const parts = partsOf(rule, around).map(({ heading, html }) => `<h4>${escapeHtml(heading)}</h4>\n${html}`);
  const more = `<a href="/advice/${rule.id}?lang=${around.language}"><code>${escapeHtml(rule.id)}</code></a>`;
  return `<article class="rule"><h3 id="${rule.id}">${escapeHtml(summaryOf(rule, around))}</h3>\n<p>${more}</p>\n${parts.join('\n')}</article>`;
}

/** The same page in the other languages, and ways to other pages. */
function navigation({ language, say }: Around, links: { href: string; text: string }[], path: string): Markup {
  const others = languages.map(
    (one) =>
      `<a href="${path}?lang=${one}" hreflang="${one}" lang="${one}"${one === language ? ' aria-current="true"' : ''}>${NAMES[one]}</a>`,
  );
  const ways = links.map(({ href, text }) => `<a href="${href}">${escapeHtml(text)}</a>`);
  return {
    html: `<nav class="ways" aria-label="${escapeHtml(say('languages'))}">${[...ways, ...others].join('\n')}</nav>`,
  };
}

function footerOf({ knowledge, say }: Around, guideline?: string): string[] {
  return [
    ...(guideline === undefined ? [] : [guideline]),
    say('version', { version: pkg.version, fingerprint: knowledge.fingerprint }),
    say('noPatient'),
  ];
}
