import { escapeHtml } from '../report/markup.ts';

/** Text over several lines, which `escapeHtml` would make one. */
export function linesHtml(text: string): string {
  return text.split('\n').map(escapeHtml).join('\n');
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** JSON as HTML: keys, texts and other values told apart by colour. */
export function jsonHtml(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  let html = '';
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, quoted, colon] = found;
    const kind = quoted === undefined ? 'v' : colon === undefined ? 's' : 'k';
    html += `${linesHtml(text.slice(at, found.index))}<i class="${kind}">${escapeHtml(quoted ?? whole)}</i>${colon ?? ''}`;
    at = found.index + whole.length;
  }
  return html + linesHtml(text.slice(at));
}

export function paragraphsHtml(text: string): string {
  return text
    .split('\n\n')
    .map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`)
    .join('\n');
}

/** A text as an element's id. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
