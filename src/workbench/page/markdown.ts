import DOMPurify from 'dompurify';
import { marked } from 'marked';

const allowed = ['p', 'strong', 'em', 'ul', 'ol', 'li', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'br', 'code', 'a', 'del'];

/** A card's Markdown as HTML that is safe to show: text and its structure, nothing that runs or loads. */
export function htmlOf(markdown: string): string {
  const html = marked.parse(markdown, { gfm: true, async: false });
  return DOMPurify.sanitize(html, { ALLOWED_TAGS: allowed, ALLOWED_ATTR: ['href', 'align', 'start'] });
}
