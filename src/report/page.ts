import { createHash } from 'node:crypto';
import type { Language } from '../language.ts';
import { escapeHtml, type Markup } from './markup.ts';
import { formatNumber } from './numbers.ts';
import { style } from './style.ts';

/** A cell as data: numbers are formatted for the language; undefined leaves the cell empty. */
export type Cell = string | number | undefined;

export type Table = {
  caption: string;
  columns: { heading: string; numeric?: boolean }[];
  /** The first cell of a row is its heading. */
  rows: Cell[][];
};

/** The columns of a table: those of words, then those of numbers. */
export function columns(words: string[], numbers: string[] = []): Table['columns'] {
  return [...words.map((heading) => ({ heading })), ...numbers.map((heading) => ({ heading, numeric: true }))];
}

/** A key figure with its label. */
export type Figure = { value: string | number; label: string; note?: string };

export type Block =
  | { paragraph: string }
  | { list: string[] }
  | { figures: Figure[] }
  | { table: Table }
  /** Content without its own block type. */
  | { markup: Markup }
  /** A chart of chart.ts; consecutive charts are side by side if there is room. */
  | { chart: Markup };

/** `id`: for links from other pages. */
export type Section = { heading: string; blocks: Block[]; id?: string };

export type Page = {
  language: Language;
  title: string;
  subtitle?: string;
  /** Navigation above everything else; not printed. */
  nav?: Markup;
  sections: Section[];
  /** The origin of the data, in small type. */
  footer?: string[];
};

/** Headers of a page that may only use its own style. */
export const pageHeaders = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * A self-contained HTML document: no script, no request, its style inside. All text is escaped. It works in light and
 * dark, at phone width, and on paper.
 */
export function page({ language, title, subtitle, nav, sections, footer = [] }: Page): string {
  const write = writer(language);
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${nav === undefined ? '' : `${nav.html}\n`}<header>
<h1>${escapeHtml(title)}</h1>
${subtitle === undefined ? '' : `<p>${escapeHtml(subtitle)}</p>`}
</header>
<main>
${sections.map((section, at) => writeSection(section, at, write)).join('\n')}
</main>
<footer>
${footer.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
</footer>
</body>
</html>
`;
}

type Writer = (cell: Cell) => string;

function writer(language: Language): Writer {
  return (cell) => (typeof cell === 'number' ? formatNumber(cell, language) : escapeHtml(cell ?? ''));
}

function writeSection({ heading, blocks, id: own }: Section, at: number, write: Writer): string {
  const id = own ?? `s${at}`;
  const parts: string[] = [];
  for (let next = 0; next < blocks.length; next++) {
    const block = blocks[next] as Block;
    if (!('chart' in block)) parts.push(writeBlock(block, `t${at}-${next}`, write));
    else {
      const charts = [block.chart];
      for (let more = blocks[next + 1]; more && 'chart' in more; more = blocks[++next + 1]) charts.push(more.chart);
      parts.push(`<div class="charts">${charts.map(({ html }) => html).join('\n')}</div>`);
    }
  }
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(heading)}</h2>\n${parts.join('\n')}\n</section>`;
}

function writeBlock(block: Exclude<Block, { chart: Markup }>, id: string, write: Writer): string {
  if ('paragraph' in block) return `<p>${escapeHtml(block.paragraph)}</p>`;
  if ('list' in block) return `<ul>${block.list.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
  if ('markup' in block) return block.markup.html;
  if ('table' in block) return writeTable(block.table, id, write);
  const figures = block.figures.map(
    ({ value, label, note }) =>
      `<div><dt>${escapeHtml(label)}</dt><dd><b>${write(value)}</b></dd>${note === undefined ? '' : `<dd><small>${escapeHtml(note)}</small></dd>`}</div>`,
  );
  return `<dl class="figures">${figures.join('')}</dl>`;
}

function writeTable({ caption, columns, rows }: Table, id: string, write: Writer): string {
  const numeric = (at: number) => (columns[at]?.numeric ? ' class="number"' : '');
  const head = columns.map(({ heading }, at) => `<th scope="col"${numeric(at)}>${escapeHtml(heading)}</th>`).join('');
  const body = rows.map(
    (row) =>
      `<tr>${row
        .map((cell, at) => (at === 0 ? `<th scope="row">${write(cell)}</th>` : `<td${numeric(at)}>${write(cell)}</td>`))
        .join('')}</tr>`,
  );
  // A table wider than the screen scrolls by itself, also with the keyboard.
  return `<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table>
<caption id="${id}">${escapeHtml(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}
