/**
 * How deep JSON from elsewhere may be nested. A FHIR resource inside a Bundle inside a call comes to some thirty levels; far
 * deeper, functions that walk through it would run out of stack, and where, nobody could tell.
 */
export const MAX_DEPTH = 200;

const [QUOTE, BACKSLASH, BRACE, BRACKET, BRACE_END, BRACKET_END] = [...'"\\{[}]'].map((mark) => mark.charCodeAt(0));

/** Whether brackets outside of strings are nested deeper than that; the text need not be JSON. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === BRACE || code === BRACKET) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (code === BRACE_END || code === BRACKET_END) depth -= 1;
  }
  return false;
}

/** Where the quote stands that ends the string; the end of the text where none does. */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}
