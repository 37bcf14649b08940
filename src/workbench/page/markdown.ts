import DOMPurify from 'dompurify';
import { Marked } from 'marked';

const allowed = [
  'p',
  'strong',
  'em',
  'ul',
  'ol',
  'li',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
  'br',
  'code',
  'a',
  'del',
];

// Cards need no HTML and no pictures of their own: the one is shown as written, of the other the words.
const marked = new Marked({
  gfm: true,
  async: false,
  renderer: { html: ({ text }) => escaped(text), image: ({ text }) => escaped(text) },
});

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A card's Markdown as HTML that is safe to show: text and its structure, nothing that runs or loads. */
export function htmlOf(markdown: string): string {
  return DOMPurify.sanitize(marked.parse(markdown) as string, {
    ALLOWED_TAGS: allowed,
    ALLOWED_ATTR: ['href', 'align', 'start'],
  });
}
