/**
 * Cedar's tokens, as far as they are needed to cut a file into policies and to point at places in it. It judges no
 * grammar: each piece goes to Cedar's own parser, which has the last word on what it means.
 */
export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'mark';
  readonly text: string;
  /** UTF-16 offsets into the text that was read. */
  readonly start: number;
  readonly end: number;
}

// A comment ends at a carriage return as well as at a line feed, as in Cedar's grammar: taking it for longer would
// hide policies that Cedar sees. An unterminated string takes the rest, which Cedar then refuses.
const pattern =
  /(?<space>[\s\uFEFF]+|\/\/[^\n\r]*)|(?<string>"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$))|(?<word>[_a-zA-Z][_a-zA-Z0-9]*)|(?<number>\d+)|(?<mark>::|==|!=|<=|>=|&&|\|\||[\s\S])/gy;

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(pattern)) {
    const { space, string, word, number } = match.groups ?? {};
    if (space !== undefined) continue;
    const kind =
      string !== undefined ? 'string' : word !== undefined ? 'word' : number !== undefined ? 'number' : 'mark';
    found.push({ kind, text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return found;
}
