/**
 * Escapes text from a request for a line of GitHub-flavoured Markdown: characters that could begin emphasis, code, a
 * link, an image or HTML stay text (conformance K4). Characters with a meaning only at the start of a line are left
 * alone, because such a text never starts one.
 */
export function escapeMarkdown(text: string): string {
  return (
    plainText(text)
      .replace(/[\\`*_[\]~|]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      // GitHub turns bare addresses into links; an invisible word joiner prevents that.
      .replace(/(https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|@/gi, '$&\u2060')
  );
}

/** Text from a request in a plain-text field: one line, no control characters, at most `limit` characters. */
export function plainText(text: string, limit = 200): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : line;
}
