/** How a JSON text is made, as far as it decides what reading it costs. */
export type Shape = { depth: number; values: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = [0x5b, 0x7b];
const CLOSE = [0x5d, 0x7d];

/**
 * Counts the levels and the objects, lists and texts of JSON before it is read: a body of a few MiB can become hundreds of
 * them in memory. Looks at bytes, so that it needs no memory of its own. What is no JSON gets some count; the parser refuses
 * it. Stops counting where either limit is passed.
 */
export function shapeOf(json: Uint8Array, limits: Shape): Shape {
  let level = 0;
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) {
      values += 1;
      at = endOfText(json, at);
    } else if (byte === OPEN[0] || byte === OPEN[1]) {
      values += 1;
      level += 1;
      if (level > depth) depth = level;
      if (depth > limits.depth) break;
    } else if (byte === CLOSE[0] || byte === CLOSE[1]) level -= 1;
    if (values > limits.values) break;
  }
  return { depth, values };
}

/** Where the text that begins at `start` ends: its closing quote is one that no backslash escapes. */
function endOfText(json: Uint8Array, start: number): number {
  let end = json.indexOf(QUOTE, start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = json.indexOf(QUOTE, end + 1);
  }
  return json.length;
}
