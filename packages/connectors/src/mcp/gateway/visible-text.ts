/**
 * What nobody sees but a model reads: control characters but for line breaks and tabs, invisible and directional
 * formatting (category Cf, with the tags that spell out hidden ASCII), variation selectors, fillers that look like
 * nothing, private use, halves of surrogate pairs.
 */
const unseen = new RegExp(
  [
    String.raw`(?![\n\t])\p{Cc}`,
    String.raw`\p{Cf}|\p{Co}|\p{Cs}|\p{Zl}|\p{Zp}`,
    // Combining grapheme joiner, vowels and separators that show nothing, fillers of Hangul, Braille's blank.
    String.raw`\u034f|[\u17b4\u17b5]|[\u180b-\u180f]|\u115f|\u1160|\u3164|\uffa0|\u2800`,
    // Variation selectors, and a whole plane that is set aside for what is not shown.
    String.raw`[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]`,
  ].join('|'),
  'gu',
);

/** The text without what cannot be seen in it, cut to `most` characters with an ellipsis. */
export function visibleText(text: string, most: number): string {
  // Cut first: what is dropped anyway is not worth looking through.
  const near = text.length > most * 4 ? text.slice(0, most * 4) : text;
  const seen = near.replace(unseen, '');
  return seen.length > most || near.length < text.length ? `${wellFormed(seen.slice(0, most - 1))}…` : seen;
}

/** Whether the text is one line, of characters that can be seen, in the one normal form (NFC) that names are compared in. */
export function isPlainName(text: string, most: number): boolean {
  return (
    text !== '' &&
    text.length <= most &&
    !/[\n\t]/.test(text) &&
    text.replace(unseen, '') === text &&
    text.normalize('NFC') === text &&
    text.trim() === text
  );
}

/** A cut may have left half of a pair at the end. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '');
}
