import DOMPurify from 'dompurify';
import { Marked } from 'marked';

const words = ['strong', 'em', 'del', 'code', 'a', 'br'];
const blocks = ['p', 'ul', 'ol', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td'];

// Cards need no HTML and no images: HTML is shown as text, an image as its alternative text.
const marked = new Marked({
  gfm: true,
  async: false,
  renderer: { html: ({ text }) => escaped(text), image: ({ text }) => escaped(text) },
});

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Converts a card's Markdown to safe HTML: text and its structure, nothing that runs or loads. */
export function htmlOf(markdown: string): string {
  return DOMPurify.sanitize(marked.parse(markdown) as string, {
    ALLOWED_TAGS: [...words, ...blocks],
    ALLOWED_ATTR: ['href', 'align', 'start'],
  });
}
