/**
 * Text from a request inside a line of GitHub-flavoured Markdown: what could begin emphasis, code, a link, an image or
 * HTML is written so that it stays text (conformance K4). Marks that mean something only at the start of a line are
 * left alone, since such a text never starts one.
 */
export function escapeMarkdown(text: string): string {
  return (
    plainText(text)
      .replace(/[\\`*_[\]~|]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      // GitHub makes links of bare addresses; a word joiner in them stops that and is not seen.
      .replace(/(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|@/gi, '$&\u2060')
  );
}

/** Text from a request in a plain-text field: one line, no control characters, at most `limit` characters. */
export function plainText(text: string, limit = 200): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : line;
}
